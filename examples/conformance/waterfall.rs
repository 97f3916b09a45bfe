//! `waterfall`: why the pipeline changed from one instant to another.

use crate::answer::{Answer, parse};
use crate::log::{Pieces, instant};
use dealcast::Period;
use dealcast::deals::Waterfall;
use dealcast::tidy::Reading;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    from: String,
    to: String,
    period: Option<Period>,
}

pub(crate) fn waterfall(mut request: Value) -> Answer {
    let pieces = Pieces::take(&mut request)?;
    let Between { from, to, period } = parse(request)?;
    let log = pieces.build(Reading::default())?;
    let (from, to) = (instant(&from)?, instant(&to)?);
    let waterfall = match period {
        Some(period) => Waterfall::of_log_in(&log, from, to, &period)?,
        None => Waterfall::of_log(&log, from, to)?,
    };
    let bars = waterfall.bars().into_iter();
    let named = bars.map(|(name, bar)| (name.replace(' ', "_"), json!({ "amount": bar.amount, "n": bar.n })));
    Ok(Value::Object(named.collect::<Map<_, _>>()))
}
