//! Tables of Markdown.

use crate::error::shortened;
use std::fmt;

/// A table: a column of words, then columns of numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with these heads.
    pub(super) fn new(heads: &[&str]) -> Self {
        Self(vec![heads.iter().map(|head| (*head).to_owned()).collect()])
    }

    /// A line, its cells already harmless.
    pub(super) fn row<const N: usize>(&mut self, cells: [&dyn fmt::Display; N]) {
        self.0.push(cells.iter().map(ToString::to_string).collect());
    }

    /// As a part of a page; nothing without a line below its heads.
    pub(super) fn part(&self) -> String {
        if self.0.len() < 2 { String::new() } else { self.to_string() }
    }
}

/// Padded, so that the source reads as well as what is made of it.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.first().map_or(0, Vec::len);
        let length = |cell: &String| cell.chars().count();
        let width =
            |k: usize| self.0.iter().filter_map(|row| row.get(k)).map(length).max().unwrap_or(0).max(3);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (line, row) in self.0.iter().enumerate() {
            for ((k, cell), width) in row.iter().enumerate().zip(&widths) {
                if k == 0 {
                    write!(f, "| {cell:<width$} |")?;
                } else {
                    write!(f, " {cell:>width$} |")?;
                }
            }
            writeln!(f)?;
            if line == 0 {
                for (k, width) in widths.iter().enumerate() {
                    let rule = "-".repeat(width - 1);
                    if k == 0 { write!(f, "| :{rule} |")? } else { write!(f, " {rule}: |")? }
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// The parts that say something, each a paragraph or a table.
pub(super) fn page(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    parts.join("\n\n") + "\n"
}

/// A caller's name as text and nothing else.
pub(super) fn name(text: &str) -> String {
    harmless(text, 40)
}

/// The first `most` characters of a text, as text and nothing else.
pub(super) fn harmless(text: &str, most: usize) -> String {
    let mut safe = String::new();
    for c in shortened(text, most).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// A ratio as percent, `-` where there is none.
pub(super) fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |x| format!("{:.0} %", 100.0 * x))
}

/// A number of cases and its noun.
pub(super) fn several(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut table = Table::new(&["stage", "deals"]);
        table.row([&name("a|b"), &12]);
        table.row([&"won", &3]);
        assert_eq!(
            table.to_string(),
            "| stage | deals |\n| :---- | ----: |\n| a\\|b  |    12 |\n| won   |     3 |\n"
        );
        assert_eq!(page([String::new(), "a".into(), table.part()]), format!("a\n\n{table}"));
        assert_eq!(Table::new(&["x"]).part(), "");
    }

    #[test]
    fn names_are_only_names() {
        assert_eq!(name("[x](http://y) | `z`\n# a"), "\\[x\\](http://y) \\| \\`z\\` \\# a");
        assert_eq!(name("<img>&amp;"), "\\<img\\>\\&amp;");
    }
}
