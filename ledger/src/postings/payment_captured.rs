//! The buyer paid: the gateway holds the money, and each party gets its part.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A capture, already split. The gross amount is the sum of the parts.
#[derive(Debug, Clone)]
pub struct PaymentCaptured {
    /// The gateway's name.
    pub provider: String,
    /// Where the platform owes VAT on its commission.
    pub jurisdiction: String,
    /// What each vendor's order comes to.
    pub parts: Vec<VendorPart>,
}

/// One vendor's part of a capture.
#[derive(Debug, Clone)]
pub struct VendorPart {
    /// The vendor's id.
    pub vendor: String,
    /// What the vendor gets: gross less commission less the VAT on it.
    pub share: Money,
    /// The platform's commission, net of VAT.
    pub commission: Money,
    /// The VAT on the commission.
    pub commission_vat: Money,
}

impl PaymentCaptured {
    /// Debits the gateway with the gross; credits vendors, deferred commission and VAT.
    ///
    /// # Errors
    /// Ids that no account can have, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let mut gross = None::<Money>;
        let mut legs = Vec::with_capacity(self.parts.len() + 3);
        let (mut commission, mut vat) = (None::<Money>, None::<Money>);
        let add = |sum: Option<Money>, amount: Money| match sum {
            Some(sum) => sum.checked_add(amount),
            None => Ok(amount),
        };
        for part in &self.parts {
            let account = AccountRef::new(Role::VendorPayable, &[&part.vendor, "pending"])?;
            legs.push(credit(account, part.share));
            gross = Some(add(gross, part.share)?);
            gross = Some(add(gross, part.commission)?);
            gross = Some(add(gross, part.commission_vat)?);
            commission = Some(add(commission, part.commission)?);
            vat = Some(add(vat, part.commission_vat)?);
        }
        let (Some(gross), Some(commission), Some(vat)) = (gross, commission, vat) else {
            return Err(PostingError::Empty);
        };
        let clearing = AccountRef::new(Role::GatewayClearing, &[&self.provider])?;
        legs.insert(0, debit(clearing, gross));
        legs.push(credit(AccountRef::new(Role::DeferredCommission, &[])?, commission));
        let vat_account = AccountRef::new(Role::VatOutputPayable, &[&self.jurisdiction])?;
        legs.push(credit(vat_account, vat));
        Posting::balanced(legs)
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "payment.captured",
    meaning: "The buyer paid. The gateway owes the gross; the vendor's share is pending, the \
              commission is deferred until delivery, and VAT is owed on the commission alone.",
    authority: Authority::Fact,
    example: || {
        let part = VendorPart {
            vendor: "V1".into(),
            share: aed(47_250),
            commission: aed(5_000),
            commission_vat: aed(250),
        };
        let (provider, jurisdiction) = ("stripe".into(), "AE".into());
        PaymentCaptured { provider, jurisdiction, parts: vec![part] }.posting()
    },
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn a_capture_gives_each_party_its_part() {
        let page = super::super::tests::page(&(super::ENTRY.example)().unwrap());
        assert_eq!(
            page,
            "
dr gateway_clearing:stripe                525.00 AED
cr vendor_payable:V1:pending              472.50 AED
cr deferred_commission                     50.00 AED
cr vat_output_payable:AE                    2.50 AED
"
        );
    }
}
