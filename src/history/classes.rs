//! Classes: deals created with the same attributes.

use std::collections::BTreeMap;

/// Attributes by name.
pub(crate) type Attributes = BTreeMap<String, String>;

/// Most classes a history tells apart. Where there are more, the attribute with the most values is left out,
/// then the next: an attribute that is almost an identifier explains nothing.
const MOST: usize = 4096;

/// The class of every deal, and what each class is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Classes {
    /// By position of the deal.
    pub of_deal: Vec<u32>,
    /// By class, in their order.
    pub attributes: Vec<Attributes>,
}

impl Classes {
    /// From the attributes of every deal, in canonical order.
    pub(crate) fn of(mut deals: Vec<Vec<(&str, &str)>>) -> Self {
        loop {
            let mut number: BTreeMap<&[(&str, &str)], u32> =
                deals.iter().map(|tags| (tags.as_slice(), 0)).collect();
            if number.len() > MOST {
                let widest = widest(&deals).to_owned();
                deals.iter_mut().for_each(|tags| tags.retain(|&(name, _)| name != widest));
                continue;
            }
            number.values_mut().zip(0..).for_each(|(class, n)| *class = n);
            let of_deal =
                deals.iter().map(|tags| number.get(tags.as_slice()).map_or(0, |&class| class)).collect();
            let owned =
                |tags: &[(&str, &str)]| tags.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
            return Self { of_deal, attributes: number.keys().map(|tags| owned(tags)).collect() };
        }
    }
}

/// The attribute with the most distinct values, the first of equals.
fn widest<'a>(deals: &[Vec<(&'a str, &str)>]) -> &'a str {
    let mut values: Vec<(&str, &str)> = deals.iter().flatten().copied().collect();
    values.sort_unstable();
    values.dedup();
    let mut widest = ("", 0);
    for same in values.chunk_by(|a, b| a.0 == b.0) {
        match same.first() {
            Some(&(name, _)) if same.len() > widest.1 => widest = (name, same.len()),
            _ => {}
        }
    }
    deals.iter().flatten().map(|tag| tag.0).find(|&name| name == widest.0).unwrap_or("")
}
