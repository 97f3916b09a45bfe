//! Rolling-origin backtests: how good the forecast would have been, from what was known at each origin.
//!
//! | type | what it is |
//! |---|---|
//! | [`RollingOrigin`] | the origins and windows, as data |
//! | [`Forecaster`] | who is tested; gets nothing but [`Known`](crate::Known) |
//! | [`Backtest`] | a log and a plan; [`run`](Backtest::run) scores a forecaster |
//! | [`AccuracyReport`] | every origin and the summary |
//!
//! What comes out for the default model, beside others and where the truth is known: [`how_good`].

#[doc = include_str!("how_good.md")]
pub mod how_good {}

mod audit;
mod baseline;
mod chances;
mod charts;
mod comparison;
mod display;
mod forecaster;
mod origins;
mod past_windows;
mod report;
mod run;
mod scored;
mod stored;
mod truth;

pub use crate::fit::Workers;
pub use audit::{Audit, ChangedFuture, Leak};
pub use baseline::Baseline;
pub use chances::{ChanceAccuracy, ChanceStep};
pub use charts::{ChartMeasure, ChartPoint, Charts};
pub use comparison::Comparison;
pub use forecaster::{Fold, Forecaster, Prediction};
pub use origins::RollingOrigin;
pub use past_windows::PastWindows;
pub use report::{AccuracyReport, HorizonAccuracy, OriginScore};
pub use run::Backtest;
pub use scored::{AccuracySummary, HeldShare, Scored};
