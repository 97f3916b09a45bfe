//! What really came: wins of a whole log by day.

use crate::deals::DealLog;
use crate::history::History;
use crate::history::visits::STILL_OPEN;
use crate::time::{civil, civil_date};
use chrono::{Days, NaiveDateTime};

/// The wins of a log.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    history: History,
    /// First day with a visit, and the day after the last event.
    pub first: i32,
    pub end: i32,
}

/// Amount and number of deals won in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Actual {
    pub money: f64,
    pub deals: f64,
}

impl Truth {
    pub(super) fn of(log: &DealLog) -> Self {
        let all = log.as_of(NaiveDateTime::MAX);
        let last = all.deals().filter_map(|deal| deal.moves().next_back()).map(|moved| moved.at).max();
        let last = civil(last.unwrap_or(0)).date();
        let end = last.checked_add_days(Days::new(1)).unwrap_or(last);
        let history = History::of(&log.as_of(end));
        let first = history.at(history.day).first_day().unwrap_or(history.day);
        Self { end: history.day, first, history }
    }

    /// Won in the days `[start, end)`, and not reopened before `end`.
    pub(super) fn won(&self, (start, end): (i32, i32)) -> Actual {
        let mut actual = Actual::default();
        let won = self.history.visits.iter().filter(|v| v.stage == self.history.won());
        for visit in won.filter(|v| start <= v.entered && v.entered < end) {
            if visit.left == STILL_OPEN || visit.left >= end {
                actual.deals += 1.0;
                actual.money += self.history.amount_before(visit.deal, end).unwrap_or(0.0);
            }
        }
        actual
    }

    /// The last `most` complete windows of this length before a day, a step apart, latest first.
    pub(super) fn past(&self, before: i32, (length, step): (i32, i32), most: usize) -> Vec<Actual> {
        (0..)
            .map(|back: i32| before - length - back.saturating_mul(step))
            .take(most)
            .take_while(|&start| start >= self.first)
            .map(|start| self.won((start, start + length)))
            .collect()
    }

    /// Whether a window that ends on this day lies within the log.
    pub(super) fn covers(&self, end: i32) -> bool {
        civil_date(end) <= civil_date(self.end)
    }
}
