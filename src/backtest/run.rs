//! Running a forecaster over the origins.

use super::chances::ChanceAccuracy;
use super::forecaster::{Fold, Forecaster, Prediction};
use super::origins::RollingOrigin;
use super::report::{AccuracyReport, OriginScore};
use super::stored::{Stored, VERSION};
use super::truth::Truth;
use crate::deals::DealLog;
use crate::fit::Workers;
use crate::forecast::{Progress, Watcher};
use crate::score::Claim;
use crate::time::{Period, day_number};
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many past windows set the targets unless said otherwise.
const TARGET_WINDOWS: usize = 6;
/// Most segments that are forecast on their own: the largest.
const MOST_SEGMENTS: usize = 12;

/// A log and a plan of origins.
///
/// One thread unless said otherwise. The number of threads changes the time it takes and nothing else.
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
#[derive(Clone)]
pub struct Backtest<'a> {
    log: &'a DealLog,
    plan: RollingOrigin,
    target_windows: usize,
    segment: Option<String>,
    until: Option<NaiveDate>,
    threads: usize,
    watcher: Option<Watcher>,
}

impl fmt::Debug for Backtest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backtest")
            .field("plan", &self.plan)
            .field("target_windows", &self.target_windows)
            .field("segment", &self.segment)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl<'a> Backtest<'a> {
    /// Tests on this log at these origins.
    pub const fn new(log: &'a DealLog, plan: RollingOrigin) -> Self {
        Self {
            log,
            plan,
            target_windows: TARGET_WINDOWS,
            segment: None,
            until: None,
            threads: 1,
            watcher: None,
        }
    }

    /// Targets are .9, 1 and 1.1 times the mean of this many past windows, the last ones complete of those that begin
    /// whole steps of the plan before the origin, also before the first origin; 6 unless said otherwise.
    #[must_use]
    pub const fn target_windows(mut self, n: usize) -> Self {
        self.target_windows = n;
        self
    }

    /// Also forecasts and scores each of the largest twelve segments on its own, as if it were a company: the deals
    /// that were created with the same value of this attribute. A window for which a segment has no history yet is
    /// left out of that segment's report.
    #[must_use]
    pub fn by_segment(mut self, attribute: impl Into<String>) -> Self {
        self.segment = Some(attribute.into());
        self
    }

    /// The day of the export: everything before it is in the log, also where nothing happened in the last days. The day after
    /// the last event unless said otherwise; windows that end later are left out.
    #[must_use]
    pub const fn until(mut self, export: NaiveDate) -> Self {
        self.until = Some(export);
        self
    }

    /// On how many threads at most; 0 counts as 1.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Told, on the calling thread, after each window, segments apart; `Break` stops the run with
    /// [`Cancelled`](ErrorKind::Cancelled).
    #[must_use]
    pub fn progress(mut self, watcher: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.watcher = Some(Arc::new(watcher));
        self
    }

    /// Lets a forecaster answer at every origin whose window is complete, from what was known there, and scores it.
    ///
    /// # Errors
    /// Those of the forecaster; [`LengthMismatch`](ErrorKind::LengthMismatch) where it answers another number of
    /// windows than it was asked; [`Cancelled`](ErrorKind::Cancelled) where the progress callback said so.
    pub fn run(&self, forecaster: &dyn Forecaster) -> Result<AccuracyReport> {
        let mut stored = self.measure(self.log, forecaster, Missing::Refused)?;
        if let Some(attribute) = &self.segment {
            for value in largest_segments(self.log, attribute) {
                let log = self.log.clone().of_segment((attribute, &value));
                let segment = self.measure(&log, forecaster, Missing::LeftOut)?;
                stored.segments.push((value, AccuracyReport::new(segment)?));
            }
        }
        AccuracyReport::new(stored)
    }

    /// The complete windows of a log, and the number of the others.
    pub(super) fn folds<'l>(
        &self,
        log: &'l DealLog,
        covers: impl Fn(&Period) -> bool,
    ) -> (Vec<Fold<'l>>, usize) {
        let (complete, late): (Vec<_>, Vec<_>) = self.plan.windows().partition(covers);
        let fold = |period: Period| Fold { known: log.as_of(period.start()), period };
        (complete.into_iter().map(fold).collect(), late.len())
    }

    /// The answers of a forecaster, one a fold.
    pub(super) fn answers(&self, forecaster: &dyn Forecaster, folds: &[Fold<'_>]) -> Result<Vec<Prediction>> {
        let answers = forecaster.forecast_all(folds, &self.workers(folds.len()))?;
        if answers.len() == folds.len() {
            return Ok(answers);
        }
        Err(Error::new(ErrorKind::LengthMismatch, format!("{} predictions", folds.len()))
            .found(answers.len()))
    }

    pub(super) fn workers(&self, n: usize) -> Workers {
        Workers::threads(self.threads).watched(self.watcher.clone(), n)
    }

    /// The first day that is not in the log.
    pub(super) fn end(&self) -> i32 {
        self.until.map_or_else(|| Truth::end_of(self.log), day_number)
    }

    pub(super) const fn log(&self) -> &'a DealLog {
        self.log
    }

    fn measure(&self, log: &DealLog, forecaster: &dyn Forecaster, missing: Missing) -> Result<Stored> {
        // A segment's log ends where the whole log ends.
        let (truth, whole) = (Truth::of(log), self.end());
        let (mut folds, n_incomplete) = self.folds(log, |window| day_number(window.end()) <= whole);
        if missing == Missing::LeftOut {
            let unknown = |fold: &Fold<'_>| {
                forecaster.forecast(fold).is_err_and(|error| error.kind() == ErrorKind::NoHistory)
            };
            folds.drain(..folds.partition_point(unknown));
        }
        let answers = self.answers(forecaster, &folds)?;
        let step = i32::try_from(self.plan.step_days()).unwrap_or(i32::MAX);
        let mut claims: Vec<Claim> = Vec::new();
        let origins = folds.iter().zip(&answers).map(|(fold, said)| {
            let (start, end) = (day_number(fold.period.start()), day_number(fold.period.end()));
            let past = truth.past(start, (end - start, step), self.target_windows);
            let floor = (!said.chances().is_empty()).then(|| {
                let (judged, floor) = truth.judge(said.chances(), (start, end));
                claims.extend(judged);
                floor
            });
            let window = (fold.period.start(), fold.period.n_days());
            OriginScore::of(window, said, truth.won((start, end)), (&past, floor))
        });
        Ok(Stored {
            version: VERSION,
            forecaster: forecaster.name(),
            step_days: self.plan.step_days(),
            origins: origins.collect::<Result<_>>()?,
            n_incomplete,
            chances: ChanceAccuracy::of(&claims)?,
            segments: Vec::new(),
        })
    }
}

/// What happens to a window for which the log has no history yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Refused,
    LeftOut,
}

/// The values of an attribute with which most deals were created, most first.
fn largest_segments(log: &DealLog, attribute: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for deal in log.as_of(chrono::NaiveDateTime::MAX).deals() {
        if let Some((_, value)) = deal.born_with().find(|(name, _)| *name == attribute) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut values: Vec<(&str, usize)> = counts.into_iter().collect();
    values.sort_by_key(|&(_, n)| std::cmp::Reverse(n));
    values.into_iter().take(MOST_SEGMENTS).map(|(value, _)| value.to_owned()).collect()
}
