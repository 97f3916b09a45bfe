//! The configured stages of a sale.

use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What being in a stage means for a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// Still undecided.
    Open,
    /// The sale was made.
    Won,
    /// The sale will not be made.
    Lost,
}

/// A stage of a [`SalesProcess`]: its name in the CRM, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    name: String,
    kind: StageKind,
}

impl Stage {
    /// A stage in which a deal is undecided.
    pub fn open(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: StageKind::Open }
    }

    /// A stage that means won.
    pub fn won(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: StageKind::Won }
    }

    /// A stage that means lost.
    pub fn lost(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: StageKind::Lost }
    }

    /// Its name, exactly as the rows spell it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it means.
    pub const fn kind(&self) -> StageKind {
        self.kind
    }
}

/// Position of a stage in its process: open stages first, in order, then won, then lost ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StageId(pub(crate) u8);

impl StageId {
    /// For indexing a table of stages.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Most stages a process may have. Real ones have five to fifteen; tables of stage by stage stay small.
const MOST_STAGES: usize = 200;

/// Longest name of a stage in bytes.
const LONGEST_NAME: usize = 4096;

/// The ordered stages of a sale; at least one of them open, one won and one lost.
///
/// # Example: the usual case
/// ```
/// use dealcast::deals::SalesProcess;
/// let process = SalesProcess::open(["qualify", "propose", "negotiate"])?;
/// assert_eq!(process.to_string(), "qualify > propose > negotiate | won | lost");
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Example: several ways to lose
/// ```
/// use dealcast::deals::{SalesProcess, Stage};
/// let stages = [Stage::open("pilot"), Stage::won("signed"), Stage::lost("no budget"), Stage::lost("competitor")];
/// assert_eq!(SalesProcess::new(stages)?.stages().len(), 4);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Stage>", into = "Vec<Stage>")]
pub struct SalesProcess {
    stages: Vec<Stage>,
    n_open: usize,
}

impl SalesProcess {
    /// The open stages in order; a stage named `won` and one named `lost` follow.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn open<S: Into<String>>(stages: impl IntoIterator<Item = S>) -> Result<Self> {
        Self::new(stages.into_iter().map(Stage::open).chain([Stage::won("won"), Stage::lost("lost")]))
    }

    /// Any stages; open ones keep their order and come before won and lost ones.
    ///
    /// # Errors
    /// [`InvalidProcess`](ErrorKind::InvalidProcess) for an empty, repeated or overlong name, more than 200 stages, or
    /// where no stage is open, none won or none lost.
    pub fn new(stages: impl IntoIterator<Item = Stage>) -> Result<Self> {
        // One more than allowed is enough to know; an endless iterator must not fill the memory.
        let mut stages: Vec<Stage> = stages.into_iter().take(MOST_STAGES + 1).collect();
        if stages.len() > MOST_STAGES {
            return Err(Error::new(ErrorKind::InvalidProcess, "at most 200 stages"));
        }
        stages.sort_by_key(Stage::kind);
        for (i, stage) in stages.iter().enumerate() {
            let expected = match stage.name() {
                name if name.trim().is_empty() => "a name for every stage",
                name if name.len() > LONGEST_NAME => "a name of at most 4096 bytes",
                name if stages.iter().take(i).any(|other| other.name() == name) => "different names",
                _ => continue,
            };
            return Err(Error::new(ErrorKind::InvalidProcess, expected).in_stage(stage.name()));
        }
        for (kind, expected) in [
            (StageKind::Open, "at least one open stage"),
            (StageKind::Won, "at least one stage that means won"),
            (StageKind::Lost, "at least one stage that means lost"),
        ] {
            if !stages.iter().any(|stage| stage.kind == kind) {
                return Err(Error::new(ErrorKind::InvalidProcess, expected));
            }
        }
        let n_open = stages.iter().filter(|stage| stage.kind == StageKind::Open).count();
        Ok(Self { stages, n_open })
    }

    /// All stages: open ones in order, then won, then lost ones.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The open stages in order.
    pub fn open_stages(&self) -> &[Stage] {
        self.stages.get(..self.n_open).unwrap_or(&[])
    }

    /// Position of the stage with exactly this name.
    pub(crate) fn find(&self, name: &str) -> Result<StageId> {
        self.stages
            .iter()
            .position(|stage| stage.name == name)
            .and_then(|position| u8::try_from(position).ok())
            .map(StageId)
            .ok_or_else(|| {
                Error::new(ErrorKind::UnknownStage, "a stage of the process").found(name).field("stage")
            })
    }

    /// The stage at a position of this process.
    pub(crate) fn name(&self, stage: StageId) -> &str {
        self.stages.get(stage.index()).map_or("", Stage::name)
    }

    /// What the stage at a position of this process means.
    pub(crate) fn kind(&self, stage: StageId) -> StageKind {
        match self.stages.get(stage.index()) {
            Some(stage) => stage.kind,
            None => StageKind::Open,
        }
    }
}

impl TryFrom<Vec<Stage>> for SalesProcess {
    type Error = Error;
    fn try_from(stages: Vec<Stage>) -> Result<Self> {
        Self::new(stages)
    }
}

impl From<SalesProcess> for Vec<Stage> {
    fn from(process: SalesProcess) -> Self {
        process.stages
    }
}

impl fmt::Display for SalesProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, stage) in self.stages.iter().enumerate() {
            let separator = match stage.kind {
                _ if i == 0 => "",
                StageKind::Open => " > ",
                _ => " | ",
            };
            write!(f, "{separator}{}", stage.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_processes_do_not_construct() {
        let none: [&str; 0] = [];
        assert!(SalesProcess::open(none).is_err());
        for stages in [vec!["a", "a"], vec!["a", " "], vec!["won"], vec!["lost", "b"]] {
            assert_eq!(SalesProcess::open(stages).unwrap_err().kind(), ErrorKind::InvalidProcess);
        }
        assert!(SalesProcess::open((0..).map(|i: u64| i.to_string())).is_err());
        assert!(SalesProcess::open(["x".repeat(1 << 20)]).is_err());
        assert!(SalesProcess::new([Stage::open("a"), Stage::won("b")]).is_err());
    }

    #[test]
    fn closed_stages_come_last_whatever_the_order() {
        let process =
            SalesProcess::new([Stage::lost("l"), Stage::open("a"), Stage::won("w"), Stage::open("b")]);
        assert_eq!(process.unwrap().to_string(), "a > b | w | l");
    }

    #[test]
    fn serde_goes_through_the_constructor() {
        let process = SalesProcess::open(["a", "b"]).unwrap();
        let text = serde_json::to_string(&process).unwrap();
        assert_eq!(serde_json::from_str::<SalesProcess>(&text).unwrap(), process);
        assert!(serde_json::from_str::<SalesProcess>("[]").is_err());
    }
}
