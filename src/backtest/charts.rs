//! The report as the two JSON formats that charts of continuous integration read.

use super::comparison::Comparison;
use super::report::{AccuracyReport, OriginScore};
use super::scored::{AccuracySummary, Scored};
use crate::score::{Metric, PairedErrors};
use crate::{Error, Level, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Values by measure, by benchmark, all better the smaller they are. Serialises as
/// `{benchmark: {measure: {value, lower_value?, upper_value?}}}`; [`points`](Self::points) are the other format.
///
/// # Example: both files of a CI job
/// ```
/// use dealcast::backtest::{Backtest, Baseline, RollingOrigin};
/// use dealcast::time::date;
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2022, 1, 7)?, date(2023, 9, 1)?), 91, 91)?;
/// let charts = Backtest::new(&log, plan).run(&Baseline::run_rate())?.charts("sales")?;
/// let nested = serde_json::to_value(&charts).unwrap();
/// assert!(nested["sales"]["ncrps"]["lower_value"].as_f64() < nested["sales"]["ncrps"]["value"].as_f64());
/// let array = serde_json::to_value(charts.points()).unwrap();
/// assert_eq!((&array[0]["name"], &array[0]["unit"]), (&"sales: bias_distance".into(), &"ratio".into()));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Charts(BTreeMap<String, BTreeMap<String, ChartMeasure>>);

/// One value of a chart: finite and not negative, better the smaller it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChartMeasure {
    /// The value.
    pub value: f64,
    /// Lower end of its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower_value: Option<f64>,
    /// Upper end of its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper_value: Option<f64>,
}

/// One entry of the array `[{name, unit, value, range?, extra?}]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChartPoint {
    /// Benchmark and measure.
    pub name: String,
    /// Its unit: a ratio, 1.0 = 100 %.
    pub unit: String,
    /// The value, finite and not negative.
    pub value: f64,
    /// Its 95 % interval, to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// What else a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
}

impl ChartMeasure {
    /// A value, and its 95 % interval if it has one.
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless all are finite and `>= 0`.
    pub fn new(value: f64, interval: Option<(f64, f64)>) -> Result<Self> {
        let (lower_value, upper_value) = interval.unzip();
        for x in [Some(value), lower_value, upper_value].into_iter().flatten() {
            if !(x >= 0.0 && x.is_finite()) {
                return Err(Error::out_of_range("chart value", "a finite number >= 0", x));
            }
        }
        Ok(Self { value, lower_value, upper_value })
    }
}

impl Charts {
    /// Adds a measure of a benchmark, or replaces it.
    pub fn insert(&mut self, (benchmark, measure): (&str, &str), value: ChartMeasure) {
        self.0.entry(benchmark.to_owned()).or_default().insert(measure.to_owned(), value);
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        for (benchmark, measures) in other.0 {
            self.0.entry(benchmark).or_default().extend(measures);
        }
    }

    /// The same as an array, by benchmark, then measure; names of the form `benchmark: measure`.
    pub fn points(&self) -> Vec<ChartPoint> {
        let all =
            self.0.iter().flat_map(|(benchmark, of)| of.iter().map(move |(name, x)| (benchmark, name, x)));
        all.map(|(benchmark, name, x)| ChartPoint {
            name: format!("{benchmark}: {name}"),
            unit: "ratio".to_owned(),
            value: x.value,
            range: x.lower_value.zip(x.upper_value).map(|(low, high)| format!("{low:.4} to {high:.4}")),
            extra: None,
        })
        .collect()
    }
}

impl AccuracyReport {
    /// The report as measures of one benchmark: nCRPS (with a bootstrap by origin) and WAPE in money and in deals,
    /// `|bias|`, the distance of the 80 % coverage from 80 %, the Brier score of the targets, the miscalibration of the
    /// chances of deals. What cannot be measured is left out.
    ///
    /// # Errors
    /// [`Overflow`](crate::ErrorKind::Overflow) where scores do not sum to a finite number.
    pub fn charts(&self, benchmark: &str) -> Result<Charts> {
        let mut charts = Charts::default();
        let money = |origin: &OriginScore| Some(origin.money.clone());
        if let Some(summary) = self.money() {
            self.chart(&mut charts, (benchmark, ""), (summary, money))?;
        }
        if let Some(summary) = self.deals() {
            self.chart(&mut charts, (benchmark, "deals_"), (summary, |origin| origin.deals.clone()))?;
        }
        let chances = self.chances().map(|chances| chances.miscalibration);
        for (name, value) in [("brier", self.brier()), ("miscalibration", chances)] {
            if let Some(value) = value {
                charts.insert((benchmark, name), ChartMeasure::new(value, None)?);
            }
        }
        Ok(charts)
    }

    fn chart(
        &self,
        charts: &mut Charts,
        (benchmark, prefix): (&str, &str),
        (summary, scored): (&AccuracySummary, fn(&OriginScore) -> Option<Scored>),
    ) -> Result<()> {
        let eighty = Metric::Coverage(Level::new(0.8)?);
        // The loss as a multiple of what came.
        let pair = |s: Scored| PairedErrors { a: s.crps, b: s.actual };
        let pairs: Vec<PairedErrors> = self.origins().iter().filter_map(scored).map(pair).collect();
        let sure = Comparison::of((self.forecaster(), "what came"), &pairs, self.overlap())?.interval();
        let values = [
            ("ncrps", summary.ncrps, sure),
            ("wape", summary.wape, None),
            ("bias_distance", summary.bias.map(|bias| Metric::Bias.distance(bias)), None),
            ("coverage_80_distance", summary.coverage_80.map(|share| eighty.distance(share)), None),
        ];
        for (name, value, interval) in values {
            if let Some(value) = value {
                charts.insert((benchmark, &format!("{prefix}{name}")), ChartMeasure::new(value, interval)?);
            }
        }
        Ok(())
    }
}
