//! Rows of exports, as serde structs: the caller does the reading, a bad cell never loses a row inside the reader.
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
