//! Telr's words for states, as total tables; a word not listed is unknown, never a success.

use crate::event::EventKind;
use crate::model::{PaymentStatus, RefundStatus};
use crate::settlement::SettlementKind;

use PaymentStatus::{
    Authorised, Cancelled, Captured, Failed, Processing, RequiresAction, Reversed,
};

/// The state of an order by its number, of an order that was tried by the type and the letter of
/// the try beside it, and of a transaction by its type and letter.
///
/// Order 2 is "authorised", which is a hold only for a transaction of type `auth`: a sale that is
/// held for review has the number too. Letters: A authorised, H held for review, P pending,
/// D declined, E error, C cancelled, X expired.
pub const PAYMENT: &[(&str, PaymentStatus)] = &[
    ("order: 1", RequiresAction),
    ("order: 2 auth A", Authorised),
    ("order: 2 auth H", Processing),
    ("order: 2 auth P", Processing),
    ("order: 2 sale A", Processing),
    ("order: 2 sale H", Processing),
    ("order: 2 sale P", Processing),
    ("order: 3 A", Captured),
    ("order: 3 H", Processing),
    ("order: 3 P", Processing),
    ("order: 4", Processing),
    ("order: -1", Cancelled),
    ("order: -2", Cancelled),
    ("order: -3", Failed),
    ("order: -4", Cancelled),
    ("rest: PENDING", RequiresAction),
    ("rest: AUTHORISED", Authorised),
    ("rest: PAID", Captured),
    ("rest: CANCELLED", Cancelled),
    ("rest: DECLINED", Failed),
    ("sale: A", Captured),
    ("sale: H", Processing),
    ("sale: P", Processing),
    ("sale: D", Failed),
    ("sale: E", Failed),
    ("sale: C", Cancelled),
    ("sale: X", Cancelled),
    ("auth: A", Authorised),
    ("auth: H", Processing),
    ("auth: P", Processing),
    ("auth: D", Failed),
    ("auth: E", Failed),
    ("auth: C", Cancelled),
    ("auth: X", Cancelled),
    ("capture: A", Captured),
    ("void: A", Cancelled),
    ("release: A", Cancelled),
    ("capture reversal: A", Reversed),
    ("cancel: A", Cancelled),
    ("cancel: C", Cancelled),
    ("cancel: X", Cancelled),
];

/// The state of a refund by the type and the letter of its transaction. A refund that is reversed
/// never reached the customer.
pub const REFUND: &[(&str, RefundStatus)] = &[
    ("refund: A", RefundStatus::Succeeded),
    ("refund: H", RefundStatus::Pending),
    ("refund: P", RefundStatus::Pending),
    ("refund: D", RefundStatus::Failed),
    ("refund: E", RefundStatus::Failed),
    ("refund: C", RefundStatus::Cancelled),
    ("refund: X", RefundStatus::Cancelled),
    ("refund reversal: A", RefundStatus::Failed),
];

/// The kinds of messages, by the type of their transaction.
pub const EVENTS: &[(&str, EventKind)] = &[
    ("sale", EventKind::Payment),
    ("auth", EventKind::Payment),
    ("capture", EventKind::Payment),
    ("void", EventKind::Payment),
    ("release", EventKind::Payment),
    ("capture reversal", EventKind::Payment),
    ("cancel", EventKind::Payment),
    ("refund", EventKind::Refund),
    ("refund reversal", EventKind::Refund),
    ("account payout", EventKind::Settlement),
];

/// The types of the per-order callback, which are numbers there. What 4 is, no two plug-ins agree
/// on; it is read as a hold, and the order is asked.
pub const CALLBACK_TYPES: &[(&str, &str)] = &[
    ("1", "sale"),
    ("2", "void"),
    ("3", "refund"),
    ("4", "auth"),
    ("6", "cancel"),
    ("7", "capture"),
    ("8", "capture reversal"),
];

/// The kinds of lines in a payout report. The list of types is not published.
pub const SETTLEMENT: &[(&str, SettlementKind)] = &[
    ("sale", SettlementKind::Charge),
    ("capture", SettlementKind::Charge),
    ("refund", SettlementKind::Refund),
    ("refund reversal", SettlementKind::RefundFailure),
    ("chargeback", SettlementKind::Dispute),
    ("chargeback reversal", SettlementKind::DisputeReversal),
    ("fee", SettlementKind::Fee),
    ("payout", SettlementKind::Payout),
    ("adjustment", SettlementKind::Adjustment),
];

/// An order's state, by its number and by the type and letter of the try beside it.
pub fn order(code: &str, tran: Option<(&str, &str)>) -> PaymentStatus {
    if code.parse::<i8>().is_err() {
        return PaymentStatus::Unknown;
    }
    let (kind, letter) = tran.unwrap_or_default();
    let word = match code {
        "2" => format!("order: 2 {} {letter}", kind.to_ascii_lowercase()),
        "3" => format!("order: 3 {letter}"),
        _ => format!("order: {code}"),
    };
    look_up(PAYMENT, &word).unwrap_or(PaymentStatus::Unknown)
}

/// The state of an order of the newer interface, by its word.
pub fn rest(word: &str) -> PaymentStatus {
    look_up(PAYMENT, &format!("rest: {word}")).unwrap_or(PaymentStatus::Unknown)
}

/// The state a transaction puts its payment in.
pub fn transaction(kind: &str, letter: &str) -> PaymentStatus {
    look_up(PAYMENT, &format!("{kind}: {letter}")).unwrap_or(PaymentStatus::Unknown)
}

/// A refund's state.
pub fn refund(kind: &str, letter: &str) -> RefundStatus {
    look_up(REFUND, &format!("{kind}: {letter}")).unwrap_or(RefundStatus::Unknown)
}

/// What a message is about; nothing for the types we do not use.
pub fn event(kind: &str) -> Option<EventKind> {
    look_up(EVENTS, kind)
}

/// The type of a callback in words.
pub fn callback_type(number: &str) -> Option<&'static str> {
    look_up(CALLBACK_TYPES, number)
}

/// What a line of a payout is about.
pub fn settlement(word: &str) -> SettlementKind {
    look_up(SETTLEMENT, &word.trim().to_ascii_lowercase()).unwrap_or(SettlementKind::Unknown)
}

fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|(_, it)| *it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_by_number_type_and_letter() {
        for (code, tran, expected) in [
            ("1", None, "requires_action"),
            ("2", Some(("auth", "A")), "authorised"),
            ("2", Some(("Auth", "A")), "authorised"),
            ("2", Some(("auth", "H")), "processing"),
            ("2", Some(("sale", "A")), "processing"),
            ("2", Some(("sale", "H")), "processing"),
            ("2", Some(("auth", "D")), "unknown"),
            ("2", Some(("verify", "A")), "unknown"),
            ("2", None, "unknown"),
            ("3", Some(("sale", "A")), "captured"),
            ("3", Some(("sale", "H")), "processing"),
            ("3", Some(("sale", "P")), "processing"),
            ("3", Some(("sale", "D")), "unknown"),
            ("3", None, "unknown"),
            ("4", None, "processing"),
            ("-1", None, "cancelled"),
            ("-2", None, "cancelled"),
            ("-3", Some(("sale", "D")), "failed"),
            ("-3", None, "failed"),
            ("-4", None, "cancelled"),
            ("5", None, "unknown"),
            ("0", None, "unknown"),
            ("2 auth A", None, "unknown"),
            ("", None, "unknown"),
        ] {
            assert_eq!(order(code, tran).as_str(), expected, "{code} {tran:?}");
        }
    }

    #[test]
    fn every_other_word_is_read_or_unknown() {
        let words = ["PENDING", "AUTHORISED", "PAID", "CANCELLED", "DECLINED", "paid"];
        let said = words.map(|word| rest(word).as_str());
        let all = ["requires_action", "authorised", "captured", "cancelled", "failed", "unknown"];
        assert_eq!(said, all);
        let said = ["A", "H", "P", "D", "E", "C", "X", "Z"].map(|it| refund("refund", it).as_str());
        let all = ["succeeded", "pending", "pending", "failed", "failed", "cancelled", "cancelled"];
        assert_eq!(said[..7], all);
        assert_eq!(said[7], "unknown");
        let kinds = ["sale", "auth", "capture", "void", "release", "capture reversal", "verify"];
        let said = kinds.map(|kind| transaction(kind, "A").as_str());
        let all =
            ["captured", "authorised", "captured", "cancelled", "cancelled", "reversed", "unknown"];
        assert_eq!(said, all);
        assert_eq!((callback_type("4"), callback_type("5")), (Some("auth"), None));
        assert_eq!(settlement(" Refund ").as_str(), "refund");
        assert_eq!(settlement("x").as_str(), "unknown");
    }
}
