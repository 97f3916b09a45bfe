//! When the open deals of a book are won: inside a period, in stretches after it, or never.
//!
//! # Formula
//! The chance inside the period is that of the forecast, with what past forecasts taught. A deal that is not won there
//! goes on as the model says: with `w_b` the model's chance of a win in stretch b, its chance there is
//! (1 - inside) `w_b` / (1 - `w_inside`), so that all of them and the chance of no win add up to 1.

use super::fitted::{Basis, FittedModel, Split};
use super::options::within_reach;
use super::replay::Outlook;
use crate::Result;
use crate::deals::Snapshot;
use crate::time::{Period, civil_date, day_number};

/// Chances of the open deals, in the order of the book.
pub(crate) struct Landing {
    /// Won before the period begins.
    pub(crate) before: Vec<f64>,
    pub(crate) inside: Vec<f64>,
    /// By stretch after the period, then deal.
    pub(crate) later: Vec<Vec<f64>>,
}

impl FittedModel {
    /// The stretches follow each other from the end of the period on, each to one of the `ends`.
    pub(crate) fn landing(&self, book: &Snapshot, period: &Period, ends: &[i32]) -> Result<Landing> {
        let expected = self.expected(book, period, Split::Whole)?;
        let mut inside = vec![0.0; book.n_open()];
        for (place, p) in expected.by_place() {
            inside.get_mut(place).into_iter().for_each(|slot| *slot = p);
        }
        let (start, day) = (day_number(period.start()), day_number(book.as_of().date()));
        let begins = (start > day).then_some(start);
        let ends: Vec<i32> =
            begins.into_iter().chain([day_number(period.end())]).chain(ends.iter().copied()).collect();
        let mut modelled = self.modelled(book, start.min(day), &ends)?.into_iter();
        let mut before = begins.and_then(|_| modelled.next()).unwrap_or_else(|| vec![0.0; book.n_open()]);
        let within = modelled.next().unwrap_or_default();
        let mut later: Vec<Vec<f64>> = modelled.collect();
        for (deal, (inside, within)) in inside.iter().zip(within).enumerate() {
            let rest = if within < 1.0 { (1.0 - inside) / (1.0 - within) } else { 0.0 };
            for stretch in std::iter::once(&mut before).chain(&mut later) {
                stretch.get_mut(deal).into_iter().for_each(|p| *p *= rest);
            }
        }
        Ok(Landing { before, inside, later })
    }

    /// What the model itself says of the stretches from a day on, each to one of the ends.
    fn modelled(&self, book: &Snapshot, from: i32, ends: &[i32]) -> Result<Vec<Vec<f64>>> {
        let day = day_number(book.as_of().date());
        let last = ends.iter().copied().max().unwrap_or(day);
        within_reach(last.saturating_sub(day))?;
        match &self.basis {
            Basis::Assumed(assumed) => {
                let all = Period::new(civil_date(from), civil_date(last))?;
                Ok(assumed.expected(book, &all, ends)?.0)
            }
            Basis::Fitted { process, calibration, .. } => {
                let open = self.open_deals((process, calibration), book, day);
                let mut before = vec![0.0; open.len()];
                let stretch = |&end: &i32| {
                    let n_days = usize::try_from(end.saturating_sub(day)).unwrap_or(0);
                    let now = Outlook::of(process, &open, (day, n_days)).chances;
                    let gain = now.iter().zip(&before).map(|(now, then)| (now - then).max(0.0)).collect();
                    before = now;
                    gain
                };
                Ok(ends.iter().map(stretch).collect())
            }
        }
    }
}
