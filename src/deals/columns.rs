//! The rows of a log by column, deal after deal, each deal's rows in canonical order.
//!
//! Eighteen bytes a row (instant 8, amount 8, step 2) and four a deal; the columns for late knowledge, sequence,
//! expected close and category exist only where some row carries one.

use super::names::{Texts, index};
use super::receipt::Receipt;
use super::row::{Draft, NO_CATEGORY, NO_CLOSE, NO_SEQUENCE, Row, Step, Tag, canonical, same};
use super::{findings, row};
use std::ops::Range;

/// An attribute given by a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowTag {
    pub(super) row: u32,
    pub(super) tag: Tag,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Columns {
    /// Deals in canonical order.
    pub(super) ids: Texts,
    /// Names of attributes.
    pub(super) names: Texts,
    /// Values of attributes, and categories.
    pub(super) words: Texts,
    /// End of each deal's rows.
    pub(super) ends: Vec<u32>,
    pub(super) at: Vec<i64>,
    pub(super) step: Vec<Step>,
    pub(super) amount: Vec<f64>,
    /// Empty unless a row became known later than it happened.
    pub(super) known: Vec<i64>,
    /// Empty unless a row has one.
    pub(super) sequence: Vec<i64>,
    /// Empty unless a row has one.
    pub(super) close: Vec<i32>,
    /// Empty unless a row has one.
    pub(super) category: Vec<u32>,
    /// In the order of the rows.
    pub(super) tags: Vec<RowTag>,
    /// End of each deal's tags; empty where there are none.
    tag_ends: Vec<u32>,
}

impl Columns {
    /// Linear in the rows, apart from the ordering of the ids and of the rows within a deal.
    pub(super) fn of(mut draft: Draft<'_>) -> (Self, Receipt) {
        let mut columns = Self::default();
        renumber(&mut draft, &mut columns);
        let order = by_deal(&draft.rows, columns.ids.len());
        columns.reserve(&draft.rows);
        let mut deal_rows: Vec<Row> = Vec::new();
        let mut start = 0;
        for end in order.ends {
            deal_rows.clear();
            let places = order.places.get(index(start)..index(end)).unwrap_or(&[]);
            deal_rows.extend(places.iter().filter_map(|&place| draft.rows.get(index(place))));
            start = end;
            // Exports are mostly in order already.
            if !deal_rows.is_sorted_by(|a, b| canonical(a, b, &draft.tags).is_le()) {
                deal_rows.sort_unstable_by(|a, b| canonical(a, b, &draft.tags));
            }
            // Of equal rows the one known first comes first and stays.
            deal_rows.dedup_by(|later, first| same(later, first, &draft.tags));
            columns.push_deal(&deal_rows, &draft.tags);
        }
        columns.shrink();
        let mut receipt = draft.receipt;
        receipt.settle(columns.at.len(), findings::of(&columns, draft.process));
        (columns, receipt)
    }

    fn reserve(&mut self, rows: &[Row]) {
        self.at.reserve_exact(rows.len());
        self.step.reserve_exact(rows.len());
        self.amount.reserve_exact(rows.len());
        self.ends.reserve_exact(self.ids.len());
        let reserve = |needed: bool| if needed { rows.len() } else { 0 };
        self.known.reserve_exact(reserve(rows.iter().any(|row| row.known != row.at)));
        self.sequence.reserve_exact(reserve(rows.iter().any(|row| row.sequence != NO_SEQUENCE)));
        self.close.reserve_exact(reserve(rows.iter().any(|row| row.close != NO_CLOSE)));
        self.category.reserve_exact(reserve(rows.iter().any(|row| row.category != NO_CATEGORY)));
    }

    /// A column that is not needed has no capacity and stays empty.
    fn push_deal(&mut self, rows: &[Row], tags: &[Tag]) {
        for row in rows {
            let number = self.n_rows();
            self.tags.extend(given_by(row, tags).iter().map(|&tag| RowTag { row: number, tag }));
            self.at.push(row.at);
            self.step.push(row.step);
            self.amount.push(row.amount);
            push_if_kept(&mut self.known, row.known);
            push_if_kept(&mut self.sequence, row.sequence);
            push_if_kept(&mut self.close, row.close);
            push_if_kept(&mut self.category, row.category);
        }
        self.ends.push(self.n_rows());
        // No more tags than the draft took, whose places are numbered in 32 bits as well.
        self.tag_ends.push(u32::try_from(self.tags.len()).unwrap_or(u32::MAX));
    }

    /// Gives back what duplicates and missing attributes did not need.
    fn shrink(&mut self) {
        if self.tags.is_empty() {
            self.tag_ends.clear();
        }
        if self.known == self.at {
            // All that was known late was a duplicate of what was known before.
            self.known.clear();
        }
        self.at.shrink_to_fit();
        self.step.shrink_to_fit();
        self.amount.shrink_to_fit();
        self.known.shrink_to_fit();
        self.sequence.shrink_to_fit();
        self.close.shrink_to_fit();
        self.category.shrink_to_fit();
        self.tags.shrink_to_fit();
        self.tag_ends.shrink_to_fit();
    }

    /// A draft takes no more than 2^32 - 2 rows.
    fn n_rows(&self) -> u32 {
        u32::try_from(self.at.len()).unwrap_or(u32::MAX)
    }

    /// The rows of a deal.
    pub(super) fn rows_of(&self, deal: usize) -> Range<usize> {
        between(&self.ends, deal)
    }

    /// The attributes a deal's rows give.
    pub(super) fn tags_of(&self, deal: usize) -> &[RowTag] {
        self.tags.get(between(&self.tag_ends, deal)).unwrap_or(&[])
    }

    /// Puts all rows back into a draft, as if they had just been accepted.
    pub(super) fn refill(&self, draft: &mut Draft<'_>) -> crate::Result<()> {
        let mut tags = self.tags.iter().peekable();
        for deal in 0..self.ids.len() {
            let number = row::number_of(&mut draft.ids, self.ids.get(deal))?;
            for place in self.rows_of(deal) {
                let mut of_row = Vec::new();
                while let Some(tag) = tags.next_if(|tag| index(tag.row) == place) {
                    let (name, value) = (self.names.get(index(tag.tag.0)), self.words.get(index(tag.tag.1)));
                    of_row.push((
                        row::number_of(&mut draft.names, name)?,
                        row::number_of(&mut draft.words, value)?,
                    ));
                }
                let category = match self.category.get(place) {
                    Some(&word) if word != NO_CATEGORY => {
                        row::number_of(&mut draft.words, self.words.get(index(word)))?
                    }
                    _ => NO_CATEGORY,
                };
                let at = self.at.get(place).copied().unwrap_or_default();
                let row = Row {
                    at,
                    known: self.known.get(place).copied().unwrap_or(at),
                    sequence: self.sequence.get(place).copied().unwrap_or(NO_SEQUENCE),
                    amount: self.amount.get(place).copied().unwrap_or(row::NO_AMOUNT),
                    deal: number,
                    category,
                    close: self.close.get(place).copied().unwrap_or(NO_CLOSE),
                    step: self.step.get(place).copied().unwrap_or_default(),
                    tags: draft.push_tags(&of_row)?,
                };
                draft.rows.push(row);
            }
        }
        Ok(())
    }

    /// Bytes held by the rows and the index, ids and attributes aside.
    pub(super) fn bytes(&self) -> usize {
        fn held<T>(column: &Vec<T>) -> usize {
            column.capacity() * size_of::<T>()
        }
        held(&self.ends)
            + held(&self.at)
            + held(&self.step)
            + held(&self.amount)
            + held(&self.known)
            + held(&self.sequence)
            + held(&self.close)
            + held(&self.category)
    }
}

fn between(ends: &[u32], deal: usize) -> Range<usize> {
    let end_of = |deal: usize| ends.get(deal).copied().map_or(0, index);
    deal.checked_sub(1).map_or(0, end_of)..end_of(deal)
}

fn push_if_kept<T>(column: &mut Vec<T>, value: T) {
    if column.capacity() > 0 {
        column.push(value);
    }
}

fn given_by<'a>(row: &Row, tags: &'a [Tag]) -> &'a [Tag] {
    tags.get(index(row.tags.0)..index(row.tags.1)).unwrap_or(&[])
}

/// Gives every text its number in canonical order, so that the order of first appearance leaves no trace.
fn renumber(draft: &mut Draft<'_>, columns: &mut Columns) {
    let (ids, deal_rank) = std::mem::take(&mut draft.ids).ordered();
    let (names, name_rank) = std::mem::take(&mut draft.names).ordered();
    let (words, word_rank) = std::mem::take(&mut draft.words).ordered();
    let new = |rank: &[u32], old: u32| rank.get(index(old)).copied().unwrap_or(old);
    for row in &mut draft.rows {
        row.deal = new(&deal_rank, row.deal);
        row.category = new(&word_rank, row.category);
        let (start, end) = row.tags;
        let tags = draft.tags.get_mut(index(start)..index(end)).unwrap_or(&mut []);
        for (name, value) in &mut *tags {
            *name = new(&name_rank, *name);
            *value = new(&word_rank, *value);
        }
        tags.sort_unstable();
    }
    (columns.ids, columns.names, columns.words) = (ids, names, words);
}

/// Places of the rows, deal after deal, and the end of each deal among them.
struct Order {
    places: Vec<u32>,
    ends: Vec<u32>,
}

/// A counting sort by deal.
fn by_deal(rows: &[Row], n_deals: usize) -> Order {
    let mut ends = vec![0u32; n_deals];
    for row in rows {
        if let Some(count) = ends.get_mut(index(row.deal)) {
            *count += 1;
        }
    }
    let mut total = 0;
    for count in &mut ends {
        // First the start of the deal; moved to its end while the places are filled.
        total += std::mem::replace(count, total);
    }
    let mut places = vec![0u32; rows.len()];
    for (place, row) in (0..).zip(rows) {
        if let Some(next) = ends.get_mut(index(row.deal)) {
            if let Some(slot) = places.get_mut(index(*next)) {
                *slot = place;
            }
            *next += 1;
        }
    }
    Order { places, ends }
}
