//! Baselines that look at what was won before, and at no open deal.

use crate::backtest::truth::{Actual, Wins};

/// 52 weeks: a year that keeps weekdays.
const YEAR: i32 = 364;

/// What was won in the window of the same length before it.
pub(super) fn last_period(wins: &Wins, (day, horizon): (i32, i32)) -> Option<Actual> {
    (day - horizon >= wins.first).then(|| wins.won((day - horizon, day)))
}

/// What was won in the same window a year earlier.
pub(super) fn same_period_last_year(wins: &Wins, (day, horizon): (i32, i32)) -> Option<Actual> {
    if horizon > YEAR || day - YEAR < wins.first {
        return last_period(wins, (day, horizon));
    }
    Some(wins.won((day - YEAR, day - YEAR + horizon)))
}

/// What was won a day over the last two windows, times the days of the window.
pub(super) fn run_rate(wins: &Wins, (day, horizon): (i32, i32)) -> Option<Actual> {
    let from = wins.first.max(day - 2 * horizon);
    let Actual { money, deals } = wins.won((from, day));
    let share = f64::from(horizon) / f64::from(day - from);
    (from < day).then_some(Actual { money: money * share, deals: deals * share })
}
