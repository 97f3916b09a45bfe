//! A total cut into parts that share its luck: regions, owners, products.
//!
//! # Formula
//! Given the state of the market the deals of all parts are independent; new business of mean m and size k falls to part
//! s with its share `q_s` of each amount, so that its number there is again negative binomial, with mean `q_s m` and the
//! same size: the parts share its level as they share z. So the parts' sums are the total in every state of the world.

use super::{NewBusiness, Total};
use crate::num::{Amount, sum::sum};
use crate::{Error, ErrorKind, Result};

/// To which part everything in a total belongs.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// What is booked, by part.
    pub(crate) booked: Vec<f64>,
    /// The part of every deal.
    pub(crate) deal: Vec<usize>,
    /// By amount of new business: the share of every part, summing to 1.
    pub(crate) new: Vec<Vec<f64>>,
}

impl Parts {
    pub(crate) const fn n(&self) -> usize {
        self.booked.len()
    }
}

impl Total {
    /// One part as a total of its own, under the shock of the whole.
    pub(crate) fn part(&self, parts: &Parts, part: usize) -> Result<Self> {
        let booked = Amount::new(parts.booked.get(part).copied().unwrap_or(0.0))?;
        let mine = |column: &[f64]| -> Vec<f64> {
            let of_part = column.iter().zip(&parts.deal).filter(|(_, of)| **of == part);
            of_part.map(|(x, _)| *x).collect()
        };
        let mut total = if self.buckets.is_empty() {
            Self::from_columns(booked, mine(&self.chance), mine(&self.amount))?
        } else {
            let buckets = self.buckets.iter().map(|bucket| mine(bucket)).collect();
            Self::from_bucket_columns(booked, buckets, mine(&self.amount))?
        };
        total.shock = self.shock.clone();
        match self.new_business.as_ref().map(|new| new.part(parts, part)).transpose()?.flatten() {
            Some(new) => total.with_new_business(new),
            None => Ok(total),
        }
    }
}

impl NewBusiness {
    /// What falls to a part; none where nothing does.
    fn part(&self, parts: &Parts, part: usize) -> Result<Option<Self>> {
        if parts.new.len() != self.amount.len() {
            return Err(Error::new(ErrorKind::LengthMismatch, "shares for every amount of new business"));
        }
        let share = |shares: &Vec<f64>| shares.get(part).copied().unwrap_or(0.0);
        let weights: Vec<f64> = self.weight.iter().zip(&parts.new).map(|(w, of)| w * share(of)).collect();
        let all = sum(weights.iter().copied());
        if !(all > 0.0) {
            return Ok(None);
        }
        let severity: Result<Vec<(Amount, f64)>> =
            self.amount.iter().zip(weights).map(|(&amount, w)| Ok((Amount::new(amount)?, w))).collect();
        let new = Self::new(self.mean * all, severity?)?.spread(self.share.clone())?;
        self.size.map_or(Ok(new.clone()), |size| new.overdispersed(size)).map(Some)
    }
}
