//! Did the time in stage change, or is it noise?

use super::observation::Durations;
use super::table::Table;
use crate::num::special;
use crate::num::sum::Sum;
use crate::{Error, ErrorKind, Probability, Result};
use std::fmt;

/// The log-rank test of equal time in stage in two or more groups of deals.
///
/// In the words of sales: do deals of this region, owner or year move at another pace than those, or would chance
/// alone show a difference like this in `p_value` of all cases?
///
/// # Formula
/// Under equality each group expects its share of the ends of every time: `E_g = sum d Y_g / Y`. With u = O - E and
/// the hypergeometric covariance `V_gh = sum d (Y - d) / (Y - 1) (Y_g / Y) (delta_gh - Y_h / Y)`, chi2 = u' V^- u has
/// as many degrees of freedom as V has rank: the groups ever expected to see an end, less one.
///
/// # Assumptions
/// Deals are independent and open ones are censored alike in all groups. Most powerful where one group's hazard is a
/// multiple of the other's at all ages; crossing curves may cancel. A weight counts as that many deals.
///
/// # Example: are renewals quicker?
/// ```
/// use dealcast::estimate::{Durations, LogRank};
/// let renewals = Durations::new(&[3.0, 4.0, 6.0, 7.0, 9.0], &[1, 1, 1, 1, 1])?;
/// let others = Durations::new(&[8.0, 12.0, 15.0, 20.0, 26.0], &[1, 0, 1, 1, 1])?;
/// let test = LogRank::test(&[&renewals, &others])?;
/// assert!(test.p_value().get() < 0.01 && test.observed()[0] > test.expected()[0]);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Mantel (1966); Kalbfleisch & Prentice (2002), equations 1.21 to 1.24.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRank {
    chi2: f64,
    degrees: usize,
    p_value: Probability,
    observed: Vec<f64>,
    expected: Vec<f64>,
}

/// More groups than this make a covariance that no budget of a test should hold.
const MOST_GROUPS: usize = 1000;
/// Event times times groups squared: about ten seconds.
const MOST_WORK: usize = 2_000_000_000;

impl LogRank {
    /// Compares the groups, all ends counting as one whatever their cause.
    ///
    /// # Errors
    /// [`NotIdentified`](ErrorKind::NotIdentified) unless an end was seen while two groups were at risk;
    /// [`TooLarge`](ErrorKind::TooLarge) beyond 1000 groups or 2e9 times groups squared.
    pub fn test(groups: &[&Durations]) -> Result<Self> {
        if groups.len() > MOST_GROUPS {
            return Err(Error::new(ErrorKind::TooLarge, "at most 1000 groups").found(groups.len()));
        }
        let times = event_times(groups);
        if times.len().saturating_mul(groups.len() * groups.len()) > MOST_WORK {
            let expected = "event times times groups squared up to 2e9";
            return Err(Error::new(ErrorKind::TooLarge, expected).found(times.len()));
        }
        let mut tally = Tally::new(groups.len());
        for time in times {
            tally.add(groups.iter().map(|group| at(group.table(), time)));
        }
        let Tally { observed, expected, covariance } = tally;
        let excess = observed.iter().zip(&expected).map(|(o, e)| o - e).collect();
        let (chi2, degrees) = quadratic_form(excess, covariance);
        if degrees == 0 {
            let expected = "an end seen while two groups were at risk";
            return Err(Error::new(ErrorKind::NotIdentified, expected));
        }
        let p_value = Probability::rounded(special::beta::chi_square_sf(chi2, crate::num::count(degrees)));
        Ok(Self { chi2, degrees, p_value, observed, expected })
    }

    /// The statistic.
    pub fn chi2(&self) -> f64 {
        self.chi2
    }

    /// Degrees of freedom.
    pub fn degrees(&self) -> usize {
        self.degrees
    }

    /// The chance of a statistic at least as large if the groups do not differ.
    pub fn p_value(&self) -> Probability {
        self.p_value
    }

    /// Ends seen, by group.
    pub fn observed(&self) -> &[f64] {
        &self.observed
    }

    /// Ends each group would have seen at the common pace.
    pub fn expected(&self) -> &[f64] {
        &self.expected
    }
}

impl fmt::Display for LogRank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log-rank chi2 {:.2} on {} df, p = {:.3}", self.chi2, self.degrees, self.p_value.get())
    }
}

fn event_times(groups: &[&Durations]) -> Vec<f64> {
    let times =
        |group: &&Durations| group.table().happenings().map(|happening| happening.time).collect::<Vec<_>>();
    let mut all: Vec<f64> = groups.iter().flat_map(times).collect();
    all.sort_unstable_by(f64::total_cmp);
    all.dedup();
    all
}

/// Ends at a time and weight at risk.
fn at(table: &Table, time: f64) -> (f64, f64) {
    match table.happening(time) {
        Some(now) => (now.left().weight, now.risk.weight),
        None => (0.0, table.at_risk(time)),
    }
}

struct Tally {
    observed: Vec<f64>,
    expected: Vec<f64>,
    covariance: Vec<Vec<Sum>>,
}

impl Tally {
    fn new(groups: usize) -> Self {
        let zeros = vec![0.0; groups];
        Self {
            observed: zeros.clone(),
            expected: zeros,
            covariance: vec![vec![Sum::default(); groups]; groups],
        }
    }

    /// One time: ends and weight at risk of each group.
    fn add(&mut self, groups: impl Iterator<Item = (f64, f64)>) {
        let groups: Vec<(f64, f64)> = groups.collect();
        let d: f64 = groups.iter().map(|(ends, _)| ends).sum();
        let all: f64 = groups.iter().map(|(_, risk)| risk).sum();
        for ((observed, expected), (ends, risk)) in
            self.observed.iter_mut().zip(&mut self.expected).zip(&groups)
        {
            *observed += ends;
            *expected += d * risk / all;
        }
        // One deal alone at risk has nobody to be compared with.
        let spread = if all > 1.0 { d * (all - d).max(0.0) / (all - 1.0) } else { 0.0 };
        if spread == 0.0 {
            return;
        }
        for (g, (row, (_, risk))) in self.covariance.iter_mut().zip(&groups).enumerate() {
            if *risk == 0.0 {
                continue;
            }
            for (h, (sum, (_, other))) in row.iter_mut().zip(&groups).enumerate() {
                let own = if g == h { 1.0 } else { 0.0 };
                sum.add(spread * (risk / all) * (own - other / all));
            }
        }
    }
}

/// u' V^- u and the rank of V, by elimination on the largest remaining variance.
fn quadratic_form(mut u: Vec<f64>, covariance: Vec<Vec<Sum>>) -> (f64, usize) {
    let mut v: Vec<Vec<f64>> =
        covariance.into_iter().map(|row| row.into_iter().map(Sum::get).collect()).collect();
    let scale: Vec<f64> = v.iter().enumerate().map(|(i, row)| row.get(i).copied().unwrap_or(0.0)).collect();
    let (mut chi2, mut rank) = (0.0, 0);
    while !u.is_empty() {
        // A variance that elimination has brought down to rounding of what it was is a direction without news.
        let left = |i: usize| {
            let now = v.get(i).and_then(|row| row.get(i)).copied().unwrap_or(0.0);
            let was = scale.get(i).copied().unwrap_or(0.0);
            if now > 1e-10 * was { now } else { 0.0 }
        };
        let Some(best) = (0..u.len()).max_by(|&a, &b| left(a).total_cmp(&left(b)).then(b.cmp(&a))) else {
            break;
        };
        let pivot = left(best);
        if pivot == 0.0 {
            break;
        }
        let (row, excess) = (v.get(best).cloned().unwrap_or_default(), u.get(best).copied().unwrap_or(0.0));
        chi2 += excess * excess / pivot;
        rank += 1;
        for ((other, rest), share) in v.iter_mut().zip(&mut u).zip(&row) {
            let factor = share / pivot;
            *rest -= factor * excess;
            other.iter_mut().zip(&row).for_each(|(cell, top)| *cell -= factor * top);
        }
        if let Some(done) = v.get_mut(best).and_then(|row| row.get_mut(best)) {
            *done = 0.0;
        }
    }
    (chi2, rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_never_at_risk_together_are_not_compared() {
        use crate::estimate::Spell;
        let early = Durations::new(&[1.0, 2.0], &[1, 1]).unwrap();
        let late = Durations::from_spells([3.0, 4.0].map(|t| Spell::new(t, 1).entry(2.5))).unwrap();
        assert_eq!(LogRank::test(&[&early, &late]).unwrap_err().kind(), ErrorKind::NotIdentified);
        assert_eq!(LogRank::test(&[&early]).unwrap_err().kind(), ErrorKind::NotIdentified);
        assert_eq!(LogRank::test(&[]).unwrap_err().kind(), ErrorKind::NotIdentified);
    }

    #[test]
    fn a_group_cut_in_two_alike_halves_adds_a_degree_and_no_news() {
        let one = Durations::new(&[1.0, 3.0, 3.0, 7.0], &[1, 1, 0, 1]).unwrap();
        let other = Durations::new(&[2.0, 4.0, 9.0], &[1, 1, 1]).unwrap();
        let two = LogRank::test(&[&other, &one, &one]).unwrap();
        assert_eq!(two.degrees(), 2);
        assert!((two.observed()[1] - two.observed()[2]).abs() < 1e-12);
        let total: f64 = two.observed().iter().sum();
        assert!((total - two.expected().iter().sum::<f64>()).abs() < 1e-12);
    }
}
