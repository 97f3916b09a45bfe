//! Time in stage without assuming a shape: `kaplan_meier`, `log_rank`, `aalen_johansen`, `multi_state`, `turnbull`,
//! `piecewise_hazard`.

use crate::answer::{Answer, Refusal, parse};
use dealcast::Level;
use dealcast::estimate::{
    AalenJohansen, BandScale, Brackets, Durations, Episode, Interval, KaplanMeier, LogRank, MultiState,
    NelsonAalen, Occupancy, PiecewiseHazard, Spell, Transition, Turnbull,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Columns of durations; `event` and `cause` are the same column under two names.
struct Columns {
    time: Vec<f64>,
    cause: Vec<u8>,
    entry: Option<Vec<f64>>,
    weight: Option<Vec<f64>>,
}

impl Columns {
    fn spells(self) -> Result<Vec<Spell>, Refusal> {
        let n = self.time.len();
        let others =
            [Some(self.cause.len()), self.entry.as_ref().map(Vec::len), self.weight.as_ref().map(Vec::len)];
        if others.into_iter().flatten().any(|len| len != n) {
            return Err(Refusal::malformed("time, event, entry and weight have one length"));
        }
        let mut spells: Vec<Spell> =
            self.time.into_iter().zip(self.cause).map(|(t, c)| Spell::new(t, c)).collect();
        for (spell, entry) in spells.iter_mut().zip(self.entry.into_iter().flatten()) {
            *spell = spell.entry(entry);
        }
        for (spell, weight) in spells.iter_mut().zip(self.weight.into_iter().flatten()) {
            *spell = spell.weight(weight);
        }
        Ok(spells)
    }

    fn durations(self) -> Result<Durations, Refusal> {
        Ok(Durations::from_spells(self.spells()?)?)
    }
}

/// 1 = happened, 0 = right-censored.
fn events(event: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    if event.iter().any(|event| *event > 1) {
        return Err(Refusal::malformed("an event is 0 or 1"));
    }
    Ok(event)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KaplanMeierRequest {
    time: Vec<f64>,
    event: Vec<u8>,
    entry: Option<Vec<f64>>,
    weight: Option<Vec<f64>>,
    at: Vec<f64>,
    after: Option<f64>,
    #[serde(default)]
    conf_type: BandScale,
    level: Option<Level>,
    quantiles: Option<Vec<Level>>,
    restrict_to: Option<f64>,
}

pub(crate) fn kaplan_meier(request: Value) -> Answer {
    let request: KaplanMeierRequest = parse(request)?;
    let KaplanMeierRequest { time, event, entry, weight, at, conf_type, .. } = request;
    let mut stays = Columns { time, cause: events(event)?, entry, weight }.durations()?;
    if let Some(age) = request.after {
        stays = stays.after(age)?;
    }
    let (curve, hazard) = (KaplanMeier::fit(&stays), NelsonAalen::fit(&stays));
    let level = request.level.map_or_else(|| Level::new(0.95), Ok)?;
    let band: Vec<_> = at.iter().map(|&t| curve.interval(t, level, conf_type)).collect();
    let each = |f: &dyn Fn(f64) -> Value| at.iter().map(|&t| f(t)).collect::<Value>();
    let quantiles =
        request.quantiles.map(|levels| levels.into_iter().map(|p| curve.quantile(p)).collect::<Vec<_>>());
    let restricted_mean = request.restrict_to.map(|limit| curve.restricted_mean(limit)).transpose()?;
    Ok(json!({
        "survival": each(&|t| json!(curve.survival(t))),
        "std_err": each(&|t| json!(curve.std_err(t))),
        "cumulative_hazard": each(&|t| json!(hazard.cumulative_hazard(t))),
        "n_risk": each(&|t| json!(stays.n_risk(t))),
        "lower": band.iter().map(|band| band.map(Interval::lower)).collect::<Vec<_>>(),
        "upper": band.iter().map(|band| band.map(Interval::upper)).collect::<Vec<_>>(),
        "quantiles": quantiles,
        "restricted_mean": restricted_mean,
        "n_effective": curve.n_effective(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogRankRequest {
    time: Vec<f64>,
    event: Vec<u8>,
    group: Vec<Value>,
    entry: Option<Vec<f64>>,
}

pub(crate) fn log_rank(request: Value) -> Answer {
    let LogRankRequest { time, event, group, entry } = parse(request)?;
    let spells = Columns { time, cause: events(event)?, entry, weight: None }.spells()?;
    if group.len() != spells.len() {
        return Err(Refusal::malformed("time and group have one length"));
    }
    let mut groups: BTreeMap<String, Vec<Spell>> = BTreeMap::new();
    for (name, spell) in group.iter().zip(spells) {
        groups.entry(text(name)).or_default().push(spell);
    }
    let stays = groups.values().map(|spells| Durations::from_spells(spells.iter().copied()));
    let stays = stays.collect::<dealcast::Result<Vec<_>>>()?;
    let test = LogRank::test(&stays.iter().collect::<Vec<_>>())?;
    let named =
        |counts: &[f64]| groups.keys().cloned().zip(counts.iter().map(|n| json!(n))).collect::<Map<_, _>>();
    Ok(json!({
        "chi2": test.chi2(),
        "df": test.degrees(),
        "p_value": test.p_value(),
        "observed": named(test.observed()),
        "expected": named(test.expected()),
    }))
}

/// A name as it stands in an answer's keys.
fn text(name: &Value) -> String {
    name.as_str().map_or_else(|| name.to_string(), str::to_owned)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AalenJohansenRequest {
    time: Vec<f64>,
    cause: Vec<u8>,
    entry: Option<Vec<f64>>,
    weight: Option<Vec<f64>>,
    at: Vec<f64>,
}

pub(crate) fn aalen_johansen(request: Value) -> Answer {
    let AalenJohansenRequest { time, cause, entry, weight, at } = parse(request)?;
    let paths = AalenJohansen::fit(&Columns { time, cause, entry, weight }.durations()?);
    let mut incidence = Map::new();
    let mut std_err = Map::new();
    for cause in paths.causes() {
        let each = |f: &dyn Fn(f64) -> Value| at.iter().map(|&t| f(t)).collect::<Value>();
        incidence.insert(cause.to_string(), each(&|t| json!(paths.incidence(cause, t))));
        std_err.insert(cause.to_string(), each(&|t| json!(paths.std_err(cause, t))));
    }
    Ok(json!({ "incidence": incidence, "std_err": std_err }))
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Clock {
    #[default]
    Forward,
    Reset,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stay {
    from: Value,
    to: Option<Value>,
    enter: f64,
    exit: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MultiStateRequest {
    episodes: Vec<Stay>,
    #[serde(default)]
    clock: Clock,
    start: Option<Value>,
    start_time: Option<f64>,
    at: Vec<f64>,
}

pub(crate) fn multi_state(request: Value) -> Answer {
    let MultiStateRequest { episodes, clock, start, start_time, at } = parse(request)?;
    let named = |stay: &Stay| [Some(text(&stay.from)), stay.to.as_ref().map(text)];
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for value in episodes.iter().flat_map(|stay| [Some(&stay.from), stay.to.as_ref()]).flatten() {
        values.insert(text(value), value.clone());
    }
    let numbers: BTreeMap<&String, u32> = values.keys().zip(0..).collect();
    let number = |name: &String| numbers.get(name).copied().unwrap_or(u32::MAX);
    let episodes: Vec<Episode> = episodes
        .iter()
        .map(|stay| {
            let [from, to] = named(stay).map(|name| name.as_ref().map(number));
            Episode { from: from.unwrap_or(u32::MAX), to, enter: stay.enter, exit: stay.exit }
        })
        .collect();
    let mut answer = Map::new();
    let process = match clock {
        Clock::Forward => {
            let process = MultiState::forward(&episodes)?;
            let start = start.ok_or_else(|| Refusal::malformed("clock forward needs a start"))?;
            let found = process.occupancy(number(&text(&start)), start_time.unwrap_or(0.0), &at)?;
            let each = |f: &dyn Fn(&Occupancy, u32) -> Value| -> Map<String, Value> {
                let state = |(name, state): (&String, u32)| {
                    (name.clone(), found.iter().map(|o| f(o, state)).collect())
                };
                values.keys().zip(0..).map(state).collect()
            };
            answer.insert("occupancy".into(), each(&|o, state| json!(o.share(state))).into());
            answer.insert("std_err".into(), each(&|o, state| json!(o.std_err(state))).into());
            process
        }
        Clock::Reset if start.is_some() || start_time.is_some() => {
            return Err(Refusal::malformed("clock reset takes neither start nor start_time"));
        }
        Clock::Reset => MultiState::reset(&episodes)?,
    };
    let states: Vec<&Value> = values.values().collect();
    let hazards = process.transitions().into_iter().map(|(from, to)| {
        let hazard = process.hazard(Transition { from, to });
        let base = start_time.map_or(0.0, |t| hazard.cumulative_hazard(t));
        let name = |state: u32| usize::try_from(state).ok().and_then(|i| states.get(i));
        let values: Vec<f64> = at.iter().map(|&t| (hazard.cumulative_hazard(t) - base).max(0.0)).collect();
        json!({ "from": name(from), "to": name(to), "values": values })
    });
    answer.insert("cumulative_hazard".into(), hazards.collect());
    Ok(Value::Object(answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TurnbullRequest {
    lower: Vec<f64>,
    upper: Vec<Option<f64>>,
    at: Vec<f64>,
}

pub(crate) fn turnbull(request: Value) -> Answer {
    let TurnbullRequest { lower, upper, at } = parse(request)?;
    let curve = Turnbull::fit(&Brackets::new(&lower, &upper)?);
    let part =
        |s: &dealcast::estimate::Support| json!({ "lower": s.lower(), "upper": s.upper(), "mass": s.mass() });
    Ok(json!({
        "survival": at.iter().map(|&t| curve.survival(t)).collect::<Vec<_>>(),
        "support": curve.support().iter().map(part).collect::<Vec<_>>(),
        "log_likelihood": curve.log_likelihood(),
        "shortfall": curve.shortfall(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PiecewiseRequest {
    time: Vec<f64>,
    event: Vec<u8>,
    entry: Option<Vec<f64>>,
    cuts: Vec<f64>,
    kappa: f64,
}

pub(crate) fn piecewise_hazard(request: Value) -> Answer {
    let PiecewiseRequest { time, event, entry, cuts, kappa } = parse(request)?;
    let stays = Columns { time, cause: events(event)?, entry, weight: None }.durations()?;
    let hazard = PiecewiseHazard::fit(&stays, &cuts, kappa)?;
    let (q05, q95) = Level::new(0.9)?.tails();
    let each =
        |f: &dyn Fn(&dealcast::estimate::HazardBand) -> f64| hazard.bands().iter().map(f).collect::<Vec<_>>();
    Ok(json!({
        "events": each(&|band| band.events()),
        "exposure": each(&|band| band.exposure()),
        "posterior_mean": each(&|band| band.posterior_mean()),
        "q05": each(&|band| band.quantile(q05)),
        "q95": each(&|band| band.quantile(q95)),
        "log_marginal": hazard.log_marginal(),
    }))
}
