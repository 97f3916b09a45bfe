//! Estimators, one a file: each says what it assumes, how sure it is, and how many deals it has seen.

mod aalen_johansen;
mod amounts;
mod arrivals;
mod beta_binomial;
mod competing;
mod kaplan_meier;
mod linear;
mod log_rank;
mod multi_state;
mod nelson_aalen;
mod observation;
mod piecewise_hazard;
mod proportion;
mod table;
mod time_in_stage;
mod turnbull;
mod win_rate;

pub use aalen_johansen::AalenJohansen;
pub use amounts::{SegmentAmount, TypicalAmounts};
pub use arrivals::{ArrivalFit, ArrivalRegression, CountFamily};
pub use beta_binomial::{BetaPrior, ShrunkRates};
pub use competing::{Competing, Exits};
pub use kaplan_meier::{BandScale, KaplanMeier};
pub use log_rank::LogRank;
pub use multi_state::{Episode, MultiState, Occupancy, Transition};
pub use nelson_aalen::NelsonAalen;
pub use observation::{Durations, Spell};
pub use piecewise_hazard::{HazardBand, PiecewiseHazard};
pub use proportion::{Closed, Interval, ShareInterval};
pub use time_in_stage::{RemainingTime, StayTable, TimeFamily, TimeFit, TimeInStage, TimeLaw, TimesInStage};
pub use turnbull::{Brackets, Support, Turnbull};
pub use win_rate::WinRate;
