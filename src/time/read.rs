//! Instants and dates as exports write them.
//!
//! Read are RFC 3339 and its common relatives: `T` or a space between date and time, a one-digit hour, seconds and
//! their fraction optional, `Z`, `+02:00`, `+0200` or no offset; a date alone is its midnight; 11 to 15 digits are
//! milliseconds since 1970. A date whose order of day and month would have to be guessed (05/01/2024) is refused.

use super::DAY;
use crate::{Error, ErrorKind, Result};
use chrono::FixedOffset;

/// Seconds of civil time in the business zone. A text with an offset is an absolute instant and is converted; a text
/// without one is civil time already.
pub(crate) fn instant(text: &str, zone: FixedOffset) -> Result<i64> {
    let text = text.trim_ascii();
    parse(text.as_bytes())
        .map(|(seconds, offset)| match offset {
            Some(offset) => seconds - offset + i64::from(zone.local_minus_utc()),
            None => seconds,
        })
        .or_else(|| epoch_milliseconds(text, zone))
        .ok_or_else(|| {
            Error::new(ErrorKind::Unreadable, "an instant such as 2026-03-10 or 2026-03-10T14:05:00Z")
                .found(text)
        })
}

/// The end of an interval: `None` while it is still open, also by the sentinels 9999-12-31 and 2050-01-01.
#[allow(dead_code, reason = "for exports that give intervals; the tidy table gives events")]
pub(crate) fn interval_end(text: &str, zone: FixedOffset) -> Result<Option<i64>> {
    let text = text.trim_ascii();
    let open =
        text.is_empty() || text == "null" || ["9999-12-31", "2050-01-01"].iter().any(|s| text.starts_with(s));
    if open { Ok(None) } else { instant(text, zone).map(Some) }
}

fn epoch_milliseconds(text: &str, zone: FixedOffset) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !(11..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = text.parse::<i64>().ok()?.div_euclid(1000);
    seconds.checked_add(zone.local_minus_utc().into())
}

/// Civil seconds and, if written, the offset in seconds.
fn parse(text: &[u8]) -> Option<(i64, Option<i64>)> {
    let (date, rest) = text.split_at_checked(10)?;
    let &[y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0] = date else { return None };
    let year = digits(&[y3, y2, y1, y0])?;
    let day = civil_days(year, digits(&[m1, m0])?, digits(&[d1, d0])?)?;
    let Some((separator, rest)) = rest.split_first() else { return Some((day * DAY, None)) };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (time, offset) = rest.split_at(rest.iter().position(|b| b"Zz+-".contains(b)).unwrap_or(rest.len()));
    let time = time_of_day(time.trim_ascii_end())?;
    Some((day * DAY + time, offset_seconds(offset)?))
}

fn time_of_day(text: &[u8]) -> Option<i64> {
    let mut parts = text.split(|&b| b == b':');
    let hour = parts.next().filter(|h| matches!(h.len(), 1 | 2)).and_then(digits)?;
    let minute = two_digits(parts.next()?)?;
    let second = match parts.next() {
        None => 0,
        Some(second) => {
            let mut pieces = second.split(|&b| b == b'.');
            let whole = two_digits(pieces.next()?)?;
            // The fraction is read, so that nonsense is refused, and cut off.
            if pieces
                .next()
                .is_some_and(|fraction| fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit))
                || pieces.next().is_some()
            {
                return None;
            }
            whole
        }
    };
    let in_range = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    // A leap second counts as the second before it.
    in_range.then(|| hour * 3600 + minute * 60 + second.min(59))
}

/// `Some(None)` where nothing is written, `None` where it makes no sense.
#[allow(clippy::option_option, reason = "written or not, readable or not: two questions")]
fn offset_seconds(text: &[u8]) -> Option<Option<i64>> {
    let (sign, text) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', text @ ..] => (1, text),
        [b'-', text @ ..] => (-1, text),
        _ => return None,
    };
    let (hours, minutes) = match text {
        [h1, h0] => (digits(&[*h1, *h0])?, 0),
        [h1, h0, m1, m0] | [h1, h0, b':', m1, m0] => (digits(&[*h1, *h0])?, digits(&[*m1, *m0])?),
        _ => return None,
    };
    // Time zones reach from -12:00 to +14:00; anything below a day is arithmetic all the same.
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60)))
}

fn two_digits(text: &[u8]) -> Option<i64> {
    if text.len() == 2 { digits(text) } else { None }
}

fn digits(text: &[u8]) -> Option<i64> {
    let mut value = 0;
    for byte in text {
        match byte {
            b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
            _ => return None,
        }
    }
    (!text.is_empty()).then_some(value)
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
///
/// # Reference
/// Hinnant (2013), "chrono-compatible low-level date algorithms", `days_from_civil`.
fn civil_days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{civil, seconds};
    use proptest::prelude::*;

    const UTC: FixedOffset = FixedOffset::east_opt(0).unwrap();

    fn read(text: &str) -> Option<String> {
        instant(text, UTC).ok().map(|s| civil(s).to_string())
    }

    #[test]
    fn the_forms_exports_use() {
        for (text, expected) in [
            ("2026-03-10", "2026-03-10 00:00:00"),
            ("2026-03-10T06:49:18Z", "2026-03-10 06:49:18"),
            ("2026-03-10 6:49:18", "2026-03-10 06:49:18"),
            ("2026-03-10T06:49", "2026-03-10 06:49:00"),
            ("2026-03-10T06:49:18.999+0000", "2026-03-10 06:49:18"),
            ("2026-03-31T23:30:00-12:00", "2026-04-01 11:30:00"),
            ("2026-04-01T01:00:00+14:00", "2026-03-31 11:00:00"),
            ("2016-12-31T23:59:60Z", "2016-12-31 23:59:59"),
            ("1773100000000", "2026-03-09 23:46:40"),
            (" 2024-02-29 ", "2024-02-29 00:00:00"),
            ("0000-01-01", "0000-01-01 00:00:00"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for text in [
            "",
            "05/01/2024",
            "2026-02-30",
            "2023-02-29",
            "2026-13-01",
            "2026-3-1",
            "20260310",
            "1773100000",
            "2026-03-10T24:00:00",
            "2026-03-10T",
            "2026-03-10T12",
            "2026-03-10T12:00:61",
            "2026-03-10T12:00:00.",
            "2026-03-10T12:00:00+25:00",
            "2026-03-10T12:00:00 CET",
            "2026-03-10x",
            "٢٠٢٦-٠٣-١٠",
            "2026-03-1é",
            "9999999999999999999",
            "nan",
            "2026-03-10T12:00:00+",
            "2026-03-10T1:2:3",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_offset_is_converted_to_the_business_zone() {
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        assert_eq!(civil(instant("2026-03-31T23:00:00Z", zone).unwrap()).to_string(), "2026-04-01 01:00:00");
        assert_eq!(civil(instant("2026-03-31T23:00:00", zone).unwrap()).to_string(), "2026-03-31 23:00:00");
    }

    #[test]
    fn sentinels_end_nothing() {
        for open in ["", "null", "9999-12-31", "9999-12-31T00:00:00Z", "2050-01-01"] {
            assert_eq!(interval_end(open, UTC).unwrap(), None);
        }
        assert!(interval_end("2049-01-01", UTC).unwrap().is_some());
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(at in -62_167_219_200i64..253_402_300_800) {
            let text = civil(at).format("%Y-%m-%dT%H:%M:%S").to_string();
            prop_assert_eq!(instant(&text, UTC).unwrap(), at);
            prop_assert_eq!(instant(&text, UTC).unwrap(), seconds(text.parse().unwrap()));
        }

        #[test]
        fn arbitrary_text_is_refused_or_read(text in ".{0,40}", near in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.Z+-]{0,16}") {
            let _ = (instant(&text, UTC), instant(&near, UTC), interval_end(&near, UTC));
        }
    }
}
