//! A forecast stated as equally likely samples.
//!
//! # Formula
//! `CRPS = mean |x - y| - mean |x - x'| / 2`. Over sorted samples the sum of `x_j - x_i` over all pairs i < j is
//! `sum (2 i - n + 1) x_i` with i from 0, so the cost is that of sorting.
//!
//! The *edf* score takes the samples as the whole distribution: it divides by n^2 pairs. The *fair* score asks how
//! the distribution they were drawn from would do: n (n - 1) pairs. With few samples the first is too large by
//! `E|X - X'| / (2 n)`; compare forecasts of different sample sizes by the second.
//!
//! # Reference
//! Gneiting & Raftery (2007), eq. 21; Ferro (2014), Fair scores for ensemble forecasts, eq. 2.

use super::{Pit, computed, given, some_of};
use crate::num::{count, sum::Sum};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// How the score of samples counts their pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleCrps {
    /// The samples *are* the forecast: n^2 pairs.
    Edf,
    /// The samples were *drawn* from the forecast: n (n - 1) pairs, at least two samples.
    Fair,
}

/// Equally likely outcomes, sorted.
///
/// # Example: were the scenarios any good?
/// ```
/// use dealcast::score::{SampleCrps, Samples};
/// let scenarios = Samples::new(vec![3.0, 1.0, 2.0])?;
/// assert_eq!(scenarios.crps(2.0, SampleCrps::Edf)?, 2.0 / 3.0 - 4.0 / 9.0);
/// assert!(scenarios.crps(2.0, SampleCrps::Fair)? < 1e-15);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without samples, [`OutOfRange`](ErrorKind::OutOfRange) if one is not finite.
    pub fn new(mut samples: Vec<f64>) -> Result<Self> {
        for x in some_of("samples", &samples)? {
            given("samples", *x)?;
        }
        samples.sort_unstable_by(f64::total_cmp);
        Ok(Self(samples))
    }

    /// The samples in increasing order.
    pub fn sorted(&self) -> &[f64] {
        &self.0
    }

    /// The continuous ranked probability score, in the unit of the samples. The fair score of a very good forecast
    /// may be below 0; on average it is not.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) if `observed` is not finite, [`Missing`](ErrorKind::Missing) for the fair
    /// score of one sample, [`Overflow`](ErrorKind::Overflow) if the samples span more than a double can hold.
    pub fn crps(&self, observed: f64, pairs: SampleCrps) -> Result<f64> {
        let y = given("observed", observed)?;
        let n = count(self.0.len());
        let n_pairs = match pairs {
            SampleCrps::Edf => n * n,
            SampleCrps::Fair if self.0.len() > 1 => n * (n - 1.0),
            SampleCrps::Fair => {
                return Err(Error::new(ErrorKind::Missing, "at least two samples for the fair score")
                    .field("samples"));
            }
        };
        let (mut error, mut spread) = (Sum::default(), Sum::default());
        for (i, x) in self.0.iter().enumerate() {
            // Measured from y, so that a common large offset costs no digits.
            error.add((x - y).abs() / n);
            spread.add((2.0 * count(i) - n + 1.0) * (x - y) / n_pairs);
        }
        computed("crps", error.get() - spread.get())
    }

    /// Where what happened lies among the samples: the shares below and at or below it.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) if `observed` is not finite.
    pub fn pit(&self, observed: f64) -> Result<Pit> {
        let y = given("observed", observed)?;
        let share = |n_below: usize| count(n_below) / count(self.0.len());
        let (below, up_to) = (self.0.partition_point(|x| *x < y), self.0.partition_point(|x| *x <= y));
        Pit::new(share(below)..=share(up_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_sample_scores_its_error() {
        let one = Samples::new(vec![4.0]).unwrap();
        assert_eq!(one.crps(6.5, SampleCrps::Edf).unwrap(), 2.5);
        assert_eq!(one.crps(6.5, SampleCrps::Fair).unwrap_err().kind(), ErrorKind::Missing);
    }

    #[test]
    fn refuses_what_it_cannot_score() {
        assert_eq!(Samples::new(vec![]).unwrap_err().kind(), ErrorKind::Missing);
        assert_eq!(Samples::new(vec![1.0, f64::NAN]).unwrap_err().kind(), ErrorKind::OutOfRange);
        let wide = Samples::new(vec![-f64::MAX, f64::MAX]).unwrap();
        assert_eq!(wide.crps(-f64::MAX, SampleCrps::Edf).unwrap_err().kind(), ErrorKind::Overflow);
        assert!(wide.crps(f64::NAN, SampleCrps::Edf).is_err());
    }

    /// 2^50: a double still holds quarters there.
    const OFFSET: f64 = 1_125_899_906_842_624.0;

    #[test]
    fn a_common_offset_costs_no_digits() {
        let far = Samples::new([1.0, 2.0, 4.0].map(|x| x + OFFSET).to_vec()).unwrap();
        let near = Samples::new(vec![1.0, 2.0, 4.0]).unwrap();
        for pairs in [SampleCrps::Edf, SampleCrps::Fair] {
            assert_eq!(far.crps(3.0 + OFFSET, pairs).unwrap(), near.crps(3.0, pairs).unwrap());
        }
    }
}
