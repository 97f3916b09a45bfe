//! The chance of leaving a stage on a day, by destination and by completed days in the stage.
//!
//! # Meaning
//! Of the deals that have stood in `propose` for five days, this share moves to `negotiate` on the sixth, this share
//! is lost, this share is won.
//!
//! # Formula
//! With weighted exits `O` and deal-days at risk `R` by stage `s`, destination `d` and age bin `b`:
//! stage mean `g = O_sd / R_s` over ages of at least a day; from the neighbours, weighted by
//! `K = exp(-|m_b - m_c| / 0.25)` on the scale `m = log(1 + age)`, the prior `p = ((O K) + 1/2) / ((R K) + 1/2 / g)`;
//! from the bin itself `h = (O + k) / (R + k / p)` with `k = 2`. On the day of entry, where most moves happen,
//! `O / (R + 1/2)`.
//!
//! # Reference
//! Holford (1980) and Laird & Olivier (1981): with hazards constant within a bin, exits are Poisson with mean `h R`.
//! The two gamma priors in a row are the shrinkage of Clayton & Kaldor (1987).

use crate::history::ages::{N_BINS, log_middle};
use crate::history::counts::{Cell, RISK};
use crate::num::bits;
use crate::num::special::exp;
use serde::{Deserialize, Serialize};

/// Strength of what the neighbours say, in exits.
const PRIOR_EXITS: f64 = 2.0;
/// Strength of the stage mean among the neighbours, in exits: where a few deals lie forgotten for years and none ever
/// leaves, two exits that never were would be believed in every bin.
const MEAN_EXITS: f64 = 0.5;
/// Width of the kernel over log age.
const KERNEL_WIDTH: f64 = 0.25;
/// What staying keeps at least: hazards of a day sum to less than 1.
const LEAST_STAY: f64 = 1e-6;

/// Numbers by (open stage, age bin, destination); destinations are the open stages, won, lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    n_open: usize,
    #[serde(with = "bits::list")]
    values: Vec<f64>,
}

impl Table {
    pub(crate) fn filled(n_open: usize, value: f64) -> Self {
        Self { n_open, values: vec![value; n_open * N_BINS * (n_open + 2)] }
    }

    pub(crate) const fn n_open(&self) -> usize {
        self.n_open
    }

    /// The destinations of one stage and bin.
    pub(crate) fn row(&self, stage: usize, bin: usize) -> &[f64] {
        let width = self.n_open + 2;
        let start = (stage * N_BINS + bin) * width;
        self.values.get(start..start + width).unwrap_or_default()
    }

    pub(crate) fn row_mut(&mut self, stage: usize, bin: usize) -> &mut [f64] {
        let width = self.n_open + 2;
        let start = (stage * N_BINS + bin) * width;
        self.values.get_mut(start..start + width).unwrap_or_default()
    }

    /// All rows as (stage, bin, destinations).
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, usize, &[f64])> {
        let place = |i: usize| (i / N_BINS, i % N_BINS);
        self.values
            .chunks_exact(self.n_open + 2)
            .enumerate()
            .map(move |(i, row)| (place(i).0, place(i).1, row))
    }

    /// All rows, by stage, then bin.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.values.chunks_exact_mut(self.n_open + 2)
    }

    /// Whether a stored table has the size its number of stages asks for, and each number passes.
    pub(crate) fn is_valid(&self, n_open: usize, passes: impl Fn(f64) -> bool) -> bool {
        self.n_open == n_open
            && self.values.len() == n_open * N_BINS * (n_open + 2)
            && self.values.iter().all(|&value| passes(value))
    }

    /// What is left of each row: the chance to stay.
    pub(crate) fn stay(row: &[f64]) -> f64 {
        1.0 - row.iter().sum::<f64>()
    }
}

/// Weighted exits and deal-days at risk.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub exits: Table,
    /// By stage, then bin.
    pub risk: Vec<[f64; N_BINS]>,
}

impl Tally {
    pub(crate) fn new(n_open: usize) -> Self {
        Self { exits: Table::filled(n_open, 0.0), risk: vec![[0.0; N_BINS]; n_open] }
    }

    /// Adds the cells of a week at a weight.
    pub(crate) fn add(&mut self, cells: &[(Cell, u32)], weight: f64) {
        for &(cell, n) in cells {
            let (stage, bin) = (usize::from(cell.stage), usize::from(cell.bin));
            let n = weight * f64::from(n);
            let total = if cell.to == RISK {
                self.risk.get_mut(stage).and_then(|bins| bins.get_mut(bin))
            } else {
                self.exits.row_mut(stage, bin).get_mut(usize::from(cell.to))
            };
            if let Some(total) = total {
                *total += n;
            }
        }
    }

    /// The smoothed hazards.
    pub(crate) fn hazards(&self) -> Table {
        let kernel = kernel();
        let n_open = self.exits.n_open();
        let mut hazards = Table::filled(n_open, 0.0);
        for (stage, risk) in self.risk.iter().enumerate() {
            for to in 0..n_open + 2 {
                let exits: [f64; N_BINS] =
                    std::array::from_fn(|bin| self.exits.row(stage, bin).get(to).copied().unwrap_or(0.0));
                for (bin, h) in smoothed(&exits, risk, &kernel).into_iter().enumerate() {
                    if let Some(hazard) = hazards.row_mut(stage, bin).get_mut(to) {
                        *hazard = h;
                    }
                }
            }
            for bin in 0..N_BINS {
                keep_below_one(hazards.row_mut(stage, bin));
            }
        }
        hazards
    }
}

fn kernel() -> Vec<[f64; N_BINS]> {
    let middles: [f64; N_BINS] = std::array::from_fn(log_middle);
    middles.iter().map(|m| middles.map(|c| exp(-(m - c).abs() / KERNEL_WIDTH))).collect()
}

/// The hazards of one transition over the bins.
fn smoothed(exits: &[f64; N_BINS], risk: &[f64; N_BINS], kernel: &[[f64; N_BINS]]) -> [f64; N_BINS] {
    let later = |x: &[f64; N_BINS]| x.iter().skip(1).sum::<f64>();
    let mean = if later(risk) > 0.0 { later(exits) / later(risk) } else { 0.0 };
    let dot = |k: &[f64; N_BINS], x: &[f64; N_BINS]| k.iter().zip(x).skip(1).map(|(k, x)| k * x).sum::<f64>();
    let mut hazards = [0.0; N_BINS];
    for (bin, ((h, o), (r, k))) in hazards.iter_mut().zip(exits).zip(risk.iter().zip(kernel)).enumerate() {
        *h = if bin == 0 {
            o / (r + 0.5)
        } else if mean > 0.0 {
            let prior = (dot(k, exits) + MEAN_EXITS) / (dot(k, risk) + MEAN_EXITS / mean);
            (o + PRIOR_EXITS) / (r + PRIOR_EXITS / prior)
        } else {
            0.0
        };
    }
    hazards
}

/// Scales the hazards of a day down where together they leave nothing to stay.
pub(crate) fn keep_below_one(row: &mut [f64]) {
    let total: f64 = row.iter().sum();
    if total > 1.0 - LEAST_STAY {
        let scale = (1.0 - LEAST_STAY) / total;
        row.iter_mut().for_each(|h| *h *= scale);
    }
}

/// Multiplies the odds of every exit against staying: `h' = m h / (stay + sum m h)`, so that hazards stay
/// probabilities whatever effects come together.
pub(crate) fn multiply_odds(row: &mut [f64], factors: impl IntoIterator<Item = f64>) {
    let stay = Table::stay(row);
    row.iter_mut().zip(factors).for_each(|(h, m)| *h *= m);
    let total = stay + row.iter().sum::<f64>();
    if total > 0.0 {
        row.iter_mut().for_each(|h| *h /= total);
    }
    keep_below_one(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(exits: impl Fn(usize) -> f64, risk: impl Fn(usize) -> f64) -> Tally {
        let mut tally = Tally::new(1);
        for bin in 0..N_BINS {
            tally.exits.row_mut(0, bin)[1] = exits(bin);
            tally.risk[0][bin] = risk(bin);
        }
        tally
    }

    #[test]
    fn plenty_of_data_speaks_for_itself() {
        let true_hazard = |bin: usize| 0.01 + 0.002 * crate::num::count(bin);
        let hazards = tally(|bin| 1e6 * true_hazard(bin), |_| 1e6).hazards();
        for bin in 0..N_BINS {
            assert!((hazards.row(0, bin)[1] / true_hazard(bin) - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_bin_without_data_follows_its_neighbours() {
        let hazards =
            tally(|bin| if bin == 30 { 0.0 } else { 50.0 }, |bin| if bin == 30 { 0.0 } else { 1000.0 })
                .hazards();
        assert!((hazards.row(0, 30)[1] / 0.05 - 1.0).abs() < 0.01);
    }

    #[test]
    fn what_never_happened_has_no_hazard_and_nothing_sums_to_one() {
        let hazards = tally(|_| 10.0, |_| 10.0).hazards();
        for bin in 0..N_BINS {
            assert_eq!(hazards.row(0, bin)[2], 0.0);
            assert!(Table::stay(hazards.row(0, bin)) > 0.0);
        }
    }

    #[test]
    fn odds_keep_probabilities() {
        let mut row = [0.2, 0.3];
        multiply_odds(&mut row, [2.0, 1.0]);
        assert!((row[0] / Table::stay(&row) - 2.0 * 0.2 / 0.5).abs() < 1e-15);
        multiply_odds(&mut row, [1e300, 1e300]);
        assert!(row.iter().sum::<f64>() < 1.0);
    }
}
