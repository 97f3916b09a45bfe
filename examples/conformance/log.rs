//! The pieces of a request that become a log: process, events, attributes, rules.

use crate::answer::{Refusal, parse};
use chrono::{NaiveDateTime, Offset, Utc};
use dealcast::tidy::{DealRow, Reading, StageRow};
use dealcast::{Amount, DealLog, Error, SalesProcess, Stage, time};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// What several commands say about their log; each takes it out of its request first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pieces {
    process: Process,
    events: Value,
    deals_csv: Option<String>,
    #[serde(default)]
    attributes: Vec<String>,
    #[serde(default)]
    rules: Rules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Process {
    open: Vec<String>,
    won: Option<String>,
    lost: Option<String>,
}

/// Special cases of the harness.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    start_stage: Option<String>,
    amount_cap: Option<Amount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    csv: String,
}

/// An inline row; cells of any type, so that a bad one ends in the receipt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Row {
    deal: Value,
    at: Value,
    stage: Value,
    amount: Value,
    recorded_at: Value,
    sequence: Value,
    expected_close: Value,
    category: Value,
    attributes: BTreeMap<String, Value>,
    seen: Value,
    removed: Value,
}

impl Pieces {
    const FIELDS: [&str; 5] = ["process", "events", "deals_csv", "attributes", "rules"];

    /// Takes these fields out of a request; the rest stays for its command to judge.
    pub(crate) fn take(request: &mut Value) -> Result<Self, Refusal> {
        let mut pieces = Map::new();
        if let Some(fields) = request.as_object_mut() {
            pieces.extend(
                Self::FIELDS.iter().filter_map(|&name| Some((name.to_owned(), fields.remove(name)?))),
            );
        }
        parse(Value::Object(pieces))
    }

    /// The names of the attributes a model may use.
    #[allow(dead_code, reason = "for the commands that fit a model")]
    pub(crate) fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// Inline rows call two columns of the table by shorter names.
    pub(crate) fn name_as_sent(&self, rejected: &mut Value) {
        if let (Value::Array(_), Some(field)) = (&self.events, rejected.get_mut("field")) {
            match field.as_str() {
                Some("deal_id") => *field = "deal".into(),
                Some("entered_at") => *field = "at".into(),
                _ => {}
            }
        }
    }

    /// The log, its attributes and rules included.
    pub(crate) fn build(&self, reading: Reading) -> Result<DealLog, Refusal> {
        let process = self.process.build()?;
        let mut log = match &self.events {
            Value::Array(rows) => {
                let rows = rows.iter().map(Row::read).collect::<Result<Vec<_>, _>>()?;
                DealLog::from_rows_with(&process, rows.into_iter().map(Ok::<_, Infallible>), reading)?
            }
            table => {
                let table: Table = parse(table.clone())?;
                DealLog::from_rows_with(&process, open(&table.csv)?.into_deserialize::<StageRow>(), reading)?
            }
        };
        if let Some(path) = &self.deals_csv {
            let names: Vec<&str> = self.attributes.iter().map(String::as_str).collect();
            log.append_attributes(open(path)?.into_deserialize::<DealRow>(), &names, reading)?;
        }
        if let Some(stage) = &self.rules.start_stage {
            log = log.starting_at(stage)?;
        }
        Ok(match self.rules.amount_cap {
            Some(cap) => log.capped(cap),
            None => log,
        })
    }
}

impl Process {
    fn build(&self) -> Result<SalesProcess, Error> {
        let closed = [
            Stage::won(self.won.as_deref().unwrap_or("won")),
            Stage::lost(self.lost.as_deref().unwrap_or("lost")),
        ];
        SalesProcess::new(self.open.iter().map(Stage::open).chain(closed))
    }
}

impl Row {
    fn read(row: &Value) -> Result<StageRow, Refusal> {
        let row: Self = parse(row.clone())?;
        Ok(StageRow {
            deal_id: text(row.deal),
            stage: text(row.stage),
            entered_at: text(row.at),
            amount: text(row.amount),
            recorded_at: text(row.recorded_at),
            sequence: text(row.sequence),
            expected_close: text(row.expected_close),
            category: text(row.category),
            seen: text(row.seen),
            removed: text(row.removed),
            attributes: row
                .attributes
                .into_iter()
                .filter_map(|(name, value)| Some((name, text(value)?)))
                .collect(),
        })
    }
}

fn text(cell: Value) -> Option<String> {
    match cell {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// A table, compressed or not.
fn open(path: &str) -> Result<csv::Reader<Box<dyn Read>>, Refusal> {
    let file = File::open(path).map_err(|error| Refusal::malformed(format!("{path}: {error}")))?;
    let reader: Box<dyn Read> = if Path::new(path).extension().is_some_and(|ending| ending == "gz") {
        Box::new(MultiGzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    Ok(csv::Reader::from_reader(reader))
}

/// A date or instant of a request.
pub(crate) fn instant(text: &str) -> Result<NaiveDateTime, Error> {
    time::instant(text, Utc.fix())
}
