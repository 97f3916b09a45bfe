//! The win rate: of the deals that enter a stage, the share that is ever won.

use super::aalen_johansen::AalenJohansen;
use super::observation::Durations;
use super::proportion::{Closed, Counts, Interval, ShareInterval};
use crate::{Level, Probability};
use std::fmt;

/// P(won, ever | entered the stage), with open deals censored, read at the last age with support.
///
/// In the words of sales: of 100 deals that come into this stage, how many will be won in the end? Won / (won + lost)
/// answers another question: quick losses close first, so it moves with the age of the pipeline, not with its quality.
///
/// # Formula
/// `F_won` of the Aalen-Johansen estimator at the longest time anybody was followed. What is still open there may yet
/// be won: the rate is a lower bound, and the rate plus `still_open` an upper one.
///
/// The interval is one for a share of F (1 - F) / var F deals, what the sample is worth. When all deals are closed
/// that is their number, and the interval is exactly that of the closed deals.
///
/// # Assumptions
/// Open deals will end like those that were as old and have ended.
///
/// # Example: what is a proposal worth?
/// ```
/// use dealcast::estimate::{Durations, ShareInterval, WinRate};
/// use dealcast::Level;
/// let proposals = Durations::from_days(
///     &[5, 8, 12, 20, 25, 31, 40, 44],
///     &[WinRate::LOST, WinRate::LOST, WinRate::WON, 0, WinRate::LOST, WinRate::WON, 0, 0],
/// )?;
/// let rate = WinRate::of(&proposals);
/// assert!((rate.rate().get() - 0.28125).abs() < 1e-12 && (rate.by_age(20.0).get() - 0.125).abs() < 1e-12);
/// let range = rate.interval(ShareInterval::Wilson, Level::new(0.8)?);
/// assert!(range.contains(rate.rate()));
/// assert_eq!(rate.to_string(), "28.1 % won, 31.2 % still open after 44, of 8 deals (80 %: 12.2 % to 52.3 %)");
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Aalen & Johansen (1978); the interval follows Korn & Graubard (1998).
#[derive(Clone, Debug, PartialEq)]
pub struct WinRate {
    paths: AalenJohansen,
    longest: f64,
    /// Equally informative rows a unit of weight is worth.
    rows_per_weight: f64,
    closed: f64,
}

impl WinRate {
    /// The cause that means won.
    pub const WON: u8 = 1;
    /// The cause that means lost. Other causes are ends of another kind, neither won nor lost.
    pub const LOST: u8 = 2;

    /// The win rate from times to the end since the stage was first entered.
    pub fn of(durations: &Durations) -> Self {
        let rows_per_weight = durations.rows_per_weight();
        Self {
            paths: AalenJohansen::fit(durations),
            longest: durations.longest(),
            rows_per_weight,
            closed: durations.table().left().weight * rows_per_weight,
        }
    }

    /// The share ever won, as far as anybody was followed.
    pub fn rate(&self) -> Probability {
        self.by_age(self.longest)
    }

    /// The share won by an age: the curve.
    pub fn by_age(&self, age: f64) -> Probability {
        self.paths.incidence(Self::WON, age)
    }

    /// The share that was neither won nor lost nor otherwise ended by the longest age seen.
    pub fn still_open(&self) -> Probability {
        self.paths.survival(self.longest)
    }

    /// The age at which the rate is read.
    pub fn longest(&self) -> f64 {
        self.longest
    }

    /// The interval of the rate.
    pub fn interval(&self, method: ShareInterval, level: Level) -> Interval {
        self.interval_by_age(self.longest, method, level)
    }

    /// The interval of the share won by an age.
    pub fn interval_by_age(&self, age: f64, method: ShareInterval, level: Level) -> Interval {
        let share = self.by_age(age).get();
        let deals = self.deals_worth(age);
        Counts { won: deals * share, lost: deals * (1.0 - share) }.interval(method, level)
    }

    /// The whole number of closed deals that would tell about as much of the rate.
    pub(super) fn worth(&self) -> Closed {
        let (deals, share) = (self.deals_worth(self.longest), self.rate().get());
        Closed { won: nearest(deals * share), lost: nearest(deals * (1.0 - share)) }
    }

    /// Number of closed deals that would tell as much about the share won by an age; where the share is 0 or 1 its
    /// variance says nothing, and the deals that have ended at any age are what there is.
    fn deals_worth(&self, age: f64) -> f64 {
        let share = self.by_age(age).get();
        let error = self.paths.std_err(Self::WON, age);
        let worth = share * (1.0 - share) / (error * error) * self.rows_per_weight;
        if worth.is_finite() && worth > 0.0 { worth } else { self.closed }
    }

    /// Number of deals.
    pub fn n(&self) -> u64 {
        self.paths.n()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of deals, cut to the range"
)]
fn nearest(x: f64) -> u64 {
    x.round() as u64
}

impl fmt::Display for WinRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.still_open();
        write!(f, "{} won, {open} still open after {:.0}, of {} deals", self.rate(), self.longest, self.n())?;
        let level = Level::new(0.8).map_err(|_| fmt::Error)?;
        write!(f, " ({level}: {})", self.interval(ShareInterval::Wilson, level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Spell;

    #[test]
    fn closed_deals_get_the_interval_of_closed_deals() {
        let causes = [1, 2, 2, 1, 2, 2, 1, 2, 2, 2, 2];
        let days: Vec<u32> = (0..11).map(|i| i * i % 7).collect();
        let rate = WinRate::of(&Durations::from_days(&days, &causes).unwrap());
        let level = Level::new(0.95).unwrap();
        for method in [ShareInterval::ClopperPearson, ShareInterval::Wilson, ShareInterval::Jeffreys] {
            let (found, exact) =
                (rate.interval(method, level), Closed { won: 3, lost: 8 }.interval(method, level));
            assert!((found.lower().get() - exact.lower().get()).abs() < 1e-12, "{method:?}");
            assert!((found.upper().get() - exact.upper().get()).abs() < 1e-12, "{method:?}");
        }
    }

    #[test]
    fn the_unit_of_weights_changes_nothing() {
        let spells = [(3.0, 1), (4.0, 2), (4.0, 0), (9.0, 1), (11.0, 0)].map(|(t, c)| Spell::new(t, c));
        let of =
            |weight: f64| WinRate::of(&Durations::from_spells(spells.map(|s| s.weight(weight))).unwrap());
        let level = Level::new(0.9).unwrap();
        let [one, other] = [1.0, 0.125].map(|w| of(w).interval(ShareInterval::Wilson, level));
        assert!((one.upper().get() - other.upper().get()).abs() < 1e-12);
        assert!((one.lower().get() - other.lower().get()).abs() < 1e-12);
    }

    #[test]
    fn no_end_says_nothing() {
        let open = WinRate::of(&Durations::from_days(&[3, 4], &[0, 0]).unwrap());
        let range = open.interval(ShareInterval::Jeffreys, Level::HALF);
        assert_eq!(
            (range.lower(), range.upper(), open.still_open()),
            (Probability::ZERO, Probability::ONE, Probability::ONE)
        );
    }
}
