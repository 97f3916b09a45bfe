//! The report: every origin, and the summary.

use super::truth::Actual;
use crate::forecast::Forecast;
use crate::num::count;
use crate::num::sum::sum;
use crate::score::{Claim, Coverage, Forecasted, PointScores, brier};
use crate::{Amount, Level, Probability, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Levels of the quantiles that a report keeps.
const LEVELS: [f64; 9] = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975];

/// A distribution and what came: amount or number of deals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scored {
    /// What came.
    pub actual: f64,
    /// Mean of the distribution.
    pub mean: f64,
    /// Quantiles at .025, .05, .1, .25, .5, .75, .9, .95 and .975.
    pub quantiles: [f64; 9],
    /// Continuous ranked probability score.
    pub crps: f64,
}

impl Scored {
    fn of(forecast: &Forecast, actual: f64) -> Result<Self> {
        let mut quantiles = [0.0; 9];
        for (quantile, level) in quantiles.iter_mut().zip(LEVELS) {
            *quantile = forecast.quantile(Level::new(level)?);
        }
        Ok(Self { actual, mean: forecast.mean(), quantiles, crps: forecast.crps(actual) })
    }

    /// The quantile at one of the stored levels.
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) for another level.
    pub fn quantile(&self, level: Level) -> Result<f64> {
        let found =
            LEVELS.iter().zip(self.quantiles).find(|(stored, _)| (*stored - level.get()).abs() < 1e-12);
        found.map(|(_, quantile)| quantile).ok_or_else(|| {
            crate::Error::out_of_range(
                "level",
                "one of .025, .05, .1, .25, .5, .75, .9, .95, .975",
                level.get(),
            )
        })
    }

    /// Whether the central interval between the `i`-th quantiles from either end held.
    fn held(&self, i: usize) -> bool {
        let ends = self.quantiles.get(i).zip(self.quantiles.iter().rev().nth(i));
        ends.is_some_and(|(low, high)| *low <= self.actual && self.actual <= *high)
    }
}

/// What one origin came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OriginScore {
    /// The origin.
    pub origin: NaiveDate,
    /// The amount won.
    pub money: Scored,
    /// The number of deals won, where the forecaster answers for it.
    pub deals: Option<Scored>,
    /// Targets at .9, 1 and 1.1 times the mean of past windows, and the chance given to each; empty where no past
    /// window is complete.
    pub targets: Vec<(f64, Probability)>,
}

impl OriginScore {
    pub(super) fn of(
        origin: NaiveDate,
        (money, deals): (&Forecast, Option<&Forecast>),
        actual: Actual,
        past: &[Actual],
    ) -> Result<Self> {
        let mean = sum(past.iter().map(|window| window.money)) / count(past.len());
        let targets = [0.9, 1.0, 1.1].into_iter().filter(|_| !past.is_empty()).map(|share| {
            let target = Amount::new(share * mean)?;
            Ok((target.get(), money.chance_of_hitting(target)))
        });
        Ok(Self {
            origin,
            targets: targets.collect::<Result<_>>()?,
            money: Scored::of(money, actual.money)?,
            deals: deals.map(|deals| Scored::of(deals, actual.deals)).transpose()?,
        })
    }
}

/// The scores over all origins. Shares and ratios: 1.0 = 100 %. A ratio to actual is `None` where nothing was won.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccuracySummary {
    /// Sum of `|mean - actual|` over the sum of actual.
    pub wape: Option<f64>,
    /// Sum of `mean - actual` over the sum of actual.
    pub bias: Option<f64>,
    /// Sum of CRPS over the sum of actual.
    pub ncrps: Option<f64>,
    /// Share of actuals inside the central 50 % interval.
    pub coverage_50: Option<f64>,
    /// Share of actuals inside the central 80 % interval.
    pub coverage_80: Option<f64>,
    /// Share of actuals inside the central 95 % interval.
    pub coverage_95: Option<f64>,
    /// Mean width of the 80 % interval over the mean of actual.
    pub width_80: Option<f64>,
}

impl AccuracySummary {
    fn of(scored: &[&Scored]) -> Result<Option<Self>> {
        let pairs: Vec<Forecasted> =
            scored.iter().map(|s| Forecasted { forecast: s.mean, observed: s.actual }).collect();
        if pairs.is_empty() {
            return Ok(None);
        }
        let points = PointScores::new(&pairs)?;
        let actual = sum(scored.iter().map(|s| s.actual));
        let of_actual = |x: f64| if actual > 0.0 { Some(x / actual) } else { None };
        let coverage = |i: usize| scored.iter().map(|s| s.held(i)).collect::<Coverage>().share();
        let width =
            |s: &Scored| s.quantiles.get(6).zip(s.quantiles.get(2)).map_or(0.0, |(high, low)| high - low);
        Ok(Some(Self {
            wape: points.wape(),
            bias: points.bias(),
            ncrps: of_actual(sum(scored.iter().map(|s| s.crps))),
            coverage_50: coverage(3),
            coverage_80: coverage(2),
            coverage_95: coverage(0),
            width_80: of_actual(sum(scored.iter().map(|s| width(s)))),
        }))
    }
}

/// The accuracy of a forecaster over the origins of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccuracyReport {
    forecaster: String,
    horizon_days: u32,
    origins: Vec<OriginScore>,
    n_incomplete: usize,
    money: Option<AccuracySummary>,
    deals: Option<AccuracySummary>,
    brier: Option<f64>,
}

impl AccuracyReport {
    pub(super) fn new(
        forecaster: String,
        horizon_days: u32,
        origins: Vec<OriginScore>,
        n_incomplete: usize,
    ) -> Result<Self> {
        let claims: Vec<Claim> = origins
            .iter()
            .flat_map(|o| o.targets.iter().map(|&(target, chance)| (o.money.actual >= target, chance)))
            .map(|(happened, chance)| Claim { chance, happened })
            .collect();
        Ok(Self {
            forecaster,
            horizon_days,
            n_incomplete,
            money: AccuracySummary::of(&origins.iter().map(|o| &o.money).collect::<Vec<_>>())?,
            deals: AccuracySummary::of(&origins.iter().filter_map(|o| o.deals.as_ref()).collect::<Vec<_>>())?,
            brier: if claims.is_empty() { None } else { Some(brier(&claims)?) },
            origins,
        })
    }

    /// Who was tested.
    pub fn forecaster(&self) -> &str {
        &self.forecaster
    }

    /// Every origin whose window is complete.
    pub fn origins(&self) -> &[OriginScore] {
        &self.origins
    }

    /// Origins left out because their window ends after the log.
    pub const fn n_incomplete(&self) -> usize {
        self.n_incomplete
    }

    /// The scores in money; `None` where no window is complete.
    pub const fn money(&self) -> Option<&AccuracySummary> {
        self.money.as_ref()
    }

    /// The scores in numbers of deals; `None` where the forecaster does not answer for them.
    pub const fn deals(&self) -> Option<&AccuracySummary> {
        self.deals.as_ref()
    }

    /// Mean squared error of the chances given to the targets.
    pub const fn brier(&self) -> Option<f64> {
        self.brier
    }
}

impl fmt::Display for AccuracyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.origins.len();
        write!(f, "{}: {n} origins, {} days ahead", self.forecaster, self.horizon_days)?;
        if self.n_incomplete > 0 {
            write!(f, " ({} more end after the log)", self.n_incomplete)?;
        }
        let read = |x: Option<f64>, digits: usize| x.map_or("-".to_owned(), |x| format!("{x:.digits$}"));
        let signed = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:+.3}"));
        for (name, summary) in [("money", &self.money), ("deals", &self.deals)] {
            if let Some(s) = summary {
                write!(
                    f,
                    "\n  {name}: nCRPS {}  WAPE {}  bias {}  coverage 50/80/95 {}/{}/{}  width80 {}",
                    read(s.ncrps, 4),
                    read(s.wape, 3),
                    signed(s.bias),
                    read(s.coverage_50, 2),
                    read(s.coverage_80, 2),
                    read(s.coverage_95, 2),
                    read(s.width_80, 2)
                )?;
            }
        }
        if self.brier.is_some() {
            write!(f, "\n  Brier of the targets {}", read(self.brier, 4))?;
        }
        Ok(())
    }
}
