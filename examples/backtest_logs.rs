//! The default model on four cases of two real stage logs, beside what other methods reach on them.
//!
//! ```text
//! cargo run --release --example backtest_logs -- <folder with bpi2012/ and repd/>
//! ```
//!
//! The folder holds, for each log, `events.csv.gz` (`deal_id, stage, entered_at, amount`) and `deals.csv.gz`.
//! Everything with `entered_at` before an origin is known there, nothing else.

#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use dealcast::backtest::{AccuracyReport, Backtest, RollingOrigin};
use dealcast::tidy::{self, Reading};
use dealcast::{Amount, DealLog, ForecastModel, SalesProcess, time};
use flate2::read::GzDecoder;
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A case, and the best nCRPS in money and in deals of eight other methods, picked afterwards, with their names.
struct Case {
    name: &'static str,
    log: Log,
    horizon_days: u32,
    peer: Option<(&'static str, f64, f64)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Log {
    Loans,
    PreacceptedLoans,
    Projects,
    CappedProjects,
}

const CASES: [Case; 8] = [
    Case {
        name: "bpi2012",
        log: Log::Loans,
        horizon_days: 28,
        peer: Some(("LightGBM snapshots", 0.085, 0.082)),
    },
    Case {
        name: "bpi2012pre",
        log: Log::PreacceptedLoans,
        horizon_days: 28,
        peer: Some(("LightGBM snapshots", 0.083, 0.081)),
    },
    Case {
        name: "repd",
        log: Log::Projects,
        horizon_days: 365,
        peer: Some(("LightGBM recent", 0.242, 0.180)),
    },
    Case {
        name: "repd_cap",
        log: Log::CappedProjects,
        horizon_days: 365,
        peer: Some(("LightGBM recent", 0.200, 0.162)),
    },
    Case { name: "bpi2012 14 d", log: Log::Loans, horizon_days: 14, peer: None },
    Case { name: "bpi2012 42 d", log: Log::Loans, horizon_days: 42, peer: None },
    Case {
        name: "bpi2012pre 14 d",
        log: Log::PreacceptedLoans,
        horizon_days: 14,
        peer: Some(("LightGBM snapshots", 0.082, f64::NAN)),
    },
    Case {
        name: "bpi2012pre 42 d",
        log: Log::PreacceptedLoans,
        horizon_days: 42,
        peer: Some(("Aalen-Johansen", 0.106, f64::NAN)),
    },
];

fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).ok_or("usage: backtest_logs <folder with bpi2012/ and repd/>")?;
    println!(
        "{:16} {:>7} {:>7} {:>7} {:>7} {:>14} {:>7} {:>7} {:>6}  best other method",
        "case", "origins", "nCRPS", "WAPE", "bias", "cov 50/80/95", "Brier", "N_nCRPS", "s"
    );
    for case in CASES {
        let log = read(Path::new(&folder), case.log)?;
        let start = Instant::now();
        let report = Backtest::new(&log, plan(&case)?)
            .target_windows(if case.horizon_days == 365 { 12 } else { 6 })
            .run(&ForecastModel::default())?;
        print(&case, &report, start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn print(case: &Case, report: &AccuracyReport, seconds: f64) {
    let Some((money, deals)) = report.money().zip(report.deals()) else {
        return println!("{:16} no complete window", case.name);
    };
    let read = |x: Option<f64>| x.unwrap_or(f64::NAN);
    let coverage = [money.coverage_50, money.coverage_80, money.coverage_95]
        .map(|x| format!("{:.2}", read(x)))
        .join("/");
    let peer =
        case.peer.map_or(String::new(), |(name, money, deals)| format!("{name}: {money:.3} / {deals:.3}"));
    println!(
        "{:16} {:7} {:7.4} {:7.3} {:+7.3} {coverage:>14} {:7.3} {:7.4} {seconds:6.2}  {peer}",
        case.name,
        report.origins().len(),
        read(money.ncrps),
        read(money.wape),
        read(money.bias),
        read(report.brier()),
        read(deals.ncrps),
    );
}

fn plan(case: &Case) -> Outcome<RollingOrigin> {
    let (from, to, step) = match case.log {
        Log::Loans | Log::PreacceptedLoans => (time::date(2011, 11, 12)?, time::date(2012, 2, 13)?, 7),
        Log::Projects | Log::CappedProjects => (time::date(2003, 1, 1)?, time::date(2020, 6, 25)?, 91),
    };
    Ok(RollingOrigin::new((from, to), step, case.horizon_days)?)
}

fn read(folder: &Path, log: Log) -> Outcome<DealLog> {
    let loans = matches!(log, Log::Loans | Log::PreacceptedLoans);
    let (name, stages) = if loans {
        ("bpi2012", ["submitted", "preaccepted", "accepted", "offer_sent", "offer_returned"])
    } else {
        ("repd", ["submitted", "refused", "appeal", "granted", "construction"])
    };
    let open = |file: &str| -> Outcome<csv::Reader<GzDecoder<File>>> {
        Ok(csv::Reader::from_reader(GzDecoder::new(File::open(folder.join(name).join(file))?)))
    };
    let process = SalesProcess::open(stages)?;
    let mut all = DealLog::from_rows(&process, open("events.csv.gz")?.into_deserialize::<tidy::StageRow>())?;
    if !loans {
        let deals = open("deals.csv.gz")?.into_deserialize::<tidy::DealRow>();
        all.append_attributes(deals, &["technology", "country", "region"], Reading::default())?;
    }
    Ok(match log {
        Log::Loans | Log::Projects => all,
        Log::PreacceptedLoans => all.starting_at("preaccepted")?,
        Log::CappedProjects => all.capped(Amount::new(100.0)?),
    })
}
