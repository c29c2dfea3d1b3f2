//! A refund is promised: each party gives back its part.

use mizan_money::Money;

use super::{Entry, VendorPart, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A refund before it is confirmed, already taken apart.
#[derive(Debug, Clone)]
pub struct RefundRequested {
    /// Where the VAT on the commission is owed.
    pub jurisdiction: String,
    /// What is taken back from each vendor's order.
    pub parts: Vec<VendorPart>,
}

impl RefundRequested {
    /// Debits vendors, deferred commission and VAT; credits refunds payable with the sum.
    ///
    /// # Errors
    /// Ids that no account can have, amounts that do not fit, no parts.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let Some(first) = self.parts.first() else { return Err(PostingError::Empty) };
        let currency = first.share.currency();
        let sum = |of: fn(&VendorPart) -> Money| {
            Money::sum(currency, self.parts.iter().map(of)).map_err(PostingError::from)
        };
        let (shares, commission, vat) =
            (sum(|p| p.share)?, sum(|p| p.commission)?, sum(|p| p.commission_vat)?);
        let total = shares.checked_add(commission)?.checked_add(vat)?;
        let mut legs = Vec::with_capacity(self.parts.len() + 3);
        for part in &self.parts {
            let account = AccountRef::new(Role::VendorPayable, &[&part.vendor, "pending"])?;
            legs.push(debit(account, part.share));
        }
        legs.push(debit(AccountRef::new(Role::DeferredCommission, &[])?, commission));
        let vat_account = AccountRef::new(Role::VatOutputPayable, &[&self.jurisdiction])?;
        legs.push(debit(vat_account, vat));
        legs.push(credit(AccountRef::new(Role::RefundsPayable, &[])?, total));
        Posting::balanced(legs)
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "refund.requested",
    meaning: "The shop promises a refund. Each party gives back its part: the vendor from what \
              is pending, then available, then in reserve, and the rest becomes its debt.",
    authority: Authority::Fact,
    example: || {
        let part = VendorPart {
            vendor: "V1".into(),
            share: aed(9_450),
            commission: aed(1_000),
            commission_vat: aed(50),
        };
        RefundRequested { jurisdiction: "AE".into(), parts: vec![part] }.posting()
    },
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_refund_takes_each_party_back_in_proportion() {
        let part = VendorPart {
            vendor: "V1".into(),
            share: aed(4_725),
            commission: aed(500),
            commission_vat: aed(25),
        };
        let refund = RefundRequested { jurisdiction: "AE".into(), parts: vec![part] };
        assert_eq!(
            super::super::tests::page(&refund.posting().unwrap()),
            "
dr vendor_payable:V1:pending               47.25 AED
dr deferred_commission                      5.00 AED
dr vat_output_payable:AE                    0.25 AED
cr refunds_payable                         52.50 AED
"
        );
    }
}
