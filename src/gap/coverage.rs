//! The pipeline coverage a company needs, instead of a rule of thumb.
//!
//! # Formula
//! The open deals that can still be won, amounts `a_i` at chances `p_i`, stand for a kind of deal: amount
//! sum p a / sum p, chance sum p a / sum a, so that a book of them has the same expected share of its amount. Of n such
//! deals instead of the open ones, with what is booked, new business and the shock unchanged, n is the smallest number
//! that reaches the target with the confidence asked for; the coverage needed is n x amount / remaining.

use super::Target;
use crate::forecast::{ForecastOptions, Goal, Total};
use crate::num::sum::sum;
use crate::{Level, Probability, Result};

/// Most deals of a book that is tried: more than any company has open.
const MOST: u32 = 200_000;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Coverage {
    pub(super) needed: Option<f64>,
    pub(super) three_times: Option<Probability>,
}

impl Coverage {
    pub(super) fn of(
        total: &Total,
        (target, confidence): (Target, Level),
        options: &ForecastOptions,
    ) -> Result<Self> {
        let remaining = target.get() - total.booked;
        let able = || total.chance.iter().zip(&total.amount).filter(|(p, a)| **p > 0.0 && **a > 0.0);
        let expected = sum(able().map(|(p, a)| p * a));
        let wins = sum(able().map(|(p, _)| *p));
        let open = sum(able().map(|(_, a)| *a));
        let (amount, p) = (expected / wins, expected / open);
        let none = !(remaining > 0.0 && amount > 0.0 && amount.is_finite() && p > 0.0 && p <= 1.0);
        let coverage = |n: f64| Some(n * amount / remaining).filter(|coverage| coverage.is_finite());
        if none {
            return Ok(Self::default());
        }
        let mut rest = total.clone();
        (rest.chance, rest.amount, rest.buckets) = (Vec::new(), Vec::new(), Vec::new());
        let three = (3.0 * remaining / amount).round();
        let three = u32::try_from(crate::forecast::index(three)).ok().filter(|n| *n <= MOST);
        let goal = Goal { target: target.get(), confidence, most: MOST };
        let (enough, with_three) = rest.enough_and(goal, (p, amount), (three.unwrap_or(0), options))?;
        let needed = enough.and_then(|n| coverage(f64::from(n)));
        let three_times = three.map(|_| Probability::rounded(with_three));
        Ok(Self { needed, three_times })
    }
}
