//! Periodic exports of the deals as they stand: the input of companies whose CRM keeps no history.

use super::import::{Context, Currencies};
use super::reading::{Reading, unreadable_row};
use super::sighting::{Shown, Sighting};
use super::stages::Stages;
use crate::deals::{Mode, RatesUsed, SnapshotSeries, Vanished};
use crate::time::{civil_day, seconds};
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDateTime;

/// Takes exports of the deals as they stand, each with the instant at which it was made, and makes a series of
/// snapshots: one call an export, then [`finish`](Self::finish).
///
/// # Meaning
/// A row that cannot be taken lands in the series' receipt with its number (over all exports), field and reason. Deleted
/// deals and those of pipelines out of sight are left out. Amounts are converted as the snapshot knew the rates: closed
/// deals at the rate of the day of their close, open ones at the latest rate before the snapshot.
///
/// # Example: two weekly exports
/// ```
/// use dealcast::crm::{Exports, Reading, dynamics};
/// use dealcast::deals::Vanished;
/// use dealcast::time::date;
/// let stages = dynamics::stages(["Qualify", "Develop", "Propose", "Close"])?;
/// let mut exports = Exports::new(&stages, Vanished::Removed, Reading::default());
/// for (day, rows) in [
///     (2, "{0A},1-Qualify,0,500,,2026-02-27T08:00:00Z,\n{0B},2-Develop,0,-70,,2026-02-20T08:00:00Z,\n"),
///     (9, "{0A},2-Develop,0,500,,2026-02-27T08:00:00Z,\n{0B},2-Develop,1,900,880,2026-02-20T08:00:00Z,2026-03-05\n"),
/// ] {
///     let head = "opportunityid,stepname,statecode,estimatedvalue,actualvalue,createdon,actualclosedate\n";
///     let text = format!("{head}{rows}");
///     exports.dynamics(date(2026, 3, day)?, csv::Reader::from_reader(text.as_bytes()).into_deserialize())?;
/// }
/// let series = exports.finish()?;
/// assert_eq!((series.n_snapshots(), series.receipt().amount_dropped()), (2, 1));
/// assert_eq!(series.snapshot(1).unwrap().won()[0].amount().unwrap().get(), 880.0);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Debug)]
pub struct Exports<'s> {
    pub(super) context: Context<'s>,
    vanished: Vanished,
    rows: Vec<(NaiveDateTime, Result<Shown>)>,
    n_left_out: u64,
    currencies: Currencies,
    used: Option<RatesUsed>,
}

impl<'s> Exports<'s> {
    /// No export yet; `vanished` says what it means that an open deal is missing from the next export.
    pub fn new(stages: &'s Stages, vanished: Vanished, reading: Reading<'s>) -> Self {
        let used = reading.rates.map(RatesUsed::to);
        let (rows, currencies) = Default::default();
        Self { context: Context { stages, reading }, vanished, rows, n_left_out: 0, currencies, used }
    }

    /// The series of all exports handed in.
    ///
    /// # Errors
    /// [`MissingRate`](ErrorKind::MissingRate), with the rows named, as [`Import::finish`](super::Import::finish);
    /// otherwise as [`SnapshotSeries::from_rows_with`].
    pub fn finish(self) -> Result<SnapshotSeries> {
        match self.context.reading.rates {
            Some(_) => self.currencies.every_rate()?,
            None => self.currencies.one()?,
        }
        let stages = self.context.stages.process();
        SnapshotSeries::from_shown(stages, (self.vanished, self.context.reading.mode), self.rows)
    }

    /// Which rates were used so far, of which dates; a deal counts once an export. `None` where no rates were given.
    pub const fn rates_used(&self) -> Option<&RatesUsed> {
        self.used.as_ref()
    }

    /// Rows left out so far: deleted deals, and those of pipelines out of sight.
    pub const fn n_left_out(&self) -> u64 {
        self.n_left_out
    }

    /// Hands in every row of an export.
    pub(super) fn each<R, E: std::error::Error>(
        &mut self,
        at: NaiveDateTime,
        rows: impl IntoIterator<Item = std::result::Result<R, E>>,
        mut read: impl for<'r> FnMut(&'r R, &Context<'_>) -> Result<Sighting<'r>>,
    ) -> Result<()> {
        for row in rows {
            let shown = match row {
                Ok(row) => {
                    read(&row, &self.context).and_then(|sighting| self.shown(at, &sighting)).transpose()
                }
                Err(error) => Some(Err(unreadable_row(&error))),
            };
            match shown {
                Some(Err(error)) if self.context.reading.mode == Mode::Strict => {
                    return Err(error.at_row(self.next_row()));
                }
                Some(Ok((row, [Some(error), _] | [None, Some(error)])))
                    if self.context.reading.mode == Mode::Strict =>
                {
                    return Err(error.of_deal(&row.deal_id).at_row(self.next_row()));
                }
                Some(shown) => self.rows.push((at, shown)),
                None => self.n_left_out += 1,
            }
        }
        Ok(())
    }

    fn next_row(&self) -> u64 {
        u64::try_from(self.rows.len()).map_or(u64::MAX, |n| n.saturating_add(1))
    }

    fn shown(&mut self, at: NaiveDateTime, sighting: &Sighting<'_>) -> Result<Option<Shown>> {
        let at = seconds(at);
        let Some((mut row, lost)) = sighting.shown(self.context.stages.process(), at)? else {
            return Ok(None);
        };
        let rates = self.context.reading.rates;
        let home = rates.map(crate::deals::Rates::home_currency);
        let Some(currency) = sighting.currency.or(home) else { return Ok(Some((row, lost))) };
        let closed = sighting.closed.filter(|&closed| closed <= at).map(civil_day);
        self.currencies.met(currency, self.next_row());
        if let Some(rates) = rates {
            let found = rates.at(currency, closed.unwrap_or_else(|| civil_day(at.saturating_sub(1))));
            match found {
                Some((_, rate)) => row.amount = row.amount.map(|amount| amount * rate),
                None => self.currencies.missing(currency, self.next_row()),
            }
            if let Some(used) = &mut self.used {
                used.add(currency, found);
            }
            if row.amount.is_some_and(|amount| !amount.is_finite()) {
                let error = Error::new(ErrorKind::Overflow, "a converted amount that is finite");
                return Err(error.field("amount").of_deal(&row.deal_id));
            }
        }
        Ok(Some((row, lost)))
    }
}
