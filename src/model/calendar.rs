//! Weekdays: deals are won on working days.
//!
//! # Formula
//! One set of seven odds factors each for won, lost and moves: observed exits of the last 52 weeks over the expected
//! ones, [shrunk](super::shrink), scaled so that the expected total stays. By day number modulo 7.

use super::arrivals::normal_weekdays;
use super::hazard::Table;
use crate::history::ages::{N_BINS, bin_of};
use crate::history::visits::{CENSORED, STILL_OPEN, Visit};
use crate::num::bits;
use serde::{Deserialize, Serialize};

const DAYS_BACK: i32 = 364;

/// Odds factors by weekday for moves, won, lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weekdays {
    #[serde(with = "bits::array")]
    moves: [f64; 7],
    #[serde(with = "bits::array")]
    won: [f64; 7],
    #[serde(with = "bits::array")]
    lost: [f64; 7],
}

/// Which set of factors a destination has.
const fn kind(to: usize, n_open: usize) -> usize {
    if to < n_open { 0 } else { to - n_open + 1 }
}

impl Weekdays {
    /// No day is different.
    pub(crate) const NONE: Self = Self { moves: [1.0; 7], won: [1.0; 7], lost: [1.0; 7] };

    /// From the visits before a day; `hazards` are those of each visit's group.
    pub(crate) fn learn<'h>(
        visits: impl Iterator<Item = Visit>,
        day: i32,
        hazards: impl Fn(&Visit) -> &'h ByKind,
    ) -> Self {
        let mut days = [[(0.0, 0.0); 7]; 3];
        for visit in visits.filter(|v| v.left >= day - DAYS_BACK && v.entry_known) {
            let expected = hazards(&visit);
            let Some(bins) = expected.0.get(usize::from(visit.stage)) else { continue };
            let end = if visit.left == STILL_OPEN { day } else { visit.left + 1 };
            for at in visit.entered.max(day - DAYS_BACK)..end {
                let chances = bins.get(bin_of(at - visit.entered)).copied().unwrap_or_default();
                for (set, chance) in days.iter_mut().zip(chances) {
                    if let Some(slot) = set.get_mut(weekday(at)) {
                        slot.1 += chance;
                    }
                }
            }
            if visit.to != CENSORED && visit.left != STILL_OPEN {
                let set = days.get_mut(kind(usize::from(visit.to), expected.0.len()));
                if let Some(slot) = set.and_then(|set| set.get_mut(weekday(visit.left))) {
                    slot.0 += 1.0;
                }
            }
        }
        let [moves, won, lost] = days.map(|set| {
            let (observed, expected) = set.iter().fold((0.0, 0.0), |sum, d| (sum.0 + d.0, sum.1 + d.1));
            // Only the share of each weekday counts here: the level has its own estimate.
            let level = if expected > 0.0 { observed / expected } else { 1.0 };
            normal_weekdays(&set.map(|(o, e)| (o, level * e)))
        });
        Self { moves, won, lost }
    }

    /// All factors.
    pub(crate) fn all(&self) -> impl Iterator<Item = f64> {
        [self.moves, self.won, self.lost].into_iter().flatten()
    }

    /// The factors of the destinations on a day.
    pub(crate) fn on(&self, day: i32, n_open: usize) -> impl Iterator<Item = f64> {
        let at = move |set: &[f64; 7]| set.get(weekday(day)).copied().unwrap_or(1.0);
        let factors = [at(&self.moves), at(&self.won), at(&self.lost)];
        (0..n_open + 2).map(move |to| factors.get(kind(to, n_open)).copied().unwrap_or(1.0))
    }
}

fn weekday(day: i32) -> usize {
    usize::try_from(day.rem_euclid(7)).unwrap_or(0)
}

/// Hazards of moves, won and lost by stage and bin.
#[derive(Clone, Debug)]
pub(crate) struct ByKind(Vec<[[f64; 3]; N_BINS]>);

impl ByKind {
    pub(crate) fn of(hazards: &Table) -> Self {
        let n_open = hazards.n_open();
        let mut sums = vec![[[0.0; 3]; N_BINS]; n_open];
        for (stage, bin, row) in hazards.rows() {
            let Some(sum) = sums.get_mut(stage).and_then(|bins| bins.get_mut(bin)) else { continue };
            for (to, h) in row.iter().enumerate() {
                if let Some(total) = sum.get_mut(kind(to, n_open)) {
                    *total += h;
                }
            }
        }
        Self(sums)
    }
}
