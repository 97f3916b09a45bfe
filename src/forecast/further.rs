//! The chance of a target with n further deals of one kind, for any n.
//!
//! # Formula
//! Given a stratum s of the shock, n deals of amount a and chance p bring m a with the binomial probability
//! B(m; n, `p_s`), so that P(hit) = sum over s of `weight_s` x sum over m of B(m; n, `p_s`) x P(T >= target - m a | s). The
//! tails of T are computed once for an amount, and serve every number and every chance of further deals.
//!
//! # Numerics
//! More deals make the total follow the shock more sharply: the strata are those of the book with as many deals added
//! as were found to be needed, and the search is repeated until they are. Binomial probabilities by recurrence from
//! their mode, all terms positive.

use super::exact::{Points, Solved, Way, outcomes, totals};
use super::fourier::Complex;
use super::lattice::{Lattice, Step, convolve};
use super::shock::Stratum;
use super::transform::{BLOCK, by_stratum};
use super::{ForecastOptions, Total, index};
use crate::num::{count, special};
use crate::{Level, Result};

/// Rounding of a chance that meets its level exactly.
const ROUNDING: f64 = 1e-12;
/// Most products of tails and frequencies, and most numbers kept for them.
const WORK: f64 = 4e8;
const KEPT: f64 = 4e6;

/// How many further deals, and the chance they lead to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Enough {
    pub(crate) n: Option<u32>,
    /// With them; without any where no number suffices.
    pub(crate) chance: f64,
}

/// A goal: a target, and the chance that is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub(crate) target: f64,
    pub(crate) confidence: Level,
    /// Most further deals that are tried.
    pub(crate) most: u32,
}

impl Total {
    /// With n more open deals of one kind.
    pub(crate) fn with_more(&self, (p, amount): (f64, f64), n: u32) -> Result<Self> {
        let mut more = self.clone();
        more.buckets.clear();
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        more.chance.extend(std::iter::repeat_n(p, n));
        more.amount.extend(std::iter::repeat_n(amount, n));
        more.finite()
    }

    /// The smallest number of further deals of an amount that lifts the chance to the goal, for each of several
    /// chances of being won.
    pub(crate) fn enough(
        &self,
        goal: Goal,
        (amount, chances): (f64, &[f64]),
        options: &ForecastOptions,
    ) -> Result<Vec<Enough>> {
        let best = chances.iter().copied().fold(0.0, f64::max);
        if !(amount > 0.0) || self.is_out_of_reach(goal, (best, amount)) {
            // Deals worth nothing never make up for anything.
            let chance =
                if goal.target <= self.booked { 1.0 } else { self.exact(options)?.at_least(goal.target) };
            let n = (chance >= goal.confidence.get() - ROUNDING).then_some(0);
            return Ok(vec![Enough { n, chance }; chances.len()]);
        }
        // A few of the chances tell how many deals the shock has to be cut for.
        let every = chances.len().div_ceil(8).max(1);
        let few: Vec<f64> = chances.iter().copied().step_by(every).collect();
        let asked = self.asked(goal, (amount, &few), ((0.5, 0), options), |of| of.enough(goal, chances))?;
        asked.map_or_else(|| self.one_by_one(goal, (amount, chances), options), Ok)
    }

    /// P(T >= g) is at most E T / g (Markov): whether that is below the level even with the most deals that are tried.
    fn is_out_of_reach(&self, goal: Goal, (p, amount): (f64, f64)) -> bool {
        self.weighted().total() + f64::from(goal.most) * p * amount < goal.confidence.get() * goal.target
    }

    /// The same for one kind (chance, amount > 0), and P(T + what `n` of them bring >= target).
    pub(crate) fn enough_and(
        &self,
        goal: Goal,
        (p, amount): (f64, f64),
        (n, options): (u32, &ForecastOptions),
    ) -> Result<(Option<u32>, f64)> {
        let both = |of: &Further<'_>| (of.enough(goal, &[p]), of.chance(&of.chances(p), n));
        let asked = if self.is_out_of_reach(goal, (p, amount)) {
            None
        } else {
            self.asked(goal, (amount, &[p]), ((p, n), options), both)?
        };
        let (enough, chance) = match asked {
            Some(both) => both,
            None => (
                self.one_by_one(goal, (amount, &[p]), options)?,
                self.with_more((p, amount), n)?.exact(options)?.at_least(goal.target),
            ),
        };
        Ok((enough.first().and_then(|enough| enough.n), chance))
    }

    /// Asks with the shock cut as finely as the deals found to be needed want it, from a number of copies on; none
    /// where the tails are too many.
    fn asked<T>(
        &self,
        goal: Goal,
        (amount, few): (f64, &[f64]),
        (mut copies, options): ((f64, u32), &ForecastOptions),
        ask: impl Fn(&Further<'_>) -> T,
    ) -> Result<Option<T>> {
        for _ in 0..4 {
            let finer = self.with_more((copies.0, amount), copies.1)?;
            let solved = self.solved_apart(&finer, options)?;
            let Some(further) = solved.further(goal.target, amount) else { return Ok(None) };
            let rough = further.enough(goal, few);
            let most = rough.iter().zip(few).filter_map(|(enough, p)| Some((*p, enough.n?)));
            let most = most.max_by_key(|(_, n)| *n).unwrap_or(copies);
            if self.shock.is_none() || most.1 <= copies.1 + copies.1 / 4 {
                return Ok(Some(ask(&further)));
            }
            copies = most;
        }
        Ok(None)
    }

    /// The same by the whole engine, number by number, where the tails are too many.
    fn one_by_one(
        &self,
        goal: Goal,
        (amount, chances): (f64, &[f64]),
        options: &ForecastOptions,
    ) -> Result<Vec<Enough>> {
        // A deal that is less likely than one of which none suffices does not suffice either.
        let (mut start, mut hopeless) = (1, f64::NEG_INFINITY);
        chances
            .iter()
            .map(|p| {
                let chance = |n: u32| -> Result<f64> {
                    if goal.target <= self.booked {
                        return Ok(1.0);
                    }
                    Ok(self.with_more((*p, amount), n)?.exact(options)?.at_least(goal.target))
                };
                if *p <= hopeless || self.is_out_of_reach(goal, (*p, amount)) {
                    return Ok(Enough { n: None, chance: chance(0)? });
                }
                let enough = least(goal, start, chance)?;
                match enough.n {
                    Some(n) => start = n,
                    None => hopeless = *p,
                }
                Ok(enough)
            })
            .collect()
    }
}

/// The smallest n whose chance reaches the goal; `start` is where it is expected.
fn least(
    Goal { confidence, most, .. }: Goal,
    start: u32,
    chance: impl Fn(u32) -> Result<f64>,
) -> Result<Enough> {
    let reaches = |p: f64| p >= confidence.get() - ROUNDING;
    let none = chance(0)?;
    if reaches(none) {
        return Ok(Enough { n: Some(0), chance: none });
    }
    // Low does not reach; high does.
    let (mut low, mut high) = (0, start.clamp(1, most.max(1)));
    let mut reached = chance(high)?;
    let mut step = 1;
    if reaches(reached) {
        // Down again in growing steps.
        while high > low + 1 {
            let next = high.saturating_sub(step).max(low + 1);
            let p = chance(next)?;
            if !reaches(p) {
                low = next;
                break;
            }
            (high, reached, step) = (next, p, 2 * step);
        }
    } else {
        while !reaches(reached) {
            if high >= most {
                return Ok(Enough { n: None, chance: none });
            }
            low = high;
            high = high.saturating_add(step).min(most);
            (reached, step) = (chance(high)?, 2 * step);
        }
    }
    while high > low + 1 {
        let middle = low.midpoint(high);
        let p = chance(middle)?;
        if reaches(p) {
            (high, reached) = (middle, p);
        } else {
            low = middle;
        }
    }
    Ok(Enough { n: Some(high), chance: reached })
}

/// Weight x P(T >= target - m a), by stratum, then m; from the last m on it is the weight.
struct Further<'a> {
    strata: &'a [Stratum],
    tails: Vec<Vec<f64>>,
}

impl Further<'_> {
    fn enough(&self, goal: Goal, chances: &[f64]) -> Vec<Enough> {
        let mut start = 1;
        chances
            .iter()
            .map(|&p| {
                let by_stratum = self.chances(p);
                let enough = least(goal, start, |n| Ok(self.chance(&by_stratum, n)));
                let enough = enough.unwrap_or(Enough { n: None, chance: 0.0 });
                start = enough.n.unwrap_or(start);
                enough
            })
            .collect()
    }

    fn chances(&self, p: f64) -> Vec<f64> {
        let score = special::normal_quantile(p);
        self.strata.iter().map(|s| s.law.chance(p, score)).collect()
    }

    fn chance(&self, by_stratum: &[f64], n: u32) -> f64 {
        let strata = self.strata.iter().zip(&self.tails).zip(by_stratum);
        let chance: f64 = strata.map(|((s, tails), p)| binomial_mean(*p, n, (tails, s.weight))).sum();
        chance.clamp(0.0, 1.0)
    }
}

/// Sum over m of B(m; n, p) x tails[m], `beyond` from the last one on.
fn binomial_mean(p: f64, n: u32, (tails, beyond): (&[f64], f64)) -> f64 {
    let tail = |m: u32| tails.get(usize::try_from(m).unwrap_or(usize::MAX)).copied().unwrap_or(beyond);
    if !(p > 0.0) || p >= 1.0 {
        return tail(if p >= 1.0 { n } else { 0 });
    }
    let whole = |x: f64| u32::try_from(index(x)).unwrap_or(u32::MAX);
    let mode = whole((f64::from(n) + 1.0) * p).min(n);
    let odds = p / (1.0 - p);
    let (mut mass, mut sum) = (1.0, tail(mode));
    let mut relative = 1.0;
    for m in mode..n {
        relative *= odds * f64::from(n - m) / (f64::from(m) + 1.0);
        mass += relative;
        sum += relative * tail(m + 1);
        if relative < 1e-17 {
            break;
        }
    }
    relative = 1.0;
    for m in (0..mode).rev() {
        relative *= (f64::from(m) + 1.0) / (odds * f64::from(n - m));
        mass += relative;
        sum += relative * tail(m);
        if relative < 1e-17 {
            break;
        }
    }
    sum / mass
}

/// Numbers in blocks, real and imaginary parts apart, so that products of blocks go many at a time.
struct Lanes(Vec<([f64; BLOCK], [f64; BLOCK])>);

impl Lanes {
    fn of(numbers: &[Complex]) -> Self {
        let lane = |block: &[Complex]| {
            let (mut re, mut im) = ([0.0; BLOCK], [0.0; BLOCK]);
            for ((re, im), c) in re.iter_mut().zip(&mut im).zip(block) {
                (*re, *im) = (c.re, c.im);
            }
            (re, im)
        };
        Self(numbers.chunks(BLOCK).map(lane).collect())
    }
}

impl Solved {
    /// None where that is more work than the engine itself would have with each number.
    fn further(&self, target: f64, amount: f64) -> Option<Further<'_>> {
        let missing = (target - self.model.fixed).max(0.0);
        let n = if missing > 0.0 { (missing / amount).ceil() } else { 0.0 };
        let strata = count(self.model.strata.len());
        let each = match &self.way {
            Way::Certain => 1.0,
            Way::Convolved(points) => count(points.n),
            Way::Enumerated(_) => count(1 << self.model.deals.len()),
            Way::Waves(frequencies, _) => count(frequencies.n + 1),
        };
        if !(n * each * strata <= WORK && n * (each + strata) <= KEPT) {
            return None;
        }
        let rounding = 8.0 * f64::EPSILON * target;
        let at = |m: usize| target - count(m) * amount - if m > 0 { rounding } else { 0.0 };
        let amounts: Vec<f64> = (0..index(n)).map(at).collect();
        let tails = self.tails(&amounts);
        Some(Further { strata: &self.model.strata, tails })
    }

    /// Weight x P(T >= x), by stratum, for every x.
    pub(crate) fn tails(&self, amounts: &[f64]) -> Vec<Vec<f64>> {
        let model = &self.model;
        match &self.way {
            Way::Certain => {
                let parts = model.strata.iter().zip(&model.local);
                let hit = |mean: f64, x: f64| f64::from(self.reaches(mean, x));
                parts
                    .map(|(s, local)| amounts.iter().map(|x| s.weight * hit(local.mean, *x)).collect())
                    .collect()
            }
            Way::Convolved(points) => self.convolved_tails(points, amounts),
            Way::Enumerated(lattice) => self.enumerated_tails(*lattice, amounts),
            Way::Waves(frequencies, reading) => {
                let mut tails = vec![vec![0.0; amounts.len()]; model.strata.len()];
                let kernels: Vec<Lanes> =
                    amounts.iter().map(|x| Lanes::of(&reading.kernel(*x, frequencies.n))).collect();
                by_stratum(model, frequencies, |block| {
                    let Some(row) = tails.get_mut(block.stratum) else { return };
                    let value = Lanes::of(block.value);
                    let Some((re, im)) = value.0.first() else { return };
                    for (tail, kernel) in row.iter_mut().zip(&kernels) {
                        let Some((kernel_re, kernel_im)) = kernel.0.get(block.first / BLOCK) else {
                            continue;
                        };
                        let mut sums = [0.0; BLOCK];
                        let lanes = sums.iter_mut().zip(re).zip(im).zip(kernel_re).zip(kernel_im);
                        lanes.for_each(|((((sum, a), b), c), d)| *sum = a * c - b * d);
                        *tail += sums.iter().sum::<f64>();
                    }
                });
                tails
            }
        }
    }

    fn convolved_tails(&self, points: &Points, amounts: &[f64]) -> Vec<Vec<f64>> {
        let model = &self.model;
        let reach: Vec<usize> = amounts.iter().map(|x| points.reach(*x)).collect();
        let steps: Vec<Step> = model.deals.amount.iter().map(|a| Step::new(a / points.scaled)).collect();
        let of = |stratum: &Stratum| {
            let deals = model.deals.iter().zip(&steps);
            let deals = deals.map(|((p, score, _), step)| (stratum.law.chance(p, score), *step));
            let beyond = from_above(convolve(deals, points.n - 1));
            let at = |reach: &usize| stratum.weight * beyond.get(*reach).copied().unwrap_or(0.0);
            reach.iter().map(at).collect()
        };
        model.strata.iter().map(of).collect()
    }

    fn enumerated_tails(&self, lattice: Option<Lattice>, amounts: &[f64]) -> Vec<Vec<f64>> {
        let model = &self.model;
        let values: Vec<f64> = totals(model, lattice).collect();
        let mut order: Vec<usize> = (0..values.len()).collect();
        let value = |i: &usize| values.get(*i).copied().unwrap_or(0.0);
        order.sort_by(|a, b| value(a).total_cmp(&value(b)));
        let reach: Vec<usize> = amounts.iter().map(|x| order.partition_point(|i| value(i) < *x)).collect();
        let of = |stratum: &Stratum| {
            let chances = model.deals.iter().map(|(p, score, _)| stratum.law.chance(p, score));
            let mass: Vec<f64> = outcomes(chances, 1.0, |m, p| m * (1.0 - p), |m, p| m * p).collect();
            let beyond = from_above(order.iter().filter_map(|i| mass.get(*i).copied()).collect());
            let at = |reach: &usize| stratum.weight * beyond.get(*reach).copied().unwrap_or(0.0);
            reach.iter().map(at).collect()
        };
        model.strata.iter().map(of).collect()
    }
}

/// Sums from each place to the end.
fn from_above(mut mass: Vec<f64>) -> Vec<f64> {
    let mut sum = 0.0;
    for m in mass.iter_mut().rev() {
        sum += *m;
        *m = sum;
    }
    mass
}

#[cfg(test)]
mod tests;
