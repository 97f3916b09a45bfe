//! The whole process of a sales team, fitted to the past and ready to be asked about the days ahead.

use super::arrivals::Arrivals;
use super::attributes::{ClassTotal, Effects};
use super::calendar::Weekdays;
use super::chain::{Course, Day, Reached, Standing};
use super::exposure::{Exposure, weekday};
use super::hazard::{Table, Tally, multiply_odds};
use super::memory::{Memory, Series};
use super::season::{Seasons, month};
use crate::history::counts::RISK;
use crate::history::visits::Visit;
use crate::history::{History, Past};
use crate::num::bits;
use crate::num::special::exp2;
use crate::num::sum::sum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Shortest half-life of the hazards by age, in days: their shape moves slowly.
const LEAST_HALF_LIFE: f64 = 4.0 * 365.25;
const FEWEST_EXITS: f64 = 10.0;
/// Neighbours in size are put together up to this share of all arrivals, so that a model stays small.
const LEAST_SHARE: f64 = 1.0 / 2048.0;
/// Entries whose weight has fallen below this share are forgotten.
const LEAST_WEIGHT: f64 = 1e-4;

/// Which parts of the model are used; all are by default.
#[allow(clippy::struct_excessive_bools, reason = "a switch for each part")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub level: bool,
    pub attributes: bool,
    pub calendar: bool,
    pub seasons: bool,
}

impl Parts {
    pub(crate) const ALL: Self = Self { level: true, attributes: true, calendar: true, seasons: true };
}

/// A deal that was created lately, standing for those to come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Open stage, or won.
    pub stage: u8,
    pub group: u32,
    #[serde(with = "bits::option")]
    pub amount: Option<f64>,
    /// Share of all arrivals.
    #[serde(with = "bits::one")]
    pub weight: f64,
}

/// The fitted process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Process {
    pub base: Table,
    /// Odds factors by stage, then destination.
    #[serde(with = "bits::list")]
    pub level: Vec<f64>,
    pub effects: Effects,
    pub weekdays: Weekdays,
    pub seasons: Seasons,
    pub arrivals: Arrivals,
    pub entries: Vec<Entry>,
}

/// Rounds in which the level is brought to its totals.
const ROUNDS: usize = 4;

impl Process {
    /// Fits the process to what was known at the start of a day, for forecasts about `horizon` days ahead.
    pub(crate) fn learn(past: Past<'_>, horizon: i32, parts: Parts) -> Self {
        let History { n_open, .. } = past.history;
        let n_open = usize::from(*n_open);
        let half_life = (4.0 * f64::from(horizon)).max(LEAST_HALF_LIFE);
        let weights = |start: i32| exp2(-f64::from(past.day - 1 - (start + 3)) / half_life);
        let mut tally = Tally::new(n_open);
        past.history
            .counts()
            .weeks_before(past.day)
            .for_each(|(start, cells)| tally.add(cells, weights(start)));
        let base = tally.hazards();
        let effects =
            if parts.attributes { learn_effects(past, &base, &weights) } else { Effects::default() };
        let mut process = Self {
            level: vec![1.0; n_open * (n_open + 2)],
            base,
            effects,
            weekdays: Weekdays::NONE,
            seasons: Seasons::NONE,
            arrivals: Arrivals::learn(past, horizon, parts.seasons),
            entries: Vec::new(),
        };
        let group_of = process.groups(past.history);
        let group = |deal: u32| {
            let class = usize::try_from(past.history.class(deal)).unwrap_or(0);
            group_of.get(class).copied().unwrap_or(0)
        };
        if parts.level || parts.seasons {
            process.learn_drift(past, horizon, (parts, &group_of));
        }
        let n_groups = process.effects.n_groups();
        let place = |v: &Visit| usize::try_from(group(v.deal)).unwrap_or(usize::MAX);
        let exposure = Exposure::before(past.day, past.visits(), (n_open, n_groups), place);
        let steady: Vec<Table> = (0..n_groups).map(|group| process.hazards(group)).collect();
        if parts.calendar {
            process.weekdays = Weekdays::learn(&exposure, &steady);
        }
        process.keep_totals(&exposure);
        process.entries = entries(past, horizon, group);
        process
    }

    /// The group of every class of a history.
    pub(crate) fn groups(&self, history: &History) -> Vec<u32> {
        history.classes.attributes.iter().map(|class| self.effects.group(class)).collect()
    }

    /// Hazards of a group on no day in particular.
    fn hazards(&self, group: usize) -> Table {
        let n_open = self.base.n_open();
        let factors = self.effects.factors(group);
        let mut table = self.base.clone();
        let mut odds = vec![1.0; n_open + 2];
        for stage in 0..n_open {
            let level = self.level.chunks(n_open + 2).nth(stage).unwrap_or_default();
            for bin in 0..crate::history::ages::N_BINS {
                odds.clear();
                odds.extend_from_slice(level);
                for factor in &factors {
                    odds.iter_mut().zip(factor.row(stage, bin)).for_each(|(m, f)| *m *= f);
                }
                multiply_odds(table.row_mut(stage, bin), odds.iter().copied());
            }
        }
        table
    }

    /// The same on a day: odds multiply, so that weekday and month come on top.
    fn on(&self, day: i32, steady: &Table) -> Table {
        let n_open = self.base.n_open();
        let factors = self.weekdays.on(day, n_open).zip(self.seasons.on(day, n_open));
        let factors: Vec<f64> = factors.map(|(weekday, month)| weekday * month).collect();
        let mut table = steady.clone();
        table.rows_mut().for_each(|row| multiply_odds(row, factors.iter().copied()));
        table
    }

    /// Seasons, and the level now by stage and destination: observed over expected exits by week.
    fn learn_drift(&mut self, past: Past<'_>, horizon: i32, (parts, group_of): (Parts, &[u32])) {
        let n_open = self.base.n_open();
        let (middles, mut series) = self.weekly(past, group_of);
        if parts.seasons {
            self.seasons = Seasons::learn(&middles, &series, n_open);
        }
        if !parts.level {
            return;
        }
        if self.seasons != Seasons::NONE {
            for (week, &middle) in middles.iter().enumerate() {
                let factors: Vec<f64> = self.seasons.on(middle, n_open).collect();
                for (of_week, factor) in series
                    .iter_mut()
                    .zip(factors.iter().cycle())
                    .filter_map(|(s, f)| Some((s.get_mut(week)?, f)))
                {
                    of_week.1 *= factor;
                }
            }
        }
        let memory = Memory::learn(&series, usize::try_from((horizon + 3) / 7).unwrap_or(1));
        let level = |s: &Series| {
            let enough = s.iter().map(|week| week.0).sum::<f64>() >= FEWEST_EXITS;
            if enough { memory.level(s) } else { 1.0 }
        };
        self.level = series.iter().map(level).collect();
    }

    /// Observed and expected exits of every transition by week, the expected ones under the hazards of each group; and
    /// the middle of each week.
    fn weekly(&self, past: Past<'_>, group_of: &[u32]) -> (Vec<i32>, Vec<Series>) {
        let n_open = self.base.n_open();
        let hazards: Vec<Table> = (0..self.effects.n_groups()).map(|group| self.hazards(group)).collect();
        let hazards_of = |class: u32| {
            let group =
                usize::try_from(class).ok().and_then(|class| group_of.get(class)).copied().unwrap_or(0);
            usize::try_from(group).ok().and_then(|group| hazards.get(group)).unwrap_or(&self.base)
        };
        let (mut middles, mut series) = (Vec::new(), vec![Series::new(); n_open * (n_open + 2)]);
        for (start, cells) in past.history.counts().weeks_before(past.day) {
            middles.push(start + 3);
            series.iter_mut().for_each(|s| s.push((0.0, 0.0)));
            for &(cell, n) in cells {
                let stage = usize::from(cell.stage);
                let Some(of_stage) = series.get_mut(stage * (n_open + 2)..(stage + 1) * (n_open + 2)) else {
                    continue;
                };
                if cell.to == RISK {
                    let row = hazards_of(cell.class).row(stage, usize::from(cell.bin));
                    for (week, h) in of_stage.iter_mut().filter_map(|s| s.last_mut()).zip(row) {
                        week.1 += h * f64::from(n);
                    }
                } else if let Some(week) = of_stage.get_mut(usize::from(cell.to)).and_then(|s| s.last_mut()) {
                    week.0 += f64::from(n);
                }
            }
        }
        (middles, series)
    }

    /// Rescales the level so that every transition has the expected total it would have if factors multiplied chances
    /// and not odds: where most deals leave within the day, odds that rise by a third raise the chance far less.
    fn keep_totals(&mut self, exposure: &Exposure) {
        let n_open = self.base.n_open();
        let width = n_open + 2;
        let asked = std::mem::replace(&mut self.level, vec![1.0; n_open * width]);
        let plain: Vec<Table> = (0..self.effects.n_groups()).map(|group| self.hazards(group)).collect();
        let totals = |factors: &dyn Fn(usize, i32, &mut [f64])| {
            let mut totals = vec![0.0; n_open * width];
            let mut row = vec![0.0; width];
            for (group, stage, bin, week) in exposure.cells() {
                for (weekday, &n) in (0..).zip(week).filter(|&(_, &n)| n > 0) {
                    row.copy_from_slice(plain.get(group).map_or(&[][..], |table| table.row(stage, bin)));
                    factors(stage, weekday, &mut row);
                    let of_stage = totals.iter_mut().skip(stage * width);
                    of_stage.zip(&row).for_each(|(total, h)| *total += f64::from(n) * h);
                }
            }
            totals
        };
        let of_stage =
            |level: &[f64], stage: usize| level.chunks(width).nth(stage).unwrap_or_default().to_vec();
        let target = totals(&|stage, _, row| {
            row.iter_mut().zip(of_stage(&asked, stage)).for_each(|(h, level)| *h *= level);
        });
        let mut level = asked;
        for _ in 0..ROUNDS {
            let reached = totals(&|stage, weekday, row| {
                let days = self.weekdays.on(weekday, n_open);
                multiply_odds(
                    row,
                    of_stage(&level, stage).into_iter().zip(days).map(|(level, day)| level * day),
                );
            });
            for ((level, target), reached) in level.iter_mut().zip(&target).zip(&reached) {
                if *target > 0.0 && *reached > 0.0 {
                    *level *= target / reached;
                }
            }
        }
        self.level = level;
    }

    /// The chain of a group over the days `[from, from + n_days)`.
    pub(crate) fn reached(&self, group: u32, (from, n_days): (i32, usize), standing: &[Standing]) -> Reached {
        let group = usize::try_from(group).unwrap_or(0);
        let kind = |day: i32| {
            let weekday = if self.weekdays == Weekdays::NONE { 0 } else { weekday(day) };
            (weekday, if self.seasons == Seasons::NONE { 0 } else { month(day) })
        };
        let steady = self.hazards(group);
        let days: Vec<(i32, (usize, usize))> = (from..).take(n_days).map(|day| (day, kind(day))).collect();
        let mut kinds: BTreeMap<(usize, usize), Day> = BTreeMap::new();
        for &(day, kind) in &days {
            kinds.entry(kind).or_insert_with(|| Day::new(self.on(day, &steady)));
        }
        let course: Vec<&Day> = days.iter().filter_map(|(_, kind)| kinds.get(kind)).collect();
        Course { days: &course, goal: self.base.n_open() }.run(standing)
    }
}

/// Attributes that explain who wins, and what they change; `weigh` gives the weight of a week by its first day.
fn learn_effects(past: Past<'_>, base: &Table, weigh: &impl Fn(i32) -> f64) -> Effects {
    let (counts, classes) = (past.history.counts(), &past.history.classes);
    if classes.attributes.iter().all(BTreeMap::is_empty) {
        return Effects::default();
    }
    let mut totals = vec![ClassTotal::default(); classes.attributes.len()];
    for (start, cells) in counts.weeks_before(past.day) {
        ClassTotal::add_week(&mut totals, cells, (base, weigh(start)));
    }
    for visit in past.arrivals() {
        let class = usize::try_from(past.history.class(visit.deal)).unwrap_or(0);
        totals.get_mut(class).into_iter().for_each(|total| total.n_deals += 1);
    }
    let mut effects = Effects::choose(&classes.attributes, &totals, base.n_open());
    if effects.0.is_empty() {
        return effects;
    }
    let group_of: Vec<u32> = classes.attributes.iter().map(|class| effects.group(class)).collect();
    let mut groups: Vec<Tally> = vec![Tally::new(base.n_open()); effects.n_groups()];
    for (start, cells) in counts.weeks_before(past.day) {
        let weight = weigh(start);
        for same in cells.chunk_by(|a, b| a.0.class == b.0.class) {
            let class = same.first().and_then(|(cell, _)| usize::try_from(cell.class).ok()).unwrap_or(0);
            let group = group_of.get(class).and_then(|&group| usize::try_from(group).ok()).unwrap_or(0);
            groups.get_mut(group).into_iter().for_each(|tally| tally.add(same, weight));
        }
    }
    effects.backfit(base, &groups);
    effects
}

/// The deals created lately, each with its share: half-life of two horizons.
fn entries(past: Past<'_>, horizon: i32, group: impl Fn(u32) -> u32) -> Vec<Entry> {
    let half_life = 2.0 * f64::from(horizon);
    let weigh = |v: &Visit| exp2(-f64::from(past.day - 1 - v.entered) / half_life);
    // Nearly in order already, which makes the sort below a pass over runs.
    let mut entries: Vec<Entry> = past
        .arrivals()
        .map(|v| Entry {
            stage: v.stage,
            group: group(v.deal),
            amount: past.history.amount_before(v.deal, past.day),
            weight: weigh(v),
        })
        .filter(|entry| entry.weight >= LEAST_WEIGHT)
        .collect();
    let order = |e: &Entry| (e.stage, e.group, e.amount.is_some());
    let size = |e: &Entry| e.amount.unwrap_or(0.0);
    entries.sort_by(|a, b| {
        order(a).cmp(&order(b)).then(size(a).total_cmp(&size(b))).then(a.weight.total_cmp(&b.weight))
    });
    let total = sum(entries.iter().map(|entry| entry.weight));
    entries.iter_mut().for_each(|entry| entry.weight /= total);
    entries.dedup_by(|next, kept| {
        let small = kept.weight + next.weight < LEAST_SHARE;
        let same = order(next) == order(kept) && (small || next.amount == kept.amount);
        if same {
            let weight = kept.weight + next.weight;
            let mean = (kept.weight * size(kept) + next.weight * size(next)) / weight;
            kept.amount = kept.amount.map(|amount| if next.amount == Some(amount) { amount } else { mean });
            kept.weight = weight;
        }
        same
    });
    entries
}
