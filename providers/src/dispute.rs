//! Disputes: asking about them, giving in and answering.

use std::collections::BTreeMap;

use mizan_money::Timestamp;
use mizan_money::id::OperationId;

use crate::event::DisputeEvent;
use crate::model::ProviderRef;

/// The facts of a dispute: the same an event brings.
pub type DisputeAnswer = DisputeEvent;

/// Ask what became of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncDispute {
    /// The gateway's dispute.
    pub provider_ref: ProviderRef,
}

/// List disputes, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListDisputes {
    /// Opened at or after this time.
    pub since: Timestamp,
    /// Where the page before ended, as [`DisputePage::next`] told it.
    pub page: Option<String>,
}

/// Give in to a dispute. It cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptDispute {
    /// Our operation, for tracing.
    pub operation: OperationId,
    /// The gateway's dispute.
    pub provider_ref: ProviderRef,
}

/// Answer a dispute with evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContestDispute {
    /// Our operation, for tracing.
    pub operation: OperationId,
    /// The gateway's dispute.
    pub provider_ref: ProviderRef,
    /// The evidence, by the gateway's own names of its fields; texts and ids of uploaded files.
    pub evidence: BTreeMap<String, String>,
}

/// Some disputes, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputePage {
    /// The disputes.
    pub disputes: Vec<DisputeAnswer>,
    /// What to ask for next; none at the end.
    pub next: Option<String>,
}
