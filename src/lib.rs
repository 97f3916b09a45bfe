//! An honest revenue forecast from a sales pipeline's history: rows of a CRM export go in; the distribution of what will
//! be won in a period, the chance of hitting a target, and what is missing come out.
//!
//! # Example: will the quarter reach its target?
//! ```
//! use dealcast::synthetic::{Company, World};
//! use dealcast::{FiscalCalendar, ForecastModel, Seed, Target, time::date};
//!
//! let log = Company::named(World::Stationary, Seed::new(7))?.log()?; // or DealLog::from_rows(&process, rows)
//! let known = log.as_of(date(2023, 8, 14)?);                         // what was known that morning
//! let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
//! let fitted = ForecastModel::default().fit(&known, &quarter)?;
//! let book = known.snapshot();
//! let forecast = fitted.forecast(&book, &quarter)?;
//! let gap = fitted.gap(&book, &quarter, Target::new(0.9 * forecast.mean())?)?;
//! assert!(gap.chance().get() > 0.5 && gap.chance().get() < 1.0);
//! println!("{forecast}\n{gap}");
//! # Ok::<(), dealcast::Error>(())
//! ```
//! The data above are made up by [`synthetic`]; [`tidy`] reads a table of stage changes, and the examples of the
//! repository show a program for each question: `quickstart`, `questions`, `gap_to_goal`, `embed_in_service`, and one for each CRM.
//!
//! # The way of the data
//! ```text
//! rows -> DealLog -> Known -> ForecastModel::fit -> FittedModel -+
//!                      |                                         +-> PeriodForecast: mean, quantiles, chances
//!                      +----------> Snapshot, Period, Target ----+-> GapAnalysis: chance of a target, what is missing
//! ```
//! Unfitted, fitted and forecast are three types. A [`FittedModel`] holds no deal: the book is handed to it with every
//! question, so that one model serves a team, or a server, for days.
//!
//! # Words
//!
//! | word | exactly |
//! |---|---|
//! | deal | one potential sale, from first contact to won or lost (an "opportunity" in some CRMs) |
//! | [`SalesProcess`] | the ordered stages, each open, won or lost |
//! | [`DealLog`] | what happened to every deal, with a [`Receipt`](deals::Receipt) of what was done with each row |
//! | [`Known`] | the log as it was visible at an instant: nothing later can be reached through it |
//! | [`Snapshot`] | the book: the deals as recorded at one instant, open and closed ones |
//! | [`Period`] | `[start, end)` in civil days; a [`FiscalCalendar`] makes months, quarters and years |
//! | age | whole days a deal has been in its stage |
//! | booked | amount of the deals that are won as of the instant, won inside the period; not recognised revenue |
//! | new business | deals not yet created that will be won inside the period |
//! | [`WeightedForecast`] | booked + amounts x chances of the open deals + expected new business |
//! | [`Forecast`] | the distribution of the total; its mean is the weighted total, in every engine |
//! | chance of hitting | P(total >= [`Target`]) |
//! | remaining, shortfall | `max(0, target - booked)`; `max(0, target - mean)`, or another stated statistic |
//! | noise floor | the spread that is left even if every chance is right |
//! | quantile | `q10` is the smallest amount that is not exceeded with chance 10 % |
//!
//! Ratios are numbers, 1.0 = 100 %; percent is for reading only. More words, and which win rate is which:
//! [definitions](guide::definitions). A recipe a question: [cookbook](guide::cookbook). Servers:
//! [embedding](guide::embedding). Builds that watch accuracy: [accuracy in CI](guide::accuracy_in_ci).
//!
//! # Rooms
//!
//! | room | what one finds there |
//! |---|---|
//! | [`time`] | periods, fiscal calendars, dates and instants as exports write them |
//! | [`deals`] | what a CRM says, no statistics: process, events, log, snapshot |
//! | [`crm`] | rows of exports as serde structs |
//! | [`history`], [`model`] | counts of what happened and findings on the data; the process of moving through the stages |
//! | [`estimate`] | win rates, time in stage, funnel and the other estimators, one a file, each with its uncertainty |
//! | [`fit`] | [`ForecastModel`] (what to learn), [`FittedModel`] (what was learned) and its answers |
//! | [`forecast`] | the engines of a period's total, for those who bring chances of their own |
//! | [`gap`] | a [`Target`], its chance, and what is missing |
//! | [`score`] | proper scores of a forecast against what came |
//! | [`backtest`] | forecasts of the past beside what came, origin by origin |
//! | [`report`], `plot` | answers as Markdown; as SVG pictures with the feature `plot` |
//! | [`synthetic`] | companies whose truth is known, for tests and one's own power studies |
//! | [`num`] | numbers with a meaning: [`Probability`], [`Level`], [`Amount`], [`Seed`] |
//!
//! # Promises
//!
//! * **No panic, no hang, no flood of memory** for any input; budgets are checked before allocation. Everything that can
//!   be refused returns an [`Error`] with its [`ErrorKind`] and the row, deal, stage and field at fault.
//! * **No look-ahead**: adding anything known after an instant changes no byte of a forecast as of that instant.
//! * **One answer**: a forecast is a pure function of its inputs, options and seed. The order of the rows, the number of
//!   threads and the platform change nothing; a stored model reloads to the last bit.
//! * **Finite**: no `Ok` holds a number that is not finite; 0/0 is `None`.
//! * **Pure**: no I/O, no clock, no global state, no thread that was not asked for. The main types are `Send + Sync`.
//! * Too little data is said, not hidden: see [`fit::Evidence`].

#![cfg_attr(test, allow(clippy::float_cmp, reason = "tests compare bits on purpose"))]

pub mod backtest;
pub mod crm;
pub mod deals;
mod error;
pub mod estimate;
pub mod fit;
pub mod forecast;
pub mod gap;
pub mod guide;
pub mod history;
pub mod model;
pub mod num;
#[cfg(feature = "plot")]
pub mod plot;
pub mod report;
pub mod score;
pub mod synthetic;
pub mod time;

pub use crm::tidy;
pub use deals::{
    Change, DealEvent, DealLog, Known, Mode, SalesProcess, Snapshot, SnapshotRow, SnapshotSeries, Stage,
};
pub use error::{Error, ErrorKind, Result};
pub use fit::{FittedModel, ForecastModel, PeriodForecast, Split, Timing};
pub use forecast::{Forecast, ForecastOptions, SimulationOptions, WeightedForecast};
pub use gap::{GapAnalysis, Target};
pub use history::{ConversionMatrix, DataQuality};
pub use num::{Amount, Level, Probability, Seed};
pub use time::{FiscalCalendar, Period};

/// The programs of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
