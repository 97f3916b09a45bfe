//! A distribution told by some of its quantiles.

use crate::num::Level;

/// Straight lines between given quantiles; what lies beyond the outermost is put on them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Knots {
    /// (level, value), both not decreasing.
    at: Vec<(f64, f64)>,
}

impl Knots {
    pub(crate) fn new(at: Vec<(f64, f64)>) -> Self {
        Self { at }
    }

    fn pieces(&self) -> impl Iterator<Item = [(f64, f64); 2]> {
        self.at.iter().zip(self.at.iter().skip(1)).map(|(a, b)| [*a, *b])
    }

    /// P(T <= x), or P(T < x) where points equal to x do not count.
    fn mass(&self, counts: impl Fn(f64) -> bool, x: f64) -> f64 {
        let n = self.at.partition_point(|(_, value)| counts(*value));
        let before = n.checked_sub(1).and_then(|i| self.at.get(i));
        match (before, self.at.get(n)) {
            (None, _) => 0.0,
            (Some(_), None) => 1.0,
            (Some((p, a)), Some((q, b))) if b > a => p + (q - p) * ((x - a) / (b - a)),
            (Some((p, _)), Some(_)) => *p,
        }
    }

    pub(crate) fn cdf(&self, x: f64) -> f64 {
        self.mass(|value| value <= x, x)
    }

    pub(crate) fn at_least(&self, x: f64) -> f64 {
        // Reaching the last value from below leaves the mass that sits on it.
        let last = self.at.last().map_or((0.0, 0.0), |last| *last);
        let below = if x.total_cmp(&last.1).is_eq() {
            let first = self.at.partition_point(|(_, value)| *value < x);
            self.at.get(first).map_or(last.0, |(p, _)| *p)
        } else {
            self.mass(|value| value < x, x)
        };
        1.0 - below
    }

    pub(crate) fn quantile(&self, level: Level) -> f64 {
        let p = level.get();
        let n = self.at.partition_point(|(q, _)| *q < p);
        let before = n.checked_sub(1).and_then(|i| self.at.get(i));
        match (before, self.at.get(n)) {
            (Some((p0, a)), Some((p1, b))) => a + (b - a) * ((p - p0) / (p1 - p0)),
            (None, Some((_, x))) | (Some((_, x)), None) => *x,
            (None, None) => 0.0,
        }
    }

    /// E max(0, x - T) = the integral of F up to x.
    pub(crate) fn shortfall(&self, x: f64) -> f64 {
        let inside: f64 = self
            .pieces()
            .filter(|[(_, a), _]| *a < x)
            .map(|[(_, a), (q, b)]| {
                let end = b.min(x);
                let top = if end < b { self.cdf(end) } else { q };
                (end - a) * 0.5 * (self.cdf(a) + top)
            })
            .sum();
        inside + self.at.last().map_or(0.0, |(_, last)| (x - last).max(0.0))
    }

    /// Integral of F (1 - F): with F straight on a piece, exact by Simpson's rule.
    pub(crate) fn half_distance(&self) -> f64 {
        let g = |p: f64| p * (1.0 - p);
        self.pieces().map(|[(p, a), (q, b)]| (b - a) / 6.0 * (g(p) + 4.0 * g(0.5 * (p + q)) + g(q))).sum()
    }

    /// Mean and standard deviation.
    pub(crate) fn moments(&self) -> (f64, f64) {
        let first = self.at.first().map_or((0.0, 0.0), |end| *end);
        let last = self.at.last().map_or((0.0, 0.0), |end| *end);
        let ends = [(first.0, first.1), (1.0 - last.0, last.1)];
        let mean = ends.iter().map(|(p, x)| p * x).sum::<f64>()
            + self.pieces().map(|[(p, a), (q, b)]| (q - p) * (0.5 * a + 0.5 * b)).sum::<f64>();
        let widest = ends.iter().map(|(_, x)| (x - mean).abs()).fold(0.0, f64::max);
        if widest == 0.0 || !widest.is_finite() {
            return (mean, 0.0);
        }
        let off = |x: f64| (x - mean) / widest;
        let square = ends.iter().map(|(p, x)| p * off(*x) * off(*x)).sum::<f64>()
            + self
                .pieces()
                .map(|[(p, a), (q, b)]| {
                    let (a, b) = (off(a), off(b));
                    (q - p) * (a * a + a * b + b * b) / 3.0
                })
                .sum::<f64>();
        (mean, widest * square.sqrt())
    }
}
