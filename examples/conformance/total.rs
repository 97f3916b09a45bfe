//! The distribution of a total: `total`.

use crate::answer::{Answer, parse};
use dealcast::forecast::{Forecast, ForecastOptions, NewBusiness, Shock, SimulationOptions, Total};
use dealcast::{Amount, Level, Probability, Seed};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    deals: Vec<Deal>,
    #[serde(default)]
    rho: f64,
    new_business: Option<New>,
    #[serde(default)]
    at_least: Vec<f64>,
    #[serde(default)]
    quantiles: Vec<Level>,
    engine: Engine,
    scenarios: Option<usize>,
    seed: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deal {
    p: Probability,
    amount: Amount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    pub(crate) mean: f64,
    size: Option<f64>,
    severity: Vec<Severity>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Severity {
    Weighted(Weighted),
    Likely(Amount),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighted {
    amount: Amount,
    p: f64,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Engine {
    Exact,
    MonteCarlo,
}

/// `{"mean","sd","chance","quantiles","std_err"?}`.
pub(crate) fn total(request: Value) -> Answer {
    let request: Request = parse(request)?;
    let mut total = Total::new(Amount::ZERO, request.deals.iter().map(|deal| (deal.p, deal.amount)))?;
    if let Some(new) = &request.new_business {
        total = total.with_new_business(new_business(new)?)?;
    }
    total = total.with_shock(Shock::new(request.rho)?);
    let forecast = match request.engine {
        Engine::Exact => total.exact(&ForecastOptions::default())?,
        Engine::MonteCarlo => {
            let mut options = SimulationOptions::default().seed(Seed::new(request.seed.unwrap_or(0)));
            if let Some(scenarios) = request.scenarios {
                options = options.scenarios(scenarios);
            }
            total.simulate(&options)?.forecast()?
        }
    };
    Ok(described(&request, &forecast))
}

pub(crate) fn new_business(new: &New) -> dealcast::Result<NewBusiness> {
    let severity = new.severity.iter().map(|severity| match severity {
        Severity::Weighted(weighted) => (weighted.amount, weighted.p),
        Severity::Likely(amount) => (*amount, 1.0),
    });
    let business = NewBusiness::new(new.mean, severity)?;
    new.size.map_or(Ok(business.clone()), |size| business.overdispersed(size))
}

fn described(request: &Request, forecast: &Forecast) -> Value {
    // A target below 0 is always met; the total is never negative.
    let target = |x: &f64| Amount::new(x.max(0.0));
    let chance: Vec<_> =
        request.at_least.iter().map(|x| target(x).ok().map(|x| forecast.chance_of_hitting(x))).collect();
    let quantiles: Vec<_> = request.quantiles.iter().map(|level| forecast.quantile(*level)).collect();
    let mut answer = Map::new();
    answer.insert("mean".into(), json!(forecast.mean()));
    answer.insert("sd".into(), json!(forecast.sd()));
    answer.insert("chance".into(), json!(chance));
    answer.insert("quantiles".into(), json!(quantiles));
    if forecast.n_scenarios().is_some() {
        let chance: Vec<_> = request
            .at_least
            .iter()
            .map(|x| target(x).ok().map(|x| forecast.chance_standard_error(x)))
            .collect();
        let quantiles: Vec<_> =
            request.quantiles.iter().map(|level| forecast.quantile_standard_error(*level)).collect();
        let errors =
            json!({ "mean": forecast.mean_standard_error(), "chance": chance, "quantiles": quantiles });
        answer.insert("std_err".into(), errors);
    } else {
        let bound = forecast.error_bound();
        answer.insert("error_bound".into(), json!({ "chance": bound.chance(), "amount": bound.amount() }));
    }
    Value::Object(answer)
}
