//! What if: the levers of a sales team, and single deals.

use super::{GapAnalysis, Target};
use crate::deals::{OpenDeal, Snapshot};
use crate::fit::{FittedModel, Levers, Paced, Placed, Split};
use crate::time::Period;
use crate::{Amount, Error, ErrorKind, Level, Result};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// What happens to a deal in a [`Scenario`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum WhatIf {
    /// It is won inside the period, for sure.
    Won,
    /// It is not won inside the period, for sure.
    Lost,
    /// It is not in the book.
    Excluded,
    /// It is decided on this day: inside the period it counts with its chance to be won ever, outside it does not
    /// count.
    DecidedOn(NaiveDate),
    /// It is worth this.
    Worth(Amount),
}

/// Assumptions other than those of the forecast: levers as multipliers, and what happens to single deals.
///
/// # Meaning
/// | lever | multiplies |
/// |---|---|
/// | win rate | the odds of every deal to be won inside the period |
/// | cycle time | the days every deal takes for each of its steps |
/// | deal size | every amount still to be won |
/// | creation | how many deals are created from now on |
/// | market trend | the expected wins of each coming month of the period, one index a month |
///
/// Several levers act together on one total, each once: cycle time sets the chances, win rate their odds, the trend
/// the months, creation and size what comes of them; single deals have the last word. So the effect of all is not the
/// sum of the effects of each, and nothing is counted twice.
///
/// # Example: five percent better at winning, and the big one falls through
/// ```
/// use dealcast::{FittedModel, Level, Period, Probability, SalesProcess, Snapshot, SnapshotRow, Target, Timing, time::date};
/// use dealcast::gap::{Scenario, WhatIf};
/// let process = SalesProcess::open(["propose"])?;
/// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
/// let deal = |id: &str, amount| SnapshotRow {
///     deal_id: id.into(),
///     stage: "propose".into(),
///     amount: Some(amount),
///     expected_close: date(2026, 2, 10).ok(),
///     ..SnapshotRow::default()
/// };
/// let book = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), [deal("a", 300.0), deal("b", 100.0)])?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let goal = (Target::new(100.0)?, Level::new(0.8)?);
/// let scenario = Scenario::default().win_rate(3.0)?.deal("a", WhatIf::Lost);
/// let gap = model.gap_under(&book, &quarter, goal, &scenario)?;
/// assert!((gap.chance().get() - 0.75).abs() < 1e-12); // odds 1:1 become 3:1
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    pub(super) levers: Levers,
    deals: BTreeMap<String, WhatIf>,
}

/// Smallest and largest multiplier: beyond them no chance carries information any more.
pub(super) const RANGE: std::ops::RangeInclusive<f64> = 1.0 / 64.0..=64.0;

fn multiplier(field: &'static str, x: f64) -> Result<f64> {
    if RANGE.contains(&x) {
        Ok(x)
    } else {
        Err(Error::out_of_range(field, "a multiplier from 1/64 to 64", x))
    }
}

impl Scenario {
    /// Multiplies the odds of winning.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) unless it is from 1/64 to 64, as for all levers.
    pub fn win_rate(mut self, odds: f64) -> Result<Self> {
        self.levers.win_odds = multiplier("win_rate", odds)?;
        Ok(self)
    }

    /// Multiplies the days each step takes: .8 is a fifth faster. A model of stage percentages that counts deals by
    /// their expected close knows no pace and does not change.
    ///
    /// # Errors
    /// As for [`win_rate`](Self::win_rate).
    pub fn cycle_time(mut self, days: f64) -> Result<Self> {
        self.levers.cycle_time = multiplier("cycle_time", days)?;
        Ok(self)
    }

    /// Multiplies every amount still to be won.
    ///
    /// # Errors
    /// As for [`win_rate`](Self::win_rate).
    pub fn deal_size(mut self, amounts: f64) -> Result<Self> {
        self.levers.deal_size = multiplier("deal_size", amounts)?;
        Ok(self)
    }

    /// Multiplies how many deals are created from now on.
    ///
    /// # Errors
    /// As for [`win_rate`](Self::win_rate).
    pub fn creation(mut self, deals: f64) -> Result<Self> {
        self.levers.creation = multiplier("creation", deals)?;
        Ok(self)
    }

    /// A market index over the calendar months of the period: 1 is as the model expects, .9 a tenth fewer wins. Months
    /// that are over need one too; those past the end of the list are 1.
    ///
    /// # Errors
    /// As for [`win_rate`](Self::win_rate).
    pub fn market_trend(mut self, by_month: impl IntoIterator<Item = f64>) -> Result<Self> {
        // No period has more months than five years and two.
        let months = by_month.into_iter().take(62).map(|index| multiplier("market_trend", index));
        self.levers.trend = months.collect::<Result<_>>()?;
        Ok(self)
    }

    /// Whether deals move at another pace.
    pub(super) fn is_paced(&self) -> bool {
        self.levers.cycle_time.total_cmp(&1.0).is_ne()
    }

    /// A trend asks for the months apart.
    pub(super) fn split(&self) -> Split {
        if self.levers.trend.is_empty() { Split::Whole } else { Split::Months }
    }

    /// What happens to a deal; the last word on it counts.
    #[must_use]
    pub fn deal(mut self, id: impl Into<String>, what: WhatIf) -> Self {
        self.deals.insert(id.into(), what);
        self
    }
}

impl FittedModel {
    /// The gap under other assumptions; its swing and shortfalls are those of the scenario.
    ///
    /// # Errors
    /// Those of [`gap`](Self::gap), [`Missing`](ErrorKind::Missing) for a deal that is not open in the book,
    /// [`TooLarge`](ErrorKind::TooLarge) for a pace at which the period would be more than five years long.
    pub fn gap_under(
        &self,
        book: &Snapshot,
        period: &Period,
        goal: (Target, Level),
        scenario: &Scenario,
    ) -> Result<GapAnalysis> {
        self.gap_of(book, period, &self.placed_for(book, period, scenario)?, goal)
    }

    /// The total of a scenario.
    pub(super) fn placed_for(&self, book: &Snapshot, period: &Period, scenario: &Scenario) -> Result<Placed> {
        let paced = self.paced(book, (period, scenario.split()), scenario.levers.cycle_time)?;
        self.placed_from(book, period, paced, scenario)
    }

    /// The same from what is expected at the scenario's pace, which scenarios of one pace and split have in common.
    pub(super) fn placed_from(
        &self,
        book: &Snapshot,
        period: &Period,
        paced: Paced,
        scenario: &Scenario,
    ) -> Result<Placed> {
        let mut placed = self.placed_at(book, period, paced, &scenario.levers)?;
        // Who is met when does not matter from here on.
        placed.total.buckets.clear();
        if let Some(new) = &mut placed.total.new_business {
            new.share = vec![1.0];
        }
        for (id, what) in &scenario.deals {
            let deal = |(_, place): &(usize, &usize)| book.open().get(**place).is_some_and(|d| d.id() == id);
            let Some((at, &place)) = placed.order.iter().enumerate().find(deal) else {
                let error = Error::new(ErrorKind::Missing, "a deal that is open in the book");
                return Err(error.of_deal(id).field("deal"));
            };
            let ever = match (what, book.open().get(place)) {
                (WhatIf::DecidedOn(day), Some(open)) if period.contains((*day).into()) => {
                    self.ever(book, open)?
                }
                _ => 0.0,
            };
            placed.change(at, *what, ever);
        }
        placed.total = placed.total.finite()?;
        Ok(placed)
    }

    /// The chance of a deal to be won ever, or within the longest time a model looks ahead.
    fn ever(&self, book: &Snapshot, deal: &OpenDeal) -> Result<f64> {
        self.chance_within_reach(book, deal)
    }
}

impl Placed {
    fn change(&mut self, at: usize, what: WhatIf, ever: f64) {
        let set = |column: &mut [f64], x: f64| column.get_mut(at).into_iter().for_each(|slot| *slot = x);
        match what {
            WhatIf::Won => set(&mut self.total.chance, 1.0),
            WhatIf::Lost => set(&mut self.total.chance, 0.0),
            WhatIf::Excluded => {
                self.total.chance.remove(at);
                self.total.amount.remove(at);
                self.order.remove(at);
            }
            WhatIf::DecidedOn(_) => set(&mut self.total.chance, ever),
            WhatIf::Worth(amount) => set(&mut self.total.amount, amount.get()),
        }
    }
}
