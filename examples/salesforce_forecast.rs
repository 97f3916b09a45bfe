//! From an export of Salesforce to the chance of hitting the quarter's target. The data are made up.
//!
//! ```text
//! cargo run --release --example salesforce_forecast
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]

use dealcast::crm::{Import, Reading, salesforce};
use dealcast::{FiscalCalendar, ForecastModel, Target, time::date};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/salesforce");
    let table = |name: &str| csv::Reader::from_path(folder.join(name));

    // What is won and what is lost is said by the stage definitions.
    let stages = salesforce::stages(table("OpportunityStage.csv")?.into_deserialize())?;
    eprintln!("reading {}", stages.process());
    // The lead source of a deal never changes; of the other columns a deal's row knows only today's values.
    let mut import = Import::new(&stages, Reading::default().fixed(&["LeadSource"]))?;
    import.salesforce_history(table("OpportunityHistory.csv")?.into_deserialize())?;
    import.salesforce_opportunities(table("Opportunity.csv")?.into_deserialize())?;
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
