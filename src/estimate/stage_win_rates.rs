//! Win rates of the stages, straight from a log.

use super::observation::Durations;
use super::proportion::ShareInterval;
use super::win_rate::WinRate;
use crate::deals::{Known, Stage, StageId};
use crate::error::shortened;
use crate::history::lives::{End, Life, lives, open_stage};
use crate::time::civil_day;
use crate::{Level, Result};
use chrono::NaiveDateTime;
use std::fmt;

/// The win rate of every open stage, as known at an instant.
///
/// In the words of sales: of 100 deals that come into this stage, how many will be won in the end? The rates are not
/// multiplied from stage to stage: deals skip stages, move back and come again, and each rate counts what became of
/// those that came to its stage.
///
/// # Meaning
/// A deal counts from its first entry of the stage, in whole civil days, to the day it is won or lost; an open or
/// removed one is censored. A reopened deal counts anew from its return. Deals that were only found in the stage have no
/// known entry and are left out, counted by [`n_entry_unknown`](StageWinRate::n_entry_unknown).
///
/// # Example: what is each stage worth?
/// ```
/// use dealcast::synthetic::{Company, World};
/// use dealcast::{Level, Seed, estimate::ShareInterval};
/// let company = Company::named(World::Stationary, Seed::new(7))?;
/// let log = company.log()?;
/// let rates = log.as_of(company.history().end()).win_rates();
/// let first = &rates.stages()[0];
/// let rate = first.rate().unwrap();
/// let truth = company.truth().win_chance(0, 1.0).unwrap();
/// assert!(rate.interval(ShareInterval::Wilson, Level::new(0.99)?).contains(truth));
/// println!("{rates}");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WinRates {
    as_of: NaiveDateTime,
    stages: Vec<StageWinRate>,
}

/// The win rate of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageWinRate {
    stage: String,
    rate: Option<WinRate>,
    n_entry_unknown: usize,
}

impl Known<'_> {
    /// The win rate of a stage: the share ever won of the deals that enter it, open ones censored.
    ///
    /// # Errors
    /// [`UnknownStage`](crate::ErrorKind::UnknownStage) unless it is an open stage;
    /// [`NoHistory`](crate::ErrorKind::NoHistory) where no deal was seen entering it.
    ///
    /// # Example
    /// ```
    /// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
    /// use dealcast::time::date;
    /// let row = |deal: &str, day, stage: &str| DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
    /// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, [
    ///     row("a", 1, "propose"), row("a", 9, "won"),
    ///     row("b", 1, "propose"), row("b", 5, "lost"),
    ///     row("c", 1, "propose"), // open for 30 days
    ///     row("d", 29, "propose"), // open for 2 days: will it be lost on day 4 or won on day 8?
    /// ])?;
    /// let rate = log.as_of(date(2026, 3, 31)?).win_rate("propose")?;
    /// assert!((rate.rate().get() - 1.0 / 3.0).abs() < 1e-12 && (rate.still_open().get() - 1.0 / 3.0).abs() < 1e-12);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn win_rate(&self, stage: &str) -> Result<WinRate> {
        let stage = open_stage(self.process(), stage)?;
        let mut entries = Entries::default();
        lives(self, |life| entries.add(life, stage, civil_day(self.until())));
        entries.rate()
    }

    /// The win rates of all open stages; one pass over the log.
    pub fn win_rates(&self) -> WinRates {
        let open = self.process().open_stages();
        let mut entries = vec![Entries::default(); open.len()];
        let today = civil_day(self.until());
        lives(self, |life| {
            (0..).zip(&mut entries).for_each(|(stage, entries)| entries.add(life, StageId(stage), today));
        });
        let stage = |(stage, entries): (&Stage, Entries)| StageWinRate {
            stage: stage.name().to_owned(),
            n_entry_unknown: entries.n_entry_unknown,
            rate: entries.rate().ok(),
        };
        WinRates { as_of: self.at(), stages: open.iter().zip(entries).map(stage).collect() }
    }
}

/// What became of the deals that entered a stage, and after how many days.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    days: Vec<u32>,
    outcomes: Vec<u8>,
    pub(super) n_entry_unknown: usize,
}

impl Entries {
    pub(super) fn add(&mut self, life: &Life<'_>, stage: StageId, today: i32) {
        let Some(entry) = life.first_entry(stage) else { return };
        if !entry.entry_known {
            self.n_entry_unknown += 1;
            return;
        }
        let (day, outcome) = match life.end {
            Some((day, End::Won)) => (day, WinRate::WON),
            Some((day, End::Lost)) => (day, WinRate::LOST),
            Some((day, End::Removed)) => (day, 0),
            None => (today, 0),
        };
        self.days.push(u32::try_from(day.saturating_sub(entry.day)).unwrap_or(0));
        self.outcomes.push(outcome);
    }

    pub(super) fn rate(&self) -> Result<WinRate> {
        Ok(WinRate::of(&Durations::from_days(&self.days, &self.outcomes)?))
    }
}

impl WinRates {
    /// The instant as of which they were counted.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// The open stages, in process order.
    pub fn stages(&self) -> &[StageWinRate] {
        &self.stages
    }
}

impl StageWinRate {
    /// The stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Its win rate; `None` where no deal was seen entering it.
    pub const fn rate(&self) -> Option<&WinRate> {
        self.rate.as_ref()
    }

    /// Deals that were only found in the stage: how long they had been in it is not known, and they are left out.
    pub const fn n_entry_unknown(&self) -> usize {
        self.n_entry_unknown
    }
}

/// A line a stage: deals, share ever won with its 80 % interval, share still open at the day at which it is read.
impl fmt::Display for WinRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "share ever won of the deals that entered each stage, as of {}\n{:<16}",
            self.as_of, "stage"
        )?;
        write!(f, "{:>8}{:>9}  {:<18}{:>11}{:>9}", "deals", "won", "80 % interval", "still open", "by day")?;
        for stage in &self.stages {
            write!(f, "\n{:<16}", shortened(&stage.stage, 14))?;
            match &stage.rate {
                Some(rate) => row(f, rate)?,
                None => write!(f, "{:>8}{:>9}", 0, "-")?,
            }
        }
        match self.stages.iter().map(|stage| stage.n_entry_unknown).sum::<usize>() {
            0 => Ok(()),
            n => write!(f, "\n{n} entries of unknown date are left out"),
        }
    }
}

pub(super) fn row(f: &mut fmt::Formatter<'_>, rate: &WinRate) -> fmt::Result {
    let level = Level::new(0.8).map_err(|_| fmt::Error)?;
    let range = rate.interval(ShareInterval::Wilson, level).to_string();
    let (won, open) = (rate.rate().to_string(), rate.still_open().to_string());
    write!(f, "{:>8}{won:>9}  {range:<18}{open:>11}{:>9.0}", rate.n(), rate.longest())
}
