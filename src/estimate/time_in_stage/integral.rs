//! Double-exponential quadrature, for integrands that are singular at an end or end far out.
//!
//! # Reference
//! Takahasi & Mori (1974), Double exponential formulas for numerical integration.

use crate::num::special::exp;
use crate::num::sum::Sum;

/// Relative change between two halvings of the step at which the finer sum is taken: the error then is its square.
const AGREED: f64 = 1e-9;
/// Halvings of the step: 2^11 nodes a unit, enough for a survival curve that falls within a thousandth of its span.
const HALVINGS: u32 = 11;

/// The integral of `f` over 0..`span`, cut at places where `f` begins or ends to fall, so that a cliff in a long span
/// is seen; `f` is never asked at the ends.
pub(in crate::estimate) fn over_pieces(span: f64, mut cuts: Vec<f64>, f: impl Fn(f64) -> f64) -> f64 {
    cuts.retain(|cut| *cut > 0.0 && *cut < span);
    cuts.push(span);
    cuts.sort_by(f64::total_cmp);
    let mut from = 0.0;
    let piece = |to: f64| {
        let start = std::mem::replace(&mut from, to);
        over_span(to - start, |x| f(start + x))
    };
    cuts.into_iter().map(piece).collect::<Sum>().get()
}

/// The integral of `f` over 0..`span`.
fn over_span(span: f64, f: impl Fn(f64) -> f64) -> f64 {
    // x = span / (1 + e^{-pi sinh u}), counted from the nearer end so that neither end is rounded away.
    refine(|u| {
        let (e, e_inverse) = (exp(u), exp(-u));
        let v = std::f64::consts::PI * 0.5 * (e - e_inverse);
        let (share, rest) = (1.0 / (1.0 + exp(-v)), 1.0 / (1.0 + exp(v)));
        let weight = std::f64::consts::PI * 0.5 * (e + e_inverse) * share * rest;
        let x = span * share;
        if x > 0.0 && x < span && weight > 0.0 { weight * f(x) } else { 0.0 }
    }) * span
}

/// The integral of `f` over 0..infinity, for an `f` that changes on the scale `unit`.
pub(super) fn to_infinity(unit: f64, f: impl Fn(f64) -> f64) -> f64 {
    refine(|u| {
        let (e, e_inverse) = (exp(u), exp(-u));
        let x = unit * exp(std::f64::consts::FRAC_PI_2 * 0.5 * (e - e_inverse));
        let weight = std::f64::consts::FRAC_PI_2 * 0.5 * (e + e_inverse) * x;
        let term = weight * f(x);
        if term.is_finite() { term } else { 0.0 }
    })
}

/// The trapezoidal rule over -6.2..6.2 (where the weights leave the doubles), halving the step until it settles.
fn refine(term: impl Fn(f64) -> f64) -> f64 {
    const END: f64 = 6.2;
    let mut step = 0.5;
    let odd = |from: f64, stride: f64| {
        let mut sum = Sum::default();
        let mut u = from;
        while u < END {
            sum.add(term(u));
            sum.add(term(-u));
            u += stride;
        }
        sum.get()
    };
    let mut sum = term(0.0) + odd(step, step);
    let mut before = f64::NAN;
    for halving in 0..HALVINGS {
        let now = sum * step;
        if halving > 2 && (now - before).abs() <= AGREED * now.abs() {
            return now;
        }
        before = now;
        step *= 0.5;
        sum += odd(step, 2.0 * step);
    }
    sum * step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::special::pow;

    #[test]
    fn closed_forms() {
        assert!((over_span(2.0, |x| x * x) - 8.0 / 3.0).abs() < 1e-14);
        assert!((over_span(1.0, |x| pow(x, -0.9)) / 10.0 - 1.0).abs() < 1e-9);
        // A cliff at a thousandth of the span.
        assert!((over_span(1e6, |x| exp(-x * 1e-3)) / 1e3 - 1.0).abs() < 1e-12);
        assert!((to_infinity(1.0, |x| exp(-x)) - 1.0).abs() < 1e-13);
        assert!((to_infinity(3.0, |x| pow(1.0 + x, -1.5)) - 2.0).abs() < 1e-9);
    }
}
