//! Is forecaster A really better than B, or was it luck?
//!
//! # Formula
//! With `d = |a|^power - |b|^power` of n paired errors: `statistic = k mean(d) / sqrt(V / n)`, V the sum of the
//! autocovariances of d (each divided by n) up to lag h - 1, weighted 1 (rectangular) or `1 - lag / h` (Bartlett), and
//! `k^2 = (n + 1 - 2 h + h (h - 1) / n) / n` the small-sample factor. Compared with Student's t, n - 1 degrees.
//!
//! # Assumptions
//! The loss difference is stationary; forecasts h steps ahead overlap, so their errors are correlated up to lag h - 1.
//! With the rectangular kernel V can turn out negative: that is refused, not repaired; the Bartlett kernel cannot.
//!
//! # Reference
//! Diebold & Mariano (1995), Comparing predictive accuracy, section 1.1; Harvey, Leybourne & Newbold (1997), Testing
//! the equality of prediction mean squared errors, eq. 8-9; Newey & West (1987) for the Bartlett weights.

use super::{computed, given, some_of};
use crate::num::{count, special, sum};
use crate::{Error, ErrorKind, Probability, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroUsize;

/// The errors of two forecasters on the same occasion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedErrors {
    /// Error of the first.
    pub a: f64,
    /// Error of the second.
    pub b: f64,
}

/// How an error turns into a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// |error|. Also right for scores that are losses already, such as the CRPS.
    Absolute,
    /// error^2.
    #[default]
    Squared,
}

/// How autocovariances are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// All up to lag horizon - 1 alike.
    #[default]
    Rectangular,
    /// Falling linearly to 0 at lag horizon.
    Bartlett,
}

/// What would count as a surprise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// Either loses more.
    #[default]
    TwoSided,
    /// The first loses more.
    Greater,
    /// The first loses less.
    Less,
}

/// The Diebold-Mariano test with the correction of Harvey, Leybourne and Newbold.
///
/// # Example: is B better than A?
/// ```
/// use dealcast::score::{Alternative, DieboldMariano, PairedErrors, Power};
/// let errors: Vec<_> = (0..20).map(|i| PairedErrors { a: f64::from(i % 5) + 1.0, b: f64::from(i % 3) }).collect();
/// let verdict = DieboldMariano::default().power(Power::Absolute).alternative(Alternative::Greater).test(&errors)?;
/// assert!(verdict.statistic() > 5.0 && verdict.p_value().get() < 1e-4);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DieboldMariano {
    horizon: NonZeroUsize,
    power: Power,
    kernel: Kernel,
    alternative: Alternative,
}

impl Default for DieboldMariano {
    fn default() -> Self {
        Self {
            horizon: NonZeroUsize::MIN,
            power: Power::default(),
            kernel: Kernel::default(),
            alternative: Alternative::default(),
        }
    }
}

impl DieboldMariano {
    /// How many steps ahead the forecasts looked (1): windows that overlap m at a time have horizon m.
    #[must_use]
    pub const fn horizon(mut self, steps: NonZeroUsize) -> Self {
        self.horizon = steps;
        self
    }

    /// How an error turns into a loss (squared).
    #[must_use]
    pub const fn power(mut self, power: Power) -> Self {
        self.power = power;
        self
    }

    /// How autocovariances are weighted (rectangular).
    #[must_use]
    pub const fn kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// What would count as a surprise (either loses more).
    #[must_use]
    pub const fn alternative(mut self, alternative: Alternative) -> Self {
        self.alternative = alternative;
        self
    }

    /// Compares two forecasters by their paired errors, in order of time.
    ///
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) for fewer than two pairs; [`OutOfRange`](ErrorKind::OutOfRange) if an error is
    /// not finite or the horizon is not below the number of pairs; [`Overflow`](ErrorKind::Overflow) if a loss is not
    /// finite; [`NotIdentified`](ErrorKind::NotIdentified) if the variance is not positive, as for two forecasters that
    /// always lose the same.
    pub fn test(self, errors: &[PairedErrors]) -> Result<Verdict> {
        let differences = self.differences(errors)?;
        let n = count(differences.len());
        let h = count(self.horizon.get());
        let factor = (n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n;
        if self.horizon.get() >= differences.len() || factor <= 0.0 {
            return Err(Error::out_of_range("horizon", "fewer steps than pairs of errors", h));
        }
        let mean = sum::sum(differences.iter().copied()) / n;
        let variance = self.variance(&differences, mean) / n;
        if computed("variance", variance)? <= 0.0 {
            let expected = "loss differences with a positive long-run variance (a Bartlett kernel may help)";
            return Err(Error::new(ErrorKind::NotIdentified, expected).field("variance").found(variance));
        }
        let statistic = computed("statistic", factor.sqrt() * mean / variance.sqrt())?;
        let tail = |t: f64| special::beta::student_t_sf(t, n - 1.0);
        let p = match self.alternative {
            Alternative::TwoSided => 2.0 * tail(statistic.abs()),
            Alternative::Greater => tail(statistic),
            Alternative::Less => tail(-statistic),
        };
        Ok(Verdict { n: differences.len(), difference: mean, statistic, p_value: Probability::rounded(p) })
    }

    fn differences(self, errors: &[PairedErrors]) -> Result<Vec<f64>> {
        let loss = |error: f64| match self.power {
            Power::Absolute => error.abs(),
            Power::Squared => error * error,
        };
        if some_of("errors", errors)?.len() < 2 {
            return Err(Error::new(ErrorKind::Missing, "at least two pairs").field("errors"));
        }
        let difference = |pair: &PairedErrors| {
            let (a, b) = (loss(given("errors", pair.a)?), loss(given("errors", pair.b)?));
            computed("loss", a).and(computed("loss", b)).map(|_| a - b)
        };
        errors.iter().map(difference).collect()
    }

    /// The weighted sum of autocovariances; those of equal lag are divided by n.
    fn variance(self, differences: &[f64], mean: f64) -> f64 {
        let n = count(differences.len());
        let lag = |lag: usize| {
            let later = differences.get(lag..).unwrap_or_default();
            sum::sum(later.iter().zip(differences).map(|(x, y)| (x - mean) * (y - mean))) / n
        };
        let weight = |lag: usize| match self.kernel {
            Kernel::Rectangular => 1.0,
            Kernel::Bartlett => 1.0 - count(lag) / count(self.horizon.get()),
        };
        lag(0) + 2.0 * sum::sum((1..self.horizon.get()).map(|j| weight(j) * lag(j)))
    }
}

/// What a [`DieboldMariano`] test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    n: usize,
    difference: f64,
    statistic: f64,
    p_value: Probability,
}

impl Verdict {
    /// How many pairs were compared.
    pub const fn n(self) -> usize {
        self.n
    }

    /// Mean loss of the first minus that of the second, in the unit of the loss.
    pub const fn difference(self) -> f64 {
        self.difference
    }

    /// The test statistic; positive where the first loses more.
    pub const fn statistic(self) -> f64 {
        self.statistic
    }

    /// The chance of a statistic at least as extreme if both were equally good.
    pub const fn p_value(self) -> Probability {
        self.p_value
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loser = if self.difference > 0.0 { "the first loses more" } else { "the second loses more" };
        let (t, p) = (self.statistic, self.p_value.get());
        write!(
            f,
            "{loser}: mean loss difference {:.4} (t = {t:.2}, p = {p:.3}, n = {})",
            self.difference, self.n
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(f64, f64)]) -> Vec<PairedErrors> {
        of.iter().map(|&(a, b)| PairedErrors { a, b }).collect()
    }

    #[test]
    fn refuses_what_no_test_can_tell() {
        let test = DieboldMariano::default();
        let kind = |of: &[(f64, f64)]| test.test(&pairs(of)).unwrap_err().kind();
        assert_eq!(kind(&[]), ErrorKind::Missing);
        assert_eq!(kind(&[(1.0, 2.0)]), ErrorKind::Missing);
        assert_eq!(kind(&[(1.0, 1.0), (2.0, 2.0)]), ErrorKind::NotIdentified);
        assert_eq!(kind(&[(f64::NAN, 1.0), (2.0, 2.0)]), ErrorKind::OutOfRange);
        assert_eq!(kind(&[(1e200, 1.0), (2.0, 2.0)]), ErrorKind::Overflow);
        let far = test.horizon(NonZeroUsize::MAX).test(&pairs(&[(1.0, 2.0), (2.0, 2.0), (0.0, 1.0)]));
        assert_eq!(far.unwrap_err().kind(), ErrorKind::OutOfRange);
    }

    /// Differences 1, 2, 4, 3, 5 by hand: mean 3, autocovariances 2 and 1/5, factor 12/25 at horizon 2; so V is 12/5
    /// with the rectangular kernel and 11/5 with Bartlett's.
    #[test]
    fn both_kernels_by_hand() {
        let errors = pairs(&[(1.0, 0.0), (2.0, 0.0), (4.0, 0.0), (3.0, 0.0), (5.0, 0.0)]);
        let test = DieboldMariano::default().horizon(NonZeroUsize::new(2).unwrap()).power(Power::Absolute);
        let statistic = |kernel| test.kernel(kernel).test(&errors).unwrap().statistic();
        assert!((statistic(Kernel::Rectangular) - 3.0).abs() < 1e-14);
        assert!((statistic(Kernel::Bartlett) - 3.0 * (12.0_f64 / 11.0).sqrt()).abs() < 1e-14);
    }

    /// Alternating differences: the lag-1 autocovariance is about minus the variance, so the rectangular sum is
    /// negative and the Bartlett sum is not.
    #[test]
    fn a_negative_variance_is_said_not_repaired() {
        let errors = pairs(&[(2.0, 0.0), (0.0, 1.0), (2.0, 0.0), (0.0, 1.0), (2.0, 0.0), (0.0, 1.0)]);
        let test = DieboldMariano::default().horizon(NonZeroUsize::new(2).unwrap());
        assert_eq!(test.test(&errors).unwrap_err().kind(), ErrorKind::NotIdentified);
        assert!(test.kernel(Kernel::Bartlett).test(&errors).is_ok());
    }
}
