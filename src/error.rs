//! One error type for the whole crate: what went wrong, and where in the caller's data.

use std::borrow::Cow;
use std::fmt;

/// The result of everything in this crate that can be refused.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of refusal an [`Error`] is.
///
/// New kinds may be added; match with a wildcard arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A number is not finite or lies outside the range its meaning allows.
    OutOfRange,
    /// A text could not be read as a date, an instant, a number or a flag.
    Unreadable,
    /// A field that is needed is missing or empty.
    Missing,
    /// A stage is not part of the sales process.
    UnknownStage,
    /// The stages do not form a sales process.
    InvalidProcess,
    /// A date or period does not exist or has no length.
    InvalidPeriod,
    /// A fitted model was asked for a period it was not fitted for.
    PeriodMismatch,
    /// A question as of a date before what the model already knows.
    LookAhead,
    /// There is nothing to learn from.
    NoHistory,
    /// The maximum of the likelihood does not exist for these data.
    NotIdentified,
    /// Two inputs that belong together have different lengths.
    LengthMismatch,
    /// The request needs more memory or work than its budget allows.
    TooLarge,
    /// Amounts are in several currencies and a rate is missing.
    MissingRate,
    /// A sum left the range of finite numbers.
    Overflow,
    /// A stored model or report breaks an invariant of its type.
    InvalidModel,
    /// A stored model or report has a schema version this crate does not read.
    UnknownVersion,
    /// The caller's progress callback asked to stop.
    Cancelled,
}

impl ErrorKind {
    /// The stable `snake_case` name, for logs and other languages.
    ///
    /// ```
    /// assert_eq!(dealcast::ErrorKind::UnknownStage.name(), "unknown_stage");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfRange => "out_of_range",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::UnknownStage => "unknown_stage",
            Self::InvalidProcess => "invalid_process",
            Self::InvalidPeriod => "invalid_period",
            Self::PeriodMismatch => "period_mismatch",
            Self::LookAhead => "look_ahead",
            Self::NoHistory => "no_history",
            Self::NotIdentified => "not_identified",
            Self::LengthMismatch => "length_mismatch",
            Self::TooLarge => "too_large",
            Self::MissingRate => "missing_rate",
            Self::Overflow => "overflow",
            Self::InvalidModel => "invalid_model",
            Self::UnknownVersion => "unknown_version",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why an input was refused, and where: row, deal, stage, field, what was expected and what was found.
///
/// # Example: which cell was it?
/// ```
/// use dealcast::{ErrorKind, Probability};
/// let error = Probability::new(1.2).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::OutOfRange);
/// assert_eq!(error.to_string(), "probability: expected a number from 0 to 1, found 1.2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(Box<Report>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Report {
    kind: ErrorKind,
    expected: Cow<'static, str>,
    found: Option<String>,
    row: Option<u64>,
    deal: Option<String>,
    stage: Option<String>,
    field: Option<Cow<'static, str>>,
}

/// Longest piece of a caller's text that an error repeats, in characters.
const QUOTED: usize = 80;

impl Error {
    pub(crate) fn new(kind: ErrorKind, expected: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Report {
            kind,
            expected: expected.into(),
            found: None,
            row: None,
            deal: None,
            stage: None,
            field: None,
        }))
    }

    /// What the input held instead.
    pub(crate) fn found(mut self, found: impl fmt::Display) -> Self {
        self.0.found = Some(quoted(&found.to_string()));
        self
    }

    /// The first row is 1.
    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.0.row = Some(row);
        self
    }

    pub(crate) fn of_deal(mut self, deal: &str) -> Self {
        self.0.deal = Some(quoted(deal));
        self
    }

    pub(crate) fn in_stage(mut self, stage: &str) -> Self {
        self.0.stage = Some(quoted(stage));
        self
    }

    pub(crate) fn field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// A number outside the range its meaning allows.
    pub(crate) fn out_of_range(field: &'static str, expected: &'static str, found: f64) -> Self {
        Self::new(ErrorKind::OutOfRange, expected).field(field).found(found)
    }

    /// What kind of refusal this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The input row it happened in, counted from 1.
    pub fn row(&self) -> Option<u64> {
        self.0.row
    }

    /// The deal it happened in, shortened to 80 characters.
    pub fn deal(&self) -> Option<&str> {
        self.0.deal.as_deref()
    }

    /// The stage it happened in.
    pub fn stage(&self) -> Option<&str> {
        self.0.stage.as_deref()
    }

    /// The name of the field, column or argument.
    pub fn field_name(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What would have been accepted.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What the input held instead, shortened to 80 characters.
    pub fn found_text(&self) -> Option<&str> {
        self.0.found.as_deref()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = Vec::new();
        place.extend(self.row.map(|row| format!("row {row}")));
        place.extend(self.deal.as_ref().map(|deal| format!("deal {deal}")));
        place.extend(self.stage.as_ref().map(|stage| format!("stage {stage}")));
        place.extend(self.field.as_ref().map(ToString::to_string));
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        write!(f, "expected {}", self.expected)?;
        match &self.found {
            Some(found) => write!(f, ", found {found}"),
            None => Ok(()),
        }
    }
}

/// The start of a caller's text, made harmless, so that no log is flooded or rewritten by it.
fn quoted(text: &str) -> String {
    shortened(text, QUOTED)
}

/// The first `most` characters of a caller's text for people to read, each invisible one as a space.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let visible = |c: char| if c.is_control() || is_invisible(c) { ' ' } else { c };
    let mut start: String = text.chars().take(most).map(visible).collect();
    if text.chars().nth(most).is_some() {
        start.push('…');
    }
    start
}

/// Characters without a width of their own: they hide in a text, join its letters, break its lines or turn its
/// direction, so that what is read is not what is written.
///
/// # Reference
/// Unicode Standard, General Categories Cf, Zl and Zp, those that need no knowledge of the script; Boucher and
/// Anderson (2023), Trojan Source.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_row_deal_stage_and_field() {
        let error = Error::new(ErrorKind::OutOfRange, "a finite number")
            .found("inf")
            .at_row(12)
            .of_deal("D-17")
            .in_stage("propose")
            .field("amount");
        assert_eq!(
            error.to_string(),
            "row 12, deal D-17, stage propose, amount: expected a finite number, found inf"
        );
    }

    #[test]
    fn long_and_hostile_text_is_shortened() {
        let error = Error::new(ErrorKind::Unreadable, "a date").of_deal(&"x\u{0}\n".repeat(1 << 20));
        assert!(error.to_string().len() < 400);
        assert!(!error.to_string().contains(['\n', '\u{0}']));
    }

    #[test]
    fn invisible_text_cannot_rewrite_a_message() {
        let hidden =
            ['\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{2028}', '\u{feff}', '\u{e0041}', '\u{1b}'];
        for c in hidden {
            let error = Error::new(ErrorKind::Unreadable, "a date").found(format_args!("a{c}b"));
            assert_eq!(error.found_text(), Some("a b"), "{c:?}");
        }
        let plain = "Zürich 東京 عقد עסקה ½";
        assert_eq!(quoted(plain), plain);
    }
}
