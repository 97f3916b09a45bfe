//! The gap to a goal: how likely the target is, and how much is missing.
//!
//! | question | answer |
//! |---|---|
//! | will we make it? | [`GapAnalysis::chance`] |
//! | how much is still to be won? | [`GapAnalysis::remaining`], [`GapAnalysis::attainment`] |
//! | how much will we miss by? | [`GapAnalysis::shortfall_mean`] and its siblings |
//! | is there enough in the pipeline? | [`GapAnalysis::pipeline_coverage`] |
//! | what if the biggest deal falls through? | [`GapAnalysis::lose_biggest_chance`] |
//! | and by region, owner, product? | [`Segments`] |
//! | what is a commit worth? | [`RollUp`] |
//! | why did the forecast move? | [`Bridge`] |

mod analysis;
mod asked;
mod bridge;
mod coverage;
mod display;
mod required;
mod roll_up;
mod scenario;
mod segments;
mod summary;
mod swing;
mod target;

pub use analysis::GapAnalysis;
pub use bridge::Bridge;
pub(crate) use display::{Percent, read};
pub use required::{NewDeal, RequiredDeals, RequiredInStage, RequiredOn, RequiredPipeline};
pub use roll_up::{Category, CategoryLine, Converted, RollUp, RollUpSummary};
pub use scenario::{Scenario, WhatIf};
pub use segments::{Segment, SegmentDraws, SegmentName, SegmentSummary, Segments};
pub use summary::GapSummary;
pub use swing::DealSwing;
pub use target::Target;
