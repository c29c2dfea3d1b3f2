//! Who is paid out, and out of what: shared by every posting of a payout.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Leg, credit, debit};
use crate::error::AccountError;

/// Whose money is paid out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payee {
    /// A seller, by the shop's own id.
    Vendor(String),
    /// An affiliate, by the shop's own id.
    Affiliate(String),
}

impl Payee {
    /// The payee of a stored kind and id.
    pub fn of(kind: &str, id: &str) -> Option<Payee> {
        match kind {
            "vendor" => Some(Payee::Vendor(id.to_owned())),
            "affiliate" => Some(Payee::Affiliate(id.to_owned())),
            _ => None,
        }
    }

    /// `vendor` or `affiliate`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Payee::Vendor(_) => "vendor",
            Payee::Affiliate(_) => "affiliate",
        }
    }

    /// The shop's own id.
    pub fn id(&self) -> &str {
        match self {
            Payee::Vendor(id) | Payee::Affiliate(id) => id,
        }
    }

    /// What can be paid out.
    ///
    /// # Errors
    /// An id that no account can have.
    pub fn available(&self) -> Result<AccountRef, AccountError> {
        match self {
            Payee::Vendor(id) => AccountRef::new(Role::VendorPayable, &[id, "available"]),
            Payee::Affiliate(id) => AccountRef::new(Role::AffiliatePayable, &[id, "available"]),
        }
    }

    /// What the payee owes.
    ///
    /// # Errors
    /// An id that no account can have.
    pub fn receivable(&self) -> Result<AccountRef, AccountError> {
        match self {
            Payee::Vendor(id) => AccountRef::new(Role::VendorReceivable, &[id]),
            Payee::Affiliate(id) => AccountRef::new(Role::AffiliateReceivable, &[id]),
        }
    }
}

/// Where a rail takes the money from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Till {
    /// Our account of this name at a bank.
    Bank(String),
    /// Our balance at a gateway.
    Gateway(String),
}

impl Till {
    /// Its account.
    ///
    /// # Errors
    /// A name that no account can have.
    pub fn account(&self) -> Result<AccountRef, AccountError> {
        match self {
            Till::Bank(bank) => AccountRef::new(Role::Bank, &[bank]),
            Till::Gateway(provider) => AccountRef::new(Role::GatewayClearing, &[provider]),
        }
    }
}

/// A debit and a credit: of one amount, or of what it comes to in the other's currency. Each
/// currency then balances by itself over the conversion position.
pub(super) fn across(
    from: (AccountRef, Money),
    to: (AccountRef, Money),
) -> Result<Vec<Leg>, AccountError> {
    let (given, taken) = (from.1, to.1);
    let mut legs = vec![debit(from.0, given)];
    if given.currency() != taken.currency() {
        let position = AccountRef::new(Role::FxClearing, &[])?;
        legs.push(credit(position.clone(), given));
        legs.push(debit(position, taken));
    }
    legs.push(credit(to.0, taken));
    Ok(legs)
}
