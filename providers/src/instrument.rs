//! Saved instruments: what is asked of a gateway to keep one, charge it and forget it.

use std::fmt;
use std::str::FromStr;

use mizan_money::Currency;
use mizan_money::id::{CustomerId, OperationId};
use serde::Serialize;

use crate::error::ModelError;
use crate::model::{NextAction, ProviderRef, words};
use crate::outcome::Decline;

/// An instrument that a gateway keeps for us: its token, never a card number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedInstrument {
    /// What names it in a later payment: `pm_…`, `token_…`, a vault id, an earlier transaction.
    pub token: ProviderRef,
    /// The gateway's customer it belongs to, where it has customers.
    pub customer: Option<ProviderRef>,
    /// The transaction that first proved it, where a later charge has to name that too.
    pub first_charge: Option<ProviderRef>,
}

words! {
    /// Whether the customer is there to prove that it is them.
    Presence {
        /// In the checkout: 3-D Secure can be asked for.
        OnSession = "on_session",
        /// Away: a renewal or a debt, by an agreement made earlier.
        OffSession = "off_session",
    }
}

/// Charge a saved instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeSaved {
    /// Which.
    pub instrument: SavedInstrument,
    /// Whether the customer is there.
    pub presence: Presence,
}

/// Keep the instrument of a payment for later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepInstrument {
    /// Our customer; travels as the gateway's customer reference where it has one.
    pub customer: CustomerId,
    /// The gateway's customer, where one was made before.
    pub customer_ref: Option<ProviderRef>,
}

/// Make a customer known to the gateway, for those that keep instruments under one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateCustomer {
    /// Our customer; travels in the metadata.
    pub customer: CustomerId,
    /// Our operation, for tracing.
    pub operation: OperationId,
}

/// A customer at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerAnswer {
    /// The gateway's customer.
    pub provider_ref: ProviderRef,
    /// Our customer, as the metadata says.
    pub reference: Option<CustomerId>,
}

/// Save an instrument without a payment: the customer agrees on the gateway's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveInstrument {
    /// Our operation: the reference of the call where the gateway knows no keys.
    pub operation: OperationId,
    /// For whom.
    pub keep: KeepInstrument,
    /// The currency of the payments to come, where the gateway wants one.
    pub currency: Currency,
    /// The gateway's token of the instrument, where the shop collected it already.
    pub payment_method: Option<String>,
    /// Where the customer comes back to.
    pub return_url: Option<String>,
}

/// Ask what became of saving an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncInstrument {
    /// The gateway's id of the saving, as [`InstrumentAnswer::provider_ref`] told it.
    pub provider_ref: ProviderRef,
}

/// Forget a saved instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveInstrument {
    /// Which.
    pub instrument: SavedInstrument,
}

words! {
    /// What a gateway says of saving an instrument.
    InstrumentStatus {
        /// The customer must do something.
        RequiresAction = "requires_action",
        /// The gateway is working on it.
        Processing = "processing",
        /// It can be charged.
        Active = "active",
        /// It was not saved.
        Failed = "failed",
        /// It is forgotten.
        Removed = "removed",
        /// A word we do not know.
        Unknown = "unknown",
    }
}

/// The facts of a saved instrument at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentAnswer {
    /// The gateway's id of the saving: a setup intent, a token, a transaction.
    pub provider_ref: ProviderRef,
    /// Its state.
    pub status: InstrumentStatus,
    /// What the customer must do next.
    pub next_action: Option<NextAction>,
    /// What can be charged, once active.
    pub instrument: Option<SavedInstrument>,
    /// Why it failed.
    pub last_error: Option<Decline>,
}
