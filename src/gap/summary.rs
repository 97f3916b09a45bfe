//! The figures of a gap, for a service or a file.

use super::{GapAnalysis, Target};
use crate::fit::Evidence;
use crate::time::Period;
use crate::{Level, Probability};
use chrono::NaiveDateTime;
use serde::Serialize;

/// The figures of a [`GapAnalysis`]; what each means is said there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GapSummary {
    /// When it was asked.
    pub as_of: Option<NaiveDateTime>,
    /// What for.
    pub period: Option<Period>,
    /// The goal.
    pub target: Target,
    /// Confidence of `shortfall_at_confidence`.
    pub confidence: Level,
    /// Number of open deals.
    pub n_open: usize,
    /// Won already.
    pub booked: f64,
    /// Expected from open deals.
    pub open: f64,
    /// Expected from deals not created yet.
    pub new_business: f64,
    /// P(total >= target).
    pub chance: Probability,
    /// Still to be won.
    pub remaining: f64,
    /// booked / target.
    pub attainment: Option<f64>,
    /// target - mean, at least 0.
    pub shortfall_mean: f64,
    /// target - q50, at least 0.
    pub shortfall_q50: f64,
    /// target - quantile(1 - confidence), at least 0.
    pub shortfall_at_confidence: f64,
    /// Average of what is missed.
    pub expected_shortfall: f64,
    /// Open amount that can still close / remaining.
    pub coverage: Option<f64>,
    /// The coverage needed for the confidence.
    pub coverage_needed: Option<f64>,
    /// Chance with three times what remains in open deals.
    pub chance_at_three_times: Option<Probability>,
    /// Chance without the largest deal.
    pub lose_biggest_chance: Option<Probability>,
    /// Spread that remains even if every chance is right.
    pub noise_floor: f64,
    /// What it rests on.
    pub evidence: Option<Evidence>,
}

impl GapAnalysis {
    /// All figures in one plain struct.
    ///
    /// ```
    /// use dealcast::{Amount, Level};
    /// use dealcast::forecast::{ForecastOptions, Total};
    /// use dealcast::gap::{GapAnalysis, Target};
    /// let empty = Total::new(Amount::new(300.0)?, [])?;
    /// let gap = GapAnalysis::of(&empty, Target::new(400.0)?, Level::new(0.8)?, &ForecastOptions::default())?;
    /// let summary = serde_json::to_value(gap.summary()).unwrap();
    /// assert_eq!((&summary["remaining"], &summary["attainment"]), (&100.0.into(), &0.75.into()));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn summary(&self) -> GapSummary {
        GapSummary {
            as_of: self.as_of(),
            period: self.period(),
            target: self.target(),
            confidence: self.confidence(),
            n_open: self.n_open(),
            booked: self.weighted().booked(),
            open: self.weighted().open(),
            new_business: self.weighted().new_business(),
            chance: self.chance(),
            remaining: self.remaining(),
            attainment: self.attainment(),
            shortfall_mean: self.shortfall_mean(),
            shortfall_q50: self.shortfall_q50(),
            shortfall_at_confidence: self.shortfall_at_confidence(),
            expected_shortfall: self.expected_shortfall(),
            coverage: self.pipeline_coverage(),
            coverage_needed: self.coverage_needed(),
            chance_at_three_times: self.chance_at_three_times(),
            lose_biggest_chance: self.lose_biggest_chance(),
            noise_floor: self.noise_floor(),
            evidence: self.evidence(),
        }
    }
}
