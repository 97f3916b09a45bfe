//! One row of a deal's history.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

/// What a row says about a deal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// It entered this stage now.
    Entered(String),
    /// It was found in this stage; it entered it at an unknown earlier time (periodic snapshots, or a history that
    /// begins later than the deal).
    Seen(String),
    /// It was created now, in a stage unknown. A first stage named only on a later day is one in which it was found: its
    /// history begins later than the deal.
    Created,
    /// Its amount is this from now on, or no longer stated. A number that is not a finite one `>= 0` is dropped, the
    /// rest of the row kept.
    Amount(Option<f64>),
    /// It is expected to close on this day, or no day is stated any more.
    ExpectedClose(Option<NaiveDate>),
    /// Its forecast category.
    Category(String),
    /// An attribute, such as owner, region or product.
    Attribute {
        /// Which attribute.
        name: String,
        /// Its value from now on.
        value: String,
    },
    /// It left the pipeline without an outcome (deleted, merged); a later stage brings it back.
    Removed,
}

/// A row: a deal, an instant, and everything that changed then.
///
/// # Example
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::time::date;
/// let process = SalesProcess::open(["qualify", "propose"])?;
/// let row = DealEvent::new("D-17", date(2026, 3, 2)?, Change::Entered("qualify".into()))
///     .and(Change::Amount(Some(12_000.0)));
/// let log = DealLog::from_events(&process, [row])?;
/// assert_eq!(log.receipt().accepted(), 1);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealEvent {
    /// The deal's id.
    pub deal: String,
    /// When it happened, in the civil time of the business zone.
    pub at: NaiveDateTime,
    /// What happened, at least one thing. Where two say different things of the same kind, the last one counts.
    pub changes: Vec<Change>,
    /// When it became known, where that was later than it happened.
    #[serde(default)]
    pub recorded_at: Option<NaiveDateTime>,
    /// The order among rows of one instant, where the source has one.
    #[serde(default)]
    pub sequence: Option<i64>,
}

impl DealEvent {
    /// A row with one change; a date is its midnight.
    pub fn new(deal: impl Into<String>, at: impl Into<NaiveDateTime>, change: Change) -> Self {
        Self { deal: deal.into(), at: at.into(), changes: vec![change], recorded_at: None, sequence: None }
    }

    /// The same row with one more change.
    #[must_use]
    pub fn and(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// The same row, known only since `recorded_at`.
    #[must_use]
    pub fn recorded_at(mut self, recorded_at: impl Into<NaiveDateTime>) -> Self {
        self.recorded_at = Some(recorded_at.into());
        self
    }

    /// The same row with its place among the rows of one instant.
    #[must_use]
    pub fn sequence(mut self, sequence: i64) -> Self {
        self.sequence = Some(sequence);
        self
    }
}

/// What happens at a row that cannot be taken as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It goes into the receipt with its reason; the rest still counts.
    #[default]
    Collect,
    /// The first one is an error and nothing is taken.
    Strict,
}
