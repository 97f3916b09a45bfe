//! One binary for all tests of the public API: linking once is most of the time.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::float_cmp,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod backtest;
mod crm;
mod deals;
mod driver;
mod dynamics;
mod fit;
mod gap;
mod gap_groups;
mod gap_questions;
mod gap_shock;
mod history;
mod hubspot;
mod joint;
mod nonparametric;
mod oracle;
mod oracles;
mod oracles_nonparametric;
mod oracles_parametric;
mod parametric;
mod parts;
mod pipedrive;
#[cfg(feature = "plot")]
mod plot;
mod promises;
mod proof;
mod report;
mod salesforce;
mod scores;
mod semi_markov;
mod series;
mod snapshots;
mod synthetic;
mod total;
mod waterfall;
