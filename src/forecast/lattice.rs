//! Amounts that are multiples of one unit: the total then lives on a lattice, and nothing has to be rounded.
#![expect(clippy::indexing_slicing, reason = "the convolution kernel; slices are cut to the lengths used")]

use super::index;
use crate::num::count;

/// The points `unit x k`, named so that 0.3 is 3 / 10 and not 3 x 0.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lattice {
    unit: f64,
    /// 1 / unit where that is whole.
    per_one: Option<f64>,
}

/// An amount counts as a multiple when it is off by less than this share of a unit: decimal amounts are not exact
/// in binary.
const SLACK: f64 = 1e-6;

impl Lattice {
    pub(crate) fn of_unit(unit: f64) -> Self {
        let inverse = 1.0 / unit;
        let whole = inverse.round();
        let per_one = ((inverse / whole - 1.0).abs() < 1e-9 && whole < 1e15).then_some(whole);
        Self { unit, per_one }
    }

    pub(crate) fn unit(self) -> f64 {
        self.per_one.map_or(self.unit, |n| 1.0 / n)
    }

    pub(crate) fn value(self, k: f64) -> f64 {
        self.per_one.map_or(self.unit * k, |n| k / n)
    }

    /// The nearest lattice point's number.
    pub(crate) fn nearest(self, x: f64) -> f64 {
        self.per_one.map_or(x / self.unit, |n| x * n).round()
    }

    /// The largest k with value(k) <= x.
    pub(crate) fn floor(self, x: f64) -> f64 {
        let k = self.nearest(x);
        if self.value(k) <= x { k } else { k - 1.0 }
    }

    /// Whether x is a lattice point.
    pub(crate) fn holds(self, x: f64) -> bool {
        let k = self.per_one.map_or(x / self.unit, |n| x * n);
        k.is_finite() && (k - k.round()).abs() <= SLACK
    }
}

/// The largest unit all amounts are multiples of, if it is not smaller than 1e-9 of the largest of them.
///
/// Decimal amounts (up to six places) by Euclid's algorithm on whole numbers; others on the floating-point numbers
/// themselves, where remainders below 2^-46 of the largest amount are rounding.
pub(crate) fn common_unit(amounts: &(impl Iterator<Item = f64> + Clone)) -> Option<Lattice> {
    let largest = amounts.clone().fold(0.0, f64::max);
    let lattice = decimal_unit(amounts, largest).or_else(|| float_unit(amounts, largest))?;
    (lattice.unit() >= largest * 1e-9 && amounts.clone().all(|a| lattice.holds(a))).then_some(lattice)
}

fn decimal_unit(amounts: &(impl Iterator<Item = f64> + Clone), largest: f64) -> Option<Lattice> {
    let mut per_one = 1.0;
    for _ in 0..=6 {
        let whole = |a: f64| (a * per_one - (a * per_one).round()).abs() <= 4.0 * f64::EPSILON * a * per_one;
        if largest * per_one < count(1 << 52) && amounts.clone().all(whole) {
            let unit = amounts.clone().fold(0.0, |unit, a| euclid((a * per_one).round(), unit, 0.5));
            let shared = euclid(unit, per_one, 0.5);
            return (unit > 0.0).then(|| {
                if (shared - unit).abs() < 0.5 {
                    Lattice::of_unit(unit / per_one)
                } else {
                    Lattice { unit: unit / per_one, per_one: None }
                }
            });
        }
        per_one *= 10.0;
    }
    None
}

fn float_unit(amounts: &(impl Iterator<Item = f64> + Clone), largest: f64) -> Option<Lattice> {
    let noise = largest * (0.5 / count(1 << 45));
    let mut unit = 0.0_f64;
    for amount in amounts.clone().filter(|a| *a > 0.0) {
        unit = euclid(amount, unit, noise);
        if unit < largest * 1e-9 {
            return None;
        }
    }
    let steps = (largest / unit).round();
    let unit = largest / steps;
    (unit.is_normal() && (1.0 / unit).is_finite()).then(|| Lattice::of_unit(unit))
}

/// The greatest common divisor; remainders up to `noise` are 0.
fn euclid(mut a: f64, mut b: f64, noise: f64) -> f64 {
    while b > noise {
        let rest = a % b;
        (a, b) = (b, if b - rest <= noise { 0.0 } else { rest });
    }
    a
}

/// An amount as a place on a lattice; where it lies between two points, the share that goes to the upper one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) at: usize,
    pub(crate) share: f64,
}

impl Step {
    /// From an amount in units.
    pub(crate) fn new(units: f64) -> Self {
        if (units - units.round()).abs() <= SLACK {
            Self { at: index(units.round()), share: 0.0 }
        } else {
            Self { at: index(units.floor()), share: units - units.floor() }
        }
    }
}

/// The distribution on 0..=`span` of the sum of independent deals, each with its chance.
///
/// All terms are positive: every probability is right to a few units in its own last place.
pub(crate) fn convolve(deals: impl Iterator<Item = (f64, Step)>, span: usize) -> Vec<f64> {
    Sums::nothing(span).with(deals).mass
}

/// A distribution on even points, deal by deal.
#[derive(Clone)]
pub(crate) struct Sums {
    pub(crate) mass: Vec<f64>,
    /// The highest point with a mass.
    top: usize,
}

impl Sums {
    /// No deal yet.
    pub(crate) fn nothing(span: usize) -> Self {
        let mut mass = vec![0.0; span + 1];
        mass[0] = 1.0;
        Self { mass, top: 0 }
    }

    /// With more deals.
    pub(crate) fn with(self, deals: impl Iterator<Item = (f64, Step)>) -> Self {
        let Self { mut mass, mut top } = self;
        let span = mass.len() - 1;
        let mut next = vec![0.0; mass.len()];
        for (p, step) in deals {
            let reach = (top + step.at + usize::from(step.share > 0.0)).min(span);
            let lost = 1.0 - p;
            for (new, old) in next[..=reach].iter_mut().zip(&mass) {
                *new = lost * old;
            }
            for (at, share) in [(step.at, 1.0 - step.share), (step.at + 1, step.share)] {
                if share > 0.0 && at <= reach {
                    let won = p * share;
                    for (new, old) in next[at..=reach].iter_mut().zip(&mass) {
                        *new += won * old;
                    }
                }
            }
            top = reach;
            std::mem::swap(&mut mass, &mut next);
        }
        Self { mass, top }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_unit_people_mean() {
        let unit = |amounts: &[f64]| common_unit(&amounts.iter().copied()).map(Lattice::unit);
        assert_eq!(unit(&[12.0, 30.0, 7.0]), Some(1.0));
        assert_eq!(unit(&[0.1, 0.2, 0.7]), Some(0.1));
        assert_eq!(unit(&[1500.0, 2500.0]), Some(500.0));
        assert_eq!(unit(&[19.99, 1e6]), Some(0.01));
        assert_eq!(unit(&[5e-300, 7.5e-300]), Some(2.5e-300));
        assert_eq!(unit(&[0.01, 1e12]), None);
        assert_eq!(unit(&[1.0, std::f64::consts::PI]), None);
        assert_eq!(unit(&[]), None);
    }

    #[test]
    fn tenths_are_what_one_writes() {
        let lattice = common_unit(&[0.1, 0.2].into_iter()).unwrap();
        assert_eq!(lattice.value(3.0), 0.3);
        assert_eq!(lattice.floor(0.3), 3.0);
        assert_eq!(lattice.floor(0.299), 2.0);
    }
}
