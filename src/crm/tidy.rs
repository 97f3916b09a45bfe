//! The tidy table: one row a stage change, and one row a deal for its attributes.
//!
//! Cells are raw text, so that a bad one ends in the [`Receipt`](crate::deals::Receipt) with its row, field and
//! reason instead of losing the row inside the csv reader. Instants may carry an offset; they are then converted to the
//! business zone of the [`Reading`] (UTC unless it says otherwise).

use crate::deals::{Cell, Cells, DealLog, Flag, Mode, SalesProcess, StageId, Step, TEXT_LIMIT};
use crate::time::read;
use crate::{Error, ErrorKind, Result};
use chrono::{FixedOffset, Offset, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A row of the table of stage changes. Empty cells and `null` say nothing; unknown columns are ignored.
///
/// # Example: from csv to a log
/// ```
/// use dealcast::crm::tidy;
/// use dealcast::deals::{DealLog, SalesProcess};
/// let text = "deal_id,stage,entered_at,amount\n\
///             D-1,qualify,2026-01-05,1200\n\
///             D-1,won,2026-02-11T16:20:00Z,1150\n\
///             D-2,qualify,05/01/2026,900\n\
///             D-3,qualify,2026-01-07,n/a\n\
///             D-4,quality,2026-01-07,300\n";
/// let process = SalesProcess::open(["qualify"])?;
/// let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<tidy::StageRow>();
/// let log = DealLog::from_rows(&process, rows)?;
/// assert_eq!((log.receipt().accepted(), log.receipt().quarantined(), log.receipt().amount_dropped()), (3, 2, 1));
/// assert_eq!(log.receipt().rejected()[0].field(), "entered_at");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StageRow {
    /// The deal's id; needed.
    #[serde(alias = "deal")]
    pub deal_id: Option<String>,
    /// The stage entered; without one the row changes only what it carries.
    pub stage: Option<String>,
    /// When it happened; needed.
    #[serde(alias = "at")]
    pub entered_at: Option<String>,
    /// The amount from then on: a plain decimal number.
    pub amount: Option<String>,
    /// When it became known, where that was later.
    pub recorded_at: Option<String>,
    /// The order among rows of one instant: a whole number.
    pub sequence: Option<String>,
    /// The day on which the deal is expected to close.
    pub expected_close: Option<String>,
    /// The forecast category.
    pub category: Option<String>,
    /// True (`true`, `yes`, `y`, `1` in any case) where the deal was found in the stage and had entered it earlier.
    pub seen: Option<String>,
    /// True where the row takes the deal out of the pipeline; its stage then says nothing.
    pub removed: Option<String>,
}

/// A row of a table of deals, of which the attributes known at creation are taken: any columns, among them
/// `deal_id` (or `deal`) and `created_at`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DealRow(pub BTreeMap<String, Option<String>>);

/// How the table is read.
///
/// # Example: a company in Berlin in summer, no bad row tolerated
/// ```
/// use chrono::FixedOffset;
/// use dealcast::crm::tidy::Reading;
/// let reading = Reading::default().zone(FixedOffset::east_opt(2 * 3600).unwrap()).strict();
/// # let _ = reading;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    mode: Mode,
    zone: FixedOffset,
}

impl Default for Reading {
    fn default() -> Self {
        Self { mode: Mode::Collect, zone: Utc.fix() }
    }
}

impl Reading {
    /// The business zone: instants written with an offset are converted to it, others are in it already.
    #[must_use]
    pub const fn zone(mut self, zone: FixedOffset) -> Self {
        self.zone = zone;
        self
    }

    /// The first bad row is an error.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.mode = Mode::Strict;
        self
    }

    /// What happens at a bad row.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }
}

impl DealLog {
    /// All rows of a tidy table, as a csv or JSON reader yields them; rows it could not read at all land in the
    /// receipt as well.
    ///
    /// # Errors
    /// [`TooLarge`](ErrorKind::TooLarge) beyond 2^32 - 2 rows.
    pub fn from_rows<I, E>(process: &SalesProcess, rows: I) -> Result<Self>
    where
        I: IntoIterator<Item = std::result::Result<StageRow, E>>,
        E: std::error::Error,
    {
        Self::from_rows_with(process, rows, Reading::default())
    }

    /// As [`from_rows`](Self::from_rows), with the zone and the mode stated.
    ///
    /// # Errors
    /// As [`from_rows`](Self::from_rows); strict reading also refuses the first bad row.
    pub fn from_rows_with<I, E>(process: &SalesProcess, rows: I, reading: Reading) -> Result<Self>
    where
        I: IntoIterator<Item = std::result::Result<StageRow, E>>,
        E: std::error::Error,
    {
        let mut log = Self::new(process);
        log.append_rows(rows, reading)?;
        Ok(log)
    }

    /// More rows of a tidy table: the same log as reading all of them at once.
    ///
    /// # Errors
    /// As [`from_rows_with`](Self::from_rows_with); the log is then unchanged.
    pub fn append_rows<I, E>(&mut self, rows: I, reading: Reading) -> Result<()>
    where
        I: IntoIterator<Item = std::result::Result<StageRow, E>>,
        E: std::error::Error,
    {
        self.extend(reading.mode, |offer| {
            rows.into_iter().try_for_each(|row| match row {
                Ok(row) => {
                    let cells = row.cells(offer.process(), reading.zone);
                    offer.cells(cells)
                }
                Err(error) => offer.cells(Err(unreadable_row(&error))),
            })
        })
    }

    /// The named attributes of a table of deals, known from each deal's `created_at` on. Empty cells say nothing.
    ///
    /// # Errors
    /// As [`append_rows`](Self::append_rows).
    ///
    /// # Example
    /// ```
    /// use dealcast::crm::tidy::{DealRow, Reading};
    /// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
    /// use dealcast::time::date;
    /// let created = DealEvent::new("D-1", date(2026, 1, 5)?, Change::Entered("qualify".into()));
    /// let mut log = DealLog::from_events(&SalesProcess::open(["qualify"])?, [created])?;
    /// let deals = "deal_id,created_at,region,outcome\nD-1,2026-01-05,north,won\n";
    /// let rows = csv::Reader::from_reader(deals.as_bytes()).into_deserialize::<DealRow>();
    /// log.append_attributes(rows, &["region"], Reading::default())?;
    /// let known = log.as_of(date(2026, 2, 1)?);
    /// assert_eq!(known.deal("D-1").unwrap().attributes(), [("region", "north")]);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn append_attributes<I, E>(&mut self, rows: I, names: &[&str], reading: Reading) -> Result<()>
    where
        I: IntoIterator<Item = std::result::Result<DealRow, E>>,
        E: std::error::Error,
    {
        self.extend(reading.mode, |offer| {
            rows.into_iter().try_for_each(|row| match row {
                Ok(row) => offer.cells(row.cells(names, reading.zone)),
                Err(error) => offer.cells(Err(unreadable_row(&error))),
            })
        })
    }
}

fn unreadable_row(error: &impl std::error::Error) -> Error {
    Error::new(ErrorKind::Unreadable, "a row of the table").field("row").found(error)
}

/// The text of a cell that says something.
fn stated(cell: Option<&String>) -> Option<&str> {
    cell.map(String::as_str).filter(|text| !text.is_empty() && *text != "null")
}

fn needed<'a>(cell: Option<&'a String>, field: &'static str) -> Result<&'a str> {
    stated(cell).ok_or_else(|| Error::new(ErrorKind::Missing, "a value").field(field))
}

fn flag(cell: Option<&String>, field: &'static str) -> Result<bool> {
    let Some(text) = stated(cell) else { return Ok(false) };
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "yes", "y", "1"]) {
        Ok(true)
    } else if is_one_of(["false", "no", "n", "0"]) {
        Ok(false)
    } else {
        Err(Error::new(ErrorKind::Unreadable, "true or false").field(field).found(text))
    }
}

impl StageRow {
    fn cells<'a>(&'a self, process: &SalesProcess, zone: FixedOffset) -> Result<Cells<'a>> {
        if self.text_len() > TEXT_LIMIT {
            return Err(Error::new(ErrorKind::TooLarge, "at most 1 MiB of text in a row").field("row"));
        }
        let deal = needed(self.deal_id.as_ref(), "deal_id")?;
        self.cells_of(deal, process, zone).map_err(|error| error.of_deal(deal))
    }

    fn cells_of<'a>(&'a self, deal: &'a str, process: &SalesProcess, zone: FixedOffset) -> Result<Cells<'a>> {
        let instant = |text: &str, field| read::instant(text, zone).map_err(|error| error.field(field));
        let recorded =
            stated(self.recorded_at.as_ref()).map(|text| instant(text, "recorded_at")).transpose()?;
        Ok(Cells {
            deal,
            at: instant(needed(self.entered_at.as_ref(), "entered_at")?, "entered_at")?,
            recorded,
            sequence: stated(self.sequence.as_ref()).map(whole_number).transpose()?,
            step: self.step(process)?,
            amount: cell(self.amount.as_ref(), |text| amount(text)),
            close: cell(self.expected_close.as_ref(), |text| {
                read::day(text, zone).map_err(|error| error.field("expected_close"))
            }),
            category: stated(self.category.as_ref()),
            attributes: Vec::new(),
        })
    }

    fn step(&self, process: &SalesProcess) -> Result<Step> {
        let seen = flag(self.seen.as_ref(), "seen")?;
        if flag(self.removed.as_ref(), "removed")? {
            return Ok(Step { flag: Flag::Removed, stage: StageId::default() });
        }
        match stated(self.stage.as_ref()) {
            Some(name) => {
                let flag = if seen { Flag::Seen } else { Flag::Entered };
                Ok(Step { flag, stage: process.find(name)? })
            }
            None if seen => {
                Err(Error::new(ErrorKind::Missing, "the stage in which it was seen").field("stage"))
            }
            None => Ok(Step::default()),
        }
    }

    fn text_len(&self) -> usize {
        [&self.deal_id, &self.stage, &self.entered_at, &self.amount, &self.recorded_at, &self.sequence]
            .into_iter()
            .chain([&self.expected_close, &self.category, &self.seen, &self.removed])
            .map(|cell| cell.as_ref().map_or(0, String::len))
            .fold(0, usize::saturating_add)
    }
}

impl DealRow {
    fn cells<'a>(&'a self, names: &[&'a str], zone: FixedOffset) -> Result<Cells<'a>> {
        let column = |name: &str| self.0.get(name).and_then(Option::as_ref);
        let deal = needed(column("deal_id").or_else(|| column("deal")), "deal_id")?;
        let created = needed(column("created_at"), "created_at")?;
        let attributes = names.iter().filter_map(|&name| Some((name, stated(column(name))?))).collect();
        let at = read::instant(created, zone).map_err(|error| error.field("created_at").of_deal(deal))?;
        Ok(Cells { deal, at, attributes, ..Cells::default() })
    }
}

fn cell<T>(cell: Option<&String>, read: impl FnOnce(&str) -> Result<T>) -> Cell<T> {
    match stated(cell).map(read) {
        None => Cell::Blank,
        Some(Ok(value)) => Cell::Given(value),
        Some(Err(error)) => Cell::Bad(error),
    }
}

/// A plain decimal number. `nan` and `inf`, which the parser would take, are refused with all other amounts that are
/// not finite.
fn amount(text: &str) -> Result<f64> {
    text.trim_ascii()
        .parse()
        .map_err(|_| Error::new(ErrorKind::Unreadable, "a plain decimal number").field("amount").found(text))
}

fn whole_number(text: &str) -> Result<i64> {
    text.trim_ascii()
        .parse()
        .map_err(|_| Error::new(ErrorKind::Unreadable, "a whole number").field("sequence").found(text))
}
