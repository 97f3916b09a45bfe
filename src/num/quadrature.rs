//! Nodes and weights for expectations over a continuous variable.

use super::{count, special};

/// `n` nodes and weights (summing to 1) of Gauss-Hermite quadrature for the expectation over a standard normal,
/// in increasing order of the node: exact for polynomials of degree `2 n - 1`.
///
/// Roots by Newton's method on the orthonormal recurrence from asymptotic starts.
///
/// # Reference
/// Golub & Welsch (1969); starts as in Press et al. (2007), Numerical Recipes, section 4.6.
pub(crate) fn standard_normal(n: usize) -> Vec<(f64, f64)> {
    const PI_TO_MINUS_QUARTER: f64 = 0.751_125_544_464_942_5;
    // Value and derivative of the orthonormal Hermite function of degree n, without its weight.
    let hermite = |x: f64| {
        let (mut p, mut before) = (PI_TO_MINUS_QUARTER, 0.0);
        for k in 0..n {
            let k = count(k);
            (p, before) = (x * (2.0 / (k + 1.0)).sqrt() * p - (k / (k + 1.0)).sqrt() * before, p);
        }
        (p, (2.0 * count(n)).sqrt() * before)
    };
    let size = count(n);
    let mut roots: Vec<f64> = Vec::with_capacity(n);
    let mut nodes = Vec::with_capacity(n);
    for i in 0..n.div_ceil(2) {
        let root = |back: usize| roots.get(i.wrapping_sub(back)).copied().unwrap_or(0.0);
        let mut x = match i {
            0 => (2.0 * size + 1.0).sqrt() - 1.855_75 * special::pow(2.0 * size + 1.0, -1.0 / 6.0),
            1 => root(1) - 1.14 * special::pow(size, 0.426) / root(1),
            2 => 1.86 * root(1) - 0.86 * root(2),
            3 => 1.91 * root(1) - 0.91 * root(2),
            _ => 2.0 * root(1) - root(2),
        };
        let mut slope = 1.0;
        for _ in 0..60 {
            let (p, dp) = hermite(x);
            slope = dp;
            let step = p / dp;
            x -= step;
            if step.abs() <= 1e-15 * (1.0 + x.abs()) {
                break;
            }
        }
        roots.push(x);
        let weight = 2.0 / (slope * slope) / std::f64::consts::PI.sqrt();
        let node = std::f64::consts::SQRT_2 * x;
        if 2 * i + 1 == n {
            nodes.push((0.0, weight));
        } else {
            nodes.extend([(node, weight), (-node, weight)]);
        }
    }
    nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_normal_are_exact() {
        for n in [1, 2, 5, 16, 33, 64, 100] {
            let nodes = standard_normal(n);
            assert_eq!(nodes.len(), n);
            assert!(nodes.is_sorted_by(|a, b| a.0 < b.0), "distinct roots for {n}");
            let moment = |k: i32| nodes.iter().map(|(x, w)| w * (0..k).fold(1.0, |p, _| p * x)).sum::<f64>();
            let exact = [1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0];
            for (k, exact) in exact.iter().enumerate().take(2 * n) {
                assert!((moment(i32::try_from(k).unwrap()) - exact).abs() < 1e-11, "moment {k} of {n} nodes");
            }
        }
    }
}
