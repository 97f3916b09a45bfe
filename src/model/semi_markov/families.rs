//! How long deals stay: parametric families of time in stage, through their log survival and log hazard.
//!
//! # Formula
//! `ln S(t)`, the log share still there after `t` days, and `ln h(t)`, the log of the rate of leaving just then.
//! Both in logs, so that the odds of an old deal come from differences of logs and never from 0 / 0.
//!
//! # Reference
//! Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, section 2.2; tail of the normal:
//! Abramowitz & Stegun (1964), 26.2.12; upper incomplete gamma: Gautschi (1979), continued fraction by Lentz.

use crate::num::special::{self, exp, ln, ln_1p, pow};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A family of times in stage, in days, with its parameters as the textbooks name them.
///
/// # Example: how is a sojourn stated?
/// ```
/// use dealcast::model::Sojourn;
/// let negotiating: Sojourn =
///     serde_json::from_str(r#"{"family": "weibull", "parameters": {"shape": 1.4, "scale": 25.0}}"#)?;
/// assert_eq!(negotiating, Sojourn::Weibull { shape: 1.4, scale: 25.0 });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", content = "parameters", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the parameters are explained by their family")]
pub enum Sojourn {
    /// Leaves at a constant rate a day; mean `1 / rate`.
    Exponential { rate: f64 },
    /// `S(t) = exp(-(t / scale)^shape)`; after `scale` days 63.2 % have left.
    Weibull { shape: f64, scale: f64 },
    /// Mean and standard deviation (> 0) of the logarithm.
    LogNormal { meanlog: f64, sdlog: f64 },
    /// `S(t) = 1 / (1 + (t / scale)^shape)`; after `scale` days half have left.
    LogLogistic { shape: f64, scale: f64 },
    /// Mean `shape / rate`.
    Gamma { shape: f64, rate: f64 },
    /// With `w = (ln t - mu) / sigma` and `u = e^(q w) / q^2`, `S = Q(1 / q^2, u)` for `q > 0` and `P(1 / q^2, u)` for
    /// `q < 0`; log-normal at `q = 0`, Weibull at 1, gamma at `q = sigma`.
    GeneralizedGamma { mu: f64, sigma: f64, q: f64 },
}

/// Smallest `|q|` but 0 that is told apart from the log-normal: nearer, the gamma functions lose what tells them apart.
const LEAST_Q: f64 = 0.01;
/// Largest shape of a gamma: a time in stage that varies by 1 %.
const LARGEST_SHAPE: f64 = 1e4;

impl Sojourn {
    pub(super) fn check(&self) -> Result<()> {
        let positive = |field: &'static str, x: f64| match x {
            1e-6..=1e6 => Ok(()),
            _ => Err(Error::out_of_range(field, "a number from 1e-6 to 1e6", x)),
        };
        let location = |field: &'static str, x: f64| match x {
            -700.0..=700.0 => Ok(()),
            _ => Err(Error::out_of_range(field, "a number from -700 to 700", x)),
        };
        match *self {
            Self::Exponential { rate } => positive("rate", rate),
            Self::Weibull { shape, scale } | Self::LogLogistic { shape, scale } => {
                positive("shape", shape)?;
                positive("scale", scale)
            }
            Self::LogNormal { meanlog, sdlog } => {
                positive("sdlog", sdlog)?;
                location("meanlog", meanlog)
            }
            Self::GeneralizedGamma { mu, sigma, q } => {
                positive("sigma", sigma)?;
                location("mu", mu)?;
                match q.abs() {
                    0.0 | LEAST_Q..=100.0 => Ok(()),
                    _ => Err(Error::out_of_range("q", "0 or a number from 0.01 to 100 in size", q)),
                }
            }
            Self::Gamma { shape, rate } => {
                positive("rate", rate)?;
                match shape {
                    1e-6..=LARGEST_SHAPE => Ok(()),
                    _ => Err(Error::out_of_range("shape", "a number from 1e-6 to 10,000", shape)),
                }
            }
        }
    }

    /// `ln S(t)`: 0 at the start, falling to minus infinity.
    pub(super) fn log_survival(&self, t: f64) -> f64 {
        if t <= 0.0 {
            return 0.0;
        }
        match *self {
            Self::Exponential { rate } => -rate * t,
            Self::Weibull { shape, scale } => -pow(t / scale, shape),
            Self::LogNormal { meanlog, sdlog } => log_normal_tail((ln(t) - meanlog) / sdlog),
            Self::LogLogistic { shape, scale } => -log_one_plus(shape * ln(t / scale)),
            Self::Gamma { shape, rate } => log_gamma_tail(shape, rate * t),
            Self::GeneralizedGamma { mu, sigma, q } => {
                let w = (ln(t) - mu) / sigma;
                let a = 1.0 / (q * q);
                if q == 0.0 {
                    log_normal_tail(w)
                } else if q > 0.0 {
                    log_gamma_tail(a, a * exp(q * w))
                } else {
                    log_gamma_head(a, q * w)
                }
            }
        }
    }

    /// `ln h(t)` for `t > 0`.
    pub(super) fn log_hazard(&self, t: f64) -> f64 {
        match *self {
            Self::Exponential { rate } => ln(rate),
            Self::Weibull { shape, scale } => ln(shape / scale) + (shape - 1.0) * ln(t / scale),
            Self::LogNormal { meanlog, sdlog } => {
                let z = (ln(t) - meanlog) / sdlog;
                -0.5 * z * z - LN_SQRT_TAU - ln(sdlog * t) - log_normal_tail(z)
            }
            Self::LogLogistic { shape, scale } => {
                let x = ln(t / scale);
                ln(shape / scale) + (shape - 1.0) * x - log_one_plus(shape * x)
            }
            Self::Gamma { shape, rate } => {
                ln(rate) + (shape - 1.0) * ln(rate * t)
                    - rate * t
                    - log_gamma(shape)
                    - log_gamma_tail(shape, rate * t)
            }
            Self::GeneralizedGamma { mu, sigma, q } => {
                let w = (ln(t) - mu) / sigma;
                let a = 1.0 / (q * q);
                let shape = if q == 0.0 {
                    -0.5 * w * w - LN_SQRT_TAU
                } else {
                    ln(q.abs()) + a * ln(a) - log_gamma(a) + a * (q * w - exp(q * w))
                };
                shape - ln(sigma * t) - self.log_survival(t)
            }
        }
    }
}

const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_7;

/// `ln(1 + e^x)` without overflow.
fn log_one_plus(x: f64) -> f64 {
    if x > 0.0 { x + ln_1p(exp(-x)) } else { ln_1p(exp(x)) }
}

/// `ln P(Z > z)`.
fn log_normal_tail(z: f64) -> f64 {
    if z < 0.0 {
        ln_1p(-special::normal_cdf(z))
    } else if z < 37.0 {
        ln(special::normal_cdf(-z))
    } else {
        // The next term of the series is 105 / z^8 < 4e-11, of a logarithm beyond 680.
        let r = 1.0 / (z * z);
        -0.5 * z * z - LN_SQRT_TAU - ln(z) + ln_1p(-r * (1.0 - 3.0 * r * (1.0 - 5.0 * r)))
    }
}

/// `ln Gamma(a)`: by Stirling's series where the function itself would overflow.
fn log_gamma(a: f64) -> f64 {
    if a < 100.0 {
        return ln(special::score::gamma(a));
    }
    let r = 1.0 / (a * a);
    (a - 0.5) * ln(a) - a + LN_SQRT_TAU + (1.0 - r * (1.0 / 30.0 - r / 105.0)) / (12.0 * a)
}

/// `ln Q(a, x)`, the log of the regularised upper incomplete gamma function.
fn log_gamma_tail(a: f64, x: f64) -> f64 {
    if x <= a + 1.0 {
        let p = special::score::gamma_cdf(a, x);
        if p < 0.999_999 {
            return ln_1p(-p);
        }
    }
    if x.is_infinite() {
        return f64::NEG_INFINITY;
    }
    let (mut b, mut d) = (x + 1.0 - a, 1.0 / (x + 1.0 - a).max(f64::MIN_POSITIVE));
    let (mut c, mut fraction) = (1.0 / f64::MIN_POSITIVE, d);
    for i in 1..10_000 {
        let n = f64::from(i);
        let term = -n * (n - a);
        b += 2.0;
        d = 1.0 / (term * d + b);
        c = b + term / c;
        let step = c * d;
        fraction *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    let tail = a * ln(x) - x - log_gamma(a) + ln(fraction);
    if tail.is_finite() { tail.min(0.0) } else { f64::NEG_INFINITY }
}

/// `ln P(a, a e^v)`, the log of the regularised lower incomplete gamma function: by its series below the middle.
fn log_gamma_head(a: f64, v: f64) -> f64 {
    let x = a * exp(v);
    if x > a + 1.0 {
        return ln_1p(-exp(log_gamma_tail(a, x)));
    }
    let (mut term, mut total, mut n) = (1.0, 1.0, a);
    while term > 1e-17 * total {
        n += 1.0;
        term *= x / n;
        total += term;
    }
    a * (ln(a) + v) - x - log_gamma(a) - ln(a) + ln(total)
}
