//! Slippage: what of the open amount is won inside the period, later, or never.

use super::display::{percent, read};
use crate::deals::{Bar, Known, OpenDeal, Snapshot, Waterfall};
use crate::fit::{FittedModel, LONGEST};
use crate::num::sum::sum;
use crate::time::{Period, civil_date, day_number};
use crate::{Amount, Error, ErrorKind, Result};
use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;
use std::fmt;

/// Periods after it that are printed.
const SHOWN: usize = 4;
/// Months after the period that are told apart unless the caller names periods.
const MONTHS: usize = 12;

/// Which open deals a [`Slippage`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SlippageScope {
    /// Those expected to close inside the period.
    ExpectedInside,
    /// All that can still be won inside it, where the book states no expected close.
    CanClose,
}

/// What is expected to be won in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Won {
    /// Expected amount.
    pub amount: f64,
    /// Expected number of deals.
    pub n_deals: f64,
}

/// Where the open amount goes: won inside the period, in the months after it, or never.
///
/// # Meaning
/// About the open deals that are expected to close inside the period, or, where no open deal has an expected close, all
/// that can still be won in it. What is won later has slipped. *Never* is lost, or not won within five years.
///
/// # Formula
/// Sums of amount x chance; a deal's chances of all stretches and of no win add up to 1, so that the parts add up to the
/// open amount. The chance inside the period is that of the [forecast](FittedModel::chances).
///
/// # Units
/// Amounts in the unit of the log; deals without an amount count 0.
///
/// # Assumptions
/// Stage percentages by expected close ([`Timing::ExpectedClose`](crate::Timing)) know no slipping: such a deal is won in
/// its period or never.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slippage {
    as_of: NaiveDateTime,
    period: Period,
    scope: SlippageScope,
    n_deals: usize,
    amount: f64,
    before: Won,
    inside: Won,
    later: Vec<(Period, Won)>,
    after: Won,
    never: Won,
    so_far: Option<SlippedSoFar>,
}

/// What slipped since the period began: deals that were expected to close inside it and no longer are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SlippedSoFar {
    /// Open deals expected to close inside the period, as known when it began.
    pub due: Bar,
    /// Of them those that are open and expected at another time, or none, with what they were worth then.
    pub slipped: Bar,
}

impl FittedModel {
    /// What of the open amount will be won inside the period, in which of the twelve calendar months after it, later, or
    /// never.
    ///
    /// # Errors
    /// Those of [`total`](Self::total), [`TooLarge`](ErrorKind::TooLarge) for a period that ends more than five years
    /// ahead.
    ///
    /// # Example: how much slips?
    /// ```
    /// use dealcast::synthetic::{Company, World};
    /// use dealcast::{FiscalCalendar, ForecastModel, Seed, time::date};
    /// let log = Company::named(World::Stationary, Seed::new(1))?.log()?;
    /// let known = log.as_of(date(2023, 9, 1)?);
    /// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    /// let fitted = ForecastModel::default().fit(&known, &quarter)?;
    /// let slippage = fitted.slippage(&known.snapshot(), &quarter)?;
    /// assert!(slippage.slipping().amount > 0.0);
    /// let parts = slippage.inside().amount + slippage.slipping().amount + slippage.never().amount;
    /// assert!((parts / slippage.amount() - 1.0).abs() < 1e-12);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn slippage(&self, book: &Snapshot, period: &Period) -> Result<Slippage> {
        let months = Period::new(period.end(), reach(book)).map(|after| after.months().take(MONTHS));
        self.slippage_into(book, period, months.into_iter().flatten())
    }

    /// The same with these periods instead of months: one after the other from the end of the period on.
    ///
    /// # Errors
    /// As there, and [`InvalidPeriod`](ErrorKind::InvalidPeriod) where they do not follow each other.
    pub fn slippage_into(
        &self,
        book: &Snapshot,
        period: &Period,
        later: impl IntoIterator<Item = Period>,
    ) -> Result<Slippage> {
        let later: Vec<Period> = later.into_iter().collect();
        let landing = self.landing(book, period, &ends(book, period, &later)?)?;
        let due = Due::of(book, period, &landing.inside);
        let all = due.won(&vec![1.0; due.amounts.len()]);
        if !all.amount.is_finite() {
            return Err(Error::new(ErrorKind::Overflow, "amounts with a finite sum").field("amount"));
        }
        let (before, inside) = (due.won(&landing.before), due.won(&landing.inside));
        let mut stretches = landing.later.iter().map(|chances| due.won(chances));
        let later: Vec<_> = later.into_iter().zip(stretches.by_ref()).collect();
        let after = stretches.next().unwrap_or_default();
        let parts = || [before, inside, after].into_iter().chain(later.iter().map(|(_, won)| *won));
        let never = Won {
            amount: (all.amount - sum(parts().map(|won| won.amount))).max(0.0),
            n_deals: (all.n_deals - sum(parts().map(|won| won.n_deals))).max(0.0),
        };
        Ok(Slippage {
            as_of: book.as_of(),
            period: *period,
            scope: due.scope,
            n_deals: due.amounts.iter().flatten().count(),
            amount: all.amount,
            before,
            inside,
            later,
            after,
            never,
            so_far: None,
        })
    }
}

/// The days on which the stretches after the period end, the last one where the model's look ahead ends.
fn ends(book: &Snapshot, period: &Period, later: &[Period]) -> Result<Vec<i32>> {
    let mut end = period.end();
    for next in later {
        if next.start() != end {
            let expected = format!("a period that begins on {end}");
            return Err(Error::new(ErrorKind::InvalidPeriod, expected).field("later").found(next));
        }
        end = next.end();
    }
    let last = reach(book);
    let beyond = (last > end).then_some(last);
    Ok(later.iter().map(Period::end).chain(beyond).map(day_number).collect())
}

/// The last day a model looks ahead to.
fn reach(book: &Snapshot) -> NaiveDate {
    civil_date(day_number(book.as_of().date()).saturating_add(LONGEST))
}

/// The deals that count, in the order of the book: their amounts.
struct Due {
    scope: SlippageScope,
    amounts: Vec<Option<f64>>,
}

impl Due {
    fn of(book: &Snapshot, period: &Period, inside: &[f64]) -> Self {
        let expected = |deal: &OpenDeal| deal.expected_close().map(|day| period.contains(day.into()));
        let dated = book.open().iter().any(|deal| expected(deal).is_some());
        let scope = if dated { SlippageScope::ExpectedInside } else { SlippageScope::CanClose };
        let counts = |deal: &OpenDeal, p: f64| if dated { expected(deal) == Some(true) } else { p > 0.0 };
        let worth = |deal: &OpenDeal| deal.amount().map_or(0.0, Amount::get);
        let deals = book.open().iter().zip(inside);
        let amounts = deals.map(|(deal, &p)| counts(deal, p).then(|| worth(deal))).collect();
        Self { scope, amounts }
    }

    fn won(&self, chances: &[f64]) -> Won {
        let due = || self.amounts.iter().zip(chances).filter_map(|(amount, p)| Some(((*amount)?, *p)));
        Won { amount: total(due().map(|(amount, p)| amount * p)), n_deals: total(due().map(|(_, p)| p)) }
    }
}

/// Summed by size, so that ids leave no trace in the last bit.
fn total(terms: impl Iterator<Item = f64>) -> f64 {
    let mut terms: Vec<f64> = terms.collect();
    terms.sort_unstable_by(f64::total_cmp);
    sum(terms)
}

impl Slippage {
    /// With what slipped since the period began, from what was known then and is known now.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where a sum of amounts is no finite number.
    pub fn with_past(mut self, known: &Known<'_>) -> Result<Self> {
        let opening = known.as_of(self.period.start()).snapshot();
        let so_far = Waterfall::between_in(&opening, &known.snapshot(), &self.period)?;
        let Bar { amount, n, .. } = so_far.pushed_out();
        let slipped = Bar { amount: -amount + 0.0, n, ..Bar::default() };
        self.so_far = Some(SlippedSoFar { due: so_far.opening(), slipped });
        Ok(self)
    }

    /// Which deals it is about.
    pub const fn scope(&self) -> SlippageScope {
        self.scope
    }

    /// How many they are.
    pub const fn n_deals(&self) -> usize {
        self.n_deals
    }

    /// What they are worth together.
    pub const fn amount(&self) -> f64 {
        self.amount
    }

    /// Expected before the period begins; nothing once it has.
    pub const fn before(&self) -> Won {
        self.before
    }

    /// Expected inside the period.
    pub const fn inside(&self) -> Won {
        self.inside
    }

    /// Expected in each period after it.
    pub fn later(&self) -> &[(Period, Won)] {
        &self.later
    }

    /// Expected after those, within five years.
    pub const fn after(&self) -> Won {
        self.after
    }

    /// All that is won, but later than in the period.
    pub fn slipping(&self) -> Won {
        let later = || self.later.iter().map(|(_, won)| *won).chain([self.after]);
        Won { amount: sum(later().map(|won| won.amount)), n_deals: sum(later().map(|won| won.n_deals)) }
    }

    /// What is not won at all.
    pub const fn never(&self) -> Won {
        self.never
    }

    /// What slipped since the period began, where it was [asked for](Self::with_past).
    pub const fn so_far(&self) -> Option<SlippedSoFar> {
        self.so_far
    }
}

impl fmt::Display for Slippage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { period, as_of, n_deals, .. } = self;
        write!(f, "Slippage out of {period} as of {}", as_of.format("%Y-%m-%d"))?;
        let deals = if *n_deals == 1 { "deal" } else { "deals" };
        let which = match self.scope {
            SlippageScope::ExpectedInside => "expected to close inside it",
            SlippageScope::CanClose => "that can still close inside it",
        };
        write!(f, "\n  {n_deals} {deals} {which}, worth {}", read(self.amount))?;
        let mut line = |what: &str, won: Won| {
            write!(f, "\n  {what:<26}{:>9}", read(won.amount).to_string())?;
            let share = if self.amount > 0.0 { won.amount / self.amount } else { 0.0 };
            write!(f, "{:>7}  in {:.1} deals", percent(share), won.n_deals)
        };
        if self.before.n_deals > 0.0 {
            line("won before it", self.before)?;
        }
        line("won inside", self.inside)?;
        line("slips and is won later", self.slipping())?;
        for (period, won) in self.later.iter().take(SHOWN) {
            line(&format!("  {period}"), *won)?;
        }
        let rest = self.later.iter().skip(SHOWN).fold(Won::default(), |sum, (_, won)| Won {
            amount: sum.amount + won.amount,
            n_deals: sum.n_deals + won.n_deals,
        });
        if rest.n_deals > 0.0 {
            line("  later", rest)?;
        }
        line("never won", self.never)?;
        if let Some(SlippedSoFar { due, slipped }) = self.so_far {
            write!(f, "\n  since it began: {} of {} deals that were due slipped", slipped.n, due.n)?;
            write!(f, ", worth {} of {}", read(slipped.amount), read(due.amount))?;
        }
        Ok(())
    }
}
