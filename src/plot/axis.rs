//! Axes: values to points, round ticks, and labels in one unit.

use super::sheet::{Frame, Ink, Sheet, Stroke, Type};
use crate::num::count;

/// A scale from values to points of the sheet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    low: f64,
    high: f64,
}

impl Axis {
    /// Values from the left of a frame to its right.
    pub(super) fn across(frame: &Frame, (from, to): (f64, f64)) -> Self {
        Self { from, to, low: frame.left, high: frame.right }.with_length()
    }

    /// Values from the bottom of a frame to its top.
    pub(super) fn upwards(frame: &Frame, (from, to): (f64, f64)) -> Self {
        Self { from, to, low: frame.bottom, high: frame.top }.with_length()
    }

    /// A range of one value, or of none that can be drawn, gets some room.
    fn with_length(self) -> Self {
        if (self.to - self.from).is_finite() && self.to > self.from {
            return self;
        }
        let from = if self.from.is_finite() { self.from } else { 0.0 };
        Self { from, to: from + from.abs().max(1.0), ..self }
    }

    /// Where a value is; the nearest end for one outside the range.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        self.low + share * (self.high - self.low)
    }

    /// Round values inside the range, at most about `n` of them.
    pub(super) fn ticks(&self, n: usize) -> Vec<f64> {
        let step = round_step((self.to - self.from) / count(n.max(1)));
        let first = (self.from / step - 1e-9).ceil();
        let ticks = (0..=2 * n).map(|k| (first + count(k)) * step + 0.0);
        ticks.take_while(|tick| *tick <= self.to + 1e-9 * step).collect()
    }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `x`.
pub(super) fn round_step(x: f64) -> f64 {
    if !(x > 0.0 && x.is_finite()) {
        return 1.0;
    }
    let mut power = 1.0;
    while power * 10.0 <= x && power < 1e300 {
        power *= 10.0;
    }
    while power > x && power > 1e-300 {
        power /= 10.0;
    }
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * power);
    steps.into_iter().find(|step| *step >= x * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// What the labels of an axis count in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unit {
    /// Amounts in a unit, such as a thousand.
    Amount(f64, String),
    /// Shares, 1.0 = 100 %.
    Percent,
    /// Numbers of something.
    Plain,
}

impl Unit {
    /// That of amounts up to `largest`.
    pub(super) fn amounts(largest: f64) -> Self {
        if largest >= 1e15 {
            let (mut factor, mut power) = (1.0, 0);
            while largest / factor >= 1000.0 {
                (factor, power) = (factor * 1000.0, power + 3);
            }
            return Self::Amount(factor, format!("e{power}"));
        }
        let named = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
        let (factor, name) = named.into_iter().find(|(from, _)| largest >= *from).unwrap_or((1.0, ""));
        Self::Amount(factor, name.to_owned())
    }

    /// A value among ticks a step apart.
    fn say(&self, value: f64, step: f64) -> String {
        let (factor, name) = match self {
            Self::Amount(factor, name) => (*factor, name.as_str()),
            Self::Percent => (0.01, " %"),
            Self::Plain => (1.0, ""),
        };
        let step = step / factor;
        // As many decimals as the step has: 250, 2.5, .25.
        let whole = |x: f64| (x - x.round()).abs() < 1e-6;
        let digits = [1.0, 10.0, 100.0].iter().position(|scale| whole(step * scale)).unwrap_or(3);
        let number = value / factor;
        if number == 0.0 { "0".to_owned() } else { format!("{number:.digits$}{name}") }
    }

    /// All ticks in words.
    pub(super) fn words(&self, ticks: &[f64]) -> Vec<String> {
        let step = ticks.iter().zip(ticks.iter().skip(1)).map(|(a, b)| b - a).next();
        ticks.iter().map(|tick| self.say(*tick, step.unwrap_or(*tick))).collect()
    }
}

/// Lines across the frame with their values to the left of it.
pub(super) fn left_axis(sheet: &mut Sheet, frame: &Frame, (axis, unit): (&Axis, &Unit)) {
    let ticks = axis.ticks(5);
    for (tick, words) in ticks.iter().zip(unit.words(&ticks)) {
        let y = axis.at(*tick);
        sheet.line(&[(frame.left, y), (frame.right, y)], Stroke::solid(Ink::LIGHT, 1.0));
        sheet.text((frame.left - 8.0, y), &words, Type::TICK.ends_here());
    }
}

/// The line below the frame with its values.
pub(super) fn bottom_axis(sheet: &mut Sheet, frame: &Frame, (axis, unit): (&Axis, &Unit)) {
    let ticks = axis.ticks(8);
    for (tick, words) in ticks.iter().zip(unit.words(&ticks)) {
        bottom_tick(sheet, frame, (axis.at(*tick), &words));
    }
    base(sheet, frame);
}

/// One mark below the frame.
pub(super) fn bottom_tick(sheet: &mut Sheet, frame: &Frame, (x, words): (f64, &str)) {
    sheet.line(&[(x, frame.bottom), (x, frame.bottom + 4.0)], Stroke::solid(Ink::GREY, 1.0));
    sheet.text((x, frame.bottom + 14.0), words, Type::TICK.centred());
}

/// The line on which a chart stands.
pub(super) fn base(sheet: &mut Sheet, frame: &Frame) {
    let line = [(frame.left, frame.bottom), (frame.right, frame.bottom)];
    sheet.line(&line, Stroke::solid(Ink::GREY, 1.0));
}

/// What the values below the frame are.
pub(super) fn bottom_title(sheet: &mut Sheet, frame: &Frame, words: &str) {
    let middle = 0.5 * (frame.left + frame.right);
    sheet.text((middle, frame.bottom + 34.0), words, Type::TICK.centred());
}

/// What the values left of the frame are.
pub(super) fn left_title(sheet: &mut Sheet, frame: &Frame, words: &str) {
    let middle = 0.5 * (frame.top + frame.bottom);
    sheet.text((16.0, middle), words, Type::TICK.centred().upwards());
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { left: 0.0, top: 0.0, right: 100.0, bottom: 50.0 };

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Axis::across(&FRAME, (0.0, 437e3)).ticks(5), [0.0, 100e3, 200e3, 300e3, 400e3]);
        assert_eq!(Axis::across(&FRAME, (-0.3, 1.0)).ticks(5), [0.0, 0.5, 1.0]);
        for range in [(0.0, 0.0), (5.0, 5.0), (0.0, 1e300), (1e-9, 2e-9), (f64::NAN, 1.0)] {
            let ticks = Axis::across(&FRAME, range).ticks(5);
            assert!(
                (1..=11).contains(&ticks.len()) && ticks.iter().all(|tick| tick.is_finite()),
                "{range:?}"
            );
        }
    }

    #[test]
    fn labels_share_a_unit() {
        let words = |largest: f64, ticks: &[f64]| Unit::amounts(largest).words(ticks);
        assert_eq!(words(1.2e6, &[0.0, 0.5e6, 1e6]), ["0", "0.5 M", "1.0 M"]);
        assert_eq!(words(437e3, &[0.0, 200e3, 400e3]), ["0", "200 k", "400 k"]);
        assert_eq!(words(60.0, &[0.0, 2.5, 5.0]), ["0", "2.5", "5.0"]);
        assert_eq!(words(2e12, &[0.0, 1e12]), ["0", "1 T"]);
        assert_eq!(words(3e300, &[0.0, 1e300, 2e300]), ["0", "1e300", "2e300"]);
        assert_eq!(Unit::Percent.words(&[0.0, 0.25, 0.5]), ["0", "25 %", "50 %"]);
    }

    #[test]
    fn values_outside_are_put_on_the_edge() {
        let axis = Axis::upwards(&FRAME, (0.0, 10.0));
        assert_eq!((axis.at(-5.0), axis.at(5.0), axis.at(50.0)), (50.0, 25.0, 0.0));
    }
}
