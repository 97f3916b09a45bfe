//! The parametric families of the time in stage, by name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A family of laws for the time in stage. Which to take? Let [`TimesInStage::best`](super::TimesInStage::best) choose
/// by AIC, or know the trade: sales cycles are usually right-skewed, so log-normal or log-logistic.
///
/// # Example
/// ```
/// use dealcast::estimate::TimeFamily;
/// assert_eq!(TimeFamily::LogNormal.parameter_names(), ["meanlog", "sdlog"]);
/// assert_eq!(TimeFamily::named("weibull"), Some(TimeFamily::Weibull));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeFamily {
    /// No memory: a deal's age says nothing about when it moves.
    Exponential,
    /// The hazard rises or falls as a power of age.
    Weibull,
    /// The logarithm of the time is normal: the hazard rises, then falls.
    LogNormal,
    /// Like log-normal with heavier tails: some deals linger very long.
    LogLogistic,
    /// The time of several exponential steps in a row.
    Gamma,
    /// Prentice's three-parameter family that holds Weibull, log-normal and gamma within.
    GeneralizedGamma,
}

impl TimeFamily {
    /// All families, from the simplest.
    pub const ALL: [Self; 6] = [
        Self::Exponential,
        Self::Weibull,
        Self::LogNormal,
        Self::LogLogistic,
        Self::Gamma,
        Self::GeneralizedGamma,
    ];

    /// The stable `snake_case` name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Weibull => "weibull",
            Self::LogNormal => "log_normal",
            Self::LogLogistic => "log_logistic",
            Self::Gamma => "gamma",
            Self::GeneralizedGamma => "generalized_gamma",
        }
    }

    /// The family of this [`name`](Self::name), if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The names of its parameters, in the order in which [`TimeInStage::parameters`](super::TimeInStage::parameters)
    /// lists them.
    pub const fn parameter_names(self) -> &'static [&'static str] {
        match self {
            Self::Exponential => &["rate"],
            Self::Weibull | Self::LogLogistic => &["shape", "scale"],
            Self::LogNormal => &["meanlog", "sdlog"],
            Self::Gamma => &["shape", "rate"],
            Self::GeneralizedGamma => &["mu", "sigma", "q"],
        }
    }
}

impl fmt::Display for TimeFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exponential => "exponential",
            Self::Weibull => "Weibull",
            Self::LogNormal => "log-normal",
            Self::LogLogistic => "log-logistic",
            Self::Gamma => "gamma",
            Self::GeneralizedGamma => "generalized gamma",
        })
    }
}
