//! The cumulative hazard: how much leaving has been going on by an age.

use super::observation::Durations;
use super::table;

/// The cumulative hazard of leaving a stage, for all causes or for one.
///
/// In the words of sales: the steeper the curve, the likelier a deal of that age is to move today. A straight line
/// means that age does not matter. One cause's curve (say, towards lost) treats the other ends as censoring; it is
/// a rate, and 1 - exp(-H) is not a probability of that cause: ask [`AalenJohansen`](super::AalenJohansen) for it.
///
/// # Formula
/// H(t) = sum over the event times s <= t of d(s) / Y(s); variance sum d / Y^2 (Poisson increments).
///
/// # Example: is a deal likelier to be lost early or late?
/// ```
/// use dealcast::estimate::{Durations, NelsonAalen};
/// let stays = Durations::new(&[2.0, 4.0, 4.0, 9.0], &[2, 1, 2, 1])?;
/// let lost = NelsonAalen::of_cause(&stays, 2);
/// assert!((lost.cumulative_hazard(4.0) - (1.0 / 4.0 + 1.0 / 3.0)).abs() < 1e-15);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Nelson (1972); Aalen (1978), section 6; ties as in Andersen et al. (1993), equation 4.1.
#[derive(Clone, Debug, PartialEq)]
pub struct NelsonAalen {
    steps: Vec<Step>,
    n_events: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    time: f64,
    hazard: f64,
    variance: f64,
}

impl NelsonAalen {
    /// All ends together, whatever their cause.
    pub fn fit(durations: &Durations) -> Self {
        Self::of(durations.table(), |_| true)
    }

    /// Ends of one cause.
    pub fn of_cause(durations: &Durations, cause: u8) -> Self {
        Self::of(durations.table(), |found| found == u32::from(cause))
    }

    pub(super) fn of(table: &table::Table, counts: impl Fn(u32) -> bool) -> Self {
        let mut now = Step { time: 0.0, hazard: 0.0, variance: 0.0 };
        let mut n_events = 0;
        let mut steps = Vec::new();
        for happening in table.happenings() {
            let mine = happening.by_cause().filter(|(cause, _)| counts(*cause));
            let (n, weight) =
                mine.fold((0_u64, 0.0), |(n, w), (_, mass)| (n + u64::from(mass.n), w + mass.weight));
            if n > 0 {
                let risk = happening.risk.weight;
                n_events += n;
                now.time = happening.time;
                now.hazard += weight / risk;
                now.variance += weight / risk / risk;
                steps.push(now);
            }
        }
        Self { steps, n_events }
    }

    fn at(&self, t: f64) -> Option<&Step> {
        self.steps.get(self.steps.partition_point(|step| step.time <= t).checked_sub(1)?)
    }

    /// H(t); constant beyond the last event.
    pub fn cumulative_hazard(&self, t: f64) -> f64 {
        self.at(t).map_or(0.0, |step| step.hazard)
    }

    /// The standard error of H(t).
    pub fn std_err(&self, t: f64) -> f64 {
        self.at(t).map_or(0.0, |step| step.variance.sqrt())
    }

    /// Number of ends that it counts.
    pub fn n_events(&self) -> u64 {
        self.n_events
    }
}
