//! The gap against all outcomes of small books, its laws, and its edge cases.

use dealcast::forecast::{ForecastOptions, NewBusiness, Shock, Total};
use dealcast::gap::{GapAnalysis, Target};
use dealcast::time::date;
use dealcast::{
    Amount, ErrorKind, FittedModel, ForecastModel, Level, Period, Probability, SalesProcess, Snapshot,
    SnapshotRow, Timing,
};
use proptest::prelude::*;

/// Probabilities of a few thousand outcomes, each a product of at most 12 rounded factors.
const EXACT: f64 = 1e-12;

fn total(booked: f64, deals: &[(f64, f64)]) -> Total {
    let deal = |&(p, a): &(f64, f64)| (Probability::new(p).unwrap(), Amount::new(a).unwrap());
    Total::new(Amount::new(booked).unwrap(), deals.iter().map(deal)).unwrap()
}

fn ask(total: &Total, target: f64, confidence: f64) -> GapAnalysis {
    let (target, confidence) = (Target::new(target).unwrap(), Level::new(confidence).unwrap());
    GapAnalysis::of(total, target, confidence, &ForecastOptions::default()).unwrap()
}

/// Every outcome of independent deals as (total, probability).
fn outcomes(booked: f64, deals: &[(f64, f64)]) -> Vec<(f64, f64)> {
    (0..1_u32 << deals.len())
        .map(|won| {
            deals.iter().enumerate().fold((booked, 1.0), |(total, mass), (i, &(p, a))| {
                if won >> i & 1 == 1 { (total + a, mass * p) } else { (total, mass * (1.0 - p)) }
            })
        })
        .collect()
}

fn quantile(outcomes: &[(f64, f64)], level: f64) -> f64 {
    let mut sorted = outcomes.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut mass = 0.0;
    // The level is not met by a rounding error.
    let at = sorted.iter().find(|(_, m)| {
        mass += m;
        mass >= level - EXACT
    });
    at.unwrap().0
}

fn book() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let chance = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    // Whole thousands: totals are exact, so that a target can be met exactly.
    proptest::collection::vec((chance, (0_u32..200).prop_map(|k| 1e3 * f64::from(k))), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_figure_is_that_of_all_outcomes(
        deals in book(), booked in 0_u32..300, target in 0_u32..1500, confidence in 0.05..0.95,
    ) {
        let (booked, target) = (1e3 * f64::from(booked), 1e3 * f64::from(target));
        let all = outcomes(booked, &deals);
        let gap = ask(&total(booked, &deals), target, confidence);
        let hit = |all: &[(f64, f64)]| all.iter().filter(|o| o.0 >= target).map(|o| o.1).sum::<f64>();
        prop_assert!((gap.chance().get() - hit(&all)).abs() <= EXACT);
        let short = |total: f64| (target - total).max(0.0);
        let missed: f64 = all.iter().map(|o| short(o.0) * o.1).sum();
        // Relative to the range of the amounts, as probabilities are to 1.
        let scale = 1.0 + target + booked + deals.iter().map(|d| d.1).sum::<f64>();
        prop_assert!((gap.expected_shortfall() - missed).abs() <= EXACT * scale);
        let mean: f64 = all.iter().map(|o| o.0 * o.1).sum();
        prop_assert!((gap.shortfall_mean() - short(mean)).abs() <= EXACT * scale);
        prop_assert_eq!(gap.remaining(), short(booked));
        let between = |found: f64, level: f64| {
            short(quantile(&all, level + 2.0 * EXACT)) <= found && found <= short(quantile(&all, level - EXACT))
        };
        prop_assert!(between(gap.shortfall_q50(), 0.5), "{gap}");
        prop_assert!(between(gap.shortfall_at_confidence(), 1.0 - confidence), "{gap}");
        let able: f64 = deals.iter().filter(|d| d.0 > 0.0).map(|d| d.1).sum();
        let coverage = (target > booked).then(|| able / (target - booked));
        prop_assert_eq!(gap.pipeline_coverage(), coverage);
        for (i, (deal, swing)) in deals.iter().zip(gap.swing()).enumerate() {
            let mut others = deals.clone();
            let (p, a) = others.remove(i);
            let given = |more: f64| hit(&outcomes(booked + more, &others));
            prop_assert!((swing.without().get() - given(0.0)).abs() <= EXACT);
            prop_assert!((swing.if_won().get() - given(a)).abs() <= EXACT);
            prop_assert_eq!((swing.given_won().is_some(), swing.given_lost().is_some()), (p > 0.0, p < 1.0));
            if let Some(won) = swing.given_won() {
                prop_assert!((won.get() - given(a)).abs() <= EXACT, "{deal:?}");
            }
            if let Some(lost) = swing.given_lost() {
                prop_assert!((lost.get() - given(0.0)).abs() <= EXACT, "{deal:?}");
            }
        }
        let largest = deals.iter().map(|d| d.1).fold(0.0, f64::max);
        let mut rest = deals.clone();
        let biggest = rest.iter().position(|d| d.1 == largest).map(|i| rest.remove(i));
        match (biggest, gap.lose_biggest_chance()) {
            (None, None) => {}
            (Some(_), Some(chance)) => {
                prop_assert!((chance.get() - hit(&outcomes(booked, &rest))).abs() <= EXACT);
            }
            _ => prop_assert!(false, "a chance without the biggest deal iff there is one"),
        }
    }

}

proptest! {
    // Each case is eight distributions with a shock.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn laws(
        deals in book(), booked in 0_u32..300, target in 0_u32..2000, more in 1_u32..1000,
        rho in 0.0..0.3, mean in 0.0..5.0,
    ) {
        let [booked, target, more] = [booked, target, more].map(|k| 1e3 * f64::from(k));
        let new = NewBusiness::new(mean, [(Amount::new(5e4).unwrap(), 1.0), (Amount::new(2e5).unwrap(), 0.5)]);
        let build = |booked: f64| {
            total(booked, &deals).with_shock(Shock::new(rho).unwrap()).with_new_business(new.clone().unwrap())
        };
        let book = build(booked).unwrap();
        let (gap, further) = (ask(&book, target, 0.8), ask(&book, target + more, 0.8));
        // What the engine itself may have got wrong, twice.
        let slack = 2.0 * gap.distribution().error_bound().chance() + EXACT;
        prop_assert!(further.chance().get() <= gap.chance().get() + slack);
        prop_assert!(further.remaining() >= gap.remaining());
        let scale = 1.0 + target + more + gap.distribution().mean();
        prop_assert!(further.expected_shortfall() >= gap.expected_shortfall() - slack * scale);
        // Jensen; and all that remains is the most that can be missed.
        prop_assert!(gap.expected_shortfall() >= gap.shortfall_mean());
        prop_assert!(gap.expected_shortfall() <= gap.remaining());
        let level = |x: f64| Level::new(x).unwrap();
        prop_assert!(gap.shortfall_at(level(0.95)) >= gap.shortfall_at(level(0.8)));
        prop_assert!(gap.shortfall_at(level(0.8)) >= gap.shortfall_at(level(0.5)));
        prop_assert_eq!(gap.shortfall_at(level(0.5)), gap.shortfall_q50());
        for deal in gap.swing() {
            if let Some((won, lost)) = deal.given_won().zip(deal.given_lost()) {
                let p = deal.chance().get();
                let whole = p * won.get() + (1.0 - p) * lost.get();
                prop_assert!((whole - gap.chance().get()).abs() <= EXACT, "{deal}");
                // A deal that is won, and the good sign it is, can only help.
                prop_assert!(deal.swing() >= -1e-9 && deal.if_won().get() >= deal.without().get() - 1e-9);
            }
        }
        if let Some(less) = gap.lose_biggest_chance() {
            prop_assert!(less.get() <= gap.chance().get() + slack);
        }
        let ahead = ask(&build(booked + more).unwrap(), target, 0.8);
        prop_assert!(ahead.chance().get() >= gap.chance().get() - slack);
        finite(&gap);
    }
}

/// Every number of the answer is finite: JSON writes others as null, so only the optional ones may be null.
fn finite(gap: &GapAnalysis) {
    let json = serde_json::to_value(gap.summary()).unwrap();
    let optional = [
        "as_of",
        "period",
        "attainment",
        "coverage",
        "coverage_needed",
        "chance_at_three_times",
        "lose_biggest_chance",
        "evidence",
    ];
    for (name, value) in json.as_object().unwrap() {
        assert!(!value.is_null() || optional.contains(&name.as_str()), "{name} in {json}");
    }
    assert!(!gap.to_string().contains("NaN") && !gap.to_string().contains("inf"));
}

#[test]
fn a_met_target_leaves_nothing() {
    for deals in [vec![], vec![(0.5, 10.0)], vec![(0.3, 7.77); 3000]] {
        let gap = ask(&total(100.0, &deals), 100.0, 0.8);
        assert_eq!((gap.chance(), gap.remaining(), gap.attainment()), (Probability::ONE, 0.0, Some(1.0)));
        assert_eq!((gap.expected_shortfall(), gap.shortfall_at_confidence()), (0.0, 0.0));
        assert_eq!(gap.pipeline_coverage(), None);
        assert!(gap.to_string().contains("nothing remaining: the target is met"));
    }
}

#[test]
fn zero_and_huge_targets_and_amounts() {
    let book = total(0.0, &[(0.5, 10.0)]);
    let none = ask(&book, 0.0, 0.8);
    assert_eq!((none.chance(), none.attainment(), none.pipeline_coverage()), (Probability::ONE, None, None));
    let huge = ask(&book, f64::MAX, 0.8);
    assert_eq!((huge.chance(), huge.remaining()), (Probability::ZERO, f64::MAX));
    finite(&huge);
    // A ratio beyond all numbers is not one.
    let tiny = ask(&total(0.0, &[(0.5, 1e300)]), 5e-324, 0.8);
    assert_eq!((tiny.chance().get(), tiny.pipeline_coverage()), (0.5, None));
    finite(&tiny);
    finite(&ask(&total(1e300, &[(0.5, 1e307), (0.1, 1e-300)]), 1e307, 0.999));
    for refused in [f64::NAN, -1.0, f64::INFINITY] {
        assert_eq!(Target::new(refused).unwrap_err().field_name(), Some("target"));
    }
}

#[test]
fn the_first_of_equally_big_deals_is_lost() {
    // Without the first, the second alone decides; without the second it would be .9.
    let gap = ask(&total(0.0, &[(0.9, 5.0), (0.2, 5.0)]), 5.0, 0.8);
    assert!((gap.lose_biggest_chance().unwrap().get() - 0.2).abs() <= EXACT);
}

/// rho = 1: one uniform number decides all, so the chances nest.
#[test]
fn one_draw_for_all() {
    let book = total(0.0, &[(0.6, 1.0), (0.2, 10.0)]).with_shock(Shock::new(1.0).unwrap());
    let gap = ask(&book, 11.0, 0.8);
    assert!((gap.chance().get() - 0.2).abs() <= EXACT);
    assert!((gap.expected_shortfall() - (0.4 * 11.0 + 0.4 * 10.0)).abs() <= EXACT * 11.0);
}

fn day(year: i32, month: u32, day: u32) -> chrono::NaiveDate {
    date(year, month, day).unwrap()
}

fn row(id: &str, stage: &str, entered: chrono::NaiveDate, amount: f64) -> SnapshotRow {
    SnapshotRow {
        deal_id: id.into(),
        stage: stage.into(),
        entered: Some(entered.into()),
        amount: Some(amount),
        expected_close: Some(day(2026, 3, 20)),
        ..SnapshotRow::default()
    }
}

fn assumed() -> (SalesProcess, FittedModel) {
    let process = SalesProcess::open(["qualify", "propose"]).unwrap();
    let chances = [0.2, 0.5].map(|p| Probability::new(p).unwrap());
    let model = FittedModel::assumed(&process, chances, Timing::ExpectedClose).unwrap();
    (process, model)
}

#[test]
fn reads_as_a_sales_leader_would_say_it() {
    let (process, model) = assumed();
    let rows = [
        row("a", "propose", day(2026, 2, 1), 200e3),
        row("b", "qualify", day(2026, 2, 1), 300e3),
        row("c", "won", day(2026, 1, 9), 600e3),
        SnapshotRow { amount: None, ..row("d", "propose", day(2026, 3, 1), 0.0) },
    ];
    let book = Snapshot::from_rows(&process, day(2026, 3, 10).into(), rows).unwrap();
    let quarter = Period::new(day(2026, 1, 1), day(2026, 4, 1)).unwrap();
    let gap = model.gap(&book, &quarter, Target::new(1e6).unwrap()).unwrap();
    let text = gap.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    assert_eq!(lines[0], "Gap to 1.00 M for 2026-01-01 to 2026-03-31 as of 2026-03-10 00:00");
    assert!(lines[1].ends_with("% chance of 1.00 M; q50 0.80 M; 80 % range 0.60-1.10 M"), "{text}");
    let parts = "booked 0.60 M (60 % of target) + open deals 160 k + new business 0 = 0.76 M expected";
    assert_eq!(lines[2], parts);
    let open = "3 open deals, 1 of them without an amount (counted, not priced); 0.50 M can still close";
    assert_eq!(lines[3], open);
    assert_eq!(lines[4], "400 k remaining, covered 1.2 times by open deals");
    assert!(
        lines[5].starts_with("short by 240 k at the mean, 200 k at q50, 400 k at 80 % confidence;"),
        "{text}"
    );
    assert!(lines[6].starts_with("deals like these reach 80 % confidence at"), "{text}");
    assert_eq!(lines[7], "without the biggest deal: 0 % chance");
    assert!(lines[8].starts_with("decides: b, 300 k at 20 %: "), "{text}");
    assert!(lines.iter().any(|line| line.starts_with("noise floor +-156 k")), "{text}");
    assert!(lines[lines.len() - 1].starts_with("assumed stage percentages"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    finite(&gap);
}

#[test]
fn before_the_period_on_its_last_day_and_after_it() {
    let (process, model) = assumed();
    let rows = || [row("a", "propose", day(2026, 1, 1), 100.0), row("c", "won", day(2026, 1, 9), 50.0)];
    let ask = |as_of, start, end| {
        let book = Snapshot::from_rows(&process, chrono::NaiveDateTime::from(as_of), rows()).unwrap();
        model.gap(&book, &Period::new(start, end).unwrap(), Target::new(150.0).unwrap()).unwrap()
    };
    let ahead = ask(day(2026, 2, 1), day(2026, 3, 1), day(2026, 4, 1));
    assert_eq!((ahead.remaining(), ahead.chance()), (150.0, Probability::ZERO));
    let last_day = ask(day(2026, 3, 20), day(2026, 1, 1), day(2026, 3, 21));
    assert_eq!(last_day.remaining(), 100.0);
    // The assumed shock is averaged over strata: to rounding.
    assert!((last_day.chance().get() - 0.5).abs() <= EXACT);
    let over = ask(day(2026, 3, 25), day(2026, 1, 1), day(2026, 3, 25));
    assert!(over.remaining() == 100.0 && over.weighted().booked() == 50.0);
    finite(&over);
}

#[test]
fn a_fitted_model_answers_an_empty_book_and_one_deal() {
    use dealcast::synthetic::{Company, World};
    let company = Company::named(World::Stationary, dealcast::Seed::new(3)).unwrap();
    let log = company.log().unwrap();
    let known = log.as_of(day(2023, 2, 1));
    let quarter = Period::new(day(2023, 1, 1), day(2023, 4, 1)).unwrap();
    let model = ForecastModel::default().fit(&known, &quarter).unwrap();
    let target = Target::new(1e6).unwrap();
    let of = |rows: Vec<SnapshotRow>| {
        let book = Snapshot::from_rows(known.process(), day(2023, 2, 1).into(), rows).unwrap();
        let gap = model.gap(&book, &quarter, target).unwrap();
        finite(&gap);
        gap
    };
    let empty = of(vec![]);
    assert_eq!((empty.n_open(), empty.lose_biggest_chance(), empty.remaining()), (0, None, 1e6));
    assert_eq!(empty.pipeline_coverage(), Some(0.0));
    let one = of(vec![SnapshotRow { expected_close: None, ..row("a", "propose", day(2023, 1, 20), 2e6) }]);
    assert!(one.chance() > empty.chance());
    assert!((one.lose_biggest_chance().unwrap().get() - empty.chance().get()).abs() < 1e-6);
    // Asked of the whole quarter's forecast, the gap is the same answer.
    let book = known.snapshot();
    let (gap, forecast) =
        (model.gap(&book, &quarter, target).unwrap(), model.forecast(&book, &quarter).unwrap());
    assert_eq!(gap.chance(), forecast.chance_of_hitting(target.amount()));
    assert_eq!((gap.weighted(), gap.noise_floor()), (forecast.weighted(), forecast.noise_floor()));
    assert_eq!(gap.confidence(), Level::new(0.8).unwrap());
    let old = log.as_of(day(2023, 1, 1)).snapshot();
    assert_eq!(model.gap(&old, &quarter, target).unwrap_err().kind(), ErrorKind::LookAhead);
}
