//! One estimator a file; each returns its uncertainty and the n it rests on.

mod amounts;
mod arrivals;
mod competing;
mod linear;
mod time_in_stage;

pub use amounts::{SegmentAmount, TypicalAmounts};
pub use arrivals::{ArrivalFit, ArrivalRegression, CountFamily};
pub use competing::{Competing, Exits};
pub use time_in_stage::{RemainingTime, StayTable, TimeFamily, TimeFit, TimeInStage, TimeLaw, TimesInStage};
