//! Probability, level, amount and seed as types, so that no bare `f64` can be mistaken for another.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The chance of an event: a number from 0 to 1, both ends included.
///
/// # Example
/// ```
/// use dealcast::Probability;
/// let won = Probability::new(0.25)?;
/// assert_eq!(won.complement().get(), 0.75);
/// assert!(Probability::new(f64::NAN).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// It does not happen.
    pub const ZERO: Self = Self(0.0);
    /// It happens for sure.
    pub const ONE: Self = Self(1.0);

    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless `0 <= p <= 1`; NaN is refused.
    pub fn new(p: f64) -> Result<Self> {
        match p {
            // `+ 0.0` turns -0.0 into 0.0, so that equal chances have equal bits.
            0.0..=1.0 => Ok(Self(p + 0.0)),
            _ => Err(Error::out_of_range("probability", "a number from 0 to 1", p)),
        }
    }

    /// A computed chance: what rounding left outside 0..1 is cut, NaN becomes 0.
    pub(crate) fn rounded(p: f64) -> Self {
        Self(if p > 0.0 { p.min(1.0) } else { 0.0 })
    }

    /// The chance as a number from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The chance that it does not happen.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(1.0 - self.0)
    }
}

/// A level of a quantile or of confidence: strictly between 0 and 1.
///
/// # Example
/// ```
/// use dealcast::Level;
/// assert_eq!(Level::new(0.8)?.to_string(), "80 %");
/// assert!(Level::new(1.0).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Level(f64);

impl Level {
    /// The level of the median.
    pub const HALF: Self = Self(0.5);

    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless `0 < level < 1`; NaN is refused.
    pub fn new(level: f64) -> Result<Self> {
        if level > 0.0 && level < 1.0 {
            Ok(Self(level))
        } else {
            Err(Error::out_of_range("level", "a number strictly between 0 and 1", level))
        }
    }

    /// The level as a number strictly between 0 and 1.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The two quantile levels around the central interval of this level: `(1 - level) / 2` and `(1 + level) / 2`.
    ///
    /// ```
    /// use dealcast::Level;
    /// let (low, high) = Level::new(0.5)?.tails();
    /// assert_eq!((low.get(), high.get()), (0.25, 0.75));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn tails(self) -> (Self, Self) {
        (Self(0.5 * (1.0 - self.0)), Self(0.5 * (1.0 + self.0)))
    }
}

/// An amount of money, energy or whatever a deal is worth: finite and not negative, in the one unit of its log.
///
/// # Example
/// ```
/// use dealcast::Amount;
/// assert_eq!(Amount::new(-0.0)?, Amount::ZERO);
/// assert!(Amount::new(f64::INFINITY).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Amount(f64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);

    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless the amount is finite and `>= 0`.
    pub fn new(amount: f64) -> Result<Self> {
        if amount >= 0.0 && amount.is_finite() {
            Ok(Self(amount + 0.0))
        } else {
            Err(Error::out_of_range("amount", "a finite number >= 0", amount))
        }
    }

    /// The amount in the unit of its log.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// Where a stream of random numbers starts. Equal seeds give equal draws, on any machine and with any number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(u64);

impl Seed {
    /// Any number is a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }
}

macro_rules! through_constructor {
    ($($name:ident),*) => {$(
        impl TryFrom<f64> for $name {
            type Error = Error;
            fn try_from(x: f64) -> Result<Self> {
                Self::new(x)
            }
        }
        impl From<$name> for f64 {
            fn from(x: $name) -> Self {
                x.0
            }
        }
    )*};
}
through_constructor!(Probability, Level, Amount);

/// Whole percent where that is exact to a tenth, one decimal otherwise.
fn percent(f: &mut fmt::Formatter<'_>, share: f64) -> fmt::Result {
    let percent = 100.0 * share;
    if (percent - percent.round()).abs() < 0.05 {
        write!(f, "{percent:.0} %")
    } else {
        write!(f, "{percent:.1} %")
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        percent(f, self.0)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        percent(f, self.0)
    }
}

/// A length a person can take in: `0.91 M`, `12.4 k`, `350`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scaled, unit) = match self.0 {
            x if x >= 1e15 => return write!(f, "{x:.3e}"),
            x if x >= 999.5e9 => (x / 1e12, " T"),
            x if x >= 999.5e6 => (x / 1e9, " G"),
            x if x >= 0.5e6 => (x / 1e6, " M"),
            x if x >= 999.5 => (x / 1e3, " k"),
            x => (x, ""),
        };
        match scaled {
            x if x >= 99.95 => write!(f, "{x:.0}{unit}"),
            x if x >= 9.995 => write!(f, "{x:.1}{unit}"),
            x if x.fract() == 0.0 && unit.is_empty() => write!(f, "{x:.0}"),
            x => write!(f, "{x:.2}{unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        for (amount, text) in [
            (0.0, "0"),
            (350.0, "350"),
            (12.5, "12.5"),
            (12_400.0, "12.4 k"),
            (499_000.0, "499 k"),
            (912_000.0, "0.91 M"),
            (1.0e6, "1.00 M"),
            (42.0e6, "42.0 M"),
            (3.2e9, "3.20 G"),
            (1e300, "1.000e300"),
        ] {
            assert_eq!(Amount(amount).to_string(), text);
        }
    }

    #[test]
    fn serde_goes_through_the_constructor() {
        assert!(serde_json::from_str::<Probability>("1.5").is_err());
        assert!(serde_json::from_str::<Level>("0").is_err());
        assert!(serde_json::from_str::<Amount>("-1").is_err());
        assert_eq!(serde_json::to_string(&Amount(2.5)).unwrap(), "2.5");
    }

    #[test]
    fn ends_of_the_range() {
        for refused in [f64::NAN, -0.1, 1.1, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Probability::new(refused).is_err());
            assert!(Level::new(refused).is_err());
        }
        assert!(Probability::new(-0.0).unwrap().get().is_sign_positive());
        assert!(Level::new(0.0).is_err() && Level::new(1.0).is_err());
    }
}
