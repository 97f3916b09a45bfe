//! Rolling-origin backtests: how good the forecast would have been, from what was known at each origin.
//!
//! | type | what it is |
//! |---|---|
//! | [`RollingOrigin`] | the origins and windows, as data |
//! | [`Forecaster`] | who is tested; gets nothing but [`Known`](crate::Known) |
//! | [`Backtest`] | a log and a plan; [`run`](Backtest::run) scores a forecaster |
//! | [`AccuracyReport`] | every origin and the summary |

mod baseline;
mod forecaster;
mod origins;
mod report;
mod run;
mod truth;

pub use baseline::PastWindows;
pub use forecaster::{Fold, Forecaster, Prediction};
pub use origins::RollingOrigin;
pub use report::{AccuracyReport, AccuracySummary, OriginScore, Scored};
pub use run::Backtest;
