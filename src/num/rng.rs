//! Random numbers as a pure function of (seed, block, lane): any part of a simulation can be drawn on its own,
//! so threads and chunking change nothing.

use super::Seed;
use super::special;

/// A stream of 64-bit words: `SplitMix64` over a counter whose start is a hash of (seed, block, lane).
///
/// # Reference
/// Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, section 4 (the mixing function is
/// Stafford's variant 13).
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    state: u64,
}

/// 2^64 / golden ratio, made odd.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Stream {
    /// The stream of one (block, lane) under a seed.
    pub(crate) const fn new(seed: Seed, block: u64, lane: u64) -> Self {
        let seed = mix(seed.get().wrapping_add(GAMMA));
        let block = mix(seed ^ block.wrapping_mul(GAMMA).wrapping_add(1));
        Self { state: mix(block ^ lane.wrapping_mul(GAMMA).wrapping_add(2)) }
    }

    pub(crate) const fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// Uniform on the 2^53 midpoints of (0, 1): never 0, never 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(crate) const fn uniform(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Standard normal, by inversion, so that one draw uses one word.
    pub(crate) fn normal(&mut self) -> f64 {
        special::normal_quantile(self.uniform())
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -special::ln(self.uniform())
    }

    /// Gamma with this shape and scale 1.
    ///
    /// # Reference
    /// Marsaglia & Tsang (2000), A simple method for generating gamma variables; shapes below 1 by their section 6.
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = special::ln(self.uniform()) / shape;
            return special::exp(special::ln(self.gamma(shape + 1.0)) + boost);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v > 0.0 {
                let v = v * v * v;
                if special::ln(self.uniform()) < 0.5 * x * x + d - d * v + d * special::ln(v) {
                    return d * v;
                }
            }
        }
    }

    /// Poisson with this mean: inversion by sequential search below 30, the rounded-down gamma split above
    /// (Ahrens & Dieter 1974), so that the cost grows with the logarithm of the mean.
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        let mut mean = mean;
        let mut counted = 0;
        while mean > 30.0 {
            let order = (mean * 7.0 / 8.0).floor();
            let waited = self.gamma(order);
            if waited > mean {
                return counted + self.binomial(whole(order) - 1, mean / waited);
            }
            counted += whole(order);
            mean -= waited;
        }
        let mut rest = self.uniform();
        let mut mass = special::exp(-mean);
        let mut k = 0_u64;
        // 30 + 12 sd is beyond 2^-53; the bound ends the loop when rounding leaves a remainder.
        while rest > mass && k < 200 {
            rest -= mass;
            k += 1;
            mass *= mean / crate::num::count(usize::try_from(k).unwrap_or(usize::MAX));
        }
        counted + k
    }

    /// Binomial by counting; used for the small remainders of [`Self::poisson`] after a beta split.
    pub(crate) fn binomial(&mut self, n: u64, p: f64) -> u64 {
        let mut n = n;
        let mut p = p;
        let mut won = 0;
        // Median split (Relles 1972): a beta order statistic halves n until counting is cheap.
        while n > 40 {
            let half = n / 2 + 1;
            let a = self.gamma(float(half));
            let b = self.gamma(float(n + 1 - half));
            let cut = a / (a + b);
            if cut <= p {
                won += half;
                n -= half;
                p = ((p - cut) / (1.0 - cut)).clamp(0.0, 1.0);
            } else {
                n = half - 1;
                p /= cut;
            }
        }
        won + (0..n).map(|_| u64::from(self.uniform() < p)).sum::<u64>()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a saturating cast of a whole number >= 0"
)]
const fn whole(x: f64) -> u64 {
    x as u64
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
const fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    //! Recovery of mean and variance at 6 standard errors: a false alarm once in 5e8 for each of the checks.
    use super::*;

    fn moments(n: u32, mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let draws: Vec<f64> = (0..n).map(|_| draw()).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        (mean, draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n - 1))
    }

    #[test]
    fn poisson_has_its_mean_and_variance() {
        let n = 100_000;
        for mean in [0.3, 4.0, 29.0, 31.0, 250.0, 1e5] {
            let mut stream = Stream::new(Seed::new(7), 1, 2);
            #[allow(clippy::cast_precision_loss)]
            let (m, v) = moments(n, || stream.poisson(mean) as f64);
            let n = f64::from(n);
            assert!((m - mean).abs() < 6.0 * (mean / n).sqrt(), "mean {m} of {mean}");
            assert!(
                (v - mean).abs() < 6.0 * ((mean + 2.0 * mean * mean) / n).sqrt(),
                "variance {v} of {mean}"
            );
        }
    }

    #[test]
    fn gamma_has_its_mean_and_variance() {
        let n = 100_000;
        for shape in [0.2, 1.0, 3.5, 80.0] {
            let mut stream = Stream::new(Seed::new(8), 1, 2);
            let (m, v) = moments(n, || stream.gamma(shape));
            let n = f64::from(n);
            assert!((m - shape).abs() < 6.0 * (shape / n).sqrt());
            assert!((v - shape).abs() < 6.0 * ((6.0 * shape + 2.0 * shape * shape) / n).sqrt());
        }
    }

    #[test]
    fn streams_are_pinned_and_differ() {
        // SplitMix64 reference: the first output for state 0.
        assert_eq!(mix(GAMMA), 0xE220_A839_7B1D_CDAF);
        let word = |seed, block, lane| Stream::new(Seed::new(seed), block, lane).word();
        let words = [word(0, 0, 0), word(1, 0, 0), word(0, 1, 0), word(0, 0, 1), word(0, 1, 1)];
        assert!((1..words.len()).all(|i| !words[..i].contains(&words[i])));
    }
}
