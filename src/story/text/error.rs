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
const SHOWN_MAX: usize = 12;

/// Letters that may be wrong in a word that is taken for another.
const SLIPS_MAX: usize = 2;

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
        if let Some(meant) = self.meant() {
            write!(f, "\ndid you mean `{meant}`?")?;
        }
        if self.could.is_empty() {
            return Ok(());
        }
        f.write_str("\nhere could stand:")?;
        for could in self.could.iter().take(SHOWN_MAX) {
            write!(f, "\n  {could}")?;
        }
        match self.could.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} others: `mizan story grammar` lists them"),
        }
    }
}

impl SyntaxError {
    /// The word that is most like what was read, if one is.
    fn meant(&self) -> Option<&str> {
        let read = self.read.as_deref()?;
        let is_plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
        let is_word = |word: &&str| word.len() > 1 && word.bytes().all(is_plain);
        let quoted = self.could.iter().filter(|could| could.contains('`'));
        let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let words = quoted.flat_map(|could| could.split(ends));
        let slips = |word: &str| {
            let bound = SLIPS_MAX.min(word.len() / 2);
            Some(distance(read, word)).filter(|slips| (1..=bound).contains(slips))
        };
        let near = words.filter(is_word).filter_map(|word| Some((slips(word)?, word)));
        near.min_by_key(|(slips, _)| *slips).map(|(_, word)| word)
    }
}

/// How many letters have to be put in, left out or changed to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (n, l) in left.chars().enumerate() {
        let mut next = vec![n + 1];
        for (m, r) in right.iter().enumerate() {
            let changed = row[m] + usize::from(l != *r);
            next.push(changed.min(row[m + 1] + 1).min(next[m] + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
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
