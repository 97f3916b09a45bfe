//! Deal-days at risk of the last year by group, stage, age bin and weekday, and the exits that came of them.
//!
//! # Numerics
//! A visit adds one deal-day at each of its ages, on weekdays that follow each other. So one step up at its first age
//! and one step down after its last, kept by weekday of entry, say it all: a running sum over the ages gives the
//! deal-days, whatever the number of visits and however long they are. All of it is integers, whose sums do not depend
//! on the order of the deals.

use crate::history::ages::{N_BINS, STARTS, bin_of};
use crate::history::visits::{CENSORED, STILL_OPEN, Visit};

/// How far the exposure reaches back.
pub(crate) const DAYS_BACK: i32 = 364;
/// Ages from here on are all in the last bin: a whole number of weeks, so that an age can be moved back to it without
/// changing its weekday.
const OLD: i32 = (STARTS[N_BINS - 1] / 7 + 1) * 7;

/// Deal-days by weekday, day number modulo 7.
pub(crate) type Week = [u32; 7];

/// Deal-days at risk and exits.
#[derive(Clone, Debug)]
pub(crate) struct Exposure {
    /// By group, then stage, then bin.
    at_risk: Vec<Vec<[Week; N_BINS]>>,
    /// By destination and weekday.
    pub exits: Vec<Week>,
}

/// Steps of the number at risk by age, for each weekday of entry.
type Steps = Vec<[i32; 7]>;

impl Exposure {
    /// From the visits before a day; `group` is that of a visit.
    pub(crate) fn before(
        day: i32,
        visits: impl Iterator<Item = Visit>,
        (n_open, n_groups): (usize, usize),
        group: impl Fn(&Visit) -> usize,
    ) -> Self {
        let mut steps: Vec<Vec<Steps>> = vec![vec![Steps::new(); n_open]; n_groups];
        let mut exits = vec![[0; 7]; n_open + 2];
        let from = day - DAYS_BACK;
        for visit in visits.filter(|v| v.left >= from && v.entry_known) {
            let stage = usize::from(visit.stage);
            let Some(steps) = steps.get_mut(group(&visit)).and_then(|stages| stages.get_mut(stage)) else {
                continue;
            };
            let left = visit.to != CENSORED && visit.left != STILL_OPEN;
            let end = if visit.left == STILL_OPEN { day } else { visit.left + i32::from(left) };
            step(steps, &visit, (visit.entered.max(from), end));
            if left && let Some(week) = exits.get_mut(usize::from(visit.to)) {
                week.get_mut(weekday(visit.left)).into_iter().for_each(|n| *n += 1);
            }
        }
        let at_risk = steps.into_iter().map(|stages| stages.iter().map(deal_days).collect()).collect();
        Self { at_risk, exits }
    }

    /// Every cell in which somebody was at risk, as (group, stage, bin, deal-days by weekday).
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, usize, usize, &Week)> {
        self.at_risk.iter().enumerate().flat_map(|(group, stages)| {
            stages.iter().enumerate().flat_map(move |(stage, bins)| {
                let somebody = |(_, week): &(usize, &Week)| week.iter().any(|&n| n > 0);
                bins.iter().enumerate().filter(somebody).map(move |(bin, week)| (group, stage, bin, week))
            })
        })
    }
}

/// One up at the age on the first day, one down at that on the day after the last.
fn step(steps: &mut Steps, visit: &Visit, (from, end): (i32, i32)) {
    let (first, last) = (from - visit.entered, end - visit.entered);
    let back = (first - OLD).max(0) / 7 * 7;
    for (age, change) in [(first - back, 1), (last - back, -1)] {
        let age = usize::try_from(age).unwrap_or(0);
        if steps.len() <= age {
            steps.resize(age + 1, [0; 7]);
        }
        let at = steps.get_mut(age).and_then(|week| week.get_mut(weekday(visit.entered)));
        at.into_iter().for_each(|n| *n += change);
    }
}

fn deal_days(steps: &Steps) -> [Week; N_BINS] {
    let mut bins = [[0; 7]; N_BINS];
    let mut present = [0_i32; 7];
    for (age, changes) in (0..).zip(steps) {
        present.iter_mut().zip(changes).for_each(|(n, change)| *n += change);
        let Some(week) = bins.get_mut(bin_of(age)) else { continue };
        for (entered, &n) in (0..).zip(&present) {
            let on = week.get_mut(weekday(entered + age));
            on.into_iter().for_each(|total| *total += n.unsigned_abs());
        }
    }
    bins
}

/// The place of a day in a week.
pub(crate) fn weekday(day: i32) -> usize {
    usize::try_from(day.rem_euclid(7)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn visits() -> impl Strategy<Value = Vec<Visit>> {
        let one = (-12_000..400_i32, 0..12_500_i32, 0..3_u8, 0..4_u8, any::<bool>());
        let visit = one.prop_map(|(entered, stayed, stage, to, open)| Visit {
            deal: 0,
            entered,
            left: if open { STILL_OPEN } else { (entered + stayed).min(399) },
            stage,
            to: if open || to == 3 { CENSORED } else { to + 1 },
            entry_known: true,
            arrival: false,
        });
        proptest::collection::vec(visit.prop_filter("a stay", |v| v.left >= v.entered), 0..20)
    }

    proptest! {
        /// Beside a count day by day.
        #[test]
        fn as_counted_day_by_day(visits in visits()) {
            let day = 400;
            let known = |v: &&Visit| v.entered < day && v.left >= day - DAYS_BACK;
            let exposure = Exposure::before(day, visits.iter().filter(known).copied(), (3, 2), |v| usize::from(v.stage == 2));
            let mut plain = vec![vec![[[0_u32; 7]; N_BINS]; 3]; 2];
            for v in visits.iter().filter(known) {
                let gone = v.to != CENSORED && v.left != STILL_OPEN;
                let end = if v.left == STILL_OPEN { day } else { v.left + i32::from(gone) };
                for at in v.entered.max(day - DAYS_BACK)..end {
                    plain[usize::from(v.stage == 2)][usize::from(v.stage)][bin_of(at - v.entered)][weekday(at)] += 1;
                }
            }
            prop_assert_eq!(exposure.at_risk, plain);
        }
    }
}
