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
//! | are we behind? | [`Known::pacing`](crate::Known::pacing) |
//! | how much slips, and into which month? | [`FittedModel::slippage`](crate::FittedModel::slippage) |
//! | every month and the quarter? | [`FittedModel::joint_targets`](crate::FittedModel::joint_targets) |
//! | where do we stand, and what to do? | [`FittedModel::outlook`](crate::FittedModel::outlook) |
//! | what would have to change? | [`FittedModel::levers`](crate::FittedModel::levers) |

mod analysis;
mod asked;
mod bridge;
mod coverage;
mod display;
mod joint;
mod levers;
mod outlook;
mod pacing;
mod required;
mod roll_up;
mod scenario;
mod segments;
mod slippage;
mod summary;
mod swing;
mod target;

pub use analysis::GapAnalysis;
pub use bridge::Bridge;
pub(crate) use display::{Percent, read};
pub use joint::{BucketGoal, Estimated, JointTargets, OneTarget};
pub use levers::{Lever, LeverEffect, LeverTable};
pub use outlook::{Outlook, OutlookSummary, Status};
pub use pacing::{Pacing, PacingSummary, PastPace};
pub use required::{NewDeal, RequiredDeals, RequiredInStage, RequiredOn, RequiredPipeline};
pub use roll_up::{Category, CategoryLine, Converted, RollUp, RollUpSummary};
pub use scenario::{Scenario, WhatIf};
pub use segments::{Segment, SegmentDraws, SegmentName, SegmentSummary, Segments};
pub use slippage::{Slippage, SlippageScope, SlippedSoFar, Won};
pub use summary::GapSummary;
pub use swing::DealSwing;
pub use target::Target;
