//! An honest revenue forecast from a sales pipeline's history.

#![cfg_attr(test, allow(clippy::float_cmp, reason = "tests compare bits on purpose"))]

pub mod backtest;
pub mod crm;
pub mod deals;
mod error;
pub mod fit;
pub mod forecast;
pub mod gap;
pub mod history;
pub mod model;
pub mod num;
pub mod score;
pub mod synthetic;
pub mod time;

pub use crm::tidy;
pub use deals::{Change, DealEvent, DealLog, Known, Mode, SalesProcess, Snapshot, SnapshotRow, Stage};
pub use error::{Error, ErrorKind, Result};
pub use fit::{FittedModel, ForecastModel, PeriodForecast, Split, Timing};
pub use forecast::{Forecast, ForecastOptions, SimulationOptions, WeightedForecast};
pub use gap::{GapAnalysis, Target};
pub use history::{ConversionMatrix, DataQuality};
pub use num::{Amount, Level, Probability, Seed};
pub use time::{FiscalCalendar, Period};
