//! Stale deals: open for longer in their stage than nearly every deal that was won in the end.

use super::past::History;
use super::visits::{CENSORED, Visit};
use crate::deals::SalesProcess;
use serde::Serialize;

/// Fewest visits from which a limit is read.
const FEWEST: usize = 20;

/// The age from which deals in a stage are stale.
///
/// # Formula
/// The 99th percentile (smallest x with F(x) >= .99) of the lengths, in whole civil days, of the visits to this stage
/// whose entry and exit are known and whose deal was won later. `None` with fewer than 20 of them.
///
/// # Assumptions
/// Wins that are still to come are not among them; where sales take long compared with the history, the limit is early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StaleLimit {
    stage: String,
    days: Option<u32>,
    n: usize,
}

impl StaleLimit {
    /// The stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// The limit in whole days; a deal that is older is stale.
    pub const fn days(&self) -> Option<u32> {
        self.days
    }

    /// From how many visits it was read, or would have been.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// The limits of all open stages, in process order.
    pub(super) fn of(process: &SalesProcess, history: &History) -> Vec<Self> {
        let mut lengths: Vec<Vec<u32>> = vec![Vec::new(); process.open_stages().len()];
        for deal in history.visits.chunk_by(|a, b| a.deal == b.deal) {
            let mut won_later = false;
            for visit in deal.iter().rev() {
                won_later |= visit.stage == history.won();
                if let (true, Some(length), Some(lengths)) =
                    (won_later, length(visit), lengths.get_mut(usize::from(visit.stage)))
                {
                    lengths.push(length);
                }
            }
        }
        let limit = |(stage, mut lengths): (&crate::deals::Stage, Vec<u32>)| {
            let rank = (99 * lengths.len()).div_ceil(100);
            let days = (lengths.len() >= FEWEST).then(|| *lengths.select_nth_unstable(rank - 1).1);
            Self { stage: stage.name().to_owned(), days, n: lengths.len() }
        };
        process.open_stages().iter().zip(lengths).map(limit).collect()
    }
}

/// Whole days from a known entry to a known exit.
fn length(visit: &Visit) -> Option<u32> {
    let known = visit.entry_known && visit.to != CENSORED;
    known.then(|| visit.left.saturating_sub(visit.entered)).and_then(|days| u32::try_from(days).ok())
}

/// An open deal that is older than its stage's [`StaleLimit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StaleDeal {
    pub(super) deal: String,
    pub(super) stage: String,
    pub(super) age_days: u32,
    pub(super) limit_days: u32,
}

impl StaleDeal {
    /// Its id.
    pub fn deal(&self) -> &str {
        &self.deal
    }

    /// The stage it is in.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Civil days it has been there.
    pub const fn age_days(&self) -> u32 {
        self.age_days
    }

    /// The limit of its stage.
    pub const fn limit_days(&self) -> u32 {
        self.limit_days
    }
}
