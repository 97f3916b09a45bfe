//! What a fitted model says under a change of its assumptions, and of deals that are created from now on.
//!
//! # Formula
//! *Cycle time* k: deals move as they do in 1 / k of the days, so that a chance is read at (end - day) / k days, between
//! whole days on a straight line; as many deals are created as before. *Win rate* m: the odds of every open deal to
//! be won inside the period are multiplied by m, those of a new deal likewise, with the average over its days of
//! creation. *Trend* `m_b`: expected wins of bucket b are multiplied by `m_b`, a deal's chances together at most 1.
//! *Volume* and *size* multiply the expected number of new deals and every amount. In this order, each once.

use super::assumed::{Assumed, Timing};
use super::fitted::{Basis, Expected, FittedModel, Split};
use super::options::within_reach;
use super::replay::{Open, Outlook};
use super::signals::lift;
use crate::deals::{OpenDeal, Snapshot};
use crate::forecast::Total;
use crate::model::chain::Standing;
use crate::model::process::Process;
use crate::num::sum::sum;
use crate::time::{Period, day_number};
use crate::{Amount, Error, ErrorKind, Result};

/// Days after which a deal that is not won counts as never won: the longest look ahead.
const EVER: usize = 1830;

/// Multipliers of what a forecast assumes; 1 changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Levers {
    pub(crate) win_odds: f64,
    pub(crate) cycle_time: f64,
    pub(crate) deal_size: f64,
    pub(crate) creation: f64,
    /// By bucket; those past the end are 1.
    pub(crate) trend: Vec<f64>,
}

impl Default for Levers {
    fn default() -> Self {
        Self { win_odds: 1.0, cycle_time: 1.0, deal_size: 1.0, creation: 1.0, trend: Vec::new() }
    }
}

/// A total, and the place in the book of each of its deals.
pub(crate) struct Placed {
    pub(crate) total: Total,
    pub(crate) order: Vec<usize>,
}

/// What is expected of a book at a pace.
#[derive(Clone)]
pub(crate) struct Paced(Expected);

/// Deals created on the days from a book's on.
pub(crate) struct Newborn {
    /// Chance to be won inside the period by day of creation, then stage.
    pub(crate) chances: Vec<Vec<f64>>,
    /// Mean amount of a new deal by stage; 0 where nothing is known.
    pub(crate) amounts: Vec<f64>,
}

/// The chances of an outlook over a number of days that need not be whole.
struct Reached {
    chances: Vec<f64>,
    new_wins: Vec<f64>,
}

fn reached(process: &Process, open: &[Open], (day, days): (i32, f64), arrivals: f64) -> Reached {
    let whole = crate::forecast::index(days);
    let share = days - days.floor();
    let now = Outlook::of(process, open, (day, whole));
    let mix = |now: Vec<f64>, next: Vec<f64>| -> Vec<f64> {
        now.into_iter().zip(next).map(|(a, b)| a + share * (b - a)).collect()
    };
    let (chances, mut new_wins) = if share > 0.0 {
        let next = Outlook::of(process, open, (day, whole + 1));
        (mix(now.chances, next.chances), mix(now.new_wins, next.new_wins))
    } else {
        (now.chances, now.new_wins)
    };
    new_wins.iter_mut().for_each(|n| *n *= arrivals);
    Reached { chances, new_wins }
}

impl FittedModel {
    /// The total with the place of its deals in the book.
    pub(crate) fn placed(&self, book: &Snapshot, period: &Period, split: Split) -> Result<Placed> {
        let expected = self.expected(book, period, split)?;
        self.put_together(book, period, expected)
    }

    /// The same for a period of which less, or more, is left than the model was fitted for: to tell what changed, not to
    /// forecast.
    pub(crate) fn placed_late(&self, book: &Snapshot, period: &Period) -> Result<Placed> {
        let expected = self.expected_anyhow(book, period, &Split::Whole.ends(period))?;
        self.put_together(book, period, expected)
    }

    fn put_together(&self, book: &Snapshot, period: &Period, expected: Expected) -> Result<Placed> {
        let booked = book.booked(period)?;
        let total = self.money(&expected, booked.amount())?;
        Ok(Placed { total, order: expected.order })
    }

    /// What is expected at another pace: cycle time is the first lever to act, the others act on what comes of it.
    pub(crate) fn paced(
        &self,
        book: &Snapshot,
        (period, split): (&Period, Split),
        cycle_time: f64,
    ) -> Result<Paced> {
        let mut expected = self.expected(book, period, split)?;
        if cycle_time.total_cmp(&1.0).is_ne() {
            self.at_pace(book, (period, split), (cycle_time, &mut expected))?;
        }
        Ok(Paced(expected))
    }

    /// The total under the levers that act on a pace.
    pub(crate) fn placed_at(
        &self,
        book: &Snapshot,
        period: &Period,
        Paced(mut expected): Paced,
        levers: &Levers,
    ) -> Result<Placed> {
        self.apply(book, period, (levers, &mut expected));
        self.put_together(book, period, expected)
    }

    /// Reads the chances at another pace; an assumed model that counts deals by their expected close has none.
    fn at_pace(
        &self,
        book: &Snapshot,
        (period, split): (&Period, Split),
        (cycle, expected): (f64, &mut Expected),
    ) -> Result<()> {
        let Basis::Fitted { process, calibration, .. } = &self.basis else { return Ok(()) };
        let day = day_number(book.as_of().date());
        let ends = split.ends(period);
        let from = day_number(period.start()).max(day);
        let last = ends.last().copied().unwrap_or(from).max(from);
        let longest = f64::from(last.saturating_sub(day)) / cycle;
        within_reach(i32::try_from(crate::forecast::index(longest)).unwrap_or(i32::MAX))?;
        let pace = |open: &[Open], end: i32| {
            let days = f64::from(end.max(from).saturating_sub(day)) / cycle;
            let Reached { chances, new_wins } = reached(process, open, (day, days), cycle);
            Outlook { chances, new_wins }
        };
        let open = self.open_deals((process, calibration), book, day);
        *expected = Expected::paced((process, calibration), open, ((day, from), &ends), pace);
        Ok(())
    }

    fn apply(&self, book: &Snapshot, period: &Period, (levers, expected): (&Levers, &mut Expected)) {
        let trend = |bucket: usize| levers.trend.get(bucket).copied().unwrap_or(1.0);
        let n_deals = expected.amounts.len();
        for deal in 0..n_deals {
            let parts = || expected.chances.iter().filter_map(|bucket| bucket.get(deal).copied());
            let before: f64 = parts().sum();
            if !(before > 0.0) {
                continue;
            }
            let lifted = lift(before.min(1.0), levers.win_odds) / before;
            let after: f64 = parts().enumerate().map(|(bucket, p)| p * lifted * trend(bucket)).sum();
            let cut = if after > 1.0 { 1.0 / after } else { 1.0 };
            for (bucket, chances) in expected.chances.iter_mut().enumerate() {
                chances.get_mut(deal).into_iter().for_each(|p| *p *= lifted * trend(bucket) * cut);
            }
        }
        let created = self.created(book, period);
        let shares = expected.new_shares.iter().enumerate();
        let shares: Vec<f64> = shares.map(|(bucket, share)| share * trend(bucket)).collect();
        let (before, after) = (sum(expected.new_shares.iter().copied()), sum(shares.iter().copied()));
        let trended = if before > 0.0 { after / before } else { 1.0 };
        let wins = sum(expected.new.iter().map(|new| new.1));
        // Of an average new deal.
        let chance = if created > 0.0 { (wins / created).min(1.0) } else { 0.0 };
        let won = levers.win_odds / (1.0 - chance + levers.win_odds * chance);
        for (amount, n) in &mut expected.new {
            *amount *= levers.deal_size;
            *n *= won * trended * levers.creation;
        }
        if after > 0.0 {
            expected.new_shares = shares;
        }
        expected.amounts.iter_mut().for_each(|amount| *amount *= levers.deal_size);
    }

    /// Expected number of deals created from the book's day to the end of the period.
    fn created(&self, book: &Snapshot, period: &Period) -> f64 {
        let Basis::Fitted { process, .. } = &self.basis else { return 0.0 };
        (day_number(book.as_of().date())..day_number(period.end())).map(|day| process.arrivals.on(day)).sum()
    }

    /// The chances of deals created on each day from the book's on to be won inside the period.
    ///
    /// A new deal is like those created lately in its stage: its group is theirs, in their shares. Its odds carry what
    /// past forecasts taught about new business. An assumed model that counts deals by their expected close takes it
    /// that the deal is expected to close inside the period.
    pub(crate) fn newborn(&self, book: &Snapshot, period: &Period) -> Result<Newborn> {
        let day = day_number(book.as_of().date());
        let (start, end) = (day_number(period.start()), day_number(period.end()));
        within_reach(end.saturating_sub(day))?;
        let n_days = usize::try_from(end.saturating_sub(day)).unwrap_or(0);
        let n_open = self.process.open_stages().len();
        let mut chances = vec![vec![0.0; n_open]; n_days];
        match &self.basis {
            Basis::Assumed(assumed) => {
                Self::assumed_newborn(assumed, (day, start, end), &mut chances)?;
                let amounts = book.open().iter().filter_map(|deal| deal.amount().map(Amount::get));
                let n = crate::num::count(book.n_open() - book.open_book()?.n_unpriced());
                let mean = if n > 0.0 { sum(amounts) / n } else { 0.0 };
                Ok(Newborn { chances, amounts: vec![mean; n_open] })
            }
            Basis::Fitted { process, calibration, .. } => {
                let before = usize::try_from(start.saturating_sub(day)).unwrap_or(0).min(n_days);
                for group in 0..process.effects.n_groups() {
                    let group = u32::try_from(group).unwrap_or(0);
                    let shares: Vec<f64> = (0..n_open).map(|stage| share(process, stage, group)).collect();
                    if shares.iter().all(|share| !(*share > 0.0)) {
                        continue;
                    }
                    let until = process.reached(group, (day, n_days), &[]).entering;
                    let early = process.reached(group, (day, before), &[]).entering;
                    for (created, chances) in chances.iter_mut().enumerate() {
                        let at = |table: &[Vec<f64>], stage: usize| {
                            table.get(created).and_then(|row| row.get(stage)).copied().unwrap_or(0.0)
                        };
                        for (stage, (chance, share)) in chances.iter_mut().zip(&shares).enumerate() {
                            *chance += share * (at(&until, stage) - at(&early, stage)).max(0.0);
                        }
                    }
                }
                let learned = calibration.new.deals;
                chances.iter_mut().flatten().for_each(|chance| *chance = lift(chance.min(1.0), learned));
                Ok(Newborn { chances, amounts: (0..n_open).map(|stage| typical(process, stage)).collect() })
            }
        }
    }

    /// The chance of an open deal to be won within five years; of an assumed model the percentage of its stage.
    pub(crate) fn chance_within_reach(&self, book: &Snapshot, deal: &OpenDeal) -> Result<f64> {
        let day = day_number(book.as_of().date());
        match &self.basis {
            Basis::Assumed(assumed) => {
                let chance = assumed.chances.get(deal.stage_id().index());
                chance.copied().ok_or_else(|| Error::new(ErrorKind::UnknownStage, "a stage of the model"))
            }
            Basis::Fitted { process, .. } => {
                let group = process.effects.group(deal.attributes());
                let at = Standing { stage: deal.stage_id().0, age: day.saturating_sub(deal.entered_day()) };
                let reached = process.reached(group, (day, EVER), &[at]);
                Ok(reached.standing.first().copied().unwrap_or(0.0).clamp(0.0, 1.0))
            }
        }
    }

    fn assumed_newborn(
        assumed: &Assumed,
        (day, start, end): (i32, i32, i32),
        chances: &mut [Vec<f64>],
    ) -> Result<()> {
        let until = assumed.newborn((day, end))?;
        // A deal that is counted by its expected close is in one period only.
        let by_days = matches!(assumed.timing, Timing::MeanDays(_));
        let early = if by_days && start > day { assumed.newborn((day, start))? } else { Vec::new() };
        for (created, chances) in chances.iter_mut().enumerate() {
            for (stage, chance) in chances.iter_mut().enumerate() {
                let at = |table: &[Vec<f64>]| {
                    table.get(created).and_then(|row| row.get(stage)).copied().unwrap_or(0.0)
                };
                *chance = (at(&until) - at(&early)).max(0.0);
            }
        }
        Ok(())
    }
}

/// The share of a group among the deals created lately in a stage; among all of them where none was.
fn share(process: &Process, stage: usize, group: u32) -> f64 {
    let weight = |of_stage: bool, of_group: bool| {
        let counts = |entry: &&crate::model::process::Entry| {
            (!of_stage || usize::from(entry.stage) == stage) && (!of_group || entry.group == group)
        };
        sum(process.entries.iter().filter(counts).map(|entry| entry.weight))
    };
    let in_stage = weight(true, false);
    let (part, whole) = if in_stage > 0.0 {
        (weight(true, true), in_stage)
    } else {
        (weight(false, true), weight(false, false))
    };
    if whole > 0.0 { part / whole } else { f64::from(group == 0) }
}

/// The mean amount of the deals created lately in a stage; of all of them where none of those has one.
fn typical(process: &Process, stage: usize) -> f64 {
    let mean = |of_stage: bool| {
        let priced = process.entries.iter().filter(|e| !of_stage || usize::from(e.stage) == stage);
        let priced: Vec<(f64, f64)> =
            priced.filter_map(|e| Some((e.amount.filter(|a| *a > 0.0)?, e.weight))).collect();
        let weight = sum(priced.iter().map(|(_, w)| *w));
        (weight > 0.0).then(|| sum(priced.iter().map(|(a, w)| a * w)) / weight)
    };
    mean(true).or_else(|| mean(false)).unwrap_or(0.0)
}
