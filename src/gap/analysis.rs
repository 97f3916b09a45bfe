//! How likely a target is, and how much is missing.

use super::Target;
use super::coverage::Coverage;
use super::swing::{DealSwing, swings};
use crate::fit::{Evidence, noise_floor};
use crate::forecast::{Forecast, ForecastOptions, Solved, Total, WeightedForecast};
use crate::num::sum::sum;
use crate::time::Period;
use crate::{Error, ErrorKind, Level, Probability, Result};
use chrono::NaiveDateTime;

/// The gap between a target and what the period will bring.
///
/// # Meaning
/// With T the total of the period and the target g:
///
/// | figure | exactly |
/// |---|---|
/// | chance | P(T >= g) |
/// | remaining | max(0, g - booked) |
/// | attainment | booked / g |
/// | shortfall at the mean, at q50, at a confidence c | max(0, g - mean), max(0, g - q50), max(0, g - quantile(1 - c)) |
/// | expected shortfall | E max(0, g - T): hits count 0, so it is never below the shortfall at the mean |
/// | pipeline coverage | open amount that can still close in the period / remaining |
/// | coverage needed | that of the smallest book of deals like the open ones with which P(T >= g) >= c |
/// | swing of a deal | P(T >= g given it is won) - P(T >= g given it is not) |
///
/// # Units
/// Amounts in the unit of the log, ratios with 1.0 = 100 %.
///
/// # Example: will we make it, and what if the big one falls through?
/// ```
/// use dealcast::{Amount, Level, Probability};
/// use dealcast::forecast::{ForecastOptions, Total};
/// use dealcast::gap::{GapAnalysis, Target};
/// let deal = |p, amount| Ok::<_, dealcast::Error>((Probability::new(p)?, Amount::new(amount)?));
/// let total = Total::new(Amount::new(40e3)?, [deal(0.5, 60e3)?, deal(0.25, 30e3)?])?;
/// let gap = GapAnalysis::of(&total, Target::new(100e3)?, Level::new(0.8)?, &ForecastOptions::default())?;
/// assert_eq!((gap.chance().get(), gap.remaining()), (0.5, 60e3));
/// assert_eq!(gap.pipeline_coverage(), Some(1.5));
/// assert_eq!(gap.lose_biggest_chance(), Some(Probability::ZERO));
/// let biggest = &gap.swing()[0];
/// assert_eq!(biggest.given_won(), Some(Probability::ONE));
/// assert_eq!(biggest.given_lost(), Some(Probability::ZERO));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GapAnalysis {
    target: Target,
    confidence: Level,
    weighted: WeightedForecast,
    forecast: Forecast,
    /// Sum of the amounts that can still close.
    can_close: f64,
    n_open: usize,
    noise_floor: f64,
    coverage: Coverage,
    pub(super) swing: Vec<DealSwing>,
    pub(super) asked: Option<Asked>,
}

/// What a fitted model knows about the question beyond the total.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) as_of: NaiveDateTime,
    pub(super) period: Period,
    pub(super) n_unpriced: usize,
    pub(super) evidence: Evidence,
}

impl GapAnalysis {
    /// From any total, by the exact engine; `confidence` is that of [`shortfall_at_confidence`](Self::shortfall_at_confidence).
    ///
    /// # Errors
    /// Those of [`Total::exact`].
    pub fn of(total: &Total, target: Target, confidence: Level, options: &ForecastOptions) -> Result<Self> {
        let able = total.amount.iter().zip(&total.chance).filter(|(_, p)| **p > 0.0);
        let mut able: Vec<f64> = able.map(|(amount, _)| *amount).collect();
        // By size, so that the order of the deals leaves no trace in the last bit.
        able.sort_unstable_by(f64::total_cmp);
        let solved = total.solved(options)?;
        if !solved.forecast.sd().is_finite() {
            return Err(Error::new(ErrorKind::Overflow, "amounts with a finite spread").field("amount"));
        }
        let swing = swings(total, &solved, target)?;
        let coverage = Coverage::of(total, (target, confidence), options)?;
        let Solved { forecast, .. } = solved;
        Ok(Self {
            target,
            confidence,
            weighted: total.weighted(),
            forecast,
            can_close: sum(able),
            n_open: total.n_deals(),
            noise_floor: noise_floor(total),
            coverage,
            swing,
            asked: None,
        })
    }

    /// The goal.
    pub const fn target(&self) -> Target {
        self.target
    }

    /// The confidence of [`shortfall_at_confidence`](Self::shortfall_at_confidence).
    pub const fn confidence(&self) -> Level {
        self.confidence
    }

    /// The period asked about; `None` where the total came without one.
    pub fn period(&self) -> Option<Period> {
        self.asked.map(|asked| asked.period)
    }

    /// The instant of the book; `None` where the total came without one.
    pub fn as_of(&self) -> Option<NaiveDateTime> {
        self.asked.map(|asked| asked.as_of)
    }

    /// What the model rests on; `None` where the total came without one.
    pub fn evidence(&self) -> Option<Evidence> {
        self.asked.map(|asked| asked.evidence)
    }

    /// How many open deals there are.
    pub const fn n_open(&self) -> usize {
        self.n_open
    }

    /// The distribution of the period's total.
    pub const fn distribution(&self) -> &Forecast {
        &self.forecast
    }

    /// The three parts of the expected total: booked, open deals, new business.
    pub const fn weighted(&self) -> &WeightedForecast {
        &self.weighted
    }

    /// P(total >= target): exactly 1 where the target is booked already.
    pub fn chance(&self) -> Probability {
        hit(&self.forecast, self.target, self.weighted.booked())
    }

    /// What is still to be won: max(0, target - booked).
    pub fn remaining(&self) -> f64 {
        self.missing(self.weighted.booked())
    }

    /// booked / target, 1.0 = 100 %; `None` for a target of 0 (or one so small that the ratio is no finite number).
    pub fn attainment(&self) -> Option<f64> {
        ratio(self.weighted.booked(), self.target.get())
    }

    /// By how much the target is missed if the mean comes: max(0, target - mean).
    pub fn shortfall_mean(&self) -> f64 {
        self.missing(self.forecast.mean())
    }

    /// By how much it is missed if the middle of all outcomes comes: max(0, target - q50).
    pub fn shortfall_q50(&self) -> f64 {
        self.missing(self.forecast.median())
    }

    /// By how much it is missed at most, with this confidence: max(0, target - quantile(1 - confidence)).
    pub fn shortfall_at(&self, confidence: Level) -> f64 {
        // Strictly between 0 and 1, except within 1e-16 of 1: then the lowest level there is.
        let level = Level::new(1.0 - confidence.get()).or_else(|_| Level::new(f64::MIN_POSITIVE));
        self.missing(level.map_or(self.weighted.booked(), |level| self.forecast.quantile(level)))
    }

    /// [`shortfall_at`](Self::shortfall_at) the confidence of the analysis, 80 % unless said otherwise.
    pub fn shortfall_at_confidence(&self) -> f64 {
        self.shortfall_at(self.confidence)
    }

    /// E max(0, target - total): by how much the target is missed on average, hits counting 0.
    pub fn expected_shortfall(&self) -> f64 {
        let missed = self.forecast.expected_shortfall(self.target.amount());
        // Between the shortfall at the mean (Jensen) and all that remains; rounding must not lead out of it.
        missed.max(self.shortfall_mean()).min(self.remaining())
    }

    /// Open amount that can still close in the period / remaining; `None` where nothing remains (or so little that the
    /// ratio is no finite number). The other coverage, of intervals, has nothing to do with it.
    pub fn pipeline_coverage(&self) -> Option<f64> {
        ratio(self.can_close, self.remaining())
    }

    /// Sum of the amounts of open deals with a chance above 0 to be won inside the period.
    pub const fn can_close(&self) -> f64 {
        self.can_close
    }

    /// The coverage *this* company needs at this point of the period: total amount / remaining of the smallest book of
    /// deals like the open ones (their average chance by amount, the average amount of what they are expected to win)
    /// that reaches the target with the confidence of the analysis, new business and shock unchanged. `None` where
    /// nothing remains, no open deal can still be won, or no such book is enough.
    ///
    /// A rule of thumb such as three times remaining knows neither how likely the deals are, nor how large, nor how
    /// much of the period is left; [`chance_at_three_times`](Self::chance_at_three_times) says what it would give.
    pub const fn coverage_needed(&self) -> Option<f64> {
        self.coverage.needed
    }

    /// P(total >= target) with a book of deals like the open ones worth three times what remains.
    pub const fn chance_at_three_times(&self) -> Option<Probability> {
        self.coverage.three_times
    }

    /// What the outcome of each open deal says about the target, in the order of the deals asked about (of the book).
    pub fn swing(&self) -> &[DealSwing] {
        &self.swing
    }

    /// The `n` deals that decide most: by how far the chance is moved, up or down, by what becomes of the deal, its swing
    /// times sqrt(p (1 - p)). A large deal that hardly ever is won has a large swing and decides nothing. Those that
    /// decide alike by amount.
    pub fn deciding(&self, n: usize) -> Vec<&DealSwing> {
        let mut deals: Vec<&DealSwing> = self.swing.iter().collect();
        let moves = |deal: &DealSwing| {
            let p = deal.chance().get();
            deal.swing() * (p * (1.0 - p)).sqrt()
        };
        deals.sort_by(|a, b| {
            moves(b).total_cmp(&moves(a)).then(b.amount().get().total_cmp(&a.amount().get()))
        });
        deals.truncate(n);
        deals
    }

    /// P(total >= target) without the deal of the largest amount (the first of equals), the shock unchanged; `None`
    /// without open deals.
    pub fn lose_biggest_chance(&self) -> Option<Probability> {
        let largest = self.swing.iter().map(|deal| deal.amount().get()).fold(0.0, f64::max);
        let biggest = self.swing.iter().find(|deal| deal.amount().get().total_cmp(&largest).is_eq());
        biggest.map(DealSwing::without)
    }

    /// Share of the `n` largest deals in the open amount that can still close; `None` where there is none.
    pub fn top_share(&self, n: usize) -> Option<f64> {
        let able = self.swing.iter().filter(|deal| deal.chance() > Probability::ZERO);
        let mut amounts: Vec<f64> = able.map(|deal| deal.amount().get()).collect();
        amounts.sort_unstable_by(|a, b| b.total_cmp(a));
        ratio(sum(amounts.iter().copied().take(n)), self.can_close)
    }

    /// Standard deviation that remains even if every chance is exactly right and deals are independent.
    pub const fn noise_floor(&self) -> f64 {
        self.noise_floor
    }

    /// What a total leaves open; nothing below what is booked can come.
    fn missing(&self, total: f64) -> f64 {
        (self.target.get() - total.max(self.weighted.booked())).max(0.0)
    }
}

/// P(total >= target), where what is booked is certain.
pub(super) fn hit(forecast: &Forecast, target: Target, booked: f64) -> Probability {
    if target.get() <= booked { Probability::ONE } else { forecast.chance_of_hitting(target.amount()) }
}

/// The chance alone, as the gap of a fitted model states it.
pub(super) fn chance(total: &Total, target: Target) -> Result<Probability> {
    if target.get() <= total.booked {
        return Ok(Probability::ONE);
    }
    Ok(total.exact(&ForecastOptions::practical())?.chance_of_hitting(target.amount()))
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    Some(part / whole).filter(|ratio| whole > 0.0 && ratio.is_finite())
}
