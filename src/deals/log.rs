//! The log: every accepted row, in one canonical order.

use super::columns::Columns;
use super::event::{DealEvent, Mode};
use super::known::Known;
use super::process::SalesProcess;
use super::receipt::{Finding, Receipt};
use super::row::{Cells, Draft};
use super::rules::Rules;
use crate::Result;
use crate::time::seconds;
use chrono::NaiveDateTime;
use std::borrow::Borrow;

/// What happened to every deal, checked row by row and kept in one canonical order: the same rows in any order, in one
/// piece or in many, some of them twice, make the same log.
///
/// # Meaning
/// * A row is judged alone; a later row never rejects it. Contradictions between rows are [findings](super::Finding).
/// * Rows of one instant are ordered by `sequence`, then in the order of the process; rows without a stage come last.
/// * A row that says exactly what another one says counts once, as known from the earlier of the two.
/// * Ids and stage names are taken literally: `"D-1 "` is not `"D-1"`.
///
/// # Units
/// Amounts are in one unit a log. A row costs 18 bytes (more where rows carry sequences, late knowledge, expected
/// closes or categories), a deal 4 bytes and its id.
///
/// # Example: what was known that morning?
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::time::date;
/// let process = SalesProcess::open(["qualify", "propose"])?;
/// let entered = |stage: &str, day| DealEvent::new("D-17", date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
/// let log = DealLog::from_events(&process, [entered("won", 20), entered("qualify", 2), entered("propose", 9)])?;
/// let book = log.as_of(date(2026, 3, 10)?).snapshot();
/// assert_eq!((book.open().len(), book.won().len()), (1, 0));
/// assert_eq!((book.open()[0].stage(), book.open()[0].age_days()), ("propose", 1));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DealLog {
    pub(super) process: SalesProcess,
    pub(super) columns: Columns,
    pub(super) rules: Rules,
    /// When it was looked at, in seconds and in order; empty where it was always watched.
    pub(super) looks: Vec<i64>,
    receipt: Receipt,
}

impl DealLog {
    /// A log without rows.
    pub fn new(process: &SalesProcess) -> Self {
        Self {
            process: process.clone(),
            columns: Columns::default(),
            rules: Rules::default(),
            looks: Vec::new(),
            receipt: Receipt::default(),
        }
    }

    /// All rows; those that cannot be taken go into the [`receipt`](Self::receipt).
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge) beyond 2^32 - 2 rows.
    pub fn from_events(
        process: &SalesProcess,
        events: impl IntoIterator<Item = impl Borrow<DealEvent>>,
    ) -> Result<Self> {
        Self::from_events_with(process, events, Mode::Collect)
    }

    /// All rows, or with [`Mode::Strict`] the first reason why not.
    ///
    /// # Errors
    /// As [`from_events`](Self::from_events); with [`Mode::Strict`] also whatever is wrong with the first bad row.
    pub fn from_events_with(
        process: &SalesProcess,
        events: impl IntoIterator<Item = impl Borrow<DealEvent>>,
        mode: Mode,
    ) -> Result<Self> {
        let mut log = Self::new(process);
        log.append_with(events, mode)?;
        Ok(log)
    }

    /// More rows: the log is the same as if it had been given all of them at once. Costs one pass over the whole log,
    /// so append a day at a time rather than a row.
    ///
    /// # Errors
    /// As [`from_events`](Self::from_events); the log is then unchanged.
    pub fn append(&mut self, events: impl IntoIterator<Item = impl Borrow<DealEvent>>) -> Result<()> {
        self.append_with(events, Mode::Collect)
    }

    /// More rows, in a stated [`Mode`].
    ///
    /// # Errors
    /// As [`from_events_with`](Self::from_events_with); the log is then unchanged.
    pub fn append_with(
        &mut self,
        events: impl IntoIterator<Item = impl Borrow<DealEvent>>,
        mode: Mode,
    ) -> Result<()> {
        self.extend(mode, |offer| events.into_iter().try_for_each(|event| offer.event(event.borrow())))
    }

    /// Adds what `fill` offers, or nothing if it fails.
    pub(crate) fn extend(
        &mut self,
        mode: Mode,
        fill: impl FnOnce(&mut Offer<'_>) -> Result<()>,
    ) -> Result<()> {
        let process = self.process.clone();
        let mut offer = self.offer(&process, mode)?;
        fill(&mut offer)?;
        self.take(offer);
        Ok(())
    }

    /// Opens the log for more rows; `process` is its own.
    pub(crate) fn offer<'p>(&self, process: &'p SalesProcess, mode: Mode) -> Result<Offer<'p>> {
        let mut offer = Offer(Draft::new(process, mode, self.receipt.clone()));
        self.columns.refill(&mut offer.0)?;
        Ok(offer)
    }

    /// Puts everything offered in order.
    pub(crate) fn take(&mut self, offer: Offer<'_>) {
        (self.columns, self.receipt) = offer.0.finish();
    }

    /// What was done with each row.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The same log, made from snapshots of these instants: between two of them nothing was known.
    pub(crate) fn looked_at(mut self, instants: impl Iterator<Item = NaiveDateTime>) -> Self {
        self.looks = instants.map(seconds).collect();
        self
    }

    /// The same log with something noted in its receipt that its rows do not show.
    pub(crate) fn noting(mut self, finding: Finding, count: u64) -> Self {
        self.receipt.note(finding, count);
        self
    }

    /// The stages.
    pub fn process(&self) -> &SalesProcess {
        &self.process
    }

    /// The log as it was visible at an instant (a date is its midnight): facts that had happened and were known before
    /// it, to the second. Where the log comes from snapshots, nothing is known of the days since the last one, so the view
    /// is that of the last snapshot's instant.
    ///
    /// An export made during a day shows that day as well: ask as of the next one.
    pub fn as_of(&self, at: impl Into<NaiveDateTime>) -> Known<'_> {
        Known::new(self, at.into())
    }

    /// Bytes held by the rows and their index, beyond ids, attributes and the receipt.
    pub fn memory_bytes(&self) -> usize {
        self.columns.bytes()
    }
}

/// Where readers of rows hand them in.
#[derive(Debug)]
pub(crate) struct Offer<'p>(Draft<'p>);

impl Offer<'_> {
    pub(crate) fn event(&mut self, event: &DealEvent) -> Result<()> {
        self.0.offer_event(event)
    }

    pub(crate) fn cells(&mut self, cells: Result<Cells<'_>>) -> Result<()> {
        self.0.offer(cells)
    }

    /// Numbers a record that may make any number of rows.
    pub(crate) fn record(&mut self) -> u64 {
        self.0.receipt.next_record()
    }

    /// One row of a record.
    pub(crate) fn row(&mut self, record: u64, cells: Result<Cells<'_>>) -> Result<()> {
        self.0.offer_of(record, cells)
    }

    /// The record just numbered speaks of nothing that a log keeps.
    pub(crate) fn ignore(&mut self) {
        self.0.receipt.ignore();
    }

    /// Counts what only the reader of a source can find.
    pub(crate) fn note(&mut self, finding: Finding) {
        self.0.receipt.note(finding, 1);
    }

    pub(crate) fn process(&self) -> &SalesProcess {
        self.0.process
    }
}
