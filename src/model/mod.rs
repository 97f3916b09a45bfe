//! The deal process: hazards by age, effects in odds form, the backward chain, arrivals, new business.

pub(crate) mod arrivals;
pub(crate) mod attributes;
pub(crate) mod calendar;
pub(crate) mod chain;
pub(crate) mod exposure;
pub(crate) mod hazard;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod season;
mod semi_markov;
pub(crate) mod shrink;
mod snapshots;

pub use semi_markov::{Chances, Leaving, Move, SemiMarkov, Sojourn};
pub use snapshots::{CoarseStage, Reconstruction};
