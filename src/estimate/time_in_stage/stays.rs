//! Stays as they are known: ended, still open, ended between two looks, or first seen late.

#![expect(clippy::float_cmp, reason = "equal times are ties, bit for bit")]

use super::bins::{Bins, MANY, Sink};
use super::many;
use super::{TimeFamily, TimeFit};
use crate::num::count;
use crate::num::special::ln;
use crate::{Error, ErrorKind, Result};

/// Columns that describe stays, one row a stay.
///
/// `lower == upper`: it ended at that time. `upper` infinite: still open after `lower`. Otherwise it ended in
/// (`lower`, `upper`], `lower` 0 when only "by then" is known. `entry`: the age from which the stay was watched, 0 for
/// from its start (stays that ended earlier could not have been seen). `weight`: how often the row counts.
///
/// # Units
/// Times in one unit throughout, days say.
#[derive(Clone, Copy, Debug)]
pub struct StayTable<'a> {
    /// The stay lasted longer than this.
    pub lower: &'a [f64],
    /// The stay lasted no longer than this.
    pub upper: &'a [f64],
    /// The age at which watching began; `None` for from the start.
    pub entry: Option<&'a [f64]>,
    /// Case weights; `None` for 1 each.
    pub weight: Option<&'a [f64]>,
}

/// Validated stays, ready for any family's fit.
///
/// Few rows are kept one by one. Many are summed into fine bins of log time (at most 4,096), each then stood for by two
/// points with the bin's mass, mean and variance: the estimates agree with those of the rows to about 1e-11, at a cost
/// that no longer depends on the number of rows.
///
/// # Example: how long do deals take, the open ones counted for what they say?
/// ```
/// use dealcast::estimate::{TimeFamily, TimesInStage};
/// let days = [3.0, 8.0, 12.0, 12.0, 20.0, 31.0, 45.0, 60.0];
/// let ended = [true, true, true, true, true, false, true, false];
/// let fit = TimesInStage::new(&days, &ended)?.fit(TimeFamily::Weibull)?;
/// assert!(fit.time().survival(30.0) > 0.35); // of those that ended only one in six took longer
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TimesInStage {
    /// Stays that ended at a known time.
    pub(super) exact: Vec<Node>,
    /// Stays known to last longer.
    pub(super) beyond: Vec<Node>,
    /// The ages from which stays were watched, where that was not the start.
    pub(super) entered: Vec<Node>,
    /// Stays known to have ended by a time.
    pub(super) by: Vec<Node>,
    /// Stays that ended between two times.
    pub(super) between: Vec<Span>,
    pub(super) n: usize,
    pub(super) n_ended: usize,
    /// Sum of the weights of all rows, and of those that ended.
    pub(super) weight: f64,
    pub(super) weight_ended: f64,
    /// The latest time any stay is known to have outlasted, and the earliest by which one has ended.
    pub(super) latest_lower: f64,
    pub(super) earliest_upper: f64,
}

/// A point of the data: ln of a time, and how much it weighs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) y: f64,
    pub(super) weight: f64,
}

/// Ended after `low` and by `high`, both logarithms of times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) weight: f64,
}

/// One stay of a table.
#[derive(Clone, Copy)]
struct Row {
    lower: f64,
    upper: f64,
    entry: f64,
    weight: f64,
}

impl TimesInStage {
    /// Stays watched from their start: how long each lasted so far, and whether it has ended.
    ///
    /// # Errors
    /// [`LengthMismatch`](ErrorKind::LengthMismatch); [`NoHistory`](ErrorKind::NoHistory) without rows;
    /// [`OutOfRange`](ErrorKind::OutOfRange) with the row for a time that is negative or not finite, or an end at 0.
    pub fn new(durations: &[f64], ended: &[bool]) -> Result<Self> {
        same_length("ended", durations.len(), ended.len())?;
        if let Some(quick) = many::summed(durations, ended) {
            return Ok(quick);
        }
        let row = |(&t, &ended): (&f64, &bool)| Row {
            lower: t,
            upper: if ended { t } else { f64::INFINITY },
            entry: 0.0,
            weight: 1.0,
        };
        Self::build(|| durations.iter().zip(ended).map(row), durations.len())
    }

    /// Stays of every kind.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`OutOfRange`](ErrorKind::OutOfRange) unless `0 <= entry <= lower <= upper`,
    /// `lower` finite, `entry < upper`, and the weight finite and `>= 0`.
    pub fn from_table(table: StayTable<'_>) -> Result<Self> {
        let n = table.lower.len();
        same_length("upper", n, table.upper.len())?;
        same_length("entry", n, table.entry.map_or(n, <[f64]>::len))?;
        same_length("weight", n, table.weight.map_or(n, <[f64]>::len))?;
        let or = |column: Option<&[f64]>, i: usize, other: f64| {
            column.map_or(other, |column| column.get(i).copied().unwrap_or(other))
        };
        let rows = || {
            table.lower.iter().zip(table.upper).enumerate().map(|(i, (&lower, &upper))| Row {
                lower,
                upper,
                entry: or(table.entry, i, 0.0),
                weight: or(table.weight, i, 1.0),
            })
        };
        Self::build(rows, n)
    }

    /// The maximum-likelihood fit of a family.
    ///
    /// # Errors
    /// [`NotIdentified`](ErrorKind::NotIdentified) where the likelihood has no maximum: nothing has ended, all stays
    /// agree with one single time, or the data drive a parameter off to infinity.
    pub fn fit(&self, family: TimeFamily) -> Result<TimeFit> {
        TimeFit::of(self, family)
    }

    /// The fit of a family when only a share of the deals ever gets there: 1 - S(t) = converted F(t) (mixture cure).
    ///
    /// For logs in which losses are never recorded: open deals then are a mix of late ones and dead ones.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    ///
    /// # Reference
    /// Boag (1949); Maller & Zhou (1996), Survival analysis with long-term survivors, chapter 5.
    pub fn fit_converting(&self, family: TimeFamily) -> Result<TimeFit> {
        TimeFit::of_converting(self, family)
    }

    /// The family with the smallest AIC among those that can be fitted; of equals the first.
    ///
    /// # Errors
    /// That of the last family when none can be fitted; [`Missing`](ErrorKind::Missing) when none is given.
    pub fn best(&self, families: &[TimeFamily]) -> Result<TimeFit> {
        let mut best = Err(Error::new(ErrorKind::Missing, "at least one family").field("families"));
        for &family in families {
            match (self.fit(family), &best) {
                (Ok(fit), Ok(so_far)) if fit.aic() >= TimeFit::aic(so_far) => {}
                (Err(_), Ok(_)) => {}
                (fit, _) => best = fit,
            }
        }
        best
    }

    /// How many rows there are.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// How many of them have ended (at a known time or by one).
    pub const fn n_ended(&self) -> usize {
        self.n_ended
    }

    fn build<I: Iterator<Item = Row>>(rows: impl Fn() -> I, n: usize) -> Result<Self> {
        if n == 0 {
            return Err(Error::new(ErrorKind::NoHistory, "at least one stay"));
        }
        let seen = Seen::over(rows())?;
        let mut data = Self {
            exact: Vec::new(),
            beyond: Vec::new(),
            entered: Vec::new(),
            by: Vec::new(),
            between: Vec::new(),
            n,
            n_ended: seen.n_ended,
            weight: seen.weight,
            weight_ended: seen.weight_ended,
            latest_lower: seen.latest_lower,
            earliest_upper: seen.earliest_upper,
        };
        if n > MANY {
            let bins = || Bins::over(seen.shortest, seen.longest);
            data.fill(rows(), [bins(), bins(), bins()]);
        } else {
            data.fill(rows(), [Vec::new(), Vec::new(), Vec::new()]);
        }
        data.by = in_order(std::mem::take(&mut data.by));
        let key = |span: &Span| (span.low, span.high, span.weight);
        data.between.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        });
        // Snapshots at regular times leave few different spans, however many stays.
        data.between.dedup_by(|next, kept| {
            let same = next.low == kept.low && next.high == kept.high;
            if same {
                kept.weight += next.weight;
            }
            same
        });
        Ok(data)
    }

    /// Sends each row where it belongs.
    fn fill<S: Sink>(&mut self, rows: impl Iterator<Item = Row>, sinks: [S; 3]) {
        let [mut exact, mut beyond, mut entered] = sinks;
        for Row { lower, upper, entry, weight } in rows {
            if weight == 0.0 {
                continue;
            }
            if lower == upper {
                exact.add(lower, weight);
            } else if upper == f64::INFINITY {
                // A stay open at age 0 says nothing yet.
                if lower > 0.0 {
                    beyond.add(lower, weight);
                }
            } else if lower == 0.0 {
                self.by.push(Node { y: ln(upper), weight });
            } else {
                self.between.push(Span { low: ln(lower), high: ln(upper), weight });
            }
            if entry > 0.0 {
                entered.add(entry, weight);
            }
        }
        self.exact = exact.into_nodes();
        self.beyond = beyond.into_nodes();
        self.entered = entered.into_nodes();
    }
}

fn same_length(field: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let expected = format!("{expected} values, as many as there are times");
    Err(Error::new(ErrorKind::LengthMismatch, expected).field(field).found(found))
}

/// Equal times together, in order: so that the order of the rows changes nothing.
pub(super) fn in_order(mut nodes: Vec<Node>) -> Vec<Node> {
    nodes.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.weight.total_cmp(&b.weight)));
    nodes.dedup_by(|next, kept| {
        let same = next.y == kept.y;
        if same {
            kept.weight += next.weight;
        }
        same
    });
    nodes
}

/// What one look over the rows tells.
struct Seen {
    n_ended: usize,
    weight: f64,
    weight_ended: f64,
    latest_lower: f64,
    earliest_upper: f64,
    shortest: f64,
    longest: f64,
}

impl Seen {
    fn over(rows: impl Iterator<Item = Row>) -> Result<Self> {
        let mut seen = Self {
            n_ended: 0,
            weight: 0.0,
            weight_ended: 0.0,
            latest_lower: 0.0,
            earliest_upper: f64::INFINITY,
            shortest: f64::INFINITY,
            longest: 0.0,
        };
        for (i, row) in rows.enumerate() {
            let Row { lower, upper, entry, weight } = row;
            let fits = lower < f64::INFINITY
                && entry >= 0.0
                && entry <= lower
                && lower <= upper
                && entry < upper
                && (0.0..f64::INFINITY).contains(&weight);
            if !fits {
                return Err(row.refusal(i));
            }
            let counted = weight > 0.0;
            let ended = upper < f64::INFINITY;
            seen.n_ended += usize::from(ended && counted);
            seen.weight += weight;
            seen.weight_ended += if ended { weight } else { 0.0 };
            let lower = if counted { lower } else { 0.0 };
            seen.latest_lower = if lower > seen.latest_lower { lower } else { seen.latest_lower };
            let upper = if counted { upper } else { f64::INFINITY };
            seen.earliest_upper = if upper < seen.earliest_upper { upper } else { seen.earliest_upper };
            // The smallest time in use: an entry where there is one.
            let first = if entry > 0.0 { entry } else { lower };
            seen.shortest = if first > 0.0 && first < seen.shortest { first } else { seen.shortest };
        }
        seen.longest = seen.latest_lower;
        if !seen.weight.is_finite() {
            return Err(Error::new(ErrorKind::Overflow, "a finite sum").field("weight"));
        }
        Ok(seen)
    }
}

impl Row {
    #[cold]
    fn refusal(&self, i: usize) -> Error {
        let Self { lower, upper, entry, weight } = *self;
        let (field, expected, found) = if !(0.0..f64::INFINITY).contains(&weight) {
            ("weight", "a finite number >= 0", weight)
        } else if !(0.0..f64::INFINITY).contains(&lower) {
            ("time", "a finite time >= 0", lower)
        } else if upper.is_nan() || upper < lower {
            ("upper", "a time that is not before `lower`", upper)
        } else if lower == upper && lower == 0.0 {
            ("time", "an end after time 0", lower)
        } else {
            ("entry", "an age >= 0, not after `lower` and before the end", entry)
        };
        let row = u64::try_from(i).map_or(u64::MAX, |i| i.saturating_add(1));
        Error::out_of_range(field, expected, found).at_row(row)
    }
}

/// Mean and standard deviation of the log times, to start from.
pub(super) fn spread(data: &TimesInStage) -> (f64, f64) {
    let nodes = || {
        let middle = |span: &Span| Node { y: 0.5 * (span.low + span.high), weight: span.weight };
        let all = data.exact.iter().chain(&data.beyond).chain(&data.by).copied();
        all.filter(|node| node.weight > 0.0).chain(data.between.iter().map(middle))
    };
    let mass: f64 = nodes().map(|node| node.weight).sum();
    let mean = nodes().map(|node| node.weight * node.y).sum::<f64>() / mass;
    let variance = nodes().map(|node| node.weight * (node.y - mean) * (node.y - mean)).sum::<f64>() / mass;
    (mean, variance.sqrt())
}

/// The same data on fewer points (each run of 16 stood for by two): good for a start, not for an answer.
pub(super) fn coarser(nodes: &[Node]) -> Vec<Node> {
    let mut few = Vec::with_capacity(nodes.len() / 8 + 2);
    for run in nodes.chunks(16) {
        let mass: f64 = run.iter().map(|node| node.weight).sum();
        let mean = run.iter().map(|node| node.weight * node.y).sum::<f64>() / mass;
        let square = run.iter().map(|node| node.weight * (node.y - mean) * (node.y - mean)).sum::<f64>();
        let sd = (square / mass).max(0.0).sqrt();
        if mean.is_finite() && sd.is_finite() {
            few.extend([mean - sd, mean + sd].map(|y| Node { y, weight: 0.5 * mass }));
        }
    }
    few
}

impl TimesInStage {
    /// Whether one single time would agree with every row: then a law concentrated there is as likely as any.
    pub(super) fn agree_with_one_time(&self) -> bool {
        self.latest_lower <= self.earliest_upper
    }

    /// Points of the likelihood.
    pub(super) fn n_nodes(&self) -> usize {
        self.exact.len() + self.beyond.len() + self.entered.len() + self.by.len() + self.between.len()
    }

    /// A smaller copy to find a start on.
    pub(super) fn sketch(&self) -> Self {
        let mut sketch = self.clone();
        sketch.exact = coarser(&self.exact);
        sketch.beyond = coarser(&self.beyond);
        sketch.entered = coarser(&self.entered);
        let stride = if self.between.len() > 1_024 { 16 } else { 1 };
        let heavier = |span: &Span| Span { weight: count(stride) * span.weight, ..*span };
        sketch.between = self.between.iter().step_by(stride).map(heavier).collect();
        sketch
    }
}
