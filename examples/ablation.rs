//! What each part of the default model is worth: nCRPS without it, on twelve synthetic worlds and on two real logs.
//!
//! ```text
//! cargo run --release --example ablation -- [folder with bpi2012/ and repd/]
//! ```
//!
//! Eight companies a world, eight quarters each. A part is worth its place where leaving it out costs more than the
//! noise: the standard error of the difference, over companies, stands beside each world's figure.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the answer of a program is what it prints")]

mod real_logs;
mod worlds;

use dealcast::fit::Part;
use dealcast::synthetic::World;
use dealcast::{ForecastModel, Seed};
use real_logs::{CASES, Outcome};
use std::path::Path;
use worlds::{Loss, Measured, Size, measure};

const SIZE: Size = Size { n_companies: 8, n_quarters: 8, share_of_deals: 1.0 / 3.0, seed: Seed::new(2026) };

/// The default, and the default without each part.
fn models() -> impl Iterator<Item = (String, ForecastModel)> {
    let without = |part: Part| (format!("no {part:?}"), ForecastModel::default().without(part));
    std::iter::once(("default".to_owned(), ForecastModel::default())).chain(Part::ALL.map(without))
}

fn main() -> Outcome<()> {
    let mut measured = Vec::new();
    for (name, model) in models() {
        eprintln!("worlds: {name}");
        measured.push((name, measure(&model, &World::GATE, &SIZE)?));
    }
    print_worlds(&measured);
    match std::env::args().nth(1) {
        Some(folder) => print_logs(Path::new(&folder)),
        None => Ok(()),
    }
}

/// Loss over outcome of a world, per model, with the standard error of its difference to the first.
fn print_worlds(measured: &[(String, Measured)]) {
    let Some((_, default)) = measured.first() else { return };
    print!("{:20}", "nCRPS");
    measured.iter().for_each(|(name, _)| print!(" {name:>20}"));
    println!();
    for (world, base) in &default.worlds {
        print!("{world:20}");
        for (_, other) in measured {
            let companies = other.worlds.get(world).map_or(&[][..], Vec::as_slice);
            let all = Loss::of(companies);
            if all.actual > 0.0 {
                print!(" {:11.4} +- {:.4}", all.crps / all.actual, error_of_difference(base, companies));
            } else {
                print!(" {:>20}", "nothing won");
            }
        }
        println!();
    }
}

/// Of the difference of two loss ratios over the same companies.
fn error_of_difference(base: &[Loss], other: &[Loss]) -> f64 {
    let actual: f64 = base.iter().map(|company| company.actual).sum();
    let differences: Vec<f64> = base.iter().zip(other).map(|(b, o)| (o.crps - b.crps) / actual).collect();
    let n: f64 = differences.iter().map(|_| 1.0).sum();
    let mean = differences.iter().sum::<f64>() / n;
    (n / (n - 1.0) * differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>()).sqrt()
}

fn print_logs(folder: &Path) -> Outcome<()> {
    println!("\n{:20} {:>10} {:>8} {:>8} {:>14}  N_nCRPS", "", "nCRPS", "WAPE", "bias", "cov 50/80/95");
    for case in CASES {
        let log = case.read(folder)?;
        for (name, model) in models() {
            let report = case.backtest(&log)?.run(&model)?;
            let Some((money, deals)) = report.money().zip(report.deals()) else { continue };
            let read = |x: Option<f64>| x.unwrap_or(f64::NAN);
            let [c50, c80, c95] = [money.coverage_50, money.coverage_80, money.coverage_95].map(read);
            println!(
                "{:20} {:10.4} {:8.3} {:+8.3} {c50:5.2}/{c80:.2}/{c95:.2} {:8.4}  {}",
                name,
                read(money.ncrps),
                read(money.wape),
                read(money.bias),
                read(deals.ncrps),
                case.name
            );
        }
    }
    Ok(())
}
