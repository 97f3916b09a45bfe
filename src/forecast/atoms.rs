//! A total that takes countably many values: sorted points with their probabilities.

use crate::num::{Level, count, sum::Sum};

/// Points in increasing order with P(T <= point).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Atoms {
    at: Vec<f64>,
    below: Vec<f64>,
    /// P(T >= point), summed from above: no cancellation in the upper tail.
    above: Vec<f64>,
    /// Sum of mass x (point - first point) up to here.
    moment: Vec<f64>,
}

impl Atoms {
    /// From points in increasing order (equal ones are joined) and masses that sum to 1 up to rounding.
    pub(crate) fn sorted(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut at: Vec<f64> = Vec::new();
        let mut above: Vec<f64> = Vec::new();
        for (x, m) in points.filter(|(_, m)| *m > 0.0) {
            if let Some(mass) = above.last_mut().filter(|_| at.last() == Some(&x)) {
                *mass += m;
            } else {
                at.push(x);
                above.push(m);
            }
        }
        let (mut mass, mut first_moment) = (Sum::default(), Sum::default());
        let first = at.first().copied().unwrap_or(0.0);
        let (mut below, mut moment) = (Vec::with_capacity(at.len()), Vec::with_capacity(at.len()));
        for (x, m) in at.iter().zip(&above) {
            mass.add(*m);
            first_moment.add(m * (x - first));
            below.push(mass.get().min(1.0));
            moment.push(first_moment.get());
        }
        // What rounding left of 1 belongs to the ends.
        if let Some(last) = below.last_mut() {
            *last = 1.0;
        }
        let mut mass = Sum::default();
        for m in above.iter_mut().rev() {
            mass.add(*m);
            *m = mass.get().min(1.0);
        }
        if let Some(first) = above.first_mut() {
            *first = 1.0;
        }
        Self { at, below, above, moment }
    }

    /// From sorted samples of mass 1 / n each; P(T <= point) is a count over n, to the last bit.
    pub(crate) fn counted(samples: &[f64], n: f64) -> Self {
        let mut this = Self { at: Vec::new(), below: Vec::new(), above: Vec::new(), moment: Vec::new() };
        let first = samples.first().copied().unwrap_or(0.0);
        let mut moment = Sum::default();
        for (k, x) in samples.iter().enumerate() {
            moment.add((x - first) / n);
            if this.at.last() == Some(x) {
                this.below.pop();
                this.moment.pop();
            } else {
                this.at.push(*x);
                this.above.push((n - count(k)) / n);
            }
            this.below.push((count(k) + 1.0) / n);
            this.moment.push(moment.get());
        }
        this
    }

    fn before(&self, n: usize) -> (f64, f64) {
        n.checked_sub(1).map_or((0.0, 0.0), |i| {
            (self.below.get(i).copied().unwrap_or(0.0), self.moment.get(i).copied().unwrap_or(0.0))
        })
    }

    /// P(T <= x).
    pub(crate) fn cdf(&self, x: f64) -> f64 {
        self.before(self.at.partition_point(|a| *a <= x)).0
    }

    /// P(T >= x).
    pub(crate) fn at_least(&self, x: f64) -> f64 {
        self.above.get(self.at.partition_point(|a| *a < x)).copied().unwrap_or(0.0)
    }

    /// The smallest point with P(T <= point) >= level.
    pub(crate) fn quantile(&self, level: Level) -> f64 {
        let i = self.below.partition_point(|f| *f < level.get());
        self.at.get(i).or(self.at.last()).copied().unwrap_or(0.0)
    }

    /// E max(0, x - T).
    pub(crate) fn shortfall(&self, x: f64) -> f64 {
        let (mass, moment) = self.before(self.at.partition_point(|a| *a < x));
        let first = self.at.first().copied().unwrap_or(0.0);
        (mass * (x - first) - moment).max(0.0)
    }

    /// Integral of F (1 - F): half the mean distance of two independent totals.
    pub(crate) fn half_distance(&self) -> f64 {
        self.at
            .iter()
            .zip(self.at.iter().skip(1))
            .zip(&self.below)
            .map(|((a, b), f)| (b - a) * f * (1.0 - f))
            .collect::<Sum>()
            .get()
    }

    /// Mean and standard deviation of the points.
    pub(crate) fn moments(&self) -> (f64, f64) {
        let masses = || self.below.iter().zip([0.0].iter().chain(&self.below)).map(|(f, before)| f - before);
        let mean = self.at.iter().zip(masses()).map(|(x, m)| x * m).collect::<Sum>().get();
        let widest = self.at.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
        if widest == 0.0 || !widest.is_finite() {
            return (mean, 0.0);
        }
        let square = |x: &f64| ((x - mean) / widest) * ((x - mean) / widest);
        let variance = self.at.iter().zip(masses()).map(|(x, m)| square(x) * m).collect::<Sum>().get();
        (mean, widest * variance.sqrt())
    }
}
