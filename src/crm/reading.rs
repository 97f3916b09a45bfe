//! How an export is to be read, where it does not say so itself.

use crate::deals::{Mode, Rates};
use crate::time::{read, seconds};
use crate::{Error, ErrorKind, Result};
use chrono::{FixedOffset, NaiveDateTime, Offset, Utc};

/// How an export is read.
///
/// # Example: a company in Berlin in summer, no bad row tolerated
/// ```
/// use chrono::FixedOffset;
/// use dealcast::crm::Reading;
/// let reading = Reading::default().zone(FixedOffset::east_opt(2 * 3600).unwrap()).strict();
/// # let _ = reading;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading<'r> {
    pub(super) mode: Mode,
    zone: FixedOffset,
    /// Where the clock stood that wrote instants without an offset, if not in the business zone.
    pub(super) clock: Option<FixedOffset>,
    dates: Option<DateOrder>,
    pub(super) since: Option<i64>,
    pub(super) fixed: &'r [&'r str],
    pub(super) rates: Option<&'r Rates>,
}

/// Which comes first in dates such as 05/01/2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateOrder {
    /// 05/01/2024 is the fifth of January.
    DayFirst,
    /// 05/01/2024 is the first of May.
    MonthFirst,
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            mode: Mode::Collect,
            zone: Utc.fix(),
            clock: None,
            dates: None,
            since: None,
            fixed: &[],
            rates: None,
        }
    }
}

impl<'r> Reading<'r> {
    /// The business zone: instants written with an offset are converted to it, others are in it already.
    #[must_use]
    pub const fn zone(mut self, zone: FixedOffset) -> Self {
        self.zone = zone;
        self
    }

    /// Instants written without an offset are in this zone, not in the business zone. Dates alone are dates.
    #[must_use]
    pub const fn written_in(mut self, zone: FixedOffset) -> Self {
        self.clock = Some(zone);
        self
    }

    /// The first bad row is an error.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.mode = Mode::Strict;
        self
    }

    /// What happens at a bad row.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Dates such as 05/01/2024 or 5.1.2024 are in this order; without it they are refused.
    #[must_use]
    pub const fn dates(mut self, order: DateOrder) -> Self {
        self.dates = Some(order);
        self
    }

    /// The history of changes begins at this instant: deals created earlier were found then, in whatever stage the first
    /// change after it says they left.
    #[must_use]
    pub fn history_since(mut self, start: impl Into<NaiveDateTime>) -> Self {
        self.since = Some(seconds(start.into()));
        self
    }

    /// Columns of the deal that do not change after its creation, such as the lead source: they are known from then on.
    /// Of all others an export knows only the values of today, which count from its last modification: to use them for a
    /// past date would be look-ahead.
    #[must_use]
    pub const fn fixed(mut self, columns: &'r [&'r str]) -> Self {
        self.fixed = columns;
        self
    }

    /// Amounts in other currencies are converted; without rates a second currency is an error.
    #[must_use]
    pub const fn rates(mut self, rates: &'r Rates) -> Self {
        self.rates = Some(rates);
        self
    }

    /// Seconds of civil time in the business zone.
    pub(super) fn instant(&self, text: &str, field: &'static str) -> Result<i64> {
        match (self.civil(text), self.dates) {
            (Ok(at), _) => Ok(at),
            (Err(error), None) => Err(error.field(field)),
            (Err(error), Some(order)) => {
                let iso = order.iso(text.trim_ascii()).ok_or_else(|| error.field(field))?;
                self.civil(&iso).map_err(|error| error.field(field).found(text))
            }
        }
    }

    fn civil(&self, text: &str) -> Result<i64> {
        match self.clock {
            // A date alone is a date in every zone.
            Some(clock) if text.trim_ascii().len() > 10 => {
                let ahead = self.zone.local_minus_utc() - clock.local_minus_utc();
                read::instant(text, clock).map(|at| at.saturating_add(ahead.into()))
            }
            _ => read::instant(text, self.zone),
        }
    }

    /// The civil day of an instant.
    pub(super) fn day(&self, text: &str, field: &'static str) -> Result<i32> {
        self.instant(text, field).map(crate::time::civil_day)
    }

    /// An instant that may be missing.
    pub(super) fn instant_if(&self, cell: Option<&String>, field: &'static str) -> Result<Option<i64>> {
        super::cell::stated(cell).map(|text| self.instant(text, field)).transpose()
    }

    /// The instant of an event: one that is needed.
    pub(super) fn at(&self, cell: Option<&String>, field: &'static str) -> Result<i64> {
        self.instant(super::cell::needed(cell, field)?, field)
    }
}

impl DateOrder {
    /// The same text with its date as 2024-01-05; `None` where it has no such date.
    fn iso(self, text: &str) -> Option<String> {
        let (date, time) = text.split_at(text.find([' ', 'T']).unwrap_or(text.len()));
        let separator = date.chars().find(|c| !c.is_ascii_digit()).filter(|c| ['/', '.', '-'].contains(c))?;
        let parts: Vec<&str> = date.split(separator).collect();
        let &[first, second, year] = parts.as_slice() else { return None };
        let (day, month) = match self {
            Self::DayFirst => (first, second),
            Self::MonthFirst => (second, first),
        };
        let fits = (1..=2).contains(&day.len()) && (1..=2).contains(&month.len()) && year.len() == 4;
        fits.then(|| format!("{year}-{month:0>2}-{day:0>2}{time}"))
    }
}

/// A row that the reader of the file could not take at all.
pub(super) fn unreadable_row(error: &impl std::error::Error) -> Error {
    Error::new(ErrorKind::Unreadable, "a row of the table").field("row").found(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::civil;
    use DateOrder::{DayFirst, MonthFirst};

    #[test]
    fn the_order_of_day_and_month_is_said_never_guessed() {
        let read = |order: Option<DateOrder>, text: &str| {
            let reading = Reading { dates: order, ..Reading::default() };
            reading.instant(text, "at").ok().map(|at| civil(at).to_string())
        };
        for (order, text, expected) in [
            (None, "05/01/2024", None),
            (Some(DayFirst), "05/01/2024", Some("2024-01-05 00:00:00")),
            (Some(MonthFirst), "05/01/2024", Some("2024-05-01 00:00:00")),
            (Some(DayFirst), "5.1.2024 6:49:18", Some("2024-01-05 06:49:18")),
            (Some(MonthFirst), "13/01/2024", None),
            (Some(DayFirst), "05/01/24", None),
            (Some(DayFirst), "5/1/2024 noon", None),
            (Some(DayFirst), "2024-01-05T00:00:00Z", Some("2024-01-05 00:00:00")),
            (Some(DayFirst), "é/1/2024", None),
        ] {
            assert_eq!(read(order, text).as_deref(), expected, "{text}");
        }
    }
}
