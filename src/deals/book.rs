//! Sums of deals.

use super::known::{Known, Position};
use crate::num::{Amount, sum};
use crate::time::{Period, civil};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A sum of deals: how much in how many of them, and how many have no amount.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    amount: Amount,
    n: usize,
    n_unpriced: usize,
}

impl Book {
    pub(crate) fn of(amounts: impl Iterator<Item = Option<Amount>>) -> Result<Self> {
        let amounts: Vec<Option<Amount>> = amounts.collect();
        let mut priced: Vec<f64> = amounts.iter().flatten().map(|amount| amount.get()).collect();
        // Summed by size, so that the ids, which order the deals, leave no trace in the last bit.
        priced.sort_unstable_by(f64::total_cmp);
        let n_unpriced = amounts.len() - priced.len();
        let amount = Amount::new(sum::sum(priced)).map_err(|_| {
            Error::new(ErrorKind::Overflow, "a sum of amounts that is a finite number").field("amount")
        })?;
        Ok(Self { amount, n: amounts.len(), n_unpriced })
    }

    /// The sum of the stated amounts.
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// How many deals, with or without an amount.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// How many of them have no amount.
    pub const fn n_unpriced(&self) -> usize {
        self.n_unpriced
    }
}

impl Known<'_> {
    /// What was known to be won inside a period, as [`Snapshot::booked`](super::Snapshot::booked) of the snapshot says,
    /// without making one.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where the sum is no finite number.
    pub fn booked(&self, period: &Period) -> Result<Book> {
        let won = self.deals().filter(|deal| match deal.position() {
            Position::Won { at, .. } => period.contains(civil(at)),
            _ => false,
        });
        Book::of(won.map(|deal| deal.amount()))
    }
}

impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deals = if self.n == 1 { "deal" } else { "deals" };
        write!(f, "{} in {} {deals}", self.amount, self.n)?;
        match self.n_unpriced {
            0 => Ok(()),
            n => write!(f, ", {n} of them without an amount"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_of_the_deals_leaves_no_trace(
            (amounts, shuffled) in proptest::collection::vec(proptest::option::of(0.0..1e12), 0..30)
                .prop_flat_map(|amounts| (Just(amounts.clone()), Just(amounts).prop_shuffle())),
        ) {
            let book = |amounts: &[Option<f64>]| {
                Book::of(amounts.iter().map(|amount| amount.map(|x| Amount::new(x).unwrap()))).unwrap()
            };
            prop_assert_eq!(book(&amounts), book(&shuffled));
        }
    }
}
