//! Fits and laws of the time in stage, and counts, beside the numbers of R (flexsurv, survival, MASS), lifelines and
//! scipy, each within its own tolerance.

use crate::oracle::{columns, numbers, read};
use dealcast::Level;
use dealcast::estimate::{
    ArrivalRegression, Competing, CountFamily, StayTable, TimeFamily, TimeFit, TimeInStage, TimeLaw,
    TimesInStage,
};
use serde_json::Value;

const FAMILIES: [(&str, TimeFamily); 6] = [
    ("exp", TimeFamily::Exponential),
    ("weibull", TimeFamily::Weibull),
    ("lnorm", TimeFamily::LogNormal),
    ("llogis", TimeFamily::LogLogistic),
    ("gamma", TimeFamily::Gamma),
    ("gengamma", TimeFamily::GeneralizedGamma),
];

fn close(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((got - expected).abs() <= tolerance, "{what}: {got} for {expected}");
}

/// Rows that end at `time` where `event` is 1 and are open then otherwise.
fn stays(time: &[f64], event: &[f64], entry: Option<&[f64]>, weight: Option<&[f64]>) -> TimesInStage {
    let upper: Vec<f64> =
        time.iter().zip(event).map(|(&t, &e)| if e == 1.0 { t } else { f64::INFINITY }).collect();
    TimesInStage::from_table(StayTable { lower: time, upper: &upper, entry, weight }).unwrap()
}

/// Every family of a case against log-likelihood, survival, parameters, standard errors, criteria.
fn check_fits(case: &Value, data: &TimesInStage, standard_errors: bool) {
    let tolerance = |name: &str| case["tolerance"][name].as_f64().unwrap();
    let mut checked = 0;
    for (name, family) in FAMILIES {
        let expected = &case["expected"][name];
        if expected.is_null() {
            continue;
        }
        checked += 1;
        let fit = data.fit(family).unwrap();
        close(fit.log_likelihood(), expected["loglik"].as_f64().unwrap(), tolerance("loglik_abs"), name);
        close(fit.aic(), expected["AIC"].as_f64().unwrap(), 2.0 * tolerance("loglik_abs"), name);
        close(fit.bic(), expected["BIC"].as_f64().unwrap(), 2.0 * tolerance("loglik_abs"), name);
        for (t, s) in numbers(&expected["t"]).into_iter().zip(numbers(&expected["surv"])) {
            close(fit.survival(t), s, tolerance("surv_abs"), &format!("{name} S({t})"));
        }
        let own: Vec<&Value> = expected["par"].as_object().unwrap().values().collect();
        let names = family.parameter_names();
        assert_eq!(own.len(), names.len());
        let mut fitted = fit.time().parameters();
        for (i, &parameter) in names.iter().enumerate() {
            let parameter = if parameter == "q" { "Q" } else { parameter };
            let value = expected["par"][parameter].as_f64().unwrap();
            let what = format!("{name} {parameter}");
            close(fitted[i], value, tolerance("par_rel") * value.abs(), &what);
            if standard_errors {
                let se = expected["se"][parameter].as_f64().unwrap();
                close(fit.std_errors()[i].unwrap(), se, tolerance("se_rel") * se, &format!("se of {what}"));
            }
        }
        if let Some(hazard) = expected.get("hazard") {
            for (t, h) in numbers(&expected["t"]).into_iter().zip(numbers(hazard)) {
                close(fit.time().hazard(t), h, tolerance("par_rel") * h, &format!("{name} h({t})"));
            }
        }
        fitted.clear();
    }
    assert!(checked >= 4);
}

#[test]
pub(super) fn o07_ovarian() {
    let Some(case) = read("O07") else { return };
    let data = stays(&numbers(&case["inputs"]["time"]), &numbers(&case["inputs"]["event"]), None, None);
    check_fits(&case, &data, true);
}

#[test]
pub(super) fn o08_lung() {
    let Some(case) = read("O08") else { return };
    let table = columns("data/lung.csv");
    check_fits(&case, &stays(&table[0], &table[1], None, None), true);
}

#[test]
pub(super) fn o09_weighted_lung() {
    let Some(case) = read("O09") else { return };
    let table = columns("data/lung.csv");
    let n = table[0].len();
    let weight: Vec<f64> = (1..=n).map(|i| 0.5_f64.powf((n - i) as f64 / 90.0)).collect();
    check_fits(&case, &stays(&table[0], &table[1], None, Some(&weight)), false);
}

#[test]
pub(super) fn o10_left_truncated() {
    let Some(case) = read("O10") else { return };
    let table = columns("data/mgus2_age_entry_from50.csv");
    check_fits(&case, &stays(&table[1], &table[2], Some(&table[0]), None), true);
}

#[test]
pub(super) fn o11_interval_censored() {
    let Some(case) = read("O11") else { return };
    let lower = numbers(&case["inputs"]["lower"]);
    let upper: Vec<f64> = case["inputs"]["upper"]
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap_or(f64::INFINITY))
        .collect();
    let data =
        TimesInStage::from_table(StayTable { lower: &lower, upper: &upper, entry: None, weight: None })
            .unwrap();
    let families = [
        ("exponential", TimeFamily::Exponential),
        ("weibull", TimeFamily::Weibull),
        ("lognormal", TimeFamily::LogNormal),
        ("loglogistic", TimeFamily::LogLogistic),
    ];
    for (name, family) in families {
        let expected = &case["expected"]["parametric"][name];
        let fit = data.fit(family).unwrap();
        close(fit.log_likelihood(), expected["loglik"].as_f64().unwrap(), 1e-6, name);
        for (t, s) in numbers(&expected["t"]).into_iter().zip(numbers(&expected["surv"])) {
            close(fit.survival(t), s, 1e-5, name);
        }
    }
}

#[test]
pub(super) fn o24_generalized_gamma_grid() {
    let Some(case) = read("O24") else { return };
    let grid = &case["inputs"]["grid"];
    let (mu, sigma, q) = (numbers(&grid["mu"]), numbers(&grid["sigma"]), numbers(&grid["Q"]));
    let (t, p) = (numbers(&case["inputs"]["t"]), numbers(&case["inputs"]["p"]));
    for (i, expected) in case["expected"].as_array().unwrap().iter().enumerate() {
        let (mu, sigma, q) = (mu[i], sigma[i], q[i]);
        let time = TimeInStage::new(TimeLaw::GeneralizedGamma { mu, sigma, q }).unwrap();
        // The reference itself loses digits at tiny q; there its note asks for 1e-4.
        let tiny = q != 0.0 && q.abs() < 1e-3;
        let what = |x: f64| format!("{time} at {x}");
        for (&t, s) in t.iter().zip(numbers(&expected["surv"])) {
            close(time.survival(t), s, if tiny { 1e-4 } else { 1e-8 }, &what(t));
        }
        for (&t, d) in t.iter().zip(numbers(&expected["logpdf"])) {
            // The log density far from its peak is as large as it is precise.
            close(
                time.log_density(t),
                d,
                if tiny { 1e-3 * d.abs() } else { 1e-8 * (1.0 + d.abs()) },
                &what(t),
            );
        }
        for (&p, x) in p.iter().zip(numbers(&expected["quantile"])) {
            let got = time.quantile(Level::new(p).unwrap());
            close(got, x, if tiny { 1e-3 } else { 1e-6 } * x, &what(p));
        }
    }
}

#[test]
pub(super) fn o27_competing_weibull_hazards() {
    let Some(case) = read("O27") else { return };
    let law = |name: &str| {
        let law = &case["inputs"][name];
        let (shape, scale) = (law["shape"].as_f64().unwrap(), law["scale"].as_f64().unwrap());
        TimeInStage::new(TimeLaw::Weibull { shape, scale }).unwrap()
    };
    let competing = Competing::new(&[law("win"), law("loss")]).unwrap();
    for (i, age) in numbers(&case["inputs"]["age"]).into_iter().enumerate() {
        for (j, h) in numbers(&case["inputs"]["horizon"]).into_iter().enumerate() {
            let exits = competing.clone().after(age).within(h);
            close(exits.chances()[0].get(), case["expected"]["win"][i][j].as_f64().unwrap(), 1e-9, "win");
            close(
                exits.still_open().get(),
                case["expected"]["still_open"][i][j].as_f64().unwrap(),
                1e-9,
                "open",
            );
            let total = exits.chances().iter().map(|p| p.get()).sum::<f64>() + exits.still_open().get();
            close(total, 1.0, 1e-10, "parts of the whole");
        }
    }
}

#[test]
pub(super) fn o36_uncensored_fits() {
    let Some(case) = read("O36") else { return };
    let y = numbers(&case["inputs"]["y"]);
    let data = TimesInStage::new(&y, &vec![true; y.len()]).unwrap();
    let check = |name: &str, fit: &TimeFit, parameters: [&str; 2]| {
        let expected = &case["expected"][name];
        close(fit.log_likelihood(), expected["loglik"].as_f64().unwrap(), 1e-5, name);
        for (got, parameter) in fit.time().parameters().into_iter().zip(parameters) {
            let value = expected[parameter].as_f64().unwrap();
            close(got, value, 1e-4 * value, parameter);
        }
    };
    check("gamma", &data.fit(TimeFamily::Gamma).unwrap(), ["shape", "rate"]);
    check("lognormal", &data.fit(TimeFamily::LogNormal).unwrap(), ["meanlog", "sdlog"]);
}

#[test]
pub(super) fn o37_conditional_survival() {
    let Some(case) = read("O37") else { return };
    let inputs = &case["inputs"];
    let number = |law: &str, name: &str| inputs[law][name].as_f64().unwrap();
    let laws = [
        (
            "weibull",
            TimeLaw::Weibull { shape: number("weibull", "shape"), scale: number("weibull", "scale") },
        ),
        (
            "lnorm",
            TimeLaw::LogNormal { meanlog: number("lnorm", "meanlog"), sdlog: number("lnorm", "sdlog") },
        ),
        (
            "llogis",
            TimeLaw::LogLogistic { shape: number("llogis", "shape"), scale: number("llogis", "scale") },
        ),
        ("gamma", TimeLaw::Gamma { shape: number("gamma", "shape"), rate: number("gamma", "rate") }),
        (
            "gengamma",
            TimeLaw::GeneralizedGamma {
                mu: number("gengamma", "mu"),
                sigma: number("gengamma", "sigma"),
                q: number("gengamma", "Q"),
            },
        ),
        ("exp", TimeLaw::Exponential { rate: number("exp", "rate") }),
    ];
    for (name, law) in laws {
        let time = TimeInStage::new(law).unwrap();
        for (i, age) in numbers(&inputs["age"]).into_iter().enumerate() {
            for (j, h) in numbers(&inputs["h"]).into_iter().enumerate() {
                close(
                    time.after(age).survival(h),
                    case["expected"][name][i][j].as_f64().unwrap(),
                    1e-8,
                    name,
                );
            }
        }
        if let Some(mean) = case["expected"]["mean"][name].as_f64() {
            close(time.mean().unwrap(), mean, 1e-9 * mean, name);
        }
        if let Some(mean) = case["expected"]["rmst180"][name].as_f64() {
            close(time.restricted_mean(180.0), mean, 1e-5 * mean, name);
        }
    }
}

#[test]
pub(super) fn o38_mixture_cure() {
    let Some(case) = read("O38") else { return };
    let table = columns("data/gbsg2.csv");
    let fit = stays(&table[0], &table[1], None, None).fit_converting(TimeFamily::Weibull).unwrap();
    let expected = &case["expected"];
    close(fit.log_likelihood(), expected["loglik"].as_f64().unwrap(), 1e-4, "log-likelihood");
    let converted = expected["converted_fraction"].as_f64().unwrap();
    close(fit.converted().unwrap().get(), converted, 0.01 * converted, "converted");
    let parameters = fit.time().parameters();
    for (got, name) in parameters.into_iter().zip(["shape", "scale"]) {
        let value = expected[name].as_f64().unwrap();
        close(got, value, 0.01 * value, name);
    }
    for (t, f) in expected["F"].as_object().unwrap() {
        close(1.0 - fit.survival(t.parse().unwrap()), f.as_f64().unwrap(), 1e-3, t);
    }
}

fn counts(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap().try_into().unwrap()).collect()
}

#[test]
pub(super) fn o23_arrivals() {
    let Some(case) = read("O23") else { return };
    let y = counts(&case["inputs"]["y"]);
    for (name, family) in [("poisson", CountFamily::Poisson), ("nb", CountFamily::NegativeBinomial)] {
        let expected = &case["expected"][name];
        let fit = ArrivalRegression::new(family).season(12).fit(&y).unwrap();
        let tolerance = case["tolerance"]["coef_rel"].as_f64().unwrap();
        for (got, value) in fit.coefficients().iter().zip(numbers(&expected["coef"])) {
            close(*got, value, tolerance * value.abs(), name);
        }
        close(fit.log_likelihood(), expected["loglik"].as_f64().unwrap(), 1e-6, name);
        assert_eq!(fit.size().is_some(), family == CountFamily::NegativeBinomial);
        if let Some(size) = fit.size() {
            let theta = expected["theta"].as_f64().unwrap();
            close(size, theta, case["tolerance"]["theta_rel"].as_f64().unwrap() * theta, "theta");
            let next = numbers(&case["expected"]["pred_next12_nb_mean"]);
            for (got, value) in fit.next(12).into_iter().zip(next) {
                close(got, value, tolerance * value, "next");
            }
        }
    }
}

#[test]
pub(super) fn o36_negative_binomial() {
    let Some(case) = read("O36") else { return };
    let regression = ArrivalRegression::new(CountFamily::NegativeBinomial).without_trend();
    let fit = regression.fit(&counts(&case["inputs"]["nb_x"])).unwrap();
    let expected = &case["expected"]["nb"];
    let (size, mu) = (expected["size"].as_f64().unwrap(), expected["mu"].as_f64().unwrap());
    close(fit.size().unwrap(), size, 1e-4 * size, "size");
    close(fit.next(1)[0], mu, 1e-4 * mu, "mean");
    close(fit.log_likelihood(), expected["loglik"].as_f64().unwrap(), 1e-5, "log-likelihood");
}
