//! What was stated of each deal, and on which day: amounts, and what the reps said.

use crate::deals::Known;
use crate::time::civil_day;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Statements by deal, each deal's in order of time.
#[derive(Clone, Debug)]
pub(crate) struct Dated<T> {
    /// Where each deal's statements begin; one more than there are deals.
    starts: Vec<usize>,
    facts: Vec<(i32, T)>,
}

impl<T> Default for Dated<T> {
    fn default() -> Self {
        Self { starts: vec![0], facts: Vec::new() }
    }
}

impl<T: Copy> Dated<T> {
    /// The statements of the next deal, by second.
    pub(super) fn push(&mut self, facts: impl Iterator<Item = (i64, T)>) {
        self.facts.extend(facts.map(|(at, fact)| (civil_day(at), fact)));
        self.starts.push(self.facts.len());
    }

    /// The last statement about a deal before a day.
    pub(crate) fn before(&self, deal: u32, day: i32) -> Option<T> {
        let deal = usize::try_from(deal).ok()?;
        let range = *self.starts.get(deal)?..*self.starts.get(deal + 1)?;
        self.facts.get(range)?.iter().rev().find(|&&(stated, _)| stated < day).map(|&(_, fact)| fact)
    }
}

/// Expected close dates and forecast categories, as they were stated at the time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Day numbers; `None` where the date was cleared.
    pub closes: Dated<Option<i32>>,
    /// By number.
    pub categories: Dated<u32>,
    /// By number, in order.
    names: Vec<Arc<str>>,
}

impl Said {
    pub(super) fn of(known: &Known<'_>) -> Self {
        let names: BTreeSet<&str> =
            known.deals().flat_map(|deal| deal.categories()).map(|word| word.1).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let number = |name: &str| names.binary_search(&name).ok().and_then(|at| u32::try_from(at).ok());
        let mut said = Self::default();
        for deal in known.deals() {
            said.closes.push(deal.closes());
            said.categories.push(deal.categories().filter_map(|(at, name)| Some((at, number(name)?))));
        }
        said.names = names.into_iter().map(Arc::from).collect();
        said
    }

    /// Whether nobody said anything.
    pub(crate) const fn is_empty(&self) -> bool {
        self.closes.facts.is_empty() && self.categories.facts.is_empty()
    }

    /// The name of a category by its number, counted from 1.
    pub(crate) fn name(&self, number: u32) -> Option<&Arc<str>> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.names.get(at)
    }

    /// All categories, in order.
    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.names
    }
}
