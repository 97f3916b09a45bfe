//! Numbers with a meaning: each has one fallible constructor, and serde goes through it.

pub(crate) mod bits;
pub(crate) mod digits;
mod quantity;
pub(crate) mod rng;
pub(crate) mod root;
pub(crate) mod special;
pub(crate) mod sum;

pub use quantity::{Amount, Level, Probability, Seed};

/// A count as a number. Exact up to 2^53, which no collection in memory reaches.
#[allow(clippy::cast_precision_loss, reason = "2^53 elements do not fit in any memory")]
pub(crate) const fn count(n: usize) -> f64 {
    n as f64
}
