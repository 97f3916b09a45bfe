//! How deals leave: the share that has gone each way by an age, with open deals censored.

use super::observation::Durations;
use crate::Probability;

/// The share of stays that have ended by an age by each cause, and the share that goes on.
///
/// In the words of sales: of the deals that enter this stage, how many are won, how many lost, how many still open
/// after `t` days? The three always add up to all of them.
///
/// # Formula
/// `F_k(t) = sum over s <= t of S(s-) d_k(s) / Y(s)`, S the Kaplan-Meier curve of all causes together. All causes
/// tied at s act on the one risk set Y(s).
///
/// Standard errors are Greenwood's: the increments of one time are multinomial, with covariance
/// `a_k (delta_kl - a_l) / Y`, `a_k = d_k / Y`. Without weights
/// and late entries they equal those of the infinitesimal jackknife.
///
/// # Assumptions
/// Whether a stay is still open says nothing about how it will end.
///
/// # Numerics
/// One pass. Between its own events a cause's variance stands still, and its covariance with S shrinks like S, so
/// only events are kept and a log of many causes costs no more than one of two.
///
/// # Example: where have deals gone after a week?
/// ```
/// use dealcast::estimate::{AalenJohansen, Durations};
/// let (won, lost) = (1, 2);
/// let stays = Durations::new(&[2.0, 3.0, 5.0, 6.0, 9.0], &[lost, won, 0, won, 0])?;
/// let paths = AalenJohansen::fit(&stays);
/// let all = paths.incidence(won, 7.0).get() + paths.incidence(lost, 7.0).get() + paths.survival(7.0).get();
/// assert!((all - 1.0).abs() < 1e-15 && paths.incidence(won, 7.0).get() == 0.5);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Aalen & Johansen (1978); Andersen et al. (1993), equations 4.4.7 and 4.4.17.
#[derive(Clone, Debug, PartialEq)]
pub struct AalenJohansen {
    causes: Vec<Incidence>,
    n: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Incidence {
    cause: u32,
    steps: Vec<Step>,
    /// Covariance of F with S over S, which stands still between the cause's own events.
    with_survival: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Step {
    time: f64,
    share: f64,
    variance: f64,
}

impl Incidence {
    fn at(&self, t: f64) -> Step {
        let before = self.steps.partition_point(|step| step.time <= t);
        before.checked_sub(1).and_then(|i| self.steps.get(i)).copied().unwrap_or_default()
    }

    /// One more event: hazard `a` of this cause while a share `s` of `risk` stays is open, var S = s^2 `greenwood`.
    fn step(&mut self, (time, a): (f64, f64), open: Open) {
        let Open { survival: s, greenwood, risk } = open;
        let last = self.steps.last().copied().unwrap_or_default();
        let gained = s * (2.0 * a * self.with_survival + a * a * s * greenwood + s * a * (1.0 - a) / risk);
        // Rounding may take a hair off a variance that is zero by now.
        let variance = (last.variance + gained).max(0.0);
        self.with_survival += s * a * (greenwood - 1.0 / risk);
        self.steps.push(Step { time, share: last.share + s * a, variance });
    }
}

/// What is still open just before a time.
#[derive(Clone, Copy)]
struct Open {
    survival: f64,
    greenwood: f64,
    risk: f64,
}

impl AalenJohansen {
    /// All causes that occur.
    pub fn fit(durations: &Durations) -> Self {
        let occurring = (0..).zip(durations.event_times_by_cause()).filter(|(_, times)| *times > 0);
        let incidence =
            |(cause, times)| Incidence { cause, steps: Vec::with_capacity(times), with_survival: 0.0 };
        let mut causes: Vec<Incidence> = occurring.map(incidence).collect();
        let (mut survival, mut greenwood) = (1.0, 0.0);
        for happening in durations.table().happenings() {
            let (left, risk) = (happening.left(), happening.risk);
            for (cause, mass) in happening.by_cause() {
                let place = causes.binary_search_by_key(&cause, |incidence| incidence.cause);
                if let Some(incidence) = place.ok().and_then(|place| causes.get_mut(place)) {
                    let before = Open { survival, greenwood, risk: risk.weight };
                    incidence.step((happening.time, mass.weight / risk.weight), before);
                }
            }
            let rest = risk.weight - left.weight;
            if left.n >= risk.n || rest <= 0.0 {
                survival = 0.0;
            } else {
                survival *= rest / risk.weight;
                greenwood += left.weight / (risk.weight * rest);
            }
        }
        Self { causes, n: durations.n() }
    }

    fn at(&self, cause: u8, t: f64) -> Step {
        let mine = self.causes.binary_search_by_key(&u32::from(cause), |incidence| incidence.cause);
        let mine = mine.ok().and_then(|place| self.causes.get(place));
        mine.map(|incidence| incidence.at(t)).unwrap_or_default()
    }

    /// F(t): the share that has ended by this cause at age `t`; 0 for a cause that does not occur.
    pub fn incidence(&self, cause: u8, t: f64) -> Probability {
        Probability::rounded(self.at(cause, t).share)
    }

    /// Greenwood's standard error of the incidence.
    pub fn std_err(&self, cause: u8, t: f64) -> f64 {
        self.at(cause, t).variance.sqrt()
    }

    /// The share that goes on beyond age `t`, as what the causes have left of it. For its far tail and its own
    /// uncertainty ask [`KaplanMeier`](super::KaplanMeier).
    pub fn survival(&self, t: f64) -> Probability {
        Probability::rounded(1.0 - self.causes.iter().map(|incidence| incidence.at(t).share).sum::<f64>())
    }

    /// The times at which this cause occurred, with its incidence from each on.
    pub fn steps(&self, cause: u8) -> impl Iterator<Item = (f64, Probability)> {
        let mine = self.causes.iter().filter(move |incidence| incidence.cause == u32::from(cause));
        mine.flat_map(|i| &i.steps).map(|step| (step.time, Probability::rounded(step.share)))
    }

    /// The causes that occur, in increasing order.
    pub fn causes(&self) -> impl Iterator<Item = u8> {
        self.causes.iter().filter_map(|incidence| u8::try_from(incidence.cause).ok())
    }

    /// Number of stays.
    pub fn n(&self) -> u64 {
        self.n
    }
}
