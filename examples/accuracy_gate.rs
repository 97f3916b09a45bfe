//! The accuracy gate that a CI job copies: the default model on twelve synthetic worlds, fifty companies each, eight
//! quarters each, against a stored report of an earlier version.
//!
//! ```text
//! cargo run --release --example accuracy_gate -- examples/data/accuracy_gate.json [charts folder]
//! cargo run --release --example accuracy_gate -- --store examples/data/accuracy_gate.json
//! ```
//!
//! Fails with exit code 1 where a world, or all worlds together, lose more than 1.01 times what they lost in the stored report, and
//! the 95 % interval of that ratio, by a bootstrap over companies, lies above 1; and where intervals do not hold what they
//! say although the model's assumptions hold. Writes `accuracy_points.json` and
//! `accuracy_measures.json` into the charts folder. `--store` writes a new report instead: do that together with the
//! change that earns it.
//!
//! Companies have five years of history and a third of the deals of the named world, about 850 (the sparse one has its 8):
//! large enough to learn from, small enough for 4,800 fits within some two minutes on two cores. The five worlds whose
//! truth lies within the model make 2,000 windows: an honest 80 % interval holds 1,510 to 1,685 of them, but for one
//! chance in a million, and a 95 % interval 1,849 to 1,944.
//!
//! # In a CI job of one's own
//!
//! Copy this file and `worlds/mod.rs`; put your own model in place of [`ForecastModel::default`], or your own log in place of
//! the companies. Store the report once, commit it, and let the job run, in any system:
//!
//! ```text
//! cargo run --release --example accuracy_gate -- examples/data/accuracy_gate.json target/charts
//! ```
//!
//! The job is red where the exit code is not 0. `target/charts/accuracy_points.json`, an array of `{name, unit, value,
//! range?}`, and `target/charts/accuracy_measures.json`, `{world: {measure: {value, lower_value?, upper_value?}}}`, are what
//! the usual benchmark charts read: hand one of them to the chart step, smaller is better.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the answer of a program is what it prints")]

mod worlds;

use dealcast::ForecastModel;
use dealcast::backtest::{ChartMeasure, Charts, Comparison, PastWindows};
use dealcast::score::{Coverage, PairedErrors};
use dealcast::synthetic::World;
use dealcast::{Level, Seed};
use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use worlds::{Loss, Measured, Size, WELL_SPECIFIED, name};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Losses may grow by this much.
const MOST: f64 = 1.01;
const SIZE: Size = Size { n_companies: 50, n_quarters: 8, share_of_deals: 1.0 / 3.0, seed: Seed::new(2026) };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["--store", path] => store(Path::new(path)),
        [path] => check(Path::new(path), None),
        [path, charts] => check(Path::new(path), Some(Path::new(charts))),
        _ => {
            eprintln!("usage: accuracy_gate [--store] <stored report> [charts folder]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("accuracy gate: {error}");
            ExitCode::from(2)
        }
    }
}

fn store(path: &Path) -> Outcome<bool> {
    let measured = measure()?;
    fs::write(path, serde_json::to_string(&measured)? + "\n")?;
    Ok(true)
}

fn measure() -> Outcome<Measured> {
    let clock = Instant::now();
    let measured = worlds::measure(&ForecastModel::default(), &World::GATE, &SIZE)?;
    println!("{} fits in {:.0} s", measured.n_windows(), clock.elapsed().as_secs_f64());
    Ok(measured)
}

fn check(path: &Path, charts: Option<&Path>) -> Outcome<bool> {
    let stored: Measured = serde_json::from_str(&fs::read_to_string(path)?)?;
    if stored.size != SIZE {
        return Err("the stored report is of another size; store it again".into());
    }
    let now = measure()?;
    let accurate = compare(&now, &stored)?;
    let honest = coverage(&now)?;
    null_signal()?;
    if let Some(folder) = charts {
        let charts = chart(&now)?;
        fs::create_dir_all(folder)?;
        fs::write(folder.join("accuracy_measures.json"), serde_json::to_string_pretty(&charts)?)?;
        fs::write(folder.join("accuracy_points.json"), serde_json::to_string_pretty(&charts.points())?)?;
    }
    println!(
        "{}",
        match (accurate, honest) {
            (true, true) => "passed",
            (false, _) => "FAILED: less accurate than the stored report",
            (true, false) => "FAILED: intervals do not hold what they say where the model's assumptions hold",
        }
    );
    Ok(accurate && honest)
}

/// Every world, and all of them with the same weight each.
fn compare(now: &Measured, stored: &Measured) -> Outcome<bool> {
    let mut passed = true;
    let mut all = Vec::new();
    println!(
        "\n{:20} {:>7} {:>7} {:>7} {:>7}  loss over stored loss",
        "world", "nCRPS", "bias", "in 80 %", "in 95 %"
    );
    for (world, companies) in &now.worlds {
        let before = stored.worlds.get(world).ok_or("a world is not in the stored report")?;
        let pairs: Vec<PairedErrors> = companies
            .iter()
            .zip(before)
            .map(|(now, then)| PairedErrors { a: now.crps, b: then.crps })
            .collect();
        let scale = before.iter().map(|company| company.crps).sum::<f64>();
        if scale > 0.0 {
            all.extend(pairs.iter().map(|pair| PairedErrors { a: pair.a / scale, b: pair.b / scale }));
        }
        let total = Loss::of(companies);
        print!(
            "{world:20} {:7.4} {:+7.3} {:7.3} {:7.3} ",
            total.crps / total.actual,
            (total.mean - total.actual) / total.actual,
            total.share(total.in_80),
            total.share(total.in_95)
        );
        passed &= verdict(&pairs)?;
    }
    print!("{:52} ", "all");
    passed &= verdict(&all)?;
    Ok(passed)
}

fn verdict(pairs: &[PairedErrors]) -> Outcome<bool> {
    let comparison = Comparison::of(("now", "stored"), pairs, NonZeroUsize::MIN)?;
    let Some((ratio, (lower, upper))) = comparison.ratio().zip(comparison.interval()) else {
        println!("nothing was lost");
        return Ok(true);
    };
    let passed = ratio <= MOST || lower <= 1.0;
    println!("{} {ratio:.4} ({lower:.4} to {upper:.4})", if passed { ' ' } else { '!' });
    Ok(passed)
}

/// Where the model's assumptions hold, intervals must hold what they say.
fn coverage(now: &Measured) -> Outcome<bool> {
    let mut honest = true;
    println!("\nwell-specified worlds together:");
    let well: Vec<String> = WELL_SPECIFIED.iter().map(|&world| name(world)).collect();
    let companies = now.worlds.iter().filter(|(world, _)| well.contains(world)).flat_map(|(_, of)| of);
    let total = Loss::of(companies);
    for (level, inside) in [(0.5, total.in_50), (0.8, total.in_80), (0.95, total.in_95)] {
        let held: Coverage = (0..total.n).map(|i| i < inside).collect();
        let band = held.band(Level::new(level)?, Level::new(1e-6)?)?;
        honest &= band.accepts(held);
        let verdict = if band.accepts(held) { "within" } else { "OUTSIDE" };
        println!(
            "  {level:4}: {held}, {verdict} {} to {} (exact binomial, 1e-6)",
            band.fewest(),
            band.most()
        );
    }
    Ok(honest)
}

/// Where nothing can be known, the model must not claim to know: against the plain past windows it has no skill.
fn null_signal() -> Outcome<()> {
    let worlds = [World::NullSignal];
    let model = worlds::measure(&ForecastModel::default(), &worlds, &SIZE)?;
    let plain = worlds::measure(&PastWindows::last(12)?, &worlds, &SIZE)?;
    let losses =
        |of: &Measured| -> Vec<f64> { of.worlds.values().flatten().map(|company| company.crps).collect() };
    let pairs: Vec<PairedErrors> =
        losses(&model).into_iter().zip(losses(&plain)).map(|(a, b)| PairedErrors { a, b }).collect();
    println!(
        "\nnull-signal world: {}",
        Comparison::of(("the model", "past windows"), &pairs, NonZeroUsize::MIN)?
    );
    Ok(())
}

fn chart(now: &Measured) -> Outcome<Charts> {
    let mut charts = Charts::default();
    for (world, companies) in &now.worlds {
        let total = Loss::of(companies);
        let pairs: Vec<PairedErrors> =
            companies.iter().map(|company| PairedErrors { a: company.crps, b: company.actual }).collect();
        let sure = Comparison::of(("loss", "what came"), &pairs, NonZeroUsize::MIN)?;
        if let Some(ncrps) = sure.ratio() {
            charts.insert((world, "ncrps"), ChartMeasure::new(ncrps, sure.interval())?);
        }
        let distance = (total.share(total.in_80) - 0.8).abs();
        charts.insert((world, "coverage_80_distance"), ChartMeasure::new(distance, None)?);
    }
    Ok(charts)
}
