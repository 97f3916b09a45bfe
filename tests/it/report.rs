//! Markdown by golden text, and the print of every public answer.

use dealcast::backtest::{Backtest, Baseline, Comparison, RollingOrigin};
use dealcast::deals::Waterfall;
use dealcast::forecast::{ForecastOptions, Total};
use dealcast::gap::Bridge;
use dealcast::score::{Claim, Coverage, PairedErrors, Reliability};
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{
    Amount, Change, DealEvent, DealLog, FiscalCalendar, ForecastModel, GapAnalysis, Level, Period,
    Probability, SalesProcess, Seed, SimulationOptions, Split, Target,
};
use std::num::NonZeroUsize;

/// Every table of a text has lines of one length, and as many cells a line as it has heads.
fn tables(markdown: &str) -> usize {
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut n = 0;
    for table in markdown.split("\n\n").filter(|part| part.starts_with('|')) {
        let lines: Vec<&str> = table.trim_end().lines().collect();
        assert!(lines.len() > 2, "{table}");
        for line in &lines {
            assert_eq!(line.chars().count(), lines[0].chars().count(), "{table}");
            assert_eq!(cells(line), cells(lines[0]), "{table}");
        }
        assert!(lines[1].chars().all(|c| "|:- ".contains(c)), "{table}");
        n += 1;
    }
    n
}

fn deal(p: f64, amount: f64) -> (Probability, Amount) {
    (Probability::new(p).unwrap(), Amount::new(amount).unwrap())
}

#[test]
fn a_gap_in_markdown() {
    let total = Total::new(Amount::new(40e3).unwrap(), [deal(0.5, 60e3), deal(0.25, 30e3)]).unwrap();
    let (target, level) = (Target::new(120e3).unwrap(), Level::new(0.8).unwrap());
    let gap = GapAnalysis::of(&total, target, level, &ForecastOptions::default()).unwrap();
    // By hand: 40, 70, 100 and 130 k with chances 3/8, 1/8, 3/8 and 1/8. Of deals of 50 k at 5/12 two must be won, and
    // seven give that with 86 %, six with 79 %.
    assert_eq!(
        gap.to_markdown(),
        "\
**12 % chance of 120 k**

|                          |          amount |
| :----------------------- | --------------: |
| booked                   |          40.0 k |
| 2 open deals             |          37.5 k |
| new business             |               0 |
| **expected**             |      **77.5 k** |
| 80 % range               | 40.0 k to 130 k |
| remaining                |          80.0 k |
| short at the mean        |          42.5 k |
| short at q50             |          50.0 k |
| short at 80 % confidence |          80.0 k |
| covered by open deals    |       1.1 times |
| coverage needed          |       4.4 times |
| booked of the target     |            33 % |
| noise floor              |        +-32.7 k |

| deal that decides | amount | chance | target if won | if not |
| :---------------- | -----: | -----: | ------------: | -----: |
| a deal            | 30.0 k |   25 % |          50 % |    0 % |
| a deal            | 60.0 k |   50 % |          25 % |    0 % |
"
    );
    assert_eq!(tables(&gap.to_markdown()), 2);
}

#[test]
fn a_comparison_and_a_receipt_in_markdown() {
    let losses = [(2.0, 4.0), (1.0, 3.0), (3.0, 3.0)].map(|(a, b)| PairedErrors { a, b });
    let comparison = Comparison::of(("ours|", "theirs"), &losses, NonZeroUsize::MIN).unwrap();
    // Three windows drawn from three are all the best, or all the worst, once in 27 times.
    assert_eq!(
        comparison.to_markdown(),
        "\
**ours\\| looks closer than theirs**

|                       | loss ratio |   95 % range | closer in | p-value |
| :-------------------- | ---------: | -----------: | --------: | ------: |
| ours\\| against theirs |       0.60 | 0.33 to 1.00 |    2 of 3 |       - |
"
    );
    let row = |stage: &str| DealEvent::new("D-17", date(2026, 3, 2).unwrap(), Change::Entered(stage.into()));
    let process = SalesProcess::open(["qualify"]).unwrap();
    let log = DealLog::from_events(&process, [row("qualify"), row("qualify"), row("q|y")]).unwrap();
    let text = log.receipt().to_markdown();
    let balance = "\
**1 of 3 rows accepted**

| rows             | number |
| :--------------- | -----: |
| in               |      3 |
| accepted         |      1 |
| quarantined      |      1 |
| exact duplicates |      1 |
";
    assert!(text.starts_with(balance), "{text}");
    assert!(tables(&text) == 3 && text.contains("q\\|y"), "{text}");
}

/// A quarter of the deals of a named company: enough to say everything of.
fn company(world: World) -> DealLog {
    let usual = Company::named(world, Seed::new(7)).unwrap();
    let mut truth = usual.truth().clone();
    truth.arrivals.daily *= 0.25;
    Company::new(truth, *usual.history(), Seed::new(7)).unwrap().log().unwrap()
}

/// Every public answer that has a print, printed twice.
fn prints(log: &DealLog) -> Vec<[String; 2]> {
    let known = log.as_of(date(2023, 8, 14).unwrap());
    let process = known.process();
    let quarter = FiscalCalendar::calendar().quarter_at(known.at()).unwrap();
    let year = Period::new(date(2022, 1, 1).unwrap(), date(2023, 1, 1).unwrap()).unwrap();
    let model = ForecastModel::default();
    let fitted = model.fit(&known, &quarter).unwrap();
    let book = known.snapshot();
    let goal = (Target::new(0.4e6).unwrap(), Level::new(0.8).unwrap());
    let forecast = fitted.forecast(&book, &quarter).unwrap();
    let gap = fitted.gap(&book, &quarter, goal.0).unwrap();
    let options = SimulationOptions::default().scenarios(300);
    let simulated = fitted.simulate(&book, (&quarter, Split::Weeks), &options).unwrap();
    let plan = RollingOrigin::new((date(2022, 1, 1).unwrap(), date(2023, 4, 30).unwrap()), 91, 91).unwrap();
    let backtest = Backtest::new(log, plan);
    let report = backtest.run(&model).unwrap();
    let naive = backtest.run(&Baseline::landmark()).unwrap();
    let stage = process.open_stages()[0].name();
    let times = known.time_in_stage(stage).unwrap();
    let claims = [(0.5, true), (0.5, false), (0.9, true)];
    let claims = claims.map(|(p, happened)| Claim { chance: Probability::new(p).unwrap(), happened });
    let waterfall = Waterfall::of_log_in(log, date(2023, 8, 7).unwrap(), known.at(), &quarter).unwrap();
    let twice = |answer: &dyn std::fmt::Display| [answer.to_string(), answer.to_string()];
    vec![
        twice(&log.receipt()),
        twice(&process),
        twice(&quarter),
        twice(&book),
        twice(&book.open_book().unwrap()),
        twice(&waterfall),
        twice(&known.data_quality()),
        twice(&known.conversion()),
        twice(&known.funnel()),
        twice(&known.win_rate(stage).unwrap()),
        twice(&known.win_rates()),
        twice(&known.win_rates_by(stage, "segment").unwrap()),
        twice(&known.closed_in(&year).unwrap()),
        twice(&known.created_in(&year)),
        twice(&known.matured_in(&year, 90).unwrap()),
        twice(&times),
        twice(&times.kaplan_meier().unwrap()),
        twice(&times.best().unwrap()),
        twice(&times.changed_since(date(2022, 1, 1).unwrap()).unwrap()),
        twice(&fitted.weighted(&book, &quarter).unwrap()),
        twice(&forecast),
        twice(&forecast.distribution()),
        twice(&simulated.forecast().unwrap()),
        twice(&gap),
        twice(&gap.deciding(1)[0]),
        twice(&fitted.required_pipeline(&book, &quarter, goal).unwrap()),
        twice(&Bridge::between((&fitted, &book), (&fitted, &book), &quarter).unwrap()),
        twice(&fitted.by_segment(&book, &quarter, "segment").unwrap()),
        twice(&fitted.roll_up(&book, &quarter).unwrap().with_history(&known)),
        twice(&known.pacing(FiscalCalendar::calendar(), &quarter, goal.0).unwrap()),
        twice(&fitted.levers(&book, &quarter, goal).unwrap()),
        twice(&fitted.slippage(&book, &quarter).unwrap().with_past(&known).unwrap()),
        twice(&fitted.outlook(&book, &quarter, goal).unwrap()),
        twice(&fitted.why(&book, &quarter, book.open()[0].id()).unwrap()),
        twice(&report),
        twice(&report.against(&naive).unwrap()),
        twice(&report.chances().unwrap()),
        twice(&Reliability::new(&claims).unwrap()),
        twice(&(0..12).map(|i| i < 7).collect::<Coverage>()),
    ]
}

#[test]
fn tables_of_every_answer_stand_straight() {
    let log = company(World::Dirty);
    let known = log.as_of(date(2023, 8, 14).unwrap());
    let quarter = FiscalCalendar::calendar().quarter_at(known.at()).unwrap();
    let model = ForecastModel::default();
    let fitted = model.fit(&known, &quarter).unwrap();
    let book = known.snapshot();
    let forecast = fitted.forecast(&book, &quarter).unwrap();
    let plan = RollingOrigin::new((date(2022, 7, 1).unwrap(), date(2023, 4, 30).unwrap()), 91, 91).unwrap();
    let plan = plan.with_horizons([28, 91]).unwrap();
    let bridge = Bridge::between((&fitted, &book), (&fitted, &book), &quarter).unwrap();
    let goal = (Target::new(0.3e6).unwrap(), Level::new(0.8).unwrap());
    let pacing = known.pacing(FiscalCalendar::calendar(), &quarter, goal.0).unwrap();
    let report = Backtest::new(&log, plan).run(&Baseline::landmark()).unwrap();
    let week = Waterfall::of_log_in(&log, date(2023, 8, 7).unwrap(), known.at(), &quarter).unwrap();
    for (n, text) in [
        (3, log.receipt().to_markdown()),
        (1, forecast.to_markdown()),
        (1, forecast.distribution().to_markdown()),
        (2, fitted.gap(&book, &quarter, Target::new(0.3e6).unwrap()).unwrap().to_markdown()),
        (1, week.to_markdown()),
        (1, bridge.to_markdown()),
        (0, fitted.outlook(&book, &quarter, goal).unwrap().to_markdown()),
        (1, fitted.levers(&book, &quarter, goal).unwrap().to_markdown()),
        (1, pacing.to_markdown()),
        (1, fitted.slippage(&book, &quarter).unwrap().to_markdown()),
        (1, fitted.by_segment(&book, &quarter, "segment").unwrap().to_markdown()),
        (1, fitted.roll_up(&book, &quarter).unwrap().with_history(&known).to_markdown()),
        (1, report.to_markdown()),
        (1, report.against(&report).unwrap().to_markdown()),
    ] {
        assert_eq!(tables(&text), n, "{text}");
        assert!(text.starts_with("**") || text.starts_with('|'), "{text}");
    }
}

#[test]
fn prints_are_narrow_and_the_same_each_time() {
    let log = company(World::Segments);
    let mut wide = Vec::new();
    for [print, again] in prints(&log) {
        assert_eq!(print, again);
        assert!(!print.is_empty() && !print.contains("NaN"), "{print}");
        wide.extend(print.lines().filter(|line| line.chars().count() > 100).map(str::to_owned));
    }
    assert_eq!(wide, Vec::<String>::new());
}
