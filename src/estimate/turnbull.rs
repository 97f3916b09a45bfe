//! Time in stage from snapshots only: an end is known to lie between two of them.

use super::observation::same_length;
use crate::num::{count, special};
use crate::{Error, ErrorKind, Probability, Result};

/// Ends known to lie in `(lower, upper]`.
///
/// `lower = upper` is an end seen exactly; `lower = 0` says only that it was over by `upper` (left-censored); no
/// `upper`, that it was going on at `lower` (right-censored).
///
/// # Example
/// ```
/// use dealcast::estimate::Brackets;
/// assert!(Brackets::new(&[7.0, 14.0], &[Some(14.0), None]).is_ok());
/// assert!(Brackets::new(&[7.0], &[Some(3.0)]).is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Brackets {
    rows: Vec<Bracket>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bracket {
    lower: f64,
    upper: f64,
}

impl Brackets {
    /// Between which two times each stay ended.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without rows, [`LengthMismatch`](ErrorKind::LengthMismatch), and
    /// [`OutOfRange`](ErrorKind::OutOfRange) with its row unless `0 <= lower <= upper`, all finite.
    pub fn new(lower: &[f64], upper: &[Option<f64>]) -> Result<Self> {
        same_length(lower.len(), upper.len())?;
        if lower.is_empty() {
            return Err(Error::new(ErrorKind::NoHistory, "at least one row"));
        }
        let row = |(i, (&lower, &upper)): (u64, (&f64, &Option<f64>))| {
            if !(lower >= 0.0 && lower.is_finite()) {
                return Err(Error::out_of_range("lower", "a finite number >= 0", lower).at_row(i));
            }
            match upper {
                Some(upper) if !(upper >= lower && upper.is_finite()) => {
                    Err(Error::out_of_range("upper", "a finite number not below lower", upper).at_row(i))
                }
                upper => Ok(Bracket { lower: lower + 0.0, upper: upper.unwrap_or(f64::INFINITY) + 0.0 }),
            }
        };
        let rows = (1..).zip(lower.iter().zip(upper)).map(row).collect::<Result<_>>()?;
        Ok(Self { rows })
    }
}

/// The share of stays that last beyond an age, from ends known only to lie between two times.
///
/// In the words of sales: with weekly exports nobody knows the day a deal moved. This curve claims no more than the
/// exports say: where it cannot know, it does not fall.
///
/// # Formula
/// Maximises sum ln P(lower < T <= upper). All mass lies on the innermost intervals `(lower, upper]`, those between
/// a lower end and the next upper end; where inside one the mass lies is not identified, and is put at its upper end.
///
/// # Assumptions
/// The times of the snapshots have nothing to do with when deals move.
///
/// # Numerics
/// Alternates a step of expectation-maximisation with a step of iterative convex minorants, each of which can only
/// raise the likelihood; the pair converges from any start with positive masses. It stops when no shift of mass could
/// raise the log-likelihood by more than 1e-9 a row (the largest directional derivative bounds the distance to the
/// maximum), or after a budget of steps; `shortfall` says how close it came.
///
/// # Example: four weekly exports
/// ```
/// use dealcast::estimate::{Brackets, Turnbull};
/// let moved = Brackets::new(&[0.0, 7.0, 7.0, 14.0], &[Some(7.0), Some(14.0), Some(21.0), None])?;
/// let curve = Turnbull::fit(&moved);
/// assert!((curve.survival(7.0).get() - 0.75).abs() < 1e-6);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Peto (1973); Turnbull (1976), equations 3.1 to 3.5; Groeneboom & Wellner (1992), part II, section 3.2; Wellner & Zhan
/// (1997), theorem 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Turnbull {
    support: Vec<Support>,
    /// Mass on the supports from each on.
    log_likelihood: f64,
    shortfall: f64,
    n: usize,
}

/// One interval `(lower, upper]` that carries mass; `lower = upper` for a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    lower: f64,
    upper: f64,
    mass: f64,
}

impl Support {
    /// Its open lower end.
    pub fn lower(self) -> f64 {
        self.lower
    }

    /// Its closed upper end; `None` where it goes on for ever.
    pub fn upper(self) -> Option<f64> {
        self.upper.is_finite().then_some(self.upper)
    }

    /// The share of stays that end in it.
    pub fn mass(self) -> Probability {
        Probability::rounded(self.mass)
    }
}

/// Likelihood that may be left on the table, a row.
const CLOSE_ENOUGH: f64 = 1e-9;
/// Steps, and work in rows and supports, after which it stops.
const MOST_STEPS: usize = 20_000;
const MOST_WORK: usize = 300_000_000;

impl Turnbull {
    /// The curve of greatest likelihood.
    pub fn fit(brackets: &Brackets) -> Self {
        let support = innermost(&brackets.rows);
        let mut fit = Masses::new(&support, &brackets.rows);
        let mut steps = (MOST_WORK / (fit.rows.len() + support.len())).clamp(10, MOST_STEPS);
        let n = count(brackets.rows.len());
        let mut slopes = fit.slopes();
        while steps > 0 && fit.shortfall(&slopes) > CLOSE_ENOUGH * n {
            fit.expect(&slopes);
            fit.minorant();
            slopes = fit.slopes();
            steps -= 1;
        }
        let carries = |((lower, upper), mass): ((f64, f64), f64)| Support { lower, upper, mass };
        Self {
            log_likelihood: fit.log_likelihood(&fit.mass),
            shortfall: fit.shortfall(&slopes).max(0.0),
            support: support.into_iter().zip(fit.mass).map(carries).filter(|s| s.mass > 1e-12).collect(),
            n: brackets.rows.len(),
        }
    }

    /// P(T > t), the mass of an interval counted at its upper end.
    pub fn survival(&self, t: f64) -> Probability {
        Probability::rounded(self.support.iter().filter(|s| s.upper > t).map(|s| s.mass).sum())
    }

    /// The intervals that carry mass, in increasing order.
    pub fn support(&self) -> &[Support] {
        &self.support
    }

    /// Sum of ln P(lower < T <= upper).
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// An upper bound of how far the log-likelihood is from its maximum.
    pub fn shortfall(&self) -> f64 {
        self.shortfall
    }

    /// Number of stays.
    pub fn n(&self) -> usize {
        self.n
    }
}

/// Where an end of an interval lies: a closed upper end at x comes before an open lower end at x, and the lower end
/// of a point before both.
fn ends(row: &Bracket) -> [(f64, u8); 2] {
    let before = row.lower >= row.upper || row.lower <= 0.0;
    [(row.lower, if before { 0 } else { 2 }), (row.upper, 1)]
}

fn by_place(a: &(f64, u8), b: &(f64, u8)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// The intervals between a lower end and the upper end that follows it with no other end between.
fn innermost(rows: &[Bracket]) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, u8)> = rows.iter().flat_map(ends).collect();
    all.sort_unstable_by(by_place);
    all.dedup();
    let pair = |pair: &[(f64, u8)]| match pair {
        [(lower, 0 | 2), (upper, 1)] => Some((*lower, *upper)),
        _ => None,
    };
    all.windows(2).filter_map(pair).collect()
}

/// A row as the supports it may have ended in, `first..=last`, and how many rows say the same.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: usize,
    last: usize,
    weight: f64,
}

struct Masses {
    rows: Vec<Range>,
    mass: Vec<f64>,
}

#[expect(clippy::indexing_slicing, reason = "ranges are positions in the supports by construction")]
impl Masses {
    fn new(support: &[(f64, f64)], rows: &[Bracket]) -> Self {
        let range = |row: &Bracket| {
            let [lower, upper] = ends(row);
            let starts = |s: &(f64, f64)| ends(&Bracket { lower: s.0, upper: s.1 })[0];
            let first = support.partition_point(|s| by_place(&starts(s), &lower).is_lt());
            let after = support.partition_point(|s| by_place(&(s.1, 1), &upper).is_le());
            (first, after.max(first + 1) - 1)
        };
        let mut all: Vec<(usize, usize)> = rows.iter().map(range).collect();
        all.sort_unstable();
        let same = all.chunk_by(|a, b| a == b);
        let rows =
            same.map(|same| Range { first: same[0].0, last: same[0].1, weight: count(same.len()) }).collect();
        Self { rows, mass: vec![1.0 / count(support.len()); support.len()] }
    }

    fn cumulative(mass: &[f64]) -> Vec<f64> {
        let mut sum = 0.0;
        let add = |m: &f64| {
            sum += m;
            sum
        };
        std::iter::once(0.0).chain(mass.iter().map(add).collect::<Vec<_>>()).collect()
    }

    /// P(row) from the masses; a single support is read directly, where a difference of sums would round it.
    fn chance(row: &Range, mass: &[f64], cumulative: &[f64]) -> f64 {
        if row.first == row.last { mass[row.first] } else { cumulative[row.last + 1] - cumulative[row.first] }
    }

    fn log_likelihood(&self, mass: &[f64]) -> f64 {
        let cumulative = Self::cumulative(mass);
        let term = |row: &Range| row.weight * special::ln(Self::chance(row, mass, &cumulative).max(0.0));
        self.rows.iter().map(term).sum()
    }

    /// Derivative of the log-likelihood by each mass.
    fn slopes(&self) -> Vec<f64> {
        let cumulative = Self::cumulative(&self.mass);
        let mut change = vec![0.0; self.mass.len() + 1];
        let mut single = vec![0.0; self.mass.len()];
        for row in &self.rows {
            let slope = row.weight / Self::chance(row, &self.mass, &cumulative);
            if row.first == row.last {
                single[row.first] += slope;
            } else {
                change[row.first] += slope;
                change[row.last + 1] -= slope;
            }
        }
        let mut sum = 0.0;
        let slope = |(change, single): (&f64, &f64)| {
            sum += change;
            sum + single
        };
        change.iter().zip(&single).map(slope).collect()
    }

    /// By concavity no masses are better than these by more than the steepest slope less the average one.
    fn shortfall(&self, slopes: &[f64]) -> f64 {
        let n: f64 = self.rows.iter().map(|row| row.weight).sum();
        slopes.iter().copied().fold(f64::NEG_INFINITY, f64::max) - n
    }

    /// Expectation-maximisation: every row spreads over its supports in proportion to their mass.
    fn expect(&mut self, slopes: &[f64]) {
        self.mass.iter_mut().zip(slopes).for_each(|(mass, slope)| *mass *= slope);
        let all: f64 = self.mass.iter().sum();
        self.mass.iter_mut().for_each(|mass| *mass /= all);
    }

    /// Iterative convex minorant: a Newton step on the distribution function with a diagonal Hessian, projected on
    /// increasing functions, halved until the likelihood does not fall.
    fn minorant(&mut self) {
        let inner = self.mass.len().saturating_sub(1);
        let cumulative = Self::cumulative(&self.mass);
        let (mut slope, mut curvature) = (vec![0.0; inner], vec![0.0; inner]);
        for row in &self.rows {
            let step = 1.0 / Self::chance(row, &self.mass, &cumulative);
            for (edge, sign) in [(row.last.checked_add(1), 1.0), (Some(row.first), -1.0)] {
                // Edge k is F after the first k supports; F at both ends of all is fixed.
                if let Some(k) = edge.and_then(|edge| edge.checked_sub(1)).filter(|&k| k < inner) {
                    slope[k] += sign * row.weight * step;
                    curvature[k] += row.weight * step * step;
                }
            }
        }
        let target = |k: usize| cumulative[k + 1] + slope[k] / curvature[k];
        let fitted = isotonic((0..inner).map(|k| (target(k), curvature[k])));
        let mut wanted = Vec::with_capacity(inner + 1);
        let mut below = 0.0;
        for f in fitted.into_iter().map(|f| f.clamp(0.0, 1.0)).chain([1.0]) {
            wanted.push(f - below);
            below = f;
        }
        let now = self.log_likelihood(&self.mass);
        let mut share = 1.0;
        for _ in 0..20 {
            let mix = |(mass, wanted): (&f64, &f64)| mass + share * (wanted - mass);
            let tried: Vec<f64> = self.mass.iter().zip(&wanted).map(mix).collect();
            if self.log_likelihood(&tried) > now {
                self.mass = tried;
                return;
            }
            share *= 0.5;
        }
    }
}

/// The non-decreasing sequence nearest to weighted values, by pooling adjacent violators.
fn isotonic(values: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in values {
        let mut block = (value, weight, 1);
        while let Some(last) = blocks.pop_if(|last| last.0 >= block.0) {
            let weight = last.1 + block.1;
            block = (last.0 + (block.0 - last.0) * (block.1 / weight), weight, last.2 + block.2);
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(value, _, n)| std::iter::repeat_n(value, n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_ends_give_the_empirical_curve() {
        let times = [3.0, 1.0, 4.0, 1.0, 5.0];
        let curve = Turnbull::fit(&Brackets::new(&times, &times.map(Some)).unwrap());
        for (t, s) in [(0.0, 1.0), (1.0, 0.6), (3.5, 0.4), (5.0, 0.0)] {
            assert!((curve.survival(t).get() - s).abs() < 1e-9, "{t}");
        }
    }

    #[test]
    fn an_end_at_an_upper_bound_lies_inside_and_one_at_a_lower_bound_does_not() {
        let innermost = |rows: &[(f64, f64)]| {
            let rows: Vec<Bracket> = rows.iter().map(|&(lower, upper)| Bracket { lower, upper }).collect();
            innermost(&rows)
        };
        assert_eq!(innermost(&[(1.0, 3.0), (3.0, 3.0)]), [(3.0, 3.0)]);
        assert_eq!(innermost(&[(3.0, 5.0), (3.0, 3.0)]), [(3.0, 3.0), (3.0, 5.0)]);
        assert_eq!(
            innermost(&[(0.0, 5.0), (0.0, 0.0)]),
            [(0.0, 0.0)],
            "left-censored: over by 5, maybe at once"
        );
    }

    #[test]
    fn only_open_deals_end_after_all_of_them() {
        let curve = Turnbull::fit(&Brackets::new(&[3.0, 8.0], &[None, None]).unwrap());
        assert_eq!((curve.survival(1e9).get(), curve.support().len()), (1.0, 1));
        assert_eq!((curve.support()[0].lower(), curve.support()[0].upper()), (8.0, None));
    }
}
