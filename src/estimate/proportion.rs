//! A win rate from closed deals alone, and how far chance may have moved it.

use crate::num::special;
use crate::num::special::beta::{Beta, Share};
use crate::{Level, Probability};
use std::fmt;

/// A range of a share or chance, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    lower: Probability,
    upper: Probability,
}

impl Interval {
    /// Computed ends, cut to 0..1.
    pub(super) fn rounded(lower: f64, upper: f64) -> Self {
        Self { lower: Probability::rounded(lower), upper: Probability::rounded(upper) }
    }

    /// The lower end.
    pub fn lower(self) -> Probability {
        self.lower
    }

    /// The upper end.
    pub fn upper(self) -> Probability {
        self.upper
    }

    /// Whether a chance lies in it.
    pub fn contains(self, chance: Probability) -> bool {
        self.lower <= chance && chance <= self.upper
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.lower, self.upper)
    }
}

/// How an interval for a share is found; all are two-sided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareInterval {
    /// Never covers less than its level, usually more: the widest. Quantiles of Beta(w, l + 1) and Beta(w + 1, l).
    ///
    /// Clopper & Pearson (1934).
    ClopperPearson,
    /// Covers its level on average over shares, by the score test, without continuity correction.
    ///
    /// Wilson (1927).
    #[default]
    Wilson,
    /// Quantiles of the posterior Beta(w + 1/2, l + 1/2) under Jeffreys' prior; the lower end is 0 with no wins, the
    /// upper 1 with no losses.
    ///
    /// Brown, Cai & Das Gupta (2001), section 4.1.
    Jeffreys,
}

/// Closed deals: won and lost.
///
/// Won / (won + lost) leaves the open deals out, and slow deals are open longer: while deals are still open it is not
/// the chance that a deal is ever won. [`WinRate`](super::WinRate) is.
///
/// # Example: 17 of 60 proposals won, what could the rate be?
/// ```
/// use dealcast::estimate::{Closed, ShareInterval};
/// use dealcast::Level;
/// let closed = Closed { won: 17, lost: 43 };
/// let range = closed.interval(ShareInterval::Wilson, Level::new(0.95)?);
/// assert_eq!(range.to_string(), "18.5 % to 40.8 %");
/// assert_eq!(closed.share().unwrap().to_string(), "28.3 %");
/// // Nothing known: any rate is possible.
/// let none = Closed { won: 0, lost: 0 };
/// assert_eq!(none.interval(ShareInterval::Jeffreys, Level::new(0.95)?).to_string(), "0 % to 100 %");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// Deals that ended won.
    pub won: u64,
    /// Deals that ended lost.
    pub lost: u64,
}

impl Closed {
    /// won / (won + lost); `None` without closed deals.
    pub fn share(self) -> Option<Probability> {
        let Counts { won, lost } = self.counts();
        (won + lost > 0.0).then(|| Probability::rounded(won / (won + lost)))
    }

    /// The interval of the share; 0 to 1 without closed deals.
    pub fn interval(self, method: ShareInterval, level: Level) -> Interval {
        self.counts().interval(method, level)
    }

    /// The median of the posterior under Jeffreys' prior.
    pub fn posterior_median(self) -> Probability {
        let Counts { won, lost } = self.counts();
        Probability::rounded(Beta { a: won + 0.5, b: lost + 0.5 }.quantile(Share::new(0.5)).of)
    }

    #[allow(clippy::cast_precision_loss, reason = "beyond 2^53 deals the rounding is far below the interval")]
    const fn counts(self) -> Counts {
        Counts { won: self.won as f64, lost: self.lost as f64 }
    }
}

/// Wins and losses that need not be whole: what a sample with weights or open deals is worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) won: f64,
    pub(super) lost: f64,
}

impl Counts {
    pub(super) fn interval(self, method: ShareInterval, level: Level) -> Interval {
        let Self { won, lost } = self;
        let n = won + lost;
        if n <= 0.0 {
            return Interval::rounded(0.0, 1.0);
        }
        let (low, high) = level.tails();
        // Each end on its own, so that neither is one less a number close to one.
        let beta = |a: f64, b: f64, level: Level| Beta { a, b }.quantile(Share::new(level.get())).of;
        let (lower, upper) = match method {
            ShareInterval::ClopperPearson => (beta(won, lost + 1.0, low), beta(won + 1.0, lost, high)),
            ShareInterval::Jeffreys => (beta(won + 0.5, lost + 0.5, low), beta(won + 0.5, lost + 0.5, high)),
            ShareInterval::Wilson => {
                let z = -special::normal_quantile(low.get());
                let square = z * z;
                let reach = z * (won / n * lost + 0.25 * square).sqrt();
                let upper = (won + 0.5 * square + reach) / (n + square);
                // (won + square / 2 - reach) / (n + square), where the difference would cancel.
                (won / n * won / (won + 0.5 * square + reach), upper)
            }
        };
        Interval::rounded(if won <= 0.0 { 0.0 } else { lower }, if lost <= 0.0 { 1.0 } else { upper })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(x: f64) -> Level {
        Level::new(x).unwrap()
    }

    /// Chance of w wins among n at each w, exactly in logs of the ratio of neighbours.
    fn binomial(n: u32, p: f64) -> Vec<f64> {
        let mut log = f64::from(n) * special::ln_1p(-p);
        let odds = special::ln(p / (1.0 - p));
        let mut pmf = vec![special::exp(log)];
        for w in 0..n {
            log += special::ln(f64::from(n - w) / f64::from(w + 1)) + odds;
            pmf.push(special::exp(log));
        }
        pmf
    }

    /// Coverage of the truth, exactly from the binomial pmf over a grid of rates: (least, mean).
    fn exact(method: ShareInterval, n: u32) -> (f64, f64) {
        let closed = |won: u32| Closed { won: u64::from(won), lost: u64::from(n - won) };
        let ranges: Vec<Interval> = (0..=n).map(|won| closed(won).interval(method, level(0.95))).collect();
        let coverage = |p: f64| -> f64 {
            let covers = |range: &Interval| range.contains(Probability::new(p).unwrap());
            binomial(n, p).iter().zip(&ranges).filter(|(_, range)| covers(range)).map(|(mass, _)| mass).sum()
        };
        let grid = (1..1000).map(|i| coverage(f64::from(i) / 1000.0));
        grid.fold((1.0_f64, 0.0), |(least, mean), c| (least.min(c), mean + c / 999.0))
    }

    #[test]
    fn coverage_is_what_each_method_promises() {
        for n in [5, 20, 100] {
            let (least, mean) = exact(ShareInterval::ClopperPearson, n);
            assert!(
                least >= 0.95 - 1e-12 && mean < 0.995,
                "Clopper-Pearson never covers less: {n} {least} {mean}"
            );
            let (least, mean) = exact(ShareInterval::Wilson, n);
            assert!(
                (0.95..0.965).contains(&mean) && least > 0.82,
                "Wilson covers its level on average: {n} {least} {mean}"
            );
            let (least, mean) = exact(ShareInterval::Jeffreys, n);
            assert!((0.945..0.965).contains(&mean) && least > 0.82, "so does Jeffreys: {n} {least} {mean}");
        }
    }

    #[test]
    fn mirrored_counts_give_mirrored_intervals() {
        for method in [ShareInterval::ClopperPearson, ShareInterval::Wilson, ShareInterval::Jeffreys] {
            for (won, lost) in
                [(0, 0), (0, 1), (1, 0), (3, 9), (0, u64::MAX), (u64::MAX, u64::MAX), (1, 1 << 60)]
            {
                let one = Closed { won, lost }.interval(method, level(0.9));
                let other = Closed { won: lost, lost: won }.interval(method, level(0.9));
                assert!((one.lower().get() - other.upper().complement().get()).abs() < 1e-15);
                let share = Closed { won, lost }.share();
                assert!(share.is_none_or(|p| one.contains(p)), "{method:?} {won} {lost}");
            }
        }
    }
}
