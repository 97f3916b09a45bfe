//! Stated chances of single events, such as the win chance of each deal.

use super::some_of;
use crate::num::{count, special, sum};
use crate::{Probability, Result};

/// A chance that was stated, and whether the event happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// What was said.
    pub chance: Probability,
    /// What came.
    pub happened: bool,
}

impl Claim {
    /// 1 where it happened, else 0.
    pub(super) fn outcome(self) -> f64 {
        f64::from(u8::from(self.happened))
    }
}

/// The mean squared error of stated chances: 0 is perfect, always saying "half" scores 1/4.
///
/// # Formula
/// `mean (p - y)^2`, y = 1 where the event happened.
///
/// # Errors
/// [`Missing`](crate::ErrorKind::Missing) without claims.
///
/// # Example
/// ```
/// use dealcast::{Probability, score::{Claim, brier}};
/// let said = |p, happened| Ok(Claim { chance: Probability::new(p)?, happened });
/// assert_eq!(brier(&[said(0.75, true)?, said(0.5, false)?])?, (0.0625 + 0.25) / 2.0);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Brier (1950), Verification of forecasts expressed in terms of probability.
pub fn brier(claims: &[Claim]) -> Result<f64> {
    let errors = some_of("claims", claims)?.iter().map(|c| c.chance.get() - c.outcome());
    Ok(sum::sum(errors.map(|e| e * e)) / count(claims.len()))
}

/// The mean negative logarithm of the chance given to what happened, in nats; `None` where something happened that
/// was called impossible: that is infinitely bad, and no cap is put on it.
///
/// # Formula
/// `-mean (y ln p + (1 - y) ln (1 - p))`.
///
/// # Errors
/// [`Missing`](crate::ErrorKind::Missing) without claims.
///
/// # Example
/// ```
/// use dealcast::{Probability, score::{Claim, log_loss}};
/// let said = |chance, happened| Claim { chance, happened };
/// assert_eq!(log_loss(&[said(Probability::ONE, true), said(Probability::ZERO, false)])?, Some(0.0));
/// assert_eq!(log_loss(&[said(Probability::ZERO, true)])?, None);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Good (1952), Rational decisions, section 4.
pub fn log_loss(claims: &[Claim]) -> Result<Option<f64>> {
    let surprise = |c: &Claim| {
        let p = c.chance.get();
        if c.happened { -special::ln(p) } else { -special::ln_1p(-p) }
    };
    let mean = sum::sum(some_of("claims", claims)?.iter().map(surprise)) / count(claims.len());
    // -ln 1 is -0.0.
    Ok(mean.is_finite().then_some(mean + 0.0))
}
