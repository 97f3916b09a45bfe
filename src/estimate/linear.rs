//! Small symmetric systems, as Newton's method and regressions ask for.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is below the n that the constructor checked against the length"
)]

/// The factor L of a symmetric positive definite matrix A = L L', row by row.
pub(super) struct Cholesky {
    n: usize,
    l: Vec<f64>,
}

impl Cholesky {
    /// `None` where a pivot falls below this share of its diagonal: not positive definite, as far as doubles can tell.
    const SMALLEST_PIVOT: f64 = 1e-14;

    /// From the rows of the matrix, `n` x `n`; `None` unless it is positive definite.
    pub(super) fn new(matrix: &[f64], n: usize) -> Option<Self> {
        if matrix.len() != n * n {
            return None;
        }
        let mut l = matrix.to_vec();
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
                let rest = matrix[i * n + j] - dot;
                if i > j {
                    l[i * n + j] = rest / l[j * n + j];
                } else if rest > Self::SMALLEST_PIVOT * matrix[i * n + i] && rest.is_finite() {
                    l[i * n + i] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self { n, l })
    }

    /// x with A x = b.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, l) = (self.n, &self.l);
        let mut x: Vec<f64> = b.iter().copied().chain(std::iter::repeat(0.0)).take(n).collect();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| l[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / l[i * n + i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::Cholesky;

    #[test]
    fn solves_and_refuses() {
        let x = Cholesky::new(&[4.0, 2.0, 2.0, 3.0], 2).unwrap().solve(&[2.0, 5.0]);
        assert!((x[0] + 0.5).abs() < 1e-15 && (x[1] - 2.0).abs() < 1e-15);
        assert!(Cholesky::new(&[1.0, 1.0, 1.0, 1.0], 2).is_none());
        assert!(Cholesky::new(&[f64::NAN], 1).is_none());
    }
}
