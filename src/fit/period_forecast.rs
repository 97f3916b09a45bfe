//! The answer: what will be booked in a period, with everything a reader needs to judge it.

use super::fitted::{FittedModel, Split};
use crate::deals::Snapshot;
use crate::forecast::{Forecast, Total, WeightedForecast};
use crate::num::sum::sum;
use crate::time::Period;
use crate::{Amount, Level, Probability, Result};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much the history behind a forecast has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// Twenty wins or more.
    Enough,
    /// Fewer than twenty wins: the chances lean on priors.
    Low,
    /// No history: stage percentages were given.
    Assumed,
}

/// The forecast of a period's bookings as of an instant: the distribution, its parts, and what it rests on.
///
/// # Units
/// Amounts in the unit of the log.
#[derive(Clone, Debug)]
pub struct PeriodForecast {
    as_of: NaiveDateTime,
    period: Period,
    n_open: usize,
    n_unpriced: usize,
    weighted: WeightedForecast,
    money: Forecast,
    deals: Forecast,
    noise_floor: f64,
    evidence: Evidence,
}

/// The figures of a forecast, for a service or a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// When it was made.
    pub as_of: NaiveDateTime,
    /// What it is for.
    pub period: Period,
    /// Won already.
    pub booked: f64,
    /// Expected from open deals.
    pub open: f64,
    /// Expected from deals not created yet.
    pub new_business: f64,
    /// Expected in all.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Quantiles by level, in the order asked for.
    pub quantiles: Vec<(Level, f64)>,
    /// Chance of the target, where one was given.
    pub chance: Option<Probability>,
    /// Expected number of deals won.
    pub n_won: f64,
    /// Number of open deals.
    pub n_open: usize,
    /// Open deals without an amount: counted, not priced.
    pub n_unpriced: usize,
    /// Spread that remains even if every chance is right.
    pub noise_floor: f64,
    /// What it rests on.
    pub evidence: Evidence,
}

/// What is expected in one bucket of a period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bucket {
    /// The week or month.
    pub period: Period,
    /// Expected from open deals.
    pub open: f64,
    /// Expected from deals not created yet.
    pub new_business: f64,
}

impl FittedModel {
    /// What is expected from open deals and new business in each bucket of the period; they add up to those parts of
    /// [`weighted`](Self::weighted).
    ///
    /// # Errors
    /// Those of [`total`](Self::total).
    ///
    /// # Example: in which month does the quarter land?
    /// ```
    /// use dealcast::{FittedModel, Period, Probability, SalesProcess, Snapshot, SnapshotRow, Split, Timing, time::date};
    /// let process = SalesProcess::open(["propose"])?;
    /// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
    /// let deal = SnapshotRow {
    ///     deal_id: "a".into(),
    ///     stage: "propose".into(),
    ///     amount: Some(100.0),
    ///     expected_close: Some(date(2026, 2, 10)?),
    ///     ..SnapshotRow::default()
    /// };
    /// let book = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), [deal])?;
    /// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
    /// let months = model.buckets(&book, &quarter, Split::Months)?;
    /// assert_eq!(months.iter().map(|month| month.open).collect::<Vec<_>>(), [0.0, 50.0, 0.0]);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn buckets(&self, book: &Snapshot, period: &Period, split: Split) -> Result<Vec<Bucket>> {
        let weighted = self.total(book, period, split)?.weighted();
        let expected = weighted.open.iter().zip(&weighted.new_business);
        let bucket = |(period, (&open, &new_business))| Bucket { period, open, new_business };
        Ok(split.buckets(period).into_iter().zip(expected).map(bucket).collect())
    }
}

impl PeriodForecast {
    pub(super) fn new(
        model: &FittedModel,
        (book, period): (&Snapshot, Period),
        (total, money): (&Total, Forecast),
        deals: Forecast,
    ) -> Result<Self> {
        Ok(Self {
            as_of: book.as_of(),
            period,
            n_open: book.n_open(),
            n_unpriced: book.open_book()?.n_unpriced(),
            weighted: total.weighted(),
            money,
            deals,
            noise_floor: noise_floor(total),
            evidence: model.evidence(),
        })
    }

    /// When it was made.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// What it is for.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The distribution of the amount won in the period.
    pub const fn distribution(&self) -> &Forecast {
        &self.money
    }

    /// The distribution of the number of deals won in the period.
    pub const fn n_won(&self) -> &Forecast {
        &self.deals
    }

    /// The three parts of the expected total.
    pub const fn weighted(&self) -> &WeightedForecast {
        &self.weighted
    }

    /// The expected total.
    pub fn mean(&self) -> f64 {
        self.money.mean()
    }

    /// The smallest amount that is not exceeded with this probability.
    pub fn quantile(&self, level: Level) -> f64 {
        self.money.quantile(level)
    }

    /// P(total >= target).
    pub fn chance_of_hitting(&self, target: Amount) -> Probability {
        self.money.chance_of_hitting(target)
    }

    /// Standard deviation that remains even if every chance is exactly right and deals are independent:
    /// `sqrt(sum a^2 p (1 - p))` over the open deals. No forecast of this book can be more precise.
    pub const fn noise_floor(&self) -> f64 {
        self.noise_floor
    }

    /// What it rests on.
    pub const fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// The figures at these levels and for this target.
    pub fn summary(&self, levels: &[Level], target: Option<Amount>) -> Summary {
        Summary {
            as_of: self.as_of,
            period: self.period,
            booked: self.weighted.booked(),
            open: self.weighted.open(),
            new_business: self.weighted.new_business(),
            mean: self.money.mean(),
            sd: self.money.sd(),
            quantiles: levels.iter().map(|&level| (level, self.money.quantile(level))).collect(),
            chance: target.map(|target| self.chance_of_hitting(target)),
            n_won: self.deals.mean(),
            n_open: self.n_open,
            n_unpriced: self.n_unpriced,
            noise_floor: self.noise_floor,
            evidence: self.evidence,
        }
    }
}

/// `sqrt(sum a^2 p (1 - p))`, in units of the largest amount so that no square leaves the range.
pub(crate) fn noise_floor(total: &Total) -> f64 {
    let largest = total.amount.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return 0.0;
    }
    let deals = total.amount.iter().map(|a| a / largest).zip(&total.chance);
    largest * sum(deals.map(|(a, p)| a * a * p * (1.0 - p))).sqrt()
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enough => "enough history",
            Self::Low => "low evidence: fewer than 20 wins in the history, so the chances lean on priors",
            Self::Assumed => "assumed stage percentages, no history: spread and new business are not learned",
        })
    }
}

/// What a sales leader reads: where it will land, how sure that is, what it consists of.
impl fmt::Display for PeriodForecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |x: f64| Amount::new(x.max(0.0)).unwrap_or(Amount::ZERO);
        let eighty = Level::new(0.8).unwrap_or(Level::HALF);
        let (low, high) = self.money.interval(eighty);
        writeln!(f, "Forecast for {} as of {}", self.period, self.as_of.format("%Y-%m-%d %H:%M"))?;
        writeln!(
            f,
            "  q50 {}; 80 % range {} to {}; mean {}",
            read(self.money.median()),
            read(low),
            read(high),
            read(self.mean())
        )?;
        writeln!(
            f,
            "  booked {} + open deals {} + new business {}",
            read(self.weighted.booked()),
            read(self.weighted.open()),
            read(self.weighted.new_business())
        )?;
        write!(f, "  {} open deals", self.n_open)?;
        if self.n_unpriced > 0 {
            write!(f, ", {} of them without an amount (counted, not priced)", self.n_unpriced)?;
        }
        writeln!(f, "; {:.1} wins expected", self.deals.mean())?;
        write!(f, "  noise floor +-{}: nobody can promise less on this book", read(self.noise_floor))?;
        if self.evidence != Evidence::Enough {
            write!(f, "\n  {}", self.evidence)?;
        }
        Ok(())
    }
}
