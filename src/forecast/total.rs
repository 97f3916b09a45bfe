//! What a period's total consists of.

use super::{NewBusiness, Shock, WeightedForecast};
use crate::num::{Amount, Probability, sum::sum};
use crate::{Error, ErrorKind, Result};

/// What the period's total consists of: what is booked, open deals each with a chance and an amount, new business,
/// and the shock they share.
///
/// Deals are columns inside, 24 bytes each. Chances may be split over the buckets (weeks, months) of the period.
///
/// # Example: a deal that closes in the first or in the second month
/// ```
/// use dealcast::{Amount, Probability};
/// use dealcast::forecast::Total;
/// let chance = |p| Probability::new(p);
/// let total = Total::by_bucket(2, Amount::ZERO, [(vec![chance(0.25)?, chance(0.5)?], Amount::new(8e3)?)])?;
/// assert_eq!(total.weighted().by_bucket(), [2e3, 4e3]);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    pub(crate) booked: f64,
    /// P(won inside the period), one a deal.
    pub(crate) chance: Vec<f64>,
    pub(crate) amount: Vec<f64>,
    /// P(won in bucket b), bucket by bucket; empty where there is one bucket only.
    pub(crate) buckets: Vec<Vec<f64>>,
    pub(crate) new_business: Option<NewBusiness>,
    pub(crate) shock: Shock,
}

impl Total {
    /// A total of what is booked and of open deals.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where the amounts do not sum to a finite number.
    pub fn new(booked: Amount, deals: impl IntoIterator<Item = (Probability, Amount)>) -> Result<Self> {
        let (chance, amount) = deals.into_iter().map(|(p, a)| (p.get(), a.get())).unzip();
        Self::from_columns(booked, chance, amount)
    }

    /// As [`Self::new`], each deal with its chance of being won in each of `n_buckets` buckets.
    ///
    /// # Errors
    /// [`LengthMismatch`](ErrorKind::LengthMismatch) where a deal has another number of chances,
    /// [`OutOfRange`](ErrorKind::OutOfRange) where they sum to more than 1 (beyond rounding) or there is no bucket,
    /// [`Overflow`](ErrorKind::Overflow) as above. Errors carry the row of the deal.
    pub fn by_bucket(
        n_buckets: usize,
        booked: Amount,
        deals: impl IntoIterator<Item = (Vec<Probability>, Amount)>,
    ) -> Result<Self> {
        let mut buckets = vec![Vec::new(); n_buckets];
        let mut amount = Vec::new();
        for (row, (chances, worth)) in (1..).zip(deals) {
            if chances.len() != n_buckets {
                return Err(Error::new(ErrorKind::LengthMismatch, format!("{n_buckets} chances"))
                    .found(chances.len())
                    .at_row(row));
            }
            for (bucket, chance) in buckets.iter_mut().zip(chances) {
                bucket.push(chance.get());
            }
            amount.push(worth.get());
        }
        Self::from_bucket_columns(booked, buckets, amount)
    }

    /// Columns of chances and amounts that are already known to be valid.
    pub(crate) fn from_columns(booked: Amount, chance: Vec<f64>, amount: Vec<f64>) -> Result<Self> {
        if chance.len() != amount.len() {
            return Err(Error::new(ErrorKind::LengthMismatch, format!("{} chances", amount.len()))
                .found(chance.len()));
        }
        let total = Self {
            booked: booked.get(),
            chance,
            amount,
            buckets: Vec::new(),
            new_business: None,
            shock: Shock::none(),
        };
        total.finite()
    }

    /// As [`Self::from_columns`], one column of chances a bucket.
    pub(crate) fn from_bucket_columns(
        booked: Amount,
        buckets: Vec<Vec<f64>>,
        amount: Vec<f64>,
    ) -> Result<Self> {
        if buckets.is_empty() {
            return Err(Error::out_of_range("buckets", "at least one bucket", 0.0));
        }
        if let Some(bucket) = buckets.iter().find(|bucket| bucket.len() != amount.len()) {
            return Err(Error::new(ErrorKind::LengthMismatch, format!("{} chances", amount.len()))
                .found(bucket.len()));
        }
        let mut chance = vec![0.0; amount.len()];
        for bucket in &buckets {
            chance.iter_mut().zip(bucket).for_each(|(all, p)| *all += p);
        }
        for (row, all) in (1..).zip(&mut chance) {
            // A sum of n rounded chances may exceed 1 by n half units in the last place.
            if *all > 1.0 + 1e-9 {
                return Err(Error::out_of_range("chances of a deal", "a sum of at most 1", *all).at_row(row));
            }
            *all = all.min(1.0);
        }
        let mut total = Self::from_columns(booked, chance, amount)?;
        if buckets.len() > 1 {
            total.buckets = buckets;
        }
        Ok(total)
    }

    /// With deals not created yet.
    ///
    /// # Errors
    /// [`LengthMismatch`](ErrorKind::LengthMismatch) where it is spread over another number of buckets,
    /// [`Overflow`](ErrorKind::Overflow) where the total no longer is finite.
    pub fn with_new_business(mut self, mut new: NewBusiness) -> Result<Self> {
        if new.share.len() == 1 && self.n_buckets() > 1 {
            // Nothing said about when: evenly.
            new.share = vec![1.0 / crate::num::count(self.n_buckets()); self.n_buckets()];
        }
        if new.share.len() != self.n_buckets() {
            return Err(Error::new(ErrorKind::LengthMismatch, format!("{} bucket shares", self.n_buckets()))
                .found(new.share.len()));
        }
        self.new_business = Some(new);
        self.finite()
    }

    /// With a shock that all deals share, instead of none.
    #[must_use]
    pub fn with_shock(mut self, shock: Shock) -> Self {
        self.shock = shock;
        self
    }

    /// How many open deals there are.
    pub fn n_deals(&self) -> usize {
        self.amount.len()
    }

    /// Into how many buckets the period is split; 1 where it is not.
    pub fn n_buckets(&self) -> usize {
        self.buckets.len().max(1)
    }

    /// What is expected, part by part.
    pub fn weighted(&self) -> WeightedForecast {
        let expected = |chance: &[f64]| sum(chance.iter().zip(&self.amount).map(|(p, a)| p * a));
        let open = if self.buckets.is_empty() {
            vec![expected(&self.chance)]
        } else {
            self.buckets.iter().map(|bucket| expected(bucket)).collect()
        };
        let new_business = self.new_business.as_ref().map_or_else(
            || vec![0.0; self.n_buckets()],
            |new| new.share.iter().map(|share| share * new.expected()).collect(),
        );
        WeightedForecast { booked: self.booked, open, new_business }
    }

    /// What comes of some of the buckets, with what is booked in them.
    pub(crate) fn within(&self, buckets: std::ops::Range<usize>, booked: Amount) -> Result<Self> {
        let mut part = self.clone();
        part.booked = booked.get();
        if buckets.len() < self.n_buckets() {
            let asked = self.buckets.get(buckets.clone()).unwrap_or_default();
            part.chance.fill(0.0);
            for bucket in asked {
                part.chance.iter_mut().zip(bucket).for_each(|(all, p)| *all = (*all + p).min(1.0));
            }
        }
        if let Some(new) = &mut part.new_business {
            new.mean *= new.share.get(buckets).map_or(0.0, |shares| sum(shares.iter().copied()).min(1.0));
            new.share = vec![1.0];
        }
        part.new_business = part.new_business.filter(|new| new.mean > 0.0);
        part.buckets.clear();
        part.finite()
    }

    pub(crate) fn finite(self) -> Result<Self> {
        let all = sum(self.amount.iter().copied().chain([self.booked]));
        let new = self.new_business.as_ref().map_or(0.0, |new| new.expected() + new.largest());
        if (all + new).is_finite() {
            Ok(self)
        } else {
            Err(Error::new(ErrorKind::Overflow, "amounts with a finite sum").field("amount"))
        }
    }
}
