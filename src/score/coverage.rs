//! Did the 80 % intervals hold 80 % of the truths, as far as so many cases can tell?

use super::family::binomial;
use crate::num::count;
use crate::{Level, Result};
use serde::Serialize;
use std::fmt;

/// How many truths fell inside their intervals.
///
/// # Example: is 7 of 12 too few for 80 % intervals?
/// ```
/// use dealcast::{Level, score::Coverage};
/// let level = Level::new(0.8)?;
/// let held: Coverage = (0..12).map(|i| i < 7).collect();
/// assert_eq!(held.to_string(), "7 of 12 (58.3 %)");
/// // 95 times in 100 an honest forecaster holds 7 to 12 of 12: nothing can be said against this one.
/// let band = held.band(level, Level::new(0.05)?)?;
/// assert_eq!((band.fewest(), band.most(), band.accepts(held)), (7, 12, true));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    n: usize,
    n_inside: usize,
}

impl Coverage {
    /// How many cases there were.
    pub const fn n(self) -> usize {
        self.n
    }

    /// How many truths fell inside.
    pub const fn n_inside(self) -> usize {
        self.n_inside
    }

    /// The share inside; `None` without cases.
    pub fn share(self) -> Option<f64> {
        (self.n > 0).then(|| count(self.n_inside) / count(self.n))
    }

    /// The counts that an honest forecaster of this level stays within, except with the chance `false_alarm`, half of
    /// it on either side. Exact for independent cases; overlapping windows are not independent and stray further.
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge) beyond some 1e9 cases.
    pub fn band(self, level: Level, false_alarm: Level) -> Result<CoverageBand> {
        let half = 0.5 * false_alarm.get();
        let inside = binomial(u64::try_from(self.n).unwrap_or(u64::MAX), level.get())?;
        Ok(CoverageBand {
            n: self.n,
            fewest: whole(inside.quantile(half)),
            most: whole(inside.upper_quantile(half)),
        })
    }
}

/// Collects whether each truth fell inside its interval.
impl FromIterator<bool> for Coverage {
    fn from_iter<I: IntoIterator<Item = bool>>(cases: I) -> Self {
        cases.into_iter().fold(Self::default(), |Self { n, n_inside }, inside| Self {
            n: n + 1,
            n_inside: n_inside + usize::from(inside),
        })
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.n_inside, self.n)?;
        match self.share() {
            Some(share) => write!(f, " ({})", crate::Probability::rounded(share)),
            None => Ok(()),
        }
    }
}

/// The counts that are no evidence against a forecaster, see [`Coverage::band`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CoverageBand {
    n: usize,
    fewest: usize,
    most: usize,
}

impl CoverageBand {
    /// The smallest count inside the band.
    pub const fn fewest(self) -> usize {
        self.fewest
    }

    /// The largest count inside the band.
    pub const fn most(self) -> usize {
        self.most
    }

    /// Whether a count of as many cases lies inside.
    pub const fn accepts(self, coverage: Coverage) -> bool {
        coverage.n == self.n && self.fewest <= coverage.n_inside && coverage.n_inside <= self.most
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of cases, from 0 to a usize"
)]
const fn whole(x: f64) -> usize {
    x as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the exact binomial (scipy 1.17.1 `binom.ppf`, `binom.isf`): 2,000 intervals, a false alarm in a million.
    #[test]
    fn bands_of_two_thousand_intervals() {
        let million = Level::new(1e-6).unwrap();
        let all = Coverage { n: 2000, n_inside: 0 };
        for (level, fewest, most) in [(0.8, 1510, 1685), (0.95, 1849, 1944)] {
            let band = all.band(Level::new(level).unwrap(), million).unwrap();
            assert_eq!((band.fewest(), band.most()), (fewest, most));
        }
    }

    #[test]
    fn no_cases_no_share() {
        let none = Coverage::default();
        assert_eq!((none.share(), none.to_string()), (None, "0 of 0".to_owned()));
        assert!(none.band(Level::HALF, Level::HALF).unwrap().accepts(none));
    }
}
