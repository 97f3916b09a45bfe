//! `backtest`: a forecaster over rolling origins.

use crate::answer::{Answer, parse};
use crate::log::Pieces;
use chrono::NaiveDate;
use dealcast::ForecastModel;
use dealcast::backtest::{
    AccuracyReport, Backtest, Baseline, Forecaster, OriginScore, PastWindows, RollingOrigin, Scored,
};
use dealcast::tidy::Reading;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    origins: Origins,
    horizon_days: u32,
    #[serde(default = "default_model")]
    model: String,
    targets_k: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Origins {
    from: NaiveDate,
    to: NaiveDate,
    step_days: u32,
}

fn default_model() -> String {
    "default".to_owned()
}

pub(crate) fn backtest(mut request: Value) -> Answer {
    let pieces = Pieces::take(&mut request)?;
    let Request { origins, horizon_days, model, targets_k } = parse(request)?;
    let plan = RollingOrigin::new((origins.from, origins.to), origins.step_days, horizon_days)?;
    let log = pieces.build(Reading::default())?;
    let clock = Instant::now();
    let forecaster: Box<dyn Forecaster> = match model.as_str() {
        "default" => Box::new(ForecastModel::default()),
        "past_windows" => Box::new(PastWindows::last(6)?),
        name => Box::new(Baseline::named(name, log.process())?),
    };
    let report = Backtest::new(&log, plan).target_windows(targets_k.unwrap_or(6)).run(&*forecaster)?;
    Ok(json!({
        "origins": report.origins().iter().map(origin).collect::<Vec<_>>(),
        "summary": summary(&report),
        "seconds": clock.elapsed().as_secs_f64(),
    }))
}

fn origin(score: &OriginScore) -> Value {
    let Scored { actual, mean, quantiles, crps, .. } = &score.money;
    let [q025, q05, q10, q25, q50, q75, q90, q95, q975] = quantiles;
    let deals = score.deals.as_ref();
    let n_quantile = |i: usize| deals.and_then(|deals| deals.quantiles.get(i).copied());
    json!({
        "origin": score.origin, "actual": actual, "mean": mean,
        "q025": q025, "q05": q05, "q10": q10, "q25": q25, "q50": q50, "q75": q75, "q90": q90, "q95": q95, "q975": q975,
        "crps": crps,
        "n_actual": deals.map(|deals| deals.actual), "n_mean": deals.map(|deals| deals.mean),
        "n_q10": n_quantile(2), "n_q50": n_quantile(4), "n_q90": n_quantile(6),
        "n_crps": deals.map(|deals| deals.crps),
        "chance": score.targets.iter().map(|target| target.1).collect::<Vec<_>>(),
    })
}

fn summary(report: &AccuracyReport) -> Value {
    let Some(money) = report.money() else { return Value::Null };
    json!({
        "wape": money.wape, "bias": money.bias, "ncrps": money.ncrps,
        "cov50": money.coverage_50, "cov80": money.coverage_80, "cov95": money.coverage_95,
        "width80": money.width_80, "brier": report.brier(),
        "n_ncrps": report.deals().and_then(|deals| deals.ncrps),
    })
}
