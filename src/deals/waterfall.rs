//! Why the pipeline changed from one instant to another.

use super::known::{Known, Position};
use super::log::DealLog;
use super::snapshot::Snapshot;
use crate::num::{Amount, sum};
use crate::time::Period;
use crate::{Error, ErrorKind, Result};
use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// One bar of a [`Waterfall`]: a signed amount, and how many deals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bar {
    /// What it adds to the pipeline; negative where it takes away.
    pub amount: f64,
    /// How many deals.
    pub n: usize,
}

/// Why the pipeline changed from one instant to another: bars that lead from the opening to the closing amount.
///
/// # Meaning
/// The pipeline is the sum of the amounts of the open deals, an amount that is not stated counting 0; with a period,
/// of those that are expected to close in it. Each deal is compared with itself, and every part of the difference
/// belongs to one bar:
///
/// | the deal is | bar | amount |
/// |---|---|---|
/// | in both | `amount_up`, `amount_down` | the difference |
/// | in both, its stage later or earlier in process order | besides, `moved_forward`, `moved_back` | 0 |
/// | only in the closing, without any event before | `created` | its closing amount |
/// | only in the closing, open before as well, expected in another period | `pulled_in` | its closing amount |
/// | only in the closing, won, lost or removed before | `reopened` | its closing amount |
/// | only in the opening, by what it is now | `won`, `lost`, `removed` | minus its opening amount |
/// | only in the opening, still open, expected in another period | `pushed_out` | minus its opening amount |
///
/// A deal that leaves takes its *opening* amount with it, one that comes brings its *closing* amount: what changed
/// besides is not shown, as whatever happened and was undone between the two instants. Instants that lie closer
/// together show more.
///
/// # Formula
/// Amounts are signed: opening + all bars = closing. Deals: opening + created + pulled in + reopened - pushed out - won
/// - lost - removed = closing.
///
/// # Example: what happened since Monday?
/// ```
/// use dealcast::deals::Waterfall;
/// use dealcast::{Change, DealEvent, DealLog, SalesProcess, time::date};
/// let process = SalesProcess::open(["qualify", "propose"])?;
/// let entered = |deal: &str, stage: &str, day, amount| {
///     DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into())).and(Change::Amount(Some(amount)))
/// };
/// let log = DealLog::from_events(&process, [
///     entered("a", "qualify", 1, 100e3), entered("b", "propose", 1, 50e3), // open on Monday
///     entered("a", "propose", 4, 120e3), entered("b", "won", 5, 50e3), entered("c", "qualify", 6, 30e3),
/// ])?;
/// let week = Waterfall::of_log(&log, date(2026, 3, 2)?, date(2026, 3, 9)?)?;
/// assert_eq!((week.opening().amount, week.closing().amount), (150e3, 150e3));
/// assert_eq!((week.won().amount, week.amount_up().amount, week.created().amount), (-50e3, 20e3, 30e3));
/// assert_eq!((week.moved_forward().n, week.closing().n), (1, 2));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waterfall {
    from: NaiveDateTime,
    to: NaiveDateTime,
    period: Option<Period>,
    opening: Bar,
    created: Bar,
    pulled_in: Bar,
    reopened: Bar,
    amount_up: Bar,
    amount_down: Bar,
    moved_forward: Bar,
    moved_back: Bar,
    pushed_out: Bar,
    won: Bar,
    lost: Bar,
    removed: Bar,
    closing: Bar,
}

/// Where a deal stands at one of the instants.
#[derive(Clone, Copy, Debug)]
enum Place {
    Open { stage: u8, expected: Option<NaiveDate> },
    Won,
    Lost,
    Removed,
}

#[derive(Clone, Copy, Debug)]
struct Side {
    place: Place,
    amount: f64,
}

type Sides<'a> = BTreeMap<&'a str, Side>;

impl Waterfall {
    /// Between two instants of a log: what was known then and what was known later.
    ///
    /// # Errors
    /// [`InvalidPeriod`](ErrorKind::InvalidPeriod) where `to` is before `from`, [`Overflow`](ErrorKind::Overflow) where
    /// a sum is no finite number.
    pub fn of_log(
        log: &DealLog,
        from: impl Into<NaiveDateTime>,
        to: impl Into<NaiveDateTime>,
    ) -> Result<Self> {
        Self::between_known(&log.as_of(from), &log.as_of(to), None)
    }

    /// The same for the deals expected to close in a period.
    ///
    /// # Errors
    /// As [`of_log`](Self::of_log).
    pub fn of_log_in(
        log: &DealLog,
        from: impl Into<NaiveDateTime>,
        to: impl Into<NaiveDateTime>,
        period: &Period,
    ) -> Result<Self> {
        Self::between_known(&log.as_of(from), &log.as_of(to), Some(*period))
    }

    /// Between two stored snapshots of one process. A snapshot holds no removed deals: one that is in the first and not
    /// in the second counts as removed, one that is in the second and not in the first as created.
    ///
    /// # Errors
    /// As [`of_log`](Self::of_log), and [`InvalidProcess`](ErrorKind::InvalidProcess) where the processes differ.
    pub fn between(opening: &Snapshot, closing: &Snapshot) -> Result<Self> {
        Self::of_snapshots(opening, closing, None)
    }

    /// The same for the deals expected to close in a period.
    ///
    /// # Errors
    /// As [`between`](Self::between).
    pub fn between_in(opening: &Snapshot, closing: &Snapshot, period: &Period) -> Result<Self> {
        Self::of_snapshots(opening, closing, Some(*period))
    }

    fn of_snapshots(opening: &Snapshot, closing: &Snapshot, period: Option<Period>) -> Result<Self> {
        if opening.process() != closing.process() {
            let expected = format!("snapshots of one process, {}", opening.process());
            return Err(Error::new(ErrorKind::InvalidProcess, expected).found(closing.process()));
        }
        let instants = (opening.as_of(), closing.as_of());
        Self::of((instants, period), &sides_of_snapshot(opening), &sides_of_snapshot(closing))
    }

    fn between_known(from: &Known<'_>, to: &Known<'_>, period: Option<Period>) -> Result<Self> {
        Self::of(((from.at(), to.at()), period), &sides_of_log(from), &sides_of_log(to))
    }

    fn of(
        ((from, to), period): ((NaiveDateTime, NaiveDateTime), Option<Period>),
        before: &Sides<'_>,
        after: &Sides<'_>,
    ) -> Result<Self> {
        if to < from {
            let found = format!("{from} to {to}");
            return Err(Error::new(ErrorKind::InvalidPeriod, "an opening not after its closing").found(found));
        }
        let mut bars: BTreeMap<Kind, Vec<f64>> = BTreeMap::new();
        let mut put = |kind: Kind, amount: f64| bars.entry(kind).or_default().push(amount);
        let mut ids: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let (then, now) = (before.get(id).copied(), after.get(id).copied());
            compare(period, then, now, &mut put);
        }
        let bar = |kind: Kind| {
            let mut amounts = bars.get(&kind).cloned().unwrap_or_default();
            // By size, so that ids leave no trace in the last bit.
            amounts.sort_unstable_by(f64::total_cmp);
            Bar { amount: sum::sum(amounts.iter().copied()), n: amounts.len() }
        };
        Self {
            from,
            to,
            period,
            opening: bar(Kind::Opening),
            created: bar(Kind::Created),
            pulled_in: bar(Kind::PulledIn),
            reopened: bar(Kind::Reopened),
            amount_up: bar(Kind::AmountUp),
            amount_down: bar(Kind::AmountDown),
            moved_forward: bar(Kind::MovedForward),
            moved_back: bar(Kind::MovedBack),
            pushed_out: bar(Kind::PushedOut),
            won: bar(Kind::Won),
            lost: bar(Kind::Lost),
            removed: bar(Kind::Removed),
            closing: bar(Kind::Closing),
        }
        .finite()
    }

    fn finite(self) -> Result<Self> {
        let all = self.bars();
        if all.iter().all(|(_, bar)| bar.amount.is_finite()) {
            Ok(self)
        } else {
            Err(Error::new(ErrorKind::Overflow, "a sum of amounts that is a finite number").field("amount"))
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Opening,
    Created,
    PulledIn,
    Reopened,
    AmountUp,
    AmountDown,
    MovedForward,
    MovedBack,
    PushedOut,
    Won,
    Lost,
    Removed,
    Closing,
}

/// Sorts the difference of one deal into bars.
fn compare(period: Option<Period>, then: Option<Side>, now: Option<Side>, put: &mut impl FnMut(Kind, f64)) {
    let within = |side: &Side| match side.place {
        Place::Open { expected, .. } => {
            period.is_none_or(|period| expected.is_some_and(|day| period.contains(day.into())))
        }
        _ => false,
    };
    let (was, is) = (then.filter(within), now.filter(within));
    was.into_iter().for_each(|side| put(Kind::Opening, side.amount));
    is.into_iter().for_each(|side| put(Kind::Closing, side.amount));
    match (was, is) {
        (None, None) => {}
        (Some(was), Some(is)) => {
            let change = is.amount - was.amount;
            if change > 0.0 {
                put(Kind::AmountUp, change);
            } else if change < 0.0 {
                put(Kind::AmountDown, change);
            }
            if let (Place::Open { stage: before, .. }, Place::Open { stage: after, .. }) =
                (was.place, is.place)
            {
                match before.cmp(&after) {
                    std::cmp::Ordering::Less => put(Kind::MovedForward, 0.0),
                    std::cmp::Ordering::Greater => put(Kind::MovedBack, 0.0),
                    std::cmp::Ordering::Equal => {}
                }
            }
        }
        (None, Some(is)) => {
            let kind = match then.map(|side| side.place) {
                None => Kind::Created,
                Some(Place::Open { .. }) => Kind::PulledIn,
                Some(_) => Kind::Reopened,
            };
            put(kind, is.amount);
        }
        (Some(was), None) => {
            let kind = match now.map(|side| side.place) {
                Some(Place::Open { .. }) => Kind::PushedOut,
                Some(Place::Won) => Kind::Won,
                Some(Place::Lost) => Kind::Lost,
                Some(Place::Removed) | None => Kind::Removed,
            };
            put(kind, -was.amount);
        }
    }
}

fn sides_of_log<'a>(known: &Known<'a>) -> Sides<'a> {
    let side = |deal: super::known::DealView<'a>| {
        let place = match deal.position() {
            Position::Open { stage, .. } => Place::Open { stage: stage.0, expected: deal.expected_close() },
            Position::Won { .. } => Place::Won,
            Position::Lost { .. } => Place::Lost,
            Position::Removed { .. } => Place::Removed,
        };
        (deal.id(), Side { place, amount: deal.amount().map_or(0.0, Amount::get) })
    };
    known.deals().map(side).collect()
}

fn sides_of_snapshot(snapshot: &Snapshot) -> Sides<'_> {
    let amount = |amount: Option<Amount>| amount.map_or(0.0, Amount::get);
    let open = snapshot.open().iter().map(|deal| {
        let place = Place::Open { stage: deal.stage_id().0, expected: deal.expected_close() };
        (deal.id(), Side { place, amount: amount(deal.amount()) })
    });
    let closed = |place: Place| {
        move |deal: &'_ super::ClosedDeal| Side { place, amount: deal.amount().map_or(0.0, Amount::get) }
    };
    let won = snapshot.won().iter().map(|deal| (deal.id(), closed(Place::Won)(deal)));
    let lost = snapshot.lost().iter().map(|deal| (deal.id(), closed(Place::Lost)(deal)));
    open.chain(won).chain(lost).collect()
}

macro_rules! bars {
    ($($name:ident: $meaning:literal,)*) => {
        impl Waterfall {
            $(#[doc = $meaning]
            pub const fn $name(&self) -> Bar {
                self.$name
            })*
        }
    };
}
bars! {
    opening: "The pipeline at the first instant.",
    created: "Deals that did not exist before.",
    pulled_in: "Deals that were open before and expected in another period.",
    reopened: "Deals that were won, lost or removed before.",
    amount_up: "What amounts grew by.",
    amount_down: "What amounts shrank by.",
    moved_forward: "Deals in a later stage than before.",
    moved_back: "Deals in an earlier stage than before.",
    pushed_out: "Deals still open, now expected in another period.",
    won: "Deals won since.",
    lost: "Deals lost since.",
    removed: "Deals that left without an outcome.",
    closing: "The pipeline at the second instant.",
}

impl Waterfall {
    /// The first instant.
    pub const fn from(&self) -> NaiveDateTime {
        self.from
    }

    /// The second instant.
    pub const fn to(&self) -> NaiveDateTime {
        self.to
    }

    /// The period in which deals are expected to close; all open deals count where there is none.
    pub const fn period(&self) -> Option<Period> {
        self.period
    }

    /// All bars in the order in which they are read, from opening to closing.
    pub fn bars(&self) -> [(&'static str, Bar); 13] {
        [
            ("opening", self.opening),
            ("created", self.created),
            ("pulled in", self.pulled_in),
            ("reopened", self.reopened),
            ("amount up", self.amount_up),
            ("amount down", self.amount_down),
            ("moved forward", self.moved_forward),
            ("moved back", self.moved_back),
            ("pushed out", self.pushed_out),
            ("won", self.won),
            ("lost", self.lost),
            ("removed", self.removed),
            ("closing", self.closing),
        ]
    }
}

impl fmt::Display for Waterfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pipeline from {} to {}", self.from.format("%Y-%m-%d"), self.to.format("%Y-%m-%d"))?;
        if let Some(period) = self.period {
            write!(f, ", expected to close {period}")?;
        }
        for (name, Bar { amount, n }) in self.bars() {
            let ends = matches!(name, "opening" | "closing");
            if n == 0 && !ends {
                continue;
            }
            let sign = match amount {
                a if a < 0.0 => "-",
                a if a > 0.0 && !ends => "+",
                _ => "",
            };
            let read = Amount::new(amount.abs()).unwrap_or(Amount::ZERO);
            let deals = if n == 1 { "deal" } else { "deals" };
            write!(f, "\n  {name:<14} {:>9} {n:>6} {deals}", format!("{sign}{read}"))?;
        }
        write!(f, "\n  what happened and was undone in between does not show")
    }
}
