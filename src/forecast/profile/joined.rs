//! Several totals as one model: their deals side by side, each under the law of its own total, in strata of one shock.
//!
//! # Formula
//! All totals feel the same z, each with its own rho and tau. Where the strength of a total's shock is uncertain, the
//! uncertainties are independent: the strata are those of every combination of strengths, with the product of their
//! weights. The step in z follows what all deals and new business together do.

use super::{Deals, Gathered, Local, Model, power_of_two};
use crate::forecast::shock::{EXACT, Grain, Law, ShockNode, Stratum, step_in_z, trapezoid};
use crate::forecast::{NewBusiness, Total};
use crate::num::{special, sum::Sum};
use crate::{Error, ErrorKind, Result};

/// Most combinations of strengths.
const MOST: usize = 1024;

/// The deals and the new business of a further total.
pub(crate) struct Beside {
    /// Its first deal.
    pub(crate) first: usize,
    pub(crate) steepest: Option<f64>,
    /// By stratum.
    pub(crate) laws: Vec<Law>,
    pub(crate) new: Option<NewBusiness>,
    /// Expected number of new deals, by stratum.
    pub(crate) n_new: Vec<f64>,
}

/// One of the totals, before the shock is cut.
struct Part<'a> {
    model: Model,
    sums: Gathered<4>,
    nodes: &'a [ShockNode],
}

impl Model {
    /// From several totals; rho below 1.
    pub(crate) fn joined(totals: &[Total]) -> Result<Self> {
        let mut parts = totals.iter().map(Part::open).collect::<Result<Vec<Part<'_>>>>()?;
        // The engine asks whether there is new business of the first.
        parts.sort_by_key(|part| part.model.new.is_none());
        let n = parts.iter().try_fold(1_usize, |n, part| n.checked_mul(part.nodes.len()));
        if n.is_none_or(|n| n > MOST) {
            return Err(
                Error::new(ErrorKind::TooLarge, "at most 1,024 combinations of shocks").field("totals")
            );
        }
        let largest = parts.iter().filter(|part| part.model.has_something()).map(|part| part.model.scale);
        let scale = power_of_two(largest.fold(0.0, f64::max));
        let scored = parts.iter().any(|part| part.model.steepest.is_some());
        parts.iter_mut().for_each(|part| part.prepare(scale, scored));
        let (mut joint, mut error) = (vec![Vec::new(); parts.len()], 0.0);
        let mut combination = vec![0; parts.len()];
        loop {
            error += strata_of(&parts, &combination, &mut joint);
            if !advance(&mut combination, &parts) {
                break;
            }
        }
        Self::assembled(parts, joint, error).bounded()
    }

    fn has_something(&self) -> bool {
        self.deals.len() > 0 || self.new.is_some()
    }

    fn assembled(parts: Vec<Part<'_>>, joint: Vec<Vec<Stratum>>, strata_error: f64) -> Self {
        let mut fixed = Sum::default();
        let (mut deals, mut beside) = (Deals::default(), Vec::new());
        let (mut scale, mut new, mut steepest) = (1.0, None, None);
        let mut local: Vec<Local> = Vec::new();
        let mut strata = Vec::new();
        for (Part { mut model, sums, .. }, pieces) in parts.into_iter().zip(joint) {
            fixed.add(model.fixed);
            let own: Vec<Local> = pieces.iter().map(|piece| model.local(&sums, piece)).collect();
            let first = deals.len();
            deals.chance.append(&mut model.deals.chance);
            deals.score.append(&mut model.deals.score);
            deals.amount.append(&mut model.deals.amount);
            if local.is_empty() {
                (scale, new, steepest) = (model.scale, model.new, model.steepest);
                (local, strata) = (own, pieces);
                continue;
            }
            local.iter_mut().zip(&own).for_each(|(sum, own)| {
                sum.mean += own.mean;
                sum.variance += own.variance;
                sum.square += own.square;
                sum.unrest += own.unrest;
            });
            beside.push(Beside {
                first,
                steepest: model.steepest,
                laws: pieces.iter().map(|piece| piece.law).collect(),
                new: model.new,
                n_new: own.iter().map(|local| local.n_new).collect(),
            });
        }
        Self {
            fixed: fixed.get(),
            scale,
            deals,
            new,
            strata,
            strata_error,
            local,
            steepest,
            low: 0.0,
            high: 0.0,
            mean: 0.0,
            variance: 0.0,
            ladder: None,
            beside,
        }
    }

    /// Deals under one law, as first and end, with their steepest probit.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (usize, usize, Option<f64>)> {
        let starts = [(0, self.steepest)].into_iter();
        let starts = starts.chain(self.beside.iter().map(|beside| (beside.first, beside.steepest)));
        let ends = self.beside.iter().map(|beside| beside.first).chain([self.deals.len()]);
        starts.zip(ends).map(|((first, steepest), end)| (first, end, steepest))
    }

    /// The law of a deal in a stratum.
    pub(crate) fn law(&self, stratum: usize, deal: usize) -> Law {
        let beside = self.beside.iter().rev().find(|beside| beside.first <= deal);
        let of_first = || self.strata.get(stratum).map_or(Law::Plain, |stratum| stratum.law);
        beside.and_then(|beside| beside.laws.get(stratum).copied()).unwrap_or_else(of_first)
    }

    /// The chances of all deals in a stratum.
    pub(crate) fn chances(&self, stratum: usize) -> impl Iterator<Item = f64> {
        let deals = self.deals.iter().enumerate();
        deals.map(move |(deal, (p, score, _))| self.law(stratum, deal).chance(p, score))
    }

    /// Mean and variance, in a stratum, of the new business beside the first.
    pub(crate) fn beside_moments(&self, stratum: usize) -> [f64; 2] {
        let of = |beside: &Beside| {
            let n = beside.n_new.get(stratum).copied().unwrap_or(0.0);
            beside.new.as_ref().map_or([0.0; 2], |new| new.moments_of(n))
        };
        self.beside.iter().map(of).fold([0.0; 2], |sum, [mean, variance]| [sum[0] + mean, sum[1] + variance])
    }

    /// An amount of it that is exceeded with a probability below e^-`odds` for each total.
    pub(crate) fn beside_reach(&self, stratum: usize, odds: f64) -> f64 {
        let of = |beside: &Beside| {
            let n = beside.n_new.get(stratum).copied().unwrap_or(0.0);
            beside.new.as_ref().map_or(0.0, |new| new.reach(n, odds))
        };
        self.beside.iter().map(of).sum()
    }
}

impl<'a> Part<'a> {
    fn open(total: &'a Total) -> Result<Self> {
        let nodes = total.shock.nodes();
        if let Some(node) = nodes.iter().find(|node| node.rho >= 1.0) {
            return Err(Error::out_of_range("rho", "a number below 1 for totals together", node.rho));
        }
        let model = Model::open(total);
        Ok(Self { sums: model.sums(), model, nodes })
    }

    /// Brings the amounts to a common scale, a power of two.
    fn prepare(&mut self, scale: f64, scored: bool) {
        let model = &mut self.model;
        let factor = model.scale / scale;
        model.deals.amount.iter_mut().for_each(|amount| *amount *= factor);
        model.new.iter_mut().flat_map(|new| &mut new.amount).for_each(|amount| *amount *= factor);
        model.scale = scale;
        if scored && model.deals.score.is_empty() {
            model.deals.score = model.deals.chance.iter().map(|p| special::normal_quantile(*p)).collect();
        }
        self.sums = model.sums();
    }

    /// Mean and variance of everything at a z of a node.
    fn at(&self, node: &ShockNode, z: f64) -> (f64, f64) {
        let scale = 1.0 / (1.0 - node.rho).sqrt();
        let law =
            if node.rho == 0.0 { Law::Plain } else { Law::Probit { shift: node.rho.sqrt() * z, scale } };
        let level = special::exp(-node.tau * z - 0.5 * node.tau * node.tau);
        let local = self.model.local(&self.sums, &Stratum { weight: 1.0, law, level });
        let [new_mean, new_variance] = self.model.new_moments(local.n_new);
        (local.mean + new_mean, local.variance + new_variance)
    }
}

/// The next combination of nodes; none after the last.
fn advance(combination: &mut [usize], parts: &[Part<'_>]) -> bool {
    for (node, part) in combination.iter_mut().zip(parts) {
        *node += 1;
        if *node < part.nodes.len() {
            return true;
        }
        *node = 0;
    }
    false
}

/// Appends the strata of a combination to those of every part; what their step leaves as an error.
fn strata_of(parts: &[Part<'_>], combination: &[usize], joint: &mut [Vec<Stratum>]) -> f64 {
    const NUDGE: f64 = 1.0 / 32.0;
    let nodes: Vec<ShockNode> =
        parts.iter().zip(combination).filter_map(|(part, node)| part.nodes.get(*node).copied()).collect();
    let weight: f64 = nodes.iter().map(|node| node.weight).product();
    let alone = |node: &ShockNode| node.rho == 0.0 && node.tau == 0.0;
    if nodes.iter().all(alone) {
        let plain = Stratum { weight, law: Law::Plain, level: 1.0 };
        joint.iter_mut().for_each(|strata| strata.push(plain));
        return 0.0;
    }
    let at = |z: f64| {
        let each = parts.iter().zip(&nodes).map(|(part, node)| part.at(node, z));
        each.fold((0.0, 0.0), |sum, (mean, variance)| (sum.0 + mean, sum.1 + variance))
    };
    let roughness = |z: f64| {
        let (right, left) = (at(z + NUDGE), at(z - NUDGE));
        let sd = (0.5 * (right.1 + left.1)).sqrt();
        if sd > 0.0 { (right.0 - left.0).abs() / (2.0 * NUDGE) / sd } else { 0.0 }
    };
    let rough = (-12..=12).map(|k| roughness(0.5 * f64::from(k))).fold(0.0, f64::max);
    let n_deals = parts.iter().map(|part| part.model.deals.len()).sum();
    let rho = nodes.iter().map(|node| node.rho).fold(0.0, f64::max);
    let (step, error) = step_in_z(Grain { fineness: EXACT, n_deals }, rho, rough);
    for (strata, node) in joint.iter_mut().zip(&nodes) {
        // Every part has the same z's with the same weights.
        let of_node = ShockNode { weight, ..*node };
        strata.extend(trapezoid(&of_node, step));
    }
    weight * error
}
