//! Scores against numbers of other tools, and the laws they obey.
//!
//! `tests/golden/scores.json` holds inputs and expected values computed by R (scoringRules 1.1.3, forecast 8.20) and
//! Python (scoringrules 0.10, properscoring 0.1, scikit-learn 1.9.1, scipy 1.17.1), each with its provenance and
//! tolerance.

use crate::oracle;
use dealcast::score::*;
use dealcast::{Level, Probability};
use proptest::prelude::*;
use serde_json::Value;
use std::num::NonZeroUsize;

const GOLDEN: &str = include_str!("../golden/scores.json");

fn golden(id: &str) -> Value {
    let mut all: Value = serde_json::from_str(GOLDEN).unwrap();
    all[id].take()
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (x, y) in found.iter().zip(expected) {
        assert!((x - y).abs() <= tolerance, "{what}: {x} instead of {y}");
    }
}

fn level(x: f64) -> Level {
    Level::new(x).unwrap()
}

fn count(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

fn claim(p: f64, won: f64) -> Claim {
    Claim { chance: Probability::new(p).unwrap(), happened: won > 0.5 }
}

/// The committed copies are those of the shared folder.
#[test]
fn golden_copies_are_faithful() {
    for id in ["O18", "O19", "O30", "O31", "O32", "O33", "O35", "O40"] {
        let Some(oracle) = oracle::read(id) else {
            println!("{id}: no oracle folder here, the committed copy stands alone");
            continue;
        };
        for field in ["inputs", "expected", "tolerance", "source"] {
            assert_eq!(golden(id)[field], oracle[field], "{id} {field}");
        }
    }
}

#[test]
fn crps_of_families() {
    let case = golden("O18");
    let (inputs, tolerance) = (&case["inputs"], case["tolerance"]["abs"].as_f64().unwrap());
    let families = [
        ("norm_m1_s2", "y_real", Family::Normal { mean: 1.0, sd: 2.0 }),
        ("exp_rate0.4", "y_pos", Family::Exponential { rate: 0.4 }),
        ("gamma_shape2.5_rate0.8", "y_pos", Family::Gamma { shape: 2.5, rate: 0.8 }),
        ("lnorm_ml0.7_sl0.9", "y_pos", Family::LogNormal { meanlog: 0.7, sdlog: 0.9 }),
        ("pois_4", "k", Family::Poisson { mean: 4.0 }),
        ("nbinom_size2_mu4", "k", Family::NegativeBinomial { size: 2.0, mean: 4.0 }),
        ("binom_20_.2", "k", Family::Binomial { n: 20, p: 0.2 }),
    ];
    for (name, observed, family) in families {
        let forecast = Predictive::new(family).unwrap();
        let found: Vec<f64> = numbers(&inputs[observed]).iter().map(|y| forecast.crps(*y).unwrap()).collect();
        close(&found, &numbers(&case["expected"][name]), tolerance, name);
    }
    let samples = Samples::new(numbers(&inputs["sample"])).unwrap();
    for (name, pairs) in [("sample_edf", SampleCrps::Edf), ("sample_fair", SampleCrps::Fair)] {
        let found: Vec<f64> =
            numbers(&inputs["obs"]).iter().map(|y| samples.crps(*y, pairs).unwrap()).collect();
        close(&found, &numbers(&case["expected"][name]), tolerance, name);
    }
}

#[test]
fn crps_of_ensembles() {
    let case = golden("O31");
    let tolerance = case["tolerance"]["abs"].as_f64().unwrap();
    let rows =
        case["inputs"]["ens"].as_array().unwrap().iter().map(|row| Samples::new(numbers(row)).unwrap());
    let rows: Vec<_> = rows.zip(numbers(&case["inputs"]["obs"])).collect();
    for (name, pairs) in [("properscoring", SampleCrps::Edf), ("fair", SampleCrps::Fair)] {
        let found: Vec<f64> = rows.iter().map(|(x, y)| x.crps(*y, pairs).unwrap()).collect();
        close(&found, &numbers(&case["expected"][name]), tolerance, name);
    }
}

#[test]
fn quantiles_and_intervals() {
    let case = golden("O30");
    let tolerance = case["tolerance"]["abs"].as_f64().unwrap();
    let (inputs, expected) = (&case["inputs"], &case["expected"]);
    let observed = numbers(&inputs["obs"]);
    let (levels, values) = (numbers(&inputs["quantile_levels"]), numbers(&inputs["quantiles"]));
    let stated = Quantiles::new(levels.iter().map(|a| level(*a)).zip(values.iter().copied())).unwrap();
    let losses = expected["pinball"].as_array().unwrap();
    for (y, row) in observed.iter().zip(losses) {
        close(&stated.pinball(*y).unwrap(), &numbers(row), tolerance, "pinball");
    }
    let wis: Vec<f64> = observed.iter().map(|y| stated.wis(*y).unwrap()).collect();
    close(&wis, &numbers(&expected["wis"]), tolerance, "wis");
    let ninety = Interval::new(level(0.9), values[0]..=values[4]).unwrap();
    let half = Interval::new(level(0.5), values[1]..=values[3]).unwrap();
    let scores: Vec<f64> = observed.iter().map(|y| ninety.score(*y).unwrap()).collect();
    close(&scores, &numbers(&expected["interval_score_90"]), tolerance, "interval score");
    let share = |of: &Interval| observed.iter().map(|y| of.covers(*y)).collect::<Coverage>().share();
    assert_eq!(share(&ninety), expected["coverage90"].as_f64());
    assert_eq!(share(&half), expected["coverage50"].as_f64());
}

#[test]
fn chances_and_their_reliability() {
    let case = golden("O32");
    let tolerance = case["tolerance"]["abs"].as_f64().unwrap();
    let (p, won) = (numbers(&case["inputs"]["p"]), numbers(&case["inputs"]["y"]));
    let claims: Vec<Claim> = p.iter().zip(&won).map(|(p, won)| claim(*p, *won)).collect();
    let expected = &case["expected"];
    let curve = Reliability::new(&claims).unwrap();
    for (name, found) in [
        ("brier", brier(&claims).unwrap()),
        ("log_loss", log_loss(&claims).unwrap().unwrap()),
        ("MCB", curve.miscalibration()),
        ("DSC", curve.discrimination()),
        ("UNC", curve.uncertainty()),
    ] {
        close(&[found], &[expected[name].as_f64().unwrap()], tolerance, name);
    }
    let at_unique = &expected["pav_at_unique_p"];
    let table: Vec<_> = numbers(&at_unique["p"]).into_iter().zip(numbers(&at_unique["recal"])).collect();
    for (claim, found) in claims.iter().zip(curve.recalibrated()) {
        let (_, expected) = table.iter().find(|(p, _)| *p == claim.chance.get()).unwrap();
        close(&[found.get()], &[*expected], tolerance, "recalibrated");
    }
}

#[test]
fn pit_of_counts() {
    let case = golden("O33");
    let tolerance = case["tolerance"]["abs"].as_f64().unwrap();
    // Size 3 and success chance .3: mean = 3 x .7 / .3.
    let forecast = Predictive::new(Family::NegativeBinomial { size: 3.0, mean: 7.0 }).unwrap();
    let jumps: Vec<Pit> = numbers(&case["inputs"]["k"]).iter().map(|k| forecast.pit(*k).unwrap()).collect();
    let column = |of: fn(&Pit) -> Probability| jumps.iter().map(|pit| of(pit).get()).collect::<Vec<_>>();
    close(&column(|p| p.lower()), &numbers(&case["expected"]["F_k_minus"]), tolerance, "F(y-)");
    close(&column(|p| p.upper()), &numbers(&case["expected"]["F_k"]), tolerance, "F(y)");
    close(&column(|p| p.mid()), &numbers(&case["expected"]["mid_pit"]), tolerance, "mid");
}

#[test]
fn diebold_mariano() {
    let case = golden("O19");
    let tolerance = case["tolerance"]["rel"].as_f64().unwrap();
    let (a, b) = (numbers(&case["inputs"]["e1"]), numbers(&case["inputs"]["e2"]));
    let errors: Vec<_> = a.into_iter().zip(b).map(|(a, b)| PairedErrors { a, b }).collect();
    let test = DieboldMariano::default();
    for (name, test) in [
        ("h1_pow2", test),
        ("h4_pow1", test.horizon(count(4)).power(Power::Absolute)),
        ("h1_pow1_greater", test.power(Power::Absolute).alternative(Alternative::Greater)),
    ] {
        let (found, expected) = (test.test(&errors).unwrap(), &case["expected"][name]);
        for (found, field) in [(found.statistic(), "stat"), (found.p_value().get(), "p")] {
            let expected = expected[field].as_f64().unwrap();
            assert!(
                (found / expected - 1.0).abs() < tolerance,
                "{name} {field}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn point_scores() {
    let case = golden("O35");
    let tolerance = case["tolerance"]["rel"].as_f64().unwrap();
    let (inputs, expected) = (&case["inputs"], &case["expected"]);
    let pairs = numbers(&inputs["forecast"]).into_iter().zip(numbers(&inputs["test"]));
    let pairs: Vec<_> = pairs.map(|(forecast, observed)| Forecasted { forecast, observed }).collect();
    let scores = PointScores::new(&pairs).unwrap();
    let mase = scores.mase(&numbers(&inputs["train"]), count(12)).unwrap();
    let n = 12.0;
    let mean_error = scores.bias().unwrap() * pairs.iter().map(|pair| pair.observed).sum::<f64>() / n;
    for (name, found) in [
        // R's error is observed - forecast, and its percent are ratios here.
        ("ME", -mean_error),
        ("MAE", scores.mae()),
        ("RMSE", scores.rmse()),
        ("MAPE", 100.0 * scores.mape().unwrap()),
        ("WAPE", scores.wape().unwrap()),
        ("MASE", mase.unwrap()),
    ] {
        let expected = expected[name].as_f64().unwrap();
        assert!((found / expected - 1.0).abs() < tolerance, "{name}: {found} instead of {expected}");
    }
}

#[test]
fn conformal_ranks() {
    let case = golden("O40");
    let (inputs, expected) = (&case["inputs"], &case["expected"]);
    let scores = numbers(&inputs["scores"]);
    let sizes = inputs["n"].as_array().unwrap().iter().map(|n| usize::try_from(n.as_u64().unwrap()).unwrap());
    let found: Vec<_> = sizes.map(|n| Conformal::new(&vec![1.0; n], level(0.9)).unwrap()).collect();
    let ranks: Vec<_> = found.iter().map(|c| Value::from(c.rank())).collect();
    assert_eq!(Value::from(ranks), expected["rank"]);
    // Printed with 15 digits.
    close(
        &found.iter().map(|c| c.coverage()).collect::<Vec<_>>(),
        &numbers(&expected["coverage"]),
        1e-15,
        "k/(n+1)",
    );
    for (at, name) in [(0.9, "q_scores_alpha10"), (0.8, "q_scores_alpha20")] {
        assert_eq!(Conformal::new(&scores, level(at)).unwrap().quantile(), expected[name].as_f64());
    }
    for (at, name) in [(0.9, "min_n_for_90"), (0.95, "min_n_for_95")] {
        let enough =
            (1..100).find(|n| Conformal::new(&vec![1.0; *n], level(at)).unwrap().quantile().is_some());
        assert_eq!(enough.map(Value::from), Some(expected[name].clone()));
    }
}

/// The value of a metric for a forecaster who misses every truth by `miss` (a share of the truth's size), says chances
/// that far from certain, and sets its intervals accordingly.
fn value_of(metric: Metric, truths: &[f64], miss: f64) -> f64 {
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let each =
        |score: &dyn Fn(f64, f64) -> f64| mean(truths.iter().map(|y| score(y * (1.0 + miss), *y)).collect());
    let pairs: Vec<_> =
        truths.iter().map(|y| Forecasted { forecast: y * (1.0 + miss), observed: *y }).collect();
    let point = PointScores::new(&pairs).unwrap();
    // Half of the events happen; each chance is `miss` away from the outcome.
    let sides = [0.0, 1.0].into_iter().cycle().take(2 * truths.len());
    let shade = |won: f64| if won > 0.5 { 1.0 - miss } else { miss };
    let claims: Vec<_> = sides.clone().map(|won| claim(shade(won), won)).collect();
    // One chance in four points the wrong way round.
    let confused = |i: usize, p: f64| if miss > 0.0 && i % 8 < 2 { 1.0 - p } else { p };
    let mixed: Vec<_> = sides.enumerate().map(|(i, won)| claim(confused(i, shade(won)), won)).collect();
    let single = |q: f64| Quantiles::new([(Level::HALF, q)]).unwrap();
    match metric {
        Metric::Crps => each(&|x, y| Samples::new(vec![x, x]).unwrap().crps(y, SampleCrps::Edf).unwrap()),
        Metric::Pinball => each(&|x, y| single(x).pinball(y).unwrap()[0]),
        Metric::Wis => each(&|x, y| single(x).wis(y).unwrap()),
        Metric::IntervalScore => each(&|x, y| Interval::new(level(0.8), x..=x).unwrap().score(y).unwrap()),
        Metric::Coverage(of) => {
            // The share inside is the level itself, less what the miss leaves out.
            let n_inside = ((of.get() - 0.5 * miss) * 1000.0).round();
            (0..1000).map(|i| f64::from(i) < n_inside).collect::<Coverage>().share().unwrap()
        }
        Metric::Pit => each(&|x, y| Samples::new(vec![x]).unwrap().pit(y).unwrap().mid().get()),
        Metric::Brier => brier(&claims).unwrap(),
        Metric::LogLoss => log_loss(&claims).unwrap().unwrap(),
        Metric::Miscalibration => Reliability::new(&claims).unwrap().miscalibration(),
        Metric::Discrimination => Reliability::new(&mixed).unwrap().discrimination(),
        Metric::Bias => point.bias().unwrap(),
        Metric::Mae => point.mae(),
        Metric::Rmse => point.rmse(),
        Metric::Mape => point.mape().unwrap(),
        Metric::Wape => point.wape().unwrap(),
        Metric::Mase => point.mase(&[1.0, 2.0, 4.0], count(1)).unwrap().unwrap(),
        Metric::Skill => Metric::Wape.skill(Versus { score: point.wape().unwrap(), baseline: 0.9 }).unwrap(),
        other => panic!("{other} has no law"),
    }
}

fn truth() -> impl Strategy<Value = f64> {
    -1e6..1e6
}

proptest! {
    /// A perfect forecast scores the optimum, a worse one strictly worse, and every value lies in the range.
    #[test]
    fn every_metric_rewards_the_truth(
        truths in prop::collection::vec(0.1..1e6, 4..30),
        miss in 0.01..0.45_f64,
    ) {
        // Four truths give eight events, the period in which one chance in four is confused.
        let truths = &truths[..truths.len() / 4 * 4];
        for metric in Metric::ALL.into_iter().chain([Metric::Coverage(level(0.8))]) {
            let (perfect, worse) = (value_of(metric, truths, 0.0), value_of(metric, truths, miss));
            prop_assert!(metric.distance(perfect) < 1e-12, "{metric}: {perfect} is not the optimum");
            prop_assert!(metric.distance(worse) > metric.distance(perfect) + 1e-6, "{metric}: {worse}");
            prop_assert!(metric.range().contains(worse), "{metric}: {worse} out of range");
            prop_assert!(metric.range().contains(metric.optimum()));
            match metric.direction() {
                Direction::SmallerIsBetter => prop_assert!(worse > perfect, "{metric}"),
                Direction::GreaterIsBetter => prop_assert!(worse < perfect, "{metric}"),
                Direction::CloserIsBetter => {}
            }
        }
    }

    #[test]
    fn sample_score_is_the_double_sum(samples in prop::collection::vec(truth(), 2..40), y in truth()) {
        let n = samples.len() as f64;
        let error = samples.iter().map(|x| (x - y).abs()).sum::<f64>() / n;
        let pairs: f64 = samples.iter().flat_map(|a| samples.iter().map(move |b| (a - b).abs())).sum();
        let scored = Samples::new(samples.clone()).unwrap();
        for (rule, n_pairs) in [(SampleCrps::Edf, n * n), (SampleCrps::Fair, n * (n - 1.0))] {
            // 1,600 terms of at most 2e6, each rounded at 2^-53 relative.
            prop_assert!((scored.crps(y, rule).unwrap() - (error - pairs / n_pairs / 2.0)).abs() < 1e-6);
        }
    }

    #[test]
    fn score_of_a_family_is_its_integral(
        which in 0..4_usize, a in 0.2..5.0, b in 0.2..2.0, y in -2.0..20.0_f64,
    ) {
        let family = [
            Family::Normal { mean: a, sd: b },
            Family::Exponential { rate: b },
            Family::Gamma { shape: a, rate: b },
            Family::LogNormal { meanlog: b - 1.0, sdlog: 0.5 * b },
        ][which];
        let forecast = Predictive::new(family).unwrap();
        // Midpoint rule on both sides of y; the integrand is below 1e-5 beyond these ends.
        let (cells, below, above) = (20_000, y.min(0.0) - 30.0, y.max(0.0) + 130.0);
        let side = |from: f64, to: f64, target: f64| {
            let width = (to - from) / f64::from(cells);
            let gap = |i: i32| forecast.cdf(from + width * (f64::from(i) + 0.5)) - target;
            width * (0..cells).map(|i| gap(i) * gap(i)).sum::<f64>()
        };
        let direct = side(below, y, 0.0) + side(y, above, 1.0);
        // The integrand has one kink at 0 for the positive families: half a cell.
        prop_assert!((forecast.crps(y).unwrap() - direct).abs() < 8e-3, "{family:?} at {y}");
    }

    #[test]
    fn half_the_interval_score_is_the_sum_of_its_pinball_losses(
        low in truth(), width in 0.0..1e6, y in truth(), of in 0.02..0.98,
    ) {
        let of = level(of);
        let (a, b) = of.tails();
        let stated = Quantiles::new([(a, low), (b, low + width)]).unwrap();
        let losses: f64 = stated.pinball(y).unwrap().iter().sum();
        let score = Interval::new(of, low..=low + width).unwrap().score(y).unwrap();
        // Sums of numbers up to 1e8, rounded at 2^-53 relative.
        prop_assert!((0.5 * (1.0 - of.get()) * score - losses).abs() < 1e-7);
    }

    #[test]
    fn swapping_the_forecasters_turns_the_verdict_round(
        errors in prop::collection::vec((truth(), truth()), 8..40), h in 1..4_usize,
    ) {
        let of = |a, b| PairedErrors { a, b };
        let there: Vec<_> = errors.iter().map(|(a, b)| of(*a, *b)).collect();
        let back: Vec<_> = errors.iter().map(|(a, b)| of(*b, *a)).collect();
        let test = DieboldMariano::default().horizon(count(h)).kernel(Kernel::Bartlett);
        let (less, greater) = (test.alternative(Alternative::Less), test.alternative(Alternative::Greater));
        let (x, y) = (less.test(&there).unwrap(), greater.test(&back).unwrap());
        prop_assert_eq!(x.statistic(), -y.statistic());
        prop_assert_eq!(x.p_value(), y.p_value());
        let both = test.test(&there).unwrap().p_value().get();
        prop_assert!((both - 2.0 * x.p_value().get().min(1.0 - x.p_value().get())).abs() < 1e-12);
    }

    /// Among all ways to cut the sorted chances into runs whose shares rise, none has a smaller squared error.
    #[test]
    fn no_rising_relabelling_beats_the_pooled_one(
        tenths in prop::collection::vec((0..6_u8, any::<bool>()), 1..9),
    ) {
        let claims: Vec<_> = tenths.iter()
            .map(|(p, happened)| claim(f64::from(*p) / 5.0, f64::from(u8::from(*happened))))
            .collect();
        let curve = Reliability::new(&claims).unwrap();
        let mut groups: Vec<(f64, f64)> = vec![(0.0, 0.0); 6];
        for (p, happened) in &tenths {
            groups[usize::from(*p)].0 += 1.0;
            groups[usize::from(*p)].1 += f64::from(u8::from(*happened));
        }
        groups.retain(|(n, _)| *n > 0.0);
        let best = (0..1_u32 << (groups.len() - 1)).filter_map(|cuts| {
            let mut runs = vec![groups[0]];
            for (i, (n, k)) in groups.iter().enumerate().skip(1) {
                if cuts >> (i - 1) & 1 == 1 { runs.push((0.0, 0.0)); }
                let last = runs.last_mut().unwrap();
                *last = (last.0 + n, last.1 + k);
            }
            let rising = runs.windows(2).all(|w| w[0].1 / w[0].0 <= w[1].1 / w[1].0);
            rising.then(|| runs.iter().map(|(n, k)| k * (1.0 - k / n)).sum::<f64>())
        }).fold(f64::INFINITY, f64::min);
        let n = claims.len() as f64;
        let found = curve.brier() - curve.miscalibration();
        prop_assert!((found - best / n).abs() < 1e-12, "{found} against {}", best / n);
        let parts = curve.miscalibration() - curve.discrimination() + curve.uncertainty();
        prop_assert!((parts - curve.brier()).abs() < 1e-12);
        let relabelled: Vec<_> = claims.iter().map(|c| c.chance).zip(curve.recalibrated()).collect();
        let rising = relabelled.iter().all(|(p, q)| relabelled.iter().all(|(r, s)| p >= r || q <= s));
        prop_assert!(rising);
    }

    /// The band is the smallest that errs at most half the false-alarm rate on either side, by the binomial itself.
    #[test]
    fn the_band_of_a_coverage_is_exact(n in 0..60_usize, of in 0.02..0.98, alarm in 1e-6..0.5) {
        let band = (0..n).map(|_| true).collect::<Coverage>().band(level(of), level(alarm)).unwrap();
        let mut mass = vec![1.0];
        for _ in 0..n {
            let next: Vec<f64> = (0..=mass.len()).map(|k| {
                let up = if k > 0 { mass[k - 1] * of } else { 0.0 };
                up + mass.get(k).map_or(0.0, |m| m * (1.0 - of))
            }).collect();
            mass = next;
        }
        let (below, above) = (mass[..band.fewest()].iter().sum::<f64>(), mass[band.most() + 1..].iter().sum::<f64>());
        // 60 convolutions of doubles.
        let rounding = 1e-13;
        prop_assert!(below < alarm / 2.0 + rounding && above <= alarm / 2.0 + rounding);
        prop_assert!(below + mass[band.fewest()] >= alarm / 2.0 - rounding);
        prop_assert!(band.most() == 0 || above + mass[band.most()] > alarm / 2.0 - rounding);
    }

    #[test]
    fn counts_are_transformed_evenly(mean in 0.1..60.0_f64, size in 0.3..20.0_f64) {
        for family in [Family::Poisson { mean }, Family::NegativeBinomial { size, mean }] {
            let forecast = Predictive::new(family).unwrap();
            let jumps = (0..3000).map(|k| forecast.pit(f64::from(k)).unwrap());
            let weigh = |pit: Pit| (pit.upper().get() - pit.lower().get()) * pit.mid().get();
            // The sum of p_k (F(k-1) + F(k)) / 2 telescopes: 1/2, but for the mass beyond the last count.
            let mean_of_mid: f64 = jumps.map(weigh).sum();
            let all = forecast.cdf(2999.0);
            prop_assert!(all > 0.99 && (mean_of_mid - 0.5 * all * all).abs() < 1e-12, "{family:?}: {mean_of_mid}");
        }
    }
}
