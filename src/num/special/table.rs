//! Every function beside 60-digit arithmetic: `table.json` names its provenance.

use super::beta::{Beta, Share, chi_square_sf, student_t_sf};
use super::counts::{NegativeBinomial, Trials, ln_binomial, ln_negative_binomial, ln_poisson};
use super::gamma::{Gamma, digamma, ln_gamma, trigamma};
use super::{normal_cdf, normal_ln_sf};

/// What a table row may be off by: relative, of the probability where the row holds its logarithm.
const RELATIVE: f64 = 1e-12;

#[derive(serde::Deserialize)]
struct Table {
    rows: Vec<Row>,
}

#[derive(serde::Deserialize)]
struct Row {
    f: String,
    x: Vec<f64>,
    value: String,
}

fn ours(f: &str, x: &[f64]) -> f64 {
    match *x {
        [x] => match f {
            "ln_gamma" => ln_gamma(x),
            "digamma" => digamma(x),
            "trigamma" => trigamma(x),
            "normal_cdf" => normal_cdf(x),
            "normal_ln_sf" => normal_ln_sf(x),
            _ => panic!("no function {f}"),
        },
        [a, x] => match f {
            "ln_gamma_p" => Gamma::new(a).tails(x).ln_lower,
            "ln_gamma_q" => Gamma::new(a).tails(x).ln_upper,
            "ln_gamma_p_ratio" => Gamma::new(a).tails_at_ln_ratio(x).ln_lower,
            "ln_gamma_q_ratio" => Gamma::new(a).tails_at_ln_ratio(x).ln_upper,
            "student_t_sf" => student_t_sf(a, x),
            "chi_square_sf" => chi_square_sf(a, x),
            "ln_poisson" => ln_poisson(a, x),
            _ => panic!("no function {f}"),
        },
        [a, b, x] => match f {
            "ln_beta" => Beta { a, b }.tails(Share::new(x)).ln_lower,
            "ln_negative_binomial" => ln_negative_binomial(a, NegativeBinomial { size: b, mean: x }),
            "ln_binomial" => ln_binomial(a, Trials { n: b, p: x, q: 1.0 - x }),
            _ => panic!("no function {f}"),
        },
        _ => panic!("no function {f}"),
    }
}

#[test]
fn agrees_with_sixty_digits() {
    let table: Table = serde_json::from_str(include_str!("table.json")).unwrap();
    assert!(table.rows.len() > 200);
    let mut off = Vec::new();
    for Row { f, x, value } in &table.rows {
        let exact: f64 = value.parse().unwrap();
        let got = ours(f, x);
        // A logarithm of a probability: its absolute error is the relative error of the probability.
        let error = if f.starts_with("ln_") && f != "ln_gamma" && exact > -700.0 {
            (got - exact).abs()
        } else {
            (got / exact - 1.0).abs()
        };
        // ln Gamma is 0 at 1; there the error is absolute.
        let error = if exact == 0.0 { got.abs() } else { error };
        if error.is_nan() || error > RELATIVE {
            off.push(format!("{f} {x:?}: {got:e} for {exact:e}, off by {error:.1e}"));
        }
    }
    assert!(off.is_empty(), "{} rows:\n{}", off.len(), off.join("\n"));
}
