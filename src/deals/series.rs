//! Periodic snapshots of one process: what companies have whose CRM keeps no history of its stages.

use super::Mode;
use super::process::{SalesProcess, StageId, StageKind};
use super::receipt::{Finding, Findings, Receipt};
use super::snapshot::{Snapshot, SnapshotRow};
use crate::time::{civil, seconds};
use crate::{Error, ErrorKind, Result};
use chrono::{Days, NaiveDateTime};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// What it means that an open deal of one snapshot is missing from the next one. Only the caller knows: an export of
/// open deals leaves out closed ones, a filter on an owner leaves out deals that were handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Vanished {
    /// It was lost, on some day between the two.
    Lost,
    /// It went out of sight, without an outcome: censored where it was last seen.
    Removed,
    /// It must not happen: the later snapshot is refused, naming the deal.
    Refused,
}

/// Several snapshots of one process at increasing instants, and what vanished deals mean.
///
/// # Meaning
/// A snapshot shows where deals stand, not when they moved. What lies between two snapshots becomes known at the later
/// one. A deal may be missing from a snapshot: a closed one is then as it was, an open one has [`Vanished`], which the
/// [`receipt`](Self::receipt) counts. A log, and from it the forecast, follows from
/// [`reconstruct`](Self::reconstruct).
///
/// # Units
/// Rows that say what the deal's row before said cost nothing, so a series is as large as what changed in it.
///
/// # Example: three weekly exports
/// ```
/// use dealcast::deals::{SalesProcess, Snapshot, SnapshotRow, SnapshotSeries, Vanished};
/// use dealcast::time::date;
/// let process = SalesProcess::open(["qualify", "propose"])?;
/// let row = |day, deal: &str, stage: &str| {
///     let row = SnapshotRow { deal_id: deal.into(), stage: stage.into(), ..SnapshotRow::default() };
///     (date(2026, 3, day).unwrap().into(), row)
/// };
/// let series = SnapshotSeries::from_rows(&process, Vanished::Lost, [
///     row(2, "a", "qualify"), row(2, "b", "qualify"),
///     row(9, "a", "propose"), row(9, "b", "qualify"), row(9, "b", "quality"),
///     row(16, "a", "won"),
/// ])?;
/// assert_eq!((series.n_snapshots(), series.n_vanished()), (3, 1)); // b is missing from the third
/// assert_eq!(series.receipt().quarantined(), 1);
/// assert_eq!(series.snapshot(1).unwrap().n_open(), 2);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotSeries {
    process: SalesProcess,
    vanished: Vanished,
    instants: Vec<NaiveDateTime>,
    deals: BTreeMap<String, Vec<Sighting>>,
    receipt: Receipt,
}

/// What consecutive snapshots said of a deal, all of them the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sighting {
    /// The first of the snapshots.
    pub(crate) first: usize,
    /// The last of them.
    pub(crate) last: usize,
    pub(crate) stage: StageId,
    /// With `entered` in place of an age; `None` there where the row said neither.
    pub(crate) row: SnapshotRow,
}

impl SnapshotSeries {
    /// No snapshot yet.
    ///
    /// # Errors
    /// [`InvalidProcess`](ErrorKind::InvalidProcess) where vanished deals are lost and no stage means lost.
    pub fn new(process: &SalesProcess, vanished: Vanished) -> Result<Self> {
        let can_lose = process.stages().iter().any(|stage| stage.kind() == StageKind::Lost);
        if vanished == Vanished::Lost && !can_lose {
            return Err(Error::new(ErrorKind::InvalidProcess, "a stage that means lost, for vanished deals"));
        }
        let (instants, deals, receipt) = Default::default();
        Ok(Self { process: process.clone(), vanished, instants, deals, receipt })
    }

    /// From snapshots in any order.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`push`](Self::push); [`NoHistory`](ErrorKind::NoHistory) without a snapshot.
    pub fn from_snapshots(vanished: Vanished, snapshots: impl IntoIterator<Item = Snapshot>) -> Result<Self> {
        let mut snapshots: Vec<Snapshot> = snapshots.into_iter().collect();
        snapshots.sort_by_key(Snapshot::as_of);
        let first = snapshots.first().ok_or_else(|| Error::new(ErrorKind::NoHistory, "a snapshot"))?;
        let mut series = Self::new(first.process(), vanished)?;
        for snapshot in snapshots {
            series.push(snapshot)?;
        }
        Ok(series)
    }

    /// From rows, each with the instant of its snapshot, in any order; rows that cannot be taken go into the
    /// [`receipt`](Self::receipt). A won or lost deal without a date is found so at the snapshot.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`push`](Self::push).
    pub fn from_rows(
        process: &SalesProcess,
        vanished: Vanished,
        rows: impl IntoIterator<Item = (NaiveDateTime, SnapshotRow)>,
    ) -> Result<Self> {
        Self::from_rows_with(process, (vanished, Mode::Collect), rows)
    }

    /// As [`from_rows`](Self::from_rows), or with [`Mode::Strict`] the first reason why not.
    ///
    /// # Errors
    /// As there; with [`Mode::Strict`] also whatever is wrong with the first bad row: see [`Snapshot::from_rows`].
    pub fn from_rows_with(
        process: &SalesProcess,
        (vanished, mode): (Vanished, Mode),
        rows: impl IntoIterator<Item = (NaiveDateTime, SnapshotRow)>,
    ) -> Result<Self> {
        let rows = rows.into_iter().map(|(at, row)| (at, Ok((row, [None, None]))));
        Self::from_shown(process, (vanished, mode), rows)
    }

    /// From rows as a reader of exports made them, each with the cells (amount, expected close) it lost, or why it is
    /// none.
    pub(crate) fn from_shown(
        process: &SalesProcess,
        (vanished, mode): (Vanished, Mode),
        rows: impl IntoIterator<Item = (NaiveDateTime, Result<(SnapshotRow, [Option<Error>; 2])>)>,
    ) -> Result<Self> {
        let mut series = Self::new(process, vanished)?;
        let mut by_instant: BTreeMap<NaiveDateTime, Vec<(u64, SnapshotRow)>> = BTreeMap::new();
        let mut faults = Vec::new();
        for (at, row) in rows {
            let number = series.receipt.next_row();
            let rows = by_instant.entry(at).or_default();
            match row {
                Ok((row, lost)) => {
                    series.receipt.dropped(number, &row.deal_id, lost);
                    rows.push((number, row));
                }
                Err(error) => faults.push(error.at_row(number)),
            }
        }
        for (at, mut rows) in by_instant {
            let mut snapshot = Snapshot::empty(process, at);
            rows.sort_by(|a, b| canonical(process, &a.1, &b.1).then(a.0.cmp(&b.0)));
            rows.dedup_by(|later, first| later.1 == first.1);
            let mut rows = rows.into_iter().peekable();
            while let Some((number, row)) = rows.next() {
                let deal = row.deal_id.clone();
                // Of two rows of one deal the one that is further in the process counts.
                let again = rows.peek().is_some_and(|(_, next)| next.deal_id == deal);
                let taken = if again {
                    Err(Error::new(ErrorKind::OutOfRange, "one row a deal in a snapshot").field("deal_id"))
                } else {
                    snapshot.take(found_closed(process, at, row))
                };
                if let Err(error) = taken {
                    faults.push(error.of_deal(&deal).at_row(number));
                }
            }
            series.add(snapshot)?;
        }
        series.settle(faults, mode)
    }

    fn settle(mut self, mut faults: Vec<Error>, mode: Mode) -> Result<Self> {
        faults.sort_by_key(Error::row);
        if mode == Mode::Strict && !faults.is_empty() {
            return Err(faults.swap_remove(0));
        }
        faults.into_iter().for_each(|error| self.receipt.reject(error));
        let accepted = self.deals.values().flatten().map(|s| s.last + 1 - s.first).sum();
        self.receipt.settle(accepted, Findings::default());
        Ok(self)
    }

    /// One more snapshot, later than all before.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) where it is not later or, with [`Vanished::Refused`], an open deal is
    /// missing; [`InvalidProcess`](ErrorKind::InvalidProcess) for another process. The series is then unchanged.
    pub fn push(&mut self, snapshot: Snapshot) -> Result<()> {
        let n_rows = snapshot.n_open() + snapshot.won().len() + snapshot.lost().len();
        self.add(snapshot)?;
        self.receipt.accept(n_rows);
        Ok(())
    }

    fn add(&mut self, snapshot: Snapshot) -> Result<()> {
        let at = snapshot.as_of();
        if snapshot.process() != &self.process {
            return Err(Error::new(ErrorKind::InvalidProcess, "a snapshot of the same process"));
        }
        if let Some(&last) = self.instants.last()
            && seconds(last) >= seconds(at)
        {
            let expected = format!("a snapshot later than {last}");
            return Err(Error::new(ErrorKind::OutOfRange, expected).field("as_of").found(at));
        }
        let now = self.instants.len();
        let rows = snapshot.into_rows();
        let n_vanished = self.missing(now, &rows)?;
        self.instants.push(at);
        self.receipt.note(Finding::Vanished, n_vanished);
        for row in rows {
            let stage = self.process.find(&row.stage)?;
            let mut row = dated(at, row);
            let track = self.deals.entry(row.deal_id.clone()).or_default();
            if let Some(before) = track.last()
                && before.stage == stage
                && row.seen
            {
                // It was found there before.
                (row.entered, row.seen) = (before.row.entered, before.row.seen);
            }
            match track.last_mut() {
                Some(sighting) if sighting.last + 1 == now && sighting.row == row => sighting.last = now,
                _ => track.push(Sighting { first: now, last: now, stage, row }),
            }
        }
        Ok(())
    }

    /// How many open deals of the last snapshot are not in these rows, which are in the order of their ids.
    fn missing(&self, now: usize, rows: &[SnapshotRow]) -> Result<u64> {
        let mut n_vanished = 0;
        for (deal, track) in &self.deals {
            let was_open = track
                .last()
                .is_some_and(|s| s.last + 1 == now && self.process.kind(s.stage) == StageKind::Open);
            if was_open && rows.binary_search_by(|row| row.deal_id.cmp(deal)).is_err() {
                if self.vanished == Vanished::Refused {
                    let expected = "every open deal of the snapshot before";
                    return Err(Error::new(ErrorKind::OutOfRange, expected).field("deal_id").of_deal(deal));
                }
                n_vanished += 1;
            }
        }
        Ok(n_vanished)
    }

    /// The stages.
    pub const fn process(&self) -> &SalesProcess {
        &self.process
    }

    /// What vanished deals mean.
    pub const fn vanished(&self) -> Vanished {
        self.vanished
    }

    /// When the snapshots were taken, in order.
    pub fn instants(&self) -> &[NaiveDateTime] {
        &self.instants
    }

    /// How many snapshots there are.
    pub fn n_snapshots(&self) -> usize {
        self.instants.len()
    }

    /// How many deals there are in any of them.
    pub fn n_deals(&self) -> usize {
        self.deals.len()
    }

    /// How often an open deal was missing from the next snapshot.
    pub fn n_vanished(&self) -> u64 {
        self.receipt.count(Finding::Vanished)
    }

    /// What was done with each row, and how many deals vanished.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// A snapshot by its place, the first one being 0.
    pub fn snapshot(&self, place: usize) -> Option<Snapshot> {
        let at = *self.instants.get(place)?;
        let covers = |sighting: &&Sighting| sighting.first <= place && place <= sighting.last;
        let rows = self.deals.values().filter_map(|track| Some(track.iter().find(covers)?.row.clone()));
        Snapshot::from_rows(&self.process, at, rows).ok()
    }

    /// The deals in the order of their ids, each with what was seen of it.
    pub(crate) fn tracks(&self) -> impl Iterator<Item = (&str, &[Sighting])> {
        self.deals.iter().map(|(deal, track)| (deal.as_str(), track.as_slice()))
    }
}

/// A row with the instant in place of its age.
fn dated(at: NaiveDateTime, mut row: SnapshotRow) -> SnapshotRow {
    if let Some(age) = row.age_days.take()
        && row.entered.is_none()
    {
        row.entered = at.date().checked_sub_days(Days::new(age.into())).map(Into::into);
    }
    row.entered = row.entered.map(|entered| civil(seconds(entered)));
    row
}

/// A closed deal without a date is found closed at the snapshot.
fn found_closed(process: &SalesProcess, at: NaiveDateTime, mut row: SnapshotRow) -> SnapshotRow {
    let closed = process.find(&row.stage).is_ok_and(|stage| process.kind(stage) != StageKind::Open);
    if closed && row.entered.is_none() && row.age_days.is_none() {
        (row.entered, row.seen) = (Some(at), true);
    }
    row
}

/// By deal, then by place in the process, then by everything else, so that the order of rows leaves no trace.
fn canonical(process: &SalesProcess, a: &SnapshotRow, b: &SnapshotRow) -> Ordering {
    // A stage that is not in the process cannot be the one that counts.
    let place = |row: &SnapshotRow| process.find(&row.stage).ok();
    let amount = |row: &SnapshotRow| row.amount.unwrap_or(-1.0);
    a.deal_id
        .cmp(&b.deal_id)
        .then_with(|| place(a).cmp(&place(b)))
        .then_with(|| a.stage.cmp(&b.stage))
        .then_with(|| amount(a).total_cmp(&amount(b)))
        .then_with(|| (a.entered, a.age_days, a.seen).cmp(&(b.entered, b.age_days, b.seen)))
        .then_with(|| (a.expected_close, a.created).cmp(&(b.expected_close, b.created)))
        .then_with(|| a.category.cmp(&b.category))
        .then_with(|| a.attributes.cmp(&b.attributes))
}

impl fmt::Display for SnapshotSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} snapshots of {} deals", self.n_snapshots(), self.n_deals())?;
        if let (Some(first), Some(last)) = (self.instants.first(), self.instants.last()) {
            write!(f, ", {first} to {last}")?;
        }
        match (self.n_vanished(), self.vanished) {
            (0, _) => Ok(()),
            (n, Vanished::Lost) => write!(f, "; {n} times an open deal vanished and counts as lost"),
            (n, _) => write!(f, "; {n} times an open deal vanished and is censored"),
        }
    }
}
