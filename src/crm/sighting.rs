//! A deal as an export shows it today: the one form in which the readers of all sources hand it on.

use super::import::Import;
use super::stages::Place;
use crate::deals::{CURRENCY, Cell, Cells, Flag, SalesProcess, SnapshotRow, StageId, StageKind, Step};
use crate::num::Amount;
use crate::time::{civil, civil_date, civil_day};
use crate::{Error, ErrorKind, Result};
use std::borrow::Cow;

/// A deal as it stands at the time of an export.
#[derive(Debug, Default)]
pub(super) struct Sighting<'a> {
    pub(super) deal: Cow<'a, str>,
    pub(super) place: Option<Place>,
    pub(super) created: Option<i64>,
    /// When it entered its stage, where the source says.
    pub(super) entered: Option<i64>,
    /// When it was won or lost, where it is.
    pub(super) closed: Option<i64>,
    /// When it was last changed: since then all is as it is.
    pub(super) modified: Option<i64>,
    pub(super) deleted: bool,
    pub(super) amount: Cell<f64>,
    pub(super) close: Cell<i32>,
    pub(super) category: Option<&'a str>,
    pub(super) currency: Option<&'a str>,
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    /// What the source calls `created` and `modified`.
    pub(super) names: (&'static str, &'static str),
}

/// A row of a snapshot, and the cells it lost: amount, expected close.
pub(super) type Shown = (SnapshotRow, [Option<Error>; 2]);

impl Sighting<'_> {
    /// When a closed deal was closed, where its close date says so.
    pub(super) fn closing(closed: bool, close: &Cell<i32>) -> Result<Option<i64>> {
        match close {
            _ if !closed => Ok(None),
            Cell::Given(day) => Ok(Some(i64::from(*day) * crate::time::DAY)),
            Cell::Bad(error) => Err(error.clone()),
            Cell::Blank | Cell::Cleared => Ok(None),
        }
    }

    /// What the deal's row adds to a history that comes from elsewhere: its creation with its currency and what never
    /// changes, its other attributes since its last modification, its deletion.
    pub(super) fn background(&self, import: &mut Import<'_>, record: u64) -> Result<()> {
        let fixed = import.context.reading.fixed;
        let mut born = Vec::new();
        let mut now = Vec::new();
        if let Some(currency) = self.currency {
            import.currency(record, currency, self.closed.map(civil_day));
            born.push((CURRENCY, currency));
        }
        for &(name, value) in &self.attributes {
            if fixed.contains(&name) { born.push((name, value)) } else { now.push((name, value)) }
        }
        let place = |flag| Step { flag, stage: StageId::default() };
        let missing = |what, field| Error::new(ErrorKind::Missing, what).field(field).of_deal(&self.deal);
        let row = |at, step, attributes| Cells { deal: &self.deal, at, step, attributes, ..Cells::default() };
        let created = self.created.ok_or_else(|| missing("when the deal was created", self.names.0));
        import.row(record, created.map(|at| row(at, place(Flag::Created), born)))?;
        if let (Some(at), false) = (self.modified, now.is_empty()) {
            import.row(record, Ok(row(at, Step::default(), now)))?;
        }
        if self.deleted {
            let deleted = self.modified.ok_or_else(|| missing("when the deal was deleted", self.names.1));
            import.row(record, deleted.map(|at| row(at, place(Flag::Removed), Vec::new())))?;
        }
        Ok(())
    }

    /// The row of a snapshot taken at an instant. Amounts are still in the currency of the deal.
    pub(super) fn shown(&self, process: &SalesProcess, at: i64) -> Result<Option<Shown>> {
        let missing = || Error::new(ErrorKind::Missing, "a stage").field("stage").of_deal(&self.deal);
        let Place::In(stage) = self.place.ok_or_else(missing)? else { return Ok(None) };
        if self.deleted {
            return Ok(None);
        }
        let open = process.kind(stage) == StageKind::Open;
        // A change of stage later than the snapshot is a clock that runs ahead: the deal was found there.
        let since = if open { self.entered } else { self.closed }.filter(|&since| since <= at);
        let (amount, bad_amount) = match &self.amount {
            Cell::Given(amount) => match Amount::new(*amount) {
                Ok(amount) => (Some(amount.get()), None),
                Err(error) => (None, Some(error)),
            },
            Cell::Bad(error) => (None, Some(error.clone())),
            Cell::Blank | Cell::Cleared => (None, None),
        };
        let (expected_close, bad_close) = match &self.close {
            Cell::Given(day) => (Some(civil_date(*day)), None),
            Cell::Bad(error) => (None, Some(error.clone())),
            Cell::Blank | Cell::Cleared => (None, None),
        };
        let row = SnapshotRow {
            deal_id: self.deal.clone().into_owned(),
            stage: process.name(stage).to_owned(),
            entered: since.map(civil),
            age_days: None,
            seen: false,
            amount,
            expected_close,
            created: self.created.filter(|&created| created <= at).map(civil),
            category: self.category.map(str::to_owned),
            attributes: self.attributes.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
        };
        Ok(Some((row, [bad_amount, bad_close])))
    }
}
