//! From weekly exports of Dynamics 365, which keeps no history, to the chance of hitting the quarter's target. The data are
//! made up.
//!
//! ```text
//! cargo run --release --example dynamics_snapshots
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]

use dealcast::crm::{Exports, Reading, dynamics};
use dealcast::deals::Vanished;
use dealcast::{FiscalCalendar, ForecastModel, Target, time};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/dynamics");
    let stages = dynamics::stages(["Qualify", "Develop", "Propose", "Close"])?;
    eprintln!("reading {}", stages.process());

    // A file a week, named by the morning of its export. A closed deal is in the first export after its close.
    let mut exports = Exports::new(&stages, Vanished::Removed, Reading::default());
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let day = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let morning = time::instant(&day, chrono::FixedOffset::east_opt(0).ok_or("UTC")?)?;
        exports.dynamics(morning, csv::Reader::from_path(&path)?.into_deserialize())?;
    }
    let series = exports.finish()?;
    let reconstruction = series.reconstruct()?;
    eprintln!("{series}\n{reconstruction}");
    let log = reconstruction.log();

    // Where do we land? How likely is the target, how much is missing? What is booked, open, not in the CRM yet?
    eprintln!("fitting ...");
    let known = log.as_of(time::date(2026, 3, 9)?);
    let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    let fitted = ForecastModel::default().fit(&known, &quarter)?;
    let book = known.snapshot();
    println!("{}\n", fitted.forecast(&book, &quarter)?);
    println!("{}", fitted.gap(&book, &quarter, Target::new(450_000.0)?)?);
    Ok(())
}
