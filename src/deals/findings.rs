//! What a log contains that a reader should know: contradictions between rows are counted, never repaired.

use super::columns::Columns;
use super::process::{SalesProcess, StageId, StageKind};
use super::receipt::{Finding, Findings};
use super::row::{Flag, Step};
use crate::error::is_invisible;
use crate::time::civil_day;

pub(super) fn of(columns: &Columns, process: &SalesProcess) -> Findings {
    let mut findings = Findings::default();
    let mut deal = Walk::default();
    let mut ends = columns.ends.iter();
    let mut end = ends.next();
    for (row, ((&at, &step), &amount)) in
        (0u32..).zip(columns.at.iter().zip(&columns.step).zip(&columns.amount))
    {
        while end.is_some_and(|&end| end <= row) {
            deal.finish(&mut findings);
            end = ends.next();
        }
        deal.row(&Fact { at, step, amount }, process, &mut findings);
    }
    if !columns.at.is_empty() {
        deal.finish(&mut findings);
    }
    for (known, at) in columns.known.iter().zip(&columns.at) {
        findings.add_if(known > at, Finding::RecordedLate);
    }
    for id in columns.ids.iter() {
        findings.add_if(odd(id), Finding::OddId);
    }
    findings
}

struct Fact {
    at: i64,
    step: Step,
    amount: f64,
}

/// Where a deal stands while its rows are walked through.
#[derive(Default)]
struct Walk {
    place: Place,
    created: Option<i64>,
    moved_at: Option<i64>,
    priced: Option<(i64, f64)>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    #[default]
    Nowhere,
    In(StageId),
    Removed,
}

impl Walk {
    fn row(&mut self, fact: &Fact, process: &SalesProcess, findings: &mut Findings) {
        if fact.amount >= 0.0 {
            findings.add_if(fact.amount == 0.0, Finding::ZeroAmount);
            let conflict = self
                .priced
                .is_some_and(|(at, amount)| at == fact.at && amount.total_cmp(&fact.amount).is_ne());
            findings.add_if(conflict, Finding::ConflictingAmounts);
            self.priced = Some((fact.at, fact.amount));
        }
        match fact.step.flag {
            Flag::None => return,
            Flag::Created => {
                self.created.get_or_insert(fact.at);
                return;
            }
            Flag::Entered | Flag::Seen | Flag::Removed => {}
        }
        findings.add_if(self.moved_at == Some(fact.at), Finding::SameInstantMoves);
        self.moved_at = Some(fact.at);
        if fact.step.flag == Flag::Removed {
            findings.add(Finding::Removed);
            if self.place != Place::Nowhere {
                self.place = Place::Removed;
            }
            return;
        }
        match self.place {
            Place::Nowhere => {
                let late = self.created.is_some_and(|at| civil_day(at) < civil_day(fact.at));
                findings.add_if(fact.step.flag == Flag::Seen || late, Finding::SeenFirst);
                findings.add_if(process.kind(fact.step.stage) != StageKind::Open, Finding::CreatedClosed);
            }
            Place::Removed => findings.add(Finding::Restored),
            Place::In(from) => {
                if let Some(finding) = between(from, fact.step.stage, process) {
                    findings.add(finding);
                }
            }
        }
        self.place = Place::In(fact.step.stage);
    }

    fn finish(&mut self, findings: &mut Findings) {
        let walked = std::mem::take(self);
        findings.add_if(walked.place == Place::Nowhere, Finding::NeverPlaced);
        findings.add_if(walked.place != Place::Nowhere && walked.priced.is_none(), Finding::MissingAmount);
    }
}

/// What a move from one stage to another shows.
fn between(from: StageId, to: StageId, process: &SalesProcess) -> Option<Finding> {
    let n_open = process.open_stages().len();
    match (process.kind(from), process.kind(to)) {
        _ if from == to => Some(Finding::RepeatedStage),
        (StageKind::Open, StageKind::Open) if to < from => Some(Finding::MovedBack),
        (StageKind::Open, StageKind::Open) => {
            (to.index() > from.index() + 1).then_some(Finding::SkippedStage)
        }
        (StageKind::Open, StageKind::Won) => (from.index() + 1 < n_open).then_some(Finding::SkippedStage),
        (StageKind::Open, StageKind::Lost) => None,
        (_, StageKind::Open) => Some(Finding::Reopened),
        (was, is) => (was != is).then_some(Finding::ChangedOutcome),
    }
}

/// Outer white space, control characters, or characters without a width of their own.
fn odd(id: &str) -> bool {
    // Nearly every id is plain printable ASCII.
    let plain = id.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let outer = id.starts_with(' ') || id.ends_with(' ');
    let invisible = |c: char| c.is_control() || is_invisible(c);
    outer || !plain && (id.trim() != id || id.chars().any(invisible))
}
