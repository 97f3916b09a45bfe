//! Several targets at once: each month and the quarter.

use super::Target;
use super::analysis::chance;
use super::display::read;
use crate::deals::Snapshot;
use crate::fit::FittedModel;
use crate::forecast::{SimulationOptions, Total};
use crate::num::count;
use crate::time::{Period, day_number};
use crate::{Amount, Error, ErrorKind, Probability, Result};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// Most targets of one question.
const MOST: usize = 100;

/// A target for some of the buckets of a [`Total`], with what is booked in them.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketGoal {
    buckets: Range<usize>,
    booked: Amount,
    target: Target,
}

impl BucketGoal {
    /// From the first bucket on, the end excluded.
    pub const fn new(buckets: Range<usize>, booked: Amount, target: Target) -> Self {
        Self { buckets, booked, target }
    }
}

/// A chance, and how far the number of scenarios lets it be off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Estimated {
    /// The chance.
    pub chance: Probability,
    /// Its Monte Carlo standard error; `None` where it comes from the exact engine.
    pub standard_error: Option<f64>,
}

/// One of several targets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OneTarget {
    /// What for; `None` where the total came without periods.
    pub period: Option<Period>,
    /// The goal.
    pub target: Target,
    /// What is booked for it.
    pub booked: Amount,
    /// Its chance.
    pub hit: Estimated,
}

/// The chances of several targets, each by itself and together.
///
/// # Meaning
/// Targets of months and of their quarter hang together: what is won in a month counts for both, and all deals share
/// their luck. So the chance of all is neither the smallest of the chances nor their product.
///
/// # Formula
/// Shares of the scenarios of [`simulate`](FittedModel::simulate) in which all, or at least k, targets are reached, with
/// their standard errors sqrt(p (1 - p) / n). The chance of a single target is exact where the exact engine has its law:
/// for the whole time, and for parts of it where no shock is shared; otherwise it is simulated, too.
///
/// # Example: two months, each with a deal
/// ```
/// use dealcast::{Amount, Probability, Target};
/// use dealcast::forecast::{SimulationOptions, Total};
/// use dealcast::gap::{BucketGoal, JointTargets};
/// let chances = |a, b| Ok::<_, dealcast::Error>(vec![Probability::new(a)?, Probability::new(b)?]);
/// let deals = [(chances(0.5, 0.0)?, Amount::new(10.0)?), (chances(0.0, 0.5)?, Amount::new(10.0)?)];
/// let total = Total::by_bucket(2, Amount::ZERO, deals)?;
/// let goal = |buckets| Ok::<_, dealcast::Error>(BucketGoal::new(buckets, Amount::ZERO, Target::new(10.0)?));
/// let joint = JointTargets::of(&total, &[goal(0..1)?, goal(1..2)?, goal(0..2)?], &SimulationOptions::default())?;
/// assert_eq!(joint.targets()[2].hit.chance.get(), 0.75);
/// let all = joint.all();
/// assert!((all.chance.get() - 0.25).abs() < 5.0 * all.standard_error.unwrap());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JointTargets {
    targets: Vec<OneTarget>,
    n_scenarios: usize,
    /// Scenarios by how many targets they reach.
    n_reaching: Vec<usize>,
}

impl JointTargets {
    /// From any total with buckets.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for buckets that the total does not have, [`Missing`](ErrorKind::Missing)
    /// without a target, [`TooLarge`](ErrorKind::TooLarge) for more than 100, and those of [`Total::simulate`].
    pub fn of(total: &Total, goals: &[BucketGoal], options: &SimulationOptions) -> Result<Self> {
        limits(goals.len())?;
        let n_buckets = total.n_buckets();
        if let Some(bad) = goals.iter().find(|goal| goal.buckets.end > n_buckets || goal.buckets.is_empty()) {
            let expected = "buckets of the total";
            return Err(Error::out_of_range("buckets", expected, count(bad.buckets.end)));
        }
        let simulation = total.simulate(options)?;
        let mut n_each = vec![0; goals.len()];
        let mut n_reaching = vec![0; goals.len() + 1];
        for row in simulation.draws().rows() {
            let mut reached = 0;
            for (goal, n) in goals.iter().zip(&mut n_each) {
                let won = row.iter().skip(goal.buckets.start).take(goal.buckets.len()).sum();
                let hit = usize::from(goal.reached_by(won));
                *n += hit;
                reached += hit;
            }
            n_reaching.get_mut(reached).into_iter().for_each(|n| *n += 1);
        }
        let n_scenarios = simulation.n_scenarios();
        let targets = goals.iter().zip(n_each).map(|(goal, n)| {
            let hit = match goal.exactly(total)? {
                Some(chance) => Estimated { chance, standard_error: None },
                None => Estimated::of(n, n_scenarios),
            };
            Ok(OneTarget { period: None, target: goal.target, booked: goal.booked, hit })
        });
        Ok(Self { targets: targets.collect::<Result<_>>()?, n_scenarios, n_reaching })
    }

    /// Target by target, in the order asked.
    pub fn targets(&self) -> &[OneTarget] {
        &self.targets
    }

    /// From how many scenarios it comes.
    pub const fn n_scenarios(&self) -> usize {
        self.n_scenarios
    }

    /// The chance that all targets are reached.
    pub fn all(&self) -> Estimated {
        self.at_least(self.targets.len())
    }

    /// The chance that at least `k` of them are.
    pub fn at_least(&self, k: usize) -> Estimated {
        Estimated::of(self.n_reaching.iter().skip(k).sum(), self.n_scenarios)
    }
}

fn limits(n: usize) -> Result<()> {
    match n {
        0 => Err(Error::new(ErrorKind::Missing, "at least one target").field("targets")),
        1..=MOST => Ok(()),
        _ => {
            Err(Error::new(ErrorKind::TooLarge, format!("at most {MOST} targets")).field("targets").found(n))
        }
    }
}

impl BucketGoal {
    /// A sum over buckets may have lost its last bits against the same sum in another order.
    fn reached_by(&self, won: f64) -> bool {
        let total = self.booked.get() + won;
        total >= self.target.get() - 8.0 * f64::EPSILON * total
    }

    /// The chance, where the exact engine has its law.
    fn exactly(&self, total: &Total) -> Result<Option<Probability>> {
        if !total.shock.is_none() && self.buckets.len() < total.n_buckets() {
            return Ok((self.target.get() <= self.booked.get()).then_some(Probability::ONE));
        }
        chance(&total.within(self.buckets.clone(), self.booked)?, self.target).map(Some)
    }
}

impl Estimated {
    fn of(n: usize, of: usize) -> Self {
        let p = count(n) / count(of);
        let standard_error = Some((p * (1.0 - p) / count(of)).sqrt());
        Self { chance: Probability::rounded(p), standard_error }
    }
}

impl FittedModel {
    /// The chance of several targets, such as each month's and the quarter's, of each and of all together. What lies
    /// between the earliest start and the latest end of the periods has to be a period the model answers for.
    ///
    /// # Errors
    /// Those of [`JointTargets::of`] and of [`total`](Self::total).
    ///
    /// # Example: every month and the quarter?
    /// ```
    /// use dealcast::forecast::SimulationOptions;
    /// use dealcast::synthetic::{Company, World};
    /// use dealcast::{FiscalCalendar, ForecastModel, Seed, Target, time::date};
    /// let log = Company::named(World::Stationary, Seed::new(1))?.log()?;
    /// let known = log.as_of(date(2023, 7, 10)?);
    /// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    /// let fitted = ForecastModel::default().fit(&known, &quarter)?;
    /// let mut goals = vec![(quarter, Target::new(1.0e6)?)];
    /// for month in quarter.months() {
    ///     goals.push((month, Target::new(0.3e6)?));
    /// }
    /// let joint = fitted.joint_targets(&known.snapshot(), &goals, &SimulationOptions::default())?;
    /// assert!(joint.all().chance <= joint.at_least(3).chance);
    /// assert_eq!(joint.targets()[0].hit.standard_error, None);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn joint_targets(
        &self,
        book: &Snapshot,
        goals: &[(Period, Target)],
        options: &SimulationOptions,
    ) -> Result<JointTargets> {
        limits(goals.len())?;
        let mut days: Vec<_> = goals.iter().flat_map(|(period, _)| [period.start(), period.end()]).collect();
        days.sort_unstable();
        days.dedup();
        let [start, end] = [days.first(), days.last()].map(|day| day.copied().unwrap_or_default());
        let whole = Period::new(start, end)?;
        let ends: Vec<i32> = days.iter().skip(1).map(|day| day_number(*day)).collect();
        let total = self.total_to(book, &whole, &ends)?;
        let place = |day| days.partition_point(|other| *other < day);
        let of_buckets = goals.iter().map(|(period, target)| {
            let booked = book.booked(period)?.amount();
            Ok(BucketGoal::new(place(period.start())..place(period.end()), booked, *target))
        });
        let mut joint = JointTargets::of(&total, &of_buckets.collect::<Result<Vec<_>>>()?, options)?;
        for (target, (period, _)) in joint.targets.iter_mut().zip(goals) {
            target.period = Some(*period);
        }
        Ok(joint)
    }
}

impl fmt::Display for Estimated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} %", 100.0 * self.chance.get())?;
        self.standard_error.map_or(Ok(()), |error| write!(f, " +-{:.1}", 100.0 * error))
    }
}

impl fmt::Display for JointTargets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Targets together, {} scenarios, +- one standard error", self.n_scenarios)?;
        for (number, of) in (1..).zip(&self.targets) {
            let what = of.period.map_or_else(|| format!("target {number}"), |period| period.to_string());
            let (target, booked) = (read(of.target.get()).to_string(), read(of.booked.get()).to_string());
            write!(f, "\n  {what}: {target:>8}, {booked:>8} booked: {}", of.hit)?;
        }
        for k in (1..=self.targets.len()).rev() {
            let all = if k == self.targets.len() { "all".to_owned() } else { format!("at least {k}") };
            write!(f, "\n  {all} of {}: {}", self.targets.len(), self.at_least(k))?;
        }
        Ok(())
    }
}
