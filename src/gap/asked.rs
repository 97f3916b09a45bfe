//! The gap as a question to a fitted model.

use super::analysis::Asked;
use super::{DealSwing, GapAnalysis, Target};
use crate::deals::Snapshot;
use crate::fit::{FittedModel, Placed, Split};
use crate::forecast::ForecastOptions;
use crate::time::Period;
use crate::{Level, Result};

impl FittedModel {
    /// How likely a target is for this book and period, and how much is missing; shortfalls at 80 % confidence.
    ///
    /// # Errors
    /// Those of [`forecast`](Self::forecast).
    ///
    /// # Example: where does the quarter stand?
    /// ```
    /// use dealcast::{ForecastModel, FiscalCalendar, gap::Target, time::date};
    /// use dealcast::synthetic::{Company, World};
    /// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
    /// let known = log.as_of(date(2023, 8, 15)?);
    /// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    /// let fitted = ForecastModel::default().fit(&known, &quarter)?;
    /// let gap = fitted.gap(&known.snapshot(), &quarter, Target::new(1.0e6)?)?;
    /// assert!(gap.remaining() < 1.0e6 && gap.expected_shortfall() >= gap.shortfall_mean());
    /// assert!(gap.to_string().starts_with("Gap to 1.00 M for 2023-07-01 to 2023-09-30 as of 2023-08-15 00:00"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn gap(&self, book: &Snapshot, period: &Period, target: Target) -> Result<GapAnalysis> {
        self.gap_with(book, period, target, Level::new(0.8)?)
    }

    /// [`gap`](Self::gap) with shortfalls at this confidence.
    ///
    /// # Errors
    /// As there.
    pub fn gap_with(
        &self,
        book: &Snapshot,
        period: &Period,
        target: Target,
        confidence: Level,
    ) -> Result<GapAnalysis> {
        let placed = self.placed(book, period, Split::Whole)?;
        self.gap_of(book, period, &placed, (target, confidence))
    }

    pub(super) fn gap_of(
        &self,
        book: &Snapshot,
        period: &Period,
        placed: &Placed,
        (target, confidence): (Target, Level),
    ) -> Result<GapAnalysis> {
        let mut gap = GapAnalysis::of(&placed.total, target, confidence, &ForecastOptions::practical())?;
        gap.swing = in_order_of_the_book(book, &placed.order, std::mem::take(&mut gap.swing));
        gap.asked = Some(Asked {
            as_of: book.as_of(),
            period: *period,
            n_unpriced: book.open_book()?.n_unpriced(),
            evidence: self.evidence(),
        });
        Ok(gap)
    }
}

/// The deals of a total by their place in the book, with their ids.
fn in_order_of_the_book(book: &Snapshot, order: &[usize], swing: Vec<DealSwing>) -> Vec<DealSwing> {
    let mut placed: Vec<(usize, DealSwing)> = order.iter().copied().zip(swing).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed
        .into_iter()
        .map(|(place, swing)| DealSwing {
            deal: book.open().get(place).map(|deal| deal.id().to_owned()),
            ..swing
        })
        .collect()
}
