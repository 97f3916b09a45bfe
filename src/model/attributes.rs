//! What deals are created with, and how much it changes each move: onshore wind waits longer than solar.
//!
//! # Formula
//! The two attributes that explain most are kept: the largest chi-square of won against expected, `sum (O - E)^2 / E`
//! over levels with at least 30 deals, the 8 largest of them; all others are one level. For level `l` of an attribute
//! the odds of every move are multiplied by `r_sdl`, observed over expected, [shrunk](super::shrink), and then by a
//! smooth change with age of the same form, `(5 + (O K)) / (5 + (E K))`, `K` a kernel of width 1 on log age. The two
//! are fitted in turns, each against what the other explains (backfitting, Hastie & Tibshirani 1990).

use super::hazard::{Table, Tally};
use super::shrink;
use crate::history::ages::{N_BINS, log_middle};
use crate::history::classes::Attributes;
use crate::history::counts::{Cell, RISK};
use crate::num::special::exp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MOST_ATTRIBUTES: usize = 2;
const MOST_LEVELS: usize = 8;
const FEWEST_DEALS: usize = 30;
const FEWEST_EXITS: f64 = 10.0;
const AGE_PRIOR: f64 = 5.0;
const ROUNDS: usize = 5;

/// One attribute that is used: its levels by name, in order; level 0 is everything else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Effect {
    pub name: String,
    pub levels: Vec<String>,
    /// Odds factors by level, `levels.len() + 1` of them.
    pub factors: Vec<Table>,
}

impl Effect {
    /// The level of a deal with these attributes.
    pub(crate) fn level(&self, attributes: &Attributes) -> usize {
        let value = attributes.get(&self.name);
        value.and_then(|value| self.levels.binary_search(value).ok()).map_or(0, |level| level + 1)
    }

    fn n_levels(&self) -> usize {
        self.levels.len() + 1
    }
}

/// All effects, and the group of a deal: the combination of its levels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Effects(pub Vec<Effect>);

impl Effects {
    /// The group of deals with these attributes.
    pub(crate) fn group(&self, attributes: &Attributes) -> u32 {
        let group =
            self.0.iter().fold(0, |group, effect| group * effect.n_levels() + effect.level(attributes));
        u32::try_from(group).unwrap_or(0)
    }

    pub(crate) fn n_groups(&self) -> usize {
        self.0.iter().map(Effect::n_levels).product()
    }

    /// The levels a group is made of.
    fn levels(&self, group: usize) -> Vec<usize> {
        let mut rest = group;
        let mut levels: Vec<usize> = self
            .0
            .iter()
            .rev()
            .map(|effect| {
                let level = rest % effect.n_levels();
                rest /= effect.n_levels();
                level
            })
            .collect();
        levels.reverse();
        levels
    }

    /// The value of an attribute in a group; none where it is not used or the value is one of the rest.
    pub(crate) fn value(&self, name: &str, group: usize) -> Option<&str> {
        let place = self.0.iter().position(|effect| effect.name == name)?;
        let level = self.levels(group).get(place)?.checked_sub(1)?;
        self.0.get(place)?.levels.get(level).map(String::as_str)
    }

    /// The factors of a group.
    pub(crate) fn factors(&self, group: usize) -> Vec<&Table> {
        self.0
            .iter()
            .zip(self.levels(group))
            .filter_map(|(effect, level)| effect.factors.get(level))
            .collect()
    }

    /// Chooses the attributes and their levels; all factors are 1.
    pub(crate) fn choose(classes: &[Attributes], won: &[ClassTotal], n_open: usize) -> Self {
        let mut by_name: BTreeMap<&str, BTreeMap<&str, ClassTotal>> = BTreeMap::new();
        for (attributes, total) in classes.iter().zip(won) {
            for (name, value) in attributes {
                let level = by_name.entry(name).or_default().entry(value).or_default();
                level.n_deals += total.n_deals;
                level.observed += total.observed;
                level.expected += total.expected;
            }
        }
        let mut candidates: Vec<(f64, Effect)> = Vec::new();
        for (name, levels) in by_name {
            let mut large: Vec<(&str, ClassTotal)> =
                levels.into_iter().filter(|(_, total)| total.n_deals >= FEWEST_DEALS).collect();
            large.sort_by(|a, b| b.1.n_deals.cmp(&a.1.n_deals).then(a.0.cmp(b.0)));
            large.truncate(MOST_LEVELS);
            let chi_square: f64 = large.iter().map(|(_, total)| total.chi_square()).sum();
            let mut levels: Vec<String> = large.iter().map(|(value, _)| (*value).to_owned()).collect();
            levels.sort_unstable();
            let factors = vec![Table::filled(n_open, 1.0); levels.len() + 1];
            candidates.push((chi_square, Effect { name: name.to_owned(), levels, factors }));
        }
        candidates.retain(|(chi_square, effect)| *chi_square > 0.0 && !effect.levels.is_empty());
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.name.cmp(&b.1.name)));
        Self(candidates.into_iter().take(MOST_ATTRIBUTES).map(|(_, effect)| effect).collect())
    }

    /// Fits the factors in turns to the counts of every group.
    pub(crate) fn backfit(&mut self, base: &Table, groups: &[Tally]) {
        let kernel = kernel();
        for _ in 0..if self.0.len() > 1 { ROUNDS } else { 1 } {
            for this in 0..self.0.len() {
                let mut totals: Vec<LevelTotal> = Vec::new();
                let n_levels = self.0.get(this).map_or(0, Effect::n_levels);
                totals.resize_with(n_levels, || LevelTotal::new(base.n_open()));
                for (group, tally) in groups.iter().enumerate() {
                    let levels = self.levels(group);
                    let others: Vec<&Table> = self
                        .0
                        .iter()
                        .zip(&levels)
                        .enumerate()
                        .filter(|&(i, _)| i != this)
                        .filter_map(|(_, (effect, &level))| effect.factors.get(level))
                        .collect();
                    if let Some(total) = levels.get(this).and_then(|&level| totals.get_mut(level)) {
                        total.add(base, &others, tally);
                    }
                }
                if let Some(effect) = self.0.get_mut(this) {
                    effect.factors = level_factors(&totals, &kernel);
                }
            }
        }
    }
}

/// Deals of a class, how many were won and how many would have been without any effect.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClassTotal {
    pub n_deals: usize,
    pub observed: f64,
    pub expected: f64,
}

impl ClassTotal {
    fn chi_square(&self) -> f64 {
        if self.expected > 0.0 {
            (self.observed - self.expected) * (self.observed - self.expected) / self.expected
        } else {
            0.0
        }
    }

    /// Won and expected to be won, by class.
    pub(crate) fn add_week(totals: &mut [Self], cells: &[(Cell, u32)], (base, weight): (&Table, f64)) {
        let won = base.n_open();
        for &(cell, n) in cells {
            let Some(total) = usize::try_from(cell.class).ok().and_then(|class| totals.get_mut(class)) else {
                continue;
            };
            let n = weight * f64::from(n);
            if cell.to == RISK {
                let hazards = base.row(usize::from(cell.stage), usize::from(cell.bin));
                total.expected += n * hazards.get(won).copied().unwrap_or(0.0);
            } else if usize::from(cell.to) == won {
                total.observed += n;
            }
        }
    }
}

/// Observed and expected exits of a level.
struct LevelTotal {
    observed: Table,
    expected: Table,
}

impl LevelTotal {
    fn new(n_open: usize) -> Self {
        Self { observed: Table::filled(n_open, 0.0), expected: Table::filled(n_open, 0.0) }
    }

    fn add(&mut self, base: &Table, others: &[&Table], tally: &Tally) {
        for (stage, bins) in tally.risk.iter().enumerate() {
            for (bin, &risk) in bins.iter().enumerate().filter(|&(_, &risk)| risk > 0.0) {
                for (sum, n) in self.observed.row_mut(stage, bin).iter_mut().zip(tally.exits.row(stage, bin))
                {
                    *sum += n;
                }
                for (to, (sum, h)) in
                    self.expected.row_mut(stage, bin).iter_mut().zip(base.row(stage, bin)).enumerate()
                {
                    let factor: f64 =
                        others.iter().map(|f| f.row(stage, bin).get(to).copied().unwrap_or(1.0)).product();
                    *sum += risk * h * factor;
                }
            }
        }
    }

    /// One transition over the bins, as (observed, expected).
    fn transition(&self, stage: usize, to: usize) -> [(f64, f64); N_BINS] {
        let at = |table: &Table, bin| table.row(stage, bin).get(to).copied().unwrap_or(0.0);
        std::array::from_fn(|bin| (at(&self.observed, bin), at(&self.expected, bin)))
    }
}

fn kernel() -> Vec<[f64; N_BINS]> {
    let middles: [f64; N_BINS] = std::array::from_fn(log_middle);
    middles.iter().map(|m| middles.map(|c| exp(-(m - c).abs()))).collect()
}

fn level_factors(totals: &[LevelTotal], kernel: &[[f64; N_BINS]]) -> Vec<Table> {
    let n_open = totals.first().map_or(0, |total| total.observed.n_open());
    let mut factors = vec![Table::filled(n_open, 1.0); totals.len()];
    for (stage, to) in (0..n_open).flat_map(|stage| (0..n_open + 2).map(move |to| (stage, to))) {
        let levels: Vec<[(f64, f64); N_BINS]> =
            totals.iter().map(|total| total.transition(stage, to)).collect();
        let sums: Vec<(f64, f64)> = levels
            .iter()
            .map(|bins| bins.iter().fold((0.0, 0.0), |sum, bin| (sum.0 + bin.0, sum.1 + bin.1)))
            .collect();
        if sums.iter().map(|sum| sum.0).sum::<f64>() < FEWEST_EXITS {
            continue;
        }
        for ((table, bins), overall) in factors.iter_mut().zip(&levels).zip(shrink::factors(&sums)) {
            for (bin, weights) in kernel.iter().enumerate() {
                let (o, e) =
                    weights.iter().zip(bins).fold((0.0, 0.0), |s, (k, b)| (s.0 + k * b.0, s.1 + k * b.1));
                let with_age = (AGE_PRIOR + o) / (AGE_PRIOR + overall * e);
                if let Some(factor) = table.row_mut(stage, bin).get_mut(to) {
                    *factor = overall * with_age;
                }
            }
        }
    }
    factors
}
