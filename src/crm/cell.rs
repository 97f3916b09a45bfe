//! Cells as exports write them: raw text on the way in, read when the row is judged.

use crate::deals::Cell;
use crate::num::{Amount, Probability};
use crate::{Error, ErrorKind, Result};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// The text of a cell that says something.
pub(super) fn stated(cell: Option<&String>) -> Option<&str> {
    let blank = |text: &str| text.bytes().all(|byte| byte.is_ascii_whitespace());
    cell.map(String::as_str).filter(|text| !blank(text) && *text != "null")
}

pub(super) fn needed<'a>(cell: Option<&'a String>, field: &'static str) -> Result<&'a str> {
    stated(cell).ok_or_else(|| Error::new(ErrorKind::Missing, "a value").field(field))
}

/// A flag in any of its spellings; nothing is false.
pub(super) fn flag(cell: Option<&String>, field: &'static str) -> Result<bool> {
    let Some(text) = stated(cell) else { return Ok(false) };
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "yes", "y", "1"]) {
        Ok(true)
    } else if is_one_of(["false", "no", "n", "0"]) {
        Ok(false)
    } else {
        Err(Error::new(ErrorKind::Unreadable, "true or false").field(field).found(text))
    }
}

/// An amount: a decimal number, its thousands separated by commas or not. `nan` and `inf`, which the parser would take,
/// are refused with all other numbers that are not finite and `>= 0`.
pub(super) fn amount(text: &str, field: &'static str) -> Result<f64> {
    let text = text.trim_ascii();
    let plain: Option<f64> = if text.contains(',') {
        thousands(text).and_then(|text| text.parse().ok())
    } else {
        text.parse().ok()
    };
    let unreadable = || Error::new(ErrorKind::Unreadable, "a plain decimal number").found(text);
    let amount = plain.ok_or_else(unreadable).and_then(Amount::new);
    amount.map(Amount::get).map_err(|error| error.field(field))
}

/// The number without its commas, where they stand between groups of three digits: `1,5` could be meant either way.
fn thousands(text: &str) -> Option<String> {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut groups = whole.strip_prefix('-').unwrap_or(whole).split(',');
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && digits(first));
    let good = first.is_some() && groups.all(|group| group.len() == 3 && digits(group));
    good.then(|| whole.replace(',', "") + rest)
}

/// How an export writes probabilities. It is a property of the source, never guessed from the numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// From 0 to 100.
    Percent,
    /// From 0 to 1.
    Unit,
}

/// A probability, refused outside its scale: 1000 was seen.
pub(super) fn probability(
    cell: Option<&String>,
    scale: Scale,
    field: &'static str,
) -> Result<Option<Probability>> {
    let Some(text) = stated(cell) else { return Ok(None) };
    let (most, expected) = match scale {
        Scale::Percent => (100.0, "a percentage from 0 to 100"),
        Scale::Unit => (1.0, "a probability from 0 to 1"),
    };
    let number: f64 = text
        .trim_ascii()
        .parse()
        .map_err(|_| Error::new(ErrorKind::Unreadable, expected).field(field).found(text))?;
    Probability::new(number / most)
        .map(Some)
        .map_err(|_| Error::new(ErrorKind::OutOfRange, expected).field(field).found(text))
}

pub(super) fn whole_number(text: &str, field: &'static str) -> Result<i64> {
    text.trim_ascii()
        .parse()
        .map_err(|_| Error::new(ErrorKind::Unreadable, "a whole number").field(field).found(text))
}

/// A cell of a row that speaks only of what changed: empty says nothing.
pub(super) fn change<T>(cell: Option<&String>, read: impl FnOnce(&str) -> Result<T>) -> Cell<T> {
    read_cell(cell, Cell::Blank, read)
}

/// A cell of a row that gives the whole state: empty means none from now on.
pub(super) fn state<T>(cell: Option<&String>, read: impl FnOnce(&str) -> Result<T>) -> Cell<T> {
    read_cell(cell, Cell::Cleared, read)
}

fn read_cell<T>(cell: Option<&String>, empty: Cell<T>, read: impl FnOnce(&str) -> Result<T>) -> Cell<T> {
    match stated(cell).map(read) {
        None => empty,
        Some(Ok(value)) => Cell::Given(value),
        Some(Err(error)) => Cell::Bad(error),
    }
}

/// For `deserialize_with`: a text, number, flag or nothing, as text. What a cell cannot hold (a list, an object) becomes
/// a text that no reader takes, so that the row is refused with its field and not by the JSON reader.
pub(super) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    deserializer.deserialize_any(Text)
}

/// For `deserialize_with`: an object of such cells; those that say nothing are left out.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_any(Texts)
}

struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;
    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or a flag")
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Self::Value, E> {
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> std::result::Result<Self::Value, E> {
        Ok((!text.is_empty()).then_some(text))
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<Self::Value, E> {
        Ok(Some(flag.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> std::result::Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> std::result::Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some("[...]".into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some("{...}".into()))
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<Self::Value, A::Error> {
        let mut cells = BTreeMap::new();
        while let Some(name) = object.next_key::<String>()? {
            if let Some(text) = object.next_value_seed(Text)? {
                cells.insert(name, text);
            }
        }
        Ok(cells)
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_as_exports_write_them() {
        for (text, expected) in [
            ("50000.00", Some(50_000.0)),
            ("1,234,567.5", Some(1_234_567.5)),
            ("-1,000", None),
            ("nan", None),
            ("inf", None),
            ("1e400", None),
            (" 12 ", Some(12.0)),
            ("1,5", None),
            ("1,2345", None),
            (",500", None),
            ("1234,567", None),
            ("1.234,50", None),
            ("$5", None),
            ("", None),
        ] {
            assert_eq!(amount(text, "Amount").ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_probability_has_the_scale_of_its_source() {
        let read = |text: &str, scale| {
            probability(Some(&text.to_owned()), scale, "p").map(|p| p.map(Probability::get))
        };
        assert_eq!(read("20", Scale::Percent).unwrap(), Some(0.2));
        assert_eq!(read("0.2", Scale::Unit).unwrap(), Some(0.2));
        assert_eq!(read("", Scale::Unit).unwrap(), None);
        for (text, scale) in
            [("1000", Scale::Percent), ("20", Scale::Unit), ("nan", Scale::Unit), ("-1", Scale::Percent)]
        {
            assert_eq!(read(text, scale).unwrap_err().kind(), ErrorKind::OutOfRange);
        }
    }

    #[test]
    fn any_json_value_is_a_cell() {
        #[derive(serde::Deserialize)]
        struct Row(#[serde(deserialize_with = "text")] Option<String>);
        for (json, expected) in [
            ("\"007\"", Some("007")),
            ("12", Some("12")),
            ("-1.5", Some("-1.5")),
            ("true", Some("true")),
            ("null", None),
            ("\"\"", None),
            ("[1, [2]]", Some("[...]")),
            ("{\"a\": {}}", Some("{...}")),
        ] {
            assert_eq!(serde_json::from_str::<Row>(json).unwrap().0.as_deref(), expected);
        }
    }
}
