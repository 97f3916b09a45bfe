//! Who is tested: anything that turns what was known at an origin into a distribution.

use crate::Result;
use crate::deals::Known;
use crate::forecast::Forecast;
use crate::time::Period;

/// A forecaster's answer for one window: the distribution of the amount, and of the number of deals won if it has one.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The amount won in the window.
    pub money: Forecast,
    /// The number of deals won in the window.
    pub deals: Option<Forecast>,
}

/// One question of a backtest: what was known, and the window that follows.
#[derive(Clone, Copy, Debug)]
pub struct Fold<'a> {
    /// The log as of the origin: nothing later can be reached through it.
    pub known: Known<'a>,
    /// The window.
    pub period: Period,
}

/// A method of forecasting. The one open trait of this crate.
///
/// # Example: a method of your own
/// ```
/// use dealcast::backtest::{Backtest, Fold, Forecaster, Prediction, RollingOrigin};
/// use dealcast::{Forecast, Result, time::date};
/// use dealcast::synthetic::{Company, World};
///
/// /// Everything that is open, half of the time.
/// struct CoinFlip;
/// impl Forecaster for CoinFlip {
///     fn name(&self) -> String {
///         "coin flip".into()
///     }
///     fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
///         let open = fold.known.snapshot().open_book()?.amount().get();
///         Ok(Prediction { money: Forecast::from_samples(&[0.0, open])?, deals: None })
///     }
/// }
///
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2023, 1, 6)?, date(2023, 3, 31)?), 28, 28)?;
/// let report = Backtest::new(&log, plan).run(&CoinFlip)?;
/// assert_eq!(report.origins().len(), 4);
/// # Ok::<(), dealcast::Error>(())
/// ```
pub trait Forecaster: Sync {
    /// How it is called in reports.
    fn name(&self) -> String;

    /// The forecast of one window.
    ///
    /// # Errors
    /// Whatever keeps it from answering; the backtest stops there.
    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction>;

    /// The forecasts of all windows; what folds can share is prepared once here. Each answer must be the one that
    /// [`forecast`](Self::forecast) gives.
    ///
    /// # Errors
    /// As there.
    fn forecast_all(&self, folds: &[Fold<'_>]) -> Result<Vec<Prediction>> {
        folds.iter().map(|fold| self.forecast(fold)).collect()
    }
}
