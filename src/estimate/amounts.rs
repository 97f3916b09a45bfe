//! How large deals are: overall, and by segment with small segments drawn towards the whole.

use crate::num::count;
use crate::num::special::ln;
use crate::num::sum::sum;
use crate::{Amount, Error, ErrorKind, Level, Result};

/// The amounts of deals, by segment and overall.
///
/// A segment with five deals says little about its mean; the mean of all deals says something about it too. Each
/// segment's mean is drawn to the overall one, the more the fewer deals it has and the less segments differ.
///
/// # Formula
/// A segment of n deals has mean M, known to variance s^2 / n (s^2 pooled within segments); the true means differ with
/// variance t^2 = max(0, (SSB - (k - 1) s^2) / (N - sum n^2 / N)). Shrunk mean = B M + (1 - B) m with
/// B = t^2 / (t^2 + s^2 / n), m the mean weighted by 1 / (t^2 + s^2 / n). With all segments of one deal, or no
/// difference: B = 0.
///
/// # Assumptions
/// One spread within segments; where amounts differ by orders of magnitude the standard errors are rough.
///
/// # Example: what is a deal of a new region worth?
/// ```
/// use dealcast::{Amount, estimate::TypicalAmounts};
/// let amounts = |xs: &[f64]| xs.iter().map(|&x| Amount::new(x)).collect::<Result<Vec<_>, _>>();
/// let north = amounts(&[10.0, 12.0, 9.0, 11.0, 13.0, 10.0, 12.0, 11.0])?;
/// let south = amounts(&[20.0, 23.0, 19.0, 22.0, 21.0])?;
/// let new = amounts(&[40.0])?;
/// let typical = TypicalAmounts::of_segments(&[&north, &south, &new])?;
/// let new = &typical.segments()[2];
/// assert_eq!(new.n(), 1);
/// assert!(new.mean() < 40.0 && new.mean() > typical.mean());
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Searle et al. (1992), Variance components, sections 3.6 and 3.8.
#[derive(Clone, Debug, PartialEq)]
pub struct TypicalAmounts {
    sorted: Vec<Amount>,
    mean: f64,
    std_error: Option<f64>,
    between: f64,
    log_normal: Option<(f64, f64)>,
    segments: Vec<SegmentAmount>,
}

/// The mean amount of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentAmount {
    n: usize,
    own_mean: Option<f64>,
    mean: f64,
    std_error: Option<f64>,
}

/// Count, mean and sum of squared differences from it, of amounts divided by the largest.
struct Group {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Group {
    fn of(amounts: &[Amount], unit: f64) -> Self {
        let n = count(amounts.len());
        let scaled = || amounts.iter().map(|a| a.get() / unit);
        let mean = if n > 0.0 { sum(scaled()) / n } else { 0.0 };
        Self { n, mean, squares: sum(scaled().map(|x| (x - mean) * (x - mean))) }
    }
}

impl TypicalAmounts {
    /// From the amounts of each segment; a segment may be empty and then gets the overall mean.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without any amount.
    pub fn of_segments(segments: &[&[Amount]]) -> Result<Self> {
        let mut sorted: Vec<Amount> = segments.iter().flat_map(|s| s.iter().copied()).collect();
        sorted.sort_by(|a, b| a.get().total_cmp(&b.get()));
        let Some(largest) = sorted.last() else {
            return Err(Error::new(ErrorKind::NoHistory, "at least one amount").field("amounts"));
        };
        // In units of the largest amount nothing overflows.
        let unit = if largest.get() > 0.0 { largest.get() } else { 1.0 };
        let groups: Vec<Group> = segments.iter().map(|s| Group::of(s, unit)).collect();
        let filled = || groups.iter().filter(|g| g.n > 0.0);
        let (n, k) = (count(sorted.len()), count(filled().count()));
        let within = if n > k { sum(filled().map(|g| g.squares)) / (n - k) } else { 0.0 };
        let plain = sum(filled().map(|g| g.n * g.mean)) / n;
        let across = sum(filled().map(|g| g.n * (g.mean - plain) * (g.mean - plain)));
        let spare = n - sum(filled().map(|g| g.n * g.n)) / n;
        let between =
            if n > k && spare > 0.0 { ((across - (k - 1.0) * within) / spare).max(0.0) } else { 0.0 };
        let weight = |g: &Group| 1.0 / (between + within / g.n);
        let (mean, variance) = if between > 0.0 {
            let total = sum(filled().map(weight));
            (sum(filled().map(|g| weight(g) * g.mean)) / total, Some(1.0 / total))
        } else {
            let squares = sum(filled().map(|g| g.squares)) + across;
            (plain, (n > 1.0).then(|| squares / (n - 1.0) / n))
        };
        let segment = |group: &Group| {
            let own =
                if group.n > 0.0 && between > 0.0 { between / (between + within / group.n) } else { 0.0 };
            let sampled = if group.n > 0.0 { own * within / group.n } else { between };
            let error = |v: f64| unit * (sampled + (1.0 - own) * (1.0 - own) * v).sqrt();
            (own * group.mean + (1.0 - own) * mean, variance.map(error))
        };
        let segments = segments.iter().zip(&groups).map(|(amounts, group)| {
            let (mean, std_error) = segment(group);
            let own_mean = (!amounts.is_empty()).then_some(group.mean * unit);
            SegmentAmount { n: amounts.len(), own_mean, mean: mean * unit, std_error }
        });
        Ok(Self {
            segments: segments.collect(),
            mean: mean * unit,
            std_error: variance.map(|v| unit * v.sqrt()),
            between: unit * between.sqrt(),
            log_normal: log_normal(&sorted),
            sorted,
        })
    }

    /// How many amounts there are.
    pub fn n(&self) -> usize {
        self.sorted.len()
    }

    /// The overall mean.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// Its standard error; `None` with a single amount.
    pub const fn std_error(&self) -> Option<f64> {
        self.std_error
    }

    /// By how much the true means of segments differ, as a standard deviation.
    pub const fn between_segments(&self) -> f64 {
        self.between
    }

    /// The segments in the order in which they were given.
    pub fn segments(&self) -> &[SegmentAmount] {
        &self.segments
    }

    /// The smallest amount that at least this share of the deals does not exceed.
    pub fn quantile(&self, level: Level) -> Amount {
        let at = self.sorted.partition_point(|a| {
            let rank = self.sorted.partition_point(|b| b.get() <= a.get());
            count(rank) < level.get() * count(self.sorted.len())
        });
        self.sorted.get(at).or(self.sorted.last()).copied().unwrap_or(Amount::ZERO)
    }

    /// Mean and standard deviation of ln amount (maximum likelihood), over the amounts above 0; `None` with fewer than
    /// two different ones.
    pub const fn log_normal(&self) -> Option<(f64, f64)> {
        self.log_normal
    }
}

impl SegmentAmount {
    /// How many amounts it has.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// The mean of its own amounts; `None` without any.
    pub const fn own_mean(&self) -> Option<f64> {
        self.own_mean
    }

    /// The mean drawn towards the overall one.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard error of [`mean`](Self::mean); `None` where a single amount is all there is.
    pub const fn std_error(&self) -> Option<f64> {
        self.std_error
    }
}

fn log_normal(sorted: &[Amount]) -> Option<(f64, f64)> {
    let logs: Vec<f64> = sorted.iter().filter(|a| a.get() > 0.0).map(|a| ln(a.get())).collect();
    let n = count(logs.len());
    let mean = sum(logs.iter().copied()) / n;
    let sd = (sum(logs.iter().map(|x| (x - mean) * (x - mean))) / n).sqrt();
    (logs.first() != logs.last()).then_some((mean, sd))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(xs: &[f64]) -> Vec<Amount> {
        xs.iter().map(|&x| Amount::new(x).unwrap()).collect()
    }

    /// By hand: means 2, 5 and 11, s^2 = 1, SSB = 2 (16 + 1 + 25) = 84, t^2 = (84 - 2) / (6 - 2) = 20.5,
    /// B = 20.5 / 21 for all.
    #[test]
    fn a_table_worked_by_hand() {
        let h = 0.5_f64.sqrt();
        let groups = [2.0, 5.0, 11.0].map(|m| amounts(&[m - h, m + h]));
        let typical = TypicalAmounts::of_segments(&[&groups[0], &groups[1], &groups[2]]).unwrap();
        assert!((typical.mean() - 6.0).abs() < 1e-14);
        assert!((typical.between_segments() - 20.5_f64.sqrt()).abs() < 1e-13);
        let b = 20.5 / 21.0;
        for (segment, own) in typical.segments().iter().zip([2.0, 5.0, 11.0]) {
            assert!((segment.mean() - (b * own + (1.0 - b) * 6.0)).abs() < 1e-13);
            let variance = b * 0.5 + (1.0 - b) * (1.0 - b) * 21.0 / 3.0;
            assert!((segment.std_error().unwrap() - variance.sqrt()).abs() < 1e-13);
        }
    }

    #[test]
    fn no_difference_pools_and_extremes_stay_finite() {
        let same = amounts(&[1.0, 3.0]);
        let typical = TypicalAmounts::of_segments(&[&same, &same, &[]]).unwrap();
        assert!(typical.segments().iter().all(|s| s.mean() == 2.0));
        let huge = amounts(&[1e308, 1.5e308, 0.0]);
        let typical = TypicalAmounts::of_segments(&[&huge, &same]).unwrap();
        assert!(typical.mean().is_finite() && typical.std_error().unwrap().is_finite());
        assert!(TypicalAmounts::of_segments(&[&[]]).is_err());
        let one = amounts(&[7.0]);
        let typical = TypicalAmounts::of_segments(&[&one]).unwrap();
        assert_eq!((typical.mean(), typical.std_error(), typical.log_normal()), (7.0, None, None));
        assert_eq!(typical.quantile(Level::HALF).get(), 7.0);
        let zero = amounts(&[0.0, 0.0]);
        assert_eq!(TypicalAmounts::of_segments(&[&zero]).unwrap().mean(), 0.0);
    }
}
