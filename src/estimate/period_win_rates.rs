//! Three other win rates that the field uses, each under its own name. None of them is
//! [`WinRate`](super::WinRate).

use super::proportion::{Closed, Interval, ShareInterval};
use crate::deals::{Book, Known};
use crate::history::lives::{End, Life, lives};
use crate::time::{Period, civil_day, day_number};
use crate::{Error, ErrorKind, Level, Probability, Result};
use std::fmt;

/// Won / (won + lost) among the deals that were closed inside a period, by number and by amount: what most dashboards
/// call the win rate.
///
/// # Bias
/// Open deals do not count, and losses are usually quicker than wins: in a growing pipeline the share is too low, after
/// a clean-up of old deals far too low, in a shrinking pipeline too high. It moves with when deals are closed, not only
/// with how many are won. By amount it is one number of few large deals.
///
/// # Example: how did the quarter close?
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::{Period, time::date};
/// let row = |deal: &str, day, stage: &str, amount| {
///     DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into())).and(Change::Amount(Some(amount)))
/// };
/// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, [
///     row("a", 1, "propose", 300.0), row("a", 9, "won", 300.0),
///     row("b", 1, "propose", 100.0), row("b", 5, "lost", 100.0),
///     row("c", 2, "propose", 100.0), row("c", 6, "lost", 100.0),
///     row("d", 4, "propose", 900.0),
/// ])?;
/// let march = Period::new(date(2026, 3, 1)?, date(2026, 4, 1)?)?;
/// let closed = log.as_of(date(2026, 4, 1)?).closed_in(&march)?;
/// assert_eq!(closed.by_count().unwrap().to_string(), "33.3 %");
/// assert_eq!(closed.by_amount().unwrap().to_string(), "60 %");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosedInPeriod {
    period: Period,
    won: Book,
    lost: Book,
}

/// What became so far of the deals created inside a period.
///
/// # Bias
/// Won / created is a lower bound of the share that is ever won: deals still open may yet be. The more recent the period,
/// the lower it is, which looks like decline. Won + open is the upper bound.
///
/// # Example: last quarter's deals
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::{Period, time::date};
/// let row = |deal: &str, day, stage: &str| DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
/// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, [
///     row("a", 1, "propose"), row("a", 9, "won"), row("b", 1, "propose"), row("b", 5, "lost"), row("c", 2, "propose"),
/// ])?;
/// let march = Period::new(date(2026, 3, 1)?, date(2026, 4, 1)?)?;
/// let cohort = log.as_of(date(2026, 4, 1)?).created_in(&march);
/// assert_eq!((cohort.n(), cohort.won(), cohort.lost(), cohort.still_open()), (3, 1, 1, 1));
/// assert_eq!((cohort.at_least().unwrap().to_string(), cohort.at_most().unwrap().to_string()), ("33.3 %".into(), "66.7 %".into()));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedCohort {
    period: Period,
    fates: Fates,
}

/// The share won within a stated number of days among the deals created inside a period, all of which have had that time.
///
/// # Bias
/// None for what it says: no deal is censored, only removed ones are left out. But it says nothing of deals won later,
/// so that slow sales look like lost ones, and it is as old as its days: what changed since does not show.
///
/// # Example: won within 30 days
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::{Period, time::date};
/// let row = |deal: &str, day, stage: &str| DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
/// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, [
///     row("a", 1, "propose"), row("a", 9, "won"), row("b", 1, "propose"), row("b", 5, "lost"), row("c", 25, "propose"),
/// ])?;
/// let march = Period::new(date(2026, 3, 1)?, date(2026, 4, 1)?)?;
/// let cohort = log.as_of(date(2026, 4, 10)?).matured_in(&march, 30)?;
/// assert_eq!((cohort.n(), cohort.won(), cohort.n_too_young()), (2, 1, 1));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaturedCohort {
    period: Period,
    days: u32,
    fates: Fates,
    n_too_young: u64,
}

/// How many deals came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fates {
    won: u64,
    lost: u64,
    open: u64,
    removed: u64,
}

impl Fates {
    fn add(&mut self, end: Option<End>) {
        *match end {
            Some(End::Won) => &mut self.won,
            Some(End::Lost) => &mut self.lost,
            Some(End::Removed) => &mut self.removed,
            None => &mut self.open,
        } += 1;
    }

    /// Those whose outcome is known or still to come.
    const fn n(self) -> u64 {
        self.won + self.lost + self.open
    }
}

impl Known<'_> {
    /// How the deals closed inside a period came out; one pass over the log.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where a sum of amounts is no finite number.
    pub fn closed_in(&self, period: &Period) -> Result<ClosedInPeriod> {
        let days = days_of(period);
        let (mut won, mut lost) = (Vec::new(), Vec::new());
        lives(self, |life| match life.end {
            Some((day, End::Won)) if days.contains(&day) => won.push(life.deal.amount()),
            Some((day, End::Lost)) if days.contains(&day) => lost.push(life.deal.amount()),
            _ => {}
        });
        Ok(ClosedInPeriod {
            period: *period,
            won: Book::of(won.into_iter())?,
            lost: Book::of(lost.into_iter())?,
        })
    }

    /// What became so far of the deals created inside a period; a reopened deal counts again. One pass over the log.
    pub fn created_in(&self, period: &Period) -> CreatedCohort {
        let mut fates = Fates::default();
        let days = days_of(period);
        lives(self, |life| {
            if days.contains(&life.began) {
                fates.add(life.end.map(|(_, end)| end));
            }
        });
        CreatedCohort { period: *period, fates }
    }

    /// What had become, `days` days after each was created, of the deals created inside a period that are at least that
    /// old. Deals that were only found have no day of creation and are left out.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for 0 days or more than 36,525.
    pub fn matured_in(&self, period: &Period, days: u32) -> Result<MaturedCohort> {
        let span = i32::try_from(days).ok().filter(|days| (1..=36_525).contains(days));
        let Some(span) = span else {
            return Err(Error::new(ErrorKind::OutOfRange, "1 to 36,525 days").field("days").found(days));
        };
        let (created, today) = (days_of(period), civil_day(self.until()));
        let (mut fates, mut n_too_young) = (Fates::default(), 0);
        let known = |life: &Life<'_>| life.stages.first().is_none_or(|first| first.entry_known);
        lives(self, |life| {
            if !created.contains(&life.began) || !known(life) {
                return;
            }
            let mature = life.began.saturating_add(span);
            if mature > today {
                n_too_young += 1;
            } else {
                fates.add(life.end.filter(|&(day, _)| day <= mature).map(|(_, end)| end));
            }
        });
        Ok(MaturedCohort { period: *period, days, fates, n_too_young })
    }
}

fn days_of(period: &Period) -> std::ops::Range<i32> {
    day_number(period.start())..day_number(period.end())
}

impl ClosedInPeriod {
    /// The deals won inside the period.
    pub const fn won(&self) -> Book {
        self.won
    }

    /// The deals lost inside the period.
    pub const fn lost(&self) -> Book {
        self.lost
    }

    /// The share won of the deals closed; `None` where none was.
    pub fn by_count(&self) -> Option<Probability> {
        self.closed().share()
    }

    /// The interval of the share by number; 0 to 1 where nothing was closed.
    pub fn interval(&self, method: ShareInterval, level: Level) -> Interval {
        self.closed().interval(method, level)
    }

    /// The share won of the amounts closed, deals without one left out; `None` where nothing was.
    pub fn by_amount(&self) -> Option<Probability> {
        let [won, lost] = [self.won, self.lost].map(|book| book.amount().get());
        // Halves cannot overflow.
        Probability::new(0.5 * won / (0.5 * won + 0.5 * lost)).ok()
    }

    fn closed(&self) -> Closed {
        let whole = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Closed { won: whole(self.won.n()), lost: whole(self.lost.n()) }
    }
}

impl CreatedCohort {
    /// How many deals were created, removed ones left out.
    pub const fn n(&self) -> u64 {
        self.fates.n()
    }

    /// How many of them are won so far.
    pub const fn won(&self) -> u64 {
        self.fates.won
    }

    /// How many are lost.
    pub const fn lost(&self) -> u64 {
        self.fates.lost
    }

    /// How many are still open.
    pub const fn still_open(&self) -> u64 {
        self.fates.open
    }

    /// How many were removed without an outcome.
    pub const fn n_removed(&self) -> u64 {
        self.fates.removed
    }

    /// The share won if no open deal is won any more; `None` without deals.
    pub fn at_least(&self) -> Option<Probability> {
        Closed { won: self.fates.won, lost: self.fates.lost + self.fates.open }.share()
    }

    /// The share won if every open deal is; `None` without deals.
    pub fn at_most(&self) -> Option<Probability> {
        Closed { won: self.fates.won + self.fates.open, lost: self.fates.lost }.share()
    }
}

impl MaturedCohort {
    /// How many deals had their time, removed ones left out.
    pub const fn n(&self) -> u64 {
        self.fates.n()
    }

    /// How many of them were won in time.
    pub const fn won(&self) -> u64 {
        self.fates.won
    }

    /// How many were neither won nor lost in time.
    pub const fn still_open(&self) -> u64 {
        self.fates.open
    }

    /// How many deals of the period are not old enough yet.
    pub const fn n_too_young(&self) -> u64 {
        self.n_too_young
    }

    /// The share won in time; `None` without deals.
    pub fn share(&self) -> Option<Probability> {
        self.split().share()
    }

    /// The interval of the share; 0 to 1 without deals.
    pub fn interval(&self, method: ShareInterval, level: Level) -> Interval {
        self.split().interval(method, level)
    }

    const fn split(&self) -> Closed {
        Closed { won: self.fates.won, lost: self.fates.lost + self.fates.open }
    }
}

fn or_dash(share: Option<Probability>) -> String {
    share.map_or("-".to_owned(), |share| share.to_string())
}

impl fmt::Display for ClosedInPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, amount) = (or_dash(self.by_count()), or_dash(self.by_amount()));
        write!(
            f,
            "closed in {}: {count} won by number, {amount} by amount\n  {} won, {} lost",
            self.period, self.won, self.lost
        )
    }
}

impl fmt::Display for CreatedCohort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fates { won, lost, open, .. } = self.fates;
        let (least, most) = (or_dash(self.at_least()), or_dash(self.at_most()));
        write!(f, "created in {}: {least} to {most} won in the end", self.period)?;
        write!(f, "\n  {} deals, {won} won, {lost} lost, {open} still open", self.n())
    }
}

impl fmt::Display for MaturedCohort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, won) = (self.n(), self.fates.won);
        write!(
            f,
            "created in {}: {won} of {n} deals won within {} days, {}",
            self.period,
            self.days,
            or_dash(self.share())
        )?;
        match self.n_too_young {
            0 => Ok(()),
            young => write!(f, "; {young} not old enough"),
        }
    }
}
