//! `win_rate_interval` and `shrink_rates`: shares of closed deals.

use crate::answer::{Answer, Refusal, parse};
use dealcast::Level;
use dealcast::estimate::{Closed, ShareInterval, ShrunkRates};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntervalRequest {
    wins: u64,
    losses: u64,
    method: ShareInterval,
    level: Level,
}

pub(crate) fn win_rate_interval(request: Value) -> Answer {
    let IntervalRequest { wins, losses, method, level } = parse(request)?;
    let closed = Closed { won: wins, lost: losses };
    let range = closed.interval(method, level);
    let median = (method == ShareInterval::Jeffreys).then(|| closed.posterior_median());
    Ok(json!({ "lower": range.lower(), "upper": range.upper(), "median": median }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShrinkRequest {
    groups: Vec<(u64, u64)>,
}

pub(crate) fn shrink_rates(request: Value) -> Answer {
    let ShrinkRequest { groups } = parse(request)?;
    let lost =
        |won: u64, n: u64| n.checked_sub(won).ok_or_else(|| Refusal::malformed("more wins than deals"));
    let closed = |(won, n)| Ok(Closed { won, lost: lost(won, n)? });
    let groups = groups.into_iter().map(closed).collect::<Result<Vec<_>, Refusal>>()?;
    let shrunk = ShrunkRates::fit(&groups)?;
    Ok(json!({
        "alpha": shrunk.prior().map(dealcast::estimate::BetaPrior::alpha),
        "beta": shrunk.prior().map(dealcast::estimate::BetaPrior::beta),
        "log_likelihood": shrunk.log_likelihood(),
        "rates": shrunk.rates(),
    }))
}
