//! Two real stage logs in four cases, as the examples that measure accuracy read them.
//!
//! The folder holds, for each log, `events.csv.gz` (`deal_id, stage, entered_at, amount`) and `deals.csv.gz`.
//! Everything with `entered_at` before an origin is known there, nothing else.

#![allow(dead_code, reason = "each example uses its part")]

use dealcast::backtest::{Backtest, RollingOrigin};
use dealcast::tidy::{self, Reading};
use dealcast::{Amount, DealLog, SalesProcess, time};
use flate2::read::GzDecoder;
use std::error::Error;
use std::fs::File;
use std::path::Path;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// A log, the way it is looked at, and its origins.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    source: Source,
    pub(crate) horizon_days: u32,
    /// The best nCRPS in money and in deals of eight other methods, picked afterwards, with their names.
    pub(crate) peer: Option<(&'static str, f64, f64)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Loans,
    PreacceptedLoans,
    Projects,
    CappedProjects,
}

const fn case(
    name: &'static str,
    source: Source,
    horizon_days: u32,
    peer: Option<(&'static str, f64, f64)>,
) -> Case {
    Case { name, source, horizon_days, peer }
}

/// The four cases at their usual horizons.
pub(crate) const CASES: [Case; 4] = [
    case("bpi2012", Source::Loans, 28, Some(("LightGBM snapshots", 0.085, 0.082))),
    case("bpi2012pre", Source::PreacceptedLoans, 28, Some(("LightGBM snapshots", 0.083, 0.081))),
    case("repd", Source::Projects, 365, Some(("LightGBM recent", 0.242, 0.180))),
    case("repd_cap", Source::CappedProjects, 365, Some(("LightGBM recent", 0.200, 0.162))),
];

/// The shorter and the longer horizon.
pub(crate) const OTHER_HORIZONS: [Case; 4] = [
    case("bpi2012 14 d", Source::Loans, 14, None),
    case("bpi2012 42 d", Source::Loans, 42, None),
    case("bpi2012pre 14 d", Source::PreacceptedLoans, 14, Some(("LightGBM snapshots", 0.082, f64::NAN))),
    case("bpi2012pre 42 d", Source::PreacceptedLoans, 42, Some(("Aalen-Johansen", 0.106, f64::NAN))),
];

impl Case {
    fn is_loans(self) -> bool {
        matches!(self.source, Source::Loans | Source::PreacceptedLoans)
    }

    pub(crate) fn plan(self) -> Outcome<RollingOrigin> {
        let (from, to, step) = if self.is_loans() {
            (time::date(2011, 11, 12)?, time::date(2012, 2, 13)?, 7)
        } else {
            (time::date(2003, 1, 1)?, time::date(2020, 6, 25)?, 91)
        };
        Ok(RollingOrigin::new((from, to), step, self.horizon_days)?)
    }

    pub(crate) fn backtest(self, log: &DealLog) -> Outcome<Backtest<'_>> {
        let threads = std::thread::available_parallelism()?.get();
        let past = if self.is_loans() { 6 } else { 12 };
        Ok(Backtest::new(log, self.plan()?).target_windows(past).threads(threads))
    }

    pub(crate) fn read(self, folder: &Path) -> Outcome<DealLog> {
        let (name, stages) = if self.is_loans() {
            ("bpi2012", ["submitted", "preaccepted", "accepted", "offer_sent", "offer_returned"])
        } else {
            ("repd", ["submitted", "refused", "appeal", "granted", "construction"])
        };
        let open = |file: &str| -> Outcome<csv::Reader<GzDecoder<File>>> {
            Ok(csv::Reader::from_reader(GzDecoder::new(File::open(folder.join(name).join(file))?)))
        };
        let process = SalesProcess::open(stages)?;
        let events = open("events.csv.gz")?.into_deserialize::<tidy::StageRow>();
        let mut all = DealLog::from_rows(&process, events)?;
        if !self.is_loans() {
            let deals = open("deals.csv.gz")?.into_deserialize::<tidy::DealRow>();
            all.append_attributes(deals, &["technology", "country", "region"], Reading::default())?;
        }
        Ok(match self.source {
            Source::Loans | Source::Projects => all,
            Source::PreacceptedLoans => all.starting_at("preaccepted")?,
            Source::CappedProjects => all.capped(Amount::new(100.0)?),
        })
    }
}
