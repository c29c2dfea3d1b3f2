//! PayTabs' words for states, as total tables; a word not listed is unknown, never a success.
//!
//! A word is the `tran_type`, in lower case, and the `response_status`: `sale: A`
//! (support.paytabs.com, transaction types and statuses; paytabscom/php-sdk, `TranStatus`).

use crate::event::EventKind;
use crate::instrument::InstrumentStatus;
use crate::model::{PaymentStatus, RefundStatus};
use crate::outcome::DeclineKind;

/// A payment's state. A void of an auth is told by the auth (`V`) and by the void itself. A
/// payment request waits for cash: it never is the money.
pub const PAYMENT: &[(&str, PaymentStatus)] = &[
    ("sale: A", PaymentStatus::Captured),
    ("sale: H", PaymentStatus::Processing),
    ("sale: P", PaymentStatus::Processing),
    ("sale: D", PaymentStatus::Failed),
    ("sale: E", PaymentStatus::Failed),
    ("sale: C", PaymentStatus::Cancelled),
    ("sale: X", PaymentStatus::Cancelled),
    ("auth: A", PaymentStatus::Authorised),
    ("auth: H", PaymentStatus::Processing),
    ("auth: P", PaymentStatus::Processing),
    ("auth: V", PaymentStatus::Cancelled),
    ("auth: D", PaymentStatus::Failed),
    ("auth: E", PaymentStatus::Failed),
    ("auth: C", PaymentStatus::Cancelled),
    ("auth: X", PaymentStatus::Cancelled),
    ("payment request: P", PaymentStatus::Processing),
    ("payment request: D", PaymentStatus::Failed),
    ("payment request: E", PaymentStatus::Failed),
    ("payment request: C", PaymentStatus::Cancelled),
    ("payment request: X", PaymentStatus::Cancelled),
    ("capture: A", PaymentStatus::Captured),
    ("capture: P", PaymentStatus::Processing),
    ("capture: D", PaymentStatus::Failed),
    ("capture: E", PaymentStatus::Failed),
    ("capture: C", PaymentStatus::Failed),
    ("capture: X", PaymentStatus::Failed),
    ("void: A", PaymentStatus::Cancelled),
    ("void: P", PaymentStatus::Processing),
    ("void: D", PaymentStatus::Failed),
    ("void: E", PaymentStatus::Failed),
    ("void: C", PaymentStatus::Failed),
    ("void: X", PaymentStatus::Failed),
    ("release: A", PaymentStatus::Cancelled),
    ("release: P", PaymentStatus::Processing),
    ("release: D", PaymentStatus::Failed),
    ("release: E", PaymentStatus::Failed),
    ("release: C", PaymentStatus::Failed),
    ("release: X", PaymentStatus::Failed),
];

/// A refund's state. It may wait and be ended by a message.
pub const REFUND: &[(&str, RefundStatus)] = &[
    ("refund: A", RefundStatus::Succeeded),
    ("refund: P", RefundStatus::Pending),
    ("refund: D", RefundStatus::Failed),
    ("refund: E", RefundStatus::Failed),
    ("refund: C", RefundStatus::Cancelled),
    ("refund: X", RefundStatus::Cancelled),
];

/// What became of saving an instrument.
pub const INSTRUMENT: &[(&str, InstrumentStatus)] = &[
    ("register: A", InstrumentStatus::Active),
    ("register: H", InstrumentStatus::Processing),
    ("register: P", InstrumentStatus::Processing),
    ("register: D", InstrumentStatus::Failed),
    ("register: E", InstrumentStatus::Failed),
    ("register: C", InstrumentStatus::Failed),
    ("register: X", InstrumentStatus::Failed),
];

/// What a message of a type is about. A capture or void that did not succeed, and a release, which
/// may be of a part, change nothing of the payment and come out as of no use.
pub const EVENTS: &[(&str, EventKind)] = &[
    ("sale", EventKind::Payment),
    ("auth", EventKind::Payment),
    ("payment request", EventKind::Payment),
    ("capture", EventKind::Payment),
    ("void", EventKind::Payment),
    ("refund", EventKind::Refund),
];

/// Why a transaction failed, in words: PayTabs' code, ours, and whether trying again can help
/// (support.paytabs.com, response codes).
pub const REASONS: &[(&str, &str, DeclineKind)] = &[
    ("200", "invalid_card_number", DeclineKind::Hard),
    ("300", "not_authorised", DeclineKind::Soft),
    ("310", "three_d_secure_rejected", DeclineKind::Soft),
    ("316", "insufficient_funds", DeclineKind::Soft),
    ("321", "cancelled_by_buyer", DeclineKind::Soft),
    ("345", "three_d_secure_unfinished", DeclineKind::Soft),
    ("501", "suspected_fraud", DeclineKind::Hard),
];

/// A temporary fault inside PayTabs: the result is not known.
const INTERNAL: &str = "400";

/// The word of a type and a status.
pub fn word(tran_type: &str, status: &str) -> String {
    format!("{}: {status}", tran_type.to_ascii_lowercase())
}

/// A payment's state by its word and code.
pub fn payment(word: &str, code: &str) -> PaymentStatus {
    look_up(PAYMENT, word, code).unwrap_or(PaymentStatus::Unknown)
}

/// A refund's state by its word and code.
pub fn refund(word: &str, code: &str) -> RefundStatus {
    look_up(REFUND, word, code).unwrap_or(RefundStatus::Unknown)
}

/// What became of saving an instrument, by word and code.
pub fn instrument(word: &str, code: &str) -> InstrumentStatus {
    look_up(INSTRUMENT, word, code).unwrap_or(InstrumentStatus::Unknown)
}

/// What a message of a type is about.
pub fn event(tran_type: &str) -> EventKind {
    let known = EVENTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(tran_type));
    known.map_or(EventKind::Other, |(_, kind)| *kind)
}

/// Our word for a code, and whether trying again can help.
pub fn reason(code: &str) -> (&'static str, DeclineKind) {
    let known = REASONS.iter().find(|(known, ..)| *known == code);
    known.map_or(("payment_failed", DeclineKind::Soft), |(_, word, kind)| (word, *kind))
}

/// A failure by a fault inside is none that is known to have failed.
fn look_up<T: Copy>(table: &[(&str, T)], word: &str, code: &str) -> Option<T> {
    let undecided = code == INTERNAL && (word.ends_with(": E") || word.ends_with(": D"));
    let known = table.iter().find(|(known, _)| *known == word && !undecided);
    known.map(|(_, status)| *status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_compared_without_the_case_of_its_type_only() {
        for (tran_type, letter, expected) in [
            ("Sale", "A", "captured"),
            ("SALE", "H", "processing"),
            ("Auth", "A", "authorised"),
            ("Payment Request", "P", "processing"),
            ("Payment Request", "A", "unknown"),
            ("Sale", "a", "unknown"),
            ("Sale", "V", "unknown"),
            ("Sale", "Z", "unknown"),
            ("Sale", "", "unknown"),
            ("Register", "A", "unknown"),
            ("Refund", "A", "unknown"),
            ("", "A", "unknown"),
        ] {
            assert_eq!(payment(&word(tran_type, letter), "").as_str(), expected, "{tran_type}");
        }
    }

    #[test]
    fn a_fault_inside_is_no_failure() {
        assert_eq!(payment("sale: E", "400"), PaymentStatus::Unknown);
        assert_eq!(payment("sale: E", "401"), PaymentStatus::Failed);
        assert_eq!(refund("refund: D", "400"), RefundStatus::Unknown);
        // An approval's code is the bank's reference, whatever it looks like.
        assert_eq!(payment("sale: A", "400"), PaymentStatus::Captured);
    }

    #[test]
    fn every_word_is_listed_once() {
        let mut words: Vec<&str> = PAYMENT.iter().map(|(word, _)| *word).collect();
        words.extend(REFUND.iter().map(|(word, _)| *word));
        words.extend(INSTRUMENT.iter().map(|(word, _)| *word));
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}
