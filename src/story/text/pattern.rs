//! Patterns: how they are read, and how words are fitted to them.

use super::error::Furthest;
use super::lexer::Token;
use super::value::{Kind, Value};

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// This word.
    Word(&'static str),
    /// A value.
    Field(&'static str, Kind),
    /// All of these or none.
    Maybe(Vec<Part>),
}

/// The values that were read, by the names of their fields.
pub type Fields = Vec<(&'static str, Value)>;

/// Reads a pattern. Patterns are written in the program, so that a mistake in one is found by
/// the test that reads all of them.
pub fn parts(pattern: &'static str) -> Vec<Part> {
    let mut stack = vec![Vec::new()];
    for word in pattern.split_whitespace() {
        let open = word.starts_with('[');
        let closed = word.ends_with(']');
        let word = word.trim_start_matches('[').trim_end_matches(']');
        if open {
            stack.push(Vec::new());
        }
        if let Some(parts) = stack.last_mut() {
            parts.push(part(word));
        }
        if closed && let Some(group) = stack.pop() {
            match stack.last_mut() {
                Some(parts) => parts.push(Part::Maybe(group)),
                None => stack.push(group),
            }
        }
    }
    stack.into_iter().flatten().collect()
}

fn part(word: &'static str) -> Part {
    let inside = word.strip_prefix('{').and_then(|word| word.strip_suffix('}'));
    match inside.and_then(|inside| inside.split_once(':')) {
        Some((name, kind)) => Part::Field(name, Kind::named(kind)),
        None => Part::Word(word),
    }
}

/// Fits the words from `at` on; answers where to go on, with the values read.
pub fn fit(
    parts: &[Part],
    tokens: &[Token],
    at: usize,
    furthest: &mut Furthest,
) -> Option<(usize, Fields)> {
    let Some((first, rest)) = parts.split_first() else { return Some((at, Fields::new())) };
    match first {
        Part::Word(word) => {
            let fits = tokens.get(at).is_some_and(|token| !token.quoted && token.text == *word);
            if !fits {
                furthest.missed(at, &format!("`{}`", told(parts)), None);
                return None;
            }
            fit(rest, tokens, at + 1, furthest)
        }
        Part::Field(name, kind) => {
            let (value, next) = match kind.read(tokens, at) {
                Ok(read) => read,
                Err(miss) => {
                    furthest.missed(miss.at, &miss.could, miss.reason);
                    return None;
                }
            };
            let (end, mut fields) = fit(rest, tokens, next, furthest)?;
            fields.insert(0, (*name, value));
            Some((end, fields))
        }
        Part::Maybe(group) => {
            let with: Vec<Part> = group.iter().chain(rest).cloned().collect();
            match fit(&with, tokens, at, furthest) {
                Some(found) => Some(found),
                None => fit(rest, tokens, at, furthest),
            }
        }
    }
}

/// The rest of a pattern as people read it.
pub fn told(parts: &[Part]) -> String {
    let mut words = Vec::new();
    for part in parts {
        match part {
            Part::Word(word) => words.push((*word).to_owned()),
            Part::Field(_, kind) => words.push(kind.shown()),
            Part::Maybe(group) => words.push(format!("[{}]", told(group))),
        }
    }
    words.join(" ")
}

/// The words with which a pattern can begin; nothing for one that begins with a value.
pub fn first_word(pattern: &'static str) -> Option<&'static str> {
    match parts(pattern.trim_start_matches('!')).first() {
        Some(Part::Word(word)) => Some(word),
        _ => None,
    }
}
