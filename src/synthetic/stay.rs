//! How long a deal stays in a stage before it takes a given exit.

use crate::num::rng::Stream;
use crate::num::special;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The law of the days from entering a stage to leaving it through one exit.
///
/// # Example: how long is "a month, give or take"?
/// ```
/// use dealcast::synthetic::Stay;
/// let month = Stay::LogNormal { median_days: 30.0, spread: 0.5 };
/// assert!((month.mean_days() - 30.0 * 0.125_f64.exp()).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the parameters are explained by their law")]
pub enum Stay {
    /// Half of the deals leave within the median; `spread` is the standard deviation of the logarithm.
    LogNormal { median_days: f64, spread: f64 },
    /// 63 % leave within the scale; a shape below 1 means the longer it stays, the less likely it moves.
    Weibull { scale_days: f64, shape: f64 },
    /// The same chance every day, from the first day after entering; whole days.
    Daily { chance: f64 },
    /// At the very moment of entering.
    AtOnce,
}

impl Stay {
    /// The mean number of days.
    pub fn mean_days(self) -> f64 {
        match self {
            Self::LogNormal { median_days, spread } => median_days * special::exp(0.5 * spread * spread),
            Self::Weibull { scale_days, shape } => scale_days * special::score::gamma(1.0 + 1.0 / shape),
            Self::Daily { chance } => 1.0 / chance,
            Self::AtOnce => 0.0,
        }
    }

    /// P(still there after so many days).
    pub fn survival(self, days: f64) -> f64 {
        let days = days.max(0.0);
        match self {
            Self::LogNormal { median_days, spread } => {
                special::normal_cdf(-special::ln(days / median_days) / spread)
            }
            Self::Weibull { scale_days, shape } => special::exp(-special::pow(days / scale_days, shape)),
            Self::Daily { chance } => special::exp(days.floor() * special::ln_1p(-chance)),
            Self::AtOnce => 0.0,
        }
    }

    pub(super) fn draw(self, stream: &mut Stream) -> f64 {
        match self {
            Self::LogNormal { median_days, spread } => median_days * special::exp(spread * stream.normal()),
            Self::Weibull { scale_days, shape } => {
                scale_days * special::pow(stream.exponential(), 1.0 / shape)
            }
            // ceil(E / -ln(1 - h)) is geometric with chance h.
            Self::Daily { chance } => (stream.exponential() / -special::ln_1p(-chance)).ceil().max(1.0),
            Self::AtOnce => 0.0,
        }
    }

    pub(super) fn check(self) -> Result<()> {
        let law = match self {
            Self::LogNormal { median_days, spread } => inside(median_days, 1e5) && inside(spread, 5.0),
            Self::Weibull { scale_days, shape } => inside(scale_days, 1e5) && (0.1..=100.0).contains(&shape),
            Self::Daily { chance } => (1e-6..=1.0).contains(&chance),
            Self::AtOnce => true,
        };
        let expected =
            "positive parameters: days up to 1e5, spread up to 5, shape from 0.1 to 100, chance from 1e-6";
        if law { Ok(()) } else { Err(Error::new(crate::ErrorKind::OutOfRange, expected).field("stay")) }
    }
}

fn inside(x: f64, most: f64) -> bool {
    x > 0.0 && x <= most
}
