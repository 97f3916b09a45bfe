//! What is fitted, and how.

use super::calibration::{Calibration, Learned};
use super::fitted::{Basis, FittedModel};
use super::replay::Record;
use crate::deals::Known;
use crate::history::{History, Past};
use crate::model::process::{Parts, Process};
use crate::time::{Period, civil_date, day_number};
use crate::{Error, ErrorKind, Result};

/// Longest look ahead in days: five years.
pub(crate) const LONGEST: i32 = 1830;
/// Most past forecasts a fit replays: three half-lives of what is learned from them.
const MOST_RECORDS: i32 = 48;

/// A part of the default model that can be left out, to see what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The level now: drift of every transition against its long memory.
    Level,
    /// Attributes known when a deal is created.
    Attributes,
    /// Weekdays.
    Calendar,
    /// Months of the year, of new deals and of what becomes of them.
    Seasons,
    /// What the rep says: expected close date and category, as they were at the time.
    RepSignals,
    /// Observed over expected from the model's own past forecasts.
    ObservedExpected,
    /// The shock that all deals share; without it deals are independent, and intervals too narrow.
    SharedShock,
}

impl Part {
    /// Every part, in the order in which they act.
    ///
    /// # Example: a model of nothing but hazards by age
    /// ```
    /// use dealcast::{ForecastModel, fit::Part};
    /// let bare = Part::ALL.into_iter().fold(ForecastModel::default(), ForecastModel::without);
    /// assert_ne!(bare, ForecastModel::default());
    /// ```
    pub const ALL: [Self; 7] = [
        Self::Level,
        Self::Attributes,
        Self::Calendar,
        Self::Seasons,
        Self::RepSignals,
        Self::ObservedExpected,
        Self::SharedShock,
    ];
}

/// The default model and its options.
///
/// Fitting learns how deals move, by stage and by days in the stage; how many are created and what they look like; and
/// from its own past forecasts how far those were off and how strongly deals share their luck.
///
/// # Example: from rows to the chance of hitting a target
/// ```
/// use dealcast::{Amount, ForecastModel, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let known = log.as_of(date(2023, 7, 1)?);
/// let quarter = dealcast::FiscalCalendar::calendar().quarter_at(known.at())?;
/// let fitted = ForecastModel::default().fit(&known, &quarter)?;
/// let forecast = fitted.forecast(&known.snapshot(), &quarter)?;
/// let sure = forecast.chance_of_hitting(Amount::new(forecast.mean() / 2.0)?);
/// assert!(sure > forecast.chance_of_hitting(Amount::new(forecast.mean() * 2.0)?));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastModel {
    parts: Parts,
    learned: Learned,
}

impl Default for ForecastModel {
    fn default() -> Self {
        Self { parts: Parts::ALL, learned: Learned { signals: true, ratio: true, shock: true } }
    }
}

impl ForecastModel {
    /// The same without a part.
    #[must_use]
    pub const fn without(mut self, part: Part) -> Self {
        match part {
            Part::Level => self.parts.level = false,
            Part::Attributes => self.parts.attributes = false,
            Part::Calendar => self.parts.calendar = false,
            Part::Seasons => self.parts.seasons = false,
            Part::RepSignals => self.learned.signals = false,
            Part::ObservedExpected => self.learned.ratio = false,
            Part::SharedShock => self.learned.shock = false,
        }
        self
    }

    /// Learns from what is known, for forecasts of this period.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) where no deal is known, [`InvalidPeriod`](ErrorKind::InvalidPeriod) where the
    /// period is over, [`TooLarge`](ErrorKind::TooLarge) where it ends more than five years ahead.
    pub fn fit(&self, known: &Known<'_>, period: &Period) -> Result<FittedModel> {
        let history = History::of(known);
        let horizon = horizon(history.day, period)?;
        let records: Vec<Record> = Grid::before(history.day, horizon)
            .origins(history.at(history.day))
            .into_iter()
            .map(|day| self.replay(known, &history, (day, horizon)))
            .collect();
        self.fit_past(known, history.at(history.day), (horizon, &records))
    }

    pub(crate) const fn parts(&self) -> Parts {
        self.parts
    }

    /// The record of one past origin.
    pub(crate) fn replay(&self, known: &Known<'_>, history: &History, (day, horizon): (i32, i32)) -> Record {
        if known.has_late_facts() {
            // What became known late must not help: each origin has the history that was known then.
            let then = History::of(&known.as_of(civil_date(day)));
            let outcome = History::of(&known.once_known(civil_date(day + horizon)));
            Record::replay(then.at(day), &outcome, horizon, self.parts)
        } else {
            Record::replay(history.at(day), history, horizon, self.parts)
        }
    }

    /// The fit itself, once the past has been replayed.
    pub(crate) fn fit_past(
        &self,
        known: &Known<'_>,
        past: Past<'_>,
        (horizon, records): (i32, &[Record]),
    ) -> Result<FittedModel> {
        if past.visits().next().is_none() {
            return Err(Error::new(
                ErrorKind::NoHistory,
                "at least one deal that was in a stage before the origin",
            ));
        }
        let process = Process::learn(past, horizon, self.parts);
        let step = Grid::before(past.day, horizon).step;
        let calibration = Calibration::learn(records, past.day, (horizon, step), self.learned);
        let n_won = past.visits().filter(|v| v.stage == past.history.won()).count();
        Ok(FittedModel::new(
            known.process(),
            known.at(),
            horizon,
            Basis::Fitted { process, calibration, n_won },
        ))
    }
}

/// Days from an origin to the end of a period.
pub(crate) fn horizon(origin: i32, period: &Period) -> Result<i32> {
    let horizon = day_number(period.end()).saturating_sub(origin);
    match horizon {
        ..=0 => Err(Error::new(ErrorKind::InvalidPeriod, "a period that ends after the day of the forecast")
            .found(period)
            .field("period")),
        _ => within_reach(horizon).map(|()| horizon),
    }
}

/// Whether a number of days ahead is within five years.
pub(crate) fn within_reach(days: i32) -> Result<()> {
    if days <= LONGEST {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge, "a period that ends within five years of the forecast")
        .found(format!("{days} days"))
        .field("period"))
}

/// The origins of replay: a quarter of the horizon apart, in whole weeks, the last one a whole horizon ago.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    last: i32,
    horizon: i32,
    pub step: i32,
}

impl Grid {
    pub(crate) const fn before(origin: i32, horizon: i32) -> Self {
        let step = horizon / 28 * 7;
        let weeks = (horizon + 6) / 7;
        Self { last: origin - 7 * weeks, horizon, step: if step < 7 { 7 } else { step } }
    }

    /// Those with at least half a horizon of history before them, oldest first.
    pub(crate) fn origins(self, past: Past<'_>) -> Vec<i32> {
        let Some(first) = past.first_day() else { return Vec::new() };
        let earliest = first.saturating_add(self.horizon / 2);
        let mut days: Vec<i32> = (0..MOST_RECORDS).map(|back| self.last - back * self.step).collect();
        days.retain(|&day| day > earliest);
        days.reverse();
        days
    }
}
