//! `ingest` and `as_of`: what was done with the rows, and what was known at an instant.

use crate::answer::{Answer, answer, parse};
use crate::log::{Pieces, instant};
use dealcast::Mode;
use dealcast::tidy::Reading;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ingest {
    #[serde(default)]
    mode: Mode,
}

pub(crate) fn ingest(mut request: Value) -> Answer {
    let pieces = Pieces::take(&mut request)?;
    let Ingest { mode } = parse(request)?;
    let mut receipt = answer(pieces.build(Reading::default().mode(mode))?.receipt())?;
    if let Some(Value::Array(rejected)) = receipt.get_mut("rejected") {
        for rejected in rejected {
            pieces.name_as_sent(rejected);
        }
    }
    Ok(receipt)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AsOf {
    at: String,
}

pub(crate) fn as_of(mut request: Value) -> Answer {
    let pieces = Pieces::take(&mut request)?;
    let AsOf { at } = parse(request)?;
    let log = pieces.build(Reading::default())?;
    let book = log.as_of(instant(&at)?).snapshot();
    let open: Vec<Value> = book
        .open()
        .iter()
        .map(|deal| {
            json!({
                "deal": deal.id(),
                "stage": deal.stage(),
                "age_days": deal.age_days(),
                "amount": deal.amount(),
                "expected_close": deal.expected_close(),
            })
        })
        .collect();
    Ok(json!({
        "open": open,
        "won": book.won().len(),
        "lost": book.lost().len(),
        "booked": book.won_book()?.amount(),
    }))
}
