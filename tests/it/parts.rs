//! Every part of the default model helps in the world that has what it looks for, and does no harm where it is not.

use dealcast::backtest::{Backtest, RollingOrigin};
use dealcast::fit::Part;
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{ForecastModel, Seed};

/// What a model lost over what came, in the quarters of two years, over some companies.
fn lost(model: &ForecastModel, world: World) -> f64 {
    let (mut crps, mut actual) = (0.0, 0.0);
    for seed in 0..4 {
        let mut truth = world.truth();
        truth.arrivals.daily /= 3.0;
        let usual = Company::named(world, Seed::new(seed)).unwrap();
        let log = Company::new(truth, *usual.history(), Seed::new(seed)).unwrap().log().unwrap();
        let plan =
            RollingOrigin::new((date(2022, 1, 3).unwrap(), date(2023, 10, 2).unwrap()), 91, 91).unwrap();
        let report = Backtest::new(&log, plan).run(model).unwrap();
        for origin in report.origins() {
            crps += origin.money.crps;
            actual += origin.money.actual;
        }
    }
    crps / actual
}

/// The loss with a part over that without.
fn worth(part: Part, world: World) -> f64 {
    let model = ForecastModel::default();
    lost(&model, world) / lost(&model.without(part), world)
}

#[test]
fn reps_who_know_are_believed_and_reps_who_guess_are_not() {
    let (knowing, guessing) =
        (worth(Part::RepSignals, World::RepSignals), worth(Part::RepSignals, World::NoisySignals));
    assert!(knowing < 0.95, "{knowing}");
    assert!((guessing - 1.0).abs() < 0.005, "{guessing}");
    assert_eq!(worth(Part::RepSignals, World::Stationary), 1.0);
}

#[test]
fn months_are_learned_where_there_are_seasons() {
    let (seasonal, batches) =
        (worth(Part::Seasons, World::Seasonal), worth(Part::Seasons, World::YearlyBatches));
    assert!(seasonal < 0.9, "{seasonal}");
    assert!(batches < 0.7, "{batches}");
    let steady = worth(Part::Seasons, World::Stationary);
    assert!((steady - 1.0).abs() < 0.02, "{steady}");
}
