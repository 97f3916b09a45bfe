//! What can lie between two snapshots: every way through the chain of (stage, age) that ends where the later one
//! found the deal.
//!
//! # Formula
//! Days 0, 1, .. of the interval; a deal that enters stage `u` on day `d` is at risk of age `e - d` on day `e`, on the day
//! of entry too. With daily hazards `h`, the chance to be found in `t` by the later snapshot after entering `u` on day `d`:
//! `A(d, u) = sum_v h_uv(0) A(d, v) + (1 - h_u(0)) (sum over later days e of S_u(e) sum_v h_uv(e - d) A(e, v) + S_u(end) [u = t])`,
//! a linear system a day, solved by repetition; won and lost are final. Ways are weighted by their chance times `A`.

use crate::history::ages;
use crate::history::visits::Place;
use crate::model::hazard::{Table, Tally};

/// Rounds of moves within a day that are followed.
const ROUNDS: usize = 32;
/// What is left of a day's moves when following them is given up.
const LEAST: f64 = 1e-12;

/// Numbers by day of the interval and place.
#[derive(Clone, Debug)]
pub(super) struct ByDay {
    width: usize,
    cells: Vec<f64>,
}

impl ByDay {
    pub(super) fn zero(n_days: usize, n_places: usize) -> Self {
        Self { width: n_places, cells: vec![0.0; n_days * n_places] }
    }

    pub(super) fn day(&self, day: usize) -> &[f64] {
        self.cells.get(day * self.width..(day + 1) * self.width).unwrap_or_default()
    }

    pub(super) fn day_mut(&mut self, day: usize) -> &mut [f64] {
        self.cells.get_mut(day * self.width..(day + 1) * self.width).unwrap_or_default()
    }
}

/// An interval of whole days, and where the deal was found at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Interval {
    pub n_days: usize,
    pub end: Place,
}

/// `A`: from every entry to the end.
pub(super) struct Ahead<'h> {
    hazards: &'h Table,
    interval: Interval,
    chance: ByDay,
}

/// The hazards of a stage at an age.
fn row(hazards: &Table, stage: usize, age: usize) -> &[f64] {
    hazards.row(stage, ages::bin_of(i32::try_from(age).unwrap_or(i32::MAX)))
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl<'h> Ahead<'h> {
    pub(super) fn of(hazards: &'h Table, interval: Interval) -> Self {
        let n_open = hazards.n_open();
        let end = usize::from(interval.end);
        let mut ahead = Self { hazards, interval, chance: ByDay::zero(interval.n_days, n_open + 2) };
        for day in (0..interval.n_days).rev() {
            let mut now = vec![0.0; n_open + 2];
            for (place, chance) in now.iter_mut().enumerate() {
                *chance = if place >= n_open {
                    f64::from(u8::from(place == end))
                } else {
                    let later: f64 =
                        ahead.leaving(place, day).map(|(_, chances)| chances.iter().sum::<f64>()).sum();
                    later + ahead.remaining(place, day)
                };
            }
            // Moves of one day after the other: what follows on the same day, again and again.
            let later = now.clone();
            for _ in 0..ROUNDS {
                let before = now.clone();
                for (place, chance) in now.iter_mut().take(n_open).enumerate() {
                    *chance = later.get(place).copied().unwrap_or(0.0) + dot(row(hazards, place, 0), &before);
                }
                if now.iter().zip(&before).all(|(a, b)| (a - b).abs() <= LEAST * a) {
                    break;
                }
            }
            ahead.chance.day_mut(day).copy_from_slice(&now);
        }
        ahead
    }

    /// The chance to be found where it was, after entering each place on a day.
    pub(super) fn chances(&self, day: usize) -> &[f64] {
        self.chance.day(day)
    }

    /// After entering an open stage on a day and staying that day: the later days on which it may leave, with the chance
    /// of leaving to each place then and being found at the end.
    fn leaving(&self, stage: usize, day: usize) -> impl Iterator<Item = (usize, Vec<f64>)> {
        let mut stay = Table::stay(row(self.hazards, stage, 0));
        (day + 1..self.interval.n_days).map(move |later| {
            let hazards = row(self.hazards, stage, later - day);
            let chances = hazards.iter().zip(self.chance.day(later)).map(|(h, a)| stay * h * a).collect();
            stay *= Table::stay(hazards);
            (later, chances)
        })
    }

    /// The chance to stay to the end, where that is where it was found.
    fn remaining(&self, stage: usize, day: usize) -> f64 {
        if stage != usize::from(self.interval.end) {
            return 0.0;
        }
        (day..self.interval.n_days).map(|later| Table::stay(row(self.hazards, stage, later - day))).product()
    }

    /// Adds what is expected of deals that enter places on days (posterior numbers) to exits and days at risk. Returns the
    /// expected number of stays a stage that began and ended in the interval.
    pub(super) fn expect(&self, mut entering: ByDay, tally: &mut Tally) -> Vec<f64> {
        let n_open = self.hazards.n_open();
        let mut unseen = vec![0.0; n_open];
        for day in 0..self.interval.n_days {
            self.expect_same_day(day, &mut entering, tally);
            for (stage, unseen) in unseen.iter_mut().enumerate() {
                let entered = entering.day(day).get(stage).copied().unwrap_or(0.0);
                let chance = self.chance.day(day).get(stage).copied().unwrap_or(0.0);
                if !(entered > 0.0 && chance > 0.0) {
                    continue;
                }
                let scale = entered / chance;
                let remaining = scale * self.remaining(stage, day);
                *unseen += (entered - remaining).max(0.0);
                let ways: Vec<(usize, Vec<f64>)> = self.leaving(stage, day).collect();
                let mut at_risk = remaining;
                for (later, chances) in ways.iter().rev() {
                    let bin = ages::bin_of(i32::try_from(later - day).unwrap_or(i32::MAX));
                    at_risk += scale * chances.iter().sum::<f64>();
                    add(tally.exits.row_mut(stage, bin), chances, scale);
                    add(entering.day_mut(*later), chances, scale);
                    at_risk_at(tally, stage, bin, at_risk);
                }
                // Days after the last way out were stayed through by those who remain.
                at_risk_at(tally, stage, 0, entered);
            }
        }
        unseen
    }

    /// Follows the moves of one day, adding those they bring to each place to who entered it.
    fn expect_same_day(&self, day: usize, entering: &mut ByDay, tally: &mut Tally) {
        let n_open = self.hazards.n_open();
        let ahead = self.chance.day(day);
        let mut moving = entering.day(day).to_vec();
        for _ in 0..ROUNDS {
            let mut next = vec![0.0; moving.len()];
            for (stage, &n) in moving.iter().take(n_open).enumerate() {
                let chance = ahead.get(stage).copied().unwrap_or(0.0);
                if n > 0.0 && chance > 0.0 {
                    let ways: Vec<f64> =
                        row(self.hazards, stage, 0).iter().zip(ahead).map(|(h, a)| h * a).collect();
                    add(tally.exits.row_mut(stage, 0), &ways, n / chance);
                    add(&mut next, &ways, n / chance);
                }
            }
            if next.iter().sum::<f64>() <= LEAST {
                break;
            }
            add(entering.day_mut(day), &next, 1.0);
            moving = next;
        }
    }

    /// One way to the end after entering a place on a day: the further moves as (day, place), drawn by `u` in 0..1.
    pub(super) fn way(&self, (day, place): (usize, usize), mut u: f64) -> Vec<(usize, usize)> {
        let n_open = self.hazards.n_open();
        let (mut day, mut place) = (day, place);
        let mut moves = Vec::new();
        while place < n_open && moves.len() < ROUNDS {
            let now: Vec<f64> =
                row(self.hazards, place, 0).iter().zip(self.chance.day(day)).map(|(h, a)| h * a).collect();
            let ways: Vec<(usize, Vec<f64>)> =
                std::iter::once((day, now)).chain(self.leaving(place, day)).collect();
            let remaining = self.remaining(place, day);
            let total = remaining + ways.iter().flat_map(|(_, chances)| chances).sum::<f64>();
            match pick(&ways, u * total) {
                Some((next, to, rest)) => {
                    moves.push((next, to));
                    (day, place, u) = (next, to, rest);
                }
                None => break,
            }
        }
        moves
    }
}

/// Which of the ways a number in 0..total falls on, and where in it (0..1); `None` beyond all of them.
pub(super) fn pick(ways: &[(usize, Vec<f64>)], mut x: f64) -> Option<(usize, usize, f64)> {
    for (day, chances) in ways {
        for (place, &chance) in chances.iter().enumerate() {
            if x < chance {
                return Some((*day, place, x / chance));
            }
            x -= chance;
        }
    }
    None
}

pub(super) fn add(to: &mut [f64], what: &[f64], scale: f64) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += scale * what);
}

pub(super) fn at_risk_at(tally: &mut Tally, stage: usize, bin: usize, n: f64) {
    if let Some(risk) = tally.risk.get_mut(stage).and_then(|bins| bins.get_mut(bin)) {
        *risk += n;
    }
}
