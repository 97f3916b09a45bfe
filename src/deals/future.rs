//! The same past with another future, to see whether an answer knows more than it should.

use super::log::DealLog;
use super::process::{StageId, StageKind};
use super::row::{Draft, Row, speaks};
use super::{Mode, SalesProcess};
use crate::Result;
use crate::time::seconds;
use chrono::NaiveDateTime;

/// What happens to the rows that were not known at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Future {
    /// They are not there.
    Removed,
    /// Wins become losses and losses wins, and amounts three times as large and one more.
    Turned,
}

impl DealLog {
    /// The log with another future after an instant; everything known before it stays.
    pub(crate) fn with_future(&self, after: NaiveDateTime, future: Future) -> Result<Self> {
        let until = seconds(after);
        let mut draft = Draft::new(&self.process, Mode::Collect, self.receipt().clone());
        self.columns.refill(&mut draft)?;
        let known = |row: &Row| row.at < until && row.known < until;
        match future {
            Future::Removed => draft.rows.retain(known),
            Future::Turned => {
                draft.rows.iter_mut().filter(|row| !known(row)).for_each(|row| turn(row, &self.process));
            }
        }
        let mut log = self.clone();
        (log.columns, _) = draft.finish();
        Ok(log)
    }
}

fn turn(row: &mut Row, process: &SalesProcess) {
    let opposite = match process.kind(row.step.stage) {
        StageKind::Open => None,
        StageKind::Won => first(process, StageKind::Lost),
        StageKind::Lost => first(process, StageKind::Won),
    };
    row.step.stage = opposite.unwrap_or(row.step.stage);
    let larger = 3.0 * row.amount + 1.0;
    if speaks(row.amount) && row.amount >= 0.0 && larger.is_finite() {
        row.amount = larger;
    }
}

fn first(process: &SalesProcess, kind: StageKind) -> Option<StageId> {
    (0..=u8::MAX).map(StageId).take(process.stages().len()).find(|&stage| process.kind(stage) == kind)
}
