//! The one door to `libm` and `statrs`: elementary and special functions that agree to the bit on every platform
//! where a forecast depends on them.

/// e^x.
pub(crate) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e^x - 1 without cancellation near 0.
pub(crate) fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// Natural logarithm.
pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x) without cancellation near 0.
pub(crate) fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// x^y.
pub(crate) fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// 2^x.
pub(crate) fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}

/// (sin x, cos x).
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    libm::sincos(x)
}

/// The angle of (x, y), from -pi to pi.
pub(crate) fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// Density of the standard normal.
pub(crate) fn normal_density(x: f64) -> f64 {
    const ONE_OVER_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
    ONE_OVER_SQRT_TAU * exp(-0.5 * x * x)
}

/// Phi(x) = P(Z <= x), to full relative accuracy in the lower tail.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
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

/// What the scores need: regularised incomplete gamma and the tail of Student's t.
pub(crate) mod score {
    use super::{exp, ln_1p, normal_cdf};

    /// P(X <= x) of the gamma distribution with this shape and rate 1, for x > 0.
    pub(crate) fn gamma_cdf(shape: f64, x: f64) -> f64 {
        if x.is_infinite() || shape < 1e-12 {
            return 1.0;
        }
        if shape > 1e6 {
            // Wilson & Hilferty (1931): the error falls like 1 / shape; the series would take sqrt(shape) steps.
            let c = 1.0 / (9.0 * shape);
            return normal_cdf((libm::cbrt(x / shape) - 1.0 + c) / c.sqrt());
        }
        // Beyond these the continued fraction has nothing left to say.
        if x > shape + 40.0 * (shape.sqrt() + 20.0) {
            return 1.0;
        }
        statrs::function::gamma::checked_gamma_lr(shape, x).map_or(0.0, |p| p.clamp(0.0, 1.0))
    }

    /// Gamma(x) for x > 0.
    pub(crate) fn gamma(x: f64) -> f64 {
        libm::tgamma(x)
    }

    /// Gamma(a + 1/2) / Gamma(a).
    pub(crate) fn gamma_half_step(a: f64) -> f64 {
        if a > 100.0 {
            // Tricomi & Erdelyi (1951); the next term is 1.5e-3 a^-5.
            let r = 1.0 / a;
            return a.sqrt()
                * (1.0 + r * (-0.125 + r * (1.0 / 128.0 + r * (5.0 / 1024.0 - r * (21.0 / 32_768.0)))));
        }
        exp(libm::lgamma(a + 0.5) - libm::lgamma(a))
    }

    /// P(T > t) of Student's t with this many degrees of freedom, at least 1.
    pub(crate) fn student_t_tail(degrees: f64, t: f64) -> f64 {
        let tail = if degrees > 1000.0 { hill_tail(degrees, t) } else { beta_tail(degrees, t) };
        if t < 0.0 { 1.0 - tail } else { tail }
    }

    /// P(T > |t|) = I(n / (n + t^2); n/2, 1/2) / 2.
    fn beta_tail(degrees: f64, t: f64) -> f64 {
        let x = if t.is_infinite() { 0.0 } else { degrees / (degrees + t * t) };
        0.5 * statrs::function::beta::checked_beta_reg(0.5 * degrees, 0.5, x)
            .map_or(0.0, |p| p.clamp(0.0, 1.0))
    }

    /// The equivalent normal deviate of Hill (1970), Algorithm 395; its error is below 1e-12 from 1000 degrees on.
    fn hill_tail(degrees: f64, t: f64) -> f64 {
        let a = degrees - 0.5;
        let b = 48.0 * a * a;
        let z2 = a * ln_1p(t * t / degrees);
        let z = z2.sqrt();
        let far = ((-0.4 * z2 - 3.3) * z2 - 24.0) * z2 - 85.5;
        let correction = far / (0.8 * z2 * z2 + 100.0 + b) + z2 + 3.0;
        normal_cdf(-(correction / b + 1.0) * z)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn both_tails_of_student_agree_where_they_meet() {
            for t in [0.0, 0.3, 1.0, 2.0, 4.0, 8.0] {
                let (beta, hill) = (beta_tail(1000.0, t), hill_tail(1000.0, t));
                assert!((beta / hill - 1.0).abs() < 1e-9, "{t}: {beta} {hill}");
            }
            // One degree is the Cauchy distribution, two have a closed form.
            assert!((student_t_tail(1.0, 1.0) - 0.25).abs() < 1e-14);
            assert!((student_t_tail(1.0, -1.0) - 0.75).abs() < 1e-14);
            let two = 0.5 - 1.5 / (2.0 * (2.0_f64 + 2.25).sqrt());
            assert!((student_t_tail(2.0, 1.5) - two).abs() < 1e-14);
        }

        #[test]
        fn gamma_of_one_and_its_halves() {
            for x in [1e-9_f64, 0.1, 1.0, 30.0, 1e3] {
                assert!((gamma_cdf(1.0, x) + super::super::exp_m1(-x)).abs() < 1e-13, "{x}");
            }
            for a in [99.0, 101.0] {
                let direct = exp(libm::lgamma(a + 0.5) - libm::lgamma(a));
                assert!((gamma_half_step(a) / direct - 1.0).abs() < 1e-12);
            }
            assert!((gamma_half_step(0.5) * std::f64::consts::PI.sqrt() - 1.0).abs() < 1e-15);
        }

        #[test]
        fn large_shapes_meet_the_small_ones() {
            for z in [-5.0, -1.0, 0.0, 0.5, 3.0] {
                let (below, above) = (1e6, 1e6 + 1e-3);
                // The distribution moves by its density, 4e-4, times the step of the shape; the rest is the
                // approximation's own error, below 1 / (100 shape).
                let x = below + 1e3 * z;
                assert!((gamma_cdf(below, x) - gamma_cdf(above, x)).abs() < 4e-7 + 1e-8, "{z}");
            }
        }
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
            // Rounding x / sqrt(2) alone moves the tail by x^2 ulps.
            assert!((normal_cdf(x) / cdf - 1.0).abs() < 3e-16 * (2.0 + x * x), "cdf at {x}");
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
