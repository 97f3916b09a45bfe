//! Segments and roll-ups as Markdown.

use super::table::{Table, name, page, percent};
use crate::gap::{CategoryLine, Percent, RollUp, Segments, read};
use crate::{Level, Probability};

impl Segments {
    /// The forecast by segment as a table of Markdown.
    pub fn to_markdown(&self) -> String {
        let attribute = name(self.attribute());
        let mut table = Table::new(&[&attribute, "deals", "booked", "open", "new", "mean", "80 % range"]);
        let eighty = Level::new(0.8).unwrap_or(Level::HALF);
        for segment in self.segments() {
            let weighted = segment.weighted();
            let [booked, open, new, mean] =
                [weighted.booked(), weighted.open(), weighted.new_business(), weighted.total()].map(read);
            let (low, high) = segment.forecast().interval(eighty);
            let range = format!("{} to {}", read(low), read(high));
            let of = name(&segment.name().to_string());
            table.row([&of, &segment.n_open(), &booked, &open, &new, &mean, &range]);
        }
        let when = self.as_of().format("%Y-%m-%d");
        page([format!("**Forecast by {attribute} for {} as of {when}**", self.period()), table.part()])
    }
}

impl RollUp {
    /// What reps say, beside the model, as a table of Markdown.
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["category", "deals", "open", "model", "won before"]);
        self.lines().iter().for_each(|line| row(&mut table, &line.category.to_string(), line));
        row(&mut table, "expected later", self.later());
        let (call, chance) = (read(self.call()), Percent(self.chance_of_call()));
        page([format!("**Booked + commit = {call}: reached with {chance} chance**"), table.part()])
    }
}

fn row(table: &mut Table, what: &str, line: &CategoryLine) {
    let before = percent(line.converted.and_then(|converted| converted.share()).map(Probability::get));
    table.row([&name(what), &line.open.n(), &line.open.amount(), &read(line.expected), &before]);
}
