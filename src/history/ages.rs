//! Bins of completed days in a stage: fine where deals move fast, coarse where they wait.

/// The first age that shares its bin.
const DAILY: usize = 16;
/// Number of bins; the last one has no end.
pub(crate) const N_BINS: usize = 66;
/// Ages with a table entry; all above lie in the last bin.
#[allow(clippy::cast_sign_loss, reason = "starts are >= 0")]
const TABLE: usize = STARTS[N_BINS - 1] as usize;

/// First age of every bin: one bin a day up to age 15 (age 0, "left on the day it entered", is a bin of its own),
/// then widths growing by 15 %.
pub(crate) const STARTS: [i32; N_BINS] = starts();
const BIN_OF: [u8; TABLE] = bins();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
const fn starts() -> [i32; N_BINS] {
    let mut starts = [0; N_BINS];
    // In thousandths of a day, so that the table is exact integer arithmetic.
    let (mut end, mut width) = (0_i64, 1000_i64);
    let mut bin = 0;
    while bin < N_BINS {
        starts[bin] = day((end + 500) / 1000);
        if bin + 1 >= DAILY {
            width = width * 115 / 100;
        }
        end += width;
        bin += 1;
    }
    starts
}

#[allow(clippy::cast_possible_truncation, reason = "the largest start is below 10,000 days")]
const fn day(age: i64) -> i32 {
    age as i32
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "66 bins fit a byte, 10,000 ages an i32"
)]
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
const fn bins() -> [u8; TABLE] {
    let mut table = [0; TABLE];
    let (mut age, mut bin) = (0, 0);
    while age < TABLE {
        while bin + 1 < N_BINS && STARTS[bin + 1] <= age as i32 {
            bin += 1;
        }
        table[age] = bin as u8;
        age += 1;
    }
    table
}

/// The bin of an age in whole days; a negative age counts as 0.
pub(crate) fn bin_of(age: i32) -> usize {
    let age = usize::try_from(age).unwrap_or(0);
    BIN_OF.get(age).map_or(N_BINS - 1, |&bin| usize::from(bin))
}

/// The first age after this bin, none for the last.
pub(crate) fn end_of(bin: usize) -> Option<i32> {
    STARTS.get(bin + 1).copied()
}

/// log(1 + middle age): the scale on which neighbouring bins resemble each other.
pub(crate) fn log_middle(bin: usize) -> f64 {
    let start = f64::from(STARTS.get(bin).copied().unwrap_or(0));
    let end = end_of(bin).map_or(1.15 * start, f64::from);
    crate::num::special::ln_1p(0.5 * (start + end - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_tile_all_ages() {
        assert_eq!(STARTS[..20], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 21][..]);
        assert!(STARTS.is_sorted_by(|a, b| a < b));
        for age in [0, 1, 15, 16, 17, 18, 100, 2000, 8191, 8192, 1_000_000, i32::MAX] {
            let bin = bin_of(age);
            assert!(STARTS[bin] <= age && end_of(bin).is_none_or(|end| age < end), "age {age} in bin {bin}");
        }
        assert_eq!(bin_of(-3), 0);
    }

    #[test]
    fn widths_grow_by_15_percent() {
        for bin in 40..N_BINS - 1 {
            let width = f64::from(STARTS[bin + 1] - STARTS[bin]);
            let before = f64::from(STARTS[bin] - STARTS[bin - 1]);
            assert!((width / before - 1.15).abs() < 0.03, "bin {bin}: {before} then {width}");
        }
    }
}
