//! Does a method see the future? Its answers must not change when the future does.

use super::forecaster::{Fold, Forecaster, Prediction};
use super::run::Backtest;
use crate::deals::{DealLog, Future};
use crate::fit::Workers;
use crate::time::{Period, day_number};
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDate;
use serde::Serialize;
use std::fmt;

/// How the future of a log was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangedFuture {
    /// Nothing that was not known at the origin is there.
    Removed,
    /// Wins to come are losses, losses are wins, amounts to come are three times as large.
    Turned,
}

/// An answer that changed although nothing that was known changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Leak {
    /// The origin.
    pub origin: NaiveDate,
    /// Days from the origin to the end of the window.
    pub horizon_days: u32,
    /// How the future was changed.
    pub future: ChangedFuture,
    /// By how much the mean moved, in the unit of the amounts; 0 where something else did.
    pub moved_by: f64,
}

/// What a look-ahead audit found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    forecaster: String,
    n: usize,
    leaks: Vec<Leak>,
}

impl Audit {
    /// How many windows were audited, each with two other futures.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// Every answer that moved, by origin.
    pub fn leaks(&self) -> &[Leak] {
        &self.leaks
    }

    /// Whether no answer moved.
    pub fn is_clean(&self) -> bool {
        self.leaks.is_empty()
    }
}

impl Backtest<'_> {
    /// Looks for look-ahead: at every origin the method is built again from a log whose rows that were not known then
    /// are gone, and from one where they tell the opposite. What it answers has to be, to the last bit, what it
    /// answers on the whole log. `build` makes the method from a log, so that whatever it prepares beforehand (a table
    /// of features, a fit for all origins) is audited too. Twice the time of a run without sharing.
    ///
    /// # Errors
    /// Those of [`run`](Self::run), and [`Missing`](ErrorKind::Missing) where no window is complete.
    ///
    /// # Example: a win rate of all deals of the log, also of those decided later
    /// ```
    /// use dealcast::backtest::{Backtest, Fold, Forecaster, Prediction, RollingOrigin};
    /// use dealcast::{DealLog, Forecast, ForecastModel, Result, time::date};
    /// use dealcast::synthetic::{Company, World};
    ///
    /// struct WinRate(f64);
    /// impl Forecaster for WinRate {
    ///     fn name(&self) -> String {
    ///         "one win rate".into()
    ///     }
    ///     fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
    ///         let open = fold.known.snapshot().open_book()?.amount().get();
    ///         Ok(Prediction::new(Forecast::from_samples(&[self.0 * open])?))
    ///     }
    /// }
    /// let of_all = |log: &DealLog| {
    ///     let book = log.as_of(chrono::NaiveDateTime::MAX).snapshot();
    ///     WinRate(book.won().len() as f64 / (book.won().len() + book.lost().len()) as f64)
    /// };
    ///
    /// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
    /// let plan = RollingOrigin::new((date(2022, 1, 7)?, date(2022, 4, 1)?), 28, 28)?;
    /// let backtest = Backtest::new(&log, plan);
    /// let audit = backtest.audit(|log| Box::new(of_all(log)))?;
    /// assert_eq!((audit.n(), audit.leaks().len()), (4, 8));
    /// assert!(backtest.audit(|_| Box::new(ForecastModel::default()))?.is_clean());
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn audit(
        &self,
        build: impl for<'l> Fn(&'l DealLog) -> Box<dyn Forecaster + 'l> + Sync,
    ) -> Result<Audit> {
        let end = self.end();
        let (folds, _) = self.folds(self.log(), |window| day_number(window.end()) <= end);
        if folds.is_empty() {
            return Err(Error::new(ErrorKind::Missing, "a window that ends within the log").field("origins"));
        }
        let forecaster = build(self.log());
        let answers = self.answers(&*forecaster, &folds)?;
        let cases: Vec<(Period, &Prediction)> = folds.iter().map(|fold| fold.period).zip(&answers).collect();
        let found = self.workers(cases.len()).each(&cases, |&(period, said)| {
            let futures =
                [(Future::Removed, ChangedFuture::Removed), (Future::Turned, ChangedFuture::Turned)];
            let asked =
                |(future, named)| Ok(self.asked_again(&build, (period, future), said)?.map(|by| (named, by)));
            futures.into_iter().map(asked).collect::<Result<Vec<_>>>()
        })?;
        let leaks = folds.iter().zip(found).flat_map(|(fold, found)| {
            let leak = |(future, moved_by)| Leak {
                origin: fold.period.start(),
                horizon_days: fold.period.n_days(),
                future,
                moved_by,
            };
            found.into_iter().flatten().map(leak).collect::<Vec<_>>()
        });
        Ok(Audit { forecaster: forecaster.name(), n: folds.len(), leaks: leaks.collect() })
    }

    /// By how much the mean moves under another future; `None` where nothing moves.
    fn asked_again(
        &self,
        build: &impl for<'l> Fn(&'l DealLog) -> Box<dyn Forecaster + 'l>,
        (period, future): (Period, Future),
        said: &Prediction,
    ) -> Result<Option<f64>> {
        let log = self.log().with_future(period.start().into(), future)?;
        let fold = Fold { known: log.as_of(period.start()), period };
        let again = build(&log).forecast_all(&[fold], &Workers::default())?;
        let again =
            again.first().ok_or_else(|| Error::new(ErrorKind::LengthMismatch, "1 prediction").found(0))?;
        Ok((again != said).then(|| again.money().mean() - said.money().mean()))
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { forecaster, n, leaks } = self;
        let Some(worst) = leaks.iter().max_by(|a, b| a.moved_by.abs().total_cmp(&b.moved_by.abs())) else {
            return write!(f, "{forecaster}: no look-ahead; no answer of {n} windows moved with the future");
        };
        let mut moved: Vec<(NaiveDate, u32)> =
            leaks.iter().map(|leak| (leak.origin, leak.horizon_days)).collect();
        moved.dedup();
        let moved = moved.len();
        write!(f, "{forecaster}: LOOK-AHEAD in {moved} of {n} windows; ")?;
        write!(f, "most at {}, where the mean moved by {:+.4e}", worst.origin, worst.moved_by)
    }
}
