//! The goal of a period.

use crate::{Amount, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is to be booked in a period: an amount `>= 0` in the unit of the log. A target of 0 is met by anything.
///
/// # Example
/// ```
/// use dealcast::gap::Target;
/// assert_eq!(Target::new(4.0e6)?.to_string(), "4.00 M");
/// assert!(Target::new(f64::NAN).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Target(Amount);

impl Target {
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless the target is finite and `>= 0`.
    pub fn new(target: f64) -> Result<Self> {
        Amount::new(target).map(Self).map_err(|error| error.field("target"))
    }

    /// As an amount.
    pub const fn amount(self) -> Amount {
        self.0
    }

    /// As a number in the unit of the log.
    pub const fn get(self) -> f64 {
        self.0.get()
    }
}

impl From<Amount> for Target {
    fn from(amount: Amount) -> Self {
        Self(amount)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
