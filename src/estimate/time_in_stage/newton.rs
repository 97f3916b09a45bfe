//! The climb to the maximum: Newton steps, shortened until they climb, within bounds.

use super::likelihood::{ALPHA, Base, CONVERTED, Likelihood, N, Point, Q, Score, TAU};
use crate::estimate::linear::Cholesky;
use crate::{Error, ErrorKind, Result};

/// Which parameters move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moving {
    /// alpha alone: the exponential.
    Place,
    /// alpha and tau.
    PlaceAndSpread,
    /// alpha and tau with q = 1 / tau: the gamma.
    Tied,
    /// alpha, tau and q.
    All,
}

impl Moving {
    /// Indices into a gradient, the converted share last but one where it moves too.
    fn indices(self, at: Point) -> Vec<usize> {
        let own: &[usize] = match self {
            Self::Place => &[ALPHA],
            Self::PlaceAndSpread | Self::Tied => &[ALPHA, TAU],
            Self::All => &[ALPHA, TAU, Q],
        };
        let converted = at.converted.is_finite().then_some(CONVERTED);
        own.iter().copied().chain(converted).collect()
    }
}

/// A maximum: where, how high, and minus the Hessian there (both per unit of weight).
pub(super) struct Maximum {
    pub(super) at: Point,
    pub(super) value: f64,
    pub(super) information: Information,
}

/// Minus the Hessian by the parameters that moved.
pub(super) struct Information {
    indices: Vec<usize>,
    factor: Cholesky,
}

impl Information {
    /// g' I^-1 g: the variance of a function with this gradient, for one unit of weight.
    pub(super) fn variance(&self, gradient: &[f64; N]) -> f64 {
        let g = picked(gradient, &self.indices);
        dot(&g, &self.factor.solve(&g))
    }
}

/// Newton steps allowed; a climb that exists takes under twenty.
const STEPS: usize = 200;
/// Squared length of the last step in units of one observation's standard error: quadratic convergence squares it
/// once more.
const ARRIVED: f64 = 1e-18;
/// The same below which a Newton step needs no check.
const CLOSE: f64 = 1e-10;
/// Beyond these the data say nothing about the parameter but its sign.
const WIDEST_Q: f64 = 25.0;
const LARGEST_LOG_ODDS: f64 = 25.0;
/// Spreads of w per spread of the data beyond which a law is a point or flat.
const SPREADS: f64 = 1e7;

/// Climbs from `start`.
pub(super) fn climb(likelihood: &Likelihood, start: Point, moving: Moving) -> Result<Maximum> {
    let mut at = start;
    let mut here = likelihood.score(at);
    let scale = start.tau;
    let mut close = 0;
    for _ in 0..STEPS {
        let score = tied(likelihood.with_shape(at, here), at, moving);
        let indices = moving.indices(at);
        let gradient = picked(&score.gradient, &indices);
        let (factor, definite) =
            factor(&score, &indices).ok_or_else(|| not_identified("a curved likelihood"))?;
        let step = factor.solve(&gradient);
        let gain = dot(&step, &gradient);
        if definite && gain <= CLOSE {
            // So near the top heights differ by rounding alone; the full step is the best there is.
            at = stepped(at, &indices, &step, moving);
            close += 1;
            if gain <= ARRIVED || close == 4 {
                let value = here.value + 0.5 * gain;
                return Ok(Maximum { at, value, information: Information { indices, factor } });
            }
            here = likelihood.score(at);
            continue;
        }
        let Some((next, score)) = shortened(likelihood, (at, here.value), &indices, (&step, moving)) else {
            return Err(not_identified("a step that climbs"));
        };
        (at, here) = (next, score);
        bounded(at, scale)?;
    }
    Err(not_identified("a climb that ends"))
}

/// Why there is no estimate.
pub(super) fn not_identified(expected: &'static str) -> Error {
    Error::new(ErrorKind::NotIdentified, format!("data whose likelihood has a maximum: {expected}"))
}

fn bounded(at: Point, scale: f64) -> Result<()> {
    if let Base::LogGamma(q) = at.base
        && q.abs() > WIDEST_Q
    {
        return Err(not_identified("a shape within bounds"));
    }
    if at.converted.is_finite() && at.converted.abs() > LARGEST_LOG_ODDS {
        return Err(not_identified("a share strictly between none and all"));
    }
    if at.tau > SPREADS * scale || at.tau * SPREADS < scale || at.alpha.abs() > SPREADS {
        return Err(not_identified("a spread within bounds"));
    }
    Ok(())
}

/// For the gamma q = 1 / tau: the derivatives by q folded into those by tau.
fn tied(mut score: Score, at: Point, moving: Moving) -> Score {
    if moving != Moving::Tied {
        return score;
    }
    let r = 1.0 / at.tau;
    let (first, second) = (-r * r, 2.0 * r * r * r);
    let [_, _, _, by_q] = score.gradient;
    let [by_alpha_q, by_tau_q, by_converted_q, by_qq] = score.hessian.map(|row| row[Q]);
    score.gradient[TAU] += by_q * first;
    let twice = score.hessian[TAU][TAU] + 2.0 * by_tau_q * first + by_qq * first * first + by_q * second;
    score.put(TAU, TAU, twice);
    let (with_alpha, with_converted) = (score.hessian[TAU][ALPHA], score.hessian[TAU][CONVERTED]);
    score.put(TAU, ALPHA, with_alpha + by_alpha_q * first);
    score.put(TAU, CONVERTED, with_converted + by_converted_q * first);
    score
}

fn picked(full: &[f64; N], indices: &[usize]) -> Vec<f64> {
    indices.iter().filter_map(|&i| full.get(i).copied()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Minus the Hessian, factored; with as much added to its diagonal as that takes, and whether nothing was.
fn factor(score: &Score, indices: &[usize]) -> Option<(Cholesky, bool)> {
    let n = indices.len();
    let rows = indices.iter().filter_map(|&i| score.hessian.get(i));
    let matrix: Vec<f64> = rows.flat_map(|row| picked(row, indices)).map(|h| -h).collect();
    if let Some(factor) = Cholesky::new(&matrix, n) {
        return Some((factor, true));
    }
    let size = matrix.iter().fold(0.0_f64, |size, h| size.max(h.abs()));
    let mut added = 1e-4 * size;
    for _ in 0..12 {
        let mut lifted = matrix.clone();
        lifted.iter_mut().step_by(n + 1).for_each(|h| *h += added);
        if let Some(factor) = Cholesky::new(&lifted, n) {
            return Some((factor, false));
        }
        added *= 10.0;
    }
    None
}

/// The point a step away; tau never falls below a tenth or grows beyond tenfold, q moves by at most 1.
fn stepped(at: Point, indices: &[usize], step: &[f64], moving: Moving) -> Point {
    let mut next = at;
    for (&index, &by) in indices.iter().zip(step) {
        match index {
            ALPHA => next.alpha += by,
            TAU => next.tau = (at.tau + by).clamp(0.1 * at.tau, 10.0 * at.tau),
            CONVERTED => next.converted += by.clamp(-3.0, 3.0),
            _ => {
                if let Base::LogGamma(q) = at.base {
                    next.base = Base::LogGamma(q + by.clamp(-1.0, 1.0));
                }
            }
        }
    }
    if moving == Moving::Tied {
        next.base = Base::LogGamma(1.0 / next.tau);
    }
    next
}

/// The step, halved until it climbs.
fn shortened(
    likelihood: &Likelihood,
    (at, value): (Point, f64),
    indices: &[usize],
    (step, moving): (&[f64], Moving),
) -> Option<(Point, Score)> {
    let mut step = step.to_vec();
    for _ in 0..50 {
        let next = stepped(at, indices, &step, moving);
        let score = likelihood.score(next);
        if score.value > value && score.value.is_finite() {
            return Some((next, score));
        }
        step = step.iter().map(|s| 0.5 * s).collect();
    }
    None
}
