//! A sales process whose moves the user states: how likely is a deal of this age won within a month, a quarter, a year?
//!
//! # Meaning
//! A semi-Markov process: what happens next depends on the stage and on how long the deal has stood in it, and on
//! nothing before. Moves may skip stages or go back; won and lost are final.
//!
//! # Formula
//! `P(won within h | stage s, age a) = sum_d integral over (0, h) of f_sd(a + u) / S_s(a) W_d(h - u) du`, with the
//! renewal equation for `W_d` of the stages that follow.
//!
//! # Numerics
//! The first move is exact up to quadrature (1e-9 where a stage leads only to won and lost); later stages are entered
//! at any time of a day, on steps of a quarter of a day: second order, within 1e-4 of continuous time for stages that
//! last days and within 2e-3 for stages that last hours. Chances by day are exact.
//!
//! # Reference
//! Howard (1971), Dynamic Probabilistic Systems II, chapters 10 and 11; Putter, Fiocco & Geskus (2007), Tutorial in
//! biostatistics: competing risks and multi-state models.

mod families;
mod renewal;
mod steps;

pub use families::Sojourn;

use crate::deals::{SalesProcess, Stage, StageKind};
use crate::num::count;
use crate::{Error, ErrorKind, Probability, Result};
use renewal::Renewal;
use serde::{Deserialize, Serialize};
use steps::{Clock, Goal, Grid};

/// Steps a day of stages in continuous time.
const PER_DAY: usize = 4;
/// Longest horizon and oldest age: ten years and a century.
const LONGEST_HORIZON: u32 = 3660;
const OLDEST: f64 = 36_525.0;
/// Products of the renewal equation, and steps of quadrature: seconds of work.
const MOST_PRODUCTS: f64 = 2e9;
const MOST_STEPS: f64 = 2e5;
/// How far stated shares may miss 1, as decimal fractions do.
const ROUNDING: f64 = 1e-9;

/// How deals leave a stage towards one destination. All moves out of one stage are stated in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
#[non_exhaustive]
pub enum Leaving {
    /// A share of the deals goes there, each after this sojourn; the shares of a stage sum to 1.
    Share {
        /// The share.
        p: Probability,
        /// The time in stage of the deals that go there.
        sojourn: Sojourn,
    },
    /// The chance of going there on a day, by completed days in the stage; the last value goes on. A deal moves at most
    /// once a day, and in its new stage the day after counts as age 0.
    Daily {
        /// The chances, for ages 0, 1, 2, ...
        daily: Vec<Probability>,
    },
    /// The hazard of this family, competing with the stage's other hazards: what the time in stage would be if this were
    /// the only way out.
    Hazard(Sojourn),
}

/// A way from one open stage to another stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The open stage that is left.
    pub from: String,
    /// The stage that is entered: open, won or lost.
    pub to: String,
    /// When.
    pub by: Leaving,
}

/// What can have become of a deal by the end of a horizon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Chances {
    won: Probability,
    lost: Probability,
}

impl Chances {
    /// The chance that the deal is won by then.
    pub const fn won(&self) -> Probability {
        self.won
    }

    /// The chance that it is lost by then.
    pub const fn lost(&self) -> Probability {
        self.lost
    }

    /// The chance that it is still open.
    pub fn open(&self) -> Probability {
        Probability::rounded(1.0 - self.won.get() - self.lost.get())
    }
}

/// A sales process with stated times in stage.
///
/// # Example: what is a proposal worth that has waited for three weeks?
/// ```
/// use dealcast::deals::SalesProcess;
/// use dealcast::model::{Leaving, Move, SemiMarkov, Sojourn};
/// let process = SalesProcess::open(["propose"])?;
/// let hazard = |to: &str, rate| Move {
///     from: "propose".into(),
///     to: to.into(),
///     by: Leaving::Hazard(Sojourn::Exponential { rate }),
/// };
/// let model = SemiMarkov::new(&process, &[hazard("won", 0.01), hazard("lost", 0.03)])?;
/// let quarter = model.chances("propose", &[21.0], &[90])?[0][0];
/// // A quarter of the deals that close are won, and e^(-0.04 * 90) are still open after 90 days.
/// assert!((quarter.open().get() - 0.027_323_722).abs() < 1e-9);
/// assert!((quarter.won().get() - 0.25 * (1.0 - 0.027_323_722)).abs() < 1e-9);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SemiMarkov {
    process: SalesProcess,
    clocks: Vec<Clock>,
}

impl SemiMarkov {
    /// A process and its moves; a stage without moves is never left.
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage) for a name the process does not know;
    /// [`InvalidProcess`](ErrorKind::InvalidProcess) for a move out of a closed stage, two moves from and to the same
    /// stages or moves of one stage stated in different ways; [`OutOfRange`](ErrorKind::OutOfRange) for a parameter its
    /// family does not allow, shares that do not sum to 1 or chances of a day that sum to more;
    /// [`Missing`](ErrorKind::Missing) for chances by day without a day.
    pub fn new(process: &SalesProcess, moves: &[Move]) -> Result<Self> {
        let stages = process.stages();
        let open: Vec<&str> =
            stages.iter().filter(|s| s.kind() == StageKind::Open).map(Stage::name).collect();
        let mut clocks = Vec::with_capacity(open.len());
        for stage in &open {
            let leaving = moves.iter().filter(|m| m.from == **stage);
            let leaving: Vec<(Goal, &Leaving)> =
                leaving.map(|m| Ok((goal(process, open.len(), &m.to)?, &m.by))).collect::<Result<_>>()?;
            clocks.push(clock(&leaving).map_err(|error| error.in_stage(stage))?);
        }
        if let Some(stray) = moves.iter().find(|m| !open.contains(&m.from.as_str())) {
            goal(process, open.len(), &stray.from)?;
            return Err(
                Error::new(ErrorKind::InvalidProcess, "moves out of open stages").in_stage(&stray.from)
            );
        }
        distinct(moves)?;
        Ok(Self { process: process.clone(), clocks })
    }

    /// The chances of deals that stand in a stage, by age in days and then by horizon in days. The age is exact at the
    /// start of the first day; with chances by day its whole days count.
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage); [`OutOfRange`](ErrorKind::OutOfRange) for an age that is negative, over
    /// a century or that no deal reaches, and for stages left in circles within minutes;
    /// [`TooLarge`](ErrorKind::TooLarge) for a horizon over 3,660 days or more work than a few seconds.
    pub fn chances(
        &self,
        stage: &str,
        ages_days: &[f64],
        horizons_days: &[u32],
    ) -> Result<Vec<Vec<Chances>>> {
        let at = goal(&self.process, self.clocks.len(), stage)?;
        let Some(clock) = self.clocks.get(at) else {
            return Err(Error::new(ErrorKind::OutOfRange, "an open stage").in_stage(stage));
        };
        let longest = horizons_days.iter().copied().max().unwrap_or(0);
        let needed = self.after(at);
        let grid = self.budget(
            at,
            &needed,
            Asked { n_ages: ages_days.len(), n_horizons: horizons_days.len(), longest },
        )?;
        let renewal = Renewal::solve(&self.clocks, &needed, grid)?;
        let of_age = |&age: &f64| {
            if !(0.0..=OLDEST).contains(&age) {
                return Err(Error::out_of_range("age", "days from 0 to 36,525", age));
            }
            let n_steps = clock.steps(grid.n_steps, grid.per_day);
            let exits = clock.exits(Grid { age, n_steps, ..grid });
            let unreached =
                || Error::out_of_range("age", "an age that deals reach in this stage", age).in_stage(stage);
            let kernel = renewal.kernel(exits.ok_or_else(unreached)?, clock);
            let chances = |&days: &u32| {
                let [won, lost] = renewal.after(&kernel, clock, usize::try_from(days).unwrap_or(usize::MAX));
                Chances { won: Probability::rounded(won), lost: Probability::rounded(lost) }
            };
            Ok(horizons_days.iter().map(chances).collect())
        };
        ages_days.iter().map(of_age).collect()
    }

    /// Which stages a deal can come to by at least one move out of this one.
    fn after(&self, stage: Goal) -> Vec<bool> {
        let mut needed = vec![false; self.clocks.len()];
        let mut found = vec![stage];
        while let Some(stage) = found.pop() {
            for goal in self.clocks.get(stage).map(Clock::goals).unwrap_or_default() {
                if let Some(needed) = needed.get_mut(goal).filter(|needed| !**needed) {
                    *needed = true;
                    found.push(goal);
                }
            }
        }
        needed
    }

    /// The grid, where the work on it stays within bounds.
    fn budget(&self, at: Goal, needed: &[bool], asked: Asked) -> Result<Grid> {
        let too_large = |expected: &'static str| Error::new(ErrorKind::TooLarge, expected).field("horizons");
        if asked.longest > LONGEST_HORIZON {
            return Err(too_large("a horizon of at most 3,660 days").found(asked.longest));
        }
        let involved = || {
            let concerned = |i: usize| i == at || needed.get(i).copied().unwrap_or(false);
            self.clocks.iter().enumerate().filter(move |(i, _)| concerned(*i)).map(|(_, clock)| clock)
        };
        let per_day = if involved().all(Clock::is_daily) { 1 } else { PER_DAY };
        let n_steps = per_day * usize::try_from(asked.longest).unwrap_or(usize::MAX);
        let moves: usize = involved().map(|clock| clock.goals().len()).sum();
        let own = self.clocks.get(at).map_or(0, |clock| clock.goals().len());
        let answers = count(asked.n_ages) * count(asked.n_horizons);
        let products =
            count(n_steps) * count(n_steps) * count(moves) + answers * (1.0 + count(n_steps) * count(own));
        let quadrature = count(n_steps) * (count(moves) + count(own) * count(asked.n_ages));
        if products > MOST_PRODUCTS || quadrature > MOST_STEPS {
            return Err(too_large("shorter horizons or fewer ages for so many moves"));
        }
        Ok(Grid { age: 0.0, per_day, n_steps })
    }
}

/// The size of a question.
#[derive(Clone, Copy, Debug)]
struct Asked {
    n_ages: usize,
    n_horizons: usize,
    longest: u32,
}

/// An open stage by its position, won or lost as the two after the last.
fn goal(process: &SalesProcess, n_open: usize, name: &str) -> Result<Goal> {
    let stages = process.stages();
    let unknown = || Error::new(ErrorKind::UnknownStage, "a stage of the process").found(name);
    let (i, stage) = stages.iter().enumerate().find(|(_, s)| s.name() == name).ok_or_else(unknown)?;
    Ok(match stage.kind() {
        StageKind::Open => i,
        StageKind::Won => n_open,
        StageKind::Lost => n_open + 1,
    })
}

fn distinct(moves: &[Move]) -> Result<()> {
    let mut ways: Vec<_> = moves.iter().map(|m| (m.from.as_str(), m.to.as_str())).collect();
    ways.sort_unstable();
    match ways.windows(2).find(|pair| pair.first() == pair.last()).and_then(<[_]>::first) {
        Some((from, to)) => Err(Error::new(ErrorKind::InvalidProcess, "each way between two stages once")
            .in_stage(from)
            .found(to)),
        None => Ok(()),
    }
}

/// The moves out of one stage, where they fit together.
fn clock(leaving: &[(Goal, &Leaving)]) -> Result<Clock> {
    let mut hazards = Vec::new();
    let mut shares = Vec::new();
    let mut daily: Vec<(Goal, Vec<f64>)> = Vec::new();
    for (to, by) in leaving {
        match by {
            Leaving::Hazard(sojourn) => {
                sojourn.check()?;
                hazards.push((*to, *sojourn));
            }
            Leaving::Share { p, sojourn } => {
                sojourn.check()?;
                shares.push((*to, p.get(), *sojourn));
            }
            Leaving::Daily { daily: chances } => daily.push((*to, chances.iter().map(|p| p.get()).collect())),
        }
    }
    match (hazards.is_empty(), shares.is_empty(), daily.is_empty()) {
        (_, true, true) => Ok(Clock::Hazards(hazards)),
        (true, false, true) => {
            let total: f64 = shares.iter().map(|(_, p, _)| p).sum();
            if (total - 1.0).abs() > ROUNDING {
                return Err(Error::out_of_range("p", "shares of a stage that sum to 1", total));
            }
            Ok(Clock::Shares(shares))
        }
        (true, true, false) => days_add_up(&daily).map(|()| Clock::Daily(daily)),
        _ => Err(Error::new(ErrorKind::InvalidProcess, "the moves of a stage stated in one way")),
    }
}

fn days_add_up(moves: &[(Goal, Vec<f64>)]) -> Result<()> {
    if moves.iter().any(|(_, chances)| chances.is_empty()) {
        return Err(Error::new(ErrorKind::Missing, "the chances of at least one day").field("daily"));
    }
    let n_days = moves.iter().map(|(_, chances)| chances.len()).max().unwrap_or(0);
    for day in 0..n_days {
        let chance = |(_, chances): &(Goal, Vec<f64>)| chances.get(day).or(chances.last()).copied();
        let total: f64 = moves.iter().filter_map(chance).sum();
        if total > 1.0 + ROUNDING {
            return Err(Error::out_of_range("daily", "chances of a day that sum to at most 1", total));
        }
    }
    Ok(())
}
