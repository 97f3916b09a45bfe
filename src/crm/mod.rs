//! Rows of exports, as serde structs: the caller does the reading, a bad cell never loses a row inside the reader.

pub mod tidy;
