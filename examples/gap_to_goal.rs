//! What a sales leader asks about a target: will we make it, what would have to change, do we keep pace, what slips, and
//! what to do. The data are embedded and made up.
//!
//! ```text
//! cargo run --release --example gap_to_goal
//! ```
#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use chrono::Month;
use dealcast::forecast::SimulationOptions;
use dealcast::{DealLog, FiscalCalendar, ForecastModel, Level, SalesProcess, Target, tidy, time::date};

fn main() -> dealcast::Result<()> {
    let process = SalesProcess::open(["qualify", "demo", "propose", "negotiate"])?;
    let table = include_str!("data/pipeline.csv");
    let rows = csv::Reader::from_reader(table.as_bytes()).into_deserialize::<tidy::StageRow>();
    let log = DealLog::from_rows(&process, rows)?;
    let known = log.as_of(date(2026, 3, 10)?);
    let calendar = FiscalCalendar::starting(Month::February);
    let quarter = calendar.quarter_at(known.at())?;
    let fitted = ForecastModel::default().fit(&known, &quarter)?;
    let book = known.snapshot();
    let goal = (Target::new(330_000.0)?, Level::new(0.8)?);

    // How likely is it, and how much is missing?
    println!("{}\n", fitted.gap_with(&book, &quarter, goal.0, goal.1)?);
    // What does each lever do, and how far would it have to go alone?
    println!("{}\n", fitted.levers(&book, &quarter, goal)?);
    // Is as much booked as usual at this point of the quarter?
    let pacing = known.pacing(calendar, &quarter, goal.0)?;
    println!("{pacing}\n");
    // How much slips out of the quarter, and where does it land?
    println!("{}\n", fitted.slippage(&book, &quarter)?);
    // Every month as well as the quarter?
    let months = quarter.months().map(|month| Ok((month, Target::new(110_000.0)?)));
    let goals = std::iter::once(Ok((quarter, goal.0))).chain(months).collect::<dealcast::Result<Vec<_>>>()?;
    println!("{}\n", fitted.joint_targets(&book, &goals, &SimulationOptions::default())?);
    // Where do we stand, and where to step up?
    let outlook = fitted.outlook(&book, &quarter, goal)?;
    println!("{}", outlook.with_pacing(pacing).with_quality(&known.data_quality()));
    Ok(())
}
