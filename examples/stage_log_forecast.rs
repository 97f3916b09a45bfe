//! A forecast from any tidy table of stage changes: what was read, what will be booked, what is missing.
//!
//! The table has the columns `deal_id,stage,entered_at` and, where known, `amount`; a name that ends in `.gz` is read
//! through gzip. Progress goes to standard error, the answer to standard output.
//!
//! ```text
//! cargo run --release --example stage_log_forecast -- --events examples/data/pipeline.csv \
//!     --stages qualify,demo,propose,negotiate --as-of 2026-03-10 --period 2026-02-01..2026-05-01 --target 400000
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]

use chrono::{NaiveDateTime, Offset, Utc};
use dealcast::tidy::{DealRow, Reading, StageRow};
use dealcast::{Amount, DealLog, ForecastModel, Period, SalesProcess, time};
use flate2::read::MultiGzDecoder;
use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: stage_log_forecast --events FILE --stages A,B,C --as-of DATE --period FIRST..END [more]
  --events FILE         tidy table of stage changes: deal_id,stage,entered_at[,amount]; .gz too
  --stages A,B,C        the open stages in their order; a deal leaves them as `won` or `lost`
  --as-of DATE          forecast with what was known on that morning, such as 2026-03-10
  --period FIRST..END   the first day and the first day after it, such as 2026-02-01..2026-05-01
  --target AMOUNT       the goal of the period, in the unit of the table
  --deals FILE          a row a deal: deal_id,created_at and attributes known at creation; .gz too
  --attributes A,B      which columns of that table tell deals apart";

/// What was asked for on the command line.
#[derive(Default)]
struct Asked {
    events: Option<String>,
    stages: Option<String>,
    as_of: Option<NaiveDateTime>,
    period: Option<Period>,
    target: Option<Amount>,
    deals: Option<String>,
    attributes: Option<String>,
}

fn main() -> ExitCode {
    let asked = match Asked::read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match answer(&asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

impl Asked {
    fn read(mut words: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut asked = Self::default();
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--events" => asked.events = Some(value),
                "--stages" => asked.stages = Some(value),
                "--as-of" => asked.as_of = Some(day(&value)?),
                "--period" => {
                    let ends = value.split_once("..").ok_or("--period needs FIRST..END")?;
                    asked.period = Some(Period::new(day(ends.0)?.date(), day(ends.1)?.date())?);
                }
                "--target" => {
                    let number = value.parse().map_err(|_| format!("--target {value} is no number"))?;
                    asked.target = Some(Amount::new(number)?);
                }
                "--deals" => asked.deals = Some(value),
                "--attributes" => asked.attributes = Some(value),
                _ => return Err(format!("no option {name}").into()),
            }
        }
        if asked.deals.is_some() != asked.attributes.is_some() {
            return Err("--deals and --attributes go together".into());
        }
        Ok(asked)
    }
}

fn day(text: &str) -> dealcast::Result<NaiveDateTime> {
    time::instant(text, Utc.fix())
}

fn answer(asked: &Asked) -> Outcome<()> {
    let needed = |name: &str| format!("{name} is missing\n\n{USAGE}");
    let events = asked.events.as_deref().ok_or_else(|| needed("--events"))?;
    let stages = asked.stages.as_deref().ok_or_else(|| needed("--stages"))?;
    let as_of = asked.as_of.ok_or_else(|| needed("--as-of"))?;
    let period = asked.period.ok_or_else(|| needed("--period"))?;

    let process = SalesProcess::open(stages.split(','))?;
    let log = step("reading", || read(&process, events, asked))?;
    println!("{}\n", log.receipt());

    let known = log.as_of(as_of);
    let fitted = step("fitting", || Ok(ForecastModel::default().fit(&known, &period)?))?;
    let book = known.snapshot();
    let forecast = step("forecasting", || Ok(fitted.forecast(&book, &period)?))?;
    println!("{forecast}");
    if let Some(target) = asked.target {
        println!("\nchance of {target}: {}", forecast.chance_of_hitting(target));
    }
    Ok(())
}

/// Says on standard error what takes time, and how long it took.
fn step<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    eprint!("{what} ... ");
    let start = Instant::now();
    let done = work();
    eprintln!("{:.2} s", start.elapsed().as_secs_f64());
    done
}

fn read(process: &SalesProcess, events: &str, asked: &Asked) -> Outcome<DealLog> {
    let rows = open(events)?.into_deserialize::<StageRow>();
    let mut log = DealLog::from_rows(process, rows.inspect(progress()))?;
    if let (Some(deals), Some(names)) = (&asked.deals, &asked.attributes) {
        let names: Vec<&str> = names.split(',').collect();
        log.append_attributes(open(deals)?.into_deserialize::<DealRow>(), &names, Reading::default())?;
    }
    Ok(log)
}

/// Counts rows aloud, a hundred thousand at a time.
fn progress<T>() -> impl FnMut(&T) {
    let mut n_rows = 0_u64;
    move |_| {
        n_rows += 1;
        if n_rows.is_multiple_of(100_000) {
            eprint!("{n_rows} rows ... ");
        }
    }
}

/// A table, compressed or not.
fn open(path: &str) -> Outcome<csv::Reader<Box<dyn Read>>> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let compressed = std::path::Path::new(path).extension().is_some_and(|ending| ending == "gz");
    let reader: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok(csv::Reader::from_reader(reader))
}
