//! Facts, no estimates: visits, counts, findings.

pub(crate) mod ages;
pub(crate) mod classes;
pub(crate) mod counts;
pub(crate) mod past;
pub(crate) mod visits;

pub(crate) use past::{History, Past};
