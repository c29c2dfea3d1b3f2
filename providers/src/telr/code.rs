//! Telr's numbered codes: what a refusal proves, and what it does not.

use crate::outcome::{DeclineKind, RejectionReason};

/// What a code means for the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Certainly nothing happened.
    No(RejectionReason),
    /// The bank, or Telr's own rules for a card, said no.
    Declined,
    /// The same reference was used before, so an earlier request arrived.
    Duplicate,
    /// It was done already, by us or by somebody else.
    DoneBefore,
    /// Nobody knows: Telr or the bank failed.
    Unknown,
}

use Meaning::{Declined, DoneBefore, Duplicate, No, Unknown};
use RejectionReason::{Credentials, InvalidRequest, NotFound};

/// The decline codes of docs.telr.com, grouped by what follows from them: from, to, meaning.
const CODES: &[(u16, u16, Meaning)] = &[
    (1, 1, No(Credentials)),
    (2, 3, No(InvalidRequest)),
    (4, 4, No(Credentials)),
    (5, 5, No(InvalidRequest)),
    (6, 6, No(Credentials)),
    (11, 12, No(InvalidRequest)),
    (14, 16, No(InvalidRequest)),
    (21, 21, No(Credentials)),
    (22, 22, No(NotFound)),
    (23, 25, No(InvalidRequest)),
    (26, 26, DoneBefore),
    (29, 29, No(InvalidRequest)),
    (31, 31, Declined),
    (32, 32, No(InvalidRequest)),
    (33, 33, Declined),
    (34, 34, Unknown),
    (35, 36, No(InvalidRequest)),
    (37, 37, Declined),
    (39, 40, No(Credentials)),
    (41, 42, Declined),
    (46, 47, Declined),
    (52, 52, No(Credentials)),
    (53, 53, Declined),
    (56, 56, Duplicate),
    (57, 57, No(InvalidRequest)),
    (58, 58, Unknown),
    (61, 68, Declined),
    (71, 71, No(Credentials)),
    (72, 72, No(InvalidRequest)),
    (73, 73, No(Credentials)),
    (74, 74, No(InvalidRequest)),
    (77, 77, No(Credentials)),
    (78, 78, Unknown),
    (90, 97, Declined),
    (98, 99, Unknown),
    (107, 107, Unknown),
    (108, 108, No(Credentials)),
    (109, 121, Declined),
    (122, 122, DoneBefore),
    (123, 124, Declined),
];

/// Codes of a saved card that was declined for want of the customer or of money: another time or
/// the hosted page may work. 41 is insufficient funds, 46 and 47 want 3-D Secure.
const SOFT: &[u16] = &[33, 41, 46, 47, 53];

/// What a refusal with this letter and code means. A letter that says declined is believed for a
/// code nobody has published; an error of that kind proves nothing.
pub(super) fn meaning(letter: &str, code: Option<u16>) -> Meaning {
    let listed = code.and_then(|code| {
        CODES.iter().find(|(from, to, _)| (*from..=*to).contains(&code)).map(|(.., it)| *it)
    });
    match (letter, listed) {
        (_, Some(listed)) => listed,
        ("D" | "C" | "X", None) => Declined,
        _ => Unknown,
    }
}

/// Whether trying again can help. On the hosted page the customer may take another card.
pub(super) fn decline_kind(code: Option<u16>, saved: bool) -> DeclineKind {
    if saved && !code.is_some_and(|code| SOFT.contains(&code)) {
        DeclineKind::Hard
    } else {
        DeclineKind::Soft
    }
}

/// The number of a code, with or without its letter: `41`, `041`, `E56`.
pub(super) fn number(text: &str) -> Option<u16> {
    let digits = text.trim().trim_start_matches(['E', 'D', 'e', 'd']);
    (digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() <= 5)
        .then(|| digits.parse().ok())?
}

/// The code at the beginning of an error's text, as it is written: `E56` of `E56:Duplicate …`.
pub(super) fn leading(message: &str) -> Option<&str> {
    let code = message.split(':').next().unwrap_or_default().trim();
    let digits = code.get(1..)?;
    let is_code = code.starts_with(|c: char| c.is_ascii_uppercase())
        && (1..=5).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit());
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_code_is_in_one_group() {
        for window in CODES.windows(2) {
            assert!(window[0].1 < window[1].0, "{window:?}");
        }
        for code in [34, 58, 78, 98, 99, 107] {
            assert_eq!(meaning("D", Some(code)), Unknown, "{code}");
        }
        for code in (61..=68).chain(90..=97).chain([31, 37, 41, 42, 46, 47, 109, 124]) {
            assert_eq!(meaning("D", Some(code)), Declined, "{code}");
        }
        assert_eq!(meaning("E", Some(56)), Duplicate);
        assert_eq!((meaning("D", Some(122)), meaning("E", Some(26))), (DoneBefore, DoneBefore));
        assert_eq!((meaning("D", Some(999)), meaning("E", Some(999))), (Declined, Unknown));
        assert_eq!((meaning("E", None), meaning("?", None)), (Unknown, Unknown));
    }

    #[test]
    fn a_code_is_read_with_and_without_its_letter() {
        assert_eq!(leading("E56:Duplicate transaction"), Some("E56"));
        assert_eq!(leading("E04:x").and_then(number), Some(4));
        for text in ["", "Duplicate", "E:", "56:x", "E5x:y", "é1:x"] {
            assert_eq!(leading(text), None, "{text}");
        }
        assert_eq!(
            (number("041"), number(""), number("x"), number("999999")),
            (Some(41), None, None, None)
        );
    }
}
