//! Levers, one at a time: what a small change of each does, and how far each alone has to go.

use super::analysis::chance;
use super::display::read;
use super::scenario::RANGE;
use super::{Scenario, Target};
use crate::deals::Snapshot;
use crate::fit::{FittedModel, LONGEST, Paced, Placed, Split};
use crate::num::root::crossing;
use crate::num::special::{exp, ln, normal_quantile};
use crate::time::{Period, day_number};
use crate::{Level, Probability, Result};
use chrono::NaiveDateTime;
use serde::Serialize;
use std::fmt;

/// The change whose effect is stated: a tenth.
const STEP: f64 = 0.1;
/// How near the multiplier that just fails lies to the one that is enough, relatively.
const NEAR: f64 = 1e-4;
/// Chances nearer to 0 or 1 than this all say the same to the search.
const CLEAR: f64 = 1e-12;

/// One lever of a sales team; what it multiplies is said at [`Scenario`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lever {
    /// The odds of winning.
    WinRate,
    /// The days each step takes: less is better.
    CycleTime,
    /// The amount of every deal.
    DealSize,
    /// How many deals are created from now on.
    Creation,
    /// The market: expected wins of every month of the period alike.
    MarketTrend,
}

impl Lever {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::WinRate, Self::CycleTime, Self::DealSize, Self::Creation, Self::MarketTrend];

    /// The scenario in which this lever alone is moved.
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless the multiplier is from 1/64 to 64.
    pub fn scenario(self, multiplier: f64, period: &Period) -> Result<Scenario> {
        let none = Scenario::default();
        match self {
            Self::WinRate => none.win_rate(multiplier),
            Self::CycleTime => none.cycle_time(multiplier),
            Self::DealSize => none.deal_size(multiplier),
            Self::Creation => none.creation(multiplier),
            Self::MarketTrend => none.market_trend(period.months().map(|_| multiplier)),
        }
    }

    /// What a team would say it moves.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WinRate => "win rate",
            Self::CycleTime => "cycle time",
            Self::DealSize => "deal size",
            Self::Creation => "creation",
            Self::MarketTrend => "market trend",
        }
    }

    /// What its multiplier multiplies.
    pub const fn multiplies(self) -> &'static str {
        match self {
            Self::WinRate => "odds",
            Self::CycleTime => "days",
            Self::DealSize => "amounts",
            Self::Creation => "new deals",
            Self::MarketTrend => "wins",
        }
    }

    /// From a logarithm of which more is better; the ends of the range are met to the last bit.
    fn multiplier(self, x: f64) -> f64 {
        let (x, end) = (if self.is_inverse() { -x } else { x }, ln(*RANGE.end()));
        match x {
            x if x >= end => *RANGE.end(),
            x if x <= -end => *RANGE.start(),
            x => exp(x),
        }
    }

    /// Less is better.
    const fn is_inverse(self) -> bool {
        matches!(self, Self::CycleTime)
    }
}

impl fmt::Display for Lever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What moving one lever does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LeverEffect {
    lever: Lever,
    changed: f64,
    mean: f64,
    chance: Probability,
    reaches: Option<f64>,
}

impl LeverEffect {
    /// Which one.
    pub const fn lever(&self) -> Lever {
        self.lever
    }

    /// The small change whose effect is stated: 1.1, of the cycle time .9.
    pub const fn changed(&self) -> f64 {
        self.changed
    }

    /// The expected total with it.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// P(total >= target) with it.
    pub const fn chance(&self) -> Probability {
        self.chance
    }

    /// The multiplier from which on this lever alone is enough for the confidence asked for: the smallest one, of the
    /// cycle time the largest. `None` where none from 1/64 to 64 is (of the cycle time: none at which the period would
    /// not be more than five years long). Where the goal is reached as it is, this is the room there is: a win rate of
    /// .9 means that the odds may fall by a tenth; the end of the range means that nothing depends on the lever.
    pub const fn reaches(&self) -> Option<f64> {
        self.reaches
    }

    /// How far the lever has to be moved, as a factor >= 1 in its good direction; `None` where it is not enough, 1
    /// where nothing has to be moved.
    pub fn effort(&self) -> Option<f64> {
        let multiplier = self.reaches?;
        Some(if self.lever.is_inverse() { 1.0 / multiplier } else { multiplier }.max(1.0))
    }
}

/// What each lever alone does for a goal, the others left as they are.
///
/// # Formula
/// Mean and chance are those of [`gap_under`](FittedModel::gap_under) with the [`Scenario`] of the one lever. The
/// multiplier that reaches the goal is bracketed outward from 1 and narrowed until one that is 1e-4 worse no longer
/// reaches it.
///
/// # Assumptions
/// The rest stays as it is: who creates twice as many deals, or closes in half the time, may not find as good ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeverTable {
    as_of: NaiveDateTime,
    period: Period,
    target: Target,
    confidence: Level,
    mean: f64,
    chance: Probability,
    levers: Vec<LeverEffect>,
}

impl LeverTable {
    /// The goal.
    pub const fn target(&self) -> Target {
        self.target
    }

    /// The confidence that counts as reaching it.
    pub const fn confidence(&self) -> Level {
        self.confidence
    }

    /// The expected total as it is.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// P(total >= target) as it is.
    pub const fn chance(&self) -> Probability {
        self.chance
    }

    /// Lever by lever.
    pub fn levers(&self) -> &[LeverEffect] {
        &self.levers
    }

    /// The lever that has to be moved least, where one alone is enough.
    pub fn least(&self) -> Option<&LeverEffect> {
        let able = self.levers.iter().filter_map(|of| Some((of, of.effort()?)));
        able.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(of, _)| of)
    }
}

impl FittedModel {
    /// What each lever alone would do for the target: win rate, cycle time, deal size, creation, market trend.
    ///
    /// # Errors
    /// Those of [`gap`](Self::gap).
    ///
    /// # Example: what would have to change?
    /// ```
    /// use dealcast::{FittedModel, Level, Period, Probability, SalesProcess, Snapshot, SnapshotRow, Target, Timing, time::date};
    /// use dealcast::gap::Lever;
    /// let process = SalesProcess::open(["propose"])?;
    /// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
    /// let deal = SnapshotRow {
    ///     deal_id: "a".into(),
    ///     stage: "propose".into(),
    ///     amount: Some(100.0),
    ///     expected_close: date(2026, 2, 10).ok(),
    ///     ..SnapshotRow::default()
    /// };
    /// let book = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), [deal])?;
    /// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
    /// let table = model.levers(&book, &quarter, (Target::new(100.0)?, Level::new(0.8)?))?;
    /// let odds = &table.levers()[0];
    /// assert_eq!(odds.lever(), Lever::WinRate);
    /// assert!((odds.reaches().unwrap() / 4.0 - 1.0).abs() < 1e-4); // 80 % is 4 : 1 instead of 1 : 1
    /// assert_eq!(table.levers()[2].reaches(), None); // a larger deal is not a likelier one
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn levers(&self, book: &Snapshot, period: &Period, goal: (Target, Level)) -> Result<LeverTable> {
        let paced = |split| self.paced(book, (period, split), 1.0);
        let (whole, months) = (paced(Split::Whole)?, paced(Split::Months)?);
        let asked = Asked { model: self, book, period, goal, whole, months };
        let (mean, chance) = asked.under(&Scenario::default())?;
        let levers = Lever::ALL.iter().map(|&lever| asked.effect(lever, chance));
        Ok(LeverTable {
            as_of: book.as_of(),
            period: *period,
            target: goal.0,
            confidence: goal.1,
            mean,
            chance,
            levers: levers.collect::<Result<_>>()?,
        })
    }
}

struct Asked<'a> {
    model: &'a FittedModel,
    book: &'a Snapshot,
    period: &'a Period,
    goal: (Target, Level),
    /// At the pace as it is.
    whole: Paced,
    months: Paced,
}

impl Asked<'_> {
    /// Mean and chance of a scenario.
    fn under(&self, scenario: &Scenario) -> Result<(f64, Probability)> {
        let (model, book, period) = (self.model, self.book, self.period);
        let Placed { total, .. } = match scenario.split() {
            _ if scenario.is_paced() => model.placed_for(book, period, scenario)?,
            Split::Months => model.placed_from(book, period, self.months.clone(), scenario)?,
            _ => model.placed_from(book, period, self.whole.clone(), scenario)?,
        };
        Ok((total.weighted().total(), chance(&total, self.goal.0)?))
    }

    fn effect(&self, lever: Lever, chance: Probability) -> Result<LeverEffect> {
        let changed = if lever.is_inverse() { 1.0 - STEP } else { 1.0 + STEP };
        let (mean, with) = self.under(&lever.scenario(changed, self.period)?)?;
        let small = (ln(changed).abs(), self.beyond(with));
        let reaches = self.reaches(lever, (0.0, self.beyond(chance)), small)?;
        Ok(LeverEffect { lever, changed, mean, chance: with, reaches })
    }

    /// The multiplier that is just enough, from what is known without any change and with a small one. Works in
    /// logarithms, more being better.
    fn reaches(&self, lever: Lever, here: (f64, f64), small: (f64, f64)) -> Result<Option<f64>> {
        let (least, most) = self.range(lever);
        let at = |x: f64| Ok(self.beyond(self.under(&lever.scenario(lever.multiplier(x), self.period)?)?.1));
        let enough = |point: (f64, f64)| point.1 >= 0.0;
        let (end, mut before, mut last) = match enough(here) {
            false if small.0 < most => (most, here, small),
            false => (most, here, (most, at(most)?)),
            true => (least, small, here),
        };
        // Outward to a little beyond where a straight line is enough, until the side changes.
        while enough(last) == enough(here) {
            if last.0.total_cmp(&end).is_eq() {
                // The whole range reaches the goal, or nothing in it.
                return Ok(enough(here).then(|| lever.multiplier(end)));
            }
            let gone = last.0 - before.0;
            let line = -1.1 * last.1 * gone / (last.1 - before.1);
            let step = if line * gone > 0.0 { line.abs().max(0.25 * gone.abs()) } else { f64::INFINITY };
            let x = (last.0 + step.copysign(gone)).clamp(least, most);
            (before, last) = (last, (x, at(x)?));
        }
        let (low, high) = if enough(here) { (last, before) } else { (before, last) };
        let near = |a: f64, b: f64| b - a <= NEAR;
        let (_, mut edge) = crossing(low, high, (near, 0.4 * NEAR), at)?;
        // Where the chance is not known to the last digit the first crossing found may be one of several.
        while edge - NEAR > least && at(edge - NEAR)? >= 0.0 {
            edge -= NEAR;
        }
        Ok(Some(lever.multiplier(edge)))
    }

    /// Logarithms of the multipliers that are tried, from the worst to the best.
    fn range(&self, lever: Lever) -> (f64, f64) {
        let all = ln(*RANGE.end());
        if !lever.is_inverse() {
            return (-all, all);
        }
        let rest = day_number(self.period.end()).saturating_sub(day_number(self.book.as_of().date()));
        let longest = f64::from(LONGEST) / f64::from(rest.max(1));
        (-all, ln(longest).clamp(0.0, all))
    }

    /// By how much a chance is enough, in normal scores; never 0.
    fn beyond(&self, chance: Probability) -> f64 {
        let score = |p: f64| normal_quantile(p.clamp(CLEAR, 1.0 - CLEAR));
        let wanted = self.goal.1.get();
        let over = score(chance.get()) - score(wanted);
        if chance.get() >= wanted { over.max(f64::MIN_POSITIVE) } else { over.min(-f64::MIN_POSITIVE) }
    }
}

impl fmt::Display for LeverTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, confidence, period, as_of, .. } = self;
        write!(f, "Levers for {confidence} confidence in {target} for {period}")?;
        writeln!(f, " as of {}", as_of.format("%Y-%m-%d"))?;
        writeln!(f, "  as it is: mean {}, chance {}", read(self.mean), self.chance)?;
        write!(f, "  {:<28}{:>10}{:>10}   alone enough at", "one lever moved", "mean", "chance")?;
        for of in &self.levers {
            let moved = format!("{}: {} x {:.1}", of.lever, of.lever.multiplies(), of.changed);
            write!(f, "\n  {moved:<28}{:>10}{:>10}   ", read(of.mean).to_string(), of.chance.to_string())?;
            match of.reaches {
                Some(x) if of.is_indifferent() => write!(f, "any, even x {x:.2}")?,
                Some(x) => write!(f, "x {x:.2}")?,
                None => f.write_str("not by itself")?,
            }
        }
        Ok(())
    }
}

impl LeverEffect {
    /// The worst end of the range is enough.
    pub(super) fn is_indifferent(&self) -> bool {
        let worst = if self.lever.is_inverse() { RANGE.end() } else { RANGE.start() };
        self.reaches.is_some_and(|x| (x / worst - 1.0).abs() < NEAR)
    }
}
