//! Instants as whole seconds and dates as whole days since 1970-01-01, with no arithmetic that can panic.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

/// Seconds of a civil day.
pub(crate) const DAY: i64 = 86_400;

/// `num_days_from_ce` of 1970-01-01.
const EPOCH: i32 = 719_163;

/// Whole seconds since 1970-01-01 00:00, parts of a second cut off; a leap second counts as the second before it.
pub(crate) fn seconds(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp()
}

/// The civil time of [`seconds`], held inside chrono's range.
pub(crate) fn civil(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0)
        .map_or(if seconds < 0 { NaiveDateTime::MIN } else { NaiveDateTime::MAX }, |at| at.naive_utc())
}

/// The civil day an instant falls on.
pub(crate) fn civil_day(seconds: i64) -> i32 {
    let day = seconds.div_euclid(DAY);
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
}

/// Days since 1970-01-01.
pub(crate) fn day_number(date: NaiveDate) -> i32 {
    date.num_days_from_ce().saturating_sub(EPOCH)
}

/// The date of [`day_number`], held inside chrono's range.
pub(crate) fn civil_date(day: i32) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(day.saturating_add(EPOCH)).unwrap_or(if day < 0 {
        NaiveDate::MIN
    } else {
        NaiveDate::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_chrono_survive_a_round_trip() {
        for at in [NaiveDateTime::MIN, NaiveDateTime::MAX, NaiveDateTime::default()] {
            assert_eq!(civil(seconds(at)).date(), at.date());
            assert_eq!(civil_date(civil_day(seconds(at))), at.date());
            assert_eq!(civil_date(day_number(at.date())), at.date());
        }
        assert_eq!(civil(i64::MAX), NaiveDateTime::MAX);
        assert_eq!(civil_date(i32::MIN), NaiveDate::MIN);
    }

    #[test]
    fn days_before_1970_are_rounded_down() {
        assert_eq!((civil_day(-1), civil_day(0), civil_day(DAY)), (-1, 0, 1));
    }

    #[test]
    fn a_leap_second_is_the_second_before_it() {
        let day = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap();
        let leap = day.and_hms_milli_opt(23, 59, 59, 1_500).unwrap();
        assert_eq!(seconds(leap), seconds(day.and_hms_opt(23, 59, 59).unwrap()));
    }
}
