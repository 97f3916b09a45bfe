//! Parametric forecasts: the continuous ranked probability score in closed form.
//!
//! # Formula
//! `CRPS(F, y)` = integral of `(F(x) - 1{y <= x})^2 dx` = `E|X - y| - E|X - X'| / 2`: the absolute error, generalised
//! to a distribution. It is in the unit of the forecast (money, wins) and equals the absolute error where the
//! forecast is a single number.
//!
//! # Reference
//! Gneiting & Raftery (2007), eq. 20-21 (normal: eq. 5 of Gneiting et al. 2005); Jordan, Krueger & Lerch (2019),
//! Evaluating probabilistic forecasts with scoringRules, appendix A. Counts: exact tables, see `count.rs`.

use super::count::{CountTable, Recursion};
use super::{Pit, computed, given};
use crate::num::special;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The parametric families a forecast can be stated in, with their parameters as the textbooks name them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", content = "parameters", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the parameters are explained by their family")]
pub enum Family {
    /// Mean and standard deviation; the standard deviation is positive.
    Normal { mean: f64, sd: f64 },
    /// Rate > 0, mean `1 / rate`.
    Exponential { rate: f64 },
    /// Shape > 0 and rate > 0, mean `shape / rate`.
    Gamma { shape: f64, rate: f64 },
    /// Mean and standard deviation (> 0) of the logarithm.
    LogNormal { meanlog: f64, sdlog: f64 },
    /// Mean >= 0.
    Poisson { mean: f64 },
    /// Size > 0, mean >= 0; variance `mean + mean^2 / size`.
    NegativeBinomial { size: f64, mean: f64 },
    /// Number of trials and the chance of each.
    Binomial { n: u64, p: f64 },
}

/// A parametric forecast that can be scored.
///
/// # Example: what did a wrong forecast cost?
/// ```
/// use dealcast::score::{Family, Predictive};
/// let quarter = Predictive::new(Family::Normal { mean: 4.0e6, sd: 0.5e6 })?;
/// let (as_forecast, missed) = (quarter.crps(4.0e6)?, quarter.crps(2.0e6)?);
/// assert!(as_forecast < 0.12e6 && missed > 1.7e6);
/// // A distribution is penalised less than its mean alone, whose error is 2.0e6.
/// assert!(missed < 2.0e6);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Predictive {
    family: Family,
    /// Filled for counts.
    table: Option<CountTable>,
}

impl Predictive {
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) for a parameter its family does not allow;
    /// [`TooLarge`](crate::ErrorKind::TooLarge) for a count spread over more than a million values.
    pub fn new(family: Family) -> Result<Self> {
        Ok(Self { family, table: table(family)? })
    }

    /// The family and its parameters.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// P(X <= x).
    pub fn cdf(&self, x: f64) -> f64 {
        if let Some(table) = &self.table {
            return table.cdf(x);
        }
        match self.family {
            Family::Normal { mean, sd } => special::normal_cdf((x - mean) / sd),
            Family::Exponential { rate } if x > 0.0 => -special::exp_m1(-rate * x),
            Family::Gamma { shape, rate } if x > 0.0 => special::score::gamma_cdf(shape, rate * x),
            Family::LogNormal { meanlog, sdlog } if x > 0.0 => {
                special::normal_cdf((special::ln(x) - meanlog) / sdlog)
            }
            _ => 0.0,
        }
    }

    /// The continuous ranked probability score of what happened, in the unit of the forecast; smaller is better, 0 is
    /// reached only by certainty.
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) if `observed` is not finite;
    /// [`Overflow`](crate::ErrorKind::Overflow) if the score is not (a log-normal with an enormous mean).
    pub fn crps(&self, observed: f64) -> Result<f64> {
        let y = given("observed", observed)?;
        let score = match (&self.table, self.family) {
            (Some(table), _) => table.crps(y),
            (None, Family::Normal { mean, sd }) => normal(y - mean, sd),
            (None, Family::Exponential { rate }) => self.exponential(y, rate),
            (None, Family::Gamma { shape, rate }) => self.gamma(y, (shape, rate)),
            (None, Family::LogNormal { meanlog, sdlog }) => self.log_normal(y, (meanlog, sdlog)),
            (None, _) => f64::NAN,
        };
        // Rounding may leave a near-certain forecast an ulp below 0; NaN is kept and refused.
        computed("crps", if score < 0.0 { 0.0 } else { score })
    }

    /// Where what happened lies within the forecast: P(X < observed) and P(X <= observed).
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) if `observed` is not finite.
    pub fn pit(&self, observed: f64) -> Result<Pit> {
        let y = given("observed", observed)?;
        let upper = self.cdf(y);
        Pit::new(self.table.as_ref().map_or(upper, |table| table.cdf_below(y))..=upper)
    }

    /// `y - 2 F(y) / rate + 1 / (2 rate)`; the distance to 0 on top for y < 0.
    fn exponential(&self, y: f64, rate: f64) -> f64 {
        y.abs() - 2.0 * self.cdf(y) / rate + 0.5 / rate
    }

    /// `y (2 F_a(y) - 1) - (a / b) (2 F_{a+1}(y) - 1) - 1 / (b B(1/2, a))`.
    fn gamma(&self, y: f64, (shape, rate): (f64, f64)) -> f64 {
        let next = if y > 0.0 { special::score::gamma_cdf(shape + 1.0, rate * y) } else { 0.0 };
        let gini = special::score::gamma_half_step(shape) / std::f64::consts::PI.sqrt();
        y * (2.0 * self.cdf(y) - 1.0) - shape / rate * (2.0 * next - 1.0) - gini / rate
    }

    /// `y (2 F(y) - 1) - 2 E[X] (Phi(z - s) - Phi(-s / sqrt 2))`, z = (ln y - m) / s.
    fn log_normal(&self, y: f64, (m, s): (f64, f64)) -> f64 {
        let mean = special::exp(m + 0.5 * s * s);
        let below = if y > 0.0 { special::normal_cdf((special::ln(y) - m) / s - s) } else { 0.0 };
        let half = special::normal_cdf(-s * std::f64::consts::FRAC_1_SQRT_2);
        y * (2.0 * self.cdf(y) - 1.0) - 2.0 * mean * (below - half)
    }
}

/// `sd (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt pi)`, z = error / sd. For large |z| that is |error| - sd / sqrt pi.
fn normal(error: f64, sd: f64) -> f64 {
    let z = error / sd;
    let inside = error * (2.0 * special::normal_cdf(z) - 1.0) + 2.0 * sd * special::normal_density(z);
    inside - sd / std::f64::consts::PI.sqrt()
}

/// Checks the parameters; counts get their table.
fn table(family: Family) -> Result<Option<CountTable>> {
    let positive = |name: &'static str, x: f64| {
        if x > 0.0 && x.is_finite() {
            Ok(x)
        } else {
            Err(Error::out_of_range(name, "a finite number > 0", x))
        }
    };
    let not_negative = |name: &'static str, x: f64| {
        if x >= 0.0 && x.is_finite() {
            Ok(x)
        } else {
            Err(Error::out_of_range(name, "a finite number >= 0", x))
        }
    };
    let last = f64::INFINITY;
    match family {
        Family::Normal { mean, sd } => given("mean", mean).and(positive("sd", sd)).map(|_| None),
        Family::Exponential { rate } => positive("rate", rate).map(|_| None),
        Family::Gamma { shape, rate } => positive("shape", shape).and(positive("rate", rate)).map(|_| None),
        Family::LogNormal { meanlog, sdlog } => {
            given("meanlog", meanlog).and(positive("sdlog", sdlog)).map(|_| None)
        }
        Family::Poisson { mean } => {
            CountTable::new(Recursion { a: 0.0, b: not_negative("mean", mean)?, last }).map(Some)
        }
        Family::NegativeBinomial { size, mean } => {
            let a = not_negative("mean", mean)? / (mean + positive("size", size)?);
            CountTable::new(Recursion { a, b: (size - 1.0) * a, last }).map(Some)
        }
        Family::Binomial { n, p } => binomial(n, p).map(Some),
    }
}

pub(super) fn binomial(n: u64, p: f64) -> Result<CountTable> {
    if !(0.0..=1.0).contains(&p) {
        return Err(Error::out_of_range("p", "a number from 0 to 1", p));
    }
    let last = crate::num::count(usize::try_from(n).unwrap_or(usize::MAX));
    if p >= 1.0 {
        return Ok(CountTable::certain(last));
    }
    let odds = p / (1.0 - p);
    CountTable::new(Recursion { a: -odds, b: (last + 1.0) * odds, last })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn impossible_parameters_are_refused() {
        let bad = [0.0, -1.0, f64::NAN, f64::INFINITY];
        for x in bad {
            for family in [
                Family::Normal { mean: 0.0, sd: x },
                Family::Exponential { rate: x },
                Family::Gamma { shape: x, rate: 1.0 },
                Family::Gamma { shape: 1.0, rate: x },
                Family::LogNormal { meanlog: 0.0, sdlog: x },
                Family::NegativeBinomial { size: x, mean: 1.0 },
            ] {
                assert_eq!(Predictive::new(family).unwrap_err().kind(), ErrorKind::OutOfRange, "{family:?}");
            }
        }
        assert!(Predictive::new(Family::Poisson { mean: -1.0 }).is_err());
        assert!(Predictive::new(Family::Binomial { n: 3, p: 1.1 }).is_err());
        assert!(Predictive::new(Family::Poisson { mean: 1e9 }).is_ok());
    }

    #[test]
    fn certain_counts_score_the_absolute_error() {
        for family in [
            Family::Poisson { mean: 0.0 },
            Family::NegativeBinomial { size: 2.0, mean: 0.0 },
            Family::Binomial { n: 7, p: 0.0 },
            Family::Binomial { n: 0, p: 0.3 },
        ] {
            let certain = Predictive::new(family).unwrap();
            assert_eq!((certain.crps(0.0).unwrap(), certain.crps(2.5).unwrap()), (0.0, 2.5));
        }
        let all = Predictive::new(Family::Binomial { n: 7, p: 1.0 }).unwrap();
        assert_eq!((all.crps(7.0).unwrap(), all.crps(4.0).unwrap()), (0.0, 3.0));
    }

    #[test]
    fn extreme_arguments_answer_or_refuse() {
        let huge = Predictive::new(Family::LogNormal { meanlog: 700.0, sdlog: 10.0 }).unwrap();
        assert_eq!(huge.crps(1.0).unwrap_err().kind(), ErrorKind::Overflow);
        for family in [
            Family::Normal { mean: 0.0, sd: 1e-300 },
            Family::Gamma { shape: 1e300, rate: 1e300 },
            Family::Gamma { shape: 1e-300, rate: 1.0 },
            Family::Exponential { rate: 1e-300 },
            Family::Exponential { rate: 1e300 },
        ] {
            for y in [-1e300, -1.0, 0.0, 1e-300, 1.0, 1e300] {
                assert!(Predictive::new(family).unwrap().crps(y).is_ok_and(|s| s >= 0.0), "{family:?} {y}");
            }
        }
    }
}
