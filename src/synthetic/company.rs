//! A company: its truth, its history and a seed make its rows.

use super::deal::{ARRIVING, Nature};
use super::rows::Scribe;
use super::truth::Truth;
use super::worlds::World;
use crate::crm::tidy::StageRow;
use crate::deals::{DealEvent, DealLog, SalesProcess};
use crate::num::Seed;
use crate::num::rng::Stream;
use crate::time::{DAY, Period, day_number};
use crate::{Error, ErrorKind, Result};

/// A company with known truth.
///
/// # Example: what does the crate see of a company that wins 30 %?
/// ```
/// use dealcast::Seed;
/// use dealcast::synthetic::{Company, World};
/// let company = Company::named(World::Stationary, Seed::new(7))?;
/// let truth = company.truth().win_chance(0, 1.0).unwrap();
/// assert!((truth.get() - 0.3).abs() < 0.01);
/// let log = company.log()?;
/// assert_eq!(log.receipt().quarantined(), 0);
/// let book = log.as_of(company.history().end()).snapshot();
/// assert!(book.won().len() > 200 && book.n_open() > 50);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Company {
    truth: Truth,
    process: SalesProcess,
    history: Period,
    seed: Seed,
}

/// Deals are created between 8 and 18 o'clock.
const OPENS: i64 = 8 * 3600;
const OPEN_FOR: f64 = 10.0 * 3600.0;
/// Most deals a history may be expected to hold, and most rows it may have.
const MOST_DEALS: f64 = 1e7;
const MOST_ROWS: usize = 10_000_000;
/// Longest history in days.
const LONGEST: u32 = 366 * 200;

impl Company {
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for a number its meaning does not allow;
    /// [`InvalidProcess`](ErrorKind::InvalidProcess) for stages that do not form a process;
    /// [`TooLarge`](ErrorKind::TooLarge) for a history longer than 200 years or of more than 10 million deals.
    pub fn new(truth: Truth, history: Period, seed: Seed) -> Result<Self> {
        truth.check()?;
        let process = SalesProcess::open(truth.stages.iter().map(|stage| stage.name.as_str()))?;
        if history.n_days() > LONGEST || truth.arrivals.expected(&history) > MOST_DEALS {
            return Err(Error::new(ErrorKind::TooLarge, "at most 200 years and 10 million deals"));
        }
        Ok(Self { truth, process, history, seed })
    }

    /// One of the named companies, with its usual history of five years.
    ///
    /// # Errors
    /// None in practice: the named worlds are checked by tests.
    pub fn named(world: World, seed: Seed) -> Result<Self> {
        Self::new(world.truth(), World::history()?, seed)
    }

    /// What is true of it.
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Its stages.
    pub const fn process(&self) -> &SalesProcess {
        &self.process
    }

    /// From its first day to the day of the export.
    pub const fn history(&self) -> &Period {
        &self.history
    }

    /// The rows of its export, in order of time unless its dirt says otherwise. Nothing happens after the history.
    ///
    /// # Errors
    /// [`TooLarge`](ErrorKind::TooLarge) beyond 10 million rows: deals can go round in circles.
    pub fn events(&self) -> Result<Vec<DealEvent>> {
        let days = (day_number(self.history.start()), day_number(self.history.end()));
        let nature = Nature { truth: &self.truth, seed: self.seed, start_day: days.0 };
        let scribe = Scribe { truth: &self.truth, seed: self.seed, until: i64::from(days.1) * DAY };
        let mut rows = Vec::new();
        for (number, created) in (0..).zip(self.arrivals(days)) {
            scribe.write(number, &nature.live(number, created), &mut rows);
            if rows.len() > MOST_ROWS {
                return Err(Error::new(ErrorKind::TooLarge, "at most 10 million rows"));
            }
        }
        if self.truth.dirt.shuffled {
            self.shuffle(&mut rows);
        } else {
            // Stable: rows of one instant stay in the order of their deals and moves.
            rows.sort_by_key(|row| row.at);
        }
        Ok(rows)
    }

    /// The same rows as a tidy table of stage changes has them: every cell a text, no attributes.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub fn rows(&self) -> Result<Vec<StageRow>> {
        Ok(self.events()?.into_iter().map(super::rows::tidy).collect())
    }

    /// The log of all its rows.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub fn log(&self) -> Result<DealLog> {
        DealLog::from_events(&self.process, self.events()?)
    }

    /// When each deal is created, in seconds, in order of the day.
    fn arrivals(&self, (start, end): (i32, i32)) -> Vec<i64> {
        let limit = self.truth.arrivals.at_most.unwrap_or(usize::MAX);
        let mut created = Vec::new();
        for (n_days, day) in (0..).zip(start..end) {
            let mut stream = Stream::new(self.seed, n_days, ARRIVING);
            let elapsed = u32::try_from(n_days).unwrap_or(u32::MAX);
            for _ in 0..stream.poisson(self.truth.arrivals.rate(day, elapsed)) {
                if created.len() >= limit {
                    return created;
                }
                created.push(i64::from(day) * DAY + OPENS + second(stream.uniform() * OPEN_FOR));
            }
        }
        created
    }

    /// Fisher and Yates.
    fn shuffle(&self, rows: &mut [DealEvent]) {
        let mut stream = Stream::new(self.seed, u64::MAX, ARRIVING);
        for i in (1..rows.len()).rev() {
            let below = u128::try_from(i + 1).unwrap_or(1);
            let j = usize::try_from((u128::from(stream.word()) * below) >> 64).unwrap_or(0);
            rows.swap(i, j);
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a second of a day")]
const fn second(x: f64) -> i64 {
    x as i64
}
