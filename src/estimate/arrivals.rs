//! How many new deals arrive: counts per day, week or month with a trend and a season.

use super::linear::Cholesky;
use crate::num::count;
use crate::num::special::counts::{NegativeBinomial, ln_negative_binomial, ln_poisson};
use crate::num::special::gamma::{digamma, trigamma};
use crate::num::special::{exp, increasing_root, ln, ln_1p};
use crate::num::sum::sum;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The law of a count around its mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountFamily {
    /// Variance equal to the mean: arrivals that know nothing of each other.
    Poisson,
    /// Variance mean + mean^2 / size: busy and quiet spells beyond trend and season.
    NegativeBinomial,
}

/// A regression of counts on time and season, with a logarithmic link: effects multiply.
///
/// # Formula
/// ln mean = intercept + trend t / period + season of t, the first count at t = 0 in season 1 (whose effect is 0).
///
/// # Example: how many new deals will come in the next three months?
/// ```
/// use dealcast::estimate::{ArrivalRegression, CountFamily};
/// let monthly = [20, 22, 19, 25, 21, 30, 24, 26, 23, 31, 27, 33];
/// let fit = ArrivalRegression::new(CountFamily::NegativeBinomial).fit(&monthly)?;
/// assert_eq!(fit.size(), None); // no more spread than chance alone gives
/// let next = fit.next(3);
/// assert!(next[0] > 29.0 && next[2] < 36.0);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Numerics
/// Fisher scoring for the effects, the size by its own likelihood in turn; the two are orthogonal, so the turns settle
/// fast.
///
/// # Reference
/// Venables & Ripley (2002), Modern applied statistics with S, section 7.4; Lawless (1987), Negative binomial and
/// mixed Poisson regression, section 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivalRegression {
    family: CountFamily,
    period: Option<usize>,
    trend: bool,
}

/// A fitted [`ArrivalRegression`].
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalFit {
    design: Design,
    coefficients: Vec<f64>,
    std_errors: Vec<f64>,
    size: Option<f64>,
    log_likelihood: f64,
    n: usize,
}

impl ArrivalRegression {
    /// A regression with a trend and no season.
    pub const fn new(family: CountFamily) -> Self {
        Self { family, period: None, trend: true }
    }

    /// With a season of this many counts: 12 for months, 7 for days; below 2 there is none.
    #[must_use]
    pub const fn season(self, period: usize) -> Self {
        Self { period: if period > 1 { Some(period) } else { None }, ..self }
    }

    /// Without a trend.
    #[must_use]
    pub const fn without_trend(self) -> Self {
        Self { trend: false, ..self }
    }

    /// The maximum-likelihood fit to counts in order of time.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without counts; [`NotIdentified`](ErrorKind::NotIdentified) with fewer counts
    /// than effects, or where nothing ever arrived, overall or in one season; [`TooLarge`](ErrorKind::TooLarge) for a
    /// season of more than 1,000 counts.
    pub fn fit(&self, counts: &[u32]) -> Result<ArrivalFit> {
        let design = Design { period: self.period, trend: self.trend };
        design.check(counts)?;
        let y: Vec<f64> = counts.iter().map(|&n| f64::from(n)).collect();
        let mean = sum(y.iter().copied()) / count(y.len());
        let mut start = vec![0.0; design.width()];
        start.iter_mut().take(1).for_each(|intercept| *intercept = ln(mean));
        let mut fitted = Effects::fit(&design, &y, (start, None))?;
        if self.family == CountFamily::NegativeBinomial {
            fitted = with_size(&design, &y, fitted)?;
        }
        let std_errors = fitted.std_errors();
        Ok(ArrivalFit {
            design,
            std_errors,
            size: fitted.size,
            log_likelihood: fitted.log_likelihood,
            coefficients: fitted.coefficients,
            n: counts.len(),
        })
    }
}

impl ArrivalFit {
    /// The effects on ln mean: intercept, trend per period (per count without season), seasons 2, 3, ...
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// Their standard errors, from the expected information at the fitted size.
    pub fn std_errors(&self) -> &[f64] {
        &self.std_errors
    }

    /// Size of the negative binomial; `None` for Poisson, or where the counts spread no more than Poisson ones.
    pub const fn size(&self) -> Option<f64> {
        self.size
    }

    /// The log-likelihood at its maximum.
    pub const fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// How many counts it rests on.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// The means of the counts that follow, cut at the largest double.
    pub fn next(&self, ahead: usize) -> Vec<f64> {
        let after = (self.n..).take(ahead);
        after.map(|t| exp(self.design.predictor(t, &self.coefficients)).min(f64::MAX)).collect()
    }
}

/// Which columns there are. A row has at most three entries that are not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Design {
    period: Option<usize>,
    trend: bool,
}

/// Longest season: its square is the memory of a fit.
const LONGEST_PERIOD: usize = 1_000;

impl Design {
    fn width(&self) -> usize {
        1 + usize::from(self.trend) + self.period.map_or(0, |period| period - 1)
    }

    /// The entries of row `t`, as (column, value).
    fn row(&self, t: usize) -> impl Iterator<Item = (usize, f64)> + Clone {
        let per = count(self.period.unwrap_or(1));
        let trend = self.trend.then_some((1, count(t) / per));
        let first_season = 1 + usize::from(self.trend);
        let season = self.period.map_or(0, |period| t % period);
        let season = (season > 0).then(|| (first_season + season - 1, 1.0));
        std::iter::once((0, 1.0)).chain(trend).chain(season)
    }

    fn predictor(&self, t: usize, coefficients: &[f64]) -> f64 {
        self.row(t).map(|(j, x)| x * coefficients.get(j).copied().unwrap_or(0.0)).sum()
    }

    fn check(&self, counts: &[u32]) -> Result<()> {
        if counts.is_empty() {
            return Err(Error::new(ErrorKind::NoHistory, "at least one count").field("counts"));
        }
        let period = self.period.unwrap_or(1);
        if period > LONGEST_PERIOD {
            let refused = Error::new(ErrorKind::TooLarge, "a season of at most 1000 counts");
            return Err(refused.field("period").found(period));
        }
        if counts.len() < self.width() {
            let expected = format!("at least {} counts, one for each effect", self.width());
            return Err(Error::new(ErrorKind::NotIdentified, expected).found(counts.len()));
        }
        let silent = (0..period).find(|&s| counts.iter().skip(s).step_by(period).all(|&n| n == 0));
        match silent {
            Some(season) => {
                let refused = Error::new(ErrorKind::NotIdentified, "at least one arrival in every season");
                Err(refused.found(format!("none in season {}", season + 1)))
            }
            None => Ok(()),
        }
    }
}

/// Effects fitted at one size.
struct Effects {
    coefficients: Vec<f64>,
    means: Vec<f64>,
    size: Option<f64>,
    log_likelihood: f64,
    information: Cholesky,
}

/// Scoring steps; a fit takes about ten.
const STEPS: usize = 200;
/// Relative gain in log-likelihood at which the climb has arrived: what rounding leaves.
const ARRIVED: f64 = 1e-14;

impl Effects {
    /// Fisher scoring with halved steps from a start, at a fixed size (`None`: Poisson).
    fn fit(design: &Design, y: &[f64], (start, size): (Vec<f64>, Option<f64>)) -> Result<Self> {
        let mut at = start;
        let mut means = means(design, y.len(), &at);
        let mut value = log_likelihood(y, &means, size);
        for _ in 0..STEPS {
            let (gradient, information) = score(design, y, (&means, size));
            let refused = || Error::new(ErrorKind::NotIdentified, "effects that the counts can tell apart");
            let information = Cholesky::new(&information, design.width()).ok_or_else(refused)?;
            let mut step = information.solve(&gradient);
            let gain: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
            if gain <= ARRIVED * (1.0 + value.abs()) {
                return Ok(Self { coefficients: at, means, size, log_likelihood: value, information });
            }
            let climbed = (0..40).find_map(|_| {
                let next: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a + s).collect();
                let next_means = self::means(design, y.len(), &next);
                let next_value = log_likelihood(y, &next_means, size);
                step = step.iter().map(|s| 0.5 * s).collect();
                (next_value > value).then_some((next, next_means, next_value))
            });
            match climbed {
                Some(next) => (at, means, value) = next,
                // Only rounding is left to climb.
                None if gain < 1e-6 => {
                    return Ok(Self { coefficients: at, means, size, log_likelihood: value, information });
                }
                None => break,
            }
        }
        Err(Error::new(ErrorKind::NotIdentified, "counts whose likelihood has a maximum"))
    }

    fn std_errors(&self) -> Vec<f64> {
        let n = self.coefficients.len();
        let unit = |j: usize| (0..n).map(move |i| if i == j { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
        let variance = |j: usize| self.information.solve(&unit(j)).get(j).copied().unwrap_or(0.0);
        (0..n).map(|j| variance(j).max(0.0).sqrt()).collect()
    }
}

fn means(design: &Design, n: usize, coefficients: &[f64]) -> Vec<f64> {
    (0..n).map(|t| exp(design.predictor(t, coefficients))).collect()
}

fn log_likelihood(y: &[f64], means: &[f64], size: Option<f64>) -> f64 {
    let term = |(&y, &mean): (&f64, &f64)| match size {
        Some(size) => ln_negative_binomial(y, NegativeBinomial { size, mean }),
        None => ln_poisson(y, mean),
    };
    sum(y.iter().zip(means).map(term))
}

/// X' (y - m) / (1 + m / size), and the expected information X' W X with W = m / (1 + m / size).
fn score(design: &Design, y: &[f64], (means, size): (&[f64], Option<f64>)) -> (Vec<f64>, Vec<f64>) {
    let width = design.width();
    let mut gradient = vec![0.0; width];
    let mut information = vec![0.0; width * width];
    for (t, (y, mean)) in y.iter().zip(means).enumerate() {
        let spread = size.map_or(1.0, |size| 1.0 + mean / size);
        let row = design.row(t);
        for (i, x) in row.clone() {
            gradient.iter_mut().skip(i).take(1).for_each(|g| *g += x * (y - mean) / spread);
            for (j, z) in row.clone() {
                let cell = information.iter_mut().skip(i * width + j).take(1);
                cell.for_each(|h| *h += x * z * mean / spread);
            }
        }
    }
    (gradient, information)
}

/// Sizes beyond this many means are Poisson as far as any count can tell.
const LARGEST_SIZE: f64 = 1e6;

/// Size and effects in turn, from the Poisson fit; that fit itself where the counts spread no more than it says.
fn with_size(design: &Design, y: &[f64], poisson: Effects) -> Result<Effects> {
    let mut fitted = poisson;
    for _ in 0..STEPS {
        let before = fitted.log_likelihood;
        let Some(size) = best_size(y, &fitted.means, fitted.size) else {
            return Effects::fit(design, y, (fitted.coefficients, None));
        };
        let moved = fitted.size.is_none_or(|old| (size - old).abs() > 1e-11 * size);
        fitted = Effects::fit(design, y, (fitted.coefficients, Some(size)))?;
        if !moved || (fitted.log_likelihood - before).abs() <= ARRIVED * before.abs() {
            break;
        }
    }
    Ok(fitted)
}

/// The size that fits best around these means; `None` where that is infinite.
fn best_size(y: &[f64], means: &[f64], start: Option<f64>) -> Option<f64> {
    let pairs = || y.iter().zip(means);
    // The slope of the log-likelihood by 1 / size at 0.
    let excess = sum(pairs().map(|(y, m)| (y - m) * (y - m) - y));
    let mean = sum(means.iter().copied()) / count(means.len());
    if excess <= 0.0 {
        return None;
    }
    let moment = sum(means.iter().map(|m| m * m)) / excess;
    // Minus the slope by ln size, which rises through 0 at the maximum; both per count.
    let value = |ln_size: f64| {
        let r = exp(ln_size);
        let slope = sum(pairs().map(|(y, m)| {
            let ratio = m / r;
            digamma(y + r) - digamma(r) - ln_1p(ratio) + (m - y) / (m + r)
        }));
        -r * slope / count(y.len())
    };
    let slope = |ln_size: f64, v: f64| {
        let r = exp(ln_size);
        let curvature = sum(pairs().map(|(y, m)| {
            trigamma(y + r) - trigamma(r) + 1.0 / r - 2.0 / (m + r) + (y + r) / ((m + r) * (m + r))
        }));
        v - r * r * curvature / count(y.len())
    };
    let most = ln(LARGEST_SIZE * mean.max(1.0));
    let best = increasing_root(ln(start.unwrap_or(moment)).min(most), value, slope);
    (best < most).then(|| exp(best))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_has_no_maximum() {
        let kind = |regression: ArrivalRegression, counts: &[u32]| regression.fit(counts).unwrap_err().kind();
        let plain = ArrivalRegression::new(CountFamily::NegativeBinomial);
        assert_eq!(kind(plain.clone(), &[]), ErrorKind::NoHistory);
        assert_eq!(kind(plain.clone(), &[0, 0, 0]), ErrorKind::NotIdentified);
        assert_eq!(kind(plain.clone(), &[5]), ErrorKind::NotIdentified);
        assert_eq!(kind(plain.clone().season(12), &[5; 12]), ErrorKind::NotIdentified);
        assert_eq!(kind(plain.clone().season(2), &[5, 0, 4, 0, 6, 0]), ErrorKind::NotIdentified);
        assert_eq!(kind(plain.season(usize::MAX), &[5; 12]), ErrorKind::TooLarge);
    }

    #[test]
    fn the_score_vanishes_at_the_fit() {
        let counts = [3, 0, 9, 14, 2, 2, 31, 0, 5, 8, 40, 1, 7, 12, 6, 0, 22, 3];
        let fit = ArrivalRegression::new(CountFamily::NegativeBinomial).season(3).fit(&counts).unwrap();
        let y: Vec<f64> = counts.iter().map(|&n| f64::from(n)).collect();
        let means = means(&fit.design, y.len(), fit.coefficients());
        let size = fit.size().unwrap();
        let (gradient, _) = score(&fit.design, &y, (&means, Some(size)));
        // A step of its standard error gains about 1/2; 1e-5 of the slope moves nothing by 1e-5 of that.
        assert!(gradient.iter().all(|g| g.abs() < 1e-5), "{gradient:?}");
        let value = |size: f64| log_likelihood(&y, &means, Some(size));
        assert!(value(size) >= value(size * 1.001) && value(size) >= value(size * 0.999));
    }

    #[test]
    fn extreme_counts_end() {
        let regression = ArrivalRegression::new(CountFamily::NegativeBinomial);
        for counts in [&[u32::MAX, 0, 0, 0][..], &[1, u32::MAX, 1, u32::MAX], &[0, 0, 0, 1], &[7; 50]] {
            if let Ok(fit) = regression.fit(counts) {
                assert!(fit.coefficients().iter().chain(&fit.next(3)).all(|x| x.is_finite()), "{counts:?}");
                assert!(fit.log_likelihood().is_finite());
            }
        }
    }
}
