//! The chance to be won or lost within a time, for a deal that has just entered a stage.
//!
//! # Formula
//! `W_s(t) = sum_d integral over (0, t) of f_sd(u) W_d(t - u) du`, with 1 for won and nothing left at `t = 0`. On steps
//! of a fraction of a day `W_d` is linear between the nodes, and `f_sd` enters by its exact mass `m_k` and first moment
//! `l_k` in each step: the weight of `W_d(n - k)` is `m_k - l_k + l_(k-1)`. The weight at `k = 0` (moves within the same
//! step) makes a linear system over the stages, inverted once. A stage with chances by day starts at age 0 on the day
//! after it is entered, so that its value depends on the whole days left after the one of entry.
//!
//! # Numerics
//! Second order in the step, with weights that are never negative: chances never fall with the horizon and won and lost
//! together never pass 1.
//!
//! # Reference
//! Linz (1985), Analytical and Numerical Methods for Volterra Equations, section 7.3 (product trapezoidal rule); Howard
//! (1971), Dynamic Probabilistic Systems II, section 10.

use super::steps::{Clock, Exits, Goal, Grid};
use crate::{Error, ErrorKind, Result};

/// Chance to be won and to be lost.
pub(super) type Ends = [f64; 2];

/// Below this chance of ever leaving a circle of moves within one step, nothing can be said.
const LEAST_WAY_OUT: f64 = 1e-9;

/// What is reached within every number of steps.
pub(super) struct Renewal<'a> {
    clocks: &'a [Clock],
    per_day: usize,
    /// By stage: at `n`, for a deal that enters with `n` steps left.
    reached: Vec<Vec<Ends>>,
}

/// The steps of one stage, ready to be weighted with what is reached from each destination.
pub(super) struct Kernel {
    open: Vec<(Goal, Vec<f64>)>,
    /// Won and lost within `n` steps at once.
    closed: Vec<Ends>,
}

impl<'a> Renewal<'a> {
    /// For the stages marked as needed; others count as never left.
    pub(super) fn solve(clocks: &'a [Clock], needed: &[bool], grid: Grid) -> Result<Self> {
        let mut renewal = Self { clocks, per_day: grid.per_day, reached: Vec::new() };
        let mut kernels = Vec::with_capacity(clocks.len());
        for (clock, needed) in clocks.iter().zip(needed) {
            let n_steps = if *needed { grid.n_steps } else { 0 };
            let exits = clock.exits(Grid { n_steps: clock.steps(n_steps, grid.per_day), ..grid });
            renewal.reached.push(vec![[0.0; 2]; n_steps + 1]);
            kernels.push(renewal.kernel(exits.unwrap_or_default(), clock));
        }
        let at_once = renewal.at_once(&kernels)?;
        for n in 1..=grid.n_steps {
            if (n - 1) % grid.per_day == 0 {
                renewal.start_day(&kernels, n);
            }
            renewal.step(&kernels, &at_once, n);
        }
        Ok(renewal)
    }

    /// The weights of a stage's exits.
    pub(super) fn kernel(&self, exits: Vec<Exits>, clock: &Clock) -> Kernel {
        let n_open = self.clocks.len();
        let n_steps = exits.iter().map(|e| e.mass.len()).max().unwrap_or(0);
        let mut closed = vec![[0.0; 2]; n_steps + 1];
        let mut open = Vec::new();
        for Exits { to, mass, late } in exits {
            if let Some(next) = self.clocks.get(to) {
                // From day to day, and into a stage whose days start tomorrow, when in the step makes no difference.
                let plain = clock.is_daily() || next.is_daily();
                open.push((to, if plain { mass } else { hat(&mass, &late) }));
                continue;
            }
            let mut total = 0.0;
            for (ends, mass) in closed.iter_mut().skip(1).zip(&mass) {
                total += mass;
                if let Some(end) = ends.get_mut(to - n_open) {
                    *end = total;
                }
            }
        }
        Kernel { open, closed }
    }

    /// What a deal of this kernel reaches in `n` steps, moves at once to stages without chances by day aside (`from`:
    /// the first step that counts).
    fn weigh(&self, kernel: &Kernel, n: usize, from: usize) -> Ends {
        let mut ends = kernel.closed_by(n);
        for (to, weights) in &kernel.open {
            let Some(reached) = self.reached.get(*to) else { continue };
            let from = if self.clocks.get(*to).is_some_and(Clock::is_daily) { 0 } else { from };
            let (Some(weights), Some(reached)) =
                (weights.get(from..), reached.get(1..=n.saturating_sub(from)))
            else {
                continue;
            };
            for (weight, [won, lost]) in weights.iter().zip(reached.iter().rev()) {
                ends[0] += weight * won;
                ends[1] += weight * lost;
            }
        }
        ends
    }

    /// What a deal of a stage with these exits reaches in whole days.
    pub(super) fn after(&self, kernel: &Kernel, clock: &Clock, days: usize) -> Ends {
        if !clock.is_daily() {
            return self.weigh(kernel, days * self.per_day, 0);
        }
        let mut ends = kernel.closed_by(days);
        for (to, weights) in &kernel.open {
            for (day, weight) in weights.iter().take(days).enumerate() {
                let [won, lost] = self.of_morning(*to, days - 1 - day);
                ends[0] += weight * won;
                ends[1] += weight * lost;
            }
        }
        ends
    }

    /// For a deal that starts a day at age 0 with that many days left.
    fn of_morning(&self, stage: Goal, days: usize) -> Ends {
        let daily = self.clocks.get(stage).is_some_and(Clock::is_daily);
        let steps = days * self.per_day + usize::from(daily);
        self.reached.get(stage).and_then(|r| r.get(steps)).copied().unwrap_or_default()
    }

    /// Stages with chances by day: the same for entries at any time of the day.
    fn start_day(&mut self, kernels: &[Kernel], n: usize) {
        for (stage, (kernel, clock)) in kernels.iter().zip(self.clocks).enumerate() {
            if !clock.is_daily() {
                continue;
            }
            let ends = self.after(kernel, clock, (n - 1) / self.per_day);
            let day = self.reached.get_mut(stage).into_iter().flatten().skip(n).take(self.per_day);
            day.for_each(|slot| *slot = ends);
        }
    }

    fn step(&mut self, kernels: &[Kernel], at_once: &[Vec<f64>], n: usize) {
        let continuous = |clock: &Clock| !clock.is_daily();
        let settled: Vec<Ends> = kernels
            .iter()
            .zip(self.clocks)
            .map(|(kernel, clock)| if continuous(clock) { self.weigh(kernel, n, 1) } else { [0.0; 2] })
            .collect();
        for ((row, reached), clock) in at_once.iter().zip(&mut self.reached).zip(self.clocks) {
            if let Some(slot) = reached.get_mut(n).filter(|_| continuous(clock)) {
                *slot = row
                    .iter()
                    .zip(&settled)
                    .fold([0.0; 2], |[won, lost], (a, ends)| [won + a * ends[0], lost + a * ends[1]]);
            }
        }
    }

    /// `(1 - A)^-1`, `A` the weights of moves within the step between stages without chances by day.
    fn at_once(&self, kernels: &[Kernel]) -> Result<Vec<Vec<f64>>> {
        let n = kernels.len();
        let mut rows = vec![vec![0.0; 2 * n]; n];
        for (i, (row, kernel)) in rows.iter_mut().zip(kernels).enumerate() {
            for (j, x) in row.iter_mut().enumerate() {
                *x = if j == i || j == n + i { 1.0 } else { 0.0 };
            }
            if self.clocks.get(i).is_some_and(Clock::is_daily) {
                continue;
            }
            for (to, weights) in &kernel.open {
                if self.clocks.get(*to).is_some_and(|clock| !clock.is_daily())
                    && let (Some(x), Some(weight)) = (row.get_mut(*to), weights.first())
                {
                    *x -= weight;
                }
            }
        }
        invert(rows)
    }
}

impl Kernel {
    fn closed_by(&self, n: usize) -> Ends {
        self.closed.get(n).or(self.closed.last()).copied().unwrap_or_default()
    }
}

impl Clock {
    /// Steps of a stage within so many steps of the grid.
    pub(super) const fn steps(&self, n_steps: usize, per_day: usize) -> usize {
        if self.is_daily() { n_steps / per_day } else { n_steps }
    }
}

/// The weights of piecewise linear values.
fn hat(mass: &[f64], late: &[f64]) -> Vec<f64> {
    let before = std::iter::once(0.0).chain(late.iter().copied());
    let last = late.last().copied();
    mass.iter().zip(late).zip(before).map(|((m, l), b)| (m - l).max(0.0) + b).chain(last).collect()
}

/// Gauss-Jordan on `[M, 1]`; `M` is 1 minus moves of less than 1 a row, so that no pivoting is needed.
fn invert(mut rows: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>> {
    let n = rows.len();
    for i in 0..n {
        let Some(mut pivot_row) = rows.get(i).cloned() else { continue };
        let pivot = pivot_row.get(i).copied().unwrap_or(0.0);
        if pivot < LEAST_WAY_OUT {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                "stages that are not left in circles within minutes",
            ));
        }
        for x in &mut pivot_row {
            *x /= pivot;
        }
        for (j, row) in rows.iter_mut().enumerate() {
            let factor = if j == i { 0.0 } else { row.get(i).copied().unwrap_or(0.0) };
            row.iter_mut().zip(&pivot_row).for_each(|(x, p)| *x -= factor * p);
        }
        if let Some(row) = rows.get_mut(i) {
            *row = pivot_row;
        }
    }
    Ok(rows.into_iter().map(|row| row.into_iter().skip(n).collect()).collect())
}
