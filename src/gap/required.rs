//! New pipeline that would lift the chance: how much, in which stage, created by when.

use super::Target;
use super::analysis::chance;
use crate::deals::Snapshot;
use crate::fit::{FittedModel, Newborn, Split};
use crate::forecast::{Enough, ForecastOptions, Goal, Total};
use crate::time::{Period, civil_date, day_number};
use crate::{Amount, Level, Probability, Result};
use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;
use std::fmt;

/// Most further deals that are tried.
const MOST: u32 = 10_000;
/// A chance below which the printed table no longer calls a new deal one that can count.
const SLIM: f64 = 0.05;

/// A kind of deal to be created: its chance to be won inside the period, and its amount.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NewDeal {
    win_probability: Probability,
    amount: Amount,
}

impl NewDeal {
    /// A kind of deal.
    pub const fn new(win_probability: Probability, amount: Amount) -> Self {
        Self { win_probability, amount }
    }

    /// Its chance to be won inside the period.
    pub const fn win_probability(&self) -> Probability {
        self.win_probability
    }

    /// What each is worth.
    pub const fn amount(&self) -> Amount {
        self.amount
    }
}

/// How many further deals of one kind lift the chance of a target to a stated level.
///
/// # Formula
/// The smallest n >= 0 such that P(T + what n further deals bring >= target) >= confidence; they share the luck of all
/// others. Whole deals: n reaches the level, n - 1 does not. At most 10,000 are tried.
///
/// # Example: how many more deals do we need?
/// ```
/// use dealcast::{Amount, Level, Probability, Target};
/// use dealcast::forecast::{ForecastOptions, Total};
/// use dealcast::gap::{NewDeal, RequiredDeals};
/// let none = Total::new(Amount::ZERO, [])?;
/// let deal = NewDeal::new(Probability::new(0.5)?, Amount::new(100e3)?);
/// let goal = (Target::new(100e3)?, Level::new(0.9)?);
/// let required = RequiredDeals::of(&none, goal, deal, &ForecastOptions::default())?;
/// // Of four coins one shows heads with 15/16, of three with 7/8.
/// assert_eq!((required.n_deals(), required.amount()), (Some(4), Some(400e3)));
/// assert!((required.chance_reached().get() - 0.9375).abs() < 1e-12);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RequiredDeals {
    deal: NewDeal,
    n_deals: Option<u32>,
    chance_reached: Probability,
}

impl RequiredDeals {
    /// From any total, by the exact engine.
    ///
    /// # Errors
    /// Those of [`Total::exact`].
    pub fn of(
        total: &Total,
        goal: (Target, Level),
        deal: NewDeal,
        options: &ForecastOptions,
    ) -> Result<Self> {
        let chances = [deal.win_probability.get()];
        let enough = total.enough(aim(goal), (deal.amount.get(), &chances), options)?;
        let none = Enough { n: None, chance: 0.0 };
        Ok(Self::from(deal, enough.first().copied().unwrap_or(none)))
    }

    /// For deals of one amount and each of several chances, as they have when they are created later and later; what
    /// they share is computed once.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn curve(
        total: &Total,
        goal: (Target, Level),
        (amount, chances): (Amount, &[Probability]),
        options: &ForecastOptions,
    ) -> Result<Vec<Self>> {
        let each: Vec<f64> = chances.iter().map(|p| p.get()).collect();
        let enough = total.enough(aim(goal), (amount.get(), &each), options)?;
        let kinds = chances.iter().map(|p| NewDeal::new(*p, amount));
        Ok(kinds.zip(enough).map(|(deal, enough)| Self::from(deal, enough)).collect())
    }

    fn from(deal: NewDeal, enough: Enough) -> Self {
        Self { deal, n_deals: enough.n, chance_reached: Probability::rounded(enough.chance) }
    }

    /// What kind of deal.
    pub const fn deal(&self) -> NewDeal {
        self.deal
    }

    /// How many of them; `None` where 10,000 are not enough.
    pub const fn n_deals(&self) -> Option<u32> {
        self.n_deals
    }

    /// Their amount together: what has to be created.
    pub fn amount(&self) -> Option<f64> {
        Some(f64::from(self.n_deals?) * self.deal.amount.get()).filter(|amount| amount.is_finite())
    }

    /// The part of it that is expected to be won inside the period.
    pub fn expected(&self) -> Option<f64> {
        Some(self.amount()? * self.deal.win_probability.get())
    }

    /// P(total >= target) with them; without any where no number is enough.
    pub const fn chance_reached(&self) -> Probability {
        self.chance_reached
    }
}

const fn aim((target, confidence): (Target, Level)) -> Goal {
    Goal { target: target.get(), confidence, most: MOST }
}

/// What new deals of one stage, created on one day, would have to amount to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RequiredOn {
    created: NaiveDate,
    required: RequiredDeals,
}

impl RequiredOn {
    /// The day on which they are created.
    pub const fn created(&self) -> NaiveDate {
        self.created
    }

    /// How many of them.
    pub const fn required(&self) -> RequiredDeals {
        self.required
    }
}

/// Of one stage: the curve over the days on which new deals may be created.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequiredInStage {
    stage: String,
    days: Vec<RequiredOn>,
}

impl RequiredInStage {
    /// The stage in which the deals are created.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// A point a day, from the day of the book to the last of the period.
    pub fn days(&self) -> &[RequiredOn] {
        &self.days
    }

    /// The last day on which a new deal of this stage has at least this chance to count, and its chance then.
    pub fn last_date(&self, least: Probability) -> Option<(NaiveDate, Probability)> {
        let chance = |on: &RequiredOn| on.required.deal.win_probability;
        let counts = |on: &&RequiredOn| chance(on) >= least && chance(on) > Probability::ZERO;
        self.days.iter().rev().find(counts).map(|on| (on.created, chance(on)))
    }
}

/// New open amount that lifts the chance of a target to a stated level, by stage in which and day on which it is created.
///
/// # Meaning
/// A new deal of a stage is worth what deals created lately in that stage are worth on average, and is won inside the
/// period as often as the model says of a deal that enters that stage on that day.
///
/// # Assumptions
/// New deals beyond those the forecast expects anyway, and like those created lately: who creates three times as many
/// may not find as good ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequiredPipeline {
    as_of: NaiveDateTime,
    period: Period,
    target: Target,
    confidence: Level,
    chance: Probability,
    stages: Vec<RequiredInStage>,
}

impl FittedModel {
    /// What has to be created to lift the chance of a target to a level: by stage, for every day that is left.
    ///
    /// # Errors
    /// Those of [`total`](Self::total).
    ///
    /// # Example: how much more, and by when?
    /// ```
    /// use dealcast::{ForecastModel, FiscalCalendar, Level, Probability, Target, time::date};
    /// use dealcast::synthetic::{Company, World};
    /// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
    /// let known = log.as_of(date(2023, 7, 10)?);
    /// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    /// let fitted = ForecastModel::default().fit(&known, &quarter)?;
    /// let target = Target::new(1.1 * fitted.forecast(&known.snapshot(), &quarter)?.mean())?;
    /// let goal = (target, Level::new(0.6)?);
    /// let required = fitted.required_pipeline(&known.snapshot(), &quarter, goal)?;
    /// let first = &required.stages()[0];
    /// let n_deals: Vec<_> = first.days().iter().map(|day| day.required().n_deals()).collect();
    /// assert_eq!(n_deals.len(), 83);
    /// assert!(n_deals[0] <= n_deals[30], "later deals count less, so more of them are needed");
    /// assert!(first.last_date(Probability::new(0.02)?).is_some());
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn required_pipeline(
        &self,
        book: &Snapshot,
        period: &Period,
        goal: (Target, Level),
    ) -> Result<RequiredPipeline> {
        let Newborn { amounts, .. } = self.newborn(book, period)?;
        let amounts = amounts.into_iter().map(Amount::new).collect::<Result<Vec<_>>>()?;
        self.required_with(book, period, goal, &amounts)
    }

    /// The same with deals of this amount, whatever was usual.
    ///
    /// # Errors
    /// As there.
    pub fn required_pipeline_of(
        &self,
        book: &Snapshot,
        period: &Period,
        goal: (Target, Level),
        amount: Amount,
    ) -> Result<RequiredPipeline> {
        self.required_with(book, period, goal, &vec![amount; self.process().open_stages().len()])
    }

    fn required_with(
        &self,
        book: &Snapshot,
        period: &Period,
        goal: (Target, Level),
        amounts: &[Amount],
    ) -> Result<RequiredPipeline> {
        let options = ForecastOptions::practical();
        let total = self.total(book, period, Split::Whole)?;
        let Newborn { chances, .. } = self.newborn(book, period)?;
        let first = day_number(book.as_of().date());
        let stages = self.process().open_stages().iter().zip(amounts).enumerate();
        let stages = stages.map(|(stage, (named, &amount))| {
            let of_stage: Vec<f64> =
                chances.iter().map(|day| day.get(stage).copied().unwrap_or(0.0)).collect();
            let enough = total.enough(aim(goal), (amount.get(), &of_stage), &options)?;
            let days = (first..).zip(of_stage).zip(enough).map(|((day, p), enough)| {
                let deal = NewDeal::new(Probability::rounded(p), amount);
                RequiredOn { created: civil_date(day), required: RequiredDeals::from(deal, enough) }
            });
            Ok(RequiredInStage { stage: named.name().to_owned(), days: days.collect() })
        });
        let (target, confidence) = goal;
        Ok(RequiredPipeline {
            as_of: book.as_of(),
            period: *period,
            target,
            confidence,
            stages: stages.collect::<Result<_>>()?,
            chance: chance(&total, target)?,
        })
    }
}

impl RequiredPipeline {
    /// The goal.
    pub const fn target(&self) -> Target {
        self.target
    }

    /// The level to which the chance is to be lifted.
    pub const fn confidence(&self) -> Level {
        self.confidence
    }

    /// The chance as it is.
    pub const fn chance(&self) -> Probability {
        self.chance
    }

    /// What was asked, stage by stage in process order.
    pub fn stages(&self) -> &[RequiredInStage] {
        &self.stages
    }
}

impl fmt::Display for RequiredPipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, confidence, chance, period, as_of, .. } = self;
        write!(f, "New pipeline for {confidence} confidence in {target} for {period}")?;
        write!(f, " as of {}\n  without it {chance}", as_of.format("%Y-%m-%d"))?;
        if chance.get() >= confidence.get() {
            return write!(f, ": nothing new is needed");
        }
        for RequiredInStage { stage, days } in &self.stages {
            write!(f, "\n  {stage:.40}")?;
            let rows = [0, days.len() / 4, days.len() / 2, 3 * days.len() / 4];
            let mut last = None;
            for on in rows.iter().filter_map(|&row| days.get(row)) {
                if last == Some(on.created) {
                    continue;
                }
                last = Some(on.created);
                let deal = on.required.deal;
                write!(f, "\n    created {}: ", on.created)?;
                if deal.win_probability.get() < SLIM {
                    write!(f, "too late, {} of new deals are won in time", deal.win_probability)?;
                    continue;
                }
                match (on.required.n_deals, on.required.amount()) {
                    (Some(n), Some(amount)) => {
                        let amount = Amount::new(amount).unwrap_or(Amount::ZERO);
                        let deals = if n == 1 { "deal" } else { "deals" };
                        write!(f, "{n} {deals} of {} = {amount}", deal.amount)?;
                    }
                    _ => write!(f, "not even {MOST} deals of {} are enough", deal.amount)?,
                }
                write!(f, ", {} of them won in time", deal.win_probability)?;
            }
            let least = Probability::rounded(SLIM);
            match self.last_date_of(stage, least) {
                Some((day, _)) => {
                    write!(f, "\n    after {day} less than {least} of new deals are won in time")?;
                }
                None => write!(f, "\n    less than {least} of new deals are won in time")?,
            }
        }
        Ok(())
    }
}

impl RequiredPipeline {
    fn last_date_of(&self, stage: &str, least: Probability) -> Option<(NaiveDate, Probability)> {
        self.stages.iter().find(|of| of.stage == stage)?.last_date(least)
    }
}
