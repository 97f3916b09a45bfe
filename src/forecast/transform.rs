//! The exact engine's core: the characteristic function of the total, averaged over the shock, inverted once.
//!
//! # Formula
//! phi(w) = sum over strata s of `weight_s` x product over deals of (1 - `p_i` + `p_i` e^(i w `a_i`)), `p_i` under s, x `G_s(S(w))`,
//! `G_s` the generating function of the number of new deals and S the transform of their amounts.
//!
//! # Numerics
//! Deals with w a <= .8 at the highest frequency enter by their cumulants: log(1 - p + p e^(ix)) = sum of
//! `kappa_k(p)` (ix)^k / k! converges like (x / pi)^k; 14 terms leave 1e-13 where |phi| still counts. The others are
//! multiplied in one by one. Frequencies stop where |phi| stays below 1e-14, or at the lattice's highest.
#![expect(
    clippy::indexing_slicing,
    reason = "the measured kernel; every array has the block's or the table's length"
)]

use super::fourier::{Complex, fft};
use super::lattice::Lattice;
use super::profile::{self, Gathered, Model};
use super::shock::Law;
use super::{NewBusiness, index};
use crate::num::sum::sum;
use crate::num::{count, special};
use std::f64::consts::TAU;

/// Cumulants used for small deals, and one more.
pub(crate) const ORDER: usize = 15;
/// Largest w a of a small deal.
const SMALL: f64 = 0.8;
/// Frequencies worked on at a time.
pub(crate) const BLOCK: usize = 16;

/// How an amount turns with the frequency.
pub(crate) enum Amounts {
    /// By itself.
    True,
    /// On a lattice; what lies between two points is split over them so that the mean stays.
    Lattice(Roots),
}

/// The roots of unity of a lattice with a power of two of points.
pub(crate) struct Roots {
    /// Scaled.
    unit: f64,
    root: Vec<Complex>,
}

impl Roots {
    pub(crate) fn new(unit: f64, n: usize) -> Self {
        Self { unit, root: (0..n).map(|k| Complex::turn(count(k) / count(n))).collect() }
    }

    fn wave(&self, a: f64, first: usize) -> [Complex; BLOCK] {
        let place = a / self.unit;
        let nearest = place.round();
        // A whole multiple up to rounding is not split.
        let (low, share) = if (place - nearest).abs() < 1e-6 {
            (nearest, 0.0)
        } else {
            (place.floor(), place - place.floor())
        };
        let low = index(low);
        let mask = self.root.len() - 1;
        let at = |place: usize, k: usize| self.root[place.wrapping_mul(first + k) & mask];
        if share == 0.0 {
            return std::array::from_fn(|k| at(low, k));
        }
        std::array::from_fn(|k| at(low, k).times(1.0 - share) + at(low + 1, k).times(share))
    }
}

/// Frequencies 2 pi j / period, j = 0 .. n, relative to an origin.
pub(crate) struct Frequencies {
    pub(crate) period: f64,
    pub(crate) origin: f64,
    pub(crate) n: usize,
    pub(crate) amounts: Amounts,
    /// |phi| below which it counts as died out, where frequencies may then stop.
    pub(crate) quiet: Option<f64>,
    /// What has to die out.
    pub(crate) heard: Heard,
}

/// What of a transform has to die out before its frequencies may stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Its average over the shock.
    Together,
    /// Every stratum by itself: for averages with weights that turn with the frequency.
    Apart,
}

/// The powers `kappa_k(p)` / 1, k = 0 .. ORDER - 1 (`kappa_0` = 0), of a deal won with chance p.
///
/// kappa_(k+1) = p (1 - p) d `kappa_k` / dp, as polynomials in q = p (1 - p) (times 1 - 2p for odd k).
fn cumulants(p: f64) -> [f64; ORDER] {
    let q = p * (1.0 - p);
    let d = 1.0 - 2.0 * p;
    let mut kappa = [0.0; ORDER];
    kappa[1] = p;
    for k in 2..ORDER {
        let poly = &POLYNOMIALS[k][..=k / 2];
        let value = poly.iter().rev().fold(0.0, |sum, c| sum * q + c);
        kappa[k] = if k % 2 == 0 { value } else { value * d };
    }
    kappa
}

/// `kappa_k` / (p (1 - p)), k = 2 .. ORDER - 1: what is left where a chance is divided by p or by 1 - p.
pub(crate) fn cumulants_over_variance(p: f64) -> [f64; ORDER] {
    let q = p * (1.0 - p);
    let d = 1.0 - 2.0 * p;
    let mut kappa = [0.0; ORDER];
    for k in 2..ORDER {
        // No polynomial has a constant term.
        let poly = &POLYNOMIALS[k][1..=k / 2];
        let value = poly.iter().rev().fold(0.0, |sum, c| sum * q + c);
        kappa[k] = if k % 2 == 0 { value } else { value * d };
    }
    kappa
}

const TERMS: usize = ORDER / 2 + 1;
const POLYNOMIALS: [[f64; TERMS]; ORDER] = polynomials();

/// Coefficients in q of `kappa_k` (even k) or of `kappa_k` / (1 - 2p) (odd k), k >= 2.
const fn polynomials() -> [[f64; TERMS]; ORDER] {
    let mut table = [[0.0; TERMS]; ORDER];
    table[2][1] = 1.0;
    let mut k = 2;
    while k + 1 < ORDER {
        let mut m = 0;
        let mut power = 0.0;
        while m < TERMS {
            let c = table[k][m];
            if k % 2 == 0 {
                // q x derivative
                table[k + 1][m] += power * c;
            } else {
                // q (-2 O + (1 - 4 q) O')
                table[k + 1][m] += power * c;
                if m + 1 < TERMS {
                    table[k + 1][m + 1] += -2.0 * c - 4.0 * power * c;
                }
            }
            m += 1;
            power += 1.0;
        }
        k += 1;
    }
    table
}

impl NewBusiness {
    /// The generating function of the count at `s` when `mean` deals are expected.
    fn generating(&self, mean: f64, s: Complex) -> Complex {
        let gap = Complex { re: mean * (s.re - 1.0), im: mean * s.im };
        match self.size {
            None => gap.exp(),
            Some(size) => {
                // (1 - gap / size)^-size
                let base = Complex { re: 1.0 - gap.re / size, im: -gap.im / size };
                let modulus = special::ln(base.abs());
                let angle = special::atan2(base.im, base.re);
                Complex { re: -size * modulus, im: -size * angle }.exp()
            }
        }
    }
}

/// A model cut at an amount: small deals in their cumulants, the others one by one.
struct Parts {
    big: Vec<(f64, f64, f64)>,
    strata: Vec<Conditional>,
}

/// Amounts up to this enter by their cumulants.
pub(crate) fn cut(frequencies: &Frequencies) -> f64 {
    match frequencies.amounts {
        Amounts::True => SMALL / (TAU * count(frequencies.n.max(1)) / frequencies.period),
        Amounts::Lattice(_) => 0.0,
    }
}

impl Parts {
    fn of(model: &Model, frequencies: &Frequencies) -> Self {
        let cut = cut(frequencies);
        let small = |(first, end, steepest): (usize, usize, Option<f64>)| {
            let deals = model.deals.iter().skip(first).take(end - first).filter(|(_, _, a)| *a <= cut);
            Gathered::new(deals, steepest, profile::powers, cumulants)
        };
        let small: Vec<Gathered<ORDER>> = model.groups().map(small).collect();
        let big: Vec<usize> = (0..model.deals.len()).filter(|deal| model.deals.amount[*deal] > cut).collect();
        let strata = (0..model.strata.len()).map(|k| Conditional::new(model, k, &small, &big)).collect();
        let deals: Vec<(f64, f64, f64)> = model.deals.iter().filter(|(_, _, a)| *a > cut).collect();
        Self { big: deals, strata }
    }
}

/// A block of frequencies in one stratum.
pub(crate) struct Block<'a> {
    pub(crate) stratum: usize,
    /// Number of the first frequency.
    pub(crate) first: usize,
    /// Weight of the stratum x its transform.
    pub(crate) value: &'a [Complex],
    /// Chances of the big deals.
    pub(crate) chance: &'a [f64],
    pub(crate) waves: &'a Waves,
    /// The value with one of the big deals left out.
    pub(crate) without: &'a dyn Fn(usize) -> Option<[Complex; BLOCK]>,
}

/// Hands out the transform stratum by stratum and block by block; blocks where it has died out are left
/// out.
pub(crate) fn by_stratum(model: &Model, frequencies: &Frequencies, mut take: impl FnMut(&Block<'_>)) {
    let parts = Parts::of(model, frequencies);
    let mut waves = Waves::default();
    let n = frequencies.n;
    for first in (0..=n).step_by(BLOCK) {
        let len = BLOCK.min(n + 1 - first);
        waves.fill(model, frequencies, &parts.big, first, len);
        for (stratum, conditional) in parts.strata.iter().enumerate() {
            let again = |deal| conditional.block((&waves, deal), model, (first, len), frequencies);
            // What is far below a rounding of 1 is not handed out.
            let counts = |c: &Complex| c.abs() > 1e-19;
            if let Some(value) = again(usize::MAX).filter(|value| value.iter().any(counts)) {
                let (value, chance) = (&value[..len], conditional.big.as_slice());
                take(&Block { stratum, first, value, chance, waves: &waves, without: &again });
            }
        }
    }
}

/// phi at the frequencies; fewer than asked where it died out, none where it did not and had to.
pub(crate) fn transform(model: &Model, frequencies: &Frequencies) -> Vec<Complex> {
    let n = frequencies.n;
    let parts = Parts::of(model, frequencies);
    let mut phi = Vec::with_capacity(n + 1);
    let mut quiet = 0;
    let mut first = 0;
    let mut waves = Waves::default();
    while first <= n {
        let block = BLOCK.min(n + 1 - first);
        waves.fill(model, frequencies, &parts.big, first, block);
        let (mut sum, mut apart) = ([Complex::default(); BLOCK], [0.0; BLOCK]);
        for conditional in &parts.strata {
            if let Some(value) = conditional.block((&waves, usize::MAX), model, (first, block), frequencies) {
                sum[..block].iter_mut().zip(value).for_each(|(sum, c)| *sum = *sum + c);
                if frequencies.heard == Heard::Apart {
                    apart[..block].iter_mut().zip(value).for_each(|(sum, c)| *sum += c.abs());
                }
            }
        }
        let died = |(c, apart): (&Complex, &f64)| {
            frequencies.quiet.is_some_and(|most| c.abs() < most && *apart < most)
        };
        quiet = if sum[..block].iter().zip(&apart).all(died) { quiet + 1 } else { 0 };
        phi.extend_from_slice(&sum[..block]);
        if quiet == 2 {
            phi.truncate(first - BLOCK + 1);
            break;
        }
        first += block;
    }

    if let Some(zero) = phi.first_mut() {
        *zero = Complex::ONE;
    }
    phi
}

/// e^(i w a) of the big deals and the transform of the severity, for one block of frequencies.
#[derive(Default)]
pub(crate) struct Waves {
    pub(crate) re: Vec<[f64; BLOCK]>,
    pub(crate) im: Vec<[f64; BLOCK]>,
    severity: [Complex; BLOCK],
    /// Those of further totals.
    beside: Vec<[Complex; BLOCK]>,
    origin: [Complex; BLOCK],
}

impl Waves {
    fn fill(&mut self, model: &Model, f: &Frequencies, big: &[(f64, f64, f64)], first: usize, block: usize) {
        self.re.resize(big.len(), [0.0; BLOCK]);
        self.im.resize(big.len(), [0.0; BLOCK]);
        for (i, (_, _, a)) in big.iter().enumerate() {
            let wave = wave(&f.amounts, *a, f.period, first);
            for (k, c) in wave.iter().enumerate() {
                self.re[i][k] = c.re;
                self.im[i][k] = c.im;
            }
        }
        let severity = |new: Option<&NewBusiness>| {
            let mut severity = [Complex::default(); BLOCK];
            for (a, w) in new.into_iter().flat_map(|new| new.amount.iter().zip(&new.weight)) {
                let wave = wave(&f.amounts, *a, f.period, first);
                for (sum, c) in severity.iter_mut().zip(wave) {
                    *sum = *sum + c.times(*w);
                }
            }
            severity
        };
        self.severity = severity(model.new.as_ref());
        self.beside.clear();
        self.beside.extend(model.beside.iter().map(|beside| severity(beside.new.as_ref())));
        for (k, c) in self.origin.iter_mut().enumerate().take(block) {
            *c = Complex::turn(-turns(f.origin / f.period, first + k));
        }
    }
}

/// j x share without whole turns.
fn turns(share: f64, j: usize) -> f64 {
    let turns = share * count(j);
    turns - turns.floor()
}

pub(crate) fn wave(amounts: &Amounts, a: f64, period: f64, first: usize) -> [Complex; BLOCK] {
    match amounts {
        Amounts::True => rotating(a / period, first),
        Amounts::Lattice(roots) => roots.wave(a, first),
    }
}

/// e^(2 pi i share j) for a block of j: one sine, then rotations.
fn rotating(share: f64, first: usize) -> [Complex; BLOCK] {
    let step = Complex::turn(share);
    let mut now = Complex::turn(turns(share, first));
    std::array::from_fn(|_| {
        let c = now;
        now = now * step;
        c
    })
}

/// One stratum, ready for any frequency.
struct Conditional {
    stratum: usize,
    weight: f64,
    n_new: f64,
    /// Coefficients in w^2 of the real part, in w^2 (times w) of the imaginary part, of log phi.
    real: [f64; ORDER / 2],
    imaginary: [f64; ORDER / 2],
    big: Vec<f64>,
    /// At rho = 1: what the deals are worth, exactly.
    worth: Option<f64>,
}

impl Conditional {
    fn new(model: &Model, k: usize, small: &[Gathered<ORDER>], big: &[usize]) -> Self {
        let (stratum, local) = (&model.strata[k], &model.local[k]);
        let mut this = Self {
            stratum: k,
            weight: stratum.weight,
            n_new: local.n_new,
            real: [0.0; ORDER / 2],
            imaginary: [0.0; ORDER / 2],
            big: Vec::new(),
            worth: None,
        };
        if let Law::Step(uniform) = stratum.law {
            this.worth = Some(model.stepped(uniform));
            return this;
        }
        let mut kappa = [0.0; ORDER];
        for ((first, _, _), small) in model.groups().zip(small) {
            let own = small.under(model.law(k, first));
            kappa.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        let mut factorial = 1.0;
        for (k, kappa) in kappa.iter().enumerate().skip(1) {
            factorial *= count(k);
            let sign = if k % 4 < 2 { 1.0 } else { -1.0 };
            let term = sign * kappa / factorial;
            if k % 2 == 0 {
                this.real[k / 2 - 1] = term;
            } else {
                this.imaginary[k / 2] = term;
            }
        }
        let chance = |deal: &usize| {
            let score = model.deals.score.get(*deal).copied().unwrap_or(0.0);
            model.law(k, *deal).chance(model.deals.chance[*deal], score)
        };
        this.big = big.iter().map(chance).collect();
        this
    }

    /// Weight x transform at a block of frequencies, one of the big deals left out; none where it has died out.
    fn block(
        &self,
        (waves, left_out): (&Waves, usize),
        model: &Model,
        (first, len): (usize, usize),
        f: &Frequencies,
    ) -> Option<[Complex; BLOCK]> {
        let mut re = [0.0; BLOCK];
        let mut im = [0.0; BLOCK];
        let mut alive = false;
        for k in 0..len {
            let j = first + k;
            let w = TAU * count(j) / f.period;
            let w2 = w * w;
            let size = w2 * self.real.iter().rev().fold(0.0, |sum, c| sum * w2 + c);
            // e^-42 = 6e-19: below what an average of numbers up to 1 can show.
            if size < -42.0 {
                continue;
            }
            alive = true;
            let angle = w * self.imaginary.iter().rev().fold(0.0, |sum, c| sum * w2 + c);
            let c = Complex { re: size, im: angle }.exp();
            (re[k], im[k]) = (c.re, c.im);
        }
        if !alive {
            return None;
        }
        for (i, (p, (wave_re, wave_im))) in self.big.iter().zip(waves.re.iter().zip(&waves.im)).enumerate() {
            if i == left_out {
                continue;
            }
            for k in 0..BLOCK {
                let (fr, fi) = (1.0 - p + p * wave_re[k], p * wave_im[k]);
                (re[k], im[k]) = (re[k] * fr - im[k] * fi, re[k] * fi + im[k] * fr);
            }
        }
        let worth = self.worth.map(|worth| wave(&f.amounts, worth, f.period, first));
        let mut value = [Complex::default(); BLOCK];
        for (k, value) in value.iter_mut().enumerate().take(len) {
            let mut c = worth.map_or(Complex { re: re[k], im: im[k] }, |worth| worth[k]).times(self.weight)
                * waves.origin[k];
            if let Some(new) = &model.new {
                c = c * new.generating(self.n_new, waves.severity[k]);
            }
            for (beside, severity) in model.beside.iter().zip(&waves.beside) {
                if let Some(new) = &beside.new {
                    c = c * new.generating(beside.n_new[self.stratum], severity[k]);
                }
            }
            *value = c;
        }
        Some(value)
    }
}

/// What |phi| does beyond the frequency where it had died out.
pub(crate) struct Echo {
    /// Its largest bound, averaged over the strata.
    pub(crate) rise: f64,
    /// How far leaving it out can move a chance: the integral of `|phi| / (pi w)`.
    pub(crate) ripple: f64,
    /// The highest frequency that was looked at; none where all were.
    pub(crate) looked_at: Option<f64>,
}

/// How far |phi| can rise again beyond a frequency.
///
/// |1 - p + p e^(ix)| <= exp(-p (1 - p) (1 - cos x)), so the fall of a stratum is at least its
/// sum of p (1 - p) (1 - cos w a), whose sum of cosines is one transform of the amounts' histogram.
pub(crate) fn echo(model: &Model, beyond: f64, lattice: Option<Lattice>) -> Echo {
    const COARSE: usize = 1 << 14;
    let largest = model.deals.amount.iter().copied().fold(0.0, f64::max);
    let largest = largest.max(model.new.as_ref().map_or(0.0, NewBusiness::largest));
    let steps = lattice.map(|lattice| index((largest / lattice.unit()).round()));
    let (unit, n) = match (lattice, steps) {
        (Some(lattice), Some(steps)) if steps < COARSE / 4 => {
            (lattice.unit(), (4 * (steps + 1)).next_power_of_two().max(64))
        }
        _ => (largest * 4.0 / count(COARSE), COARSE),
    };
    let exact = n < COARSE || lattice.is_some_and(|l| l.unit().total_cmp(&unit).is_eq());
    let mut histogram = vec![Complex::default(); n];
    let mut put = |a: f64, re: f64, im: f64| {
        let place = if exact { (a / unit).round() } else { (a / unit).floor() };
        let share = if exact { 0.0 } else { a / unit - place };
        let at = index(place);
        histogram[at] = histogram[at] + Complex { re, im }.times(1.0 - share);
        histogram[at + 1] = histogram[at + 1] + Complex { re, im }.times(share);
    };
    let mut unrest = 0.0;
    for (p, _, a) in model.deals.iter() {
        unrest += p * (1.0 - p);
        put(a, p * (1.0 - p), 0.0);
    }
    if let Some(new) = &model.new {
        new.amount.iter().zip(&new.weight).for_each(|(a, w)| put(*a, 0.0, *w));
    }
    fft(&mut histogram);
    let last = if exact { n / 2 } else { n / 4 };
    let strata = falls(model, unrest);
    // A peak is as wide as a normal characteristic function of the narrowest stratum's total.
    let width = strata.iter().map(|s| s.width).fold(0.0, f64::max);
    let step = TAU / (count(n) * unit);
    // The least fall of deals and of new business.
    let (mut least, mut least_new) = (f64::INFINITY, f64::INFINITY);
    let mut ripple = 0.0;
    for j in 1..=last {
        let w = step * count(j);
        if w < beyond {
            continue;
        }
        // Splitting an amount over two grid points dampens its cosine by up to sinc^2.
        let half = 0.5 * w * unit;
        let damp = if exact { 1.0 } else { special::sin_cos(half).0 / half };
        let (a, b) = (histogram[j], histogram[n - j]);
        let fall = (unrest - 0.5 * (a.re + b.re) / (damp * damp)).max(0.0);
        let fall_new = (1.0 - 0.5 * (a.im + b.im) / (damp * damp)).max(0.0);
        let new = |s: &Fall| model.new.as_ref().map_or(0.0, |new| new.decay(s.n_new, fall_new));
        let size = sum(strata.iter().map(|s| s.weight * special::exp(-fall * s.share - new(s))));
        (least, least_new) = (least.min(fall), least_new.min(fall_new));
        ripple += size * width.min(step) / (std::f64::consts::PI * w);
    }
    let looked_at = (!exact).then_some(step * count(last));
    if least.is_infinite() {
        return Echo { rise: 0.0, ripple: 0.0, looked_at: looked_at.map(|w| w.min(beyond)) };
    }
    let rise = sum(model.strata.iter().zip(&model.local).map(|(stratum, local)| {
        let share = if unrest > 0.0 { local.unrest / unrest } else { 0.0 };
        let new = model.new.as_ref().map_or(0.0, |new| new.decay(local.n_new, least_new));
        stratum.weight * special::exp(-least * share - new)
    }));
    Echo { rise, ripple, looked_at }
}

/// Strata of like unrest taken together, each standing for its calmest.
struct Fall {
    weight: f64,
    /// Of the deals' mean unrest.
    share: f64,
    n_new: f64,
    /// Of a peak, in frequency: sqrt(2 pi) / sd.
    width: f64,
}

const GROUPS: usize = 8;

fn falls(model: &Model, unrest: f64) -> Vec<Fall> {
    let mut strata: Vec<Fall> = model
        .strata
        .iter()
        .zip(&model.local)
        .map(|(stratum, local)| {
            let [_, new] = model.new_moments(local.n_new);
            Fall {
                weight: stratum.weight,
                share: if unrest > 0.0 { local.unrest / unrest } else { 0.0 },
                n_new: local.n_new,
                width: (TAU / (local.variance + new)).sqrt(),
            }
        })
        .collect();
    strata.sort_by(|a, b| a.share.total_cmp(&b.share).then(a.n_new.total_cmp(&b.n_new)));
    let mut groups: Vec<Fall> = Vec::with_capacity(GROUPS + 1);
    for next in strata {
        match groups.last_mut() {
            Some(group) if group.weight + next.weight <= 1.0 / count(GROUPS) => {
                group.weight += next.weight;
                group.n_new = group.n_new.min(next.n_new);
                group.width = group.width.max(next.width);
            }
            _ => groups.push(next),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cumulants_are_those_of_a_coin() {
        let kappa = cumulants(0.3);
        let q = 0.21;
        // Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 3.2, n = 1.
        for (k, exact) in [(1, 0.3), (2, q), (3, q * 0.4), (4, q * (1.0 - 6.0 * q))] {
            assert!((kappa[k] - exact).abs() < 1e-15);
        }
    }

    #[test]
    fn few_cumulants_give_the_logarithm() {
        for p in [0.001, 0.1, 0.5, 0.9] {
            let x = 0.4_f64;
            let (sin, cos) = special::sin_cos(x);
            let exact = special::ln(Complex { re: 1.0 - p + p * cos, im: p * sin }.abs());
            let mut sum = 0.0;
            let mut term = 1.0;
            for (k, kappa) in cumulants(p).iter().enumerate().skip(1) {
                term *= x / count(k);
                if k % 2 == 0 {
                    sum += if k % 4 == 0 { 1.0 } else { -1.0 } * term * kappa;
                }
            }
            assert!((sum - exact).abs() < 1e-13, "the first term left out at x = .4");
        }
    }
}
