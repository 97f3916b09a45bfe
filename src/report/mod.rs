//! Answers as Markdown, for a comment on a pull request, an issue or a wiki page.
//!
//! Every answer that a team reads together has `to_markdown`: a bold line with the finding, then tables whose columns
//! stand below each other also in the source. Names of deals, stages and forecasters are escaped: none can break a table
//! or start a link. `Display` says the same for a terminal.
//!
//! | answer | |
//! |---|---|
//! | [`Receipt`](crate::deals::Receipt) | what was read, dropped or found odd |
//! | [`Forecast`](crate::Forecast), [`PeriodForecast`](crate::PeriodForecast) | where it will land |
//! | [`GapAnalysis`](crate::GapAnalysis) | the chance of the target, what is missing, which deals decide |
//! | [`Waterfall`](crate::deals::Waterfall), [`Bridge`](crate::gap::Bridge) | what changed: the pipeline, the forecast |
//! | [`Segments`](crate::gap::Segments), [`RollUp`](crate::gap::RollUp) | by region or owner; what reps say, beside the model |
//! | [`Outlook`](crate::gap::Outlook), [`LeverTable`](crate::gap::LeverTable), [`Pacing`](crate::gap::Pacing), [`Slippage`](crate::gap::Slippage) | where it stands, what would move it, against past periods, what slips |
//! | [`AccuracyReport`](crate::backtest::AccuracyReport) | how good the forecasts were |
//! | [`Comparison`](crate::backtest::Comparison) | which of two forecasters is closer |
//!
//! # Example: a comment for the weekly pull request
//! ```
//! use dealcast::{Amount, GapAnalysis, Level, Target};
//! use dealcast::forecast::{ForecastOptions, Total};
//! let booked = Total::new(Amount::new(300.0)?, [])?;
//! let gap = GapAnalysis::of(&booked, Target::new(400.0)?, Level::new(0.8)?, &ForecastOptions::default())?;
//! let comment = gap.to_markdown();
//! assert!(comment.starts_with("**0 % chance of 400**\n\n|"));
//! assert!(comment.contains("| remaining                |        100 |"));
//! # Ok::<(), dealcast::Error>(())
//! ```

mod accuracy;
mod forecast;
mod gap;
mod groups;
mod receipt;
mod standing;
mod table;
mod waterfall;
