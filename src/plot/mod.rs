//! Pictures of the answers: SVG for a slide, a report or a pull request.
//!
//! Each function takes an answer and gives the text of an SVG file: pure, the same bytes for the same answer, no font
//! file and no system font needed (text names the family `sans-serif`). The title says the finding. Colours are those of
//! Okabe & Ito, and what matters differs in lightness, stripes or line style as well, so that it reads in grey.
//!
//! | question | picture |
//! |---|---|
//! | where will it land? | [`forecast`] |
//! | how likely is the target? | [`chance`] |
//! | what is it made of, and how much is missing? | [`gap`] |
//! | when will it come? | [`fan`](fn@fan) |
//! | are we ahead of past quarters? | [`pacing`](fn@pacing) |
//! | what would move the chance? | [`levers`](fn@levers) |
//! | what changed since Monday? | [`waterfall`] of the pipeline, [`bridge`] of the forecast |
//! | where do deals fall out? | [`funnel`](fn@funnel) |
//! | how long do deals stay? | [`time_in_stage`] |
//! | how good were our forecasts? | [`accuracy`](fn@accuracy), [`pit`] |
//! | are chances what they say? | [`reliability`](fn@reliability) |
//!
//! # Example: the picture for Monday's meeting
//! ```
//! use dealcast::synthetic::{Company, World};
//! use dealcast::{FiscalCalendar, ForecastModel, Seed, Target, plot, time::date};
//! let log = Company::named(World::Stationary, Seed::new(7))?.log()?;
//! let known = log.as_of(date(2023, 8, 14)?);
//! let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
//! let fitted = ForecastModel::default().fit(&known, &quarter)?;
//! let gap = fitted.gap(&known.snapshot(), &quarter, Target::new(1.5e6)?)?;
//! let svg = plot::chance(&gap, plot::Size::default())?;
//! assert!(svg.starts_with("<svg width=\"800\" height=\"450\"") && svg.contains(" chance of 1.50 M: "));
//! # Ok::<(), dealcast::Error>(())
//! ```

mod accuracy;
mod axis;
mod bars;
mod fan;
mod funnel;
mod levers;
mod pacing;
mod reliability;
mod sheet;
mod stays;
mod total;

pub use accuracy::{accuracy, pit};
pub use bars::{bridge, gap, waterfall};
pub use fan::fan;
pub use funnel::funnel;
pub use levers::levers;
pub use pacing::pacing;
pub use reliability::reliability;
pub use sheet::Size;
pub use stays::time_in_stage;
pub use total::{chance, forecast};
