//! Why the forecast moved since the last one.

use super::display::read;
use crate::deals::{Bar, ClosedDeal, OpenDeal, Snapshot};
use crate::fit::{FittedModel, Placed};
use crate::num::sum::sum;
use crate::time::Period;
use crate::{Amount, Error, ErrorKind, Result};
use chrono::NaiveDateTime;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why the expected total of a period moved from one forecast to the next: bars that lead from the old mean to the new.
///
/// # Meaning
/// Each bar is the difference that one more change makes, in this order:
///
/// | bar | what it is |
/// |---|---|
/// | won | deals open then and won inside the period since: what they brought, less what was expected of them |
/// | lost | deals open then and lost since: less what was expected of them |
/// | gone | deals open then that left otherwise: removed, or won outside the period |
/// | surprises | deals won inside the period that were not open then: created and won since, or back from the lost |
/// | corrected | changes of what was booked then |
/// | ageing | the deals still open, where and what they were, at their new age and with less time left |
/// | moved | the same in the stages in which they are now, with what they carry now |
/// | amounts | the same at the amounts of now |
/// | new deals | deals open now that were not then |
/// | new business | what is still expected of deals to come, now that the period is older |
/// | model | the new model in place of the old one |
///
/// Up to the last bar it is the old model that is asked. If its chances are right, won, lost, gone and ageing cancel out
/// on average, as do surprises, new deals and new business; a model that moves by itself week after week is not settled.
///
/// # Formula
/// Old mean + all bars = new mean. Where past forecasts taught the model something, its chances depend on the whole book;
/// that goes to the bar that changes the book.
///
/// # Example: what happened to the forecast since Monday?
/// ```
/// use dealcast::{FittedModel, Period, Probability, SalesProcess, Snapshot, SnapshotRow, Timing, time::date};
/// use dealcast::gap::Bridge;
/// let process = SalesProcess::open(["propose"])?;
/// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
/// let deal = |id: &str, stage: &str, amount| SnapshotRow {
///     deal_id: id.into(),
///     stage: stage.into(),
///     entered: date(2026, 1, 5).ok().map(Into::into),
///     amount: Some(amount),
///     expected_close: date(2026, 2, 10).ok(),
///     ..SnapshotRow::default()
/// };
/// let monday = [deal("a", "propose", 300.0), deal("b", "propose", 100.0)];
/// let friday = [deal("a", "won", 300.0), deal("b", "propose", 120.0), deal("c", "propose", 80.0)];
/// let monday = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), monday)?;
/// let friday = Snapshot::from_rows(&process, date(2026, 1, 9)?.into(), friday)?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let bridge = Bridge::between((&model, &monday), (&model, &friday), &quarter)?;
/// assert_eq!((bridge.opening(), bridge.closing()), (200.0, 400.0));
/// assert_eq!((bridge.won().amount, bridge.amounts().amount, bridge.new_deals().amount), (150.0, 10.0, 40.0));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bridge {
    from: NaiveDateTime,
    to: NaiveDateTime,
    period: Period,
    opening: f64,
    won: Bar,
    lost: Bar,
    gone: Bar,
    surprises: Bar,
    corrected: Bar,
    ageing: Bar,
    moved: Bar,
    amounts: Bar,
    new_deals: Bar,
    new_business: Bar,
    model: Bar,
    closing: f64,
}

/// What a model expects of a book: of every open deal by its place, and in all.
struct Expectation {
    of_deal: Vec<f64>,
    open: f64,
    new_business: f64,
    total: f64,
}

impl Expectation {
    fn of(placed: &Placed) -> Self {
        let Placed { total, order } = placed;
        let mut of_deal = vec![0.0; order.len()];
        for (&place, (p, a)) in order.iter().zip(total.chance.iter().zip(&total.amount)) {
            of_deal.get_mut(place).into_iter().for_each(|slot| *slot = p * a);
        }
        let weighted = total.weighted();
        let (open, new_business) = (weighted.open(), weighted.new_business());
        Self { of_deal, open, new_business, total: weighted.total() }
    }
}

/// Two books, and which of their deals are the same.
struct Pair<'a> {
    then: &'a Snapshot,
    now: &'a Snapshot,
    period: &'a Period,
}

/// Deals that are open in both books: the first place, the old and the new deal.
type Staying<'a> = Vec<(usize, &'a OpenDeal, &'a OpenDeal)>;

impl<'a> Pair<'a> {
    /// Amounts booked in the period, by id.
    fn booked(&self, book: &'a Snapshot) -> BTreeMap<&'a str, f64> {
        let inside = |deal: &&ClosedDeal| self.period.contains(deal.closed());
        let amount = |deal: &'a ClosedDeal| (deal.id(), deal.amount().map_or(0.0, Amount::get));
        book.won().iter().filter(inside).map(amount).collect()
    }

    fn staying(&self) -> Staying<'a> {
        let now: BTreeMap<&str, &OpenDeal> = self.now.open().iter().map(|deal| (deal.id(), deal)).collect();
        let both = self.then.open().iter().enumerate();
        both.filter_map(|(place, old)| Some((place, old, *now.get(old.id())?))).collect()
    }

    /// A book as of now with other open deals and nothing else.
    fn with(&self, open: impl Iterator<Item = OpenDeal>) -> Snapshot {
        self.now.holding(open.collect())
    }
}

/// A bar from terms, summed by size so that ids leave no trace.
fn bar(mut terms: Vec<f64>) -> Bar {
    terms.sort_unstable_by(f64::total_cmp);
    Bar { amount: sum(terms.iter().copied()), n: terms.len() }
}

impl Bridge {
    /// From an old forecast (its model and book) to a new one of the same period; the two may share one model.
    ///
    /// # Errors
    /// Those of [`FittedModel::forecast`] for either, [`InvalidPeriod`](ErrorKind::InvalidPeriod) where the second book is
    /// older than the first, [`Overflow`](ErrorKind::Overflow) where a sum is no finite number.
    pub fn between(
        (old, then): (&FittedModel, &Snapshot),
        (new, now): (&FittedModel, &Snapshot),
        period: &Period,
    ) -> Result<Self> {
        if now.as_of() < then.as_of() {
            let found = format!("{} to {}", then.as_of(), now.as_of());
            let expected = "a first forecast not after the second";
            return Err(Error::new(ErrorKind::InvalidPeriod, expected).found(found));
        }
        let whole = crate::fit::Split::Whole;
        let opening = Expectation::of(&old.placed(then, period, whole)?);
        let closing = Expectation::of(&new.placed(now, period, whole)?);
        let pair = Pair { then, now, period };
        // The old model at a time that may be closer to the end than what it was fitted for.
        let ask = |book: &Snapshot| Ok::<_, Error>(Expectation::of(&old.placed_late(book, period)?));
        let staying = pair.staying();
        let aged = ask(&pair.with(staying.iter().map(|(_, old, _)| (*old).clone())))?;
        let moved = ask(&pair.with(staying.iter().map(|(_, old, new)| new.worth(old.amount()))))?;
        let changed = ask(&pair.with(staying.iter().map(|(_, _, new)| (*new).clone())))?;
        let all = ask(now)?;
        let stayed = bar(staying.iter().filter_map(|of| opening.of_deal.get(of.0).copied()).collect());
        let n = |changed: fn(&OpenDeal, &OpenDeal) -> bool| {
            staying.iter().filter(|(_, old, new)| changed(old, new)).count()
        };
        let moves = |old: &OpenDeal, new: &OpenDeal| {
            (old.stage_id(), old.entered_day()) != (new.stage_id(), new.entered_day())
        };
        let step = |after: f64, before: f64, n: usize| Bar { amount: after - before, n };
        let [won, lost, gone, surprises, corrected] = closed(&pair, &opening);
        Self {
            from: then.as_of(),
            to: now.as_of(),
            period: *period,
            opening: opening.total,
            won,
            lost,
            gone,
            surprises,
            corrected,
            ageing: step(aged.open, stayed.amount, stayed.n),
            moved: step(moved.open, aged.open, n(moves)),
            amounts: step(changed.open, moved.open, n(|old, new| old.amount() != new.amount())),
            new_deals: step(all.open, changed.open, now.n_open() - staying.len()),
            new_business: step(all.new_business, opening.new_business, 0),
            model: step(closing.total, all.total, 0),
            closing: closing.total,
        }
        .finite()
    }

    fn finite(self) -> Result<Self> {
        let ends = [self.opening, self.closing];
        if self.bars().iter().all(|(_, bar)| bar.amount.is_finite()) && ends.iter().all(|x| x.is_finite()) {
            Ok(self)
        } else {
            Err(Error::new(ErrorKind::Overflow, "a sum of amounts that is a finite number").field("amount"))
        }
    }
}

/// Won, lost, gone, surprises, corrected.
fn closed(pair: &Pair<'_>, opening: &Expectation) -> [Bar; 5] {
    let (before, after) = (pair.booked(pair.then), pair.booked(pair.now));
    let open: BTreeSet<&str> = pair.now.open().iter().map(OpenDeal::id).collect();
    let lost: BTreeSet<&str> = pair.now.lost().iter().map(ClosedDeal::id).collect();
    let mut bars: [Vec<f64>; 5] = Default::default();
    let [won, gave_up, gone, surprises, corrected] = &mut bars;
    for (deal, &expected) in pair.then.open().iter().zip(&opening.of_deal) {
        match after.get(deal.id()) {
            Some(amount) => won.push(amount - expected),
            None if open.contains(deal.id()) => {}
            None if lost.contains(deal.id()) => gave_up.push(-expected),
            None => gone.push(-expected),
        }
    }
    let was_open: BTreeSet<&str> = pair.then.open().iter().map(OpenDeal::id).collect();
    let new = after.iter().filter(|(id, _)| !was_open.contains(*id) && !before.contains_key(*id));
    surprises.extend(new.map(|(_, amount)| *amount));
    let changes = before.iter().map(|(id, was)| after.get(id).copied().unwrap_or(0.0) - was);
    corrected.extend(changes.filter(|change| *change != 0.0));
    bars.map(bar)
}

macro_rules! bars {
    ($($name:ident: $meaning:literal,)*) => {
        impl Bridge {
            $(#[doc = $meaning]
            pub const fn $name(&self) -> Bar {
                self.$name
            })*
        }
    };
}
bars! {
    won: "Deals won since, above what was expected of them.",
    lost: "Deals lost since: what was expected of them.",
    gone: "Deals that left otherwise.",
    surprises: "Deals won since that were not open before.",
    corrected: "Changes of what was booked.",
    ageing: "The deals still open, older.",
    moved: "The same, where they are now.",
    amounts: "The same, at their new amounts.",
    new_deals: "Deals open now and not before.",
    new_business: "Deals to come, with less time left.",
    model: "The new model.",
}

impl Bridge {
    /// When the old forecast was made.
    pub const fn from(&self) -> NaiveDateTime {
        self.from
    }

    /// When the new one was made.
    pub const fn to(&self) -> NaiveDateTime {
        self.to
    }

    /// What both are for.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The old mean.
    pub const fn opening(&self) -> f64 {
        self.opening
    }

    /// The new mean.
    pub const fn closing(&self) -> f64 {
        self.closing
    }

    /// All bars in their order.
    pub const fn bars(&self) -> [(&'static str, Bar); 11] {
        [
            ("won", self.won),
            ("lost", self.lost),
            ("gone", self.gone),
            ("surprises", self.surprises),
            ("corrected", self.corrected),
            ("ageing", self.ageing),
            ("moved", self.moved),
            ("amounts", self.amounts),
            ("new deals", self.new_deals),
            ("new business", self.new_business),
            ("model", self.model),
        ]
    }
}

impl fmt::Display for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from, self.to].map(|at| at.format("%Y-%m-%d"));
        write!(f, "Expected for {}, from {from} to {to}", self.period)?;
        write!(f, "\n  {:<14} {:>9}", "then", read(self.opening).to_string())?;
        for (name, Bar { amount, n }) in self.bars().into_iter().filter(|(_, bar)| *bar != Bar::default()) {
            let sign = match amount {
                a if a < 0.0 => "-",
                a if a > 0.0 => "+",
                _ => "",
            };
            write!(f, "\n  {name:<14} {:>9}", format!("{sign}{}", read(amount.abs())))?;
            if n > 0 {
                write!(f, " {n:>6} {}", if n == 1 { "deal" } else { "deals" })?;
            }
        }
        write!(f, "\n  {:<14} {:>9}", "now", read(self.closing).to_string())
    }
}
