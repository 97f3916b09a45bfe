//! Many origins of one log: the history is counted once, and the past is replayed once for all of them.

use super::fitted::{Basis, Expected, FittedModel, Split};
use super::options::{ForecastModel, Grid, horizon};
use super::replay::{Open, Record, open_at};
use super::workers::Workers;
use crate::deals::Known;
use crate::forecast::{Forecast, ForecastOptions, Total};
use crate::history::History;
use crate::time::{Period, civil_date, day_number};
use crate::{Amount, Error, ErrorKind, Probability, Result};
use std::collections::{BTreeMap, BTreeSet};

/// What a rolling fit says about one period.
pub(crate) struct Rolled {
    pub money: Forecast,
    pub deals: Forecast,
    /// The open deals and their chances.
    pub chances: Vec<(String, Probability)>,
}

impl Rolled {
    fn of((money, deals): &(Total, Total), chances: Vec<(String, Probability)>) -> Result<Self> {
        let options = ForecastOptions::practical();
        Ok(Self { money: money.exact(&options)?, deals: deals.exact(&options)?, chances })
    }
}

impl ForecastModel {
    /// The forecasts, in money and in deals, of periods that begin at their origins, each from what was known then.
    /// Origins a whole number of weeks apart share one history where nothing was recorded late; an answer is the one
    /// that a fit of its own gives, to the last bit.
    pub(crate) fn rolling(&self, folds: &[(Known<'_>, Period)], workers: &Workers) -> Result<Vec<Rolled>> {
        let Some((last, _)) = folds.iter().max_by_key(|(known, _)| known.at()) else { return Ok(Vec::new()) };
        let last_day = day_number(last.at().date());
        let shared = folds.iter().all(|(known, period)| {
            let day = day_number(known.at().date());
            known.at() == civil_date(day).into()
                && period.start() == civil_date(day)
                && (last_day - day) % 7 == 0
        });
        if !shared || last.has_late_facts() {
            return workers.each(folds, |(known, period)| self.alone(known, period));
        }
        let history = History::of(last);
        let records = self.records(&history, folds, workers)?;
        workers.each(folds, |(known, period)| {
            let day = day_number(known.at().date());
            let horizon = horizon(day, period)?;
            let origins = Grid::before(day, horizon).origins(history.at(day));
            let replayed: Vec<Record> =
                origins.into_iter().filter_map(|day| records.get(&(day, horizon)).cloned()).collect();
            let fitted = self.fit_past(known, history.at(day), (horizon, &replayed))?;
            let (totals, chances) = fitted.total_of_past(&history, day, period)?;
            let named = |(place, p): (usize, f64)| (known.id_at(place).to_owned(), Probability::rounded(p));
            Rolled::of(&totals, chances.into_iter().map(named).collect())
        })
    }

    /// The records of every past origin that some fold learns from, each made once.
    fn records(
        &self,
        history: &History,
        folds: &[(Known<'_>, Period)],
        workers: &Workers,
    ) -> Result<BTreeMap<(i32, i32), Record>> {
        let mut wanted = BTreeSet::new();
        for (known, period) in folds {
            let day = day_number(known.at().date());
            let horizon = horizon(day, period)?;
            let origins = Grid::before(day, horizon).origins(history.at(day));
            wanted.extend(origins.into_iter().map(|day| (day, horizon)));
        }
        let wanted: Vec<(i32, i32)> = wanted.into_iter().collect();
        let replay = |&(day, horizon): &(i32, i32)| {
            Ok(Record::replay(history.at(day), history, horizon, self.parts()))
        };
        Ok(wanted.iter().copied().zip(workers.prepare(&wanted, replay)?).collect())
    }

    fn alone(&self, known: &Known<'_>, period: &Period) -> Result<Rolled> {
        let (fitted, book) = (self.fit(known, period)?, known.snapshot());
        let chances = fitted.chances(&book, period)?.into_iter().map(|deal| (deal.deal, deal.chance));
        Rolled::of(&fitted.totals(&book, period, Split::Whole)?, chances.collect())
    }
}

/// The totals in money and in deals, and the chance of each open deal by its position in the log.
type OfPast = ((Total, Total), Vec<(usize, f64)>);

impl FittedModel {
    /// The totals of a period that begins at a day of a history, without the detour over a snapshot.
    fn total_of_past(&self, history: &History, day: i32, period: &Period) -> Result<OfPast> {
        let Basis::Fitted { process, calibration, .. } = &self.basis else {
            return Err(Error::new(ErrorKind::NoHistory, "a fitted model"));
        };
        let group_of = process.groups(history);
        let group = |deal: u32| {
            let class = usize::try_from(history.class(deal)).unwrap_or(0);
            group_of.get(class).copied().unwrap_or(0)
        };
        let numbers: Vec<u32> =
            history.said.names().iter().map(|name| calibration.offsets.number(Some(name))).collect();
        let (mut open, places): (Vec<Open>, Vec<usize>) = open_at(history.at(day), group).into_iter().unzip();
        for deal in &mut open {
            let at = usize::try_from(deal.said.category).ok().and_then(|number| number.checked_sub(1));
            deal.said.category = at.and_then(|at| numbers.get(at)).copied().unwrap_or(0);
        }
        let ends = [day_number(period.end())];
        let expected = Expected::fitted((process, calibration), open, (day, day), &ends);
        let totals = self.assembled(&expected, (Amount::ZERO, 0))?;
        let chances = expected.by_place().filter_map(|(place, p)| Some((*places.get(place)?, p)));
        let mut chances: Vec<(usize, f64)> = chances.collect();
        chances.sort_unstable_by_key(|&(place, _)| place);
        Ok((totals, chances))
    }
}
