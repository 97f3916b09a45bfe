//! The crate through its public API: one binary, a topic a file.

mod oracle;
mod oracles_parametric;
mod parametric;
