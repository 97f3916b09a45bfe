//! Deals that do not exist yet and will be won inside the period: a random number of random amounts.

use crate::num::{Amount, count, sum::sum};
use crate::{Error, ErrorKind, Result};

/// Deals not yet created that will be won inside the period: how many, how large, and when.
///
/// The count is Poisson, or negative binomial where a size is given (variance `mean + mean^2 / size`); the amounts
/// are independent draws from the severity.
///
/// # Example
/// ```
/// use dealcast::Amount;
/// use dealcast::forecast::NewBusiness;
/// let amounts = [(Amount::new(10e3)?, 3.0), (Amount::new(50e3)?, 1.0)];
/// let new = NewBusiness::new(6.0, amounts)?.overdispersed(4.0)?;
/// assert_eq!(new.expected(), 6.0 * 20e3);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NewBusiness {
    pub(crate) mean: f64,
    pub(crate) size: Option<f64>,
    pub(crate) amount: Vec<f64>,
    pub(crate) weight: Vec<f64>,
    pub(crate) share: Vec<f64>,
}

/// More deals than any company wins in a period.
const MOST: f64 = 1e9;

impl NewBusiness {
    /// A Poisson number of deals with this mean, whose amounts occur in proportion to their weights.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) unless the mean is from 0 to 1e9 and every weight finite and `>= 0`;
    /// [`Missing`](ErrorKind::Missing) where the weights sum to 0; [`Overflow`](ErrorKind::Overflow) where a sum does.
    pub fn new(mean: f64, severity: impl IntoIterator<Item = (Amount, f64)>) -> Result<Self> {
        if !(0.0..=MOST).contains(&mean) {
            return Err(Error::out_of_range("new business mean", "a number from 0 to 1e9", mean));
        }
        let mut amount = Vec::new();
        let mut weight = Vec::new();
        for (worth, likely) in severity {
            not_negative("severity weight", likely)?;
            if likely > 0.0 {
                amount.push(worth.get());
                weight.push(likely);
            }
        }
        normalise("severity", &mut weight)?;
        let new = Self { mean, size: None, amount, weight, share: vec![1.0] };
        // The variance of the total is what the engines need to be finite; refuse the hopeless early.
        if new.expected().is_finite() {
            Ok(new)
        } else {
            Err(Error::new(ErrorKind::Overflow, "a finite expected amount").field("new business"))
        }
    }

    /// A negative binomial number with this size: the smaller, the more the number varies.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) unless the size is finite and `> 0`.
    pub fn overdispersed(mut self, size: f64) -> Result<Self> {
        if size > 0.0 && size.is_finite() {
            self.size = Some(size);
            Ok(self)
        } else {
            Err(Error::out_of_range("new business size", "a finite number > 0", size))
        }
    }

    /// How the deals spread over the buckets of the period, in proportion to these shares.
    ///
    /// # Errors
    /// As for the weights of [`Self::new`].
    pub fn spread(mut self, shares: Vec<f64>) -> Result<Self> {
        for &share in &shares {
            not_negative("bucket share", share)?;
        }
        self.share = shares;
        normalise("bucket share", &mut self.share)?;
        Ok(self)
    }

    /// The expected number of deals.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The expected amount of all of them together.
    pub fn expected(&self) -> f64 {
        self.mean * self.moment(1)
    }

    /// E amount^k of one deal.
    pub(crate) fn moment(&self, k: usize) -> f64 {
        sum(self.amount.iter().zip(&self.weight).map(|(a, w)| (0..k).fold(*w, |power, _| power * a)))
    }

    /// Mean and variance of all amounts when `n` deals are expected.
    pub(crate) fn moments_of(&self, n: f64) -> [f64; 2] {
        let mean = n * self.moment(1);
        [mean, n * self.moment(2) + self.size.map_or(0.0, |size| mean * mean / size)]
    }

    /// An amount that is exceeded with a probability below e^-`odds` when `n` deals are expected.
    pub(crate) fn reach(&self, n: f64, odds: f64) -> f64 {
        let at_most = n * self.size.map_or(1.0, |size| gamma_level(odds / size));
        let spread = (2.0 * odds * at_most * self.moment(2)).sqrt();
        let bernstein = at_most * self.moment(1) + spread + odds * self.largest() / 3.0;
        bernstein.min(self.most(n, odds) * self.largest())
    }

    pub(crate) fn largest(&self) -> f64 {
        self.amount.iter().copied().fold(0.0, f64::max)
    }

    /// -ln P(no deal at all) when the mean count is `mean`.
    pub(crate) fn silence(&self, mean: f64) -> f64 {
        self.decay(mean, 1.0)
    }

    /// -ln |generating function| when 1 - Re(transform of the severity) is `gap`; a lower bound where the transform is
    /// complex.
    pub(crate) fn decay(&self, mean: f64, gap: f64) -> f64 {
        self.size.map_or(mean * gap, |size| size * crate::num::special::ln_1p(mean * gap / size))
    }

    /// A count that is exceeded with a probability below e^-`odds`, when the mean count is `mean`.
    ///
    /// Chernoff's bound for the gamma level (negative binomial), then Bernstein's for the Poisson count.
    pub(crate) fn most(&self, mean: f64, odds: f64) -> f64 {
        let level = self.size.map_or(1.0, |size| gamma_level(odds / size));
        let mean = mean * level;
        mean + (2.0 * odds * mean).sqrt() + odds / 3.0
    }
}

/// The g > 1 with g - 1 - ln g = y.
pub(crate) fn gamma_level(y: f64) -> f64 {
    let (mut low, mut high) = (1.0, 2.0 + 2.0 * y + (2.0 * y).sqrt());
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if middle - 1.0 - crate::num::special::ln(middle) < y {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

fn not_negative(field: &'static str, x: f64) -> Result<()> {
    if x >= 0.0 && x.is_finite() {
        Ok(())
    } else {
        Err(Error::out_of_range(field, "a finite number >= 0", x))
    }
}

fn normalise(field: &'static str, weights: &mut [f64]) -> Result<()> {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Err(Error::new(ErrorKind::Missing, "at least one weight above 0").field(field));
    }
    // Divided by the largest first: neither a sum of huge weights nor one of tiny weights leaves the range.
    let all = sum(weights.iter().map(|w| w / largest));
    if all > count(weights.len()) {
        return Err(Error::new(ErrorKind::Overflow, "weights with a finite sum").field(field));
    }
    for weight in weights {
        *weight = *weight / largest / all;
    }
    Ok(())
}
