//! Baselines that multiply open amounts by a percentage of their stage.

use crate::backtest::truth::{Actual, Wins};
use crate::deals::{Known, Snapshot};
use crate::history::History;
use crate::history::visits::{CENSORED, STILL_OPEN, Visit};
use crate::num::sum::sum;
use crate::time::{civil_date, day_number};
use crate::{Amount, Probability};

/// The CRM's percentages on the deals expected to close in the window.
pub(super) fn crm(
    known: &Known<'_>,
    percentages: &[Probability],
    (day, horizon): (i32, i32),
) -> Option<Actual> {
    let book = known.as_of(civil_date(day)).snapshot();
    if book.n_open() + book.won().len() + book.lost().len() == 0 {
        return None;
    }
    let chances = crm_of(&book, percentages, (day, horizon));
    let deals = || book.open().iter().zip(&chances);
    let money = deals().map(|(deal, chance)| deal.amount().map_or(0.0, Amount::get) * chance.get());
    Some(Actual { money: sum(money), deals: sum(chances.iter().map(|chance| chance.get())) })
}

/// The same by deal.
pub(super) fn crm_chances(
    known: &Known<'_>,
    percentages: &[Probability],
    window: (i32, i32),
) -> Vec<(String, Probability)> {
    let book = known.snapshot();
    let chances = crm_of(&book, percentages, window);
    book.open().iter().map(|deal| deal.id().to_owned()).zip(chances).collect()
}

fn crm_of(book: &Snapshot, percentages: &[Probability], (day, horizon): (i32, i32)) -> Vec<Probability> {
    let dated = book.open().iter().any(|deal| deal.expected_close().is_some());
    let closes = |close: Option<chrono::NaiveDate>| match close.map(day_number) {
        Some(close) => day <= close && close < day + horizon,
        None => !dated,
    };
    let chance = |deal: &crate::deals::OpenDeal| {
        let stage = percentages.get(deal.stage_id().index()).copied();
        stage.filter(|_| closes(deal.expected_close())).unwrap_or(Probability::ZERO)
    };
    book.open().iter().map(chance).collect()
}

/// Closed deals that passed through a stage.
#[derive(Clone, Copy, Default)]
struct Closed {
    won: f64,
    lost: f64,
    /// Of the won, those within the length of the window from entering the stage.
    in_time: f64,
}

impl Closed {
    fn chance(self) -> f64 {
        // won / (won + lost) x in time / won
        if self.won + self.lost > 0.0 { self.in_time / (self.won + self.lost) } else { 0.0 }
    }
}

/// Won / (won + lost) by stage, of what closed before the day.
pub(super) fn closed_only(wins: &Wins, window: (i32, i32)) -> Option<Actual> {
    let history = &wins.history;
    let chances = by_stage(history, window)?;
    let mut number = Actual::default();
    for visit in history.visits.iter().filter(|v| v.stage < history.n_open && v.stands_at(window.0)) {
        let chance = chances.get(usize::from(visit.stage)).copied().unwrap_or(0.0);
        number.deals += chance;
        number.money += chance * history.amount_before(visit.deal, window.0).unwrap_or(0.0);
    }
    Some(number)
}

/// The same by deal.
pub(super) fn closed_only_chances(
    wins: &Wins,
    known: &Known<'_>,
    window: (i32, i32),
) -> Vec<(String, Probability)> {
    let chances = by_stage(&wins.history, window).unwrap_or_default();
    let chance = |deal: &crate::deals::OpenDeal| {
        Probability::rounded(chances.get(deal.stage_id().index()).copied().unwrap_or(0.0))
    };
    known.snapshot().open().iter().map(|deal| (deal.id().to_owned(), chance(deal))).collect()
}

/// The chance of each stage; `None` where nothing has closed.
fn by_stage(history: &History, (day, horizon): (i32, i32)) -> Option<Vec<f64>> {
    let mut stages = vec![Closed::default(); usize::from(history.n_open)];
    for deal in history.visits.chunk_by(|a, b| a.deal == b.deal) {
        count_deal(deal, (history.won(), day, horizon), &mut stages);
    }
    let closed = stages.iter().any(|stage| stage.won + stage.lost > 0.0);
    closed.then(|| stages.into_iter().map(Closed::chance).collect())
}

/// Counts the stages a deal passed through, once each, if it closed before the day and was not reopened.
fn count_deal(visits: &[Visit], (won, day, horizon): (u8, i32, i32), stages: &mut [Closed]) {
    let known = || visits.iter().filter(|v| v.entered < day);
    let Some(last) = known().next_back() else { return };
    let closed = match last.stage {
        stage if stage == won && (last.left >= day || last.left == STILL_OPEN) => Some(last.entered),
        stage if stage < won && last.left < day && last.to != CENSORED => Some(last.left),
        _ => None,
    };
    let Some(closed) = closed else { return };
    let mut passed = [false; 256];
    for visit in known().filter(|v| v.stage < won) {
        let Some(seen) = passed.get_mut(usize::from(visit.stage)) else { continue };
        let Some(stage) = stages.get_mut(usize::from(visit.stage)).filter(|_| !*seen) else { continue };
        *seen = true;
        if last.stage == won {
            stage.won += 1.0;
            stage.in_time += f64::from(u8::from(closed - visit.entered < horizon));
        } else {
            stage.lost += 1.0;
        }
    }
}
