//! Visits: the uninterrupted stays of deals in stages, in civil days.

/// Where a visit ended. Open stages keep their index; won and lost follow them.
pub(crate) type Place = u8;

/// The visit has not ended as far as is known.
pub(crate) const STILL_OPEN: i32 = i32::MAX;

/// One uninterrupted stay of a deal in a stage.
///
/// Days are civil days since 1970-01-01. A stay in `won` is a visit too (it ends only where the deal is reopened),
/// so that what was booked at any past day can be read off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// Position of the deal in the canonical order of its log.
    pub deal: u32,
    /// Day it entered the stage.
    pub entered: i32,
    /// Day it left, [`STILL_OPEN`] while it has not.
    pub left: i32,
    /// The stage: open stages in process order, then won.
    pub stage: Place,
    /// Where it went; [`CENSORED`] while open and where the deal was taken out.
    pub to: Place,
    /// Whether the day of entry is known: a deal found in its stage entered it earlier, on an unknown day.
    pub entry_known: bool,
    /// Whether this visit is an arrival: the first of its deal, unless it was found there, or the first after it was
    /// reopened.
    pub arrival: bool,
}

/// The destination of a visit that has none.
pub(crate) const CENSORED: Place = u8::MAX;

impl Visit {
    /// Whether the deal stood in this stage at the start of a day.
    pub(crate) const fn stands_at(&self, day: i32) -> bool {
        self.entered < day && day <= self.left
    }
}
