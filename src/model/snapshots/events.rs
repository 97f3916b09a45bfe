//! Writing down what snapshots show, as rows of a log.

use crate::Result;
use crate::deals::{
    Change, DealEvent, DealLog, Finding, Sighting, SnapshotRow, SnapshotSeries, StageId, StageKind,
};
use crate::time::{DAY, civil, seconds};

/// The rows of all deals, from snapshot to snapshot.
pub(super) struct Scribe<'s> {
    series: &'s SnapshotSeries,
    events: Vec<DealEvent>,
    n_between: u64,
    n_spread: u32,
    /// The instant of the snapshot before, and the last second before the present one.
    span: (i64, i64),
}

/// What is to be written of one deal.
pub(super) struct Pen<'s> {
    id: &'s str,
    /// When its last move was.
    last_at: i64,
    is_new: bool,
    /// What its row says and has not been written yet.
    facts: Vec<Change>,
}

impl<'s> Pen<'s> {
    pub(super) const fn new(id: &'s str) -> Self {
        Self { id, last_at: i64::MIN, is_new: true, facts: Vec::new() }
    }

    /// What a row says that the one before did not.
    pub(super) fn note(&mut self, before: Option<&Sighting>, now: &Sighting) {
        self.facts = changes(before.map(|sighting| &sighting.row), &now.row);
    }
}

impl<'s> Scribe<'s> {
    pub(super) const fn new(series: &'s SnapshotSeries) -> Self {
        Self { series, events: Vec::new(), n_between: 0, n_spread: 0, span: (i64::MIN, i64::MIN) }
    }

    /// Turns to a snapshot.
    pub(super) fn turn_to(&mut self, now: usize) {
        let at = |snapshot: usize| self.series.instants().get(snapshot).map(|&at| seconds(at));
        let before = now.checked_sub(1).and_then(at).unwrap_or(i64::MIN);
        self.span = (before, at(now).unwrap_or(i64::MIN).saturating_sub(1));
    }

    /// Numbers in 0..1 that fill it evenly from the first on: multiples of the golden ratio.
    pub(super) fn spread(&mut self) -> f64 {
        self.n_spread = self.n_spread.wrapping_add(2_654_435_769);
        (f64::from(self.n_spread) + 0.5) / 4_294_967_296.0
    }

    /// It entered a stage at this instant, as far as one can be believed that is not after the snapshot.
    pub(super) fn entered(&mut self, pen: &mut Pen<'s>, stage: StageId, at: i64) {
        let change = Change::Entered(self.series.process().name(stage).to_owned());
        self.write(pen, at, Some(change));
    }

    /// It was found in a stage.
    pub(super) fn found(&mut self, pen: &mut Pen<'s>, stage: StageId) {
        let change = Change::Seen(self.series.process().name(stage).to_owned());
        self.write(pen, self.span.1, Some(change));
    }

    /// It went out of sight after the snapshot before.
    pub(super) fn removed(&mut self, pen: &mut Pen<'s>) {
        self.write(pen, self.span.0, Some(Change::Removed));
    }

    /// Its moves between the two snapshots, on these days.
    pub(super) fn between(&mut self, pen: &mut Pen<'s>, moves: &[(i32, StageId)]) {
        let facts = std::mem::take(&mut pen.facts);
        // A new deal has what it was created with; of others the last move shows what changed.
        let carries = if pen.is_new { 0 } else { moves.len().saturating_sub(1) };
        let mut facts = Some(facts);
        for (i, &(day, stage)) in moves.iter().enumerate() {
            if i == carries {
                pen.facts = facts.take().unwrap_or_default();
            }
            let seconds_later = |n: usize| i64::try_from(n).unwrap_or(0);
            let noon = i64::from(day).saturating_mul(DAY).saturating_add(DAY / 2 + seconds_later(i));
            let latest = self.span.1.saturating_sub(seconds_later(moves.len() - 1 - i));
            self.entered(pen, stage, noon.min(latest).max(self.span.0));
            self.n_between += 1;
        }
    }

    /// What is left to say of a deal that has not moved.
    pub(super) fn rest(&mut self, pen: &mut Pen<'s>) {
        if !pen.facts.is_empty() {
            let last_at = pen.last_at;
            self.write(pen, self.span.1, None);
            pen.last_at = last_at;
        }
    }

    fn write(&mut self, pen: &mut Pen<'s>, at: i64, change: Option<Change>) {
        let at = at.max(pen.last_at.saturating_add(1)).min(self.span.1);
        let mut changes = std::mem::take(&mut pen.facts);
        changes.extend(change);
        let recorded_at = (at < self.span.1).then(|| civil(self.span.1));
        self.events.push(DealEvent {
            deal: pen.id.to_owned(),
            at: civil(at),
            changes,
            recorded_at,
            sequence: None,
        });
        (pen.last_at, pen.is_new) = (at, false);
    }

    pub(super) fn finish(self) -> Result<DealLog> {
        let log = DealLog::from_events(self.series.process(), &self.events)?;
        Ok(log.noting(Finding::BetweenSnapshots, self.n_between))
    }

    /// The first stage of a kind.
    pub(super) fn first(&self, kind: StageKind) -> Option<StageId> {
        let place = self.series.process().stages().iter().position(|stage| stage.kind() == kind)?;
        u8::try_from(place).ok().map(StageId)
    }
}

/// What a row says that the one before did not.
fn changes(before: Option<&SnapshotRow>, now: &SnapshotRow) -> Vec<Change> {
    let mut changes = Vec::new();
    if before.map_or(now.amount.is_some(), |before| before.amount != now.amount) {
        changes.push(Change::Amount(now.amount));
    }
    if before.map_or(now.expected_close.is_some(), |before| before.expected_close != now.expected_close) {
        changes.push(Change::ExpectedClose(now.expected_close));
    }
    if let Some(category) = &now.category
        && before.is_none_or(|before| before.category.as_ref() != Some(category))
    {
        changes.push(Change::Category(category.clone()));
    }
    for (name, value) in &now.attributes {
        if before.is_none_or(|before| before.attributes.get(name) != Some(value)) {
            changes.push(Change::Attribute { name: name.clone(), value: value.clone() });
        }
    }
    changes
}
