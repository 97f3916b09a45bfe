//! `arrivals`: counts with a trend and a season.

use crate::answer::{Answer, Refusal, parse};
use dealcast::estimate::{ArrivalRegression, CountFamily};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrivals {
    counts: Vec<u32>,
    period: Option<usize>,
    #[serde(default = "negative_binomial")]
    family: CountFamily,
    #[serde(default = "yes")]
    trend: bool,
    #[serde(default)]
    ahead: usize,
}

const fn negative_binomial() -> CountFamily {
    CountFamily::NegativeBinomial
}

const fn yes() -> bool {
    true
}

/// More means ahead than this are no forecast.
const FURTHEST: usize = 100_000;

/// The regression, and the means of the counts that follow.
pub(crate) fn arrivals(request: Value) -> Answer {
    let request: Arrivals = parse(request)?;
    if request.ahead > FURTHEST {
        return Err(Refusal::malformed(format!("`ahead` up to {FURTHEST}")));
    }
    let mut regression = ArrivalRegression::new(request.family);
    if let Some(period) = request.period {
        regression = regression.season(period);
    }
    if !request.trend {
        regression = regression.without_trend();
    }
    let fit = regression.fit(&request.counts)?;
    Ok(json!({
        "coefficients": fit.coefficients(),
        "std_err": fit.std_errors(),
        "theta": fit.size(),
        "log_likelihood": fit.log_likelihood(),
        "next": fit.next(request.ahead),
    }))
}
