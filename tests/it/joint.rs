//! Several totals under one shock: all outcomes of small ones, splitting laws, Monte Carlo, edges.

use dealcast::forecast::{ForecastOptions, Joint, NewBusiness, Shock, Total};
use dealcast::{Amount, ErrorKind, Level, Probability};
use proptest::prelude::*;

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Deals by Phi^-1 of their chance, so that no inverse is needed here.
fn total_of(deals: &[(f64, f64)], rho: f64) -> Total {
    let deal = |&(score, amount): &(f64, f64)| {
        (Probability::new(normal_cdf(score)).unwrap(), Amount::new(amount).unwrap())
    };
    Total::new(Amount::new(100.0).unwrap(), deals.iter().map(deal))
        .unwrap()
        .with_shock(Shock::new(rho).unwrap())
}

fn deals() -> impl Strategy<Value = Vec<(f64, f64)>> {
    proptest::collection::vec((-2.0..2.0, (0_u32..40).prop_map(|k| 0.5 * f64::from(k))), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// All 2^k outcomes of two processes at each of 1,001 states of the market.
    #[test]
    fn joint_totals_are_all_outcomes_in_every_market(
        (first, second) in (deals(), deals()), rhos in (0.0..0.6, 0.0..0.6), target in 200_u32..280,
    ) {
        let joint = Joint::new([total_of(&first, rhos.0), total_of(&second, rhos.1)]).unwrap();
        let forecast = joint.exact(&ForecastOptions::default()).unwrap();
        let all: Vec<(f64, f64, f64)> = [(&first, rhos.0), (&second, rhos.1)]
            .into_iter()
            .flat_map(|(deals, rho)| deals.iter().map(move |&(score, amount)| (score, amount, rho)))
            .collect();
        let step = 18.0 / 1000.0;
        let (mut hit, mut weights) = (0.0, 0.0);
        for i in 0..=1000 {
            let z = f64::from(i) * step - 9.0;
            let weight = (-0.5 * z * z).exp();
            let p = all.iter().map(|(score, _, rho)| normal_cdf((score - rho.sqrt() * z) / (1.0 - rho).sqrt()));
            let p: Vec<f64> = p.collect();
            let outcome = |won: u32| {
                all.iter().zip(&p).enumerate().fold((200.0, 1.0), |(sum, mass), (i, ((_, amount, _), p))| {
                    if won >> i & 1 == 1 { (sum + amount, mass * p) } else { (sum, mass * (1.0 - p)) }
                })
            };
            let outcomes = (0..1_u32 << all.len()).map(outcome);
            hit += weight * outcomes.filter(|o| o.0 >= f64::from(target)).map(|o| o.1).sum::<f64>();
            weights += weight;
        }
        let chance = forecast.chance_of_hitting(Amount::new(f64::from(target)).unwrap()).get();
        // Strata leave e^-30, scores are read back from chances.
        prop_assert!((chance - hit / weights).abs() < 1e-11, "{chance} {}", hit / weights);
        let means: f64 = joint.totals().iter().map(|total| total.weighted().total()).sum();
        prop_assert_eq!(forecast.mean(), means);
    }

    /// One business split in two under one shock is still one business.
    #[test]
    fn splitting_a_total_changes_nothing(
        n in 20_usize..150, rho in 0.0..0.4, mean in 0.0..6.0, seed in 0_u32..1000, whole in any::<bool>(),
    ) {
        let amount = |i: usize| {
            let x = f64::from((seed * 7919 + 104_729 * u32::try_from(i).unwrap()) % 9973);
            if whole { (x / 50.0).ceil() } else { (1.0 + x).sqrt() }
        };
        let deals: Vec<(f64, f64)> = (0..n).map(|i| (((i % 9) as f64 - 5.0) / 3.0, amount(i))).collect();
        let new = |mean: f64| {
            NewBusiness::new(mean, [30.0, 75.0].map(|a| (Amount::new(a).unwrap(), 1.0))).unwrap()
        };
        let with = |deals: &[(f64, f64)], mean: f64| total_of(deals, rho).with_new_business(new(mean)).unwrap();
        let one = total_of(&deals, rho).with_new_business(new(mean)).unwrap();
        // Without a tolerance irregular amounts are moved to a lattice, too coarse to tell anything.
        let options = ForecastOptions::default().tolerance(2e-3).unwrap();
        let one = one.exact(&options).unwrap();
        let (first, second) = deals.split_at(n / 3);
        // Poisson numbers split into Poisson numbers.
        let two = Joint::new([with(first, 0.25 * mean), with(second, 0.75 * mean)]).unwrap().exact(&options).unwrap();
        prop_assert!((one.sd() - two.sd()).abs() <= 1e-9 * (1.0 + one.sd()), "{} {}", one.sd(), two.sd());
        let slack = one.error_bound().chance() + two.error_bound().chance() + 1e-9;
        for level in [0.02, 0.2, 0.5, 0.8, 0.98] {
            let x = one.quantile(Level::new(level).unwrap()) + 0.25;
            let target = |x: f64| Amount::new(x.max(0.0)).unwrap();
            // Amounts may be a little off where they have no common unit.
            let off = one.error_bound().amount() + two.error_bound().amount();
            let [least, most] = [x + off, x - off].map(|x| two.chance_of_hitting(target(x + 100.0)).get());
            let chance = one.chance_of_hitting(target(x)).get();
            prop_assert!(least - slack <= chance && chance <= most + slack, "{x}: {least} {chance} {most}");
        }
    }
}

/// Numbers between 0 and 1.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        // SplitMix64 (Steele, Lea & Flood 2014).
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0 + 1e-17
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.next().ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos()
    }

    fn poisson(&mut self, mean: f64) -> u32 {
        let (mut product, mut n) = (self.next(), 0);
        while product > (-mean).exp() {
            product *= self.next();
            n += 1;
        }
        n
    }
}

#[test]
fn joint_totals_agree_with_monte_carlo() {
    const N: usize = 200_000;
    let shape = 4;
    let books = [(0.25, 5.0, [40.0, 90.0]), (0.08, 2.0, [15.0, 350.0])];
    let deals: Vec<Vec<(f64, f64)>> = (0..2)
        .map(|b| (0..30).map(|i| (-1.5 + 0.07 * f64::from(i), 5.3 + f64::from(7 * i + b))).collect())
        .collect();
    let totals = deals.iter().zip(books).map(|(deals, (rho, mean, amounts))| {
        let new = NewBusiness::new(mean, amounts.map(|a| (Amount::new(a).unwrap(), 1.0))).unwrap();
        total_of(deals, rho).with_new_business(new.overdispersed(f64::from(shape)).unwrap()).unwrap()
    });
    let forecast = Joint::new(totals).unwrap().exact(&ForecastOptions::default()).unwrap();
    let mut uniform = Uniform(7);
    let mut draws: Vec<f64> = (0..N)
        .map(|_| {
            let z = uniform.normal();
            let mut sum = 200.0;
            for (deals, (rho, mean, amounts)) in deals.iter().zip(books) {
                for (score, amount) in deals {
                    let p = normal_cdf((score - rho.sqrt() * z) / (1.0 - rho).sqrt());
                    sum += if uniform.next() < p { *amount } else { 0.0 };
                }
                let tau = rho.sqrt();
                let gamma: f64 = (0..shape).map(|_| -uniform.next().ln()).sum::<f64>() / f64::from(shape);
                for _ in 0..uniform.poisson(mean * gamma * (-tau * z - 0.5 * tau * tau).exp()) {
                    sum += amounts[usize::from(uniform.next() < 0.5)];
                }
            }
            sum
        })
        .collect();
    draws.sort_unstable_by(f64::total_cmp);
    // Dvoretzky-Kiefer-Wolfowitz: a false alarm once in 1e9.
    let bound = ((2.0_f64 / 1e-9).ln() / (2.0 * N as f64)).sqrt() + forecast.error_bound().chance();
    for (i, draw) in draws.iter().enumerate().step_by(997) {
        let error = (forecast.cdf(*draw).get() - (i + 1) as f64 / N as f64).abs();
        assert!(error <= bound, "{draw}: {error} {bound}");
    }
}

#[test]
fn joint_totals_at_their_edges() {
    let kind = |totals: Vec<Total>| Joint::new(totals).map_err(|error| error.kind()).map(|_| ());
    assert_eq!(kind(vec![]), Err(ErrorKind::Missing));
    assert_eq!(kind(vec![total_of(&[], 1.0), total_of(&[], 0.1)]), Err(ErrorKind::OutOfRange));
    let options = ForecastOptions::default();
    let one = total_of(&[(0.3, 7.0), (-0.2, 5.5)], 1.0);
    assert_eq!(Joint::new([one.clone()]).unwrap().exact(&options).unwrap(), one.exact(&options).unwrap());
    let empty = Joint::new([total_of(&[], 0.2), total_of(&[], 0.0)]).unwrap().exact(&options).unwrap();
    assert_eq!((empty.mean(), empty.sd(), empty.median()), (200.0, 0.0, 200.0));
    // A part of nothing, one that is sure, one of huge amounts.
    let sure = Total::new(Amount::ZERO, [(Probability::ONE, Amount::new(9.0).unwrap())]).unwrap();
    let huge =
        Total::new(Amount::ZERO, [(Probability::new(0.5).unwrap(), Amount::new(1e300).unwrap())]).unwrap();
    let mixed = Joint::new([total_of(&[], 0.2), sure, huge]).unwrap().exact(&options).unwrap();
    assert_eq!(mixed.chance_of_hitting(Amount::new(1e299).unwrap()).get(), 0.5);
    let over =
        Total::new(Amount::ZERO, [(Probability::new(0.5).unwrap(), Amount::new(1.5e308).unwrap())]).unwrap();
    let over = Joint::new([over.clone(), over]).unwrap().exact(&options).unwrap_err();
    assert_eq!(over.kind(), ErrorKind::Overflow);
}
