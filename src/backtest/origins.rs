//! Rolling origins: the folds of a backtest, as data.

use crate::time::{Period, civil_date, day_number};
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Most origins of one plan.
const MOST: i64 = 10_000;

/// Origins at a fixed step, each with a window of the same length that begins at it.
///
/// # Example: every Monday of a quarter, four weeks ahead
/// ```
/// use dealcast::{backtest::RollingOrigin, time::date};
/// let plan = RollingOrigin::new((date(2026, 1, 5)?, date(2026, 3, 30)?), 7, 28)?;
/// assert_eq!(plan.windows().count(), 13);
/// assert_eq!(plan.windows().next().unwrap().to_string(), "2026-01-05 to 2026-02-01");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Plan", into = "Plan")]
pub struct RollingOrigin(Plan);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    from: NaiveDate,
    to: NaiveDate,
    step_days: u32,
    horizon_days: u32,
}

impl TryFrom<Plan> for RollingOrigin {
    type Error = Error;
    fn try_from(plan: Plan) -> Result<Self> {
        Self::new((plan.from, plan.to), plan.step_days, plan.horizon_days)
    }
}

impl From<RollingOrigin> for Plan {
    fn from(plan: RollingOrigin) -> Self {
        plan.0
    }
}

impl RollingOrigin {
    /// Origins from the first to the last date, both included, `step_days` apart; windows of `horizon_days`.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) where the last date lies before the first or the step or the horizon
    /// is 0; [`TooLarge`](ErrorKind::TooLarge) for more than 10,000 origins.
    pub fn new((from, to): (NaiveDate, NaiveDate), step_days: u32, horizon_days: u32) -> Result<Self> {
        let plan = |expected: &'static str| Error::new(ErrorKind::InvalidPeriod, expected).field("origins");
        if to < from || step_days == 0 {
            return Err(plan("a last origin not before the first, and a step of at least a day"));
        }
        Period::days(from, horizon_days)?;
        let span = i64::from(day_number(to)) - i64::from(day_number(from));
        if span / i64::from(step_days) >= MOST {
            return Err(Error::new(ErrorKind::TooLarge, "at most 10,000 origins").field("origins"));
        }
        Ok(Self(Plan { from, to, step_days, horizon_days }))
    }

    /// The windows, each beginning at its origin.
    pub fn windows(&self) -> impl Iterator<Item = Period> + '_ {
        let (first, last) = (day_number(self.0.from), day_number(self.0.to));
        let step = usize::try_from(self.0.step_days).unwrap_or(usize::MAX);
        (first..=last).step_by(step).filter_map(|day| Period::days(civil_date(day), self.0.horizon_days).ok())
    }

    /// Days between origins.
    pub const fn step_days(&self) -> u32 {
        self.0.step_days
    }

    /// Days from an origin to the end of its window.
    pub const fn horizon_days(&self) -> u32 {
        self.0.horizon_days
    }
}
