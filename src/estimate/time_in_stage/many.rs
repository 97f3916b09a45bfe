//! The common case, fast: very many whole stays, each ended or open. Two passes, no logarithm and no branch a row.

use super::bins::{Bins, MANY, Sink, off_middle};
use super::stays::TimesInStage;
use crate::num::count;

/// Ended and open stays in one walk over the bins; `None` where a row needs a closer look (few rows, a time of 0 or one
/// that is no number).
pub(super) fn summed(durations: &[f64], ended: &[bool]) -> Option<TimesInStage> {
    let n = durations.len();
    if n <= MANY {
        return None;
    }
    let range = Range::over(durations, ended)?;
    let bins = Bins::over(range.shortest, range.longest);
    let (shift, first) = (bins.shift, bins.first);
    // Open and ended side by side: which one is an index, not a branch.
    let mut sums = vec![[[0.0_f64; 3]; 2]; bins.sums.len()];
    for (&t, &ended) in durations.iter().zip(ended) {
        let bits = t.to_bits();
        let bin = usize::try_from((bits >> shift) - first).unwrap_or(usize::MAX);
        let within = off_middle(bits, shift);
        if let Some([mass, mean, square]) =
            sums.get_mut(bin).and_then(|both| both.get_mut(usize::from(ended)))
        {
            *mass += 1.0;
            *mean += within;
            *square += within * within;
        }
    }
    let (open, exact): (Vec<_>, Vec<_>) = sums.into_iter().map(|[open, exact]| (open, exact)).unzip();
    let nodes = |sums| Bins { sums, shift, first, odd: Vec::new() }.into_nodes();
    let n_ended = ended.iter().filter(|&&ended| ended).count();
    Some(TimesInStage {
        exact: nodes(exact),
        beyond: nodes(open),
        entered: Vec::new(),
        by: Vec::new(),
        between: Vec::new(),
        n,
        n_ended,
        weight: count(n),
        weight_ended: count(n_ended),
        latest_lower: range.longest,
        earliest_upper: range.first_end,
    })
}

/// The shortest and longest stay, and the shortest that ended.
struct Range {
    shortest: f64,
    longest: f64,
    first_end: f64,
}

impl Range {
    /// `None` unless all are normal numbers above 0.
    fn over(durations: &[f64], ended: &[bool]) -> Option<Self> {
        // Four of each, so that one comparison does not wait for the last.
        let mut shortest = [f64::INFINITY; 4];
        let mut longest = [0.0_f64; 4];
        let mut first_end = [f64::INFINITY; 4];
        let mut numbers = true;
        let (rows, rest) = durations.as_chunks::<4>();
        let (flags, rest_flags) = ended.as_chunks::<4>();
        let mut see = |lane: usize, t: f64, ended: bool| {
            let [low, high, end] = [shortest.get_mut(lane), longest.get_mut(lane), first_end.get_mut(lane)];
            if let (Some(low), Some(high), Some(end)) = (low, high, end) {
                *low = if t < *low { t } else { *low };
                *high = if t > *high { t } else { *high };
                let or_never = if ended { t } else { f64::INFINITY };
                *end = if or_never < *end { or_never } else { *end };
                numbers &= t >= f64::MIN_POSITIVE;
            }
        };
        for (row, flag) in rows.iter().zip(flags) {
            for (lane, (&t, &ended)) in row.iter().zip(flag).enumerate() {
                see(lane, t, ended);
            }
        }
        rest.iter().zip(rest_flags).for_each(|(&t, &ended)| see(0, t, ended));
        let least = |xs: [f64; 4]| xs.into_iter().fold(f64::INFINITY, f64::min);
        let longest = longest.into_iter().fold(0.0, f64::max);
        (numbers && longest < f64::INFINITY).then(|| Self {
            shortest: least(shortest),
            longest,
            first_end: least(first_end),
        })
    }
}
