//! The fitted model: plain data that answers for any book and period it was fitted for.

use super::assumed::Assumed;
use super::calibration::{Calibration, tilted, tilted_counts};
use super::period_forecast::{Evidence, PeriodForecast};
use super::replay::{Open, Outlook};
use super::signals::Signals;
use super::stored::Stored;
use crate::deals::{SalesProcess, Snapshot};
use crate::forecast::{
    ForecastOptions, NewBusiness, Shock, ShockNode, Simulation, SimulationOptions, Total, WeightedForecast,
};
use crate::model::process::Process;
use crate::num::special::{normal_density, normal_quantile};
use crate::num::{count, sum::sum};
use crate::time::{Period, day_number};
use crate::{Amount, Error, ErrorKind, Probability, Result};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// Wins below which a history says little.
const FEW_WINS: usize = 20;
/// Largest correlation of luck the model admits.
const MOST_RHO: f64 = 0.6;
const MOST_TAU: f64 = 2.0;
/// Most chances a split period may have, buckets times open deals: 80 MB of them.
const MOST_CELLS: usize = 10_000_000;
/// Neighbours in size are put together up to this share of new business, in number and in amount.
const LEAST_SHARE: f64 = 1.0 / 100.0;

/// What a model rests on.
#[allow(clippy::large_enum_variant, reason = "a program holds a handful of models")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Basis {
    Fitted { process: Process, calibration: Calibration, n_won: usize },
    Assumed(Assumed),
}

/// How the period is split into buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Not at all.
    #[default]
    Whole,
    /// Weeks of seven days from its start on.
    Weeks,
    /// Calendar months.
    Months,
}

/// A fitted model: plain data, `Send + Sync`, saved and loaded through serde to the last bit.
///
/// It holds no deal: the book is handed to it with every question, so that one model serves a whole team for days.
///
/// # Example: saved and loaded
/// ```
/// use dealcast::{FittedModel, ForecastModel, Period, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let known = log.as_of(date(2023, 7, 1)?);
/// let quarter = Period::new(date(2023, 7, 1)?, date(2023, 10, 1)?)?;
/// let fitted = ForecastModel::default().fit(&known, &quarter)?;
/// let loaded: FittedModel = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
/// assert_eq!(loaded, fitted);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct FittedModel {
    pub(super) process: SalesProcess,
    pub(super) as_of: NaiveDateTime,
    pub(super) horizon: i32,
    pub(super) basis: Basis,
}

/// One open deal of a forecast.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DealChance {
    /// Its id.
    pub deal: String,
    /// The chance that it is won inside the period.
    pub chance: Probability,
    /// Its amount, where it has one.
    pub amount: Option<Amount>,
}

/// Chances by open deal and bucket, and expected wins of new business, of a book in a period.
#[derive(Clone)]
pub(super) struct Expected {
    /// The place in the book of every open deal.
    pub(super) order: Vec<usize>,
    /// By bucket, then open deal.
    pub(super) chances: Vec<Vec<f64>>,
    pub(super) amounts: Vec<f64>,
    /// Amount and expected number of new deals, by entry of the process.
    pub(super) new: Vec<(f64, f64)>,
    /// Share of the new deals by bucket.
    pub(super) new_shares: Vec<f64>,
}

impl FittedModel {
    pub(super) fn new(process: &SalesProcess, as_of: NaiveDateTime, horizon: i32, basis: Basis) -> Self {
        Self { process: process.clone(), as_of, horizon, basis }
    }

    /// The sales process it was fitted to.
    pub fn process(&self) -> &SalesProcess {
        &self.process
    }

    /// The instant up to which it knows the past.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// What is expected, part by part: booked, open deals, new business.
    ///
    /// # Errors
    /// Those of [`total`](Self::total).
    pub fn weighted(&self, book: &Snapshot, period: &Period) -> Result<WeightedForecast> {
        Ok(self.total(book, period, Split::Whole)?.weighted())
    }

    /// The distribution of the period's bookings.
    ///
    /// # Errors
    /// Those of [`total`](Self::total), and [`TooLarge`](ErrorKind::TooLarge) beyond the default memory.
    pub fn forecast(&self, book: &Snapshot, period: &Period) -> Result<PeriodForecast> {
        self.forecast_with(book, period, &ForecastOptions::practical())
    }

    /// [`forecast`](Self::forecast) under options.
    ///
    /// # Errors
    /// As there.
    pub fn forecast_with(
        &self,
        book: &Snapshot,
        period: &Period,
        options: &ForecastOptions,
    ) -> Result<PeriodForecast> {
        let (money, deals) = self.totals(book, period, Split::Whole)?;
        PeriodForecast::new(self, (book, *period), (&money, money.exact(options)?), deals.exact(options)?)
    }

    /// Scenarios of the period's bookings by bucket.
    ///
    /// # Errors
    /// Those of [`total`](Self::total), and those of [`Total::simulate`].
    pub fn simulate(
        &self,
        book: &Snapshot,
        (period, split): (&Period, Split),
        options: &SimulationOptions,
    ) -> Result<Simulation> {
        self.total(book, period, split)?.simulate(options)
    }

    /// What the period's bookings consist of: booked, every open deal with its chance by bucket, new business, and the
    /// shock they share. The engines of [`Total`] answer from it.
    ///
    /// # Errors
    /// [`LookAhead`](ErrorKind::LookAhead) for a book older than the model,
    /// [`PeriodMismatch`](ErrorKind::PeriodMismatch) for a period whose rest is less than half or more than twice of what
    /// the model was fitted for, [`InvalidProcess`](ErrorKind::InvalidProcess) for a book of another process.
    pub fn total(&self, book: &Snapshot, period: &Period, split: Split) -> Result<Total> {
        Ok(self.totals(book, period, split)?.0)
    }

    /// The same in deals: every deal won counts 1.
    ///
    /// # Errors
    /// As there.
    pub fn total_deals(&self, book: &Snapshot, period: &Period, split: Split) -> Result<Total> {
        Ok(self.totals(book, period, split)?.1)
    }

    /// The chance of every open deal to be won inside the period, in the order of the book.
    ///
    /// # Errors
    /// Those of [`total`](Self::total).
    pub fn chances(&self, book: &Snapshot, period: &Period) -> Result<Vec<DealChance>> {
        let expected = self.expected(book, period, Split::Whole)?;
        let mut chances: Vec<(usize, f64)> = expected.by_place().collect();
        chances.sort_unstable_by_key(|&(place, _)| place);
        Ok(book
            .open()
            .iter()
            .zip(chances)
            .map(|(deal, (_, p))| DealChance {
                deal: deal.id().to_owned(),
                chance: Probability::rounded(p),
                amount: deal.amount(),
            })
            .collect())
    }

    /// How much the history has to say.
    pub fn evidence(&self) -> Evidence {
        match &self.basis {
            Basis::Fitted { n_won, .. } if *n_won >= FEW_WINS => Evidence::Enough,
            Basis::Fitted { .. } => Evidence::Low,
            Basis::Assumed(_) => Evidence::Assumed,
        }
    }

    pub(super) fn totals(&self, book: &Snapshot, period: &Period, split: Split) -> Result<(Total, Total)> {
        let expected = self.expected(book, period, split)?;
        let booked = book.booked(period)?;
        self.assembled(&expected, (booked.amount(), booked.n()))
    }

    /// The total in money and in deals.
    pub(super) fn assembled(&self, expected: &Expected, booked: (Amount, usize)) -> Result<(Total, Total)> {
        let ones = vec![1.0; expected.amounts.len()];
        let n_won = Amount::new(count(booked.1))?;
        Ok((self.money(expected, booked.0)?, self.assemble(expected, n_won, (ones, |_| 1.0))?))
    }

    /// The total in money.
    pub(super) fn money(&self, expected: &Expected, booked: Amount) -> Result<Total> {
        self.assemble(expected, booked, (expected.amounts.clone(), |new| new))
    }

    fn assemble(
        &self,
        expected: &Expected,
        booked: Amount,
        (amounts, value): (Vec<f64>, impl Fn(f64) -> f64),
    ) -> Result<Total> {
        let shock = self.shock(&expected.chances, &amounts)?;
        let total = Total::from_bucket_columns(booked, expected.chances.clone(), amounts)?.with_shock(shock);
        let mean = sum(expected.new.iter().map(|new| new.1));
        if !(mean > 0.0) {
            return Ok(total);
        }
        let severity: Vec<(Amount, f64)> =
            severity(expected.new.iter().map(|&(amount, n)| (value(amount), n)))
                .into_iter()
                .map(|(amount, n)| Ok((Amount::new(amount)?, n)))
                .collect::<Result<_>>()?;
        let mut new = NewBusiness::new(mean, severity)?.spread(expected.new_shares.clone())?;
        if let Basis::Fitted { process, .. } = &self.basis
            && process.arrivals.variance > 0.0
        {
            new = new.overdispersed(1.0 / process.arrivals.variance)?;
        }
        total.with_new_business(new)
    }

    /// The shared shock that gives the total the spread the past showed: `rho` such that, to first order, the expected
    /// amount of the open deals moves by `tau` of itself; three nodes over the uncertainty of `tau`.
    fn shock(&self, chances: &[Vec<f64>], amounts: &[f64]) -> Result<Shock> {
        let (tau, windows) = match &self.basis {
            Basis::Fitted { calibration, .. } => (calibration.tau, calibration.windows),
            Basis::Assumed(_) => (Assumed::TAU, 0.0),
        };
        if tau == 0.0 {
            return Ok(Shock::none());
        }
        let (mut mean, mut exposure) = (0.0, 0.0);
        for (deal, amount) in amounts.iter().enumerate() {
            let p: f64 = chances.iter().filter_map(|bucket| bucket.get(deal)).sum();
            mean += amount * p;
            exposure += amount * normal_density(normal_quantile(p.min(1.0)));
        }
        let per_unit = if exposure > 0.0 { mean / exposure } else { 0.0 };
        Shock::from_nodes(spreads(4.0 + windows).map(|spread| {
            let tau = tau * spread;
            let rho = (tau * tau * per_unit * per_unit).min(MOST_RHO);
            ShockNode { rho, tau: tau.min(MOST_TAU), weight: 1.0 / 3.0 }
        }))
    }

    /// The total of a period split at these days.
    pub(crate) fn total_to(&self, book: &Snapshot, period: &Period, ends: &[i32]) -> Result<Total> {
        self.money(&self.expected_to(book, period, ends)?, book.booked(period)?.amount())
    }

    pub(super) fn expected(&self, book: &Snapshot, period: &Period, split: Split) -> Result<Expected> {
        self.expected_to(book, period, &split.ends(period))
    }

    fn expected_to(&self, book: &Snapshot, period: &Period, ends: &[i32]) -> Result<Expected> {
        if book.process() != &self.process {
            return Err(Error::new(
                ErrorKind::InvalidProcess,
                format!("a book of the process {}", self.process),
            )
            .found(book.process()));
        }
        if book.as_of() < self.as_of {
            return Err(Error::new(ErrorKind::LookAhead, format!("a book as of {} or later", self.as_of))
                .found(book.as_of()));
        }
        if ends.len().saturating_mul(book.n_open().max(1)) > MOST_CELLS {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("at most {MOST_CELLS} buckets x open deals"),
            )
            .found(format!("{} x {}", ends.len(), book.n_open()))
            .field("period"));
        }
        let day = day_number(book.as_of().date());
        let rest = day_number(period.end()).saturating_sub(day);
        // An assumed model has learned from no period and answers for any.
        let learned = self.horizon != Assumed::ANY_HORIZON;
        if learned && rest > 0 && (2 * rest < self.horizon || rest > 2 * self.horizon) {
            let asked = "a period whose rest is between half and twice the";
            return Err(Error::new(
                ErrorKind::PeriodMismatch,
                format!("{asked} {} days fitted for", self.horizon),
            )
            .found(format!("{rest} days"))
            .field("period"));
        }
        self.expected_anyhow(book, period, ends)
    }

    /// The same whether or not the model was fitted for so much time.
    pub(super) fn expected_anyhow(&self, book: &Snapshot, period: &Period, ends: &[i32]) -> Result<Expected> {
        let day = day_number(book.as_of().date());
        let from = day_number(period.start()).max(day);
        match &self.basis {
            Basis::Fitted { process, calibration, .. } => {
                let open = self.open_deals((process, calibration), book, day);
                Ok(Expected::fitted((process, calibration), open, (day, from), ends))
            }
            Basis::Assumed(assumed) => {
                assumed.expected(book, period, ends).map(|(chances, amounts)| Expected {
                    order: (0..amounts.len()).collect(),
                    new_shares: vec![1.0; chances.len()],
                    chances,
                    amounts,
                    new: Vec::new(),
                })
            }
        }
    }
}

impl Split {
    /// The buckets of a period.
    pub(crate) fn buckets(self, period: &Period) -> Vec<Period> {
        match self {
            Self::Whole => vec![*period],
            Self::Weeks => period.weeks().collect(),
            Self::Months => period.months().collect(),
        }
    }

    /// The days on which the buckets of a period end.
    pub(super) fn ends(self, period: &Period) -> Vec<i32> {
        self.buckets(period).iter().map(|bucket| day_number(bucket.end())).collect()
    }
}

impl FittedModel {
    /// The open deals of a book as the process sees them.
    #[allow(clippy::unused_self, reason = "reads as a question to the model")]
    pub(super) fn open_deals(
        &self,
        (process, calibration): (&Process, &Calibration),
        book: &Snapshot,
        day: i32,
    ) -> Vec<Open> {
        let open = book.open().iter().map(|deal| Open {
            stage: deal.stage_id().0,
            age: day.saturating_sub(deal.entered_day()),
            group: process.effects.group(deal.attributes()),
            amount: deal.amount().map(Amount::get),
            said: Signals {
                close: deal.expected_close().map(day_number),
                category: calibration.offsets.number(deal.category()),
            },
        });
        open.collect()
    }
}

impl Expected {
    /// The place in the book, and the chance, of every open deal of an undivided period.
    pub(super) fn by_place(&self) -> impl Iterator<Item = (usize, f64)> {
        self.order.iter().copied().zip(self.chances.iter().flatten().copied())
    }

    /// From the chain to every end of a bucket, less what would close before the period begins.
    pub(super) fn fitted(
        (process, calibration): (&Process, &Calibration),
        book: Vec<Open>,
        (day, from): (i32, i32),
        ends: &[i32],
    ) -> Self {
        Self::paced((process, calibration), book, ((day, from), ends), |open, end| {
            Outlook::of(process, open, (day, usize::try_from(end - day).unwrap_or(0)))
        })
    }

    /// The same, each end read as `until` says.
    pub(super) fn paced(
        (process, calibration): (&Process, &Calibration),
        book: Vec<Open>,
        ((day, from), ends): ((i32, i32), &[i32]),
        until: impl Fn(&[Open], i32) -> Outlook,
    ) -> Self {
        let mut placed: Vec<(Open, usize)> = book.into_iter().zip(0..).collect();
        placed.sort_by(|a, b| a.0.canonical(&b.0));
        let (open, order): (Vec<Open>, Vec<usize>) = placed.into_iter().unzip();
        let until = |end: i32| until(&open, end);
        let mut before = until(from);
        let earlier = before.chances.clone();
        let mut chances = Vec::new();
        let mut new_wins = vec![0.0; process.entries.len()];
        let mut new_shares = Vec::new();
        for &end in ends {
            let outlook = until(end.max(from));
            let gain = |now: &[f64], then: &[f64]| -> Vec<f64> {
                now.iter().zip(then).map(|(now, then)| (now - then).max(0.0)).collect()
            };
            chances.push(gain(&outlook.chances, &before.chances));
            let wins = gain(&outlook.new_wins, &before.new_wins);
            new_wins.iter_mut().zip(&wins).for_each(|(all, n)| *all += n);
            new_shares.push(sum(wins));
            before = outlook;
        }
        let amounts: Vec<f64> = open.iter().map(|deal| deal.amount.unwrap_or(0.0)).collect();
        let until_the_end = ends.last().map_or(from, |&end| end.max(from));
        rescale(&mut chances, |all| {
            let deals = open.iter().zip(&earlier).zip(all);
            let heeded = deals.map(|((deal, &before), p)| {
                let by_the_end = (until_the_end, before + p);
                calibration.offsets.heed((deal.said, day), (from, before), by_the_end)
            });
            heeded.collect()
        });
        rescale(&mut chances, |all| tilted(all, &amounts, calibration.open));
        let new_amounts: Vec<f64> = process.entries.iter().map(|entry| entry.amount.unwrap_or(0.0)).collect();
        let new_wins = tilted_counts(&new_wins, &new_amounts, calibration.new);
        let new = new_amounts.into_iter().zip(new_wins).collect();
        Self { order, chances, amounts, new, new_shares }
    }
}

/// Amounts by size, small neighbours put together, with how often each is expected: what is left moves no quantile by
/// more than a hundredth of the new business.
fn severity(new: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    clustered(new).0.into_iter().map(|(amount, n, _)| (amount, n)).collect()
}

/// The same, with how many each stands for, and the places of those in their order.
pub(super) fn clustered(new: impl Iterator<Item = (f64, f64)>) -> (Vec<(f64, f64, usize)>, Vec<usize>) {
    let mut points: Vec<(f64, f64, usize)> =
        new.zip(0..).filter(|((_, n), _)| *n > 0.0).map(|((amount, n), place)| (amount, n, place)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let order = points.iter().map(|point| point.2).collect();
    points.iter_mut().for_each(|point| point.2 = 1);
    let n = sum(points.iter().map(|point| point.1));
    let money = sum(points.iter().map(|point| point.0 * point.1));
    points.dedup_by(|next, kept| {
        let together = kept.1 + next.1;
        let amount = kept.0 * kept.1 + next.0 * next.1;
        let small = together < LEAST_SHARE * n && amount <= LEAST_SHARE * money;
        let same = next.0.total_cmp(&kept.0).is_eq();
        if same || small {
            *kept = (if same { kept.0 } else { amount / together }, together, kept.2 + next.2);
        }
        same || small
    });
    (points, order)
}

/// Changes the chances over all buckets together, each bucket in proportion.
fn rescale(chances: &mut [Vec<f64>], change: impl Fn(&[f64]) -> Vec<f64>) {
    let n_deals = chances.first().map_or(0, Vec::len);
    let all: Vec<f64> = (0..n_deals)
        .map(|deal| chances.iter().filter_map(|bucket| bucket.get(deal)).sum::<f64>().min(1.0))
        .collect();
    let changed = change(&all);
    for bucket in chances {
        for ((p, before), after) in bucket.iter_mut().zip(&all).zip(&changed) {
            *p = if *before > 0.0 { *p * (after / before) } else { 0.0 };
        }
    }
}

/// Three equally likely standard deviations of a Student distribution as a mixture of normals: `sqrt(df / chi2_df)` at
/// the quantiles 1/6, 1/2, 5/6 of chi-square (Wilson & Hilferty 1931).
fn spreads(df: f64) -> [f64; 3] {
    [1.0 / 6.0, 0.5, 5.0 / 6.0].map(|level| {
        let root = 1.0 - 2.0 / (9.0 * df) + normal_quantile(level) * (2.0 / (9.0 * df)).sqrt();
        1.0 / (root * root * root).sqrt()
    })
}
