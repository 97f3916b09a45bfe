//! Past forecasts as Markdown.

use super::table::{Table, name, page, several};
use crate::backtest::{AccuracyReport, AccuracySummary, Comparison};

impl AccuracyReport {
    /// The report as Markdown: a line for money and for deals, each horizon and each segment; in brackets what an honest
    /// forecaster holds, 19 times in 20.
    ///
    /// ```
    /// use dealcast::backtest::{Backtest, Baseline, RollingOrigin};
    /// use dealcast::time::date;
    /// use dealcast::synthetic::{Company, World};
    /// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
    /// let plan = RollingOrigin::new((date(2022, 1, 7)?, date(2023, 9, 1)?), 91, 91)?;
    /// let text = Backtest::new(&log, plan).run(&Baseline::run_rate())?.to_markdown();
    /// assert!(text.starts_with("**run rate: 7 windows**\n\n|       |"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let n = several(self.origins().len(), "window");
        let heading = format!("**{}: {n}**", name(self.forecaster()));
        let mut table = Table::new(&["", "nCRPS", "WAPE", "bias", "in 50 %", "in 80 %", "in 95 %"]);
        self.money().into_iter().for_each(|money| line(&mut table, "money", money));
        self.deals().into_iter().for_each(|deals| line(&mut table, "deals", deals));
        if let [_, _, ..] = self.by_horizon() {
            for horizon in self.by_horizon() {
                line(&mut table, &format!("money, {} days", horizon.horizon_days), &horizon.money);
            }
        }
        for (segment, report) in self.segments() {
            report.money().into_iter().for_each(|money| line(&mut table, &name(segment), money));
        }
        let floor = self
            .noise_floor()
            .map(|floor| format!("Noise floor: +-{floor:.3} of what came, with every chance exactly right."));
        let chances = self.chances().map(ToString::to_string);
        page([heading, table.part(), floor.unwrap_or_default(), chances.unwrap_or_default()])
    }
}

fn line(table: &mut Table, what: &str, s: &AccuracySummary) {
    let read = |x: Option<f64>, digits: usize| x.map_or("-".to_owned(), |x| format!("{x:.digits$}"));
    let bias = s.bias.map_or("-".to_owned(), |x| format!("{x:+.3}"));
    let [half, most, nearly_all] = s.held();
    table.row([&what, &read(s.ncrps, 4), &read(s.wape, 3), &bias, half, most, nearly_all]);
}

impl Comparison {
    /// The comparison as Markdown: the verdict in a sentence, the figures in a table.
    ///
    /// ```
    /// use dealcast::{backtest::Comparison, score::PairedErrors};
    /// use std::num::NonZeroUsize;
    /// let losses = [(2.0, 4.0), (1.0, 3.0), (3.0, 3.0)].map(|(a, b)| PairedErrors { a, b });
    /// let text = Comparison::of(("ours", "theirs"), &losses, NonZeroUsize::MIN)?.to_markdown();
    /// assert!(text.ends_with("|       0.60 | 0.33 to 1.00 |    2 of 3 |       - |\n"), "{text}");
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let none = || "-".to_owned();
        let ratio = self.ratio().map_or_else(none, |ratio| format!("{ratio:.2}"));
        let range = self.interval().map_or_else(none, |(low, high)| format!("{low:.2} to {high:.2}"));
        let closer = format!("{} of {}", self.n_closer(), self.n());
        let p_value = self.p_value().map_or_else(none, |p| format!("{:.3}", p.get()));
        let (first, second) = self.names();
        let mut table = Table::new(&["", "loss ratio", "95 % range", "closer in", "p-value"]);
        let who = format!("{} against {}", name(first), name(second));
        table.row([&who, &ratio, &range, &closer, &p_value]);
        page([format!("**{} {} {}**", name(first), self.verdict(), name(second)), table.part()])
    }
}
