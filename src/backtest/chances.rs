//! Were the chances of single deals right? The deals of all windows together.

use crate::num::{count, digits::fifteen, sum::sum};
use crate::score::{Claim, Reliability, log_loss};
use crate::{Error, ErrorKind, Probability, Result};
use serde::{Deserialize, Serialize};

/// The chances given to open deals over all windows, against what became of them; a deal counts once a window.
///
/// # Formula
/// [`Reliability`]: Brier score = miscalibration - discrimination + uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ChanceAccuracy {
    /// How many chances were given.
    pub n: usize,
    /// How many of those deals were won inside their window.
    pub n_won: usize,
    /// Expected wins over wins; above 1 the chances are too high. `None` without a win.
    pub expected_over_won: Option<f64>,
    /// Mean squared error.
    pub brier: f64,
    /// Mean surprise, in nats; `None` where a deal called impossible was won.
    pub log_loss: Option<f64>,
    /// What relabelling the chances would gain.
    pub miscalibration: f64,
    /// What telling the deals apart gained.
    pub discrimination: f64,
    /// The score of giving every deal the overall share.
    pub uncertainty: f64,
    /// The reliability curve, from the smallest stated chance.
    pub curve: Vec<ChanceStep>,
}

/// Deals given similar chances, and the share of them that was won.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ChanceStep {
    /// Smallest chance stated.
    pub from: Probability,
    /// Largest chance stated.
    pub to: Probability,
    /// How many chances.
    pub n: usize,
    /// How many of the deals were won.
    pub n_won: usize,
}

impl ChanceAccuracy {
    pub(super) fn of(claims: &[Claim]) -> Result<Option<Self>> {
        if claims.is_empty() {
            return Ok(None);
        }
        let found = Reliability::new(claims)?;
        let n_won = claims.iter().filter(|claim| claim.happened).count();
        let expected = sum(claims.iter().map(|claim| claim.chance.get()));
        let curve = found.steps().iter().map(|step| ChanceStep {
            from: *step.stated().start(),
            to: *step.stated().end(),
            n: step.n(),
            n_won: step.n_happened(),
        });
        Ok(Some(Self {
            n: found.n(),
            n_won,
            expected_over_won: (n_won > 0).then(|| expected / count(n_won)),
            brier: found.brier(),
            log_loss: log_loss(claims)?,
            miscalibration: found.miscalibration(),
            discrimination: found.discrimination(),
            uncertainty: found.uncertainty(),
            curve: curve.collect(),
        }))
    }

    /// All figures to fifteen digits; their order stays.
    pub(super) fn round(&mut self) {
        let figures =
            [&mut self.brier, &mut self.miscalibration, &mut self.discrimination, &mut self.uncertainty];
        let others = [&mut self.expected_over_won, &mut self.log_loss].into_iter().flatten();
        figures.into_iter().chain(others).for_each(|figure| *figure = fifteen(*figure));
        let ends = self.curve.iter_mut().flat_map(|step| [&mut step.from, &mut step.to]);
        ends.for_each(|chance| *chance = Probability::rounded(fifteen(chance.get())));
    }

    /// What stored ones are too.
    pub(super) fn checked(&self) -> Result<()> {
        let figures = [self.brier, self.miscalibration, self.discrimination, self.uncertainty];
        let others = [self.expected_over_won, self.log_loss];
        let fine = figures.iter().chain(others.iter().flatten()).all(|x| x.is_finite() && *x >= 0.0);
        let counts = self.n_won <= self.n
            && self.curve.iter().all(|step| step.n_won <= step.n && step.from <= step.to);
        if fine && counts {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidModel, "scores >= 0 and no more wins than chances").field("chances"))
    }
}
