//! The forecast by owner, region, product: whatever the deals carry.

use super::Target;
use super::display::{Percent, range, read};
use crate::deals::Snapshot;
use crate::fit::{Cut, FittedModel, Parted};
use crate::forecast::{Forecast, ForecastOptions, Parts, SimulationOptions, Total, WeightedForecast};
use crate::num::sum::sum;
use crate::time::Period;
use crate::{Error, ErrorKind, Level, Probability, Result};
use chrono::NaiveDateTime;
use ndarray::{Array2, ArrayView2};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most segments a book is cut into: each is a distribution of its own.
const MOST: usize = 1000;

/// Which segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SegmentName {
    /// The deals with this value of the attribute.
    Value(String),
    /// The deals that carry no value.
    NotStated,
    /// New business of which the model cannot tell where it will come from: it has not learned from this attribute, or
    /// from too few deals of the value.
    NotAssigned,
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.write_str(&crate::error::shortened(value, 20)),
            Self::NotStated => f.write_str("(not stated)"),
            Self::NotAssigned => f.write_str("(new, not assigned)"),
        }
    }
}

/// The forecast of one segment.
#[derive(Clone, Debug)]
pub struct Segment {
    name: SegmentName,
    n_open: usize,
    weighted: WeightedForecast,
    forecast: Forecast,
    target: Option<Target>,
}

impl Segment {
    /// Which one.
    pub const fn name(&self) -> &SegmentName {
        &self.name
    }

    /// How many open deals it has.
    pub const fn n_open(&self) -> usize {
        self.n_open
    }

    /// Its booked amount, and what is expected from its open deals and new business.
    pub const fn weighted(&self) -> &WeightedForecast {
        &self.weighted
    }

    /// The distribution of its bookings.
    pub const fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// Its goal, where one was set.
    pub const fn target(&self) -> Option<Target> {
        self.target
    }

    /// P(its total >= its target).
    pub fn chance(&self) -> Option<Probability> {
        let hit = |target: Target| super::analysis::hit(&self.forecast, target, self.weighted.booked());
        self.target.map(hit)
    }
}

/// The forecast of every segment of a book.
///
/// # Meaning
/// Each open and won deal belongs to the segment of its value as last stated. New business goes to segments in the
/// shares of the deals created lately, where the model has learned from the attribute; what it cannot tell apart is a
/// segment of its own, never spread by guesswork.
///
/// # Formula
/// Chances, amounts and the shock are those of the whole book. Means add up to the mean of the whole: the sum over the
/// segments in their order (values in byte order, then not stated, then not assigned). Distributions do not add up, since
/// segments share their luck and their new business varies together: [`simulate`](Self::simulate) draws them jointly.
///
/// # Example: which region makes its target?
/// ```
/// use dealcast::{FittedModel, Period, Probability, SalesProcess, Snapshot, SnapshotRow, Target, Timing, time::date};
/// let process = SalesProcess::open(["propose"])?;
/// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
/// let deal = |id: &str, amount, region: &str| SnapshotRow {
///     deal_id: id.into(),
///     stage: "propose".into(),
///     amount: Some(amount),
///     expected_close: date(2026, 2, 10).ok(),
///     attributes: [("region".into(), region.into())].into(),
///     ..SnapshotRow::default()
/// };
/// let rows = [deal("a", 300.0, "north"), deal("b", 100.0, "south"), deal("c", 100.0, "south")];
/// let book = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), rows)?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let regions = model.by_segment(&book, &quarter, "region")?.with_target("north", Target::new(300.0)?)?;
/// let north = regions.get("north").unwrap();
/// assert!((north.chance().unwrap().get() - 0.5).abs() < 1e-12);
/// assert_eq!((regions.mean(), regions.get("south").unwrap().forecast().mean()), (250.0, 100.0));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Segments {
    attribute: String,
    as_of: NaiveDateTime,
    period: Period,
    total: Total,
    parts: Parts,
    forecast: Forecast,
    each: Vec<Segment>,
}

/// The figures of a segment, for a service or a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SegmentSummary {
    /// Which one.
    pub segment: SegmentName,
    /// Number of open deals.
    pub n_open: usize,
    /// Won already.
    pub booked: f64,
    /// Expected from open deals.
    pub open: f64,
    /// Expected from deals not created yet.
    pub new_business: f64,
    /// Expected in all.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Its q10.
    pub q10: f64,
    /// Its q90.
    pub q90: f64,
    /// Its goal.
    pub target: Option<Target>,
    /// P(total >= target).
    pub chance: Option<Probability>,
}

impl FittedModel {
    /// The forecast by the value of an attribute of the deals.
    ///
    /// # Errors
    /// Those of [`forecast`](Self::forecast), and [`TooLarge`](ErrorKind::TooLarge) for more than 1,000 values.
    pub fn by_segment(&self, book: &Snapshot, period: &Period, attribute: &str) -> Result<Segments> {
        let (names, cut) = cut(&self.values_of_new(attribute), (book, period), attribute)?;
        let Parted { total, parts } = self.parted(book, period, &cut)?;
        let options = ForecastOptions::practical();
        let mut segments = Vec::new();
        let mut kept = Vec::new();
        for (part, name) in names.into_iter().enumerate() {
            let own = total.part(&parts, part)?;
            if own.n_deals() == 0 && own.booked == 0.0 && own.new_business.is_none() {
                continue;
            }
            kept.push(part);
            segments.push(Segment {
                name,
                n_open: own.n_deals(),
                weighted: own.weighted(),
                forecast: own.exact(&options)?,
                target: None,
            });
        }
        Ok(Segments {
            attribute: attribute.to_owned(),
            as_of: book.as_of(),
            period: *period,
            forecast: total.exact(&options)?,
            parts: keep(&parts, &kept),
            total,
            each: segments,
        })
    }
}

/// The names of the segments, and which is whose.
fn cut(
    new: &[Option<&str>],
    (book, period): (&Snapshot, &Period),
    attribute: &str,
) -> Result<(Vec<SegmentName>, Cut)> {
    fn of<'a>(attributes: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
        attributes.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }
    let open: Vec<Option<&str>> = book.open().iter().map(|deal| of(deal.attributes(), attribute)).collect();
    let won: Vec<Option<&str>> = book.won().iter().map(|deal| of(deal.attributes(), attribute)).collect();
    let booked = book.won().iter().zip(&won).filter(|(deal, _)| period.contains(deal.closed()));
    let booked = booked.filter_map(|(_, value)| *value);
    let values: BTreeSet<&str> =
        open.iter().flatten().copied().chain(booked).chain(new.iter().flatten().copied()).collect();
    if values.len() > MOST {
        let error = Error::new(ErrorKind::TooLarge, "an attribute of at most 1,000 values");
        return Err(error.field(attribute.to_owned()).found(values.len()));
    }
    let values: Vec<&str> = values.into_iter().collect();
    let place = |value: &str| values.binary_search(&value).ok();
    let (not_stated, not_assigned) = (values.len(), values.len() + 1);
    let stated = |value: Option<&str>| value.and_then(place).unwrap_or(not_stated);
    let cut = Cut {
        n: values.len() + 2,
        open: open.iter().copied().map(stated).collect(),
        won: won.iter().copied().map(stated).collect(),
        group: new.iter().map(|value| value.and_then(place).unwrap_or(not_assigned)).collect(),
    };
    let names = values.iter().map(|value| SegmentName::Value((*value).to_owned()));
    Ok((names.chain([SegmentName::NotStated, SegmentName::NotAssigned]).collect(), cut))
}

/// Without the parts in which there is nothing.
fn keep(parts: &Parts, kept: &[usize]) -> Parts {
    let pick = |column: &[f64]| kept.iter().filter_map(|&part| column.get(part).copied()).collect();
    Parts {
        booked: pick(&parts.booked),
        deal: parts.deal.iter().map(|part| kept.binary_search(part).unwrap_or(0)).collect(),
        new: parts.new.iter().map(|shares| pick(shares)).collect(),
    }
}

impl Segments {
    /// By which attribute.
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// When it was made.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// What it is for.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// Those with a deal, a booking or new business: values in byte order, then not stated, then not assigned.
    pub fn segments(&self) -> &[Segment] {
        &self.each
    }

    /// The segment of a value.
    pub fn get(&self, value: &str) -> Option<&Segment> {
        self.each.iter().find(|segment| matches!(&segment.name, SegmentName::Value(v) if v == value))
    }

    /// The distribution of the whole.
    pub const fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// The sum of the segments' means in their order; the mean of the whole, to rounding.
    pub fn mean(&self) -> f64 {
        sum(self.each.iter().map(|segment| segment.forecast.mean()))
    }

    /// With a goal for a segment; the last one said counts.
    ///
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) where no segment has this value.
    pub fn with_target(mut self, value: &str, target: Target) -> Result<Self> {
        let named = |s: &&mut Segment| matches!(&s.name, SegmentName::Value(v) if v == value);
        let Some(segment) = self.each.iter_mut().find(named) else {
            let error = Error::new(ErrorKind::Missing, "the value of a segment");
            return Err(error.field(self.attribute).found(value));
        };
        segment.target = Some(target);
        Ok(self)
    }

    /// Joint scenarios of all segments.
    ///
    /// # Errors
    /// Those of [`Total::simulate`].
    ///
    /// # Example: how likely do both regions beat their mean?
    /// ```
    /// use dealcast::{ForecastModel, FiscalCalendar, SimulationOptions, time::date};
    /// use dealcast::synthetic::{Company, World};
    /// let log = Company::named(World::Segments, dealcast::Seed::new(1))?.log()?;
    /// let known = log.as_of(date(2023, 8, 15)?);
    /// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    /// let fitted = ForecastModel::default().fit(&known, &quarter)?;
    /// let segments = fitted.by_segment(&known.snapshot(), &quarter, "segment")?;
    /// let joint = segments.simulate(&SimulationOptions::default().scenarios(1000))?;
    /// assert_eq!(joint.draws().dim(), (1000, segments.segments().len()));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn simulate(&self, options: &SimulationOptions) -> Result<SegmentDraws> {
        let draws = self.total.simulate_apart(&self.parts, options)?;
        Ok(SegmentDraws { draws, booked: self.parts.booked.clone() })
    }

    /// The figures of every segment.
    pub fn summary(&self) -> Vec<SegmentSummary> {
        let eighty = Level::new(0.8).unwrap_or(Level::HALF);
        let figures = |segment: &Segment| {
            let (q10, q90) = segment.forecast.interval(eighty);
            SegmentSummary {
                segment: segment.name.clone(),
                n_open: segment.n_open,
                booked: segment.weighted.booked(),
                open: segment.weighted.open(),
                new_business: segment.weighted.new_business(),
                mean: segment.forecast.mean(),
                sd: segment.forecast.sd(),
                q10,
                q90,
                target: segment.target,
                chance: segment.chance(),
            }
        };
        self.each.iter().map(figures).collect()
    }
}

/// Joint scenarios of segments: in each they share one state of the market, and their sum is the scenario of the whole
/// that [`FittedModel::simulate`] draws from the same seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentDraws {
    draws: Array2<f64>,
    booked: Vec<f64>,
}

impl SegmentDraws {
    /// What open deals and new business bring, a row a scenario, a column a segment; what is booked is not in it.
    pub fn draws(&self) -> ArrayView2<'_, f64> {
        self.draws.view()
    }

    /// What is booked, by segment.
    pub fn booked(&self) -> &[f64] {
        &self.booked
    }

    /// How many scenarios there are.
    pub fn n_scenarios(&self) -> usize {
        self.draws.nrows()
    }
}

impl fmt::Display for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attribute = crate::error::shortened(&self.attribute, 20);
        write!(f, "Forecast by {attribute} for {} as of", self.period)?;
        writeln!(f, " {}", self.as_of.format("%Y-%m-%d %H:%M"))?;
        let goals = self.each.iter().any(|segment| segment.target.is_some());
        let columns = if goals { format!("{:>9} {:>9}", "target", "chance") } else { String::new() };
        writeln!(
            f,
            "  {:<20} {:>5} {:>8} {:>8} {:>8} {:>8} {:>15}{columns}",
            attribute, "deals", "booked", "open", "new", "mean", "80 % range"
        )?;
        for segment in &self.each {
            let Segment { name, n_open, weighted, forecast, target } = segment;
            line(f, (&name.to_string(), *n_open), weighted, forecast)?;
            if let Some((target, chance)) = target.zip(segment.chance()) {
                write!(f, "{:>9} {:>9}", target.to_string(), Percent(chance).to_string())?;
            }
            writeln!(f)?;
        }
        let n_open = self.total.n_deals();
        line(f, ("all", n_open), &self.total.weighted(), &self.forecast)?;
        write!(f, "\n  means add up; ranges do not: segments share their luck")
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    (name, n_open): (&str, usize),
    weighted: &WeightedForecast,
    forecast: &Forecast,
) -> fmt::Result {
    let parts = [weighted.booked(), weighted.open(), weighted.new_business(), weighted.total()];
    let [booked, open, new, mean] = parts.map(|x| read(x).to_string());
    let (low, high) = forecast.interval(Level::new(0.8).unwrap_or(Level::HALF));
    write!(f, "  {name:<20} {n_open:>5} {booked:>8} {open:>8} {new:>8} {mean:>8} {:>15}", range(low, high))
}
