//! Companies whose truth is known, for tests, benches, examples and one's own power studies: "with 300 deals a year,
//! would I even notice a win rate that drops by a fifth?"
//!
//! A [`Company`] is a pure function of its [`Truth`], its history and a seed. [`World`] names the ones this crate is
//! judged by. Each deal draws from a stream of its own, so a longer history begins with the shorter one, deal by deal.
//!
//! # How a deal runs
//! * Deals arrive as a Poisson process by day: base rate x growth x weekday x month x jumps ([`Arrivals`]).
//! * In each stage an exit is drawn by its share, then the time until then from the exit's own law ([`Exit`], [`Stay`]):
//!   a semi-Markov process given by its mixture. Some deals are never touched again (`stale`).
//! * The conditions of the day of the move multiply the odds against losing ([`Market`], segment, amount): with share q
//!   of losing and multiplier m it becomes `(q / m) / (q / m + 1 - q)`. A move drawn before is redirected with exactly
//!   the chance that this takes. So drift and shared shocks act when a deal is decided, not when it entered.
//! * A lost deal may come back ([`Reopening`]).
//!
//! The rows of it carry amounts and, if asked, what the reps said ([`Signals`]) and the dirt of real exports ([`Dirt`]).

mod company;
mod deal;
mod rows;
mod stay;
mod truth;
mod worlds;

pub use company::Company;
pub use stay::Stay;
pub use truth::{
    Amounts, Arrivals, Destination, Dirt, Exit, Jump, Market, Reopening, Segment, Signals, StageTruth, Tail,
    Truth,
};
pub use worlds::World;
