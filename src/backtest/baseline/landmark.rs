//! Stage x age landmark frequencies: of the deals that stood there, the share that was won in time.
//!
//! # Formula
//! Landmarks are the days a whole number of weeks before an origin. At each, the deals that stand open are counted by
//! stage and age, and those of them won within the horizon. At an origin T the landmarks of the last year (or of the
//! last four horizons, if longer) whose horizon is over by T are added up:
//! `p = (won + 10 p_stage) / (stood + 10)`, `p_stage` the share over all ages. New business is what the windows of
//! the last horizon of landmarks brought beyond the deals that stood at their beginning, on average.
//!
//! # Numerics
//! Counts by landmark are cumulated once, so that an origin costs a subtraction a cell, whatever the number of deals.

use crate::Probability;
use crate::backtest::truth::{Actual, Wins};
use crate::deals::Known;
use crate::history::History;
use crate::history::visits::{STILL_OPEN, Visit};
use crate::num::{count, sum::sum};

/// First days of the bins of age after the first: doubling from a week on.
const AGES: [i32; 8] = [8, 15, 29, 57, 113, 225, 449, 897];
const N_AGES: usize = AGES.len() + 1;
/// Most landmarks that are kept: 20 years.
const MOST: i32 = 1040;
/// Deals that the share of the stage counts as.
const PRIOR: f64 = 10.0;
const YEAR: i32 = 364;

/// Deals by landmark, then stage and age.
pub(super) struct Landmarks {
    /// The first landmark.
    start: i32,
    horizon: i32,
    n_cells: usize,
    /// Up to each landmark, it included.
    stood: Vec<u32>,
    won: Vec<u32>,
    /// At each landmark.
    open: Vec<Actual>,
    /// Won from the deals that stood, at each landmark.
    from_open: Vec<Actual>,
}

impl Landmarks {
    /// All landmarks a whole number of weeks from a day, up to the end of the history.
    pub(super) fn of(wins: &Wins, (day, horizon): (i32, i32)) -> Self {
        let history = &wins.history;
        // The last landmark on or before the end of the history.
        let last = history.day - (history.day - day).rem_euclid(7);
        let weeks = ((last - wins.first) / 7).clamp(0, MOST - 1);
        let n_cells = usize::from(history.n_open) * N_AGES;
        let n = usize::try_from(weeks + 1).unwrap_or(1);
        let mut table = Self {
            start: last - 7 * weeks,
            horizon,
            n_cells,
            stood: vec![0; n * n_cells],
            won: vec![0; n * n_cells],
            open: vec![Actual::default(); n * n_cells],
            from_open: vec![Actual::default(); n],
        };
        for deal in history.visits.chunk_by(|a, b| a.deal == b.deal) {
            table.count(history, deal, last);
        }
        for column in [&mut table.stood, &mut table.won] {
            for i in n_cells..column.len() {
                let before =
                    i.checked_sub(n_cells).and_then(|before| column.get(before)).copied().unwrap_or(0);
                column.get_mut(i).into_iter().for_each(|n| *n += before);
            }
        }
        table
    }

    fn count(&mut self, history: &History, deal: &[Visit], last: i32) {
        for visit in deal.iter().filter(|v| v.stage < history.n_open) {
            let first = self.start.max(visit.entered + 1);
            let first = first + (self.start - first).rem_euclid(7);
            let mut day = first;
            while day <= visit.left.min(last) {
                let amount = history.amount_before(visit.deal, day).unwrap_or(0.0);
                let end = day.saturating_add(self.horizon);
                let won = deal.iter().any(|v| {
                    let inside = v.stage == history.won() && day <= v.entered && v.entered < end;
                    inside && (v.left == STILL_OPEN || v.left >= end)
                });
                self.add(
                    day,
                    cell(visit, day),
                    (amount, won.then(|| history.amount_before(visit.deal, end))),
                );
                day += 7;
            }
        }
    }

    fn add(&mut self, day: i32, cell: usize, (amount, won): (f64, Option<Option<f64>>)) {
        let Some(week) = self.week(day) else { return };
        let place = week * self.n_cells + cell;
        self.stood.get_mut(place).into_iter().for_each(|n| *n += 1);
        if let Some(open) = self.open.get_mut(place) {
            *open = Actual { money: open.money + amount, deals: open.deals + 1.0 };
        }
        if let Some(amount) = won {
            self.won.get_mut(place).into_iter().for_each(|n| *n += 1);
            if let Some(sold) = self.from_open.get_mut(week) {
                *sold = Actual { money: sold.money + amount.unwrap_or(0.0), deals: sold.deals + 1.0 };
            }
        }
    }

    fn week(&self, day: i32) -> Option<usize> {
        usize::try_from((day - self.start).div_euclid(7)).ok()
    }

    /// The chances by cell at an origin; `None` before the first landmark whose horizon is over.
    fn shares(&self, day: i32) -> Option<Vec<f64>> {
        let (until, span) = (self.week(day - self.horizon)?, YEAR.max(4 * self.horizon) / 7);
        let from = usize::try_from(span).ok().and_then(|span| until.checked_sub(span));
        let cells: Vec<(f64, f64)> = (0..self.n_cells)
            .map(|cell| {
                let up_to = |column: &[u32], week: Option<usize>| {
                    week.and_then(|week| column.get(week * self.n_cells + cell)).copied().unwrap_or(0)
                };
                let inside = |column: &[u32]| f64::from(up_to(column, Some(until)) - up_to(column, from));
                (inside(&self.won), inside(&self.stood))
            })
            .collect();
        let shares = cells.chunks(N_AGES).flat_map(|ages| {
            let (won, stood) = (sum(ages.iter().map(|c| c.0)), sum(ages.iter().map(|c| c.1)));
            let stage = if stood > 0.0 { won / stood } else { 0.0 };
            ages.iter().map(move |(won, stood)| (won + PRIOR * stage) / (stood + PRIOR))
        });
        Some(shares.collect())
    }

    /// Expected from the open deals of an origin and from new business.
    pub(super) fn number(&self, wins: &Wins, day: i32) -> Option<Actual> {
        let shares = self.shares(day)?;
        let week = self.week(day)?;
        let open = self.open.get(week * self.n_cells..(week + 1) * self.n_cells)?;
        let new = self.new_business(wins, day);
        let expected =
            |part: fn(&Actual) -> f64| sum(open.iter().zip(&shares).map(|(cell, p)| p * part(cell)));
        Some(Actual {
            money: expected(|cell| cell.money) + new.money,
            deals: expected(|cell| cell.deals) + new.deals,
        })
    }

    /// The mean over the landmarks of one horizon whose windows are over by the origin.
    fn new_business(&self, wins: &Wins, day: i32) -> Actual {
        let latest = day - 7 * ((self.horizon + 6) / 7);
        let landmarks = (0..(self.horizon / 7).max(1)).map(|back| latest - 7 * back);
        let windows: Vec<Actual> = landmarks
            .filter_map(|start| {
                let from_open = self.from_open.get(self.week(start)?)?;
                let all = wins.won((start, start + self.horizon));
                Some(Actual { money: all.money - from_open.money, deals: all.deals - from_open.deals })
            })
            .collect();
        let mean =
            |part: fn(&Actual) -> f64| (sum(windows.iter().map(part)) / count(windows.len().max(1))).max(0.0);
        Actual { money: mean(|window| window.money), deals: mean(|window| window.deals) }
    }

    /// The chance of every open deal.
    pub(super) fn chances(
        &self,
        history: &History,
        known: &Known<'_>,
        day: i32,
    ) -> Vec<(String, Probability)> {
        let shares = self.shares(day).unwrap_or_default();
        let mut standing: Vec<&Visit> =
            history.visits.iter().filter(|v| v.stage < history.n_open && v.stands_at(day)).collect();
        standing.sort_by_key(|v| v.deal);
        let chance = |v: &&Visit| Probability::rounded(shares.get(cell(v, day)).copied().unwrap_or(0.0));
        let place = |v: &&Visit| history.place(v.deal).unwrap_or(usize::MAX);
        standing.iter().map(|v| (known.id_at(place(v)).to_owned(), chance(v))).collect()
    }
}

/// Stage and age of a visit that stands on a day.
fn cell(visit: &Visit, day: i32) -> usize {
    let age = day - visit.entered;
    usize::from(visit.stage) * N_AGES + AGES.partition_point(|&first| first <= age)
}
