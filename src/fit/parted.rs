//! The total of a book cut into parts: by what its deals have in common.

use super::fitted::{Basis, FittedModel, Split, clustered};
use crate::deals::Snapshot;
use crate::forecast::{Parts, Total};
use crate::num::sum::sum;
use crate::time::Period;
use crate::{Amount, Result};

/// The part of everything in a book.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) n: usize,
    /// By place among the open deals.
    pub(crate) open: Vec<usize>,
    /// By place among the won deals.
    pub(crate) won: Vec<usize>,
    /// By group of new deals.
    pub(crate) group: Vec<usize>,
}

/// A total and its parts.
pub(crate) struct Parted {
    pub(crate) total: Total,
    pub(crate) parts: Parts,
}

impl FittedModel {
    /// The total, and what of it belongs to each part. Chances are those of the whole book: what past forecasts taught
    /// about all deals together is not learned again from a few.
    pub(crate) fn parted(&self, book: &Snapshot, period: &Period, cut: &Cut) -> Result<Parted> {
        let expected = self.expected(book, period, Split::Whole)?;
        let booked = book.booked(period)?;
        let total = self.assembled(&expected, (booked.amount(), booked.n()))?.0;
        let part = |of: &[usize], place: usize| of.get(place).copied().unwrap_or(0);
        let mut won = vec![Vec::new(); cut.n];
        for (place, deal) in book.won().iter().enumerate().filter(|(_, deal)| period.contains(deal.closed()))
        {
            let amount = deal.amount().map_or(0.0, Amount::get);
            won.get_mut(part(&cut.won, place)).into_iter().for_each(|amounts| amounts.push(amount));
        }
        let by_size = |mut amounts: Vec<f64>| {
            amounts.sort_unstable_by(f64::total_cmp);
            sum(amounts)
        };
        let parts = Parts {
            booked: won.into_iter().map(by_size).collect(),
            deal: expected.order.iter().map(|&place| part(&cut.open, place)).collect(),
            new: self.shares(&expected.new, cut),
        };
        Ok(Parted { total, parts })
    }

    /// By amount of new business, as the total has them: the share of every part.
    fn shares(&self, new: &[(f64, f64)], cut: &Cut) -> Vec<Vec<f64>> {
        let Basis::Fitted { process, .. } = &self.basis else { return Vec::new() };
        let part = |place: usize| {
            let group = process.entries.get(place).and_then(|entry| usize::try_from(entry.group).ok());
            group.and_then(|group| cut.group.get(group)).copied().unwrap_or(0)
        };
        let (points, order) = clustered(new.iter().copied());
        let mut places = order.into_iter();
        let share = |&(_, n, size): &(f64, f64, usize)| {
            let mut shares = vec![0.0; cut.n];
            for place in places.by_ref().take(size) {
                let of_entry = new.get(place).map_or(0.0, |new| new.1 / n);
                shares.get_mut(part(place)).into_iter().for_each(|share| *share += of_entry);
            }
            shares
        };
        points.iter().map(share).collect()
    }

    /// The value of an attribute in every group of new deals; none where the model does not tell it.
    pub(crate) fn values_of_new(&self, attribute: &str) -> Vec<Option<&str>> {
        match &self.basis {
            Basis::Fitted { process, .. } => {
                (0..process.effects.n_groups()).map(|group| process.effects.value(attribute, group)).collect()
            }
            Basis::Assumed(_) => Vec::new(),
        }
    }
}
