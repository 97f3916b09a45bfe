//! Roots of increasing functions, by bisection with the Illinois step: always inside the bracket, always done.

use std::convert::Infallible;

/// Most steps: a bracket of 1e3 is halved to 1e-13 even where every second step has to be a bisection.
const STEPS: usize = 108;
/// How near the ends of a bracket come, relatively, and how far beside a secant's root the next look is.
const NEAR: f64 = 1e-12;
const BESIDE: f64 = 2e-13;

/// Where an increasing function crosses 0 in `[low, high]`; the end next to the root where it lies outside.
///
/// # Reference
/// Dowell & Jarratt (1971), A modified regula falsi method for computing the root of an equation.
pub(crate) fn increasing(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (below, above) = (f(low), f(high));
    if !(below < 0.0) {
        return low;
    }
    if !(above > 0.0) {
        return high;
    }
    let near = |a: f64, b: f64| b - a <= NEAR * (1.0 + a.abs().max(b.abs()));
    let Ok((a, b)) = crossing((low, below), (high, above), (near, BESIDE), |x| Ok::<_, Infallible>(f(x)));
    0.5 * (a + b)
}

/// Narrows the bracket from a point where a function is below 0 to one where it is not, until its ends are `near`.
///
/// Each step looks at the root of the secant, or `beside` it on the side of the farther end: a bracket of twice that width is
/// closed from both sides at once.
pub(crate) fn crossing<E>(
    (mut a, mut fa): (f64, f64),
    (mut b, mut fb): (f64, f64),
    (near, beside): (impl Fn(f64, f64) -> bool, f64),
    f: impl Fn(f64) -> Result<f64, E>,
) -> Result<(f64, f64), E> {
    let (mut last, mut recent) = (None, [f64::INFINITY; 3]);
    for _ in 0..STEPS {
        if near(a, b) {
            break;
        }
        let root = (a * fb - b * fa) / (fb - fa);
        let secant = if b - root > root - a { root + beside } else { root - beside };
        // Three steps that did not halve the bracket are followed by one that does.
        let [before, second, third] = recent;
        let stalls = b - a > 0.5 * before;
        let x = if stalls || !(secant > a && secant < b) { 0.5 * (a + b) } else { secant };
        recent = if stalls { [f64::INFINITY; 3] } else { [second, third, b - a] };
        let fx = f(x)?;
        if fx == 0.0 {
            return Ok((x, x));
        }
        let side = fx < 0.0;
        if side {
            (a, fa) = (x, fx);
        } else {
            (b, fb) = (x, fx);
        }
        // The end that stays for the second time counts half.
        if last == Some(side) {
            let stays = if side { &mut fb } else { &mut fa };
            *stays *= 0.5;
        }
        last = Some(side);
    }
    Ok((a, b))
}

#[cfg(test)]
mod tests {
    use super::increasing;
    use crate::num::special::exp;

    #[test]
    fn finds_roots_of_bent_functions() {
        assert!((increasing(-10.0, 10.0, |x| x * x * x - 2.0) - 1.259_921_049_894_873_2).abs() < 1e-12);
        assert!((increasing(-700.0, 700.0, |x| 1.0 - exp(-x)) - 0.0).abs() < 1e-12);
        assert!((increasing(0.0, 1.0, |x| if x < 0.3 { -1.0 } else { 1.0 }) - 0.3).abs() < 1e-12);
    }

    #[test]
    fn a_smooth_function_is_asked_a_dozen_times() {
        let asked = std::cell::Cell::new(0);
        let root = increasing(-12.0, 12.0, |x| {
            asked.set(asked.get() + 1);
            1.0 / (1.0 + exp(-x)) - 0.3
        });
        assert!((root + 0.847_297_860_387_203_7).abs() < 1e-12);
        assert!(asked.get() < 16, "{}", asked.get());
    }

    #[test]
    fn outside_the_bracket_the_nearer_end() {
        assert_eq!(increasing(1.0, 2.0, |x| x), 1.0);
        assert_eq!(increasing(-2.0, -1.0, |x| x), -1.0);
        assert_eq!(increasing(-1.0, 1.0, |_| f64::NAN), -1.0);
    }
}
