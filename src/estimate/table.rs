//! Durations brought to order: how many left at each distinct time, where to, and how many could have left.
//!
//! Every estimator of this room that works on risk sets needs nothing else, so rows are counted or sorted once and
//! then forgotten.

use crate::num::count;
use crate::num::sum::{Sum, sum};

/// Rows as a count and as a sum of weights. The count says exactly when nothing is left.
///
/// Counts have 32 bits and are packed with what is beside them: with a million distinct times, the time goes into
/// touching new memory. Four thousand million rows are refused before they get here.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mass {
    pub(super) n: u32,
    pub(super) weight: f64,
}

impl Mass {
    const fn add(&mut self, other: Self) {
        self.n += other.n;
        self.weight += other.weight;
    }
}

/// One distinct time at which somebody left, for whatever reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) time: f64,
    /// Everybody leaving now, censored ones included.
    n_exits: u32,
    /// Everybody who had entered before this time and not left before it.
    n_at_risk: u32,
}

/// What a [`Moment`] counts, by weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Weights {
    exits: f64,
    at_risk: f64,
    /// Sum of the squared weights of the exits.
    squares: f64,
}

/// The exits of one moment to one cause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Event {
    n: u32,
    pub(super) moment: u32,
    pub(super) cause: u32,
}

/// A moment at which somebody left to a cause.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happening<'t> {
    pub(super) time: f64,
    /// Everybody who could have left.
    pub(super) risk: Mass,
    events: &'t [Event],
    /// By event; empty where all weights are 1.
    weights: &'t [f64],
}

impl<'t> Happening<'t> {
    /// Who left, by cause.
    pub(super) fn by_cause(self) -> impl Iterator<Item = (u32, Mass)> + 't {
        self.events.iter().enumerate().map(move |(i, event)| {
            let weight = self.weights.get(i).copied().unwrap_or_else(|| f64::from(event.n));
            (event.cause, Mass { n: event.n, weight })
        })
    }

    /// Who left, whatever the cause.
    pub(super) fn left(self) -> Mass {
        let mut all = Mass::default();
        self.by_cause().for_each(|(_, mass)| all.add(mass));
        all
    }
}

/// The late entries of one distinct time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) time: f64,
    pub(super) mass: Mass,
}

/// One row before it is put in order; `entry` is minus infinity where it was watched from the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) time: f64,
    pub(super) entry: f64,
    pub(super) weight: f64,
    pub(super) cause: u32,
}

/// Cause of a row whose end was not seen.
pub(super) const CENSORED: u32 = 0;

/// Moments in increasing time; events in increasing (moment, cause); entries in increasing time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) moments: Vec<Moment>,
    /// By moment; left empty where all weights are 1.
    pub(super) weights: Vec<Weights>,
    pub(super) events: Vec<Event>,
    /// By event; left empty where all weights are 1.
    pub(super) event_weights: Vec<f64>,
    pub(super) entries: Vec<Entry>,
}

impl Table {
    /// Sorts the rows by all they hold, so that sums of weights do not depend on the order they came in.
    pub(super) fn from_rows(mut rows: Vec<Row>) -> Self {
        rows.sort_unstable_by(|a, b| {
            let by_end = a.time.total_cmp(&b.time).then(a.cause.cmp(&b.cause));
            by_end.then(a.weight.total_cmp(&b.weight)).then(a.entry.total_cmp(&b.entry))
        });
        let mut table = Self::default();
        for row in &rows {
            table.leave(row.time, row.cause, 1);
            table.weights.resize(table.moments.len(), Weights::default());
            if let Some(weights) = table.weights.last_mut() {
                weights.exits += row.weight;
                weights.squares += row.weight * row.weight;
            }
            table.event_weights.resize(table.events.len(), 0.0);
            if let (true, Some(weight)) = (row.cause != CENSORED, table.event_weights.last_mut()) {
                *weight += row.weight;
            }
        }
        rows.retain(|row| row.entry > f64::NEG_INFINITY);
        rows.sort_unstable_by(|a, b| a.entry.total_cmp(&b.entry).then(a.weight.total_cmp(&b.weight)));
        for row in rows {
            table.enter(row.entry, Mass { n: 1, weight: row.weight });
        }
        table.with_risk_sets()
    }

    /// Rows of weight 1, all watched from the start, in increasing (time, cause).
    fn from_sorted(rows: impl ExactSizeIterator<Item = (f64, u8)> + Clone) -> Self {
        let mut table = Self::default();
        table.moments.reserve(rows.len());
        table.events.reserve(rows.clone().filter(|(_, cause)| *cause > 0).count());
        for (time, cause) in rows {
            table.leave(time, u32::from(cause), 1);
        }
        table.with_risk_sets()
    }

    /// Adds exits that come in increasing (time, cause).
    fn leave(&mut self, time: f64, cause: u32, n: u32) {
        match self.moments.last_mut() {
            Some(last) if last.time >= time => last.n_exits += n,
            _ => self.moments.push(Moment { time, n_exits: n, n_at_risk: 0 }),
        }
        if cause == CENSORED {
            return;
        }
        let moment = u32::try_from(self.moments.len() - 1).unwrap_or(u32::MAX);
        match self.events.last_mut() {
            Some(last) if last.moment == moment && last.cause == cause => last.n += n,
            _ => self.events.push(Event { n, moment, cause }),
        }
    }

    /// Adds late entries that come in increasing time.
    pub(super) fn enter(&mut self, time: f64, mass: Mass) {
        match self.entries.last_mut() {
            Some(last) if last.time >= time => last.mass.add(mass),
            _ => self.entries.push(Entry { time, mass }),
        }
    }

    /// Y(t) = exits from t on less entries from t on, summed from the end: without late entries nothing cancels.
    pub(super) fn with_risk_sets(mut self) -> Self {
        let (mut n, mut weight) = (0, Sum::default());
        let mut weights = self.weights.iter_mut().rev();
        let mut entries = self.entries.iter().rev().peekable();
        let mut waiting = 0;
        for moment in self.moments.iter_mut().rev() {
            while let Some(entry) = entries.next_if(|entry| entry.time >= moment.time) {
                waiting += entry.mass.n;
                weight.add(-entry.mass.weight);
            }
            n += moment.n_exits;
            moment.n_at_risk = n - waiting;
            if let Some(weights) = weights.next() {
                weight.add(weights.exits);
                // Whoever leaves now is at risk now, whatever rounding says.
                weights.at_risk = weight.get().max(weights.exits);
            }
        }
        self
    }

    /// The moments at which something happened, each with its events.
    pub(super) fn happenings(&self) -> impl Iterator<Item = Happening<'_>> {
        let mut start = 0;
        self.events.chunk_by(|a, b| a.moment == b.moment).filter_map(move |events| {
            let place = usize::try_from(events.first()?.moment).ok()?;
            let moment = self.moments.get(place)?;
            let weights = self.event_weights.get(start..start + events.len()).unwrap_or_default();
            start += events.len();
            Some(Happening { time: moment.time, risk: self.risk(place, moment), events, weights })
        })
    }

    fn risk(&self, place: usize, moment: &Moment) -> Mass {
        let weights = self.weights.get(place);
        let weight = weights.map_or_else(|| f64::from(moment.n_at_risk), |weights| weights.at_risk);
        Mass { n: moment.n_at_risk, weight }
    }

    /// The time and weight of everybody leaving, censored ones included, in increasing time.
    pub(super) fn exits(&self) -> impl Iterator<Item = (f64, f64)> {
        self.moments.iter().enumerate().map(|(place, moment)| {
            let weights = self.weights.get(place);
            (moment.time, weights.map_or_else(|| f64::from(moment.n_exits), |weights| weights.exits))
        })
    }

    /// Everybody who left to a cause.
    pub(super) fn left(&self) -> Mass {
        let all = Happening {
            time: 0.0,
            risk: Mass::default(),
            events: &self.events,
            weights: &self.event_weights,
        };
        all.left()
    }

    /// What happened at a time, if anything.
    pub(super) fn happening(&self, time: f64) -> Option<Happening<'_>> {
        let place = self.moments.partition_point(|moment| moment.time < time);
        let moment = self.moments.get(place).filter(|moment| moment.time <= time)?;
        let number = u32::try_from(place).ok()?;
        let first = self.events.partition_point(|event| event.moment < number);
        let last = self.events.partition_point(|event| event.moment <= number);
        let weights = self.event_weights.get(first..last).unwrap_or_default();
        let events = self.events.get(first..last).unwrap_or_default();
        Some(Happening { time, risk: self.risk(place, moment), events, weights })
    }

    /// Weight of the rows with `entry < t <= time`.
    pub(super) fn at_risk(&self, t: f64) -> f64 {
        let next = self.moments.partition_point(|moment| moment.time < t);
        let Some((place, next)) = self.moments.get(next).map(|moment| (next, moment)) else { return 0.0 };
        let first = self.entries.partition_point(|entry| entry.time < t);
        let late = self.entries.iter().skip(first).take_while(|entry| entry.time < next.time);
        (self.risk(place, next).weight - late.map(|entry| entry.mass.weight).sum::<f64>()).max(0.0)
    }

    /// Number of rows, sum of weights, sum of squared weights.
    pub(super) fn totals(&self) -> (u32, f64, f64) {
        let n = self.moments.iter().map(|moment| moment.n_exits).sum();
        if self.weights.is_empty() {
            return (n, f64::from(n), f64::from(n));
        }
        let weights = |of: fn(&Weights) -> f64| sum(self.weights.iter().map(of));
        (n, weights(|weights| weights.exits), weights(|weights| weights.squares))
    }

    /// The rows that leave later than this, as they leave.
    pub(super) fn leaving_after(&self, time: f64) -> Self {
        let gone = self.moments.partition_point(|moment| moment.time <= time);
        let number = u32::try_from(gone).unwrap_or(u32::MAX);
        let first = self.events.partition_point(|event| event.moment < number);
        let kept = self.events.iter().skip(first);
        Self {
            moments: self.moments.iter().skip(gone).copied().collect(),
            weights: self.weights.iter().skip(gone).copied().collect(),
            events: kept.map(|event| Event { moment: event.moment - number, ..*event }).collect(),
            event_weights: self.event_weights.iter().skip(first).copied().collect(),
            entries: Vec::new(),
        }
    }
}

/// Rows looked at together: small enough to stay in the nearest cache between the two passes over them.
const BLOCK: usize = 4096;
/// Neighbouring rows count into different lanes, so that two equal days in a row do not wait for each other.
const LANES: usize = 2;

/// Counts rows of weight 1 by (whole day, cause) instead of sorting them.
struct DayCounts {
    cells: Vec<[u32; LANES]>,
    stride: usize,
    most: usize,
}

impl DayCounts {
    fn new(causes: &[u8]) -> Self {
        let stride = usize::from(causes.iter().copied().max().unwrap_or(0)) + 1;
        Self { cells: Vec::new(), stride, most: (8 * causes.len()).max(1024) }
    }

    /// `None` where the days are too sparse for counting to pay.
    #[expect(
        clippy::indexing_slicing,
        reason = "the hot loop; `cells` was grown to the largest day of the block"
    )]
    fn block(&mut self, days: &[u32], causes: &[u8]) -> Option<()> {
        let last = usize::try_from(days.iter().copied().max().unwrap_or(0)).ok()?;
        let needed = last.checked_add(1)?.checked_mul(self.stride)?;
        if needed > self.most {
            return None;
        }
        if needed > self.cells.len() {
            self.cells.resize(needed, [0; LANES]);
        }
        let (cells, stride) = (self.cells.as_mut_slice(), self.stride);
        let mut pairs = days.chunks_exact(LANES).zip(causes.chunks_exact(LANES));
        for (day, cause) in &mut pairs {
            for lane in 0..LANES {
                cells[day[lane] as usize * stride + usize::from(cause[lane])][lane] += 1;
            }
        }
        let rest = days.len() - days.len() % LANES;
        for (&day, &cause) in days.iter().zip(causes).skip(rest) {
            cells[day as usize * stride + usize::from(cause)][0] += 1;
        }
        Some(())
    }

    fn into_table(self) -> Table {
        let mut table = Table::default();
        for (day, causes) in self.cells.chunks(self.stride).enumerate() {
            for (cause, lanes) in (0..).zip(causes) {
                let n = lanes.iter().sum();
                if n > 0 {
                    table.leave(count(day), cause, n);
                }
            }
        }
        table.with_risk_sets()
    }
}

/// A table of whole days by counting; `None` where they are too sparse for it.
pub(super) fn of_days(days: &[u32], causes: &[u8]) -> Option<Table> {
    let mut counts = DayCounts::new(causes);
    for (days, causes) in days.chunks(BLOCK).zip(causes.chunks(BLOCK)) {
        counts.block(days, causes)?;
    }
    Some(counts.into_table())
}

/// As [`of_days`], for times that turn out to be whole; `None` at the first that is not.
pub(super) fn of_whole(times: &[f64], causes: &[u8]) -> Option<Table> {
    let mut counts = DayCounts::new(causes);
    let mut days = [0_u32; BLOCK];
    for (times, causes) in times.chunks(BLOCK).zip(causes.chunks(BLOCK)) {
        let days = days.get_mut(..times.len())?;
        let mut whole = true;
        for (day, &time) in days.iter_mut().zip(times) {
            let (low, same) = low_bits_of_whole(time);
            *day = low;
            whole &= same;
        }
        if !whole {
            return None;
        }
        counts.block(days, causes)?;
    }
    Some(counts.into_table())
}

/// A table of any times >= 0, of weight 1 and watched from the start, by sorting.
///
/// The bits of such times are in the order of the times, so a time and its cause go into one integer, which is sorted
/// without a branch a comparison: of 64 bits where the times span few enough powers of two, else of 128.
pub(super) fn of_times(times: &[f64], causes: &[u8]) -> Table {
    // `+ 0.0` turns -0.0 into 0.0.
    let bits = |time: &f64| (time + 0.0).to_bits();
    let (low, high) = times.iter().map(bits).fold((u64::MAX, 0), |(low, high), t| (t.min(low), t.max(high)));
    let width = 8 - causes.iter().copied().max().unwrap_or(0).leading_zeros();
    let mask = (1_u64 << width) - 1;
    #[allow(clippy::cast_possible_truncation, reason = "the mask leaves at most 8 bits")]
    let cause = |low_bits: u64| (low_bits & mask) as u8;
    if high.saturating_sub(low).leading_zeros() >= width {
        let key = |(time, cause): (&f64, &u8)| ((bits(time) - low) << width) | u64::from(*cause);
        let mut keys: Vec<u64> = times.iter().zip(causes).map(key).collect();
        keys.sort_unstable();
        return Table::from_sorted(
            keys.iter().map(|&key| (f64::from_bits((key >> width) + low), cause(key))),
        );
    }
    let key = |(time, cause): (&f64, &u8)| (u128::from(bits(time)) << width) | u128::from(*cause);
    let mut keys: Vec<u128> = times.iter().zip(causes).map(key).collect();
    keys.sort_unstable();
    #[allow(clippy::cast_possible_truncation, reason = "64 bits of time and below them the cause")]
    let row = |key: &u128| (f64::from_bits((key >> width) as u64), cause(*key as u64));
    Table::from_sorted(keys.iter().map(row))
}

/// A number from 0 to 2^32 - 1 as an integer, and whether it was one: adding 2^52 leaves the integer in the low bits
/// of the sum, an addition and a comparison that the processor does for several numbers at once.
#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn low_bits_of_whole(x: f64) -> (u32, bool) {
    const SHIFT: f64 = 4_503_599_627_370_496.0;
    let moved = x + SHIFT;
    let back = moved - SHIFT;
    (moved.to_bits() as u32, (back - x).abs() <= 0.0 && (0.0..=4_294_967_295.0).contains(&x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_and_sorting_agree() {
        let days: Vec<u32> = (0..10_001).map(|i| (i * i * 7 + i) % 401).collect();
        let causes: Vec<u8> = (0..10_001_u32).map(|i| u8::try_from((i * 31) % 4).unwrap()).collect();
        let times: Vec<f64> = days.iter().map(|&d| f64::from(d)).collect();
        let counted = of_days(&days, &causes).unwrap();
        assert_eq!(counted, of_times(&times, &causes));
        assert_eq!(Some(counted), of_whole(&times, &causes));
    }

    #[test]
    fn narrow_and_wide_times_are_sorted_alike() {
        let rows = [(3.5, 2), (0.25, 0), (3.5, 1), (-0.0, 255), (7.0, 2)];
        let wide: Vec<(f64, u8)> = rows.into_iter().chain([(1e300, 1), (1e-300, 3)]).collect();
        for rows in [&rows[..], &wide] {
            let (times, causes): (Vec<f64>, Vec<u8>) = rows.iter().copied().unzip();
            let row = |&(time, cause): &(f64, u8)| Row {
                time: time + 0.0,
                entry: f64::NEG_INFINITY,
                weight: 1.0,
                cause: u32::from(cause),
            };
            let slow = Table::from_rows(rows.iter().map(row).collect());
            let slow = Table { weights: Vec::new(), event_weights: Vec::new(), ..slow };
            assert_eq!(of_times(&times, &causes), slow);
        }
    }

    #[test]
    fn only_whole_times_are_counted() {
        for odd in [0.5, -1.0, f64::NAN, f64::INFINITY, 1e300, 4_294_967_296.0, 1e-300, -0.5] {
            assert!(!low_bits_of_whole(odd).1, "{odd}");
        }
        assert_eq!(low_bits_of_whole(-0.0), (0, true));
        assert_eq!(low_bits_of_whole(4_294_967_295.0), (u32::MAX, true));
        assert!(of_whole(&[1.0, 2.5], &[1, 1]).is_none());
        assert!(of_days(&[1, u32::MAX], &[1, 1]).is_none(), "one outlier must not allocate its days");
    }

    #[test]
    fn risk_sets_count_who_entered_before() {
        let row = |entry, time| Row { time, entry, weight: 2.0, cause: 1 };
        let rows = vec![row(f64::NEG_INFINITY, 0.0), row(0.0, 4.0), row(2.0, 4.0), row(4.0, 6.0)];
        let table = Table::from_rows(rows);
        let risk: Vec<u32> = table.moments.iter().map(|m| m.n_at_risk).collect();
        assert_eq!(risk, [1, 2, 1]);
        let weights: Vec<f64> = [0.0, 1.0, 2.0, 2.5, 4.0, 4.5, 6.0, 7.0].map(|t| table.at_risk(t)).to_vec();
        assert_eq!(weights, [2.0, 2.0, 2.0, 4.0, 4.0, 2.0, 2.0, 0.0]);
    }
}
