//! A forecast stated as a central interval.

use super::{computed, given};
use crate::{Error, Level, Result};
use std::ops::RangeInclusive;

/// An interval that should hold the truth with this chance; both ends belong to it.
///
/// # Formula
/// `score = width + 2 / (1 - level) x (what lies outside)`: a narrow interval is good, missing the truth is fined, and
/// the fine is such that the true quantiles at (1 - level) / 2 and (1 + level) / 2 are best.
///
/// # Example: which of two intervals was better?
/// ```
/// use dealcast::{Level, score::Interval};
/// let level = Level::new(0.5)?;
/// let (wide, narrow) = (Interval::new(level, 1.0..=9.0)?, Interval::new(level, 4.0..=6.0)?);
/// assert_eq!((wide.score(8.0)?, narrow.score(8.0)?), (8.0, 10.0));
/// assert!(wide.covers(9.0) && !narrow.covers(7.0));
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Winkler (1972), A decision-theoretic approach to interval estimation; Gneiting & Raftery (2007), eq. 43.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    level: Level,
    range: RangeInclusive<f64>,
}

impl Interval {
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) if an end is not finite or the interval is empty.
    pub fn new(level: Level, range: RangeInclusive<f64>) -> Result<Self> {
        let (lower, upper) = (given("lower", *range.start())?, given("upper", *range.end())?);
        if lower > upper {
            return Err(Error::out_of_range("upper", "at least the lower end", upper));
        }
        Ok(Self { level, range })
    }

    /// The chance that the interval claims.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// From lower to upper end.
    pub const fn range(&self) -> &RangeInclusive<f64> {
        &self.range
    }

    /// Whether the truth lies inside, ends included.
    pub fn covers(&self, observed: f64) -> bool {
        self.range.contains(&observed)
    }

    /// The interval score, in the unit of the interval; smaller is better.
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) if `observed` is not finite,
    /// [`Overflow`](crate::ErrorKind::Overflow) if the score is not.
    pub fn score(&self, observed: f64) -> Result<f64> {
        let y = given("observed", observed)?;
        let (lower, upper) = (self.range.start(), self.range.end());
        let outside = (lower - y).max(y - upper).max(0.0);
        computed("interval_score", upper - lower + 2.0 / (1.0 - self.level.get()) * outside)
    }
}
