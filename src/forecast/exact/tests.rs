//! The exact engine against definitions and other ways to the same numbers.

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
        let engine = Engine { model: &model, options: &options, heard: Heard::Together };
        let stretch = engine.stretch(Lattice::of_unit(1.0)).unwrap();
        let (few, ..) = engine.few(Some(&stretch), true).unwrap();
        let (many, bound, _) = engine.many(Some(&stretch), 2e-8, 1e-9).unwrap().unwrap();
        let (whole, ..) = engine.whole(&stretch).unwrap();
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
            assert!((whole.at_least(x) - exact).abs() < 1e-12, "{rho} {x}: {} {exact}", whole.at_least(x));
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
        let engine = Engine { model: &model, options: &options, heard: Heard::Together };
        let lattice = common_unit(&a.iter().copied()).unwrap();
        assert_eq!(lattice.unit(), 0.01);
        let stretch = engine.stretch(lattice).unwrap();
        let (series, bound, _) = engine.many(Some(&stretch), 1e-11, 1e-9).unwrap().unwrap();
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
