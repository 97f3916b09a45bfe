//! Pictures for a slide: one SVG file a question, from the made-up company of `quickstart`.
//!
//! ```text
//! cargo run --release --features plot --example pictures -- examples/pictures
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]

use chrono::Month;
use dealcast::backtest::{Backtest, RollingOrigin};
use dealcast::deals::Waterfall;
use dealcast::gap::Bridge;
use dealcast::plot::{self, Size};
use dealcast::{
    DealLog, FiscalCalendar, ForecastModel, Level, SalesProcess, SimulationOptions, Split, Target, tidy,
    time::date,
};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: pictures FOLDER");
        return ExitCode::from(2);
    };
    match write(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for (name, svg) in pictures()? {
        println!("{name}.svg: {:.1} kB", f64::from(u32::try_from(svg.len())?) / 1000.0);
        fs::write(folder.join(name).with_extension("svg"), svg)?;
    }
    Ok(())
}

fn pictures() -> dealcast::Result<Vec<(&'static str, String)>> {
    let process = SalesProcess::open(["qualify", "demo", "propose", "negotiate"])?;
    let table = include_str!("data/pipeline.csv");
    let rows = csv::Reader::from_reader(table.as_bytes()).into_deserialize::<tidy::StageRow>();
    let log = DealLog::from_rows(&process, rows)?;
    let known = log.as_of(date(2026, 3, 10)?);
    let calendar = FiscalCalendar::starting(Month::February);
    let quarter = calendar.quarter_at(known.at())?;
    let model = ForecastModel::default();
    let fitted = model.fit(&known, &quarter)?;
    let (book, target, size) = (known.snapshot(), Target::new(400_000.0)?, Size::default());

    let gap = fitted.gap(&book, &quarter, target)?;
    let weeks = (&quarter, Split::Weeks);
    let scenarios = fitted.simulate(&book, weeks, &SimulationOptions::default())?;
    let month = Waterfall::of_log(&log, date(2026, 2, 10)?, known.at())?;
    let then = log.as_of(date(2026, 2, 10)?);
    let before = (&model.fit(&then, &quarter)?, &then.snapshot());
    let bridge = Bridge::between(before, (&fitted, &book), &quarter)?;
    let stages = process.open_stages().iter().map(|stage| known.time_in_stage(stage.name()));
    let stays = stages.collect::<dealcast::Result<Vec<_>>>()?;
    let plan = RollingOrigin::new((date(2024, 9, 3)?, date(2026, 1, 6)?), 35, 35)?;
    let report = Backtest::new(&log, plan).run(&model)?;

    let mut pictures = vec![
        ("forecast", plot::forecast(&fitted.forecast(&book, &quarter)?, size)?),
        ("chance", plot::chance(&gap, size)?),
        ("gap", plot::gap(&gap, size)?),
        ("fan", plot::fan(&scenarios, weeks, Some(target), size)?),
        ("waterfall", plot::waterfall(&month, size)?),
        ("pacing", plot::pacing(&known.pacing(calendar, &quarter, target)?, size)?),
        ("levers", plot::levers(&fitted.levers(&book, &quarter, (target, Level::new(0.8)?))?, size)?),
        ("bridge", plot::bridge(&bridge, size)?),
        ("funnel", plot::funnel(&known.funnel(), size)?),
        ("time_in_stage", plot::time_in_stage(&stays, size)?),
        ("accuracy", plot::accuracy(&report, size)?),
        ("pit", plot::pit(&report, size)?),
    ];
    if let Some(chances) = report.chances() {
        pictures.push(("reliability", plot::reliability(chances, size)?));
    }
    Ok(pictures)
}
