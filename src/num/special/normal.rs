//! The standard normal, deep into its tails.

use super::{exp, ln, ln_1p};

/// Density of the standard normal.
pub(crate) fn normal_density(x: f64) -> f64 {
    const ONE_OVER_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
    ONE_OVER_SQRT_TAU * exp(-0.5 * x * x)
}

/// Phi(x) = P(Z <= x), to full relative accuracy in the lower tail.
///
/// The tail of erfc amplifies the rounding of x / sqrt 2 by x^2, so what that rounding lost is put back to first order.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    let (scaled, lost) = over_sqrt_2(-x);
    let slope = std::f64::consts::FRAC_2_SQRT_PI * exp(-scaled * scaled);
    (0.5 * (libm::erfc(scaled) - slope * lost)).clamp(0.0, 1.0)
}

/// x / sqrt 2 as a rounded value and what it lost; the loss is cut where it cannot matter.
fn over_sqrt_2(x: f64) -> (f64, f64) {
    const HIGH: f64 = std::f64::consts::FRAC_1_SQRT_2;
    // 1 / sqrt 2 to 50 digits, less its nearest double.
    const LOW: f64 = -4.833_646_656_726_457e-17;
    let scaled = x * HIGH;
    let lost = libm::fma(x, HIGH, -scaled) + x * LOW;
    (scaled, if scaled.abs() < 40.0 { lost } else { 0.0 })
}

/// e^{x^2} erfc(x) for x >= 0: the scaled upper tail, which neither under- nor overflows.
///
/// Below 6 from erfc, with the rounding of x^2 put back; above by the continued fraction (Abramowitz & Stegun 7.1.14).
pub(crate) fn erfc_scaled(x: f64) -> f64 {
    if x < 6.0 {
        let square = x * x;
        let lost = libm::fma(x, x, -square);
        return exp(square) * libm::erfc(x) * (1.0 + lost);
    }
    let tail = (1..24).rev().fold(x, |tail, k| x + 0.5 * f64::from(k) / tail);
    0.5 * std::f64::consts::FRAC_2_SQRT_PI / tail
}

/// ln P(Z > x), finite for every finite x (cut at the largest double).
pub(crate) fn normal_ln_sf(x: f64) -> f64 {
    if x < 0.0 {
        return ln_1p(-normal_cdf(x));
    }
    let square = 0.5 * x * x;
    (ln(0.5 * erfc_scaled(x * std::f64::consts::FRAC_1_SQRT_2)) - square).max(-f64::MAX)
}

/// ln of the density of the standard normal.
pub(crate) fn normal_ln_density(x: f64) -> f64 {
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;
    -HALF_LN_TAU - 0.5 * x * x
}

/// Phi^-1(p); -inf at 0 and +inf at 1, NaN outside.
///
/// # Reference
/// Wichura (1988), Algorithm AS 241, PPND16: relative error about 1e-16.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    const CENTRE: [[f64; 8]; 2] = [
        [
            3.387_132_872_796_366_5,
            133.141_667_891_784_38,
            1_971.590_950_306_551_3,
            13_731.693_765_509_46,
            45_921.953_931_549_87,
            67_265.770_927_008_7,
            33_430.575_583_588_13,
            2_509.080_928_730_122_7,
        ],
        [
            1.0,
            42.313_330_701_600_91,
            687.187_007_492_057_9,
            5_394.196_021_424_751,
            21_213.794_301_586_597,
            39_307.895_800_092_71,
            28_729.085_735_721_943,
            5_226.495_278_852_854,
        ],
    ];
    const SHOULDER: [[f64; 8]; 2] = [
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            0.241_780_725_177_450_6,
            0.022_723_844_989_269_184,
            7.745_450_142_783_414e-4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            0.689_767_334_985_1,
            0.148_103_976_427_480_08,
            0.015_198_666_563_616_457,
            5.475_938_084_995_345e-4,
            1.050_750_071_644_416_9e-9,
        ],
    ];
    const TAIL: [[f64; 8]; 2] = [
        [
            6.657_904_643_501_103,
            5.463_784_911_164_114,
            1.784_826_539_917_291_3,
            0.296_560_571_828_504_87,
            0.026_532_189_526_576_124,
            0.001_242_660_947_388_078_4,
            2.711_555_568_743_487_6e-5,
            2.010_334_399_292_288_1e-7,
        ],
        [
            1.0,
            0.599_832_206_555_887_9,
            0.136_929_880_922_735_8,
            0.014_875_361_290_850_615,
            7.868_691_311_456_133e-4,
            1.846_318_317_510_054_7e-5,
            1.421_511_758_316_446e-7,
            2.044_263_103_389_939_8e-15,
        ],
    ];
    let ratio = |table: &[[f64; 8]; 2], x: f64| {
        let horner = |row: &[f64; 8]| row.iter().rev().fold(0.0, |sum, c| sum * x + c);
        horner(&table[0]) / horner(&table[1])
    };
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        return centred * ratio(&CENTRE, 0.180_625 - centred * centred);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    match tail {
        0.0 => f64::INFINITY.copysign(centred),
        t if t > 0.0 => {
            let r = (-ln(t)).sqrt();
            let x = if r <= 5.0 { ratio(&SHOULDER, r - 1.6) } else { ratio(&TAIL, r - 5.0) };
            x.copysign(centred)
        }
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values to 17 digits by 50-digit arithmetic (mpmath 1.3, `erfc` and its root).
    #[test]
    fn normal_cdf_and_quantile_match_50_digits() {
        for (x, cdf) in [
            (-37.0, 5.725_571_222_524_577e-300),
            (-8.0, 6.220_960_574_271_785e-16),
            (-1.0, 0.158_655_253_931_457_05),
            (0.0, 0.5),
            (0.5, 0.691_462_461_274_013_1),
            (2.0, 0.977_249_868_051_820_8),
        ] {
            assert!((normal_cdf(x) / cdf - 1.0).abs() < 1e-15, "cdf at {x}");
            assert!((normal_quantile(cdf) - x).abs() < 1e-15 * (1.0 + x * x), "quantile at {x}");
        }
    }

    #[test]
    fn quantile_is_defined_at_and_beyond_the_ends() {
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(
            normal_quantile(1.1).is_nan()
                && normal_quantile(-0.1).is_nan()
                && normal_quantile(f64::NAN).is_nan()
        );
    }
}
