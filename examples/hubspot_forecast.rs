//! From deals of HubSpot with their history to the chance of hitting the quarter's target. The data are made up.
//!
//! ```text
//! cargo run --release --example hubspot_forecast
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]

use dealcast::crm::{Import, Reading, hubspot};
use dealcast::{Error, FiscalCalendar, ForecastModel, Target, time::date};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/hubspot");
    let read = |name: &str| std::fs::read_to_string(folder.join(name));

    // What is won and what is lost is said by the pipelines.
    let pipelines: Vec<hubspot::Pipeline> = serde_json::from_str(&read("pipelines.json")?)?;
    let stages = hubspot::stages(pipelines)?;
    eprintln!("reading {}", stages.process());
    let deals: Vec<hubspot::Deal> = serde_json::from_str(&read("deals.json")?)?;
    let mut import = Import::new(&stages, Reading::default())?;
    import.hubspot(deals.into_iter().map(Ok::<_, Error>))?;
    let log = import.finish()?;
    eprintln!("{}", log.receipt());

    // Where do we land? How likely is the target, how much is missing? What is booked, open, not in the CRM yet?
    eprintln!("fitting ...");
    let known = log.as_of(date(2026, 3, 10)?);
    let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    let fitted = ForecastModel::default().fit(&known, &quarter)?;
    let book = known.snapshot();
    println!("{}\n", fitted.forecast(&book, &quarter)?);
    println!("{}", fitted.gap(&book, &quarter, Target::new(450_000.0)?)?);
    Ok(())
}
