//! Of the deals given 60 %, were 60 % won?
//!
//! # Formula
//! The recalibrated chance is the isotonic regression of the outcomes on the stated chances: the non-decreasing
//! function that minimises the squared error, found by pooling adjacent violators. Equal chances are pooled first.
//! With `S` the Brier score of the stated chances, `S_c` that of the recalibrated ones and `S_r` that of always saying
//! the overall rate:
//!
//! * miscalibration `S - S_c`: what relabelling alone would gain;
//! * discrimination `S_r - S_c`: what telling deals apart gained;
//! * uncertainty `S_r`: how hard the question was;
//! * Brier score = miscalibration - discrimination + uncertainty.
//!
//! No bins are chosen, so none can be chosen to please.
//!
//! # Reference
//! Dimitriadis, Gneiting & Jordan (2021), Stable reliability diagrams for probabilistic classifiers, PNAS 118, eq. 3-4;
//! Ayer et al. (1955), An empirical distribution function for sampling with incomplete information, section 2.

use super::{Claim, brier, some_of};
use crate::num::count;
use crate::{Probability, Result};
use serde::Serialize;
use std::fmt;
use std::ops::RangeInclusive;

/// A range of stated chances that share one recalibrated chance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    stated: RangeInclusive<Probability>,
    n: usize,
    n_happened: usize,
}

impl Step {
    /// Smallest and largest chance stated in this step.
    pub const fn stated(&self) -> &RangeInclusive<Probability> {
        &self.stated
    }

    /// How many claims fell into it.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// How many of those events happened.
    pub const fn n_happened(&self) -> usize {
        self.n_happened
    }

    /// What the chance turned out to be: the share that happened.
    pub fn recalibrated(&self) -> Probability {
        Probability::rounded(count(self.n_happened) / count(self.n))
    }

    fn of(claim: Claim) -> Self {
        Self { stated: claim.chance..=claim.chance, n: 1, n_happened: usize::from(claim.happened) }
    }

    fn absorb(&mut self, later: &Self) {
        self.stated = *self.stated.start()..=*later.stated.end();
        self.n += later.n;
        self.n_happened += later.n_happened;
    }

    /// Whether the step after this one has a smaller or equal share: exactly, in integers.
    fn violates(&self, later: &Self) -> bool {
        let cross = |a: usize, b: usize| a as u128 * b as u128;
        cross(self.n_happened, later.n) >= cross(later.n_happened, self.n)
    }
}

/// The reliability curve of stated chances, and the Brier score in its parts.
///
/// # Example: are our "50 %" deals really half won?
/// ```
/// use dealcast::{Probability, score::{Claim, Reliability}};
/// let said = |p, happened| Claim { chance: Probability::new(p).unwrap(), happened };
/// let curve = Reliability::new(&[said(0.5, true), said(0.5, false), said(0.5, false), said(0.9, true)])?;
/// let shares: Vec<_> = curve.steps().iter().map(|step| (step.n(), step.n_happened())).collect();
/// assert_eq!(shares, [(3, 1), (1, 1)]);
/// assert!((curve.brier() - 0.19).abs() < 1e-15);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reliability {
    n: usize,
    steps: Vec<Step>,
    recalibrated: Vec<Probability>,
    brier: f64,
    recalibrated_brier: f64,
    uncertainty: f64,
}

impl Reliability {
    /// # Errors
    /// [`Missing`](crate::ErrorKind::Missing) without claims.
    pub fn new(claims: &[Claim]) -> Result<Self> {
        let brier_of_stated = brier(some_of("claims", claims)?)?;
        let steps = pooled(claims);
        let at = |claim: &Claim| {
            let step = steps.get(steps.partition_point(|step| *step.stated.end() < claim.chance));
            step.map_or(claim.chance, Step::recalibrated)
        };
        let recalibrated: Vec<Probability> = claims.iter().map(at).collect();
        let relabelled: Vec<Claim> =
            recalibrated.iter().zip(claims).map(|(p, c)| Claim { chance: *p, ..*c }).collect();
        let rate = count(claims.iter().filter(|c| c.happened).count()) / count(claims.len());
        Ok(Self {
            n: claims.len(),
            brier: brier_of_stated,
            recalibrated_brier: brier(&relabelled)?,
            uncertainty: rate * (1.0 - rate),
            steps,
            recalibrated,
        })
    }

    /// How many claims there were.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// The steps of the curve, from the smallest stated chance; both their stated and their recalibrated chances rise.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What each claim should have said, in the order of the claims.
    pub fn recalibrated(&self) -> &[Probability] {
        &self.recalibrated
    }

    /// The Brier score of the stated chances.
    pub const fn brier(&self) -> f64 {
        self.brier
    }

    /// What relabelling the stated chances would gain; 0 is perfectly calibrated.
    pub fn miscalibration(&self) -> f64 {
        (self.brier - self.recalibrated_brier).max(0.0)
    }

    /// What telling the events apart gained; at most the uncertainty.
    pub fn discrimination(&self) -> f64 {
        (self.uncertainty - self.recalibrated_brier).max(0.0)
    }

    /// The Brier score of always saying the overall rate.
    pub const fn uncertainty(&self) -> f64 {
        self.uncertainty
    }
}

/// The isotonic regression of the outcomes on the stated chances.
fn pooled(claims: &[Claim]) -> Vec<Step> {
    let mut sorted: Vec<&Claim> = claims.iter().collect();
    sorted.sort_unstable_by(|a, b| a.chance.get().total_cmp(&b.chance.get()));
    let mut tied: Vec<Step> = Vec::new();
    for step in sorted.into_iter().map(|claim| Step::of(*claim)) {
        match tied.last_mut() {
            Some(last) if last.stated.end() == step.stated.start() => last.absorb(&step),
            _ => tied.push(step),
        }
    }
    let mut steps: Vec<Step> = Vec::with_capacity(tied.len());
    for mut step in tied {
        while let Some(mut before) = steps.pop_if(|before| before.violates(&step)) {
            before.absorb(&step);
            step = before;
        }
        steps.push(step);
    }
    steps
}

impl fmt::Display for Reliability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Brier {:.4} = miscalibration {:.4} - discrimination {:.4} + uncertainty {:.4}, {} chances",
            self.brier,
            self.miscalibration(),
            self.discrimination(),
            self.uncertainty,
            self.n
        )?;
        for step in &self.steps {
            let (from, to) = (step.stated.start(), step.stated.end());
            writeln!(f, "said {from} to {to}: {} of {} ({})", step.n_happened, step.n, step.recalibrated())?;
        }
        Ok(())
    }
}
