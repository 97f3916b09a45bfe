//! How long it takes to read large exports: a Salesforce history of a million rows from csv to a fitted model, a hundred
//! thousand HubSpot deals with their history from JSON to a log. The exports are made up and written to the folder of
//! temporary files first, by a process of its own, so that the memory measured is that of reading and fitting.
//!
//! ```text
//! cargo run --release --example crm_speed
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]
#![allow(clippy::indexing_slicing, reason = "tables of a fixed size")]
#![allow(dead_code, reason = "the small exports are written by another example")]

#[path = "exports/write.rs"]
mod write;

use dealcast::crm::{Import, Reading, hubspot, salesforce};
use dealcast::{DealLog, Error, FiscalCalendar, ForecastModel, time::date};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Time on one core: what this thread has computed, where the system tells, so that a busy machine changes little.
struct Clock(f64);

impl Clock {
    fn start() -> Self {
        Self(computed())
    }

    fn seconds(&self) -> f64 {
        computed() - self.0
    }
}

fn computed() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let passed = START.get_or_init(Instant::now).elapsed().as_secs_f64();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()));
    told.map_or(passed, |ns| ns * 1e-9)
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", kind, path] => write_export(kind, Path::new(path)),
        ["read", "salesforce", path] => salesforce(Path::new(path)),
        ["read", "hubspot", path] => hubspot(Path::new(path)),
        _ => ["salesforce", "hubspot"].into_iter().try_for_each(both),
    }
}

/// Writes an export and reads it, each in a process of its own.
fn both(kind: &str) -> Outcome<()> {
    let path: PathBuf = std::env::temp_dir().join(format!("dealcast-{}-{kind}", std::process::id()));
    let program = std::env::current_exe()?;
    let run = |what: &str| Command::new(&program).args([what, kind]).arg(&path).status();
    let good = run("write")?.success() && run("read")?.success();
    std::fs::remove_file(&path)?;
    if good { Ok(()) } else { Err(format!("{kind} failed").into()) }
}

fn write_export(kind: &str, path: &Path) -> Outcome<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let n = match kind {
        "salesforce" => write::many_opportunity_rows(1e6, &mut out)?,
        _ => write::many_hubspot_deals(1e5, &mut out)?,
    };
    eprintln!("{kind}: {n} records written, {} MB", path.metadata()?.len() >> 20);
    Ok(())
}

fn salesforce(path: &Path) -> Outcome<()> {
    let stages = write::opportunity_stage();
    let stages = salesforce::stages(csv::Reader::from_reader(stages.as_bytes()).into_deserialize())?;
    let start = Clock::start();
    let mut import = Import::new(&stages, Reading::default())?;
    import
        .salesforce_history(csv::Reader::from_reader(BufReader::new(File::open(path)?)).into_deserialize())?;
    let log = import.finish()?;
    let read = start.seconds();
    report("Salesforce", &log, read)?;
    let known = log.as_of(date(2026, 3, 10)?);
    let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    let start = Clock::start();
    ForecastModel::default().fit(&known, &quarter)?;
    let fit = start.seconds();
    println!("  fitted in {fit:.2} s, {:.2} s in all; peak of memory {}", read + fit, peak());
    Ok(())
}

fn hubspot(path: &Path) -> Outcome<()> {
    let pipelines = serde_json::Value::from(write::hubspot_pipelines());
    let pipelines: Vec<hubspot::Pipeline> = serde_json::from_value(pipelines)?;
    let stages = hubspot::stages(pipelines)?;
    let start = Clock::start();
    let mut text = String::new();
    File::open(path)?.read_to_string(&mut text)?;
    let deals: Vec<hubspot::Deal> = serde_json::from_str(&text)?;
    let parsed = start.seconds();
    let mut import = Import::new(&stages, Reading::default())?;
    import.hubspot(deals.into_iter().map(Ok::<_, Error>))?;
    let log = import.finish()?;
    report("HubSpot", &log, start.seconds())?;
    println!("  of which {parsed:.2} s in the JSON reader; peak of memory {}", peak());
    Ok(())
}

fn report(source: &str, log: &DealLog, seconds: f64) -> Outcome<()> {
    let (receipt, open) = (log.receipt(), log.as_of(date(2026, 3, 10)?).snapshot().n_open());
    if receipt.quarantined() > 0 {
        return Err(format!("{receipt}").into());
    }
    println!(
        "{source}: {} records, {} rows, {open} open deals, read in {seconds:.2} s",
        receipt.records(),
        receipt.rows_in()
    );
    Ok(())
}

/// The largest memory this process has held so far, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("not known".to_owned(), |kib| kib.trim().to_owned())
}
