//! The total as the exact engine sees it: certain parts taken out, amounts scaled, the shock cut into strata, and
//! within each stratum what is known without the distribution: mean, variance, range.
//!
//! # Numerics
//! Sums over all deals of a smooth function of Phi^-1(p) are needed once a stratum. With many deals they are first
//! gathered on an even grid of Phi^-1(p) by Lagrange interpolation on ten points (each deal gives its powers of the
//! amount to the ten nearest grid points); the relative error of a gathered mean is below 1e-11 and the cost of a
//! stratum no longer depends on the number of deals.

use super::shock::{EXACT, Grain, Law, ShockNode, Strata, Stratum};
use super::{NewBusiness, Total, index};
use crate::num::{count, special, sum::Sum, sum::sum};
use crate::{Error, ErrorKind, Result};

mod joined;

pub(crate) use joined::Beside;

/// Open deals whose outcome is open and worth something.
#[derive(Default)]
pub(crate) struct Deals {
    pub(crate) chance: Vec<f64>,
    /// Phi^-1 of the chance; empty where no stratum asks for it.
    pub(crate) score: Vec<f64>,
    /// In units of [`Model::scale`].
    pub(crate) amount: Vec<f64>,
}

impl Deals {
    pub(crate) fn len(&self) -> usize {
        self.amount.len()
    }

    /// (chance, score, amount) of every deal.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (f64, f64, f64)> + Clone {
        let scores = self.score.iter().copied().chain(std::iter::repeat(0.0));
        self.chance.iter().zip(scores).zip(&self.amount).map(|((p, c), a)| (*p, c, *a))
    }
}

/// Amounts won at rho = 1, by the uniform that decides.
struct Ladder {
    /// Chances in decreasing order.
    chance: Vec<f64>,
    /// Sum of the amounts of the first k deals.
    won: Vec<f64>,
}

impl Ladder {
    fn new(deals: &Deals) -> Self {
        let mut order: Vec<(f64, f64)> = deals.iter().map(|(p, _, a)| (p, a)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
        let mut sum = Sum::default();
        let won = order.iter().map(|(_, a)| {
            sum.add(*a);
            sum.get()
        });
        let won = [0.0].into_iter().chain(won).collect();
        Self { chance: order.into_iter().map(|(p, _)| p).collect(), won }
    }

    fn won(&self, uniform: f64) -> f64 {
        self.won.get(self.chance.partition_point(|p| *p > uniform)).copied().unwrap_or(0.0)
    }
}

/// Sums over deals of `power_k(amount)` `g_k(p)`, k = 0 .. N - 1, ready to be asked under any law.
pub(crate) struct Gathered<const N: usize> {
    g: fn(f64) -> [f64; N],
    plain: [f64; N],
    /// (chance, score, sums of powers)
    rows: Vec<(f64, f64, [f64; N])>,
}

/// Grid points a deal gives to.
pub(crate) const POINTS: usize = 10;
/// Grid step in units of sqrt(1 - rho).
pub(crate) const STEP: f64 = 0.1;

impl<const N: usize> Gathered<N> {
    pub(crate) fn new(
        deals: impl Iterator<Item = (f64, f64, f64)> + Clone,
        steepest: Option<f64>,
        powers: fn(f64) -> [f64; N],
        g: fn(f64) -> [f64; N],
    ) -> Self {
        let mut plain = [0.0; N];
        for (p, _, amount) in deals.clone() {
            let value = g(p);
            for (sum, (power, value)) in plain.iter_mut().zip(powers(amount).iter().zip(value)) {
                *sum += power * value;
            }
        }
        let rows = steepest.map_or_else(Vec::new, |scale| rows(deals, STEP / scale, powers));
        Self { g, plain, rows }
    }

    pub(crate) fn under(&self, law: Law) -> [f64; N] {
        if law == Law::Plain {
            return self.plain;
        }
        let mut sums = [0.0; N];
        for (p, score, power) in &self.rows {
            let value = (self.g)(law.chance(*p, *score));
            for (sum, (power, value)) in sums.iter_mut().zip(power.iter().zip(value)) {
                *sum += power * value;
            }
        }
        sums
    }
}

/// 1, a, a^2, ..
pub(crate) fn powers<const N: usize>(amount: f64) -> [f64; N] {
    let mut power = 1.0;
    std::array::from_fn(|_| {
        let now = power;
        power *= amount;
        now
    })
}

fn rows<const N: usize>(
    deals: impl Iterator<Item = (f64, f64, f64)> + Clone,
    step: f64,
    powers: fn(f64) -> [f64; N],
) -> Vec<(f64, f64, [f64; N])> {
    let (mut low, mut high, mut n) = (f64::INFINITY, f64::NEG_INFINITY, 0_usize);
    for (_, score, _) in deals.clone() {
        (low, high, n) = (low.min(score), high.max(score), n + 1);
    }
    let n_grid = ((high - low) / step).ceil() + count(POINTS);
    if n_grid.is_nan() || n_grid >= count(n) {
        return deals.map(|(p, score, amount)| (p, score, powers(amount))).collect();
    }
    let first = low - step * count(POINTS / 2 - 1);
    let mut grid: Vec<_> = (0..index(n_grid)).map(|i| (0.0, first + step * count(i), [0.0; N])).collect();
    for (_, score, amount) in deals {
        let place = (score - low) / step;
        let cell = place.floor();
        let share = lagrange(place - cell);
        let power = powers(amount);
        let nearest = grid.iter_mut().skip(index(cell)).take(POINTS);
        for (row, share) in nearest.zip(share) {
            row.2.iter_mut().zip(&power).for_each(|(sum, power)| *sum += share * power);
        }
    }
    grid
}

/// Weights of ten even points for a place `x` in 0..1 between the fifth and the sixth.
pub(crate) fn lagrange(x: f64) -> [f64; POINTS] {
    // 1 / product over m != k of (k - m)
    const INVERSE: [f64; POINTS] = [
        -1.0 / 362_880.0,
        1.0 / 40_320.0,
        -1.0 / 10_080.0,
        1.0 / 4_320.0,
        -1.0 / 2_880.0,
        1.0 / 2_880.0,
        -1.0 / 4_320.0,
        1.0 / 10_080.0,
        -1.0 / 40_320.0,
        1.0 / 362_880.0,
    ];
    let at: [f64; POINTS] = std::array::from_fn(|k| x + 4.0 - count(k));
    let mut left = 1.0;
    let mut weights = INVERSE;
    for (weight, d) in weights.iter_mut().zip(at) {
        *weight *= left;
        left *= d;
    }
    let mut right = 1.0;
    for (weight, d) in weights.iter_mut().zip(at).rev() {
        *weight *= right;
        right *= d;
    }
    weights
}

/// What is known of one stratum: of the deals, and the mean number of new ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    /// Sum of p a^2.
    square: f64,
    /// Sum of p (1 - p).
    pub(crate) unrest: f64,
    pub(crate) n_new: f64,
}

pub(crate) struct Model {
    /// Booked and sure deals, in the caller's unit.
    pub(crate) fixed: f64,
    /// What a scaled amount of 1 is: a power of two.
    pub(crate) scale: f64,
    pub(crate) deals: Deals,
    /// With scaled amounts.
    pub(crate) new: Option<NewBusiness>,
    pub(crate) strata: Vec<Stratum>,
    pub(crate) strata_error: f64,
    pub(crate) local: Vec<Local>,
    /// Steepest probit of the strata.
    pub(crate) steepest: Option<f64>,
    /// Between these lies all but 1e-14 of the scaled total without `fixed`.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Of the scaled total without `fixed`.
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    ladder: Option<Ladder>,
    /// Further totals under the same shock, their deals after the first one's.
    pub(crate) beside: Vec<Beside>,
}

/// -ln of the mass that may lie outside the window.
const ODDS: f64 = 33.0;

impl Model {
    pub(crate) fn new(total: &Total) -> Result<Self> {
        Self::with_fineness(total, EXACT)
    }

    /// With strata whose error in a probability is a twentieth of what `n` scenarios leave, .5 / sqrt(n).
    pub(crate) fn coarse(total: &Total, n: f64) -> Result<Self> {
        // exp(-(2 pi / fineness)^2 / 2) = .025 / sqrt(n)
        let odds = special::ln(n.max(1.0).sqrt() / 0.025);
        Self::with_fineness(total, std::f64::consts::TAU / (2.0 * odds).sqrt())
    }

    /// With the strata of another book of the same shock.
    pub(crate) fn like(total: &Total, finer: &Total) -> Result<Self> {
        let Self { strata: pieces, strata_error: error, .. } = Self::new(finer)?;
        let mut model = Self::open(total);
        let sums = model.sums();
        model.take_strata(&sums, Strata { pieces, error });
        model.bounded()
    }

    fn with_fineness(total: &Total, fineness: f64) -> Result<Self> {
        let mut model = Self::open(total);
        model.stratify(total, fineness);
        model.bounded()
    }

    fn bounded(mut self) -> Result<Self> {
        self.bound();
        if self.variance.is_finite() && (self.high * self.scale + self.fixed).is_finite() {
            Ok(self)
        } else {
            Err(Error::new(ErrorKind::Overflow, "a total with a finite range").field("amount"))
        }
    }

    /// Before the shock is cut.
    fn open(total: &Total) -> Self {
        let mut fixed = Sum::default();
        fixed.add(total.booked);
        let open = |(p, a): &(f64, f64)| *p > 0.0 && *p < 1.0 && *a > 0.0;
        let pairs = || total.chance.iter().copied().zip(total.amount.iter().copied());
        pairs().filter(|(p, _)| *p >= 1.0).for_each(|(_, a)| fixed.add(a));
        let new = total.new_business.clone().filter(|new| new.mean > 0.0 && new.largest() > 0.0);
        let largest = pairs().filter(open).map(|(_, a)| a).fold(0.0, f64::max);
        let scale = power_of_two(largest.max(new.as_ref().map_or(0.0, NewBusiness::largest)));
        let (chance, amount): (Vec<f64>, Vec<f64>) =
            pairs().filter(open).map(|(p, a)| (p, a / scale)).unzip();
        let new = new.map(|mut new| {
            new.amount.iter_mut().for_each(|a| *a /= scale);
            new
        });
        let nodes = total.shock.nodes();
        let steepest = nodes.iter().map(|node| node.rho).filter(|rho| (f64::MIN_POSITIVE..1.0).contains(rho));
        let steepest = steepest.fold(None, |most: Option<f64>, rho| Some(most.map_or(rho, |m| m.max(rho))));
        let steepest = steepest.map(|rho| 1.0 / (1.0 - rho).sqrt());
        let score = if steepest.is_some() {
            chance.iter().map(|p| special::normal_quantile(*p)).collect()
        } else {
            Vec::new()
        };
        let deals = Deals { chance, score, amount };
        let ladder = nodes.iter().any(|node| node.rho >= 1.0).then(|| Ladder::new(&deals));
        Self {
            fixed: fixed.get(),
            scale,
            deals,
            new,
            strata: Vec::new(),
            strata_error: 0.0,
            local: Vec::new(),
            steepest,
            low: 0.0,
            high: 0.0,
            mean: 0.0,
            variance: 0.0,
            ladder,
            beside: Vec::new(),
        }
    }

    fn sums(&self) -> Gathered<4> {
        Gathered::new(
            self.deals.iter(),
            self.steepest,
            |a| [1.0, a, a * a, a * a],
            |p| [p * (1.0 - p), p, p * (1.0 - p), p],
        )
    }

    fn take_strata(&mut self, sums: &Gathered<4>, Strata { pieces, error }: Strata) {
        self.local = pieces.iter().map(|stratum| self.local(sums, stratum)).collect();
        self.strata = pieces;
        self.strata_error = error;
    }

    fn stratify(&mut self, total: &Total, fineness: f64) {
        let sums = self.sums();
        // Deals and new business move with z together.
        let at = |law, level: f64| {
            let Local { mean, variance, n_new, .. } = self.local(&sums, &Stratum { weight: 1.0, law, level });
            let [new_mean, new_variance] = self.new_moments(n_new);
            (mean + new_mean, variance + new_variance)
        };
        let roughness = |node: &ShockNode, z: f64| {
            const NUDGE: f64 = 1.0 / 32.0;
            let part = |z: f64| {
                let scale = 1.0 / (1.0 - node.rho).sqrt();
                let law = if node.rho == 0.0 {
                    Law::Plain
                } else {
                    Law::Probit { shift: node.rho.sqrt() * z, scale }
                };
                at(law, special::exp(-node.tau * z - 0.5 * node.tau * node.tau))
            };
            let (right, left) = (part(z + NUDGE), part(z - NUDGE));
            let slope = (right.0 - left.0).abs() / (2.0 * NUDGE);
            let sd = (0.5 * (right.1 + left.1)).sqrt();
            if sd > 0.0 { slope / sd } else { 0.0 }
        };
        let grain = Grain { fineness, n_deals: self.deals.len() };
        let strata = total.shock.strata(grain, roughness, || self.deals.chance.clone());
        self.take_strata(&sums, strata);
    }

    fn local(&self, sums: &Gathered<4>, stratum: &Stratum) -> Local {
        let n_new = self.new.as_ref().map_or(0.0, |new| new.mean * stratum.level);
        if let Law::Step(uniform) = stratum.law {
            return Local { mean: self.stepped(uniform), variance: 0.0, square: 0.0, unrest: 0.0, n_new };
        }
        let [unrest, mean, variance, square] = sums.under(stratum.law).map(|sum| sum.max(0.0));
        Local { mean, variance, square, unrest, n_new }
    }

    /// What the deals are worth together at rho = 1.
    pub(crate) fn stepped(&self, uniform: f64) -> f64 {
        self.ladder.as_ref().map_or(0.0, |ladder| ladder.won(uniform))
    }

    /// Mean and variance of new business when `n_new` deals are expected.
    pub(crate) fn new_moments(&self, n_new: f64) -> [f64; 2] {
        self.new.as_ref().map_or([0.0, 0.0], |new| new.moments_of(n_new))
    }

    fn bound(&mut self) {
        let parts = || self.strata.iter().zip(&self.local);
        let whole = |(k, local): (usize, &Local)| {
            let [mean, variance] = self.new_moments(local.n_new);
            let [mean_beside, variance_beside] = self.beside_moments(k);
            (local.mean + mean + mean_beside, local.variance + variance + variance_beside)
        };
        let mean = sum(parts().enumerate().map(|(k, (s, local))| s.weight * whole((k, local)).0));
        let variance = sum(parts().enumerate().map(|(k, (s, local))| {
            let (m, v) = whole((k, local));
            s.weight * (v + (m - mean) * (m - mean))
        }));
        let everything = sum(self.deals.amount.iter().copied());
        let splits = top_splits(&self.deals.amount);
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for (k, (stratum, local)) in parts().enumerate() {
            let odds = ODDS + special::ln(stratum.weight);
            if odds <= 0.0 || odds.is_nan() {
                continue;
            }
            let new = self.new_reach(local.n_new, odds) + self.beside_reach(k, odds);
            if local.unrest == 0.0 {
                // Nothing is open: the deals are worth their mean.
                (low, high) = (low.min(local.mean), high.max(local.mean + new));
                continue;
            }
            // A sum of numbers >= 0 falls below its mean by t with P < exp(-t^2 / (2 sum E X^2)) (Maurer 2003).
            low = low.min((local.mean - (2.0 * odds * local.square).sqrt()).max(0.0));
            // Bernstein's inequality for all but the largest few, which may all be won.
            let spread = (2.0 * odds * local.variance).sqrt();
            let reach = splits
                .iter()
                .map(|(top, next)| top + local.mean + spread + odds * next / 3.0)
                .fold(everything, f64::min);
            high = high.max(reach + new);
        }
        self.low = if low.is_finite() { low } else { 0.0 };
        self.high = high;
        self.mean = mean;
        self.variance = variance;
    }

    /// An amount of new business that is exceeded with a probability below e^-`odds`.
    fn new_reach(&self, n_new: f64, odds: f64) -> f64 {
        self.new.as_ref().map_or(0.0, |new| new.reach(n_new, odds))
    }
}

/// For the largest 0, 1, 2, 4 .. 64 amounts: their sum, and the largest of the rest.
fn top_splits(amounts: &[f64]) -> Vec<(f64, f64)> {
    let mut top: Vec<f64> = amounts.to_vec();
    let kept = top.len().min(65);
    if let Some(last) = kept.checked_sub(1) {
        top.select_nth_unstable_by(last, |a, b| b.total_cmp(a));
    }
    top.truncate(kept);
    top.sort_by(|a, b| b.total_cmp(a));
    [0, 1, 2, 4, 8, 16, 32, 64]
        .into_iter()
        .filter(|n| *n <= top.len())
        .map(|n| (top.iter().take(n).sum(), top.get(n).copied().unwrap_or(0.0)))
        .collect()
}

/// The smallest power of two that is at least x; 1 for 0.
fn power_of_two(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let mut scale = 1.0_f64;
    // Twice 2^1023 is infinite, half of which never gets small.
    while scale < x && scale < 0.5 * f64::MAX {
        scale *= 2.0;
    }
    while scale * 0.5 >= x && scale > f64::MIN_POSITIVE {
        scale *= 0.5;
    }
    scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lagrange_reproduces_polynomials() {
        for x in [0.0, 0.3, 0.5, 0.99] {
            let weights = lagrange(x);
            for degree in 0..10 {
                let pow = |t: f64| (0..degree).fold(1.0, |p, _| p * t);
                let sum: f64 = weights.iter().enumerate().map(|(k, w)| w * pow(count(k) - 4.0)).sum();
                // 5^9 x the sum of the weights' sizes x 2^-53
                assert!((sum - pow(x)).abs() < 1e-9, "x^{degree} at {x}: {sum}");
            }
        }
    }
}
