//! The life of one deal.

use super::truth::{Destination, Exit, Market, StageTruth, Truth};
use crate::num::rng::Stream;
use crate::num::{Seed, special};
use crate::time::{DAY, civil_date, civil_day, day_number};
use chrono::{Datelike, NaiveDate};

/// Lanes of the random streams; a deal's block is its number.
pub(super) const LIFE: u64 = 1;
pub(super) const SAID: u64 = 2;
pub(super) const ROWS: u64 = 3;
pub(super) const ARRIVING: u64 = 4;
const SHOCK: u64 = 5;

/// A shared shock lasts this many days.
const SHOCK_DAYS: i32 = 91;
/// A deal that has moved so often is left alone: no cycle of moves fills the memory.
const MOST_MOVES: usize = 1000;

/// A move of a deal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// In seconds since 1970.
    pub(super) at: i64,
    pub(super) to: Destination,
}

/// A deal: what it is worth, which segment it belongs to, and its moves, the first into stage 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Life {
    pub(super) amount: f64,
    pub(super) segment: usize,
    pub(super) steps: Vec<Step>,
}

/// What all deals of a company share.
pub(super) struct Nature<'t> {
    pub(super) truth: &'t Truth,
    pub(super) seed: Seed,
    /// The first day of the history.
    pub(super) start_day: i32,
}

impl Nature<'_> {
    /// The whole life of the deal with this number, created at this second.
    pub(super) fn live(&self, number: u64, created: i64) -> Life {
        let mut stream = Stream::new(self.seed, number, LIFE);
        let amount = self.amount(&mut stream);
        let segment = self.segment(&mut stream);
        let power = |power: f64| {
            // Most companies have none, and `pow` costs as much as a move.
            if power == 0.0 { 1.0 } else { special::pow(amount / self.truth.amounts.median, power) }
        };
        let slower = power(self.truth.amounts.days_power);
        let own =
            power(self.truth.amounts.odds_power) * self.truth.segments.get(segment).map_or(1.0, |s| s.odds);
        let mut steps = Vec::with_capacity(4);
        let mut next = Some(Step { at: created, to: Destination::Stage(0) });
        while let Some(step) = next.filter(|_| steps.len() < MOST_MOVES) {
            steps.push(step);
            next = self.next(step, (own, slower), &mut stream);
        }
        Life { amount, segment, steps }
    }

    fn amount(&self, stream: &mut Stream) -> f64 {
        let amounts = &self.truth.amounts;
        let heavy = amounts.tail.filter(|tail| stream.uniform() < tail.share.get());
        let factor = match heavy {
            Some(tail) => special::exp(stream.exponential() / tail.index),
            None => special::exp(amounts.spread * stream.normal()),
        };
        // A tail of index 0.1 reaches beyond every double.
        (amounts.median * factor).round().clamp(1.0, 1e15)
    }

    fn segment(&self, stream: &mut Stream) -> usize {
        let mut rest = stream.uniform();
        let found = self.truth.segments.iter().position(|segment| {
            rest -= segment.share;
            rest < 0.0
        });
        found.unwrap_or(self.truth.segments.len().saturating_sub(1))
    }

    /// The next move, if there is one. `own` multiplies the deal's odds, `slower` its times.
    fn next(&self, last: Step, (own, slower): (f64, f64), stream: &mut Stream) -> Option<Step> {
        let here = match last.to {
            Destination::Won => return None,
            Destination::Lost => {
                let back = self.truth.reopening.filter(|r| stream.uniform() < r.chance.get())?;
                return Some(Step {
                    at: last.at.saturating_add(in_seconds(back.after.draw(stream))),
                    to: Destination::Stage(back.stage),
                });
            }
            Destination::Stage(here) => self.truth.stages.get(here)?,
        };
        if here.stale.get() > 0.0 && stream.uniform() < here.stale.get() {
            return None;
        }
        let exit = pick(here, stream, |_| true)?;
        let at = last.at.saturating_add(in_seconds(slower * exit.stay.draw(stream)));
        let to = redirect(here, exit.to, own * self.odds(at), stream);
        let at = if to == Destination::Won { self.closing(at) } else { at };
        Some(Step { at, to })
    }

    /// What the odds against losing multiply by on the day of an instant.
    fn odds(&self, at: i64) -> f64 {
        let Market { drift, shock } = self.truth.market;
        if (drift, shock) == (1.0, 0.0) {
            return 1.0;
        }
        let n_days = civil_day(at).saturating_sub(self.start_day).max(0);
        let block = u64::from((n_days / SHOCK_DAYS).unsigned_abs());
        let shared = special::exp(shock * Stream::new(self.seed, block, SHOCK).normal());
        special::pow(drift, f64::from(n_days) / 365.25) * shared
    }

    /// The same time of day on the next closing day, where wins wait for one.
    fn closing(&self, at: i64) -> i64 {
        let Some((month, day)) = self.truth.closing_day else { return at };
        let today = civil_date(civil_day(at));
        let closing = |year| NaiveDate::from_ymd_opt(year, month, day);
        let next =
            closing(today.year()).filter(|d| *d >= today).or_else(|| closing(today.year().saturating_add(1)));
        next.map_or(at, |d| i64::from(day_number(d)) * DAY + at.rem_euclid(DAY))
    }
}

/// One of the exits that qualify, by weight.
fn pick(stage: &StageTruth, stream: &mut Stream, qualifies: impl Fn(&Exit) -> bool) -> Option<Exit> {
    let total: f64 = stage.exits.iter().filter(|e| qualifies(e)).map(|e| e.weight).sum();
    let mut rest = stream.uniform() * total;
    let mut found = None;
    for exit in stage.exits.iter().filter(|e| qualifies(e) && e.weight > 0.0) {
        found = Some(*exit);
        rest -= exit.weight;
        if rest < 0.0 {
            break;
        }
    }
    found
}

/// Where the move leads once the odds against losing have multiplied by `odds`.
#[expect(clippy::float_cmp, reason = "exactly 1 is what a company without multipliers has")]
fn redirect(stage: &StageTruth, to: Destination, odds: f64, stream: &mut Stream) -> Destination {
    if odds == 1.0 {
        return to;
    }
    let lost = |e: &Exit| e.to == Destination::Lost;
    let total: f64 = stage.exits.iter().map(|e| e.weight).sum();
    let base = stage.exits.iter().filter(|e| lost(e)).map(|e| e.weight).sum::<f64>() / total;
    if base <= 0.0 || base >= 1.0 {
        return to;
    }
    let target = base / (base + (1.0 - base) * odds);
    let (keep, other_side) =
        if to == Destination::Lost { (target / base, false) } else { ((1.0 - target) / (1.0 - base), true) };
    if stream.uniform() < keep {
        return to;
    }
    pick(stage, stream, |e| lost(e) == other_side).map_or(to, |exit| exit.to)
}

/// Days as seconds; a stay beyond any calendar saturates and is then after the end of every history.
#[allow(clippy::cast_possible_truncation, reason = "a saturating cast of a number >= 0")]
fn in_seconds(days: f64) -> i64 {
    (days * 86_400.0).round() as i64
}
