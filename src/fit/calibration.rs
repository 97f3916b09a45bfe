//! What the model's own past forecasts teach it: how far expectations were off, and how far deals share their luck.
//!
//! # Formula
//! *Observed over expected*, of open deals and of new business. In deals: `(A + k m) / (E + k m)` over the records, each
//! weighing its step over its horizon because windows overlap, `m` the mean expectation of a window, `k` = 2 windows for
//! open deals and 4 for new business, half-life two horizons. All deals of a window share its luck, so it takes windows
//! to learn this. How *large* won deals are, against the expectation, takes only deals: with `s` the ratio of the mean
//! amounts and `v = sum a^2 / (sum a)^2` over what was won, its logarithm is drawn to 0 by the factor
//! `q^2 / (q^2 + v)`, `q` = .25: few deals, or one that outweighs all others, say little. In money the ratio is the
//! product of the two.
//!
//! *Tilt*: the two ratios are brought into one set of chances: the odds of a deal of amount `a` are multiplied by
//! `exp(alpha + beta log a)`, `alpha` and `beta` such that both sums come out. Where big deals win less often than the
//! process says, `beta` is negative.
//!
//! *Shared shock*: `tau^2 = (2 x .15^2 + sum w clip(((Y - M)^2 - V) / M^2, -.5, 1)) / (2 + sum w)`, half-life four horizons,
//! the larger of the deals' and the money's, at least `.03^2`; `V` is the variance of independent deals plus that of
//! the arrivals.

use super::replay::{Record, Tried};
use super::signals::Offsets;
use crate::num::special::{exp, exp2, ln};
use crate::num::{bits, root};
use serde::{Deserialize, Serialize};

const OPEN_PRIOR: f64 = 2.0;
const NEW_PRIOR: f64 = 4.0;
/// How far mean amounts are off without any correction, as a standard deviation of the logarithm.
const PRIOR_SIZE: f64 = 0.25;
const SHOCK_PRIOR: f64 = 2.0;
const PRIOR_TAU: f64 = 0.15;
const LEAST_TAU: f64 = 0.03;
/// Bounds of the tilt: beyond them the logit of a chance carries no information any more.
const MOST_SHIFT: f64 = 12.0;
const MOST_TILT: f64 = 2.0;

/// Observed over expected, in deals and in money.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ratio {
    #[serde(with = "bits::one")]
    pub deals: f64,
    #[serde(with = "bits::one")]
    pub money: f64,
}

impl Ratio {
    pub(crate) const ONE: Self = Self { deals: 1.0, money: 1.0 };
}

/// All that is learned from replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calibration {
    /// What the rep says, by odds; the ratios below are those that are left.
    pub offsets: Offsets,
    pub open: Ratio,
    pub new: Ratio,
    /// Standard deviation of the logarithm of the total that the shared shock causes.
    #[serde(with = "bits::one")]
    pub tau: f64,
    /// How many independent windows speak for `tau`.
    #[serde(with = "bits::one")]
    pub windows: f64,
}

/// Which corrections are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Learned {
    pub signals: bool,
    pub ratio: bool,
    pub shock: bool,
}

/// The records before an origin with their weights.
struct Weighted<'r> {
    records: &'r [Record],
    origin: i32,
    horizon: i32,
    worth: f64,
}

impl Weighted<'_> {
    fn each(&self, horizons: f64) -> impl Iterator<Item = (f64, &Record)> {
        let half_life = horizons * f64::from(self.horizon);
        self.records.iter().filter(|r| r.day + self.horizon <= self.origin).map(move |record| {
            let age = f64::from(self.origin - self.horizon - record.day);
            (self.worth * exp2(-age / half_life), record)
        })
    }

    fn ratio(&self, prior: f64, of: impl Fn(&Record) -> Tried) -> f64 {
        let (mut weight, mut expected, mut actual) = (0.0, 0.0, 0.0);
        for (w, record) in self.each(2.0) {
            let tried = of(record);
            weight += w;
            expected += w * tried.expected;
            actual += w * tried.actual;
        }
        let typical = prior * expected / weight;
        let ratio = (actual + typical) / (expected + typical);
        if ratio > 0.0 && ratio.is_finite() { ratio } else { 1.0 }
    }

    /// How large won deals were against the expectation, drawn towards 1 by what so few of them can say.
    fn size(&self, of: impl Fn(&Record) -> (Tried, Tried)) -> f64 {
        let (mut expected, mut actual, mut squares) = ((0.0, 0.0), (0.0, 0.0), 0.0);
        for (w, record) in self.each(f64::INFINITY) {
            let (deals, money) = of(record);
            expected = (expected.0 + w * deals.expected, expected.1 + w * money.expected);
            actual = (actual.0 + w * deals.actual, actual.1 + w * money.actual);
            squares += w * money.squares;
        }
        let size = (actual.1 / actual.0) / (expected.1 / expected.0);
        if !(size > 0.0 && size.is_finite()) {
            return 1.0;
        }
        // The relative variance of a mean of so unequal amounts.
        let noise = squares / (actual.1 * actual.1);
        if !noise.is_finite() {
            return 1.0; // Squares of such amounts are no numbers any more.
        }
        exp(ln(size) * PRIOR_SIZE * PRIOR_SIZE / (PRIOR_SIZE * PRIOR_SIZE + noise))
    }

    fn ratios(&self, prior: f64, of: impl Fn(&Record) -> (Tried, Tried)) -> Ratio {
        let deals = self.ratio(prior, |r| of(r).0);
        Ratio { deals, money: deals * self.size(of) }
    }

    /// Sum of the weights and of the weighted excess variance, relative to the mean.
    fn excess(&self, ratios: (f64, f64), of: impl Fn(&Record) -> (Tried, Tried)) -> (f64, f64) {
        self.each(4.0).fold((0.0, 0.0), |(weight, sum), (w, record)| {
            let (open, new) = of(record);
            let mean = ratios.0 * open.expected + ratios.1 * new.expected;
            if !(mean > 0.0) {
                return (weight, sum);
            }
            let arrivals = ratios.1 * new.expected;
            let variance = ratios.0 * open.variance
                + ratios.1 * new.variance
                + record.arrival_variance * arrivals * arrivals;
            let miss = open.actual + new.actual - mean;
            let excess = (miss * miss - variance) / (mean * mean);
            (weight + w, sum + w * excess.clamp(-0.5, 1.0))
        })
    }
}

impl Calibration {
    /// From the records whose windows ended by the origin; `step` days lie between them.
    pub(crate) fn learn(
        records: &[Record],
        origin: i32,
        (horizon, step): (i32, i32),
        learned: Learned,
    ) -> Self {
        let worth = (f64::from(step) / f64::from(horizon)).min(1.0);
        let past = Weighted { records, origin, horizon, worth };
        let offsets = if learned.signals { Offsets::learn(past.each(4.0)) } else { Offsets::none() };
        let heeded: Vec<Record> = records.iter().map(|record| offsets.heeded(record)).collect();
        let past = Weighted { records: &heeded, ..past };
        let (open, new) = if learned.ratio {
            (
                past.ratios(OPEN_PRIOR, |r| (r.open_deals, r.open_money)),
                past.ratios(NEW_PRIOR, |r| (r.new_deals, r.new_money)),
            )
        } else {
            (Ratio::ONE, Ratio::ONE)
        };
        let (windows, deals) = past.excess((open.deals, new.deals), |r| (r.open_deals, r.new_deals));
        let (_, money) = past.excess((open.money, new.money), |r| (r.open_money, r.new_money));
        let variance = (SHOCK_PRIOR * PRIOR_TAU * PRIOR_TAU + deals.max(money)) / (SHOCK_PRIOR + windows);
        let tau = if learned.shock { variance.max(LEAST_TAU * LEAST_TAU).sqrt() } else { 0.0 };
        Self { offsets, open, new, tau, windows }
    }
}

/// Chances whose sums, in deals and in money, are these multiples of what they were; amounts of 0 only count as deals.
pub(crate) fn tilted(chances: &[f64], amounts: &[f64], ratio: Ratio) -> Vec<f64> {
    tilt(chances, amounts, ratio, shifted)
}

/// The same for expected numbers, which may exceed 1.
pub(crate) fn tilted_counts(counts: &[f64], amounts: &[f64], ratio: Ratio) -> Vec<f64> {
    tilt(counts, amounts, ratio, |counts, odds, target| {
        let total: f64 = counts.iter().zip(odds).map(|(n, m)| n * m).sum();
        let factor = if total > 0.0 { target / total } else { 0.0 };
        counts.iter().zip(odds).map(|(n, m)| factor * n * m).collect()
    })
}

/// A way to multiply chances by given factors and by a common one such that they sum to a target.
type Shift = fn(&[f64], &[f64], f64) -> Vec<f64>;

fn tilt(chances: &[f64], amounts: &[f64], ratio: Ratio, shifted: Shift) -> Vec<f64> {
    let deals: f64 = chances.iter().sum();
    let money: f64 = chances.iter().zip(amounts).map(|(p, a)| p * a).sum();
    if ratio == Ratio::ONE || !(deals > 0.0) {
        return chances.to_vec();
    }
    if !(money > 0.0) {
        return shifted(chances, &vec![1.0; chances.len()], ratio.deals * deals);
    }
    // Log amounts around the typical one, so that shift and tilt hardly depend on each other.
    let typical = money / deals;
    let size: Vec<f64> = amounts.iter().map(|&a| if a > 0.0 { ln(a / typical) } else { 0.0 }).collect();
    let at = |beta: f64| {
        let odds: Vec<f64> = size.iter().map(|x| exp(beta * x)).collect();
        shifted(chances, &odds, ratio.deals * deals)
    };
    let sum = |chances: &[f64]| chances.iter().zip(amounts).map(|(p, a)| p * a).sum::<f64>();
    let beta = root::increasing(-MOST_TILT, MOST_TILT, |beta| sum(&at(beta)) / money - ratio.money);
    let tilted = at(beta);
    // Where no tilt reaches the money (all amounts alike), the money has the last word.
    let missed = ratio.money * money / sum(&tilted);
    if (missed - 1.0).abs() < 1e-6 || !missed.is_finite() {
        tilted
    } else {
        let reached: f64 = tilted.iter().sum();
        shifted(&tilted, &vec![1.0; tilted.len()], missed * reached)
    }
}

/// The chances with their odds multiplied by `odds` and by one common factor, such that they sum to `target`.
fn shifted(chances: &[f64], odds: &[f64], target: f64) -> Vec<f64> {
    let with = |factor: f64| {
        chances.iter().zip(odds).map(move |(p, m)| {
            let m = factor * m * p;
            m / (1.0 - p + m)
        })
    };
    let alpha =
        root::increasing(-MOST_SHIFT, MOST_SHIFT, |alpha| with(exp(alpha)).sum::<f64>() / target - 1.0);
    with(exp(alpha)).map(|p| if p.is_finite() { p } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sums_come_out() {
        let chances = [0.1, 0.5, 0.9, 0.02, 0.3];
        let amounts = [10.0, 200.0, 30.0, 4000.0, 1.0];
        let sums =
            |p: &[f64]| (p.iter().sum::<f64>(), p.iter().zip(&amounts).map(|(p, a)| p * a).sum::<f64>());
        let (deals, money) = sums(&chances);
        for ratio in [
            Ratio { deals: 0.8, money: 0.6 },
            Ratio { deals: 1.2, money: 1.1 },
            Ratio { deals: 0.9, money: 1.3 },
        ] {
            let after = sums(&tilted(&chances, &amounts, ratio));
            assert!((after.0 / deals / ratio.deals - 1.0).abs() < 1e-6, "{ratio:?}");
            assert!((after.1 / money / ratio.money - 1.0).abs() < 1e-6, "{ratio:?}");
        }
    }

    #[test]
    fn certain_and_impossible_deals_stay_so() {
        let p = tilted(&[0.0, 1.0, 0.4], &[5.0, 5.0, 5.0], Ratio { deals: 0.9, money: 0.9 });
        assert_eq!((p[0], p[1]), (0.0, 1.0));
        assert!(p[2] < 0.4);
    }

    #[test]
    fn nothing_to_correct_changes_nothing() {
        assert_eq!(tilted(&[0.2, 0.7], &[1.0, 2.0], Ratio::ONE), [0.2, 0.7]);
        assert_eq!(tilted(&[], &[], Ratio { deals: 2.0, money: 2.0 }), Vec::<f64>::new());
        let none = Calibration::learn(&[], 0, (28, 7), Learned { signals: true, ratio: true, shock: true });
        assert_eq!((none.open, none.new), (Ratio::ONE, Ratio::ONE));
        assert!((none.tau - PRIOR_TAU).abs() < 1e-15);
    }
}
