//! The exact engine: which way to the distribution is right for a book, and its error bound.
//!
//! 1. Few outcomes or few lattice points: all of them, by convolution or enumeration, every probability to full
//!    relative accuracy.
//! 2. Many deals: the characteristic function up to where it has died out (`transform.rs`). Whether it may rise again
//!    at a frequency further up, as it does where amounts have a common structure, is examined and bounded.
//! 3. Few expected wins among many deals, amounts multiples of one unit: all frequencies of the lattice.
//! 4. The same without a unit: amounts split over the two nearest points of a fine lattice; the bound states how far
//!    an amount can have moved.

use super::answer::{ErrorBound, Forecast, Form};
use super::atoms::Atoms;
use super::fourier::{Complex, real_values};
use super::lattice::{Lattice, Step, common_unit, convolve};
use super::profile::Model;
use super::series::{Frame, Series};
use super::transform::{Amounts, Echo, Frequencies, Heard, Roots, echo, transform};
use super::{ForecastOptions, Total, index};
use crate::Result;
use crate::num::{count, special, sum::sum};
use std::f64::consts::TAU;

/// Most points of a lattice that is not rounded.
const LATTICE: f64 = 4_194_304.0;
/// Most points a distribution is stored as; finer ones are stored as a series.
const STORED: f64 = 131_072.0;
/// Most deals whose outcomes are enumerated.
const ENUMERATED: usize = 18;
/// |phi| that no longer counts.
const QUIET: f64 = 2e-11;
/// Rounding of sums of up to 1e6 terms of a probability.
const ROUNDING: f64 = 1e-13;

impl Total {
    /// The distribution of the total, without noise.
    ///
    /// Deterministic. Amounts that are multiples of one unit, up to a million units in all, are never rounded; what
    /// rounding or truncation did otherwise is stated by [`Forecast::error_bound`].
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge) where the memory does not suffice,
    /// [`Overflow`](crate::ErrorKind::Overflow) where the range of the total is not finite.
    pub fn exact(&self, options: &ForecastOptions) -> Result<Forecast> {
        Ok(self.solved(options)?.forecast)
    }

    /// The distribution together with the way that led to it, for questions under a condition.
    pub(crate) fn solved(&self, options: &ForecastOptions) -> Result<Solved> {
        // A copy of the columns, their scores, and the sorted ladder.
        options.memory.afford(self.n_deals().checked_mul(56))?;
        self.solve(Model::new(self)?, Heard::Together, options)
    }

    /// The distribution of several totals under one shock.
    pub(super) fn together(totals: &[Self], options: &ForecastOptions) -> Result<Forecast> {
        let deals = totals.iter().try_fold(0_usize, |n, total| n.checked_add(total.n_deals()));
        options.memory.afford(deals.and_then(|n| n.checked_mul(112)))?;
        let model = Model::joined(totals)?;
        let (form, bound, _) = Engine { model: &model, options, heard: Heard::Together }.form()?;
        let mean = totals.iter().map(|total| total.weighted().total()).sum();
        Forecast::known(form, mean, model.scale * model.variance.sqrt(), bound).finite()
    }

    /// The same stratum by stratum, the shock cut as finely as another book of this shock asks for.
    pub(crate) fn solved_apart(&self, finer: &Self, options: &ForecastOptions) -> Result<Solved> {
        options.memory.afford(finer.n_deals().checked_mul(56))?;
        self.solve(Model::like(self, finer)?, Heard::Apart, options)
    }

    fn solve(&self, model: Model, heard: Heard, options: &ForecastOptions) -> Result<Solved> {
        let (form, bound, way) = Engine { model: &model, options, heard }.form()?;
        let sd = model.scale * model.variance.sqrt();
        let forecast = Forecast::known(form, self.weighted().total(), sd, bound);
        Ok(Solved { model, way, forecast })
    }
}

/// A distribution, what it was computed from, and how.
pub(crate) struct Solved {
    pub(crate) model: Model,
    pub(crate) way: Way,
    pub(crate) forecast: Forecast,
}

/// How a distribution was computed.
pub(crate) enum Way {
    /// Within a stratum nothing is random.
    Certain,
    /// Convolved on these points.
    Convolved(Points),
    /// Outcome by outcome; amounts that are multiples of a unit are named by it.
    Enumerated(Option<Lattice>),
    /// From its transform at these frequencies.
    Waves(Frequencies, Reading),
}

/// How a transform is read at an amount.
pub(crate) enum Reading {
    Points(Points),
    Series(Frame),
}

/// Even points on which a distribution lives: the k-th is `first + k` units above what is certain.
#[derive(Clone, Copy)]
pub(crate) struct Points {
    fixed: f64,
    /// In units of the caller.
    unit: f64,
    /// The same in units of [`Model::scale`].
    pub(crate) scaled: f64,
    pub(crate) first: f64,
    pub(crate) n: usize,
    /// Names the points as people write them; with what is certain in units, where that is whole.
    lattice: Option<(Lattice, Option<f64>)>,
}

impl Points {
    fn named(model: &Model, lattice: Lattice, (first, n): (f64, usize)) -> Self {
        let (fixed, unit) = (model.fixed, lattice.unit());
        let offset = lattice
            .holds(fixed)
            .then(|| lattice.nearest(fixed))
            .filter(|k| lattice.value(*k).total_cmp(&fixed).is_eq());
        Self { fixed, unit, scaled: unit / model.scale, first, n, lattice: Some((lattice, offset)) }
    }

    fn rounded(model: &Model, scaled: f64, (first, n): (f64, usize)) -> Self {
        Self { fixed: model.fixed, unit: model.scale * scaled, scaled, first, n, lattice: None }
    }

    /// The value of the k-th point, what is certain included.
    pub(crate) fn value(&self, k: usize) -> f64 {
        self.at(self.first + count(k))
    }

    fn at(&self, k: f64) -> f64 {
        match self.lattice {
            Some((lattice, Some(offset))) => lattice.value(offset + k),
            Some((lattice, None)) => self.fixed + lattice.value(k),
            None => self.fixed + self.unit * k,
        }
    }

    /// The first point whose value is at least x; `n` where there is none.
    pub(crate) fn reach(&self, x: f64) -> usize {
        let (mut low, mut high) = (0, self.n);
        while low < high {
            let middle = low.midpoint(high);
            if self.value(middle) < x {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn atoms(&self, masses: impl Iterator<Item = f64>) -> Form {
        Form::Atoms(Atoms::sorted(masses.enumerate().map(|(k, m)| (self.value(k), m))))
    }
}

struct Engine<'a> {
    model: &'a Model,
    options: &'a ForecastOptions,
    heard: Heard,
}

type Answer = (Form, ErrorBound, Way);

fn exactly(chance: f64) -> ErrorBound {
    ErrorBound { chance, amount: 0.0 }
}

/// A stretch of lattice points: `first`, and how many.
struct Stretch {
    lattice: Lattice,
    first: f64,
    points: f64,
}

impl Engine<'_> {
    fn form(&self) -> Result<Answer> {
        let model = self.model;
        if model.new.is_none() && model.local.iter().all(|local| local.unrest == 0.0) {
            return Ok(self.certain());
        }
        let new = model.new.iter().chain(model.beside.iter().filter_map(|beside| beside.new.as_ref()));
        let amounts = model.deals.amount.iter().chain(new.flat_map(|new| &new.amount));
        let stretch =
            common_unit(&amounts.map(|a| a * model.scale)).and_then(|lattice| self.stretch(lattice));
        let n = count(model.deals.len());
        let strata = count(model.strata.len());
        let convolving = stretch
            .as_ref()
            .filter(|_| model.new.is_none() && !self.stepped())
            .map_or(f64::INFINITY, |stretch| 0.5 * n * strata * (stretch.first + stretch.points));
        let enumerating = if model.new.is_none() && model.deals.len() <= ENUMERATED && !self.stepped() {
            16.0 * strata * count(1 << model.deals.len())
        } else {
            f64::INFINITY
        };
        // A millisecond of either is worth answers to the last bit.
        if convolving.min(enumerating) <= 4e6 {
            return self.few(stretch.as_ref(), convolving <= enumerating);
        }
        if let Some(answer) = self.many(stretch.as_ref(), 1e-11, 1e-9)? {
            return Ok(answer);
        }
        let tolerance = self.options.tolerance;
        if tolerance > 0.0
            && let Some(answer) = self.many(stretch.as_ref(), 1e-2 * tolerance, tolerance)?
        {
            return Ok(answer);
        }
        if convolving.min(enumerating) <= 2e8 {
            return self.few(stretch.as_ref(), convolving <= enumerating);
        }
        // The bound grows with what never dies out; still far below what two lattice points can tell apart.
        if let Some(answer) = self.many(stretch.as_ref(), 1e-8, 1e-9)? {
            return Ok(answer);
        }
        // Seconds of work are for those who asked for all digits.
        let patience = if tolerance > 0.0 { 1.0 / 40.0 } else { 1.0 };
        if convolving.min(enumerating) <= 4e9 * patience {
            return self.few(stretch.as_ref(), convolving <= enumerating);
        }
        match stretch {
            Some(stretch)
                if 0.5 * stretch.points * (if self.stepped() { 64.0 } else { n + 64.0 }) * strata
                    <= 8e9 * patience =>
            {
                self.whole(&stretch)
            }
            _ => self.rounded(),
        }
    }

    fn stepped(&self) -> bool {
        self.model.strata.iter().any(|s| matches!(s.law, super::shock::Law::Step(_)))
    }

    /// Nothing is random within a stratum: the total takes the strata's means.
    fn certain(&self) -> Answer {
        let model = self.model;
        let mut points: Vec<(f64, f64)> = model
            .strata
            .iter()
            .zip(&model.local)
            .map(|(stratum, local)| (model.fixed + model.scale * local.mean, stratum.weight))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        (Form::Atoms(Atoms::sorted(points.into_iter())), exactly(model.strata_error + ROUNDING), Way::Certain)
    }

    /// The lattice points of the window, if they are few enough.
    fn stretch(&self, lattice: Lattice) -> Option<Stretch> {
        let units = |x: f64| x * self.model.scale / lattice.unit();
        let first = (units(self.model.low).floor() - 1.0).max(0.0);
        let points = units(self.model.high).ceil() + 2.0 - first;
        (points <= 1e15).then_some(Stretch { lattice, first, points })
    }

    /// All outcomes, by convolution on the lattice or one by one.
    fn few(&self, stretch: Option<&Stretch>, convolving: bool) -> Result<Answer> {
        let model = self.model;
        let lattice = stretch.map(|stretch| stretch.lattice);
        let bound = exactly(model.strata_error + ROUNDING);
        if let Some(stretch) = stretch.filter(|_| convolving) {
            let span = index(stretch.first + stretch.points);
            self.options.memory.afford(span.checked_mul(56))?;
            let points = Points::named(model, stretch.lattice, (0.0, span + 1));
            let mass = self.convolved(points.scaled, span);
            return Ok((points.atoms(mass.into_iter()), bound, Way::Convolved(points)));
        }
        let n = model.deals.len();
        self.options.memory.afford(Some(56 << n))?;
        let mut mass = vec![0.0; 1 << n];
        for (k, stratum) in model.strata.iter().enumerate() {
            for (sum, m) in
                mass.iter_mut().zip(outcomes(model.chances(k), 1.0, |m, p| m * (1.0 - p), |m, p| m * p))
            {
                *sum += stratum.weight * m;
            }
        }
        let mut points: Vec<(f64, f64)> = totals(model, lattice).zip(mass).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok((Form::Atoms(Atoms::sorted(points.into_iter())), bound, Way::Enumerated(lattice)))
    }

    /// Masses at the multiples 0 ..= span of a unit (scaled), averaged over the strata.
    fn convolved(&self, unit: f64, span: usize) -> Vec<f64> {
        let model = self.model;
        let steps: Vec<Step> = model.deals.amount.iter().map(|a| Step::new(a / unit)).collect();
        let mut mass = vec![0.0; span + 1];
        for (k, stratum) in model.strata.iter().enumerate() {
            let deals = model.chances(k).zip(steps.iter().copied());
            for (sum, m) in mass.iter_mut().zip(convolve(deals, span)) {
                *sum += stratum.weight * m;
            }
        }
        mass
    }

    /// The characteristic function up to where it has died out; none where more than `most` never does, or where what
    /// rises again beyond would move a chance by more than `ripple`.
    fn many(&self, stretch: Option<&Stretch>, most: f64, ripple: f64) -> Result<Option<Answer>> {
        let model = self.model;
        let parts = || model.strata.iter().zip(&model.local);
        // What stays of |phi| at random frequencies: about the chance that nothing at all is won.
        let new = model.new.as_ref();
        let silence = |n_new: f64| new.map_or(0.0, |new| new.silence(n_new));
        let stays = sum(parts().map(|(s, l)| s.weight * special::exp(-l.unrest - silence(l.n_new))));
        if stays > most {
            return Ok(None);
        }
        let stored = stretch.filter(|s| s.points <= STORED);
        let (period, origin) = match stored {
            Some(s) => {
                let points = count(index(s.points).next_power_of_two());
                let unit = s.lattice.unit() / model.scale;
                (points * unit, s.first * unit)
            }
            None => (1.02 * (model.high - model.low), model.low - 0.01 * (model.high - model.low)),
        };
        // Within a stratum phi may live on to `beyond`; its average over the shock dies out earlier.
        let beyond = 1.3 * self.decay();
        let mut highest = beyond.min(16.0 / model.variance.sqrt());
        for _ in 0..6 {
            let n = (highest * period / TAU).ceil() + 32.0;
            let lattice_end = stored.map_or(f64::INFINITY, |s| 0.5 * s.points);
            let big = count(model.deals.amount.iter().filter(|a| **a * highest > 0.8).count());
            if n >= lattice_end || n * count(model.strata.len()) * (30.0 + big) > 2e9 {
                return Ok(None);
            }
            let n = index(n);
            self.options.memory.afford(n.checked_mul(640))?;
            let frequencies = Frequencies {
                period,
                origin,
                n,
                amounts: Amounts::True,
                quiet: Some((10.0 * stays).max(QUIET)),
                heard: self.heard,
            };
            let phi = transform(model, &frequencies);
            if phi.len() <= n {
                return Ok(self.closed(&phi, (beyond.max(highest), ripple), stretch, frequencies));
            }
            highest *= 1.5;
        }
        Ok(None)
    }

    /// Where a normal total of each stratum's variance would have died out.
    fn decay(&self) -> f64 {
        let model = self.model;
        let left = |w: f64| {
            sum(model.strata.iter().zip(&model.local).map(|(s, local)| {
                let [_, new] = model.new_moments(local.n_new);
                s.weight * special::exp(-0.5 * w * w * (local.variance + new))
            }))
        };
        let mut high = 1.0 / model.variance.sqrt();
        while left(high) > 1e-14 && high < 1e30 {
            high *= 1.25;
        }
        high
    }

    fn closed(
        &self,
        phi: &[Complex],
        (beyond, most): (f64, f64),
        stretch: Option<&Stretch>,
        frequencies: Frequencies,
    ) -> Option<Answer> {
        let model = self.model;
        let scaled = |s: &Stretch| Lattice::of_unit(s.lattice.unit() / model.scale);
        let Echo { rise, ripple, looked_at } = echo(model, beyond, stretch.map(scaled));
        let quiet = frequencies.quiet.unwrap_or(0.0);
        let left_out = if rise <= 1e-9 + quiet { 3.0 * rise } else { ripple };
        if left_out > most.max(3.0 * (1e-9 + quiet)) {
            return None;
        }
        // Cumulants, gathering and truncation: each measured below 1e-12 against direct products. What stays of phi
        // is left out with weights 1 / (pi j), whose sum over 14 decades of j is 10.
        let chance = 1e-11 + left_out + 3.0 * quiet + model.strata_error;
        let amount = looked_at.map_or(0.0, |w| model.scale * TAU / w);
        if let Some(s) = stretch.filter(|s| s.points <= STORED) {
            return Some(self.points(phi, s, (exactly(chance), frequencies)));
        }
        let frame = Frame {
            fixed: model.fixed,
            origin: model.fixed + model.scale * frequencies.origin,
            period: model.scale * frequencies.period,
            lattice: stretch.map(|s| s.lattice),
        };
        let form = Form::Series(Series::new(&frame, phi));
        Some((form, ErrorBound { chance, amount }, frequencies.read(phi, Reading::Series(frame))))
    }

    /// Masses on a lattice from its frequencies.
    fn points(
        &self,
        phi: &[Complex],
        stretch: &Stretch,
        (bound, frequencies): (ErrorBound, Frequencies),
    ) -> Answer {
        let n = index(stretch.points).next_power_of_two();
        let points = Points::named(self.model, stretch.lattice, (stretch.first, n));
        // Transform noise of about 1e-17 is not a chance.
        let masses = real_values(phi, n).into_iter().map(|m| if m > 1e-16 { m } else { 0.0 });
        (points.atoms(masses), bound, frequencies.read(phi, Reading::Points(points)))
    }

    /// All frequencies of a lattice.
    fn whole(&self, stretch: &Stretch) -> Result<Answer> {
        let model = self.model;
        if stretch.points > LATTICE {
            return self.rounded();
        }
        let n = index(stretch.points).next_power_of_two();
        self.options.memory.afford(n.checked_mul(64))?;
        let unit = stretch.lattice.unit() / model.scale;
        let (phi, frequencies) = self.all_frequencies(unit, stretch.first, n);
        Ok(self.points(&phi, stretch, (exactly(model.strata_error + 10.0 * ROUNDING), frequencies)))
    }

    fn all_frequencies(&self, unit: f64, first: f64, n: usize) -> (Vec<Complex>, Frequencies) {
        let frequencies = Frequencies {
            period: count(n) * unit,
            origin: first * unit,
            n: n / 2,
            amounts: Amounts::Lattice(Roots::new(unit, n)),
            quiet: None,
            heard: self.heard,
        };
        (transform(self.model, &frequencies), frequencies)
    }

    /// Amounts split over the two nearest points of a lattice that the work allows.
    fn rounded(&self) -> Result<Answer> {
        let model = self.model;
        let strata = count(model.strata.len());
        let convolving = model.new.is_none() && !self.stepped();
        let deals = if self.stepped() { 0.0 } else { count(model.deals.len()) };
        // About 20 ms: half a nanosecond a point and deal by convolution, some more by frequencies.
        let work = if convolving { deals } else { 2.0 * deals + 64.0 } * strata;
        let most = if convolving { 4e7 } else { 8e7 };
        // Under a tolerance an eighth of the points still leaves steps of a thousandth of the spread.
        let mut n: usize = if self.options.tolerance > 0.0 { 1 << 13 } else { 1 << 16 };
        while n > 1 << 11 && 0.5 * count(n) * work > most {
            n /= 2;
        }
        self.options.memory.afford(n.checked_mul(96))?;
        // Each won deal moves by a mean-zero step of at most one unit (Bernstein at 1e-9).
        let new = model.new.iter().chain(model.beside.iter().filter_map(|beside| beside.new.as_ref()));
        let won = deals + new.map(|new| new.most(new.mean, 21.0)).sum::<f64>();
        let moved = 3.3 * won.sqrt() + 7.0;
        let margin = moved.ceil().min(0.25 * count(n));
        let low = if convolving { 0.0 } else { model.low };
        let unit = (model.high - low) / (count(n) - 2.0 * margin);
        let first = ((low / unit).floor() - margin).max(0.0);
        let clean = |m: f64| if m > 1e-16 { m } else { 0.0 };
        let bound = ErrorBound { chance: 1e-9 + model.strata_error, amount: model.scale * unit * moved };
        if convolving {
            let points = Points::rounded(model, unit, (first, n + 1));
            let masses = self.convolved(unit, n).into_iter().map(clean);
            return Ok((points.atoms(masses), bound, Way::Convolved(points)));
        }
        let points = Points::rounded(model, unit, (first, n));
        let (phi, frequencies) = self.all_frequencies(unit, first, n);
        let masses = real_values(&phi, n).into_iter().map(clean);
        Ok((points.atoms(masses), bound, frequencies.read(&phi, Reading::Points(points))))
    }
}

impl Frequencies {
    /// The way by those that were used.
    fn read(self, phi: &[Complex], reading: Reading) -> Way {
        Way::Waves(Self { n: phi.len().saturating_sub(1), ..self }, reading)
    }
}

/// The total of every subset of the deals, in the order of [`outcomes`].
pub(crate) fn totals(model: &Model, lattice: Option<Lattice>) -> impl Iterator<Item = f64> {
    let amounts = model.deals.amount.iter().map(|a| {
        let amount = a * model.scale;
        lattice.map_or(amount, |lattice| lattice.nearest(amount))
    });
    let sums = outcomes(amounts, 0.0, |x, _| x, |x, a| x + a);
    let name = lattice.map(|lattice| Points::named(model, lattice, (0.0, 0)));
    let fixed = model.fixed;
    sums.map(move |x| name.map_or_else(|| fixed + x, |points| points.at(x)))
}

/// Over all subsets of the deals, in a fixed order: a value grown deal by deal.
pub(crate) fn outcomes(
    deals: impl Iterator<Item = f64>,
    start: f64,
    lost: impl Fn(f64, f64) -> f64,
    won: impl Fn(f64, f64) -> f64,
) -> std::vec::IntoIter<f64> {
    let mut values = vec![start];
    for deal in deals {
        let more: Vec<f64> = values.iter().map(|value| won(*value, deal)).collect();
        for value in &mut values {
            *value = lost(*value, deal);
        }
        values.extend(more);
    }
    values.into_iter()
}

#[cfg(test)]
mod tests;
