//! The period's total: golden numbers of other tools, and laws over random books.

use crate::oracle;
use dealcast::forecast::{Forecast, ForecastOptions, NewBusiness, Shock, SimulationOptions, Total};
use dealcast::{Amount, ErrorKind, Level, Probability, Seed};
use proptest::prelude::*;
use serde_json::Value;

fn golden(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../golden/total.json")).unwrap();
    all[name].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn amount(x: f64) -> Amount {
    Amount::new(x).unwrap()
}

fn level(x: f64) -> Level {
    Level::new(x).unwrap()
}

fn total(p: &[f64], a: &[f64]) -> Total {
    let deals = p.iter().zip(a).map(|(p, a)| (Probability::new(*p).unwrap(), amount(*a)));
    Total::new(Amount::ZERO, deals).unwrap()
}

fn exact(total: &Total) -> Forecast {
    total.exact(&ForecastOptions::default()).unwrap()
}

fn chance(forecast: &Forecast, x: f64) -> f64 {
    forecast.chance_of_hitting(amount(x)).get()
}

#[test]
fn numbers_of_wins_are_those_of_the_poisson_binomial() {
    let case = golden("poisson_binomial");
    let p = numbers(&case["p"]);
    let forecast = exact(&total(&p, &vec![1.0; p.len()]));
    let mut below = 0.0;
    for (k, mass) in (0_u32..).zip(numbers(&case["pmf"])) {
        below += mass;
        assert!((forecast.cdf(f64::from(k)).get() - below).abs() < case["tolerance"].as_f64().unwrap());
    }
    let Some(oracle) = oracle::read("O15") else { return };
    let p = numbers(&oracle["inputs"]["case3"]);
    let forecast = exact(&total(&p, &vec![1.0; p.len()]));
    let expected = &oracle["expected"]["case3"];
    for (k, cdf) in numbers(&expected["k"]).into_iter().zip(numbers(&expected["cdf"])) {
        let found = forecast.cdf(k).get();
        assert!((found - cdf).abs() < 1e-12 + forecast.error_bound().chance(), "{k}: {found} {cdf}");
    }
}

#[test]
fn ten_deals_match_the_generalized_poisson_binomial() {
    let case = golden("ten_deals");
    let forecast = exact(&total(&numbers(&case["p"]), &numbers(&case["amount"])));
    assert!((forecast.mean() - case["mean"].as_f64().unwrap()).abs() < 1e-12 * forecast.mean());
    let variance = case["variance"].as_f64().unwrap();
    assert!((forecast.sd() * forecast.sd() - variance).abs() < 1e-12 * variance);
    for (x, p) in numbers(&case["at_least"]).into_iter().zip(numbers(&case["chance"])) {
        assert!((chance(&forecast, x) - p).abs() < 1e-12);
    }
    for (p, x) in numbers(&case["levels"]).into_iter().zip(numbers(&case["quantiles"])) {
        assert_eq!(forecast.quantile(level(p)), x);
    }
    let Some(oracle) = oracle::read("O16") else { return };
    let pmf = &oracle["expected"]["pmf_nonzero"];
    let mut below = 0.0;
    for (x, mass) in numbers(&pmf["x"]).into_iter().zip(numbers(&pmf["pmf"])) {
        below += mass;
        assert!((forecast.cdf(x).get() - below).abs() < 1e-12);
    }
}

#[test]
pub(super) fn new_business_matches_panjer() {
    let case = golden("compound");
    let severity: Vec<_> =
        (0_u32..).zip(numbers(&case["severity"])).map(|(x, weight)| (amount(f64::from(x)), weight)).collect();
    let mean = case["mean_count"].as_f64().unwrap();
    let poisson = NewBusiness::new(mean, severity).unwrap();
    let spread = poisson.clone().overdispersed(case["size"].as_f64().unwrap()).unwrap();
    for (new, column, variance) in [
        (poisson, "poisson", "variance_poisson"),
        (spread, "negative_binomial", "variance_negative_binomial"),
    ] {
        let forecast = exact(&total(&[], &[]).with_new_business(new).unwrap());
        assert!((forecast.mean() - case["mean"].as_f64().unwrap()).abs() < 1e-12 * forecast.mean());
        let variance = case[variance].as_f64().unwrap();
        assert!((forecast.sd() * forecast.sd() - variance).abs() < 1e-9 * variance, "printed to 12 digits");
        for (x, cdf) in numbers(&case["x"]).into_iter().zip(numbers(&case[column])) {
            let found = forecast.cdf(x).get();
            assert!(
                (found - cdf).abs() < case["tolerance"].as_f64().unwrap(),
                "{column} at {x}: {found} {cdf}"
            );
        }
    }
}

#[test]
fn shared_shock_matches_120_point_quadrature() {
    let case = golden("shared_shock");
    let plain = total(&numbers(&case["p"]), &numbers(&case["amount"]));
    for row in case["by_rho"].as_array().unwrap() {
        let shocked = plain.clone().with_shock(Shock::new(row["rho"].as_f64().unwrap()).unwrap());
        let forecast = exact(&shocked);
        let options = SimulationOptions::default().scenarios(200_000).seed(Seed::new(29));
        let simulated = shocked.simulate(&options).unwrap().forecast().unwrap();
        assert!((forecast.sd() - row["sd"].as_f64().unwrap()).abs() < 1e-7 * forecast.sd());
        for (x, p) in numbers(&case["at_least"]).into_iter().zip(numbers(&row["chance"])) {
            assert!((chance(&forecast, x) - p).abs() < case["tolerance"].as_f64().unwrap());
            let error = simulated.chance_standard_error(amount(x));
            assert!((chance(&simulated, x) - p).abs() < 4.0 * error, "6e-5 a check, fixed seed");
        }
        for (p, x) in numbers(&case["levels"]).into_iter().zip(numbers(&row["quantiles"])) {
            assert_eq!(forecast.quantile(level(p)), x);
        }
    }
}

/// A book of up to `n` deals; amounts of cents, of thousands or of no unit at all.
fn book(n: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let chance = prop_oneof![8 => 0.0..=1.0, 1 => Just(0.0), 1 => Just(1.0)];
    let worth = prop_oneof![
        (0..100_u32).prop_map(|k| 1000.0 * f64::from(k)),
        (0..1_000_000_u32).prop_map(|k| f64::from(k) / 100.0),
        (0.0..1.0).prop_map(|u: f64| 1e5 * u * u * u),
    ];
    prop::collection::vec((chance, worth), 0..n).prop_map(|deals| deals.into_iter().unzip())
}

fn rho() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.001..0.5]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn means_are_equal_and_do_not_depend_on_rho((p, a) in book(60), rho in rho()) {
        let plain = total(&p, &a);
        let shocked = plain.clone().with_shock(Shock::new(rho).unwrap());
        let mean = plain.weighted().total();
        prop_assert_eq!(exact(&plain).mean(), mean);
        prop_assert_eq!(exact(&shocked).mean(), mean);
        let simulation = shocked.simulate(&SimulationOptions::default().scenarios(500)).unwrap();
        prop_assert_eq!(simulation.forecast().unwrap().mean(), mean);
    }

    #[test]
    fn the_stored_distribution_has_the_stated_mean((p, a) in book(60), rho in rho()) {
        let forecast = exact(&total(&p, &a).with_shock(Shock::new(rho).unwrap()));
        // E max(0, x - T) = x - E T beyond the largest total.
        let beyond = a.iter().sum::<f64>() + 1.0;
        let mean = beyond - forecast.expected_shortfall(amount(beyond));
        // A chance that is off moves the mean by up to the range, an amount that is off by itself.
        let bound = forecast.error_bound();
        let slack = (1e-12 + bound.chance()) * beyond + bound.amount();
        prop_assert!((mean - forecast.mean()).abs() <= slack, "{} {}", mean, forecast.mean());
    }

    #[test]
    fn chances_fall_with_the_target_and_quantiles_invert_them((p, a) in book(40), rho in rho()) {
        let forecast = exact(&total(&p, &a).with_shock(Shock::new(rho).unwrap()));
        let all = a.iter().sum::<f64>();
        let mut before = 1.0;
        for k in 0..=50 {
            let now = chance(&forecast, all * f64::from(k) / 50.0);
            prop_assert!(now <= before + 1e-12);
            before = now;
        }
        for p in [0.001, 0.1, 0.5, 0.9, 0.999] {
            let x = forecast.quantile(level(p));
            prop_assert!(forecast.cdf(x).get() >= p);
            let below = x - 1e-9 * (1.0 + x.abs());
            prop_assert!(forecast.cdf(below).get() < p, "{} at {}", p, x);
        }
    }

    #[test]
    fn a_better_deal_never_harms((p, a) in book(30), rho in rho(), which in any::<prop::sample::Index>(), up in 0.0..1.0_f64) {
        prop_assume!(!p.is_empty());
        let i = which.index(p.len());
        let before = exact(&total(&p, &a).with_shock(Shock::new(rho).unwrap()));
        let (mut likelier, mut larger) = (p.clone(), a.clone());
        likelier[i] += up * (1.0 - likelier[i]);
        larger[i] += (1e4 * up).round();
        for after in [total(&likelier, &a), total(&p, &larger)] {
            let after = exact(&after.with_shock(Shock::new(rho).unwrap()));
            prop_assert!(after.mean() >= before.mean());
            let bounds = [before.error_bound(), after.error_bound()];
            let slack = bounds.iter().map(|b| b.chance()).sum::<f64>();
            let all = a.iter().sum::<f64>();
            // A sum of the same amounts in another order may differ in its last bits.
            let moved = bounds.iter().map(|b| b.amount()).sum::<f64>() + 1e-12 * all;
            for k in 0..=20 {
                let x = all * f64::from(k) / 20.0;
                prop_assert!(chance(&after, (x - moved).max(0.0)) >= chance(&before, x + moved) - slack);
            }
        }
    }

    #[test]
    fn scaling_by_powers_of_two_changes_the_unit_only((p, a) in book(30), k in -40..40_i32) {
        let factor = 2.0_f64.powi(k);
        let scaled: Vec<f64> = a.iter().map(|a| a * factor).collect();
        let (before, after) = (total(&p, &a), total(&p, &scaled));
        prop_assert_eq!(before.weighted().total() * factor, after.weighted().total());
        let (before, after) = (exact(&before), exact(&after));
        let moved = before.error_bound().amount() + after.error_bound().amount() / factor;
        for p in [0.05, 0.5, 0.95] {
            let (x, y) = (before.quantile(level(p)), after.quantile(level(p)) / factor);
            prop_assert!((x - y).abs() <= moved + 1e-12 * x, "{} {}", x, y);
        }
    }

    #[test]
    fn crps_is_that_of_the_definition((p, a) in book(10), actual in 0.0..2e5) {
        let forecast = exact(&total(&p, &a));
        let far = 3e5 + a.iter().sum::<f64>();
        // The integral of (F - 1{x >= actual})^2 by midpoints, to a step's width.
        let n = 20_000;
        let step = far / f64::from(n);
        let integral: f64 = (0..n)
            .map(|k| step * (f64::from(k) + 0.5))
            .map(|x| forecast.cdf(x).get() - f64::from(x >= actual))
            .map(|d| step * d * d)
            .sum();
        prop_assert!((forecast.crps(actual) - integral).abs() < 2.0 * step, "{} {}", forecast.crps(actual), integral);
    }
}

#[test]
fn hostile_books_are_answered_or_refused() {
    let kind = |p: &[f64], a: &[f64]| {
        let deals = p.iter().zip(a).map(|(p, a)| (Probability::new(*p).unwrap(), amount(*a)));
        Total::new(Amount::ZERO, deals)
            .and_then(|t| t.exact(&ForecastOptions::default()))
            .map_err(|e| e.kind())
    };
    assert_eq!(kind(&[0.5, 0.5], &[1.7e308, 1.7e308]).unwrap_err(), ErrorKind::Overflow);
    for n in [3, 17, 30, 300, 3000_u32] {
        let p: Vec<f64> = (0..n).map(|k| f64::from(k % 10) / 9.0).collect();
        let ladders: [fn(u32) -> f64; 6] = [
            |_| 1.0,
            |_| 0.0,
            |k| if k == 0 { 1e12 } else { 0.01 },
            |k| 10.0_f64.powi(i32::try_from(k % 601).unwrap() - 300),
            |k| f64::from(k).sqrt(),
            |k| if k % 2 == 0 { 5e-324 } else { f64::MIN_POSITIVE },
        ];
        for ladder in ladders {
            let a: Vec<f64> = (0..n).map(ladder).collect();
            let forecast = kind(&p, &a).unwrap();
            let all = a.iter().sum::<f64>();
            assert!(forecast.mean().is_finite() && forecast.sd().is_finite());
            assert!(chance(&forecast, 0.0) > 1.0 - 1e-9);
            assert!(chance(&forecast, 2.0 * all + 1e-320) < 1e-9);
            for p in [1e-300, 0.5, 1.0 - 1e-16] {
                let x = forecast.quantile(level(p));
                assert!(
                    x.is_finite() && x <= all * (1.0 + 1e-9) + forecast.error_bound().amount() + 1e-300,
                    "{x} {all}"
                );
            }
            assert!(forecast.crps(all).is_finite());
        }
    }
}
