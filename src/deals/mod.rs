//! What a CRM says, no statistics: the sales process, the log of what happened to each deal, what of it was known at an
//! instant, and the book of deals at that instant.
//!
//! | type | what it is |
//! |---|---|
//! | [`SalesProcess`] | the configured stages, each open, won or lost |
//! | [`DealEvent`] | one row: a deal, an instant, what changed |
//! | [`DealLog`] | all rows, checked, in one canonical order, with a [`Receipt`] of what was done with each |
//! | [`Known`] | the log as it was visible at an instant: nothing later can be reached through it |
//! | [`Rates`] | exchange rates by date, for logs in several currencies |
//! | [`Snapshot`] | the deals as recorded at one instant: open ones, won and lost ones |
//! | [`SnapshotSeries`] | several snapshots in a row, where the CRM keeps no history |
//! | [`Waterfall`] | why the pipeline changed from one instant to another |

mod book;
mod columns;
mod decimal;
mod event;
mod findings;
mod future;
mod known;
mod log;
mod names;
mod process;
mod rates;
mod receipt;
mod row;
mod rules;
mod series;
mod snapshot;
mod waterfall;

pub use book::Book;
pub use event::{Change, DealEvent, Mode};
pub(crate) use future::Future;
pub use known::{DealView, Deals, Known, State};
#[allow(unused_imports, reason = "what the rooms below read; not every build uses every word")]
pub(crate) use known::{Move, Position};
pub use log::DealLog;
pub(crate) use log::Offer;
pub(crate) use process::StageId;
pub use process::{SalesProcess, Stage, StageKind};
#[allow(unused_imports, reason = "what the readers of exports use")]
pub(crate) use rates::CURRENCY;
pub use rates::{RateUse, Rates, RatesUsed};
pub use receipt::{Finding, Receipt, Rejected};
pub(crate) use row::{Cell, Cells, Flag, Step, TEXT_LIMIT};
pub(crate) use series::Sighting;
pub use series::{SnapshotSeries, Vanished};
pub use snapshot::{ClosedDeal, OpenDeal, Snapshot, SnapshotRow};
pub use waterfall::{Bar, Waterfall};
