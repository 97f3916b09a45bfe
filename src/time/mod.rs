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
use chrono::{FixedOffset, NaiveDate, NaiveDateTime};

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

/// An instant as exports write it, in the civil time of the business zone: RFC 3339 and its relatives (`T` or a space,
/// one-digit hours, no seconds, `+0200`), a date alone as its midnight, milliseconds since 1970. Parts of a second are
/// cut off. A text with an offset is converted to `zone`, one without is in it already.
///
/// # Errors
/// [`Unreadable`](ErrorKind::Unreadable), also for 05/01/2024, whose day and month would have to be guessed.
///
/// # Example: a deal of the last evening of March, seen from Berlin
/// ```
/// use chrono::FixedOffset;
/// use dealcast::time::{date, instant};
/// let berlin = FixedOffset::east_opt(2 * 3600).unwrap();
/// assert_eq!(instant("2026-03-31T22:30:00Z", berlin)?.date(), date(2026, 4, 1)?);
/// assert_eq!(instant("2026-03-31 22:30", berlin)?.date(), date(2026, 3, 31)?);
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn instant(text: &str, zone: FixedOffset) -> Result<NaiveDateTime> {
    read::instant(text, zone).map(civil).map_err(|error| error.field("instant"))
}
