//! Facts, no estimates: visits, counts, findings.
//!
//! | type | what it is |
//! |---|---|
//! | [`ConversionMatrix`] | how often deals went from each open stage straight to each other place |
//! | [`DataQuality`] | what in a log should be looked at before its forecast is believed |

pub(crate) mod ages;
pub(crate) mod classes;
mod conversion;
pub(crate) mod counts;
mod heaps;
pub(crate) mod lives;
pub(crate) mod past;
mod quality;
pub(crate) mod said;
mod stale;
pub(crate) mod visits;

pub use conversion::{ConversionMatrix, Next};
pub use heaps::Heap;
pub(crate) use past::{History, Past};
pub use quality::{Backdated, DataQuality, OverdueDeal};
pub use stale::{StaleDeal, StaleLimit};
