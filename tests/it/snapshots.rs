//! A known log thinned to snapshots: what the reconstruction says beside what was true.

use chrono::{Days, NaiveDateTime};
use dealcast::deals::{Finding, SnapshotSeries, Vanished};
use dealcast::estimate::{ShareInterval, TimeFamily};
use dealcast::history::Next;
use dealcast::model::Reconstruction;
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{DealLog, ErrorKind, ForecastModel, Level, Period, Seed, Snapshot, SnapshotRow};

fn company(seed: u64) -> Company {
    Company::named(World::Stationary, Seed::new(seed)).unwrap()
}

/// What an export of open deals alone says, `every` days apart: no dates, closed deals without one.
fn thinned(log: &DealLog, company: &Company, every: u64) -> SnapshotSeries {
    let (start, end) = (company.history().start(), company.history().end());
    let mut at = start + Days::new(every);
    let mut rows: Vec<(NaiveDateTime, SnapshotRow)> = Vec::new();
    let mut closed = std::collections::BTreeSet::new();
    while at <= end {
        let snapshot = log.as_of(at).snapshot();
        let bare = |id: &str, stage: &str, amount: Option<dealcast::Amount>| SnapshotRow {
            deal_id: id.to_owned(),
            stage: stage.to_owned(),
            amount: amount.map(dealcast::Amount::get),
            ..SnapshotRow::default()
        };
        // A closed deal is exported once, each time that it is closed.
        snapshot.open().iter().for_each(|deal| {
            closed.remove(deal.id());
        });
        rows.extend(snapshot.open().iter().map(|d| (at.into(), bare(d.id(), d.stage(), d.amount()))));
        for deal in snapshot.won().iter().chain(snapshot.lost()) {
            if closed.insert(deal.id().to_owned()) {
                rows.push((at.into(), bare(deal.id(), deal.stage(), deal.amount())));
            }
        }
        at = at + Days::new(every);
    }
    SnapshotSeries::from_rows(log.process(), Vanished::Refused, rows).unwrap()
}

/// The hazard over a span of ages: the chance to have gone there within it, were there no other way.
fn gone_within(reconstruction: &Reconstruction, way: (&str, Next<'_>), days: u32) -> f64 {
    1.0 - (0..days).map(|age| 1.0 - reconstruction.daily_chance(way, age).unwrap().get()).product::<f64>()
}

/// Hazards, win rates and forecasts of weekly exports beside those of the full log. Their differences are below what
/// chance leaves uncertain: rates inside the 90 % interval of the full log's and, over the companies, within 1.5 points of
/// them; the mean of the forecast within a tenth of its spread.
#[test]
fn weekly_exports_say_what_the_log_says() {
    let mut apart = [0.0; 3];
    for seed in 1..4 {
        let company = company(seed);
        let full = company.log().unwrap();
        let reconstruction = thinned(&full, &company, 7).reconstruct().unwrap();
        assert_eq!((reconstruction.coarse_stages(), reconstruction.interval_days()), (&[][..], Some(7)));
        let daily = thinned(&full, &company, 1).reconstruct().unwrap();
        let origin = reconstruction.log().as_of(date(2023, 7, 1).unwrap()).at();
        let [weekly_known, full_known] = [reconstruction.log(), &full].map(|log| log.as_of(origin));
        let level = Level::new(0.9).unwrap();
        let [ours, theirs] = [weekly_known.win_rates(), full_known.win_rates()];
        for ((ours, theirs), apart) in ours.stages().iter().zip(theirs.stages()).zip(&mut apart) {
            let (ours, theirs) = (ours.rate().unwrap(), theirs.rate().unwrap());
            let range = theirs.interval(ShareInterval::Wilson, level);
            assert!(range.contains(ours.rate()), "{ours} {theirs}");
            *apart += (ours.rate().get() - theirs.rate().get()).abs() / 3.0;
        }
        for way in [("qualify", Next::Stage("propose")), ("propose", Next::Lost), ("negotiate", Next::Won)] {
            let [weekly, exact] = [&reconstruction, &daily].map(|r| gone_within(r, way, 28));
            assert!((weekly - exact).abs() < 0.03, "{way:?} {weekly} {exact}");
        }
        let quarter = Period::new(date(2023, 7, 1).unwrap(), date(2023, 10, 1).unwrap()).unwrap();
        let [ours, theirs] = [weekly_known, full_known].map(|known| {
            let model = ForecastModel::default().fit(&known, &quarter).unwrap();
            model.forecast(&known.snapshot(), &quarter).unwrap()
        });
        let sd = theirs.distribution().sd();
        assert!((ours.mean() - theirs.mean()).abs() < 0.1 * sd, "{ours}\n{theirs}");
        assert!((ours.distribution().sd() / sd - 1.0).abs() < 0.15, "{ours}\n{theirs}");
    }
    assert!(apart.iter().all(|&apart| apart < 0.015), "{apart:?}");
}

/// Half of the stays are shorter than a month, so a month hides much: the forecast is still within half of its spread, and
/// the stages that are too quick are named.
#[test]
fn monthly_exports_are_too_coarse_and_say_so() {
    for seed in 1..4 {
        let company = company(seed);
        let full = company.log().unwrap();
        let reconstruction = thinned(&full, &company, 30).reconstruct().unwrap();
        let named: Vec<&str> =
            reconstruction.coarse_stages().iter().map(dealcast::model::CoarseStage::stage).collect();
        assert!(
            named.contains(&"negotiate") && reconstruction.to_string().contains("too quick"),
            "{reconstruction}"
        );
        let origin = reconstruction.log().as_of(date(2023, 7, 1).unwrap()).at();
        let quarter = Period::new(date(2023, 7, 1).unwrap(), date(2023, 10, 1).unwrap()).unwrap();
        let [ours, theirs] = [reconstruction.log(), &full].map(|log| {
            let known = log.as_of(origin);
            let model = ForecastModel::default().fit(&known, &quarter).unwrap();
            model.forecast(&known.snapshot(), &quarter).unwrap()
        });
        assert!((ours.mean() - theirs.mean()).abs() < 0.5 * theirs.distribution().sd(), "{ours}\n{theirs}");
    }
}

fn short_series(every: u64) -> SnapshotSeries {
    let history = Period::new(date(2021, 1, 1).unwrap(), date(2021, 9, 1).unwrap()).unwrap();
    let company = Company::new(World::Reopening.truth(), history, Seed::new(5)).unwrap();
    thinned(&company.log().unwrap(), &company, every)
}

/// What the log shows as of a snapshot is the snapshot, whatever came later.
#[test]
fn the_log_shows_each_snapshot_and_nothing_later() {
    for every in [3, 14] {
        let series = short_series(every);
        let whole = series.reconstruct().unwrap();
        let standing = |snapshot: &Snapshot| {
            let open = snapshot.open().iter().map(|d| (d.id().to_owned(), d.stage().to_owned(), d.amount()));
            open.collect::<Vec<_>>()
        };
        for place in (0..series.n_snapshots()).step_by(5) {
            let at = series.instants()[place];
            let known = whole.log().as_of(at);
            assert_eq!(standing(&known.snapshot()), standing(&series.snapshot(place).unwrap()), "{at}");
        }
        assert!(whole.log().receipt().count(Finding::BetweenSnapshots) > 100);
    }
}

#[test]
fn adding_a_later_snapshot_changes_nothing_before() {
    let day = |day: u64| NaiveDateTime::from(date(2026, 1, 5).unwrap() + Days::new(day));
    let stages = ["qualify", "propose", "won", "lost"];
    let row = |at: u64, deal: u64| {
        let stage = stages[((at / 7 + deal * 5 + deal * deal % 3) % 5).min(3) as usize];
        (day(at), SnapshotRow { deal_id: format!("d{deal}"), stage: stage.into(), ..SnapshotRow::default() })
    };
    let rows = |weeks: u64| {
        (0..weeks).flat_map(move |week| (week % 3..40 + week).map(move |deal| row(7 * week, deal)))
    };
    let process = dealcast::SalesProcess::open(["qualify", "propose"]).unwrap();
    let log = |weeks| {
        SnapshotSeries::from_rows(&process, Vanished::Lost, rows(weeks))
            .unwrap()
            .reconstruct()
            .unwrap()
            .into_log()
    };
    let whole = log(20);
    for weeks in [1, 2, 5, 13] {
        let (then, part) = (day(7 * (weeks - 1)), log(weeks));
        let [a, b] = [&whole, &part].map(|log| log.as_of(then));
        assert_eq!(a.snapshot(), b.snapshot());
        assert_eq!((a.conversion(), a.win_rates()), (b.conversion(), b.win_rates()));
        // Between two snapshots nothing is known of the days since.
        assert_eq!(whole.as_of(then + Days::new(3)).snapshot(), a.snapshot());
    }
}

/// Bounded time and typed answers for series that no company has.
#[test]
fn odd_series_have_answers() {
    let process = dealcast::SalesProcess::open(["qualify", "propose"]).unwrap();
    let none = SnapshotSeries::new(&process, Vanished::Lost).unwrap();
    assert_eq!(none.reconstruct().unwrap_err().kind(), ErrorKind::NoHistory);
    let row = |at: NaiveDateTime, stage: &str| {
        (at, SnapshotRow { deal_id: "a".into(), stage: stage.into(), ..SnapshotRow::default() })
    };
    let of = |rows: Vec<(NaiveDateTime, SnapshotRow)>| {
        let series = SnapshotSeries::from_rows(&process, Vanished::Lost, rows).unwrap();
        (series.reconstruct().unwrap(), series.stays("qualify").unwrap())
    };
    let noon = |day| date(2026, 1, day).unwrap().and_hms_opt(12, 0, 0).unwrap();
    let (one, stays) = of(vec![row(noon(5), "qualify")]);
    assert_eq!((one.interval_days(), stays.n(), stays.n_entry_unknown()), (None, 0, 1));
    assert_eq!(one.log().as_of(noon(5)).snapshot().n_open(), 1);
    assert_eq!(stays.turnbull().unwrap_err().kind(), ErrorKind::NoHistory);
    // A minute apart, years apart, at the ends of the calendar, back and forth.
    let minute = chrono::TimeDelta::minutes(1);
    let ends = [NaiveDateTime::MIN, noon(5), noon(5) + minute, noon(5) + minute + minute, NaiveDateTime::MAX];
    let stages = ["qualify", "propose", "qualify", "won", "lost"];
    let (odd, _) = of(ends.into_iter().zip(stages).map(|(at, stage)| row(at, stage)).collect());
    assert_eq!(odd.log().as_of(noon(5) + minute).snapshot().open()[0].stage(), "qualify");
    let (gap, _) = of(vec![row(noon(5), "qualify"), row(noon(5) + Days::new(401), "propose")]);
    assert_eq!(gap.log().receipt().count(Finding::BetweenSnapshots), 0);
    let (long, _) = of(vec![row(noon(5), "qualify"), row(noon(5) + Days::new(400), "propose")]);
    assert_eq!(long.log().receipt().count(Finding::BetweenSnapshots), 1);
    assert!(none.stays("won").is_err() && one.daily_chance(("won", Next::Won), 1).is_err());
}

/// The brackets hold the curve of the full log: with one snapshot a day they leave a day or two of doubt.
#[test]
fn brackets_hold_the_true_curve() {
    let company = company(1);
    let full = company.log().unwrap();
    let truth = full.as_of(company.history().end()).time_in_stage("propose").unwrap().kaplan_meier().unwrap();
    for (every, doubt) in [(1_u64, 1.0), (7, 7.0)] {
        let stays = thinned(&full, &company, every).stays("propose").unwrap();
        let curve = stays.turnbull().unwrap();
        for t in [14.0, 28.0, 56.0] {
            let (low, high) = (truth.survival(t + doubt).get(), truth.survival(t - doubt - 1.0).get());
            // Two standard errors of a share of 1,500 stays.
            assert!((low - 0.026..=high + 0.026).contains(&curve.survival(t).get()), "{every} {t}");
        }
        let fit = stays.fit(TimeFamily::LogNormal).unwrap();
        assert!((fit.time().quantile(Level::HALF) / truth.median().unwrap() - 1.0).abs() < 0.15);
    }
}
