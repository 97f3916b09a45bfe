//! `gap`: how likely a target is with a given list of deals, and how much is missing.
//!
//! Without `swing`, which the crate does not answer yet; the field is left out.

use crate::answer::{Answer, parse};
use crate::total::{New, new_business};
use dealcast::forecast::{ForecastOptions, Shock, Total};
use dealcast::{Amount, GapAnalysis, Level, Probability, Target};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    deals: Vec<Deal>,
    rho: Option<f64>,
    new_business: Option<New>,
    booked: Option<Amount>,
    target: Target,
    confidence: Option<Level>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deal {
    #[serde(rename = "deal")]
    _id: Option<String>,
    p: Probability,
    amount: Amount,
}

pub(crate) fn gap(request: Value) -> Answer {
    let request: Request = parse(request)?;
    let deals = request.deals.into_iter().map(|deal| (deal.p, deal.amount));
    let mut total = Total::new(request.booked.unwrap_or(Amount::ZERO), deals)?
        .with_shock(request.rho.map_or(Ok(Shock::none()), Shock::new)?);
    if let Some(new) = request.new_business.filter(|new| new.mean != 0.0) {
        total = total.with_new_business(new_business(&new)?)?;
    }
    let confidence = request.confidence.map_or_else(|| Level::new(0.8), Ok)?;
    let gap = GapAnalysis::of(&total, request.target, confidence, &ForecastOptions::default())?;
    Ok(figures(&gap))
}

/// The figures of a gap by the names of the driver.
pub(crate) fn figures(gap: &GapAnalysis) -> Value {
    let summary = gap.summary();
    json!({
        "chance": summary.chance,
        "booked": summary.booked,
        "remaining": summary.remaining,
        "attainment": summary.attainment,
        "shortfall_mean": summary.shortfall_mean,
        "shortfall_q50": summary.shortfall_q50,
        "shortfall_at_confidence": summary.shortfall_at_confidence,
        "expected_shortfall": summary.expected_shortfall,
        "coverage": summary.coverage,
        "lose_biggest_chance": summary.lose_biggest_chance,
    })
}
