//! The log as it was visible at an instant.

use super::columns::RowTag;
use super::log::DealLog;
use super::names::index;
use super::process::{SalesProcess, Stage, StageId, StageKind};
use super::rates::Rates;
use super::row::{CLOSE_CLEARED, Flag, NO_CATEGORY, NO_CLOSE, Step, speaks};
use super::snapshot::Snapshot;
use crate::num::Amount;
use crate::time::{civil, civil_date, civil_day, seconds};
use chrono::{NaiveDate, NaiveDateTime};
use std::ops::Range;

/// What was known at an instant: a fact counts if it had happened and was recorded before that instant, to the second.
/// Nothing later can be reached through it, and nothing that becomes known later changes it.
///
/// # Example
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess, State};
/// use dealcast::time::date;
/// let won = DealEvent::new("D-17", date(2026, 3, 5)?, Change::Entered("won".into())).recorded_at(date(2026, 3, 20)?);
/// let created = DealEvent::new("D-17", date(2026, 3, 2)?, Change::Entered("qualify".into()));
/// let log = DealLog::from_events(&SalesProcess::open(["qualify"])?, [won, created])?;
/// let known = log.as_of(date(2026, 3, 10)?);
/// let state = known.deals().next().map(|deal| deal.state());
/// assert_eq!(state, Some(State::Open { stage: "qualify", since: date(2026, 3, 2)?.into(), exact: true }));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    log: &'a DealLog,
    at: NaiveDateTime,
    until: i64,
}

impl<'a> Known<'a> {
    pub(super) fn new(log: &'a DealLog, at: NaiveDateTime) -> Self {
        let until = seconds(at);
        match log.looks.partition_point(|&look| look <= until).checked_sub(1).and_then(|i| log.looks.get(i)) {
            Some(&look) => Self { log, at: civil(look), until: look },
            None => Self { log, at, until },
        }
    }

    /// What was known once everything before an instant was, as far as it is now: where the log comes from snapshots, at the
    /// first one from then on.
    pub(crate) fn once_known(&self, at: impl Into<NaiveDateTime>) -> Self {
        let at = at.into();
        let look = self.log.looks.partition_point(|&look| look < seconds(at));
        self.as_of(self.log.looks.get(look).map_or(at, |&look| civil(look)))
    }

    /// What was known at an earlier instant; a later one changes nothing.
    #[must_use]
    pub fn as_of(&self, at: impl Into<NaiveDateTime>) -> Self {
        Self::new(self.log, at.into().min(self.at))
    }

    /// The instant.
    pub const fn at(&self) -> NaiveDateTime {
        self.at
    }

    /// The stages.
    pub fn process(&self) -> &'a SalesProcess {
        &self.log.process
    }

    /// The deals known to exist, in the order of their ids: those with at least one visible stage.
    pub fn deals(&self) -> Deals<'a> {
        Deals { known: *self, next: 0, start: 0, yielded: 0 }
    }

    /// How many deals [`deals`](Self::deals) yields; one pass.
    pub fn n_deals(&self) -> usize {
        self.deals().count()
    }

    /// The deal with this id, if it is known to exist. Its [`index`](DealView::index) costs a pass and is not set (0).
    pub fn deal(&self, id: &str) -> Option<DealView<'a>> {
        let deal = self.log.columns.ids.find(id)?;
        self.view(deal, self.log.columns.rows_of(deal))
    }

    /// The deals as recorded at this instant, as a value of its own.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self)
    }

    /// The names of all attributes that a visible row carries, in byte order.
    pub fn attributes(&self) -> Vec<&'a str> {
        let columns = &self.log.columns;
        let mut seen = vec![false; columns.names.len()];
        for deal in self.deals() {
            for tag in deal.tags() {
                if let Some(seen) = seen.get_mut(index(tag.0)) {
                    *seen = true;
                }
            }
        }
        columns.names.iter().zip(seen).filter(|&(_, seen)| seen).map(|(name, _)| name).collect()
    }

    /// Whether some fact of the log became known later than it happened.
    pub(crate) fn has_late_facts(&self) -> bool {
        !self.log.columns.known.is_empty()
    }

    /// The id of the deal at a position of the log.
    pub(crate) fn id_at(&self, place: usize) -> &'a str {
        self.log.columns.ids.get(place)
    }

    /// The instant in seconds.
    pub(crate) const fn until(&self) -> i64 {
        self.until
    }

    /// The exchange rates, where amounts are converted.
    pub(super) const fn rates(&self) -> Option<&'a Rates> {
        self.log.rules.rates.as_ref()
    }

    /// The deal at a position of the log, if it is known to exist.
    #[inline]
    fn view(&self, deal: usize, rows: Range<usize>) -> Option<DealView<'a>> {
        let columns = &self.log.columns;
        let at = columns.at.get(rows.clone())?;
        let happened = match (at.first(), at.last()) {
            (Some(&first), Some(&last)) if first < self.until => {
                if last < self.until {
                    at.len()
                } else {
                    at.partition_point(|&at| at < self.until)
                }
            }
            _ => return None,
        };
        let rows = rows.start..rows.start + happened;
        let mut view = DealView {
            log: self.log,
            until: self.until,
            deal,
            rows: rows.clone(),
            first: 0,
            found_late: false,
            index: 0,
        };
        let start = self.log.rules.start;
        let mut created = None;
        for row in view.visible(rows) {
            let (Some(step), Some(&at)) = (columns.step.get(row), columns.at.get(row)) else { continue };
            if step.places() && start.is_none_or(|start| step.enters(start)) {
                view.first = row;
                view.found_late = created.is_some_and(|created| civil_day(created) < civil_day(at));
                return match &self.log.rules.segment {
                    Some((name, value)) => view.born_with().any(|tag| tag == (name, value)).then_some(view),
                    None => Some(view),
                };
            }
            match step.flag {
                Flag::Created if created.is_none() => created = Some(at),
                // It reaches the stage at which it starts to count by a move.
                Flag::Entered | Flag::Seen => created = Some(i64::MAX),
                _ => {}
            }
        }
        None
    }
}

impl Step {
    const fn places(self) -> bool {
        matches!(self.flag, Flag::Entered | Flag::Seen)
    }

    fn enters(self, stage: StageId) -> bool {
        self.places() && self.stage == stage
    }
}

/// The deals known at an instant, in the order of their ids.
#[derive(Clone, Debug)]
pub struct Deals<'a> {
    known: Known<'a>,
    next: usize,
    /// First row of the next deal.
    start: usize,
    yielded: usize,
}

impl<'a> Iterator for Deals<'a> {
    type Item = DealView<'a>;

    #[inline]
    fn next(&mut self) -> Option<DealView<'a>> {
        while let Some(&end) = self.known.log.columns.ends.get(self.next) {
            let (deal, rows) = (self.next, self.start..index(end));
            (self.next, self.start) = (deal + 1, rows.end);
            if let Some(mut view) = self.known.view(deal, rows) {
                view.index = self.yielded;
                self.yielded += 1;
                return Some(view);
            }
        }
        None
    }
}

/// Where a deal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// Undecided.
    Open {
        /// The stage it is in.
        stage: &'a str,
        /// Since when it is known to be there without interruption.
        since: NaiveDateTime,
        /// Whether it entered the stage then, or was only found in it and had entered it before.
        exact: bool,
    },
    /// Won, and when.
    Won {
        /// The stage that means won.
        stage: &'a str,
        /// When it was won; found won, where the source says no more.
        at: NaiveDateTime,
    },
    /// Lost, and when.
    Lost {
        /// The stage that means lost.
        stage: &'a str,
        /// When it was lost; found lost, where the source says no more.
        at: NaiveDateTime,
    },
    /// Out of the pipeline without an outcome.
    Removed {
        /// Since when.
        at: NaiveDateTime,
    },
}

/// [`State`] in the numbers of the crate: stages by position, seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// Undecided.
    Open { stage: StageId, since: i64, exact: bool },
    /// Won.
    Won { stage: StageId, at: i64 },
    /// Lost.
    Lost { stage: StageId, at: i64 },
    /// Out of the pipeline.
    Removed { at: i64 },
}

/// A row that places a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    /// When it happened, in seconds.
    pub(crate) at: i64,
    /// What happened.
    pub(crate) step: Step,
}

/// A deal as it was visible at an instant.
#[derive(Clone, Debug)]
pub struct DealView<'a> {
    log: &'a DealLog,
    until: i64,
    deal: usize,
    /// Rows that had happened; some may not have been known yet.
    rows: Range<usize>,
    /// The row that places it first.
    first: usize,
    /// Whether it was created on an earlier day than that row's.
    found_late: bool,
    index: usize,
}

impl<'a> DealView<'a> {
    /// Its id.
    pub fn id(&self) -> &'a str {
        self.log.columns.ids.get(self.deal)
    }

    /// Its place among the deals that [`Known::deals`] yields.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Its position in the log, the same in every view.
    pub(crate) const fn place(&self) -> usize {
        self.deal
    }

    /// When it was first placed in a stage.
    pub fn created(&self) -> NaiveDateTime {
        civil(self.created_seconds())
    }

    /// Where it stands: its last stage, and since when. A row that names the stage in which it already is changes
    /// nothing.
    #[inline]
    pub fn state(&self) -> State<'a> {
        let name = |stage| self.log.process.name(stage);
        match self.position() {
            Position::Open { stage, since, exact } => {
                State::Open { stage: name(stage), since: civil(since), exact }
            }
            Position::Won { stage, at } => State::Won { stage: name(stage), at: civil(at) },
            Position::Lost { stage, at } => State::Lost { stage: name(stage), at: civil(at) },
            Position::Removed { at } => State::Removed { at: civil(at) },
        }
    }

    /// The stage it is in; `None` while it is removed.
    #[inline]
    pub fn stage(&self) -> Option<&'a Stage> {
        let last = self.moves().next_back()?;
        if last.step.flag == Flag::Removed {
            None
        } else {
            self.log.process.stages().get(last.step.stage.index())
        }
    }

    /// Its latest stated amount; `None` where none is stated.
    #[inline]
    pub fn amount(&self) -> Option<Amount> {
        self.latest_amount(self.rows.clone())
    }

    #[inline]
    fn latest_amount(&self, rows: Range<usize>) -> Option<Amount> {
        let column = &self.log.columns.amount;
        let stated = |row: usize| column.get(row).copied().filter(|&amount| speaks(amount));
        let stated = Amount::new(self.visible(rows).rev().find_map(stated)?).ok()?;
        let amount = Amount::new(self.rate(self.log.rules.rates.as_ref())? * stated.get()).ok()?;
        Some(self.log.rules.cap.filter(|&cap| cap < amount).unwrap_or(amount))
    }

    /// The day on which it is expected to close, as last stated.
    pub fn expected_close(&self) -> Option<NaiveDate> {
        self.closes().next_back().and_then(|(_, day)| day).map(civil_date)
    }

    /// Its forecast category, as last stated.
    pub fn category(&self) -> Option<&'a str> {
        self.categories().next_back().map(|(_, category)| category)
    }

    /// When it was said on which day it would close, as (second, day number); `None` where the date was cleared.
    pub(crate) fn closes(&self) -> impl DoubleEndedIterator<Item = (i64, Option<i32>)> + use<'a> {
        let columns = &self.log.columns;
        self.stated(&columns.close, NO_CLOSE).map(|(at, day)| (at, (day != CLOSE_CLEARED).then_some(day)))
    }

    /// When it was given which forecast category, as (second, name).
    pub(crate) fn categories(&self) -> impl DoubleEndedIterator<Item = (i64, &'a str)> + use<'a> {
        let columns = &self.log.columns;
        let name = |(at, word)| (at, columns.words.get(index(word)));
        self.stated(&columns.category, NO_CATEGORY).map(name)
    }

    /// What the visible rows say in a column, which is empty where no row says anything.
    fn stated<T: Copy + PartialEq>(
        &self,
        column: &'a [T],
        silent: T,
    ) -> impl DoubleEndedIterator<Item = (i64, T)> + use<'a, T> {
        let at = &self.log.columns.at;
        let rows = if column.is_empty() { 0..0 } else { self.rows.clone() };
        self.visible(rows).filter_map(move |row| {
            let said = column.get(row).copied().filter(|&said| said != silent)?;
            Some((*at.get(row)?, said))
        })
    }

    /// The value of an attribute, as last stated.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let columns = &self.log.columns;
        let name = columns.names.find(name)?;
        self.tags()
            .filter(|&(tag, _)| index(tag) == name)
            .last()
            .map(|(_, value)| columns.words.get(index(value)))
    }

    /// All attributes with their last stated values, by name.
    pub fn attributes(&self) -> Vec<(&'a str, &'a str)> {
        let columns = &self.log.columns;
        let mut latest: Vec<(u32, u32)> = Vec::new();
        for (name, value) in self.tags() {
            match latest.binary_search_by_key(&name, |&(name, _)| name) {
                Ok(place) => {
                    if let Some(slot) = latest.get_mut(place) {
                        slot.1 = value;
                    }
                }
                Err(place) => latest.insert(place, (name, value)),
            }
        }
        let text = |(name, value)| (columns.names.get(index(name)), columns.words.get(index(value)));
        latest.into_iter().map(text).collect()
    }

    /// The amounts stated so far as (second, amount), in order, each only where it differs from the one before.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = (i64, f64)> + 'a {
        let (log, mut before) = (self.log, f64::NAN);
        let cap = log.rules.cap.map_or(f64::INFINITY, Amount::get);
        // Without a rate no amount is one.
        let rate = self.rate(log.rules.rates.as_ref()).unwrap_or(f64::NAN);
        self.visible(self.rows.clone()).filter_map(move |row| {
            let stated = log.columns.amount.get(row).copied().filter(|&amount| speaks(amount));
            let amount = Amount::new(rate * Amount::new(stated?).ok()?.get()).ok()?.get().min(cap);
            let changed = amount.total_cmp(&before).is_ne();
            before = amount;
            changed.then_some((*log.columns.at.get(row)?, amount))
        })
    }

    /// The day on which it was first expected to close, as far as is known now.
    pub(crate) fn first_expected_close(&self) -> Option<NaiveDate> {
        self.closes().find_map(|(_, day)| day).map(civil_date)
    }

    /// How long after it happened each of its rows became known, in seconds.
    pub(crate) fn lags(&self) -> impl Iterator<Item = i64> + 'a {
        let columns = &self.log.columns;
        self.visible(self.rows.clone()).map(|row| match (columns.known.get(row), columns.at.get(row)) {
            (Some(known), Some(at)) => known.saturating_sub(*at),
            // The column is empty where everything was known at once.
            _ => 0,
        })
    }

    /// The attributes it was created with, as (name, value): those stated no later than its first stage.
    pub(crate) fn born_with(&self) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let (columns, born) = (&self.log.columns, self.created_seconds());
        let at_birth = move |row: u32| columns.at.get(index(row)).is_some_and(|&at| at <= born);
        self.tags_with_rows()
            .filter(move |tag| at_birth(tag.row))
            .map(move |tag| (columns.names.get(index(tag.tag.0)), columns.words.get(index(tag.tag.1))))
    }

    /// Attributes in the order of their rows.
    fn tags(&self) -> impl Iterator<Item = (u32, u32)> + 'a {
        self.tags_with_rows().map(|tag| tag.tag)
    }

    fn tags_with_rows(&self) -> impl Iterator<Item = &'a RowTag> + 'a {
        let columns = &self.log.columns;
        let (known, until, end) = (&columns.known, self.until, self.rows.end);
        let visible = move |row: usize| row < end && known.get(row).is_none_or(|&known| known < until);
        columns.tags_of(self.deal).iter().filter(move |tag| visible(index(tag.row)))
    }

    /// Of the given rows those that were known.
    #[inline]
    fn visible(&self, rows: Range<usize>) -> impl DoubleEndedIterator<Item = usize> + use<'a> {
        let (known, until) = (&self.log.columns.known, self.until);
        // The column is empty where everything was known at once.
        rows.filter(move |&row| known.get(row).is_none_or(|&known| known < until))
    }

    /// Everything that placed it, in order, from its first stage on.
    #[inline]
    pub(crate) fn moves(&self) -> impl DoubleEndedIterator<Item = Move> + 'a {
        let columns = &self.log.columns;
        let found = self.found_late.then_some(self.first);
        self.visible(self.first..self.rows.end).filter_map(move |row| {
            let mut step = *columns.step.get(row)?;
            if found == Some(row) {
                step.flag = Flag::Seen;
            }
            let moves = step.places() || step.flag == Flag::Removed;
            moves.then_some(Move { at: *columns.at.get(row)?, step })
        })
    }

    /// The instant of the view, in seconds.
    pub(super) const fn until(&self) -> i64 {
        self.until
    }

    /// When it was first placed, in seconds.
    #[inline]
    pub(crate) fn created_seconds(&self) -> i64 {
        self.log.columns.at.get(self.first).copied().unwrap_or_default()
    }

    /// Whether its history begins later than the deal: it was first found in a stage, not seen entering it.
    pub(crate) fn is_left_truncated(&self) -> bool {
        self.found_late || self.log.columns.step.get(self.first).is_some_and(|step| step.flag == Flag::Seen)
    }

    /// Where it stands. Walks back from the last move to the beginning of the stay.
    #[inline]
    pub(crate) fn position(&self) -> Position {
        let mut back = self.moves().rev();
        let Some(last) = back.next() else { return Position::Removed { at: self.created_seconds() } };
        let mut begin = last;
        for earlier in back {
            let same_stay = match last.step.flag {
                Flag::Removed => earlier.step.flag == Flag::Removed,
                _ => earlier.step.enters(last.step.stage),
            };
            if !same_stay {
                break;
            }
            begin = earlier;
        }
        let (stage, at) = (last.step.stage, begin.at);
        if last.step.flag == Flag::Removed {
            return Position::Removed { at };
        }
        match self.log.process.kind(stage) {
            StageKind::Open => Position::Open { stage, since: at, exact: begin.step.flag == Flag::Entered },
            StageKind::Won => Position::Won { stage, at },
            StageKind::Lost => Position::Lost { stage, at },
        }
    }
}
