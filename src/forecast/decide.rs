//! What the outcome of each open deal says about a target: the chance given that it is won, given that it is not,
//! without it, and with it for certain.
//!
//! # Formula
//! Within a stratum s of the shock let W and L be the chances that the others reach the target with and without the
//! deal's amount. Then P(hit | won) = sum over s of `weight_s` (`p_s` / p) W, P(hit | not won) the same with
//! (1 - `p_s`) / (1 - p) L: the outcome also speaks about the shock (Bayes). Left out for good, or won for certain, it
//! says nothing: sums of `weight_s` L and `weight_s` W.
//!
//! # Numerics
//! From the transform, W and L are read at the target only: a sum over frequencies of the stratum's transform, divided
//! by the deal's own factor f = 1 - p + p e^(iwa). The division takes out the very number that was multiplied in, so
//! that it loses nothing even where f is small; only where f is 0 the others are multiplied anew. For small deals
//! e^y / f = sum of `kappa_(k+1)` / p x y^k / k! and 1 / f = 1 - sum over k >= 1 of `kappa_(k+1)` / (1 - p) x y^k / k!,
//! y = iwa: all deals share one sum over frequencies for each k. With many deals the coefficients, smooth functions of
//! Phi^-1(p), are interpolated. Atoms: `left_out.rs`. Of given won and given not won the better conditioned one is
//! computed, the other follows from p x won + (1 - p) x not = chance.
#![expect(
    clippy::indexing_slicing,
    reason = "a measured kernel; arrays have the length of a block or of the strata"
)]

use super::exact::{Points, Reading, Solved, Way, outcomes, totals};
use super::fourier::Complex;
use super::lattice::{Lattice, Step};
use super::left_out::{Given, by_outcome, on_points};
use super::profile::{POINTS, STEP, lagrange};
use super::shock::{Law, Stratum};
use super::transform::{BLOCK, Block, Frequencies, ORDER, by_stratum, cumulants_over_variance, cut, wave};
use super::{Total, index};
use crate::num::{count, special};
use std::f64::consts::PI;

/// What the outcome of one open deal says about a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decides {
    /// None for a deal that cannot be won.
    pub(crate) given_won: Option<f64>,
    /// None for a deal that is won for sure.
    pub(crate) given_lost: Option<f64>,
    /// With the deal left out.
    pub(crate) without: f64,
    /// With the deal won for certain.
    pub(crate) forced: f64,
}

/// A deal whose outcome is open.
struct Asked {
    place: usize,
    p: f64,
    score: f64,
    /// In units of the model.
    amount: f64,
    /// Sums over the strata.
    conditional: f64,
    without: f64,
    forced: f64,
}

impl Asked {
    fn add(&mut self, weight: f64, [p, lost]: [f64; 2], given: Given) {
        self.conditional += weight
            * if self.p <= 0.5 { p / self.p * given.won } else { lost / (1.0 - self.p) * given.without };
        self.without += weight * given.without;
        self.forced += weight * given.won;
    }

    fn decides(&self, chance: f64) -> Decides {
        let (p, lost) = (self.p, 1.0 - self.p);
        let part = self.conditional.clamp(0.0, 1.0);
        let [given_won, given_lost] = if p <= 0.5 {
            [part, ((chance - p * part) / lost).clamp(0.0, 1.0)]
        } else {
            [((chance - lost * part) / p).clamp(0.0, 1.0), part]
        };
        Decides {
            given_won: Some(given_won),
            given_lost: Some(given_lost),
            without: self.without.clamp(0.0, 1.0),
            forced: self.forced.clamp(0.0, 1.0),
        }
    }
}

impl Stratum {
    /// Chances to be won and not to be, both to full relative accuracy.
    fn both(&self, p: f64, score: f64) -> [f64; 2] {
        match self.law {
            Law::Plain => [p, 1.0 - p],
            Law::Probit { shift, scale } => {
                let x = (score - shift) * scale;
                [special::normal_cdf(x), special::normal_cdf(-x)]
            }
            Law::Step(_) => {
                let p = self.law.chance(p, score);
                [p, 1.0 - p]
            }
        }
    }
}

impl Solved {
    /// For every deal of the total, in its order.
    pub(crate) fn decided(&self, total: &Total, target: f64) -> Vec<Decides> {
        let met = target <= total.booked;
        let chance = if met { 1.0 } else { self.forecast.at_least(target) };
        let same = |p: f64, without: f64| Decides {
            given_won: (p > 0.0).then_some(chance),
            given_lost: (p < 1.0).then_some(chance),
            without,
            forced: chance,
        };
        let pairs = total.chance.iter().zip(&total.amount);
        if met {
            return pairs.map(|(p, _)| same(*p, 1.0)).collect();
        }
        let mut decided: Vec<Decides> = pairs
            .clone()
            .map(|(p, a)| match *p {
                p if p >= 1.0 => same(p, self.forecast.at_least(target + a)),
                p => Decides { forced: self.forecast.at_least(target - a), ..same(p, chance) },
            })
            .collect();
        let open = pairs.enumerate().filter(|(_, (p, _))| **p > 0.0 && **p < 1.0);
        let mut asked: Vec<Asked> = open
            .map(|(place, (p, a))| Asked {
                place,
                p: *p,
                score: special::normal_quantile(*p),
                amount: a / self.model.scale,
                conditional: 0.0,
                without: 0.0,
                forced: 0.0,
            })
            .collect();
        match &self.way {
            Way::Certain => self.certain(target, &mut asked),
            Way::Convolved(points) => self.convolved(points, target, &mut asked),
            Way::Enumerated(lattice) => self.enumerated(*lattice, target, &mut asked),
            Way::Waves(frequencies, reading) => self.waves((frequencies, reading), target, &mut asked),
        }
        for asked in &asked {
            decided[asked.place] = asked.decides(chance);
        }
        decided
    }

    fn certain(&self, target: f64, asked: &mut [Asked]) {
        let model = &self.model;
        for (stratum, local) in model.strata.iter().zip(&model.local) {
            let hit = |less: f64, more: f64| f64::from(self.reaches(local.mean - less + more, target));
            for asked in asked.iter_mut() {
                let both = stratum.both(asked.p, asked.score);
                let (worth, a) = (both[0] * asked.amount, asked.amount);
                let given = Given { won: hit(worth, a), without: hit(worth, 0.0) };
                asked.add(stratum.weight, both, given);
            }
        }
    }

    /// Whether a certain total reaches an amount; a sum that was taken apart again may have lost its last bits.
    pub(crate) fn reaches(&self, scaled: f64, x: f64) -> bool {
        let worth = self.model.fixed + self.model.scale * scaled;
        worth >= x - 8.0 * f64::EPSILON * (self.model.fixed + x)
    }

    fn convolved(&self, points: &Points, target: f64, asked: &mut [Asked]) {
        let model = &self.model;
        let place = (points.n - 1, points.reach(target));
        let steps: Vec<Step> = model.deals.amount.iter().map(|a| Step::new(a / points.scaled)).collect();
        for stratum in &model.strata {
            let deals = model.deals.iter().zip(&steps);
            let deals: Vec<_> =
                deals.map(|((p, score, _), step)| (stratum.law.chance(p, score), *step)).collect();
            let given = on_points(&deals, place);
            let chances = deals.iter().map(|(p, _)| *p);
            spread(stratum, asked, chances.zip(given));
        }
    }

    fn enumerated(&self, lattice: Option<Lattice>, target: f64, asked: &mut [Asked]) {
        let model = &self.model;
        let hits: Vec<bool> = totals(model, lattice).map(|x| x >= target).collect();
        for stratum in &model.strata {
            // Away from 0 and 1 by what no probability shows, so that each can be taken out by division.
            let chances: Vec<f64> = model
                .deals
                .iter()
                .map(|(p, score, _)| stratum.law.chance(p, score).clamp(1e-17, 1.0 - f64::EPSILON))
                .collect();
            let won = |m, p| m * p;
            let mut mass: Vec<f64> =
                outcomes(chances.iter().copied(), 1.0, |m, p| m * (1.0 - p), won).collect();
            let given = by_outcome(&chances, &hits, &mut mass);
            spread(stratum, asked, chances.into_iter().zip(given));
        }
    }

    fn waves(&self, (frequencies, reading): (&Frequencies, &Reading), target: f64, asked: &mut [Asked]) {
        let model = &self.model;
        let kernel = reading.kernel(target, frequencies.n);
        let cut = cut(frequencies);
        let big: Vec<usize> = (0..asked.len()).filter(|i| asked[*i].amount > cut).collect();
        let mut moments = vec![[0.0; ORDER]; model.strata.len()];
        let mut ladder = Ladder::new(asked);
        by_stratum(model, frequencies, |block| {
            let read = block.read(&kernel);
            let stratum = &model.strata[block.stratum];
            if let Law::Step(uniform) = stratum.law {
                ladder.step(asked, (frequencies, block.first), &(uniform, read));
                return;
            }
            block.add_moments(&read, frequencies, &mut moments[block.stratum]);
            for (i, (place, p)) in big.iter().zip(block.chance).enumerate() {
                // A weight of 1: the transform has the stratum's.
                asked[*place].add(1.0, [*p, 1.0 - p], block.left_out(&read, (&kernel, i)));
            }
        });
        ladder.flush(asked, frequencies);
        let mut strata: Vec<(&Stratum, [f64; ORDER])> = Vec::new();
        for (stratum, moments) in model.strata.iter().zip(moments).filter(|(s, _)| !s.is_step()) {
            match strata.last_mut() {
                // Strata that leave the chances as they are differ in new business only.
                Some((last, sums)) if last.law == Law::Plain && stratum.law == Law::Plain => {
                    sums.iter_mut().zip(moments).for_each(|(sum, m)| *sum += m);
                }
                _ => strata.push((stratum, moments)),
            }
        }
        let small = asked.iter_mut().filter(|asked| asked.amount <= cut).collect();
        Small { strata: &strata, steepest: model.steepest }.answer(small);
    }
}

/// Gives the deals of a stratum their share; deals worth nothing see the others as all do.
fn spread(stratum: &Stratum, asked: &mut [Asked], given: impl Iterator<Item = (f64, Given)>) {
    let mut given = given.peekable();
    let whole = given.peek().map_or(0.0, |(p, given)| p * given.won + (1.0 - p) * given.without);
    for asked in asked {
        let both = stratum.both(asked.p, asked.score);
        let of_deal = if asked.amount > 0.0 { given.next().map(|(_, given)| given) } else { None };
        asked.add(stratum.weight, both, of_deal.unwrap_or(Given { won: whole, without: whole }));
    }
}

impl Stratum {
    fn is_step(&self) -> bool {
        matches!(self.law, Law::Step(_))
    }
}

type Read = [Complex; BLOCK];

impl Reading {
    /// The weights of the frequencies 0 ..= n in P(T >= x): the real part of their sum with the transform.
    pub(crate) fn kernel(&self, x: f64, n: usize) -> Vec<Complex> {
        let mut kernel = vec![Complex::default(); n + 1];
        match self {
            Self::Series(frame) => {
                let t = frame.from(x).clamp(0.0, 1.0);
                kernel[0].re = 1.0 - t;
                for (j, k) in kernel.iter_mut().enumerate().skip(1) {
                    let (sin, _) = sine(0.5 * count(j) * t);
                    *k = Complex::turn(-0.5 * count(j) * t).times(-2.0 * sin / (PI * count(j)));
                }
            }
            Self::Points(points) => {
                let (reach, n) = (points.reach(x), points.n);
                kernel[0].re = count(n - reach) / count(n);
                for (j, k) in kernel.iter_mut().enumerate().skip(1) {
                    // Whole turns are taken off as integers.
                    let turns = |half: usize| count(j * half % (2 * n)) / count(2 * n);
                    let share = -sine(turns(reach)).0 / sine(turns(1)).0 / count(n);
                    let share = if 2 * j == n { share } else { 2.0 * share };
                    *k = Complex::turn(-turns(reach) + turns(1)).times(share);
                }
            }
        }
        kernel
    }
}

fn sine(turns: f64) -> (f64, f64) {
    let Complex { re, im } = Complex::turn(turns);
    (im, re)
}

impl Block<'_> {
    fn read(&self, kernel: &[Complex]) -> Read {
        let mut read = [Complex::default(); BLOCK];
        let kernel = &kernel[self.first..];
        read.iter_mut().zip(self.value).zip(kernel).for_each(|((q, c), k)| *q = *c * *k);
        read
    }

    /// Adds Re (iw)^k q, k = 0, 1, ..
    fn add_moments(&self, read: &Read, frequencies: &Frequencies, moments: &mut [f64; ORDER]) {
        for (j, q) in (self.first..).zip(read) {
            let w = std::f64::consts::TAU * count(j) / frequencies.period;
            // (iw)^k q: one quarter turn more each time.
            let mut now = *q;
            for moment in moments.iter_mut() {
                *moment += now.re;
                now = Complex { re: -w * now.im, im: w * now.re };
            }
        }
    }

    /// The i-th big deal divided out.
    fn left_out(&self, read: &Read, (kernel, i): (&[Complex], usize)) -> Given {
        let p = self.chance[i];
        let (re, im) = (&self.waves.re[i], &self.waves.im[i]);
        let mut given = Given::default();
        let mut zero = false;
        for k in 0..BLOCK {
            let (fr, fi) = (1.0 - p + p * re[k], p * im[k]);
            let square = fr * fr + fi * fi;
            zero |= square < FACTOR;
            let scale = 1.0 / square.max(FACTOR);
            let q = read[k];
            let g = Complex { re: (q.re * fr + q.im * fi) * scale, im: (q.im * fr - q.re * fi) * scale };
            given.without += g.re;
            given.won += g.re * re[k] - g.im * im[k];
        }
        if !zero {
            return given;
        }
        // What a factor of 0 has swallowed is multiplied anew.
        let Some(value) = (self.without)(i) else { return Given::default() };
        let others = value.iter().zip(&kernel[self.first..]).map(|(c, k)| *c * *k);
        others.zip(re.iter().zip(im)).fold(Given::default(), |given, (g, (re, im))| Given {
            without: given.without + g.re,
            won: given.won + g.re * re - g.im * im,
        })
    }
}

/// Smallest square of a factor that is divided out.
const FACTOR: f64 = 1e-280;

/// Strata in which every deal is decided by one uniform number, block by block.
struct Ladder {
    first: usize,
    rows: Vec<(f64, Read)>,
    /// The deals' places by decreasing chance.
    order: Vec<usize>,
}

impl Ladder {
    fn new(asked: &[Asked]) -> Self {
        let mut order: Vec<usize> = (0..asked.len()).collect();
        order.sort_by(|a, b| asked[*b].p.total_cmp(&asked[*a].p));
        Self { first: 0, rows: Vec::new(), order }
    }

    fn step(&mut self, asked: &mut [Asked], (frequencies, first): (&Frequencies, usize), row: &(f64, Read)) {
        if first != self.first {
            self.flush(asked, frequencies);
            self.first = first;
        }
        self.rows.push(*row);
    }

    /// Of a block of frequencies: a deal is won in the strata below its chance.
    fn flush(&mut self, asked: &mut [Asked], frequencies: &Frequencies) {
        self.rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        let add = |sum: &mut Read, read: &Read| {
            sum.iter_mut().zip(read).for_each(|(sum, q)| *sum = *sum + *q);
        };
        let (mut lost, mut won) = ([Complex::default(); BLOCK], [Complex::default(); BLOCK]);
        self.rows.iter().for_each(|(_, read)| add(&mut won, read));
        let mut rows = self.rows.drain(..).peekable();
        for place in &self.order {
            let asked = &mut asked[*place];
            while let Some((_, read)) = rows.next_if(|(uniform, _)| *uniform >= asked.p) {
                add(&mut lost, &read);
                won.iter_mut().zip(read).for_each(|(sum, q)| *sum = *sum - q);
            }
            let wave = wave(&frequencies.amounts, asked.amount, frequencies.period, self.first);
            for ((won, lost), wave) in won.iter().zip(&lost).zip(wave) {
                let (more, less) = ((*lost * wave).re, (*won * wave.conj()).re);
                asked.forced += won.re + more;
                asked.without += less + lost.re;
                asked.conditional +=
                    if asked.p <= 0.5 { won.re / asked.p } else { lost.re / (1.0 - asked.p) };
            }
        }
    }
}

/// What small deals decide: the same sums over frequencies for all of them.
struct Small<'a> {
    strata: &'a [(&'a Stratum, [f64; ORDER])],
    steepest: Option<f64>,
}

/// Coefficients of amount^k: given won, given not won, without, forced.
type Coefficients = [[f64; 4]; ORDER - 1];

impl Small<'_> {
    fn answer(&self, mut deals: Vec<&mut Asked>) {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for asked in &deals {
            (low, high) = (low.min(asked.score), high.max(asked.score));
        }
        // Half the step of the gathered sums: a ratio of chances bends more than a chance.
        let step = self.steepest.map_or(f64::INFINITY, |steepest| 0.5 * STEP / steepest);
        let n_grid = ((high - low) / step).ceil() + count(POINTS);
        let rough = n_grid.is_nan() || 2.0 * n_grid >= count(deals.len()) || self.steepest.is_none();
        if rough {
            deals.iter_mut().for_each(|asked| {
                let sums = self.at(asked.p, asked.score);
                asked.take(&sums);
            });
            return;
        }
        let first = low - step * count(POINTS / 2 - 1);
        let grid: Vec<Coefficients> = (0..index(n_grid))
            .map(|i| {
                let score = first + step * count(i);
                self.at(special::normal_cdf(score).max(f64::MIN_POSITIVE), score)
            })
            .collect();
        for asked in deals {
            let place = (asked.score - low) / step;
            let shares = lagrange(place - place.floor());
            let mut sums = [[0.0; 4]; ORDER - 1];
            for (row, share) in grid.iter().skip(index(place)).zip(shares) {
                for (sums, row) in sums.iter_mut().zip(row) {
                    sums.iter_mut().zip(row).for_each(|(sum, c)| *sum += share * c);
                }
            }
            asked.take(&sums);
        }
    }

    fn at(&self, p: f64, score: f64) -> Coefficients {
        let mut sums = [[0.0; 4]; ORDER - 1];
        let lost = special::normal_cdf(-score).max(f64::MIN_POSITIVE);
        for (stratum, moments) in self.strata {
            let [p_s, lost_s] = stratum.both(p, score);
            let kappa = cumulants_over_variance(p_s);
            let (up, down) = (p_s / p, lost_s / lost);
            let hit = moments[0];
            add(&mut sums[0], [up * hit, down * hit, hit, hit]);
            let mut factorial = 1.0;
            for k in 1..ORDER - 1 {
                factorial *= count(k);
                let v = kappa[k + 1] * moments[k] / factorial;
                add(&mut sums[k], [up * lost_s * v, -down * p_s * v, -p_s * v, lost_s * v]);
            }
        }
        sums
    }
}

fn add(sums: &mut [f64; 4], more: [f64; 4]) {
    sums.iter_mut().zip(more).for_each(|(sum, x)| *sum += x);
}

impl Asked {
    fn take(&mut self, sums: &Coefficients) {
        // Horner in the amount.
        let mut total = [0.0; 4];
        for row in sums.iter().rev() {
            total.iter_mut().zip(row).for_each(|(total, c)| *total = *total * self.amount + c);
        }
        self.conditional += if self.p <= 0.5 { total[0] } else { total[1] };
        self.without += total[2];
        self.forced += total[3];
    }
}

#[cfg(test)]
mod tests;
