//! The deals as recorded at one instant.

use super::book::Book;
use super::known::{Known, Position};
use super::process::{SalesProcess, StageKind};
use super::row::TEXT_LIMIT;
use crate::num::Amount;
use crate::time::{Period, civil, civil_day, seconds};
use crate::{Error, ErrorKind, Result};
use chrono::{Days, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The deals as recorded at one instant: the open ones, and the won and lost ones with when and for how much.
///
/// It comes from a log ([`Known::snapshot`]) or straight from the rows of an export ([`Snapshot::from_rows`]).
/// Deals are in the order of their ids; removed deals are not in it.
///
/// # Example: a service is sent today's deals
/// ```
/// use dealcast::deals::{SalesProcess, Snapshot, SnapshotRow};
/// use dealcast::time::{Period, date};
/// let process = SalesProcess::open(["qualify", "propose"])?;
/// let rows: Vec<SnapshotRow> = serde_json::from_str(r#"[
///     {"deal_id": "a", "stage": "propose", "entered": "2026-03-01T00:00:00", "amount": 5000.0},
///     {"deal_id": "b", "stage": "qualify", "age_days": 12},
///     {"deal_id": "c", "stage": "won", "entered": "2026-02-11T00:00:00", "amount": 800.0}
/// ]"#).unwrap();
/// let book = Snapshot::from_rows(&process, date(2026, 3, 10)?.into(), rows)?;
/// assert_eq!(book.open_book()?.to_string(), "5.00 k in 2 deals, 1 of them without an amount");
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// assert_eq!(book.booked(&quarter)?.amount().get(), 800.0);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Snapshot {
    as_of: NaiveDateTime,
    process: SalesProcess,
    open: Vec<OpenDeal>,
    won: Vec<ClosedDeal>,
    lost: Vec<ClosedDeal>,
}

/// An open deal of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq)]
pub struct OpenDeal {
    row: SnapshotRow,
    stage: super::StageId,
    since: i64,
    age_days: u32,
    exact: bool,
    amount: Option<Amount>,
}

/// A won or lost deal of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedDeal {
    row: SnapshotRow,
    at: i64,
    amount: Option<Amount>,
}

/// A row of an export of current deals. Of `entered` and `age_days` at most one is needed; an open deal with neither
/// counts as found in its stage just now. For a won or lost deal `entered` is when it was won or lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRow {
    /// The deal's id.
    pub deal_id: String,
    /// The stage it is in.
    pub stage: String,
    /// When it entered that stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered: Option<NaiveDateTime>,
    /// Civil days since it entered that stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u32>,
    /// Whether it was only found in the stage at `entered` and had entered it before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub seen: bool,
    /// Its amount: a number, or a text that is one.
    #[serde(default, with = "super::decimal", skip_serializing_if = "Option::is_none")]
    pub amount: Option<f64>,
    /// The day on which it is expected to close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_close: Option<NaiveDate>,
    /// When the deal was created, which a [`SnapshotSeries`](super::SnapshotSeries) makes use of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<NaiveDateTime>,
    /// Its forecast category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Snapshot {
    /// From the rows of an export.
    ///
    /// # Errors
    /// The first row that cannot be taken, with its number, deal and field: no or a repeated id, an unknown stage, an
    /// amount that is not a finite number `>= 0`, a stage entered after `as_of`, a won or lost deal without a date,
    /// more than 1 MiB of text.
    pub fn from_rows(
        process: &SalesProcess,
        as_of: NaiveDateTime,
        rows: impl IntoIterator<Item = SnapshotRow>,
    ) -> Result<Self> {
        let mut snapshot = Self::empty(process, as_of);
        let mut numbered: Vec<(u64, SnapshotRow)> = (1..).zip(rows).collect();
        numbered.sort_by(|a, b| a.1.deal_id.cmp(&b.1.deal_id));
        for pair in numbered.windows(2) {
            if let [(_, first), (number, second)] = pair
                && first.deal_id == second.deal_id
            {
                let error = Error::new(ErrorKind::OutOfRange, "one row a deal");
                return Err(error.field("deal_id").of_deal(&second.deal_id).at_row(*number));
            }
        }
        // The first row at fault is named, not the first by id.
        let mut fault: Option<(u64, Error)> = None;
        for (number, row) in numbered {
            let deal = fault.is_none().then(|| row.deal_id.clone());
            if let Err(error) = snapshot.take(row)
                && fault.as_ref().is_none_or(|&(earlier, _)| number < earlier)
            {
                let error = error.at_row(number);
                fault = Some((
                    number,
                    match deal {
                        Some(deal) => error.of_deal(&deal),
                        None => error,
                    },
                ));
            }
        }
        fault.map_or(Ok(snapshot), |(_, error)| Err(error))
    }

    /// No deals yet.
    pub(super) fn empty(process: &SalesProcess, as_of: NaiveDateTime) -> Self {
        Self { as_of, process: process.clone(), open: Vec::new(), won: Vec::new(), lost: Vec::new() }
    }

    /// Its rows as an export would give them, in the order of their ids.
    pub(super) fn into_rows(self) -> Vec<SnapshotRow> {
        let closed = self.won.into_iter().chain(self.lost).map(|deal| deal.row);
        let mut rows: Vec<_> = self.open.into_iter().map(|deal| deal.row).chain(closed).collect();
        rows.sort_by(|a, b| a.deal_id.cmp(&b.deal_id));
        rows
    }

    /// Judges one more row.
    pub(super) fn take(&mut self, row: SnapshotRow) -> Result<()> {
        if row.deal_id.trim().is_empty() {
            return Err(Error::new(ErrorKind::Missing, "an id").field("deal_id"));
        }
        if row.text_len() > TEXT_LIMIT {
            return Err(Error::new(ErrorKind::TooLarge, "at most 1 MiB of text in a row").field("deal_id"));
        }
        let stage = self.process.find(&row.stage)?;
        let amount = row.amount.map(Amount::new).transpose()?;
        let (since, exact) = self.since(&row)?;
        if since > seconds(self.as_of) {
            let error =
                Error::new(ErrorKind::OutOfRange, "an instant not after the snapshot").field("entered");
            return Err(error.found(civil(since)));
        }
        match self.process.kind(stage) {
            StageKind::Open => {
                let age_days = civil_day(seconds(self.as_of)).abs_diff(civil_day(since));
                self.open.push(OpenDeal { row, stage, since, age_days, exact, amount });
            }
            _ if row.entered.is_none() && row.age_days.is_none() => {
                let expected = "the instant at which a closed deal was closed";
                return Err(Error::new(ErrorKind::Missing, expected).field("entered"));
            }
            StageKind::Won => self.won.push(ClosedDeal { row, at: since, amount }),
            StageKind::Lost => self.lost.push(ClosedDeal { row, at: since, amount }),
        }
        Ok(())
    }

    /// Since when a deal is in its stage, and whether that is when it entered it.
    fn since(&self, row: &SnapshotRow) -> Result<(i64, bool)> {
        match (row.entered, row.age_days) {
            (Some(entered), _) => Ok((seconds(entered), !row.seen)),
            (None, Some(age)) => {
                let day = self.as_of.date().checked_sub_days(Days::new(age.into()));
                let too_old = || Error::new(ErrorKind::OutOfRange, "an age inside the calendar");
                let midnight = day.ok_or_else(|| too_old().field("age_days").found(age))?;
                Ok((seconds(midnight.into()), !row.seen))
            }
            (None, None) => Ok((seconds(self.as_of), false)),
        }
    }

    pub(super) fn of(known: &Known<'_>) -> Self {
        let process = known.process();
        let mut snapshot = Self::empty(process, known.at());
        let today = civil_day(known.until());
        for deal in known.deals() {
            let (stage, since, exact) = match deal.position() {
                Position::Open { stage, since, exact } => (stage, since, exact),
                Position::Won { stage, at } | Position::Lost { stage, at } => (stage, at, true),
                Position::Removed { .. } => continue,
            };
            let amount = deal.amount();
            let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            let row = SnapshotRow {
                deal_id: deal.id().to_owned(),
                stage: process.name(stage).to_owned(),
                entered: Some(civil(since)),
                age_days: None,
                seen: !exact,
                amount: amount.map(Amount::get),
                expected_close: deal.expected_close(),
                created: (!deal.is_left_truncated()).then(|| deal.created()),
                category: deal.category().map(str::to_owned),
                attributes: deal.attributes().into_iter().map(owned).collect(),
            };
            match process.kind(stage) {
                StageKind::Open => {
                    let age_days = today.abs_diff(civil_day(since));
                    snapshot.open.push(OpenDeal { row, stage, since, age_days, exact, amount });
                }
                StageKind::Won => snapshot.won.push(ClosedDeal { row, at: since, amount }),
                StageKind::Lost => snapshot.lost.push(ClosedDeal { row, at: since, amount }),
            }
        }
        snapshot
    }

    /// A book of the same instant with these open deals, in the order of their ids, and nothing closed.
    pub(crate) fn holding(&self, open: Vec<OpenDeal>) -> Self {
        Self { open, ..Self::empty(&self.process, self.as_of) }
    }

    /// The instant.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// The stages.
    pub const fn process(&self) -> &SalesProcess {
        &self.process
    }

    /// The open deals, by id.
    pub fn open(&self) -> &[OpenDeal] {
        &self.open
    }

    /// The won deals, by id.
    pub fn won(&self) -> &[ClosedDeal] {
        &self.won
    }

    /// The lost deals, by id.
    pub fn lost(&self) -> &[ClosedDeal] {
        &self.lost
    }

    /// How many deals are open.
    pub fn n_open(&self) -> usize {
        self.open.len()
    }

    /// What is open, at full amounts.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where the sum is no finite number.
    pub fn open_book(&self) -> Result<Book> {
        Book::of(self.open.iter().map(|deal| deal.amount))
    }

    /// What is won, inside a period: the amounts, as known at the snapshot, of the deals won then.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where the sum is no finite number.
    pub fn booked(&self, period: &Period) -> Result<Book> {
        Book::of(self.won.iter().filter(|deal| period.contains(deal.closed())).map(|deal| deal.amount))
    }

    /// All that is won, whenever it was.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where the sum is no finite number.
    pub fn won_book(&self) -> Result<Book> {
        Book::of(self.won.iter().map(|deal| deal.amount))
    }
}

impl SnapshotRow {
    fn text_len(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        let category = self.category.as_ref().map_or(0, String::len);
        attributes.fold(self.deal_id.len().saturating_add(category), usize::saturating_add)
    }
}

/// What the two kinds of deals have in common.
macro_rules! recorded {
    ($($deal:ty),*) => {$(
        impl $deal {
            /// Its id.
            pub fn id(&self) -> &str {
                &self.row.deal_id
            }

            /// The stage it is in.
            pub fn stage(&self) -> &str {
                &self.row.stage
            }

            /// Its amount; `None` where none is stated.
            pub const fn amount(&self) -> Option<Amount> {
                self.amount
            }

            /// The day on which it was expected to close.
            pub const fn expected_close(&self) -> Option<NaiveDate> {
                self.row.expected_close
            }

            /// Its forecast category.
            pub fn category(&self) -> Option<&str> {
                self.row.category.as_deref()
            }

            /// The value of an attribute.
            pub fn attribute(&self, name: &str) -> Option<&str> {
                self.row.attributes.get(name).map(String::as_str)
            }

            /// All attributes, by name.
            pub const fn attributes(&self) -> &BTreeMap<String, String> {
                &self.row.attributes
            }
        }
    )*};
}
recorded!(OpenDeal, ClosedDeal);

impl OpenDeal {
    /// Since when it is known to be in its stage without interruption.
    pub fn entered(&self) -> NaiveDateTime {
        civil(self.since)
    }

    /// Whether it entered the stage at [`entered`](Self::entered), or was only found in it then.
    pub const fn is_exact(&self) -> bool {
        self.exact
    }

    /// Civil days from the day it entered its stage to the day of the snapshot.
    pub const fn age_days(&self) -> u32 {
        self.age_days
    }

    /// The same deal at another amount.
    pub(crate) fn worth(&self, amount: Option<Amount>) -> Self {
        let mut row = self.row.clone();
        row.amount = amount.map(Amount::get);
        Self { row, amount, ..*self }
    }

    /// Position of its stage in the process.
    pub(crate) const fn stage_id(&self) -> super::StageId {
        self.stage
    }

    /// The day it entered its stage, as a number.
    pub(crate) fn entered_day(&self) -> i32 {
        civil_day(self.since)
    }
}

impl ClosedDeal {
    /// When it was won or lost.
    pub fn closed(&self) -> NaiveDateTime {
        civil(self.at)
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "as of {}: ", self.as_of)?;
        match self.open_book() {
            Ok(book) => write!(f, "{book} open")?,
            Err(_) => write!(f, "{} deals open", self.open.len())?,
        }
        write!(f, ", {} won, {} lost", self.won.len(), self.lost.len())
    }
}

/// The stored form: its schema version, then the rows as an export would give them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    as_of: NaiveDateTime,
    process: SalesProcess,
    rows: Vec<SnapshotRow>,
}

/// The schema version of [`Stored`].
const VERSION: u32 = 1;

impl TryFrom<Stored> for Snapshot {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        if stored.version != VERSION {
            let error =
                Error::new(ErrorKind::UnknownVersion, "version 1 of a stored snapshot").field("version");
            return Err(error.found(stored.version));
        }
        Self::from_rows(&stored.process, stored.as_of, stored.rows)
    }
}

impl From<Snapshot> for Stored {
    fn from(snapshot: Snapshot) -> Self {
        let (as_of, process) = (snapshot.as_of, snapshot.process.clone());
        Self { version: VERSION, as_of, process, rows: snapshot.into_rows() }
    }
}
