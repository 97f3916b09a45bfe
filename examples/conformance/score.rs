//! `score`: proper scores and tests of forecasts.

use crate::answer::{Answer, Refusal, answer, parse};
use dealcast::score::{
    Alternative, Claim, Conformal, Coverage, DieboldMariano, Family, Forecasted, Interval, Kernel,
    PairedErrors, PointScores, Power, Predictive, Quantiles, Reliability, SampleCrps, Samples, brier,
    log_loss,
};
use dealcast::{Level, Probability};
use serde::Deserialize;
use serde_json::{Value, json};
use std::num::NonZeroUsize;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    Crps { distribution: Family, observed: Vec<f64> },
    CrpsSample { samples: Vec<Vec<f64>>, observed: Vec<f64>, estimator: SampleCrps },
    Pinball { levels: Vec<Level>, quantiles: Vec<Vec<f64>>, observed: Vec<f64> },
    Wis { levels: Vec<Level>, quantiles: Vec<Vec<f64>>, observed: Vec<f64> },
    Interval { level: Level, lower: Vec<f64>, upper: Vec<f64>, observed: Vec<f64> },
    Pit { distribution: Family, observed: Vec<f64> },
    Brier { p: Vec<Probability>, won: Vec<u8> },
    LogLoss { p: Vec<Probability>, won: Vec<u8> },
    Corp { p: Vec<Probability>, won: Vec<u8> },
    DieboldMariano(Comparison),
    Point { forecast: Vec<f64>, observed: Vec<f64>, train: Option<Vec<f64>>, season: Option<NonZeroUsize> },
    Conformal { residuals: Vec<f64>, level: Level },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparison {
    errors_a: Vec<f64>,
    errors_b: Vec<f64>,
    horizon: NonZeroUsize,
    power: u8,
    kernel: Kernel,
    alternative: Alternative,
}

pub(crate) fn score(request: Value) -> Answer {
    match parse(request)? {
        Request::Crps { distribution, observed } => {
            let forecast = Predictive::new(distribution)?;
            values(some(observed)?.into_iter().map(|y| forecast.crps(y)))
        }
        Request::CrpsSample { samples, observed, estimator } => {
            values(aligned(samples, observed)?.map(|(x, y)| Samples::new(x)?.crps(y, estimator)))
        }
        Request::Pinball { levels, quantiles, observed } => {
            values(stated(&levels, quantiles, observed)?.into_iter().map(|(q, y)| q.pinball(y)))
        }
        Request::Wis { levels, quantiles, observed } => {
            values(stated(&levels, quantiles, observed)?.into_iter().map(|(q, y)| q.wis(y)))
        }
        Request::Interval { level, lower, upper, observed } => {
            interval(level, aligned(lower, upper)?, observed)
        }
        Request::Pit { distribution, observed } => pit(distribution, some(observed)?),
        Request::Brier { p, won } => Ok(json!({ "value": brier(&claims(p, won)?)? })),
        Request::LogLoss { p, won } => Ok(json!({ "value": log_loss(&claims(p, won)?)? })),
        Request::Corp { p, won } => {
            let curve = Reliability::new(&claims(p, won)?)?;
            Ok(json!({
                "miscalibration": curve.miscalibration(),
                "discrimination": curve.discrimination(),
                "uncertainty": curve.uncertainty(),
                "recalibrated": curve.recalibrated(),
            }))
        }
        Request::DieboldMariano(comparison) => compare(comparison),
        Request::Point { forecast, observed, train, season } => {
            let pairs =
                aligned(forecast, observed)?.map(|(forecast, observed)| Forecasted { forecast, observed });
            let scores = PointScores::new(&pairs.collect::<Vec<_>>())?;
            let season = season.unwrap_or(NonZeroUsize::MIN);
            let mase = train.map(|train| scores.mase(&train, season)).transpose()?;
            Ok(json!({
                "bias": scores.bias(), "mae": scores.mae(), "rmse": scores.rmse(),
                "mape": scores.mape(), "wape": scores.wape(), "mase": mase.flatten(),
            }))
        }
        Request::Conformal { residuals, level } => {
            let found = Conformal::new(&residuals, level)?;
            Ok(json!({ "rank": found.rank(), "coverage": found.coverage(), "quantile": found.quantile() }))
        }
    }
}

fn interval(level: Level, ends: impl Iterator<Item = (f64, f64)>, observed: Vec<f64>) -> Answer {
    let mut scores = Vec::new();
    let mut held = Vec::new();
    for ((lower, upper), y) in aligned(ends.collect(), observed)? {
        let interval = Interval::new(level, lower..=upper)?;
        scores.push(interval.score(y)?);
        held.push(interval.covers(y));
    }
    Ok(json!({ "values": scores, "coverage": held.into_iter().collect::<Coverage>().share() }))
}

fn pit(distribution: Family, observed: Vec<f64>) -> Answer {
    let forecast = Predictive::new(distribution)?;
    let jumps = observed.into_iter().map(|y| forecast.pit(y)).collect::<Result<Vec<_>, _>>()?;
    let column = |of: fn(&dealcast::score::Pit) -> Probability| jumps.iter().map(of).collect::<Vec<_>>();
    Ok(json!({ "lower": column(|p| p.lower()), "upper": column(|p| p.upper()), "mid": column(|p| p.mid()) }))
}

fn compare(of: Comparison) -> Answer {
    let power = match of.power {
        1 => Power::Absolute,
        2 => Power::Squared,
        _ => return Err(Refusal::malformed("power: expected 1 or 2")),
    };
    let pairs: Vec<_> = aligned(of.errors_a, of.errors_b)?.map(|(a, b)| PairedErrors { a, b }).collect();
    let test = DieboldMariano::default().horizon(of.horizon).power(power).kernel(of.kernel);
    let verdict = test.alternative(of.alternative).test(&pairs)?;
    Ok(json!({ "statistic": verdict.statistic(), "p_value": verdict.p_value() }))
}

fn values<T: serde::Serialize>(of: impl Iterator<Item = dealcast::Result<T>>) -> Answer {
    Ok(json!({ "values": answer(&of.collect::<Result<Vec<T>, _>>()?)? }))
}

fn claims(p: Vec<Probability>, won: Vec<u8>) -> Result<Vec<Claim>, Refusal> {
    let claim = |(chance, won)| match won {
        0 | 1 => Ok(Claim { chance, happened: won == 1 }),
        _ => Err(Refusal::malformed("won: expected 0 or 1")),
    };
    aligned(p, won)?.map(claim).collect()
}

fn stated(
    levels: &[Level],
    rows: Vec<Vec<f64>>,
    observed: Vec<f64>,
) -> Result<Vec<(Quantiles, f64)>, Refusal> {
    let row = |(row, y)| Ok((Quantiles::new(aligned(levels.to_vec(), row)?)?, y));
    aligned(rows, observed)?.map(row).collect()
}

fn some<T>(items: Vec<T>) -> Result<Vec<T>, Refusal> {
    if items.is_empty() { Err(Refusal::malformed("no rows")) } else { Ok(items) }
}

/// Request arrays of one row align, and hold something.
fn aligned<A, B>(left: Vec<A>, right: Vec<B>) -> Result<impl Iterator<Item = (A, B)>, Refusal> {
    if left.len() != right.len() {
        return Err(Refusal::malformed(format!("arrays of {} and {} values", left.len(), right.len())));
    }
    Ok(some(left)?.into_iter().zip(right))
}
