//! An honest revenue forecast from a sales pipeline's history.

#![cfg_attr(test, allow(clippy::float_cmp, reason = "tests compare bits on purpose"))]

mod error;
pub mod estimate;
pub mod num;

pub use error::{Error, ErrorKind, Result};
pub use num::{Amount, Level, Probability, Seed};
