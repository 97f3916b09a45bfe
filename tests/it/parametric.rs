//! Fits of the time in stage: recovery of simulated laws, other programs on fresh data, laws, hostile input.

use crate::oracle::numbers;
use dealcast::estimate::{
    ArrivalRegression, CountFamily, StayTable, TimeFamily, TimeInStage, TimeLaw, TimesInStage,
};
use dealcast::{ErrorKind, Level};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// `SplitMix64`, so that the simulations stand on their own.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON / 4.0
    }

    fn time(&mut self, law: &TimeInStage) -> f64 {
        law.quantile(Level::new(self.uniform()).unwrap())
    }
}

/// Rows of a simulated log: entered late half the time, open at the end, a third of the ends seen weekly only.
#[derive(Default)]
struct Log {
    lower: Vec<f64>,
    upper: Vec<f64>,
    entry: Vec<f64>,
}

impl Log {
    fn simulated(law: &TimeInStage, n: usize, random: &mut Random) -> Self {
        let unit = law.quantile(Level::HALF);
        let mut log = Self::default();
        while log.lower.len() < n {
            let t = random.time(law);
            let entry = if random.uniform() < 0.5 { 0.4 * unit * random.uniform() } else { 0.0 };
            let end = unit * (0.5 + 3.0 * random.uniform());
            if t <= entry {
                continue;
            }
            let (lower, upper) = if t > end {
                (end, f64::INFINITY)
            } else if random.uniform() < 1.0 / 3.0 {
                let week = 0.15 * unit;
                let seen = (t / week).floor() * week;
                (seen.max(entry), seen + week)
            } else {
                (t, t)
            };
            log.lower.push(lower);
            log.upper.push(upper);
            log.entry.push(entry);
        }
        log
    }

    fn data(&self) -> TimesInStage {
        let (lower, upper, entry) = (&self.lower[..], &self.upper[..], Some(&self.entry[..]));
        TimesInStage::from_table(StayTable { lower, upper, entry, weight: None }).unwrap()
    }

    /// The log-likelihood of any law, written out row by row.
    fn log_likelihood(&self, law: &TimeInStage) -> f64 {
        let rows = self.lower.iter().zip(&self.upper).zip(&self.entry);
        rows.map(|((&lower, &upper), &entry)| {
            let seen = if lower == upper {
                law.log_density(lower)
            } else if upper == f64::INFINITY {
                law.log_survival(lower)
            } else {
                (law.survival(lower) - law.survival(upper)).ln()
            };
            seen - law.log_survival(entry)
        })
        .sum()
    }
}

/// Twice the gain in log-likelihood over the truth is chi-square with as many degrees of freedom as parameters. The
/// thresholds are its upper 2.5e-9 points (scipy 1.17.1, `chi2.isf`): 400 sets raise a false alarm once in a million.
const THRESHOLDS: [f64; 3] = [35.538_958_498_877_37, 39.613_950_210_144_516, 42.967_840_078_419_094];
const SETS: u64 = 400;

fn recovers(law: TimeLaw) {
    let truth = TimeInStage::new(law).unwrap();
    let k = truth.parameters().len();
    let mut total = 0.0;
    for set in 0..SETS {
        let log = Log::simulated(&truth, 200, &mut Random(1_000 * set + k as u64));
        let fit = log.data().fit(truth.family()).unwrap();
        // The fit's own figure is the likelihood written out: 1e-9 is rounding of a sum of 200 logarithms.
        assert!((fit.log_likelihood() - log.log_likelihood(fit.time())).abs() < 1e-9, "{truth}, set {set}");
        let ratio = 2.0 * (fit.log_likelihood() - log.log_likelihood(&truth));
        assert!((-1e-9..THRESHOLDS[k - 1]).contains(&ratio), "{truth}, set {set}: {ratio}");
        total += ratio;
    }
    let (mean, k, sets) = (total / SETS as f64, k as f64, SETS as f64);
    // Six standard errors of the mean of a chi-square, and a tenth for the 1/n that 200 rows leave.
    assert!((mean - k).abs() < 6.0 * (2.0 * k / sets).sqrt() + 0.1 * k, "{truth}: mean ratio {mean}");
}

#[test]
fn recovers_exponential() {
    recovers(TimeLaw::Exponential { rate: 0.02 });
}

#[test]
fn recovers_weibull() {
    recovers(TimeLaw::Weibull { shape: 1.4, scale: 50.0 });
}

#[test]
fn recovers_log_normal() {
    recovers(TimeLaw::LogNormal { meanlog: 3.5, sdlog: 0.8 });
}

#[test]
fn recovers_log_logistic() {
    recovers(TimeLaw::LogLogistic { shape: 2.1, scale: 30.0 });
}

#[test]
fn recovers_gamma() {
    recovers(TimeLaw::Gamma { shape: 2.2, rate: 0.05 });
}

#[test]
fn recovers_generalized_gamma() {
    recovers(TimeLaw::GeneralizedGamma { mu: 3.5, sigma: 0.7, q: 0.5 });
}

/// Survival on four simulated sets with truncation, snapshots, weights and ties, beside scipy (its likelihood written
/// out, all six families) and lifelines 0.30.3 (where it has the family). The file says how it came about.
#[test]
fn agrees_with_scipy_and_lifelines() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../golden/parametric_peers.json")).unwrap();
    for set in golden["sets"].as_array().unwrap() {
        let lower = numbers(&set["lower"]);
        let upper = set["upper"].as_array().unwrap();
        let upper: Vec<f64> = upper.iter().map(|x| x.as_f64().unwrap_or(f64::INFINITY)).collect();
        let (entry, weight) = (numbers(&set["entry"]), numbers(&set["weight"]));
        let (entry, weight) = (Some(&entry[..]), Some(&weight[..]));
        let data =
            TimesInStage::from_table(StayTable { lower: &lower, upper: &upper, entry, weight }).unwrap();
        for family in TimeFamily::ALL {
            let theirs = &set["fits"][family.name()];
            let fit = data.fit(family).unwrap();
            let what = format!("{}, {family}", set["name"]);
            let off = fit.log_likelihood() - theirs["log_likelihood"].as_f64().unwrap();
            // Nelder-Mead stops at 1e-12 of the height; ours must not be lower.
            assert!(off.abs() < 1e-7, "{what}: log-likelihood off by {off:e}");
            let survival: Vec<f64> = numbers(&set["at"]).into_iter().map(|t| fit.survival(t)).collect();
            // scipy stops within about 1e-7 of a standard error, lifelines within 1e-5.
            for (name, tolerance) in [("survival", 1e-6), ("lifelines_survival", 2e-5)] {
                if theirs[name].is_array() {
                    for (got, expected) in survival.iter().zip(numbers(&theirs[name])) {
                        assert!((got - expected).abs() < tolerance, "{what}, {name}: {got} for {expected}");
                    }
                }
            }
        }
    }
}

fn within_a_second<T>(what: &str, f: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let answer = f();
    assert!(started.elapsed() < Duration::from_secs(1), "{what} took {:?}", started.elapsed());
    answer
}

/// A fit is finite or refused as not identified, quickly.
fn honest(what: &str, data: &TimesInStage) {
    for family in TimeFamily::ALL {
        for cure in [false, true] {
            let fit =
                within_a_second(what, || if cure { data.fit_converting(family) } else { data.fit(family) });
            match fit {
                Ok(fit) => {
                    let numbers =
                        fit.time().parameters().into_iter().chain([fit.log_likelihood(), fit.bic()]);
                    assert!(numbers.into_iter().all(f64::is_finite), "{what}: {fit}");
                    assert!(fit.std_errors().iter().flatten().all(|se| se.is_finite()), "{what}: {fit}");
                }
                Err(error) => assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::NotIdentified | ErrorKind::OutOfRange | ErrorKind::Overflow
                    ),
                    "{what}: {error}"
                ),
            }
        }
    }
}

#[test]
fn hostile_data_get_typed_answers() {
    let cases: Vec<(&str, Vec<f64>, Vec<bool>)> = vec![
        ("one event at the largest time", vec![3.0, 8.0, 31.0], vec![false, false, true]),
        ("identical durations", vec![7.0; 50], vec![true; 50]),
        ("identical, many", vec![7.0; 20_000], vec![true; 20_000]),
        ("all open", vec![3.0, 8.0, 31.0], vec![false; 3]),
        ("two different", vec![3.0, 8.0], vec![true; 2]),
        ("one outlier", [vec![10.0; 40], vec![12.0; 40], vec![1e6]].concat(), vec![true; 81]),
        ("ends of the doubles", vec![1e-300, 1e300, 1.0, 2.0], vec![true; 4]),
        ("subnormal", vec![5e-324, 1e-310, 1.0], vec![true; 3]),
        ("largest", vec![f64::MAX, 1.0, f64::MAX], vec![true, true, false]),
        ("one row", vec![4.0], vec![true]),
        ("one open row", vec![4.0], vec![false]),
        ("open at 0", vec![0.0, 0.0, 3.0, 5.0], vec![false, false, true, true]),
        ("neighbouring doubles", vec![1.0, 1.0 + f64::EPSILON, 1.0], vec![true; 3]),
        (
            "many across the doubles",
            (0..20_000).map(|i| 10_f64.powi(i % 600 - 300)).collect(),
            (0..20_000).map(|i| i % 3 > 0).collect(),
        ),
    ];
    for (what, days, ended) in cases {
        honest(what, &TimesInStage::new(&days, &ended).unwrap());
    }
}

#[test]
fn no_maximum_is_said_so() {
    let kind = |days: &[f64], ended: &[bool], family| {
        TimesInStage::new(days, ended).unwrap().fit(family).unwrap_err().kind()
    };
    for family in TimeFamily::ALL {
        assert_eq!(kind(&[3.0, 8.0], &[false, false], family), ErrorKind::NotIdentified);
        if family != TimeFamily::Exponential {
            assert_eq!(kind(&[3.0, 8.0, 31.0], &[false, false, true], family), ErrorKind::NotIdentified);
            assert_eq!(kind(&[5.0, 5.0], &[true, true], family), ErrorKind::NotIdentified);
        }
    }
    // Snapshots that all leave one common time possible.
    let (lower, upper) = ([0.0, 2.0, 1.0], [5.0, 7.0, f64::INFINITY]);
    let data =
        TimesInStage::from_table(StayTable { lower: &lower, upper: &upper, entry: None, weight: None })
            .unwrap();
    assert_eq!(data.fit(TimeFamily::Weibull).unwrap_err().kind(), ErrorKind::NotIdentified);
    honest("snapshots", &data);
}

#[test]
fn bad_rows_are_refused_with_their_place() {
    let table = |lower: f64, upper: f64, entry: f64, weight: f64| {
        let (lower, upper, entry, weight) = ([1.0, lower], [1.0, upper], [0.0, entry], [1.0, weight]);
        let (entry, weight) = (Some(&entry[..]), Some(&weight[..]));
        TimesInStage::from_table(StayTable { lower: &lower, upper: &upper, entry, weight })
            .map_err(|e| (e.kind(), e.row(), e.field_name().unwrap().to_owned()))
    };
    let refused = |field: &str| Err((ErrorKind::OutOfRange, Some(2), field.to_owned()));
    assert_eq!(table(f64::NAN, 3.0, 0.0, 1.0).map(|_| ()), refused("time"));
    assert_eq!(table(-1.0, 3.0, 0.0, 1.0).map(|_| ()), refused("time"));
    assert_eq!(table(0.0, 0.0, 0.0, 1.0).map(|_| ()), refused("time"));
    assert_eq!(table(3.0, 2.0, 0.0, 1.0).map(|_| ()), refused("upper"));
    assert_eq!(table(3.0, f64::NAN, 0.0, 1.0).map(|_| ()), refused("upper"));
    assert_eq!(table(3.0, 3.0, 3.0, 1.0).map(|_| ()), refused("entry"));
    assert_eq!(table(3.0, 4.0, -1.0, 1.0).map(|_| ()), refused("entry"));
    assert_eq!(table(3.0, 4.0, 0.0, -1.0).map(|_| ()), refused("weight"));
    assert!(table(3.0, 4.0, 0.0, 0.0).is_ok());
    let many = vec![2.0; 10_000];
    let mut nan = many.clone();
    nan[9_999] = f64::NAN;
    assert_eq!(TimesInStage::new(&nan, &vec![true; 10_000]).unwrap_err().row(), Some(10_000));
    assert_eq!(TimesInStage::new(&many, &[true]).unwrap_err().kind(), ErrorKind::LengthMismatch);
    assert_eq!(TimesInStage::new(&[], &[]).unwrap_err().kind(), ErrorKind::NoHistory);
}

/// Bins instead of rows: 20,000 stays at once (summed into bins) beside the same stays each weighing 1 in a table of at
/// most 8,192 distinct rows (kept one by one).
#[test]
fn bins_give_the_estimates_of_the_rows() {
    let law = TimeInStage::new(TimeLaw::GeneralizedGamma { mu: 3.5, sigma: 0.9, q: 0.3 }).unwrap();
    let mut random = Random(5);
    let rows: Vec<(f64, bool)> = (0..8_000)
        .map(|_| {
            let (t, end) = (random.time(&law), 200.0 * random.uniform());
            if t < end { (t, true) } else { (end, false) }
        })
        .collect();
    let (days, ended): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
    let thrice = |x: &[f64]| [x, x, x].concat();
    let binned = TimesInStage::new(&thrice(&days), &[&ended[..]; 3].concat()).unwrap();
    let upper: Vec<f64> = rows.iter().map(|&(t, e)| if e { t } else { f64::INFINITY }).collect();
    let weight = vec![3.0; days.len()];
    let exact = StayTable { lower: &days, upper: &upper, entry: None, weight: Some(&weight) };
    let exact = TimesInStage::from_table(exact).unwrap();
    let exposure: f64 = days.iter().sum();
    let rate = ended.iter().filter(|&&e| e).count() as f64 / exposure;
    for data in [&binned, &exact] {
        let fitted = data.fit(TimeFamily::Exponential).unwrap().time().parameters()[0];
        assert!((fitted / rate - 1.0).abs() < 1e-13, "{fitted} {rate}");
    }
    for family in TimeFamily::ALL {
        let (a, b) = (binned.fit(family).unwrap(), exact.fit(family).unwrap());
        for ((a, b), se) in a.time().parameters().into_iter().zip(b.time().parameters()).zip(b.std_errors()) {
            // The third moment within a bin of 1/1000 of an octave, against a standard error of 1/100.
            assert!((a - b).abs() < 1e-8 * se.unwrap(), "{family}: {a} {b}");
        }
        assert!((a.log_likelihood() / b.log_likelihood() - 1.0).abs() < 1e-11, "{family}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Days or microseconds, rows in any order, a row twice or its weight doubled: the same law.
    #[test]
    fn units_order_and_weights_change_nothing(
        days in prop::collection::vec((0.5_f64..300.0, prop::bool::weighted(0.7)), 12..60),
        power in -30_i32..30,
    ) {
        let unit = 2_f64.powi(power);
        let (t, ended): (Vec<f64>, Vec<bool>) = days.iter().copied().unzip();
        let scaled: Vec<f64> = t.iter().map(|t| t * unit).collect();
        let (back, ended_back): (Vec<f64>, Vec<bool>) = days.iter().rev().copied().unzip();
        let here = TimesInStage::new(&t, &ended).unwrap();
        let there = TimesInStage::new(&scaled, &ended).unwrap();
        let reversed = TimesInStage::new(&back, &ended_back).unwrap();
        let twice = TimesInStage::new(&[&t[..], &t[..]].concat(), &[&ended[..], &ended[..]].concat()).unwrap();
        for family in TimeFamily::ALL {
            let fit = here.fit(family);
            prop_assert_eq!(&fit, &reversed.fit(family));
            let (Ok(fit), Ok(scaled), Ok(twice)) = (fit, there.fit(family), twice.fit(family)) else { continue };
            let median = fit.time().quantile(Level::HALF);
            prop_assert!((scaled.time().quantile(Level::HALF) / unit / median - 1.0).abs() < 1e-6);
            prop_assert!((twice.time().quantile(Level::HALF) / median - 1.0).abs() < 1e-6);
            prop_assert!((twice.log_likelihood() / fit.log_likelihood() / 2.0 - 1.0).abs() < 1e-9);
        }
        // A family that holds others within is at least as likely, and the choice has the smallest AIC.
        let height = |family| here.fit(family).map(|fit| fit.log_likelihood());
        if let Ok(widest) = height(TimeFamily::GeneralizedGamma) {
            for family in [TimeFamily::Weibull, TimeFamily::LogNormal, TimeFamily::Gamma] {
                prop_assert!(height(family).is_ok_and(|height| height <= widest + 1e-8), "{family}");
            }
        }
        if let Ok(best) = here.best(&TimeFamily::ALL) {
            let fits = TimeFamily::ALL.into_iter().filter_map(|family| here.fit(family).ok());
            prop_assert!(fits.map(|fit| fit.aic()).all(|aic| best.aic() <= aic));
        }
    }

    /// Any numbers at all: an answer or a typed refusal, finite and soon.
    #[test]
    fn any_numbers_are_survived(
        rows in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>(), any::<f64>()), 0..12),
        counts in prop::collection::vec(any::<u32>(), 0..30),
    ) {
        let column = |f: fn(&(f64, f64, f64, f64)) -> f64| rows.iter().map(|r| f(r).abs()).collect::<Vec<_>>();
        let (a, b) = (column(|r| r.0), column(|r| r.1));
        let lower: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a.min(*b)).collect();
        let upper: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a.max(*b)).collect();
        let entry: Vec<f64> = column(|r| r.2).iter().zip(&lower).map(|(e, l)| e.min(0.5 * l)).collect();
        let weight = column(|r| r.3);
        let table = StayTable { lower: &lower, upper: &upper, entry: Some(&entry), weight: Some(&weight) };
        if let Ok(data) = TimesInStage::from_table(table) {
            honest("any numbers", &data);
        }
        if let Ok(fit) = ArrivalRegression::new(CountFamily::NegativeBinomial).season(4).fit(&counts) {
            prop_assert!(fit.next(3).iter().chain(fit.coefficients()).all(|x| x.is_finite()));
        }
    }
}
