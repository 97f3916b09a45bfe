//! Rolling origins: the folds of a backtest, as data.

use crate::time::{Period, civil_date, day_number};
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Most windows of one plan.
const MOST: i64 = 10_000;

/// Origins at a fixed step, each with a window, or one of each of several lengths, that begins at it.
///
/// # Example: every Monday of a quarter, two, four and six weeks ahead
/// ```
/// use dealcast::{backtest::RollingOrigin, time::date};
/// let plan = RollingOrigin::new((date(2026, 1, 5)?, date(2026, 3, 30)?), 7, 28)?;
/// assert_eq!(plan.windows().count(), 13);
/// assert_eq!(plan.windows().next().unwrap().to_string(), "2026-01-05 to 2026-02-01");
/// assert_eq!(plan.with_horizons([14, 28, 42])?.windows().count(), 39);
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
    /// Rising, each once.
    horizons_days: Vec<u32>,
}

impl TryFrom<Plan> for RollingOrigin {
    type Error = Error;
    fn try_from(plan: Plan) -> Result<Self> {
        Self::checked(plan)
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
    /// is 0; [`TooLarge`](ErrorKind::TooLarge) for more than 10,000 windows.
    pub fn new((from, to): (NaiveDate, NaiveDate), step_days: u32, horizon_days: u32) -> Result<Self> {
        Self::checked(Plan { from, to, step_days, horizons_days: vec![horizon_days] })
    }

    /// The same origins with windows of these lengths instead.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`InvalidPeriod`](ErrorKind::InvalidPeriod) without a length.
    pub fn with_horizons(self, horizons_days: impl IntoIterator<Item = u32>) -> Result<Self> {
        Self::checked(Plan { horizons_days: horizons_days.into_iter().collect(), ..self.0 })
    }

    fn checked(mut plan: Plan) -> Result<Self> {
        let refused =
            |expected: &'static str| Error::new(ErrorKind::InvalidPeriod, expected).field("origins");
        if plan.to < plan.from || plan.step_days == 0 {
            return Err(refused("a last origin not before the first, and a step of at least a day"));
        }
        if plan.horizons_days.is_empty() {
            return Err(refused("at least one length of a window"));
        }
        plan.horizons_days.sort_unstable();
        plan.horizons_days.dedup();
        for &days in &plan.horizons_days {
            Period::days(plan.from, days)?;
        }
        let span = i64::from(day_number(plan.to)) - i64::from(day_number(plan.from));
        let lengths = i64::try_from(plan.horizons_days.len()).unwrap_or(i64::MAX);
        if (span / i64::from(plan.step_days) + 1).saturating_mul(lengths) > MOST {
            return Err(Error::new(ErrorKind::TooLarge, "at most 10,000 windows").field("origins"));
        }
        Ok(Self(plan))
    }

    /// The windows, each beginning at its origin: by origin, then by length.
    pub fn windows(&self) -> impl Iterator<Item = Period> + '_ {
        let (first, last) = (day_number(self.0.from), day_number(self.0.to));
        let step = usize::try_from(self.0.step_days).unwrap_or(usize::MAX);
        let origins = (first..=last).step_by(step);
        let lengths = |day: i32| {
            self.0.horizons_days.iter().filter_map(move |&n| Period::days(civil_date(day), n).ok())
        };
        origins.flat_map(lengths)
    }

    /// Days between origins.
    pub const fn step_days(&self) -> u32 {
        self.0.step_days
    }

    /// Days from an origin to the end of its window, shortest first.
    pub fn horizons_days(&self) -> &[u32] {
        &self.0.horizons_days
    }
}
