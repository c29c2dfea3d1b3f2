//! PayPal's words for states, as total tables; a word not listed is unknown, never a success.
//!
//! A payment has no word of its own: its order, its authorisation and its captures have one each
//! (developer.paypal.com/docs/api/orders/v2 and payments/v2). Three words are decided by other
//! objects and stand in no table: an order that is `COMPLETED`, which only says that a call ended,
//! and an authorisation that is `CAPTURED` or `PARTIALLY_CAPTURED`.

use crate::model::{DisputeStatus, PaymentStatus, PayoutStatus, RefundStatus};
use crate::settlement::SettlementKind;

/// States of a payment, by object. An authorisation is called `AUTHORIZED` in old samples.
pub const PAYMENT: &[(&str, PaymentStatus)] = &[
    ("order: CREATED", PaymentStatus::Created),
    ("order: SAVED", PaymentStatus::Created),
    ("order: PAYER_ACTION_REQUIRED", PaymentStatus::RequiresAction),
    ("order: APPROVED", PaymentStatus::RequiresAction),
    ("order: VOIDED", PaymentStatus::Cancelled),
    ("authorization: CREATED", PaymentStatus::Authorised),
    ("authorization: AUTHORIZED", PaymentStatus::Authorised),
    ("authorization: PENDING", PaymentStatus::Processing),
    ("authorization: DENIED", PaymentStatus::Failed),
    ("authorization: VOIDED", PaymentStatus::Cancelled),
    ("authorization: EXPIRED", PaymentStatus::Cancelled),
    ("capture: COMPLETED", PaymentStatus::Captured),
    ("capture: PARTIALLY_REFUNDED", PaymentStatus::Captured),
    ("capture: REFUNDED", PaymentStatus::Captured),
    ("capture: PENDING", PaymentStatus::Processing),
    ("capture: DECLINED", PaymentStatus::Failed),
    ("capture: FAILED", PaymentStatus::Failed),
];

/// States of a refund (payments/v2). A cancelled one has not gone back: it is told as failed.
pub const REFUND: &[(&str, RefundStatus)] = &[
    ("COMPLETED", RefundStatus::Succeeded),
    ("PENDING", RefundStatus::Pending),
    ("FAILED", RefundStatus::Failed),
    ("CANCELLED", RefundStatus::Failed),
];

/// States of a dispute (customer-disputes/v1): by status, and once resolved by its outcome. Four
/// outcomes are not documented further and stay unknown: `RESOLVED_WITH_PAYOUT`, `ACCEPTED`,
/// `DENIED` and `NONE`.
pub const DISPUTE: &[(&str, DisputeStatus)] = &[
    ("inquiry: OPEN", DisputeStatus::Warning),
    ("OPEN", DisputeStatus::NeedsResponse),
    ("WAITING_FOR_SELLER_RESPONSE", DisputeStatus::NeedsResponse),
    ("WAITING_FOR_BUYER_RESPONSE", DisputeStatus::UnderReview),
    ("UNDER_REVIEW", DisputeStatus::UnderReview),
    ("outcome: RESOLVED_SELLER_FAVOUR", DisputeStatus::Won),
    ("outcome: CANCELED_BY_BUYER", DisputeStatus::Won),
    ("outcome: RESOLVED_BUYER_FAVOUR", DisputeStatus::Lost),
];

/// States of a payout (payments.payouts-batch/v1), by object. A batch that is a success was
/// processed; whether it was paid its items tell.
pub const PAYOUT: &[(&str, PayoutStatus)] = &[
    ("batch: PENDING", PayoutStatus::Pending),
    ("batch: PROCESSING", PayoutStatus::Pending),
    ("batch: SUCCESS", PayoutStatus::InTransit),
    ("batch: DENIED", PayoutStatus::Failed),
    ("batch: CANCELED", PayoutStatus::Cancelled),
    ("item: PENDING", PayoutStatus::InTransit),
    ("item: ONHOLD", PayoutStatus::InTransit),
    ("item: UNCLAIMED", PayoutStatus::InTransit),
    ("item: SUCCESS", PayoutStatus::Paid),
    ("item: FAILED", PayoutStatus::Failed),
    ("item: BLOCKED", PayoutStatus::Failed),
    ("item: DENIED", PayoutStatus::Failed),
    ("item: CANCELED", PayoutStatus::Cancelled),
    ("item: RETURNED", PayoutStatus::Returned),
    ("item: REFUNDED", PayoutStatus::Returned),
    ("item: REVERSED", PayoutStatus::Returned),
];

/// Event codes of the balance (developer.paypal.com/docs/reports/reference/tcodes). A code that is
/// not listed is a break for people.
pub const SETTLEMENT: &[(&str, SettlementKind)] = &[
    ("T0000", SettlementKind::Charge),
    ("T0001", SettlementKind::Payout),
    ("T0002", SettlementKind::Charge),
    ("T0003", SettlementKind::Charge),
    ("T0005", SettlementKind::Charge),
    ("T0006", SettlementKind::Charge),
    ("T0007", SettlementKind::Charge),
    ("T0100", SettlementKind::Fee),
    ("T0104", SettlementKind::Fee),
    ("T0106", SettlementKind::Fee),
    ("T0107", SettlementKind::Fee),
    ("T0200", SettlementKind::Conversion),
    ("T0201", SettlementKind::Conversion),
    ("T0202", SettlementKind::Conversion),
    ("T0300", SettlementKind::TopUp),
    ("T0400", SettlementKind::Payout),
    ("T0401", SettlementKind::Payout),
    ("T0403", SettlementKind::Payout),
    ("T1101", SettlementKind::PayoutReversal),
    ("T1106", SettlementKind::Dispute),
    ("T1107", SettlementKind::Refund),
    ("T1108", SettlementKind::Fee),
    ("T1109", SettlementKind::Fee),
    ("T1110", SettlementKind::Adjustment),
    ("T1111", SettlementKind::Adjustment),
    ("T1114", SettlementKind::PayoutReversal),
    ("T1115", SettlementKind::PayoutReversal),
    ("T1200", SettlementKind::Adjustment),
    ("T1201", SettlementKind::Dispute),
    ("T1202", SettlementKind::DisputeReversal),
    ("T1500", SettlementKind::Adjustment),
    ("T1503", SettlementKind::Adjustment),
    ("T2101", SettlementKind::Adjustment),
    ("T2102", SettlementKind::Adjustment),
    ("T2103", SettlementKind::Adjustment),
    ("T2104", SettlementKind::Adjustment),
    ("T2106", SettlementKind::Adjustment),
    ("T2107", SettlementKind::Adjustment),
];

/// The state of an order, an authorisation or a capture by itself.
pub fn payment(object: &str, word: &str) -> PaymentStatus {
    look_up(PAYMENT, object, word).unwrap_or(PaymentStatus::Unknown)
}

/// A refund's state.
pub fn refund(word: &str) -> RefundStatus {
    look_up(REFUND, "", word).unwrap_or(RefundStatus::Unknown)
}

/// A dispute's state. An inquiry that is only open moves no money and asks for nothing yet.
pub fn dispute(word: &str, stage: Option<&str>, outcome: Option<&str>) -> DisputeStatus {
    let found = match (word, stage) {
        ("RESOLVED", _) => look_up(DISPUTE, "outcome", outcome.unwrap_or_default()),
        ("OPEN", Some("INQUIRY")) => look_up(DISPUTE, "inquiry", word),
        _ => look_up(DISPUTE, "", word),
    };
    found.unwrap_or(DisputeStatus::Unknown)
}

/// The state of a batch or of an item.
pub fn payout(object: &str, word: &str) -> PayoutStatus {
    look_up(PAYOUT, object, word).unwrap_or(PayoutStatus::Unknown)
}

/// What a row of the balance is about. Only rows that are done, or done and undone by a row of
/// their own, move money; and only what comes in is a charge.
pub fn settlement(code: &str, status: &str, outgoing: bool) -> SettlementKind {
    match look_up(SETTLEMENT, "", code) {
        Some(kind) if matches!(status, "S" | "V") => match (kind, outgoing) {
            (SettlementKind::Charge, true) => SettlementKind::Unknown,
            _ => kind,
        },
        _ => SettlementKind::Unknown,
    }
}

fn look_up<T: Copy>(table: &[(&str, T)], object: &str, word: &str) -> Option<T> {
    let is = |known: &str| match known.split_once(": ") {
        Some((of, known)) => of == object && known == word,
        None => object.is_empty() && known == word,
    };
    table.iter().find(|(known, _)| is(known)).map(|(_, status)| *status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_for_its_own_object_only() {
        assert_eq!(payment("order", "CREATED"), PaymentStatus::Created);
        assert_eq!(payment("authorization", "CREATED"), PaymentStatus::Authorised);
        assert_eq!(payment("capture", "CREATED"), PaymentStatus::Unknown);
        assert_eq!(payment("order", "COMPLETED"), PaymentStatus::Unknown);
        assert_eq!(payment("capture", "COMPLETED"), PaymentStatus::Captured);
        assert_eq!(payment("", "order: CREATED"), PaymentStatus::Unknown);
        assert_eq!(payout("batch", "SUCCESS"), PayoutStatus::InTransit);
        assert_eq!(payout("item", "SUCCESS"), PayoutStatus::Paid);
        assert_eq!(refund("completed"), RefundStatus::Unknown);
    }

    #[test]
    fn a_dispute_is_told_by_its_status_its_stage_and_its_outcome() {
        for (word, stage, outcome, expected) in [
            ("OPEN", Some("INQUIRY"), None, "warning"),
            ("OPEN", Some("CHARGEBACK"), None, "needs_response"),
            ("WAITING_FOR_SELLER_RESPONSE", Some("INQUIRY"), None, "needs_response"),
            ("WAITING_FOR_BUYER_RESPONSE", None, None, "under_review"),
            ("UNDER_REVIEW", None, None, "under_review"),
            ("RESOLVED", None, Some("RESOLVED_SELLER_FAVOUR"), "won"),
            ("RESOLVED", None, Some("CANCELED_BY_BUYER"), "won"),
            ("RESOLVED", None, Some("RESOLVED_BUYER_FAVOUR"), "lost"),
            ("RESOLVED", None, Some("RESOLVED_WITH_PAYOUT"), "unknown"),
            ("RESOLVED", None, None, "unknown"),
            ("OTHER", None, Some("RESOLVED_BUYER_FAVOUR"), "unknown"),
            ("outcome: RESOLVED_SELLER_FAVOUR", None, None, "unknown"),
        ] {
            assert_eq!(dispute(word, stage, outcome).as_str(), expected, "{word} {outcome:?}");
        }
    }

    #[test]
    fn a_row_that_is_pending_denied_or_of_an_unknown_code_is_a_break() {
        assert_eq!(settlement("T0006", "S", false), SettlementKind::Charge);
        assert_eq!(settlement("T0006", "V", false), SettlementKind::Charge);
        for (code, status, outgoing) in [
            ("T0006", "P", false),
            ("T0006", "D", false),
            ("T0006", "S", true),
            ("T9999", "S", false),
        ] {
            assert_eq!(settlement(code, status, outgoing), SettlementKind::Unknown, "{code}");
        }
        assert_eq!(settlement("T0001", "S", true), SettlementKind::Payout);
    }
}
