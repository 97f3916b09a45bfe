//! The one door to `libm` and `statrs`: elementary and special functions that agree to the bit on every platform
//! where a forecast depends on them.

pub(crate) mod beta;
pub(crate) mod counts;
pub(crate) mod gamma;
mod normal;
pub(crate) mod score;
mod temme;

pub(crate) use normal::*;

/// e^x.
pub(crate) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e^x - 1 without cancellation near 0.
pub(crate) fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// Natural logarithm.
pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x) without cancellation near 0.
pub(crate) fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// x^y.
pub(crate) fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// 2^x.
pub(crate) fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}

/// The angle of (x, y), from -pi to pi.
pub(crate) fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// (sin x, cos x).
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    libm::sincos(x)
}

/// ln(1 - e^x) for x < 0, without cancellation at either end.
///
/// # Reference
/// Maechler (2012), Accurately computing log(1 - exp(-|a|)), equation 7.
pub(crate) fn ln_1m_exp(x: f64) -> f64 {
    if x > -std::f64::consts::LN_2 { ln(-exp_m1(x)) } else { ln_1p(-exp(x)) }
}

/// ln(1 + e^x): what the logistic tail is made of.
pub(crate) fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + ln_1p(exp(-x)) } else { ln_1p(exp(x)) }
}

/// ln(1 + d) - d, exact where the two nearly cancel: for small d by the series of 2 atanh(d / (2 + d)).
///
/// The deviances of Loader (2000) are this function; with them a Poisson, binomial or gamma mass keeps its digits
/// however large its parameters.
pub(crate) fn ln_1p_less(d: f64) -> f64 {
    if d.abs() > 0.4 {
        return ln_1p(d) - d;
    }
    let s = d / (2.0 + d);
    let s2 = s * s;
    let series = (1..16).rev().fold(0.0, |sum, k| sum * s2 + 1.0 / (2.0 * f64::from(k) + 1.0));
    2.0 * s * s2 * series - s * d
}

/// x ln(x / mean) + mean - x for x > 0, mean > 0: half the deviance of a Poisson count, without cancellation.
pub(crate) fn deviance(x: f64, mean: f64) -> f64 {
    let d = (mean - x) / x;
    if d.abs() < 0.4 {
        return -x * ln_1p_less(d);
    }
    let ratio = x / mean;
    let ln_ratio = if ratio.is_normal() { ln(ratio) } else { ln(x) - ln(mean) };
    x * ln_ratio + (mean - x)
}

/// e^z - 1 - z, exact where the terms cancel.
pub(crate) fn exp_less(z: f64) -> f64 {
    if z.abs() > 0.6 {
        return exp_m1(z) - z;
    }
    let series = (3..20).rev().fold(1.0, |sum, k| 1.0 + sum * z / f64::from(k));
    0.5 * z * z * series
}

/// The root of an increasing function on the whole line, by Newton steps inside a bracket that only shrinks.
///
/// The bracket grows by doubling from the start; a Newton step that leaves it, or a slope that is no number, becomes
/// a bisection. Bounded work: at most 1,100 + 200 evaluations, usually under ten.
pub(crate) fn increasing_root(
    start: f64,
    value: impl Fn(f64) -> f64,
    slope: impl Fn(f64, f64) -> f64,
) -> f64 {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut x = start;
    let mut reach = 1.0;
    for _ in 0..1_300 {
        let v = value(x);
        // The functions solved here are logarithms of probabilities: this is as close as they can be told apart.
        if v.abs() < 1e-17 {
            return x;
        }
        if v < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = x - v / slope(x, v);
        let next = if newton > low && newton < high && (newton - x).abs() <= reach {
            newton
        } else if low.is_finite() && high.is_finite() {
            0.5 * (low + high)
        } else {
            reach *= 2.0;
            x - reach.copysign(v)
        };
        if (next - x).abs() <= 2.0 * f64::EPSILON * x.abs() || !next.is_finite() {
            return if next.is_finite() { next } else { x };
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod table;
