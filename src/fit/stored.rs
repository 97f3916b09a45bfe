//! The stored form of a model: versioned, checked on the way in.

use super::assumed::Assumed;
use super::calibration::{Calibration, Ratio};
use super::fitted::{Basis, FittedModel};
use super::options::LONGEST;
use crate::deals::SalesProcess;
use crate::model::hazard::Table;
use crate::model::process::Process;
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// Schema version that this crate writes and reads.
const VERSION: u32 = 1;
/// Largest odds factor, ratio or rate that a model may hold.
const MOST: f64 = 1e12;
/// Most levels an attribute may have in a stored model.
const MOST_LEVELS: usize = 64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u32,
    sales_process: SalesProcess,
    as_of: NaiveDateTime,
    horizon_days: i32,
    basis: StoredBasis,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(clippy::large_enum_variant, reason = "lives for one conversion")]
enum StoredBasis {
    Fitted { process: Process, calibration: Calibration, n_won: usize },
    Assumed(Assumed),
}

impl From<FittedModel> for Stored {
    fn from(model: FittedModel) -> Self {
        let basis = match model.basis {
            Basis::Fitted { process, calibration, n_won } => {
                StoredBasis::Fitted { process, calibration, n_won }
            }
            Basis::Assumed(assumed) => StoredBasis::Assumed(assumed),
        };
        Self {
            version: VERSION,
            sales_process: model.process,
            as_of: model.as_of,
            horizon_days: model.horizon,
            basis,
        }
    }
}

impl TryFrom<Stored> for FittedModel {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        if stored.version != VERSION {
            return Err(Error::new(
                ErrorKind::UnknownVersion,
                format!("a model of schema version {VERSION}"),
            )
            .found(stored.version)
            .field("version"));
        }
        let n_open = stored.sales_process.open_stages().len();
        let basis = match stored.basis {
            StoredBasis::Fitted { process, calibration, n_won } => {
                check((1..=LONGEST).contains(&stored.horizon_days), "a horizon of 1 to 1,830 days")?;
                check_process(&process, n_open)?;
                check_calibration(&calibration)?;
                Basis::Fitted { process, calibration, n_won }
            }
            StoredBasis::Assumed(assumed) => {
                check(stored.horizon_days == Assumed::ANY_HORIZON, "no horizon in an assumed model")?;
                assumed.check(n_open)?;
                Basis::Assumed(assumed)
            }
        };
        Ok(Self { process: stored.sales_process, as_of: stored.as_of, horizon: stored.horizon_days, basis })
    }
}

fn check(holds: bool, expected: &'static str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::new(ErrorKind::InvalidModel, expected).field("model")) }
}

fn is_factor(x: f64) -> bool {
    (0.0..=MOST).contains(&x)
}

fn check_process(process: &Process, n_open: usize) -> Result<()> {
    let hazards = |table: &Table| {
        table.is_valid(n_open, |h| (0.0..=1.0).contains(&h))
            && table.rows().all(|(.., row)| Table::stay(row) > 0.0)
    };
    check(
        hazards(&process.base),
        "hazards from 0 to 1 by stage, age and destination that leave something to stay",
    )?;
    let level = process.level.len() == n_open * (n_open + 2) && process.level.iter().all(|&x| is_factor(x));
    check(level, "a level for every transition")?;
    let effects = process.effects.0.len() <= 2
        && process.effects.0.iter().all(|effect| {
            effect.levels.len() <= MOST_LEVELS
                && effect.levels.is_sorted_by(|a, b| a < b)
                && effect.factors.len() == effect.levels.len() + 1
                && effect.factors.iter().all(|table| table.is_valid(n_open, is_factor))
        });
    check(effects, "at most two attributes with sorted levels and a table of factors for each")?;
    let calendar = process.weekdays.all().chain(process.seasons.all()).chain(process.arrivals.months.all());
    check(calendar.into_iter().all(is_factor), "factors of weekdays and months >= 0")?;
    let arrivals = &process.arrivals;
    let rates = arrivals.weekday.iter().chain([&arrivals.daily, &arrivals.variance]).all(|&x| is_factor(x));
    check(rates, "arrivals that are finite and >= 0")?;
    let entries = process.entries.iter().all(|entry| {
        usize::from(entry.stage) <= n_open
            && usize::try_from(entry.group).is_ok_and(|group| group < process.effects.n_groups())
            // Shares that were added up may exceed 1 by rounding.
            && (0.0..=1.0 + 1e-9).contains(&entry.weight)
            && entry.amount.is_none_or(|amount| amount >= 0.0)
    });
    check(entries, "entries of known stage and group with a weight from 0 to 1 and an amount >= 0")
}

fn check_calibration(calibration: &Calibration) -> Result<()> {
    let Ratio { deals, money } = calibration.open;
    let ratios = [deals, money, calibration.new.deals, calibration.new.money];
    check(ratios.into_iter().all(|x| x > 0.0 && is_factor(x)), "ratios above 0")?;
    check(is_factor(calibration.windows), "a number of windows >= 0")?;
    let offsets = &calibration.offsets;
    check(
        offsets.is_whole() && offsets.factors().all(|x| x > 0.0 && is_factor(x)),
        "an odds factor for everything reps say",
    )?;
    check((0.0..=1.0).contains(&calibration.tau), "a shock from 0 to 1")
}
