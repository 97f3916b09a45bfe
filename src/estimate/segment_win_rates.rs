//! Win rates of segments side by side, each drawn towards the others as far as it has little to say.

use super::beta_binomial::{BetaPrior, ShrunkRates};
use super::proportion::Closed;
use super::stage_win_rates::{Entries, row};
use super::win_rate::WinRate;
use crate::deals::Known;
use crate::error::shortened;
use crate::history::lives::{lives, open_stage};
use crate::time::civil_day;
use crate::{Error, ErrorKind, Probability, Result};
use std::collections::BTreeMap;
use std::fmt;

/// Most values of an attribute that are compared: with more it is nearly an id.
const MOST_SEGMENTS: usize = 10_000;

/// The win rates of a stage by the value of an attribute that deals were created with, shrunk towards each other.
///
/// In the words of sales: which region, source or owner wins more, and how much of that is luck? A segment with two deals
/// says little, so its shrunk rate lies close to what segments usually are.
///
/// # Formula
/// Each segment has its [`WinRate`]. For shrinking it counts as the closed deals that it is worth, F (1 - F) / var F of
/// them, rounded to whole ones, in the beta-binomial model of [`ShrunkRates`].
///
/// # Assumptions
/// Those of [`WinRate`] and [`ShrunkRates`]. Attributes that changed later do not count: a value set on losing would
/// explain everything.
///
/// # Example: which region wins?
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::time::date;
/// let deals = (0..60_u32).flat_map(|i| {
///     let (region, end) = (["north", "south"][i as usize % 2], if i % 2 == 0 || i % 5 == 0 { "won" } else { "lost" });
///     let at = date(2026, 1, 1 + i % 28).unwrap();
///     let born = DealEvent::new(i.to_string(), at, Change::Entered("propose".into()))
///         .and(Change::Attribute { name: "region".into(), value: region.into() });
///     [born, DealEvent::new(i.to_string(), at + chrono::Days::new(9), Change::Entered(end.into()))]
/// });
/// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, deals)?;
/// let rates = log.as_of(date(2026, 3, 1)?).win_rates_by("propose", "region")?;
/// let south = &rates.segments()[1];
/// assert_eq!((south.value(), south.rate().n(), south.rate().rate().get()), (Some("south"), 30, 0.2));
/// assert!(south.shrunk().get() > 0.2); // drawn a little towards the north
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentWinRates {
    stage: String,
    attribute: String,
    segments: Vec<SegmentWinRate>,
    shrinkage: Shrinkage,
}

/// How the rates of segments were drawn together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Shrinkage {
    /// Towards each other, as far as chance may explain their differences.
    Towards(BetaPrior),
    /// They do not differ beyond chance: all get the pooled rate.
    Pooled,
    /// Not at all: every segment won all or lost all that closed.
    Nothing,
}

/// One segment.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentWinRate {
    value: Option<String>,
    rate: WinRate,
    shrunk: Probability,
}

impl Known<'_> {
    /// The win rate of a stage by an attribute that deals were created with; one pass over the log.
    ///
    /// # Errors
    /// Those of [`win_rate`](Self::win_rate); [`NoHistory`](ErrorKind::NoHistory) also where no deal has closed;
    /// [`TooLarge`](ErrorKind::TooLarge) beyond 10,000 values.
    pub fn win_rates_by(&self, stage: &str, attribute: &str) -> Result<SegmentWinRates> {
        let id = open_stage(self.process(), stage)?;
        let today = civil_day(self.until());
        let mut by_value: BTreeMap<Option<String>, Entries> = BTreeMap::new();
        lives(self, |life| {
            if by_value.len() > MOST_SEGMENTS || life.first_entry(id).is_none() {
                return;
            }
            let value = life.born_with(attribute).map(str::to_owned);
            by_value.entry(value).or_default().add(life, id, today);
        });
        if by_value.len() > MOST_SEGMENTS {
            return Err(
                Error::new(ErrorKind::TooLarge, "an attribute of at most 10,000 values").field("attribute")
            );
        }
        // A segment of which no entry is known has no rate.
        let rates: Vec<(Option<String>, WinRate)> =
            by_value.into_iter().filter_map(|(value, entries)| Some((value, entries.rate().ok()?))).collect();
        SegmentWinRates::of(stage, attribute, rates)
    }
}

impl SegmentWinRates {
    fn of(stage: &str, attribute: &str, rates: Vec<(Option<String>, WinRate)>) -> Result<Self> {
        let worth: Vec<Closed> = rates.iter().map(|(_, rate)| rate.worth()).collect();
        let (shrinkage, shrunk) = match ShrunkRates::fit(&worth) {
            Ok(fit) => (fit.prior().map_or(Shrinkage::Pooled, Shrinkage::Towards), fit.rates().to_vec()),
            Err(error) if error.kind() == ErrorKind::NotIdentified => {
                (Shrinkage::Nothing, rates.iter().map(|(_, rate)| rate.rate()).collect())
            }
            Err(error) => return Err(error),
        };
        let segment = |((value, rate), shrunk): ((Option<String>, WinRate), Probability)| SegmentWinRate {
            value,
            rate,
            shrunk,
        };
        Ok(Self {
            stage: stage.to_owned(),
            attribute: attribute.to_owned(),
            segments: rates.into_iter().zip(shrunk).map(segment).collect(),
            shrinkage,
        })
    }

    /// The stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// The attribute.
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// By value; deals without the attribute first.
    pub fn segments(&self) -> &[SegmentWinRate] {
        &self.segments
    }

    /// How the rates were drawn together.
    pub const fn shrinkage(&self) -> Shrinkage {
        self.shrinkage
    }
}

impl SegmentWinRate {
    /// The value of the attribute; `None` for deals created without one.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What its own deals say.
    pub const fn rate(&self) -> &WinRate {
        &self.rate
    }

    /// What to expect of it, the other segments considered.
    pub const fn shrunk(&self) -> Probability {
        self.shrunk
    }
}

/// A line a segment, the highest shrunk rate first.
impl fmt::Display for SegmentWinRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "share ever won of the deals that entered {}, by {}\n{:<16}",
            self.stage, self.attribute, ""
        )?;
        write!(f, "{:>8}{:>9}  {:<18}{:>11}{:>9}", "deals", "won", "80 % interval", "still open", "by day")?;
        write!(f, "{:>9}", "shrunk")?;
        let mut order: Vec<&SegmentWinRate> = self.segments.iter().collect();
        order.sort_by(|a, b| b.shrunk.get().total_cmp(&a.shrunk.get()).then_with(|| a.value.cmp(&b.value)));
        for segment in order {
            write!(f, "\n{:<16}", shortened(segment.value().unwrap_or("(not stated)"), 14))?;
            row(f, &segment.rate)?;
            write!(f, "{:>9}", segment.shrunk.to_string())?;
        }
        match self.shrinkage {
            Shrinkage::Towards(_) => Ok(()),
            Shrinkage::Pooled => write!(f, "\nthe segments differ no more than chance allows"),
            Shrinkage::Nothing => write!(f, "\nevery segment won all or lost all that closed"),
        }
    }
}
