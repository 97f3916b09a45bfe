//! Pictures: every one is well-formed XML of finite numbers, the same each time, for books of any kind.

use chrono::Month;
use dealcast::backtest::{Backtest, Baseline, RollingOrigin};
use dealcast::deals::Waterfall;
use dealcast::forecast::{ForecastOptions, Total};
use dealcast::gap::Bridge;
use dealcast::plot::{self, Size};
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{
    Amount, Change, DealEvent, DealLog, ErrorKind, FiscalCalendar, ForecastModel, GapAnalysis, Level, Period,
    Probability, Result, SalesProcess, Seed, SimulationOptions, Split, Target,
};

/// A checker of its own: one root, tags that close in order, quoted attributes, no bare `<` or `&`, no forbidden
/// character. Gives the texts.
fn well_formed(xml: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let (mut texts, mut rest, mut n_roots) = (Vec::new(), xml, 0);
    assert!(!xml.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')), "a control character");
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        unescaped(text);
        if !text.trim().is_empty() {
            assert!(!open.is_empty(), "text outside of the root: {text}");
            texts.push(text.trim().to_owned());
        }
        let end = tag.find('>').expect("a tag that ends");
        let inside = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags close in order");
            continue;
        }
        let closed = inside.ends_with('/');
        let inside = inside.trim_end_matches('/');
        let name = inside.split_whitespace().next().expect("a name");
        attributes(&inside[name.len()..]);
        n_roots += usize::from(open.is_empty());
        if !closed {
            open.push(name);
        }
    }
    assert!(open.is_empty() && n_roots == 1 && rest.trim().is_empty(), "one root");
    texts
}

/// ` name="value"` and nothing else, each name once.
fn attributes(mut text: &str) {
    let mut names = Vec::new();
    while !text.trim().is_empty() {
        let (name, value) = text.split_once("=\"").expect("a quoted value");
        assert!(name.starts_with(char::is_whitespace), "attributes stand apart: {name}");
        assert!(name.trim().chars().all(|c| c.is_alphanumeric() || c == '-'), "{name}");
        names.push(name.trim().to_owned());
        let (value, rest) = value.split_once('"').expect("a quote that ends");
        unescaped(value);
        text = rest;
    }
    let n = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), n, "an attribute twice: {names:?}");
}

fn unescaped(text: &str) {
    for after in text.split('&').skip(1) {
        let entity = after.split(';').next().unwrap();
        assert!(["amp", "lt", "gt", "quot", "apos"].contains(&entity), "a bare ampersand: {text}");
    }
}

/// What holds for every picture.
fn check(name: &str, svg: &Result<String>) -> Vec<String> {
    let svg = svg.as_ref().unwrap_or_else(|error| panic!("{name}: {error}"));
    let texts = well_formed(svg);
    let numbers = svg.split('"').skip(1).step_by(2);
    for value in numbers {
        assert!(!value.contains("NaN") && !value.contains("inf"), "{name}: {value}");
    }
    assert!(svg.len() < 200_000, "{name}: {} bytes", svg.len());
    texts
}

#[test]
fn the_checker_refuses_what_is_broken() {
    for broken in [
        "<a><b></a></b>",
        "<a>",
        "<a/><b/>",
        "<a>&nbsp</a>",
        "<a b=1/>",
        "<a b=\"1\" b=\"2\"/>",
        "<a>\u{1}</a>",
        "x<a/>",
    ] {
        assert!(std::panic::catch_unwind(|| well_formed(broken)).is_err(), "{broken}");
    }
    assert_eq!(well_formed("<a b=\"1\"><c/>x &amp; y</a>"), ["x &amp; y"]);
}

/// All pictures of a log, made twice.
fn pictures(log: &DealLog, target: f64) -> Vec<(&'static str, Result<String>)> {
    let size = Size::default();
    let known = log.as_of(date(2023, 8, 14).unwrap());
    let quarter = FiscalCalendar::starting(Month::January).quarter_at(known.at()).unwrap();
    let model = ForecastModel::default();
    let fitted = model.fit(&known, &quarter).unwrap();
    let book = known.snapshot();
    let target = Target::new(target).unwrap();
    let gap = fitted.gap(&book, &quarter, target).unwrap();
    let eighty = Level::new(0.8).unwrap();
    let then = log.as_of(date(2023, 7, 10).unwrap());
    let before = (&model.fit(&then, &quarter).unwrap(), &then.snapshot());
    let bridge = Bridge::between(before, (&fitted, &book), &quarter).unwrap();
    let weeks = (&quarter, Split::Weeks);
    let options = SimulationOptions::default().scenarios(500);
    let scenarios = fitted.simulate(&book, weeks, &options).unwrap();
    let week = Waterfall::of_log(log, date(2023, 8, 7).unwrap(), known.at()).unwrap();
    let stages = known.process().open_stages().iter().map(|stage| known.time_in_stage(stage.name()).unwrap());
    let plan = RollingOrigin::new((date(2022, 7, 1).unwrap(), date(2023, 4, 30).unwrap()), 91, 91).unwrap();
    let report = Backtest::new(log, plan).run(&Baseline::landmark()).unwrap();
    let mut all = vec![
        ("forecast", plot::forecast(&fitted.forecast(&book, &quarter).unwrap(), size)),
        ("chance", plot::chance(&gap, size)),
        ("gap", plot::gap(&gap, size)),
        ("fan", plot::fan(&scenarios, weeks, Some(target), size)),
        ("pacing", plot::pacing(&known.pacing(FiscalCalendar::calendar(), &quarter, target).unwrap(), size)),
        ("levers", plot::levers(&fitted.levers(&book, &quarter, (target, eighty)).unwrap(), size)),
        ("bridge", plot::bridge(&bridge, size)),
        ("fan without a target", plot::fan(&scenarios, weeks, None, size)),
        ("waterfall", plot::waterfall(&week, size)),
        ("funnel", plot::funnel(&known.funnel(), size)),
        ("time in stage", plot::time_in_stage(&stages.collect::<Vec<_>>(), size)),
        ("accuracy", plot::accuracy(&report, size)),
        ("pit", plot::pit(&report, size)),
    ];
    all.extend(report.chances().map(|chances| ("reliability", plot::reliability(chances, size))));
    all
}

/// A quarter of the deals of a named company: enough to say everything of.
fn company() -> DealLog {
    let usual = Company::named(World::Stationary, Seed::new(7)).unwrap();
    let mut truth = usual.truth().clone();
    truth.arrivals.daily *= 0.25;
    Company::new(truth, *usual.history(), Seed::new(7)).unwrap().log().unwrap()
}

#[test]
fn the_same_answer_gives_the_same_bytes() {
    let log = company();
    let (first, second) = (pictures(&log, 0.3e6), pictures(&log, 0.3e6));
    assert_eq!(first.len(), 14);
    for ((name, one), (_, other)) in first.iter().zip(&second) {
        let texts = check(name, one);
        assert_eq!(one.as_ref().unwrap(), other.as_ref().unwrap(), "{name}");
        assert!(texts.len() > 8, "{name} has labels");
        assert!(one.as_ref().unwrap().len() < 60_000, "{name} fits into a page");
    }
}

#[test]
fn targets_of_any_size_can_be_drawn() {
    let deals = (1..=40).map(|k| (Probability::new(0.3).unwrap(), Amount::new(1e3 * f64::from(k)).unwrap()));
    let total = Total::new(Amount::new(100e3).unwrap(), deals.collect::<Vec<_>>()).unwrap();
    let scenarios = total.simulate(&SimulationOptions::default().scenarios(500)).unwrap();
    let quarter = Period::new(date(2023, 7, 1).unwrap(), date(2023, 10, 1).unwrap()).unwrap();
    let size = Size::default();
    for target in [0.0, 1.0, 100e3, 1e9, 1e300] {
        let goal = Target::new(target).unwrap();
        let eighty = Level::new(0.8).unwrap();
        let gap = GapAnalysis::of(&total, goal, eighty, &ForecastOptions::default()).unwrap();
        check("chance", &plot::chance(&gap, size));
        check("gap", &plot::gap(&gap, size));
        check("fan", &plot::fan(&scenarios, (&quarter, Split::Whole), Some(goal), size));
    }
}

/// A log of one stage with these deals, each (id, day entered, day won).
fn small(stage: &str, deals: &[(&str, u32, Option<u32>)], amount: f64) -> DealLog {
    let events = deals.iter().flat_map(|&(id, entered, won)| {
        let at = |day| date(2023, 7, day).unwrap();
        let born = DealEvent::new(id, at(entered), Change::Entered(stage.to_owned()))
            .and(Change::Amount(Some(amount)));
        let won = won.map(|day| DealEvent::new(id, at(day), Change::Entered("won".into())));
        [born].into_iter().chain(won)
    });
    DealLog::from_events(&SalesProcess::open([stage]).unwrap(), events.collect::<Vec<_>>()).unwrap()
}

/// The pictures that need no history.
fn plain(log: &DealLog, target: f64) -> Vec<(&'static str, Result<String>)> {
    let size = Size::default();
    let known = log.as_of(date(2023, 7, 20).unwrap());
    let quarter = Period::new(date(2023, 7, 1).unwrap(), date(2023, 10, 1).unwrap()).unwrap();
    let book = known.snapshot();
    let deals = book
        .open()
        .iter()
        .map(|deal| (Probability::new(0.25).unwrap(), deal.amount().unwrap_or(Amount::ZERO)));
    let booked = book.booked(&quarter).unwrap().amount();
    let total = Total::new(booked, deals.collect::<Vec<_>>()).unwrap();
    let goal = (Target::new(target).unwrap(), Level::new(0.8).unwrap());
    let gap = GapAnalysis::of(&total, goal.0, goal.1, &ForecastOptions::default()).unwrap();
    let scenarios = total.simulate(&SimulationOptions::default().scenarios(50)).unwrap();
    let change = Waterfall::of_log(log, date(2023, 7, 5).unwrap(), known.at()).unwrap();
    let mut all = vec![
        ("chance", plot::chance(&gap, size)),
        ("gap", plot::gap(&gap, size)),
        ("fan", plot::fan(&scenarios, (&quarter, Split::Whole), Some(goal.0), size)),
        ("waterfall", plot::waterfall(&change, size)),
        ("funnel", plot::funnel(&known.funnel(), size)),
    ];
    let stage = known.process().open_stages()[0].name().to_owned();
    let times = known.time_in_stage(&stage).unwrap();
    if times.n() > 0 {
        all.push(("time in stage", plot::time_in_stage(&[times], size)));
    }
    all
}

#[test]
fn small_and_huge_books_can_be_drawn() {
    let one = [("a", 3, None)];
    let two = [("a", 3, None), ("b", 4, Some(9))];
    for deals in [&[] as &[_], &one, &two] {
        for amount in [0.0, 1e-9, 5.0, 1e12, 1e150, 1e290] {
            for target in [0.0, amount, 3.0 * amount] {
                for (name, svg) in plain(&small("propose", deals, amount), target) {
                    check(name, &svg);
                }
            }
        }
    }
}

#[test]
fn names_cannot_break_the_picture() {
    let hostile = "<b>&\"'\u{0}\u{202e}]]>--{}";
    let log = small(hostile, &[("a", 3, None), ("b", 4, Some(9))], 5.0);
    for (name, svg) in plain(&log, 7.0) {
        check(name, &svg);
    }
    let funnel = plot::funnel(&log.as_of(date(2023, 7, 20).unwrap()).funnel(), Size::default()).unwrap();
    assert!(funnel.contains("&lt;b&gt;&amp;&quot;&apos;"), "the name is there, harmless");
}

#[test]
fn sizes_and_mismatches_are_refused() {
    for (width, height) in [(0, 450), (199, 450), (800, 4001), (u32::MAX, u32::MAX)] {
        assert_eq!(Size::new(width, height).unwrap_err().kind(), ErrorKind::OutOfRange);
    }
    let log = company();
    let known = log.as_of(date(2023, 8, 14).unwrap());
    let stage = known.time_in_stage(known.process().open_stages()[0].name()).unwrap();
    let many = vec![stage; 9];
    let refused = plot::time_in_stage(&many, Size::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLarge);
    assert_eq!(plot::time_in_stage(&[], Size::default()).unwrap_err().kind(), ErrorKind::NoHistory);
    for size in [Size::new(200, 200), Size::new(4000, 4000), Size::new(200, 4000), Size::new(4000, 200)] {
        let size = size.unwrap();
        check("any size", &plot::funnel(&known.funnel(), size));
    }
}
