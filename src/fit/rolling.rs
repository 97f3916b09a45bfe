//! Many origins of one log: the history is counted once, and the past is replayed once for all of them.

use super::fitted::{Basis, Expected, FittedModel};
use super::options::{ForecastModel, Grid, horizon};
use super::replay::{Record, open_at};
use crate::deals::Known;
use crate::forecast::Total;
use crate::history::History;
use crate::time::{Period, civil_date, day_number};
use crate::{Amount, Error, ErrorKind, Result};
use std::collections::BTreeMap;

impl ForecastModel {
    /// The totals, in money and in deals, of periods that begin at their origins, each from what was known then.
    /// Origins a whole number of weeks apart share one history where nothing was recorded late; an answer is the one
    /// that a fit of its own gives, to the last bit.
    pub(crate) fn rolling(&self, folds: &[(Known<'_>, Period)]) -> Result<Vec<(Total, Total)>> {
        let Some((last, _)) = folds.iter().max_by_key(|(known, _)| known.at()) else { return Ok(Vec::new()) };
        let last_day = day_number(last.at().date());
        let shared = folds.iter().all(|(known, period)| {
            let day = day_number(known.at().date());
            known.at() == civil_date(day).into()
                && period.start() == civil_date(day)
                && (last_day - day) % 7 == 0
        });
        if !shared || last.has_late_facts() {
            return folds.iter().map(|(known, period)| self.alone(known, period)).collect();
        }
        let history = History::of(last);
        let mut records: BTreeMap<(i32, i32), Record> = BTreeMap::new();
        folds
            .iter()
            .map(|(known, period)| {
                let day = day_number(known.at().date());
                let horizon = horizon(day, period)?;
                let replayed: Vec<Record> = Grid::before(day, horizon)
                    .origins(history.at(day))
                    .into_iter()
                    .map(|day| {
                        let replay = || Record::replay(history.at(day), &history, horizon, self.parts());
                        *records.entry((day, horizon)).or_insert_with(replay)
                    })
                    .collect();
                let fitted = self.fit_past(known, history.at(day), (horizon, &replayed))?;
                fitted.total_of_past(&history, day, period)
            })
            .collect()
    }

    fn alone(&self, known: &Known<'_>, period: &Period) -> Result<(Total, Total)> {
        self.fit(known, period)?.totals(&known.snapshot(), period, super::Split::Whole)
    }
}

impl FittedModel {
    /// The totals of a period that begins at a day of a history, without the detour over a snapshot.
    fn total_of_past(&self, history: &History, day: i32, period: &Period) -> Result<(Total, Total)> {
        let Basis::Fitted { process, calibration, .. } = &self.basis else {
            return Err(Error::new(ErrorKind::NoHistory, "a fitted model"));
        };
        let group_of = process.groups(history);
        let group = |deal: u32| {
            let class = usize::try_from(history.class(deal)).unwrap_or(0);
            group_of.get(class).copied().unwrap_or(0)
        };
        let (open, _) = open_at(history.at(day), group);
        let ends = [day_number(period.end())];
        let expected = Expected::fitted((process, calibration), open, (day, day), &ends);
        self.assembled(&expected, (Amount::ZERO, 0))
    }
}
