//! The four standard shapes of w = (ln t - mu) / sigma: density and both tails on the logarithmic scale.

#![expect(clippy::float_cmp, reason = "the limits of the family are exact")]

use crate::num::special::gamma::{Gamma, Tails};
use crate::num::special::{
    self, erfc_scaled, exp, exp_m1, ln, ln_1m_exp, normal_ln_density, normal_ln_sf, softplus,
};

/// The standard law of w.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Smallest extreme value: t is Weibull.
    Gumbel,
    /// t is log-normal.
    Normal,
    /// t is log-logistic.
    Logistic,
    /// Prentice's log-gamma: t is generalized gamma.
    LogGamma(LogGamma),
}

/// The log-gamma shape of parameter q, with a = 1 / q^2: u = a e^{qw} is gamma of shape a.
///
/// # Reference
/// Prentice (1974), A log gamma model and its maximum likelihood estimation, equation 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LogGamma {
    q: f64,
    gamma: Gamma,
    /// ln of the density of w at 0.
    ln_peak: f64,
}

/// ln of the density of w with its first two derivatives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Density {
    pub(super) ln: f64,
    pub(super) slope: f64,
    pub(super) curvature: f64,
}

/// Below this |q| the log-gamma differs from the normal by less than rounding.
const SMALLEST_Q: f64 = 1e-15;

impl Shape {
    /// The log-gamma of any finite q; the normal at 0, the Gumbel at 1.
    pub(super) fn log_gamma(q: f64) -> Self {
        if q.abs() < SMALLEST_Q {
            return Self::Normal;
        }
        if q == 1.0 {
            return Self::Gumbel;
        }
        let gamma = Gamma::new(1.0 / (q * q));
        // The density of w is |q| times that of z = q w.
        let ln_peak = ln(q.abs()) + gamma.ln_density_at_ln_ratio(0.0);
        Self::LogGamma(LogGamma { q, gamma, ln_peak })
    }

    pub(super) fn density(self, w: f64) -> Density {
        match self {
            Self::Gumbel => {
                let e = exp(w);
                Density { ln: w - e, slope: 1.0 - e, curvature: -e }
            }
            Self::Normal => Density { ln: normal_ln_density(w), slope: -w, curvature: -1.0 },
            Self::Logistic => {
                let p = 1.0 / (1.0 + exp(-w));
                Density {
                    ln: -softplus(w) - softplus(-w),
                    slope: 1.0 - 2.0 * p,
                    curvature: -2.0 * p * (1.0 - p),
                }
            }
            Self::LogGamma(LogGamma { q, gamma, ln_peak }) => {
                let z = q * w;
                let grown = exp_m1(z);
                let ln = (ln_peak - gamma.deviance_at_ln_ratio(z)).max(-f64::MAX);
                Density { ln, slope: -grown / q, curvature: -1.0 - grown }
            }
        }
    }

    /// ln P(W > w).
    pub(super) fn ln_survival(self, w: f64) -> f64 {
        match self {
            Self::Gumbel => -exp(w),
            Self::Normal => normal_ln_sf(w),
            Self::Logistic => -softplus(w),
            Self::LogGamma(_) => self.tails(w).ln_upper,
        }
    }

    /// ln P(W > w) with its first two derivatives, -h and -h (slope + h), h the hazard of w.
    pub(super) fn survival(self, w: f64) -> Density {
        match self {
            Self::Gumbel => {
                let e = exp(w);
                Density { ln: -e, slope: -e, curvature: -e }
            }
            Self::Logistic => {
                let p = 1.0 / (1.0 + exp(-w));
                Density { ln: -softplus(w), slope: -p, curvature: -p * (1.0 - p) }
            }
            Self::Normal if w >= 0.0 => {
                // One scaled tail gives both the survival and the hazard: sqrt(2 / pi) / erfcx(w / sqrt 2).
                let scaled = erfc_scaled(w * std::f64::consts::FRAC_1_SQRT_2);
                let hazard = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2 / scaled;
                Density {
                    ln: ln(0.5 * scaled) - 0.5 * w * w,
                    slope: -hazard,
                    curvature: -hazard * (hazard - w),
                }
            }
            Self::Normal | Self::LogGamma(_) => {
                let density = self.density(w);
                let ln_survival = self.ln_survival(w);
                let hazard = exp(density.ln - ln_survival);
                Density { ln: ln_survival, slope: -hazard, curvature: -hazard * (density.slope + hazard) }
            }
        }
    }

    /// ln P(W <= w) and ln P(W > w).
    pub(super) fn tails(self, w: f64) -> Tails {
        match self {
            Self::Gumbel => {
                let ln_upper = -exp(w);
                Tails { ln_lower: if ln_upper < 0.0 { ln_1m_exp(ln_upper) } else { w }, ln_upper }
            }
            Self::Normal => Tails { ln_lower: normal_ln_sf(-w), ln_upper: normal_ln_sf(w) },
            Self::Logistic => Tails { ln_lower: -softplus(-w), ln_upper: -softplus(w) },
            Self::LogGamma(LogGamma { q, gamma, .. }) => {
                let Tails { ln_lower, ln_upper } = gamma.tails_at_ln_ratio(q * w);
                if q > 0.0 {
                    Tails { ln_lower, ln_upper }
                } else {
                    Tails { ln_lower: ln_upper, ln_upper: ln_lower }
                }
            }
        }
    }

    /// The w at which the tails are as given; the smaller one decides.
    pub(super) fn at(self, tails: Tails) -> f64 {
        match self {
            Self::Gumbel => ln(-tails.ln_upper),
            // ln((1 - S) / S).
            Self::Logistic => tails.ln_lower - tails.ln_upper,
            Self::Normal if tails.ln_lower < tails.ln_upper => normal_at(tails.ln_lower),
            Self::Normal => -normal_at(tails.ln_upper),
            Self::LogGamma(LogGamma { q, gamma, .. }) if q > 0.0 => gamma.ln_ratio_at(tails) / q,
            Self::LogGamma(LogGamma { q, gamma, .. }) => {
                gamma.ln_ratio_at(Tails { ln_lower: tails.ln_upper, ln_upper: tails.ln_lower }) / q
            }
        }
    }
}

/// x with ln Phi(x) = `ln_p` <= ln(1/2), also where e^`ln_p` is no double any more.
fn normal_at(ln_p: f64) -> f64 {
    if ln_p > -700.0 {
        return special::normal_quantile(exp(ln_p));
    }
    let value = |x: f64| normal_ln_sf(-x) - ln_p;
    let slope = |x: f64, _| exp(normal_ln_density(x) - normal_ln_sf(-x));
    // The leading term of the tail's expansion.
    special::increasing_root(-(-2.0 * ln_p).sqrt(), value, slope)
}

/// ln P(low < W <= high), from whichever side keeps the digits.
pub(super) fn ln_between(low: Tails, high: Tails) -> f64 {
    let (whole, rest) = if low.ln_upper < low.ln_lower {
        (low.ln_upper, high.ln_upper)
    } else {
        (high.ln_lower, low.ln_lower)
    };
    let gap = rest - whole;
    if gap < 0.0 { whole + ln_1m_exp(gap) } else { f64::NEG_INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::special::normal_cdf;

    const SHAPES: [fn() -> Shape; 7] = [
        || Shape::Gumbel,
        || Shape::Normal,
        || Shape::Logistic,
        || Shape::log_gamma(0.4),
        || Shape::log_gamma(2.5),
        || Shape::log_gamma(-0.05),
        || Shape::log_gamma(-1.3),
    ];

    #[test]
    fn derivatives_are_those_of_the_values() {
        let h = 1e-4;
        for shape in SHAPES.map(|s| s()) {
            for w in [-3.0, -0.7, 0.0, 0.4, 1.5] {
                for f in [Shape::density, Shape::survival] {
                    let (low, at, high) = (f(shape, w - h), f(shape, w), f(shape, w + h));
                    let slope = (high.ln - low.ln) / (2.0 * h);
                    let curvature = (high.slope - low.slope) / (2.0 * h);
                    // Central differences: h^2 of the third derivative.
                    assert!((slope - at.slope).abs() < 1e-6 * (1.0 + at.slope.abs()), "{shape:?} {w}");
                    assert!(
                        (curvature - at.curvature).abs() < 1e-6 * (1.0 + at.curvature.abs()),
                        "{shape:?} {w}"
                    );
                }
                // The density is the slope of the survival.
                let at = shape.survival(w);
                assert!((shape.density(w).ln - (at.ln + ln(-at.slope))).abs() < 1e-12, "{shape:?} {w}");
                let back = shape.at(shape.tails(w));
                assert!((back - w).abs() < 1e-11, "{shape:?} {w} {back}");
            }
        }
    }

    #[test]
    fn the_family_is_continuous_in_q() {
        for w in [-2.0, 0.3, 3.0] {
            let off = |a: Shape, b: Shape| (a.ln_survival(w) - b.ln_survival(w)).abs();
            // The distance from the limit is |q| |w|^3 / 6 and alike.
            assert!(off(Shape::log_gamma(1e-9), Shape::Normal) < 1e-7);
            assert!(off(Shape::log_gamma(-1e-9), Shape::Normal) < 1e-7);
            assert!(off(Shape::log_gamma(1.0 - 1e-12), Shape::Gumbel) < 1e-9);
        }
    }

    #[test]
    fn the_normal_is_inverted_where_probabilities_underflow() {
        for ln_p in [-1e3, -1e6, -1e12] {
            assert!((normal_ln_sf(-normal_at(ln_p)) / ln_p - 1.0).abs() < 1e-14);
        }
        assert!((normal_cdf(normal_at(-30.0)) / exp(-30.0) - 1.0).abs() < 1e-13);
    }
}
