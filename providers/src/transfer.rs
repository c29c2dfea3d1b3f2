//! Transfers: money moved to a vendor's account at the gateway, and back.

use mizan_money::Money;
use mizan_money::id::{OperationId, TransferId};

use crate::model::{ProviderFee, ProviderRef, TransferStatus};

/// Move money to a vendor's account at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTransfer {
    /// Our transfer; travels in the metadata.
    pub transfer: TransferId,
    /// Our operation, for tracing.
    pub operation: OperationId,
    /// What is moved.
    pub amount: Money,
    /// The vendor's account at the gateway.
    pub destination: String,
    /// The charge it is paid from, where it is tied to one.
    pub source: Option<ProviderRef>,
}

/// Ask what became of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncTransfer {
    /// Our transfer; checked against the echo.
    pub transfer: TransferId,
    /// The gateway's transfer.
    pub provider_ref: ProviderRef,
    /// What was moved; checked against the echo.
    pub amount: Money,
}

/// Take money back from a vendor's account at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReverseTransfer {
    /// Our transfer; checked against the echo.
    pub transfer: TransferId,
    /// Our operation, for tracing.
    pub operation: OperationId,
    /// The gateway's transfer.
    pub provider_ref: ProviderRef,
    /// What was moved.
    pub transferred: Money,
    /// What comes back now.
    pub amount: Money,
    /// What came back before.
    pub reversed_before: Money,
}

/// The facts of a transfer at the gateway, at the moment of the answer or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferAnswer {
    /// The gateway's transfer.
    pub provider_ref: ProviderRef,
    /// Its state.
    pub status: TransferStatus,
    /// What was moved.
    pub amount: Money,
    /// What came back so far.
    pub reversed: Money,
    /// The vendor's account.
    pub destination: Option<String>,
    /// What the gateway keeps for it, where it is known already.
    pub fee: Option<ProviderFee>,
    /// Our transfer, as the metadata says.
    pub reference: Option<TransferId>,
}
