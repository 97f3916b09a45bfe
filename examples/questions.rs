//! Fifteen questions of a Monday meeting, each with a sentence and a table, for a made-up company.
//!
//! The company sells through discovery, demo, proposal and legal, some four million a quarter; its reps say when and
//! whether a deal will close, and its export has bad rows. It is the morning of 5 February 2026, day 35 of the quarter.
//!
//! ```text
//! cargo run --release --example questions
//! ```
#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use dealcast::backtest::{Backtest, RollingOrigin};
use dealcast::deals::Waterfall;
use dealcast::estimate::ShareInterval;
use dealcast::gap::{Scenario, WhatIf};
use dealcast::synthetic::{Company, Destination, Exit, StageTruth, Stay, World};
use dealcast::time::date;
use dealcast::{
    Amount, DealLog, FiscalCalendar, FittedModel, ForecastModel, Known, Level, Period, Probability, Result,
    Seed, Snapshot, Target,
};

/// What every question is asked of.
struct Meeting<'a> {
    log: &'a DealLog,
    known: Known<'a>,
    quarter: Period,
    model: FittedModel,
    book: Snapshot,
    target: Target,
    eighty: Level,
}

fn main() -> Result<()> {
    let log = company()?.log()?;
    let known = log.as_of(date(2026, 2, 5)?);
    let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    let model = ForecastModel::default().fit(&known, &quarter)?;
    let book = known.snapshot();
    let (target, eighty) = (Target::new(4.0e6)?, Level::new(0.8)?);
    let meeting = Meeting { log: &log, known, quarter, model, book, target, eighty };
    meeting.landing()?;
    meeting.odds()?;
    meeting.short()?;
    meeting.parts()?;
    meeting.week()?;
    meeting.deciders()?;
    meeting.win_rate()?;
    meeting.legal()?;
    meeting.slippage()?;
    meeting.pacing()?;
    meeting.coverage()?;
    meeting.track_record()?;
    meeting.categories()?;
    meeting.levers()?;
    meeting.data();
    Ok(())
}

fn ask(question: &str) {
    println!("\n## {question}\n");
}

/// `0.31` as `31 %`.
fn percent(p: Probability) -> String {
    format!("{:.0} %", 100.0 * p.get())
}

fn amount(x: f64) -> Result<Amount> {
    Amount::new(x.max(0.0))
}

impl Meeting<'_> {
    fn landing(&self) -> Result<()> {
        ask("Where do we land, and in what range 8 times in 10?");
        let forecast = self.model.forecast(&self.book, &self.quarter)?;
        let (low, high) = forecast.distribution().interval(self.eighty);
        let middle = amount(forecast.quantile(Level::HALF))?;
        println!("At {middle}, and 8 times in 10 between {} and {}.\n", amount(low)?, amount(high)?);
        println!("{forecast}");
        Ok(())
    }

    fn odds(&self) -> Result<()> {
        ask("What are the odds of 4.0 M, and of less than 3.2 M?");
        let forecast = self.model.forecast(&self.book, &self.quarter)?;
        let chance = |x: f64| Ok::<_, dealcast::Error>(forecast.chance_of_hitting(Amount::new(x)?));
        let (hit, under) = (chance(4.0e6)?, chance(3.2e6)?.complement());
        println!("{} for 4.0 M or more, {} for less than 3.2 M.\n", percent(hit), percent(under));
        println!("{:>10}  chance of at least that", "amount");
        for x in [2.8e6, 3.2e6, 3.6e6, 4.0e6, 4.4e6] {
            println!("{:>10}  {:>6}", amount(x)?.to_string(), percent(chance(x)?));
        }
        Ok(())
    }

    fn short(&self) -> Result<()> {
        ask("How short are we, and how much pipeline is needed, where, by what date?");
        let gap = self.model.gap(&self.book, &self.quarter, self.target)?;
        let (mean, sure) = (amount(gap.shortfall_mean())?, amount(gap.shortfall_at_confidence())?);
        println!("{mean} short if the mean comes, {sure} to be 80 % sure.\n");
        let goal = (self.target, self.eighty);
        println!("{}", self.model.required_pipeline(&self.book, &self.quarter, goal)?);
        Ok(())
    }

    fn parts(&self) -> Result<()> {
        ask("How much is booked, how much is open, how much is not in the CRM yet?");
        let parts = self.model.weighted(&self.book, &self.quarter)?;
        println!("{parts}.\n");
        for (name, x) in [
            ("booked", parts.booked()),
            ("open deals", parts.open()),
            ("not in the CRM", parts.new_business()),
        ] {
            println!("{name:<16}{:>8}  {:>4.0} %", amount(x)?.to_string(), 100.0 * x / parts.total());
        }
        Ok(())
    }

    fn week(&self) -> Result<()> {
        ask("What changed since last Monday?");
        let week = Waterfall::of_log(self.log, date(2026, 2, 2)?, self.known.at())?;
        let [from, to] = [week.opening(), week.closing()].map(|bar| bar.amount);
        println!("The pipeline went from {} to {}.\n\n{week}", amount(from)?, amount(to)?);
        Ok(())
    }

    fn deciders(&self) -> Result<()> {
        ask("Which deals make or break it, and what if the biggest is lost?");
        let gap = self.model.gap(&self.book, &self.quarter, self.target)?;
        let without = gap.lose_biggest_chance().unwrap_or(gap.chance());
        println!(
            "Without the biggest deal the chance is {} instead of {}.\n",
            percent(without),
            percent(gap.chance())
        );
        let deals = gap.deciding(5);
        deals.iter().for_each(|deal| println!("{deal}"));
        let largest = gap.swing().iter().max_by(|a, b| a.amount().get().total_cmp(&b.amount().get()));
        let Some(first) = largest.and_then(|deal| deal.deal()) else { return Ok(()) };
        let lost = Scenario::default().deal(first, WhatIf::Lost);
        let then = self.model.gap_under(&self.book, &self.quarter, (self.target, self.eighty), &lost)?;
        println!("{first}, the biggest, lost for sure: {}", percent(then.chance()));
        Ok(())
    }

    fn win_rate(&self) -> Result<()> {
        ask("What is the real win rate from proposal, and is the change noise?");
        println!(
            "Proposals: {}.\nOf all deals created in a year, within 120 days:\n",
            self.known.win_rate("proposal")?
        );
        let year = |year| Period::new(date(year, 1, 1)?, date(year + 1, 1, 1)?);
        let level = Level::new(0.95)?;
        let mut ranges = Vec::new();
        for period in [year(2024)?, year(2025)?] {
            let cohort = self.known.matured_in(&period, 120)?;
            ranges.push(cohort.interval(ShareInterval::Wilson, level));
            println!("{cohort}");
        }
        if let [then, now] = ranges[..] {
            let apart = now.lower() > then.upper() || then.lower() > now.upper();
            println!(
                "The 95 % ranges {}.",
                if apart { "are apart: it changed" } else { "overlap: noise would do" }
            );
        }
        Ok(())
    }

    fn legal(&self) -> Result<()> {
        ask("How long do deals sit in legal, and which are past the point?");
        let times = self.known.time_in_stage("legal")?;
        let quality = self.known.data_quality();
        let past = || quality.stale().iter().filter(|deal| deal.stage() == "legal");
        println!("{} deals are past it: older than 99 % of those that were won later.\n", past().count());
        println!("{times}");
        for deal in past().take(5) {
            println!("  {} for {} days, limit {}", deal.deal(), deal.age_days(), deal.limit_days());
        }
        println!("against 2025 and later: {}", times.changed_since(date(2025, 1, 1)?)?);
        Ok(())
    }

    fn slippage(&self) -> Result<()> {
        ask("How much will slip, and where to?");
        let slippage = self.model.slippage(&self.book, &self.quarter)?.with_past(&self.known)?;
        let [slips, due] = [slippage.slipping().amount, slippage.amount()].map(amount);
        println!("{} of the {} that are due are expected to be won later.\n\n{slippage}", slips?, due?);
        Ok(())
    }

    fn pacing(&self) -> Result<()> {
        ask("Are we ahead of or behind normal for day 35?");
        let pacing = self.known.pacing(FiscalCalendar::calendar(), &self.quarter, self.target)?;
        let usual = pacing.typical().map_or(0.0, |shares| 100.0 * shares.quantile(Level::HALF));
        println!("{} booked; past quarters had {usual:.0} % of their total by now.\n", pacing.booked());
        println!("{pacing}");
        Ok(())
    }

    fn coverage(&self) -> Result<()> {
        ask("3x of what, and is it right for us now?");
        let gap = self.model.gap(&self.book, &self.quarter, self.target)?;
        let times = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.1} times"));
        println!(
            "Of the {} that remain; three times would give {}.\n",
            amount(gap.remaining())?,
            gap.chance_at_three_times().map_or("-".to_owned(), percent)
        );
        println!(
            "open that can close   {:>9}  {}",
            amount(gap.can_close())?.to_string(),
            times(gap.pipeline_coverage())
        );
        println!("needed for 80 %       {:>9}  {}", "", times(gap.coverage_needed()));
        Ok(())
    }

    fn track_record(&self) -> Result<()> {
        ask("How good were our last 8 forecasts?");
        let plan = RollingOrigin::new((date(2024, 2, 5)?, date(2025, 11, 5)?), 91, 55)?;
        let report = Backtest::new(self.log, plan).run(&ForecastModel::default())?;
        let inside = report.money().map(|money| money.held()[1].coverage());
        println!("{} outcomes lay in their 80 % range.\n", inside.unwrap_or_default());
        println!("{:<12}{:>9}{:>9}{:>9}{:>9}", "as of", "q10", "q50", "q90", "came");
        for origin in report.origins() {
            print!("{:<12}", origin.origin);
            for level in [0.1, 0.5, 0.9] {
                print!("{:>9}", amount(origin.money.quantile(Level::new(level)?)?)?.to_string());
            }
            println!("{:>9}", amount(origin.money.actual)?.to_string());
        }
        println!("{report}");
        Ok(())
    }

    fn categories(&self) -> Result<()> {
        ask("Do the categories mean what they say?");
        let roll_up = self.model.roll_up(&self.book, &self.quarter)?.with_history(&self.known);
        let call = amount(roll_up.call())?;
        println!(
            "Booked and commit are {call}, reached with {} chance.\n",
            percent(roll_up.chance_of_call())
        );
        println!("{roll_up}");
        Ok(())
    }

    fn levers(&self) -> Result<()> {
        ask("What do +2 points of win rate, +5 % deal size and +10 % volume do to the odds?");
        let goal = (self.target, self.eighty);
        let rate = self.known.win_rate("discovery")?.rate().get();
        let odds = |p: f64| p / (1.0 - p);
        let none = Scenario::default();
        let lines = [
            ("as it is", none.clone()),
            ("+2 points of win rate", none.clone().win_rate(odds(rate + 0.02) / odds(rate))?),
            ("+5 % deal size", none.clone().deal_size(1.05)?),
            ("+10 % new deals", none.creation(1.1)?),
        ];
        println!("Each alone, from now on, for {}.\n\n{:<24}{:>9}{:>9}", self.target, "", "mean", "chance");
        for (name, scenario) in lines {
            let gap = self.model.gap_under(&self.book, &self.quarter, goal, &scenario)?;
            let mean = amount(gap.weighted().total())?;
            println!("{name:<24}{:>9}{:>9}", mean.to_string(), percent(gap.chance()));
        }
        println!("\n{}", self.model.levers(&self.book, &self.quarter, goal)?);
        Ok(())
    }

    fn data(&self) {
        ask("How much data was dropped or guessed?");
        let receipt = self.log.receipt();
        println!("{} of {} rows are in use.\n\n{receipt}", receipt.accepted(), receipt.rows_in());
        println!("{}", self.known.data_quality());
    }
}

/// A company of four stages that wins about three deals in ten; its export is not clean.
fn company() -> Result<Company> {
    let about = |median_days| Stay::LogNormal { median_days, spread: 0.8 };
    let stage = |name: &str, (next, share, days), lost_days| StageTruth {
        name: name.to_owned(),
        exits: vec![
            Exit { to: next, weight: share, stay: about(days) },
            Exit { to: Destination::Lost, weight: 1.0 - share, stay: about(lost_days) },
        ],
        stale: Probability::ZERO,
    };
    let mut truth = World::RepSignals.truth();
    truth.dirt = World::Dirty.truth().dirt;
    truth.amounts.median = 50_000.0;
    truth.stages = vec![
        stage("discovery", (Destination::Stage(1), 0.7, 9.0), 20.0),
        stage("demo", (Destination::Stage(2), 0.75, 10.0), 25.0),
        stage("proposal", (Destination::Stage(3), 0.68, 14.0), 30.0),
        stage("legal", (Destination::Won, 0.85, 12.0), 25.0),
    ];
    truth
        .stages
        .iter_mut()
        .for_each(|stage| stage.stale = Probability::new(0.005).unwrap_or(Probability::ZERO));
    Company::new(truth, Period::new(date(2022, 1, 1)?, date(2026, 2, 5)?)?, Seed::new(2026))
}
