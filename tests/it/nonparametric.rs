//! Estimators without a shape: beside R's survival package on simulated stays, the laws they obey, a slow second
//! implementation from the definitions, and data nobody should send.
//!
//! `tests/golden/nonparametric_peers.json` was written by the script beside it (R 4.2.2, survival 3.5.3): five sets
//! of stays with ties, late entries and weights, and a process with moves back.

use dealcast::estimate::*;
use dealcast::{ErrorKind, Level};
use proptest::prelude::*;
use serde_json::Value;
use std::time::{Duration, Instant};

const PEERS: &str = include_str!("../golden/nonparametric_peers.json");
/// Two programs that add the same few dozen terms in another order.
const ROUNDING: f64 = 1e-9;

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().map(|all| all.iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()).unwrap_or_default()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn small(of: &Value) -> Vec<u8> {
    numbers(of).into_iter().map(|x| x as u8).collect()
}

fn close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= ROUNDING * expected.abs().max(1.0),
        "{what}: {found} instead of {expected}"
    );
}

fn level(x: f64) -> Level {
    Level::new(x).unwrap()
}

fn spells(set: &Value) -> Vec<Spell> {
    let (time, cause) = (numbers(&set["time"]), small(&set["cause"]));
    let mut spells: Vec<Spell> = time.iter().zip(&cause).map(|(t, c)| Spell::new(*t, *c)).collect();
    for (spell, entry) in spells.iter_mut().zip(numbers(&set["entry"])) {
        *spell = spell.entry(entry);
    }
    for (spell, weight) in spells.iter_mut().zip(numbers(&set["weight"])) {
        *spell = spell.weight(weight);
    }
    spells
}

#[test]
fn agrees_with_r_on_simulated_stays() {
    let peers: Value = serde_json::from_str(PEERS).unwrap();
    for set in peers["sets"].as_array().unwrap() {
        let (name, theirs) = (set["name"].as_str().unwrap(), &set["curve"]);
        let stays = Durations::from_spells(spells(set)).unwrap();
        let (curve, hazard, paths) =
            (KaplanMeier::fit(&stays), NelsonAalen::fit(&stays), AalenJohansen::fit(&stays));
        for (i, t) in numbers(&theirs["at"]).into_iter().enumerate() {
            let of = |column: &str| numbers(&theirs[column])[i];
            close(curve.survival(t).get(), of("survival"), name);
            close(hazard.cumulative_hazard(t), of("hazard"), name);
            close(hazard.std_err(t), of("hazard_se"), name);
            close(paths.incidence(WinRate::WON, t).get(), of("won"), name);
            close(paths.incidence(WinRate::LOST, t).get(), of("lost"), name);
            let band = curve.interval(t, level(0.95), BandScale::LogLog);
            if let (Some(se), Some(band)) = (curve.std_err(t), band) {
                close(se, of("std_err"), name);
                close(band.lower().get(), of("lower"), name);
                close(band.upper().get(), of("upper"), name);
            }
            // With weights or late entries the jackknife is another estimate.
            if set["weight"].is_null() && set["entry"].is_null() {
                close(paths.std_err(WinRate::WON, t), of("won_jackknife"), name);
                close(paths.std_err(WinRate::LOST, t), of("lost_jackknife"), name);
            }
        }
    }
}

#[test]
fn log_rank_agrees_with_r_in_three_groups() {
    let peers: Value = serde_json::from_str(PEERS).unwrap();
    let mut compared = 0;
    for set in peers["sets"].as_array().unwrap() {
        let Some(chi2) = set["log_rank"].as_f64() else { continue };
        let unweighted =
            serde_json::json!({ "time": set["time"], "cause": set["cause"], "entry": set["entry"] });
        let (all, group) = (spells(&unweighted), small(&set["group"]));
        let of =
            |g: u8| all.iter().zip(&group).filter(move |(_, found)| **found == g).map(|(spell, _)| *spell);
        let groups = [1, 2, 3].map(|g| Durations::from_spells(of(g)).unwrap());
        let test = LogRank::test(&groups.iter().collect::<Vec<_>>()).unwrap();
        close(test.chi2(), chi2, "chi2");
        assert_eq!(test.degrees(), 2);
        compared += 1;
    }
    assert_eq!(compared, 3);
}

#[test]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn a_process_with_moves_back_agrees_with_r() {
    let peers: Value = serde_json::from_str(PEERS).unwrap();
    let process = &peers["process"];
    let column = |name: &str| numbers(&process[name]);
    let episode = |i: usize| {
        let to = column("to")[i];
        let to = (!to.is_nan()).then_some(to as u32);
        Episode { from: column("from")[i] as u32, to, enter: column("enter")[i], exit: column("exit")[i] }
    };
    let episodes: Vec<Episode> = (0..column("from").len()).map(episode).collect();
    let found = MultiState::forward(&episodes).unwrap().occupancy(1, 0.0, &column("at")).unwrap();
    for (i, here) in found.iter().enumerate() {
        for state in 1..=3 {
            let expected = column("occupancy")[i + found.len() * (state as usize - 1)];
            close(here.share(state).get(), expected, "occupancy");
        }
        let all: f64 = (1..=3).map(|state| here.share(state).get()).sum();
        close(all, 1.0, "all states");
    }
}

/// A row of a made-up log: a whole time, a cause, an entry before it or none, a whole weight.
fn row() -> impl Strategy<Value = (u32, u8, Option<u32>, u32)> {
    (0..25_u32, 0..4_u8, prop::option::of(0..25_u32), 1..4_u32)
        .prop_map(|(time, cause, entry, weight)| (time, cause, entry.filter(|entry| *entry < time), weight))
}

fn spell((time, cause, entry, weight): (u32, u8, Option<u32>, u32)) -> Spell {
    let spell = Spell::new(f64::from(time), cause).weight(f64::from(weight));
    entry.map_or(spell, |entry| spell.entry(f64::from(entry)))
}

/// Risk sets, survival, Greenwood's sum, incidence and variance of cause 1 straight from the definitions.
fn slowly(rows: &[(u32, u8, Option<u32>, u32)], at: u32) -> [f64; 4] {
    let (mut s, mut greenwood, mut incidence) = (1.0, 0.0, 0.0);
    // Variance of F_1 and covariance with S, by the product of matrices over (open, 1, other).
    let mut c = [[0.0_f64; 3]; 3];
    for t in 0..=at {
        let sum = |counts: &dyn Fn(u32, u8, Option<u32>) -> bool| -> f64 {
            rows.iter()
                .filter(|(time, cause, entry, _)| counts(*time, *cause, *entry))
                .map(|r| f64::from(r.3))
                .sum()
        };
        let risk = sum(&|time, _, entry| time >= t && entry.is_none_or(|entry| entry < t));
        let one = sum(&|time, cause, _| time == t && cause == 1);
        let all = sum(&|time, cause, _| time == t && cause > 0);
        if all == 0.0 {
            continue;
        }
        let q = [1.0 - all / risk, one / risk, (all - one) / risk];
        let step = [q, [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let mut next = [[0.0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                let noise = s * s * (if i == j { q[i] } else { 0.0 } - q[i] * q[j]) / risk;
                let carried: f64 = (0..3)
                    .flat_map(|k| (0..3).map(move |l| (k, l)))
                    .map(|(k, l)| step[k][i] * c[k][l] * step[l][j])
                    .sum();
                next[i][j] = carried + noise;
            }
        }
        c = next;
        incidence += s * one / risk;
        s *= 1.0 - all / risk;
        greenwood += all / (risk * (risk - all));
    }
    [s, greenwood, incidence, c[1][1]]
}

proptest! {
    #[test]
    fn curves_agree_with_the_definitions(rows in prop::collection::vec(row(), 1..40), at in 0..26_u32) {
        let stays = Durations::from_spells(rows.iter().copied().map(spell)).unwrap();
        let [s, greenwood, incidence, variance] = slowly(&rows, at);
        let (curve, paths, t) = (KaplanMeier::fit(&stays), AalenJohansen::fit(&stays), f64::from(at));
        prop_assert!((curve.survival(t).get() - s).abs() < 1e-12);
        prop_assert!((paths.incidence(1, t).get() - incidence).abs() < 1e-12);
        prop_assert!((paths.std_err(1, t) * paths.std_err(1, t) - variance).abs() < 1e-12);
        match curve.std_err(t) {
            Some(se) => prop_assert!((se * se - s * s * greenwood).abs() < 1e-12),
            None => prop_assert!(s.abs() < 1e-12),
        }
    }

    #[test]
    fn incidences_and_survival_add_up_and_never_turn_back(rows in prop::collection::vec(row(), 1..40)) {
        let paths = AalenJohansen::fit(&Durations::from_spells(rows.into_iter().map(spell)).unwrap());
        let mut before = 0.0;
        for t in (0..26).map(f64::from) {
            let gone: f64 = (1..4).map(|cause| paths.incidence(cause, t).get()).sum();
            prop_assert!((gone + paths.survival(t).get() - 1.0).abs() < 1e-12);
            prop_assert!(gone >= before - 1e-15);
            before = gone;
        }
    }

    #[test]
    fn without_censoring_the_curve_is_the_share_left(times in prop::collection::vec(0..30_u32, 1..50)) {
        let curve = KaplanMeier::fit(&Durations::from_days(&times, &vec![1; times.len()]).unwrap());
        let n = times.len() as f64;
        for t in 0..31 {
            let left = times.iter().filter(|time| **time > t).count() as f64 / n;
            prop_assert!((curve.survival(f64::from(t)).get() - left).abs() < 1e-12);
            if let Some(se) = curve.std_err(f64::from(t)) {
                prop_assert!((se * se - left * (1.0 - left) / n).abs() < 1e-12, "Greenwood is binomial");
            }
        }
    }

    #[test]
    fn a_stay_in_two_pieces_is_one_stay(
        rows in prop::collection::vec((2..25_u32, 0..3_u8), 1..30),
        cut in 1..24_u32,
    ) {
        let whole = rows.iter().map(|&(time, cause)| Spell::new(f64::from(time), cause));
        let pieces = rows.iter().flat_map(|&(time, cause)| {
            let (time, cut) = (f64::from(time), f64::from(cut));
            if cut < time {
                vec![Spell::new(cut, 0), Spell::new(time, cause).entry(cut)]
            } else {
                vec![Spell::new(time, cause)]
            }
        });
        let [whole, pieces] = [Durations::from_spells(whole), Durations::from_spells(pieces)].map(Result::unwrap);
        prop_assert!(KaplanMeier::fit(&whole).steps().eq(KaplanMeier::fit(&pieces).steps()));
        for t in (0..26).map(f64::from) {
            prop_assert_eq!(whole.n_risk(t), pieces.n_risk(t));
            prop_assert_eq!(AalenJohansen::fit(&whole).std_err(1, t), AalenJohansen::fit(&pieces).std_err(1, t));
        }
    }

    #[test]
    fn a_weight_is_that_many_rows_and_order_is_nothing(
        rows in prop::collection::vec(row(), 1..30).prop_shuffle(),
        seed in 0..1000_usize,
    ) {
        let weighted = Durations::from_spells(rows.iter().copied().map(spell)).unwrap();
        let repeated = rows.iter().flat_map(|&row| std::iter::repeat_n(spell((row.0, row.1, row.2, 1)), row.3 as usize));
        let repeated = Durations::from_spells(repeated).unwrap();
        prop_assert!(KaplanMeier::fit(&weighted).steps().eq(KaplanMeier::fit(&repeated).steps()));
        // Weights that do not add up exactly: bits must not depend on the order all the same.
        let odd = |row: (u32, u8, Option<u32>, u32)| spell(row).weight(0.1 * f64::from(row.3) + 0.01);
        let mut turned = rows.clone();
        turned.rotate_left(seed % rows.len());
        turned.reverse();
        let [one, other] = [rows, turned].map(|rows| Durations::from_spells(rows.into_iter().map(odd)).unwrap());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn given_an_age_the_curve_is_a_ratio(rows in prop::collection::vec(row(), 1..40), age in 0..20_u32) {
        let stays = Durations::from_spells(rows.into_iter().map(spell)).unwrap();
        let (curve, age) = (KaplanMeier::fit(&stays), f64::from(age));
        match stays.after(age) {
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::NoHistory),
            Ok(rest) => for t in (0..26).map(f64::from).filter(|t| *t > age) {
                prop_assert!((rest.n_risk(t) - stays.n_risk(t)).abs() < 1e-9);
                let given = curve.survival(age).get() * KaplanMeier::fit(&rest).survival(t).get();
                prop_assert!((given - curve.survival(t).get()).abs() < 1e-12);
            },
        }
    }

    #[test]
    fn quantiles_are_the_first_time_that_far(rows in prop::collection::vec(row(), 1..40), p in 0.01..0.99_f64) {
        let curve = KaplanMeier::fit(&Durations::from_spells(rows.into_iter().map(spell)).unwrap());
        match curve.quantile(level(p)) {
            Some(t) => {
                prop_assert!(curve.survival(t).get() <= 1.0 - p + 1e-9);
                prop_assert!(curve.survival(t - 1e-6).get() > 1.0 - p);
            }
            None => prop_assert!(curve.survival(1e9).get() > 1.0 - p),
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn turnbull_leaves_nothing_to_gain(rows in prop::collection::vec((0..20_u32, prop::option::of(0..8_u32)), 1..60)) {
        let lower: Vec<f64> = rows.iter().map(|(lower, _)| f64::from(*lower)).collect();
        let upper: Vec<Option<f64>> = rows.iter().map(|(lower, width)| width.map(|w| f64::from(lower + w))).collect();
        let curve = Turnbull::fit(&Brackets::new(&lower, &upper).unwrap());
        let mass: f64 = curve.support().iter().map(|s| s.mass().get()).sum();
        prop_assert!((mass - 1.0).abs() < 1e-9);
        // Moving a little mass anywhere gains at most what the bound allows, judged from the definition.
        let holds = |s: &Support, (l, u): (&f64, &Option<f64>)| {
            let end = s.upper().unwrap_or(f64::INFINITY);
            let point = u.is_some_and(|u| u <= *l) || *l == 0.0;
            end <= u.unwrap_or(f64::INFINITY) && (s.lower() >= *l && (end > *l || point))
        };
        let chance = |row: (&f64, &Option<f64>)| -> f64 {
            curve.support().iter().filter(|s| holds(s, row)).map(|s| s.mass().get()).sum()
        };
        let chances: Vec<f64> = lower.iter().zip(&upper).map(chance).collect();
        let log_likelihood: f64 = chances.iter().map(|p| p.ln()).sum();
        prop_assert!((log_likelihood - curve.log_likelihood()).abs() < 1e-6 * lower.len() as f64);
        for s in curve.support() {
            let slope: f64 = lower.iter().zip(&upper).zip(&chances)
                .filter(|(row, _)| holds(s, *row)).map(|(_, p)| 1.0 / p).sum();
            prop_assert!(slope <= lower.len() as f64 * (1.0 + 1e-6), "{slope} of {}", lower.len());
        }
        prop_assert!(curve.shortfall() <= 1e-6 * lower.len() as f64, "{}", curve.shortfall());
    }

    #[test]
    fn exposure_is_time_at_risk(rows in prop::collection::vec(row(), 1..40), cut in 1..20_u32) {
        let stays = Durations::from_spells(rows.iter().copied().map(spell)).unwrap();
        let cut = f64::from(cut);
        let Ok(hazard) = PiecewiseHazard::fit(&stays, &[cut], 1.0) else { return Ok(()) };
        let time = |from: f64, to: f64| -> f64 {
            let inside = |r: &(u32, u8, Option<u32>, u32)| {
                let (start, end) = (f64::from(r.2.unwrap_or(0)).max(from), f64::from(r.0).min(to));
                f64::from(r.3) * (end - start).max(0.0)
            };
            rows.iter().map(inside).sum()
        };
        prop_assert!((hazard.bands()[0].exposure() - time(0.0, cut)).abs() < 1e-9);
        prop_assert!((hazard.bands()[1].exposure() - time(cut, f64::INFINITY)).abs() < 1e-9);
    }
}

/// Six standard errors of mean and variance over 20,000 draws: a false alarm once in 5e8.
#[test]
fn draws_have_the_posterior_mean() {
    let stays = Durations::from_days(&[2, 3, 4, 20, 40, 60], &[1, 1, 1, 0, 1, 0]).unwrap();
    let hazard = PiecewiseHazard::fit(&stays, &[7.0], 0.5).unwrap();
    let draws: Vec<Vec<f64>> = (0..20_000).map(|i| hazard.draw(dealcast::Seed::new(3), i)).collect();
    for (i, band) in hazard.bands().iter().enumerate() {
        let n = draws.len() as f64;
        let mean = draws.iter().map(|draw| draw[i]).sum::<f64>() / n;
        let variance = draws.iter().map(|draw| (draw[i] - mean) * (draw[i] - mean)).sum::<f64>() / (n - 1.0);
        assert!((mean - band.posterior_mean()).abs() < 6.0 * (variance / n).sqrt());
    }
}

#[test]
fn a_million_states_and_other_excesses_are_refused_in_time() {
    let start = Instant::now();
    let chain: Vec<Episode> = (0..200_000)
        .map(|i| Episode { from: i, to: Some(i + 1), enter: f64::from(i), exit: f64::from(i + 1) })
        .collect();
    let process = MultiState::forward(&chain).unwrap();
    assert_eq!(process.occupancy(0, 0.0, &[5.0]).unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(process.occupancy(1 << 30, 0.0, &[5.0]).unwrap_err().kind(), ErrorKind::OutOfRange);
    for odd in [f64::NAN, f64::INFINITY, -1.0] {
        let episode = Episode { from: 0, to: Some(1), enter: 0.0, exit: odd };
        assert_eq!(MultiState::forward(&[episode]).unwrap_err().kind(), ErrorKind::OutOfRange);
        assert_eq!(MultiState::reset(&[episode]).unwrap_err().row(), Some(1));
        assert_eq!(Brackets::new(&[odd], &[None]).unwrap_err().kind(), ErrorKind::OutOfRange);
    }
    let stays = Durations::new(&[1.0, 1e300, f64::MAX], &[1, 1, 1]).unwrap();
    let curve = KaplanMeier::fit(&stays);
    assert!(curve.restricted_mean(f64::MAX).unwrap().is_finite());
    assert_eq!(curve.restricted_mean(f64::NAN).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!(PiecewiseHazard::fit(&stays, &[2.0, 1.0], 1.0).unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!(PiecewiseHazard::fit(&stays, &[], f64::NAN).unwrap_err().kind(), ErrorKind::OutOfRange);
    // Staggered windows are the slow case of interval censoring.
    let lower: Vec<f64> = (0..20_000).map(f64::from).collect();
    let upper: Vec<Option<f64>> = lower.iter().map(|l| Some(l + 500.5)).collect();
    assert!(Turnbull::fit(&Brackets::new(&lower, &upper).unwrap()).shortfall().is_finite());
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn types_cross_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<(Durations, KaplanMeier, AalenJohansen, MultiState)>();
    shared::<(Turnbull, PiecewiseHazard, ShrunkRates, WinRate)>();
}
