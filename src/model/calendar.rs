//! Weekdays: deals are won on working days.
//!
//! # Formula
//! One set of seven odds factors each for won, lost and moves: observed exits of the last 52 weeks over the expected
//! ones, [shrunk](super::shrink), scaled so that the expected total stays. By day number modulo 7.

use super::arrivals::normal_weekdays;
use super::exposure::{Exposure, weekday};
use super::hazard::Table;
use crate::num::bits;
use serde::{Deserialize, Serialize};

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
pub(super) const fn kind(to: usize, n_open: usize) -> usize {
    if to < n_open { 0 } else { to - n_open + 1 }
}

impl Weekdays {
    /// No day is different.
    pub(crate) const NONE: Self = Self { moves: [1.0; 7], won: [1.0; 7], lost: [1.0; 7] };

    /// From a year of exposure; `hazards` are those of every group, without weekdays.
    pub(crate) fn learn(exposure: &Exposure, hazards: &[Table]) -> Self {
        let n_open = hazards.first().map_or(0, Table::n_open);
        let mut days = [[(0.0, 0.0); 7]; 3];
        for (to, week) in exposure.exits.iter().enumerate() {
            let set = days.get_mut(kind(to, n_open)).into_iter().flatten();
            set.zip(week).for_each(|(day, &n)| day.0 += f64::from(n));
        }
        for (group, stage, bin, week) in exposure.cells() {
            let mut chances = [0.0; 3];
            let row = hazards.get(group).map_or(&[][..], |table| table.row(stage, bin));
            for (to, h) in row.iter().enumerate() {
                chances.get_mut(kind(to, n_open)).into_iter().for_each(|sum| *sum += h);
            }
            for (set, chance) in days.iter_mut().zip(chances) {
                set.iter_mut().zip(week).for_each(|(day, &n)| day.1 += chance * f64::from(n));
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
