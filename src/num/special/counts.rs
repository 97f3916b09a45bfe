//! Logarithms of the masses of counts: Poisson, negative binomial, binomial; real-valued counts allowed.
//!
//! # Reference
//! Loader (2000), Fast and accurate computation of binomial probabilities.

#![expect(clippy::float_cmp, reason = "the ends of the range are exact")]

use super::gamma::{ln_gamma, stirling_rest};
use super::{deviance, ln, ln_1p};

const LN_TAU: f64 = 1.837_877_066_409_345_5;

/// ln P(N = k), N Poisson with this mean.
pub(crate) fn ln_poisson(k: f64, mean: f64) -> f64 {
    if mean == 0.0 {
        return if k == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    if k == 0.0 {
        return -mean;
    }
    -stirling_rest(k) - deviance(k, mean) - 0.5 * (LN_TAU + ln(k))
}

/// How many trials, and the chance of success in each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trials {
    pub(crate) n: f64,
    pub(crate) p: f64,
    pub(crate) q: f64,
}

/// ln P(K = k), K binomial: of `n` trials, `k` succeed.
pub(crate) fn ln_binomial(k: f64, trials: Trials) -> f64 {
    let Trials { n, p, q } = trials;
    if p == 0.0 || q == 0.0 {
        let sure = if p == 0.0 { 0.0 } else { n };
        return if k == sure { 0.0 } else { f64::NEG_INFINITY };
    }
    if k == 0.0 {
        return n * if p < 0.5 { ln_1p(-p) } else { ln(q) };
    }
    if k == n {
        return n * if q < 0.5 { ln_1p(-q) } else { ln(p) };
    }
    stirling_rest(n) - stirling_rest(k) - stirling_rest(n - k) - deviance(k, n * p) - deviance(n - k, n * q)
        + 0.5 * (ln(n) - LN_TAU - ln(k) - ln(n - k))
}

/// The negative binomial by its size and mean: variance mean + mean^2 / size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NegativeBinomial {
    pub(crate) size: f64,
    pub(crate) mean: f64,
}

/// ln P(N = k), N negative binomial.
pub(crate) fn ln_negative_binomial(k: f64, law: NegativeBinomial) -> f64 {
    let NegativeBinomial { size, mean } = law;
    if mean == 0.0 {
        return if k == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    if k == 0.0 {
        return -size * ln_1p(mean / size);
    }
    if k < 1e-10 * size {
        // Nearly Poisson: the binomial form would lose k beside size.
        let wider = k * (k - 1.0) / (2.0 * size);
        return k * (ln(mean) - ln_1p(mean / size)) - size * ln_1p(mean / size) - ln_gamma(k + 1.0) + wider;
    }
    let total = size + mean;
    let trials = Trials { n: size + k, p: size / total, q: mean / total };
    ln(size) - ln(size + k) + ln_binomial(size, trials)
}
