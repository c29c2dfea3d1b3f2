//! Our references where a gateway has one short field for them and no metadata.
//!
//! `pi_<32 hex>-<12 hex of the operation>`: one per attempt, as gateways want them, and the
//! payment is read back from any echo of it.

use mizan_money::id::{OperationId, PaymentIntentId, PayoutId, RefundId};

/// How much of the operation's id is kept: its random end.
const TAIL: usize = 12;

/// The reference of one attempt or follow-up of a payment; 48 characters.
pub fn of_payment(payment: PaymentIntentId, operation: OperationId) -> String {
    format!("{payment}-{}", tail(operation))
}

/// The reference of one refund; 48 characters.
pub fn of_refund(refund: RefundId, operation: OperationId) -> String {
    format!("{refund}-{}", tail(operation))
}

/// The reference of one attempt at a payout; 48 characters.
pub fn of_payout(payout: PayoutId, operation: OperationId) -> String {
    format!("{payout}-{}", tail(operation))
}

/// The payment a reference names.
pub fn payment(text: &str) -> Option<PaymentIntentId> {
    text.split('-').next()?.parse().ok()
}

/// The refund a reference names.
pub fn refund(text: &str) -> Option<RefundId> {
    text.split('-').next()?.parse().ok()
}

/// The payout a reference names.
pub fn payout(text: &str) -> Option<PayoutId> {
    text.split('-').next()?.parse().ok()
}

fn tail(operation: OperationId) -> String {
    let text = operation.to_string();
    text.chars().skip(text.len().saturating_sub(TAIL)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_fits_and_names_its_payment() {
        let ours: PaymentIntentId = "pi_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c".parse().unwrap();
        let operation = "op_0197b3c1d2e47f5a8b9c0d1e2f3a4b5d".parse().unwrap();
        let text = of_payment(ours, operation);
        assert_eq!(text, "pi_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c-0d1e2f3a4b5d");
        assert_eq!((payment(&text), refund(&text)), (Some(ours), None));
        assert_eq!(payment("ORDER-1"), None);
    }
}
