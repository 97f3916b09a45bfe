//! A total that is as good as continuous: its distribution as a Fourier series.
//!
//! # Formula
//! With `phi_j` = E e^(i 2 pi j (T - origin) / period) and t = (x - origin) / period,
//! F(t) = t + Re sum over j >= 1 of (i `phi_j` / (pi j)) (e^(-2 pi i j t) - 1). The only approximations are the mass
//! outside one period and the coefficients that were left out; both are bounded where the series is made.
//!
//! # Numerics
//! Where the amounts are multiples of a unit, P(T >= x) is read half a unit below the first lattice point at or above
//! x: by Poisson's summation formula the series through the lattice masses then gives their partial sums up to
//! (unit / sd)^2 / 100.

use super::fourier::{Complex, real_values};
use super::lattice::Lattice;
use crate::num::{Level, count};
use std::f64::consts::PI;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    frame: Frame,
    /// i `phi_j` / (pi j), j = 1, 2, ..
    cdf: Vec<Complex>,
    /// F at equal steps over the period.
    table: Vec<f64>,
}

/// Where a series lives: x = origin + period x t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    /// What is certain; lattice points are counted from here.
    pub(crate) fixed: f64,
    pub(crate) origin: f64,
    pub(crate) period: f64,
    pub(crate) lattice: Option<Lattice>,
}

impl Frame {
    fn time(&self, x: f64) -> f64 {
        (x - self.origin) / self.period
    }

    /// Where the series is read for P(T <= x).
    fn upto(&self, x: f64) -> f64 {
        let Some(lattice) = self.lattice else { return self.time(x) };
        let k = lattice.floor(x - self.fixed);
        self.time(self.fixed + lattice.value(k)) + 0.5 * lattice.unit() / self.period
    }

    /// Where the series is read for P(T >= x).
    pub(crate) fn from(&self, x: f64) -> f64 {
        let Some(lattice) = self.lattice else { return self.time(x) };
        let floor = lattice.floor(x - self.fixed);
        let k = if lattice.value(floor) < x - self.fixed { floor + 1.0 } else { floor };
        self.time(self.fixed + lattice.value(k)) - 0.5 * lattice.unit() / self.period
    }
}

impl Series {
    /// From `phi_0` = 1, `phi_1`, ..
    pub(crate) fn new(frame: &Frame, phi: &[Complex]) -> Self {
        let cdf: Vec<Complex> = (1..)
            .zip(phi.iter().skip(1))
            .map(|(j, c)| Complex { re: -c.im, im: c.re }.times(1.0 / (PI * count(j))))
            .collect();
        let offset: f64 = cdf.iter().map(|c| c.re).sum();
        let n = (8 * phi.len()).next_power_of_two();
        // real_values gives 1/n (f_0 + 2 Re sum f_j e^(-i..)).
        let half = 0.5 * count(n);
        let waves: Vec<Complex> =
            [Complex::default()].into_iter().chain(cdf.iter().map(|c| c.times(half))).collect();
        let table = real_values(&waves, n)
            .into_iter()
            .enumerate()
            .map(|(k, wave)| (count(k) / count(n) + wave - offset).clamp(0.0, 1.0))
            .chain([1.0])
            .collect();
        Self { frame: *frame, cdf, table }
    }

    /// F at t, and the sums behind the integral of F.
    fn smooth(&self, t: f64) -> f64 {
        if t <= 0.0 {
            return 0.0;
        }
        if t >= 1.0 {
            return 1.0;
        }
        let step = Complex::turn(-t);
        // Horner: sum c_j s^j = s (c_1 + s (c_2 + ..)).
        let wave = self.cdf.iter().rev().fold(Complex::default(), |sum, c| (sum + *c) * step);
        let offset: f64 = self.cdf.iter().map(|c| c.re).sum();
        (t + wave.re - offset).clamp(0.0, 1.0)
    }

    pub(crate) fn cdf(&self, x: f64) -> f64 {
        self.smooth(self.frame.upto(x))
    }

    pub(crate) fn at_least(&self, x: f64) -> f64 {
        1.0 - self.smooth(self.frame.from(x))
    }

    /// The smallest x with F(x) >= level, to the last bits of x or to the lattice.
    pub(crate) fn quantile(&self, level: Level) -> f64 {
        let p = level.get();
        let right = self.table.partition_point(|f| *f < p).max(1);
        let steps = count(self.table.len() - 1);
        let (mut low, mut high) = (count(right - 1) / steps, count(right) / steps);
        // The table and the sum differ in the last bits; step out until the level is bracketed.
        while low > 0.0 && self.smooth(low) >= p {
            low = (low - 1.0 / steps).max(0.0);
        }
        while high < 1.0 && self.smooth(high) < p {
            high = (high + 1.0 / steps).min(1.0);
        }
        let (low, high) = bracket(low, high, |t| self.smooth(t) - p);
        let Frame { fixed, origin, period, lattice } = self.frame;
        let Some(lattice) = lattice else { return origin + period * high };
        let mut k = lattice.floor(origin + period * (0.5 * low + 0.5 * high) - fixed) - 1.0;
        let point = |k: f64| fixed + lattice.value(k);
        for _ in 0..4 {
            if self.cdf(point(k)) >= p {
                break;
            }
            k += 1.0;
        }
        point(k)
    }

    /// E max(0, x - T), the integral of F up to x.
    pub(crate) fn shortfall(&self, x: f64) -> f64 {
        let t = self.frame.time(x).max(0.0);
        let inside = t.min(1.0);
        let step = Complex::turn(-inside);
        let mut power = Complex::ONE;
        let mut sum = 0.5 * inside * inside;
        for (j, c) in (1..).zip(&self.cdf) {
            power = power * step;
            // c (s^j - 1) / (-2 pi i j)
            let d = *c * (power - Complex::ONE);
            sum += -d.im / (2.0 * PI * count(j)) - c.re * inside;
        }
        self.frame.period * (sum.max(0.0) + (t - inside))
    }

    /// Integral of F (1 - F): the trapezoid sum is exact for a band-limited function that vanishes at both ends.
    pub(crate) fn half_distance(&self) -> f64 {
        let sum: f64 = self.table.iter().map(|f| f * (1.0 - f)).sum();
        self.frame.period * sum / count(self.table.len() - 1)
    }
}

/// Narrows low < root <= high with f(low) < 0 <= f(high) by the Illinois rule until nothing lies between.
fn bracket(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> (f64, f64) {
    let (mut below, mut above) = (f(low), f(high));
    let mut side = 0;
    for turn in 0..80 {
        if high - low <= 8.0 * f64::EPSILON * high {
            break;
        }
        let secant = high - above * (high - low) / (above - below);
        // A step of an ulp inside the ends, so that both of them move.
        let edge = f64::EPSILON * high;
        let inside = secant.max(low + edge).min(high - edge);
        let middle = 0.5 * (low + high);
        let x = if turn % 8 == 7 || !(low < inside && inside < high) { middle } else { inside };
        let value = f(x);
        if value >= 0.0 {
            (high, above) = (x, value);
            if side == 1 {
                below *= 0.5;
            }
            side = 1;
        } else {
            (low, below) = (x, value);
            if side == -1 {
                above *= 0.5;
            }
            side = -1;
        }
    }
    (low, high)
}
