//! Estimators, one a file: each says what it assumes, how sure it is, and how many deals it has seen.
//!
//! Straight from a [`Known`](crate::Known) log, in the words of sales:
//!
//! | question | asked of `known` | type |
//! |---|---|---|
//! | of the deals that enter a stage, how many are ever won? | `win_rate`, `win_rates` | [`WinRate`], [`WinRates`] |
//! | which segment wins more, and how much of that is luck? | `win_rates_by` | [`SegmentWinRates`] |
//! | the win rates of dashboards, each under its own name | `closed_in`, `created_in`, `matured_in` | [`ClosedInPeriod`], [`CreatedCohort`], [`MaturedCohort`] |
//! | where do deals go next, and how sure is that? | `conversion` | [`ConversionMatrix`](crate::ConversionMatrix) |
//! | where do deals fall out? | `funnel`, `funnel_of` | [`Funnel`] |
//! | how long do deals stay, did it change, do segments differ? | `time_in_stage`, `time_in_stage_by` | [`StageTimes`] |
//!
//! From snapshots alone: `stays` and `reconstruct` of a [`SnapshotSeries`](crate::SnapshotSeries).

mod aalen_johansen;
mod amounts;
mod arrivals;
mod beta_binomial;
mod competing;
mod conversion_interval;
mod funnel;
mod kaplan_meier;
mod linear;
mod log_rank;
mod multi_state;
mod nelson_aalen;
mod observation;
mod period_win_rates;
mod piecewise_hazard;
mod proportion;
mod segment_win_rates;
mod series_stays;
mod stage_times;
mod stage_win_rates;
mod table;
mod time_in_stage;
mod turnbull;
mod win_rate;

pub use aalen_johansen::AalenJohansen;
pub use amounts::{SegmentAmount, TypicalAmounts};
pub use arrivals::{ArrivalFit, ArrivalRegression, CountFamily};
pub use beta_binomial::{BetaPrior, ShrunkRates};
pub use competing::{Competing, Exits};
pub use funnel::{Funnel, FunnelStep};
pub use kaplan_meier::{BandScale, KaplanMeier};
pub use log_rank::LogRank;
pub use multi_state::{Episode, MultiState, Occupancy, Transition};
pub use nelson_aalen::NelsonAalen;
pub use observation::{Durations, Spell};
pub use period_win_rates::{ClosedInPeriod, CreatedCohort, MaturedCohort};
pub use piecewise_hazard::{HazardBand, PiecewiseHazard};
pub use proportion::{Closed, Interval, ShareInterval};
pub use segment_win_rates::{SegmentWinRate, SegmentWinRates, Shrinkage};
pub use series_stays::SeriesStays;
pub use stage_times::StageTimes;
pub use stage_win_rates::{StageWinRate, WinRates};
pub use time_in_stage::{RemainingTime, StayTable, TimeFamily, TimeFit, TimeInStage, TimeLaw, TimesInStage};
pub use turnbull::{Brackets, Support, Turnbull};
pub use win_rate::WinRate;
