//! Models without a history: stage percentages, and when deals close.

use super::fitted::{Basis, FittedModel};
use crate::deals::{OpenDeal, SalesProcess, Snapshot};
use crate::history::ages::N_BINS;
use crate::model::chain::{Course, Day, Standing};
use crate::model::hazard::Table;
use crate::num::bits;
use crate::time::{Period, day_number};
use crate::{Amount, Error, ErrorKind, Probability, Result};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// When deals of an assumed model close.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// A deal counts in the period of its expected close date, with the percentage of its stage; without one it does
    /// not count.
    ExpectedClose,
    /// Mean days a deal stays in each open stage: it leaves at a constant rate, to the next stage or lost.
    MeanDays(Vec<f64>),
}

/// What is assumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assumed {
    /// By open stage.
    #[serde(with = "bits::list")]
    pub chances: Vec<f64>,
    pub timing: Timing,
}

/// Chances by bucket and open deal, and the amounts.
pub(super) type Columns = (Vec<Vec<f64>>, Vec<f64>);

impl FittedModel {
    /// A model for those with a snapshot and the CRM's stage percentages only: the same engines, no history. The answer
    /// says what it rests on; no new business is expected, since nothing says how much there is.
    ///
    /// # Errors
    /// [`LengthMismatch`](ErrorKind::LengthMismatch) unless there is a percentage (and a number of days) for every open
    /// stage; [`OutOfRange`](ErrorKind::OutOfRange) for days that are not finite and at least 1/24, and for percentages
    /// that fall from one stage to the next where days are given: such a process has no chain of stages.
    ///
    /// # Example
    /// ```
    /// use dealcast::{FittedModel, Period, Probability, SalesProcess, Timing, time::date};
    /// let process = SalesProcess::open(["qualify", "propose"])?;
    /// let chances = [Probability::new(0.2)?, Probability::new(0.5)?];
    /// let model = FittedModel::assumed(&process, chances, Timing::ExpectedClose)?;
    /// assert_eq!(model.process(), &process);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn assumed(
        process: &SalesProcess,
        chances: impl IntoIterator<Item = Probability>,
        timing: Timing,
    ) -> Result<Self> {
        let chances = chances.into_iter().map(Probability::get).collect();
        let assumed = Assumed { chances, timing };
        assumed.check(process.open_stages().len())?;
        // Any period: an assumed model has not learned from one.
        Ok(Self {
            process: process.clone(),
            as_of: NaiveDateTime::MIN,
            horizon: Assumed::ANY_HORIZON,
            basis: Basis::Assumed(assumed),
        })
    }
}

impl Assumed {
    /// Spread of the shared shock where nothing is known: the prior of the fitted model.
    pub(crate) const TAU: f64 = 0.15;
    /// A horizon that stands for all.
    pub(super) const ANY_HORIZON: i32 = 0;

    pub(super) fn check(&self, n_open: usize) -> Result<()> {
        let length = |n: usize| {
            if n == n_open {
                return Ok(());
            }
            let expected = format!("one number for each of {n_open} open stages");
            Err(Error::new(ErrorKind::LengthMismatch, expected).found(n))
        };
        length(self.chances.len())?;
        for &chance in &self.chances {
            Probability::new(chance)?;
        }
        let Timing::MeanDays(days) = &self.timing else { return Ok(()) };
        length(days.len())?;
        if let Some(&days) = days.iter().find(|&&days| !(days >= 1.0 / 24.0 && days.is_finite())) {
            return Err(Error::out_of_range("mean days", "a finite number >= 1/24", days));
        }
        match self.chances.iter().zip(self.chances.iter().skip(1)).find(|(now, next)| now > next) {
            Some((_, &next)) => {
                Err(Error::out_of_range("stage percentage", "at least that of the stage before", next))
            }
            None => Ok(()),
        }
    }

    pub(super) fn expected(&self, book: &Snapshot, period: &Period, ends: &[i32]) -> Result<Columns> {
        let amounts = book.open().iter().map(|deal| deal.amount().map_or(0.0, Amount::get)).collect();
        let chances = match &self.timing {
            Timing::ExpectedClose => self.by_close_date(book.open(), day_number(period.start()), ends),
            Timing::MeanDays(days) => self.by_rate(book, (days, day_number(period.start())), ends)?,
        };
        Ok((chances, amounts))
    }

    fn by_close_date(&self, open: &[OpenDeal], start: i32, ends: &[i32]) -> Vec<Vec<f64>> {
        let starts = std::iter::once(&start).chain(ends);
        let chance = |deal: &OpenDeal, from: i32, to: i32| {
            let closes = deal.expected_close().map(day_number).is_some_and(|day| from <= day && day < to);
            let chance = self.chances.get(deal.stage_id().index()).copied().unwrap_or(0.0);
            if closes { chance } else { 0.0 }
        };
        starts
            .zip(ends)
            .map(|(&from, &to)| open.iter().map(|deal| chance(deal, from, to)).collect())
            .collect()
    }

    /// Constant rates: a stage of `d` mean days is left with chance `1 - exp(-1 / d)` a day, onward with `p_i / p_next`.
    fn by_rate(&self, book: &Snapshot, (days, start): (&[f64], i32), ends: &[i32]) -> Result<Vec<Vec<f64>>> {
        let kind = self.kind_of_day(days);
        let n_open = self.chances.len();
        let day = day_number(book.as_of().date());
        let standing: Vec<Standing> =
            book.open().iter().map(|deal| Standing { stage: deal.stage_id().0, age: 1 }).collect();
        let until = |end: i32| {
            super::options::within_reach(end - day)?;
            let n_days = usize::try_from(end - day).unwrap_or(0);
            Ok::<_, Error>(Course { days: &vec![&kind; n_days], goal: n_open }.run(&standing).standing)
        };
        let mut before = until(start.max(day))?;
        let mut chances = Vec::new();
        for &end in ends {
            let now = until(end.max(start).max(day))?;
            chances.push(now.iter().zip(&before).map(|(now, then)| (now - then).max(0.0)).collect());
            before = now;
        }
        Ok(chances)
    }

    /// The hazards of every day.
    fn kind_of_day(&self, days: &[f64]) -> Day {
        let n_open = self.chances.len();
        let mut table = Table::filled(n_open, 0.0);
        for (stage, (&chance, &days)) in self.chances.iter().zip(days).enumerate() {
            let leave = -crate::num::special::exp_m1(-1.0 / days);
            let next = self.chances.get(stage + 1).copied().unwrap_or(1.0);
            let onward = if next > 0.0 { chance / next } else { 0.0 };
            for bin in 1..N_BINS {
                let row = table.row_mut(stage, bin);
                row.get_mut(stage + 1).into_iter().for_each(|h| *h = leave * onward);
                row.last_mut().into_iter().for_each(|h| *h = leave * (1.0 - onward));
            }
        }
        Day::new(table)
    }

    /// By day of creation from the first on, then stage: chances of new deals to be won before an end.
    pub(super) fn newborn(&self, (day, end): (i32, i32)) -> Result<Vec<Vec<f64>>> {
        super::options::within_reach(end.saturating_sub(day))?;
        let n_days = usize::try_from(end.saturating_sub(day)).unwrap_or(0);
        Ok(match &self.timing {
            Timing::ExpectedClose => vec![self.chances.clone(); n_days],
            Timing::MeanDays(days) => {
                let kind = self.kind_of_day(days);
                Course { days: &vec![&kind; n_days], goal: self.chances.len() }.run(&[]).entering
            }
        })
    }
}
