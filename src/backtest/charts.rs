//! The report as the two JSON formats that charts of continuous integration read.

use super::comparison::Comparison;
use super::report::AccuracyReport;
use super::scored::AccuracySummary;
use crate::score::{Metric, PairedErrors};
use crate::{Level, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One value of a chart whose values are better the smaller they are: an entry of the array
/// `[{name, unit, value, range?, extra?}]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChartPoint {
    /// What is measured.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The value, finite and not negative.
    pub value: f64,
    /// How sure it is, to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// What it rests on, to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
}

/// One value of the nested format `{benchmark: {measure: {value, lower_value?, upper_value?}}}`.
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

/// Measures by name, by benchmark.
pub type ChartMeasures = BTreeMap<String, BTreeMap<String, ChartMeasure>>;

impl AccuracyReport {
    /// The report as measures of one benchmark, which serialises as `{benchmark: {measure: {value, lower_value?,
    /// upper_value?}}}`. All are better the smaller they are: nCRPS and WAPE in money and in deals, `|bias|`, the distance of
    /// the 80 % coverage from 80 %, the Brier score of the targets, the miscalibration of the chances of deals. What
    /// cannot be measured is left out. The interval of nCRPS is a bootstrap by origin.
    ///
    /// # Errors
    /// [`Overflow`](crate::ErrorKind::Overflow) where scores do not sum to a finite number.
    ///
    /// # Example: both files of a CI job
    /// ```
    /// use dealcast::backtest::{Backtest, Baseline, RollingOrigin};
    /// use dealcast::time::date;
    /// use dealcast::synthetic::{Company, World};
    /// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
    /// let plan = RollingOrigin::new((date(2022, 1, 7)?, date(2023, 9, 1)?), 91, 91)?;
    /// let report = Backtest::new(&log, plan).run(&Baseline::run_rate())?;
    /// let nested = report.chart_measures("sales")?;
    /// assert!(nested["sales"]["ncrps"].lower_value.unwrap() < nested["sales"]["ncrps"].value);
    /// let array = report.chart_points("sales")?;
    /// assert_eq!((array[0].name.as_str(), array[0].unit.as_str()), ("sales: ncrps", "ratio"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn chart_measures(&self, benchmark: &str) -> Result<ChartMeasures> {
        let plain = |value: f64| ChartMeasure { value, lower_value: None, upper_value: None };
        let mut measures = BTreeMap::new();
        let mut add = |name: &str, measure: Option<ChartMeasure>| {
            measures.extend(measure.map(|measure| (name.to_owned(), measure)));
        };
        let eighty = Metric::Coverage(Level::new(0.8)?);
        let parts = [("", self.money()), ("deals_", self.deals())];
        for (prefix, summary) in parts.into_iter().filter_map(|(prefix, part)| Some((prefix, part?))) {
            let AccuracySummary { wape, bias, coverage_80, .. } = summary;
            let named = |name: &str| format!("{prefix}{name}");
            add(&named("ncrps"), self.ncrps_measure(summary, prefix.is_empty())?);
            add(&named("wape"), wape.map(plain));
            add(&named("bias_distance"), bias.map(|bias| plain(Metric::Bias.distance(bias))));
            add(&named("coverage_80_distance"), coverage_80.map(|share| plain(eighty.distance(share))));
        }
        add("brier", self.brier().map(plain));
        add("miscalibration", self.chances().map(|chances| plain(chances.miscalibration)));
        Ok([(benchmark.to_owned(), measures)].into())
    }

    /// The same as the array `[{name, unit, value, range?, extra?}]`, names of the form `benchmark: measure`.
    ///
    /// # Errors
    /// As there.
    pub fn chart_points(&self, benchmark: &str) -> Result<Vec<ChartPoint>> {
        let n = self.origins().len();
        let point = |(name, measure): (&String, &ChartMeasure)| ChartPoint {
            name: format!("{benchmark}: {name}"),
            unit: "ratio".to_owned(),
            value: measure.value,
            range: measure
                .lower_value
                .zip(measure.upper_value)
                .map(|(low, high)| format!("{low:.4} to {high:.4}")),
            extra: Some(format!("{}, {n} windows", self.forecaster())),
        };
        let measures = self.chart_measures(benchmark)?;
        let mut points: Vec<ChartPoint> = measures.values().flatten().map(point).collect();
        // The headline first.
        points.sort_by_key(|point| !point.name.ends_with(": ncrps"));
        Ok(points)
    }

    /// nCRPS with its interval: the loss ratio against "what came" as the loss of the other.
    fn ncrps_measure(&self, summary: &AccuracySummary, in_money: bool) -> Result<Option<ChartMeasure>> {
        let Some(value) = summary.ncrps else { return Ok(None) };
        let scored =
            self.origins().iter().filter_map(|o| if in_money { Some(&o.money) } else { o.deals.as_ref() });
        let pairs: Vec<PairedErrors> = scored.map(|s| PairedErrors { a: s.crps, b: s.actual }).collect();
        let interval = Comparison::of(("", ""), &pairs, self.overlap())?.interval();
        let (lower_value, upper_value) = interval.unzip();
        Ok(Some(ChartMeasure { value, lower_value, upper_value }))
    }
}
