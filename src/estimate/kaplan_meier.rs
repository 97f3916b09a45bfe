//! Time in stage without assuming a shape: the product-limit estimator.

use super::observation::Durations;
use super::proportion::Interval;
use super::table::Happening;
use crate::num::special;
use crate::{Error, Level, Probability, Result};
use std::fmt;

/// The share of stays that last beyond an age, estimated from ended and still open ones alike.
///
/// In the words of sales: of the deals that enter this stage, how many are still in it after `t` days? Deals still
/// open count for as long as they have been watched, so the answer is not biased towards quick ones.
///
/// # Formula
/// S(t) = product over the event times s <= t of (1 - d(s) / Y(s)): d ends, Y at risk just before. Ends precede
/// censorings at one time. Greenwood's variance: S(t)^2 sum d / (Y (Y - d)).
///
/// # Assumptions
/// Whether a stay is still open says nothing about how long it will last; whoever came under observation late is
/// otherwise like those who were watched from the start.
///
/// # Numerics
/// A product of (Y - d) / Y; exactly 0 once everybody at risk has left, decided on counts and not on sums of weights.
///
/// # Example: how long do deals stay here?
/// ```
/// use dealcast::estimate::{BandScale, Durations, KaplanMeier};
/// use dealcast::Level;
/// let stays = Durations::new(&[3.0, 5.0, 5.0, 8.0, 13.0], &[1, 1, 0, 1, 0])?;
/// let curve = KaplanMeier::fit(&stays);
/// assert_eq!(curve.median(), Some(8.0));
/// assert!((curve.survival(5.0).get() - 0.6).abs() < 1e-15);
/// let band = curve.interval(5.0, Level::new(0.95)?, BandScale::LogLog).unwrap();
/// assert!(band.lower() < curve.survival(5.0) && curve.survival(5.0) < band.upper());
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Kaplan & Meier (1958), equation 2b; Greenwood (1926); bands as in Kalbfleisch & Prentice (2002), section 1.4.
#[derive(Clone, Debug, PartialEq)]
pub struct KaplanMeier {
    steps: Vec<Step>,
    n: u64,
    n_events: u64,
    n_effective: f64,
}

/// The curve from one event time to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    time: f64,
    survival: f64,
    /// Sum of d / (Y (Y - d)): the variance of ln S.
    greenwood: f64,
}

/// Before the first event.
const START: Step = Step { time: 0.0, survival: 1.0, greenwood: 0.0 };

/// Ties between S(t) and 1 - p are decided within this, so that rounding in a product moves no quantile.
const TIE: f64 = 1e-9;

/// The scale on which a confidence band is symmetric; the band is cut to 0..1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BandScale {
    /// S itself: easy to read, poor in small samples.
    Plain,
    /// ln S.
    Log,
    /// ln(-ln S): stays inside 0..1, the best of the three in small samples.
    #[default]
    LogLog,
}

impl KaplanMeier {
    /// The curve for all ends together, whatever their cause.
    pub fn fit(durations: &Durations) -> Self {
        let mut now = START;
        let step = |happening: Happening<'_>| {
            let (left, risk) = (happening.left(), happening.risk);
            let rest = risk.weight - left.weight;
            now.time = happening.time;
            if left.n >= risk.n || rest <= 0.0 {
                now.survival = 0.0;
            } else {
                now.survival *= rest / risk.weight;
                now.greenwood += left.weight / (risk.weight * rest);
            }
            now
        };
        Self {
            steps: durations.table().happenings().map(step).collect(),
            n: durations.n(),
            n_events: durations.n_events(),
            n_effective: durations.n_effective(),
        }
    }

    fn at(&self, t: f64) -> Step {
        let before = self.steps.partition_point(|step| step.time <= t);
        before.checked_sub(1).and_then(|i| self.steps.get(i)).copied().unwrap_or(START)
    }

    /// P(T > t): the share of stays that last longer than `t`; constant beyond the last event.
    pub fn survival(&self, t: f64) -> Probability {
        Probability::rounded(self.at(t).survival)
    }

    /// Greenwood's standard error of S(t); `None` once S(t) is 0, where it is 0/0.
    pub fn std_err(&self, t: f64) -> Option<f64> {
        let at = self.at(t);
        (at.survival > 0.0).then(|| at.survival * at.greenwood.sqrt())
    }

    /// The confidence interval of S(t) at this one time; `None` once S(t) is 0.
    pub fn interval(&self, t: f64, level: Level, scale: BandScale) -> Option<Interval> {
        let Step { survival: s, greenwood, .. } = self.at(t);
        if s <= 0.0 {
            return None;
        }
        let width = special::normal_quantile(level.tails().1.get()) * greenwood.sqrt();
        if width == 0.0 {
            return Some(Interval::rounded(s, s));
        }
        let (lower, upper) = match scale {
            BandScale::Plain => (s - s * width, s + s * width),
            BandScale::Log => (s * special::exp(-width), s * special::exp(width)),
            BandScale::LogLog => {
                let log = special::ln(s);
                let end = |shift: f64| special::exp(log * special::exp(shift / log));
                // ln S < 0: the negative shift raises the exponent.
                (end(-width), end(width))
            }
        };
        Some(Interval::rounded(lower, upper))
    }

    /// The smallest time by which this share of the stays has ended, S(t) <= 1 - p; `None` if it never happens.
    pub fn quantile(&self, p: Level) -> Option<f64> {
        let target = 1.0 - p.get() + TIE;
        self.steps.get(self.steps.partition_point(|step| step.survival > target)).map(|step| step.time)
    }

    /// The time by which half of the stays have ended.
    pub fn median(&self) -> Option<f64> {
        self.quantile(Level::HALF)
    }

    /// E[min(T, limit)], the mean time in stage up to a limit: the area under S from 0 to it.
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless the limit is finite and >= 0.
    pub fn restricted_mean(&self, limit: f64) -> Result<f64> {
        if !(limit >= 0.0 && limit.is_finite()) {
            return Err(Error::out_of_range("restrict_to", "a finite number >= 0", limit));
        }
        let mut last = START;
        let mut area = crate::num::sum::Sum::default();
        for step in self.steps.iter().take_while(|step| step.time < limit) {
            area.add(last.survival * (step.time - last.time));
            last = *step;
        }
        area.add(last.survival * (limit - last.time));
        Ok(area.get())
    }

    /// The event times with the survival from each on.
    pub fn steps(&self) -> impl Iterator<Item = (f64, Probability)> {
        self.steps.iter().map(|step| (step.time, Probability::rounded(step.survival)))
    }

    /// Number of stays.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Number of stays whose end was seen.
    pub fn n_events(&self) -> u64 {
        self.n_events
    }

    /// Number of equally weighted stays of the same information.
    pub fn n_effective(&self) -> f64 {
        self.n_effective
    }
}

impl fmt::Display for KaplanMeier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} stays ended; ", self.n_events, self.n)?;
        match (self.median(), self.steps.last()) {
            (Some(median), _) => write!(f, "half last longer than {median:.1}"),
            (None, Some(last)) => {
                write!(f, "{} last longer than {:.1}", Probability::rounded(last.survival), last.time)
            }
            (None, None) => write!(f, "no end was seen"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gone_is_exactly_zero_with_any_weights() {
        use crate::estimate::Spell;
        let spells = [0.1, 0.2, 0.3, 1e-9].map(|w| Spell::new(10.0 * w, 1).weight(w));
        let curve = KaplanMeier::fit(&Durations::from_spells(spells).unwrap());
        assert_eq!(curve.survival(3.0).get(), 0.0);
        assert_eq!((curve.std_err(3.0), curve.interval(3.0, Level::HALF, BandScale::LogLog)), (None, None));
    }

    #[test]
    fn before_the_first_event_all_is_certain() {
        let curve = KaplanMeier::fit(&Durations::new(&[2.0, 3.0], &[0, 1]).unwrap());
        for scale in [BandScale::Plain, BandScale::Log, BandScale::LogLog] {
            let band = curve.interval(1.0, Level::HALF, scale).unwrap();
            assert_eq!((band.lower(), band.upper()), (Probability::ONE, Probability::ONE));
        }
        assert_eq!(curve.to_string(), "1 of 2 stays ended; half last longer than 3.0");
        let open = KaplanMeier::fit(&Durations::new(&[2.0], &[0]).unwrap());
        assert_eq!((open.median(), open.restricted_mean(5.0).unwrap()), (None, 5.0));
        assert_eq!(open.to_string(), "0 of 1 stays ended; no end was seen");
    }
}
