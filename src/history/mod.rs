//! Facts, no estimates: visits, counts, findings.

pub(crate) mod ages;
pub(crate) mod counts;
pub(crate) mod visits;
