//! Half-open periods of civil days and their division into buckets.

use super::{DAY, civil, civil_date, day_number, seconds};
use crate::{Error, ErrorKind, Result};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A period `[start, end)` of at least one civil day: its first day belongs to it, `end` is the first day that does not.
///
/// # Example: is this instant in the quarter?
/// ```
/// use dealcast::time::{Period, date};
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// assert!(quarter.contains(date(2026, 3, 31)?.and_hms_opt(23, 59, 59).unwrap()));
/// assert!(!quarter.contains(date(2026, 4, 1)?.into()));
/// assert_eq!((quarter.n_days(), quarter.to_string()), (90, "2026-01-01 to 2026-03-31".to_owned()));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Ends")]
pub struct Period {
    start: NaiveDate,
    end: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    start: NaiveDate,
    end: NaiveDate,
}

impl TryFrom<Ends> for Period {
    type Error = Error;
    fn try_from(ends: Ends) -> Result<Self> {
        Self::new(ends.start, ends.end)
    }
}

impl Period {
    /// From the first day to the first day after it.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) unless `start < end`.
    pub fn new(start: NaiveDate, end: NaiveDate) -> Result<Self> {
        if start < end {
            Ok(Self { start, end })
        } else {
            let found = format!("{start} to {end}");
            Err(Error::new(ErrorKind::InvalidPeriod, "a start before its end").field("period").found(found))
        }
    }

    /// The `n_days` days from `start` on.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) for no days, or where the calendar ends before the period does.
    ///
    /// ```
    /// use dealcast::time::{Period, date};
    /// assert_eq!(Period::days(date(2026, 2, 1)?, 28)?.end(), date(2026, 3, 1)?);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn days(start: NaiveDate, n_days: u32) -> Result<Self> {
        match start.checked_add_days(Days::new(n_days.into())) {
            Some(end) => Self::new(start, end),
            None => Err(Error::new(ErrorKind::InvalidPeriod, "an end within the calendar")
                .field("n_days")
                .found(n_days)),
        }
    }

    /// The first day.
    pub const fn start(&self) -> NaiveDate {
        self.start
    }

    /// The first day that no longer belongs to it.
    pub const fn end(&self) -> NaiveDate {
        self.end
    }

    /// How many civil days it has; at least 1.
    pub fn n_days(&self) -> u32 {
        day_number(self.end).abs_diff(day_number(self.start))
    }

    /// Whether an instant falls into it.
    pub fn contains(&self, at: NaiveDateTime) -> bool {
        (self.start..self.end).contains(&at.date())
    }

    /// The share of it that has passed at an instant: 0 before it begins, 1 from its end on, to the second.
    ///
    /// ```
    /// use dealcast::time::{Period, date};
    /// let days = Period::days(date(2026, 3, 1)?, 4)?;
    /// assert_eq!(days.elapsed_fraction(date(2026, 3, 2)?.into()), 0.25);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn elapsed_fraction(&self, at: NaiveDateTime) -> f64 {
        let start = i64::from(day_number(self.start)) * DAY;
        let length = i64::from(self.n_days()) * DAY;
        exact(seconds(at).saturating_sub(start).clamp(0, length)) / exact(length)
    }

    /// The instant at which as large a share of this period has passed as of another one at `at`; to the second, cut off.
    ///
    /// ```
    /// use dealcast::time::{Period, date};
    /// let (now, before) = (Period::days(date(2026, 3, 1)?, 10)?, Period::days(date(2026, 2, 1)?, 20)?);
    /// assert_eq!(before.same_point(&now, date(2026, 3, 3)?.into()), date(2026, 2, 5)?.into());
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn same_point(&self, other: &Self, at: NaiveDateTime) -> NaiveDateTime {
        let length = |period: &Self| i128::from(period.n_days()) * i128::from(DAY);
        let start = |period: &Self| i64::from(day_number(period.start)) * DAY;
        let passed = i128::from(seconds(at).saturating_sub(start(other))).clamp(0, length(other));
        // At most the length of this period, which is an i64.
        let point = i64::try_from(passed * length(self) / length(other)).unwrap_or(0);
        civil(start(self).saturating_add(point))
    }

    /// Its weeks: seven days each, counted from its start; the last one may be shorter.
    ///
    /// ```
    /// use dealcast::time::{Period, date};
    /// let lengths: Vec<u32> = Period::days(date(2026, 3, 1)?, 16)?.weeks().map(|week| week.n_days()).collect();
    /// assert_eq!(lengths, [7, 7, 2]);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn weeks(&self) -> Buckets {
        Buckets { rest: Some(*self), by: By::Weeks }
    }

    /// Its calendar months; the first and the last one may be cut by the period's ends.
    ///
    /// ```
    /// use dealcast::time::{Period, date};
    /// let period = Period::new(date(2026, 1, 31)?, date(2026, 3, 2)?)?;
    /// assert_eq!(period.months().map(|month| month.n_days()).collect::<Vec<_>>(), [1, 28, 1]);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn months(&self) -> Buckets {
        Buckets { rest: Some(*self), by: By::Months }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, civil_date(day_number(self.end).saturating_sub(1)))
    }
}

/// Seconds within chrono's range as a number: below 2^53, so exact.
#[allow(clippy::cast_precision_loss, reason = "the whole calendar is 1.7e13 seconds long")]
const fn exact(seconds: i64) -> f64 {
    seconds as f64
}

/// Consecutive sub-periods that cover a [`Period`] without a gap; an iterator, so that a long period costs no memory.
#[derive(Clone, Debug)]
pub struct Buckets {
    rest: Option<Period>,
    by: By,
}

#[derive(Clone, Copy, Debug)]
enum By {
    Weeks,
    Months,
}

impl Iterator for Buckets {
    type Item = Period;

    fn next(&mut self) -> Option<Period> {
        let rest = self.rest.take()?;
        let end = match self.by {
            By::Weeks => rest.start.checked_add_days(Days::new(7)),
            By::Months => rest.start.with_day(1).and_then(|first| first.checked_add_months(Months::new(1))),
        };
        let end = end.map_or(rest.end, |end| end.min(rest.end));
        self.rest = Period::new(end, rest.end).ok();
        Some(Period { start: rest.start, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::date;
    use proptest::prelude::*;

    #[test]
    fn no_period_without_a_day() {
        let day = date(2026, 3, 10).unwrap();
        assert!(Period::new(day, day).is_err() && Period::days(day, 0).is_err());
        assert!(Period::days(day, u32::MAX).is_err());
        assert!(serde_json::from_str::<Period>(r#"{"start":"2026-03-10","end":"2026-03-09"}"#).is_err());
    }

    #[test]
    fn the_longest_period() {
        let all = Period::new(NaiveDate::MIN, NaiveDate::MAX).unwrap();
        assert_eq!(all.elapsed_fraction(NaiveDateTime::MAX), 1.0);
        assert_eq!(all.elapsed_fraction(NaiveDateTime::MIN), 0.0);
        assert_eq!(all.months().map(|month| u64::from(month.n_days())).sum::<u64>(), u64::from(all.n_days()));
    }

    proptest! {
        #[test]
        fn buckets_cover_the_period(start in -20_000i32..20_000, n_days in 1u32..2_000) {
            let period = Period::days(civil_date(start), n_days).unwrap();
            for buckets in [period.weeks(), period.months()] {
                let mut next = period.start();
                for bucket in buckets {
                    prop_assert_eq!(bucket.start(), next);
                    next = bucket.end();
                }
                prop_assert_eq!(next, period.end());
            }
        }

        #[test]
        fn the_same_point_has_the_same_share(
            start in -20_000i32..20_000, n_days in 1u32..400, other in 1u32..400, second in -1_000i64..40_000_000,
        ) {
            let period = Period::days(civil_date(start), n_days).unwrap();
            let other = Period::days(civil_date(start - 500), other).unwrap();
            let at = civil(i64::from(start) * DAY + second);
            let point = other.same_point(&period, at);
            let length = exact(i64::from(other.n_days()) * DAY);
            let [share, of] = [other.elapsed_fraction(point), period.elapsed_fraction(at)];
            prop_assert!(share <= of + 1e-15 && of - share < 1.0 / length + 1e-15, "{} {}", share, of);
            prop_assert_eq!(period.same_point(&period, at), at.clamp(period.start.into(), period.end.into()));
        }

        #[test]
        fn serde_round_trip(start in -200_000i32..200_000, n_days in 1u32..2_000) {
            let period = Period::days(civil_date(start), n_days).unwrap();
            let text = serde_json::to_string(&period).unwrap();
            prop_assert_eq!(serde_json::from_str::<Period>(&text).unwrap(), period);
        }
    }
}
