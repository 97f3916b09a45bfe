//! How long deals stay: parametric laws of the time in a stage, fitted to stays that may still be open, seen late or
//! known only to lie between two snapshots.
//!
//! Every law here is a law of w = (ln t - mu) / sigma with one of four standard shapes (`shape`), so one likelihood
//! and one Newton iteration serve all of them.

mod bins;
mod family;
mod fit;
mod integral;
mod law;
mod likelihood;
mod many;
mod newton;
mod remaining;
mod shape;
mod stays;

pub(in crate::estimate) use integral::over_pieces;

pub use family::TimeFamily;
pub use fit::TimeFit;
pub use law::{TimeInStage, TimeLaw};
pub use remaining::RemainingTime;
pub use stays::{StayTable, TimesInStage};
