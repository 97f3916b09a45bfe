//! Exits and deal-days at risk by (stage, destination, age bin, week, class): the sufficient statistics of
//! everything that is fitted.
//!
//! Counts are integers, so that adding over disjoint sets of deals (threads, files, machines) is exact and its order
//! does not matter. Recency weights are applied week by week when a model is fitted; nothing after the first pass
//! depends on the number of events.

use super::ages;
use super::visits::{CENSORED, Visit};

/// Where a count belongs within its week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub class: u32,
    pub stage: u8,
    pub bin: u8,
    /// Destination of an exit, or [`RISK`] for deal-days at risk.
    pub to: u8,
}

/// The pseudo-destination under which deal-days at risk are counted.
pub(crate) const RISK: u8 = CENSORED;

/// Facts older than this many weeks before the boundary are not counted: 40 years, ten times the longest memory of
/// a model whose period is a quarter. It bounds the size of the counts whatever dates a log holds.
pub(crate) const WEEKS: i32 = 2087;

/// Exits and deal-days at risk by week and [`Cell`], in order of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StageCounts {
    /// First day of the first week; every later week begins seven days on.
    start: i32,
    /// Where each week begins in `cells`; one more than there are weeks.
    offsets: Vec<usize>,
    cells: Vec<(Cell, u32)>,
}

/// A visit that counts: the deal's class, and the first day on which it is not at risk any more.
struct Stay {
    class: u32,
    visit: Visit,
    end: i32,
}

impl StageCounts {
    /// Counts the visits as far as they lie before `day`, which is the boundary between two weeks.
    /// `class_of` says the class of a deal by its position.
    pub(crate) fn before(day: i32, visits: &[Visit], class_of: &[u32], n_open: u8) -> Self {
        let class = |v: &Visit| usize::try_from(v.deal).ok().and_then(|i| class_of.get(i)).map_or(0, |&c| c);
        let mut stays: Vec<Stay> = visits
            .iter()
            .filter(|v| v.stage < n_open && v.entry_known && v.entered < day)
            .map(|v| Stay { class: class(v), visit: *v, end: risk_end(v, day) })
            .collect();
        stays.sort_unstable_by_key(|s| (s.class, s.visit.stage, s.visit.entered, s.visit.deal, s.end));
        let mut table = Table::new(day - 7 * WEEKS);
        let mut found = Vec::new();
        for group in stays.chunk_by(|a, b| (a.class, a.visit.stage) == (b.class, b.visit.stage)) {
            for cohort in group.chunk_by(|a, b| a.visit.entered == b.visit.entered) {
                table.count(cohort, day);
            }
            table.flush(group.first(), &mut found);
        }
        Self::by_week(day - 7 * WEEKS, found)
    }

    /// Sorts by week, keeping the order within each. The weeks reach to the boundary, also where the last ones are empty.
    fn by_week(start: i32, found: Vec<(usize, Cell, u32)>) -> Self {
        let n_weeks = usize::try_from(WEEKS).unwrap_or(0);
        let first = found.iter().map(|f| f.0).min().unwrap_or(n_weeks);
        let mut sorted = found;
        sorted.sort_by_key(|&(week, ..)| week);
        let offsets = (first..=n_weeks).map(|week| sorted.partition_point(|f| f.0 < week)).collect();
        let weeks_skipped = i32::try_from(first).unwrap_or(0);
        Self {
            start: start + 7 * weeks_skipped,
            offsets,
            cells: sorted.into_iter().map(|(_, c, n)| (c, n)).collect(),
        }
    }

    /// The counts of every week that ends before `day`, oldest first, each with the first day of its week.
    pub(crate) fn weeks_before(&self, day: i32) -> impl Iterator<Item = (i32, &[(Cell, u32)])> {
        let starts = (0_i32..).map(move |week| self.start + 7 * week);
        let weeks = self.offsets.iter().zip(self.offsets.iter().skip(1));
        starts
            .zip(weeks.map(|(&from, &to)| self.cells.get(from..to).unwrap_or_default()))
            .take_while(move |&(start, _)| start + 7 <= day)
    }
}

fn risk_end(visit: &Visit, day: i32) -> i32 {
    match visit.left {
        left if left >= day => day,
        left if visit.to == CENSORED => left,
        left => left + 1,
    }
}

/// The counts of one stage and class while they are being made.
struct Table {
    /// First day of the first week.
    start: i32,
    /// Deal-days at risk by (week, bin).
    risk: Vec<u32>,
    /// The places in `risk` that are not 0.
    touched: Vec<usize>,
    /// Exits as (week, bin, destination).
    exits: Vec<(usize, u8, u8)>,
    stretches: Vec<Stretch>,
    ending: Vec<(u32, u32)>,
}

/// A stretch of days that lie in one week and, for deals that entered together, in one age bin.
#[derive(Clone, Copy)]
struct Stretch {
    place: usize,
    from: i32,
    to: i32,
}

impl Table {
    fn new(start: i32) -> Self {
        let risk = vec![0; usize::try_from(WEEKS).unwrap_or(0) * ages::N_BINS];
        Self {
            start,
            risk,
            touched: Vec::new(),
            exits: Vec::new(),
            stretches: Vec::new(),
            ending: Vec::new(),
        }
    }

    fn week(&self, day: i32) -> Option<usize> {
        usize::try_from((day - self.start).div_euclid(7)).ok()
    }

    /// Counts visits that began on one day: the stretches they pass through are laid out once, each visit is found in
    /// the one where it ends, and a sum from the back says how many passed through all before it.
    fn count(&mut self, cohort: &[Stay], day: i32) {
        let Some(entered) = cohort.first().map(|s| s.visit.entered) else { return };
        self.lay_out(entered, cohort.iter().map(|s| s.end).max().unwrap_or(entered));
        self.ending.clear();
        self.ending.resize(self.stretches.len() + 1, (0, 0));
        for stay in cohort {
            let i = self.stretches.partition_point(|s| s.to <= stay.end);
            let days = self.stretches.get(i).map_or(0, |s| days_between(s.from, stay.end));
            if let Some(ending) = self.ending.get_mut(i) {
                *ending = (ending.0 + 1, ending.1 + days);
            }
            if stay.visit.to != CENSORED
                && stay.visit.left < day
                && let Some(week) = self.week(stay.visit.left)
            {
                self.exits.push((week, byte(ages::bin_of(stay.visit.left - entered)), stay.visit.to));
            }
        }
        let mut passing = self.ending.last().map_or(0, |e| e.0);
        for (stretch, &(n, days)) in self.stretches.iter().zip(&self.ending).rev() {
            let at_risk = passing * days_between(stretch.from, stretch.to) + days;
            passing += n;
            if let Some(total) = self.risk.get_mut(stretch.place) {
                if *total == 0 && at_risk > 0 {
                    self.touched.push(stretch.place);
                }
                *total += at_risk;
            }
        }
    }

    fn lay_out(&mut self, entered: i32, last: i32) {
        self.stretches.clear();
        let mut from = entered.max(self.start);
        while from < last {
            let Some(week) = self.week(from) else { return };
            let bin = ages::bin_of(from - entered);
            let week_end = from + 7 - (from - self.start).rem_euclid(7);
            let bin_end = ages::end_of(bin).map_or(i32::MAX, |end| entered + end);
            let to = week_end.min(bin_end).min(last);
            self.stretches.push(Stretch { place: week * ages::N_BINS + bin, from, to });
            from = to;
        }
    }

    /// Moves what was counted to `found` and starts afresh.
    fn flush(&mut self, of: Option<&Stay>, found: &mut Vec<(usize, Cell, u32)>) {
        let Some(&Stay { class, visit: Visit { stage, .. }, .. }) = of else { return };
        self.touched.sort_unstable();
        for place in self.touched.drain(..) {
            let n = self.risk.get_mut(place).map_or(0, std::mem::take);
            let bin = byte(place % ages::N_BINS);
            found.push((place / ages::N_BINS, Cell { class, stage, bin, to: RISK }, n));
        }
        self.exits.sort_unstable();
        for same in self.exits.chunk_by(|a, b| a == b) {
            if let Some(&(week, bin, to)) = same.first() {
                found.push((
                    week,
                    Cell { class, stage, bin, to },
                    u32::try_from(same.len()).unwrap_or(u32::MAX),
                ));
            }
        }
        self.exits.clear();
    }
}

fn days_between(from: i32, to: i32) -> u32 {
    u32::try_from(to - from).unwrap_or(0)
}

fn byte(bin: usize) -> u8 {
    u8::try_from(bin).unwrap_or(u8::MAX)
}
