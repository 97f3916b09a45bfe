//! The default model on four cases of two real stage logs, beside what other methods reach on them, and against the
//! shipped baselines with significance.
//!
//! ```text
//! cargo run --release --example backtest_logs -- <folder with bpi2012/ and repd/>
//! ```
//!
//! Lines that begin with `+` or `-` are beyond luck: the default is closer, or further off, and the 95 % interval of the
//! loss ratio does not hold 1.

#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

mod real_logs;

use dealcast::backtest::{AccuracyReport, Backtest, Baseline, Comparison};
use dealcast::{DealLog, ForecastModel, Period};
use real_logs::{CASES, Case, OTHER_HORIZONS, Outcome};
use std::path::Path;
use std::time::Instant;

fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).ok_or("usage: backtest_logs <folder with bpi2012/ and repd/>")?;
    header();
    let mut compared = Vec::new();
    for case in CASES.into_iter().chain(OTHER_HORIZONS) {
        let log = case.read(Path::new(&folder))?;
        let backtest = case.backtest(&log)?;
        let start = Instant::now();
        let report = backtest.run(&ForecastModel::default())?;
        let seconds = start.elapsed().as_secs_f64();
        print(&case, &report, (seconds, one_fit(&log, &report)?));
        if CASES.iter().any(|main| main.name == case.name) {
            compared.push((case, against_baselines(&backtest, &Baseline::all(log.process()), &report)?));
        }
    }
    println!(
        "\nloss of the default as a multiple of the baseline's, 95 % range; + the default is closer beyond luck"
    );
    for (case, rows) in compared {
        println!(
            "\n{:24} {:>7} {:>7} {:>7}  {:>24}  {:>24}",
            case.name, "nCRPS", "N_nCRPS", "in 80 %", "money", "deals"
        );
        rows.iter().for_each(print_baseline);
    }
    Ok(())
}

/// Milliseconds of one fit and one forecast, at the last origin.
fn one_fit(log: &DealLog, report: &AccuracyReport) -> Outcome<f64> {
    let Some(last) = report.origins().last() else { return Ok(f64::NAN) };
    let (known, period) = (log.as_of(last.origin), Period::days(last.origin, last.horizon_days)?);
    let start = Instant::now();
    let fitted = ForecastModel::default().fit(&known, &period)?;
    fitted.forecast(&known.snapshot(), &period)?;
    Ok(1e3 * start.elapsed().as_secs_f64())
}

struct Row {
    baseline: AccuracyReport,
    money: Comparison,
    deals: Comparison,
}

fn against_baselines(
    backtest: &Backtest<'_>,
    baselines: &[Baseline],
    model: &AccuracyReport,
) -> Outcome<Vec<Row>> {
    let row = |baseline: &Baseline| -> Outcome<Row> {
        let baseline = backtest.run(baseline)?;
        let (money, deals) = (model.against(&baseline)?, model.against_in_deals(&baseline)?);
        Ok(Row { baseline, money, deals })
    };
    baselines.iter().map(row).collect()
}

fn print_baseline(row: &Row) {
    let Some((money, deals)) = row.baseline.money().zip(row.baseline.deals()) else { return };
    let ratio = |c: &Comparison| {
        let sign = if c.is_closer() {
            '+'
        } else if c.is_further() {
            '-'
        } else {
            ' '
        };
        let (low, high) = c.interval().unwrap_or((f64::NAN, f64::NAN));
        let p = c.p_value().map_or(String::new(), |p| format!(" p {:.3}", p.get()));
        format!("{sign} {:.2} ({low:.2}-{high:.2}){p}", number(c.ratio()))
    };
    println!(
        "  {:22} {:7.4} {:7.4} {:7.2}  {:>24}  {:>24}",
        row.baseline.forecaster(),
        number(money.ncrps),
        number(deals.ncrps),
        number(money.coverage_80),
        ratio(&row.money),
        ratio(&row.deals)
    );
    if std::env::var_os("VERBOSE").is_some() {
        println!("{}", row.baseline);
    }
}

fn number(x: Option<f64>) -> f64 {
    x.unwrap_or(f64::NAN)
}

fn header() {
    println!(
        "{:16} {:>7} {:>7} {:>7} {:>7} {:>14} {:>7} {:>7} {:>6} {:>10}  best other method",
        "case", "origins", "nCRPS", "WAPE", "bias", "cov 50/80/95", "Brier", "N_nCRPS", "s", "one fit ms"
    );
}

fn print(case: &Case, report: &AccuracyReport, (seconds, one_fit): (f64, f64)) {
    let Some((money, deals)) = report.money().zip(report.deals()) else {
        return println!("{:16} no complete window", case.name);
    };
    let coverage = [money.coverage_50, money.coverage_80, money.coverage_95]
        .map(|x| format!("{:.2}", number(x)))
        .join("/");
    let peer =
        case.peer.map_or(String::new(), |(name, money, deals)| format!("{name}: {money:.3} / {deals:.3}"));
    println!(
        "{:16} {:7} {:7.4} {:7.3} {:+7.3} {coverage:>14} {:7.3} {:7.4} {seconds:6.2} {one_fit:10.1}  {peer}",
        case.name,
        report.origins().len(),
        number(money.ncrps),
        number(money.wape),
        number(money.bias),
        number(report.brier()),
        number(deals.ncrps),
    );
}
