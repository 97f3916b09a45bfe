//! Are chances what they say?

use super::axis::{Axis, Unit, bottom_axis, bottom_title, left_axis, left_title};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use crate::backtest::{ChanceAccuracy, ChanceStep};
use crate::estimate::{Closed, ShareInterval};
use crate::num::count;
use crate::{Level, Probability, Result};

/// The chances given to deals against what became of them: a line a step of the reliability curve, with the 80 %
/// interval of its share, and the diagonal on which honest chances lie.
///
/// # Errors
/// None in practice.
///
/// # Example
/// ```
/// use dealcast::backtest::{Backtest, RollingOrigin};
/// use dealcast::{ForecastModel, plot, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2022, 7, 1)?, date(2023, 6, 30)?), 91, 91)?;
/// let report = Backtest::new(&log, plan).run(&ForecastModel::default())?;
/// let svg = plot::reliability(report.chances().unwrap(), plot::Size::default())?;
/// assert!(svg.contains("wins were expected"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn reliability(chances: &ChanceAccuracy, size: Size) -> Result<String> {
    let won = chances.n_won;
    let title = match chances.expected_over_won {
        Some(ratio) => format!("{:.0} wins were expected, {won} came", ratio * count(won)),
        None => "None of the deals was won".to_owned(),
    };
    let about = format!(
        "{} chances of open deals: Brier {:.4}, of which {:.4} would go if each said what it turned out to be",
        chances.n, chances.brier, chances.miscalibration
    );
    let mut sheet = Sheet::new(size, &title, &about);
    let frame = sheet.frame();
    let steps = chances.curve.iter().map(Seen::of).collect::<Result<Vec<_>>>()?;
    let most = steps.iter().filter(|step| step.n >= FEW).map(|step| step.high).fold(0.1, f64::max);
    let last = chances.curve.iter().map(|step| step.to.get()).fold(0.1, f64::max);
    let (x, y) = (Axis::across(&frame, (0.0, last)), Axis::upwards(&frame, (0.0, most.max(last).min(1.0))));
    left_axis(&mut sheet, &frame, (&y, &Unit::Percent));
    bottom_axis(&mut sheet, &frame, (&x, &Unit::Percent));
    let mut free = f64::NEG_INFINITY;
    for step in &steps {
        let (left, right, height) = (x.at(step.from), x.at(step.to), y.at(step.share));
        let middle = 0.5 * (left + right);
        let (left, right) = (left.min(middle - 1.5), right.max(middle + 1.5));
        let band = Frame { left, right, top: y.at(step.high), bottom: y.at(step.low) };
        sheet.rectangle(band, Ink::PALE);
        sheet.line(&[(left, height), (right, height)], Stroke::solid(Ink::BLUE, 4.0));
        let words = step.n.to_string();
        let half = 0.5 * Type::TICK.width(&words);
        if middle - half > free {
            sheet.text((middle, band.top - 9.0), &words, Type::TICK.centred());
            free = middle + half + 3.0;
        }
    }
    let diagonal = [(x.at(0.0), y.at(0.0)), (x.at(last), y.at(last))];
    sheet.line(&diagonal, Stroke::dashed(Ink::BLACK, 1.5, (7.0, 4.0)));
    bottom_title(&mut sheet, &frame, "chance that was given");
    left_title(&mut sheet, &frame, "share that was won");
    legend(&mut sheet, &frame);
    sheet.svg()
}

/// Steps of fewer deals do not stretch the picture.
const FEW: usize = 5;

/// A step of the curve with the 80 % interval of its share.
struct Seen {
    from: f64,
    to: f64,
    n: usize,
    share: f64,
    low: f64,
    high: f64,
}

impl Seen {
    fn of(step: &ChanceStep) -> Result<Self> {
        let whole = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let closed = Closed { won: whole(step.n_won), lost: whole(step.n.saturating_sub(step.n_won)) };
        let range = closed.interval(ShareInterval::Wilson, Level::new(0.8)?);
        Ok(Self {
            from: step.from.get(),
            to: step.to.get(),
            n: step.n,
            share: closed.share().map_or(0.0, Probability::get),
            low: range.lower().get(),
            high: range.upper().get(),
        })
    }
}

fn legend(sheet: &mut Sheet, frame: &Frame) {
    // Shares rise with chances, so the corner below is free.
    let (left, top) = (frame.right - 386.0, frame.bottom - 46.0);
    sheet.line(&[(left, top), (left + 36.0, top)], Stroke::dashed(Ink::BLACK, 1.5, (7.0, 4.0)));
    sheet.text((left + 44.0, top), "honest chances", Type::LABEL);
    let swatch = Frame { left, right: left + 36.0, top: top + 14.0, bottom: top + 28.0 };
    sheet.rectangle(swatch, Ink::PALE);
    sheet.line(&[(left, top + 21.0), (left + 36.0, top + 21.0)], Stroke::solid(Ink::BLUE, 4.0));
    sheet.text((left + 44.0, top + 21.0), "share won and its 80 % interval; number of chances", Type::LABEL);
}
