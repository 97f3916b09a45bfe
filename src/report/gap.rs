//! A gap as Markdown.

use super::forecast::caution;
use super::table::{Table, name, page, percent, several};
use crate::Probability;
use crate::gap::{GapAnalysis, Percent, read};

impl GapAnalysis {
    /// The gap as Markdown: the chance of the target in bold, a table of what is booked, expected and missing, and one of
    /// the deals that decide. The example stands at [`report`](crate::report).
    pub fn to_markdown(&self) -> String {
        let asked = self.period().zip(self.as_of()).map_or_else(String::new, |(period, as_of)| {
            format!(" for {period} as of {}", as_of.format("%Y-%m-%d %H:%M"))
        });
        let heading = format!("**{} chance of {}**{asked}", Percent(self.chance()), self.target());
        page([heading, self.figures().part(), self.deciders().part(), caution(self.evidence())])
    }

    fn figures(&self) -> Table {
        let (weighted, confidence) = (self.weighted(), self.confidence());
        let (low, high) = self.distribution().interval(confidence);
        let mut table = Table::new(&["", "amount"]);
        table.row([&"booked", &read(weighted.booked())]);
        table.row([&several(self.n_open(), "open deal"), &read(weighted.open())]);
        table.row([&"new business", &read(weighted.new_business())]);
        table.row([&"**expected**", &format!("**{}**", read(weighted.total()))]);
        table.row([&format!("{confidence} range"), &format!("{} to {}", read(low), read(high))]);
        table.row([&"remaining", &read(self.remaining())]);
        table.row([&"short at the mean", &read(self.shortfall_mean())]);
        table.row([&"short at q50", &read(self.shortfall_q50())]);
        let sure = format!("short at {confidence} confidence");
        table.row([&sure, &read(self.shortfall_at_confidence())]);
        for (what, ratio) in
            [("covered by open deals", self.pipeline_coverage()), ("coverage needed", self.coverage_needed())]
        {
            if let Some(ratio) = ratio {
                table.row([&what, &format!("{ratio:.1} times")]);
            }
        }
        if let Some(attained) = self.attainment() {
            table.row([&"booked of the target", &percent(Some(attained))]);
        }
        table.row([&"noise floor", &format!("+-{}", read(self.noise_floor()))]);
        table
    }

    fn deciders(&self) -> Table {
        let said = |p: Option<Probability>| p.map_or_else(|| "-".to_owned(), |p| Percent(p).to_string());
        let mut table = Table::new(&["deal that decides", "amount", "chance", "target if won", "if not"]);
        for deal in self.deciding(5).into_iter().filter(|deal| deal.swing() > 0.005) {
            let (won, lost) = (said(deal.given_won()), said(deal.given_lost()));
            let id = name(deal.deal().unwrap_or("a deal"));
            table.row([&id, &deal.amount(), &Percent(deal.chance()), &won, &lost]);
        }
        table
    }
}
