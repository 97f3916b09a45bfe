//! Outlook, levers, pacing and slippage as Markdown.

use super::table::{Table, harmless, page, percent};
use crate::Level;
use crate::gap::{LeverTable, Outlook, Pacing, Percent, Slippage, Won, read};

impl Outlook {
    /// Where the period stands and why, as Markdown: the status in bold, then a reason a line. Ask [`gap`](Self::gap) for
    /// the figures.
    pub fn to_markdown(&self) -> String {
        let (gap, status) = (self.gap(), self.status());
        let heading = format!("**{status}: {} chance of {}**", Percent(gap.chance()), gap.target());
        let reasons: Vec<String> =
            self.reasons().iter().map(|reason| format!("* {}", harmless(reason, 400))).collect();
        page([heading, reasons.join("\n")])
    }
}

impl LeverTable {
    /// What each lever alone does, as a table of Markdown.
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["lever", "changed by", "mean", "chance", "enough alone"]);
        table.row([&"none", &"-", &read(self.mean()), &Percent(self.chance()), &"-"]);
        for lever in self.levers() {
            let alone = lever.reaches().map_or_else(|| "-".to_owned(), |x| format!("x {x:.2}"));
            let changed = format!("{} x {}", lever.lever().multiplies(), lever.changed());
            table.row([&lever.lever(), &changed, &read(lever.mean()), &Percent(lever.chance()), &alone]);
        }
        let (target, confidence) = (self.target(), self.confidence());
        page([format!("**What it takes to reach {target} with {confidence} confidence**"), table.part()])
    }
}

impl Pacing {
    /// What is booked by this point, now and in past periods, as a table of Markdown.
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["period", "booked by now", "in the end", "share"]);
        table.row([&"**this one**", &self.booked(), &format!("target {}", self.target()), &"-"]);
        for past in self.past() {
            table.row([&past.period(), &past.booked(), &past.total(), &percent(past.share())]);
        }
        let side = if self.ahead_of_plan() < 0.0 { "behind" } else { "ahead of" };
        let usual = self.typical().map_or_else(String::new, |shares| {
            let share = percent(Some(shares.quantile(Level::HALF)));
            format!("; past periods had {share} of their total by now")
        });
        page([
            format!("**{} {side} the linear plan**{usual}", read(self.ahead_of_plan().abs())),
            table.part(),
        ])
    }
}

impl Slippage {
    /// What of the open amount is won inside the period, later or never, as a table of Markdown.
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["", "amount", "share", "deals"]);
        let share = |won: Won| percent(Some(won.amount / self.amount()).filter(|share| share.is_finite()));
        let mut row = |what: &str, won: Won| {
            table.row([&what, &read(won.amount), &share(won), &format!("{:.1}", won.n_deals)]);
        };
        row("won inside", self.inside());
        row("won later", self.slipping());
        for (period, won) in self.later().iter().take(4) {
            row(&format!("- {period}"), *won);
        }
        row("never won", self.never());
        let [slips, all] = [self.slipping().amount, self.amount()].map(read);
        page([format!("**{slips} of {all} will slip**"), table.part()])
    }
}
