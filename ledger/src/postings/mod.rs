//! One file per way money moves: facts in, a balanced posting out.
//!
//! Every function here is pure, and every amount is in minor units of its currency. The index
//! below is what `docs/LEDGER.md` is generated from, so a posting that is not in it does not
//! exist for an auditor.

mod affiliates;
mod dispute_fee_charged;
mod dispute_lost;
mod dispute_opened;
mod dispute_reopened;
mod dispute_won;
mod finance;
mod fx_realised;
mod order_delivered;
mod payment_captured;
mod payouts;
mod provider_fee;
mod provider_settled;
mod receipt_returned;
mod receipt_unapplied;
mod refund_bounced;
mod refund_requested;
mod refund_settled;
mod share;
mod vendors;
mod wallets;

use mizan_money::{Currency, Money};

pub use dispute_fee_charged::DisputeFeeCharged;
pub use dispute_lost::DisputeLost;
pub use dispute_opened::DisputeOpened;
pub use dispute_reopened::DisputeReopened;
pub use dispute_won::DisputeWon;

pub use affiliates::{
    AffiliateAccrued, AffiliateRecovered, AffiliateReleased, AffiliateRestored, AffiliateReversed,
};
pub use finance::{
    FxRevalued, JournalPosted, LiabilityRemitted, SettlementReceived, SettlementReported,
};
pub use fx_realised::FxRealised;
pub use order_delivered::OrderDelivered;
pub use payment_captured::PaymentCaptured;
pub use payouts::{
    Payee, PayoutFailed, PayoutFee, PayoutInitiated, PayoutPaid, PayoutReturned, Till,
};
pub use provider_fee::ProviderFee;
pub use provider_settled::ProviderSettled;
pub use receipt_returned::ReceiptReturned;
pub use receipt_unapplied::ReceiptUnapplied;
pub use refund_bounced::RefundBounced;
pub use refund_requested::RefundRequested;
pub use refund_settled::RefundSettled;
pub use share::Share;
pub use vendors::{
    ReserveReleased, VendorFrozen, VendorRecovered, VendorReleased, VendorUnfrozen,
    VendorWrittenOff,
};
pub use wallets::{
    CashbackAccrued, CashbackClawedBack, CashbackExpired, CashbackRestored, CashbackVested,
    PromoGranted, WalletHeld, WalletReleased,
};

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
    vendors::vendor_released::ENTRY,
    vendors::reserve_released::ENTRY,
    vendors::vendor_recovered::ENTRY,
    vendors::vendor_written_off::ENTRY,
    refund_requested::ENTRY,
    refund_settled::ENTRY,
    refund_bounced::ENTRY,
    dispute_opened::ENTRY,
    vendors::vendor_frozen::ENTRY,
    dispute_won::ENTRY,
    vendors::vendor_unfrozen::ENTRY,
    dispute_lost::ENTRY,
    dispute_reopened::ENTRY,
    dispute_fee_charged::ENTRY,
    provider_settled::ENTRY,
    wallets::wallet_held::ENTRY,
    wallets::wallet_released::ENTRY,
    wallets::promo_granted::ENTRY,
    wallets::cashback_accrued::ENTRY,
    wallets::cashback_vested::ENTRY,
    wallets::cashback_expired::ENTRY,
    wallets::cashback_clawed_back::ENTRY,
    wallets::cashback_restored::ENTRY,
    affiliates::affiliate_accrued::ENTRY,
    affiliates::affiliate_released::ENTRY,
    affiliates::affiliate_reversed::ENTRY,
    affiliates::affiliate_restored::ENTRY,
    affiliates::affiliate_recovered::ENTRY,
    finance::settlement_reported::ENTRY,
    finance::settlement_received::ENTRY,
    finance::liability_remitted::ENTRY,
    finance::fx_revalued::ENTRY,
    finance::fx_revalued::REVERSED,
    finance::journal_posted::ENTRY,
    payouts::initiated::ENTRY,
    payouts::paid::ENTRY,
    payouts::failed::ENTRY,
    payouts::failed::CANCELLED,
    payouts::returned::ENTRY,
    payouts::fee::ENTRY,
    payouts::fee::GIVEN_BACK,
    fx_realised::ENTRY,
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
