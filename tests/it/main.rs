//! The crate through its public API: one binary, a topic a file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise, and check our functions with those of the standard library"
)]

mod oracle;
mod oracles_parametric;
mod parametric;
