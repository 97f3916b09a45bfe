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

    /// From the visits before a day; `group` is that of a visit, `hazards` are those of every group.
    pub(crate) fn learn(
        visits: impl Iterator<Item = Visit>,
        day: i32,
        (group, hazards): (impl Fn(&Visit) -> usize, &[ByKind]),
    ) -> Self {
        let n_open = hazards.first().map_or(0, |of| of.0.len());
        let mut observed = [[0_u32; 7]; 3];
        // Deal-days by group, stage and bin, as integers: their sum does not depend on the order of the deals.
        let mut at_risk = vec![vec![[[0_u32; 7]; N_BINS]; n_open]; hazards.len()];
        for visit in visits.filter(|v| v.left >= day - DAYS_BACK && v.entry_known) {
            let of_group = at_risk.get_mut(group(&visit));
            let Some(bins) = of_group.and_then(|stages| stages.get_mut(usize::from(visit.stage))) else {
                continue;
            };
            let end = match visit.left {
                STILL_OPEN => day,
                left if visit.to == CENSORED => left,
                left => left + 1,
            };
            for at in visit.entered.max(day - DAYS_BACK)..end {
                let days = bins.get_mut(bin_of(at - visit.entered));
                days.and_then(|days| days.get_mut(weekday(at))).into_iter().for_each(|n| *n += 1);
            }
            if visit.to != CENSORED && visit.left != STILL_OPEN {
                let set = observed.get_mut(kind(usize::from(visit.to), n_open));
                set.and_then(|set| set.get_mut(weekday(visit.left))).into_iter().for_each(|n| *n += 1);
            }
        }
        let mut days = observed.map(|set| set.map(|n| (f64::from(n), 0.0)));
        for (of_group, expected) in at_risk.iter().zip(hazards) {
            let cells = of_group.iter().flatten().zip(expected.0.iter().flatten());
            for (n, chances) in cells.filter(|(n, _)| n.iter().any(|&n| n > 0)) {
                for (set, chance) in days.iter_mut().zip(chances) {
                    set.iter_mut().zip(n).for_each(|(day, &n)| day.1 += chance * f64::from(n));
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
