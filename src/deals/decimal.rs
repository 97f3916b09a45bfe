//! Amounts in JSON that come back to the last bit.
//!
//! A plain JSON reader may miss a decimal number of 16 or 17 digits by a bit, while one of up to 15 digits and a small
//! exponent is exact (both its digits and the power of ten are exact floats). So an amount is written as a number where
//! that is safe and as a text otherwise, and both are read.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};
use std::fmt;

/// Most digits, and the largest power of ten, of a decimal that every reader gets right (Clinger 1990).
const SAFE_DIGITS: usize = 15;
const SAFE_EXPONENT: i32 = 22;

#[allow(clippy::ref_option, reason = "the form serde asks for")]
pub(super) fn serialize<S: Serializer>(amount: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        None => serializer.serialize_none(),
        Some(amount) if is_safe(*amount) => serializer.serialize_f64(*amount),
        Some(amount) => serializer.collect_str(&format_args!("{amount:e}")),
    }
}

/// `d.ddde5` has one digit before the point, so the exponent of its last digit is 5 less the digits after it.
fn is_safe(amount: f64) -> bool {
    let text = format!("{amount:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return false };
    let n_digits = digits.bytes().filter(u8::is_ascii_digit).count();
    let after = i32::try_from(n_digits.saturating_sub(1)).unwrap_or(i32::MAX);
    let last = exponent.parse::<i32>().map(|exponent| exponent.saturating_sub(after));
    n_digits <= SAFE_DIGITS && last.is_ok_and(|last| last.abs() <= SAFE_EXPONENT)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    deserializer.deserialize_any(NumberOrText)
}

struct NumberOrText;

impl<'de> Visitor<'de> for NumberOrText {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a text that is one")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    #[allow(clippy::cast_precision_loss, reason = "an amount beyond 2^53 is rounded, as in any other float")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number as f64))
    }

    #[allow(clippy::cast_precision_loss, reason = "an amount beyond 2^53 is rounded, as in any other float")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match text.trim_ascii() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::deals::SnapshotRow;
    use proptest::prelude::*;

    fn reread(row: &SnapshotRow) -> SnapshotRow {
        serde_json::from_str(&serde_json::to_string(row).unwrap()).unwrap()
    }

    #[test]
    fn ordinary_amounts_are_numbers() {
        let row = SnapshotRow { amount: Some(12_345.67), ..SnapshotRow::default() };
        assert!(serde_json::to_string(&row).unwrap().contains(":12345.67"));
        for (text, amount) in [("7", Some(7.0)), ("\"1e3\"", Some(1e3)), ("null", None), ("\"\"", None)] {
            let text = format!("{{\"deal_id\":\"d\",\"stage\":\"a\",\"amount\":{text}}}");
            assert_eq!(serde_json::from_str::<SnapshotRow>(&text).unwrap().amount, amount);
        }
        assert!(serde_json::from_str::<SnapshotRow>(r#"{"deal_id":"d","stage":"a","amount":"x"}"#).is_err());
    }

    proptest! {
        #[test]
        fn every_amount_comes_back(amount in proptest::num::f64::POSITIVE | proptest::num::f64::SUBNORMAL) {
            let row = SnapshotRow { amount: Some(amount), ..SnapshotRow::default() };
            prop_assert_eq!(reread(&row).amount.map(f64::to_bits), Some(amount.to_bits()));
        }

        #[test]
        fn cents_come_back(cents: u32) {
            let amount = f64::from(cents) / 100.0;
            let row = SnapshotRow { amount: Some(amount), ..SnapshotRow::default() };
            prop_assert_eq!(reread(&row).amount, Some(amount));
        }
    }
}
