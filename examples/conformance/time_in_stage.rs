//! `fit_time` and `log_survival`: parametric laws of the time in a stage.

use crate::answer::{Answer, Refusal, parse};
use dealcast::estimate::{StayTable, TimeFamily, TimeFit, TimeInStage, TimeLaw, TimesInStage};
use dealcast::{Level, Probability};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FitTime {
    family: TimeFamily,
    time: Option<Vec<f64>>,
    event: Option<Vec<f64>>,
    lower: Option<Vec<f64>>,
    upper: Option<Vec<Option<f64>>>,
    entry: Option<Vec<f64>>,
    weight: Option<Vec<f64>>,
    at: Vec<f64>,
    #[serde(default)]
    cure: bool,
}

/// The maximum-likelihood fit of a family.
pub(crate) fn fit_time(request: Value) -> Answer {
    let request: FitTime = parse(request)?;
    let (lower, upper) = columns(request.time, request.event, request.lower, request.upper)?;
    let table = StayTable {
        lower: &lower,
        upper: &upper,
        entry: request.entry.as_deref(),
        weight: request.weight.as_deref(),
    };
    let data = TimesInStage::from_table(table)?;
    let fit = if request.cure { data.fit_converting(request.family)? } else { data.fit(request.family)? };
    let mut errors: Map<String, Value> = named(request.family, fit.std_errors().iter().map(|&se| json!(se)));
    let mut parameters = named(request.family, fit.time().parameters().into_iter().map(Value::from));
    if let Some(converted) = fit.converted() {
        parameters.insert("converted".into(), converted.get().into());
        errors.insert("converted".into(), json!(fit.converted_std_error()));
    }
    Ok(json!({
        "log_likelihood": fit.log_likelihood(),
        "aic": fit.aic(),
        "bic": fit.bic(),
        "parameters": parameters,
        "std_err": errors,
        "survival": survival(&fit, &request.at),
        // The share that ever gets there may be fitted at its bound: that fit is the one without a share.
        "status": if fit.converted() == Some(Probability::ONE) { "all_converted" } else { "ok" },
    }))
}

fn survival(fit: &TimeFit, at: &[f64]) -> Vec<f64> {
    at.iter().map(|&t| fit.survival(t)).collect()
}

fn named(family: TimeFamily, values: impl Iterator<Item = Value>) -> Map<String, Value> {
    family.parameter_names().iter().map(ToString::to_string).zip(values).collect()
}

type Columns = (Vec<f64>, Vec<f64>);

fn columns(
    time: Option<Vec<f64>>,
    event: Option<Vec<f64>>,
    lower: Option<Vec<f64>>,
    upper: Option<Vec<Option<f64>>>,
) -> Result<Columns, Refusal> {
    match (time, event, lower, upper) {
        (Some(time), Some(event), None, None) => {
            if event.iter().any(|e| ![0.0, 1.0].contains(e)) {
                return Err(Refusal::malformed("an event is 0 or 1"));
            }
            // A length of its own stays: the crate says what does not match.
            let known = time.iter().copied().chain(std::iter::repeat(0.0));
            let upper =
                event.iter().zip(known).map(|(&e, t)| if e > 0.5 { t } else { f64::INFINITY }).collect();
            Ok((time, upper))
        }
        (None, None, Some(lower), Some(upper)) => {
            Ok((lower, upper.into_iter().map(|t| t.unwrap_or(f64::INFINITY)).collect()))
        }
        _ => Err(Refusal::malformed("either `time` and `event`, or `lower` and `upper`")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogSurvival {
    family: Value,
    parameters: Value,
    #[serde(default)]
    at: Vec<f64>,
    #[serde(default)]
    age: f64,
    #[serde(default)]
    quantiles: Vec<Level>,
    restrict_to: Option<f64>,
}

/// What a law says of the time still to go.
pub(crate) fn log_survival(request: Value) -> Answer {
    let request: LogSurvival = parse(request)?;
    let law: TimeLaw = parse(json!({ "family": request.family, "parameters": request.parameters }))?;
    let rest = TimeInStage::new(law)?.after(request.age);
    Ok(json!({
        "log_survival": request.at.iter().map(|&t| rest.log_survival(t)).collect::<Vec<_>>(),
        "quantiles": request.quantiles.iter().map(|&p| rest.quantile(p)).collect::<Vec<_>>(),
        "mean": rest.mean(),
        "restricted_mean": request.restrict_to.map(|limit| rest.restricted_mean(limit)),
    }))
}
