//! Stripe's words for states, as total tables; a word not listed is unknown, never a success.

use crate::instrument::InstrumentStatus;
use crate::model::{DisputeStatus, PaymentStatus, PayoutStatus, RefundStatus};
use crate::outcome::DeclineKind;

/// A payment intent's `status` (docs.stripe.com: verifying payment status).
///
/// `requires_payment_method` is [`PaymentStatus::Failed`] once a `last_payment_error` is there.
pub const PAYMENT: &[(&str, PaymentStatus)] = &[
    ("requires_payment_method", PaymentStatus::Created),
    ("requires_confirmation", PaymentStatus::Created),
    ("requires_action", PaymentStatus::RequiresAction),
    ("processing", PaymentStatus::Processing),
    ("requires_capture", PaymentStatus::Authorised),
    ("succeeded", PaymentStatus::Captured),
    ("canceled", PaymentStatus::Cancelled),
];

/// A refund's `status`. Succeeded is not final: it can fail for up to 30 days.
pub const REFUND: &[(&str, RefundStatus)] = &[
    ("pending", RefundStatus::Pending),
    ("requires_action", RefundStatus::Pending),
    ("succeeded", RefundStatus::Succeeded),
    ("failed", RefundStatus::Failed),
    ("canceled", RefundStatus::Cancelled),
];

/// A dispute's `status`. Inquiries (`warning_…`) and prevented disputes move no money.
pub const DISPUTE: &[(&str, DisputeStatus)] = &[
    ("warning_needs_response", DisputeStatus::Warning),
    ("warning_under_review", DisputeStatus::Warning),
    ("warning_closed", DisputeStatus::Warning),
    ("needs_response", DisputeStatus::NeedsResponse),
    ("under_review", DisputeStatus::UnderReview),
    ("won", DisputeStatus::Won),
    ("lost", DisputeStatus::Lost),
    ("prevented", DisputeStatus::Warning),
];

/// A payout's `status`. Paid is not final: it can fail within about five business days.
pub const PAYOUT: &[(&str, PayoutStatus)] = &[
    ("pending", PayoutStatus::Pending),
    ("in_transit", PayoutStatus::InTransit),
    ("paid", PayoutStatus::Paid),
    ("failed", PayoutStatus::Failed),
    ("canceled", PayoutStatus::Cancelled),
];

/// A setup intent's `status`; without an instrument it failed once a `last_setup_error` is there.
pub const INSTRUMENT: &[(&str, InstrumentStatus)] = &[
    ("requires_payment_method", InstrumentStatus::RequiresAction),
    ("requires_confirmation", InstrumentStatus::RequiresAction),
    ("requires_action", InstrumentStatus::RequiresAction),
    ("processing", InstrumentStatus::Processing),
    ("succeeded", InstrumentStatus::Active),
    ("canceled", InstrumentStatus::Failed),
];

/// Decline codes after which the same instrument is not tried again: lost, stolen, closed,
/// wrong or forbidden for good. Every other decline is soft.
pub const HARD_DECLINES: &[&str] = &[
    "card_not_supported",
    "currency_not_supported",
    "expired_card",
    "fraudulent",
    "incorrect_number",
    "invalid_account",
    "invalid_number",
    "lost_card",
    "merchant_blacklist",
    "new_account_information_available",
    "no_action_taken",
    "pickup_card",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "security_violation",
    "service_not_allowed",
    "stolen_card",
    "stop_payment_order",
    "testmode_decline",
    "transaction_not_allowed",
];

/// A payment's state; the error decides between fresh and failed.
pub fn payment(word: &str, has_error: bool) -> PaymentStatus {
    if word == "requires_payment_method" && has_error {
        return PaymentStatus::Failed;
    }
    look_up(PAYMENT, word).unwrap_or(PaymentStatus::Unknown)
}

/// A refund's state.
pub fn refund(word: &str) -> RefundStatus {
    look_up(REFUND, word).unwrap_or(RefundStatus::Unknown)
}

/// A dispute's state.
pub fn dispute(word: &str) -> DisputeStatus {
    look_up(DISPUTE, word).unwrap_or(DisputeStatus::Unknown)
}

/// A payout's state; one that was paid before and failed now came back.
pub fn payout(word: &str, before: Option<&str>) -> PayoutStatus {
    match look_up(PAYOUT, word) {
        Some(PayoutStatus::Failed) if before == Some("paid") => PayoutStatus::Returned,
        Some(status) => status,
        None => PayoutStatus::Unknown,
    }
}

/// What became of saving an instrument; the error decides between fresh and failed.
pub fn instrument(word: &str, has_error: bool) -> InstrumentStatus {
    if word == "requires_payment_method" && has_error {
        return InstrumentStatus::Failed;
    }
    look_up(INSTRUMENT, word).unwrap_or(InstrumentStatus::Unknown)
}

/// Whether trying again can help. The network's advice wins over the code.
pub fn decline_kind(
    code: &str,
    decline_code: Option<&str>,
    advice_code: Option<&str>,
) -> DeclineKind {
    match advice_code {
        Some("do_not_try_again") => return DeclineKind::Hard,
        Some("try_again_later") => return DeclineKind::Soft,
        _ => {}
    }
    if HARD_DECLINES.contains(&decline_code.unwrap_or(code)) {
        DeclineKind::Hard
    } else {
        DeclineKind::Soft
    }
}

pub(super) fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|(_, status)| *status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_of_a_payment_has_its_word() {
        for (word, has_error, expected) in [
            ("requires_payment_method", false, "created"),
            ("requires_payment_method", true, "failed"),
            ("requires_confirmation", false, "created"),
            ("requires_action", false, "requires_action"),
            ("processing", false, "processing"),
            ("requires_capture", false, "authorised"),
            ("succeeded", false, "captured"),
            ("canceled", false, "cancelled"),
            ("paid", false, "unknown"),
            ("Succeeded", false, "unknown"),
            ("", false, "unknown"),
        ] {
            assert_eq!(payment(word, has_error).as_str(), expected, "{word}");
        }
    }

    #[test]
    fn every_documented_status_of_a_refund_a_dispute_and_a_payout_has_its_word() {
        let refunds = ["pending", "requires_action", "succeeded", "failed", "canceled", "done"];
        let said: Vec<_> = refunds.iter().map(|word| refund(word).as_str()).collect();
        assert_eq!(said, ["pending", "pending", "succeeded", "failed", "cancelled", "unknown"]);

        let disputes = ["warning_closed", "needs_response", "under_review", "won", "lost", "x"];
        let said: Vec<_> = disputes.iter().map(|word| dispute(word).as_str()).collect();
        assert_eq!(said, ["warning", "needs_response", "under_review", "won", "lost", "unknown"]);

        let payouts = ["pending", "in_transit", "paid", "failed", "canceled", "x"];
        let said: Vec<_> = payouts.iter().map(|word| payout(word, None).as_str()).collect();
        assert_eq!(said, ["pending", "in_transit", "paid", "failed", "cancelled", "unknown"]);
        assert_eq!(payout("failed", Some("paid")), PayoutStatus::Returned);
    }

    #[test]
    fn the_networks_advice_wins_over_the_decline_code() {
        let kind = decline_kind;
        assert_eq!(kind("card_declined", Some("insufficient_funds"), None), DeclineKind::Soft);
        assert_eq!(kind("card_declined", Some("stolen_card"), None), DeclineKind::Hard);
        assert_eq!(kind("expired_card", None, None), DeclineKind::Hard);
        let stop = Some("do_not_try_again");
        assert_eq!(kind("card_declined", Some("generic_decline"), stop), DeclineKind::Hard);
        let later = Some("try_again_later");
        assert_eq!(kind("card_declined", Some("generic_decline"), later), DeclineKind::Soft);
    }
}
