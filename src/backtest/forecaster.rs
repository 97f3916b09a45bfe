//! Who is tested: anything that turns what was known at an origin into a distribution.

use crate::deals::Known;
use crate::fit::Workers;
use crate::forecast::Forecast;
use crate::time::Period;
use crate::{ForecastModel, Probability, Result};

/// A forecaster's answer for one window: the distribution of the amount, and what else it has to say.
///
/// # Example
/// ```
/// use dealcast::{Forecast, Probability, backtest::Prediction};
/// let money = Forecast::from_samples(&[80e3, 100e3, 130e3])?;
/// let said = Prediction::new(money).with_chances([("D-17", Probability::new(0.4)?)]);
/// assert!(said.deals().is_none() && said.chances().len() == 1);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    money: Forecast,
    deals: Option<Forecast>,
    chances: Vec<(String, Probability)>,
}

impl Prediction {
    /// The distribution of the amount won in the window.
    pub const fn new(money: Forecast) -> Self {
        Self { money, deals: None, chances: Vec::new() }
    }

    /// With the distribution of the number of deals won.
    #[must_use]
    pub fn with_deals(mut self, deals: Forecast) -> Self {
        self.deals = Some(deals);
        self
    }

    /// With the chance of each open deal, by its id, to be won inside the window.
    #[must_use]
    pub fn with_chances(
        mut self,
        chances: impl IntoIterator<Item = (impl Into<String>, Probability)>,
    ) -> Self {
        self.chances = chances.into_iter().map(|(deal, chance)| (deal.into(), chance)).collect();
        self
    }

    /// The amount won in the window.
    pub const fn money(&self) -> &Forecast {
        &self.money
    }

    /// The number of deals won in the window, where the method answers for it.
    pub const fn deals(&self) -> Option<&Forecast> {
        self.deals.as_ref()
    }

    /// Open deals and their chances; empty where the method does not look at single deals.
    pub fn chances(&self) -> &[(String, Probability)] {
        &self.chances
    }
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
///         Ok(Prediction::new(Forecast::from_samples(&[0.0, open])?))
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
    /// As there, and [`Cancelled`](crate::ErrorKind::Cancelled) where the progress callback of the backtest said so.
    fn forecast_all(&self, folds: &[Fold<'_>], workers: &Workers) -> Result<Vec<Prediction>> {
        workers.each(folds, |fold| self.forecast(fold))
    }
}

impl Forecaster for ForecastModel {
    fn name(&self) -> String {
        "dealcast".to_owned()
    }

    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
        let (fitted, book) = (self.fit(&fold.known, &fold.period)?, fold.known.snapshot());
        let forecast = fitted.forecast(&book, &fold.period)?;
        let chances = fitted.chances(&book, &fold.period)?.into_iter().map(|deal| (deal.deal, deal.chance));
        Ok(Prediction::new(forecast.distribution().clone())
            .with_deals(forecast.n_won().clone())
            .with_chances(chances))
    }

    fn forecast_all(&self, folds: &[Fold<'_>], workers: &Workers) -> Result<Vec<Prediction>> {
        let asked: Vec<_> = folds.iter().map(|fold| (fold.known, fold.period)).collect();
        let answers = self.rolling(&asked, workers)?.into_iter();
        Ok(answers
            .map(|said| Prediction { money: said.money, deals: Some(said.deals), chances: said.chances })
            .collect())
    }
}
