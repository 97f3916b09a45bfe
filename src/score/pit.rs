//! The probability integral transform: where the truth fell within its forecast.
//!
//! # Meaning
//! If the forecasts are honest, the truth is equally likely to fall into the lowest tenth of its forecast, the second
//! tenth, and so on. Truths that pile up at both ends say the forecasts are too sure; in the middle, not sure enough;
//! on one side, biased.
//!
//! # Formula
//! Counts and totals with atoms jump, so the transform is the whole jump, from `F(y-)` to `F(y)`. Its middle is a
//! single number; for a histogram the jump is spread evenly over its range.
//!
//! # Reference
//! Czado, Gneiting & Held (2009), Predictive model assessment for count data, Biometrics 65, eq. 2.

use super::some_of;
use crate::num::{count, sum};
use crate::{Error, Probability, Result};
use serde::Serialize;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

/// Where a truth fell: P(X < y) to P(X <= y).
///
/// # Example: did we win more than we thought?
/// ```
/// use dealcast::score::{Family, Predictive};
/// let wins = Predictive::new(Family::Binomial { n: 4, p: 0.5 })?.pit(3.0)?;
/// assert_eq!((wins.lower().get(), wins.upper().get(), wins.mid().get()), (0.6875, 0.9375, 0.8125));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pit {
    lower: Probability,
    upper: Probability,
}

impl Pit {
    /// From P(X < y) to P(X <= y).
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless both are probabilities in this order.
    pub fn new(jump: RangeInclusive<f64>) -> Result<Self> {
        let (lower, upper) = (Probability::new(*jump.start())?, Probability::new(*jump.end())?);
        if lower > upper {
            return Err(Error::out_of_range("pit", "F(y-) <= F(y)", lower.get()));
        }
        Ok(Self { lower, upper })
    }

    /// P(X < y).
    pub const fn lower(self) -> Probability {
        self.lower
    }

    /// P(X <= y).
    pub const fn upper(self) -> Probability {
        self.upper
    }

    /// The middle of the jump. Its mean over honest forecasts is one half; for a forecast without jumps it is uniform.
    pub fn mid(self) -> Probability {
        self.at(Probability::rounded(0.5))
    }

    /// The point of the jump at a share drawn by the caller: the randomised transform, exactly uniform for honest
    /// forecasts if the share is.
    pub fn at(self, share: Probability) -> Probability {
        let (lower, upper) = (self.lower.get(), self.upper.get());
        Probability::rounded(lower + share.get() * (upper - lower))
    }

    /// Share of the jump at or below u.
    fn share_below(self, u: f64) -> f64 {
        let (lower, upper) = (self.lower.get(), self.upper.get());
        if u >= upper {
            1.0
        } else if u <= lower {
            0.0
        } else {
            (u - lower) / (upper - lower)
        }
    }
}

/// Shares of truths in equal slices of their forecasts.
///
/// # Example: too sure of ourselves?
/// ```
/// use dealcast::score::{Pit, PitHistogram};
/// let truths = [0.01, 0.02, 0.5, 0.97, 0.99].map(|u| Pit::new(u..=u).unwrap());
/// let slices = PitHistogram::new(&truths, 5.try_into().unwrap())?;
/// assert_eq!(slices.shares(), [0.4, 0.0, 0.2, 0.0, 0.4]);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PitHistogram {
    n: usize,
    shares: Vec<f64>,
}

impl PitHistogram {
    /// Most slices of a histogram.
    pub const MOST: usize = 1000;

    /// # Errors
    /// [`Missing`](crate::ErrorKind::Missing) without truths; [`OutOfRange`](crate::ErrorKind::OutOfRange) for more
    /// than [`MOST`](Self::MOST) slices.
    pub fn new(truths: &[Pit], slices: NonZeroUsize) -> Result<Self> {
        some_of("truths", truths)?;
        if slices.get() > Self::MOST {
            return Err(Error::out_of_range("slices", "at most 1000", count(slices.get())));
        }
        let n = count(truths.len());
        let end = |i: usize| count(i) / count(slices.get());
        let within = |pit: &Pit, i: usize| {
            // A truth at 0 belongs to the first slice; every other slice is open below.
            let below = if i == 0 { 0.0 } else { pit.share_below(end(i)) };
            pit.share_below(end(i + 1)) - below
        };
        let share = |i: usize| sum::sum(truths.iter().map(|pit| within(pit, i))) / n;
        Ok(Self { n: truths.len(), shares: (0..slices.get()).map(share).collect() })
    }

    /// How many truths there were.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// The share of truths in each slice, from the lowest; they sum to 1.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_spread_over_its_slices() {
        let jump = [Pit::new(0.25..=0.75).unwrap()];
        let shares = |k: usize| PitHistogram::new(&jump, k.try_into().unwrap()).unwrap().shares().to_vec();
        assert_eq!(shares(4), [0.0, 0.5, 0.5, 0.0]);
        assert_eq!(shares(1), [1.0]);
        assert_eq!(shares(2), [0.5, 0.5]);
    }

    #[test]
    fn the_ends_are_counted_once() {
        let ends = [0.0, 1.0].map(|u| Pit::new(u..=u).unwrap());
        assert_eq!(PitHistogram::new(&ends, 4.try_into().unwrap()).unwrap().shares(), [0.5, 0.0, 0.0, 0.5]);
    }

    #[test]
    fn refuses_what_is_no_jump() {
        assert!(Pit::new(0.7..=0.2).is_err());
        assert!(Pit::new(-0.1..=0.2).is_err());
        assert!(Pit::new(f64::NAN..=0.2).is_err());
        assert!(PitHistogram::new(&[], 4.try_into().unwrap()).is_err());
        assert!(PitHistogram::new(&[Pit::new(0.0..=1.0).unwrap()], usize::MAX.try_into().unwrap()).is_err());
    }
}
