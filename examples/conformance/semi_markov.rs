//! `semi_markov`: a process with stated times in stage.

use crate::answer::{Answer, Refusal, parse};
use dealcast::deals::SalesProcess;
use dealcast::model::{Chances, Leaving, Move, SemiMarkov};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    stages: Vec<String>,
    hazards: BTreeMap<String, BTreeMap<String, Leaving>>,
    stage: String,
    ages: Vec<f64>,
    horizons: Vec<u32>,
}

pub(crate) fn semi_markov(request: Value) -> Answer {
    let Request { stages, hazards, stage, ages, horizons } = parse(request)?;
    if ages.is_empty() || horizons.is_empty() {
        return Err(Refusal::malformed("no ages or no horizons"));
    }
    let moves = hazards
        .into_iter()
        .flat_map(|(from, ways)| ways.into_iter().map(move |(to, by)| Move { from: from.clone(), to, by }));
    let model = SemiMarkov::new(&SalesProcess::open(stages)?, &moves.collect::<Vec<_>>())?;
    let rows = model.chances(&stage, &ages, &horizons)?;
    let table = |of: fn(&Chances) -> f64| -> Vec<Vec<f64>> {
        rows.iter().map(|row| row.iter().map(of).collect()).collect()
    };
    Ok(json!({ "won": table(|c| c.won().get()), "lost": table(|c| c.lost().get()) }))
}
