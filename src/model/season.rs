//! Months of the year: more is created in November than in July, and a year's deals may all close in December.
//!
//! # Formula
//! By week, what happened over what was expected. Its trend is the mean of the 53 weeks around, the first and last with
//! half weight: every month counts the same in it (ratio to moving average, Macaulay 1931; Cleveland et al. 1990). By
//! month, the sum of what happened over that of expected x trend, [shrunk](super::shrink), scaled so that the total
//! stays. Three years of history are needed, which leave two with a trend.
//!
//! Months are used only where they have paid for themselves: each year is forecast with the factors of the others, and
//! `sum (sqrt(O + 3/8) - sqrt(f E + 3/8))^2` over years and months must be less than with all factors 1.

use super::calendar::kind;
use super::memory::Series;
use super::shrink;
use crate::num::bits;
use crate::time::civil_date;
use chrono::Datelike;
use serde::{Deserialize, Serialize};

/// Weeks on either side of one that belong to its trend.
const HALF_YEAR: usize = 26;
const LEAST_WEEKS: usize = 3 * 52;

/// A factor for every month, January first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Months(#[serde(with = "bits::array")] [f64; 12]);

/// A week: a day in its middle, what happened, and what was expected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Week {
    pub middle: i32,
    pub observed: f64,
    pub expected: f64,
}

/// The sums of one year by month.
type Year = [(f64, f64); 12];

impl Months {
    /// No month is different.
    pub(crate) const NONE: Self = Self([1.0; 12]);

    /// From all weeks of the past, oldest first.
    pub(crate) fn learn(weeks: &[Week]) -> Self {
        if weeks.len() < LEAST_WEEKS {
            return Self::NONE;
        }
        let years = years(weeks);
        let months = Self::of(years.iter());
        let (mut plain, mut seasonal) = (0.0, 0.0);
        for (this, year) in years.iter().enumerate() {
            let others =
                Self::of(years.iter().enumerate().filter(|&(other, _)| other != this).map(|(_, y)| y));
            for (&(observed, expected), factor) in year.iter().zip(others.0) {
                let miss = |expected: f64| (observed + 0.375).sqrt() - (expected + 0.375).sqrt();
                plain += miss(expected) * miss(expected);
                seasonal += miss(factor * expected) * miss(factor * expected);
            }
        }
        if seasonal < plain { months } else { Self::NONE }
    }

    fn of<'y>(years: impl Iterator<Item = &'y Year>) -> Self {
        let mut months = [(0.0, 0.0); 12];
        for year in years {
            for (sum, of_year) in months.iter_mut().zip(year) {
                *sum = (sum.0 + of_year.0, sum.1 + of_year.1);
            }
        }
        let factors = shrink::factors(&months);
        let total: f64 = months.iter().map(|month| month.1).sum();
        let modelled: f64 = months.iter().zip(&factors).map(|(month, factor)| month.1 * factor).sum();
        let scale = if modelled > 0.0 { total / modelled } else { 1.0 };
        Self(std::array::from_fn(|month| scale * factors.get(month).copied().unwrap_or(1.0)))
    }

    /// The factor of a day.
    pub(crate) fn on(&self, day: i32) -> f64 {
        self.0.get(month(day)).copied().unwrap_or(1.0)
    }

    /// All factors.
    pub(crate) fn all(&self) -> impl Iterator<Item = f64> {
        self.0.into_iter()
    }
}

/// The month of a day, January 0.
pub(crate) fn month(day: i32) -> usize {
    usize::try_from(civil_date(day).month0()).unwrap_or(0)
}

/// Observed, and expected under the trend, by year and month: years of 52 weeks back from the last one with a trend.
fn years(weeks: &[Week]) -> Vec<Year> {
    let trended: Vec<Week> = weeks
        .windows(2 * HALF_YEAR + 1)
        .filter_map(|around| {
            let week = around.get(HALF_YEAR)?;
            Some(Week { expected: trend(around)? * week.expected, ..*week })
        })
        .collect();
    let sum = |weeks: &[Week]| {
        let mut year = [(0.0, 0.0); 12];
        for week in weeks {
            year.get_mut(month(week.middle)).into_iter().for_each(|sum: &mut (f64, f64)| {
                *sum = (sum.0 + week.observed, sum.1 + week.expected);
            });
        }
        year
    };
    trended.rchunks(2 * HALF_YEAR).map(sum).collect()
}

/// Observed over expected of a year around a week; `None` where nothing was expected.
fn trend(around: &[Week]) -> Option<f64> {
    let ends = around.first()?.observed + around.last()?.observed;
    let expected_ends = around.first()?.expected + around.last()?.expected;
    let observed = around.iter().map(|week| week.observed).sum::<f64>() - ends / 2.0;
    let expected = around.iter().map(|week| week.expected).sum::<f64>() - expected_ends / 2.0;
    (expected > 0.0).then(|| observed / expected)
}

/// Months of moves, won and lost; expected numbers are multiplied by them, as odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seasons {
    pub moves: Months,
    pub won: Months,
    pub lost: Months,
}

impl Seasons {
    /// No month is different.
    pub(crate) const NONE: Self = Self { moves: Months::NONE, won: Months::NONE, lost: Months::NONE };

    /// From the weeks of every transition, by stage and destination, which all have the same days in their middle.
    pub(crate) fn learn(middles: &[i32], series: &[Series], n_open: usize) -> Self {
        let kinds = [0, 1, 2].map(|kind| {
            let mut weeks: Vec<Week> =
                middles.iter().map(|&middle| Week { middle, ..Week::default() }).collect();
            for (_, series) in
                (0..).zip(series).filter(|&(at, _)| self::kind(at % (n_open + 2), n_open) == kind)
            {
                for (week, (observed, expected)) in weeks.iter_mut().zip(series) {
                    week.observed += observed;
                    week.expected += expected;
                }
            }
            Months::learn(&weeks)
        });
        let [moves, won, lost] = kinds;
        Self { moves, won, lost }
    }

    /// The factors of the destinations on a day.
    pub(crate) fn on(&self, day: i32, n_open: usize) -> impl Iterator<Item = f64> {
        let factors = [&self.moves, &self.won, &self.lost].map(|months| months.on(day));
        (0..n_open + 2).map(move |to| factors.get(kind(to, n_open)).copied().unwrap_or(1.0))
    }

    /// All factors.
    pub(crate) fn all(&self) -> impl Iterator<Item = f64> {
        self.moves.all().chain(self.won.all()).chain(self.lost.all())
    }
}
