//! From options to a fitted model: [`ForecastModel`] `--fit-->` [`FittedModel`], plain data that answers for any book.

mod assumed;
pub(crate) mod calibration;
mod combined;
mod fitted;
mod landing;
mod options;
mod parted;
mod period_forecast;
pub(crate) mod replay;
mod rolling;
mod signals;
mod stored;
mod under;
mod why;
mod workers;

pub use assumed::Timing;
pub use combined::{CombinedForecast, CombinedSummary, ProcessForecast};
pub use fitted::{DealChance, FittedModel, Split};
pub use options::{ForecastModel, Part};
pub(crate) use options::{LONGEST, within_reach};
pub(crate) use parted::{Cut, Parted};
pub(crate) use period_forecast::noise_floor;
pub use period_forecast::{Bucket, Evidence, PeriodForecast, Summary};
pub(crate) use under::{Levers, Newborn, Paced, Placed};
pub use why::{Factor, Reason, Why};
pub use workers::Workers;
