//! The report: every origin, and the summary.

use super::chances::ChanceAccuracy;
use super::forecaster::Prediction;
use super::scored::{AccuracySummary, Scored};
use super::stored::Stored;
use super::truth::Actual;
use crate::num::{count, sum::sum};
use crate::score::{Claim, brier};
use crate::{Amount, Probability, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What one window came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OriginScore {
    /// The origin.
    pub origin: NaiveDate,
    /// Days from the origin to the end of the window.
    pub horizon_days: u32,
    /// The amount won.
    pub money: Scored,
    /// The number of deals won, where the forecaster answers for it.
    pub deals: Option<Scored>,
    /// Targets at .9, 1 and 1.1 times the mean of past windows, and the chance given to each; empty where no past
    /// window is complete.
    pub targets: Vec<(f64, Probability)>,
    /// The spread that stays even if the chance of every open deal is exactly right, `sqrt(sum a^2 p (1 - p))`; where
    /// the forecaster gives chances.
    pub noise_floor: Option<f64>,
}

impl OriginScore {
    pub(super) fn of(
        (origin, horizon_days): (NaiveDate, u32),
        said: &Prediction,
        actual: Actual,
        (past, noise_floor): (&[Actual], Option<f64>),
    ) -> Result<Self> {
        let mean = sum(past.iter().map(|window| window.money)) / count(past.len());
        let targets = [0.9, 1.0, 1.1].into_iter().filter(|_| !past.is_empty()).map(|share| {
            let target = Amount::new(share * mean)?;
            Ok((target.get(), said.money().chance_of_hitting(target)))
        });
        Ok(Self {
            origin,
            horizon_days,
            targets: targets.collect::<Result<_>>()?,
            money: Scored::of(said.money(), actual.money)?,
            deals: said.deals().map(|deals| Scored::of(deals, actual.deals)).transpose()?,
            noise_floor,
        })
    }
}

/// The accuracy over windows of one length.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HorizonAccuracy {
    /// Days from an origin to the end of its window.
    pub horizon_days: u32,
    /// The scores in money.
    pub money: AccuracySummary,
    /// The scores in numbers of deals, where the forecaster answers for them.
    pub deals: Option<AccuracySummary>,
}

/// The accuracy of a forecaster over the windows of a plan: every origin and the summary, in money and in numbers of
/// deals, by horizon, and by segment where one was asked for.
///
/// Serde stores the origins; summaries are computed from them again. Figures have fifteen digits, so that plain JSON gives
/// them back: a loaded report equals the stored one, and is stored as the same bytes.
///
/// # Example: how good were our forecasts?
/// ```
/// use dealcast::backtest::{AccuracyReport, Backtest, RollingOrigin};
/// use dealcast::{ForecastModel, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2022, 7, 1)?, date(2023, 6, 30)?), 91, 91)?.with_horizons([28, 91])?;
/// let report = Backtest::new(&log, plan).run(&ForecastModel::default())?;
/// assert_eq!((report.origins().len(), report.by_horizon().len()), (10, 2));
/// assert!(report.money().unwrap().ncrps.unwrap() < 0.2);
/// assert!(report.chances().unwrap().miscalibration < 0.02);
/// println!("{report}");
/// let stored = serde_json::to_string(&report).unwrap();
/// let loaded: AccuracyReport = serde_json::from_str(&stored).unwrap();
/// assert_eq!(loaded, report);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct AccuracyReport {
    pub(super) stored: Stored,
    money: Option<AccuracySummary>,
    deals: Option<AccuracySummary>,
    horizons: Vec<HorizonAccuracy>,
    brier: Option<f64>,
}

impl AccuracyReport {
    pub(super) fn new(stored: Stored) -> Result<Self> {
        let stored = stored.rounded();
        let Stored { origins, step_days, .. } = &stored;
        let claims: Vec<Claim> = origins
            .iter()
            .flat_map(|o| o.targets.iter().map(|&(target, chance)| (o.money.actual >= target, chance)))
            .map(|(happened, chance)| Claim { chance, happened })
            .collect();
        let mut lengths: Vec<u32> = origins.iter().map(|o| o.horizon_days).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let of_length = |days: u32| origins.iter().filter(move |o| o.horizon_days == days);
        let independent = |days: u32| independent(of_length(days).count(), *step_days, days);
        let mut horizons = Vec::new();
        for &days in &lengths {
            let money = AccuracySummary::of(of_length(days).map(|o| &o.money), independent(days))?;
            let deals =
                AccuracySummary::of(of_length(days).filter_map(|o| o.deals.as_ref()), independent(days))?;
            horizons.extend(money.map(|money| HorizonAccuracy { horizon_days: days, money, deals }));
        }
        // Windows of several lengths that begin together are one case, not several.
        let cases = lengths.iter().copied().map(independent).max().unwrap_or(0);
        Ok(Self {
            money: AccuracySummary::of(origins.iter().map(|o| &o.money), cases)?,
            deals: AccuracySummary::of(origins.iter().filter_map(|o| o.deals.as_ref()), cases)?,
            brier: if claims.is_empty() { None } else { Some(brier(&claims)?) },
            horizons,
            stored,
        })
    }

    /// Who was tested.
    pub fn forecaster(&self) -> &str {
        &self.stored.forecaster
    }

    /// Every window that is complete, by origin, then by length.
    pub fn origins(&self) -> &[OriginScore] {
        &self.stored.origins
    }

    /// Days between origins.
    pub const fn step_days(&self) -> u32 {
        self.stored.step_days
    }

    /// Windows left out because they end after the log.
    pub const fn n_incomplete(&self) -> usize {
        self.stored.n_incomplete
    }

    /// The scores in money; `None` where no window is complete.
    pub const fn money(&self) -> Option<&AccuracySummary> {
        self.money.as_ref()
    }

    /// The scores in numbers of deals; `None` where the forecaster does not answer for them.
    pub const fn deals(&self) -> Option<&AccuracySummary> {
        self.deals.as_ref()
    }

    /// The scores by length of the window, shortest first.
    pub fn by_horizon(&self) -> &[HorizonAccuracy] {
        &self.horizons
    }

    /// Mean squared error of the chances given to the targets.
    pub const fn brier(&self) -> Option<f64> {
        self.brier
    }

    /// The chances of single deals; `None` where the forecaster gives none.
    pub const fn chances(&self) -> Option<&ChanceAccuracy> {
        self.stored.chances.as_ref()
    }

    /// The spread that would remain if the chance of every open deal were exactly right, over all windows, as a share of
    /// what came; new business and shared luck come on top. `None` where the forecaster gives no chances.
    pub fn noise_floor(&self) -> Option<f64> {
        let floors: Option<Vec<f64>> = self.origins().iter().map(|o| o.noise_floor).collect();
        let actual = sum(self.origins().iter().map(|o| o.money.actual));
        let floor = sum(floors?) / actual;
        floor.is_finite().then_some(floor)
    }

    /// One report a segment, each forecast on its own, the largest first; empty unless a segment was asked for.
    pub fn segments(&self) -> &[(String, Self)] {
        &self.stored.segments
    }
}

/// How many of n windows do not overlap.
fn independent(n: usize, step_days: u32, horizon_days: u32) -> usize {
    if step_days >= horizon_days {
        return n;
    }
    let (step, horizon) = (u128::from(step_days), u128::from(horizon_days.max(1)));
    usize::try_from((n as u128 * step).div_ceil(horizon)).unwrap_or(n)
}

#[cfg(test)]
mod tests {
    use super::independent;

    #[test]
    fn overlapping_windows_count_as_fewer() {
        assert_eq!(independent(14, 7, 28), 4);
        assert_eq!(independent(71, 91, 365), 18);
        assert_eq!((independent(8, 91, 91), independent(8, 91, 28), independent(0, 7, 28)), (8, 8, 0));
    }
}
