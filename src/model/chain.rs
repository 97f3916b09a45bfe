//! The chance to be won by a day, backward over the days: a semi-Markov chain on (stage, age in stage).
//!
//! # Formula
//! `F_t(s, a)` is the chance to be won before the end for a deal that is in stage `s` at age `a` at the start of day
//! `t`: `F_t(s, a) = sum_d h_sd(a) V_t(d) + stay F_{t+1}(s, a + 1)`. Here `V_t` is 1 for won, 0 for lost, and for another
//! stage the chance on entering it that day, `G_t(d) = sum_e h_de(0) V_t(e) + stay F_{t+1}(d, 1)`: moves on the day of
//! entry are a linear system over the stages, solved once a day. Conditioning on age is the chain itself: no division,
//! no convolution, no midpoint rule.
//!
//! # Reference
//! Asanjarani, Liquet & Nazarathy (2021), Estimation of semi-Markov multi-state models, section 2 (discrete time);
//! Howard (1971), Dynamic Probabilistic Systems II, chapter 10.

use super::hazard::Table;
use crate::history::ages::{N_BINS, bin_of, end_of};

/// The hazards of one kind of day, ready for the chain.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    hazards: Table,
    stay: Vec<[f64; N_BINS]>,
    /// Inverse of `1 - h(0)` over the open stages, by rows.
    same_day: Vec<Vec<f64>>,
}

impl Day {
    pub(crate) fn new(hazards: Table) -> Self {
        let n_open = hazards.n_open();
        let mut stay = vec![[0.0; N_BINS]; n_open];
        for (stage, bin, row) in hazards.rows() {
            if let Some(slot) = stay.get_mut(stage).and_then(|bins| bins.get_mut(bin)) {
                *slot = Table::stay(row);
            }
        }
        let moves: Vec<Vec<f64>> =
            (0..n_open).map(|stage| hazards.row(stage, 0).iter().take(n_open).copied().collect()).collect();
        Self { hazards, stay, same_day: inverse_of_one_minus(&moves) }
    }
}

/// `(1 - A)^-1` for a matrix of moves whose rows sum to less than 1: by Gauss-Jordan; the diagonal dominates, so no
/// pivoting is needed.
fn inverse_of_one_minus(moves: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = moves.len();
    let unit = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let left = moves.get(i).into_iter().flatten().enumerate().map(|(j, m)| unit(i, j) - m);
            left.chain((0..n).map(|j| unit(i, j))).collect()
        })
        .collect();
    for i in 0..n {
        let Some(pivot_row) = rows.get_mut(i) else { continue };
        let pivot = pivot_row.get(i).copied().unwrap_or(1.0);
        pivot_row.iter_mut().for_each(|x| *x /= pivot);
        let pivot_row = pivot_row.clone();
        for (j, row) in rows.iter_mut().enumerate().filter(|&(j, _)| j != i) {
            let factor = row.get(i).copied().unwrap_or(0.0);
            debug_assert_ne!(j, i);
            row.iter_mut().zip(&pivot_row).for_each(|(x, p)| *x -= factor * p);
        }
    }
    rows.into_iter().map(|row| row.into_iter().skip(n).collect()).collect()
}

/// An open deal at the start of the first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    pub stage: u8,
    pub age: i32,
}

/// What the chain is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course<'a> {
    /// The hazards of every day, first to last.
    pub days: &'a [&'a Day],
    /// The destination that counts, `n_open` for won.
    pub goal: usize,
}

/// Chances to reach the goal by the end.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    /// For each standing asked about.
    pub standing: Vec<f64>,
    /// By day of entry, then stage entered.
    pub entering: Vec<Vec<f64>>,
}

impl Course<'_> {
    /// One backward pass over the days.
    pub(crate) fn run(&self, standing: &[Standing]) -> Reached {
        let n_open = self.days.first().map_or(0, |day| day.hazards.n_open());
        let mut values = vec![0.0; n_open + 2];
        if let Some(goal) = values.get_mut(self.goal) {
            *goal = 1.0;
        }
        let mut pass = Pass {
            later: vec![vec![0.0; self.days.len() + 2]; n_open],
            leaving: vec![[0.0; N_BINS]; n_open],
            values,
        };
        let mut reached =
            Reached { standing: vec![0.0; standing.len()], entering: vec![Vec::new(); self.days.len()] };
        let days = self.days.iter().zip(reached.entering.iter_mut()).enumerate().rev();
        for (t, (day, entering)) in days {
            pass.enter(day);
            entering.extend_from_slice(pass.values.get(..n_open).unwrap_or_default());
            pass.leave(day);
            pass.stay(day, t);
            let elapsed = i32::try_from(t).unwrap_or(i32::MAX);
            for (chance, deal) in reached.standing.iter_mut().zip(standing) {
                let (stage, bin) = (usize::from(deal.stage), bin_of(deal.age.saturating_add(elapsed)));
                *chance = pass.at(day, stage, bin, *chance);
            }
        }
        reached
    }
}

/// The state of a backward pass.
struct Pass {
    /// `F_{t+1}(s, a)` by stage and age of deals that entered after the first day.
    later: Vec<Vec<f64>>,
    /// `sum_d h_sd(b) V_t(d)` by stage and bin.
    leaving: Vec<[f64; N_BINS]>,
    /// `V_t` by destination.
    values: Vec<f64>,
}

impl Pass {
    /// The chance on entering each stage today.
    fn enter(&mut self, day: &Day) {
        let n_open = self.later.len();
        let settled: Vec<f64> = (0..n_open)
            .map(|stage| {
                let closing = day.hazards.row(stage, 0).iter().zip(&self.values).skip(n_open);
                let later = self.later.get(stage).and_then(|ages| ages.get(1)).copied().unwrap_or(0.0);
                let stay = day.stay.get(stage).and_then(|bins| bins.first()).copied().unwrap_or(0.0);
                closing.map(|(h, v)| h * v).sum::<f64>() + stay * later
            })
            .collect();
        for (value, row) in self.values.iter_mut().zip(&day.same_day) {
            *value = row.iter().zip(&settled).map(|(a, g)| a * g).sum();
        }
    }

    fn leave(&mut self, day: &Day) {
        for (stage, bins) in self.leaving.iter_mut().enumerate() {
            for (bin, leaving) in bins.iter_mut().enumerate() {
                *leaving = day.hazards.row(stage, bin).iter().zip(&self.values).map(|(h, v)| h * v).sum();
            }
        }
    }

    /// Steps `F` from tomorrow to today for the ages that deals entering since the first day can have: at most `t`.
    fn stay(&mut self, day: &Day, t: usize) {
        let bins = self.leaving.iter().zip(&day.stay);
        for (ages, (leaving, stay)) in self.later.iter_mut().zip(bins) {
            let mut from = 1;
            for (bin, (leaving, stay)) in leaving.iter().zip(stay).enumerate().skip(1) {
                let end = end_of(bin).and_then(|end| usize::try_from(end).ok()).unwrap_or(usize::MAX);
                let to = end.min(t + 1);
                let Some(run) = ages.get_mut(from..=to) else { break };
                // Each age takes the place of the next one, which still holds tomorrow's chance.
                run.copy_within(1.., 0);
                run.iter_mut().take(to - from).for_each(|f| *f = leaving + stay * *f);
                // The place past the end belongs to the next bin, which has yet to read it.
                from = to;
                if to == t + 1 {
                    break;
                }
            }
        }
    }

    fn at(&self, day: &Day, stage: usize, bin: usize, tomorrow: f64) -> f64 {
        let leaving = self.leaving.get(stage).and_then(|bins| bins.get(bin)).copied().unwrap_or(0.0);
        let stay = day.stay.get(stage).and_then(|bins| bins.get(bin)).copied().unwrap_or(0.0);
        leaving + stay * tomorrow
    }
}
