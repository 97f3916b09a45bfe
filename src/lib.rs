//! An honest revenue forecast from a sales pipeline's history.

#![cfg_attr(test, allow(clippy::float_cmp, reason = "tests compare bits on purpose"))]

pub mod crm;
pub mod deals;
mod error;
pub mod estimate;
mod history;
mod model;
pub mod num;
pub mod score;
pub mod synthetic;
pub mod time;

pub use crm::tidy;
pub use deals::{Change, DealEvent, DealLog, Known, Mode, SalesProcess, Snapshot, SnapshotRow, Stage};
pub use error::{Error, ErrorKind, Result};
pub use num::{Amount, Level, Probability, Seed};
pub use time::{FiscalCalendar, Period};
