//! The exact distribution of a count: Poisson, negative binomial or binomial, as one table.
//!
//! # Formula
//! All three satisfy `p(k) = (a + b / k) p(k - 1)` (Panjer's class). The table is filled outwards from the mode with
//! relative weights and divided by their sum, so that no factorial and no special function enters and every value is
//! right to about 1e-15. With `F` the distribution function and `S = 1 - F`, a step function of the integers,
//! `CRPS(y)` = integral of `F^2` below `y` + integral of `S^2` above `y`, from running sums.
//!
//! # Reference
//! Panjer (1981), Recursive evaluation of a family of compound distributions, ASTIN Bulletin 12, eq. 1.

use crate::num::sum::Sum;
use crate::{Error, ErrorKind, Result};

/// Most values a table may hold: 24 MiB. Reached at a standard deviation of about 60,000.
const MOST: usize = 1 << 20;
/// What is left out on each side is below this share of the largest single probability.
const NEGLIGIBLE: f64 = 1e-18;

/// `p(k) = (a + b / k) p(k - 1)`, for k up to `last`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recursion {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) last: f64,
}

/// A distribution on consecutive integers, with the running sums that scores need.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CountTable {
    first: f64,
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Row {
    /// P(X <= k) and P(X > k), each summed from its own end.
    cdf: f64,
    survival: f64,
    /// Sum of `cdf^2` over all smaller values; sum of `survival^2` over this and all larger ones.
    below: f64,
    above: f64,
}

impl CountTable {
    /// All mass on one value.
    pub(super) fn certain(value: f64) -> Self {
        Self { first: value, rows: vec![Row { cdf: 1.0, ..Row::default() }] }
    }

    pub(super) fn new(recursion: Recursion) -> Result<Self> {
        let (first, weights) = recursion.weights()?;
        let total = weights.iter().copied().collect::<Sum>().get();
        let mut rows = Vec::with_capacity(weights.len());
        let (mut mass, mut below) = (Sum::default(), Sum::default());
        for weight in &weights {
            mass.add(*weight);
            let cdf = (mass.get() / total).min(1.0);
            rows.push(Row { cdf, below: below.get(), ..Row::default() });
            below.add(cdf * cdf);
        }
        let (mut mass, mut above) = (Sum::default(), Sum::default());
        for (row, weight) in rows.iter_mut().zip(&weights).rev() {
            row.survival = mass.get() / total;
            above.add(row.survival * row.survival);
            row.above = above.get();
            mass.add(*weight);
        }
        if let Some(last) = rows.last_mut() {
            last.cdf = 1.0;
        }
        Ok(Self { first, rows })
    }

    /// P(X <= x) for any real x.
    pub(super) fn cdf(&self, x: f64) -> f64 {
        self.row(x).map_or(0.0, |(row, _)| row.cdf)
    }

    /// P(X < x) for any real x.
    pub(super) fn cdf_below(&self, x: f64) -> f64 {
        self.cdf(x.ceil() - 1.0)
    }

    pub(super) fn crps(&self, y: f64) -> f64 {
        let Some((row, past)) = self.row(y) else {
            return self.first - y + self.rows.first().map_or(0.0, |row| row.above);
        };
        // Beyond the last value the survival is 0, whatever is left of its unit step.
        let rest = row.above - past * row.survival * row.survival;
        row.below + past * row.cdf * row.cdf + rest.max(0.0)
    }

    /// Smallest value with P(X <= value) >= p.
    pub(super) fn quantile(&self, p: f64) -> f64 {
        let at = self.rows.partition_point(|row| row.cdf < p).min(self.rows.len().saturating_sub(1));
        self.first + crate::num::count(at)
    }

    /// Smallest value with P(X > value) <= p.
    pub(super) fn upper_quantile(&self, p: f64) -> f64 {
        let at = self.rows.partition_point(|row| row.survival > p).min(self.rows.len().saturating_sub(1));
        self.first + crate::num::count(at)
    }

    /// The row of the largest value <= x, and how far x lies beyond it; `None` below the first value.
    fn row(&self, x: f64) -> Option<(&Row, f64)> {
        let steps = (x - self.first).floor();
        let at =
            if steps >= 0.0 { index(steps).min(self.rows.len().saturating_sub(1)) } else { return None };
        self.rows.get(at).map(|row| (row, x - self.first - crate::num::count(at)))
    }
}

impl Recursion {
    /// The first value and the weights relative to the mode's, in increasing order of the value.
    fn weights(self) -> Result<(f64, Vec<f64>)> {
        let Self { a, b, last } = self;
        let mode = (b / (1.0 - a)).floor().clamp(0.0, last);
        let too_wide = || Error::new(ErrorKind::TooLarge, "a count spread over at most a million values");
        if mode.is_nan() || mode >= 9.0e15 {
            return Err(too_wide());
        }
        let mut weights = Vec::new();
        let (mut weight, mut k) = (1.0, mode);
        // Below the mode the ratio p(k - 1) / p(k) falls with k, so a geometric series bounds what is left out.
        while k > 0.0 {
            let ratio = 1.0 / (a + b / k);
            weight *= ratio;
            k -= 1.0;
            weights.push(weight);
            if ratio < 1.0 && weight * ratio < NEGLIGIBLE * (1.0 - ratio) {
                break;
            }
            if weights.len() > MOST {
                return Err(too_wide());
            }
        }
        let first = k;
        weights.reverse();
        (weight, k) = (1.0, mode);
        while k <= last {
            weights.push(weight);
            k += 1.0;
            // Above the mode the ratio tends to `a` from either side.
            let ratio = (a + b / k).max(0.0);
            let bound = ratio.max(a);
            weight *= ratio;
            if bound < 1.0 && weight < NEGLIGIBLE * (1.0 - bound) {
                break;
            }
            if weights.len() > MOST {
                return Err(too_wide());
            }
        }
        Ok((first, weights))
    }
}

/// A position in a table; beyond `usize` it saturates, and is then cut to the table's length.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number >= 0; saturating")]
const fn index(steps: f64) -> usize {
    steps as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two units of rounding for each of the few hundred terms of the largest table here.
    const ROUNDING: f64 = 1e-12;

    /// Binomial(4, 1/2) by hand: 1, 4, 6, 4, 1 sixteenths.
    #[test]
    fn four_coins() {
        let table = CountTable::new(Recursion { a: -1.0, b: 5.0, last: 4.0 }).unwrap();
        for (k, sixteenths) in
            [(-1.0, 0.0), (0.0, 1.0), (1.0, 5.0), (2.0, 11.0), (3.5, 15.0), (4.0, 16.0), (9.0, 16.0)]
        {
            assert_eq!(table.cdf(k), sixteenths / 16.0);
        }
        assert_eq!(table.cdf_below(2.0), 5.0 / 16.0);
        assert_eq!(table.cdf_below(2.5), 11.0 / 16.0);
        assert_eq!(
            (table.quantile(5.0 / 16.0), table.quantile(0.32), table.upper_quantile(0.07)),
            (1.0, 2.0, 3.0)
        );
        // y = 2: (1 + 25 + 25 + 1) / 256.
        assert!((table.crps(2.0) - 52.0 / 256.0).abs() < ROUNDING);
    }

    #[test]
    fn the_score_is_the_integral_of_the_squared_difference() {
        let families = [
            Recursion { a: 0.0, b: 4.0, last: f64::INFINITY },
            Recursion { a: 0.9, b: -0.7, last: f64::INFINITY },
            Recursion { a: -1.5, b: 31.5, last: 20.0 },
        ];
        for table in families.map(|r| CountTable::new(r).unwrap()) {
            for y in [-3.25, 0.0, 0.375, 1.0, 3.75, 20.0, 500.0, 900.5] {
                // Midpoints of a grid of 1/8: the integrand is constant on each cell.
                let cells = (-32..8000).map(|i| (f64::from(i) + 0.5) / 8.0);
                let direct: f64 = cells
                    .map(|x| table.cdf(x) - f64::from(u8::from(y <= x)))
                    .map(|gap| gap * gap / 8.0)
                    .sum();
                assert!((table.crps(y) - direct).abs() < ROUNDING * (1.0 + y.abs()), "{y}");
            }
        }
    }

    #[test]
    fn a_table_that_would_be_too_large_is_refused_at_once() {
        for (a, b) in [(0.0, 1e12), (0.0, 1e300), (1.0, 0.0), (1.0 - 1e-15, -0.5), (0.0, f64::INFINITY)] {
            let refused = CountTable::new(Recursion { a, b, last: f64::INFINITY });
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge, "{a} {b}");
        }
    }
}
