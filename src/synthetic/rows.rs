//! From lives to the rows of an export: what reps said on the way, and what went wrong in writing it down.

use super::deal::{Life, ROWS, SAID, Step};
use super::truth::{Destination, Dirt, Signals, Truth};
use crate::crm::tidy::StageRow;
use crate::deals::{Change, DealEvent};
use crate::num::rng::Stream;
use crate::num::{Probability, Seed, count};
use crate::time::{DAY, civil, civil_date, civil_day};

/// Writes the rows of deals.
pub(super) struct Scribe<'t> {
    pub(super) truth: &'t Truth,
    pub(super) seed: Seed,
    pub(super) until: i64,
}

/// What the rep says at one move: the day of closing, and whether it is called likely.
struct Said {
    close_day: i32,
    commit: bool,
}

impl Scribe<'_> {
    /// Appends the rows of a deal that happen before the end of the history.
    pub(super) fn write(&self, number: u64, life: &Life, rows: &mut Vec<DealEvent>) {
        let id = format!("D-{:07}", number + 1);
        let mut says = Stream::new(self.seed, number, SAID);
        let mut dirt = Stream::new(self.seed, number, ROWS);
        for (i, step) in life.steps.iter().enumerate().filter(|(_, step)| step.at < self.until) {
            let mut row = DealEvent {
                deal: id.clone(),
                at: civil(step.at),
                changes: Vec::with_capacity(5),
                recorded_at: None,
                sequence: i64::try_from(i).ok(),
            };
            row.changes.push(Change::Entered(self.name(step.to).to_owned()));
            row.changes.push(Change::Amount(Some(life.amount)));
            if let (0, Some(segment)) = (i, self.truth.segments.get(life.segment)) {
                row.changes.push(Change::Attribute { name: "segment".into(), value: segment.name.clone() });
            }
            if let Some(said) = self.said(*step, life, &mut says) {
                row.changes.push(Change::ExpectedClose(Some(civil_date(said.close_day))));
                row.changes.push(Change::Category(if said.commit { "commit" } else { "pipeline" }.into()));
            }
            self.soil(row, &mut dirt, rows);
        }
    }

    fn name(&self, to: Destination) -> &str {
        match to {
            Destination::Stage(at) => self.truth.stages.get(at).map_or("", |stage| &stage.name),
            Destination::Won => "won",
            Destination::Lost => "lost",
        }
    }

    fn said(&self, step: Step, life: &Life, stream: &mut Stream) -> Option<Said> {
        if !matches!(step.to, Destination::Stage(_)) {
            return None;
        }
        let soon =
            |stream: &mut Stream| civil_day(step.at).saturating_add(whole(120.0 * stream.exponential()));
        match self.truth.signals {
            Signals::None => None,
            Signals::Noise => Some(Said { close_day: soon(stream), commit: stream.uniform() < 0.5 }),
            Signals::Informative { error_days, mistaken } => {
                let won = life.steps.last().filter(|last| last.to == Destination::Won);
                // Both draws are made for every deal, so that none betrays its end by the length of its stream.
                let (made_up, error) = (soon(stream), whole(error_days * stream.normal()));
                let close_day = won.map_or(made_up, |last| civil_day(last.at).saturating_add(error));
                let right = stream.uniform() >= mistaken.get();
                Some(Said { close_day: close_day.max(civil_day(step.at)), commit: won.is_some() == right })
            }
        }
    }

    /// The row as the export has it: perhaps with a bad amount, recorded late, or twice.
    fn soil(&self, mut row: DealEvent, stream: &mut Stream, rows: &mut Vec<DealEvent>) {
        let Dirt { bad_amounts, duplicates, late, .. } = self.truth.dirt;
        if self.truth.dirt == Dirt::NONE {
            rows.push(row);
            return;
        }
        let mut happens = |chance: Probability| stream.uniform() < chance.get();
        let (bad, twice, delayed) = (happens(bad_amounts), happens(duplicates), happens(late));
        if bad {
            row.changes.iter_mut().for_each(|change| {
                if let Change::Amount(amount) = change {
                    *amount = amount.map(|a| -a);
                }
            });
        }
        if delayed {
            let delay = 10.0 * count(usize::try_from(DAY).unwrap_or(0)) * stream.uniform();
            let at = row.at.and_utc().timestamp().saturating_add(i64::from(whole(delay)));
            row.recorded_at = Some(civil(at.min(self.until)));
        }
        if twice {
            rows.push(row.clone());
        }
        rows.push(row);
    }
}

/// A row as a tidy table has it.
pub(super) fn tidy(row: DealEvent) -> StageRow {
    let mut cells = StageRow {
        deal_id: Some(row.deal),
        entered_at: Some(row.at.to_string()),
        recorded_at: row.recorded_at.map(|at| at.to_string()),
        sequence: row.sequence.map(|n| n.to_string()),
        ..StageRow::default()
    };
    for change in row.changes {
        match change {
            Change::Entered(stage) => cells.stage = Some(stage),
            Change::Amount(amount) => cells.amount = amount.map(|a| a.to_string()),
            Change::ExpectedClose(day) => cells.expected_close = day.map(|d| d.to_string()),
            Change::Category(word) => cells.category = Some(word),
            // Attributes are no column of this table; a company says nothing else.
            _ => {}
        }
    }
    cells
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a saturating cast; a day beyond the calendar is its last"
)]
fn whole(x: f64) -> i32 {
    x.round() as i32
}
