//! From a CRM's stage history to the chance of hitting the quarter's target. The data are embedded and made up.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```
#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use chrono::Month;
use dealcast::{DealLog, FiscalCalendar, ForecastModel, SalesProcess, Target, tidy, time::date};

fn main() -> dealcast::Result<()> {
    // The stages a deal goes through; then it is won or lost.
    let process = SalesProcess::open(["qualify", "demo", "propose", "negotiate"])?;

    // Any export with a row a stage change. A bad row lands in the receipt, it stops nothing.
    let table = include_str!("data/pipeline.csv");
    let rows = csv::Reader::from_reader(table.as_bytes()).into_deserialize::<tidy::StageRow>();
    let log = DealLog::from_rows(&process, rows)?;
    println!("{}\n", log.receipt());

    // What was known on the morning of 10 March, and the fiscal quarter that day is in.
    let known = log.as_of(date(2026, 3, 10)?);
    let quarter = FiscalCalendar::starting(Month::February).quarter_at(known.at())?;

    // Learn from the past, then ask about the deals open today.
    let fitted = ForecastModel::default().fit(&known, &quarter)?;
    let book = known.snapshot();
    println!("{}\n", fitted.forecast(&book, &quarter)?);

    // How likely is the target, and how much is missing?
    println!("{}", fitted.gap(&book, &quarter, Target::new(400_000.0)?)?);
    Ok(())
}
