//! Replay: the forecasts the model would have made, beside what came.
//!
//! Each record is made once, from what was known at its own origin, and depends on nothing later than the end of its
//! own window; so a later fit or a backtest can pass it on.

use super::signals::{Count, Heard, Signals, heard};
use crate::history::visits::STILL_OPEN;
use crate::history::{History, Past};
use crate::model::chain::Standing;
use crate::model::process::{Parts, Process};
use std::collections::BTreeMap;

/// An open deal as a forecast sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Open {
    pub stage: u8,
    pub age: i32,
    pub group: u32,
    pub amount: Option<f64>,
    pub said: Signals,
}

impl Open {
    /// An order that knows nothing of ids, so that sums do not depend on them to the last bit.
    pub(crate) fn canonical(&self, other: &Self) -> std::cmp::Ordering {
        let place = |deal: &Self| (deal.stage, deal.age, deal.group, deal.said, deal.amount.is_some());
        let amount = |deal: &Self| deal.amount.unwrap_or(0.0);
        place(self).cmp(&place(other)).then(amount(self).total_cmp(&amount(other)))
    }
}

/// Expected and actual, in deals or in money.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tried {
    pub expected: f64,
    pub actual: f64,
    /// Sum of the squares of what was won.
    pub squares: f64,
    /// Variance if deals were independent.
    pub variance: f64,
}

impl Tried {
    pub(super) fn expect(&mut self, amount: f64, p: f64) {
        self.expected += amount * p;
        self.variance += amount * amount * p * (1.0 - p);
    }
}

/// One past forecast and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// The origin.
    pub day: i32,
    pub open_deals: Tried,
    pub open_money: Tried,
    pub new_deals: Tried,
    pub new_money: Tried,
    /// Relative variance of the arrivals beyond a Poisson count.
    pub arrival_variance: f64,
    /// What was said of the open deals, and what came of it.
    pub heard: Vec<(Heard, Count)>,
}

/// The chances of a book of open deals and the new business of a window, from one pass of the chain a group.
pub(crate) struct Outlook {
    /// By open deal, in the order given.
    pub chances: Vec<f64>,
    /// Expected wins of new business by entry of the process, in its order.
    pub new_wins: Vec<f64>,
}

impl Outlook {
    /// Over the days `[from, from + n_days)`.
    pub(crate) fn of(process: &Process, open: &[Open], (from, n_days): (i32, usize)) -> Self {
        let mut standing: BTreeMap<u32, Vec<(Standing, usize)>> = BTreeMap::new();
        for (place, deal) in open.iter().enumerate() {
            let at = Standing { stage: deal.stage, age: deal.age };
            standing.entry(deal.group).or_default().push((at, place));
        }
        process.entries.iter().for_each(|entry| {
            standing.entry(entry.group).or_default();
        });
        let mut outlook = Self { chances: vec![0.0; open.len()], new_wins: vec![0.0; process.entries.len()] };
        for (group, mut deals) in standing {
            deals.sort_unstable();
            let mut distinct: Vec<Standing> = deals.iter().map(|deal| deal.0).collect();
            distinct.dedup();
            let reached = process.reached(group, (from, n_days), &distinct);
            let mut chances = distinct.iter().zip(&reached.standing).peekable();
            for (at, place) in deals {
                while chances.next_if(|(standing, _)| **standing != at).is_some() {}
                if let (Some(&(_, &chance)), Some(slot)) = (chances.peek(), outlook.chances.get_mut(place)) {
                    *slot = chance;
                }
            }
            outlook.add_new_business(process, group, (from, &reached.entering));
        }
        outlook
    }

    fn add_new_business(&mut self, process: &Process, group: u32, (from, entering): (i32, &[Vec<f64>])) {
        let n_open = process.base.n_open();
        let mut wins = vec![0.0; n_open + 1];
        for (day, chances) in (from..).zip(entering) {
            let created = process.arrivals.on(day);
            let born_won = std::iter::once(&1.0);
            wins.iter_mut()
                .zip(chances.iter().chain(born_won))
                .for_each(|(w, chance)| *w += created * chance);
        }
        for (slot, entry) in self.new_wins.iter_mut().zip(&process.entries).filter(|(_, e)| e.group == group)
        {
            *slot = entry.weight * wins.get(usize::from(entry.stage)).copied().unwrap_or(0.0);
        }
    }
}

impl Record {
    /// The forecast made from a past view for the `horizon` days from then on, and what came of it in `outcome`.
    pub(crate) fn replay(past: Past<'_>, outcome: &History, horizon: i32, parts: Parts) -> Self {
        let Past { history, day } = past;
        let process = Process::learn(past, horizon, parts);
        let group_of = process.groups(history);
        let group = |deal: u32| {
            let class = usize::try_from(history.class(deal)).unwrap_or(0);
            group_of.get(class).copied().unwrap_or(0)
        };
        let mut open = open_at(past, group);
        open.sort_unstable_by(|a, b| a.0.canonical(&b.0).then(a.1.cmp(&b.1)));
        let (open, places): (Vec<Open>, Vec<usize>) = open.into_iter().unzip();
        let n_days = usize::try_from(horizon).unwrap_or(0);
        let outlook = Outlook::of(&process, &open, (day, n_days));
        let mut record = Self {
            day,
            open_deals: Tried::default(),
            open_money: Tried::default(),
            new_deals: Tried::default(),
            new_money: Tried::default(),
            arrival_variance: process.arrivals.variance,
            heard: Vec::new(),
        };
        for (deal, &p) in open.iter().zip(&outlook.chances) {
            record.open_deals.expect(1.0, p);
            record.open_money.expect(deal.amount.unwrap_or(0.0), p);
        }
        for (entry, &wins) in process.entries.iter().zip(&outlook.new_wins) {
            let amount = entry.amount.unwrap_or(0.0);
            record.new_deals.expected += wins;
            record.new_deals.variance += wins;
            record.new_money.expected += amount * wins;
            record.new_money.variance += amount * amount * wins;
        }
        let won = record.observe(outcome, &places, horizon);
        let deals = open.iter().zip(outlook.chances).zip(won).map(|((deal, p), won)| (deal, p, won));
        record.heard = heard(past, (day, day + horizon), deals);
        record
    }

    /// What came of it; says which of the open deals, by their places, were won.
    fn observe(&mut self, outcome: &History, open: &[usize], horizon: i32) -> Vec<bool> {
        let (start, end) = (self.day, self.day + horizon);
        let mut by_place: Vec<(usize, usize)> = open.iter().copied().zip(0..).collect();
        by_place.sort_unstable();
        let mut was_won = vec![false; open.len()];
        for won in outcome.visits.iter().filter(|v| v.stage == outcome.won()) {
            // Won in the window, and not reopened before it closed.
            if won.entered >= start && won.entered < end && (won.left == STILL_OPEN || won.left >= end) {
                let amount = outcome.amount_before(won.deal, end).unwrap_or(0.0);
                let found = outcome.place(won.deal).and_then(|place| {
                    by_place.binary_search_by_key(&place, |deal| deal.0).ok().and_then(|i| by_place.get(i))
                });
                let (deals, money) = if let Some(&(_, deal)) = found {
                    was_won.get_mut(deal).into_iter().for_each(|won| *won = true);
                    (&mut self.open_deals, &mut self.open_money)
                } else {
                    (&mut self.new_deals, &mut self.new_money)
                };
                deals.actual += 1.0;
                money.actual += amount;
                money.squares += amount * amount;
            }
        }
        was_won
    }
}

/// The deals that stood in an open stage at the start of a day, with their positions in the log.
pub(crate) fn open_at(past: Past<'_>, group: impl Fn(u32) -> u32) -> Vec<(Open, usize)> {
    past.visits()
        .filter(|v| v.stage < past.history.n_open && v.stands_at(past.day) && v.left == STILL_OPEN)
        .map(|v| {
            let open = Open {
                stage: v.stage,
                age: past.day - v.entered,
                group: group(v.deal),
                amount: past.history.amount_before(v.deal, past.day),
                said: Signals::before(past, &v),
            };
            (open, past.history.place(v.deal).unwrap_or(usize::MAX))
        })
        .collect()
}
