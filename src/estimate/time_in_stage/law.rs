//! A law of the time in stage with its parameters: survival, hazard, quantiles, means.

use super::shape::{Density, Shape};
use super::{RemainingTime, TimeFamily, integral};
use crate::num::special::gamma::{Gamma, Tails, ln_gamma};
use crate::num::special::{exp, exp_m1, ln, ln_1p, pow, sin_cos, softplus};
use crate::{Error, Level, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A family with its parameters by name, as a caller or a file writes them; [`TimeInStage::new`] checks them.
///
/// # Formula
/// With S(t) the chance that a stay lasts longer than t:
///
/// | law | S(t) |
/// |---|---|
/// | exponential | exp(-rate t) |
/// | Weibull | exp(-(t / scale)^shape) |
/// | log-normal | Phi(-(ln t - meanlog) / sdlog) |
/// | log-logistic | 1 / (1 + (t / scale)^shape) |
/// | gamma | Q(shape, rate t) |
/// | generalized gamma | Q(1/q^2, u) for q > 0, P(1/q^2, u) for q < 0, u = exp(q w) / q^2, w = (ln t - mu) / sigma; log-normal at q = 0 |
///
/// # Units
/// Times in one unit of the caller's choice (days throughout this crate); `scale` in that unit, `rate` in its inverse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", content = "parameters", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table above says what each parameter does")]
pub enum TimeLaw {
    Exponential { rate: f64 },
    Weibull { shape: f64, scale: f64 },
    LogNormal { meanlog: f64, sdlog: f64 },
    LogLogistic { shape: f64, scale: f64 },
    Gamma { shape: f64, rate: f64 },
    GeneralizedGamma { mu: f64, sigma: f64, q: f64 },
}

/// The distribution of the time deals spend in a stage.
///
/// A time that is negative or no number counts as 0; results that would leave the doubles are cut at the largest.
///
/// # Example: how long does half of the negotiations take, and how long still for one that is 30 days old?
/// ```
/// use dealcast::estimate::{TimeInStage, TimeLaw};
/// use dealcast::Level;
/// let negotiation = TimeInStage::new(TimeLaw::Weibull { shape: 0.7, scale: 40.0 })?;
/// assert!((negotiation.quantile(Level::HALF) - 23.7).abs() < 0.1);
/// assert!((negotiation.after(30.0).quantile(Level::HALF) - 42.1).abs() < 0.1); // the old ones linger
/// assert!((negotiation.after(30.0).survival(10.0) - 0.83).abs() < 0.01);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Kalbfleisch & Prentice (2002), The statistical analysis of failure time data, chapter 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TimeLaw", into = "TimeLaw")]
pub struct TimeInStage {
    law: TimeLaw,
}

impl TimeInStage {
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) with the parameter's name unless rates, shapes, scales, `sdlog` and
    /// `sigma` are finite and above 0, `meanlog`, `mu` and `q` finite.
    pub fn new(law: TimeLaw) -> Result<Self> {
        let positive = |name, x: f64| {
            let fits = x > 0.0 && x.is_finite();
            if fits { Ok(()) } else { Err(Error::out_of_range(name, "a finite number above 0", x)) }
        };
        let finite = |name, x: f64| {
            if x.is_finite() { Ok(()) } else { Err(Error::out_of_range(name, "a finite number", x)) }
        };
        match law {
            TimeLaw::Exponential { rate } => positive("rate", rate)?,
            TimeLaw::Weibull { shape, scale } | TimeLaw::LogLogistic { shape, scale } => {
                positive("shape", shape)?;
                positive("scale", scale)?;
            }
            TimeLaw::LogNormal { meanlog, sdlog } => {
                finite("meanlog", meanlog)?;
                positive("sdlog", sdlog)?;
            }
            TimeLaw::Gamma { shape, rate } => {
                positive("shape", shape)?;
                positive("rate", rate)?;
            }
            TimeLaw::GeneralizedGamma { mu, sigma, q } => {
                finite("mu", mu)?;
                positive("sigma", sigma)?;
                finite("q", q)?;
            }
        }
        Ok(Self { law })
    }

    /// The family with its parameters.
    pub const fn law(&self) -> TimeLaw {
        self.law
    }

    /// The family.
    pub const fn family(&self) -> TimeFamily {
        match self.law {
            TimeLaw::Exponential { .. } => TimeFamily::Exponential,
            TimeLaw::Weibull { .. } => TimeFamily::Weibull,
            TimeLaw::LogNormal { .. } => TimeFamily::LogNormal,
            TimeLaw::LogLogistic { .. } => TimeFamily::LogLogistic,
            TimeLaw::Gamma { .. } => TimeFamily::Gamma,
            TimeLaw::GeneralizedGamma { .. } => TimeFamily::GeneralizedGamma,
        }
    }

    /// The parameters in the order of [`TimeFamily::parameter_names`].
    pub fn parameters(&self) -> Vec<f64> {
        match self.law {
            TimeLaw::Exponential { rate } => vec![rate],
            TimeLaw::Weibull { shape, scale } | TimeLaw::LogLogistic { shape, scale } => vec![shape, scale],
            TimeLaw::LogNormal { meanlog, sdlog } => vec![meanlog, sdlog],
            TimeLaw::Gamma { shape, rate } => vec![shape, rate],
            TimeLaw::GeneralizedGamma { mu, sigma, q } => vec![mu, sigma, q],
        }
    }

    /// ln t = mu + sigma w, w of the standard shape.
    fn standard(&self) -> (Shape, f64, f64) {
        match self.law {
            TimeLaw::Exponential { rate } => (Shape::Gumbel, -ln(rate), 1.0),
            TimeLaw::Weibull { shape, scale } => (Shape::Gumbel, ln(scale), 1.0 / shape),
            TimeLaw::LogNormal { meanlog, sdlog } => (Shape::Normal, meanlog, sdlog),
            TimeLaw::LogLogistic { shape, scale } => (Shape::Logistic, ln(scale), 1.0 / shape),
            TimeLaw::Gamma { shape, rate } => {
                let q = 1.0 / shape.sqrt();
                (Shape::log_gamma(q), ln(shape) - ln(rate), q)
            }
            TimeLaw::GeneralizedGamma { mu, sigma, q } => (Shape::log_gamma(q), mu, sigma),
        }
    }

    /// w of a time above 0.
    fn place(t: f64, mu: f64, sigma: f64) -> f64 {
        ((ln(t) - mu) / sigma).clamp(-f64::MAX, f64::MAX)
    }

    /// ln P(T > t): finite for every finite time, and accurate where the probability itself is no double any more.
    pub fn log_survival(&self, t: f64) -> f64 {
        if t.is_nan() || t <= 0.0 {
            return 0.0;
        }
        let ln_survival = match self.law {
            TimeLaw::Exponential { rate } => -rate * t,
            TimeLaw::Weibull { shape, scale } if (t / scale).is_normal() => -pow(t / scale, shape),
            TimeLaw::LogLogistic { shape, scale } if (t / scale).is_normal() => {
                -softplus(shape * ln(t / scale))
            }
            TimeLaw::Gamma { shape, rate } => Gamma::new(shape).tails(rate * t).ln_upper,
            _ => {
                let (shape, mu, sigma) = self.standard();
                shape.ln_survival(Self::place(t, mu, sigma))
            }
        };
        // The sum turns -0.0 into 0.0.
        ln_survival.clamp(-f64::MAX, 0.0) + 0.0
    }

    /// P(T > t): the share of stays that last longer.
    pub fn survival(&self, t: f64) -> f64 {
        exp(self.log_survival(t))
    }

    /// ln of the density at t.
    pub fn log_density(&self, t: f64) -> f64 {
        let t = if t > 0.0 { t } else { 0.0 };
        let (shape, mu, sigma) = self.standard();
        let w = if t > 0.0 { Self::place(t, mu, sigma) } else { -f64::MAX };
        let Density { ln: ln_density, .. } = shape.density(w);
        (ln_density - ln(sigma) - ln(t.max(f64::from_bits(1)))).clamp(-f64::MAX, f64::MAX)
    }

    /// The density at t, per unit of time.
    pub fn density(&self, t: f64) -> f64 {
        exp(self.log_density(t)).min(f64::MAX)
    }

    /// The hazard at t: the rate at which those still there leave, per unit of time.
    pub fn hazard(&self, t: f64) -> f64 {
        match self.law {
            TimeLaw::Exponential { rate } => rate,
            _ => exp(self.log_density(t) - self.log_survival(t)).min(f64::MAX),
        }
    }

    /// The time by which this share of the stays has ended.
    pub fn quantile(&self, level: Level) -> f64 {
        let p = level.get();
        self.time_at(Tails { ln_lower: ln(p), ln_upper: ln_1p(-p) })
    }

    /// The time at which the chance of having ended, and of still going on, are as given.
    pub(super) fn time_at(&self, tails: Tails) -> f64 {
        if let TimeLaw::Exponential { rate } = self.law {
            return (-tails.ln_upper / rate).min(f64::MAX);
        }
        let (shape, mu, sigma) = self.standard();
        exp(mu + sigma * shape.at(tails)).min(f64::MAX)
    }

    /// The mean time; `None` where it is infinite or beyond the doubles.
    pub fn mean(&self) -> Option<f64> {
        let mean = match self.law {
            TimeLaw::Exponential { rate } => 1.0 / rate,
            TimeLaw::Weibull { shape, scale } => scale * exp(ln_gamma(1.0 + 1.0 / shape)),
            TimeLaw::LogNormal { meanlog, sdlog } => exp(meanlog + 0.5 * sdlog * sdlog),
            TimeLaw::LogLogistic { shape, .. } if shape <= 1.0 => f64::INFINITY,
            TimeLaw::LogLogistic { shape, scale } => {
                let angle = std::f64::consts::PI / shape;
                scale * angle / sin_cos(angle).0
            }
            TimeLaw::Gamma { shape, rate } => shape / rate,
            TimeLaw::GeneralizedGamma { mu, sigma, q } => generalized_gamma_mean(mu, sigma, q),
        };
        mean.is_finite().then_some(mean)
    }

    /// The mean of min(T, `limit`): how long a stay takes on average if it is cut off there.
    pub fn restricted_mean(&self, limit: f64) -> f64 {
        self.after(0.0).restricted_mean(limit)
    }

    /// The time still to go for a deal that has been in the stage for `age`.
    pub fn after(&self, age: f64) -> RemainingTime {
        RemainingTime::new(*self, age)
    }
}

/// e^mu q^{2 sigma / q} Gamma(1/q^2 + sigma/q) / Gamma(1/q^2), infinite where the argument is not above 0.
///
/// Below |q| = 0.2 the two Gammas cancel; there E e^{sigma W} is integrated on the log-gamma scale.
fn generalized_gamma_mean(mu: f64, sigma: f64, q: f64) -> f64 {
    let a = 1.0 / (q * q);
    if q < 0.0 && a + sigma / q <= 0.0 {
        return f64::INFINITY;
    }
    if q.abs() > 0.2 {
        return exp(mu + ln_gamma(a + sigma / q) - ln_gamma(a) - ln(a) * sigma / q);
    }
    let shape = Shape::log_gamma(q);
    // The tilted density peaks where its slope -(e^{qw} - 1) / q equals -sigma.
    let peak = if q == 0.0 { sigma } else { ln_1p(q * sigma) / q };
    let tilted = |w: f64| shape.density(w).ln + sigma * w;
    let top = tilted(peak);
    let width = 1.0 / (1.0 + exp_m1(q * peak)).sqrt();
    let part = |sign: f64| integral::to_infinity(width, |x| exp(tilted(peak + sign * x) - top));
    exp(mu + top + ln(part(1.0) + part(-1.0)))
}

impl TryFrom<TimeLaw> for TimeInStage {
    type Error = Error;
    fn try_from(law: TimeLaw) -> Result<Self> {
        Self::new(law)
    }
}

impl From<TimeInStage> for TimeLaw {
    fn from(time: TimeInStage) -> Self {
        time.law
    }
}

/// `Weibull (shape 0.700, scale 40.0)`.
impl fmt::Display for TimeInStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.family())?;
        for (i, (name, value)) in self.family().parameter_names().iter().zip(self.parameters()).enumerate() {
            write!(f, "{}{name} {}", if i > 0 { ", " } else { "" }, Rounded(value))?;
        }
        f.write_str(")")
    }
}

/// A number to about three significant digits.
pub(super) struct Rounded(pub(super) f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = self.0;
        match x.abs() {
            size if size >= 1e6 || (size > 0.0 && size < 1e-3) => write!(f, "{x:.3e}"),
            size if size >= 999.95 => write!(f, "{x:.0}"),
            size if size >= 9.9995 => write!(f, "{x:.1}"),
            size if size >= 0.99995 || size == 0.0 => write!(f, "{x:.2}"),
            size if size >= 0.099_995 => write!(f, "{x:.3}"),
            size if size >= 0.009_999_5 => write!(f, "{x:.4}"),
            _ => write!(f, "{x:.5}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laws() -> Vec<TimeInStage> {
        [
            TimeLaw::Exponential { rate: 0.012 },
            TimeLaw::Weibull { shape: 0.7, scale: 80.0 },
            TimeLaw::LogNormal { meanlog: 3.8, sdlog: 1.2 },
            TimeLaw::LogLogistic { shape: 1.6, scale: 45.0 },
            TimeLaw::Gamma { shape: 0.6, rate: 0.008 },
            TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: -0.8 },
            TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 1.1, q: 0.05 },
        ]
        .map(|law| TimeInStage::new(law).unwrap())
        .to_vec()
    }

    /// By 50-digit arithmetic (mpmath 1.4.1), from near 1 down to about 1e-300.
    #[test]
    fn log_survival_matches_50_digits() {
        #[allow(
            clippy::excessive_precision,
            clippy::unreadable_literal,
            reason = "as the reference printed them"
        )]
        let table = [
            (TimeLaw::Weibull { shape: 1.7, scale: 80.0 }, 1e-09, -2.9157280985525267e-19),
            (TimeLaw::Weibull { shape: 1.7, scale: 80.0 }, 0.5, -0.00017905894835877566),
            (TimeLaw::Weibull { shape: 1.7, scale: 80.0 }, 80.0, -1.0),
            (TimeLaw::Weibull { shape: 1.7, scale: 80.0 }, 3700.0, -677.15790552046842),
            (TimeLaw::LogNormal { meanlog: 3.8, sdlog: 1.1 }, 1.0, -0.00027564863221838422),
            (TimeLaw::LogNormal { meanlog: 3.8, sdlog: 1.1 }, 60.0, -0.93011328100417379),
            (TimeLaw::LogNormal { meanlog: 3.8, sdlog: 1.1 }, 1000000.0, -44.59008194301514),
            (TimeLaw::LogNormal { meanlog: 3.8, sdlog: 1.1 }, 1e+19, -663.98799598285124),
            (TimeLaw::LogLogistic { shape: 2.0, scale: 45.0 }, 1e-06, -4.9382716049382699e-16),
            (TimeLaw::LogLogistic { shape: 2.0, scale: 45.0 }, 30.0, -0.36772478012531735),
            (TimeLaw::LogLogistic { shape: 2.0, scale: 45.0 }, 1000000.0, -20.017696138412909),
            (TimeLaw::LogLogistic { shape: 2.0, scale: 45.0 }, 1e+150, -683.16220291867307),
            (TimeLaw::Gamma { shape: 0.6, rate: 0.008 }, 0.001, -0.00097940728509743626),
            (TimeLaw::Gamma { shape: 0.6, rate: 0.008 }, 50.0, -0.82060553063260031),
            (TimeLaw::Gamma { shape: 0.6, rate: 0.008 }, 1000.0, -9.2741045799946112),
            (TimeLaw::Gamma { shape: 0.6, rate: 0.008 }, 80000.0, -642.98344496106615),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: 0.7 }, 1.0, -0.00023899422622043488),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: 0.7 }, 40.0, -0.73918400696996228),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: 0.7 }, 400.0, -22.888288057344951),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: 0.7 }, 1500.0, -117.99132634507264),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: -0.8 }, 5.0, -1.9506206916628671e-12),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: -0.8 }, 40.0, -0.39171847627702985),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: -0.8 }, 10000.0, -10.904498784287188),
            (TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 0.6, q: -0.8 }, 1e+90, -423.45029309110709),
        ];
        for (law, t, exact) in table {
            let off = (TimeInStage::new(law).unwrap().log_survival(t) - exact).abs();
            // Relative to the survival where that is small, to the chance of having ended where that is.
            assert!(off <= 1e-12 * f64::min(1.0, exact.abs()), "{law:?} at {t}: off by {off:e}");
        }
    }

    #[test]
    fn every_answer_is_finite_for_every_time() {
        for time in laws() {
            for t in [-1.0, 0.0, 5e-324, 1e-300, 1.0, 1e6, 1e300, f64::MAX, f64::NAN] {
                for x in [time.log_survival(t), time.survival(t), time.density(t), time.hazard(t)] {
                    assert!(x.is_finite(), "{time} at {t}: {x}");
                }
                let rest = time.after(t);
                for x in [rest.log_survival(30.0), rest.quantile(Level::HALF), rest.restricted_mean(100.0)] {
                    assert!(x.is_finite(), "{time} after {t}: {x}");
                }
            }
        }
    }

    #[test]
    fn the_mean_is_the_integral_of_the_survival() {
        for time in laws() {
            let mean = time.mean().unwrap();
            // Far enough out that the rest is below 1e-6 even for the heaviest tail here (t^-0.6 left beyond).
            let restricted = integral::to_infinity(mean, |t| time.survival(t));
            assert!((restricted / mean - 1.0).abs() < 1e-9, "{time}: {mean} {restricted}");
        }
    }

    #[test]
    fn a_cliff_in_a_long_span_is_seen() {
        let time = TimeInStage::new(TimeLaw::LogNormal { meanlog: 1.0, sdlog: 1e-4 }).unwrap();
        for limit in [3.0, 1e6, 1e300] {
            assert!((time.restricted_mean(limit) / time.mean().unwrap() - 1.0).abs() < 1e-12, "{limit}");
            let rest = time.after(2.0).restricted_mean(limit);
            assert!((rest / (time.mean().unwrap() - 2.0) - 1.0).abs() < 1e-12, "{limit}: {rest}");
        }
    }

    #[test]
    fn parameters_are_checked_also_by_serde() {
        assert!(TimeInStage::new(TimeLaw::Weibull { shape: f64::INFINITY, scale: 1.0 }).is_err());
        assert!(TimeInStage::new(TimeLaw::LogNormal { meanlog: f64::NAN, sdlog: 1.0 }).is_err());
        let text = r#"{"family":"gamma","parameters":{"shape":0.0,"rate":1.0}}"#;
        assert!(serde_json::from_str::<TimeInStage>(text).is_err());
        let text = r#"{"family":"gamma","parameters":{"shape":0.5,"rate":1.0}}"#;
        let time: TimeInStage = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&time).unwrap(), text);
        assert_eq!(time.to_string(), "gamma (shape 0.500, rate 1.00)");
    }
}
