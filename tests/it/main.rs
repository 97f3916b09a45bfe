//! One binary for all tests of the public API: linking once is most of the time.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_cmp,
    reason = "a test says what it expects; a skipped one says so"
)]

mod deals;
mod driver;
mod history;
