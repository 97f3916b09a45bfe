//! Segments, roll-ups, reasons of a chance, bridges between forecasts and several fitted processes: their laws.

use chrono::NaiveDate;
use dealcast::fit::{CombinedForecast, Reason, Why};
use dealcast::gap::{Bridge, Category, Segment, SegmentName};
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{
    Change, DealEvent, DealLog, ErrorKind, FittedModel, ForecastModel, Known, Level, Period, Probability,
    SalesProcess, Seed, SimulationOptions, Snapshot, SnapshotRow, Split, Target, Timing, WeightedForecast,
};
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    date(year, month, day).unwrap()
}

fn quarter() -> Period {
    Period::new(day(2020, 1, 1), day(2020, 4, 1)).unwrap()
}

/// Sixteen months of about one deal every other day.
fn company(world: World, seed: u64) -> Company {
    let mut truth = world.truth();
    truth.arrivals.daily *= 0.4;
    let history = Period::new(day(2018, 12, 1), day(2020, 4, 1)).unwrap();
    Company::new(truth, history, Seed::new(seed)).unwrap()
}

fn fitted(world: World, seed: u64, at: NaiveDate) -> (FittedModel, Snapshot) {
    let log = company(world, seed).log().unwrap();
    let known = log.as_of(at);
    (ForecastModel::default().fit(&known, &quarter()).unwrap(), known.snapshot())
}

/// A sum of means, each rounded a few times.
const ADDS_UP: f64 = 1e-12;

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn segments_are_the_total_in_every_scenario(seed in 0_u64..1000, weeks in 0_u64..12) {
        let at = day(2020, 1, 2) + chrono::Days::new(7 * weeks);
        let (model, book) = fitted(World::Segments, seed, at);
        let segments = model.by_segment(&book, &quarter(), "segment").unwrap();
        let whole = model.forecast(&book, &quarter()).unwrap();
        prop_assert!(close(segments.mean(), whole.mean(), ADDS_UP));
        prop_assert_eq!(segments.forecast(), whole.distribution());
        let parts = |part: fn(&WeightedForecast) -> f64| {
            segments.segments().iter().map(|segment| part(segment.weighted())).sum::<f64>()
        };
        prop_assert!(close(parts(WeightedForecast::booked), whole.weighted().booked(), ADDS_UP));
        prop_assert!(close(parts(WeightedForecast::open), whole.weighted().open(), ADDS_UP));
        prop_assert!(close(parts(WeightedForecast::new_business), whole.weighted().new_business(), ADDS_UP));
        let n_open: usize = segments.segments().iter().map(Segment::n_open).sum();
        prop_assert_eq!(n_open, book.n_open());
        // Scenario by scenario, with buckets of new business and open deals.
        let options = SimulationOptions::default().scenarios(3000).seed(Seed::new(seed));
        let joint = segments.simulate(&options).unwrap();
        let total = model.simulate(&book, (&quarter(), Split::Whole), &options).unwrap();
        prop_assert_eq!(joint.draws().dim(), (3000, segments.segments().len()));
        for (row, sum) in joint.draws().rows().into_iter().zip(total.draws().column(0)) {
            prop_assert!(close(row.sum(), *sum, ADDS_UP));
        }
        prop_assert_eq!(&joint, &segments.simulate(&options.threads(3)).unwrap());
        // Each segment's draws follow its own exact distribution: the DKW bound at 1e-9, and the coarser strata.
        let bound = ((2.0_f64 / 1e-9).ln() / 6000.0).sqrt() + 0.005;
        for (segment, (column, booked)) in
            segments.segments().iter().zip(joint.draws().columns().into_iter().zip(joint.booked()))
        {
            for level in [0.1, 0.5, 0.9] {
                let forecast = segment.forecast();
                let x = forecast.quantile(Level::new(level).unwrap());
                // A sum of draws meets an atom to rounding; where amounts have no common unit they may be off.
                let off = forecast.error_bound().amount() + ADDS_UP * x;
                let below = column.iter().filter(|&&draw| draw + booked <= x).count() as f64 / 3000.0;
                let [least, most] = [x - off, x + off].map(|x| forecast.cdf(x).get());
                prop_assert!(least - bound <= below && below <= most + bound, "{} {level}: {below}", segment.name());
            }
        }
    }
}

#[test]
fn new_business_goes_where_the_model_can_tell() {
    let (model, book) = fitted(World::Segments, 5, day(2020, 1, 2));
    let segments = model.by_segment(&book, &quarter(), "segment").unwrap();
    for name in ["mid-market", "partner", "public"] {
        assert!(segments.get(name).unwrap().weighted().new_business() > 0.0, "{segments}");
    }
    let assigned: f64 = ["mid-market", "partner", "public"]
        .map(|name| segments.get(name).unwrap().weighted().new_business())
        .into_iter()
        .sum();
    let all = model.weighted(&book, &quarter()).unwrap().new_business();
    assert!(close(assigned, all, ADDS_UP), "every value is common: {segments}");
}

#[test]
fn an_attribute_nobody_has() {
    let (model, book) = fitted(World::Stationary, 3, day(2020, 1, 16));
    let segments = model.by_segment(&book, &quarter(), "region").unwrap();
    let names: Vec<&SegmentName> = segments.segments().iter().map(Segment::name).collect();
    assert_eq!(names, [&SegmentName::NotStated, &SegmentName::NotAssigned]);
    let [deals, new] = segments.segments() else { panic!("two segments") };
    let weighted = model.weighted(&book, &quarter()).unwrap();
    assert_eq!((deals.weighted().open(), deals.weighted().new_business()), (weighted.open(), 0.0));
    assert!(close(new.weighted().new_business(), weighted.new_business(), ADDS_UP));
    assert_eq!((new.n_open(), new.weighted().booked()), (0, 0.0));
    let text = segments.to_string();
    assert!(text.contains("(not stated)") && text.contains("(new, not assigned)"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let missing = segments.with_target("north", Target::new(1.0).unwrap()).unwrap_err();
    assert_eq!((missing.kind(), missing.found_text()), (ErrorKind::Missing, Some("north")));
}

fn assumed() -> (SalesProcess, FittedModel) {
    let process = SalesProcess::open(["qualify", "propose"]).unwrap();
    let chances = [0.25, 0.5].map(|p| Probability::new(p).unwrap());
    let model = FittedModel::assumed(&process, chances, Timing::ExpectedClose).unwrap();
    (process, model)
}

fn row(id: &str, stage: &str, amount: f64, attributes: &[(&str, &str)]) -> SnapshotRow {
    SnapshotRow {
        deal_id: id.into(),
        stage: stage.into(),
        entered: Some(day(2020, 1, 5).into()),
        amount: Some(amount),
        expected_close: Some(day(2020, 3, 20)),
        attributes: attributes.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        ..SnapshotRow::default()
    }
}

fn book(process: &SalesProcess, rows: impl IntoIterator<Item = SnapshotRow>) -> Snapshot {
    Snapshot::from_rows(process, day(2020, 2, 3).into(), rows).unwrap()
}

#[test]
fn one_segment_is_the_total() {
    let (process, model) = assumed();
    let rows = (0..40).map(|i| {
        row(&format!("D{i}"), ["qualify", "propose"][i % 2], 100.0 + i as f64, &[("region", "north")])
    });
    let book = book(&process, rows.chain([row("w", "won", 70.0, &[("region", "north")])]));
    let segments = model.by_segment(&book, &quarter(), "region").unwrap();
    let [only] = segments.segments() else { panic!("one segment") };
    assert_eq!(only.forecast(), segments.forecast());
    assert_eq!(only.forecast(), model.forecast(&book, &quarter()).unwrap().distribution());
    assert_eq!((only.weighted().booked(), only.n_open()), (70.0, 40));
}

#[test]
fn empty_books_and_too_many_segments() {
    let (process, model) = assumed();
    let none = model.by_segment(&book(&process, []), &quarter(), "region").unwrap();
    assert!(none.segments().is_empty() && none.mean() == 0.0);
    assert_eq!(none.simulate(&SimulationOptions::default().scenarios(10)).unwrap().draws().dim(), (10, 0));
    let many = (0..1001).map(|i| row(&format!("D{i}"), "propose", 1.0, &[("owner", &format!("o{i}"))]));
    let error = model.by_segment(&book(&process, many), &quarter(), "owner").unwrap_err();
    assert_eq!((error.kind(), error.field_name()), (ErrorKind::TooLarge, Some("owner")));
    let refused = none.simulate(&SimulationOptions::default().scenarios(usize::MAX)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLarge);
}

#[test]
fn segments_read_as_a_table() {
    let (process, model) = assumed();
    let rows = [
        row("a", "propose", 200e3, &[("region", "north")]),
        row("b", "qualify", 300e3, &[("region", "south")]),
        row("c", "won", 600e3, &[("region", "south")]),
        row("d", "propose", 50e3, &[]),
    ];
    let segments = model.by_segment(&book(&process, rows), &quarter(), "region").unwrap();
    let segments = segments.with_target("south", Target::new(700e3).unwrap()).unwrap();
    let text = segments.to_string();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[2], ["north", "1", "0", "100", "k", "0", "100", "k", "0-200", "k"], "{text}");
    let south = "south 1 0.60 M 75.0 k 0 0.68 M 0.60-0.90 M 0.70 M 25 %";
    assert_eq!(lines[3].join(" "), south, "{text}");
    assert_eq!(lines[4][..2], ["(not", "stated)"]);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let json = serde_json::to_value(segments.summary()).unwrap();
    assert_eq!(json[1]["segment"]["value"], "south");
    // The assumed shock is averaged over strata: to rounding.
    assert!(close(json[1]["chance"].as_f64().unwrap(), 0.25, ADDS_UP));
}

fn converted(world: World) -> (dealcast::gap::RollUp, Snapshot) {
    let company = Company::named(world, Seed::new(4)).unwrap();
    let log = company.log().unwrap();
    let known = log.as_of(day(2023, 8, 14));
    let quarter = Period::new(day(2023, 7, 1), day(2023, 10, 1)).unwrap();
    let model = ForecastModel::default().fit(&known, &quarter).unwrap();
    let book = known.snapshot();
    (model.roll_up(&book, &quarter).unwrap().with_history(&known), book)
}

#[test]
fn a_commit_is_worth_what_it_was_worth() {
    let share = |roll_up: &dealcast::gap::RollUp, category: Category| {
        roll_up.line(&category).unwrap().converted.unwrap()
    };
    let (knowing, book) = converted(World::RepSignals);
    let (commit, pipeline) = (share(&knowing, Category::Commit), share(&knowing, Category::Pipeline));
    assert!(commit.n_deals > 100 && commit.n_periods == 12);
    // Nine words in ten are right: the intervals do not touch.
    let level = Level::new(0.99).unwrap();
    assert!(commit.interval(level).lower() > pipeline.interval(level).upper(), "{knowing}");
    assert!(commit.amount_share().unwrap() > 3.0 * pipeline.amount_share().unwrap(), "{knowing}");
    let (guessing, _) = converted(World::NoisySignals);
    let (commit, pipeline) = (share(&guessing, Category::Commit), share(&guessing, Category::Pipeline));
    // Without a difference the standard normal of two shares stays below 4 but once in 16,000.
    let [p, q] = [commit, pipeline].map(|c| c.share().unwrap().get());
    let variance = |p: f64, n: u64| p * (1.0 - p) / n as f64;
    let z = (p - q) / (variance(p, commit.n_deals) + variance(q, pipeline.n_deals)).sqrt();
    assert!(z.abs() < 4.0, "{guessing}");
    // Everything open is somewhere.
    let n: usize = knowing.lines().iter().map(|line| line.open.n()).sum();
    assert_eq!(n + knowing.later().open.n(), book.n_open());
    let open: f64 = knowing.lines().iter().map(|line| line.open.amount().get()).sum();
    let all = book.open_book().unwrap().amount().get();
    assert!(close(open + knowing.later().open.amount().get(), all, ADDS_UP));
    let expected: f64 = knowing.lines().iter().map(|line| line.expected).sum();
    assert!(close(expected + knowing.later().expected, knowing.weighted().open(), ADDS_UP));
    let text = knowing.to_string();
    assert!(text.contains("commit = ") && text.contains("% of the amount"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let level = knowing.level_of_call().get();
    assert!(text.contains(&format!("at the model's q{:.0}", 100.0 * level)), "{text}");
}

/// What was won of the deals that were said to be committed, counted by hand.
#[test]
fn words_count_as_they_were_said_then() {
    let process = SalesProcess::open(["propose"]).unwrap();
    let said =
        |deal: &str, at: NaiveDate, word: &str| DealEvent::new(deal, at, Change::Category(word.into()));
    let entered = |deal: &str, at: NaiveDate, stage: &str, amount: f64| {
        DealEvent::new(deal, at, Change::Entered(stage.into())).and(Change::Amount(Some(amount)))
    };
    let close_by =
        |deal: &str, at: NaiveDate, by: NaiveDate| DealEvent::new(deal, at, Change::ExpectedClose(Some(by)));
    let log = DealLog::from_events(
        &process,
        [
            // Committed in May, won in June for more.
            entered("a", day(2019, 4, 5), "propose", 100.0),
            said("a", day(2019, 4, 6), "Commit"),
            entered("a", day(2019, 6, 9), "won", 120.0),
            // Called a commit only after the same point of the quarter.
            entered("b", day(2019, 4, 5), "propose", 50.0),
            said("b", day(2019, 4, 6), "Pipeline"),
            said("b", day(2019, 6, 1), "Commit"),
            entered("b", day(2019, 6, 20), "won", 50.0),
            // Committed for a later quarter.
            entered("c", day(2019, 4, 5), "propose", 70.0),
            said("c", day(2019, 4, 6), "commit"),
            close_by("c", day(2019, 4, 6), day(2019, 8, 1)),
            entered("c", day(2019, 6, 20), "won", 70.0),
            // Committed, and lost in the next quarter: not won by the end of this one.
            entered("d", day(2019, 4, 5), "propose", 80.0),
            said("d", day(2019, 4, 6), "COMMIT"),
            entered("d", day(2019, 7, 20), "won", 80.0),
            // A correction that nobody had heard of when the book was made.
            entered("a", day(2019, 6, 30), "lost", 120.0).recorded_at(day(2019, 9, 1)),
        ],
    )
    .unwrap();
    let known = log.as_of(day(2019, 8, 15));
    let period = Period::new(day(2019, 7, 1), day(2019, 10, 1)).unwrap();
    let model =
        FittedModel::assumed(&process, [Probability::new(0.5).unwrap()], Timing::ExpectedClose).unwrap();
    let row = |id: &str, word: Option<&str>| SnapshotRow {
        category: word.map(Into::into),
        ..row(id, "propose", 10.0, &[])
    };
    let rows = [row("x", Some("Commit")), row("y", Some("Pipeline")), row("z", None)];
    let book = Snapshot::from_rows(&process, day(2020, 2, 3).into(), rows.clone()).unwrap();
    // Nothing is known of any past quarter.
    let bare = model.roll_up(&book, &quarter()).unwrap();
    assert!(bare.lines().iter().all(|line| line.converted.is_none()));
    assert_eq!((bare.call(), bare.level_of_call().get()), (10.0, bare.forecast().cdf(10.0).get()));
    let book = Snapshot::from_rows(
        &process,
        day(2019, 8, 15).into(),
        rows.map(|row| SnapshotRow { entered: None, expected_close: None, ..row }),
    )
    .unwrap();
    let roll_up = model.roll_up(&book, &period).unwrap().with_history(&known);
    let commit = roll_up.line(&Category::Commit).unwrap().converted.unwrap();
    assert_eq!((commit.n_periods, commit.n_deals, commit.n_won), (1, 2, 1));
    assert_eq!((commit.open, commit.won), (180.0, 120.0));
    let pipeline = roll_up.line(&Category::Pipeline).unwrap().converted.unwrap();
    assert_eq!((pipeline.n_deals, pipeline.n_won, pipeline.amount_share()), (1, 1, Some(1.0)));
    assert_eq!(roll_up.line(&Category::NotStated).unwrap().converted, None);
    let later = model.roll_up(&book, &period).unwrap().with_history(&log.as_of(day(2020, 2, 1)));
    assert_eq!(later.lines(), roll_up.lines());
    let json = serde_json::to_value(roll_up.summary()).unwrap();
    assert_eq!(json["lines"][0]["category"], "commit");
}

fn product(why: &Why) -> f64 {
    why.base().get() * why.factors().iter().map(|factor| factor.ratio).product::<f64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn factors_multiply_to_the_chance(
        world in prop_oneof![Just(World::Segments), Just(World::BigDealsSlower), Just(World::Skipping)],
        seed in 0_u64..1000, weeks in 0_u64..12,
    ) {
        let at = day(2020, 1, 2) + chrono::Days::new(7 * weeks);
        let (model, book) = fitted(world, seed, at);
        for deal in model.chances(&book, &quarter()).unwrap().iter().step_by(7) {
            let why = model.why(&book, &quarter(), &deal.deal).unwrap();
            prop_assert_eq!(why.chance(), deal.chance);
            prop_assert!((product(&why) - deal.chance.get()).abs() <= 1e-12 * deal.chance.get(), "{}", why);
            prop_assert!(why.factors().iter().all(|factor| factor.ratio > 0.0 && factor.ratio.is_finite()));
            let text = why.to_string();
            prop_assert!(text.lines().all(|line| line.chars().count() <= 100), "{}", text);
        }
    }
}

#[test]
fn each_part_is_one_factor() {
    let log = Company::named(World::Segments, Seed::new(5)).unwrap().log().unwrap();
    let known = log.as_of(day(2023, 8, 14));
    let quarter = Period::new(day(2023, 7, 1), day(2023, 10, 1)).unwrap();
    let (model, book) = (ForecastModel::default().fit(&known, &quarter).unwrap(), known.snapshot());
    let of = |value: &str| {
        let carries = |deal: &&dealcast::deals::OpenDeal| deal.attribute("segment") == Some(value);
        book.open().iter().find(carries).unwrap()
    };
    let deal = of("partner");
    let why = model.why(&book, &quarter, deal.id()).unwrap();
    let reasons: Vec<&Reason> = why.factors().iter().map(|factor| &factor.reason).collect();
    let Reason::Age { days, older_than: Some(share) } = reasons[0] else { panic!("{why}") };
    assert_eq!(*days, i32::try_from(deal.age_days()).unwrap());
    assert!(share.get() > 0.0 && share.get() < 1.0);
    let partner = Reason::Attribute { name: "segment".into(), value: Some("partner".into()) };
    let rest = [&Reason::Level, &partner, &Reason::Weekdays, &Reason::PastForecasts, &Reason::Size];
    assert_eq!(reasons[1..], rest);
    // Partners have 1.8 times the odds of mid-market deals, public buyers .7 times.
    let public = model.why(&book, &quarter, of("public").id()).unwrap();
    assert!(why.factors()[2].ratio > 1.0 && public.factors()[2].ratio < 1.0, "{why}\n{public}");
    // A model without parts: all of their factors are 1.
    let bare = dealcast::fit::Part::ALL.into_iter().fold(ForecastModel::default(), ForecastModel::without);
    let bare = bare.fit(&known, &quarter).unwrap().why(&book, &quarter, deal.id()).unwrap();
    assert!(bare.factors()[1..].iter().all(|factor| factor.ratio == 1.0), "{bare}");
}

/// Where leaving a stage has the same chance on every day, age explains nothing, and the base is the chance.
#[test]
fn a_deal_at_the_base() {
    let process = SalesProcess::open(["propose"]).unwrap();
    let mut rows = Vec::new();
    // One in four leaves on each of sixty days, of whom every other is won.
    for deal in 0..4000_usize {
        let start = day(2018, 12, 3) + chrono::Days::new((deal % 300) as u64);
        let mut stream = deal.wrapping_mul(0x9E37_79B9) % 1_000_003;
        let mut stayed = 1;
        while stayed < 60 && stream % 4 != 0 {
            stream = stream.wrapping_mul(48_271) % 0x7FFF_FFFF;
            stayed += 1;
        }
        let stage = if deal % 2 == 0 { "won" } else { "lost" };
        let id = format!("D{deal}");
        rows.push(DealEvent::new(&*id, start, Change::Entered("propose".into())));
        rows.push(DealEvent::new(&*id, start + chrono::Days::new(stayed), Change::Entered(stage.into())));
    }
    let log = DealLog::from_events(&process, rows).unwrap();
    let known = log.as_of(day(2020, 1, 1));
    let bare = dealcast::fit::Part::ALL.into_iter().fold(ForecastModel::default(), ForecastModel::without);
    let model = bare.fit(&known, &quarter()).unwrap();
    let deal = SnapshotRow { entered: Some(day(2019, 12, 28).into()), ..row("x", "propose", 10.0, &[]) };
    let book = Snapshot::from_rows(&process, day(2020, 1, 1).into(), [deal]).unwrap();
    let why = model.why(&book, &quarter(), "x").unwrap();
    assert!((why.base().get() - 0.5).abs() < 0.03 && (why.factors()[0].ratio - 1.0).abs() < 0.02, "{why}");
}

#[test]
fn impossible_and_certain_deals_have_reasons() {
    let (process, _) = assumed();
    let chances = [0.0, 1.0].map(|p| Probability::new(p).unwrap());
    let model = FittedModel::assumed(&process, chances, Timing::ExpectedClose).unwrap();
    let never = row("never", "qualify", 1.0, &[]);
    let sure = row("sure", "propose", 1.0, &[]);
    let later = SnapshotRow { expected_close: Some(day(2020, 5, 1)), ..row("later", "propose", 1.0, &[]) };
    let book = book(&process, [never, sure, later]);
    let why = |deal: &str| model.why(&book, &quarter(), deal).unwrap();
    let figures = |why: Why| (why.base().get(), why.factors()[0].ratio, why.chance().get());
    assert_eq!(figures(why("never")), (0.0, 1.0, 0.0));
    assert_eq!(figures(why("sure")), (1.0, 1.0, 1.0));
    assert_eq!(figures(why("later")), (1.0, 0.0, 0.0));
    assert_eq!(why("later").factors()[0].reason, Reason::ExpectedClose);
    let days = Timing::MeanDays(vec![10.0, 20.0]);
    let paced =
        FittedModel::assumed(&process, [0.25, 0.5].map(|p| Probability::new(p).unwrap()), days).unwrap();
    let paced = paced.why(&book, &quarter(), "never").unwrap();
    assert_eq!((paced.base().get(), &paced.factors()[0].reason), (0.25, &Reason::DaysLeft));
    assert!(paced.factors()[0].ratio < 1.0 && (product(&paced) - paced.chance().get()).abs() <= 1e-15);
    let missing = model.why(&book, &quarter(), "nobody").unwrap_err();
    assert_eq!((missing.kind(), missing.deal()), (ErrorKind::Missing, Some("nobody")));
    // Nothing can be won on the last day's morning after.
    let (fitted, book) = fitted(World::Stationary, 3, day(2020, 1, 16));
    let gone = Period::new(day(2020, 1, 1), day(2020, 1, 16)).unwrap();
    let over = fitted.why(&book, &gone, book.open()[0].id()).unwrap();
    assert_eq!((over.base().get(), over.chance().get(), product(&over)), (0.0, 0.0, 0.0));
}

fn leads_from_old_to_new(bridge: &Bridge) {
    let bars = bridge.bars();
    let end = bars.iter().fold(bridge.opening(), |sum, (_, bar)| sum + bar.amount);
    let scale = bars.iter().map(|(_, bar)| bar.amount.abs()).fold(bridge.opening(), f64::max);
    assert!((end - bridge.closing()).abs() <= 1e-9 * scale, "{bridge}");
    let text = bridge.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn bridges_lead_from_the_old_mean_to_the_new(
        world in prop_oneof![Just(World::Segments), Just(World::Reopening), Just(World::Dirty), Just(World::RepSignals)],
        seed in 0_u64..1000, from in 0_u64..100, days in 0_u64..60,
    ) {
        let log = company(world, seed).log().unwrap();
        // From before the quarter to its last day.
        let from = day(2019, 12, 20) + chrono::Days::new(from);
        let to = (from + chrono::Days::new(days)).min(day(2020, 3, 31));
        let [then, now] = [from, to].map(|at| log.as_of(at));
        let [old, new] = [&then, &now].map(|known| ForecastModel::default().fit(known, &quarter()).unwrap());
        let [was, is] = [&then, &now].map(Known::snapshot);
        let bridge = Bridge::between((&old, &was), (&new, &is), &quarter()).unwrap();
        leads_from_old_to_new(&bridge);
        prop_assert_eq!(bridge.opening(), old.forecast(&was, &quarter()).unwrap().mean());
        prop_assert_eq!(bridge.closing(), new.forecast(&is, &quarter()).unwrap().mean());
        // Every deal is somewhere.
        let left: usize = [bridge.won(), bridge.lost(), bridge.gone(), bridge.ageing()].iter().map(|bar| bar.n).sum();
        prop_assert_eq!(left, was.n_open());
        prop_assert_eq!(bridge.ageing().n + bridge.new_deals().n, is.n_open());
        // Without a new model nothing is the model's.
        if let Ok(same) = Bridge::between((&old, &was), (&old, &is), &quarter()) {
            leads_from_old_to_new(&same);
            prop_assert_eq!(same.model().amount, 0.0);
            prop_assert_eq!(same.ageing(), bridge.ageing());
        }
        // Nothing happens in no time.
        let still = Bridge::between((&old, &was), (&old, &was), &quarter()).unwrap();
        prop_assert!(still.bars().iter().all(|(_, bar)| bar.amount.abs() <= 1e-9 * still.opening()), "{}", still);
    }
}

/// Two stored snapshots, one model that counts deals by their expected close: every bar by hand.
#[test]
fn each_bar_of_a_bridge_by_hand() {
    let (process, model) = assumed();
    let snapshot = |at: NaiveDate, rows: Vec<SnapshotRow>| {
        let book = Snapshot::from_rows(&process, at.into(), rows).unwrap();
        serde_json::from_str::<Snapshot>(&serde_json::to_string(&book).unwrap()).unwrap()
    };
    let of = |id: &str, stage: &str, amount: f64| row(id, stage, amount, &[]);
    let closed = |id: &str, stage: &str, amount: f64, at: NaiveDate| SnapshotRow {
        entered: Some(at.into()),
        ..of(id, stage, amount)
    };
    let then = vec![
        of("stays", "qualify", 100.0),
        of("moves", "qualify", 200.0),
        of("grows", "propose", 300.0),
        of("wins", "propose", 400.0),
        of("loses", "propose", 500.0),
        of("vanishes", "propose", 600.0),
        closed("booked", "won", 70.0, day(2020, 1, 20)),
        closed("reopened", "won", 80.0, day(2020, 1, 20)),
    ];
    let now = vec![
        of("stays", "qualify", 100.0),
        of("moves", "propose", 200.0),
        of("grows", "propose", 360.0),
        closed("wins", "won", 410.0, day(2020, 2, 5)),
        closed("loses", "lost", 500.0, day(2020, 2, 6)),
        closed("booked", "won", 75.0, day(2020, 1, 20)),
        of("reopened", "propose", 80.0),
        of("new", "qualify", 1000.0),
        closed("blink", "won", 33.0, day(2020, 2, 7)),
    ];
    let (then, now) = (snapshot(day(2020, 2, 3), then), snapshot(day(2020, 2, 10), now));
    let bridge = Bridge::between((&model, &then), (&model, &now), &quarter()).unwrap();
    leads_from_old_to_new(&bridge);
    let bars = bridge.bars().map(|(_, bar)| (bar.amount, bar.n));
    let expected = [
        (410.0 - 200.0, 1),
        (-250.0, 1),
        (-300.0, 1),
        (33.0, 1),
        (5.0 - 80.0, 2),
        (0.0, 3),
        (50.0, 1),
        (30.0, 1),
        (250.0 + 40.0, 2),
        (0.0, 0),
        (0.0, 0),
    ];
    assert_eq!(bars, expected, "{bridge}");
    assert_eq!(
        (bridge.opening(), bridge.closing()),
        (150.0 + 25.0 + 50.0 + 150.0 + 200.0 + 250.0 + 300.0, 1113.0)
    );
    let text = bridge.to_string();
    assert!(
        text.contains("won                 +210      1 deal") && !text.contains("new business"),
        "{text}"
    );
    let backward = Bridge::between((&model, &now), (&model, &then), &quarter()).unwrap_err();
    assert_eq!(backward.kind(), ErrorKind::InvalidPeriod);
    let empty = snapshot(day(2020, 2, 10), vec![]);
    let emptied = Bridge::between((&model, &empty), (&model, &empty), &quarter()).unwrap();
    assert_eq!((emptied.opening(), emptied.closing()), (0.0, 0.0));
    let huge = snapshot(day(2020, 2, 10), vec![of("a", "propose", f64::MAX), of("b", "qualify", 1e308)]);
    match Bridge::between((&model, &then), (&model, &huge), &quarter()) {
        Ok(bridge) => assert!(bridge.closing().is_finite()),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Overflow),
    }
}

#[test]
fn two_fitted_processes_share_their_market() {
    let at = day(2020, 1, 16);
    let (sales, opportunities) = fitted(World::Segments, 1, at);
    let (renewing, contracts) = fitted(World::SharedShock, 2, at);
    let parts = [("sales", &sales, &opportunities), ("renewals", &renewing, &contracts)];
    let company = CombinedForecast::of(parts, &quarter()).unwrap();
    let each = [sales.forecast(&opportunities, &quarter()), renewing.forecast(&contracts, &quarter())];
    let [a, b] = each.map(Result::unwrap);
    assert_eq!(company.mean(), a.mean() + b.mean());
    let (sd, a, b) = (company.distribution().sd(), a.distribution().sd(), b.distribution().sd());
    assert!(sd > a.hypot(b) && sd < a + b, "{sd} {a} {b}");
    let text = company.to_string();
    assert!(text.contains("renewals") && text.contains("under one market"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let json = serde_json::to_value(company.summary(&[Level::HALF])).unwrap();
    assert_eq!((json.as_array().unwrap().len(), &json[2]["process"]), (3, &serde_json::Value::Null));
    let other_day = book(&assumed().0, []);
    let (_, model) = assumed();
    let mixed = [("sales", &sales, &opportunities), ("renewals", &model, &other_day)];
    let error = CombinedForecast::of(mixed, &quarter()).unwrap_err();
    assert_eq!((error.kind(), error.field_name()), (ErrorKind::OutOfRange, Some("as_of")));
    assert_eq!(CombinedForecast::of([], &quarter()).unwrap_err().kind(), ErrorKind::Missing);
}
