//! Numbers in a stored report: as many digits as every reader of JSON gives back.

/// The number to fifteen significant digits. Some readers of JSON lose the last bit of a double, which is less than half
/// a unit of the fifteenth digit: rounded again, the number is the same.
pub(crate) fn fifteen(x: f64) -> f64 {
    let rounded = format!("{x:.14e}").parse().unwrap_or(x);
    // Next to the largest double there is no such number.
    if f64::is_finite(rounded) { rounded } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_bit_comes_back() {
        let next = |x: f64, by: i64| f64::from_bits(x.to_bits().wrapping_add_signed(by));
        for x in [1.0 / 3.0, 2e300 / 7.0, 1e-300 / 7.0, 0.1 + 0.2, 123_456_789.123_456_78, 1e22 / 3.0] {
            let rounded = fifteen(x);
            assert!((rounded / x - 1.0).abs() < 1e-14);
            for by in [-1, 0, 1] {
                assert_eq!(fifteen(next(rounded, by)), rounded);
            }
        }
        for exact in [0.0, 1.0, -2.5, 1e15, f64::MAX, 5e-324] {
            assert_eq!(fifteen(exact), exact);
        }
    }
}
