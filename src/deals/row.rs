//! A row on its way into the log: judged alone, then kept as numbers.

use super::event::{Change, DealEvent};
use super::names::{Interner, index};
use super::process::{SalesProcess, StageId};
use super::receipt::Receipt;
use super::{Mode, columns::Columns};
use crate::num::Amount;
use crate::time::{day_number, seconds};
use crate::{Error, ErrorKind, Result};
use std::cmp::Ordering;

/// Longest text of one row in bytes, all cells together; a longer one is rejected, not carried around.
pub(crate) const TEXT_LIMIT: usize = 1 << 20;

/// What a row says about the deal's place in the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flag {
    /// Nothing.
    #[default]
    None,
    /// It was created, in a stage unknown.
    Created,
    /// It entered the stage.
    Entered,
    /// It was found in the stage.
    Seen,
    /// It left the pipeline.
    Removed,
}

/// A [`Flag`] and the stage it speaks of (the first one where it speaks of none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) flag: Flag,
    pub(crate) stage: StageId,
}

impl Step {
    /// The order among rows of one instant: process order, then leaving, then rows without a stage, which correct
    /// what the others said.
    const fn rank(self) -> u16 {
        match self.flag {
            Flag::Entered => 2 * self.stage.0 as u16,
            Flag::Seen => 2 * self.stage.0 as u16 + 1,
            Flag::Created => u16::MAX - 2,
            Flag::Removed => u16::MAX - 1,
            Flag::None => u16::MAX,
        }
    }
}

/// A cell that may carry a value.
#[derive(Debug, Default)]
pub(crate) enum Cell<T> {
    /// The row does not speak of it.
    #[default]
    Blank,
    /// From now on there is none.
    Cleared,
    /// From now on it is this.
    Given(T),
    /// It cannot be used; the row is kept without it.
    Bad(Error),
}

/// The cells of a row, read but not yet judged.
#[derive(Debug, Default)]
pub(crate) struct Cells<'a> {
    pub(crate) deal: &'a str,
    pub(crate) at: i64,
    pub(crate) recorded: Option<i64>,
    pub(crate) sequence: Option<i64>,
    pub(crate) step: Step,
    pub(crate) amount: Cell<f64>,
    pub(crate) close: Cell<i32>,
    pub(crate) category: Option<&'a str>,
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Cells<'a> {
    fn of_event(event: &'a DealEvent, process: &SalesProcess) -> Result<Self> {
        let mut cells = Self {
            deal: &event.deal,
            at: seconds(event.at),
            recorded: event.recorded_at.map(seconds),
            sequence: event.sequence,
            ..Self::default()
        };
        for change in &event.changes {
            match change {
                Change::Entered(stage) => {
                    cells.step = Step { flag: Flag::Entered, stage: process.find(stage)? };
                }
                Change::Seen(stage) => cells.step = Step { flag: Flag::Seen, stage: process.find(stage)? },
                Change::Created => cells.step = Step { flag: Flag::Created, stage: StageId::default() },
                Change::Removed => cells.step = Step { flag: Flag::Removed, stage: StageId::default() },
                Change::Amount(amount) => cells.amount = amount.map_or(Cell::Cleared, Cell::Given),
                Change::ExpectedClose(day) => {
                    cells.close = day.map_or(Cell::Cleared, |day| Cell::Given(day_number(day)));
                }
                Change::Category(category) => cells.category = Some(category),
                Change::Attribute { name, value } => cells.attributes.push((name, value)),
            }
        }
        Ok(cells)
    }

    fn text_len(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        attributes
            .fold(self.deal.len().saturating_add(self.category.map_or(0, str::len)), usize::saturating_add)
    }
}

/// Column values that stand for "not carried" and "none from now on". Amounts are never negative, so that columns
/// stay free of NaN and compare.
pub(super) const NO_AMOUNT: f64 = -1.0;
pub(super) const AMOUNT_CLEARED: f64 = -2.0;
pub(super) const NO_CLOSE: i32 = i32::MIN;
pub(super) const CLOSE_CLEARED: i32 = i32::MAX;
pub(super) const NO_CATEGORY: u32 = u32::MAX;
pub(super) const NO_SEQUENCE: i64 = i64::MIN;

/// Whether a row speaks of the amount; where it clears it, the column value is no [`Amount`].
pub(super) fn speaks(amount: f64) -> bool {
    amount.total_cmp(&NO_AMOUNT).is_ne()
}

/// A good row as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) at: i64,
    /// When it is known: never before it happened.
    pub(super) known: i64,
    pub(super) sequence: i64,
    pub(super) amount: f64,
    pub(super) deal: u32,
    pub(super) category: u32,
    pub(super) close: i32,
    pub(super) step: Step,
    /// Its attributes: a range of [`Draft::tags`].
    pub(super) tags: (u32, u32),
}

/// An attribute of a row: its name and its value by number.
pub(super) type Tag = (u32, u32);

/// Rows as they come, before they are put in order.
#[derive(Debug)]
pub(super) struct Draft<'p> {
    pub(super) process: &'p SalesProcess,
    pub(super) receipt: Receipt,
    pub(super) ids: Interner,
    pub(super) names: Interner,
    pub(super) words: Interner,
    pub(super) rows: Vec<Row>,
    pub(super) tags: Vec<Tag>,
    mode: Mode,
}

impl<'p> Draft<'p> {
    pub(super) fn new(process: &'p SalesProcess, mode: Mode, receipt: Receipt) -> Self {
        let (ids, names, words) = Default::default();
        Self { process, receipt, ids, names, words, rows: Vec::new(), tags: Vec::new(), mode }
    }

    pub(super) fn offer_event(&mut self, event: &DealEvent) -> Result<()> {
        let cells = Cells::of_event(event, self.process).map_err(|error| error.of_deal(&event.deal));
        self.offer(cells)
    }

    /// Judges one row alone. An error only where the mode is strict, or where the log is full.
    pub(super) fn offer(&mut self, row: Result<Cells<'_>>) -> Result<()> {
        let number = self.receipt.next_record();
        self.offer_of(number, row)
    }

    /// One of the rows that a record makes, judged alone and named by the number of its record.
    pub(super) fn offer_of(&mut self, number: u64, row: Result<Cells<'_>>) -> Result<()> {
        self.receipt.add_row();
        match row.and_then(|mut cells| self.judge(&mut cells, number)) {
            Err(error) if self.mode == Mode::Strict || error.kind() == ErrorKind::TooLarge && self.full() => {
                Err(error.at_row(number))
            }
            Err(error) => {
                self.receipt.reject(error.at_row(number));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn full(&self) -> bool {
        self.rows.len() >= index(u32::MAX - 1) || self.tags.len() >= index(u32::MAX - 1)
    }

    fn judge(&mut self, cells: &mut Cells<'_>, number: u64) -> Result<()> {
        if self.full() {
            return Err(Error::new(ErrorKind::TooLarge, "at most 2^32 - 2 rows and attributes in a log"));
        }
        if cells.text_len() > TEXT_LIMIT {
            return Err(Error::new(ErrorKind::TooLarge, "at most 1 MiB of text in a row").field("deal_id"));
        }
        if cells.deal.trim().is_empty() {
            return Err(Error::new(ErrorKind::Missing, "an id").field("deal_id"));
        }
        let amount = std::mem::take(&mut cells.amount);
        let close = std::mem::take(&mut cells.close);
        let (amount, bad_amount) = amount_value(amount);
        let (close, bad_close) = close_value(close);
        let bad = bad_amount.as_ref().or(bad_close.as_ref());
        if let (Some(error), Mode::Strict) = (bad, self.mode) {
            return Err(error.clone().of_deal(cells.deal));
        }
        let carries = cells.step.flag != Flag::None
            || speaks(amount)
            || close != NO_CLOSE
            || cells.category.is_some()
            || !cells.attributes.is_empty();
        if !carries {
            let missing = || Error::new(ErrorKind::Missing, "a stage or another change").field("stage");
            return Err(bad.cloned().unwrap_or_else(missing).of_deal(cells.deal));
        }
        let row = Row {
            at: cells.at,
            known: cells.recorded.unwrap_or(cells.at).max(cells.at),
            sequence: cells.sequence.map_or(NO_SEQUENCE, |sequence| sequence.max(NO_SEQUENCE + 1)),
            amount,
            deal: number_of(&mut self.ids, cells.deal)?,
            category: cells.category.map_or(Ok(NO_CATEGORY), |word| number_of(&mut self.words, word))?,
            close,
            step: cells.step,
            tags: self.tag(&cells.attributes)?,
        };
        self.rows.push(row);
        self.receipt.dropped(number, cells.deal, [bad_amount, bad_close]);
        Ok(())
    }

    /// Stores the attributes of a row; the last value of a name counts.
    fn tag(&mut self, attributes: &[(&str, &str)]) -> Result<(u32, u32)> {
        if attributes.is_empty() {
            return Ok((0, 0));
        }
        let mut last = Vec::with_capacity(attributes.len());
        for &(name, value) in attributes.iter().rev() {
            last.push((number_of(&mut self.names, name)?, value));
        }
        last.sort_by_key(|&(name, _)| name);
        last.dedup_by_key(|&mut (name, _)| name);
        let mut tags = Vec::with_capacity(last.len());
        for (name, value) in last {
            tags.push((name, number_of(&mut self.words, value)?));
        }
        self.push_tags(&tags)
    }

    pub(super) fn push_tags(&mut self, tags: &[Tag]) -> Result<(u32, u32)> {
        let full = |_| Error::new(ErrorKind::TooLarge, "at most 2^32 - 2 attributes in a log");
        let start = u32::try_from(self.tags.len()).map_err(full)?;
        let end = u32::try_from(self.tags.len() + tags.len()).map_err(full)?;
        self.tags.extend_from_slice(tags);
        Ok((start, end))
    }

    /// Puts everything in order.
    pub(super) fn finish(self) -> (Columns, Receipt) {
        Columns::of(self)
    }
}

pub(super) fn number_of(interner: &mut Interner, text: &str) -> Result<u32> {
    interner.number(text).ok_or_else(|| Error::new(ErrorKind::TooLarge, "at most 2^32 - 1 different texts"))
}

/// The column value, and why the cell was dropped if it was.
fn amount_value(cell: Cell<f64>) -> (f64, Option<Error>) {
    match cell {
        Cell::Blank => (NO_AMOUNT, None),
        Cell::Cleared => (AMOUNT_CLEARED, None),
        Cell::Given(amount) => match Amount::new(amount) {
            Ok(amount) => (amount.get(), None),
            Err(error) => (NO_AMOUNT, Some(error)),
        },
        Cell::Bad(error) => (NO_AMOUNT, Some(error)),
    }
}

fn close_value(cell: Cell<i32>) -> (i32, Option<Error>) {
    match cell {
        Cell::Blank => (NO_CLOSE, None),
        Cell::Cleared => (CLOSE_CLEARED, None),
        Cell::Given(day) => (day, None),
        Cell::Bad(error) => (NO_CLOSE, Some(error)),
    }
}

/// The canonical order of a deal's rows: by instant, sequence, process order; then by everything else, so that the
/// order in which rows came in leaves no trace. Equal up to `known` means the same row twice.
pub(super) fn canonical(a: &Row, b: &Row, tags: &[Tag]) -> Ordering {
    same_moment(a, b).then_with(|| rest(a, b, tags)).then_with(|| a.known.cmp(&b.known))
}

/// Whether two rows say the same thing, whenever it became known.
pub(super) fn same(a: &Row, b: &Row, tags: &[Tag]) -> bool {
    same_moment(a, b).is_eq() && rest(a, b, tags).is_eq()
}

fn same_moment(a: &Row, b: &Row) -> Ordering {
    (a.at, a.sequence, a.step.rank()).cmp(&(b.at, b.sequence, b.step.rank()))
}

fn rest(a: &Row, b: &Row, tags: &[Tag]) -> Ordering {
    let of = |row: &Row| tags.get(index(row.tags.0)..index(row.tags.1)).unwrap_or(&[]);
    a.amount
        .total_cmp(&b.amount)
        .then_with(|| (a.close, a.category).cmp(&(b.close, b.category)))
        .then_with(|| of(a).cmp(of(b)))
}
