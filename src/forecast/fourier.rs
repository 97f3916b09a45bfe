//! Complex numbers and the fast Fourier transform, as far as the engines need them.
#![expect(clippy::indexing_slicing, reason = "butterflies on slices whose lengths are powers of two")]

use crate::num::{count, special};
use std::ops::{Add, Mul, Sub};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

impl Complex {
    pub(crate) const ONE: Self = Self { re: 1.0, im: 0.0 };

    /// e^(2 pi i turns); whole turns are taken off first.
    pub(crate) fn turn(turns: f64) -> Self {
        let (im, re) = special::sin_cos(std::f64::consts::TAU * (turns - turns.round()));
        Self { re, im }
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    pub(crate) fn conj(self) -> Self {
        Self { re: self.re, im: -self.im }
    }

    pub(crate) fn abs(self) -> f64 {
        (self.re * self.re + self.im * self.im).sqrt()
    }

    /// e^self.
    pub(crate) fn exp(self) -> Self {
        let (sin, cos) = special::sin_cos(self.im);
        let size = special::exp(self.re);
        Self { re: size * cos, im: size * sin }
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

/// Replaces x by its transform, `x[k] <- sum over j of x[j] e^(-2 pi i j k / n)`, n a power of two.
///
/// # Reference
/// Cooley & Tukey (1965); decimation in time.
pub(crate) fn fft(x: &mut [Complex]) {
    let n = x.len();
    debug_assert!(n.is_power_of_two());
    if n < 2 {
        return;
    }
    let shift = usize::BITS - n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> shift;
        if i < j {
            x.swap(i, j);
        }
    }
    let root: Vec<Complex> = (0..n / 2).map(|k| Complex::turn(-count(k) / count(n))).collect();
    let mut half = 1;
    while half < n {
        let stride = n / (2 * half);
        for block in x.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let turned = *b * root[k * stride];
                (*a, *b) = (*a + turned, *a - turned);
            }
        }
        half *= 2;
    }
}

/// The real sequence of length `n` (a power of two) `x_k` = 1/n sum over j of `f_j` e^(-2 pi i j k / n), from the first
/// `f.len() <= n / 2 + 1` coefficients; those above are 0, those beyond n / 2 conjugate.
pub(crate) fn real_values(f: &[Complex], n: usize) -> Vec<f64> {
    let mut x = vec![Complex::default(); n];
    for (j, &c) in f.iter().enumerate().take(n / 2 + 1) {
        let c = c.times(1.0 / count(n));
        if j == 0 || 2 * j == n {
            x[j] = Complex { re: c.re, im: 0.0 };
        } else {
            x[j] = c;
            x[n - j] = c.conj();
        }
    }
    fft(&mut x);
    x.into_iter().map(|value| value.re).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_sum() {
        let x: Vec<Complex> =
            (0..16_u32).map(|k| Complex { re: f64::from(k * k % 7), im: f64::from(k % 3) }).collect();
        let mut y = x.clone();
        fft(&mut y);
        for (k, y) in y.iter().enumerate() {
            let sum = x
                .iter()
                .enumerate()
                .fold(Complex::default(), |sum, (j, x)| sum + *x * Complex::turn(-count(j * k) / 16.0));
            assert!((*y - sum).abs() < 1e-13, "a few roundings of numbers up to 60");
        }
    }
}
