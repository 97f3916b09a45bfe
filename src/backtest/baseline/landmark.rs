//! Stage x age landmark frequencies: of the deals that stood there, the share that was won in time.
//!
//! # Formula
//! Landmarks are the days a whole number of weeks before an origin. At each, the deals that stand open are counted by
//! stage and age, and those of them won within the horizon. At an origin T the landmarks of the last year (or of the
//! last four horizons, if longer) whose horizon is over by T are added up:
//! `p = (won + 10 p_stage) / (stood + 10)`, `p_stage` the share over all ages; in money the same with amounts, ten deals
//! counting with the stage's mean amount, since large deals win later and less often. New business is what the windows of the
//! last horizon of landmarks brought beyond the deals that stood at their beginning, on average.
//!
//! # Numerics
//! Deals are counted once by landmark and cell, so that an origin costs cells x landmarks, whatever the number of deals.

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
    /// Deals and amounts that stood, and those of them that were won in time, at each landmark.
    stood: Vec<Actual>,
    won: Vec<Actual>,
    /// By landmark: the visits that stood there, where the landmark is an origin.
    standing: Vec<Option<Vec<usize>>>,
}

impl Landmarks {
    /// All landmarks a whole number of weeks from some origins, up to the end of the history.
    pub(super) fn of(wins: &Wins, origins: &[i32], horizon: i32) -> Self {
        let history = &wins.history;
        let day = origins.first().copied().unwrap_or(history.day);
        let last = history.day - (history.day - day).rem_euclid(7);
        let weeks = ((last - wins.first) / 7).clamp(0, MOST - 1);
        let n_cells = usize::from(history.n_open) * N_AGES;
        let n = usize::try_from(weeks + 1).unwrap_or(1) * n_cells;
        let none = vec![Actual::default(); n];
        let standing = vec![None; n / n_cells.max(1)];
        let start = last - 7 * weeks;
        let mut table = Self { start, horizon, n_cells, stood: none.clone(), won: none, standing };
        for &origin in origins {
            if let Some(list) = table.week(origin).and_then(|week| table.standing.get_mut(week)) {
                *list = Some(Vec::new());
            }
        }
        let mut first = 0;
        for deal in history.visits.chunk_by(|a, b| a.deal == b.deal) {
            table.count(history, (first, deal), last);
            first += deal.len();
        }
        table
    }

    /// Counts the visits of a deal, the first of which has this place in the history.
    fn count(&mut self, history: &History, (place, deal): (usize, &[Visit]), last: i32) {
        let wins: Vec<&Visit> = deal.iter().filter(|v| v.stage == history.won()).collect();
        for (number, visit) in (place..).zip(deal).filter(|(_, v)| v.stage < history.n_open) {
            let first = self.start.max(visit.entered + 1);
            let mut day = first + (self.start - first).rem_euclid(7);
            while day <= visit.left.min(last) {
                let end = day.saturating_add(self.horizon);
                let amount = |before: i32| history.amount_before(visit.deal, before).unwrap_or(0.0);
                let won = wins
                    .iter()
                    .any(|v| day <= v.entered && v.entered < end && (v.left == STILL_OPEN || v.left >= end));
                let place = self.place(day).map(|place| place + cell(visit, day));
                if let Some(Some(list)) = self.week(day).and_then(|week| self.standing.get_mut(week)) {
                    list.push(number);
                }
                add(&mut self.stood, place, amount(day));
                if won {
                    add(&mut self.won, place, amount(end));
                }
                day += 7;
            }
        }
    }

    fn week(&self, day: i32) -> Option<usize> {
        usize::try_from((day - self.start).div_euclid(7)).ok()
    }

    /// Where the cells of a landmark begin.
    fn place(&self, day: i32) -> Option<usize> {
        self.week(day)?.checked_mul(self.n_cells)
    }

    /// The cells of a landmark.
    fn at<'t>(&self, column: &'t [Actual], day: i32) -> Option<&'t [Actual]> {
        let place = self.place(day)?;
        column.get(place..place + self.n_cells)
    }

    /// The shares by cell at an origin, of deals or of amounts; `None` before the first landmark whose horizon is over.
    fn shares(&self, day: i32, part: fn(&Actual) -> f64) -> Option<Vec<f64>> {
        let latest = day - 7 * ((self.horizon + 6) / 7);
        let landmarks = YEAR.max(4 * self.horizon) / 7;
        let mut cells = vec![(0.0, 0.0, 0.0); self.n_cells];
        self.place(latest)?;
        for landmark in (0..landmarks).map(|back| latest - 7 * back) {
            let Some((stood, won)) = self.at(&self.stood, landmark).zip(self.at(&self.won, landmark)) else {
                break;
            };
            for (cell, (stood, won)) in cells.iter_mut().zip(stood.iter().zip(won)) {
                *cell = (cell.0 + part(stood), cell.1 + part(won), cell.2 + stood.deals);
            }
        }
        let shares = cells.chunks(N_AGES).flat_map(|ages| {
            let all = |part: fn(&(f64, f64, f64)) -> f64| sum(ages.iter().map(part));
            let (stood, won, n) = (all(|c| c.0), all(|c| c.1), all(|c| c.2));
            let stage = if stood > 0.0 { won / stood } else { 0.0 };
            // As much as ten deals of the stage's mean amount.
            let prior = if n > 0.0 { PRIOR * stood / n } else { 0.0 };
            let share = move |&(stood, won, _): &(f64, f64, f64)| {
                if stood + prior > 0.0 { (won + prior * stage) / (stood + prior) } else { 0.0 }
            };
            ages.iter().map(share)
        });
        Some(shares.collect())
    }

    /// Expected from the open deals of an origin and from new business.
    pub(super) fn number(&self, wins: &Wins, day: i32) -> Option<Actual> {
        let open = self.at(&self.stood, day)?;
        let new = self.new_business(wins, day);
        let expected = |part: fn(&Actual) -> f64| {
            Some(sum(open.iter().zip(self.shares(day, part)?).map(|(cell, share)| share * part(cell))))
        };
        Some(Actual {
            money: expected(|cell| cell.money)? + new.money,
            deals: expected(|cell| cell.deals)? + new.deals,
        })
    }

    /// The mean over the landmarks of one horizon whose windows are over by the origin.
    fn new_business(&self, wins: &Wins, day: i32) -> Actual {
        let latest = day - 7 * ((self.horizon + 6) / 7);
        let landmarks = (0..(self.horizon / 7).max(1)).map(|back| latest - 7 * back);
        let windows: Vec<Actual> = landmarks
            .filter_map(|start| {
                let (won, all) = (self.at(&self.won, start)?, wins.won((start, start + self.horizon)));
                let rest = |part: fn(&Actual) -> f64| part(&all) - sum(won.iter().map(part));
                Some(Actual { money: rest(|x| x.money), deals: rest(|x| x.deals) })
            })
            .collect();
        let mean =
            |part: fn(&Actual) -> f64| (sum(windows.iter().map(part)) / count(windows.len().max(1))).max(0.0);
        Actual { money: mean(|window| window.money), deals: mean(|window| window.deals) }
    }

    /// The chance of every deal that stands open at an origin.
    pub(super) fn chances(
        &self,
        history: &History,
        known: &Known<'_>,
        day: i32,
    ) -> Vec<(String, Probability)> {
        let shares = self.shares(day, |cell| cell.deals).unwrap_or_default();
        let listed = self.week(day).and_then(|week| self.standing.get(week)?.as_ref());
        let standing = listed.into_iter().flatten().filter_map(|&visit| history.visits.get(visit));
        let chance = |v: &Visit| Probability::rounded(shares.get(cell(v, day)).copied().unwrap_or(0.0));
        let id = |v: &Visit| Some(known.id_at(history.place(v.deal)?).to_owned());
        standing.filter_map(|v| Some((id(v)?, chance(v)))).collect()
    }
}

fn add(column: &mut [Actual], place: Option<usize>, amount: f64) {
    if let Some(cell) = place.and_then(|place| column.get_mut(place)) {
        *cell = Actual { money: cell.money + amount, deals: cell.deals + 1.0 };
    }
}

/// Stage and age of a visit that stands on a day.
fn cell(visit: &Visit, day: i32) -> usize {
    let age = day - visit.entered;
    usize::from(visit.stage) * N_AGES + AGES.partition_point(|&first| first <= age)
}
