//! The made-up companies do what their names say, and their truth can be found again in their rows.
//!
//! Recovery checks are at 6 standard errors of the true law: a false alarm once in 5e8 for each, and seeds are fixed.

#![allow(clippy::disallowed_methods, reason = "bounds need no bit that is the same everywhere")]

use chrono::{Datelike, NaiveDateTime};
use dealcast::deals::{Change, DealEvent, Finding};
use dealcast::synthetic::*;
use dealcast::time::{Period, date};
use dealcast::{DealLog, ErrorKind, Probability, Seed};
use std::collections::BTreeMap;

const SIX: f64 = 6.0;

fn chance(p: f64) -> Probability {
    Probability::new(p).unwrap()
}

/// From 2000 on: long enough for all but stale deals of the first half to be decided.
fn long(truth: Truth, years: i32) -> Company {
    let history = Period::new(date(2000, 1, 1).unwrap(), date(2000 + years, 1, 1).unwrap()).unwrap();
    Company::new(truth, history, Seed::new(20_260_301)).unwrap()
}

#[derive(Clone)]
struct Deal {
    amount: f64,
    segment: Option<String>,
    moves: Vec<(NaiveDateTime, String)>,
    said: Vec<(NaiveDateTime, chrono::NaiveDate, String)>,
}

impl Deal {
    fn won(&self) -> bool {
        self.moves.iter().any(|(_, to)| to == "won")
    }
}

/// Deals by id, their moves in order.
fn deals(company: &Company) -> Vec<Deal> {
    let mut found: BTreeMap<String, Deal> = BTreeMap::new();
    for row in company.events().unwrap() {
        let empty = Deal { amount: 0.0, segment: None, moves: Vec::new(), said: Vec::new() };
        let deal = found.entry(row.deal).or_insert(empty);
        let mut said = (row.at, None, String::new());
        for change in row.changes {
            match change {
                Change::Entered(to) => deal.moves.push((row.at, to)),
                Change::Amount(amount) => deal.amount = amount.unwrap(),
                Change::Attribute { value, .. } => deal.segment = Some(value),
                Change::ExpectedClose(day) => said.1 = day,
                Change::Category(word) => said.2 = word,
                other => panic!("{other:?}"),
            }
        }
        if let (at, Some(day), word) = said {
            deal.said.push((at, day, word));
        }
    }
    found.into_values().collect()
}

/// How many of n independent events of these chances happened, against what is expected.
fn counts_as_expected(chances: impl IntoIterator<Item = (f64, bool)>, what: &str) {
    let (mut n, mut seen, mut mean, mut variance) = (0, 0.0, 0.0, 0.0);
    for (p, happened) in chances {
        n += 1;
        seen += f64::from(u8::from(happened));
        mean += p;
        variance += p * (1.0 - p);
    }
    assert!(n > 300, "{what}: only {n} cases");
    let bound = SIX * f64::sqrt(variance) + 0.5;
    assert!((seen - mean).abs() < bound, "{what}: {seen} of {n}, expected {mean:.1} +- {bound:.1}");
}

#[test]
fn every_world_is_valid_and_its_log_is_clean() {
    for world in World::ALL {
        let company = Company::named(world, Seed::new(1)).unwrap();
        let log = company.log().unwrap();
        let receipt = log.receipt();
        let dirty = world == World::Dirty;
        assert_eq!(receipt.quarantined(), 0, "{world:?}");
        assert_eq!(receipt.deduplicated() > 0, dirty, "{world:?}");
        assert_eq!(receipt.amount_dropped() > 0, dirty, "{world:?}");
        let last = company.events().unwrap().iter().map(|row| row.at).max().unwrap();
        assert!(last < company.history().end().into(), "{world:?}");
        let expected = company.truth().arrivals.expected(company.history());
        let n = log.as_of(company.history().end()).n_deals();
        if world == World::Sparse {
            assert_eq!(n, 8);
        } else {
            assert!((n as f64 - expected).abs() < SIX * expected.sqrt(), "{world:?}: {n} of {expected}");
        }
    }
    assert!(World::GATE.iter().all(|world| World::ALL.contains(world)));
}

/// 64-bit FNV-1a of the rows as text.
fn digest(rows: &[DealEvent]) -> u64 {
    let text = format!("{rows:?}");
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// The rows are a pure function of truth, history and seed, on every platform: pinned here, so that a change of the
/// generator is seen. A new value is a value change and belongs into the changelog.
#[test]
fn first_rows_are_pinned() {
    let first = |world| digest(&Company::named(world, Seed::new(42)).unwrap().events().unwrap()[..200]);
    for (world, pinned) in [
        (World::Stationary, 0xfaed_751a_3156_e61d_u64),
        (World::Skipping, 0x6b73_f16f_95a0_8cc8),
        (World::HeavyTailed, 0x7846_706d_7566_6a6e),
        (World::RepSignals, 0x0a21_5285_3bc2_ede6),
        (World::Dirty, 0xcd29_ba89_755b_2f6b),
    ] {
        assert_eq!(first(world), pinned, "{world:?}");
    }
    let other = |seed| Company::named(World::Stationary, Seed::new(seed)).unwrap().events().unwrap();
    assert_eq!(other(42), other(42));
    assert_ne!(digest(&other(42)[..200]), digest(&other(43)[..200]));
}

#[test]
fn a_longer_history_begins_with_the_shorter_one() {
    for world in
        [World::Stationary, World::SharedShock, World::RepSignals, World::Reopening, World::YearlyBatches]
    {
        let (short, longer) = (long(world.truth(), 2), long(world.truth(), 4));
        let cut: NaiveDateTime = short.history().end().into();
        let mut begun = longer.events().unwrap();
        begun.retain(|row| row.at < cut);
        assert_eq!(short.events().unwrap(), begun, "{world:?}");
    }
}

#[test]
fn win_chances_are_found_again() {
    let mut stale_and_back = World::Reopening.truth();
    stale_and_back.stages[1].stale = chance(0.1);
    for (what, truth) in [
        ("stationary", World::Stationary.truth()),
        ("skipping", World::Skipping.truth()),
        ("reopening", World::Reopening.truth()),
        ("stale", World::Stale.truth()),
        ("stale and reopening", stale_and_back),
        ("null signal", World::NullSignal.truth()),
    ] {
        let p = truth.win_chance(0, 1.0).unwrap().get();
        let company = long(truth, 12);
        let early = date(2006, 1, 1).unwrap().into();
        let decided = deals(&company).into_iter().filter(|deal| deal.moves[0].0 < early);
        counts_as_expected(decided.map(|deal| (p, deal.won())), what);
    }
    // By hand: 0.6 x 0.7 x 5 / 7; each stage loses a sixth; a reopened deal tries again from the second stage.
    let at = |world: World| world.truth().win_chance(0, 1.0).unwrap().get();
    assert!((at(World::Stationary) - 0.3).abs() < 1e-12);
    assert!((at(World::Stale) - 0.3 * (5.0_f64 / 6.0).powi(3)).abs() < 1e-12);
    let reopened = World::Reopening.truth().win_chance(1, 1.0).unwrap().get();
    // V = 1/2 + 1/2 x 0.4 V.
    assert!((reopened - 0.5 / 0.8).abs() < 1e-12);
    assert_eq!(World::Stationary.truth().win_chance(3, 1.0), None);
    assert!(World::Stationary.truth().win_chance(0, 1e9).unwrap().get() > 0.999_999);
}

/// Whatever multiplies the odds of a decision is known, so each decision in the last stage has a known chance.
#[test]
fn odds_of_a_decision_are_found_again() {
    let base: f64 = 2.0 / 7.0;
    let won_with = |odds: f64| 1.0 - base / (base + (1.0 - base) * odds);
    for world in [World::DriftingWinRate, World::BigDealsSlower, World::Segments] {
        let truth = world.truth();
        let company = long(truth.clone(), 10);
        let start = company.history().start();
        let decisions = deals(&company).into_iter().filter_map(|deal| {
            let last = deal.moves.last().unwrap().clone();
            let from = deal.moves.len().checked_sub(2).map(|i| deal.moves[i].1.clone());
            let decided = from.as_deref() == Some("negotiate");
            let years = (last.0.date() - start).num_days() as f64 / 365.25;
            let own = truth
                .segments
                .iter()
                .find(|s| Some(&s.name) == deal.segment.as_ref())
                .map_or(1.0, |s| s.odds);
            let size = (deal.amount / truth.amounts.median).powf(truth.amounts.odds_power);
            let odds = truth.market.drift.powf(years) * own * size;
            decided.then(|| (won_with(odds), last.1 == "won", deal.amount))
        });
        let decisions: Vec<_> = decisions.collect();
        counts_as_expected(decisions.iter().map(|&(p, won, _)| (p, won)), &format!("{world:?}"));
        // Also among the hopeful and the hopeless half.
        for hopeful in [true, false] {
            let half = decisions.iter().filter(|(p, _, _)| (*p > 5.0 / 7.0 - 1e-9) == hopeful);
            let half: Vec<_> = half.map(|&(p, won, _)| (p, won)).collect();
            if half.len() > 300 {
                counts_as_expected(half, &format!("{world:?}, hopeful: {hopeful}"));
            }
        }
    }
}

/// Kolmogorov-Smirnov at a false-alarm rate of 1e-9 (Dvoretzky-Kiefer-Wolfowitz, Massart's constant).
fn follows(mut days: Vec<f64>, law: Stay, what: &str) {
    days.sort_by(f64::total_cmp);
    let n = days.len() as f64;
    assert!(n > 1000.0, "{what}: only {n} visits");
    let bound = ((2.0 / 1e-9_f64).ln() / (2.0 * n)).sqrt();
    for (i, x) in days.iter().enumerate() {
        // A second of rounding on either side.
        let second = 1.0 / 86_400.0;
        let (at, before) = (1.0 - law.survival(x + second), 1.0 - law.survival(x - second));
        let (low, high) = (i as f64 / n, (i + 1) as f64 / n);
        assert!(low < at + bound && high > before - bound, "{what}: {x} days");
    }
}

#[test]
fn times_in_stages_follow_their_laws() {
    let company = long(World::Stationary.truth(), 16);
    let early = date(2010, 1, 1).unwrap().into();
    let mut stays: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for deal in deals(&company).into_iter().filter(|deal| deal.moves[0].0 < early) {
        for pair in deal.moves.windows(2) {
            let days = (pair[1].0 - pair[0].0).num_seconds() as f64 / 86_400.0;
            stays.entry((pair[0].1.clone(), pair[1].1.clone())).or_default().push(days);
        }
    }
    let names = |to: Destination| match to {
        Destination::Stage(i) => company.truth().stages[i].name.clone(),
        Destination::Won => "won".to_owned(),
        Destination::Lost => "lost".to_owned(),
    };
    let exits = company.truth().stages.iter().flat_map(|s| s.exits.iter().map(|e| (s.name.clone(), *e)));
    for (from, exit) in exits {
        let days = stays.remove(&(from.clone(), names(exit.to))).unwrap();
        if days.len() > 1000 {
            follows(days, exit.stay, &format!("{from} to {:?}", exit.to));
        }
    }
    assert!(stays.is_empty(), "moves that no exit allows");
}

#[test]
fn means_of_stays_are_the_integrals_of_their_survival() {
    for (law, known) in [
        (Stay::LogNormal { median_days: 12.0, spread: 0.9 }, 12.0 * 0.405_f64.exp()),
        // Gamma(1 + 1 / 0.8) by R 4.2.2.
        (Stay::Weibull { scale_days: 30.0, shape: 0.8 }, 30.0 * 1.133_003_096_319_347_2),
        (Stay::Daily { chance: 0.03 }, 1.0 / 0.03),
        (Stay::AtOnce, 0.0),
    ] {
        assert!((law.mean_days() - known).abs() < 1e-9 * (1.0 + known), "{law:?}");
        let integral: f64 = (0..200_000).map(|i| law.survival((f64::from(i) + 0.5) / 50.0) / 50.0).sum();
        // Midpoint rule in steps of 1/50 day; the Weibull's slope is infinite at 0.
        assert!((integral - known).abs() < 1e-3, "{law:?}: {integral}");
    }
}

#[test]
fn amounts_are_those_of_their_law() {
    let amounts: Vec<f64> =
        deals(&long(World::Stationary.truth(), 12)).iter().map(|deal| deal.amount).collect();
    let (n, mean) = (amounts.len() as f64, World::Stationary.truth().amounts.mean().unwrap());
    let (found, spread) = (amounts.iter().sum::<f64>() / n, 0.8_f64);
    let sd = mean * (spread * spread).exp_m1().sqrt();
    // Rounding to whole units is nothing beside that.
    assert!((found - mean).abs() < SIX * sd / n.sqrt(), "{found} instead of {mean}");

    let heavy = World::HeavyTailed.truth().amounts;
    assert!((heavy.mean().unwrap() / (0.9 * mean + 0.1 * 20_000.0 * 1.3 / 0.3) - 1.0).abs() < 1e-12);
    let infinite = Amounts { tail: Some(Tail { share: chance(0.1), index: 1.0 }), ..heavy };
    assert_eq!(infinite.mean(), None);
    let amounts: Vec<f64> =
        deals(&long(World::HeavyTailed.truth(), 12)).iter().map(|deal| deal.amount).collect();
    // Beyond 50 medians the log-normal body has 1e-6 of its mass: only the tail is there.
    let tail = 0.1 * 50_f64.powf(-1.3);
    counts_as_expected(amounts.iter().map(|a| (tail, *a > 50.0 * 20_000.0)), "heavy tail");
}

#[test]
fn arrivals_follow_season_growth_and_jumps() {
    let created = |world: World| {
        let company = long(world.truth(), 8);
        deals(&company).into_iter().map(|deal| deal.moves[0].0).collect::<Vec<_>>()
    };
    let close_to = |found: usize, truth: &Truth, period: Period| {
        // The rate counts days from the start of the history, so the period is cut out of two histories.
        let start = date(2000, 1, 1).unwrap();
        let up_to = |end| truth.arrivals.expected(&Period::new(start, end).unwrap());
        let expected = up_to(period.end()) - up_to(period.start());
        assert!(
            (found as f64 - expected).abs() < SIX * expected.sqrt(),
            "{found} instead of {expected} in {period}"
        );
        expected
    };
    for world in [World::Seasonal, World::VolumeJump, World::Stationary] {
        let (arrived, truth) = (created(world), world.truth());
        assert!(arrived.iter().all(|at| at.weekday().num_days_from_monday() < 5));
        let mut by_month = BTreeMap::new();
        for (year, month) in (2001..2008).flat_map(|year| (1..12).map(move |month| (year, month))) {
            let start = date(year, month, 1).unwrap();
            let period = Period::new(start, date(year, month + 1, 1).unwrap()).unwrap();
            let n = arrived.iter().filter(|at| period.contains(**at)).count();
            by_month.insert((year, month), close_to(n, &truth, period));
        }
        let ratio = |a, b| by_month[&a] / by_month[&b];
        match world {
            World::Seasonal => {
                assert!(ratio((2002, 11), (2002, 7)) > 4.0 && ratio((2007, 3), (2001, 3)) > 1.6);
            }
            World::VolumeJump => assert!(ratio((2003, 3), (2002, 3)) > 3.5),
            _ => assert!((ratio((2007, 3), (2001, 3)) - 1.0).abs() < 0.1),
        }
    }
}

#[test]
fn wins_of_the_yearly_batch_wait_for_their_day() {
    let deals = deals(&long(World::YearlyBatches.truth(), 6));
    let won: Vec<_> = deals.iter().flat_map(|d| &d.moves).filter(|(_, to)| to == "won").collect();
    assert!(won.len() > 500);
    assert!(won.iter().all(|(at, _)| (at.month(), at.day()) == (12, 15)));
    let lost = deals.iter().flat_map(|d| &d.moves).filter(|(_, to)| to == "lost");
    assert!(lost.map(|(at, _)| at.month()).collect::<std::collections::BTreeSet<_>>().len() == 12);
}

#[test]
fn skipping_and_reopening_companies_do_so() {
    let skipping = deals(&long(World::Skipping.truth(), 4));
    let has =
        |deal: &Deal, from: &str, to: &str| deal.moves.windows(2).any(|w| w[0].1 == from && w[1].1 == to);
    assert!(skipping.iter().filter(|d| has(d, "lead", "trial")).count() > 200);
    assert!(skipping.iter().filter(|d| has(d, "offer", "demo")).count() > 20);
    let reopening = deals(&long(World::Reopening.truth(), 4));
    assert!(reopening.iter().filter(|d| has(d, "lost", "propose")).count() > 200);
    let company = Company::named(World::Reopening, Seed::new(5)).unwrap();
    assert!(company.log().unwrap().receipt().count(Finding::Reopened) > 200);
    let after_won = reopening.iter().flat_map(|d| d.moves.windows(2)).filter(|w| w[0].1 == "won").count();
    assert_eq!(after_won, 0);
}

#[test]
fn big_deals_take_longer() {
    let company = long(World::BigDealsSlower.truth(), 8);
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for deal in deals(&company).iter().filter(|d| d.moves.len() > 1 && d.moves[1].1 == "propose") {
        let days = (deal.moves[1].0 - deal.moves[0].0).num_seconds() as f64 / 86_400.0;
        // Without its size's share the logarithm of the stay is normal about that of the median.
        let rest = (days.max(1e-5) / 12.0).ln() - 0.301 * (deal.amount / 20_000.0).ln();
        (n, sum, squares) = (n + 1.0, sum + rest, squares + rest * rest);
    }
    assert!(n > 1000.0);
    // The last few deals are cut off by the end of the history: at most 30 of some 2,400, by 2 each.
    assert!((sum / n).abs() < SIX * 0.9 / f64::sqrt(n) + 0.025, "{}", sum / n);
    assert!((squares / n / 0.81 - 1.0).abs() < SIX * f64::sqrt(2.0 / n) + 0.05);
}

#[test]
fn a_shared_shock_moves_quarters_together() {
    let share_spread = |world: World| {
        let company = long(world.truth(), 12);
        let mut blocks: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (at, to) in deals(&company).into_iter().filter_map(|d| d.moves.last().cloned()) {
            let block = (at.date() - company.history().start()).num_days() / 91;
            let cell = blocks.entry(block).or_default();
            *cell = (cell.0 + f64::from(u8::from(to == "won")), cell.1 + f64::from(u8::from(to == "lost")));
        }
        let full: Vec<_> = blocks.into_values().filter(|(won, lost)| won + lost > 80.0).collect();
        let rate = full.iter().map(|c| c.0).sum::<f64>() / full.iter().map(|c| c.0 + c.1).sum::<f64>();
        let chi = |(won, lost): &(f64, f64)| {
            let n = won + lost;
            (won - n * rate).powi(2) / (n * rate * (1.0 - rate))
        };
        full.iter().map(chi).sum::<f64>() / full.len() as f64
    };
    // One per degree of freedom where deals are independent (47 quarters: sd 0.21), many times that under a shock.
    assert!((share_spread(World::Stationary) - 1.0).abs() < SIX * 0.21);
    assert!(share_spread(World::SharedShock) > 3.0);
}

#[test]
fn reps_know_or_guess() {
    let early: NaiveDateTime = date(2004, 1, 1).unwrap().into();
    let old = |world: World| {
        let mut deals = deals(&long(world.truth(), 8));
        deals.retain(|deal| deal.moves[0].0 < early);
        deals
    };
    let knowing = old(World::RepSignals);
    counts_as_expected(knowing.iter().map(|d| (0.9, (d.said[0].2 == "commit") == d.won())), "categories");
    // Normal errors of 12 days: 68.27 % within one, 95.45 % within two, widened by half a day of rounding; a date
    // before the day it is said is moved to that day, so only deals with more than 40 days to go are taken.
    let far = knowing.iter().filter(|d| d.won()).filter_map(|d| {
        let closed = d.moves.last().unwrap().0.date();
        let to_go = (closed - d.said[0].0.date()).num_days();
        (to_go > 40).then(|| (d.said[0].1 - closed).num_days())
    });
    // P(|round(12 z)| <= 12) = P(|z| <= 12.5 / 12).
    counts_as_expected(far.map(|error| (0.702_4, error.abs() <= 12)), "dates");
    let guessing = old(World::NoisySignals);
    for won in [true, false] {
        let side = guessing.iter().filter(|d| d.won() == won);
        counts_as_expected(side.map(|d| (0.5, d.said[0].2 == "commit")), "guessed categories");
    }
}

#[test]
fn nothing_is_known_in_the_null_world() {
    let company = Company::named(World::NullSignal, Seed::new(9)).unwrap();
    let log = company.log().unwrap();
    for day in [date(2020, 5, 1).unwrap(), date(2022, 8, 17).unwrap(), company.history().end()] {
        assert_eq!(log.as_of(day).snapshot().n_open(), 0);
    }
}

#[test]
fn dirt_has_its_shares_and_hides_nothing() {
    let dirty = Company::named(World::Dirty, Seed::new(3)).unwrap();
    let clean = Company::named(World::Stationary, Seed::new(3)).unwrap();
    let (rows, facts) = (dirty.events().unwrap(), clean.events().unwrap());
    let n = facts.len() as f64;
    let share = |found: usize, p: f64, what: &str| {
        let bound = SIX * (n * p * (1.0 - p)).sqrt();
        assert!((found as f64 - n * p).abs() < bound, "{what}: {found} of {n}");
    };
    share(rows.len() - facts.len(), 0.05, "duplicates");
    let mut unique = rows.clone();
    unique.sort_by(|a, b| (&a.deal, a.sequence).cmp(&(&b.deal, b.sequence)));
    unique.dedup();
    assert_eq!(unique.len(), facts.len());
    share(unique.iter().filter(|row| row.recorded_at.is_some()).count(), 0.1, "late");
    let bad = |row: &DealEvent| row.changes.iter().any(|c| matches!(c, Change::Amount(Some(a)) if *a < 0.0));
    share(unique.iter().filter(|row| bad(row)).count(), 0.02, "bad amounts");
    assert!(!rows.is_sorted_by_key(|row| row.at));
    // The moves are those of the clean company.
    let moves = |company: &Company| {
        let log = DealLog::from_events(company.process(), company.events().unwrap()).unwrap();
        let book = log.as_of(date(2030, 1, 1).unwrap()).snapshot();
        (book.n_open(), book.won().len(), book.lost().len())
    };
    assert_eq!(moves(&dirty), moves(&clean));
}

#[test]
fn the_tidy_table_says_the_same_as_the_events() {
    for world in [World::RepSignals, World::Stationary, World::Reopening] {
        let company = Company::named(world, Seed::new(11)).unwrap();
        let rows = company.rows().unwrap().into_iter().map(Ok::<_, std::convert::Infallible>);
        assert_eq!(DealLog::from_rows(company.process(), rows).unwrap(), company.log().unwrap(), "{world:?}");
    }
}

#[test]
fn impossible_truths_are_refused() {
    let refused = |change: &dyn Fn(&mut Truth)| {
        let mut truth = World::Stationary.truth();
        change(&mut truth);
        let history = Period::new(date(2020, 1, 1).unwrap(), date(2021, 1, 1).unwrap()).unwrap();
        Company::new(truth, history, Seed::new(1)).map(|_| ()).unwrap_err().kind()
    };
    for bad in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        assert_eq!(refused(&|t| t.arrivals.daily = bad), ErrorKind::OutOfRange);
        assert_eq!(refused(&|t| t.arrivals.months[3] = bad), ErrorKind::OutOfRange);
        assert_eq!(refused(&|t| t.amounts.median = bad), ErrorKind::OutOfRange);
        assert_eq!(refused(&|t| t.market.shock = bad), ErrorKind::OutOfRange);
        assert_eq!(refused(&|t| t.stages[0].exits[0].weight = bad), ErrorKind::OutOfRange);
        let stay = Stay::LogNormal { median_days: bad, spread: 1.0 };
        assert_eq!(refused(&|t| t.stages[1].exits[0].stay = stay), ErrorKind::OutOfRange);
    }
    assert_eq!(refused(&|t| t.stages.clear()), ErrorKind::OutOfRange);
    assert_eq!(refused(&|t| t.stages[2].exits.clear()), ErrorKind::OutOfRange);
    assert_eq!(refused(&|t| t.stages[0].name = "won".into()), ErrorKind::InvalidProcess);
    assert_eq!(refused(&|t| t.stages[0].exits[0].to = Destination::Stage(3)), ErrorKind::UnknownStage);
    assert_eq!(refused(&|t| t.closing_day = Some((2, 29))), ErrorKind::InvalidPeriod);
    assert_eq!(refused(&|t| t.arrivals.daily = 1e5), ErrorKind::TooLarge);
    // Deals that go round in circles end, and rows beyond the limit are an error, not a full memory.
    let mut circle = World::Stationary.truth();
    circle.arrivals.daily = 100.0;
    circle.stages.iter_mut().for_each(|stage| {
        stage.exits = vec![Exit { to: Destination::Stage(0), weight: 1.0, stay: Stay::AtOnce }];
    });
    let history = Period::new(date(2020, 1, 1).unwrap(), date(2020, 1, 8).unwrap()).unwrap();
    let rows = Company::new(circle, history, Seed::new(1)).unwrap().events().unwrap();
    assert!(rows.len() > 100_000 && rows.len() < 2_000_000);
}

#[test]
fn a_truth_survives_json() {
    for world in World::ALL {
        let text = serde_json::to_string(&world.truth()).unwrap();
        let back: Truth = serde_json::from_str(&text).unwrap();
        // Plain serde_json may lose the last bit of a number, so the truths are compared by what they mean.
        let meaning = |truth: &Truth| {
            let win = truth.win_chance(0, 1.3).unwrap().get();
            (win, truth.arrivals.expected(long(truth.clone(), 3).history()), truth.amounts.mean().unwrap())
        };
        let ((a, b, c), (x, y, z)) = (meaning(&world.truth()), meaning(&back));
        assert!([a / x, b / y, c / z].iter().all(|ratio| (ratio - 1.0).abs() < 1e-12), "{world:?}");
        assert_eq!((back.signals, back.closing_day), (world.truth().signals, world.truth().closing_day));
    }
    assert!(
        serde_json::from_str::<Dirt>(r#"{"bad_amounts":2,"duplicates":0,"late":0,"shuffled":false}"#)
            .is_err()
    );
}
