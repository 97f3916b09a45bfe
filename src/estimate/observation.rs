//! What was seen of a duration: when it ended and how, or how far it was followed; from when on it was watched; and
//! what it counts for. Censoring belongs to the data, so every estimator takes one thing.

use super::table::{self, Mass, Row, Table};
use crate::{Error, ErrorKind, Result};

/// One observed stay: how long it lasted or was followed, and how it ended.
///
/// Cause 0 means that its end was not seen (censored); 1, 2, .. say where it went.
///
/// # Units
/// Times in any one unit, usually days in the stage. `entry` is the age at which the stay came under observation
/// (left truncation): the deal is at risk in `(entry, time]`. Without it the deal was watched from the start, and a
/// stay of length 0 counts.
///
/// # Example
/// ```
/// use dealcast::estimate::{Durations, Spell};
/// let known = Durations::from_spells([
///     Spell::new(12.0, 1),
///     Spell::new(30.0, 0).entry(8.0),   // first seen at age 8, still open at age 30
///     Spell::new(5.0, 2).weight(0.5),   // an old one, at half weight
/// ])?;
/// assert_eq!((known.n(), known.n_risk(10.0)), (3, 2.0));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell {
    time: f64,
    cause: u8,
    entry: Option<f64>,
    weight: f64,
}

impl Spell {
    /// A stay watched from its start, of weight 1.
    pub const fn new(time: f64, cause: u8) -> Self {
        Self { time, cause, entry: None, weight: 1.0 }
    }

    /// The age at which it came under observation.
    #[must_use]
    pub const fn entry(mut self, age: f64) -> Self {
        self.entry = Some(age);
        self
    }

    /// How many stays it counts for; see [`Durations`].
    #[must_use]
    pub const fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    fn checked(self) -> Result<Row> {
        checked_time(self.time)?;
        let entry = self.entry.unwrap_or(f64::NEG_INFINITY);
        if self.entry.is_some() && !(entry.is_finite() && entry < self.time) {
            return Err(Error::out_of_range("entry", "a finite number below the time", entry));
        }
        if !(self.weight >= 0.0 && self.weight <= HEAVIEST) {
            return Err(Error::out_of_range("weight", "a number from 0 to 1e100", self.weight));
        }
        Ok(Row { time: self.time + 0.0, entry, weight: self.weight, cause: u32::from(self.cause) })
    }
}

/// Weights beyond these cannot be squared and added up.
const HEAVIEST: f64 = 1e100;
const LIGHTEST: f64 = 1e-100;

fn checked_time(time: f64) -> Result<()> {
    if time >= 0.0 && time.is_finite() {
        return Ok(());
    }
    Err(Error::out_of_range("time", "a finite number >= 0", time))
}

/// Durations in order: how many ended at each distinct time, how, and how many were at risk.
///
/// Rows are counted (whole days) or sorted once; what is kept is as long as the distinct times, not the rows. The
/// order of the rows changes nothing, to the last bit.
///
/// Weights count as that many rows: 2 is the row twice. Weights below 1e-100 count as 0, and a row of weight 0 is
/// left out.
///
/// # Errors
/// Of its constructors: [`NoHistory`](ErrorKind::NoHistory) without a row that counts,
/// [`LengthMismatch`](ErrorKind::LengthMismatch), [`TooLarge`](ErrorKind::TooLarge) from 2^32 rows on, and
/// [`OutOfRange`](ErrorKind::OutOfRange) with the row for a time
/// that is negative or not finite, an entry that is not finite and below its time, or a weight outside 0..1e100.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    table: Table,
    n: u64,
    weight: f64,
    square: f64,
}

impl Durations {
    /// Stays watched from their start, of weight 1 each: how long, and cause 0 (censored), 1, 2, ..
    ///
    /// ```
    /// use dealcast::estimate::Durations;
    /// let known = Durations::new(&[3.0, 5.5, 5.5], &[1, 1, 0])?;
    /// assert_eq!(known.n_risk(4.0), 2.0);
    /// assert!(Durations::new(&[], &[]).is_err());
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for the [type](Durations).
    pub fn new(time: &[f64], cause: &[u8]) -> Result<Self> {
        same_length(time.len(), cause.len())?;
        countable(time.len())?;
        if let Some(table) = table::of_whole(time, cause) {
            return Self::of(table);
        }
        for (row, &time) in (1..).zip(time) {
            checked_time(time).map_err(|error| error.at_row(row))?;
        }
        Self::of(table::of_times(time, cause))
    }

    /// Stays in whole days: the quickest way in.
    ///
    /// ```
    /// use dealcast::estimate::Durations;
    /// assert_eq!(Durations::from_days(&[3, 5, 5], &[1, 1, 0])?, Durations::new(&[3.0, 5.0, 5.0], &[1, 1, 0])?);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for the [type](Durations).
    pub fn from_days(days: &[u32], cause: &[u8]) -> Result<Self> {
        same_length(days.len(), cause.len())?;
        countable(days.len())?;
        if let Some(table) = table::of_days(days, cause) {
            return Self::of(table);
        }
        let time: Vec<f64> = days.iter().map(|&day| f64::from(day)).collect();
        Self::of(table::of_times(&time, cause))
    }

    /// Stays of any kind, truncated and weighted ones among them.
    ///
    /// # Errors
    /// As for the [type](Durations).
    pub fn from_spells(spells: impl IntoIterator<Item = Spell>) -> Result<Self> {
        let checked = |(i, spell): (u64, Spell)| spell.checked().map_err(|error| error.at_row(i));
        let rows = (1..).zip(spells).map(checked);
        let counts = |row: &Result<Row>| row.as_ref().map_or(true, |row| row.weight >= LIGHTEST);
        let rows = rows.filter(counts).collect::<Result<Vec<_>>>()?;
        countable(rows.len())?;
        Self::of(Table::from_rows(rows))
    }

    fn of(table: Table) -> Result<Self> {
        let (n, weight, square) = table.totals();
        if n == 0 {
            return Err(Error::new(ErrorKind::NoHistory, "at least one duration of weight above 0"));
        }
        Ok(Self { table, n: u64::from(n), weight, square })
    }

    /// The same stays, given that they lasted beyond this age: shorter ones are left out, entries raised to it.
    ///
    /// # Example: how long will a deal last that is 10 days old?
    /// ```
    /// use dealcast::estimate::{Durations, KaplanMeier};
    /// let known = Durations::new(&[4.0, 10.0, 12.0, 20.0], &[1, 1, 1, 1])?;
    /// let rest = KaplanMeier::fit(&known.after(10.0)?);
    /// assert_eq!((rest.survival(10.0).get(), rest.survival(12.0).get()), (1.0, 0.5));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for an age that is not finite,
    /// [`NoHistory`](ErrorKind::NoHistory) where no stay lasted beyond it.
    pub fn after(&self, age: f64) -> Result<Self> {
        if !age.is_finite() {
            return Err(Error::out_of_range("after", "a finite number", age));
        }
        let mut table = self.table.leaving_after(age);
        let later: Vec<_> = self.table.entries.iter().filter(|entry| entry.time > age).copied().collect();
        let waiting = later.iter().fold(Mass::default(), |all, entry| Mass {
            n: all.n + entry.mass.n,
            weight: all.weight + entry.mass.weight,
        });
        let (n, weight, _) = table.totals();
        if n > waiting.n {
            table.enter(age, Mass { n: n - waiting.n, weight: (weight - waiting.weight).max(0.0) });
        }
        table.entries.extend(later);
        Self::of(table.with_risk_sets())
    }

    /// Number of stays.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Number of stays whose end was seen.
    pub fn n_events(&self) -> u64 {
        u64::from(self.table.left().n)
    }

    /// Number of stays that equally weighted data of the same information would hold: (sum w)^2 / sum w^2.
    ///
    /// # Reference
    /// Kish (1965), Survey Sampling, section 11.7.
    pub fn n_effective(&self) -> f64 {
        self.weight * self.weight / self.square
    }

    /// Weight of the stays at risk at a time: `entry < t <= time`.
    pub fn n_risk(&self, t: f64) -> f64 {
        self.table.at_risk(t)
    }

    /// The longest time anybody was followed.
    pub fn longest(&self) -> f64 {
        self.table.moments.last().map_or(0.0, |moment| moment.time)
    }

    /// The causes that occur, in increasing order.
    pub fn causes(&self) -> Vec<u8> {
        let times = self.event_times_by_cause();
        (0..=u8::MAX).zip(times).filter_map(|(cause, times)| (times > 0).then_some(cause)).collect()
    }

    /// Number of distinct times at which each cause occurred.
    pub(super) fn event_times_by_cause(&self) -> [usize; 256] {
        let mut times = [0; 256];
        for event in &self.table.events {
            if let Some(times) = usize::try_from(event.cause).ok().and_then(|cause| times.get_mut(cause)) {
                *times += 1;
            }
        }
        times
    }

    pub(super) const fn table(&self) -> &Table {
        &self.table
    }

    /// What one weight is worth in equally informative rows, so that variances do not depend on the weights' unit.
    pub(super) fn rows_per_weight(&self) -> f64 {
        self.weight / self.square
    }
}

/// Counts of rows have 32 bits.
pub(super) fn countable(rows: usize) -> Result<()> {
    match u32::try_from(rows) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(ErrorKind::TooLarge, "fewer than 2^32 rows").found(rows)),
    }
}

pub(super) fn same_length(found: usize, other: usize) -> Result<()> {
    if found == other {
        return Ok(());
    }
    let expected = format!("{found} numbers, as many as in the first column");
    Err(Error::new(ErrorKind::LengthMismatch, expected).found(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_their_row() {
        for (time, cause) in [(f64::NAN, 1), (-1.0, 1), (f64::INFINITY, 0)] {
            let error = Durations::new(&[0.5, time], &[1, cause]).unwrap_err();
            assert_eq!((error.kind(), error.row()), (ErrorKind::OutOfRange, Some(2)));
        }
        let fine = Spell::new(2.0, 1);
        for odd in
            [fine.entry(2.0), fine.entry(3.0), fine.entry(f64::NAN), fine.weight(-1.0), fine.weight(1e101)]
        {
            let error = Durations::from_spells([fine, fine, odd]).unwrap_err();
            assert_eq!((error.kind(), error.row()), (ErrorKind::OutOfRange, Some(3)));
        }
        assert_eq!(Durations::new(&[1.0], &[]).unwrap_err().kind(), ErrorKind::LengthMismatch);
        assert_eq!(Durations::from_spells([fine.weight(0.0)]).unwrap_err().kind(), ErrorKind::NoHistory);
    }

    #[test]
    fn nothing_lasts_beyond_the_longest() {
        let known = Durations::new(&[1.0, 2.0], &[1, 1]).unwrap();
        assert_eq!(known.after(2.0).unwrap_err().kind(), ErrorKind::NoHistory);
        assert_eq!(known.after(1.0).unwrap().n_risk(1.0), 0.0);
        assert_eq!(known.after(1.0).unwrap().n_risk(1.5), 1.0);
    }
}
