//! How far off was the single number?

use super::{computed, given, some_of};
use crate::num::{count, sum};
use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use std::fmt;
use std::num::NonZeroUsize;

/// A single number that was forecast, and what came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecasted {
    /// What was said.
    pub forecast: f64,
    /// What came.
    pub observed: f64,
}

/// The errors of single-number forecasts. Ratios are ratios: 1.0 = 100 %.
///
/// # Formula
/// With e = forecast - observed: `bias = sum e / sum observed`, `mae = mean |e|`, `rmse = sqrt(mean e^2)`,
/// `mape = mean |e / observed|`, `wape = sum |e| / sum |observed|`. A ratio whose denominator is 0 is `None`; for
/// `mape` one quiet period is enough for that, which is why `wape` is the one to use.
///
/// # Example: too optimistic?
/// ```
/// use dealcast::score::{Forecasted, PointScores};
/// let said = |forecast, observed| Forecasted { forecast, observed };
/// let scores = PointScores::new(&[said(5.0, 4.0), said(7.0, 4.0), said(2.0, 0.0)])?;
/// assert_eq!((scores.bias(), scores.mae(), scores.wape()), (Some(0.75), 2.0, Some(0.75)));
/// assert_eq!(scores.mape(), None);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Hyndman & Koehler (2006), Another look at measures of forecast accuracy, sections 2 and 3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PointScores {
    n: usize,
    bias: Option<f64>,
    mae: f64,
    rmse: f64,
    mape: Option<f64>,
    wape: Option<f64>,
}

impl PointScores {
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without pairs, [`OutOfRange`](ErrorKind::OutOfRange) if a number is not finite,
    /// [`Overflow`](ErrorKind::Overflow) if a score is not.
    pub fn new(pairs: &[Forecasted]) -> Result<Self> {
        for pair in some_of("forecast", pairs)? {
            given("forecast", pair.forecast).and(given("observed", pair.observed))?;
        }
        let n = count(pairs.len());
        let total = |term: fn(&Forecasted) -> f64| sum::sum(pairs.iter().map(term));
        let error = |pair: &Forecasted| pair.forecast - pair.observed;
        let largest = pairs.iter().map(|pair| error(pair).abs()).fold(0.0, f64::max);
        let absolute = computed("mae", total(|pair| (pair.forecast - pair.observed).abs()))?;
        // Scaled by the largest error, so that no square leaves the range of a double.
        let squares = sum::sum(pairs.iter().map(|pair| error(pair) / largest).map(|e| e * e));
        Ok(Self {
            n: pairs.len(),
            bias: ratio("bias", total(|pair| pair.forecast - pair.observed), total(|pair| pair.observed))?,
            mae: absolute / n,
            rmse: if largest > 0.0 { largest * (squares / n).sqrt() } else { 0.0 },
            mape: mape(pairs)?,
            wape: ratio("wape", absolute, total(|pair| pair.observed.abs()))?,
        })
    }

    /// How many pairs there were.
    pub const fn n(self) -> usize {
        self.n
    }

    /// Sum of errors over sum of truths; positive = too optimistic.
    pub const fn bias(self) -> Option<f64> {
        self.bias
    }

    /// Mean absolute error, in the unit of the forecast.
    pub const fn mae(self) -> f64 {
        self.mae
    }

    /// Root of the mean squared error, in the unit of the forecast.
    pub const fn rmse(self) -> f64 {
        self.rmse
    }

    /// Mean relative error.
    pub const fn mape(self) -> Option<f64> {
        self.mape
    }

    /// Sum of absolute errors over the sum of absolute truths.
    pub const fn wape(self) -> Option<f64> {
        self.wape
    }

    /// The mean absolute error as a multiple of that of the naive forecast "as one season ago" within `train`; below 1
    /// is better than naive. `None` where the naive forecast makes no error, or `train` is no longer than a season.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) if a number is not finite, [`Overflow`](ErrorKind::Overflow) if the
    /// ratio is not.
    pub fn mase(self, train: &[f64], season: NonZeroUsize) -> Result<Option<f64>> {
        for x in train {
            given("train", *x)?;
        }
        let later = train.get(season.get()..).unwrap_or_default();
        let naive = sum::sum(later.iter().zip(train).map(|(now, before)| (now - before).abs()));
        ratio("mase", self.mae * count(later.len()), computed("train", naive)?)
    }
}

fn mape(pairs: &[Forecasted]) -> Result<Option<f64>> {
    if pairs.iter().any(|pair| pair.observed == 0.0) {
        return Ok(None);
    }
    let relative = pairs.iter().map(|pair| ((pair.forecast - pair.observed) / pair.observed).abs());
    computed("mape", sum::sum(relative) / count(pairs.len())).map(Some)
}

/// 0 / 0 and x / 0 do not exist; a quotient too large for a double is refused.
fn ratio(field: &'static str, numerator: f64, denominator: f64) -> Result<Option<f64>> {
    if denominator == 0.0 {
        return Ok(None);
    }
    if !denominator.is_finite() {
        return Err(Error::new(ErrorKind::Overflow, "a finite sum").field(field));
    }
    computed(field, numerator / denominator).map(Some)
}

impl fmt::Display for PointScores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: Option<f64>| share.map_or("-".to_owned(), |s| format!("{:+.1} %", 100.0 * s));
        write!(
            f,
            "{} forecasts: bias {}, weighted absolute error {}, mean absolute error {:.4}",
            self.n,
            percent(self.bias),
            percent(self.wape).trim_start_matches('+'),
            self.mae
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(f64, f64)]) -> Vec<Forecasted> {
        of.iter().map(|&(forecast, observed)| Forecasted { forecast, observed }).collect()
    }

    #[test]
    fn nothing_observed_is_no_ratio() {
        let scores = PointScores::new(&pairs(&[(1.0, 0.0)])).unwrap();
        assert_eq!((scores.bias(), scores.mape(), scores.wape()), (None, None, None));
        let season = NonZeroUsize::MIN;
        assert_eq!(scores.mase(&[], season).unwrap(), None);
        assert_eq!(scores.mase(&[3.0, 3.0], season).unwrap(), None);
        assert_eq!(scores.mase(&[3.0, 5.0], season).unwrap(), Some(0.5));
        assert_eq!(scores.mase(&[3.0, 5.0], NonZeroUsize::MAX).unwrap(), None);
    }

    #[test]
    fn large_numbers_do_not_overflow_needlessly() {
        let scores = PointScores::new(&pairs(&[(3e300, 0.0), (4e300, 8e300)])).unwrap();
        assert!((scores.rmse() / (12.5_f64.sqrt() * 1e300) - 1.0).abs() < 1e-15);
        let refused = PointScores::new(&pairs(&[(f64::MAX, -f64::MAX)]));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Overflow);
    }
}
