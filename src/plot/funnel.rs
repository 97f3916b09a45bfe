//! The funnel: how many deals reach each stage, and which share goes on.

use super::axis::{Axis, Unit, bottom_axis};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use crate::error::shortened;
use crate::estimate::{Closed, Funnel, FunnelStep, ShareInterval};
use crate::num::count;
use crate::{Level, Probability, Result};

/// How far deals get: on the left how many reached or passed each stage, on the right the share of them that went on to
/// the next one, with its 80 % interval, those still open left out.
///
/// # Errors
/// None in practice.
///
/// # Example
/// ```
/// use dealcast::{DealEvent, DealLog, SalesProcess, plot, time::date};
/// let log = DealLog::from_events(&SalesProcess::open(["lead", "propose"])?, Vec::<DealEvent>::new())?;
/// let svg = plot::funnel(&log.as_of(date(2026, 3, 2)?).funnel(), plot::Size::default())?;
/// assert!(svg.contains("No deal has been seen yet"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn funnel(funnel: &Funnel, size: Size) -> Result<String> {
    let steps = funnel.steps();
    let contacts = steps.first().map_or(0, FunnelStep::reached);
    let won = steps.last().map_or(0, FunnelStep::reached);
    let settled = steps.iter().filter_map(|step| Some((step.step_settled()?, step)));
    let worst = settled.min_by(|a, b| a.0.get().total_cmp(&b.0.get()));
    let title = match worst {
        Some((share, step)) => {
            format!("Most deals fall out after {}: {share} go on", shortened(step.name(), 24))
        }
        None if contacts == 0 => "No deal has been seen yet".to_owned(),
        None => format!("{won} of {contacts} deals were won"),
    };
    let about = format!(
        "{contacts} deals seen, {won} won as of {}; each at the furthest stage it came to",
        funnel.as_of().format("%Y-%m-%d")
    );
    let mut sheet = Sheet::new(size, &title, &about);
    let frame = sheet.frame();
    let split = frame.left + 0.62 * (frame.right - frame.left);
    let left = Frame { left: frame.left + 40.0, right: split - 112.0, top: frame.top + 16.0, ..frame };
    let right = Frame { left: split, right: frame.right - 46.0, ..left };
    sheet.text((left.left, frame.top), "deals that reached or passed it", Type::TICK);
    sheet.text((right.left, frame.top), "of those decided, went on (80 % interval)", Type::TICK);
    let room = (left.bottom - left.top) / count(steps.len().max(1));
    let (width, share) = (Axis::across(&left, (0.0, 1.0)), Axis::across(&right, (0.0, 1.0)));
    bottom_axis(&mut sheet, &right, (&share, &Unit::Percent));
    for (k, step) in steps.iter().enumerate() {
        let middle = left.top + (count(k) + 0.5) * room;
        let of_all = Closed { won: step.reached(), lost: contacts.saturating_sub(step.reached()) }.share();
        let end = width.at(of_all.map_or(0.0, Probability::get));
        let tall = (0.62 * room).min(44.0);
        let bar =
            Frame { left: left.left, right: end, top: middle - 0.5 * tall, bottom: middle + 0.5 * tall };
        let ink = if k + 1 == steps.len() { Ink::GREEN } else { Ink::BLUE };
        sheet.rectangle(bar, ink);
        sheet.text((left.left - 8.0, middle), &shortened(step.name(), 14), Type::LABEL.ends_here());
        let words = of_all.map_or("0".to_owned(), |share| format!("{} ({share})", step.reached()));
        sheet.text((end + 8.0, middle), &words, Type::LABEL);
        goes_on(&mut sheet, (&share, middle), step)?;
    }
    sheet.svg()
}

/// The share that went on, and how far chance may have moved it.
fn goes_on(sheet: &mut Sheet, (axis, y): (&Axis, f64), step: &FunnelStep) -> Result<()> {
    let Some(share) = step.step_settled() else { return Ok(()) };
    let x = axis.at(share.get());
    let mut end = x;
    if let Some(range) = step.interval(ShareInterval::Wilson, Level::new(0.8)?) {
        end = axis.at(range.upper().get());
        sheet.whisker(((axis.at(range.lower().get()), y), (end, y)), Stroke::solid(Ink::BLACK, 2.0));
    }
    sheet.dot((x, y), 5.0, Ink::BLUE);
    sheet.text((end + 8.0, y), &share.to_string(), Type::LABEL);
    Ok(())
}
