//! Razorpay's words for states, as total tables; a word not listed is unknown, never a success.

use crate::instrument::InstrumentStatus;
use crate::model::{DisputeStatus, PaymentStatus, PayoutStatus, RefundStatus, TransferStatus};

/// A payment's `status` (razorpay.com/docs/payments/payments), and an order's, which counts while
/// no payment tells more (razorpay.com/docs/api/orders/entity). `refunded` is not in the table: it
/// ends both a captured payment and a hold that lapsed, see [`payment`].
///
/// Failed is not final: a late answer of the bank or a second try of a UPI payment can make it
/// authorised or captured. An order stays `paid` after refunds.
pub const PAYMENT: &[(&str, PaymentStatus)] = &[
    ("created", PaymentStatus::Processing),
    ("authorized", PaymentStatus::Authorised),
    ("captured", PaymentStatus::Captured),
    ("failed", PaymentStatus::Failed),
    ("order: created", PaymentStatus::RequiresAction),
    ("order: attempted", PaymentStatus::Processing),
    ("order: paid", PaymentStatus::Captured),
];

/// A refund's `status` (razorpay.com/docs/api/refunds/entity). Processed comes before the bank's
/// own reference does.
pub const REFUND: &[(&str, RefundStatus)] = &[
    ("pending", RefundStatus::Pending),
    ("processed", RefundStatus::Succeeded),
    ("failed", RefundStatus::Failed),
];

/// A dispute's `status` (razorpay.com/docs/api/disputes/entity). `closed` ends an inquiry about
/// fraud, which moves no money.
pub const DISPUTE: &[(&str, DisputeStatus)] = &[
    ("open", DisputeStatus::NeedsResponse),
    ("under_review", DisputeStatus::UnderReview),
    ("won", DisputeStatus::Won),
    ("lost", DisputeStatus::Lost),
    ("closed", DisputeStatus::Warning),
];

/// A payout's `status` (razorpay.com/docs/x/payouts/states-life-cycle). Processed is not final: it
/// may still be reversed days later.
pub const PAYOUT: &[(&str, PayoutStatus)] = &[
    ("pending", PayoutStatus::Pending),
    ("queued", PayoutStatus::Pending),
    ("scheduled", PayoutStatus::Pending),
    ("processing", PayoutStatus::InTransit),
    ("processed", PayoutStatus::Paid),
    ("reversed", PayoutStatus::Returned),
    ("cancelled", PayoutStatus::Cancelled),
    ("rejected", PayoutStatus::Cancelled),
    ("failed", PayoutStatus::Failed),
];

/// A transfer's `status`, which its entity page calls `transfer_status`; none while it has not
/// moved (razorpay.com/docs/api/payments/route/transfers-entity).
pub const TRANSFER: &[(&str, Option<TransferStatus>)] = &[
    ("created", None),
    ("pending", None),
    ("processed", Some(TransferStatus::Created)),
    ("failed", Some(TransferStatus::Failed)),
    ("reversed", Some(TransferStatus::Reversed)),
    ("partially_reversed", Some(TransferStatus::PartiallyReversed)),
];

/// A token's `recurring_details.status` (razorpay.com/docs: recurring payments, tokens). A paused
/// one waits for its customer.
pub const TOKEN: &[(&str, InstrumentStatus)] = &[
    ("initiated", InstrumentStatus::Processing),
    ("confirmed", InstrumentStatus::Active),
    ("rejected", InstrumentStatus::Failed),
    ("cancelled", InstrumentStatus::Removed),
    ("paused", InstrumentStatus::RequiresAction),
];

/// A payment's state. `refunded` is a captured payment of which all went back, or, where it was
/// never captured, a hold that lapsed; without word of the capture it is unknown.
pub fn payment(word: &str, captured: Option<bool>) -> PaymentStatus {
    match (word, captured) {
        ("refunded", Some(true)) => PaymentStatus::Captured,
        ("refunded", Some(false)) => PaymentStatus::Cancelled,
        // No word of a payment's own; in the table it would be an order's.
        _ if word.contains(':') => PaymentStatus::Unknown,
        _ => look_up(PAYMENT, word).unwrap_or(PaymentStatus::Unknown),
    }
}

/// An order's state.
pub fn order(word: &str) -> PaymentStatus {
    look_up(PAYMENT, &format!("order: {word}")).unwrap_or(PaymentStatus::Unknown)
}

/// A refund's state.
pub fn refund(word: &str) -> RefundStatus {
    look_up(REFUND, word).unwrap_or(RefundStatus::Unknown)
}

/// A dispute's state.
pub fn dispute(word: &str) -> DisputeStatus {
    look_up(DISPUTE, word).unwrap_or(DisputeStatus::Unknown)
}

/// A payout's state.
pub fn payout(word: &str) -> PayoutStatus {
    look_up(PAYOUT, word).unwrap_or(PayoutStatus::Unknown)
}

/// A transfer's state; the outer none is a word that is not known.
pub fn transfer(word: &str) -> Option<Option<TransferStatus>> {
    look_up(TRANSFER, word)
}

/// A token's state.
pub fn token(word: &str) -> InstrumentStatus {
    look_up(TOKEN, word).unwrap_or(InstrumentStatus::Unknown)
}

pub(super) fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|(_, status)| *status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_of_a_payment_has_its_word() {
        for (word, captured, expected) in [
            ("created", Some(false), "processing"),
            ("authorized", Some(false), "authorised"),
            // A sample of the documents says so of a payment that is only held.
            ("authorized", Some(true), "authorised"),
            ("captured", Some(true), "captured"),
            ("failed", Some(false), "failed"),
            ("refunded", Some(true), "captured"),
            ("refunded", Some(false), "cancelled"),
            ("refunded", None, "unknown"),
            ("Captured", Some(true), "unknown"),
            ("", None, "unknown"),
            ("order: paid", Some(true), "unknown"),
        ] {
            assert_eq!(payment(word, captured).as_str(), expected, "{word}");
        }
    }

    #[test]
    fn every_other_documented_status_has_its_word() {
        let said = ["created", "attempted", "paid", "x"].map(|word| order(word).as_str());
        assert_eq!(said, ["requires_action", "processing", "captured", "unknown"]);

        let said = ["pending", "processed", "failed", "x"].map(|word| refund(word).as_str());
        assert_eq!(said, ["pending", "succeeded", "failed", "unknown"]);

        let said = ["open", "under_review", "won", "lost", "closed", "x"];
        let said = said.map(|word| dispute(word).as_str());
        assert_eq!(said, ["needs_response", "under_review", "won", "lost", "warning", "unknown"]);

        let said = ["queued", "scheduled", "pending", "processing", "processed"];
        let said = said.map(|word| payout(word).as_str());
        assert_eq!(said, ["pending", "pending", "pending", "in_transit", "paid"]);
        let said = ["reversed", "cancelled", "rejected", "failed", "x"];
        let said = said.map(|word| payout(word).as_str());
        assert_eq!(said, ["returned", "cancelled", "cancelled", "failed", "unknown"]);
    }
}
