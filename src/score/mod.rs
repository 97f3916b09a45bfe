//! How good was the forecast? Proper scores of a distribution against what happened.
//!
//! A score is *proper* when nobody can improve it, on average, by saying anything but what they believe. That is why
//! a forecast is scored as a distribution and not as a single number.
//!
//! | question | ask |
//! |---|---|
//! | how far was the whole distribution from what happened? | [`Predictive::crps`], [`Samples::crps`] |
//! | and where only quantiles were stated? | [`Quantiles::pinball`], [`Quantiles::wis`] |
//! | did the 80 % intervals hold 80 % of the truths? | [`Coverage`], [`Interval::score`] |
//! | was the truth spread evenly over the stated chances? | [`Pit`], [`PitHistogram`] |
//! | were the win chances of single deals right? | [`brier`], [`log_loss`], [`Reliability`] |
//! | how far off was the single number? | [`PointScores`] |
//! | is forecaster A really better than B? | [`DieboldMariano`], [`Metric::skill`] |
//! | how wide must an interval be, from past errors alone? | [`Conformal`] |
//!
//! Each [`Metric`] knows its range, its direction and its optimum.

mod chance;
mod conformal;
mod count;
mod coverage;
mod diebold_mariano;
mod family;
mod interval;
mod metric;
mod pit;
mod point;
mod quantiles;
mod reliability;
mod samples;

pub use chance::{Claim, brier, log_loss};
pub use conformal::Conformal;
pub use coverage::{Coverage, CoverageBand};
pub use diebold_mariano::{Alternative, DieboldMariano, Kernel, PairedErrors, Power, Verdict};
pub use family::{Family, Predictive};
pub use interval::Interval;
pub use metric::{Direction, Metric, MetricRange, Versus};
pub use pit::{Pit, PitHistogram};
pub use point::{Forecasted, PointScores};
pub use quantiles::Quantiles;
pub use reliability::{Reliability, Step};
pub use samples::{SampleCrps, Samples};

use crate::{Error, ErrorKind, Result};

/// A caller's number that has to be finite.
fn given(field: &'static str, x: f64) -> Result<f64> {
    if x.is_finite() { Ok(x) } else { Err(Error::out_of_range(field, "a finite number", x)) }
}

/// A computed number that left the range of finite numbers is refused, never handed out.
fn computed(field: &'static str, x: f64) -> Result<f64> {
    if x.is_finite() { Ok(x) } else { Err(Error::new(ErrorKind::Overflow, "a finite score").field(field)) }
}

/// There must be something to score.
fn some_of<'a, T>(field: &'static str, items: &'a [T]) -> Result<&'a [T]> {
    if items.is_empty() {
        Err(Error::new(ErrorKind::Missing, "at least one value").field(field))
    } else {
        Ok(items)
    }
}
