//! How long deals stay in a stage, from snapshots alone: every stay ended between two of them.

use super::time_in_stage::{StayTable, TimeFamily, TimeFit, TimesInStage};
use super::turnbull::{Brackets, Turnbull};
use crate::Result;
use crate::deals::{Sighting, SnapshotSeries, Vanished};
use crate::history::lives::open_stage;
use crate::time::{DAY, seconds};

/// All stays in one stage that a series of snapshots shows, each with the shortest and the longest it can have been.
///
/// # Meaning
/// A stay seen in the snapshots at `s_a .. s_b` began in `(s_(a-1), s_a]` and ended in `(s_b, s_(b+1)]`; so it lasted more
/// than `s_b - s_a` and at most `s_(b+1) - s_(a-1)`. Dates in the rows (`entered`, `created`) narrow that down. A deal
/// that vanished ended its stay (lost) or is censored where it was last seen (removed), as the series says. Stays
/// that were there in the first snapshot without a date of entry are left out.
///
/// # Units
/// Days.
///
/// # Assumptions
/// The times of the snapshots have nothing to do with when deals move. Stays that began and ended between the same two
/// snapshots are never seen: where many are that short, the curve is too high.
/// [`reconstruct`](SnapshotSeries::reconstruct) allows for them and says where they matter.
///
/// # Example: three weekly exports
/// ```
/// use dealcast::deals::{SalesProcess, SnapshotRow, SnapshotSeries, Vanished};
/// use dealcast::time::date;
/// let row = |day, deal: &str| {
///     (date(2026, 3, day).unwrap().into(), SnapshotRow { deal_id: deal.into(), stage: "qualify".into(), ..SnapshotRow::default() })
/// };
/// let series = SnapshotSeries::from_rows(&SalesProcess::open(["qualify"])?, Vanished::Lost, [
///     row(2, "old"), row(9, "old"), row(9, "a"), row(16, "a"), row(16, "b"), row(23, "c"), row(30, "c"),
/// ])?;
/// let stays = series.stays("qualify")?;
/// assert_eq!((stays.n(), stays.n_entry_unknown()), (3, 1));
/// assert_eq!(stays.turnbull()?.survival(14.0).get(), 0.0); // none can have lasted longer than two weeks
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesStays {
    lower: Vec<f64>,
    /// Infinite where the end was not seen.
    upper: Vec<f64>,
    n_entry_unknown: usize,
}

impl SnapshotSeries {
    /// All stays in an open stage.
    ///
    /// # Errors
    /// [`UnknownStage`](crate::ErrorKind::UnknownStage) unless it is an open stage.
    pub fn stays(&self, stage: &str) -> Result<SeriesStays> {
        let stage = open_stage(self.process(), stage)?;
        let mut stays = SeriesStays { lower: Vec::new(), upper: Vec::new(), n_entry_unknown: 0 };
        for (_, track) in self.tracks() {
            for (place, stay) in runs(track) {
                if stay.first().is_some_and(|first| first.stage == stage) {
                    stays.add(self, track, (place, stay));
                }
            }
        }
        Ok(stays)
    }
}

/// The stays of a deal, each with its place among the sightings: one stage in consecutive snapshots.
fn runs(track: &[Sighting]) -> impl Iterator<Item = (usize, &[Sighting])> {
    let mut place = 0;
    track.chunk_by(|a, b| a.stage == b.stage && a.last + 1 == b.first).map(move |run| {
        place += run.len();
        (place - run.len(), run)
    })
}

/// The earliest and latest an instant can have been.
#[derive(Clone, Copy)]
struct Between {
    after: i64,
    by: i64,
}

impl SeriesStays {
    fn add(&mut self, series: &SnapshotSeries, track: &[Sighting], (place, stay): (usize, &[Sighting])) {
        let (Some(first), Some(last)) = (stay.first(), stay.last()) else { return };
        let at = |snapshot: usize| series.instants().get(snapshot).map(|&at| seconds(at));
        let Some(begun) = begun(first, place == 0, at) else {
            self.n_entry_unknown += 1;
            return;
        };
        let Some(seen) = at(last.last) else { return };
        let next = track.get(place + stay.len()).filter(|next| next.first == last.last + 1);
        let ended = match (next, at(last.last + 1)) {
            (Some(next), Some(by)) => {
                Some(exact(next).map_or(Between { after: seen, by }, |at| Between { after: at, by: at }))
            }
            (None, Some(by)) if series.vanished() == Vanished::Lost => Some(Between { after: seen, by }),
            _ => None,
        };
        let days = |seconds: i64| {
            let whole = i32::try_from(seconds.div_euclid(DAY)).unwrap_or(i32::MAX);
            let rest = i32::try_from(seconds.rem_euclid(DAY)).unwrap_or(0);
            f64::from(whole) + f64::from(rest) / 86_400.0
        };
        let lower = days(ended.map_or(seen, |ended| ended.after).saturating_sub(begun.by).max(0));
        self.lower.push(lower);
        self.upper.push(match ended {
            // A stay of no length ended within its first day.
            Some(ended) => {
                days(ended.by.saturating_sub(begun.after)).max(if lower > 0.0 { lower } else { 1.0 })
            }
            None => f64::INFINITY,
        });
    }

    /// Fits a curve that claims no more than the snapshots say.
    ///
    /// # Errors
    /// [`NoHistory`](crate::ErrorKind::NoHistory) without a stay.
    pub fn turnbull(&self) -> Result<Turnbull> {
        let upper: Vec<Option<f64>> =
            self.upper.iter().map(|&upper| upper.is_finite().then_some(upper)).collect();
        Ok(Turnbull::fit(&Brackets::new(&self.lower, &upper)?))
    }

    /// The law of a family that fits best.
    ///
    /// # Errors
    /// As [`TimesInStage::fit`]; [`NoHistory`](crate::ErrorKind::NoHistory) without a stay.
    pub fn fit(&self, family: TimeFamily) -> Result<TimeFit> {
        self.times()?.fit(family)
    }

    /// The family with the smallest AIC of all.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn best(&self) -> Result<TimeFit> {
        self.times()?.best(&TimeFamily::ALL)
    }

    fn times(&self) -> Result<TimesInStage> {
        let (lower, upper) = (&self.lower, &self.upper);
        TimesInStage::from_table(StayTable { lower, upper, entry: None, weight: None })
    }

    /// How many stays there are.
    pub const fn n(&self) -> usize {
        self.lower.len()
    }

    /// Stays that are left out because nothing says when they began.
    pub const fn n_entry_unknown(&self) -> usize {
        self.n_entry_unknown
    }
}

/// When a stay began; `None` where nothing says.
fn begun(first: &Sighting, is_new: bool, at: impl Fn(usize) -> Option<i64>) -> Option<Between> {
    if let Some(exact) = exact(first) {
        return Some(Between { after: exact, by: exact });
    }
    let by = at(first.first)?;
    let after = at(first.first.checked_sub(1)?)?;
    let created = first.row.created.filter(|_| is_new).map_or(after, seconds);
    Some(Between { after: created.clamp(after, by), by })
}

/// The date that a row gives for its stage, where it says that it is one of entry.
fn exact(sighting: &Sighting) -> Option<i64> {
    sighting.row.entered.filter(|_| !sighting.row.seen).map(seconds)
}
