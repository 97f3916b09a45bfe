//! A forecast beside what came: one window, and many.

use crate::forecast::Forecast;
use crate::num::{count, digits::fifteen, sum::sum};
use crate::score::{Coverage, CoverageBand, Forecasted, Pit, PointScores};
use crate::{Error, ErrorKind, Level, Probability, Result};
use serde::{Deserialize, Serialize};

/// Levels of the quantiles that a report keeps.
const LEVELS: [f64; 9] = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975];
/// Central intervals that a report counts: level, and place of the lower end among the quantiles.
const INTERVALS: [(f64, usize); 3] = [(0.5, 3), (0.8, 2), (0.95, 0)];
/// How often an honest forecaster leaves the band of a coverage.
const FALSE_ALARM: f64 = 0.05;

/// A distribution and what came: amount or number of deals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The share of the distribution below what came, half of what lies on it included.
    pub pit: Probability,
}

impl Scored {
    pub(super) fn of(forecast: &Forecast, actual: f64) -> Result<Self> {
        let mut quantiles = [0.0; 9];
        for (quantile, level) in quantiles.iter_mut().zip(LEVELS) {
            *quantile = forecast.quantile(Level::new(level)?);
        }
        let (below, up_to) = (1.0 - forecast.at_least(actual), forecast.cdf(actual).get());
        // Two sums of the same terms may differ in the last place.
        let pit = Pit::new(below.clamp(0.0, up_to)..=up_to)?.mid();
        let crps = forecast.crps(actual);
        Self { actual, mean: forecast.mean(), quantiles, crps, pit }.checked()
    }

    /// What every scored window is, also one that was stored.
    pub(super) fn checked(self) -> Result<Self> {
        let finite = [self.actual, self.mean, self.crps].iter().chain(&self.quantiles).all(|x| x.is_finite());
        if finite && self.crps >= 0.0 && self.quantiles.is_sorted() {
            return Ok(self);
        }
        Err(Error::new(ErrorKind::InvalidModel, "finite figures, rising quantiles and a score >= 0"))
    }

    /// All figures to fifteen digits; their order stays.
    pub(super) fn round(&mut self) {
        for figure in
            [&mut self.actual, &mut self.mean, &mut self.crps].into_iter().chain(&mut self.quantiles)
        {
            *figure = fifteen(*figure);
        }
        self.pit = Probability::rounded(fifteen(self.pit.get()));
    }

    /// The quantile at one of the stored levels.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for another level.
    pub fn quantile(&self, level: Level) -> Result<f64> {
        let found =
            LEVELS.iter().zip(self.quantiles).find(|(stored, _)| (*stored - level.get()).abs() < 1e-12);
        found.map(|(_, quantile)| quantile).ok_or_else(|| {
            Error::out_of_range("level", "one of .025, .05, .1, .25, .5, .75, .9, .95, .975", level.get())
        })
    }

    /// The central interval between the `i`-th quantiles from either end.
    fn interval(&self, i: usize) -> Option<(f64, f64)> {
        self.quantiles.get(i).copied().zip(self.quantiles.iter().rev().nth(i).copied())
    }

    fn held(&self, i: usize) -> bool {
        self.interval(i).is_some_and(|(low, high)| low <= self.actual && self.actual <= high)
    }
}

/// How many truths central intervals of a level held, and how many an honest forecaster holds.
///
/// # Formula
/// The band is that of an exact binomial, left 1 time in 20. Windows that overlap are no independent cases: of n
/// windows a step apart and a horizon long, `ceil(n step / horizon)` count, and the band is stretched to n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldShare {
    level: Level,
    coverage: Coverage,
    independent: usize,
    band: CoverageBand,
}

impl HeldShare {
    fn of(level: Level, coverage: Coverage, independent: usize) -> Result<Self> {
        let cases: Coverage = (0..independent).map(|_| true).collect();
        Ok(Self { level, coverage, independent, band: cases.band(level, Level::new(FALSE_ALARM)?)? })
    }

    /// The level of the intervals.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// How many truths they held.
    pub const fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// The shares that an honest forecaster stays within, 19 times in 20.
    pub fn band(&self) -> (f64, f64) {
        let share = |n: usize| count(n) / count(self.independent.max(1));
        (share(self.band.fewest()), share(self.band.most()))
    }

    /// Whether the share lies inside the band.
    pub fn is_honest(&self) -> bool {
        let (low, high) = self.band();
        self.coverage.share().is_none_or(|share| low <= share && share <= high)
    }
}

/// The scores over many windows. Shares and ratios: 1.0 = 100 %. A ratio to actual is `None` where nothing was won.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AccuracySummary {
    /// How many windows.
    pub n: usize,
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
    /// Mean of the places of the actuals in their distributions: below one half where forecasts are too high.
    pub pit: f64,
    held: [HeldShare; 3],
}

impl AccuracySummary {
    /// Of scored windows, `independent` of which do not overlap; `None` without one.
    pub(super) fn of<'a>(
        scored: impl Iterator<Item = &'a Scored> + Clone,
        independent: usize,
    ) -> Result<Option<Self>> {
        let pairs: Vec<Forecasted> =
            scored.clone().map(|s| Forecasted { forecast: s.mean, observed: s.actual }).collect();
        if pairs.is_empty() {
            return Ok(None);
        }
        let points = PointScores::new(&pairs)?;
        let actual = sum(scored.clone().map(|s| s.actual));
        let of_actual = |x: f64| (actual > 0.0 && (x / actual).is_finite()).then(|| x / actual);
        let held = INTERVALS.map(|(level, i)| {
            HeldShare::of(Level::new(level)?, scored.clone().map(|s| s.held(i)).collect(), independent)
        });
        let [held_50, held_80, held_95] = held;
        let held = [held_50?, held_80?, held_95?];
        let [coverage_50, coverage_80, coverage_95] = held.map(|held| held.coverage.share());
        let width = |s: &Scored| s.interval(2).map_or(0.0, |(low, high)| high - low);
        Ok(Some(Self {
            n: pairs.len(),
            wape: points.wape(),
            bias: points.bias(),
            ncrps: of_actual(sum(scored.clone().map(|s| s.crps))),
            coverage_50,
            coverage_80,
            coverage_95,
            width_80: of_actual(sum(scored.clone().map(width))),
            pit: sum(scored.map(|s| s.pit.get())) / count(pairs.len()),
            held,
        }))
    }

    /// What the central 50, 80 and 95 % intervals held.
    pub const fn held(&self) -> &[HeldShare; 3] {
        &self.held
    }
}
