//! Two or more ways out of a stage at once: which comes first, and by when.

use super::time_in_stage::{RemainingTime, TimeInStage, over_pieces};
use crate::num::special::exp;
use crate::{Error, ErrorKind, Probability, Result};

/// Ways out of a stage that compete: each leaves at its own *cause-specific* hazard, given as the law of the time it
/// would take if it were alone. Won and lost, say.
///
/// # Formula
/// P(this way within h | age a) = integral over (a, a + h) of the hazard of this way times the product over all ways of
/// S(u) / S(a), by double-exponential quadrature; error below 1e-10.
///
/// # Example: will a 50 days old proposal be won this quarter?
/// ```
/// use dealcast::estimate::{Competing, TimeInStage, TimeLaw};
/// let won = TimeInStage::new(TimeLaw::Weibull { shape: 1.6, scale: 60.0 })?;
/// let lost = TimeInStage::new(TimeLaw::Weibull { shape: 0.8, scale: 90.0 })?;
/// let exits = Competing::new(&[won, lost])?.after(50.0).within(90.0);
/// assert!((exits.chances()[0].get() - 0.744).abs() < 0.001);
/// assert!((exits.still_open().get() - 0.020).abs() < 0.001);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Putter, Fiocco & Geskus (2007), Tutorial in biostatistics: competing risks, equation 3.
#[derive(Clone, Debug, PartialEq)]
pub struct Competing {
    ways: Vec<TimeInStage>,
    age: f64,
}

/// The chances of each way out within a horizon, and of being still there.
#[derive(Clone, Debug, PartialEq)]
pub struct Exits {
    chances: Vec<Probability>,
    still_open: Probability,
}

impl Competing {
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without any way out.
    pub fn new(ways: &[TimeInStage]) -> Result<Self> {
        if ways.is_empty() {
            return Err(Error::new(ErrorKind::Missing, "at least one way out of the stage").field("ways"));
        }
        Ok(Self { ways: ways.to_vec(), age: 0.0 })
    }

    /// The same for a deal that has been in the stage for `age`.
    #[must_use]
    pub fn after(self, age: f64) -> Self {
        Self { age: if age > 0.0 { age.min(f64::MAX) } else { 0.0 }, ..self }
    }

    /// What has happened `horizon` later; a horizon that is no number counts as 0.
    pub fn within(&self, horizon: f64) -> Exits {
        let horizon = if horizon > 0.0 { horizon.min(f64::MAX) } else { 0.0 };
        let rest: Vec<_> = self.ways.iter().map(|way| way.after(self.age)).collect();
        let cuts: Vec<f64> = rest.iter().flat_map(RemainingTime::cuts).collect();
        let ln_open = |h: f64| rest.iter().map(|rest| rest.log_survival(h)).sum::<f64>();
        let chance = |way: &TimeInStage| {
            let leaving = |h: f64| {
                let at = self.age + h;
                exp(way.log_density(at) - way.log_survival(at) + ln_open(h))
            };
            Probability::rounded(over_pieces(horizon, cuts.clone(), leaving))
        };
        Exits {
            chances: self.ways.iter().map(chance).collect(),
            still_open: Probability::rounded(exp(ln_open(horizon))),
        }
    }
}

impl Exits {
    /// The chance of each way out, in the order in which they were given.
    pub fn chances(&self) -> &[Probability] {
        &self.chances
    }

    /// The chance of being still in the stage.
    pub const fn still_open(&self) -> Probability {
        self.still_open
    }
}
