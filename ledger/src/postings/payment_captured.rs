//! The buyer paid: the gateway holds the money, and each party gets its part.

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// A capture, already split.
#[derive(Debug, Clone)]
pub struct PaymentCaptured {
    /// Where the money is: the gateway, the customer's held wallet, the platform's coupons.
    pub paid: Vec<Share>,
    /// Whose it is: vendors, the platform's commission, tax offices.
    pub shares: Vec<Share>,
}

impl PaymentCaptured {
    /// Debits where the money is; credits whose it is.
    ///
    /// # Errors
    /// Shares that do not add up to what was paid, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        between(&self.paid, &self.shares)
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "payment.captured",
    meaning: "The buyer paid. The gateway owes the gross; the vendor's share is pending, the \
              commission is deferred until delivery, and VAT is owed on the commission alone.",
    authority: Authority::Fact,
    example: || {
        let share = |role, whose: &[&str], minor| {
            AccountRef::new(role, whose).map(|account| Share { account, amount: aed(minor) })
        };
        PaymentCaptured {
            paid: vec![share(Role::GatewayClearing, &["stripe"], 52_500)?],
            shares: vec![
                share(Role::VendorPayable, &["V1", "pending"], 47_250)?,
                share(Role::DeferredCommission, &[], 5_000)?,
                share(Role::VatOutputPayable, &["AE"], 250)?,
            ],
        }
        .posting()
    },
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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

    #[test]
    fn shares_of_one_account_are_one_leg_and_a_residue_may_stand_on_either_side() {
        let share = |path: &str, minor| Share {
            account: AccountRef::parse(path).unwrap(),
            amount: aed(minor),
        };
        let captured = PaymentCaptured {
            paid: vec![share("gateway_clearing:stripe", 95)],
            shares: vec![
                share("vendor_payable:V1:pending", 50),
                share("vendor_payable:V1:pending", 50),
                share("rounding_difference", -5),
            ],
        };
        assert_eq!(
            super::super::tests::page(&captured.posting().unwrap()),
            "
dr gateway_clearing:stripe                  0.95 AED
cr vendor_payable:V1:pending                1.00 AED
dr rounding_difference                      0.05 AED
"
        );
    }
}
