//! The companies this crate is judged by, by name.

use super::stay::Stay;
use super::truth::{
    Amounts, Arrivals, Destination, Dirt, Exit, Jump, Market, Reopening, Segment, Signals, StageTruth, Tail,
    Truth,
};
use crate::Result;
use crate::num::Probability;
use crate::time::{Period, date};
use serde::{Deserialize, Serialize};

/// A company by name. Each but the first differs from [`Stationary`](Self::Stationary) in what its name says.
///
/// # Example: does rep input exist in this world?
/// ```
/// use dealcast::synthetic::{Signals, World};
/// assert_eq!(World::Stationary.truth().signals, Signals::None);
/// assert_eq!(World::NoisySignals.truth().signals, Signals::Noise);
/// assert_eq!(World::GATE.len(), 12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum World {
    /// Three stages, 30 % won, about two deals a working day; nothing changes.
    Stationary,
    /// Arrivals of November are five times those of July; volume grows by a tenth a year.
    Seasonal,
    /// The odds of every decision fall by a third each year.
    DriftingWinRate,
    /// A deal ten times the median takes twice as long and has a third of the odds at each decision.
    BigDealsSlower,
    /// Six stages; most deals skip some of them, some move back.
    Skipping,
    /// Four of ten lost deals come back after a month or two.
    Reopening,
    /// One deal in six of each stage is never touched again.
    Stale,
    /// Eight deals in all.
    Sparse,
    /// From the fourth year on, four times the deals.
    VolumeJump,
    /// All wins wait for 15 December.
    YearlyBatches,
    /// One deal in ten has a Pareto amount of index 1.3: a mean, but no variance.
    HeavyTailed,
    /// Reps know when a deal will close, to 12 days, and whether, nine times in ten.
    RepSignals,
    /// Reps say as much, and know nothing.
    NoisySignals,
    /// In each quarter all odds share one factor, with a standard deviation of 0.6 in its logarithm.
    SharedShock,
    /// Three segments that win 20 % to 45 %.
    Segments,
    /// Everything is decided the moment a deal is created: nothing known can tell anything about the future.
    NullSignal,
    /// Bad amounts, duplicates, late records, in no order.
    Dirty,
}

impl World {
    /// The twelve worlds of the accuracy gate.
    pub const GATE: [Self; 12] = [
        Self::Stationary,
        Self::Seasonal,
        Self::DriftingWinRate,
        Self::BigDealsSlower,
        Self::Skipping,
        Self::Reopening,
        Self::Stale,
        Self::Sparse,
        Self::VolumeJump,
        Self::YearlyBatches,
        Self::HeavyTailed,
        Self::RepSignals,
    ];

    /// All worlds.
    pub const ALL: [Self; 17] = [
        Self::Stationary,
        Self::Seasonal,
        Self::DriftingWinRate,
        Self::BigDealsSlower,
        Self::Skipping,
        Self::Reopening,
        Self::Stale,
        Self::Sparse,
        Self::VolumeJump,
        Self::YearlyBatches,
        Self::HeavyTailed,
        Self::RepSignals,
        Self::NoisySignals,
        Self::SharedShock,
        Self::Segments,
        Self::NullSignal,
        Self::Dirty,
    ];

    /// Five years, 2019 to 2023.
    pub(super) fn history() -> Result<Period> {
        Period::new(date(2019, 1, 1)?, date(2024, 1, 1)?)
    }

    /// What is true of it.
    pub fn truth(self) -> Truth {
        let mut truth = stationary();
        match self {
            Self::Stationary => {}
            Self::Seasonal => {
                truth.arrivals.months = [0.8, 1.0, 1.2, 0.9, 0.8, 0.6, 0.4, 0.6, 1.2, 1.6, 2.0, 0.9];
                truth.arrivals.growth = 1.1;
            }
            Self::DriftingWinRate => truth.market.drift = 2.0 / 3.0,
            Self::BigDealsSlower => {
                truth.amounts.odds_power = -0.477;
                truth.amounts.days_power = 0.301;
            }
            Self::Skipping => truth.stages = skipping(),
            Self::Reopening => {
                truth.reopening = Some(Reopening {
                    chance: Probability::rounded(0.4),
                    stage: 1,
                    after: Stay::LogNormal { median_days: 45.0, spread: 0.6 },
                });
            }
            Self::Stale => truth.stages.iter_mut().for_each(|s| s.stale = Probability::rounded(1.0 / 6.0)),
            Self::Sparse => truth.arrivals = Arrivals { daily: 0.02, at_most: Some(8), ..truth.arrivals },
            Self::VolumeJump => truth.arrivals.jump = Some(Jump { after_days: 1096, factor: 4.0 }),
            Self::YearlyBatches => truth.closing_day = Some((12, 15)),
            Self::HeavyTailed => {
                truth.amounts.tail = Some(Tail { share: Probability::rounded(0.1), index: 1.3 });
            }
            Self::RepSignals => {
                truth.signals =
                    Signals::Informative { error_days: 12.0, mistaken: Probability::rounded(0.1) };
            }
            Self::NoisySignals => truth.signals = Signals::Noise,
            Self::SharedShock => truth.market.shock = 0.6,
            Self::Segments => truth.segments = segments(),
            Self::NullSignal => truth.stages = decided_at_once(),
            Self::Dirty => truth.dirt = dirt(),
        }
        truth
    }
}

fn stage(name: &str, exits: &[(Destination, f64, Stay)]) -> StageTruth {
    let exits = exits.iter().map(|&(to, weight, stay)| Exit { to, weight, stay }).collect();
    StageTruth { name: name.to_owned(), exits, stale: Probability::ZERO }
}

fn stationary() -> Truth {
    use Destination::{Lost, Stage, Won};
    let about = |median_days| Stay::LogNormal { median_days, spread: 0.9 };
    let stages = vec![
        stage(
            "qualify",
            &[(Stage(1), 0.6, about(12.0)), (Lost, 0.4, Stay::Weibull { scale_days: 30.0, shape: 0.8 })],
        ),
        stage("propose", &[(Stage(2), 0.7, about(20.0)), (Lost, 0.3, about(35.0))]),
        stage("negotiate", &[(Won, 5.0 / 7.0, about(15.0)), (Lost, 2.0 / 7.0, Stay::Daily { chance: 0.03 })]),
    ];
    Truth {
        stages,
        arrivals: Arrivals {
            daily: 1.4,
            growth: 1.0,
            weekdays: [1.4, 1.4, 1.4, 1.4, 1.4, 0.0, 0.0],
            months: [1.0; 12],
            jump: None,
            at_most: None,
        },
        amounts: Amounts { median: 20_000.0, spread: 0.8, tail: None, odds_power: 0.0, days_power: 0.0 },
        segments: Vec::new(),
        market: Market { drift: 1.0, shock: 0.0 },
        reopening: None,
        closing_day: None,
        signals: Signals::None,
        dirt: Dirt::NONE,
    }
}

fn skipping() -> Vec<StageTruth> {
    use Destination::{Lost, Stage, Won};
    let about = |median_days| Stay::LogNormal { median_days, spread: 0.8 };
    vec![
        stage(
            "lead",
            &[(Stage(1), 0.4, about(5.0)), (Stage(3), 0.25, about(8.0)), (Lost, 0.35, about(20.0))],
        ),
        stage(
            "meet",
            &[(Stage(2), 0.4, about(10.0)), (Stage(4), 0.3, about(14.0)), (Lost, 0.3, about(25.0))],
        ),
        stage("demo", &[(Stage(3), 0.6, about(8.0)), (Stage(1), 0.1, about(15.0)), (Lost, 0.3, about(25.0))]),
        stage("trial", &[(Stage(4), 0.5, about(20.0)), (Won, 0.2, about(25.0)), (Lost, 0.3, about(30.0))]),
        stage(
            "offer",
            &[(Stage(5), 0.5, about(10.0)), (Stage(2), 0.15, about(12.0)), (Lost, 0.35, about(20.0))],
        ),
        stage("sign", &[(Won, 0.85, about(6.0)), (Lost, 0.15, Stay::Daily { chance: 0.05 })]),
    ]
}

fn decided_at_once() -> Vec<StageTruth> {
    use Destination::{Lost, Won};
    vec![stage("offer", &[(Won, 0.3, Stay::AtOnce), (Lost, 0.7, Stay::AtOnce)])]
}

fn segments() -> Vec<Segment> {
    [("public", 0.3, 0.7), ("mid-market", 0.5, 1.0), ("partner", 0.2, 1.8)]
        .map(|(name, share, odds)| Segment { name: name.into(), share, odds })
        .into()
}

fn dirt() -> Dirt {
    Dirt {
        bad_amounts: Probability::rounded(0.02),
        duplicates: Probability::rounded(0.05),
        late: Probability::rounded(0.1),
        shuffled: true,
    }
}
