//! What the scores and the synthetic companies need: the gamma function and its incomplete form.

use super::{exp, normal_cdf};

/// P(X <= x) of the gamma distribution with this shape and rate 1, for x > 0.
pub(crate) fn gamma_cdf(shape: f64, x: f64) -> f64 {
    if x.is_infinite() || shape < 1e-12 {
        return 1.0;
    }
    if shape > 1e6 {
        // Wilson & Hilferty (1931): the error falls like 1 / shape; the series would take sqrt(shape) steps.
        let c = 1.0 / (9.0 * shape);
        return normal_cdf((libm::cbrt(x / shape) - 1.0 + c) / c.sqrt());
    }
    // Beyond these the continued fraction has nothing left to say.
    if x > shape + 40.0 * (shape.sqrt() + 20.0) {
        return 1.0;
    }
    statrs::function::gamma::checked_gamma_lr(shape, x).map_or(0.0, |p| p.clamp(0.0, 1.0))
}

/// Gamma(x) for x > 0.
pub(crate) fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// Gamma(a + 1/2) / Gamma(a).
pub(crate) fn gamma_half_step(a: f64) -> f64 {
    if a > 100.0 {
        // Tricomi & Erdelyi (1951); the next term is 1.5e-3 a^-5.
        let r = 1.0 / a;
        return a.sqrt()
            * (1.0 + r * (-0.125 + r * (1.0 / 128.0 + r * (5.0 / 1024.0 - r * (21.0 / 32_768.0)))));
    }
    exp(libm::lgamma(a + 0.5) - libm::lgamma(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_of_one_and_its_halves() {
        for x in [1e-9_f64, 0.1, 1.0, 30.0, 1e3] {
            assert!((gamma_cdf(1.0, x) + super::super::exp_m1(-x)).abs() < 1e-13, "{x}");
        }
        for a in [99.0, 101.0] {
            let direct = exp(libm::lgamma(a + 0.5) - libm::lgamma(a));
            assert!((gamma_half_step(a) / direct - 1.0).abs() < 1e-12);
        }
        assert!((gamma_half_step(0.5) * std::f64::consts::PI.sqrt() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn large_shapes_meet_the_small_ones() {
        for z in [-5.0, -1.0, 0.0, 0.5, 3.0] {
            let (below, above) = (1e6, 1e6 + 1e-3);
            // The distribution moves by its density, 4e-4, times the step of the shape; the rest is the
            // approximation's own error, below 1 / (100 shape).
            let x = below + 1e3 * z;
            assert!((gamma_cdf(below, x) - gamma_cdf(above, x)).abs() < 4e-7 + 1e-8, "{z}");
        }
    }
}
