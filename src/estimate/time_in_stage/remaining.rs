//! The time still to go, given the age a deal has reached.

use super::{TimeInStage, TimeLaw, integral};
use crate::Level;
use crate::num::special::gamma::Tails;
use crate::num::special::{exp, exp_m1, ln, ln_1m_exp, ln_1p};

/// The distribution of the time a deal still spends in the stage, given that it has been there for its age.
///
/// # Formula
/// P(rest > h) = S(age + h) / S(age).
///
/// # Example: does waiting wear off?
/// ```
/// use dealcast::estimate::{TimeInStage, TimeLaw};
/// let steady = TimeInStage::new(TimeLaw::Exponential { rate: 0.1 })?;
/// assert_eq!(steady.after(500.0).mean(), Some(10.0));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemainingTime {
    time: TimeInStage,
    age: f64,
    ln_reached: f64,
}

/// Share of the mean beyond the age, down to which mean - restricted mean keeps enough digits.
const SHARE_BEYOND: f64 = 1e-3;

impl RemainingTime {
    pub(super) fn new(time: TimeInStage, age: f64) -> Self {
        let age = if age > 0.0 { age.min(f64::MAX) } else { 0.0 };
        Self { time, age, ln_reached: time.log_survival(age) }
    }

    /// The age it is conditional on.
    pub const fn age(&self) -> f64 {
        self.age
    }

    /// ln P(rest > h).
    pub fn log_survival(&self, h: f64) -> f64 {
        if let TimeLaw::Exponential { .. } = self.time.law() {
            return self.time.log_survival(h);
        }
        let h = if h > 0.0 { h } else { 0.0 };
        (self.time.log_survival(self.age + h) - self.ln_reached).min(0.0)
    }

    /// P(rest > h): the share of deals of this age that are still in the stage `h` later.
    pub fn survival(&self, h: f64) -> f64 {
        exp(self.log_survival(h))
    }

    /// The time from now by which this share of the deals of this age has left.
    pub fn quantile(&self, level: Level) -> f64 {
        let ln_kept = ln_1p(-level.get());
        if self.age == 0.0 {
            return self.time.quantile(level);
        }
        if let TimeLaw::Exponential { .. } = self.time.law() {
            return self.time.quantile(level);
        }
        let ln_upper = (self.ln_reached + ln_kept).max(-f64::MAX);
        let ln_lower = if ln_upper < 0.0 {
            ln_1m_exp(ln_upper)
        } else {
            // So early that nobody has left yet in doubles: the share that will have is the level itself.
            ln(level.get())
        };
        (self.time.time_at(Tails { ln_lower, ln_upper }) - self.age).clamp(0.0, f64::MAX)
    }

    /// The mean time still to go; `None` where it is infinite or beyond the doubles.
    pub fn mean(&self) -> Option<f64> {
        let whole = self.time.mean()?;
        if self.age == 0.0 || matches!(self.time.law(), TimeLaw::Exponential { .. }) {
            return Some(whole);
        }
        let beyond = whole - self.time.restricted_mean(self.age);
        let mean = if beyond > SHARE_BEYOND * whole {
            beyond / exp(self.ln_reached)
        } else {
            let unit = self.quantile(Level::HALF).max(f64::MIN_POSITIVE);
            integral::to_infinity(unit, |h| self.survival(h))
        };
        mean.is_finite().then_some(mean)
    }

    /// The mean of min(rest, `limit`).
    pub fn restricted_mean(&self, limit: f64) -> f64 {
        let limit = if limit > 0.0 { limit.min(f64::MAX) } else { return 0.0 };
        if let TimeLaw::Exponential { rate } = self.time.law() {
            return (-exp_m1(-rate * limit) / rate).min(limit);
        }
        integral::over_span(limit, |h| self.survival(h)).min(limit)
    }
}
