//! Numbers in a stored model, to the last bit: plain JSON readers lose a bit of one double in ten, so doubles are
//! stored as the sixteen hexadecimal digits of their bits.

use serde::{Deserialize, Deserializer, Serializer};

const DIGITS: usize = 16;

fn parse<E: serde::de::Error>(digits: &[u8]) -> Result<f64, E> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.len() == DIGITS);
    let bits = text.and_then(|text| u64::from_str_radix(text, 16).ok());
    let number = bits.map(f64::from_bits).filter(|x| x.is_finite());
    number.ok_or_else(|| E::custom("expected sixteen hexadecimal digits of a finite number"))
}

/// A list of numbers as one string.
pub(crate) mod list {
    use super::{DIGITS, Deserialize, Deserializer, Serializer, parse};
    use std::fmt::Write as _;

    pub(crate) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(DIGITS * values.len());
        for value in values {
            // Writing to a string cannot fail.
            let _ = write!(text, "{:016x}", value.to_bits());
        }
        to.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let text = String::deserialize(from)?;
        text.as_bytes().chunks(DIGITS).map(parse).collect()
    }
}

/// A list of fixed length.
pub(crate) mod array {
    use super::{Deserializer, Serializer, list};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer, const N: usize>(
        values: &[f64; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        list::serialize(values, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[f64; N], D::Error> {
        let values = list::deserialize(from)?;
        values.try_into().map_err(|_| D::Error::custom("expected another number of numbers"))
    }
}

/// One number.
pub(crate) mod one {
    use super::{Deserialize, Deserializer, Serializer, list, parse};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        list::serialize(std::slice::from_ref(value), to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        parse(String::deserialize(from)?.as_bytes())
    }
}

/// A number that may be missing.
pub(crate) mod option {
    use super::{Deserializer, Serializer, list};
    use serde::de::Error as _;

    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        list::serialize(value.as_slice(), to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        let values = list::deserialize(from)?;
        match values.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(*value)),
            _ => Err(D::Error::custom("expected at most one number")),
        }
    }
}
