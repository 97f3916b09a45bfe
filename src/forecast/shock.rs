//! The shock all deals share: one number z that lifts or lowers every chance of the period together.
//!
//! # Formula
//! P(won | z) = Phi((Phi^-1(p) - sqrt(rho) z) / sqrt(1 - rho)), z standard normal, high z bad for all: deal i is won
//! iff Phi^-1(p_i) > sqrt(rho) z + sqrt(1 - rho) `e_i`. The expected number of new deals is multiplied by
//! exp(-tau z - tau^2 / 2) under the same z. Both have the unconditional mean whatever rho and tau are.
//!
//! # Numerics
//! Expectations over z are a trapezoid sum, not Gauss-Hermite: for an integrand that is analytic and dies like
//! exp(-z^2 / 2) its error is exp(-2 pi^2 / h^2) and, for what the totals need,
//! exp(-(2 pi / h)^2 v / (2 (v + m'^2))), where m' is the slope of the conditional mean in z and v the conditional
//! variance. So the step follows the book: more deals, less noise within a z, finer steps. At rho = 1 a deal is won
//! iff U < p for one uniform U: the strata are the gaps between the distinct chances, and their weights are exact.
//!
//! # Reference
//! Vasicek (1987), Probability of loss on loan portfolio; Trefethen & Weideman (2014), The exponentially convergent
//! trapezoidal rule, section 5.

use crate::num::{count, special, sum::sum};
use crate::{Error, Result};

/// How strongly the deals of a period share their luck.
///
/// # Example: the mean stays, the spread grows
/// ```
/// use dealcast::{Amount, Probability};
/// use dealcast::forecast::{ForecastOptions, Shock, Total};
/// let deal = (Probability::new(0.3)?, Amount::new(1e3)?);
/// let alone = Total::new(Amount::ZERO, vec![deal; 50])?;
/// let together = alone.clone().with_shock(Shock::new(0.1)?);
/// let options = ForecastOptions::default();
/// let (alone, together) = (alone.exact(&options)?, together.exact(&options)?);
/// assert_eq!(alone.mean(), together.mean());
/// assert!(together.sd() > 1.5 * alone.sd());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Shock {
    nodes: Vec<ShockNode>,
}

/// One possible strength of the shock and how likely it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ShockNode {
    pub(crate) rho: f64,
    pub(crate) tau: f64,
    pub(crate) weight: f64,
}

impl Shock {
    /// No shock: deals are independent of each other. A choice, never a silent assumption.
    pub fn none() -> Self {
        Self { nodes: vec![ShockNode { rho: 0.0, tau: 0.0, weight: 1.0 }] }
    }

    /// The correlation `rho` of the deals' latent luck, 0 (independent) to 1 (all by one draw).
    ///
    /// New business feels the same shock with tau = sqrt(rho): the logarithm of its expected number has the standard
    /// deviation that z has in a deal's luck. In relative terms that lies between a deal of p = .5 (.8 sqrt(rho)) and
    /// one of p = .1 (1.75 sqrt(rho)).
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless `0 <= rho <= 1`.
    pub fn new(rho: f64) -> Result<Self> {
        Self::from_nodes([ShockNode { rho, tau: rho.max(0.0).sqrt(), weight: 1.0 }])
    }

    /// A mixture: the strength itself is uncertain. Weights are relative.
    pub(crate) fn from_nodes(nodes: impl IntoIterator<Item = ShockNode>) -> Result<Self> {
        let mut nodes: Vec<_> = nodes.into_iter().filter(|node| node.weight != 0.0).collect();
        for node in &nodes {
            if !(0.0..=1.0).contains(&node.rho) {
                return Err(Error::out_of_range("rho", "a number from 0 to 1", node.rho));
            }
            // Beyond 4 the mean of the log-normal level rests on z's that never occur.
            if !(0.0..=4.0).contains(&node.tau) {
                return Err(Error::out_of_range("tau", "a number from 0 to 4", node.tau));
            }
            if !(node.weight > 0.0 && node.weight.is_finite()) {
                return Err(Error::out_of_range("shock weight", "a finite number >= 0", node.weight));
            }
        }
        let all = sum(nodes.iter().map(|node| node.weight));
        if !(all > 0.0 && all.is_finite()) {
            return Err(Error::out_of_range("shock weights", "a finite sum above 0", all));
        }
        for node in &mut nodes {
            node.weight /= all;
        }
        Ok(Self { nodes })
    }

    /// The average correlation.
    pub fn rho(&self) -> f64 {
        sum(self.nodes.iter().map(|node| node.weight * node.rho))
    }

    /// Whether deals are independent and new business steady.
    pub(crate) fn is_none(&self) -> bool {
        self.nodes.iter().all(|node| node.rho == 0.0 && node.tau == 0.0)
    }

    pub(crate) fn nodes(&self) -> &[ShockNode] {
        &self.nodes
    }
}

/// A piece of the shock's range within which deals are independent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stratum {
    pub(crate) weight: f64,
    pub(crate) law: Law,
    /// Multiplier of the mean number of new deals.
    pub(crate) level: f64,
}

/// How a chance changes within a stratum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Law {
    /// Not at all.
    Plain,
    /// Phi(scale x (Phi^-1(p) - shift)).
    Probit { shift: f64, scale: f64 },
    /// Won iff p > this uniform.
    Step(f64),
}

impl Law {
    /// The chance within the stratum of a deal with chance `p`, `score` = Phi^-1(p).
    pub(crate) fn chance(self, p: f64, score: f64) -> f64 {
        match self {
            Self::Plain => p,
            Self::Probit { shift, scale } => special::normal_cdf((score - shift) * scale),
            Self::Step(uniform) => f64::from(p > uniform),
        }
    }
}

/// Beyond this |z| lies less than 2e-15 of the mass.
const REACH: f64 = 8.0;
/// Most deals whose joint outcomes are resolved one by one.
const TOGETHER: usize = 20;

/// How finely the shock is cut: the step in conditional standard deviations, for how many deals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain {
    pub(crate) fineness: f64,
    pub(crate) n_deals: usize,
}

/// Step in conditional standard deviations that leaves e^-30 in a probability.
pub(crate) const EXACT: f64 = 0.8;
/// Most strata of one node of the shock; a finer step is not taken, and the error bound says so.
const MOST_STRATA: f64 = 4096.0;

/// Strata of the shock and what their step leaves as an error in a probability.
pub(crate) struct Strata {
    pub(crate) pieces: Vec<Stratum>,
    pub(crate) error: f64,
}

impl Shock {
    /// The strata, as fine as the grain; `roughness(node, z)` is the slope of the conditional mean over the conditional standard deviation,
    /// `cuts` the distinct chances (asked at rho = 1 only).
    pub(crate) fn strata(
        &self,
        grain: Grain,
        roughness: impl Fn(&ShockNode, f64) -> f64,
        cuts: impl Fn() -> Vec<f64>,
    ) -> Strata {
        let mut strata = Strata { pieces: Vec::new(), error: 0.0 };
        for node in &self.nodes {
            if node.rho >= 1.0 {
                strata.pieces.extend(steps(node, cuts()));
            } else if node.rho == 0.0 && node.tau == 0.0 {
                strata.pieces.push(Stratum { weight: node.weight, law: Law::Plain, level: 1.0 });
            } else {
                let rough = (-12..=12).map(|k| roughness(node, 0.5 * f64::from(k))).fold(0.0, f64::max);
                let (step, error) = step_in_z(grain, node.rho, rough);
                strata.error += node.weight * error;
                strata.pieces.extend(trapezoid(node, step));
            }
        }
        strata
    }
}

/// The step in z for a roughness, and what it leaves as an error in a probability.
pub(crate) fn step_in_z(Grain { fineness, n_deals }: Grain, rho: f64, rough: f64) -> (f64, f64) {
    // A chance that n deals are won together grows like that of one with n rho / (1 - rho) off the real line; with many
    // deals their sum is what counts.
    let together = count(n_deals.clamp(1, TOGETHER)) * rho / (1.0 - rho);
    let rough = rough.min(1e6).max(together.sqrt());
    let wanted = fineness / (1.0 + rough * rough).sqrt();
    let step = wanted.max(2.0 * REACH / MOST_STRATA);
    let decay = 2.0 * std::f64::consts::PI / step;
    (step, special::exp(-0.5 * decay * decay / (1.0 + rough * rough)))
}

/// Equal steps in z, weights and levels rescaled to their exact sums.
pub(crate) fn trapezoid(node: &ShockNode, step: f64) -> Vec<Stratum> {
    let half = super::index((REACH / step).ceil());
    let scale = 1.0 / (1.0 - node.rho).sqrt();
    let mut pieces: Vec<_> = (0..=2 * half)
        .map(|k| {
            let z = (count(k) - count(half)) * step;
            let law =
                if node.rho == 0.0 { Law::Plain } else { Law::Probit { shift: node.rho.sqrt() * z, scale } };
            Stratum { weight: special::normal_density(z), law, level: special::exp(-node.tau * z) }
        })
        .collect();
    rescale(&mut pieces, node.weight);
    pieces
}

/// The gaps between the distinct chances, in the uniform scale; where new business reacts, each split into Gauss
/// points of z.
fn steps(node: &ShockNode, mut cuts: Vec<f64>) -> Vec<Stratum> {
    // Gauss-Legendre on (0, 1), four points.
    const GAUSS: [(f64, f64); 4] = [
        (0.069_431_844_202_973_71, 0.173_927_422_568_726_93),
        (0.330_009_478_207_571_87, 0.326_072_577_431_273_07),
        (0.669_990_521_792_428_1, 0.326_072_577_431_273_07),
        (0.930_568_155_797_026_3, 0.173_927_422_568_726_93),
    ];
    cuts.extend([0.0, 1.0]);
    if node.tau > 0.0 {
        cuts.extend((-32..=32).map(|k| special::normal_cdf(0.25 * f64::from(k))));
    }
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let mut pieces = Vec::new();
    for (low, high) in cuts.iter().zip(cuts.iter().skip(1)) {
        // Halves first: the sum of two subnormal neighbours must not leave the gap.
        let middle = 0.5 * low + 0.5 * high;
        let law = Law::Step(if middle < *high { middle.max(*low) } else { *low });
        if node.tau == 0.0 {
            pieces.push(Stratum { weight: high - low, law, level: 1.0 });
            continue;
        }
        let ends = [*low, *high].map(|u| special::normal_quantile(u).clamp(-9.0, 9.0));
        let [from, to] = ends;
        if to - from < 0.02 {
            // Within such a gap the level moves by 2 % tau; its square is what one point leaves.
            pieces.push(Stratum {
                weight: high - low,
                law,
                level: special::exp(-0.5 * node.tau * (from + to)),
            });
            continue;
        }
        let points = GAUSS.map(|(x, w)| (from + x * (to - from), w));
        let mass = sum(points.iter().map(|(z, w)| w * special::normal_density(*z)));
        if mass > 0.0 {
            pieces.extend(points.map(|(z, w)| Stratum {
                weight: (high - low) * w * special::normal_density(z) / mass,
                law,
                level: special::exp(-node.tau * z),
            }));
        } else {
            pieces.push(Stratum { weight: high - low, law, level: special::exp(-node.tau * from) });
        }
    }
    rescale(&mut pieces, node.weight);
    pieces
}

/// Weights that sum to `weight`, levels with the average 1.
fn rescale(pieces: &mut [Stratum], weight: f64) {
    let all = sum(pieces.iter().map(|piece| piece.weight));
    let level = sum(pieces.iter().map(|piece| piece.weight * piece.level)) / all;
    for piece in pieces {
        piece.weight *= weight / all;
        piece.level /= level;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strata_keep_every_mean() {
        for rho in [0.0, 0.05, 0.3, 0.9, 0.999, 1.0] {
            let shock = Shock::new(rho).unwrap();
            let chances = [1e-9, 0.02, 0.5, 0.77, 1.0 - 1e-9];
            let strata = shock.strata(Grain { fineness: EXACT, n_deals: 5 }, |_, _| 1.0, || chances.to_vec());
            for p in chances {
                let score = special::normal_quantile(p);
                let mean = sum(strata.pieces.iter().map(|s| s.weight * s.law.chance(p, score)));
                // 1e-13: the trapezoid's error and the mass beyond REACH.
                assert!((mean - p).abs() < 1e-13, "rho {rho}: {mean} for {p}");
            }
            let level = sum(strata.pieces.iter().map(|s| s.weight * s.level));
            assert!((level - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn refuses_what_is_no_correlation() {
        for rho in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
            assert!(Shock::new(rho).is_err());
        }
        assert!(Shock::from_nodes([]).is_err());
    }
}
