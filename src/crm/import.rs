//! The one way of every source into a log.

use super::reading::{Reading, unreadable_row};
use super::stages::Stages;
use crate::deals::{CURRENCY, Cells, DealLog, Finding, Offer, TEXT_LIMIT};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Takes the tables of an export and makes a log of them: one call a table, then [`finish`](Self::finish).
///
/// # Meaning
/// A row that cannot be taken lands in the log's [`Receipt`](crate::deals::Receipt) with its number, field and reason;
/// all others count. Rows are numbered over all tables, in the order in which they are handed in. Tables and rows may come
/// in any order and in any number of pieces, and rows that say the same thing count once: appending today's export to
/// yesterday's log gives what loading everything would.
///
/// # Example: yesterday's log and today's changes
/// ```
/// use dealcast::crm::{Import, Reading, salesforce};
/// let text = "MasterLabel,SortOrder,IsClosed,IsWon\nQualify,1,false,false\nWon,2,true,true\nLost,3,true,false\n";
/// let stages = salesforce::stages(csv::Reader::from_reader(text.as_bytes()).into_deserialize())?;
/// let head = "OpportunityId,CreatedDate,StageName,Amount\n";
/// let read = |mut import: Import<'_>, rows: &str| -> dealcast::Result<_> {
///     let table = format!("{head}{rows}");
///     import.salesforce_history(csv::Reader::from_reader(table.as_bytes()).into_deserialize())?;
///     import.finish()
/// };
/// let (old, new) = ("A,2026-03-02T10:00:00Z,Qualify,500\n", "A,2026-03-09T10:00:00Z,Won,450\n");
/// let yesterday = read(Import::new(&stages, Reading::default())?, old)?;
/// let today = read(Import::onto(yesterday, &stages, Reading::default())?, new)?;
/// assert_eq!(today, read(Import::new(&stages, Reading::default())?, &format!("{old}{new}"))?);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Debug)]
pub struct Import<'s> {
    pub(super) context: Context<'s>,
    pub(super) offer: Offer<'s>,
    log: DealLog,
    currencies: Currencies,
}

/// What the readers of rows need to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'s> {
    pub(super) stages: &'s Stages,
    pub(super) reading: Reading<'s>,
}

/// In which rows which currency was met, and where its rate is missing.
#[derive(Debug, Default)]
pub(super) struct Currencies {
    first_row: BTreeMap<String, u64>,
    /// Rows without a rate, by currency; the first ones of them, and how many.
    missing: BTreeMap<String, (Vec<u64>, usize)>,
}

/// How many rows an error names.
const NAMED: usize = 20;

impl<'s> Import<'s> {
    /// An import that starts a log.
    ///
    /// # Errors
    /// None in practice.
    pub fn new(stages: &'s Stages, reading: Reading<'s>) -> Result<Self> {
        Self::onto(DealLog::new(stages.process()), stages, reading)
    }

    /// An import that adds to a log.
    ///
    /// # Errors
    /// [`InvalidProcess`](ErrorKind::InvalidProcess) where the log has other stages.
    pub fn onto(log: DealLog, stages: &'s Stages, reading: Reading<'s>) -> Result<Self> {
        if log.process() != stages.process() {
            let error = Error::new(ErrorKind::InvalidProcess, "the stages of the log");
            return Err(error.found(stages.process()));
        }
        let offer = log.offer(stages.process(), reading.mode)?;
        Ok(Self { context: Context { stages, reading }, offer, log, currencies: Currencies::default() })
    }

    /// The log of everything handed in.
    ///
    /// # Errors
    /// [`MissingRate`](ErrorKind::MissingRate), with the rows named, where deals are in several currencies and no rates
    /// are given, or a rate is missing: for a closed deal on the day of its close, for an open one at all.
    pub fn finish(self) -> Result<DealLog> {
        let Self { context, offer, mut log, currencies } = self;
        log.take(offer);
        match context.reading.rates.cloned().or_else(|| log.rates().cloned()) {
            Some(rates) => {
                currencies.every_rate()?;
                log.converted(rates)
            }
            None if log.currencies().len() > 1 => {
                let found = log.currencies().join(", ");
                Err(currencies.one_expected().found(found))
            }
            None => Ok(log),
        }
    }

    /// Hands in every row of a table: `take` makes the rows of the log that a record makes.
    pub(super) fn each<R, E: std::error::Error>(
        &mut self,
        rows: impl IntoIterator<Item = std::result::Result<R, E>>,
        mut take: impl FnMut(&mut Self, u64, &R) -> Result<()>,
    ) -> Result<()> {
        for row in rows {
            let record = self.offer.record();
            match row {
                Ok(row) => take(self, record, &row)?,
                Err(error) => self.offer.row(record, Err(unreadable_row(&error)))?,
            }
        }
        Ok(())
    }

    /// One row of a record, or why it is none.
    pub(super) fn row(&mut self, record: u64, row: Result<Cells<'_>>) -> Result<()> {
        self.offer.row(record, row)
    }

    pub(super) fn note(&mut self, finding: Finding) {
        self.offer.note(finding);
    }

    /// Notes the currency of a deal; `closed` is the day whose rate it needs, if it is closed.
    pub(super) fn currency(&mut self, record: u64, currency: &str, closed: Option<i32>) {
        self.currencies.met(currency, record);
        let Some(rates) = self.context.reading.rates.or(self.log.rates()) else { return };
        let known = closed.map_or_else(|| rates.knows(currency), |day| rates.at(currency, day).is_some());
        if !known {
            self.currencies.missing(currency, record);
        }
    }
}

impl Currencies {
    pub(super) fn met(&mut self, currency: &str, row: u64) {
        if !self.first_row.contains_key(currency) {
            self.first_row.insert(currency.to_owned(), row);
        }
    }

    pub(super) fn missing(&mut self, currency: &str, row: u64) {
        let (rows, n) = self.missing.entry(currency.to_owned()).or_default();
        *n += 1;
        if rows.len() < NAMED {
            rows.push(row);
        }
    }

    /// An error where there are several.
    pub(super) fn one(&self) -> Result<()> {
        if self.first_row.len() > 1 { Err(self.one_expected()) } else { Ok(()) }
    }

    pub(super) fn every_rate(&self) -> Result<()> {
        let Some((currency, (rows, n))) = self.missing.iter().next() else { return Ok(()) };
        let mut expected =
            format!("a rate of {currency} for the day of the close, or any for an open deal; rows");
        for (i, row) in rows.iter().enumerate() {
            let _ = write!(expected, "{} {row}", if i == 0 { "" } else { "," });
        }
        if *n > rows.len() {
            let _ = write!(expected, " and {} more", n - rows.len());
        }
        let error = Error::new(ErrorKind::MissingRate, expected).field(CURRENCY);
        Err(rows.first().map_or(error.clone(), |&row| error.at_row(row)))
    }

    fn one_expected(&self) -> Error {
        let mut expected = String::from("one currency, or rates");
        for (i, (currency, row)) in self.first_row.iter().enumerate().take(NAMED) {
            let _ = write!(expected, "{} {currency} from row {row} on", if i == 0 { ";" } else { "," });
        }
        Error::new(ErrorKind::MissingRate, expected).field(CURRENCY)
    }
}

/// A row with more text than a log carries around.
pub(super) fn small<'t>(cells: impl IntoIterator<Item = Option<&'t String>>) -> Result<()> {
    let length = cells.into_iter().flatten().map(String::len).fold(0, usize::saturating_add);
    if length > TEXT_LIMIT {
        return Err(Error::new(ErrorKind::TooLarge, "at most 1 MiB of text in a row").field("row"));
    }
    Ok(())
}
