//! A dispute's fee is charged on to the vendor.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A fee that the vendor bears.
#[derive(Debug, Clone)]
pub struct DisputeFeeCharged {
    /// The vendor's id.
    pub vendor: String,
    /// Where the VAT on it is owed.
    pub jurisdiction: String,
    /// The fee, net.
    pub fee: Money,
    /// The VAT on it.
    pub vat: Money,
}

impl DisputeFeeCharged {
    /// Takes fee and VAT from what is available.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let all = self.fee.checked_add(self.vat)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "available"])?, all),
            credit(AccountRef::new(Role::DisputeFeeRecovery, &[])?, self.fee),
            credit(AccountRef::new(Role::VatOutputPayable, &[&self.jurisdiction])?, self.vat),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "dispute.fee_charged",
    meaning: "By policy the vendor bears the gateway's fee for a dispute, with the VAT on it.",
    authority: Authority::Fact,
    example: || {
        DisputeFeeCharged {
            vendor: "V1".into(),
            jurisdiction: "AE".into(),
            fee: aed(5_500),
            vat: aed(275),
        }
        .posting()
    },
};
