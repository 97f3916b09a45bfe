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
use super::transform::{Amounts, Echo, Frequencies, Roots, echo, transform};
use super::{ForecastOptions, NewBusiness, Total, index};
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
        // A copy of the columns, their scores, and the sorted ladder.
        options.memory.afford(self.n_deals().checked_mul(56))?;
        let model = Model::new(self)?;
        let (form, bound) = Engine { model: &model, options }.form()?;
        Ok(Forecast::known(form, self.weighted().total(), model.scale * model.variance.sqrt(), bound))
    }
}

struct Engine<'a> {
    model: &'a Model,
    options: &'a ForecastOptions,
}

type Answer = (Form, ErrorBound);

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
        let amounts = model.deals.amount.iter().chain(model.new.iter().flat_map(|new| &new.amount));
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
        (Form::Atoms(Atoms::sorted(points.into_iter())), exactly(model.strata_error + ROUNDING))
    }

    /// The lattice points of the window, if they are few enough.
    fn stretch(&self, lattice: Lattice) -> Option<Stretch> {
        let units = |x: f64| x * self.model.scale / lattice.unit();
        let first = (units(self.model.low).floor() - 1.0).max(0.0);
        let points = units(self.model.high).ceil() + 2.0 - first;
        (points <= 1e15).then_some(Stretch { lattice, first, points })
    }

    /// The value of the k-th lattice point, what is certain included.
    fn named(&self, lattice: Lattice) -> impl Fn(f64) -> f64 {
        let fixed = self.model.fixed;
        let offset = lattice
            .holds(fixed)
            .then(|| lattice.nearest(fixed))
            .filter(|k| lattice.value(*k).total_cmp(&fixed).is_eq());
        move |k| offset.map_or_else(|| fixed + lattice.value(k), |offset| lattice.value(offset + k))
    }

    /// All outcomes, by convolution on the lattice or one by one.
    fn few(&self, stretch: Option<&Stretch>, convolving: bool) -> Result<Answer> {
        let model = self.model;
        let lattice = stretch.map(|stretch| stretch.lattice);
        let bound = exactly(model.strata_error + ROUNDING);
        if let Some(stretch) = stretch.filter(|_| convolving) {
            let span = index(stretch.first + stretch.points);
            self.options.memory.afford(span.checked_mul(56))?;
            let mass = self.convolved(stretch.lattice.unit() / model.scale, span);
            let name = self.named(stretch.lattice);
            let points = mass.into_iter().enumerate().map(|(k, m)| (name(count(k)), m));
            return Ok((Form::Atoms(Atoms::sorted(points)), bound));
        }
        let n = model.deals.len();
        self.options.memory.afford(Some(56 << n))?;
        let mut mass = vec![0.0; 1 << n];
        for stratum in &model.strata {
            let chances = model.deals.iter().map(|(p, score, _)| stratum.law.chance(p, score));
            for (sum, m) in mass.iter_mut().zip(outcomes(chances, 1.0, |m, p| m * (1.0 - p), |m, p| m * p)) {
                *sum += stratum.weight * m;
            }
        }
        let amounts = model.deals.amount.iter().map(|a| {
            let amount = a * model.scale;
            lattice.map_or(amount, |lattice| lattice.nearest(amount))
        });
        let sums = outcomes(amounts, 0.0, |x, _| x, |x, a| x + a);
        let mut points: Vec<(f64, f64)> = match lattice {
            Some(lattice) => sums.map(self.named(lattice)).zip(mass).collect(),
            None => sums.map(|x| model.fixed + x).zip(mass).collect(),
        };
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok((Form::Atoms(Atoms::sorted(points.into_iter())), bound))
    }

    /// Masses at the multiples 0 ..= span of a unit (scaled), averaged over the strata.
    fn convolved(&self, unit: f64, span: usize) -> Vec<f64> {
        let model = self.model;
        let steps: Vec<Step> = model.deals.amount.iter().map(|a| Step::new(a / unit)).collect();
        let mut mass = vec![0.0; span + 1];
        for stratum in &model.strata {
            let deals = model.deals.iter().zip(&steps);
            let deals = deals.map(|((p, score, _), step)| (stratum.law.chance(p, score), *step));
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
            };
            let phi = transform(model, &frequencies);
            if phi.len() <= n {
                return Ok(self.closed(&phi, (beyond.max(highest), ripple), stretch, &frequencies));
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
        frequencies: &Frequencies,
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
            return Some((self.points(phi, s), exactly(chance)));
        }
        let frame = Frame {
            fixed: model.fixed,
            origin: model.fixed + model.scale * frequencies.origin,
            period: model.scale * frequencies.period,
            lattice: stretch.map(|s| s.lattice),
        };
        Some((Form::Series(Series::new(&frame, phi)), ErrorBound { chance, amount }))
    }

    /// Masses on a lattice from its frequencies.
    fn points(&self, phi: &[Complex], stretch: &Stretch) -> Form {
        let n = index(stretch.points).next_power_of_two();
        let name = self.named(stretch.lattice);
        let first = stretch.first;
        // Transform noise of about 1e-17 is not a chance.
        let masses = real_values(phi, n).into_iter().map(|m| if m > 1e-16 { m } else { 0.0 });
        Form::Atoms(Atoms::sorted(masses.enumerate().map(|(k, m)| (name(first + count(k)), m))))
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
        let phi = self.all_frequencies(unit, stretch.first, n);
        Ok((self.points(&phi, stretch), exactly(model.strata_error + 10.0 * ROUNDING)))
    }

    fn all_frequencies(&self, unit: f64, first: f64, n: usize) -> Vec<Complex> {
        let frequencies = Frequencies {
            period: count(n) * unit,
            origin: first * unit,
            n: n / 2,
            amounts: Amounts::Lattice(Roots::new(unit, n)),
            quiet: None,
        };
        transform(self.model, &frequencies)
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
        let won = deals + model.new.as_ref().map_or(0.0, |new| NewBusiness::most(new, new.mean, 21.0));
        let moved = 3.3 * won.sqrt() + 7.0;
        let margin = moved.ceil().min(0.25 * count(n));
        let low = if convolving { 0.0 } else { model.low };
        let unit = (model.high - low) / (count(n) - 2.0 * margin);
        let first = ((low / unit).floor() - margin).max(0.0);
        let masses = if convolving {
            self.convolved(unit, n)
        } else {
            real_values(&self.all_frequencies(unit, first, n), n)
        };
        let points = masses.into_iter().enumerate().map(|(k, m)| {
            (model.fixed + model.scale * (unit * (first + count(k))), if m > 1e-16 { m } else { 0.0 })
        });
        let amount = model.scale * unit * moved;
        Ok((Form::Atoms(Atoms::sorted(points)), ErrorBound { chance: 1e-9 + model.strata_error, amount }))
    }
}

/// Over all subsets of the deals, in a fixed order: a value grown deal by deal.
fn outcomes(
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
mod tests {
    use super::*;
    use crate::forecast::Shock;
    use crate::forecast::shock::ShockNode;
    use crate::num::rng::Stream;
    use crate::{Amount, Level, Seed};

    /// Every outcome of every deal, number of new deals and pair of them: the definition, at given strata.
    fn brute(model: &Model) -> Vec<(f64, f64)> {
        let n = model.deals.len();
        let mut points = Vec::new();
        for stratum in &model.strata {
            for outcome in 0..1_u32 << n {
                let (mut x, mut m) = (0.0, stratum.weight);
                for (i, (p, score, a)) in model.deals.iter().enumerate() {
                    let p = stratum.law.chance(p, score);
                    let won = outcome >> i & 1 == 1;
                    m *= if won { p } else { 1.0 - p };
                    x += if won { a } else { 0.0 };
                }
                points.push((model.fixed + model.scale * x, m));
            }
        }
        points
    }

    fn book(n: u64, seed: u64, amount: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let mut stream = Stream::new(Seed::new(seed), n, 0);
        (0..n).map(|_| (stream.uniform(), amount(stream.uniform()))).unzip()
    }

    #[test]
    fn equals_brute_force() {
        for n in [1, 2, 5, 11, 16] {
            for rho in [0.0, 0.1, 0.6] {
                for whole in [false, true] {
                    let (p, a) = book(n, 3, |u| if whole { (90.0 * u).ceil() } else { 1e4 * u });
                    let total = Total::from_columns(Amount::new(7.0).unwrap(), p, a).unwrap();
                    let total = total.with_shock(Shock::new(rho).unwrap());
                    let forecast = total.exact(&ForecastOptions::default()).unwrap();
                    let points = brute(&Model::new(&total).unwrap());
                    let top = points.iter().map(|x| x.0).fold(0.0, f64::max);
                    for k in 0..40 {
                        // Between the atoms, so that the order of additions does not matter.
                        let x = (top * f64::from(k) / 40.0).floor() + 0.4999;
                        let exact = sum(points.iter().filter(|point| point.0 >= x).map(|point| point.1));
                        let found = forecast.at_least(x);
                        assert!((found - exact).abs() < 1e-12, "{n} {rho} {whole} at {x}: {found} {exact}");
                        let short = sum(points.iter().map(|point| point.1 * (x - point.0).max(0.0)));
                        assert!((forecast.shortfall(x) - short).abs() < 1e-11 * top);
                    }
                }
            }
        }
    }

    /// The three ways agree where all are open: 400 deals on a lattice of whole numbers.
    #[test]
    fn transform_equals_convolution() {
        let (p, a) = book(400, 5, |u| (40.0 * u).ceil());
        for rho in [0.0, 0.05, 0.3] {
            let total = Total::from_columns(Amount::ZERO, p.clone(), a.clone()).unwrap();
            let total = total.with_shock(Shock::new(rho).unwrap());
            let model = Model::new(&total).unwrap();
            let options = ForecastOptions::default();
            let engine = Engine { model: &model, options: &options };
            let stretch = engine.stretch(Lattice::of_unit(1.0)).unwrap();
            let (few, _) = engine.few(Some(&stretch), true).unwrap();
            let (many, bound) = engine.many(Some(&stretch), 2e-8, 1e-9).unwrap().unwrap();
            let (whole, _) = engine.whole(&stretch).unwrap();
            let forecast = |form| Forecast::known(form, 0.0, 1.0, exactly(0.0));
            let (few, many, whole) = (forecast(few), forecast(many), forecast(whole));
            for k in 0..200 {
                let x = 42.0 * f64::from(k);
                let exact = few.at_least(x);
                assert!(
                    (many.at_least(x) - exact).abs() < bound.chance,
                    "{rho} {x}: {} {exact}",
                    many.at_least(x)
                );
                assert!(
                    (whole.at_least(x) - exact).abs() < 1e-12,
                    "{rho} {x}: {} {exact}",
                    whole.at_least(x)
                );
            }
        }
    }

    /// A series on true amounts against the split lattice's own limit: a thousand deals, both ways.
    #[test]
    fn series_equals_a_fine_lattice() {
        // Cents: 1e6 and more units, so that the fast way stores a series.
        let (p, a) = book(1000, 9, |u| (100.0 * 5000.0 * u * u).ceil() / 100.0);
        let p: Vec<f64> = p.into_iter().map(|p| 0.5 * p).collect();
        for rho in [0.0, 0.05] {
            let total = Total::from_columns(Amount::ZERO, p.clone(), a.clone()).unwrap();
            let total = total.with_shock(Shock::new(rho).unwrap());
            let model = Model::new(&total).unwrap();
            let options = ForecastOptions::default();
            let engine = Engine { model: &model, options: &options };
            let lattice = common_unit(&a.iter().copied()).unwrap();
            assert_eq!(lattice.unit(), 0.01);
            let stretch = engine.stretch(lattice).unwrap();
            let (series, bound) = engine.many(Some(&stretch), 1e-11, 1e-9).unwrap().unwrap();
            assert!(matches!(series, Form::Series(_)));
            let series = Forecast::known(series, 0.0, 1.0, bound);
            let direct = |x: f64| gil_pelaez(&model, x);
            for level in [0.001, 0.5, 0.99] {
                let x = series.quantile(Level::new(level).unwrap());
                let found = 1.0 - series.at_least(x + 0.005);
                let exact = direct(x + 0.005);
                assert!((found - exact).abs() < 1e-9, "rho {rho} at {x}: {found} {exact}");
            }
        }
    }

    /// P(T <= x) by the inversion integral on direct products over all deals, four times finer and further.
    fn gil_pelaez(model: &Model, x: f64) -> f64 {
        let sd = model.variance.sqrt();
        let period = 4.0 * (model.high - model.low);
        let n = index(20.0 / sd * period / TAU * 3.0);
        let x = (x - model.fixed) / model.scale;
        let mut f = 0.5 + (x - model.mean) / period;
        // F(x) = 1/2 + (x - c)/period + sum Im(...)/(pi j), centred on a window around the mean.
        let centre = model.mean - 0.5 * period;
        for j in 1..=n {
            let w = TAU * count(j) / period;
            let mut phi = Complex::default();
            for stratum in &model.strata {
                let mut product = Complex::ONE.times(stratum.weight);
                for (p, score, a) in model.deals.iter() {
                    let p = stratum.law.chance(p, score);
                    let (sin, cos) = special::sin_cos(w * a);
                    product = product * Complex { re: 1.0 - p + p * cos, im: p * sin };
                }
                phi = phi + product;
            }
            let at = |x: f64| {
                let (sin, cos) = special::sin_cos(-w * x);
                phi * Complex { re: cos, im: sin }
            };
            f += (at(centre).im - at(x).im) / (std::f64::consts::PI * count(j));
            if phi.abs() < 1e-15 && j > 400 {
                break;
            }
        }
        f
    }

    #[test]
    fn atoms_and_extremes_are_honest() {
        let total = |deals: &[(f64, f64)]| {
            let (p, a) = deals.iter().copied().unzip();
            Total::from_columns(Amount::new(5.0).unwrap(), p, a).unwrap()
        };
        let ask = |deals: &[(f64, f64)]| total(deals).exact(&ForecastOptions::default()).unwrap();
        assert_eq!(ask(&[]).median(), 5.0);
        assert_eq!(ask(&[(1.0, 3.0), (0.0, 9.0), (0.5, 0.0)]).median(), 8.0);
        assert_eq!(ask(&[(1.0, 3.0)]).at_least(8.0), 1.0);
        assert_eq!(ask(&[(0.5, 1e-300), (0.5, 1e300)]).at_least(1e300), 0.5);
        assert_eq!(ask(&[(0.25, 0.01), (0.5, 1e12)]).at_least(1e12), 0.5);
        assert_eq!(ask(&[(0.1, 0.1), (0.5, 0.2)]).at_least(5.3), 0.05);
        // One huge deal among small ones.
        let mut deals = vec![(0.3, 1.0); 2000];
        deals.push((0.001, 1e9));
        let forecast = ask(&deals);
        assert!((forecast.at_least(1e8) - 0.001).abs() < 1e-9, "{}", forecast.at_least(1e8));
        // Steps at rho = 1: the second deal is won whenever the first is.
        let both = total(&[(0.2, 10.0), (0.6, 1.0)]).with_shock(Shock::new(1.0).unwrap());
        let both = both.exact(&ForecastOptions::default()).unwrap();
        assert!((both.at_least(16.0) - 0.2).abs() < 1e-15);
        assert!((both.at_least(6.0) - 0.6).abs() < 1e-15);
    }

    #[test]
    fn a_mixture_is_the_mixture() {
        let (p, a) = book(9, 2, |u| (50.0 * u).ceil());
        let node = |rho, weight| ShockNode { rho, tau: 0.0, weight };
        let ask = |nodes: Vec<ShockNode>| {
            let total = Total::from_columns(Amount::ZERO, p.clone(), a.clone()).unwrap();
            total.with_shock(Shock::from_nodes(nodes).unwrap()).exact(&ForecastOptions::default()).unwrap()
        };
        let parts = [0.02, 0.2].map(|rho| ask(vec![node(rho, 1.0)]));
        let mixed = ask(vec![node(0.02, 1.0), node(0.2, 3.0)]);
        for k in 0..100 {
            let x = 3.0 * f64::from(k);
            let exact = 0.25 * parts[0].at_least(x) + 0.75 * parts[1].at_least(x);
            assert!((mixed.at_least(x) - exact).abs() < 1e-13);
        }
    }
}
