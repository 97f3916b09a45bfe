//! Texts stored once, and their canonical order.

use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// Many texts in one allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, index: usize) -> &str {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.text.get(start..end).unwrap_or("")
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Position of a text; the texts must be in canonical order.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Gives every distinct text a number, in order of first appearance.
///
/// The hash is keyed at random, so that no input can be built to collide; the table is only ever asked, never walked
/// through, so that no result depends on the key.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: Texts,
    table: HashTable<u32>,
    hasher: RandomState,
    last: u32,
}

impl Interner {
    /// The number of a text; `None` once there are 2^32 - 1 of them.
    pub(super) fn number(&mut self, text: &str) -> Option<u32> {
        // Exports are mostly in runs of one deal.
        if self.texts.get(index(self.last)) == text && index(self.last) < self.texts.len() {
            return Some(self.last);
        }
        let hash = self.hasher.hash_one(text);
        let known = self.table.find(hash, |&number| self.texts.get(index(number)) == text);
        let number = match known {
            Some(&number) => number,
            None => {
                let number = u32::try_from(self.texts.len()).ok().filter(|&number| number < u32::MAX)?;
                self.texts.push(text);
                let (texts, hasher) = (&self.texts, &self.hasher);
                self.table.insert_unique(hash, number, |&other| hasher.hash_one(texts.get(index(other))));
                number
            }
        };
        self.last = number;
        Some(number)
    }

    /// The texts in canonical (byte) order, and the new number of each old one.
    pub(super) fn ordered(self) -> (Texts, Vec<u32>) {
        let mut order: Vec<(u128, u32)> =
            (0..).zip(self.texts.iter()).map(|(number, text)| (prefix(text), number)).collect();
        // Most texts differ in their first bytes: comparing those as one integer saves the way to the text.
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.texts.get(index(a.1)).cmp(self.texts.get(index(b.1))))
        });
        let mut rank = vec![u32::MAX; self.texts.len()];
        let mut texts = Texts::default();
        for (new, &(_, old)) in (0..).zip(&order) {
            texts.push(self.texts.get(index(old)));
            if let Some(slot) = rank.get_mut(index(old)) {
                *slot = new;
            }
        }
        (texts, rank)
    }
}

/// The first 16 bytes as a number that sorts as they do; shorter texts are filled with zeros.
fn prefix(text: &str) -> u128 {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
        *slot = byte;
    }
    u128::from_be_bytes(bytes)
}

/// A number as an index: `usize` has at least 32 bits wherever the standard library's collections make sense.
#[allow(clippy::cast_possible_truncation, reason = "usize has at least 32 bits on every supported target")]
pub(super) const fn index(number: u32) -> usize {
    number as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_does_not_depend_on_first_appearance(mut names in proptest::collection::vec("[ab\u{0}\u{200d}]{0,20}", 0..40)) {
            let mut interner = Interner::default();
            let numbers: Vec<u32> = names.iter().map(|name| interner.number(name).unwrap()).collect();
            let (texts, rank) = interner.ordered();
            for (name, number) in names.iter().zip(numbers) {
                prop_assert_eq!(texts.get(index(rank[index(number)])), name);
                prop_assert_eq!(texts.find(name), Some(index(rank[index(number)])));
            }
            names.sort();
            names.dedup();
            prop_assert_eq!(texts.iter().collect::<Vec<_>>(), names);
        }
    }
}
