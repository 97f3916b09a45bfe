//! How fast the world changes: a level now, averaged over memories of different lengths.
//!
//! # Meaning
//! Win rates and volumes drift. A short memory follows quickly and trembles, a long one is steady and late. Each memory
//! is scored on the past, and the level is their average, weighted by how well each did. Averaging beats picking.
//!
//! # Formula
//! For exits `O` and expected exits `E` by week and series, and half-life `g`:
//! `L_g = (1 + sum w O) / (1 + sum w E)`, `w = 2^(-age / g)`. Loss of `g`: over past blocks a quarter of the horizon
//! apart, the squared error of `sqrt(O + 3/8)` against `sqrt(L_g E + 3/8)` over the following horizon, summed over series
//! with at least 10 exits (Anscombe 1948: the square root of a count has constant variance). Weight of `g`
//! proportional to `(loss / least loss)^(-n / 4)` with `n` blocks, four of which make one independent window:
//! the likelihood of normal errors. Under four blocks the memory of two horizons is taken.

use crate::num::special::{exp, exp2, ln};

/// Half-lives in horizons.
const HALF_LIVES: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, f64::INFINITY];
const DEFAULT: usize = 3;
/// Fewest exits that let a series speak about memories.
const FEWEST_EXITS: f64 = 10.0;
/// Blocks in a horizon.
const BLOCKS: usize = 4;

/// What happened and what was expected, by week, oldest first.
pub(crate) type Series = Vec<(f64, f64)>;

/// The outcome of scoring the memories.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    weights: [f64; HALF_LIVES.len()],
    horizon_weeks: usize,
    n_blocks: usize,
}

/// How the averaged level did over one past window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PastError {
    pub observed: f64,
    pub predicted: f64,
}

impl Memory {
    /// Scores every half-life on the past of the series, which all have the same number of weeks.
    pub(crate) fn learn(series: &[Series], horizon_weeks: usize) -> Self {
        let horizon_weeks = horizon_weeks.max(1);
        let speaking = series.iter().filter(|s| s.iter().map(|w| w.0).sum::<f64>() >= FEWEST_EXITS);
        let mut losses = [0.0; HALF_LIVES.len()];
        let mut n_blocks = 0;
        for one in speaking {
            n_blocks = each_window(one, horizon_weeks, |levels, observed, expected| {
                for (loss, level) in losses.iter_mut().zip(levels) {
                    let error = (observed + 0.375).sqrt() - (level * expected + 0.375).sqrt();
                    *loss += error * error;
                }
            });
        }
        Self { weights: weights(&losses, n_blocks), horizon_weeks, n_blocks }
    }

    /// The level at the end of a series.
    pub(crate) fn level(&self, series: &Series) -> f64 {
        let mut sums = Sums::new(self.horizon_weeks);
        series.iter().for_each(|&week| sums.push(week));
        self.average(&sums.levels())
    }

    /// What the averaged level would have predicted over each past window, beside what came.
    pub(crate) fn past_errors(&self, series: &Series) -> Vec<PastError> {
        let mut errors = Vec::with_capacity(self.n_blocks);
        each_window(series, self.horizon_weeks, |levels, observed, expected| {
            errors.push(PastError { observed, predicted: self.average(levels) * expected });
        });
        errors
    }

    fn average(&self, levels: &[f64; HALF_LIVES.len()]) -> f64 {
        exp(levels.iter().zip(&self.weights).map(|(level, weight)| weight * ln(*level)).sum())
    }
}

fn weights(losses: &[f64; HALF_LIVES.len()], n_blocks: usize) -> [f64; HALF_LIVES.len()] {
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    if n_blocks < BLOCKS || !(least > 0.0) {
        return std::array::from_fn(|i| if i == DEFAULT { 1.0 } else { 0.0 });
    }
    let windows = crate::num::count(n_blocks) / crate::num::count(BLOCKS);
    let raw = losses.map(|loss| exp(-windows * ln(loss / least)));
    let total: f64 = raw.iter().sum();
    raw.map(|weight| weight / total)
}

/// Weighted sums of what happened and what was expected under every half-life.
struct Sums {
    keep: [f64; HALF_LIVES.len()],
    sums: [(f64, f64); HALF_LIVES.len()],
}

impl Sums {
    fn new(horizon_weeks: usize) -> Self {
        let keep = HALF_LIVES.map(|g| exp2(-1.0 / (g * crate::num::count(horizon_weeks))));
        Self { keep, sums: [(0.0, 0.0); HALF_LIVES.len()] }
    }

    fn push(&mut self, (observed, expected): (f64, f64)) {
        for (sum, keep) in self.sums.iter_mut().zip(&self.keep) {
            *sum = (sum.0 * keep + observed, sum.1 * keep + expected);
        }
    }

    fn levels(&self) -> [f64; HALF_LIVES.len()] {
        self.sums.map(|(observed, expected)| (1.0 + observed) / (1.0 + expected))
    }
}

/// Visits the complete windows of the past, a block apart, the last one ending with the series, with the levels before
/// each; returns how many there are.
fn each_window(
    series: &Series,
    horizon: usize,
    mut visit: impl FnMut(&[f64; HALF_LIVES.len()], f64, f64),
) -> usize {
    let block = horizon.div_ceil(BLOCKS);
    let mut sums = Sums::new(horizon);
    let mut n = 0;
    for (week, &now) in series.iter().enumerate() {
        // A window needs something to look back on.
        let rest = series.len() - week;
        if week >= block && rest >= horizon && (rest - horizon).is_multiple_of(block) {
            let window = series.get(week..week + horizon).unwrap_or_default();
            let (observed, expected) = window.iter().fold((0.0, 0.0), |sum, w| (sum.0 + w.0, sum.1 + w.1));
            visit(&sums.levels(), observed, expected);
            n += 1;
        }
        sums.push(now);
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(n: usize, rate: impl Fn(usize) -> f64) -> Series {
        (0..n).map(|week| (rate(week), 100.0)).collect()
    }

    #[test]
    fn a_steady_series_keeps_a_long_memory() {
        // Alternating noise around a constant: the longer the memory, the better.
        let steady = series(200, |week| if week % 2 == 0 { 80.0 } else { 120.0 });
        let memory = Memory::learn(std::slice::from_ref(&steady), 4);
        assert!((memory.level(&steady) - 1.0).abs() < 0.05);
        assert!(memory.weights[6] > memory.weights[0]);
    }

    #[test]
    fn a_jump_is_followed_within_a_horizon() {
        let jump = series(200, |week| if week < 150 { 100.0 } else { 400.0 });
        let memory = Memory::learn(std::slice::from_ref(&jump), 4);
        assert!((memory.level(&jump) / 4.0 - 1.0).abs() < 0.05);
        assert_eq!(memory.past_errors(&jump).last().map(|e| e.observed), Some(1600.0));
    }

    #[test]
    fn too_short_a_past_takes_two_horizons() {
        let short = series(6, |_| 100.0);
        assert_eq!(Memory::learn(&[short], 4).weights[DEFAULT], 1.0);
        let empty = Memory::learn(&[], 4);
        assert_eq!(empty.level(&Vec::new()), 1.0);
    }
}
