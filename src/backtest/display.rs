//! A report to read: one line a question, at most 100 characters wide.

use super::chances::ChanceAccuracy;
use super::report::AccuracyReport;
use super::scored::{AccuracySummary, HeldShare};
use crate::error::shortened;
use std::fmt;

/// Longest name that is printed in full.
const NAME: usize = 24;

impl fmt::Display for AccuracyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.origins().len();
        let lengths: Vec<String> = self.by_horizon().iter().map(|h| h.horizon_days.to_string()).collect();
        write!(
            f,
            "{}: {n} windows of {} days",
            shortened(self.forecaster(), NAME),
            shortened(&lengths.join("/"), NAME)
        )?;
        if self.n_incomplete() > 0 {
            write!(f, "; {} more end after the log", self.n_incomplete())?;
        }
        let Some(money) = self.money() else { return Ok(()) };
        write!(
            f,
            "\n  {:NAME$} {:>6} {:>6} {:>7} {:>6} {:>11} {:>11} {:>11}",
            "", "nCRPS", "WAPE", "bias", "width", "in 50 %", "in 80 %", "in 95 %"
        )?;
        line(f, "money", money)?;
        self.deals().map_or(Ok(()), |deals| line(f, "deals", deals))?;
        if let [_, _, ..] = self.by_horizon() {
            for horizon in self.by_horizon() {
                line(f, &format!("money, {} days", horizon.horizon_days), &horizon.money)?;
                let name = format!("deals, {} days", horizon.horizon_days);
                horizon.deals.as_ref().map_or(Ok(()), |deals| line(f, &name, deals))?;
            }
        }
        for (name, segment) in self.segments() {
            segment.money().map_or(Ok(()), |money| line(f, name, money))?;
        }
        write!(f, "\n  in brackets: what an honest forecaster holds, 19 times in 20")?;
        self.noise_floor().map_or(Ok(()), |floor| {
            write!(f, "\n  noise floor: +-{floor:.3} of what came, even if every chance of an open deal were exactly right")
        })?;
        self.brier()
            .map_or(Ok(()), |brier| write!(f, "\n  Brier score of the chances of targets: {brier:.3}"))?;
        self.chances().map_or(Ok(()), |chances| write!(f, "\n  {chances}"))
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, s: &AccuracySummary) -> fmt::Result {
    let read = |x: Option<f64>, digits: usize| x.map_or("-".to_owned(), |x| format!("{x:.digits$}"));
    write!(
        f,
        "\n  {:NAME$} {:>6} {:>6} {:>7} {:>6}",
        shortened(name, NAME - 1),
        read(s.ncrps, 4),
        read(s.wape, 3),
        s.bias.map_or("-".to_owned(), |x| format!("{x:+.3}")),
        read(s.width_80, 2)
    )?;
    s.held().iter().try_for_each(|held| write!(f, " {:>11}", held.to_string()))
}

/// `.79 (.50-1.0)`: the share held, and what an honest forecaster holds.
impl fmt::Display for HeldShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |x: f64| {
            if x < 0.995 { format!("{x:.2}").trim_start_matches('0').to_owned() } else { "1".to_owned() }
        };
        let (low, high) = self.band();
        match self.coverage().share() {
            Some(held) => write!(f, "{} ({}-{})", share(held), share(low), share(high)),
            None => f.write_str("-"),
        }
    }
}

impl fmt::Display for ChanceAccuracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} chances of deals, {} won: Brier {:.4} = {:.4} miscalibrated - {:.4} told apart + {:.4}",
            self.n, self.n_won, self.brier, self.miscalibration, self.discrimination, self.uncertainty
        )
    }
}
