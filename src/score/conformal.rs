//! How wide must an interval be, judged by past errors alone?

use super::{given, some_of};
use crate::num::count;
use crate::{Level, Result};
use serde::Serialize;

/// The split-conformal quantile of past residuals: the next residual is at most this large with at least the asked
/// chance, whatever its distribution, as long as its order among the past ones is arbitrary.
///
/// # Formula
/// Rank `k = ceil((n + 1) level)`, coverage `k / (n + 1)` exactly, quantile = k-th smallest residual. With too few
/// residuals (k > n) no finite number will do, and none is given.
///
/// # Example: are nine past quarters enough for 90 %?
/// ```
/// use dealcast::{Level, score::Conformal};
/// let misses = [0.3, 0.1, 0.2, 0.5, 0.4, 0.9, 0.7, 0.8, 0.6];
/// let nine = Conformal::new(&misses, Level::new(0.9)?)?;
/// assert_eq!((nine.rank(), nine.coverage(), nine.quantile()), (9, 0.9, Some(0.9)));
/// let eight = Conformal::new(&misses[1..], Level::new(0.9)?)?;
/// assert_eq!((eight.rank(), eight.quantile()), (9, None));
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Papadopoulos et al. (2002), Inductive confidence machines for regression; Lei et al. (2018), Distribution-free
/// predictive inference for regression, theorem 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Conformal {
    n: usize,
    rank: usize,
    quantile: Option<f64>,
}

/// (n + 1) level is meant as a decimal: 20 x .95 is 19, though in binary it may lie an ulp above.
const DECIMAL: f64 = 1e-9;

impl Conformal {
    /// # Errors
    /// [`Missing`](crate::ErrorKind::Missing) without residuals; [`OutOfRange`](crate::ErrorKind::OutOfRange) if one is
    /// not finite.
    pub fn new(residuals: &[f64], level: Level) -> Result<Self> {
        let mut sorted = Vec::with_capacity(some_of("residuals", residuals)?.len());
        for residual in residuals {
            sorted.push(given("residuals", *residual)?);
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len();
        let rank = whole((count(n + 1) * level.get() - DECIMAL).ceil()).clamp(1, n + 1);
        Ok(Self { n, rank, quantile: sorted.get(rank - 1).copied() })
    }

    /// How many residuals there were.
    pub const fn n(self) -> usize {
        self.n
    }

    /// Which of the sorted residuals is taken, from 1; `n + 1` where none is large enough.
    pub const fn rank(self) -> usize {
        self.rank
    }

    /// The chance that the next residual is at most the quantile, exactly.
    pub fn coverage(self) -> f64 {
        count(self.rank) / count(self.n + 1)
    }

    /// The rank-th smallest residual; `None` stands for infinity.
    pub const fn quantile(self) -> Option<f64> {
        self.quantile
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank from 0 to n + 1")]
const fn whole(x: f64) -> usize {
    x as usize
}
