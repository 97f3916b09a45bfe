//! A forecast stated as quantiles.
//!
//! # Formula
//! Pinball loss of the quantile q at level a: `a (y - q)` where y >= q, `(1 - a) (q - y)` where y < q: being too low
//! costs a, being too high 1 - a, so that stating the true quantile is best. The weighted interval score is twice the
//! mean pinball loss over levels symmetric about the median; with many levels it tends to the CRPS.
//!
//! # Reference
//! Koenker & Bassett (1978), Regression quantiles; Bracher, Ray, Gneiting & Reich (2021), Evaluating epidemic
//! forecasts in an interval format, eq. 2-4.

use super::{computed, given, some_of};
use crate::num::{count, sum};
use crate::{Error, ErrorKind, Level, Result};

/// How far two levels may be from symmetric: .05 and .95 are not exact complements in binary.
const SYMMETRIC: f64 = 1e-9;

/// Stated quantiles with their levels.
///
/// Each is scored by itself: quantiles that cross are neither repaired nor refused, their score suffers.
///
/// # Example: how good were "4 M, give or take 1"?
/// ```
/// use dealcast::{Level, score::Quantiles};
/// let levels = [0.1, 0.5, 0.9].map(|a| Level::new(a).unwrap());
/// let stated = Quantiles::new(levels.into_iter().zip([3.0, 4.0, 5.0]))?;
/// assert_eq!(stated.pinball(5.0)?, [0.2, 0.5, 0.0]);
/// assert!((stated.wis(5.0)? - 2.0 * 0.7 / 3.0).abs() < 1e-15);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles(Vec<(Level, f64)>);

impl Quantiles {
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without quantiles, [`OutOfRange`](ErrorKind::OutOfRange) if one is not finite.
    pub fn new(quantiles: impl IntoIterator<Item = (Level, f64)>) -> Result<Self> {
        let quantiles: Vec<_> = quantiles.into_iter().collect();
        for (_, q) in some_of("quantiles", &quantiles)? {
            given("quantiles", *q)?;
        }
        Ok(Self(quantiles))
    }

    /// The pinball loss of each quantile, in the order they were given and in their unit.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) if `observed` is not finite, [`Overflow`](ErrorKind::Overflow) if a loss
    /// is not.
    pub fn pinball(&self, observed: f64) -> Result<Vec<f64>> {
        let y = given("observed", observed)?;
        let loss = |level: f64, over: f64| if over >= 0.0 { level * over } else { (level - 1.0) * over };
        self.0.iter().map(|(level, q)| computed("pinball", loss(level.get(), y - q))).collect()
    }

    /// The weighted interval score, in the unit of the quantiles.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) if `observed` is not finite, or unless the levels are distinct, symmetric
    /// about one half and hold the median; [`Overflow`](ErrorKind::Overflow) if the score is not finite.
    pub fn wis(&self, observed: f64) -> Result<f64> {
        self.check_symmetric()?;
        let losses = self.pinball(observed)?;
        let n = count(losses.len());
        computed("wis", 2.0 * sum::sum(losses.into_iter().map(|loss| loss / n)))
    }

    fn check_symmetric(&self) -> Result<()> {
        let mut levels: Vec<f64> = self.0.iter().map(|(level, _)| level.get()).collect();
        levels.sort_unstable_by(f64::total_cmp);
        let mirrored = levels.iter().zip(levels.iter().rev());
        let symmetric = mirrored.clone().all(|(low, high)| (low + high - 1.0).abs() <= SYMMETRIC);
        let distinct = levels.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        // Distinct and symmetric: with an odd number of them, the middle one is the median.
        if symmetric && distinct && levels.len() % 2 == 1 {
            Ok(())
        } else {
            let expected = "distinct levels, symmetric about 0.5 and with 0.5";
            Err(Error::new(ErrorKind::OutOfRange, expected).field("levels").found(format!("{levels:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(levels: &[f64]) -> Quantiles {
        Quantiles::new(levels.iter().map(|a| (Level::new(*a).unwrap(), 1.0))).unwrap()
    }

    #[test]
    fn the_interval_score_needs_symmetric_levels() {
        for levels in [&[0.5][..], &[0.05, 0.25, 0.5, 0.75, 0.95], &[0.95, 0.5, 0.05]] {
            assert!(at(levels).wis(2.0).is_ok());
        }
        for levels in [&[0.1, 0.9][..], &[0.1, 0.5], &[0.5, 0.5, 0.5], &[0.1, 0.5, 0.8]] {
            assert_eq!(at(levels).wis(2.0).unwrap_err().kind(), ErrorKind::OutOfRange);
        }
    }

    #[test]
    fn overflow_is_an_error() {
        let far = Quantiles::new([(Level::HALF, -f64::MAX)]).unwrap();
        assert_eq!(far.pinball(f64::MAX).unwrap_err().kind(), ErrorKind::Overflow);
    }
}
