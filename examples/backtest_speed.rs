//! How long does a backtest take? 52 weekly origins, windows of 90 days, one thread.
//!
//! ```text
//! cargo run --release --example backtest_speed                        # a table: 1e5, 2e5 and 5e5 events, made up
//! cargo run --release --example backtest_speed -- landmark 500000     # one JSON line, also for `default`
//! cargo run --release --example backtest_speed -- landmark 500000 FOLDER
//! ```
//!
//! The `FOLDER` holds the log as raw little-endian columns in the order of time, `events_N.{deal.u32, day.i32, stage.u8,
//! amount.f64}`; stages 0 to 4 are open, 5 is won, 6 lost. `landmark` is the baseline of stage x age frequencies, `default`
//! the default model, fitted again at every origin. Seconds are what this thread has computed, where the system tells.
//! `log_s` is the time to build the log, `cpu_s` that of the backtest; reading is not timed.

#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use dealcast::backtest::{AccuracyReport, Backtest, Baseline, Forecaster, RollingOrigin};
use dealcast::synthetic::{Amounts, Arrivals, Company, Destination, Exit, StageTruth, Stay, Truth, World};
use dealcast::time::date;
use dealcast::{Change, DealEvent, DealLog, ForecastModel, Period, Probability, Result, SalesProcess, Seed};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

type Outcome<T> = std::result::Result<T, Box<dyn Error>>;

const STAGES: [&str; 7] = ["first", "second", "third", "fourth", "fifth", "won", "lost"];
const DAYS: u32 = 1461;
const WINDOW: u32 = 90;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => table(),
        [method, n] => line(method, n, &made_up(n.parse()?)?),
        [method, n, folder] => line(method, n, &read(Path::new(folder), n)?),
        _ => Err("usage: backtest_speed [landmark | default, number of events, folder]".into()),
    }
}

fn table() -> Outcome<()> {
    println!("{:>8} {:>10} {:>12} {:>12}", "events", "log, s", "landmark, s", "default, s");
    for n in [100_000, 200_000, 500_000] {
        let events = made_up(n)?;
        let (log, log_s) = timed(|| DealLog::from_events(&process()?, &events))?;
        let (_, landmark) = timed(|| backtest(&log, &Baseline::landmark()))?;
        let (_, default) = timed(|| backtest(&log, &ForecastModel::default()))?;
        println!("{:8} {log_s:10.3} {landmark:12.3} {default:12.3}", events.len());
    }
    Ok(())
}

fn line(method: &str, n: &str, events: &[DealEvent]) -> Outcome<()> {
    let forecaster: Box<dyn Forecaster> = match method {
        "landmark" => Box::new(Baseline::landmark()),
        "default" => Box::new(ForecastModel::default()),
        _ => return Err("landmark or default".into()),
    };
    let (log, log_s) = timed(|| DealLog::from_events(&process()?, events))?;
    let start = Instant::now();
    let (report, cpu_s) = timed(|| backtest(&log, &*forecaster))?;
    let wall_s = start.elapsed().as_secs_f64();
    let money = report.money().ok_or("a window that is complete")?;
    let line = serde_json::json!({
        "method": method, "n": n, "origins": money.n, "log_s": log_s, "cpu_s": cpu_s, "wall_s": wall_s,
        "ncrps": money.ncrps, "coverage_80": money.coverage_80,
    });
    println!("{line}");
    Ok(())
}

/// Origins at the starts of days 1001, 1008, ..: everything up to the day before is known.
fn backtest(log: &DealLog, forecaster: &dyn Forecaster) -> Result<AccuracyReport> {
    let origin = |day: u64| first_day().map(|first| first + chrono::Days::new(day));
    let plan = RollingOrigin::new((origin(1001)?, origin(1001 + 51 * 7)?), 7, WINDOW)?;
    Backtest::new(log, plan).until(origin(u64::from(DAYS))?).run(forecaster)
}

fn first_day() -> Result<chrono::NaiveDate> {
    date(2020, 1, 1)
}

fn process() -> Result<SalesProcess> {
    SalesProcess::open(STAGES.into_iter().take(5))
}

/// Raw columns as rows.
fn read(folder: &Path, n: &str) -> Outcome<Vec<DealEvent>> {
    let column = |name: &str| std::fs::read(folder.join(format!("events_{n}.{name}")));
    let (deals, days) = (column("deal.u32")?, column("day.i32")?);
    let (stages, amounts) = (column("stage.u8")?, column("amount.f64")?);
    let deals = deals.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes));
    let days = days.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes));
    let amounts = amounts.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes));
    let first = first_day()?;
    let rows = deals.zip(days).zip(stages.iter().zip(amounts)).map(|((deal, day), (&stage, amount))| {
        let stage = STAGES.get(usize::from(stage)).ok_or("stages from 0 to 6")?;
        let at = first + chrono::Days::new(u64::try_from(day)?);
        let row = DealEvent::new(format!("{deal:07}"), at, Change::Entered((*stage).to_owned()));
        Ok(row.and(Change::Amount(Some(amount))))
    });
    rows.collect()
}

/// A log of the same kind: a deal stays for 18 days on average, then moves on, back, is won from the last stage, or lost.
fn made_up(n: u32) -> Outcome<Vec<DealEvent>> {
    // The chance that an exponential time of mean 18 days ends within a day, 1 - exp(-1 / 18).
    let stay = Stay::Daily { chance: 0.054_040_5 };
    let exit = |to, weight| Exit { to, weight, stay };
    let stage = |place: usize, name: &str| {
        let exits = if place < 4 {
            let back = Destination::Stage(place.saturating_sub(1));
            vec![exit(Destination::Lost, 0.10), exit(back, 0.35), exit(Destination::Stage(place + 1), 0.55)]
        } else {
            let back = exit(Destination::Stage(3), 0.05);
            let won = exit(Destination::Won, 0.30);
            vec![exit(Destination::Lost, 0.10), won, back, exit(Destination::Stage(4), 0.55)]
        };
        StageTruth { name: name.to_owned(), exits, stale: Probability::ZERO }
    };
    let usual = World::Stationary.truth();
    // Some 7.7 events a deal.
    let daily = f64::from(n) / 7.7 / f64::from(DAYS);
    let truth = Truth {
        stages: STAGES.into_iter().take(5).enumerate().map(|(place, name)| stage(place, name)).collect(),
        arrivals: Arrivals { daily, weekdays: [1.0; 7], ..usual.arrivals },
        amounts: Amounts { median: 13_360.0, spread: 1.2, ..usual.amounts },
        ..usual
    };
    Ok(Company::new(truth, Period::days(first_day()?, DAYS)?, Seed::new(1))?.events()?)
}

/// What comes out, and seconds of this thread.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let (start, before) = (Instant::now(), computed());
    let result = work()?;
    let seconds = before.zip(computed()).map(|(before, after)| after - before);
    Ok((result, seconds.unwrap_or_else(|| start.elapsed().as_secs_f64())))
}

/// Seconds this thread has computed, where the system says.
fn computed() -> Option<f64> {
    // Giving way once makes the system settle its accounts.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds * 1e-9)
}
