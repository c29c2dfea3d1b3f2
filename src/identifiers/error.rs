//! Why a text is not an identifier: which check failed, and what was expected.

/// A text that is not an identifier of its kind. The text itself is not repeated: account
/// numbers stay out of answers and logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: {fault}")]
pub struct IdentifierError {
    /// What it should have been.
    pub kind: &'static str,
    /// Which check failed.
    pub fault: Fault,
}

/// Which check failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Too short or too long.
    #[error("it has {found} characters and must have {expected}")]
    Length {
        /// How many it must have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A character that may not stand there.
    #[error("character {at} must be {expected}")]
    Character {
        /// Its place, counted from 1.
        at: usize,
        /// What must stand there.
        expected: &'static str,
    },
    /// A country without such identifiers.
    #[error("the country `{found}` has none: {hint}")]
    Country {
        /// The two characters.
        found: String,
        /// What to use instead.
        hint: &'static str,
    },
    /// The check digits or the check character are of another number: a typing error.
    #[error("the check {part} should be {expected} and is {found}: a character was mistyped")]
    Check {
        /// `digits` or `character`.
        part: &'static str,
        /// What it must be for the rest of the number.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The state that issued it is not one.
    #[error("the state code `{found}` is not one of 01 to 38 or 97")]
    State {
        /// The two digits.
        found: String,
    },
    /// Another form.
    #[error("it must be {expected}")]
    Form {
        /// What it must be.
        expected: &'static str,
    },
}
