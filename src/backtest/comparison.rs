//! Is one forecaster really closer than another, or was it luck?
//!
//! # Formula
//! Over the same windows, with losses `a` and `b` (CRPS): the loss ratio `sum a / sum b`. Its interval is a percentile
//! bootstrap: 2,000 times, windows are drawn again with replacement, both losses of a window together, in runs as long
//! as windows overlap (circular blocks), and the ratio is taken. The p-value is that of Diebold and Mariano with the
//! correction of Harvey, Leybourne and Newbold, two-sided; where the rectangular kernel has no positive variance,
//! Bartlett's is used. Under ten windows there is none: so few cannot tell.
//!
//! # Reference
//! Politis & Romano (1992), A circular block-resampling procedure; Diebold & Mariano (1995); Harvey, Leybourne &
//! Newbold (1997).

use super::report::{AccuracyReport, OriginScore};
use crate::num::rng::Stream;
use crate::num::{Seed, sum::sum};
use crate::score::{DieboldMariano, Kernel, PairedErrors, Power};
use crate::{Error, ErrorKind, Probability, Result};
use serde::Serialize;
use std::fmt;
use std::num::NonZeroUsize;

const REPLICATES: u64 = 2000;
/// Places of the 2.5 % and 97.5 % quantiles among the sorted replicates.
const ENDS: (usize, usize) = (49, 1950);
/// Fewest cases for a p-value.
const FEWEST: usize = 10;
const SEED: Seed = Seed::new(0x000d_ea1c_a572);

/// Two forecasters on the same windows: how their losses compare, and how sure that is.
///
/// # Example: is the model closer than last quarter's number?
/// ```
/// use dealcast::backtest::{Backtest, Baseline, RollingOrigin};
/// use dealcast::{ForecastModel, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2022, 1, 7)?, date(2023, 9, 1)?), 28, 28)?;
/// let backtest = Backtest::new(&log, plan);
/// let model = backtest.run(&ForecastModel::default())?;
/// let naive = backtest.run(&Baseline::last_period())?;
/// let comparison = model.against(&naive)?;
/// assert!(comparison.ratio().unwrap() < 0.8 && comparison.is_closer());
/// assert!(comparison.to_string().starts_with("dealcast is closer than last period: its loss is "));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    first: String,
    second: String,
    n: usize,
    n_closer: usize,
    ratio: Option<f64>,
    interval: Option<(f64, f64)>,
    p_value: Option<Probability>,
}

impl AccuracyReport {
    /// This forecaster against another one, by CRPS in money.
    ///
    /// # Errors
    /// [`LengthMismatch`](ErrorKind::LengthMismatch) unless both were asked the same windows of the same log,
    /// [`Missing`](ErrorKind::Missing) without a window.
    pub fn against(&self, other: &Self) -> Result<Comparison> {
        self.compared(other, |origin| Some((origin.money.actual, origin.money.crps)))
    }

    /// This forecaster against another one, by CRPS in numbers of deals.
    ///
    /// # Errors
    /// As [`against`](Self::against); also where one of them does not answer for numbers of deals.
    pub fn against_in_deals(&self, other: &Self) -> Result<Comparison> {
        self.compared(other, |origin| origin.deals.as_ref().map(|deals| (deals.actual, deals.crps)))
    }

    fn compared(&self, other: &Self, loss: fn(&OriginScore) -> Option<(f64, f64)>) -> Result<Comparison> {
        let different =
            || Error::new(ErrorKind::LengthMismatch, "two reports on the same windows of one log");
        if self.origins().len() != other.origins().len() {
            return Err(different());
        }
        let pair = |(a, b): (&OriginScore, &OriginScore)| {
            let ((came, a_loss), (too, b_loss)) = loss(a).zip(loss(b)).ok_or_else(different)?;
            let same = (a.origin, a.horizon_days) == (b.origin, b.horizon_days);
            // A report that was stored may have lost the last bits.
            if same && (came - too).abs() <= 1e-9 * came.abs() {
                Ok(PairedErrors { a: a_loss, b: b_loss })
            } else {
                Err(different())
            }
        };
        let losses = self.origins().iter().zip(other.origins()).map(pair).collect::<Result<Vec<_>>>()?;
        Comparison::of((self.forecaster(), other.forecaster()), &losses, self.overlap())
    }

    /// How many windows in a row share days: as many steps as the longest window has, each with all its lengths.
    pub(super) fn overlap(&self) -> NonZeroUsize {
        let longest = self.by_horizon().last().map_or(1, |horizon| horizon.horizon_days);
        let steps = longest.div_ceil(self.step_days().max(1));
        let windows = usize::try_from(steps).unwrap_or(usize::MAX).saturating_mul(self.by_horizon().len());
        NonZeroUsize::new(windows).unwrap_or(NonZeroUsize::MIN)
    }
}

impl Comparison {
    /// From losses >= 0 of two named forecasters on the same cases, in order of time, `overlap` of which in a row
    /// share days (1: none do). Cases may also be whole companies, each with the sum of its losses.
    ///
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without a case, [`OutOfRange`](ErrorKind::OutOfRange) for a loss that is
    /// negative or not finite, [`Overflow`](ErrorKind::Overflow) where they do not sum to a finite number.
    ///
    /// # Example
    /// ```
    /// use dealcast::{backtest::Comparison, score::PairedErrors};
    /// use std::num::NonZeroUsize;
    /// let losses = [(2.0, 4.0), (1.0, 3.0), (3.0, 3.0)].map(|(a, b)| PairedErrors { a, b });
    /// let comparison = Comparison::of(("ours", "theirs"), &losses, NonZeroUsize::MIN)?;
    /// assert_eq!((comparison.ratio(), comparison.n_closer(), comparison.p_value()), (Some(0.6), 2, None));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn of((first, second): (&str, &str), losses: &[PairedErrors], overlap: NonZeroUsize) -> Result<Self> {
        if losses.is_empty() {
            return Err(Error::new(ErrorKind::Missing, "at least one window").field("losses"));
        }
        for &loss in losses.iter().flat_map(|pair| [&pair.a, &pair.b]) {
            if !(loss >= 0.0 && loss.is_finite()) {
                return Err(Error::out_of_range("loss", "a finite number >= 0", loss));
            }
        }
        let totals = (sum(losses.iter().map(|pair| pair.a)), sum(losses.iter().map(|pair| pair.b)));
        if !(totals.0 + totals.1).is_finite() {
            return Err(Error::new(ErrorKind::Overflow, "losses with a finite sum").field("losses"));
        }
        Ok(Self {
            first: first.to_owned(),
            second: second.to_owned(),
            n: losses.len(),
            n_closer: losses.iter().filter(|pair| pair.a < pair.b).count(),
            ratio: ratio(totals),
            interval: interval(losses, overlap.get()),
            p_value: p_value(losses, overlap),
        })
    }

    /// Who was compared with whom.
    pub fn names(&self) -> (&str, &str) {
        (&self.first, &self.second)
    }

    /// How many cases were compared.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// In how many of them the first was closer.
    pub const fn n_closer(&self) -> usize {
        self.n_closer
    }

    /// The loss of the first as a multiple of that of the second: below 1 it is closer. `None` where the second loses
    /// nothing.
    pub const fn ratio(&self) -> Option<f64> {
        self.ratio
    }

    /// The 95 % interval of the ratio; `None` where it has no end, and for a single case.
    pub const fn interval(&self) -> Option<(f64, f64)> {
        self.interval
    }

    /// The chance of a difference at least as large if both were equally good; `None` under ten cases, and where the
    /// differences do not vary.
    pub const fn p_value(&self) -> Option<Probability> {
        self.p_value
    }

    /// Whether the first is closer beyond luck: the whole interval is below 1, and p below .05.
    pub fn is_closer(&self) -> bool {
        self.is_sure() && self.interval.is_some_and(|(_, upper)| upper < 1.0)
    }

    /// Whether the first is further off beyond luck: the whole interval is above 1, and p below .05.
    pub fn is_further(&self) -> bool {
        self.is_sure() && self.interval.is_some_and(|(lower, _)| lower > 1.0)
    }

    /// What stands between the names in a sentence.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.ratio {
            _ if self.is_closer() => "is closer than",
            _ if self.is_further() => "is further off than",
            Some(ratio) if ratio < 1.0 => "looks closer than",
            Some(_) => "looks no closer than",
            None => "cannot be measured against",
        }
    }

    fn is_sure(&self) -> bool {
        self.p_value.is_some_and(|p| p.get() < 0.05)
    }
}

fn ratio((a, b): (f64, f64)) -> Option<f64> {
    let ratio = a / b;
    (b > 0.0 && ratio.is_finite()).then_some(ratio)
}

/// The bootstrap.
fn interval(losses: &[PairedErrors], overlap: usize) -> Option<(f64, f64)> {
    let n = losses.len();
    if n < 2 {
        return None;
    }
    let block = overlap.clamp(1, n);
    let mut ratios = Vec::new();
    for replicate in 0..REPLICATES {
        let mut stream = Stream::new(SEED, replicate, 0);
        let (mut a, mut b, mut drawn) = (0.0, 0.0, 0);
        while drawn < n {
            let start = below(n, stream.word());
            let run = losses.iter().cycle().skip(start).take(block.min(n - drawn));
            for pair in run {
                (a, b) = (a + pair.a, b + pair.b);
            }
            drawn += block;
        }
        // Where the second loses nothing the ratio is above all others.
        ratios.push(ratio((a, b)).unwrap_or(f64::INFINITY));
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let end = |place: usize| ratios.get(place).copied().filter(|ratio| ratio.is_finite());
    end(ENDS.0).zip(end(ENDS.1))
}

/// A random word as an index below n.
fn below(n: usize, word: u64) -> usize {
    usize::try_from((u128::from(word) * n as u128) >> 64).unwrap_or(0)
}

fn p_value(losses: &[PairedErrors], overlap: NonZeroUsize) -> Option<Probability> {
    if losses.len() < FEWEST {
        return None;
    }
    let test = DieboldMariano::default().horizon(overlap).power(Power::Absolute);
    let verdict = test.test(losses).or_else(|_| test.kernel(Kernel::Bartlett).test(losses));
    verdict.ok().map(crate::score::Verdict::p_value)
}

/// A sentence for a sales leader.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second, n, n_closer, .. } = self;
        if self.ratio.is_none() {
            return write!(f, "{second} was never off, so {first} cannot be measured against it");
        }
        write!(f, "{first} {} {second}: its loss is ", self.verdict())?;
        if let Some(ratio) = self.ratio {
            write!(f, "{ratio:.2} times as large")?;
        }
        if let Some((lower, upper)) = self.interval {
            write!(f, " (95 % range {lower:.2} to {upper:.2})")?;
        }
        write!(f, "\n  closer in {n_closer} of {n} windows")?;
        match self.p_value {
            Some(p) if p.get() < 0.001 => write!(f, ", p < .001"),
            Some(p) => write!(f, ", p = {:.3}", p.get()),
            None if *n < FEWEST => write!(f, "; {n} are too few for a p-value"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::count;

    fn losses(n: usize, of: impl Fn(usize) -> (f64, f64)) -> Vec<PairedErrors> {
        (0..n).map(of).map(|(a, b)| PairedErrors { a, b }).collect()
    }

    /// Independent exponential losses of means 1 and 1: the 95 % interval holds the true ratio 1 about 19 times in 20.
    #[test]
    fn the_interval_holds_the_truth_as_often_as_it_says() {
        let mut stream = Stream::new(Seed::new(7), 0, 0);
        let mut held = 0;
        let n_trials = 400;
        for _ in 0..n_trials {
            let drawn: Vec<_> =
                (0..60).map(|_| PairedErrors { a: stream.exponential(), b: stream.exponential() }).collect();
            let (lower, upper) = interval(&drawn, 1).unwrap();
            held += usize::from(lower <= 1.0 && 1.0 <= upper);
        }
        // The percentile bootstrap of 60 cases holds some 94 %; binomial(400, .94) leaves 352..=396 with chance 1e-5.
        assert!((352..=396).contains(&held), "{held} of {n_trials}");
    }

    #[test]
    fn overlap_makes_the_interval_wider() {
        // Four windows in a row share their luck. Blocks of four that begin anywhere straddle two such runs: their means
        // have 11/16 of the variance of a run's, which makes intervals sqrt(4 x 11/16) = 1.66 times as wide.
        let luck = |i: usize| u8::try_from((i / 4).wrapping_mul(2_654_435_761) >> 8 & 3).unwrap();
        let shared = losses(80, |i| (1.0 + f64::from(luck(i)), 2.0));
        let width = |overlap| interval(&shared, overlap).map(|(lower, upper)| upper - lower).unwrap();
        assert!(width(4) > 1.3 * width(1), "{} against {}", width(4), width(1));
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        let of = |pairs: &[PairedErrors]| Comparison::of(("a", "b"), pairs, NonZeroUsize::MIN);
        let nine = of(&losses(9, |i| (1.0, 2.0 + count(i)))).unwrap();
        assert!(nine.p_value().is_none() && nine.to_string().ends_with("9 are too few for a p-value"));
        let ten = of(&losses(10, |i| (1.0, 2.0 + count(i)))).unwrap();
        assert!(ten.p_value().is_some() && ten.is_closer());
        let perfect = of(&losses(12, |_| (1.0, 0.0))).unwrap();
        assert_eq!((perfect.ratio(), perfect.interval()), (None, None));
        assert_eq!(of(&[]).unwrap_err().kind(), ErrorKind::Missing);
        assert_eq!(of(&losses(3, |_| (-1.0, 1.0))).unwrap_err().kind(), ErrorKind::OutOfRange);
        assert_eq!(of(&losses(3, |_| (1e308, 1e308))).unwrap_err().kind(), ErrorKind::Overflow);
        let twins = of(&losses(12, |i| (count(i), count(i)))).unwrap();
        assert_eq!((twins.ratio(), twins.p_value(), twins.n_closer()), (Some(1.0), None, 0));
    }
}
