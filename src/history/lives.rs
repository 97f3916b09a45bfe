//! Lives: the way of each deal from its arrival to its end, in civil days.

use crate::deals::{DealView, Flag, Known, SalesProcess, StageId, StageKind};
use crate::time::civil_day;
use crate::{Error, ErrorKind, Result};

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Won,
    Lost,
    /// Taken out of the pipeline: no outcome is known.
    Removed,
}

/// A move into an open stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub day: i32,
    pub stage: StageId,
    /// Whether it was seen entering, not only found there.
    pub entry_known: bool,
}

/// A deal from its arrival to its end. A reopened or restored deal begins another life: won and lost absorb. Where an
/// outcome is corrected without the deal being reopened, the last one counts.
#[derive(Clone, Debug)]
pub(crate) struct Life<'a> {
    pub deal: DealView<'a>,
    /// The day on which it was first seen.
    pub began: i32,
    /// Its open stages in the order in which it came to them; none where it was created closed.
    pub stages: Vec<Arrived>,
    pub end: Option<(i32, End)>,
}

impl Life<'_> {
    /// When it first came to a stage.
    pub(crate) fn first_entry(&self, stage: StageId) -> Option<Arrived> {
        self.stages.iter().copied().find(|arrived| arrived.stage == stage)
    }

    /// The value of an attribute it was created with.
    pub(crate) fn born_with(&self, name: &str) -> Option<&str> {
        self.deal.born_with().filter(|&(tag, _)| tag == name).last().map(|(_, value)| value)
    }
}

/// Every life that is known, in the order of deals and of time; one pass.
pub(crate) fn lives<'a>(known: &Known<'a>, mut visit: impl FnMut(&Life<'a>)) {
    let process = known.process();
    for deal in known.deals() {
        let mut life: Option<Life<'a>> = None;
        for moved in deal.moves() {
            let day = civil_day(moved.at);
            let kind = match moved.step.flag {
                Flag::Created | Flag::None => continue,
                Flag::Removed => None,
                Flag::Entered | Flag::Seen => Some(process.kind(moved.step.stage)),
            };
            if kind == Some(StageKind::Open)
                && let Some(over) = life.take_if(|life| life.end.is_some())
            {
                visit(&over);
            }
            let now = life.get_or_insert_with(|| Life {
                deal: deal.clone(),
                began: day,
                stages: Vec::new(),
                end: None,
            });
            match kind {
                Some(StageKind::Open) => {
                    let stage = moved.step.stage;
                    if now.stages.last().is_none_or(|last| last.stage != stage) {
                        let entry_known = moved.step.flag == Flag::Entered;
                        now.stages.push(Arrived { day, stage, entry_known });
                    }
                }
                Some(closed) => {
                    let end = if closed == StageKind::Won { End::Won } else { End::Lost };
                    if now.end.is_none_or(|(_, was)| was != end) {
                        now.end = Some((day, end));
                    }
                }
                None => now.end = now.end.or(Some((day, End::Removed))),
            }
        }
        life.iter().for_each(&mut visit);
    }
}

/// The open stage of this name.
pub(crate) fn open_stage(process: &SalesProcess, name: &str) -> Result<StageId> {
    let stage = process.find(name)?;
    if process.kind(stage) == StageKind::Open {
        return Ok(stage);
    }
    Err(Error::new(ErrorKind::UnknownStage, "an open stage of the process").field("stage").found(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deals::{Change, DealEvent, DealLog};
    use crate::time::date;

    #[test]
    fn reopened_deals_live_again_and_corrections_count_last() {
        let process = SalesProcess::open(["a", "b"]).unwrap();
        let row = |deal: &str, day, change| DealEvent::new(deal, date(2026, 3, day).unwrap(), change);
        let to = |stage: &str| Change::Entered(stage.into());
        let rows = [
            row("x", 1, to("a")),
            row("x", 2, to("a")),
            row("x", 3, to("lost")),
            row("x", 5, to("b")),
            row("x", 6, to("won")),
            row("y", 1, to("won")),
            row("y", 4, to("lost")),
            row("z", 1, Change::Seen("b".into())),
            row("z", 9, Change::Removed),
        ];
        let log = DealLog::from_events(&process, rows).unwrap();
        let mut found = Vec::new();
        let start = civil_day(crate::time::seconds(date(2026, 3, 1).unwrap().into()));
        lives(&log.as_of(date(2026, 4, 1).unwrap()), |life| {
            let end = life.end.map(|(day, end)| (day - start + 1, end));
            found.push((life.deal.id().to_owned(), life.began - start + 1, life.stages.len(), end));
        });
        let expected = [
            ("x", 1, 1, Some((3, End::Lost))),
            ("x", 5, 1, Some((6, End::Won))),
            ("y", 1, 0, Some((4, End::Lost))),
            ("z", 1, 1, Some((9, End::Removed))),
        ];
        assert_eq!(found, expected.map(|(id, began, n, end)| (id.to_owned(), began, n, end)));
    }
}
