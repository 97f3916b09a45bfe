//! Win rates of many segments at once: each is drawn towards the others as far as it has little to say for itself.

use super::proportion::Closed;
use crate::num::special;
use crate::num::special::gamma::ln_gamma;
use crate::num::sum::{Sum, sum};
use crate::{Error, ErrorKind, Probability, Result};

/// Win rates of segments (owners, regions, sources), shrunk towards what segments usually are.
///
/// In the words of sales: a rep with 2 wins out of 2 is not a 100 % closer. How far a rate is to be trusted follows
/// from how much the rates of all reps differ beyond chance.
///
/// # Formula
/// Rates p ~ Beta(alpha, beta), wins ~ Binomial(n, p); alpha and beta maximise the likelihood of the counts; a
/// segment's rate is its posterior mean (alpha + won) / (alpha + beta + n).
///
/// # Assumptions
/// Segments are exchangeable: nothing known beforehand tells them apart. Deals are independent given their segment.
///
/// # Numerics
/// In m = alpha / (alpha + beta) and s = 1 / (alpha + beta) the likelihood is a sum of logs of m + k s, 1 - m + k s
/// and 1 + k s, exact at s = 0 (no differences: one pooled rate) and concave in m. It is maximised over m for each s,
/// and over s on a grid that is then refined; long runs of k are summed by Euler and Maclaurin's formula.
///
/// # Example: is a rep with two wins out of two the best?
/// ```
/// use dealcast::estimate::{Closed, ShrunkRates};
/// let reps = [(2, 0), (30, 20), (4, 46), (12, 38), (25, 25)].map(|(won, lost)| Closed { won, lost });
/// let shrunk = ShrunkRates::fit(&reps)?;
/// assert!(shrunk.rates()[0].get() > 0.4 && shrunk.rates()[0].get() < 0.6);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Skellam (1948); Griffiths (1973); Efron & Morris (1975) on why.
#[derive(Clone, Debug, PartialEq)]
pub struct ShrunkRates {
    prior: Option<BetaPrior>,
    log_likelihood: f64,
    rates: Vec<Probability>,
}

/// How segments differ: their rates as a beta distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetaPrior {
    alpha: f64,
    beta: f64,
}

impl BetaPrior {
    /// Wins that the prior is worth.
    pub fn alpha(self) -> f64 {
        self.alpha
    }

    /// Losses that the prior is worth.
    pub fn beta(self) -> f64 {
        self.beta
    }
}

impl ShrunkRates {
    /// The rates of all segments, in their order; a segment without closed deals gets the prior mean.
    ///
    /// Where the segments differ no more than chance allows, the likelihood has its maximum at infinite alpha and
    /// beta, and all get the pooled rate.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without a closed deal; [`NotIdentified`](ErrorKind::NotIdentified) where
    /// every segment won all or lost all: the maximum lies at alpha = beta = 0, a prior that shrinks nothing.
    pub fn fit(segments: &[Closed]) -> Result<Self> {
        let counts = Counts::of(segments);
        let Some(pooled) = counts.pooled() else {
            return Err(Error::new(ErrorKind::NoHistory, "at least one closed deal"));
        };
        let constant = sum(segments.iter().map(|s| ln_choose(*s)));
        let best = if pooled > 0.0 && pooled < 1.0 { counts.spread()? } else { None };
        let (prior, log_likelihood) = match best {
            Some((spread, mean, value)) => {
                (Some(BetaPrior { alpha: mean / spread, beta: (1.0 - mean) / spread }), value)
            }
            None => (None, counts.value(pooled, 0.0)),
        };
        let rate = |s: &Closed| match prior {
            Some(BetaPrior { alpha, beta }) => {
                (alpha + whole(s.won)) / (alpha + beta + whole(s.won) + whole(s.lost))
            }
            None => pooled,
        };
        let rates = segments.iter().map(|s| Probability::rounded(rate(s))).collect();
        Ok(Self { prior, log_likelihood: log_likelihood + constant, rates })
    }

    /// How segments differ; `None` where they do not beyond chance and the rates are pooled.
    pub fn prior(&self) -> Option<BetaPrior> {
        self.prior
    }

    /// The log-likelihood at its maximum, binomial coefficients included.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// The shrunk rates, in the order of the segments.
    pub fn rates(&self) -> &[Probability] {
        &self.rates
    }
}

#[allow(clippy::cast_precision_loss, reason = "beyond 2^53 deals a rate does not feel the rounding")]
const fn whole(n: u64) -> f64 {
    n as f64
}

fn ln_choose(segment: Closed) -> f64 {
    let (won, lost) = (whole(segment.won), whole(segment.lost));
    ln_gamma(won + lost + 1.0) - ln_gamma(won + 1.0) - ln_gamma(lost + 1.0)
}

/// For how many segments a count exceeds k, as runs `(from, to, segments)` of k.
#[derive(Clone, Debug, Default)]
struct Runs(Vec<(f64, f64, f64)>);

impl Runs {
    fn new(counts: impl Iterator<Item = f64>) -> Self {
        let mut counts: Vec<f64> = counts.collect();
        counts.sort_unstable_by(f64::total_cmp);
        let mut runs = Vec::new();
        let mut from = 0.0;
        for (i, &to) in counts.iter().enumerate() {
            if to > from {
                runs.push((from, to, crate::num::count(counts.len() - i)));
                from = to;
            }
        }
        Self(runs)
    }

    /// Sums over all runs of ln(a + k s) and of its derivative by a, 1 / (a + k s).
    fn sums(&self, a: f64, s: f64) -> [f64; 2] {
        let mut sums = [Sum::default(); 2];
        for &(from, to, segments) in &self.0 {
            let [log, inverse] = run(a, s, (from, to));
            sums[0].add(segments * log);
            sums[1].add(segments * inverse);
        }
        sums.map(Sum::get)
    }
}

/// Terms summed one by one before the formula for long runs takes over.
const SHORT: f64 = 64.0;

/// Sums of ln(a + k s) and 1 / (a + k s) over from <= k < to.
fn run(a: f64, s: f64, (from, to): (f64, f64)) -> [f64; 2] {
    let near = if to - from > 2.0 * SHORT { from + SHORT } else { to };
    let (mut log, mut inverse) = (0.0, 0.0);
    let mut k = from;
    while k < near {
        let u = a + k * s;
        log += special::ln(u);
        inverse += 1.0 / u;
        k += 1.0;
    }
    if near < to {
        // Euler-Maclaurin; with k >= 64 the fifth derivative contributes less than 1e-13.
        let (u, v, n) = (a + near * s, a + to * s, to - near);
        let growth = n * s / u;
        let mean_log = if growth < 1e-5 {
            growth / 2.0 - growth * growth / 6.0
        } else {
            ((1.0 + growth) * special::ln_1p(growth) - growth) / growth
        };
        let mean_inverse = if growth < 1e-5 { 1.0 - growth / 2.0 } else { special::ln_1p(growth) / growth };
        let (p, q) = (s / u, s / v);
        let ends = special::ln(v / u);
        log +=
            n * (special::ln(u) + mean_log) - 0.5 * ends + (q - p) / 12.0 - (q * q * q - p * p * p) / 360.0;
        let slopes = |p: f64, u: f64| p / u / 12.0 - p * p * p / u / 120.0;
        inverse += n * mean_inverse / u + 0.5 * (1.0 / u - 1.0 / v) + slopes(p, u) - slopes(q, v);
    }
    [log, inverse]
}

/// The counts of all segments, as the likelihood needs them.
struct Counts {
    won: Runs,
    lost: Runs,
    all: Runs,
}

impl Counts {
    fn of(segments: &[Closed]) -> Self {
        let runs = |count: fn(&Closed) -> f64| Runs::new(segments.iter().map(count));
        Self {
            won: runs(|s| whole(s.won)),
            lost: runs(|s| whole(s.lost)),
            all: runs(|s| whole(s.won) + whole(s.lost)),
        }
    }

    fn pooled(&self) -> Option<f64> {
        let total = |runs: &Runs| sum(runs.0.iter().map(|(from, to, segments)| (to - from) * segments));
        let (won, lost) = (total(&self.won), total(&self.lost));
        (won + lost > 0.0).then(|| won / (won + lost))
    }

    fn value(&self, mean: f64, spread: f64) -> f64 {
        let part = |runs: &Runs, a: f64| if runs.0.is_empty() { 0.0 } else { runs.sums(a, spread)[0] };
        part(&self.won, mean) + part(&self.lost, 1.0 - mean) - part(&self.all, 1.0)
    }

    /// The best mean for a spread: the root of a decreasing slope, by halving on the scale of the odds.
    fn best_mean(&self, spread: f64) -> f64 {
        let rate = |logit: f64| 1.0 / (1.0 + special::exp(-logit));
        let (mut low, mut high) = (-40.0, 36.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            let mean = rate(middle);
            if self.won.sums(mean, spread)[1] > self.lost.sums(1.0 - mean, spread)[1] {
                low = middle;
            } else {
                high = middle;
            }
        }
        rate(0.5 * (low + high))
    }

    fn profile(&self, log_spread: f64) -> (f64, f64) {
        let spread = special::exp(log_spread);
        let mean = self.best_mean(spread);
        (mean, self.value(mean, spread))
    }

    /// Spread, mean and value at the maximum; `None` where no spread beats none.
    fn spread(&self) -> Result<Option<(f64, f64, f64)>> {
        const STEP: f64 = 0.75;
        let grid: Vec<f64> = (-32..=20).map(|i| STEP * f64::from(i)).collect();
        let value = |x: f64| self.profile(x).1;
        let best = grid
            .iter()
            .map(|&x| (x, value(x)))
            .fold((f64::NAN, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
        let pooled = self.pooled().map_or(0.0, |mean| self.value(mean, 0.0));
        if best.1 <= pooled + 1e-9 {
            return Ok(None);
        }
        if grid.last().is_some_and(|&last| best.0 >= last) {
            return Err(Error::new(ErrorKind::NotIdentified, "a segment with both wins and losses"));
        }
        let x = peak(best.0 - STEP, best.0 + STEP, value);
        let (mean, value) = self.profile(x);
        Ok(Some((special::exp(x), mean, value)))
    }
}

/// The peak of a function with one in the interval, by golden sections and a last parabola.
fn peak(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    // Closer than this, rounding hides which of two points is higher.
    while high - low > 1e-3 {
        if at_a < at_b {
            (low, a, at_a) = (a, b, at_b);
            b = low + GOLDEN * (high - low);
            at_b = f(b);
        } else {
            (high, b, at_b) = (b, a, at_a);
            a = high - GOLDEN * (high - low);
            at_a = f(a);
        }
    }
    let (middle, h) = (0.5 * (low + high), 1e-2);
    let [left, here, right] = [f(middle - h), f(middle), f(middle + h)];
    let curvature = left - 2.0 * here + right;
    if curvature < 0.0 { middle + (0.5 * h * (left - right) / curvature).clamp(-h, h) } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_agree_with_short_ones() {
        for (a, s) in [(0.2, 0.0), (0.2, 1e-9), (0.3, 1e-3), (0.01, 0.7), (1.0, 50.0)] {
            let long = run(a, s, (3.0, 5003.0));
            let terms = || (3..5003).map(|k| a + f64::from(k) * s);
            let short = [terms().map(special::ln).sum::<f64>(), terms().map(|u| 1.0 / u).sum()];
            for (x, y) in long.iter().zip(short) {
                assert!((x - y).abs() < 1e-11 * y.abs().max(1.0), "{a} {s}: {x} {y}");
            }
        }
    }

    #[test]
    fn alike_segments_are_pooled_and_extremes_refused() {
        let alike = ShrunkRates::fit(&[Closed { won: 5, lost: 15 }; 4]).unwrap();
        assert_eq!(alike.prior(), None);
        assert!(alike.rates().iter().all(|rate| (rate.get() - 0.25).abs() < 1e-15));
        let extremes = [Closed { won: 9, lost: 0 }, Closed { won: 0, lost: 9 }];
        assert_eq!(ShrunkRates::fit(&extremes).unwrap_err().kind(), ErrorKind::NotIdentified);
        let none = ShrunkRates::fit(&[Closed { won: 0, lost: 9 }, Closed { won: 0, lost: 0 }]).unwrap();
        assert_eq!((none.rates()[1], none.log_likelihood()), (Probability::ZERO, 0.0));
        assert_eq!(ShrunkRates::fit(&[Closed::default()]).unwrap_err().kind(), ErrorKind::NoHistory);
    }

    #[test]
    fn huge_counts_take_no_longer() {
        let segments: Vec<Closed> =
            (1..40).map(|i| Closed { won: 1_000_000_007 * i, lost: 3_000_000_019 + 1_000 * i }).collect();
        let start = std::time::Instant::now();
        assert!(ShrunkRates::fit(&segments).unwrap().prior().is_some());
        assert!(start.elapsed() < std::time::Duration::from_secs(2));
    }
}
