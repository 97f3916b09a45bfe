//! Running a forecaster over the origins.

use super::forecaster::{Fold, Forecaster, Prediction};
use super::origins::RollingOrigin;
use super::report::{AccuracyReport, OriginScore};
use super::truth::Truth;
use crate::deals::DealLog;
use crate::fit::ForecastModel;
use crate::forecast::ForecastOptions;
use crate::time::day_number;
use crate::{Error, ErrorKind, Result};

/// How many past windows set the targets unless said otherwise.
const TARGET_WINDOWS: usize = 6;

/// A log and a plan of origins.
///
/// # Example: does the model beat the past windows?
/// ```
/// use dealcast::backtest::{Backtest, PastWindows, RollingOrigin};
/// use dealcast::{ForecastModel, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2023, 1, 6)?, date(2023, 9, 1)?), 28, 56)?;
/// let backtest = Backtest::new(&log, plan);
/// let model = backtest.run(&ForecastModel::default())?;
/// let windows = backtest.run(&PastWindows::last(6)?)?;
/// assert!(model.money().unwrap().ncrps < windows.money().unwrap().ncrps);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Backtest<'a> {
    log: &'a DealLog,
    plan: RollingOrigin,
    target_windows: usize,
}

impl<'a> Backtest<'a> {
    /// Tests on this log at these origins.
    pub const fn new(log: &'a DealLog, plan: RollingOrigin) -> Self {
        Self { log, plan, target_windows: TARGET_WINDOWS }
    }

    /// Targets are .9, 1 and 1.1 times the mean of this many past windows, a step of the plan apart; 6 unless said
    /// otherwise.
    #[must_use]
    pub const fn target_windows(mut self, n: usize) -> Self {
        self.target_windows = n;
        self
    }

    /// Lets a forecaster answer at every origin whose window is complete, from what was known there, and scores it.
    ///
    /// # Errors
    /// Those of the forecaster, and [`LengthMismatch`](ErrorKind::LengthMismatch) where it answers another number of
    /// windows than it was asked.
    pub fn run(&self, forecaster: &impl Forecaster) -> Result<AccuracyReport> {
        let truth = Truth::of(self.log);
        let (complete, late): (Vec<_>, Vec<_>) =
            self.plan.windows().partition(|window| truth.covers(day_number(window.end())));
        let folds: Vec<Fold<'_>> = complete
            .into_iter()
            .map(|period| Fold { known: self.log.as_of(period.start()), period })
            .collect();
        let predictions = forecaster.forecast_all(&folds)?;
        if predictions.len() != folds.len() {
            return Err(Error::new(ErrorKind::LengthMismatch, format!("{} predictions", folds.len()))
                .found(predictions.len()));
        }
        let step = i32::try_from(self.plan.step_days()).unwrap_or(i32::MAX);
        let origins = folds.iter().zip(&predictions).map(|(fold, Prediction { money, deals })| {
            let (start, end) = (day_number(fold.period.start()), day_number(fold.period.end()));
            let past = truth.past(start, (end - start, step), self.target_windows);
            OriginScore::of(fold.period.start(), (money, deals.as_ref()), truth.won((start, end)), &past)
        });
        let origins = origins.collect::<Result<_>>()?;
        AccuracyReport::new(forecaster.name(), self.plan.horizon_days(), origins, late.len())
    }
}

impl Forecaster for ForecastModel {
    fn name(&self) -> String {
        "dealcast".to_owned()
    }

    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
        let fitted = self.fit(&fold.known, &fold.period)?;
        let forecast = fitted.forecast(&fold.known.snapshot(), &fold.period)?;
        Ok(Prediction { money: forecast.distribution().clone(), deals: Some(forecast.n_won().clone()) })
    }

    fn forecast_all(&self, folds: &[Fold<'_>]) -> Result<Vec<Prediction>> {
        let asked: Vec<_> = folds.iter().map(|fold| (fold.known, fold.period)).collect();
        let options = ForecastOptions::practical();
        let totals = self.rolling(&asked)?;
        let answer = |(money, deals): &(crate::forecast::Total, crate::forecast::Total)| {
            Ok(Prediction { money: money.exact(&options)?, deals: Some(deals.exact(&options)?) })
        };
        totals.iter().map(answer).collect()
    }
}
