//! One binary for all tests of the public API: linking once is most of the time.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::float_cmp,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod deals;
mod nonparametric;
mod oracle;
mod oracles_nonparametric;
mod scores;
mod synthetic;
