//! `gap` and `required_pipeline`: how likely a target is with a given list of deals, which of them decide, how much is
//! missing, and how many more would do.

use crate::answer::{Answer, parse};
use crate::total::{New, new_business};
use dealcast::forecast::{ForecastOptions, Shock, Total};
use dealcast::gap::{NewDeal, RequiredDeals};
use dealcast::{Amount, GapAnalysis, Level, Probability, Target};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    deals: Vec<Deal>,
    rho: Option<f64>,
    new_business: Option<New>,
    booked: Option<Amount>,
    target: Target,
    confidence: Option<Level>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Required {
    deals: Vec<Deal>,
    rho: Option<f64>,
    new_business: Option<New>,
    booked: Option<Amount>,
    target: Target,
    confidence: Level,
    win_probability: Probability,
    deal_amount: Amount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deal {
    #[serde(rename = "deal")]
    id: Option<String>,
    p: Probability,
    amount: Amount,
}

/// What the deals of a request add up to.
fn total(
    (booked, deals): (Option<Amount>, Vec<Deal>),
    (rho, new): (Option<f64>, Option<New>),
) -> dealcast::Result<Total> {
    let deals = deals.into_iter().map(|deal| (deal.p, deal.amount));
    let total = Total::new(booked.unwrap_or(Amount::ZERO), deals)?
        .with_shock(rho.map_or(Ok(Shock::none()), Shock::new)?);
    match new.filter(|new| new.mean != 0.0) {
        Some(new) => total.with_new_business(new_business(&new)?),
        None => Ok(total),
    }
}

pub(crate) fn gap(request: Value) -> Answer {
    let request: Gap = parse(request)?;
    let ids: Vec<Option<String>> = request.deals.iter().map(|deal| deal.id.clone()).collect();
    let total = total((request.booked, request.deals), (request.rho, request.new_business))?;
    let confidence = request.confidence.map_or_else(|| Level::new(0.8), Ok)?;
    let gap = GapAnalysis::of(&total, request.target, confidence, &ForecastOptions::default())?;
    let mut answer = figures(&gap);
    let swing = gap.swing().iter().zip(ids).map(
        |(deal, id)| json!({ "deal": id, "given_won": deal.given_won(), "given_lost": deal.given_lost() }),
    );
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("swing".into(), swing.collect());
    }
    Ok(answer)
}

pub(crate) fn required_pipeline(request: Value) -> Answer {
    let request: Required = parse(request)?;
    let total = total((request.booked, request.deals), (request.rho, request.new_business))?;
    let deal = NewDeal::new(request.win_probability, request.deal_amount);
    let goal = (request.target, request.confidence);
    let required = RequiredDeals::of(&total, goal, deal, &ForecastOptions::default())?;
    Ok(json!({
        "n_deals": required.n_deals(),
        "amount": required.amount(),
        "chance_reached": required.chance_reached(),
    }))
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
        "coverage_needed": summary.coverage_needed,
        "chance_at_three_times": summary.chance_at_three_times,
        "lose_biggest_chance": summary.lose_biggest_chance,
    })
}
