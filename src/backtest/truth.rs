//! What really came: wins of a log by day.

use crate::Probability;
use crate::deals::DealLog;
use crate::history::History;
use crate::history::visits::{STILL_OPEN, Visit};
use crate::num::sum::sum;
use crate::score::Claim;
use crate::time::{civil, day_number};
use chrono::{Days, NaiveDate, NaiveDateTime};

/// A history and its visits to won, by day.
#[derive(Clone, Debug)]
pub(super) struct Wins {
    pub history: History,
    visits: Vec<Visit>,
    /// First day with a visit.
    pub first: i32,
}

/// Amount and number of deals won in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Actual {
    pub money: f64,
    pub deals: f64,
}

impl Wins {
    pub(super) fn of(history: History) -> Self {
        let mut visits: Vec<Visit> =
            history.visits.iter().filter(|v| v.stage == history.won()).copied().collect();
        visits.sort_by_key(|v| v.entered);
        let first = history.at(history.day).first_day().unwrap_or(history.day);
        Self { history, visits, first }
    }

    /// Won in the days `[start, end)`, and not reopened before `end`.
    pub(super) fn won(&self, (start, end): (i32, i32)) -> Actual {
        let mut actual = Actual::default();
        for visit in self.inside((start, end)) {
            actual.deals += 1.0;
            actual.money += self.history.amount_before(visit.deal, end).unwrap_or(0.0);
        }
        actual
    }

    fn inside(&self, (start, end): (i32, i32)) -> impl Iterator<Item = &Visit> {
        let first = self.visits.partition_point(|v| v.entered < start);
        let inside = self.visits.iter().skip(first).take_while(move |v| v.entered < end);
        inside.filter(move |v| v.left == STILL_OPEN || v.left >= end)
    }
}

/// The wins of a whole log, and its deals by id.
#[derive(Clone, Debug)]
pub(super) struct Truth<'a> {
    wins: Wins,
    /// Ids of the deals of the history, in its order, which is theirs.
    ids: Vec<&'a str>,
}

impl<'a> Truth<'a> {
    pub(super) fn of(log: &'a DealLog) -> Self {
        let known = log.as_of(last_day(log).checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX));
        Self { wins: Wins::of(History::of(&known)), ids: known.deals().map(|deal| deal.id()).collect() }
    }

    pub(super) fn won(&self, window: (i32, i32)) -> Actual {
        self.wins.won(window)
    }

    /// What became of deals that were given chances, and the spread `sqrt(sum a^2 p (1 - p))` that those chances leave.
    /// Deals that the log does not know cannot be won.
    pub(super) fn judge(&self, said: &[(String, Probability)], window: (i32, i32)) -> (Vec<Claim>, f64) {
        let mut last = 0;
        let mut place = |id: &str| {
            last = self.find(id, last)?;
            u32::try_from(last).ok()
        };
        let deals: Vec<(Option<u32>, Probability)> =
            said.iter().map(|(id, chance)| (place(id), *chance)).collect();
        let mut won: Vec<u32> = self.wins.inside(window).map(|visit| visit.deal).collect();
        won.sort_unstable();
        let happened = |deal: Option<u32>| deal.is_some_and(|deal| won.binary_search(&deal).is_ok());
        let claims = deals.iter().map(|&(deal, chance)| Claim { chance, happened: happened(deal) }).collect();
        let history = &self.wins.history;
        let amount =
            |deal: Option<u32>| deal.and_then(|deal| history.amount_before(deal, window.0)).unwrap_or(0.0);
        let amounts: Vec<f64> = deals.iter().map(|&(deal, _)| amount(deal)).collect();
        // In units of the largest amount, so that no square leaves the range.
        let largest = amounts.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let variance = sum(amounts.iter().zip(&deals).map(|(amount, &(_, chance))| {
            let share = amount / largest;
            share * share * chance.get() * chance.complement().get()
        }));
        (claims, largest * variance.sqrt())
    }

    /// The place of a deal. Methods name deals in the order of their ids, mostly: the search begins at the last one found,
    /// with growing steps.
    fn find(&self, id: &str, last: usize) -> Option<usize> {
        if self.ids.get(last).is_none_or(|&found| id < found) {
            return self.ids.binary_search(&id).ok();
        }
        let (mut from, mut step) = (last, 1);
        while self.ids.get(from + step).is_some_and(|&at| at <= id) {
            from += step;
            step *= 2;
        }
        let near = self.ids.get(from..self.ids.len().min(from + step))?;
        near.binary_search(&id).ok().map(|place| from + place)
    }

    /// The last `most` complete windows of this length that begin a whole number of steps before a day, latest first.
    pub(super) fn past(&self, before: i32, (length, step): (i32, i32), most: usize) -> Vec<Actual> {
        let step = step.max(1);
        let latest = length / step + i32::from(length % step > 0);
        (latest..)
            .map(|back: i32| before.saturating_sub(back.saturating_mul(step)))
            .take(most)
            .take_while(|&start| start >= self.wins.first)
            .map(|start| self.won((start, start + length)))
            .collect()
    }

    /// The day after the last event of a log: windows that end by then are complete.
    pub(super) fn end_of(log: &DealLog) -> i32 {
        day_number(last_day(log)).saturating_add(1)
    }
}

/// The day of the last event.
fn last_day(log: &DealLog) -> NaiveDate {
    let all = log.as_of(NaiveDateTime::MAX);
    let last = all.deals().filter_map(|deal| deal.moves().next_back()).map(|moved| moved.at).max();
    civil(last.unwrap_or(0)).date()
}
