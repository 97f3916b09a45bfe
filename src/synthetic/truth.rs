//! What is true of a company: plain data, checked when a company is made of it.

use super::stay::Stay;
use crate::num::{count, special, sum};
use crate::time::{Period, civil_date, day_number};
use crate::{Error, ErrorKind, Probability, Result};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// Everything that is true of a company.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// The open stages in order; a deal is created in the first.
    pub stages: Vec<StageTruth>,
    /// How many deals come, and when.
    pub arrivals: Arrivals,
    /// What deals are worth.
    pub amounts: Amounts,
    /// Groups of deals, told apart by the attribute `segment`; shares sum to 1. Empty = none.
    pub segments: Vec<Segment>,
    /// What moves all deals together.
    pub market: Market,
    /// Lost deals that come back.
    pub reopening: Option<Reopening>,
    /// Wins wait for this day of the year (month and day).
    pub closing_day: Option<(u32, u32)>,
    /// What the reps say.
    pub signals: Signals,
    /// What is wrong with the export.
    pub dirt: Dirt,
}

/// One open stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageTruth {
    /// Its name.
    pub name: String,
    /// The ways out.
    pub exits: Vec<Exit>,
    /// The share of visits that never end: nobody closes the deal.
    pub stale: Probability,
}

/// A way out of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// Where it leads.
    pub to: Destination,
    /// How often it is taken, relative to the other exits.
    pub weight: f64,
    /// How long that takes.
    pub stay: Stay,
}

/// Where an exit leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The open stage with this number, from 0.
    Stage(usize),
    /// Won.
    Won,
    /// Lost.
    Lost,
}

/// A Poisson process of new deals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Mean number of deals a day at the start, before the factors below.
    pub daily: f64,
    /// What the number multiplies by each year.
    pub growth: f64,
    /// Factor of each weekday, Monday first.
    pub weekdays: [f64; 7],
    /// Factor of each month, January first.
    pub months: [f64; 12],
    /// From a day on, another factor.
    pub jump: Option<Jump>,
    /// No deal comes after this many.
    pub at_most: Option<usize>,
}

/// A sudden change of volume.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Days after the start of the history.
    pub after_days: u32,
    /// Factor from then on.
    pub factor: f64,
}

/// Log-normal amounts in whole units, some of them with a Pareto tail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Half of the deals are below.
    pub median: f64,
    /// Standard deviation of the logarithm.
    pub spread: f64,
    /// A heavy tail.
    pub tail: Option<Tail>,
    /// The odds against losing multiply by (amount / median)^this; negative = big deals are won less often.
    pub odds_power: f64,
    /// Times in stages multiply by (amount / median)^this; positive = big deals take longer.
    pub days_power: f64,
}

/// Pareto amounts: P(amount > x) = (median / x)^index above the median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tail {
    /// Share of the deals that have such an amount.
    pub share: Probability,
    /// At or below 2 the variance is infinite, at or below 1 the mean as well.
    pub index: f64,
}

/// A group of deals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The value of the attribute `segment`.
    pub name: String,
    /// Share of the deals.
    pub share: f64,
    /// Multiplies the odds against losing.
    pub odds: f64,
}

/// What moves all deals together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// What the odds against losing multiply by each year.
    pub drift: f64,
    /// Shared shock: in each block of 91 days the odds multiply by exp(shock z), z standard normal.
    pub shock: f64,
}

/// Lost deals that come back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reopening {
    /// The share of losses that do.
    pub chance: Probability,
    /// The stage they come back to, from 0.
    pub stage: usize,
    /// How long that takes.
    pub after: Stay,
}

/// What the reps say at every move: an expected close date and a category, `commit` or `pipeline`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Signals {
    /// Nothing.
    #[default]
    None,
    /// They know: the date is the true one (a made-up one for deals that do not close) but for a normal error of so
    /// many days; the category is right but for a share of mistakes.
    Informative {
        /// Standard deviation of the date's error.
        error_days: f64,
        /// Share of wrong categories.
        mistaken: Probability,
    },
    /// They guess: date and category have nothing to do with the deal.
    Noise,
}

/// Shares of rows with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dirt {
    /// The amount is negative.
    pub bad_amounts: Probability,
    /// The row comes twice.
    pub duplicates: Probability,
    /// The row was recorded up to ten days late.
    pub late: Probability,
    /// Rows come in no order.
    pub shuffled: bool,
}

impl Dirt {
    /// A perfect export.
    pub const NONE: Self = Self {
        bad_amounts: Probability::ZERO,
        duplicates: Probability::ZERO,
        late: Probability::ZERO,
        shuffled: false,
    };
}

impl Truth {
    /// The chance that a deal in this stage (from 0) is ever won, while `odds` multiplies the odds against losing: 1 for
    /// the base shares; reopened and stale deals included. `None` for a stage that does not exist.
    ///
    /// # Formula
    /// `V_s = (1 - stale) sum_d p'_sd V_d`, `V_won = 1`, `V_lost = chance of reopening x V of its stage`, by iteration.
    pub fn win_chance(&self, stage: usize, odds: f64) -> Option<Probability> {
        let mut wins = vec![0.0; self.stages.len()];
        // Each round is one more move of the deal; shares of cycles are below 1, so what is left dies out.
        for _ in 0..10_000 {
            let next: Vec<f64> = self.stages.iter().map(|s| self.one_more_move(s, odds, &wins)).collect();
            let moved = next.iter().zip(&wins).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            wins = next;
            if moved < 1e-16 {
                break;
            }
        }
        wins.get(stage).copied().map(Probability::rounded)
    }

    fn one_more_move(&self, stage: &StageTruth, odds: f64, wins: &[f64]) -> f64 {
        let lost = self.reopening.map_or(0.0, |r| r.chance.get() * wins.get(r.stage).copied().unwrap_or(0.0));
        let value = |to: Destination| match to {
            Destination::Stage(next) => wins.get(next).copied().unwrap_or(0.0),
            Destination::Won => 1.0,
            Destination::Lost => lost,
        };
        let weigh = |exit: &Exit| if exit.to == Destination::Lost { exit.weight / odds } else { exit.weight };
        let total = sum::sum(stage.exits.iter().map(weigh));
        (1.0 - stage.stale.get()) * sum::sum(stage.exits.iter().map(|e| weigh(e) / total * value(e.to)))
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.stages.is_empty() || self.stages.len() > 100 {
            return Err(Error::out_of_range("stages", "from 1 to 100 stages", count(self.stages.len())));
        }
        self.stages.iter().try_for_each(|stage| self.check_stage(stage))?;
        self.arrivals.check()?;
        self.amounts.check()?;
        let shares = sum::sum(self.segments.iter().map(|segment| segment.share));
        if !self.segments.is_empty() {
            within("segments", shares, (1.0 - 1e-9, 1.0 + 1e-9))?;
        }
        for segment in &self.segments {
            within("segment odds", segment.odds, (1e-6, 1e6)).and(within(
                "segment share",
                segment.share,
                (0.0, 1.0),
            ))?;
        }
        within("drift", self.market.drift, (1e-3, 1e3)).and(within(
            "shock",
            self.market.shock,
            (0.0, 5.0),
        ))?;
        if let Some(reopening) = self.reopening {
            reopening.after.check()?;
            within("reopening stage", count(reopening.stage), (0.0, count(self.stages.len() - 1)))?;
        }
        if let Signals::Informative { error_days, .. } = self.signals {
            within("error_days", error_days, (0.0, 1e4))?;
        }
        match self.closing_day {
            Some((month, day)) if NaiveDate::from_ymd_opt(2023, month, day).is_none() => {
                Err(Error::new(ErrorKind::InvalidPeriod, "a day of every year").field("closing_day"))
            }
            _ => Ok(()),
        }
    }

    fn check_stage(&self, stage: &StageTruth) -> Result<()> {
        let mut total = 0.0;
        for exit in &stage.exits {
            exit.stay.check()?;
            total += within("weight", exit.weight, (0.0, 1e9))?;
            match exit.to {
                Destination::Stage(next) if next >= self.stages.len() => {
                    return Err(Error::new(ErrorKind::UnknownStage, "a stage of the process").found(next));
                }
                _ => {}
            }
        }
        within("weight of all exits", total, (1e-9, 1e11)).map(|_| ()).map_err(|e| e.in_stage(&stage.name))
    }
}

impl Arrivals {
    /// The mean number of deals of a day, `n_days` after the start of the history.
    pub(super) fn rate(&self, day: i32, n_days: u32) -> f64 {
        let date = civil_date(day);
        let weekday = date.weekday().num_days_from_monday();
        let factor = |table: &[f64], at: u32| usize::try_from(at).ok().and_then(|at| table.get(at)).copied();
        let season = factor(&self.weekdays, weekday).unwrap_or(1.0)
            * factor(&self.months, date.month0()).unwrap_or(1.0);
        let jump = self.jump.filter(|jump| n_days >= jump.after_days).map_or(1.0, |jump| jump.factor);
        self.daily * season * jump * special::pow(self.growth, f64::from(n_days) / 365.25)
    }

    /// The mean number of deals of a history, before any limit.
    pub fn expected(&self, history: &Period) -> f64 {
        sum::sum((0..history.n_days()).zip(day_number(history.start())..).map(|(n, day)| self.rate(day, n)))
    }

    fn check(&self) -> Result<()> {
        within("daily", self.daily, (0.0, 1e6))?;
        within("growth", self.growth, (1e-2, 1e2))?;
        within("jump", self.jump.map_or(1.0, |jump| jump.factor), (0.0, 1e3))?;
        self.weekdays
            .iter()
            .chain(&self.months)
            .try_for_each(|f| within("season", *f, (0.0, 1e3)).map(|_| ()))
    }
}

impl Amounts {
    /// The mean amount, before rounding to whole units; `None` where the tail makes it infinite.
    pub fn mean(&self) -> Option<f64> {
        let body = self.median * special::exp(0.5 * self.spread * self.spread);
        match self.tail {
            None => Some(body),
            Some(tail) if tail.index > 1.0 => {
                let share = tail.share.get();
                Some((1.0 - share) * body + share * self.median * tail.index / (tail.index - 1.0))
            }
            Some(_) => None,
        }
    }

    fn check(&self) -> Result<()> {
        within("median", self.median, (1e-3, 1e12))?;
        within("spread", self.spread, (0.0, 5.0))?;
        within("tail index", self.tail.map_or(1.0, |tail| tail.index), (0.1, 100.0))?;
        within("odds_power", self.odds_power, (-5.0, 5.0)).and(within(
            "days_power",
            self.days_power,
            (-5.0, 5.0),
        ))?;
        Ok(())
    }
}

fn within(field: &'static str, x: f64, (low, high): (f64, f64)) -> Result<f64> {
    if low <= x && x <= high {
        return Ok(x);
    }
    let expected = format!("a number from {low} to {high}");
    Err(Error::new(ErrorKind::OutOfRange, expected).field(field).found(x))
}
