//! The funnel: how far deals get, and where they fall out.

use super::proportion::{Closed, Interval, ShareInterval};
use crate::deals::Known;
use crate::error::shortened;
use crate::history::lives::{End, Life, lives};
use crate::time::{Period, day_number};
use crate::{Level, Probability};
use chrono::NaiveDateTime;
use std::fmt;

/// How many deals reached or passed each stage, and what became of the others, from the first contact on.
///
/// # Meaning
/// A deal reached a stage if it was ever in it or in a later one, or was won: a skipped stage was passed. Every deal counts
/// once, at the furthest stage it came to, whatever it did before; a reopened deal counts anew. The first line, contacts,
/// holds all deals that were ever seen, also those created closed. So each line is the next one plus the deals that were
/// lost, are open or were removed with this as their furthest stage.
///
/// # Bias
/// `step` is next / reached: too low while deals are open that may go on. `step_settled` leaves out the deals that are
/// open here: too low or too high as those that decide quickly are. For the share that is ever won ask
/// [`win_rates`](Known::win_rates).
///
/// # Example: where do deals fall out?
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::time::date;
/// let row = |deal: &str, day, stage: &str| DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
/// let log = DealLog::from_events(&SalesProcess::open(["lead", "qualify", "propose"])?, [
///     row("a", 1, "lead"), row("a", 2, "propose"), row("a", 9, "won"), // qualify skipped, hence passed
///     row("b", 1, "lead"), row("b", 3, "qualify"), row("b", 5, "lost"),
///     row("c", 1, "lead"), row("c", 8, "lost"),
///     row("d", 4, "lead"),
/// ])?;
/// let funnel = log.as_of(date(2026, 3, 31)?).funnel();
/// let reached: Vec<_> = funnel.steps().iter().map(|step| step.reached()).collect();
/// assert_eq!(reached, [4, 4, 2, 1, 1]); // contacts, lead, qualify, propose, won
/// assert_eq!((funnel.steps()[1].lost_here(), funnel.steps()[1].open_here()), (1, 1));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funnel {
    as_of: NaiveDateTime,
    steps: Vec<FunnelStep>,
}

/// A line of the funnel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunnelStep {
    name: String,
    reached: u64,
    next: Option<u64>,
    lost: u64,
    open: u64,
    removed: u64,
}

impl Known<'_> {
    /// The funnel of all deals; one pass over the log.
    pub fn funnel(&self) -> Funnel {
        self.funnel_where(|_| true)
    }

    /// The funnel of the deals created inside a period.
    pub fn funnel_of(&self, created: &Period) -> Funnel {
        let days = day_number(created.start())..day_number(created.end());
        self.funnel_where(|life| days.contains(&life.began))
    }

    fn funnel_where(&self, counts: impl Fn(&Life<'_>) -> bool) -> Funnel {
        let open = self.process().open_stages();
        let step = |name: &str| FunnelStep { name: name.to_owned(), ..FunnelStep::default() };
        let mut steps: Vec<FunnelStep> = std::iter::once(step("contacts"))
            .chain(open.iter().map(|stage| step(stage.name())))
            .chain([step("won")])
            .collect();
        let last = steps.len() - 1;
        lives(self, |life| {
            if !counts(life) {
                return;
            }
            let furthest = life.stages.iter().map(|arrived| arrived.stage.index() + 1).max().unwrap_or(0);
            let end = life.end.map(|(_, end)| end);
            let place = if end == Some(End::Won) { last } else { furthest };
            let Some(step) = steps.get_mut(place) else { return };
            match end {
                Some(End::Won) => step.reached += 1,
                Some(End::Lost) => step.lost += 1,
                Some(End::Removed) => step.removed += 1,
                None => step.open += 1,
            }
        });
        let mut next = None;
        for step in steps.iter_mut().rev() {
            step.reached += next.unwrap_or(0) + step.lost + step.open + step.removed;
            step.next = next;
            next = Some(step.reached);
        }
        Funnel { as_of: self.at(), steps }
    }
}

impl Funnel {
    /// The instant as of which it was counted.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// Contacts, the open stages in process order, won.
    pub fn steps(&self) -> &[FunnelStep] {
        &self.steps
    }
}

impl FunnelStep {
    /// `contacts`, the name of a stage, or `won`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Deals that reached or passed it.
    pub const fn reached(&self) -> u64 {
        self.reached
    }

    /// Deals that got here, no further, and were lost: the attrition.
    pub const fn lost_here(&self) -> u64 {
        self.lost
    }

    /// Deals that got here, no further yet, and are open.
    pub const fn open_here(&self) -> u64 {
        self.open
    }

    /// Deals that got here, no further, and were removed without an outcome.
    pub const fn removed_here(&self) -> u64 {
        self.removed
    }

    /// The share that reached the next line; `None` without deals and on the last line.
    pub fn step(&self) -> Option<Probability> {
        self.split(self.reached)?.share()
    }

    /// The same among those that are not open or removed here.
    pub fn step_settled(&self) -> Option<Probability> {
        self.split(self.reached - self.open - self.removed)?.share()
    }

    /// The interval of [`step_settled`](Self::step_settled); `None` on the last line.
    pub fn interval(&self, method: ShareInterval, level: Level) -> Option<Interval> {
        Some(self.split(self.reached - self.open - self.removed)?.interval(method, level))
    }

    fn split(&self, of: u64) -> Option<Closed> {
        self.next.map(|next| Closed { won: next, lost: of.saturating_sub(next) })
    }
}

/// A line a step: reached or passed, share of the contacts, share of the settled that went on, and who stayed behind.
impl fmt::Display for Funnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contacts = self.steps.first().map_or(0, FunnelStep::reached);
        write!(f, "reached or passed, as of {}\n{:<16}{:>9}{:>9}", self.as_of, "", "deals", "of all")?;
        write!(f, "{:>9}{:>9}{:>9}{:>9}", "go on", "lost", "open", "removed")?;
        for step in &self.steps {
            let of_all = Closed { won: step.reached, lost: contacts.saturating_sub(step.reached) }.share();
            let text = |share: Option<Probability>| share.map_or("-".to_owned(), |share| share.to_string());
            write!(f, "\n{:<16}{:>9}{:>9}", shortened(&step.name, 14), step.reached, text(of_all))?;
            write!(f, "{:>9}{:>9}{:>9}{:>9}", text(step.step_settled()), step.lost, step.open, step.removed)?;
        }
        Ok(())
    }
}
