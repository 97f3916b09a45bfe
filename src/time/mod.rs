//! Civil time: periods, fiscal calendars, buckets. The only door to chrono's arithmetic.
//!
//! All times are civil times in one business time zone that the caller chose. Inside the crate an instant is a whole
//! number of seconds and a day a whole number of days since 1970-01-01: integers compare and subtract without
//! surprises, while chrono's operators panic at the ends of its range.

mod fiscal;
mod instant;
mod period;
pub(crate) mod read;

pub use fiscal::{FiscalCalendar, WeekPattern};
#[allow(unused_imports, reason = "the vocabulary of the rooms below; not every build uses every word")]
pub(crate) use instant::{DAY, civil, civil_date, civil_day, day_number, seconds};
pub use period::{Buckets, Period};

use crate::{Error, ErrorKind, Result};
use chrono::NaiveDate;

/// A civil date, refused when the calendar does not have it.
///
/// # Errors
/// [`InvalidPeriod`](ErrorKind::InvalidPeriod) for a day that does not exist.
///
/// # Example
/// ```
/// use dealcast::time::date;
/// assert_eq!(date(2026, 3, 10)?.to_string(), "2026-03-10");
/// assert!(date(2026, 2, 30).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn date(year: i32, month: u32, day: u32) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| {
        Error::new(ErrorKind::InvalidPeriod, "a date of the calendar")
            .field("date")
            .found(format_args!("{year:04}-{month:02}-{day:02}"))
    })
}
