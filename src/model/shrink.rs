//! Observed over expected, drawn towards 1 as far as the groups do not really differ.
//!
//! # Formula
//! `r_l = (q + O_l) / (q + E_l)`: the posterior mean under a gamma prior with mean 1 and variance `1 / q`. By moments
//! `1 / q = (sum ((O - E)^2 - E) - s) / sum E^2` over the groups, less its own sampling error
//! `s = sqrt(sum (2 E^2 + E))` (the variance of `(O - E)^2 - E` for a Poisson count), and `q >= 2`.
//!
//! # Reference
//! Clayton & Kaldor (1987), Empirical Bayes estimates of age-standardized relative risks, section 3.1.

const LEAST_STRENGTH: f64 = 2.0;

/// The factor of every group from its (observed, expected).
pub(crate) fn factors(groups: &[(f64, f64)]) -> Vec<f64> {
    let (mut excess, mut noise, mut scale) = (0.0, 0.0, 0.0);
    for (observed, expected) in groups {
        excess += (observed - expected) * (observed - expected) - expected;
        noise += 2.0 * expected * expected + expected;
        scale += expected * expected;
    }
    let spread = (excess - noise.sqrt()) / scale;
    if !(spread > 0.0) {
        return vec![1.0; groups.len()];
    }
    let q = (1.0 / spread).max(LEAST_STRENGTH);
    groups.iter().map(|(observed, expected)| (q + observed) / (q + expected)).collect()
}

#[cfg(test)]
mod tests {
    use super::factors;

    #[test]
    fn groups_that_do_not_differ_are_pooled() {
        assert_eq!(factors(&[(100.0, 103.0), (98.0, 95.0), (10.0, 10.0)]), [1.0; 3]);
        assert_eq!(factors(&[]), Vec::<f64>::new());
        assert_eq!(factors(&[(0.0, 0.0)]), [1.0]);
    }

    #[test]
    fn groups_that_differ_keep_most_of_their_difference() {
        let factors = factors(&[(300.0, 100.0), (30.0, 100.0), (1.0, 1.0)]);
        assert!(factors[0] > 2.9 && factors[1] < 0.35, "{factors:?}");
        assert!((factors[2] - 1.0).abs() < 1e-12);
    }
}
