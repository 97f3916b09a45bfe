//! Laws, golden numbers and hostile inputs, over the public API.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::float_cmp,
    clippy::disallowed_methods,
    reason = "tests may"
)]

mod oracle;
mod total;
