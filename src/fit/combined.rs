//! Several processes in one forecast: new business and renewals, each with a model and a book of its own.

use super::fitted::{FittedModel, Split};
use crate::deals::Snapshot;
use crate::forecast::{Forecast, ForecastOptions, Joint, WeightedForecast};
use crate::time::Period;
use crate::{Amount, Error, ErrorKind, Level, Probability, Result};
use chrono::NaiveDateTime;
use serde::Serialize;
use std::fmt;

/// The forecast of one of the processes.
#[derive(Clone, Debug)]
pub struct ProcessForecast {
    name: String,
    weighted: WeightedForecast,
    forecast: Forecast,
}

impl ProcessForecast {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Booked, open deals, new business.
    pub const fn weighted(&self) -> &WeightedForecast {
        &self.weighted
    }

    /// The distribution of its own bookings.
    pub const fn distribution(&self) -> &Forecast {
        &self.forecast
    }
}

/// The bookings of several processes in one period: one total, one state of the market.
///
/// # Meaning
/// Bookings add. The deals of all processes feel the same market, each as strongly as the past of its own process
/// showed; treating the processes as independent would make the sum look far too certain. See [`Joint`].
///
/// # Example: new business and renewals together
/// ```
/// use dealcast::{FittedModel, Period, Probability, SalesProcess, Snapshot, SnapshotRow, Timing, time::date};
/// use dealcast::fit::CombinedForecast;
/// let process = |stage: &str| SalesProcess::open([stage]);
/// let (selling, renewing) = (process("propose")?, process("due")?);
/// let model = |process, p| FittedModel::assumed(process, [Probability::new(p)?], Timing::ExpectedClose);
/// let (new, renewals) = (model(&selling, 0.25)?, model(&renewing, 0.9)?);
/// let deal = |stage: &str, amount| SnapshotRow {
///     deal_id: "a".into(),
///     stage: stage.into(),
///     amount: Some(amount),
///     expected_close: date(2026, 2, 10).ok(),
///     ..SnapshotRow::default()
/// };
/// let at = date(2026, 1, 5)?.into();
/// let opportunities = Snapshot::from_rows(&selling, at, [deal("propose", 1000.0)])?;
/// let contracts = Snapshot::from_rows(&renewing, at, [deal("due", 500.0)])?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let parts = [("new business", &new, &opportunities), ("renewals", &renewals, &contracts)];
/// let company = CombinedForecast::of(parts, &quarter)?;
/// assert_eq!(company.mean(), 250.0 + 450.0);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CombinedForecast {
    as_of: NaiveDateTime,
    period: Period,
    processes: Vec<ProcessForecast>,
    forecast: Forecast,
}

/// The figures of a process or of all, for a service or a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CombinedSummary {
    /// The name; `None` for all together.
    pub process: Option<String>,
    /// Won already.
    pub booked: f64,
    /// Expected from open deals.
    pub open: f64,
    /// Expected from deals not created yet.
    pub new_business: f64,
    /// Expected in all.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Quantiles by level, in the order asked for.
    pub quantiles: Vec<(Level, f64)>,
}

impl CombinedForecast {
    /// Of processes by name, each with its model and its book.
    ///
    /// # Errors
    /// Those of [`FittedModel::forecast`] for each, those of [`Joint::exact`], and [`OutOfRange`](ErrorKind::OutOfRange)
    /// where the books are not of one instant.
    pub fn of<'a>(
        processes: impl IntoIterator<Item = (&'a str, &'a FittedModel, &'a Snapshot)>,
        period: &Period,
    ) -> Result<Self> {
        let options = ForecastOptions::practical();
        let (mut totals, mut forecasts, mut as_of) = (Vec::new(), Vec::new(), None);
        for (name, model, book) in processes {
            let instant = *as_of.get_or_insert(book.as_of());
            if book.as_of() != instant {
                let error = Error::new(ErrorKind::OutOfRange, format!("books of one instant, {instant}"));
                return Err(error.field("as_of").found(book.as_of()));
            }
            let total = model.total(book, period, Split::Whole)?;
            let (weighted, forecast) = (total.weighted(), total.exact(&options)?);
            forecasts.push(ProcessForecast { name: name.to_owned(), weighted, forecast });
            totals.push(total);
        }
        let as_of = as_of.ok_or_else(|| Error::new(ErrorKind::Missing, "at least one process"))?;
        let joint = Joint::new(totals)?;
        Ok(Self { as_of, period: *period, processes: forecasts, forecast: joint.exact(&options)? })
    }

    /// When it was made.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// What it is for.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The processes, in the order given.
    pub fn processes(&self) -> &[ProcessForecast] {
        &self.processes
    }

    /// The distribution of the sum.
    pub const fn distribution(&self) -> &Forecast {
        &self.forecast
    }

    /// The expected sum: the means of the processes, added in their order.
    pub fn mean(&self) -> f64 {
        self.forecast.mean()
    }

    /// P(sum >= target): exactly 1 where the target is booked already.
    pub fn chance_of_hitting(&self, target: Amount) -> Probability {
        let booked: f64 = self.processes.iter().map(|process| process.weighted.booked()).sum();
        if target.get() <= booked { Probability::ONE } else { self.forecast.chance_of_hitting(target) }
    }

    /// The figures of every process, then of all together.
    pub fn summary(&self, levels: &[Level]) -> Vec<CombinedSummary> {
        let figures = |name: Option<&str>, [booked, open, new_business]: [f64; 3], forecast: &Forecast| {
            CombinedSummary {
                process: name.map(str::to_owned),
                booked,
                open,
                new_business,
                mean: forecast.mean(),
                sd: forecast.sd(),
                quantiles: levels.iter().map(|&level| (level, forecast.quantile(level))).collect(),
            }
        };
        let each = self.processes.iter().map(|p| figures(Some(&p.name), parts(&p.weighted), &p.forecast));
        each.chain([figures(None, self.all_parts(), &self.forecast)]).collect()
    }

    fn all_parts(&self) -> [f64; 3] {
        let each = self.processes.iter().map(|process| parts(&process.weighted));
        each.fold([0.0; 3], |sum, part| {
            std::array::from_fn(|i| sum.get(i).zip(part.get(i)).map_or(0.0, |(a, b)| a + b))
        })
    }
}

fn parts(weighted: &WeightedForecast) -> [f64; 3] {
    [weighted.booked(), weighted.open(), weighted.new_business()]
}

impl fmt::Display for CombinedForecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Forecast for {} as of {}", self.period, self.as_of.format("%Y-%m-%d %H:%M"))?;
        write!(f, "  {:<24} {:>8} {:>8} {:>8} {:>8}", "process", "booked", "open", "new", "mean")?;
        write!(f, "   80 % range")?;
        for process in &self.processes {
            let name = crate::error::shortened(&process.name, 23);
            line(f, &name, parts(&process.weighted), &process.forecast)?;
        }
        line(f, "all", self.all_parts(), &self.forecast)?;
        let spread: f64 = self.processes.iter().map(|p| p.forecast.sd() * p.forecast.sd()).sum();
        let [shared, alone] = [self.forecast.sd(), spread.sqrt()].map(read);
        write!(
            f,
            "\n  sd {shared} under one market; {alone} if the processes had nothing to do with each other"
        )
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, parts: [f64; 3], forecast: &Forecast) -> fmt::Result {
    let [booked, open, new] = parts.map(|x| read(x).to_string());
    let (low, high) = forecast.interval(Level::new(0.8).unwrap_or(Level::HALF));
    write!(f, "\n  {name:<24} {booked:>8} {open:>8} {new:>8} {:>8}", read(forecast.mean()).to_string())?;
    write!(f, "   {} to {}", read(low), read(high))
}

fn read(x: f64) -> Amount {
    Amount::new(x.max(0.0)).unwrap_or(Amount::ZERO)
}
