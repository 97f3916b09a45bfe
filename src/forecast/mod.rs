//! The period's total: from chances and amounts to the whole distribution.
//!
//! Given the state of the market, one number z shared by all, deals are won independently of each other; what is
//! already booked is certain, and deals not yet created arrive as a compound count. Three engines answer from the
//! same [`Total`], and their means are equal by construction:
//!
//! * [`Total::weighted`]: closed form, booked + sum of amount x chance + expected new business;
//! * [`Total::exact`]: the whole distribution without noise, with its error bound;
//! * [`Total::simulate`]: scenarios by bucket, for questions about the path.
//!
//! # Example: what is the chance of 100 k with three open deals?
//! ```
//! use dealcast::{Amount, Probability};
//! use dealcast::forecast::{ForecastOptions, Total};
//! let deal = |p, amount| Ok::<_, dealcast::Error>((Probability::new(p)?, Amount::new(amount)?));
//! let total = Total::new(Amount::new(40e3)?, [deal(0.5, 60e3)?, deal(0.25, 60e3)?, deal(0.1, 30e3)?])?;
//! let forecast = total.exact(&ForecastOptions::default())?;
//! assert!((forecast.chance_of_hitting(Amount::new(100e3)?).get() - 0.625).abs() < 1e-12);
//! assert_eq!(forecast.mean(), total.weighted().total());
//! # Ok::<(), dealcast::Error>(())
//! ```

mod alias;
mod answer;
mod atoms;
mod decide;
mod exact;
mod fourier;
mod further;
mod joint;
mod knots;
mod lattice;
mod left_out;
mod new_business;
mod options;
mod parts;
mod profile;
mod series;
mod shock;
mod simulate;
mod total;
mod transform;
mod weighted;

pub use answer::{ErrorBound, Forecast};
pub(crate) use exact::Solved;
pub(crate) use further::{Enough, Goal};
pub use joint::Joint;
pub use new_business::NewBusiness;
pub(crate) use options::Watcher;
pub use options::{Bytes, ForecastOptions, Progress, SimulationOptions};
pub(crate) use parts::Parts;
pub use shock::Shock;
pub(crate) use shock::ShockNode;
pub use simulate::Simulation;
pub use total::Total;
pub use weighted::WeightedForecast;

/// A whole number >= 0 as an index: cut at 0 and at the largest index, NaN is 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a saturating cast, as said")]
pub(crate) const fn index(x: f64) -> usize {
    x as usize
}
