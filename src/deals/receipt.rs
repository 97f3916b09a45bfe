//! What was done with each row.

use crate::{Error, ErrorKind};
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::fmt;

/// How many rejected rows and dropped cells are kept with their reason; all are counted.
const KEPT: usize = 100;

/// Something a log contains that a reader of its forecast should know. Findings are counted, nothing is repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// A won or lost deal came back into an open stage.
    Reopened,
    /// A deal's first row with a stage is won or lost.
    CreatedClosed,
    /// An open deal moved to an earlier open stage.
    MovedBack,
    /// A deal moved forward past at least one open stage.
    SkippedStage,
    /// A move in the same second as the deal's move before it.
    SameInstantMoves,
    /// A row names the stage in which the deal already is.
    RepeatedStage,
    /// A won deal became lost or a lost one won.
    ChangedOutcome,
    /// A deal was first seen in a stage that it had entered at an unknown earlier time.
    SeenFirst,
    /// A row takes a deal out of the pipeline.
    Removed,
    /// A removed deal came back.
    Restored,
    /// A row with the amount zero.
    ZeroAmount,
    /// A deal with a stage whose amount is never stated.
    MissingAmount,
    /// Two rows of one deal at one instant state different amounts.
    ConflictingAmounts,
    /// A row became known later than it happened.
    RecordedLate,
    /// A deal without any row that places it in a stage.
    NeverPlaced,
    /// A row was kept without its amount, which was negative, not finite or not a number.
    AmountDropped,
    /// A row was kept without its expected close, which could not be read.
    ExpectedCloseDropped,
    /// An expected close that the CRM filled in by itself; it says nothing and is not kept.
    DefaultClose,
    /// A deal whose id has outer white space, control, zero-width or direction characters, and so may look like
    /// another one's.
    OddId,
    /// An open deal was missing from the next snapshot; it counts as the caller of the series said.
    Vanished,
    /// A move that two snapshots show, but not its day, which was put between them.
    BetweenSnapshots,
}

impl Finding {
    pub(super) const ALL: [Self; 21] = [
        Self::Reopened,
        Self::CreatedClosed,
        Self::MovedBack,
        Self::SkippedStage,
        Self::SameInstantMoves,
        Self::RepeatedStage,
        Self::ChangedOutcome,
        Self::SeenFirst,
        Self::Removed,
        Self::Restored,
        Self::ZeroAmount,
        Self::MissingAmount,
        Self::ConflictingAmounts,
        Self::RecordedLate,
        Self::NeverPlaced,
        Self::AmountDropped,
        Self::ExpectedCloseDropped,
        Self::DefaultClose,
        Self::OddId,
        Self::Vanished,
        Self::BetweenSnapshots,
    ];

    /// The stable `snake_case` name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reopened => "reopened",
            Self::CreatedClosed => "created_closed",
            Self::MovedBack => "moved_back",
            Self::SkippedStage => "skipped_stage",
            Self::SameInstantMoves => "same_instant_moves",
            Self::RepeatedStage => "repeated_stage",
            Self::ChangedOutcome => "changed_outcome",
            Self::SeenFirst => "seen_first",
            Self::Removed => "removed",
            Self::Restored => "restored",
            Self::ZeroAmount => "zero_amount",
            Self::MissingAmount => "missing_amount",
            Self::ConflictingAmounts => "conflicting_amounts",
            Self::RecordedLate => "recorded_late",
            Self::NeverPlaced => "never_placed",
            Self::AmountDropped => "amount_dropped",
            Self::ExpectedCloseDropped => "expected_close_dropped",
            Self::DefaultClose => "default_close",
            Self::OddId => "odd_id",
            Self::Vanished => "vanished",
            Self::BetweenSnapshots => "between_snapshots",
        }
    }
}

/// How often each [`Finding`] was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings([u64; Finding::ALL.len()]);

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        self.add_if(true, finding);
    }

    pub(super) fn add_if(&mut self, found: bool, finding: Finding) {
        if let Some(count) = self.0.get_mut(finding as usize) {
            *count += u64::from(found);
        }
    }

    fn set(&mut self, finding: Finding, count: u64) {
        if let Some(slot) = self.0.get_mut(finding as usize) {
            *slot = count;
        }
    }

    fn get(&self, finding: Finding) -> u64 {
        self.0.get(finding as usize).copied().unwrap_or(0)
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for finding in Finding::ALL {
            if self.get(finding) > 0 {
                map.serialize_entry(finding.name(), &self.get(finding))?;
            }
        }
        map.end()
    }
}

/// A row that was refused, or a cell that was dropped from a row that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    row: u64,
    field: String,
    reason: String,
    #[serde(skip)]
    error: Error,
}

impl Rejected {
    fn new(error: Error) -> Self {
        let row = error.row().unwrap_or(0);
        Self { row, field: error.field_name().unwrap_or("row").to_owned(), reason: error.to_string(), error }
    }

    /// The record, the first one being 1, counted over everything the log was given.
    pub const fn row(&self) -> u64 {
        self.row
    }

    /// The column or field at fault.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Why, in words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Why, as a kind.
    pub fn kind(&self) -> ErrorKind {
        self.error.kind()
    }
}

/// What was done with each row a log was given: `rows_in = accepted + quarantined + deduplicated`.
///
/// # Example: was anything lost?
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::time::date;
/// let row = |stage: &str| DealEvent::new("D-17", date(2026, 3, 2).unwrap(), Change::Entered(stage.into()));
/// let log = DealLog::from_events(&SalesProcess::open(["qualify"])?, [row("qualify"), row("qualify"), row("quality")])?;
/// let receipt = log.receipt();
/// assert_eq!((receipt.rows_in(), receipt.accepted()), (3, 1));
/// assert_eq!((receipt.deduplicated(), receipt.quarantined()), (1, 1));
/// assert_eq!(receipt.rejected()[0].row(), 3);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Records read; more rows than these where one record says several things.
    #[serde(skip)]
    records: u64,
    #[serde(skip)]
    ignored: u64,
    rows_in: u64,
    accepted: u64,
    quarantined: u64,
    deduplicated: u64,
    findings: Findings,
    rejected: Vec<Rejected>,
    dropped: Vec<Rejected>,
}

impl Receipt {
    /// Records read: lines of a table, objects of an export. A record that says several things (a deal with its
    /// history) counts as that many rows.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Records that speak only of things a log does not keep, such as a change of a deal's title; they make no row.
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Rows offered.
    pub const fn rows_in(&self) -> u64 {
        self.rows_in
    }

    /// Rows in the log.
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Rows refused, each with its reason.
    pub const fn quarantined(&self) -> u64 {
        self.quarantined
    }

    /// Rows that say exactly what another one says; the one known first is kept.
    pub const fn deduplicated(&self) -> u64 {
        self.deduplicated
    }

    /// Rows kept without their amount, because it was negative, not finite or not a number.
    pub fn amount_dropped(&self) -> u64 {
        self.count(Finding::AmountDropped)
    }

    /// The first hundred refused rows.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// The first hundred cells that were dropped from rows that were kept.
    pub fn dropped_cells(&self) -> &[Rejected] {
        &self.dropped
    }

    /// How often a finding was made.
    pub fn count(&self, finding: Finding) -> u64 {
        self.findings.get(finding)
    }

    /// What was found at least once, and how often.
    pub fn findings(&self) -> impl Iterator<Item = (Finding, u64)> {
        Finding::ALL.into_iter().map(|finding| (finding, self.count(finding))).filter(|&(_, count)| count > 0)
    }

    /// Numbers the next record.
    pub(super) fn next_record(&mut self) -> u64 {
        self.records += 1;
        self.records
    }

    /// Numbers a record that makes one row.
    pub(super) fn next_row(&mut self) -> u64 {
        self.add_row();
        self.next_record()
    }

    pub(super) fn add_row(&mut self) {
        self.rows_in += 1;
    }

    pub(super) fn ignore(&mut self) {
        self.ignored += 1;
    }

    pub(super) fn reject(&mut self, error: Error) {
        self.quarantined += 1;
        if self.rejected.len() < KEPT {
            self.rejected.push(Rejected::new(error));
        }
    }

    /// Rows that come checked.
    pub(super) fn accept(&mut self, n_rows: usize) {
        let n = u64::try_from(n_rows).unwrap_or(u64::MAX);
        for count in [&mut self.records, &mut self.rows_in, &mut self.accepted] {
            *count = count.saturating_add(n);
        }
    }

    /// Notes what is found before there are rows in order.
    pub(super) fn note(&mut self, finding: Finding, count: u64) {
        self.findings.set(finding, self.findings.get(finding).saturating_add(count));
    }

    /// Notes the cells (amount, expected close) that a good row lost.
    pub(super) fn dropped(&mut self, row: u64, deal: &str, [amount, close]: [Option<Error>; 2]) {
        self.findings.add_if(amount.is_some(), Finding::AmountDropped);
        self.findings.add_if(close.is_some(), Finding::ExpectedCloseDropped);
        for error in [amount, close].into_iter().flatten() {
            if self.dropped.len() < KEPT {
                self.dropped.push(Rejected::new(error.at_row(row).of_deal(deal)));
            }
        }
    }

    /// Balances the books once the rows are in order.
    pub(super) fn settle(&mut self, n_rows: usize, mut findings: Findings) {
        // What was found on the way in is not in the rows any more.
        let dropped = [Finding::AmountDropped, Finding::ExpectedCloseDropped, Finding::DefaultClose];
        for early in dropped.into_iter().chain([Finding::Vanished, Finding::BetweenSnapshots]) {
            findings.set(early, self.findings.get(early));
        }
        self.accepted = u64::try_from(n_rows).unwrap_or(u64::MAX);
        self.deduplicated = self.rows_in.saturating_sub(self.quarantined).saturating_sub(self.accepted);
        self.findings = findings;
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rows in: {} accepted, {} quarantined, {} exact duplicates",
            self.rows_in, self.accepted, self.quarantined, self.deduplicated
        )?;
        if self.records != self.rows_in {
            write!(f, ", from {} records, {} of them ignored", self.records, self.ignored)?;
        }
        for (finding, count) in self.findings() {
            write!(f, "\n  {}: {count}", finding.name().replace('_', " "))?;
        }
        for rejected in self.rejected.iter().chain(&self.dropped).take(5) {
            write!(f, "\n  {}", rejected.reason)?;
        }
        Ok(())
    }
}
