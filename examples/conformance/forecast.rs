//! `forecast`, `save_model` and `load_model`: from rows to a fitted model, and from it to the period's bookings.

use crate::answer::{Answer, Refusal, answer, parse};
use crate::gap::figures;
use crate::log::{Pieces, instant};
use chrono::{NaiveDate, NaiveDateTime};
use dealcast::fit::Bucket;
use dealcast::forecast::{Forecast, SimulationOptions};
use dealcast::tidy::Reading;
use dealcast::{
    DealLog, FittedModel, ForecastModel, Level, Period, Probability, Seed, Snapshot, Split, Target, Timing,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const LEVELS: [f64; 9] = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    as_of: String,
    period: Option<Ends>,
    horizon_days: Option<u32>,
    target: Option<Target>,
    #[serde(default)]
    buckets: Buckets,
    #[serde(default)]
    engine: Engine,
    seed: Option<Seed>,
    scenarios: Option<usize>,
    threads: Option<usize>,
    probabilities: Option<Vec<Probability>>,
    timing: Option<Timing>,
    model: Option<Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    start: NaiveDate,
    end: NaiveDate,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Buckets {
    #[default]
    None,
    Week,
    Month,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Engine {
    #[default]
    Exact,
    MonteCarlo,
}

impl Request {
    fn period(&self, at: NaiveDateTime) -> Result<Period, Refusal> {
        match (self.period, self.horizon_days) {
            (Some(ends), None) => Ok(Period::new(ends.start, ends.end)?),
            (None, Some(days)) => Ok(Period::days(at.date(), days)?),
            _ => Err(Refusal::malformed("either period or horizon_days")),
        }
    }

    fn model(&self, log: &DealLog, (at, period): (NaiveDateTime, Period)) -> Result<FittedModel, Refusal> {
        match (&self.model, &self.probabilities) {
            (Some(_), Some(_)) => Err(Refusal::malformed("a model or probabilities, not both")),
            (Some(model), None) => stored(model.clone()),
            (None, Some(chances)) => {
                let timing = self.timing.clone().unwrap_or(Timing::ExpectedClose);
                Ok(FittedModel::assumed(log.process(), chances.iter().copied(), timing)?)
            }
            (None, None) => Ok(ForecastModel::default().fit(&log.as_of(at), &period)?),
        }
    }
}

impl Request {
    fn simulate(
        &self,
        model: &FittedModel,
        (book, period): (&Snapshot, &Period),
    ) -> Result<Forecast, Refusal> {
        let mut options = SimulationOptions::default();
        options = self.seed.map_or(options.clone(), |seed| options.seed(seed));
        options = self.scenarios.map_or(options.clone(), |n| options.scenarios(n));
        options = self.threads.map_or(options.clone(), |n| options.threads(n));
        Ok(model.simulate(book, (period, Split::Whole), &options)?.forecast()?)
    }
}

/// A stored model; what breaks its invariants is refused as that, not as a malformed request.
fn stored(model: Value) -> Result<FittedModel, Refusal> {
    serde_json::from_value(model).map_err(Refusal::invalid_model)
}

pub(crate) fn forecast(request: Value) -> Answer {
    let Work { log, at, period, request } = Work::of(request)?;
    let model = request.model(&log, (at, period))?;
    let book = log.as_of(at).snapshot();
    let forecast = model.forecast(&book, &period)?;
    let simulated = match request.engine {
        Engine::Exact => None,
        Engine::MonteCarlo => Some(request.simulate(&model, (&book, &period))?),
    };
    let distribution = simulated.as_ref().unwrap_or(forecast.distribution());
    let weighted = forecast.weighted();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("booked", weighted.booked().into());
    put("open", weighted.open().into());
    put("new_business", weighted.new_business().into());
    put("mean", distribution.mean().into());
    put("median", distribution.median().into());
    put("sd", distribution.sd().into());
    put("quantiles", quantiles(distribution)?);
    let n_won = forecast.n_won();
    put("n_won", json!({ "mean": n_won.mean(), "quantiles": quantiles(n_won)? }));
    if let Some(target) = request.target {
        put("chance", json!(distribution.chance_of_hitting(target.amount())));
        put("gap", figures(&model.gap(&book, &period, target)?));
    }
    if let Some(buckets) = buckets(&model, (&book, &period), request.buckets)? {
        put("buckets", buckets);
    }
    let deals = model.chances(&book, &period)?;
    let deals =
        deals.iter().map(|deal| json!({ "deal": deal.deal, "p": deal.chance, "amount": deal.amount }));
    put("deals", deals.collect());
    put("evidence", answer(&forecast.evidence())?);
    put("noise_floor", forecast.noise_floor().into());
    put("receipt", answer(log.receipt())?);
    put("model_digest", digest(&model)?.into());
    Ok(Value::Object(fields))
}

/// The model alone. A request that names no period at all is fitted for a quarter of 91 days.
pub(crate) fn save_model(mut request: Value) -> Answer {
    if let Some(fields) = request.as_object_mut()
        && !fields.contains_key("period")
    {
        fields.entry("horizon_days").or_insert_with(|| 91.into());
    }
    let Work { log, at, period, request } = Work::of(request)?;
    Ok(json!({ "model": answer(&request.model(&log, (at, period))?)? }))
}

pub(crate) fn load_model(request: Value) -> Answer {
    if request.get("model").is_none() {
        return Err(Refusal::malformed("a model to load"));
    }
    forecast(request)
}

/// A request with its log read.
struct Work {
    log: DealLog,
    at: NaiveDateTime,
    period: Period,
    request: Request,
}

impl Work {
    fn of(mut request: Value) -> Result<Self, Refusal> {
        let pieces = Pieces::take(&mut request)?;
        let request: Request = parse(request)?;
        let at = instant(&request.as_of)?;
        let period = request.period(at)?;
        Ok(Self { log: pieces.build(Reading::default())?, at, period, request })
    }
}

fn quantiles(forecast: &Forecast) -> Result<Value, Refusal> {
    let at = |level: f64| Ok((level.to_string(), forecast.quantile(Level::new(level)?).into()));
    Ok(Value::Object(LEVELS.into_iter().map(at).collect::<Result<Map<_, _>, Refusal>>()?))
}

fn buckets(
    model: &FittedModel,
    (book, period): (&Snapshot, &Period),
    buckets: Buckets,
) -> Result<Option<Value>, Refusal> {
    let split = match buckets {
        Buckets::None => return Ok(None),
        Buckets::Week => Split::Weeks,
        Buckets::Month => Split::Months,
    };
    let buckets = model.buckets(book, period, split)?;
    let bucket = |b: &Bucket| json!({ "start": b.period.start(), "end": b.period.end(), "open": b.open, "new_business": b.new_business });
    Ok(Some(buckets.iter().map(bucket).collect()))
}

/// FNV-1a, 64 bits (Fowler, Noll & Vo 1991), of the stored form.
fn digest(model: &FittedModel) -> Result<String, Refusal> {
    let text = serde_json::to_vec(model).map_err(Refusal::malformed)?;
    let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Ok(format!("{hash:016x}"))
}
