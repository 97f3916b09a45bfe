//! How good the forecasts of the past were.

use super::axis::{Axis, Unit, base, bottom_axis, bottom_tick, bottom_title, left_axis, left_title};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use crate::backtest::{AccuracyReport, OriginScore};
use crate::error::shortened;
use crate::num::count;
use crate::score::Coverage;
use crate::{Error, ErrorKind, Level, Result};

/// Every past window: the 80 % range and the median that were forecast, and what came; filled dots lie inside their
/// range, crosses outside.
///
/// # Errors
/// [`Missing`](ErrorKind::Missing) without a complete window.
///
/// # Example
/// ```
/// use dealcast::backtest::{Backtest, Baseline, RollingOrigin};
/// use dealcast::{plot, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2022, 1, 7)?, date(2023, 9, 1)?), 91, 91)?;
/// let report = Backtest::new(&log, plan).run(&Baseline::run_rate())?;
/// assert!(plot::accuracy(&report, plot::Size::default())?.contains("outcomes lay in their 80 % range"));
/// assert!(plot::pit(&report, plot::Size::default())?.contains("share of the forecast below what came"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn accuracy(report: &AccuracyReport, size: Size) -> Result<String> {
    let (origins, money) = (report.origins(), report.money().ok_or_else(none)?);
    let windows = origins.iter().map(Window::of).collect::<Result<Vec<_>>>()?;
    let inside = windows.iter().filter(|window| window.is_inside()).count();
    let title = format!("{inside} of {} outcomes lay in their 80 % range", origins.len());
    let percent = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{:.0} %", 100.0 * x));
    let about = format!(
        "{}: off by {} of what came, {} of it too high on the whole; each forecast from what was known on its day",
        shortened(report.forecaster(), 24),
        percent(money.wape),
        percent(money.bias)
    );
    let mut sheet = Sheet::new(size, &title, &about);
    let frame = sheet.frame();
    let most = windows.iter().flat_map(|w| [w.high, w.actual]).fold(0.0, f64::max);
    let y = Axis::upwards(&frame, (0.0, 1.08 * most));
    left_axis(&mut sheet, &frame, (&y, &Unit::amounts(most)));
    let room = (frame.right - frame.left) / count(windows.len());
    let wide = (0.5 * room).min(36.0);
    let mut free = frame.left - 30.0;
    for (k, (window, origin)) in windows.iter().zip(origins).enumerate() {
        let x = frame.left + (count(k) + 0.5) * room;
        window.draw(&mut sheet, (x, wide), &y);
        if x >= free + 36.0 {
            bottom_tick(&mut sheet, &frame, (x, &origin.origin.format("%Y-%m-%d").to_string()));
            free = x + 40.0;
        }
    }
    base(&mut sheet, &frame);
    bottom_title(
        &mut sheet,
        &frame,
        "day of the forecast; bar: 80 % range and median, dot: what came inside it, cross: outside",
    );
    sheet.svg()
}

fn none() -> Error {
    Error::new(ErrorKind::Missing, "at least one complete window").field("origins")
}

struct Window {
    low: f64,
    median: f64,
    high: f64,
    actual: f64,
}

impl Window {
    fn of(origin: &OriginScore) -> Result<Self> {
        let at = |level: f64| origin.money.quantile(Level::new(level)?);
        Ok(Self { low: at(0.1)?, median: at(0.5)?, high: at(0.9)?, actual: origin.money.actual })
    }

    fn is_inside(&self) -> bool {
        self.low <= self.actual && self.actual <= self.high
    }

    fn draw(&self, sheet: &mut Sheet, (x, wide): (f64, f64), y: &Axis) {
        let (left, right) = (x - 0.5 * wide, x + 0.5 * wide);
        sheet.rectangle(Frame { left, right, top: y.at(self.high), bottom: y.at(self.low) }, Ink::PALE);
        let median = y.at(self.median);
        sheet.line(&[(left, median), (right, median)], Stroke::solid(Ink::BLUE, 3.0));
        let came = y.at(self.actual);
        if self.is_inside() {
            sheet.dot((x, came), 5.0, Ink::BLACK);
        } else {
            let stroke = Stroke::solid(Ink::VERMILION, 3.0);
            sheet.line(&[(x - 6.0, came - 6.0), (x + 6.0, came + 6.0)], stroke);
            sheet.line(&[(x - 6.0, came + 6.0), (x + 6.0, came - 6.0)], stroke);
        }
    }
}

/// Where outcomes fell within their forecasts: in which fifth, or tenth where there are fifty of them; with the band in
/// which each share stays 19 times in 20 if the forecasts are honest and the windows do not overlap.
///
/// # Errors
/// As [`accuracy`].
pub fn pit(report: &AccuracyReport, size: Size) -> Result<String> {
    let places: Vec<f64> = report.origins().iter().map(|origin| origin.money.pit.get()).collect();
    if places.is_empty() {
        return Err(none());
    }
    let (n_slices, name) = if places.len() < 50 { (5_u8, "fifth") } else { (10, "tenth") };
    let n = places.len();
    let end = |k: u8| f64::from(k) / f64::from(n_slices);
    let held = |k: u8| {
        let inside = |u: &f64| (*u > end(k) || (k == 0 && *u == 0.0)) && *u <= end(k + 1);
        places.iter().map(inside).collect::<Coverage>()
    };
    let slices: Vec<Coverage> = (0..n_slices).map(held).collect();
    let cases: Coverage = places.iter().map(|_| true).collect();
    let band = cases.band(Level::new(end(1))?, Level::new(0.05)?)?;
    let share = |k: usize| count(k) / count(n);
    let odd = slices.iter().filter(|slice| !band.accepts(**slice)).count();
    let title = match (odd, places.iter().sum::<f64>() / count(n)) {
        (0, _) => format!("Outcomes fall where they should: no {name} stands out"),
        (_, mean) if mean < 0.4 => format!("Forecasts are too high: {odd} of {n_slices} {name}s stand out"),
        (_, mean) if mean > 0.6 => format!("Forecasts are too low: {odd} of {n_slices} {name}s stand out"),
        _ => format!("Ranges are off: {odd} of {n_slices} {name}s of the forecasts stand out"),
    };
    let about = format!(
        "Where {n} outcomes fell within their forecasts, {}; grey: where honest shares stay 19 times in 20",
        shortened(report.forecaster(), 24)
    );
    let mut sheet = Sheet::new(size, &title, &about);
    let frame = sheet.frame();
    let highest = slices.iter().map(|slice| slice.n_inside()).fold(band.most(), usize::max);
    let (x, y) = (Axis::across(&frame, (0.0, 1.0)), Axis::upwards(&frame, (0.0, 1.08 * share(highest))));
    let between = Frame { top: y.at(share(band.most())), bottom: y.at(share(band.fewest())), ..frame };
    sheet.rectangle(between, Ink::LIGHT);
    left_axis(&mut sheet, &frame, (&y, &Unit::Percent));
    for (k, slice) in (0..n_slices).zip(&slices) {
        let bar = Frame {
            left: x.at(end(k)) + 8.0,
            right: x.at(end(k + 1)) - 8.0,
            top: y.at(share(slice.n_inside())),
            bottom: frame.bottom,
        };
        if band.accepts(*slice) {
            sheet.rectangle(bar, Ink::BLUE);
        } else {
            sheet.hatched(bar, Ink::VERMILION);
        }
        let middle = 0.5 * (bar.left + bar.right);
        sheet.text((middle, bar.top - 10.0), &slice.n_inside().to_string(), Type::LABEL.centred().bold());
    }
    let honest = y.at(end(1));
    sheet.line(&[(frame.left, honest), (frame.right, honest)], Stroke::dashed(Ink::BLACK, 1.5, (7.0, 4.0)));
    bottom_axis(&mut sheet, &frame, (&x, &Unit::Percent));
    bottom_title(&mut sheet, &frame, "share of the forecast below what came");
    left_title(&mut sheet, &frame, "share of outcomes");
    sheet.svg()
}
