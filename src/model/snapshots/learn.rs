//! Daily hazards from what snapshots show, by expectation-maximisation over the chain of (stage, age).
//!
//! # Formula
//! E: of every deal that moved between two snapshots, the expected exits and days at risk by stage, age and destination,
//! given where it was found before and after, under the hazards so far. M: the hazards of the daily model from those sums.
//! The two alternate; each pair of steps can only raise the (penalised) likelihood of what the snapshots show.
//!
//! # What cannot be told apart
//! A deal that went from A to C between two snapshots may have skipped B or passed it; one that is new in B may have been
//! created there or in A; a stage left within days may have been left at any age below the interval. The likelihood
//! hardly decides. So the search starts from the plain course (created in the first stage, stage after stage, lost from any)
//! and leaves it as far as the data say; ages up to one interval share one hazard, which the stays that were seen at such
//! an age pin down; and nobody is created closed.
//!
//! # Reference
//! Dempster, Laird & Rubin (1977); for counts known only between inspections Kalbfleisch & Lawless (1985); one pass at a time
//! over data that keep coming, Neal & Hinton (1998).

use super::ahead::{Ahead, ByDay, Interval, add, at_risk_at, pick};
use crate::history::ages;
use crate::history::visits::Place;
use crate::model::hazard::{Table, Tally, keep_below_one};
use crate::num::count;
use std::collections::BTreeMap;

/// Rounds of a full estimate: in tests the hazards then change by less than 1 % a round.
const ROUNDS: usize = 12;

/// Where a deal was when the interval began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum From {
    /// In a stage, for so many days.
    Stage { stage: Place, age: i32, age_known: bool },
    /// Not there yet; created on this day of the interval, where that is known.
    Nowhere { created: Option<usize> },
}

/// A deal that was found somewhere else than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Passage {
    pub interval: Interval,
    pub from: From,
}

/// What has been learned so far.
pub(super) struct Learned {
    /// What the snapshots show outright.
    seen: Tally,
    hidden: Vec<Passage>,
    /// What is expected of the passages.
    expected: Tally,
    /// Expected number of deals created in each open stage.
    born: Vec<f64>,
    pub hazards: Table,
    /// Expected stays by stage that began and ended between two snapshots.
    pub unseen: Vec<f64>,
    /// How many passages there were when all were estimated together.
    n_together: usize,
    /// Days between the last two snapshots.
    n_days: usize,
}

impl Learned {
    pub(super) fn new(n_open: usize) -> Self {
        let mut born = vec![LEAST; n_open];
        born.first_mut().into_iter().for_each(|first| *first = 1.0);
        Self {
            seen: Tally::new(n_open),
            hidden: Vec::new(),
            expected: Tally::new(n_open),
            born,
            hazards: plain_course(n_open),
            unseen: vec![0.0; n_open],
            n_together: 0,
            n_days: 1,
        }
    }

    /// Days through which a deal stayed in a stage.
    pub(super) fn stayed(&mut self, stage: Place, (age, n_days): (i32, usize)) {
        for age in (age..).take(n_days) {
            for tally in [&mut self.seen, &mut self.expected] {
                at_risk_at(tally, usize::from(stage), ages::bin_of(age), 1.0);
            }
        }
    }

    /// A move whose day is known.
    pub(super) fn moved(&mut self, stage: Place, age: i32, to: Place) {
        let bin = ages::bin_of(age);
        for tally in [&mut self.seen, &mut self.expected] {
            at_risk_at(tally, usize::from(stage), bin, 1.0);
            if let Some(n) = tally.exits.row_mut(usize::from(stage), bin).get_mut(usize::from(to)) {
                *n += 1.0;
            }
        }
    }

    /// The passages between two snapshots; estimates anew. All passages together each time their number has doubled,
    /// so that the work stays in proportion to them.
    pub(super) fn learn(&mut self, passages: &[Passage]) {
        self.n_days = passages.iter().map(|passage| passage.interval.n_days).max().unwrap_or(self.n_days);
        self.hidden.extend_from_slice(passages);
        self.hidden.sort_unstable();
        if self.hidden.len() >= 2 * self.n_together.max(1) {
            self.n_together = self.hidden.len();
            for _ in 0..ROUNDS {
                self.expected = self.seen.clone();
                self.unseen.iter_mut().for_each(|n| *n = 0.0);
                let (hidden, born) = (std::mem::take(&mut self.hidden), self.born_share());
                self.born.iter_mut().for_each(|n| *n = 0.0);
                self.expect(&hidden, &born);
                self.hidden = hidden;
                self.estimate();
            }
        } else {
            let mut passages = passages.to_vec();
            passages.sort_unstable();
            let born = self.born_share();
            self.expect(&passages, &born);
            self.estimate();
        }
    }

    /// One E step over passages in order.
    fn expect(&mut self, passages: &[Passage], born: &[f64]) {
        let hazards = self.hazards.clone();
        for group in passages.chunk_by(|a, b| a.interval == b.interval) {
            let Some(interval) = group.first().map(|passage| passage.interval) else { continue };
            let ahead = Ahead::of(&hazards, interval);
            let mut entering = ByDay::zero(interval.n_days, hazards.n_open() + 2);
            for passage in group {
                let ways = passage.first_moves(&ahead, (&hazards, born));
                passage.count(&ways, (&mut self.expected, &mut self.born), &mut entering);
            }
            let unseen = ahead.expect(entering, &mut self.expected);
            self.unseen.iter_mut().zip(unseen).for_each(|(all, n)| *all += n);
        }
    }

    /// By stage, the share of the stays that have ended which began and ended between the same two snapshots.
    pub(super) fn unseen_shares(&self) -> impl Iterator<Item = f64> {
        self.unseen.iter().enumerate().map(|(stage, &unseen)| {
            let bins = (0..ages::N_BINS).flat_map(|bin| self.expected.exits.row(stage, bin));
            let ended: f64 = bins.sum();
            if ended > 0.0 { unseen / ended } else { 0.0 }
        })
    }

    fn born_share(&self) -> Vec<f64> {
        let total: f64 = self.born.iter().sum();
        self.born.iter().map(|n| if total > 0.0 { (n / total).max(LEAST) } else { 1.0 }).collect()
    }

    /// The M step.
    fn estimate(&mut self) {
        let mut hazards = self.expected.hazards();
        let n_young = (0..ages::N_BINS).take_while(|&bin| start_of(bin) <= self.n_days).count();
        for stage in 0..hazards.n_open() {
            let risk: f64 = self.expected.risk.get(stage).map_or(0.0, |bins| bins.iter().take(n_young).sum());
            let mut exits = vec![0.0; hazards.n_open() + 2];
            (0..n_young).for_each(|bin| add(&mut exits, self.expected.exits.row(stage, bin), 1.0));
            for bin in 0..ages::N_BINS {
                let row = hazards.row_mut(stage, bin);
                if bin < n_young {
                    row.iter_mut().zip(&exits).for_each(|(h, n)| *h = n / (risk + 0.5));
                }
                keep_possible(row, stage);
            }
        }
        self.hazards = hazards;
    }

    /// The days and places of the moves of each passage, drawn by numbers in 0..1 of the same place.
    pub(super) fn draw(&self, passages: &[(Passage, f64)]) -> Vec<Vec<(usize, usize)>> {
        let born = self.born_share();
        let mut ahead: BTreeMap<Interval, Ahead<'_>> = BTreeMap::new();
        let way = |&(passage, u): &(Passage, f64)| {
            let ahead =
                ahead.entry(passage.interval).or_insert_with(|| Ahead::of(&self.hazards, passage.interval));
            let ways = passage.first_moves(ahead, (&self.hazards, &born));
            let total: f64 = ways.iter().flat_map(|(_, chances)| chances).sum();
            // Rounding may leave the last way out.
            let picked = pick(&ways, u * total).or_else(|| pick(&ways, 0.0));
            let Some((day, place, rest)) = picked else { return Vec::new() };
            let mut moves = vec![(day, place)];
            moves.extend(ahead.way((day, place), rest));
            moves
        };
        passages.iter().map(way).collect()
    }
}

/// What no estimate falls below, as a share of what is likely: a move never seen stays possible.
const LEAST: f64 = 1e-3;

/// Where the search starts: on from stage to stage within a month or so, or lost.
fn plain_course(n_open: usize) -> Table {
    let mut hazards = Table::filled(n_open, 0.0);
    for stage in 0..n_open {
        for bin in 0..ages::N_BINS {
            let row = hazards.row_mut(stage, bin);
            for (to, h) in row.iter_mut().enumerate() {
                *h = if to == stage + 1 || to == n_open + 1 { 0.02 } else { 0.0 };
            }
            keep_possible(row, stage);
        }
    }
    hazards
}

fn keep_possible(row: &mut [f64], stage: usize) {
    let least = LEAST * row.iter().sum::<f64>().max(LEAST) / count(row.len());
    for (to, h) in row.iter_mut().enumerate() {
        *h = if to == stage { 0.0 } else { h.max(least) };
    }
    keep_below_one(row);
}

fn start_of(bin: usize) -> usize {
    ages::STARTS.get(bin).and_then(|&start| usize::try_from(start).ok()).unwrap_or(usize::MAX)
}

impl Passage {
    /// The first move, by day and place, each with its chance and that of being found at the end. Where the chain knows no
    /// way, straight to the end on any day.
    fn first_moves(&self, ahead: &Ahead<'_>, (hazards, born): (&Table, &[f64])) -> Vec<(usize, Vec<f64>)> {
        let n_days = self.interval.n_days;
        let times = |by: &[f64], day, scale: f64| -> Vec<f64> {
            by.iter().zip(ahead.chances(day)).map(|(h, a)| scale * h * a).collect()
        };
        let mut stay = 1.0;
        let ways: Vec<(usize, Vec<f64>)> = match self.from {
            From::Stage { stage, age, .. } => (0..n_days)
                .zip(age..)
                .map(|(day, age)| {
                    let hazards = hazards.row(usize::from(stage), ages::bin_of(age));
                    let ways = times(hazards, day, stay);
                    stay *= Table::stay(hazards);
                    (day, ways)
                })
                .collect(),
            From::Nowhere { created: Some(day) } => vec![(day, times(born, day, 1.0))],
            From::Nowhere { created: None } => (0..n_days).map(|day| (day, times(born, day, 1.0))).collect(),
        };
        if ways.iter().any(|(_, chances)| chances.iter().sum::<f64>() > 1e-280) {
            return ways;
        }
        let mut straight = vec![0.0; hazards.n_open() + 2];
        straight.get_mut(usize::from(self.interval.end)).into_iter().for_each(|chance| *chance = 1.0);
        match self.from {
            From::Nowhere { created: Some(day) } => vec![(day, straight)],
            _ => (0..n_days).map(|day| (day, straight.clone())).collect(),
        }
    }

    /// Counts the first move by its posterior chances, and hands on who entered where.
    fn count(
        &self,
        ways: &[(usize, Vec<f64>)],
        (tally, born): (&mut Tally, &mut [f64]),
        entering: &mut ByDay,
    ) {
        let total: f64 = ways.iter().flat_map(|(_, chances)| chances).sum();
        let mut at_risk = 0.0;
        for (day, chances) in ways.iter().rev() {
            add(entering.day_mut(*day), chances, 1.0 / total);
            match self.from {
                From::Stage { stage, age, age_known: true } => {
                    let (stage, bin) = (usize::from(stage), ages::bin_of(age.saturating_add(whole(*day))));
                    at_risk += chances.iter().sum::<f64>() / total;
                    add(tally.exits.row_mut(stage, bin), chances, 1.0 / total);
                    at_risk_at(tally, stage, bin, at_risk);
                }
                From::Stage { .. } => {}
                From::Nowhere { .. } => add(born, chances, 1.0 / total),
            }
        }
    }
}

fn whole(day: usize) -> i32 {
    i32::try_from(day).unwrap_or(i32::MAX)
}
