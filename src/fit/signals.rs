//! What the rep says: how far an expected close date and a forecast category shift the odds of a deal, learned from what
//! was said at past origins and what came of it.
//!
//! # Formula
//! At every past origin the open deals are counted by the place of their expected close in the window, by category and
//! by the chance the process gave them: `n`, the mean chance `p`, how many were won. The odds of a deal are multiplied
//! by `u_w v_c`, `w` the place and `c` the category. A factor brings the expected wins of its level, under the other
//! factors, to `r E`, where `r` is observed over expected [shrunk](crate::model::shrink) over the levels: where reps
//! know no more than the process, all `r` are 1. Expected wins are scaled to the observed ones in sum first, so that only
//! differences between levels are learned here, and the general level elsewhere. The two are fitted in turns, five
//! times (backfitting, Hastie & Tibshirani 1990). Windows overlap and weigh their step over their horizon.
//!
//! Only as-of values speak: a log without the history of these fields has nothing at past origins, and all factors
//! stay 1.

use super::replay::{Open, Record, Tried};
use crate::history::Past;
use crate::history::visits::Visit;
use crate::model::shrink;
use crate::num::special::exp;
use crate::num::{bits, root};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Places of an expected close: not stated, long overdue, overdue, in each third of the window, in the third after it,
/// later.
const N_PLACES: usize = 8;
/// Upper ends of the places that are stated, in windows; later ones are in the last place.
const PLACE_ENDS: [f64; N_PLACES - 2] = [-0.25, 0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 4.0 / 3.0];
/// Upper ends of the bins of a chance.
const CHANCE_ENDS: [f64; 8] = [0.01, 0.03, 0.08, 0.2, 0.35, 0.5, 0.7, 0.85];
/// Categories with fewer deals, counted by independent windows, speak with those that have none.
const FEWEST_DEALS: f64 = 10.0;
const MOST_CATEGORIES: usize = 8;
const ROUNDS: usize = 5;
/// Bounds of the logarithm of a factor.
const MOST_SHIFT: f64 = 6.0;

/// What was said of an open deal as a forecast sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signals {
    /// The day on which it is expected to close.
    pub close: Option<i32>,
    /// The number of its category in a list of names, counted from 1; 0 for none.
    pub category: u32,
}

impl Signals {
    /// As said before a day, categories numbered as the history numbers them.
    pub(crate) fn before(past: Past<'_>, visit: &Visit) -> Self {
        let said = &past.history.said;
        Self {
            close: said.closes.before(visit.deal, past.day).flatten(),
            category: said.categories.before(visit.deal, past.day).map_or(0, |number| number + 1),
        }
    }

    /// The place of the expected close in a window of some days.
    fn place(self, (start, end): (i32, i32)) -> usize {
        let Some(close) = self.close else { return 0 };
        let windows = f64::from(close.saturating_sub(start)) / f64::from(end.saturating_sub(start).max(1));
        1 + PLACE_ENDS.partition_point(|&end| end <= windows)
    }
}

/// Odds factors by what was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offsets {
    /// By place of the expected close.
    #[serde(with = "bits::list")]
    place: Vec<f64>,
    /// In order.
    pub categories: Vec<String>,
    /// One more than there are categories: the first is that of all others.
    #[serde(with = "bits::list")]
    category: Vec<f64>,
}

impl Offsets {
    /// Nobody is listened to.
    pub(crate) fn none() -> Self {
        Self { place: vec![1.0; N_PLACES], categories: Vec::new(), category: vec![1.0] }
    }

    /// All factors.
    pub(crate) fn factors(&self) -> impl Iterator<Item = f64> {
        self.place.iter().chain(&self.category).copied()
    }

    /// Whether a stored list of factors fits its categories.
    pub(crate) fn is_whole(&self) -> bool {
        self.place.len() == N_PLACES
            && self.category.len() == self.categories.len() + 1
            && self.categories.is_sorted_by(|a, b| a < b)
    }

    /// The number of a category, 0 for those without a factor of their own.
    pub(crate) fn number(&self, category: Option<&str>) -> u32 {
        let find = |name: &str| self.categories.binary_search_by(|known| known.as_str().cmp(name)).ok();
        category.and_then(find).and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
    }

    /// The odds factor of a deal for the days `[start, end)`.
    fn odds(&self, said: Signals, window: (i32, i32)) -> f64 {
        of(&self.place, said.place(window)) * of(&self.category, usize::try_from(said.category).unwrap_or(0))
    }

    /// The chance to be won on the days `[from, end)`, of the chances to be won by these two days, as seen on a day.
    pub(crate) fn heed(
        &self,
        (said, day): (Signals, i32),
        (from, before): (i32, f64),
        (end, after): (i32, f64),
    ) -> f64 {
        let by = |end: i32, p: f64| lift(p, self.odds(said, (day, end)));
        (by(end, after) - by(from, before)).max(0.0)
    }

    /// From weighted records.
    pub(crate) fn learn<'r>(records: impl Iterator<Item = (f64, &'r Record)>) -> Self {
        let mut heard: BTreeMap<&Heard, Count> = BTreeMap::new();
        for (weight, record) in records {
            record.heard.iter().for_each(|(what, count)| heard.entry(what).or_default().add(weight, count));
        }
        let mut offsets = Self::none();
        offsets.categories = speaking(&heard);
        offsets.category = vec![1.0; offsets.categories.len() + 1];
        let number = |name: &str| usize::try_from(offsets.number(Some(name))).unwrap_or(0);
        let cells: Vec<Cell> = heard
            .into_iter()
            .map(|(what, count)| Cell { place: what.place, category: number(&what.category), count })
            .collect();
        for _ in 0..ROUNDS {
            offsets.place = factors(&cells, offsets.place.len(), |cell| {
                (cell.place, of(&offsets.category, cell.category))
            });
            offsets.category = factors(&cells, offsets.category.len(), |cell| {
                (cell.category, of(&offsets.place, cell.place))
            });
        }
        offsets
    }

    /// A record as it would be had the reps been listened to.
    pub(crate) fn heeded(&self, record: &Record) -> Record {
        let mut record = record.clone();
        let (deals, money) = (&mut record.open_deals, &mut record.open_money);
        for (what, count) in &record.heard {
            let category = usize::try_from(self.number(Some(&what.category))).unwrap_or(0);
            let (p, q) =
                (count.chance(), count.shifted(of(&self.place, what.place) * of(&self.category, category)));
            if p > 0.0 && p < 1.0 {
                let (more, wider) = (q / p, q * (1.0 - q) / (p * (1.0 - p)));
                deals.expected += (more - 1.0) * count.expected;
                deals.variance += (wider - 1.0) * count.n * p * (1.0 - p);
                money.expected += (more - 1.0) * count.money.expected;
                money.variance += (wider - 1.0) * count.money.variance;
            }
        }
        record
    }
}

/// A factor of a list, 1 past its end.
fn of(factors: &[f64], at: usize) -> f64 {
    factors.get(at).copied().unwrap_or(1.0)
}

/// A chance with its odds multiplied by a factor above 0; a factor of 1 changes no bit.
pub(crate) fn lift(p: f64, odds: f64) -> f64 {
    odds * p / (1.0 + (odds - 1.0) * p)
}

/// What was said of some open deals, and the bin of the chance the process gave them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Heard {
    place: usize,
    /// Empty for none.
    category: Arc<str>,
    bin: usize,
}

/// How many deals there were, and what was expected of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count {
    n: f64,
    expected: f64,
    won: f64,
    money: Tried,
}

impl Count {
    fn add(&mut self, weight: f64, other: &Self) {
        self.n += weight * other.n;
        self.expected += weight * other.expected;
        self.won += weight * other.won;
    }

    /// The mean chance.
    fn chance(&self) -> f64 {
        self.expected / self.n
    }

    fn shifted(&self, odds: f64) -> f64 {
        lift(self.chance(), odds)
    }
}

/// Counts what was said of the open deals of a record, with their chances and whether they were won.
pub(crate) fn heard<'d>(
    past: Past<'_>,
    window: (i32, i32),
    deals: impl Iterator<Item = (&'d Open, f64, bool)>,
) -> Vec<(Heard, Count)> {
    let (mut heard, silent): (BTreeMap<Heard, Count>, Arc<str>) = (BTreeMap::new(), Arc::from(""));
    if past.history.said.is_empty() {
        return Vec::new();
    }
    for (deal, p, won) in deals {
        let what = Heard {
            place: deal.said.place(window),
            category: past.history.said.name(deal.said.category).unwrap_or(&silent).clone(),
            bin: CHANCE_ENDS.partition_point(|&end| end <= p),
        };
        let count = heard.entry(what).or_default();
        count.n += 1.0;
        count.expected += p;
        count.won += if won { 1.0 } else { 0.0 };
        count.money.expect(deal.amount.unwrap_or(0.0), p);
    }
    heard.into_iter().collect()
}

/// The categories with enough deals, the largest of them, in order.
fn speaking(heard: &BTreeMap<&Heard, Count>) -> Vec<String> {
    let mut deals: BTreeMap<&str, f64> = BTreeMap::new();
    for (what, count) in heard {
        *deals.entry(&what.category).or_default() += count.n;
    }
    deals.retain(|name, n| !name.is_empty() && *n >= FEWEST_DEALS);
    let mut large: Vec<(&str, f64)> = deals.into_iter().collect();
    large.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    large.truncate(MOST_CATEGORIES);
    let mut names: Vec<String> = large.into_iter().map(|(name, _)| name.to_owned()).collect();
    names.sort_unstable();
    names
}

/// What is counted, with the numbers of its levels.
struct Cell {
    place: usize,
    category: usize,
    count: Count,
}

/// The factors of one field; `level` says the level of a cell in it, and the factor of the other field.
fn factors(cells: &[Cell], n_levels: usize, level: impl Fn(&Cell) -> (usize, f64)) -> Vec<f64> {
    let mut groups: Vec<Vec<(f64, &Count)>> = vec![Vec::new(); n_levels];
    for cell in cells {
        let (at, other) = level(cell);
        groups.get_mut(at).into_iter().for_each(|group| group.push((other, &cell.count)));
    }
    let expected = |group: &[(f64, &Count)], odds: f64| -> f64 {
        group.iter().map(|(other, count)| count.n * count.shifted(odds * other)).sum()
    };
    let won = |group: &[(f64, &Count)]| -> f64 { group.iter().map(|(_, count)| count.won).sum() };
    let totals: Vec<(f64, f64)> = groups.iter().map(|group| (won(group), expected(group, 1.0))).collect();
    let (observed, all) = totals.iter().fold((0.0, 0.0), |sum, t| (sum.0 + t.0, sum.1 + t.1));
    let general = observed / all;
    if !(general > 0.0 && general.is_finite()) {
        return vec![1.0; n_levels];
    }
    let scaled: Vec<(f64, f64)> = totals.iter().map(|(o, e)| (*o, general * e)).collect();
    let ratios = shrink::factors(&scaled);
    let fitted = groups.iter().zip(&totals).zip(ratios).map(|((group, total), ratio)| {
        if (ratio - 1.0).abs() < f64::EPSILON || !(total.1 > 0.0) {
            return 1.0;
        }
        let target = ratio * total.1;
        exp(root::increasing(-MOST_SHIFT, MOST_SHIFT, |shift| expected(group, exp(shift)) / target - 1.0))
    });
    fitted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cells: &[(usize, &str, f64, f64, f64)]) -> Record {
        let cell = |&(place, category, n, p, won): &(usize, &str, f64, f64, f64)| {
            let money = Tried { expected: n * p, variance: n * p * (1.0 - p), ..Tried::default() };
            let what =
                Heard { place, category: category.into(), bin: CHANCE_ENDS.partition_point(|&e| e <= p) };
            (what, Count { n, expected: n * p, won, money })
        };
        let all = cells.iter().fold(Tried::default(), |all, &(_, _, n, p, _)| Tried {
            expected: all.expected + n * p,
            variance: all.variance + n * p * (1.0 - p),
            ..all
        });
        Record {
            day: 0,
            open_deals: all,
            open_money: all,
            new_deals: Tried::default(),
            new_money: Tried::default(),
            arrival_variance: 0.0,
            heard: cells.iter().map(cell).collect(),
        }
    }

    #[test]
    fn a_rep_who_knows_is_believed_as_far_as_the_past_goes() {
        // Odds of 1:4; a commit within the window is won half of the time (odds x 4), all else one time in nine (x 1/2).
        let known = record(&[(3, "commit", 4000.0, 0.2, 2000.0), (0, "", 36000.0, 0.2, 4000.0)]);
        let offsets = Offsets::learn(std::iter::once((1.0, &known)));
        let said = |close: Option<i32>, name| Signals { close, category: offsets.number(name) };
        let (sure, silent) = (said(Some(20), Some("commit")), said(None, None));
        assert!((lift(0.2, offsets.odds(sure, (0, 90))) - 0.5 * 8.0 / 6.0).abs() < 0.02, "{offsets:?}");
        assert!((lift(0.2, offsets.odds(silent, (0, 90))) - 8.0 / 6.0 / 9.0).abs() < 0.01, "{offsets:?}");
        // Only differences are learned: the expected wins of all together stay.
        let heeded = offsets.heeded(&known);
        assert!((heeded.open_deals.expected / known.open_deals.expected - 1.0).abs() < 0.01);
        assert!((heeded.open_money.expected / heeded.open_deals.expected - 1.0).abs() < 1e-9);
        assert!(heeded.open_deals.variance < known.open_deals.variance);
    }

    #[test]
    fn a_rep_who_guesses_is_not() {
        let noise = record(&[
            (2, "commit", 500.0, 0.3, 148.0),
            (3, "commit", 400.0, 0.1, 43.0),
            (2, "pipeline", 450.0, 0.3, 137.0),
            (5, "pipeline", 300.0, 0.1, 28.0),
        ]);
        let offsets = Offsets::learn(std::iter::once((0.25, &noise)));
        assert!(offsets.factors().all(|factor| factor == 1.0), "{offsets:?}");
        assert_eq!(offsets.heeded(&noise), noise);
        assert_eq!(Offsets::learn(std::iter::empty()), Offsets::none());
    }

    #[test]
    fn places_follow_the_window() {
        let place = |close| Signals { close: Some(close), category: 0 }.place((100, 190));
        assert_eq!([0, 90, 100, 129, 130, 160, 190, 219, 220].map(place), [1, 2, 3, 3, 4, 5, 6, 6, 7]);
        assert_eq!(Signals::default().place((0, 90)), 0);
    }
}
