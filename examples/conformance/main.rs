//! The conformance driver: one JSON request a line on standard input, one JSON answer a line on standard output.
//!
//! It holds no logic of its own: each command is one or a few calls of the crate, so that numbers and hostile cases
//! can be checked from any language without knowing the API. A refused request is an answer too.
//!
//! ```text
//! echo '{"cmd":"version"}' | cargo run --release --example conformance
//! ```

mod answer;
mod arrivals;
mod backtest;
mod forecast;
mod gap;
mod ingest;
mod log;
mod period;
mod rates;
mod score;
mod semi_markov;
mod survival;
mod time_in_stage;
mod total;
mod waterfall;

use answer::{Answer, Refusal};
use serde_json::Value;
use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = serve(&line).unwrap_or_else(Refusal::into_json);
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

fn serve(line: &[u8]) -> Answer {
    let mut request: Value = serde_json::from_slice(line).map_err(Refusal::malformed)?;
    let fields = request.as_object_mut().ok_or_else(|| Refusal::malformed("a request is a JSON object"))?;
    let Some(Value::String(cmd)) = fields.remove("cmd") else {
        return Err(Refusal::malformed("a request names its `cmd`"));
    };
    match cmd.as_str() {
        "version" => Ok(serde_json::json!({ "version": env!("CARGO_PKG_VERSION") })),
        "arrivals" => arrivals::arrivals(request),
        "fit_time" => time_in_stage::fit_time(request),
        "log_survival" => time_in_stage::log_survival(request),
        // one line a command, topics in alphabetical order
        "aalen_johansen" => survival::aalen_johansen(request),
        "as_of" => ingest::as_of(request),
        "backtest" => backtest::backtest(request),
        "forecast" => forecast::forecast(request),
        "gap" => gap::gap(request),
        "ingest" => ingest::ingest(request),
        "load_model" => forecast::load_model(request),
        "period" => period::period(request),
        "required_pipeline" => gap::required_pipeline(request),
        "save_model" => forecast::save_model(request),
        "score" => score::score(request),
        "semi_markov" => semi_markov::semi_markov(request),
        "total" => total::total(request),
        "kaplan_meier" => survival::kaplan_meier(request),
        "log_rank" => survival::log_rank(request),
        "multi_state" => survival::multi_state(request),
        "piecewise_hazard" => survival::piecewise_hazard(request),
        "shrink_rates" => rates::shrink_rates(request),
        "turnbull" => survival::turnbull(request),
        "waterfall" => waterfall::waterfall(request),
        "win_rate_interval" => rates::win_rate_interval(request),
        _ => Err(Refusal::unknown_command(&cmd)),
    }
}
