//! Heaps of fake dates: days on which far more deals made one kind of move than on the days around.
//!
//! An import stamps its own day on everything it brings, a spring-cleaning closes a year's dead deals in an afternoon, a
//! form fills in the first of January. Such dates say when somebody typed, not when something happened.

use crate::deals::{DealView, Flag, SalesProcess, StageId};
use crate::time::{civil_date, civil_day};
use chrono::NaiveDate;
use serde::Serialize;

/// A heap holds more moves than this, and more than this many times the usual day.
const MOST: usize = 20;
const TIMES: usize = 10;

/// How many days on which anything happened are looked at before a day, and after it; fewest that say what is usual.
const AROUND: usize = 30;
const FEWEST: usize = 5;

/// A civil day on which far more deals entered one stage than around it: more than 20, and more than ten times the
/// usual number.
///
/// # Formula
/// Usual = the lower median of the counts of the nearest 30 days before and 30 days after on which any deal entered the
/// stage (at least 5 days in all). Days of one large batch among other such days are therefore no heaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heap {
    date: NaiveDate,
    stage: String,
    n: usize,
    usual: usize,
}

impl Heap {
    /// The day.
    pub const fn date(&self) -> NaiveDate {
        self.date
    }

    /// The stage that the deals entered, won and lost ones included.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// How many deals entered it on that day.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// How many do on a usual day around it on which any does.
    pub const fn usual(&self) -> usize {
        self.usual
    }
}

/// The stages that deals entered, and on which days.
#[derive(Default)]
pub(super) struct Entries(Vec<(StageId, i32)>);

/// How many deals entered a stage on a day.
struct Day {
    stage: StageId,
    on: i32,
    n: usize,
}

impl Entries {
    pub(super) fn add(&mut self, view: &DealView<'_>) {
        let mut current = None;
        for moved in view.moves() {
            let to = (moved.step.flag != Flag::Removed).then_some(moved.step.stage);
            if let (Some(stage), Flag::Entered) = (to, moved.step.flag)
                && to != current
            {
                self.0.push((stage, civil_day(moved.at)));
            }
            current = to;
        }
    }

    /// The largest first. Linear in the entries apart from one sort: each heap needs more than 20 of them.
    pub(super) fn heaps(mut self, process: &SalesProcess) -> Vec<Heap> {
        self.0.sort_unstable();
        let days: Vec<Day> = self
            .0
            .chunk_by(|a, b| a == b)
            .filter_map(|same| same.first().map(|&(stage, day)| Day { stage, on: day, n: same.len() }))
            .collect();
        let mut heaps = Vec::new();
        for days in days.chunk_by(|a, b| a.stage == b.stage) {
            for (place, day) in days.iter().enumerate().filter(|(_, day)| day.n > MOST) {
                if let Some(usual) = usual(days, place).filter(|&usual| day.n > TIMES * usual) {
                    let stage = process.name(day.stage).to_owned();
                    heaps.push(Heap { date: civil_date(day.on), stage, n: day.n, usual });
                }
            }
        }
        // Stable: heaps of one size stay in the order of stage and day.
        heaps.sort_by_key(|heap| std::cmp::Reverse(heap.n));
        heaps
    }
}

fn usual(days: &[Day], place: usize) -> Option<usize> {
    let before = days.get(place.saturating_sub(AROUND)..place)?;
    let after = days.get(place + 1..)?;
    let mut around: Vec<usize> = before.iter().chain(after.iter().take(AROUND)).map(|day| day.n).collect();
    if around.len() < FEWEST {
        return None;
    }
    let middle = (around.len() - 1) / 2;
    Some(*around.select_nth_unstable(middle).1)
}
