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
    ///
    /// The bits of numbers above 0 are ordered as the numbers are; negative ones, infinity and NaN come after them.
    fn over(durations: &[f64], ended: &[bool]) -> Option<Self> {
        let (mut shortest, mut longest, mut first_end) = (u64::MAX, 0, f64::INFINITY.to_bits());
        for (t, &ended) in durations.iter().zip(ended) {
            let bits = t.to_bits();
            shortest = shortest.min(bits);
            longest = longest.max(bits);
            // All bits set where it has not ended: never the least.
            first_end = first_end.min(bits | u64::from(ended).wrapping_sub(1));
        }
        let numbers = f64::MIN_POSITIVE.to_bits()..f64::INFINITY.to_bits();
        (numbers.contains(&shortest) && numbers.contains(&longest)).then(|| Self {
            shortest: f64::from_bits(shortest),
            longest: f64::from_bits(longest),
            first_end: f64::from_bits(first_end),
        })
    }
}
