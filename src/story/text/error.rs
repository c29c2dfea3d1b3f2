//! What is wrong with a text: where, what was read, and what could stand there.

use std::fmt;

/// Why a text is no story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What stands there; nothing at the end of a statement.
    pub read: Option<String>,
    /// What could stand there instead.
    pub could: Vec<String>,
    /// What is wrong with it, where it was almost right.
    pub reason: Option<String>,
}

/// More would hide what is meant.
const SHOWN_MAX: usize = 40;

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        match &self.read {
            Some(read) => write!(f, "read `{read}`")?,
            None => f.write_str("the statement ends here")?,
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        if self.could.is_empty() {
            return Ok(());
        }
        f.write_str("\nhere could stand:")?;
        for could in self.could.iter().take(SHOWN_MAX) {
            write!(f, "\n  {could}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SyntaxError {}

/// The furthest place to which any reading came, and what could stand there.
#[derive(Default)]
pub(super) struct Furthest {
    /// A number of the statement's words.
    pub at: usize,
    pub could: Vec<String>,
    pub reason: Option<String>,
}

impl Furthest {
    /// Notes that something else was looked for at a place.
    pub fn missed(&mut self, at: usize, could: &str, reason: Option<String>) {
        if at < self.at {
            return;
        }
        if at > self.at {
            *self = Self { at, ..Self::default() };
        }
        if !self.could.iter().any(|known| known == could) {
            self.could.push(could.to_owned());
        }
        self.reason = self.reason.take().or(reason);
    }
}
