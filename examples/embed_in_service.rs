//! A service: one fitted model, loaded from its JSON, answers many requests from several threads.
//!
//! The web framework is left out; [`Service::answer`] is what a handler would call with the body of a request. It never
//! panics, its memory is bounded, and equal requests get equal bytes, whichever thread serves them.
//!
//! ```text
//! cargo run --release --example embed_in_service
//! ```
#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use chrono::NaiveDateTime;
use dealcast::forecast::Bytes;
use dealcast::{
    Amount, DealLog, ErrorKind, FittedModel, ForecastModel, ForecastOptions, Level, Period, SalesProcess,
    Snapshot, SnapshotRow, tidy, time::date,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

const N_THREADS: usize = 4;
const N_REQUESTS: usize = 5;

/// The body of a request.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    as_of: NaiveDateTime,
    period: Period,
    target: Amount,
    deals: Vec<SnapshotRow>,
}

/// Status and body of an answer.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    status: u16,
    body: String,
}

/// One model for all threads. A new one is swapped in by replacing the `Arc`.
#[derive(Clone)]
struct Service {
    model: Arc<FittedModel>,
    options: ForecastOptions,
}

impl Service {
    fn start(stored: &[u8]) -> Result<Self, serde_json::Error> {
        let options = ForecastOptions::default().memory(Bytes::mib(64));
        Ok(Self { model: Arc::new(serde_json::from_slice(stored)?), options })
    }

    fn answer(&self, body: &str) -> Answer {
        let Ok(request) = serde_json::from_str::<Request>(body) else {
            return Answer { status: 400, body: r#"{"error":"not a request"}"#.into() };
        };
        match self.forecast(request) {
            Ok(body) => Answer { status: 200, body },
            Err(error) => Answer {
                status: status(error.kind()),
                body: serde_json::json!({
                    "error": error.kind().name(), "row": error.row(), "deal": error.deal(), "message": error.to_string()
                })
                .to_string(),
            },
        }
    }

    fn forecast(&self, request: Request) -> dealcast::Result<String> {
        let book = Snapshot::from_rows(self.model.process(), request.as_of, request.deals)?;
        let levels = [Level::new(0.1)?, Level::new(0.5)?, Level::new(0.9)?];
        let forecast = self.model.forecast_with(&book, &request.period, &self.options)?;
        let summary = forecast.summary(&levels, Some(request.target));
        // Every number of it is finite, so it always has a JSON form.
        Ok(serde_json::to_string(&summary).unwrap_or_default())
    }
}

/// Whose fault it is: 422 the caller's data, 413 its size, 409 our model's age, 500 ours.
const fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::TooLarge => 413,
        // The model must be fitted anew before it can answer this.
        ErrorKind::PeriodMismatch | ErrorKind::LookAhead => 409,
        ErrorKind::InvalidModel | ErrorKind::UnknownVersion | ErrorKind::Cancelled => 500,
        _ => 422,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (stored, request) = nightly_job()?;
    println!("model: {} kB of JSON; request: {} deals", stored.len() / 1000, request.deals.len());
    let service = Service::start(&stored)?;
    let body = serde_json::to_string(&request)?;

    let start = Instant::now();
    let answers = serve(&service, &body);
    let seconds = start.elapsed().as_secs_f64();
    let distinct: BTreeSet<&Answer> = answers.iter().collect();
    println!("{} answers from {N_THREADS} threads, {} distinct", answers.len(), distinct.len());
    println!("{:.1} requests a second", f64::from(u32::try_from(answers.len())?) / seconds);
    for answer in distinct {
        println!("{} {}", answer.status, answer.body);
    }

    // What goes wrong is an answer too.
    let mut misspelt = serde_json::from_str::<Request>(&body)?;
    misspelt.deals.iter_mut().skip(2).take(1).for_each(|deal| deal.stage = "proposal".into());
    let mut distant = serde_json::from_str::<Request>(&body)?;
    distant.period = Period::new(date(2026, 3, 1)?, date(2027, 3, 1)?)?;
    for request in [serde_json::to_string(&misspelt)?, serde_json::to_string(&distant)?, "{".into()] {
        let answer = service.answer(&request);
        println!("{} {}", answer.status, answer.body);
    }
    Ok(())
}

fn serve(service: &Service, body: &str) -> Vec<Answer> {
    thread::scope(|scope| {
        let work = || (0..N_REQUESTS).map(|_| service.answer(body)).collect::<Vec<_>>();
        let threads: Vec<_> = (0..N_THREADS).map(|_| scope.spawn(work)).collect();
        // A thread that panicked would lose its answers, and the count would show it.
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    })
}

/// What another program does once a night: fit, and store the model; here it makes a request as well.
fn nightly_job() -> Result<(Vec<u8>, Request), Box<dyn Error>> {
    let process = SalesProcess::open(["qualify", "demo", "propose", "negotiate"])?;
    let rows = csv::Reader::from_reader(include_str!("data/pipeline.csv").as_bytes());
    let log = DealLog::from_rows(&process, rows.into_deserialize::<tidy::StageRow>())?;
    let known = log.as_of(date(2026, 3, 10)?);
    let period = Period::new(date(2026, 2, 1)?, date(2026, 5, 1)?)?;
    let fitted = ForecastModel::default().fit(&known, &period)?;
    let book = known.snapshot();
    // A request carries the open deals, and those won in the period: they are booked.
    let open = book.open().iter().map(|deal| (deal.id(), deal.stage(), deal.entered(), deal.amount()));
    let won = book.won().iter().map(|deal| (deal.id(), deal.stage(), deal.closed(), deal.amount()));
    let deals = open
        .chain(won.filter(|deal| period.contains(deal.2)))
        .map(|(id, stage, entered, amount)| SnapshotRow {
            deal_id: id.to_owned(),
            stage: stage.to_owned(),
            entered: Some(entered),
            amount: amount.map(Amount::get),
            ..SnapshotRow::default()
        })
        .collect();
    let request = Request { as_of: known.at(), period, target: Amount::new(400_000.0)?, deals };
    Ok((serde_json::to_vec(&fitted)?, request))
}
