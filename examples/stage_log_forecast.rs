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
use dealcast::{DealLog, ForecastModel, Period, SalesProcess, Target, time};
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
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
struct Asked {
    events: String,
    stages: Vec<String>,
    as_of: NaiveDateTime,
    period: Period,
    target: Option<Target>,
    /// A table of deals, and which of its columns count.
    attributes: Option<(String, Vec<String>)>,
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
        let mut given = BTreeMap::new();
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            given.insert(name, value);
        }
        let mut take = |name: &str| given.remove(name);
        let needed = |value: Option<String>, name: &str| value.ok_or_else(|| format!("{name} is missing"));
        let period = needed(take("--period"), "--period")?;
        let (first, end) = period.split_once("..").ok_or("--period needs FIRST..END")?;
        let number = |text: String| text.parse().map_err(|_| format!("--target: {text} is no number"));
        let asked = Self {
            events: needed(take("--events"), "--events")?,
            stages: names(&needed(take("--stages"), "--stages")?),
            as_of: day(&needed(take("--as-of"), "--as-of")?)?,
            period: Period::new(day(first)?.date(), day(end)?.date())?,
            target: take("--target").map(number).transpose()?.map(Target::new).transpose()?,
            attributes: match (take("--deals"), take("--attributes")) {
                (Some(deals), Some(columns)) => Some((deals, names(&columns))),
                (None, None) => None,
                _ => return Err("--deals and --attributes go together".into()),
            },
        };
        match given.into_keys().next() {
            Some(name) => Err(format!("no option {name}").into()),
            None => Ok(asked),
        }
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}

fn day(text: &str) -> dealcast::Result<NaiveDateTime> {
    time::instant(text, Utc.fix())
}

fn answer(asked: &Asked) -> Outcome<()> {
    let log = step("reading", || read(asked))?;
    println!("{}\n", log.receipt());

    let known = log.as_of(asked.as_of);
    let fitted = step("fitting", || Ok(ForecastModel::default().fit(&known, &asked.period)?))?;
    let book = known.snapshot();
    let forecast = step("forecasting", || Ok(fitted.forecast(&book, &asked.period)?))?;
    println!("{forecast}");
    if let Some(target) = asked.target {
        println!("\n{}", fitted.gap(&book, &asked.period, target)?);
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

fn read(asked: &Asked) -> Outcome<DealLog> {
    let process = SalesProcess::open(asked.stages.iter().map(String::as_str))?;
    let rows = open(&asked.events)?.into_deserialize::<StageRow>();
    let mut log = DealLog::from_rows(&process, rows.inspect(progress()))?;
    if let Some((deals, columns)) = &asked.attributes {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        log.append_attributes(open(deals)?.into_deserialize::<DealRow>(), &columns, Reading::default())?;
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
