//! Payees, payouts and runs as the interface shows them.

mod payee;
mod payout;
mod run;

use mizan_ledger::postings::Payee;

pub(super) use payee::{BankAccountView, BlocksView, KycView, TermsView};
pub(super) use payout::PayoutView;
pub(super) use run::RunView;

fn names(payee: &Payee) -> (Option<String>, Option<String>) {
    match payee {
        Payee::Vendor(id) => (Some(id.clone()), None),
        Payee::Affiliate(id) => (None, Some(id.clone())),
    }
}
