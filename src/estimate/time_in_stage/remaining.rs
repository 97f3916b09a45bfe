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
        if self.age == 0.0 || matches!(self.time.law(), TimeLaw::Exponential { .. }) {
            return self.time.quantile(level);
        }
        self.time_until(ln_1p(-level.get()))
    }

    /// The time from now until which this share, given by its logarithm, is still there.
    fn time_until(&self, ln_kept: f64) -> f64 {
        let ln_upper = (self.ln_reached + ln_kept).max(-f64::MAX);
        let ln_lower = if ln_upper < 0.0 {
            ln_1m_exp(ln_upper)
        } else {
            // So early that nobody has left yet in doubles: the share that will have is the level itself.
            ln(-exp_m1(ln_kept))
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
        integral::over_pieces(limit, self.cuts(), |h| self.survival(h)).min(limit)
    }

    /// Where the survival begins to fall, has half fallen, and has fallen to a thousandth and to nothing.
    pub(in crate::estimate) fn cuts(&self) -> Vec<f64> {
        let ln_kept = [-1e-3, -std::f64::consts::LN_2, -7.0, -40.0];
        ln_kept.map(|ln_kept| self.time_until(ln_kept)).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_adds_up() {
        let laws = [
            TimeLaw::Exponential { rate: 0.02 },
            TimeLaw::Weibull { shape: 0.6, scale: 30.0 },
            TimeLaw::Weibull { shape: 3.0, scale: 30.0 },
            TimeLaw::LogNormal { meanlog: 3.0, sdlog: 1.0 },
            TimeLaw::LogLogistic { shape: 2.5, scale: 20.0 },
            TimeLaw::Gamma { shape: 4.0, rate: 0.1 },
            TimeLaw::GeneralizedGamma { mu: 3.0, sigma: 0.5, q: -0.7 },
        ];
        for time in laws.map(|law| TimeInStage::new(law).unwrap()) {
            for ln_kept in [-0.1, -3.0, -12.0] {
                let age = time.after(0.0).time_until(ln_kept);
                let rest = time.after(age);
                // Mean = what passes before the age + what is left for those who reach it. What is beyond the age at
                // e^-12 is lost in that sum by cancellation, except for 1e-6 of it.
                let mean = time.mean().unwrap();
                let beyond = (mean - time.restricted_mean(age)) / exp(ln_kept);
                let off = rest.mean().unwrap() / beyond - 1.0;
                assert!(off.abs() < 1e-11 / exp(ln_kept), "{time} after {age}: {off}");
                for level in [1e-6, 0.5, 0.999] {
                    let h = rest.quantile(Level::new(level).unwrap());
                    // The age's own rounding is what the difference of two times can lose.
                    let lost = 1e-13 * (1.0 + age / h);
                    assert!(
                        (-exp_m1(rest.log_survival(h)) / level - 1.0).abs() < lost * 10.0,
                        "{time} {age} {level}"
                    );
                }
            }
        }
    }
}
