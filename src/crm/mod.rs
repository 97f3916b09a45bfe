//! Rows of exports, as serde structs: the caller does the reading, a bad cell never loses a row inside the reader.
//!
//! | CRM | what it exports | way to a log | example of the repository |
//! |---|---|---|---|
//! | [`salesforce`] | opportunities, their history and field history, stages | [`Import`] | `salesforce_forecast` |
//! | [`hubspot`] | deals with the history of their properties, pipelines | [`Import`] | `hubspot_forecast` |
//! | [`pipedrive`] | deals and their changes, stages | [`Import`] | `pipedrive_forecast` |
//! | [`dynamics`] | nothing but what is true today, each time | [`Exports`], then [`reconstruct`](crate::SnapshotSeries::reconstruct) | `dynamics_snapshots` |
//! | any, or a spreadsheet | [`tidy`] rows of stage changes | [`DealLog::from_rows`](crate::DealLog::from_rows) | `stage_log_forecast` |
mod cell;
mod changes;
pub mod dynamics;
mod exports;
pub mod hubspot;
mod import;
pub mod pipedrive;
mod reading;
pub mod salesforce;
mod sighting;
mod stages;
pub mod tidy;

pub use exports::Exports;
pub use import::Import;
pub use reading::{DateOrder, Reading};
pub use stages::{StageDefinition, Stages};
