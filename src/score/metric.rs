//! What each score means: its name, range, direction and optimum.

use crate::Level;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which way a score gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A loss: the optimum is the lower end of the range.
    SmallerIsBetter,
    /// A gain: the optimum is the upper end of the range.
    GreaterIsBetter,
    /// A diagnostic: too much is as bad as too little.
    CloserIsBetter,
}

/// The values a score can take; `None` is an end without bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRange {
    /// Smallest value, if there is one.
    pub lower: Option<f64>,
    /// Largest value, if there is one.
    pub upper: Option<f64>,
}

impl MetricRange {
    /// Whether a value can be a value of this score. NaN cannot.
    pub fn contains(self, value: f64) -> bool {
        value.is_finite()
            && self.lower.is_none_or(|low| low <= value)
            && self.upper.is_none_or(|up| value <= up)
    }
}

/// The score of a forecaster beside the score of the one it is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Versus {
    /// The forecaster in question.
    pub score: f64,
    /// The one it has to beat.
    pub baseline: f64,
}

/// The scores of this crate, each with what its values mean.
///
/// # Example: is .073 good?
/// ```
/// use dealcast::score::{Direction, Metric, Versus};
/// let crps = Metric::Crps;
/// assert_eq!((crps.name(), crps.direction(), crps.optimum()), ("crps", Direction::SmallerIsBetter, 0.0));
/// // Not by itself: against a baseline it is.
/// let skill = crps.skill(Versus { score: 0.073, baseline: 0.146 });
/// assert_eq!(skill, Some(0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// Continuous ranked probability score, in the unit of the forecast.
    Crps,
    /// Mean pinball loss, in the unit of the forecast.
    Pinball,
    /// Weighted interval score, in the unit of the forecast; tends to the CRPS with many levels.
    Wis,
    /// Width of an interval plus a fine for what lies outside, in the unit of the forecast.
    IntervalScore,
    /// Share of truths inside the central intervals of this level; optimal at the level itself.
    Coverage(Level),
    /// Mean of the probability integral transform; optimal at one half.
    Pit,
    /// Mean squared error of stated chances.
    Brier,
    /// Mean negative log of the chance given to what happened, in nats.
    LogLoss,
    /// The part of the Brier score that relabelling the stated chances would remove.
    Miscalibration,
    /// How much of the uncertainty the stated chances explain.
    Discrimination,
    /// (sum of forecasts - sum of truths) / sum of truths.
    Bias,
    /// Mean absolute error, in the unit of the forecast.
    Mae,
    /// Root of the mean squared error, in the unit of the forecast.
    Rmse,
    /// Mean of |error| / |truth|; 1.0 = 100 %.
    Mape,
    /// Sum of |error| / sum of |truth|; 1.0 = 100 %.
    Wape,
    /// Mean absolute error as a multiple of that of the naive forecast.
    Mase,
    /// Share of a baseline's distance to the optimum that a forecaster removes.
    Skill,
}

impl Metric {
    /// Every metric, coverage with the level of one half.
    ///
    /// ```
    /// use dealcast::score::Metric;
    /// assert!(Metric::ALL.iter().all(|metric| metric.range().contains(metric.optimum())));
    /// ```
    pub const ALL: [Self; 17] = [
        Self::Crps,
        Self::Pinball,
        Self::Wis,
        Self::IntervalScore,
        Self::Coverage(Level::HALF),
        Self::Pit,
        Self::Brier,
        Self::LogLoss,
        Self::Miscalibration,
        Self::Discrimination,
        Self::Bias,
        Self::Mae,
        Self::Rmse,
        Self::Mape,
        Self::Wape,
        Self::Mase,
        Self::Skill,
    ];

    /// Stable `snake_case` name, as reports and charts show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crps => "crps",
            Self::Pinball => "pinball",
            Self::Wis => "wis",
            Self::IntervalScore => "interval_score",
            Self::Coverage(_) => "coverage",
            Self::Pit => "pit",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::Miscalibration => "miscalibration",
            Self::Discrimination => "discrimination",
            Self::Bias => "bias",
            Self::Mae => "mae",
            Self::Rmse => "rmse",
            Self::Mape => "mape",
            Self::Wape => "wape",
            Self::Mase => "mase",
            Self::Skill => "skill",
        }
    }

    /// The values it can take.
    pub const fn range(self) -> MetricRange {
        let (lower, upper) = match self {
            Self::Coverage(_) | Self::Pit | Self::Brier | Self::Miscalibration => (Some(0.0), Some(1.0)),
            Self::Discrimination => (Some(0.0), Some(0.25)),
            Self::Skill => (None, Some(1.0)),
            Self::Bias => (None, None),
            _ => (Some(0.0), None),
        };
        MetricRange { lower, upper }
    }

    /// Which way it gets better.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Coverage(_) | Self::Pit | Self::Bias => Direction::CloserIsBetter,
            Self::Discrimination | Self::Skill => Direction::GreaterIsBetter,
            _ => Direction::SmallerIsBetter,
        }
    }

    /// The value of a perfect forecast. For [`Discrimination`](Self::Discrimination) that of a perfect forecast of
    /// events that happen half of the time; no other can reach it.
    pub const fn optimum(self) -> f64 {
        match self {
            Self::Coverage(level) => level.get(),
            Self::Pit => 0.5,
            Self::Discrimination => 0.25,
            Self::Skill => 1.0,
            _ => 0.0,
        }
    }

    /// How far a value is from the optimum: smaller is better for every metric.
    pub fn distance(self, value: f64) -> f64 {
        (value - self.optimum()).abs()
    }

    /// The share of the baseline's distance to the optimum that the forecaster removes: 1 = perfect, 0 = no better
    /// than the baseline, negative = worse. `None` against a perfect baseline, or where a score is not finite.
    ///
    /// # Reference
    /// Gneiting & Raftery (2007), Strictly proper scoring rules, section 2.3.
    pub fn skill(self, of: Versus) -> Option<f64> {
        let skill = 1.0 - self.distance(of.score) / self.distance(of.baseline);
        skill.is_finite().then_some(skill)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coverage(level) => write!(f, "coverage of the {level} interval"),
            other => f.write_str(&other.name().replace('_', " ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimum_lies_in_the_range_at_the_end_the_direction_names() {
        for metric in Metric::ALL {
            let (range, optimum) = (metric.range(), metric.optimum());
            assert!(range.contains(optimum), "{metric}");
            match metric.direction() {
                Direction::SmallerIsBetter => assert_eq!(range.lower, Some(optimum)),
                Direction::GreaterIsBetter => assert_eq!(range.upper, Some(optimum)),
                Direction::CloserIsBetter => {
                    assert!(range.contains(optimum - 0.1) && range.contains(optimum + 0.1));
                }
            }
        }
        assert!(!Metric::Bias.range().contains(f64::NAN));
    }

    /// Serde knows all variants, and names them where it does not know one.
    #[test]
    fn all_are_all() {
        let known = serde_json::from_str::<Metric>(r#""none""#).unwrap_err().to_string();
        let (_, known) = known.split_once("expected one of ").unwrap();
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        assert_eq!(Metric::ALL.map(Metric::name).as_slice(), known);
    }

    #[test]
    fn skill_against_a_perfect_baseline_does_not_exist() {
        assert_eq!(Metric::Crps.skill(Versus { score: 1.0, baseline: 0.0 }), None);
        assert_eq!(Metric::Crps.skill(Versus { score: 0.0, baseline: 0.0 }), None);
        let half = Metric::Coverage(Level::HALF);
        assert_eq!(half.skill(Versus { score: 0.6, baseline: 0.3 }).map(|s| (s * 1e9).round()), Some(5e8));
    }
}
