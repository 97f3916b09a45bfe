//! The incomplete beta function deep into both tails, its inverse, and the distributions built on it and on the
//! incomplete gamma: Student's t, F, chi-square.
//!
//! Own code: statrs 0.19.1 works on the plain scale, and its inverse never returns for Beta(1/2, 10^7).

use super::gamma::{Gamma, Tails, stirling_rest};
use super::{deviance, erfc_scaled, exp, ln, ln_1m_exp};

const LN_TAU: f64 = 1.837_877_066_409_345_5;
const SQRT_TAU: f64 = 2.506_628_274_631_000_7;

/// A share and its complement, both to full precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) of: f64,
    pub(crate) rest: f64,
}

impl Share {
    /// From the smaller or rounder of the two.
    pub(crate) fn new(of: f64) -> Self {
        Self { of, rest: 1.0 - of }
    }

    fn at_log_odds(z: f64) -> Self {
        let (large, small) = (1.0 / (1.0 + exp(-z.abs())), exp(-z.abs()) / (1.0 + exp(-z.abs())));
        if z < 0.0 { Self { of: small, rest: large } } else { Self { of: large, rest: small } }
    }

    fn swapped(self) -> Self {
        Self { of: self.rest, rest: self.of }
    }
}

/// The two positive parameters of a beta distribution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beta {
    pub(crate) a: f64,
    pub(crate) b: f64,
}

impl Beta {
    fn swapped(self) -> Self {
        Self { a: self.b, b: self.a }
    }

    /// Deviance of the share from the mean a / (a + b): the exponent of Loader's saddle-point form.
    fn deviance(self, at: Share) -> f64 {
        let n = self.a + self.b;
        deviance(self.a, n * at.of) + deviance(self.b, n * at.rest)
    }

    /// ln of x^a (1-x)^b / B(a, b).
    fn ln_mass(self, at: Share) -> f64 {
        let Self { a, b } = self;
        let n = a + b;
        stirling_rest(n) - stirling_rest(a) - stirling_rest(b) - self.deviance(at)
            + 0.5 * (ln(a) + ln(b) - ln(n) - LN_TAU)
    }

    /// ln I and ln(1 - I), I the regularised incomplete beta function `I_x(a, b)`.
    pub(crate) fn tails(self, at: Share) -> Tails {
        if at.of <= 0.0 {
            return Tails { ln_lower: f64::NEG_INFINITY, ln_upper: 0.0 };
        }
        if at.rest <= 0.0 {
            return Tails { ln_lower: 0.0, ln_upper: f64::NEG_INFINITY };
        }
        let mean = (self.a + 1.0) / (self.a + self.b + 2.0);
        if at.of > mean {
            let Tails { ln_lower, ln_upper } = self.swapped().lower_side(at.swapped());
            return Tails { ln_lower: ln_upper, ln_upper: ln_lower };
        }
        self.lower_side(at)
    }

    /// The tails for a share at or below about the mean.
    fn lower_side(self, at: Share) -> Tails {
        let ln_lower = if self.a.min(self.b) > 1e9 {
            self.ln_lower_uniform(at)
        } else {
            self.ln_mass(at) - ln(self.fraction(at))
        };
        let ln_lower = ln_lower.clamp(-f64::MAX, 0.0);
        let ln_upper = if ln_lower < 0.0 { ln_1m_exp(ln_lower) } else { f64::NEG_INFINITY };
        Tails { ln_lower, ln_upper }
    }

    /// The continued fraction of Didonato & Morris (1992), equation 9 (the even part of DLMF 8.17.22): x^a (1-x)^b /
    /// B(a, b) / `I_x(a, b)`. Below the mean its terms are positive; their number grows with the root of the parameters.
    fn fraction(self, at: Share) -> f64 {
        let Self { a, b } = self;
        let (x, y) = (at.of, at.rest);
        let whole = |m: f64| {
            m + m * (b - m) * x / (a + 2.0 * m - 1.0)
                + (a + m) * (a * y - b * x + 1.0 + m * (1.0 + y)) / (a + 2.0 * m + 1.0)
        };
        let mut value = a * (a * y - b * x + 1.0) / (a + 1.0);
        let mut c = value;
        let mut d = 0.0;
        let mut m = 0.0;
        for _ in 0..100_000 {
            m += 1.0;
            let under = a + 2.0 * m - 1.0;
            let numerator = (a + m - 1.0) / under * ((a + b + m - 1.0) / under) * m * (b - m) * x * x;
            let whole = whole(m);
            d = 1.0 / (whole + numerator * d);
            c = whole + numerator / c;
            value *= c * d;
            if (c * d - 1.0).abs() < 2e-16 {
                break;
            }
        }
        value
    }

    /// Both parameters above 10^9: the first two terms of Temme's uniform expansion, whose error is of order n^-3/2.
    ///
    /// # Reference
    /// Temme (1996), Special functions, section 11.3.3.2.
    fn ln_lower_uniform(self, at: Share) -> f64 {
        let n = self.a + self.b;
        let (x0, y0) = (self.a / n, self.b / n);
        let deviance = self.deviance(at);
        let off = at.of - x0;
        let eta = (2.0 * deviance / n).sqrt().copysign(off);
        let root = (x0 * y0).sqrt();
        let first = if eta.abs() < 1e-9 { (y0 - x0) / (3.0 * root) } else { 1.0 / eta - root / off };
        let scaled = 0.5 * erfc_scaled(deviance.sqrt());
        let tail = if off < 0.0 { scaled } else { exp(deviance) - scaled };
        ln(tail + first / (SQRT_TAU * n.sqrt())) - deviance
    }

    /// The share below which the beta distribution has mass `p` (given with its complement).
    ///
    /// Newton steps on the log odds of the share and the logarithm of the smaller tail, inside a shrinking bracket.
    pub(crate) fn quantile(self, p: Share) -> Share {
        if p.of <= 0.0 {
            return Share { of: 0.0, rest: 1.0 };
        }
        if p.rest <= 0.0 {
            return Share { of: 1.0, rest: 0.0 };
        }
        let lower = p.of < p.rest;
        let target = ln(if lower { p.of } else { p.rest });
        let value = |z: f64| {
            let at = self.tails(Share::at_log_odds(z));
            if lower { at.ln_lower - target } else { target - at.ln_upper }
        };
        let slope = |z: f64, v: f64| {
            exp(self.ln_mass(Share::at_log_odds(z)) - if lower { target + v } else { target - v })
        };
        Share::at_log_odds(super::increasing_root(ln(self.a) - ln(self.b), value, slope))
    }
}

/// P(T > t) for Student's t with `df` degrees of freedom.
pub(crate) fn student_t_sf(t: f64, df: f64) -> f64 {
    let square = t * t;
    let share = if square.is_finite() {
        Share { of: df / (df + square), rest: square / (df + square) }
    } else {
        Share { of: 0.0, rest: 1.0 }
    };
    let half = 0.5 * exp(Beta { a: 0.5 * df, b: 0.5 }.tails(share).ln_lower);
    if t < 0.0 { 1.0 - half } else { half }
}

/// P(X > x) for the chi-square distribution with `df` degrees of freedom.
pub(crate) fn chi_square_sf(x: f64, df: f64) -> f64 {
    exp(Gamma::new(0.5 * df).tails(0.5 * x).ln_upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn extreme_quantiles_come_back_at_once() {
        let shapes = [
            (0.5, 1e7 + 0.5),
            (1e7 + 0.5, 0.5),
            (0.5, 0.5),
            (1e-3, 1e3),
            (3.0, 4e5),
            (1e6, 1e6),
            (2e10, 5e9),
        ];
        for (a, b) in shapes {
            for p in [1e-300, 1e-9, 0.025, 0.5, 0.975, 1.0 - 1e-12] {
                let beta = Beta { a, b };
                let started = Instant::now();
                let x = beta.quantile(Share::new(p));
                // The promise is 1 ms where a parameter is small; loaded machines get slack.
                assert!(started.elapsed().as_millis() < 50, "{a} {b} {p} {:?}", started.elapsed());
                if x.of < f64::MIN_POSITIVE {
                    // The quantile lies below the smallest normal double.
                    assert!(beta.tails(Share::new(f64::MIN_POSITIVE)).ln_lower > ln(p));
                    continue;
                }
                let got = beta.tails(x);
                let off = if p < 0.5 { got.ln_lower - ln(p) } else { got.ln_upper - ln(1.0 - p) };
                // The log odds carry an ulp, which the slope of the log tail magnifies.
                assert!(
                    off.abs() < 2e-14 * (1.0 + ln(p).abs()) * (10.0 + (a.min(b)).sqrt()),
                    "{a} {b} {p} {off}"
                );
            }
        }
    }

    #[test]
    fn symmetric_and_closed_forms() {
        assert!((student_t_sf(0.0, 7.0) - 0.5).abs() < 1e-15);
        // Cauchy: 1/2 - atan(t) / pi, at t = 1 a quarter.
        assert!((student_t_sf(1.0, 1.0) - 0.25).abs() < 1e-15);
        assert_eq!(student_t_sf(1e200, 3.0), 0.0);
        assert!((chi_square_sf(2.0, 2.0) - exp(-1.0)).abs() < 1e-15);
    }
}
