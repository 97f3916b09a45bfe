//! The company's year: calendar months from any start month, or whole weeks in a 4-4-5 pattern.

use super::{Period, civil_date, date, day_number};
use crate::{Error, ErrorKind, Result};
use chrono::{Datelike, Month, NaiveDate, NaiveDateTime, Weekday};
use serde::{Deserialize, Serialize};

/// Weeks of the three months of each quarter in a weeks-based year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WeekPattern {
    /// Four, four and five weeks.
    W445,
    /// Four, five and four weeks (the retail calendar).
    W454,
    /// Five, four and four weeks.
    W544,
}

/// How a company divides its year.
///
/// Fiscal years are named by the calendar year of their start month; quarters (1 to 4) and months (1 to 12) count
/// within the fiscal year.
///
/// # Example: which quarter is it?
/// ```
/// use chrono::Month;
/// use dealcast::time::{FiscalCalendar, date};
/// let calendar = FiscalCalendar::starting(Month::February);
/// let quarter = calendar.quarter_at(date(2026, 3, 10)?.into())?;
/// assert_eq!(quarter.to_string(), "2026-02-01 to 2026-04-30");
/// assert_eq!(calendar.quarter(2026, 1)?, quarter);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiscalCalendar {
    first_month: Month,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weeks: Option<(WeekPattern, Weekday)>,
}

impl FiscalCalendar {
    /// Calendar months, the year starting on the 1st of January.
    pub const fn calendar() -> Self {
        Self::starting(Month::January)
    }

    /// Calendar months, the year starting on the 1st of `first_month`.
    pub const fn starting(first_month: Month) -> Self {
        Self { first_month, weeks: None }
    }

    /// Whole weeks: the year starts on the `first_day` nearest to the 1st of the start month (three days before to
    /// three after) and has 52 weeks, or 53, the additional one in its last month.
    ///
    /// ```
    /// use chrono::{Month, Weekday};
    /// use dealcast::time::{FiscalCalendar, WeekPattern};
    /// let retail = FiscalCalendar::starting(Month::February).in_weeks(WeekPattern::W454, Weekday::Sun);
    /// assert_eq!(retail.year(2023)?.to_string(), "2023-01-29 to 2024-02-03");
    /// assert_eq!(retail.month(2023, 12)?.n_days(), 35);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    #[must_use]
    pub const fn in_weeks(self, pattern: WeekPattern, first_day: Weekday) -> Self {
        Self { weeks: Some((pattern, first_day)), ..self }
    }

    /// The fiscal year that starts in (weeks-based: nearest to) the start month of this calendar year.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) at the ends of the calendar.
    pub fn year(self, year: i32) -> Result<Period> {
        self.months(year, 0..12)
    }

    /// A quarter, 1 to 4, of a fiscal year.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) for another number, or at the ends of the calendar.
    pub fn quarter(self, year: i32, quarter: u32) -> Result<Period> {
        match quarter {
            1..=4 => self.months(year, (quarter - 1) * 3..quarter * 3),
            _ => Err(out_of_year("quarter", "a quarter from 1 to 4", quarter)),
        }
    }

    /// A month, 1 to 12, of a fiscal year.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) for another number, or at the ends of the calendar.
    pub fn month(self, year: i32, month: u32) -> Result<Period> {
        match month {
            1..=12 => self.months(year, month - 1..month),
            _ => Err(out_of_year("month", "a month from 1 to 12", month)),
        }
    }

    /// The fiscal year an instant falls into.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) at the ends of the calendar.
    pub fn year_at(self, at: NaiveDateTime) -> Result<Period> {
        self.year(self.year_of(at)?)
    }

    /// The fiscal quarter an instant falls into.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) at the ends of the calendar.
    pub fn quarter_at(self, at: NaiveDateTime) -> Result<Period> {
        let year = self.year_of(at)?;
        the_one(at, (1..=4).map(|quarter| self.quarter(year, quarter)))
    }

    /// The fiscal month an instant falls into.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) at the ends of the calendar.
    pub fn month_at(self, at: NaiveDateTime) -> Result<Period> {
        let year = self.year_of(at)?;
        the_one(at, (1..=12).map(|month| self.month(year, month)))
    }

    /// The period right before one, of its kind: the month, quarter or year before where it is a month, quarter or year
    /// of this calendar, otherwise as many days.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) at the ends of the calendar.
    ///
    /// ```
    /// use dealcast::time::{FiscalCalendar, date};
    /// let calendar = FiscalCalendar::calendar();
    /// let february = calendar.month(2026, 2)?;
    /// assert_eq!(calendar.before(&february)?, calendar.month(2026, 1)?);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn before(self, period: &Period) -> Result<Period> {
        let first = day_number(period.start());
        let last = civil_date(first.saturating_sub(1)).into();
        for kind in [Self::month_at, Self::quarter_at, Self::year_at] {
            if kind(self, period.start().into()).is_ok_and(|of| of == *period) {
                return kind(self, last);
            }
        }
        let length = i32::try_from(period.n_days()).unwrap_or(i32::MAX);
        Period::new(civil_date(first.saturating_sub(length)), period.start())
    }

    /// The name of the fiscal year an instant falls into.
    fn year_of(self, at: NaiveDateTime) -> Result<i32> {
        let near = at.year();
        for year in [near, near.saturating_sub(1), near.saturating_add(1)] {
            if self.year(year)?.contains(at) {
                return Ok(year);
            }
        }
        Err(off_the_calendar(at))
    }

    fn months(self, year: i32, months: std::ops::Range<u32>) -> Result<Period> {
        Period::new(self.start_of(year, months.start)?, self.start_of(year, months.end)?)
    }

    /// First day of month 0..12 of the fiscal year; month 12 is the next year's month 0, so that a 53rd week has a home.
    fn start_of(self, year: i32, month: u32) -> Result<NaiveDate> {
        if month == 12 {
            return self.start_of(year.saturating_add(1), 0);
        }
        let Some((pattern, first_day)) = self.weeks else {
            let months = self.first_month.number_from_month() - 1 + month;
            return date(year.saturating_add(i32::from(months >= 12)), months % 12 + 1, 1);
        };
        let first = date(year, self.first_month.number_from_month(), 1)?;
        let ahead = (7 + first_day.num_days_from_monday() - first.weekday().num_days_from_monday()) % 7;
        let weeks = month / 3 * 13 + pattern.weeks_before(month % 3);
        let shift = i64::from(ahead) - if ahead > 3 { 7 } else { 0 } + 7 * i64::from(weeks);
        let day = i64::from(day_number(first)) + shift;
        let start = i32::try_from(day).map_err(|_| off_the_calendar(first.into()))?;
        // At the calendar's last days `civil_date` would hold the date back; an empty period is then refused.
        Ok(civil_date(start))
    }
}

impl Default for FiscalCalendar {
    fn default() -> Self {
        Self::calendar()
    }
}

impl WeekPattern {
    /// Weeks of a quarter before its month 0, 1 or 2.
    const fn weeks_before(self, month: u32) -> u32 {
        match (self, month) {
            (_, 0) => 0,
            (Self::W544, 1) => 5,
            (_, 1) => 4,
            (Self::W445, _) => 8,
            _ => 9,
        }
    }
}

fn the_one(at: NaiveDateTime, mut parts: impl Iterator<Item = Result<Period>>) -> Result<Period> {
    parts
        .find(|part| part.as_ref().is_ok_and(|period| period.contains(at)))
        .unwrap_or_else(|| Err(off_the_calendar(at)))
}

fn out_of_year(field: &'static str, expected: &'static str, found: u32) -> Error {
    Error::new(ErrorKind::InvalidPeriod, expected).field(field).found(found)
}

fn off_the_calendar(at: NaiveDateTime) -> Error {
    Error::new(ErrorKind::InvalidPeriod, "a date inside the calendar").field("date").found(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WEEKDAYS: [Weekday; 7] =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

    fn calendars() -> impl Strategy<Value = FiscalCalendar> {
        let pattern = proptest::option::of((
            prop_oneof![Just(WeekPattern::W445), Just(WeekPattern::W454), Just(WeekPattern::W544)],
            0usize..7,
        ));
        (1u8..=12, pattern).prop_map(|(month, weeks)| {
            let calendar = FiscalCalendar::starting(Month::try_from(month).unwrap());
            weeks.map_or(calendar, |(pattern, day)| calendar.in_weeks(pattern, WEEKDAYS[day]))
        })
    }

    /// National Retail Federation, 4-5-4 calendars of 2017 and 2023 (53-week years) and 2024.
    #[test]
    fn the_retail_calendar_as_published() {
        let retail = FiscalCalendar::starting(Month::February).in_weeks(WeekPattern::W454, Weekday::Sun);
        for (year, start, end) in [
            (2017, (2017, 1, 29), (2018, 2, 4)),
            (2022, (2022, 1, 30), (2023, 1, 29)),
            (2023, (2023, 1, 29), (2024, 2, 4)),
            (2024, (2024, 2, 4), (2025, 2, 2)),
        ] {
            let year = retail.year(year).unwrap();
            assert_eq!(year.start(), date(start.0, start.1, start.2).unwrap());
            assert_eq!(year.end(), date(end.0, end.1, end.2).unwrap());
        }
        let march = retail.month(2024, 2).unwrap();
        assert_eq!((march.start().to_string(), march.n_days()), ("2024-03-03".into(), 35));
    }

    #[test]
    fn ends_of_the_calendar_are_errors() {
        for calendar in [
            FiscalCalendar::calendar(),
            FiscalCalendar::calendar().in_weeks(WeekPattern::W445, Weekday::Wed),
            FiscalCalendar::starting(Month::December).in_weeks(WeekPattern::W445, Weekday::Wed),
        ] {
            for at in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
                let _ = (calendar.year_at(at), calendar.quarter_at(at), calendar.month_at(at));
            }
            for year in [i32::MIN, i32::MAX] {
                assert!(calendar.year(year).is_err() && calendar.quarter(year, 4).is_err());
            }
        }
        assert!(FiscalCalendar::calendar().quarter(2026, 0).is_err());
        assert!(FiscalCalendar::calendar().month(2026, u32::MAX).is_err());
    }

    proptest! {
        #[test]
        fn parts_tile_the_year(calendar in calendars(), year in 1900i32..2200) {
            let whole = calendar.year(year).unwrap();
            let quarters: Vec<_> = (1..=4).map(|q| calendar.quarter(year, q).unwrap()).collect();
            let months: Vec<_> = (1..=12).map(|m| calendar.month(year, m).unwrap()).collect();
            for parts in [&quarters, &months] {
                prop_assert_eq!(parts[0].start(), whole.start());
                prop_assert_eq!(parts[parts.len() - 1].end(), whole.end());
                prop_assert!(parts.windows(2).all(|pair| pair[0].end() == pair[1].start()));
            }
            prop_assert_eq!(calendar.year(year + 1).unwrap().start(), whole.end());
        }

        #[test]
        fn what_is_before_is_of_the_same_kind(calendar in calendars(), year in 1900i32..2200, n_days in 1u32..400) {
            let before = |period| calendar.before(&period).unwrap();
            prop_assert_eq!(before(calendar.year(year).unwrap()), calendar.year(year - 1).unwrap());
            prop_assert_eq!(before(calendar.quarter(year, 1).unwrap()), calendar.quarter(year - 1, 4).unwrap());
            prop_assert_eq!(before(calendar.quarter(year, 3).unwrap()), calendar.quarter(year, 2).unwrap());
            prop_assert_eq!(before(calendar.month(year, 1).unwrap()), calendar.month(year - 1, 12).unwrap());
            prop_assert_eq!(before(calendar.month(year, 12).unwrap()), calendar.month(year, 11).unwrap());
            let odd = Period::days(calendar.year(year).unwrap().start().succ_opt().unwrap(), n_days).unwrap();
            let other = before(odd);
            prop_assert!(other.end() == odd.start() && other.n_days() == n_days);
        }

        #[test]
        fn weeks_follow_the_pattern(month in 1u8..=12, day in 0usize..7, year in 1900i32..2200) {
            let first = date(year, month.into(), 1).unwrap();
            let patterns = [(WeekPattern::W445, [4, 4, 5]), (WeekPattern::W454, [4, 5, 4]), (WeekPattern::W544, [5, 4, 4])];
            for (pattern, weeks) in patterns {
                let calendar = FiscalCalendar::starting(Month::try_from(month).unwrap()).in_weeks(pattern, WEEKDAYS[day]);
                let year = (year, calendar.year(year).unwrap());
                prop_assert_eq!(year.1.start().weekday(), WEEKDAYS[day]);
                prop_assert!(day_number(year.1.start()).abs_diff(day_number(first)) <= 3);
                let n_weeks = year.1.n_days() / 7;
                prop_assert!(year.1.n_days() % 7 == 0 && (52..=53).contains(&n_weeks));
                for month in 1..=12_u32 {
                    let usual = weeks[usize::try_from((month - 1) % 3).unwrap()];
                    let more = if month == 12 { n_weeks - 52 } else { 0 };
                    prop_assert_eq!(calendar.month(year.0, month).unwrap().n_days(), 7 * (usual + more));
                }
                let text = serde_json::to_string(&calendar).unwrap();
                prop_assert_eq!(serde_json::from_str::<FiscalCalendar>(&text).unwrap(), calendar);
            }
        }

        #[test]
        fn every_day_has_its_period(calendar in calendars(), day in -20_000i32..60_000) {
            let at = civil_date(day).into();
            let (year, quarter, month) =
                (calendar.year_at(at).unwrap(), calendar.quarter_at(at).unwrap(), calendar.month_at(at).unwrap());
            prop_assert!(month.contains(at) && quarter.contains(at) && year.contains(at));
            prop_assert!(year.start() <= quarter.start() && quarter.start() <= month.start());
        }
    }
}
