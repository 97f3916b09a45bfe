//! What deals decide, against the definition stratum by stratum, whichever way the distribution was found.

use super::*;
use crate::forecast::{ForecastOptions, NewBusiness, Shock};
use crate::num::rng::Stream;
use crate::{Amount, Seed};

fn book(n: u64, chance: f64, amount: impl Fn(f64) -> f64) -> Total {
    let mut stream = Stream::new(Seed::new(5), n, 0);
    let (p, a) = (0..n).map(|_| (chance * stream.uniform(), amount(stream.uniform()))).unzip();
    Total::from_columns(Amount::new(7.0).unwrap(), p, a).unwrap()
}

fn new_business() -> NewBusiness {
    let amounts = [(1.0, 3.0), (40.0, 1.0)].map(|(a, w)| (Amount::new(a).unwrap(), w));
    NewBusiness::new(4.0, amounts).unwrap().overdispersed(3.0).unwrap()
}

/// The definition: each stratum is a book of its own, without a shock, less the deal.
fn definition(solved: &Solved, total: &Total, (deal, target): (usize, f64)) -> Decides {
    let (p, a) = (total.chance[deal], total.amount[deal]);
    let score = special::normal_quantile(p);
    let mut sums = [0.0; 4];
    for (stratum, local) in solved.model.strata.iter().zip(&solved.model.local) {
        let mut others = total.clone().with_shock(Shock::none());
        for (chance, p) in others.chance.iter_mut().zip(&total.chance) {
            *chance = stratum.law.chance(*p, special::normal_quantile(*p));
        }
        others.chance.remove(deal);
        others.amount.remove(deal);
        if let Some(new) = &mut others.new_business {
            new.mean = local.n_new;
        }
        let others = others.exact(&ForecastOptions::default()).unwrap();
        let (won, without) = (others.at_least(target - a), others.at_least(target));
        let [p_s, lost_s] = stratum.both(p, score);
        let parts = [p_s / p * won, lost_s / (1.0 - p) * without, without, won];
        sums.iter_mut().zip(parts).for_each(|(sum, x)| *sum += stratum.weight * x);
    }
    Decides { given_won: Some(sums[0]), given_lost: Some(sums[1]), without: sums[2], forced: sums[3] }
}

fn close(found: &Decides, exact: &Decides, within: f64, what: &str) {
    let pairs = [
        (found.given_won, exact.given_won),
        (found.given_lost, exact.given_lost),
        (Some(found.without), Some(exact.without)),
        (Some(found.forced), Some(exact.forced)),
    ];
    for (found_part, exact_part) in pairs {
        let off = (found_part.unwrap() - exact_part.unwrap()).abs();
        assert!(off <= within, "{what}: off by {off:e}: {found:?}, not {exact:?}");
    }
}

fn check(total: &Total, way: &str, within: f64) {
    let solved = total.solved(&ForecastOptions::default()).unwrap();
    let taken = match &solved.way {
        Way::Certain => "certain",
        Way::Convolved(_) => "convolved",
        Way::Enumerated(_) => "enumerated",
        Way::Waves(_, Reading::Points(_)) => "points",
        Way::Waves(_, Reading::Series(_)) => "series",
    };
    assert!(way.contains(taken), "{taken}, not {way}");
    let n = total.n_deals();
    for (share, deals) in [(0.8, [0, n / 2]), (1.1, [1, n - 1])] {
        let target = (share * solved.forecast.mean()).floor() + 0.4999;
        let decided = solved.decided(total, target);
        for deal in deals {
            let what = format!("{way}, deal {deal} of {n}, p {}", total.chance[deal]);
            close(&decided[deal], &definition(&solved, total, (deal, target)), within, &what);
        }
        let chance = solved.forecast.at_least(target);
        for (p, decides) in total.chance.iter().zip(&decided) {
            let whole = p * decides.given_won.unwrap() + (1.0 - p) * decides.given_lost.unwrap();
            assert!((whole - chance).abs() < 1e-12);
        }
    }
}

#[test]
fn every_way_gives_what_the_definition_gives() {
    let whole = |u: f64| (90.0 * u).ceil();
    let real = |u: f64| 100.0 * u + 0.1;
    for rho in [0.0, 0.08] {
        let shock = || Shock::new(rho).unwrap();
        // Sums of positive terms.
        check(&book(12, 1.0, whole).with_shock(shock()), "convolved", 1e-12);
        check(&book(9, 1.0, real).with_shock(shock()), "enumerated", 1e-12);
        // Two transforms of the engine, each right to about 1e-11, some 60 of them added up; interpolation 1e-10.
        check(&book(150, 0.9, |u| (900.0 * u).ceil()).with_shock(shock()), "convolved or points", 1e-9);
        check(&book(300, 0.9, real).with_shock(shock()), "series", 1e-9);
        let with_new = book(60, 0.9, whole).with_shock(shock()).with_new_business(new_business()).unwrap();
        check(&with_new, "points", 1e-9);
    }
}

#[test]
fn a_quarter_turn_and_a_half() {
    // p = .5: the factor of a deal is 0 at half a turn.
    let (p, a) = ((0..64).map(|_| 0.5).collect(), (0..64).map(|k| f64::from(1 << (k % 7))).collect());
    let total = Total::from_columns(Amount::ZERO, p, a).unwrap();
    let solved = total.solved(&ForecastOptions::default()).unwrap();
    let target = solved.forecast.mean() + 0.4999;
    for deal in [0, 6, 63] {
        let decided = &solved.decided(&total, target)[deal];
        close(decided, &definition(&solved, &total, (deal, target)), 1e-11, "half a turn");
    }
}

#[test]
fn one_draw_for_all() {
    let shock = || Shock::new(1.0).unwrap();
    let certain = book(12, 1.0, |u| (90.0 * u).ceil()).with_shock(shock());
    let with_new = certain.clone().with_new_business(new_business()).unwrap();
    let alone = certain.solved(&ForecastOptions::default()).unwrap();
    assert!(matches!(alone.way, Way::Certain));
    for (total, within) in [(&certain, 1e-13), (&with_new, 1e-9)] {
        let solved = total.solved(&ForecastOptions::default()).unwrap();
        let target = solved.forecast.mean().floor() + 0.4999;
        let decided = solved.decided(total, target);
        close(&decided[3], &definition(&solved, total, (3, target)), within, "one draw");
    }
}

#[test]
fn sure_and_hopeless_and_worthless_deals() {
    let columns = |p: &[f64], a: &[f64]| Total::from_columns(Amount::ZERO, p.to_vec(), a.to_vec()).unwrap();
    let total = columns(&[1.0, 0.0, 0.5, 0.3], &[4.0, 5.0, 2.0, 0.0]).with_shock(Shock::new(0.2).unwrap());
    let decided = total.solved(&ForecastOptions::default()).unwrap().decided(&total, 6.0);
    let [sure, hopeless, open, worthless] = [0, 1, 2, 3].map(|i| decided[i]);
    assert_eq!((sure.given_lost, sure.without), (None, 0.0));
    assert_eq!((hopeless.given_won, hopeless.forced), (None, 1.0));
    assert!((sure.given_won.unwrap() - 0.5).abs() < 1e-13 && (hopeless.without - 0.5).abs() < 1e-13);
    assert!((open.given_won.unwrap() - 1.0).abs() < 1e-13 && open.given_lost.unwrap().abs() < 1e-13);
    // Worth nothing, and yet its being won is a good sign.
    assert!(worthless.given_won.unwrap() > 0.51 && worthless.given_lost.unwrap() < 0.5);
    assert!((worthless.without - 0.5).abs() < 1e-13 && (worthless.forced - 0.5).abs() < 1e-13);
}
