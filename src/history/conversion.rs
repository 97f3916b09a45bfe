//! Where deals go next: the next exits of every open stage, counted.

use super::past::History;
use super::visits::{CENSORED, STILL_OPEN};
use crate::deals::{Known, SalesProcess, Stage};
use crate::error::shortened;
use crate::num::{Probability, count};
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDateTime;
use serde::Serialize;
use std::fmt;

/// Where a deal goes when it leaves a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// To this open stage.
    Stage(&'a str),
    /// To any stage that means won.
    Won,
    /// To any stage that means lost.
    Lost,
}

/// How often deals went from each open stage straight to each other place, as known at an instant.
///
/// # Meaning
/// A visit is one uninterrupted stay in a stage. Every visit counts as it is: a skipped stage, a move back, each stay
/// of a reopened deal, a stay that was only found and began earlier. A visit has ended, is still open, or went out of
/// sight: its deal was removed, or was next found in a stage that nobody saw it enter, so that it may have been
/// elsewhere in between.
///
/// # Formula
/// `conversion_rate(i, j) = exits from i to j / visits to i that have ended`, for the *next* exit. `None` where no visit
/// has ended.
///
/// # Assumptions
/// None for the counts. As a chance the rate is biased where stays are long compared with the history: visits that are
/// still open are in no rate, and quick exits (mostly losses) are seen first.
///
/// # Not a win rate
/// The product of the rates from stage to stage is not the chance that a deal is won. It takes for granted that every
/// deal passes every stage once: deals that skip stages, move back or are reopened win along paths that the product
/// leaves out. It also takes for granted that what a deal does next has nothing to do with how it came here. On one
/// published log such a product predicted 7 wins where 89 happened.
///
/// # Example: what happens to deals after the proposal?
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::history::Next;
/// use dealcast::time::date;
/// let row = |deal: &str, day, stage: &str| DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
/// let log = DealLog::from_events(&SalesProcess::open(["qualify", "propose"])?, [
///     row("a", 1, "qualify"), row("a", 2, "propose"), row("a", 9, "won"),
///     row("b", 1, "propose"), row("b", 5, "lost"),
///     row("c", 4, "propose"),
/// ])?;
/// let conversion = log.as_of(date(2026, 3, 31)?).conversion();
/// assert_eq!(conversion.conversion_rate("propose", Next::Won)?.unwrap().get(), 0.5);
/// assert_eq!((conversion.n_ended("propose")?, conversion.n_still_open("propose")?), (2, 1));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConversionMatrix {
    as_of: NaiveDateTime,
    /// By open stage, in process order.
    stages: Vec<Exits>,
}

/// How the visits to one stage ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Exits {
    stage: String,
    /// Exits to the open stages in process order, then to won, then to lost.
    to: Vec<usize>,
    still_open: usize,
    out_of_sight: usize,
}

impl Exits {
    fn ended(&self) -> usize {
        self.to.iter().sum()
    }

    fn rate(&self, place: usize) -> Option<Probability> {
        let n = *self.to.get(place)?;
        let ended = self.ended();
        if ended == 0 { None } else { Probability::new(count(n) / count(ended)).ok() }
    }
}

impl Known<'_> {
    /// How often deals went from each open stage straight to each other place; one pass over the log.
    pub fn conversion(&self) -> ConversionMatrix {
        ConversionMatrix::of(self.at(), self.process(), &History::of(self))
    }
}

impl ConversionMatrix {
    fn of(as_of: NaiveDateTime, process: &SalesProcess, history: &History) -> Self {
        let open = process.open_stages();
        let exits = |stage: &Stage| Exits {
            stage: stage.name().to_owned(),
            to: vec![0; open.len() + 2],
            still_open: 0,
            out_of_sight: 0,
        };
        let mut stages: Vec<Exits> = open.iter().map(exits).collect();
        for visit in &history.visits {
            // Stays in `won` are visits too, but no open stage.
            let Some(from) = stages.get_mut(usize::from(visit.stage)) else { continue };
            let counted = match (visit.left, visit.to) {
                (STILL_OPEN, _) => Some(&mut from.still_open),
                (_, CENSORED) => Some(&mut from.out_of_sight),
                (_, to) => from.to.get_mut(usize::from(to)),
            };
            if let Some(counted) = counted {
                *counted += 1;
            }
        }
        Self { as_of, stages }
    }

    /// The instant as of which it was counted.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// The open stages, in process order.
    pub fn stages(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().map(|exits| exits.stage.as_str())
    }

    /// How many visits to `from` ended with a move straight to `to`.
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage) where either is no open stage of the process.
    pub fn n_exits(&self, from: &str, to: Next<'_>) -> Result<usize> {
        let place = self.place(to)?;
        Ok(self.exits(from)?.to.get(place).copied().unwrap_or(0))
    }

    /// How many visits to a stage ended with a move that was seen: the denominator of its rates.
    ///
    /// # Errors
    /// As [`n_exits`](Self::n_exits).
    pub fn n_ended(&self, from: &str) -> Result<usize> {
        Ok(self.exits(from)?.ended())
    }

    /// How many visits to a stage are still open: censored, in no rate.
    ///
    /// # Errors
    /// As [`n_exits`](Self::n_exits).
    pub fn n_still_open(&self, from: &str) -> Result<usize> {
        Ok(self.exits(from)?.still_open)
    }

    /// How many visits to a stage ended unseen: the deal was removed, or next found elsewhere. Censored, in no rate.
    ///
    /// # Errors
    /// As [`n_exits`](Self::n_exits).
    pub fn n_out_of_sight(&self, from: &str) -> Result<usize> {
        Ok(self.exits(from)?.out_of_sight)
    }

    /// The share of the ended visits to `from` that went straight to `to`; `None` where none has ended.
    ///
    /// # Errors
    /// As [`n_exits`](Self::n_exits).
    pub fn conversion_rate(&self, from: &str, to: Next<'_>) -> Result<Option<Probability>> {
        let place = self.place(to)?;
        Ok(self.exits(from)?.rate(place))
    }

    fn exits(&self, stage: &str) -> Result<&Exits> {
        self.stages.iter().find(|exits| exits.stage == stage).ok_or_else(|| unknown(stage))
    }

    fn place(&self, to: Next<'_>) -> Result<usize> {
        match to {
            Next::Stage(name) => self.stages().position(|stage| stage == name).ok_or_else(|| unknown(name)),
            Next::Won => Ok(self.stages.len()),
            Next::Lost => Ok(self.stages.len() + 1),
        }
    }
}

fn unknown(stage: &str) -> Error {
    Error::new(ErrorKind::UnknownStage, "an open stage of the process").field("stage").found(stage)
}

/// Most columns for open stages; a table with more is read by nobody.
const COLUMNS: usize = 6;

/// Characters of a line left for all columns of destinations, and the most that one of them needs.
const ROOM: usize = 66;
const WIDEST: usize = 12;

impl fmt::Display for ConversionMatrix {
    /// A line a stage: visits that ended and that did not, then the share of the ended ones by destination.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_open = self.stages.len();
        let columns: Vec<usize> = (0..n_open.min(COLUMNS)).chain([n_open, n_open + 1]).collect();
        let width = (ROOM / columns.len()).min(WIDEST);
        write!(
            f,
            "next exit of each stage, as of {}\n{:<16}{:>8}{:>8}",
            self.as_of, "from", "ended", "open"
        )?;
        for &place in &columns {
            let name = match self.stages.get(place) {
                Some(exits) => shortened(&exits.stage, width - 2),
                None if place == n_open => "won".to_owned(),
                None => "lost".to_owned(),
            };
            write!(f, "{name:>width$}")?;
        }
        for exits in &self.stages {
            let open = exits.still_open + exits.out_of_sight;
            write!(f, "\n{:<16}{:>8}{open:>8}", shortened(&exits.stage, 14), exits.ended())?;
            for &place in &columns {
                let rate = exits.rate(place).filter(|rate| rate.get() > 0.0);
                write!(f, "{:>width$}", rate.map_or("-".to_owned(), |rate| rate.to_string()))?;
            }
        }
        if n_open > COLUMNS {
            write!(f, "\nmoves to the {} stages after the {COLUMNS}th are not shown", n_open - COLUMNS)?;
        }
        Ok(())
    }
}
