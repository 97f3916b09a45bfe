//! The tidy table: one row a stage change, and one row a deal for its attributes.
//!
//! Cells are raw text, so that a bad one ends in the [`Receipt`](crate::deals::Receipt) with its row, field and
//! reason instead of losing the row inside the csv reader. Instants may carry an offset; they are then converted to the
//! business zone of the [`Reading`] (UTC unless it says otherwise).

use super::cell::{self, amount, flag, needed, stated, whole_number};
use super::reading::unreadable_row;
use crate::deals::{Cells, DealLog, Flag, SalesProcess, StageId, Step, TEXT_LIMIT};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use super::reading::Reading;

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
    /// The amount from then on: a decimal number, its thousands separated by commas or not.
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
    /// Attributes from then on, for callers that build rows themselves; not a column of the table.
    #[serde(skip)]
    pub attributes: BTreeMap<String, String>,
}

/// A row of a table of deals, of which the attributes known at creation are taken: any columns, among them
/// `deal_id` (or `deal`) and `created_at`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DealRow(pub BTreeMap<String, Option<String>>);

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
                    let cells = row.cells(offer.process(), reading);
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
                Ok(row) => offer.cells(row.cells(names, reading)),
                Err(error) => offer.cells(Err(unreadable_row(&error))),
            })
        })
    }
}

impl StageRow {
    fn cells<'a>(&'a self, process: &SalesProcess, reading: Reading) -> Result<Cells<'a>> {
        if self.text_len() > TEXT_LIMIT {
            return Err(Error::new(ErrorKind::TooLarge, "at most 1 MiB of text in a row").field("row"));
        }
        let deal = needed(self.deal_id.as_ref(), "deal_id")?;
        self.cells_of(deal, process, reading).map_err(|error| error.of_deal(deal))
    }

    fn cells_of<'a>(&'a self, deal: &'a str, process: &SalesProcess, reading: Reading) -> Result<Cells<'a>> {
        Ok(Cells {
            deal,
            at: reading.at(self.entered_at.as_ref(), "entered_at")?,
            recorded: reading.instant_if(self.recorded_at.as_ref(), "recorded_at")?,
            sequence: stated(self.sequence.as_ref())
                .map(|text| whole_number(text, "sequence"))
                .transpose()?,
            step: self.step(process)?,
            amount: cell::change(self.amount.as_ref(), |text| amount(text, "amount")),
            close: cell::change(self.expected_close.as_ref(), |text| reading.day(text, "expected_close")),
            category: stated(self.category.as_ref()),
            attributes: self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
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
    fn cells<'a>(&'a self, names: &[&'a str], reading: Reading) -> Result<Cells<'a>> {
        let column = |name: &str| self.0.get(name).and_then(Option::as_ref);
        let deal = needed(column("deal_id").or_else(|| column("deal")), "deal_id")?;
        let attributes = names.iter().filter_map(|&name| Some((name, stated(column(name))?))).collect();
        let at = reading.at(column("created_at"), "created_at").map_err(|error| error.of_deal(deal))?;
        Ok(Cells { deal, at, attributes, ..Cells::default() })
    }
}
