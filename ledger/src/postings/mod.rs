//! One file per way money moves: facts in, a balanced posting out.
//!
//! Every function here is pure, and every amount is in minor units of its currency. The index
//! below is what `docs/LEDGER.md` is generated from, so a posting that is not in it does not
//! exist for an auditor.

mod dispute_fee_charged;
mod dispute_lost;
mod dispute_opened;
mod dispute_reopened;
mod dispute_won;
mod order_delivered;
mod payment_captured;
mod payout_initiated;
mod payout_paid;
mod provider_fee;
mod provider_settled;
mod receipt_returned;
mod receipt_unapplied;
mod refund_bounced;
mod refund_requested;
mod refund_settled;
mod reserve_released;
mod share;
mod vendor_frozen;
mod vendor_recovered;
mod vendor_released;
mod vendor_unfrozen;
mod vendor_written_off;

use mizan_money::{Currency, Money};

pub use dispute_fee_charged::DisputeFeeCharged;
pub use dispute_lost::DisputeLost;
pub use dispute_opened::DisputeOpened;
pub use dispute_reopened::DisputeReopened;
pub use dispute_won::DisputeWon;
pub use order_delivered::OrderDelivered;
pub use payment_captured::PaymentCaptured;
pub use payout_initiated::PayoutInitiated;
pub use payout_paid::PayoutPaid;
pub use provider_fee::ProviderFee;
pub use provider_settled::ProviderSettled;
pub use receipt_returned::ReceiptReturned;
pub use receipt_unapplied::ReceiptUnapplied;
pub use refund_bounced::RefundBounced;
pub use refund_requested::RefundRequested;
pub use refund_settled::RefundSettled;
pub use reserve_released::ReserveReleased;
pub use share::Share;
pub use vendor_frozen::VendorFrozen;
pub use vendor_recovered::VendorRecovered;
pub use vendor_released::VendorReleased;
pub use vendor_unfrozen::VendorUnfrozen;
pub use vendor_written_off::VendorWrittenOff;

use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// One way money moves, with the worked example that the documents show.
pub struct Entry {
    /// The transaction's kind.
    pub kind: &'static str,
    /// What happens, in a sentence.
    pub meaning: &'static str,
    /// Whether a floor may refuse it.
    pub authority: Authority,
    /// The example: an order of 525.00 AED with 25.00 VAT and 10 % commission.
    pub example: fn() -> Result<Posting, PostingError>,
}

/// Every way money moves, in the order of a payment's life.
pub const INDEX: &[Entry] = &[
    payment_captured::ENTRY,
    provider_fee::ENTRY,
    receipt_unapplied::ENTRY,
    receipt_returned::ENTRY,
    order_delivered::ENTRY,
    vendor_released::ENTRY,
    reserve_released::ENTRY,
    vendor_recovered::ENTRY,
    vendor_written_off::ENTRY,
    refund_requested::ENTRY,
    refund_settled::ENTRY,
    refund_bounced::ENTRY,
    dispute_opened::ENTRY,
    vendor_frozen::ENTRY,
    dispute_won::ENTRY,
    vendor_unfrozen::ENTRY,
    dispute_lost::ENTRY,
    dispute_reopened::ENTRY,
    dispute_fee_charged::ENTRY,
    provider_settled::ENTRY,
    payout_initiated::ENTRY,
    payout_paid::ENTRY,
];

/// An amount of the examples, in fils.
const fn aed(minor: i64) -> Money {
    Money::new(minor, Currency::AED)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::entry::Side;

    /// A posting as a ledger page: debits, then credits.
    pub(crate) fn page(posting: &Posting) -> String {
        let mut lines = String::from("\n");
        for leg in posting.legs() {
            let side = if leg.side == Side::Debit { "dr" } else { "cr" };
            lines.push_str(&format!("{side} {:<38} {:>10}\n", leg.account.path(), leg.amount));
        }
        lines
    }

    #[test]
    fn every_example_balances_and_every_kind_stands_once() {
        let mut kinds: Vec<&str> = INDEX.iter().map(|entry| entry.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), INDEX.len());
        for entry in INDEX {
            assert!((entry.example)().unwrap().legs().len() >= 2, "{}", entry.kind);
        }
    }
}
