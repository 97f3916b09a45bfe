//! Rows of exports, as serde structs: the caller does the reading, a bad cell never loses a row inside the reader.
mod cell;
mod reading;
pub mod tidy;

pub use reading::{DateOrder, Reading};
