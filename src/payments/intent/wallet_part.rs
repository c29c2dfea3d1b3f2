//! What of a payment the customer's wallet pays, and who sent the customer.

use mizan_money::{Currency, Money, MoneyError, Rate};
use serde::{Deserialize, Serialize};

use super::states;
use crate::affiliates::{self, FundedBy};
use crate::vendors::WhoBears;

states! {
    /// Where the wallet's part of a payment is.
    WalletState {
        /// There is none.
        None = "none",
        /// Held for the checkout.
        Held = "held",
        /// Taken, with the capture.
        Spent = "spent",
        /// The customer's again.
        Released = "released",
    }
}

/// What of a payment the customer's wallet pays, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletPart {
    /// Of the cash purse.
    pub cash: Money,
    /// Of the promo purse.
    pub promo: Money,
    /// Where it is.
    pub state: WalletState,
    /// What of the cash went back, or is promised to.
    pub cash_back: Money,
    /// What of the promo credit did.
    pub promo_back: Money,
}

impl WalletPart {
    /// Of a payment without one.
    pub fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        let state = WalletState::None;
        Self { cash: zero, promo: zero, state, cash_back: zero, promo_back: zero }
    }

    /// What it pays now: nothing once it was given back.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn paying(&self) -> Result<Money, MoneyError> {
        match self.state {
            WalletState::Held | WalletState::Spent => self.cash.checked_add(self.promo),
            WalletState::None | WalletState::Released => Ok(Money::zero(self.cash.currency())),
        }
    }
}

/// Who sent the customer, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The shop's id of the affiliate.
    pub affiliate: String,
    /// Of the price before tax.
    pub percent: Rate,
    /// Who pays it.
    pub funded_by: WhoBears,
}

impl From<affiliates::Attribution> for Attribution {
    fn from(it: affiliates::Attribution) -> Self {
        let funded_by = match it.funded_by {
            FundedBy::Platform => WhoBears::Platform,
            FundedBy::Vendor => WhoBears::Vendor,
        };
        Self { affiliate: it.affiliate, percent: it.rate, funded_by }
    }
}

impl From<&Attribution> for affiliates::Attribution {
    fn from(it: &Attribution) -> Self {
        let funded_by = match it.funded_by {
            WhoBears::Platform => FundedBy::Platform,
            WhoBears::Vendor => FundedBy::Vendor,
        };
        Self { affiliate: it.affiliate.clone(), rate: it.percent, funded_by }
    }
}
