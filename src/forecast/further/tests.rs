//! Numbers of further deals against the whole engine, asked anew for each number.

use super::*;
use crate::forecast::{NewBusiness, Shock};
use crate::num::rng::Stream;
use crate::{Amount, Seed};

const MOST: u32 = 10_000;

fn book(n: u64, rho: f64, new: bool) -> Total {
    let mut stream = Stream::new(Seed::new(6), n, 0);
    let (p, a) = (0..n).map(|_| (0.6 * stream.uniform(), 100.0 * (10.0 * stream.uniform()).ceil())).unzip();
    let total = Total::from_columns(Amount::new(50.0).unwrap(), p, a).unwrap();
    let total = total.with_shock(Shock::new(rho).unwrap());
    if !new {
        return total;
    }
    let amounts = [(300.0, 3.0), (700.0, 1.0)].map(|(a, w)| (Amount::new(a).unwrap(), w));
    total.with_new_business(NewBusiness::new(6.0, amounts).unwrap().overdispersed(5.0).unwrap()).unwrap()
}

#[test]
fn n_reaches_and_one_less_does_not() {
    let options = ForecastOptions::default();
    for (n, new, rho) in
        [(0, false, 0.06), (0, true, 0.0), (9, false, 0.06), (40, true, 0.06), (150, false, 0.06)]
    {
        {
            let total = book(n, rho, new);
            let target = 1.3 * total.weighted().total() + 2000.0;
            let goal = Goal { target, confidence: Level::new(0.8).unwrap(), most: MOST };
            let (amount, chances) = (400.0, [0.05, 0.35, 1.0]);
            let answers = total.enough(goal, (amount, &chances), &options).unwrap();
            for (p, enough) in chances.into_iter().zip(answers) {
                let what = format!("{n} deals, rho {rho}, new business {new}, p {p}: {enough:?}");
                let at = |n: u32| {
                    let more = total.with_more((p, amount), n).unwrap();
                    more.exact(&options).unwrap().at_least(target)
                };
                let needed = enough.n.unwrap_or(MOST);
                assert_eq!(total.exact(&options).unwrap().error_bound().amount(), 0.0, "{what}");
                // What two ways of the engine leave, each about 1e-11; a coarser cut of the shock 1e-9.
                if enough.n.is_some() {
                    assert!((at(needed) - enough.chance).abs() < 1e-8, "{what}: {}", at(needed));
                    assert!(at(needed) >= 0.8 - 1e-8, "{what}");
                    assert!(needed == 0 || at(needed - 1) < 0.8 + 1e-8, "{what}");
                } else {
                    assert!(at(needed) < 0.8, "{what}");
                }
            }
        }
    }
}

#[test]
fn few_tails_and_the_whole_engine_agree() {
    let total = book(12, 0.06, false);
    let goal = Goal { target: 6000.0, confidence: Level::new(0.75).unwrap(), most: MOST };
    let options = ForecastOptions::default();
    let by_tails = total.enough(goal, (250.0, &[0.2, 0.4]), &options).unwrap();
    let anew = total.one_by_one(goal, (250.0, &[0.2, 0.4]), &options).unwrap();
    for (a, b) in by_tails.iter().zip(&anew) {
        assert_eq!(a.n, b.n);
        assert!((a.chance - b.chance).abs() < 1e-9);
    }
}

#[test]
fn met_hopeless_and_worthless() {
    let options = ForecastOptions::default();
    let total = book(5, 0.0, false);
    let ask = |target, deal: (f64, f64)| {
        let goal = Goal { target, confidence: Level::new(0.8).unwrap(), most: MOST };
        total.enough(goal, (deal.1, &[deal.0]), &options).unwrap()[0]
    };
    assert_eq!(ask(50.0, (0.5, 10.0)), Enough { n: Some(0), chance: 1.0 });
    assert_eq!(ask(1e9, (0.5, 10.0)), Enough { n: None, chance: 0.0 });
    assert_eq!(ask(1e4, (0.0, 1e5)).n, None);
    assert_eq!(ask(1e4, (0.5, 0.0)).n, None);
    assert_eq!(ask(50.0, (0.5, 0.0)).n, Some(0));
    // A level that is met exactly: one deal with the chance asked for.
    assert_eq!(ask(1e5, (0.8, 1e5)).n, Some(1));
}

#[test]
fn binomial_means_are_the_sum() {
    let tails: Vec<f64> = (0..7).map(|m| 0.1 * f64::from(m)).collect();
    for (p, n) in [(0.3, 10_u32), (0.001, 10_000), (0.999, 40), (0.0, 5), (1.0, 3), (0.5, 0)] {
        let mut exact = 0.0;
        let mut mass: f64 = (0..n).map(|_| 1.0 - p).product();
        for m in 0..=n {
            exact += mass * if m < 7 { 0.1 * f64::from(m) } else { 1.0 };
            mass = if p == 1.0 {
                f64::from(m + 1 == n)
            } else {
                mass * f64::from(n - m) / f64::from(m + 1) * p / (1.0 - p)
            };
        }
        let found = binomial_mean(p, n, (&tails, 1.0));
        assert!((found - exact).abs() < 1e-12, "{p} {n}: {found} {exact}");
    }
}
