//! The stored form of a report: what was measured, from which all figures follow.

use super::chances::ChanceAccuracy;
use super::report::{AccuracyReport, OriginScore};
use super::scored::Scored;
use crate::num::digits::fifteen;
use crate::{Error, ErrorKind, Probability, Result};
use serde::{Deserialize, Serialize};

/// The schema version of [`Stored`].
pub(super) const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub version: u32,
    pub forecaster: String,
    pub step_days: u32,
    pub origins: Vec<OriginScore>,
    pub n_incomplete: usize,
    pub chances: Option<ChanceAccuracy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<(String, AccuracyReport)>,
}

impl TryFrom<Stored> for AccuracyReport {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        if stored.version != VERSION {
            let error =
                Error::new(ErrorKind::UnknownVersion, "version 1 of a stored report").field("version");
            return Err(error.found(stored.version));
        }
        let refused = |expected: &'static str| Err(Error::new(ErrorKind::InvalidModel, expected));
        for o in &stored.origins {
            o.money.clone().checked()?;
            o.deals.clone().map(Scored::checked).transpose()?;
            let amounts = o.targets.iter().map(|target| target.0).chain(o.noise_floor);
            if o.horizon_days == 0 || amounts.into_iter().any(|x| !(x >= 0.0 && x.is_finite())) {
                return refused("a window of at least a day, amounts that are finite and >= 0");
            }
        }
        if stored.step_days == 0
            || !stored.origins.is_sorted_by_key(|o| (o.origin, o.horizon_days))
            || stored.segments.iter().any(|(_, segment)| !segment.segments().is_empty())
        {
            return refused("origins in order, a step of at least a day, segments without segments");
        }
        stored.chances.as_ref().map(ChanceAccuracy::checked).transpose()?;
        Self::new(stored)
    }
}

impl From<AccuracyReport> for Stored {
    fn from(report: AccuracyReport) -> Self {
        report.stored
    }
}

impl Stored {
    /// All figures to fifteen digits, so that what is loaded is what was stored, to the last bit.
    pub(super) fn rounded(mut self) -> Self {
        for origin in &mut self.origins {
            origin.money.round();
            origin.deals.iter_mut().for_each(Scored::round);
            for (target, chance) in &mut origin.targets {
                (*target, *chance) = (fifteen(*target), Probability::rounded(fifteen(chance.get())));
            }
            origin.noise_floor = origin.noise_floor.map(fifteen);
        }
        self.chances.iter_mut().for_each(ChanceAccuracy::round);
        self
    }
}
