//! The gamma function's family: logarithm, derivatives, the incomplete gamma functions deep into both tails and
//! their inverse.
//!
//! statrs is used where it is right (`digamma`). Its incomplete gamma works on the plain scale, loses digits in
//! proportion to `a ln x` and loops in proportion to `a`; here both tails are logarithms, built on the deviance, and
//! the work is bounded.

use super::{erfc_scaled, exp, exp_less, exp_m1, ln, ln_1m_exp, ln_1p, ln_1p_less, temme};

const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// ln Gamma(x) for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// d/dx ln Gamma(x) for x > 0.
pub(crate) fn digamma(x: f64) -> f64 {
    if x > 0.0 { statrs::function::gamma::digamma(x) } else { f64::NAN }
}

/// d^2/dx^2 ln Gamma(x) for x > 0: recurrence up to 15, then the asymptotic series (DLMF 5.15.8).
pub(crate) fn trigamma(x: f64) -> f64 {
    let mut shifted = x;
    let mut sum = 0.0;
    while shifted < 15.0 {
        if shifted.is_nan() || shifted <= 0.0 {
            return f64::NAN;
        }
        sum += 1.0 / (shifted * shifted);
        shifted += 1.0;
    }
    let r = 1.0 / shifted;
    let r2 = r * r;
    let bernoulli = [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];
    let series = bernoulli.iter().rev().fold(0.0, |s, b| s * r2 + b);
    sum + r + 0.5 * r2 + r * r2 * series
}

/// What Stirling's formula leaves: ln Gamma(a + 1) - (a + 1/2) ln a + a - ln(2 pi) / 2.
///
/// # Reference
/// Loader (2000), Fast and accurate computation of binomial probabilities, section 2.
pub(crate) fn stirling_rest(a: f64) -> f64 {
    if a < 15.0 {
        return ln_gamma(a + 1.0) - (a + 0.5) * ln(a) + a - HALF_LN_TAU;
    }
    let r = 1.0 / a;
    let r2 = r * r;
    let terms = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    r * terms.iter().rev().fold(0.0, |sum, c| sum * r2 + c)
}

/// ln Gamma(1 + a) without the rounding of 1 + a.
fn ln_gamma_1p(a: f64) -> f64 {
    // -Euler's gamma, then (-1)^k zeta(k) / k.
    const TERMS: [f64; 7] = [
        -0.577_215_664_901_532_9,
        0.822_467_033_424_113_2,
        -0.400_685_634_386_531_4,
        0.270_580_808_427_784_5,
        -0.207_385_551_028_673_98,
        0.169_557_176_997_408_2,
        -0.144_049_896_768_846_1,
    ];
    if a > 1e-2 {
        return ln_gamma(1.0 + a);
    }
    a * TERMS.iter().rev().fold(0.0, |sum, c| sum * a + c)
}

/// The logarithms of the two incomplete gamma functions: ln P(a, x) and ln Q(a, x) = ln(1 - P).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tails {
    pub(crate) ln_lower: f64,
    pub(crate) ln_upper: f64,
}

impl Tails {
    const AT_ZERO: Self = Self { ln_lower: f64::NEG_INFINITY, ln_upper: 0.0 };

    fn from_lower(ln_lower: f64) -> Self {
        Self { ln_lower, ln_upper: complement(ln_lower) }
    }

    fn from_upper(ln_upper: f64) -> Self {
        Self { ln_lower: complement(ln_upper), ln_upper }
    }
}

/// ln(1 - e^x) where rounding may have left x a hair above 0.
fn complement(x: f64) -> f64 {
    if x < 0.0 { ln_1m_exp(x) } else { f64::NEG_INFINITY }
}

/// Where the incomplete gamma functions are asked: x = a e^z, and the deviance a (e^z - 1 - z).
#[derive(Clone, Copy)]
struct Place {
    a: f64,
    x: f64,
    z: f64,
    deviance: f64,
}

/// The gamma distribution of one shape and scale 1, with what depends on the shape alone worked out once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gamma {
    a: f64,
    /// ln of the density of z = ln(x / a) at z = 0.
    ln_peak: f64,
}

impl Gamma {
    /// For a > 0.
    pub(crate) fn new(a: f64) -> Self {
        Self { a, ln_peak: 0.5 * ln(a) - stirling_rest(a) - HALF_LN_TAU }
    }

    /// ln P(a, x) and ln Q(a, x) for x >= 0.
    ///
    /// # Numerics
    /// Temme's uniform expansion for a >= 20 near x = a; elsewhere the power series below a + 1 and Legendre's
    /// continued fraction above, each times a density built from its deviance; for a < 1 and small x the series of
    /// DLMF 8.7.1 with its leading terms cancelled by hand. Relative error of the smaller tail about 1e-15 times the
    /// deviance.
    pub(crate) fn tails(self, x: f64) -> Tails {
        let a = self.a;
        if x <= 0.0 {
            return Tails::AT_ZERO;
        }
        if x == f64::INFINITY {
            return Tails { ln_lower: 0.0, ln_upper: -f64::MAX };
        }
        let d = (x - a) / a;
        if d.abs() < 0.5 {
            return self.tails_at(Place { a, x, z: ln_1p(d), deviance: -a * ln_1p_less(d) });
        }
        let z = ln(x) - ln(a);
        self.tails_at(Place { a, x, z, deviance: x - a - a * z })
    }

    /// The same at x = a e^z, for those who know z better than x.
    pub(crate) fn tails_at_ln_ratio(self, z: f64) -> Tails {
        let x = self.a * exp(z);
        if x == f64::INFINITY {
            // Beyond the largest double the upper tail is e^-x as far as any double can tell.
            return Tails { ln_lower: 0.0, ln_upper: -f64::MAX };
        }
        self.tails_at(Place { a: self.a, x, z, deviance: self.a * exp_less(z) })
    }

    /// a (e^z - 1 - z): what separates the density of z = ln(x / a) from its peak.
    pub(crate) fn deviance_at_ln_ratio(self, z: f64) -> f64 {
        self.a * exp_less(z)
    }

    /// ln of the density of z = ln(x / a).
    pub(crate) fn ln_density_at_ln_ratio(self, z: f64) -> f64 {
        (self.ln_peak - self.a * exp_less(z)).max(-f64::MAX)
    }

    fn tails_at(self, at: Place) -> Tails {
        let eta = (2.0 * at.deviance / at.a).max(0.0).sqrt();
        if at.a >= 20.0 && eta <= 1.0 {
            return uniform(at, eta);
        }
        if at.a < 1.0 && at.x < 1.1 {
            return small(at);
        }
        let ln_density = self.ln_peak - at.deviance;
        if at.x < at.a + 1.0 {
            Tails::from_lower(ln_density + ln(series(at.a, at.x) / at.a))
        } else {
            Tails::from_upper((ln_density + ln(fraction(at.a, at.x))).max(-f64::MAX))
        }
    }

    /// z = ln(x / a) at which the tails are as given: the smaller of the two is inverted, so that neither end loses
    /// its digits. Newton steps on the logarithm of the tail inside a shrinking bracket.
    pub(crate) fn ln_ratio_at(self, tails: Tails) -> f64 {
        let lower = tails.ln_lower < tails.ln_upper;
        let target = if lower { tails.ln_lower } else { tails.ln_upper };
        let value = |z: f64| {
            let at = self.tails_at_ln_ratio(z);
            if lower { at.ln_lower - target } else { target - at.ln_upper }
        };
        let slope = |z: f64, v: f64| {
            let ln_tail = if lower { target + v } else { target - v };
            exp(self.ln_density_at_ln_ratio(z) - ln_tail)
        };
        let start = if lower { (target + ln_gamma_1p(self.a)) / self.a - ln(self.a) } else { 0.0 };
        super::increasing_root(start.min(0.0), value, slope)
    }
}

/// The x with P(a, x) = p, for 0 <= p <= 1.
pub(crate) fn quantile(a: f64, p: f64) -> f64 {
    match p {
        0.0 => 0.0,
        1.0 => f64::INFINITY,
        _ => a * exp(Gamma::new(a).ln_ratio_at(Tails { ln_lower: ln(p), ln_upper: ln_1p(-p) })),
    }
}

/// 1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ...
fn series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, a);
    for _ in 0..400 {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// Legendre's continued fraction: Gamma(a, x) / (x^a e^-x), by the even part and modified Lentz steps.
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-290;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut value = d;
    let mut n = 0.0;
    for _ in 0..500 {
        n += 1.0;
        let numerator = n * (a - n);
        b += 2.0;
        let under = numerator * d + b;
        d = 1.0 / if under.abs() < TINY { TINY } else { under };
        c = b + numerator / c;
        if c.abs() < TINY {
            c = TINY;
        }
        let step = d * c;
        value *= step;
        if (step - 1.0).abs() < 2e-16 {
            break;
        }
    }
    value
}

/// a < 1, x < 1.1: Q = -(e^L - 1) - e^L s with L = a ln x - ln Gamma(1 + a), s = a sum_{n>=1} (-x)^n / (n! (a + n)).
fn small(at: Place) -> Tails {
    let ln_x = if at.z.abs() > 1.0 { at.z + ln(at.a) } else { ln(at.x) };
    let lead = at.a * ln_x - ln_gamma_1p(at.a);
    let (mut sum, mut power) = (0.0, 1.0);
    for n in 1..30 {
        let n = f64::from(n);
        power *= -at.x / n;
        sum += power / (at.a + n);
    }
    let rest = at.a * sum;
    let upper = -exp_m1(lead) - exp(lead) * rest;
    let ln_lower = lead + ln_1p(rest);
    if upper > 0.5 { Tails::from_lower(ln_lower) } else { Tails { ln_lower, ln_upper: ln(upper) } }
}

/// Temme's uniform expansion: Q = e^{-deviance} (erfcx(eta sqrt(a/2)) / 2 + the series / sqrt(2 pi a)).
fn uniform(at: Place, eta: f64) -> Tails {
    let signed = eta.copysign(at.z);
    let r = 1.0 / at.a;
    let horner = |row: &[f64]| row.iter().rev().fold(0.0, |sum, c| sum * signed + c);
    let series = temme::ROWS.iter().rev().fold(0.0, |sum, row| sum * r + horner(row));
    let correction = series * exp(-HALF_LN_TAU) / at.a.sqrt();
    let half = 0.5 * erfc_scaled(at.deviance.max(0.0).sqrt());
    if at.z > 0.0 {
        Tails::from_upper(ln(half + correction) - at.deviance)
    } else {
        Tails::from_lower(ln(half - correction) - at.deviance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_survive_hostile_arguments() {
        for a in [1e-300, 1e-8, 0.3, 19.9, 20.0, 1e8, 1e16, 1e300] {
            for x in [0.0, 5e-324, 1e-8, 1.0, 20.0, 1e8, 1e16, 1e300, f64::MAX] {
                let t = Gamma::new(a).tails(x);
                assert!(!t.ln_lower.is_nan() && !t.ln_upper.is_nan(), "{a} {x} {t:?}");
                assert!(t.ln_lower <= 1e-12 && t.ln_upper <= 1e-12, "{a} {x} {t:?}");
            }
        }
    }

    #[test]
    fn the_inverse_comes_back() {
        for a in [1e-3, 0.4, 1.0, 7.0, 30.0, 1e6, 1e12] {
            for p in [1e-250, 1e-12, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-12] {
                let wanted = Tails { ln_lower: ln(p), ln_upper: ln_1p(-p) };
                let z = Gamma::new(a).ln_ratio_at(wanted);
                let got = Gamma::new(a).tails_at_ln_ratio(z);
                let off =
                    if p < 0.5 { got.ln_lower - wanted.ln_lower } else { got.ln_upper - wanted.ln_upper };
                // z carries half an ulp, which the slope of ln P (at most a, or a z in the tail) magnifies.
                assert!(off.abs() < 1e-14 * (100.0 + wanted.ln_lower.abs() + a.sqrt()), "{a} {p} {off}");
            }
        }
    }
}
