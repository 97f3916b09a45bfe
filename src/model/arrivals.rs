//! How many deals will be created, and what they look like.
//!
//! # Formula
//! Deals created by week, the level by averaged [`Memory`], spread over the days by weekday factors of the last 52 weeks
//! and by [months](super::season).
//! The relative variance of the coming count is learned from the past errors of the same method, with a prior of
//! `0.15^2` that counts as four windows: `v = (4 x .15^2 + sum w ((O - P)^2 - P) / P^2) / (4 + sum w)`; a negative
//! binomial count has size `1 / v`.

use super::memory::{Memory, Series};
use super::season::{Months, Week};
use super::shrink;
use crate::history::Past;
use crate::history::counts::WEEKS;
use crate::num::{bits, count};
use serde::{Deserialize, Serialize};

const PRIOR_SD: f64 = 0.15;
const PRIOR_WINDOWS: f64 = 4.0;
/// Overlapping windows a quarter apart: four are worth one.
const WINDOW_WORTH: f64 = 0.25;
const YEAR: i32 = 364;

/// The coming arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrivals {
    /// Deals created a day, before the weekday is known.
    #[serde(with = "bits::one")]
    pub daily: f64,
    /// Monday (day number 4 modulo 7) is not special: by day number modulo 7.
    #[serde(with = "bits::array")]
    pub weekday: [f64; 7],
    pub months: Months,
    /// Relative variance of the count over the horizon, beyond that of a Poisson count.
    #[serde(with = "bits::one")]
    pub variance: f64,
}

impl Arrivals {
    pub(crate) fn learn(past: Past<'_>, horizon: i32, seasons: bool) -> Self {
        // As far back as anything is counted.
        let begin = past.day - 7 * WEEKS;
        let created: Vec<i32> = past.arrivals().map(|v| v.entered).filter(|&day| day >= begin).collect();
        let Some(&first) = created.iter().min() else {
            let variance = PRIOR_SD * PRIOR_SD;
            return Self { daily: 0.0, weekday: [1.0; 7], months: Months::NONE, variance };
        };
        let weeks = weekly(&created, first, past.day);
        let total: f64 = weeks.iter().sum();
        // Fewer than one whole week: the mean a day is all there is.
        let mean = if weeks.is_empty() {
            count(created.len()) / f64::from(past.day - first)
        } else {
            total / (7.0 * count(weeks.len()))
        };
        let mut weeks: Vec<Week> = (1..)
            .zip(weeks.into_iter().rev())
            .map(|(back, n)| Week { middle: past.day - 7 * back + 3, observed: n, expected: 7.0 * mean })
            .collect();
        weeks.reverse();
        let months = if seasons { Months::learn(&weeks) } else { Months::NONE };
        let series: Series =
            weeks.iter().map(|week| (week.observed, week.expected * months.on(week.middle))).collect();
        let horizon_weeks = usize::try_from((horizon + 3) / 7).unwrap_or(1);
        let memory = Memory::learn(std::slice::from_ref(&series), horizon_weeks);
        let daily = mean * memory.level(&series);
        Self {
            daily,
            weekday: weekdays(&created, first, past.day),
            months,
            variance: relative_variance(&memory, &series),
        }
    }

    /// Expected arrivals on a day.
    pub(crate) fn on(&self, day: i32) -> f64 {
        let weekday = usize::try_from(day.rem_euclid(7)).unwrap_or(0);
        self.daily * self.weekday.get(weekday).copied().unwrap_or(1.0) * self.months.on(day)
    }
}

/// Arrivals by whole week up to `day`, oldest first.
fn weekly(created: &[i32], first: i32, day: i32) -> Vec<f64> {
    let n_weeks = usize::try_from((day - first) / 7).unwrap_or(0);
    let mut weeks = vec![0.0; n_weeks];
    for created in created {
        let back = usize::try_from((day - 1 - created) / 7).unwrap_or(usize::MAX);
        if let Some(week) = n_weeks.checked_sub(back + 1).and_then(|week| weeks.get_mut(week)) {
            *week += 1.0;
        }
    }
    weeks
}

fn weekdays(created: &[i32], first: i32, day: i32) -> [f64; 7] {
    let n_weeks = ((day - first) / 7).min(YEAR / 7);
    let from = day - 7 * n_weeks;
    let mut days = [0.0; 7];
    for created in created.iter().filter(|&&created| created >= from) {
        if let Some(n) = usize::try_from(created.rem_euclid(7)).ok().and_then(|i| days.get_mut(i)) {
            *n += 1.0;
        }
    }
    normal_weekdays(&days.map(|n| (n, days.iter().sum::<f64>() / 7.0)))
}

/// Shrunken weekday factors, scaled so that the expected total stays.
pub(crate) fn normal_weekdays(days: &[(f64, f64); 7]) -> [f64; 7] {
    let factors = shrink::factors(days);
    let expected: f64 = days.iter().map(|d| d.1).sum();
    let modelled: f64 = days.iter().zip(&factors).map(|(d, f)| d.1 * f).sum();
    let scale = if modelled > 0.0 { expected / modelled } else { 1.0 };
    std::array::from_fn(|i| scale * factors.get(i).copied().unwrap_or(1.0))
}

fn relative_variance(memory: &Memory, series: &Series) -> f64 {
    let (mut sum, mut windows) = (PRIOR_WINDOWS * PRIOR_SD * PRIOR_SD, PRIOR_WINDOWS);
    for error in memory.past_errors(series) {
        let predicted = error.predicted.max(1.0);
        let miss = error.observed - error.predicted;
        sum += WINDOW_WORTH * ((miss * miss - predicted) / (predicted * predicted)).clamp(-0.5, 1.0);
        windows += WINDOW_WORTH;
    }
    (sum / windows).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_weeks_only() {
        // Day 20 is the origin; 6..13 and 13..20 are whole weeks, day 5 belongs to none.
        assert_eq!(weekly(&[5, 6, 12, 13, 19], 5, 20), [2.0, 2.0]);
        assert_eq!(weekly(&[5], 5, 6), Vec::<f64>::new());
    }

    #[test]
    fn weekday_factors_keep_the_total() {
        let busy =
            [(0.0, 50.0), (0.0, 50.0), (70.0, 50.0), (70.0, 50.0), (70.0, 50.0), (70.0, 50.0), (70.0, 50.0)];
        let factors = normal_weekdays(&busy);
        assert!((factors.iter().sum::<f64>() - 7.0).abs() < 1e-12);
        assert!(factors[0] < 0.1 && factors[2] > 1.3);
    }
}
