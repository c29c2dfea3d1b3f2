//! Payouts: money sent from our balance at a gateway to somebody's bank or account.

use std::fmt;

use mizan_money::Money;
use mizan_money::id::{OperationId, PayoutId};

use crate::model::{PayoutStatus, ProviderFee, ProviderRef};

/// Where a payout goes, in the gateway's own terms. Bank details live at the gateway: nothing
/// here holds an account number.
#[derive(Clone, PartialEq, Eq)]
pub enum PayoutDestination {
    /// The bank of an account connected to ours; the default one unless named.
    ConnectedAccount {
        /// The account.
        account: String,
        /// Its bank account or card.
        bank: Option<ProviderRef>,
    },
    /// A fund account that was registered at the gateway.
    FundAccount(ProviderRef),
    /// Whoever has this e-mail address at the gateway. Personal: never shown by `Debug`.
    Email(String),
    /// An account at the gateway by its id.
    PayeeAccount(String),
}

impl fmt::Debug for PayoutDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectedAccount { account, bank } => f
                .debug_struct("ConnectedAccount")
                .field("account", account)
                .field("bank", bank)
                .finish(),
            Self::FundAccount(id) => f.debug_tuple("FundAccount").field(id).finish(),
            Self::Email(_) => f.write_str("Email(…)"),
            Self::PayeeAccount(id) => f.debug_tuple("PayeeAccount").field(id).finish(),
        }
    }
}

/// Pay money out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePayout {
    /// Our payout; travels as the gateway's reference and comes back in events.
    pub payout: PayoutId,
    /// Our operation, for tracing.
    pub operation: OperationId,
    /// What arrives; the gateway's fee is on top.
    pub amount: Money,
    /// Where it goes.
    pub destination: PayoutDestination,
    /// What the receiver sees beside it.
    pub description: Option<String>,
}

/// Ask what became of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncPayout {
    /// Our payout; checked against the echo.
    pub payout: PayoutId,
    /// The gateway's payout.
    pub provider_ref: ProviderRef,
    /// What was asked; checked against the echo.
    pub amount: Money,
    /// Where it went: some gateways are asked on behalf of the account.
    pub destination: PayoutDestination,
}

/// Call off a payout that has not left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelPayout {
    /// Our payout; checked against the echo.
    pub payout: PayoutId,
    /// The gateway's payout.
    pub provider_ref: ProviderRef,
    /// What was asked; checked against the echo.
    pub amount: Money,
    /// Where it would go.
    pub destination: PayoutDestination,
}

/// The facts of a payout at the gateway, at the moment of the answer or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutAnswer {
    /// The gateway's payout; of a batch with one item, the item once it is known.
    pub provider_ref: ProviderRef,
    /// Its state.
    pub status: PayoutStatus,
    /// The gateway's own word for the state.
    pub status_word: String,
    /// What goes to the bank.
    pub amount: Money,
    /// What the gateway keeps for it, where it is known already; given back when it comes back.
    pub fee: Option<ProviderFee>,
    /// Why it failed or came back.
    pub reason: Option<String>,
    /// The bank's reference of it: UTR, trace id.
    pub bank_reference: Option<String>,
    /// Our payout, as the gateway's reference says.
    pub reference: Option<PayoutId>,
}
