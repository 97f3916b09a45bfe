//! Many companies of named synthetic worlds, and what a forecaster lost on each.

#![allow(dead_code, reason = "each example uses its part")]

use chrono::Days;
use dealcast::backtest::{AccuracyReport, Backtest, Forecaster, RollingOrigin, Workers};
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{Result, Seed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Worlds whose truth lies within what the model assumes. Not the heavy-tailed one: amounts of new business are drawn from
/// past amounts, and where amounts have no variance the largest is always still to come. Not the one with rep signals: the
/// error of a rep's date is no factor of odds, which is what the model can learn.
pub(crate) const WELL_SPECIFIED: [World; 5] =
    [World::Stationary, World::BigDealsSlower, World::Skipping, World::Reopening, World::Stale];

/// Deals a day of the sparse world: its eight spread over its five years, so that windows at the end have something to win.
const SPARSE: f64 = 8.0 / 1826.0;

/// How many companies, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) n_companies: u64,
    pub(crate) n_quarters: u32,
    /// Of those of the named world.
    pub(crate) share_of_deals: f64,
    pub(crate) seed: Seed,
}

/// What a forecaster lost on one company, or on several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Loss {
    pub(crate) n: usize,
    pub(crate) crps: f64,
    pub(crate) actual: f64,
    pub(crate) mean: f64,
    pub(crate) in_50: usize,
    pub(crate) in_80: usize,
    pub(crate) in_95: usize,
}

/// Losses by company, by world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) size: Size,
    pub(crate) worlds: BTreeMap<String, Vec<Loss>>,
}

impl Measured {
    pub(crate) fn n_windows(&self) -> usize {
        self.worlds.values().flatten().map(|company| company.n).sum()
    }
}

impl Loss {
    pub(crate) fn of<'a>(companies: impl IntoIterator<Item = &'a Self>) -> Self {
        companies.into_iter().fold(Self::default(), |all, one| Self {
            n: all.n + one.n,
            crps: all.crps + one.crps,
            actual: all.actual + one.actual,
            mean: all.mean + one.mean,
            in_50: all.in_50 + one.in_50,
            in_80: all.in_80 + one.in_80,
            in_95: all.in_95 + one.in_95,
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "a count of windows")]
    pub(crate) fn share(&self, inside: usize) -> f64 {
        inside as f64 / self.n as f64
    }

    fn of_report(report: &AccuracyReport) -> Self {
        let scored = || report.origins().iter().map(|origin| &origin.money);
        let held = |i: usize| {
            report.money().and_then(|money| money.held().get(i)).map_or(0, |held| held.coverage().n_inside())
        };
        Self {
            n: scored().count(),
            crps: scored().map(|s| s.crps).sum(),
            actual: scored().map(|s| s.actual).sum(),
            mean: scored().map(|s| s.mean).sum(),
            in_50: held(0),
            in_80: held(1),
            in_95: held(2),
        }
    }
}

/// The name of a world as it is stored.
pub(crate) fn name(world: World) -> String {
    serde_json::to_value(world).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A company of a world, at a share of its size; the sparse one is small enough.
fn company(world: World, size: &Size, number: u64) -> Result<Company> {
    let mut truth = world.truth();
    match truth.arrivals.at_most {
        None => truth.arrivals.daily *= size.share_of_deals,
        Some(_) => truth.arrivals.daily = SPARSE,
    }
    let usual = Company::named(world, size.seed)?;
    Company::new(truth, *usual.history(), Seed::new(size.seed.get() + number))
}

/// A forecaster on every company, companies side by side on all cores. Quarters of 13 weeks, the last one ending with
/// the history; none that begins before the first deal.
pub(crate) fn measure(forecaster: &dyn Forecaster, worlds: &[World], size: &Size) -> Result<Measured> {
    let cases: Vec<(World, u64)> =
        worlds.iter().flat_map(|&world| (0..size.n_companies).map(move |number| (world, number))).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let losses = Workers::threads(threads).each(&cases, |&(world, number)| {
        let company = company(world, size, number)?;
        let log = company.log()?;
        let last = date(2023, 10, 2)?;
        let quarter = |back: u32| last.checked_sub_days(Days::new(91 * u64::from(back))).unwrap_or(last);
        let mut quarters = (0..size.n_quarters).rev().map(quarter);
        let Some(first) = quarters.find(|&start| log.as_of(start).deals().next().is_some()) else {
            return Ok(Loss::default());
        };
        let backtest =
            Backtest::new(&log, RollingOrigin::new((first, last), 91, 91)?).until(company.history().end());
        Ok(Loss::of_report(&backtest.run(forecaster)?))
    })?;
    let mut measured = Measured { size: *size, worlds: BTreeMap::new() };
    for ((world, _), loss) in cases.into_iter().zip(losses) {
        measured.worlds.entry(name(world)).or_default().push(loss);
    }
    Ok(measured)
}
