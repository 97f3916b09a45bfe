//! The gap with luck in common, against all outcomes of small books at every node of the shock and against scenarios.

use dealcast::forecast::{ForecastOptions, NewBusiness, Shock, SimulationOptions, Total};
use dealcast::gap::{GapAnalysis, NewDeal, RequiredDeals, Target};
use dealcast::{Amount, Level, Probability};
use proptest::prelude::*;

/// Two quadratures of one smooth integral, and sums over at most 256 outcomes.
const EXACT: f64 = 1e-12;
/// Of the engine, where amounts have a common structure; a quarter of what the scenarios leave.
const TOLERANCE: f64 = 2e-3;

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// By bisection: slow and sure.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Nodes of the shock and their weights: the trapezoid rule, whose error for these integrands is far below a bit.
fn nodes() -> Vec<(f64, f64)> {
    let all: Vec<(f64, f64)> =
        (-900..=900_i32).map(|k| 0.01 * f64::from(k)).map(|z| (z, (-0.5 * z * z).exp())).collect();
    let mass: f64 = all.iter().map(|node| node.1).sum();
    all.into_iter().map(|(z, weight)| (z, weight / mass)).collect()
}

/// A book, its outcomes as bits, and the probability of each at each node.
struct Brute {
    amounts: Vec<f64>,
    booked: f64,
    /// By node: weight, then the chances of the deals.
    nodes: Vec<(f64, Vec<f64>)>,
}

impl Brute {
    fn new(booked: f64, deals: &[(f64, f64)], rho: f64) -> Self {
        let scores: Vec<f64> = deals.iter().map(|deal| normal_quantile(deal.0)).collect();
        let at = |z: f64| {
            scores.iter().map(|score| normal_cdf((score - rho.sqrt() * z) / (1.0 - rho).sqrt())).collect()
        };
        let nodes = nodes().into_iter().map(|(z, weight)| (weight, at(z))).collect();
        Self { amounts: deals.iter().map(|deal| deal.1).collect(), booked, nodes }
    }

    /// The mean of a function of (total, outcome), the outcome held where `held` says.
    fn mean(&self, f: impl Fn(f64, u32) -> f64) -> f64 {
        let n = self.amounts.len();
        let values: Vec<f64> = (0..1_u32 << n)
            .map(|won| {
                let of = |i: usize| if won >> i & 1 == 1 { self.amounts[i] } else { 0.0 };
                f(self.booked + (0..n).map(of).sum::<f64>(), won)
            })
            .collect();
        let at = |chances: &[f64]| {
            let mut mass = vec![1.0];
            for p in chances {
                mass = mass.iter().map(|m| m * (1.0 - p)).chain(mass.iter().map(|m| m * p)).collect();
            }
            mass.iter().zip(&values).map(|(m, x)| m * x).sum::<f64>()
        };
        self.nodes.iter().map(|(weight, chances)| weight * at(chances)).sum()
    }
}

fn total(booked: f64, deals: &[(f64, f64)], rho: f64) -> Total {
    let deal = |&(p, a): &(f64, f64)| (Probability::new(p).unwrap(), Amount::new(a).unwrap());
    let total = Total::new(Amount::new(booked).unwrap(), deals.iter().map(deal)).unwrap();
    total.with_shock(Shock::new(rho).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_figure_is_the_mean_over_the_nodes(
        deals in proptest::collection::vec((0.02_f64..0.98, 1_u32..200), 1..8),
        booked in 0_u32..100, share in 0.05_f64..1.1, rho in 0.01_f64..0.7,
    ) {
        let deals: Vec<(f64, f64)> = deals.into_iter().map(|(p, k)| (p, 1e3 * f64::from(k))).collect();
        let booked = 1e3 * f64::from(booked);
        let target: f64 = booked + (share * deals.iter().map(|deal| deal.1).sum::<f64>()).round();
        let brute = Brute::new(booked, &deals, rho);
        let target = Target::new(target).unwrap();
        let of = |total: &Total| {
            GapAnalysis::of(total, target, Level::new(0.8).unwrap(), &ForecastOptions::default()).unwrap()
        };
        let gap = of(&total(booked, &deals, rho));
        let hit = |total: f64| f64::from(u8::from(total >= target.get()));
        let chance = brute.mean(|total, _| hit(total));
        prop_assert!((gap.chance().get() - chance).abs() < EXACT);
        let missed = brute.mean(|total, _| (target.get() - total).max(0.0));
        prop_assert!((gap.expected_shortfall() - missed).abs() < EXACT * target.get());
        for (i, ((p, amount), swing)) in deals.iter().zip(gap.swing()).enumerate() {
            let won = |outcome: u32| f64::from(outcome >> i & 1);
            let [of_won, of_lost] = [brute.mean(|total, won_by| hit(total) * won(won_by)) / p,
                brute.mean(|total, won_by| hit(total) * (1.0 - won(won_by))) / (1.0 - p)];
            // Divided by a chance of at least .02.
            prop_assert!((swing.given_won().unwrap().get() - of_won).abs() < 50.0 * EXACT);
            prop_assert!((swing.given_lost().unwrap().get() - of_lost).abs() < 50.0 * EXACT);
            let others = |total: f64, outcome: u32| total - won(outcome) * amount;
            let without = brute.mean(|total, outcome| hit(others(total, outcome)));
            let forced = brute.mean(|total, outcome| hit(others(total, outcome) + amount));
            prop_assert!((swing.without().get() - without).abs() < EXACT);
            prop_assert!((swing.if_won().get() - forced).abs() < EXACT);
        }
    }
}

/// B(m or more; n, p).
fn at_least(m: f64, n: u32, p: f64) -> f64 {
    let mut term = (1.0 - p).powi(i32::try_from(n).unwrap());
    let mut sum = 0.0;
    for k in 0..=n {
        if f64::from(k) >= m {
            sum += term;
        }
        term *= p / (1.0 - p) * f64::from(n - k) / f64::from(k + 1);
    }
    sum
}

/// Books of one kind of deal: the coverage needed and the deals required are binomial.
#[test]
fn coverage_needed_and_deals_required_are_binomial() {
    for (p, amount, n, target, confidence) in [
        (0.3, 10.0, 5, 60.0, 0.8),
        (0.5, 7.0, 3, 21.0, 0.5),
        (0.1, 10.0, 20, 25.0, 0.9),
        (0.9, 5.0, 1, 9.0, 0.95),
    ] {
        let book = total(4.0, &vec![(p, amount); n], 0.0);
        let (target, level) = (Target::new(target).unwrap(), Level::new(confidence).unwrap());
        let gap = GapAnalysis::of(&book, target, level, &ForecastOptions::default()).unwrap();
        let remaining = target.get() - 4.0;
        let wins = (remaining / amount).ceil();
        let needed = (0..1000).find(|n| at_least(wins, *n, p) >= confidence).unwrap();
        let coverage = f64::from(needed) * amount / remaining;
        assert!((gap.coverage_needed().unwrap() - coverage).abs() < 1e-12, "{gap}");
        let three = (3.0 * remaining / amount).round();
        let three = (0..1000).find(|n| f64::from(*n) >= three).unwrap();
        assert!((gap.chance_at_three_times().unwrap().get() - at_least(wins, three, p)).abs() < EXACT);
        let deal = NewDeal::new(Probability::new(p).unwrap(), Amount::new(amount).unwrap());
        let more = RequiredDeals::of(&book, (target, level), deal, &ForecastOptions::default()).unwrap();
        let open = u32::try_from(n).unwrap();
        let required = (0..1000).find(|more| at_least(wins, open + more, p) >= confidence).unwrap();
        assert_eq!(more.n_deals(), Some(required));
        assert!((more.chance_reached().get() - at_least(wins, open + required, p)).abs() < EXACT);
    }
}

/// With new business and more deals than all outcomes of could be listed: against plain simulation.
#[test]
fn the_gap_agrees_with_scenarios() {
    let deals: Vec<(f64, f64)> =
        (1..=60_u32).map(|k| (0.05 + 0.01 * f64::from(k), 997.0 * f64::from(k % 17 + 1))).collect();
    let severity = (1..=9_u32).map(|k| (Amount::new(1.3e3 * f64::from(k)).unwrap(), 1.0));
    let new = NewBusiness::new(6.0, severity).unwrap().overdispersed(4.0).unwrap();
    for rho in [0.0, 0.15] {
        let book = total(20e3, &deals, rho).with_new_business(new.clone()).unwrap();
        let n = 40_000;
        let draws = book.simulate(&SimulationOptions::default().scenarios(n)).unwrap();
        let totals: Vec<f64> = draws.draws().rows().into_iter().map(|row| 20e3 + row.sum()).collect();
        for share in [0.9, 1.1] {
            let target = share * book.weighted().total();
            let options = ForecastOptions::default().tolerance(TOLERANCE).unwrap();
            let goal = (Target::new(target).unwrap(), Level::new(0.8).unwrap());
            let gap = GapAnalysis::of(&book, goal.0, goal.1, &options).unwrap();
            let mean_and_error = |f: &dyn Fn(f64) -> f64| {
                let mean = totals.iter().map(|x| f(*x)).sum::<f64>() / n as f64;
                let variance = totals.iter().map(|x| (f(*x) - mean) * (f(*x) - mean)).sum::<f64>() / n as f64;
                (mean, (variance / n as f64).sqrt())
            };
            let hit = |x: f64| f64::from(u8::from(x >= target));
            let within = |found: f64, (mean, error): (f64, f64), scale: f64| {
                // 5 standard errors: 6e-7 each.
                let slack = 5.0 * error + scale * TOLERANCE;
                assert!((found - mean).abs() < slack, "rho {rho}: {found} {mean} +- {error}");
            };
            within(gap.chance().get(), mean_and_error(&hit), 1.0);
            within(gap.expected_shortfall(), mean_and_error(&|x| (target - x).max(0.0)), target);
            // Shortfalls are quantiles: the share of scenarios below them is their level.
            for (shortfall, level) in [(gap.shortfall_q50(), 0.5), (gap.shortfall_at_confidence(), 0.2)] {
                if shortfall > 0.0 {
                    let below = totals.iter().filter(|x| **x <= target - shortfall).count() as f64 / n as f64;
                    let error = (level * (1.0 - level) / n as f64).sqrt();
                    assert!((below - level).abs() < 5.0 * error + TOLERANCE);
                }
            }
        }
    }
}
