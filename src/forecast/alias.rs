//! Joint draws of a few deals at once: one random word decides them all.
//!
//! # Formula
//! The 2^g outcomes of g deals (with buckets: nobody wins, one deal wins in one bucket, or a pattern of several) are
//! drawn by Walker's alias method: the word's first bits choose a slot, the others whether its own outcome or its
//! alias happens. Probabilities are kept to 2^-32.
//!
//! # Reference
//! Walker (1977), An efficient method for generating discrete random variables with general distributions;
//! construction by Vose (1991).
#![expect(
    clippy::indexing_slicing,
    reason = "the measured kernel; slots are below the power-of-two table length"
)]

use crate::num::count;
use crate::num::rng::Stream;

/// An alias table over a power of two of slots; the scratch space is kept between groups.
#[derive(Default)]
pub(crate) struct Alias {
    /// Own outcome iff the word, slot bits shifted out, is below.
    pub(crate) cut: Vec<u32>,
    pub(crate) other: Vec<u16>,
    heavy: Vec<u16>,
    light: Vec<u16>,
}

impl Alias {
    /// Takes the masses (summing to 1, a power of two of them), which are used up.
    pub(crate) fn build(&mut self, mass: &mut [f64]) {
        let n = mass.len();
        self.cut.clear();
        self.cut.resize(n, u32::MAX);
        self.other.clear();
        self.other.extend((0..n).map(short));
        self.heavy.clear();
        self.light.clear();
        for (k, m) in mass.iter_mut().enumerate() {
            *m *= count(n);
            if *m < 1.0 { &mut self.light } else { &mut self.heavy }.push(short(k));
        }
        while let (Some(light), Some(heavy)) = (self.light.pop(), self.heavy.last().copied()) {
            let (low, high) = (usize::from(light), usize::from(heavy));
            self.cut[low] = word(mass[low]);
            self.other[low] = heavy;
            mass[high] -= 1.0 - mass[low];
            if mass[high] < 1.0 {
                self.heavy.pop();
                self.light.push(heavy);
            }
        }
    }
}

/// A share of 2^32.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a saturating cast, as wanted")]
fn word(share: f64) -> u32 {
    (share * 4_294_967_296.0).round() as u32
}

#[allow(clippy::cast_possible_truncation, reason = "tables have at most 2^16 slots")]
const fn short(k: usize) -> u16 {
    k as u16
}

/// Most deals decided by one word.
pub(crate) const MOST: usize = 6;

/// Totals of a group of up to six deals.
#[derive(Default)]
pub(crate) struct WinTable {
    alias: Alias,
    mass: Vec<f64>,
    value: Vec<f64>,
    /// (cut, own and other value)
    slots: Vec<Slot>,
    bits: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    values: [f64; 2],
    cut: u32,
}

impl WinTable {
    pub(crate) fn build(&mut self, chance: &[f64], amount: &[f64]) {
        self.mass.clear();
        self.value.clear();
        self.mass.push(1.0);
        self.value.push(0.0);
        for (p, a) in chance.iter().zip(amount) {
            let n = self.mass.len();
            for k in 0..n {
                let m = self.mass[k];
                self.mass.push(m * p);
                self.mass[k] = m * (1.0 - p);
                let x = self.value[k];
                self.value.push(x + a);
            }
        }
        self.bits = self.mass.len().trailing_zeros();
        self.alias.build(&mut self.mass);
        self.slots.clear();
        let slots = self.alias.cut.iter().zip(&self.alias.other).zip(&self.value);
        self.slots.extend(
            slots.map(|((cut, other), own)| Slot {
                values: [*own, self.value[usize::from(*other)]],
                cut: *cut,
            }),
        );
    }

    /// Adds one draw to each sum; `next` gives 64 random bits, two draws.
    pub(crate) fn add_to(&self, sums: &mut [f64], mut next: impl FnMut() -> u64) {
        let bits = self.bits.clamp(1, 16);
        let slots = &self.slots[..1 << bits];
        let draw = |w: u32| {
            let slot = &slots[(w >> (32 - bits)) as usize & (slots.len() - 1)];
            // Indexed, not branched on: which of the two happens cannot be predicted.
            slot.values[usize::from(w << bits >= slot.cut)]
        };
        let mut pairs = sums.chunks_exact_mut(2);
        for pair in &mut pairs {
            let w = next();
            pair[0] += draw(low(w));
            pair[1] += draw(low(w >> 32));
        }
        if let [last] = pairs.into_remainder() {
            *last += draw(low(next()));
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
const fn low(w: u64) -> u32 {
    w as u32
}

/// Outcomes of a group by bucket.
#[derive(Default)]
pub(crate) struct BucketTable {
    alias: Alias,
    mass: Vec<f64>,
    /// Of every outcome: amount, bucket, pattern of winners to be resolved (0: none).
    outcome: Vec<(f64, u16, u16)>,
    several: Vec<(usize, u16)>,
    bits: u32,
}

/// A group of deals with the chances of every bucket, given a win.
pub(crate) struct Group<'a> {
    pub(crate) chance: &'a [f64],
    pub(crate) amount: &'a [f64],
    /// `n_buckets` cumulated shares a deal.
    pub(crate) cumulated: &'a [f64],
    pub(crate) n_buckets: usize,
}

impl Group<'_> {
    /// How many deals a table of moderate size decides.
    pub(crate) fn size(n_buckets: usize) -> usize {
        (1..=MOST).rev().find(|g| 1 + g * n_buckets + (1 << g) - 1 - g <= 128).unwrap_or(1)
    }
}

impl BucketTable {
    pub(crate) fn build(&mut self, group: &Group) {
        let g = group.chance.len();
        self.mass.clear();
        self.outcome.clear();
        for pattern in 0..1_u16 << g {
            let winners = (0..g).filter(|i| pattern >> i & 1 == 1);
            let m = (0..g).fold(1.0, |m, i| {
                m * if pattern >> i & 1 == 1 { group.chance[i] } else { 1.0 - group.chance[i] }
            });
            if pattern.is_power_of_two() {
                for i in winners {
                    let mut before = 0.0;
                    for b in 0..group.n_buckets {
                        let upto = group.cumulated[i * group.n_buckets + b];
                        self.mass.push(m * (upto - before));
                        self.outcome.push((group.amount[i], short(b), 0));
                        before = upto;
                    }
                }
            } else {
                self.mass.push(m);
                self.outcome.push((0.0, 0, pattern));
            }
        }
        let slots = self.mass.len().next_power_of_two().max(2);
        self.mass.resize(slots, 0.0);
        self.outcome.resize(slots, (0.0, 0, 0));
        self.bits = slots.trailing_zeros();
        self.alias.build(&mut self.mass);
    }

    /// Adds one draw to each row of `n_buckets` sums.
    pub(crate) fn add_to(&mut self, rows: &mut [f64], group: &Group, mut next: impl FnMut() -> u64) {
        let n = group.n_buckets;
        let n_rows = rows.len() / n;
        let (bits, mask) = (self.bits, self.alias.cut.len() - 1);
        self.several.resize(n_rows + 1, (0, 0));
        let mut n_several = 0;
        let mut half = 0_u64;
        for row in 0..n_rows {
            half = if row % 2 == 0 { next() } else { half >> 32 };
            let w = low(half);
            let slot = (w >> (32 - bits)) as usize & mask;
            let own = [self.alias.other[slot], short(slot)];
            let outcome = own[usize::from(w << bits < self.alias.cut[slot])];
            let (amount, bucket, pattern) = self.outcome[usize::from(outcome)];
            rows[row * n + usize::from(bucket)] += amount;
            // Several winners are rare: noted without a branch, resolved below.
            self.several[n_several] = (row, pattern);
            n_several += usize::from(pattern != 0);
        }
        for (row, pattern) in &self.several[..n_several] {
            for i in (0..group.chance.len()).filter(|i| pattern >> i & 1 == 1) {
                let shares = &group.cumulated[i * n..(i + 1) * n];
                let u = count(index_of(next())) * (1.0 / 9_007_199_254_740_992.0);
                let bucket = shares.partition_point(|upto| *upto <= u).min(n - 1);
                rows[row * n + bucket] += group.amount[i];
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "53 bits; a usize of 32 bits would only be coarser")]
const fn index_of(w: u64) -> usize {
    (w >> 11) as usize
}

/// Draws from any finite distribution, by its cumulated weights.
pub(crate) struct Choice {
    ends: Vec<f64>,
}

impl Choice {
    pub(crate) fn new(weights: &[f64]) -> Self {
        let mut end = 0.0;
        let ends = weights.iter().map(|w| {
            end += w;
            end
        });
        Self { ends: ends.collect() }
    }

    /// The outcome at a uniform.
    pub(crate) fn at(&self, uniform: f64) -> usize {
        let u = uniform * self.ends.last().copied().unwrap_or(0.0);
        self.ends.partition_point(|end| *end < u).min(self.ends.len().saturating_sub(1))
    }

    /// Deals `n` draws out over the outcomes.
    pub(crate) fn split(&self, n: u64, stream: &mut Stream, mut give: impl FnMut(usize, u64)) {
        let (mut rest, mut before) = (n, 0.0);
        let all = self.ends.last().copied().unwrap_or(0.0);
        for (outcome, end) in self.ends.iter().enumerate().filter(|(_, end)| **end > 0.0) {
            if rest == 0 {
                break;
            }
            let share = (end - before) / (all - before);
            let here = if share >= 1.0 { rest } else { stream.binomial(rest, share) };
            give(outcome, here);
            (rest, before) = (rest - here, *end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mass a table gives to each outcome.
    fn given(alias: &Alias) -> Vec<f64> {
        let n = alias.cut.len();
        let mut mass = vec![0.0; n];
        for k in 0..n {
            let own = f64::from(alias.cut[k]) / 4_294_967_295.0;
            mass[k] += own / count(n);
            mass[usize::from(alias.other[k])] += (1.0 - own) / count(n);
        }
        mass
    }

    #[test]
    fn a_table_gives_each_outcome_its_mass() {
        let mut mass = vec![0.5, 0.2, 0.0, 0.01, 0.09, 0.0, 0.1, 0.1];
        let wanted = mass.clone();
        let mut alias = Alias::default();
        alias.build(&mut mass);
        for (found, wanted) in given(&alias).iter().zip(&wanted) {
            assert!((found - wanted).abs() < 1e-9, "2^-32 a slot: {found} {wanted}");
        }
    }

    #[test]
    fn certain_deals_are_certain() {
        let mut table = WinTable::default();
        table.build(&[1.0, 0.0, 1.0], &[2.0, 3.0, 5.0]);
        let mut sums = vec![0.0; 1001];
        let mut w = 0_u64;
        table.add_to(&mut sums, || {
            w = w.wrapping_add(0x9E37_79B9_7F4A_7C15);
            w
        });
        assert!(sums.iter().all(|x| *x == 7.0));
    }
}
