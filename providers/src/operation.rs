//! What we may ask of a gateway, with everything needed to ask it and to check the answer.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use mizan_money::Money;
use mizan_money::id::{OperationId, PaymentIntentId, RefundId};
use serde::Serialize;

use crate::dispute::{AcceptDispute, ContestDispute, ListDisputes, SyncDispute};
use crate::error::ModelError;
use crate::instrument::{
    ChargeSaved, CreateCustomer, KeepInstrument, RemoveInstrument, SaveInstrument, SyncInstrument,
};
use crate::model::{
    CaptureMethod, Confirmation, Finality, ProviderRef, RefundReason, VoidReason, words,
};
use crate::payout::{CancelPayout, CreatePayout, SyncPayout};
use crate::settlement::ListSettlement;
use crate::transfer::{CreateTransfer, ReverseTransfer, SyncTransfer};

/// One thing asked of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Make a payment known to the gateway, and try it when confirmed at once.
    Create(CreatePayment),
    /// Try a payment that was created without confirming, or take what the customer agreed to.
    Confirm(ConfirmPayment),
    /// Take held money, all or a part.
    Capture(CapturePayment),
    /// Give up a hold or an unfinished payment.
    Void(VoidPayment),
    /// Give money back.
    Refund(RefundPayment),
    /// Ask what became of a payment.
    Sync(SyncPayment),
    /// Ask what became of a refund.
    SyncRefund(SyncRefund),
    /// Ask by our own reference what became of an operation whose answer never reached us. What
    /// the gateway tells is read as the answer to that operation; where it knows nothing of it,
    /// the outcome is [`crate::UnknownReason::NotFound`].
    Find(Box<Operation>),
    /// Make a customer known to the gateway, before an instrument is kept for them.
    CreateCustomer(CreateCustomer),
    /// Save an instrument without a payment.
    SaveInstrument(SaveInstrument),
    /// Ask what became of saving an instrument.
    SyncInstrument(SyncInstrument),
    /// Forget a saved instrument.
    RemoveInstrument(RemoveInstrument),
    /// Pay money out to a vendor's bank or account.
    Payout(CreatePayout),
    /// Ask what became of a payout.
    SyncPayout(SyncPayout),
    /// Call off a payout that has not left.
    CancelPayout(CancelPayout),
    /// Move money to a vendor's account at the gateway.
    Transfer(CreateTransfer),
    /// Ask what became of a transfer.
    SyncTransfer(SyncTransfer),
    /// Take money back from a vendor's account at the gateway.
    ReverseTransfer(ReverseTransfer),
    /// Ask what became of a dispute.
    SyncDispute(SyncDispute),
    /// List disputes, a page at a time.
    ListDisputes(ListDisputes),
    /// Give in to a dispute.
    AcceptDispute(AcceptDispute),
    /// Answer a dispute with evidence.
    ContestDispute(ContestDispute),
    /// List what moved the balance at the gateway, a page at a time.
    ListSettlement(ListSettlement),
}

words! {
    /// The name of an operation, as stored and logged.
    OperationKind {
        /// [`Operation::Create`].
        Create = "create",
        /// [`Operation::Confirm`].
        Confirm = "confirm",
        /// [`Operation::Capture`].
        Capture = "capture",
        /// [`Operation::Void`].
        Void = "void",
        /// [`Operation::Refund`].
        Refund = "refund",
        /// [`Operation::Sync`].
        Sync = "sync",
        /// [`Operation::SyncRefund`].
        SyncRefund = "sync_refund",
        /// [`Operation::Find`].
        Find = "find",
        /// [`Operation::CreateCustomer`].
        CreateCustomer = "create_customer",
        /// [`Operation::SaveInstrument`].
        SaveInstrument = "save_instrument",
        /// [`Operation::SyncInstrument`].
        SyncInstrument = "sync_instrument",
        /// [`Operation::RemoveInstrument`].
        RemoveInstrument = "remove_instrument",
        /// [`Operation::Payout`].
        Payout = "payout",
        /// [`Operation::SyncPayout`].
        SyncPayout = "sync_payout",
        /// [`Operation::CancelPayout`].
        CancelPayout = "cancel_payout",
        /// [`Operation::Transfer`].
        Transfer = "transfer",
        /// [`Operation::SyncTransfer`].
        SyncTransfer = "sync_transfer",
        /// [`Operation::ReverseTransfer`].
        ReverseTransfer = "reverse_transfer",
        /// [`Operation::SyncDispute`].
        SyncDispute = "sync_dispute",
        /// [`Operation::ListDisputes`].
        ListDisputes = "list_disputes",
        /// [`Operation::AcceptDispute`].
        AcceptDispute = "accept_dispute",
        /// [`Operation::ContestDispute`].
        ContestDispute = "contest_dispute",
        /// [`Operation::ListSettlement`].
        ListSettlement = "list_settlement",
    }
}

impl Operation {
    /// Which operation it is.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::Create(_) => OperationKind::Create,
            Self::Confirm(_) => OperationKind::Confirm,
            Self::Capture(_) => OperationKind::Capture,
            Self::Void(_) => OperationKind::Void,
            Self::Refund(_) => OperationKind::Refund,
            Self::Sync(_) => OperationKind::Sync,
            Self::SyncRefund(_) => OperationKind::SyncRefund,
            Self::Find(_) => OperationKind::Find,
            Self::CreateCustomer(_) => OperationKind::CreateCustomer,
            Self::SaveInstrument(_) => OperationKind::SaveInstrument,
            Self::SyncInstrument(_) => OperationKind::SyncInstrument,
            Self::RemoveInstrument(_) => OperationKind::RemoveInstrument,
            Self::Payout(_) => OperationKind::Payout,
            Self::SyncPayout(_) => OperationKind::SyncPayout,
            Self::CancelPayout(_) => OperationKind::CancelPayout,
            Self::Transfer(_) => OperationKind::Transfer,
            Self::SyncTransfer(_) => OperationKind::SyncTransfer,
            Self::ReverseTransfer(_) => OperationKind::ReverseTransfer,
            Self::SyncDispute(_) => OperationKind::SyncDispute,
            Self::ListDisputes(_) => OperationKind::ListDisputes,
            Self::AcceptDispute(_) => OperationKind::AcceptDispute,
            Self::ContestDispute(_) => OperationKind::ContestDispute,
            Self::ListSettlement(_) => OperationKind::ListSettlement,
        }
    }

    /// Whether it can change anything at the gateway.
    pub const fn is_query(&self) -> bool {
        matches!(
            self,
            Self::Sync(_)
                | Self::SyncRefund(_)
                | Self::Find(_)
                | Self::SyncInstrument(_)
                | Self::SyncPayout(_)
                | Self::SyncTransfer(_)
                | Self::SyncDispute(_)
                | Self::ListDisputes(_)
                | Self::ListSettlement(_)
        )
    }
}

/// Make a payment known to the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePayment {
    /// Our payment; travels in the gateway's metadata and comes back in every event.
    pub payment: PaymentIntentId,
    /// Our operation, for tracing a request in the gateway's dashboard.
    pub operation: OperationId,
    /// What the customer pays.
    pub amount: Money,
    /// When the money is taken.
    pub capture: CaptureMethod,
    /// The gateway's token of the instrument; never a card number.
    pub payment_method: Option<String>,
    /// Whether to try at once.
    pub confirmation: Confirmation,
    /// Where the customer comes back to after a hosted page; absolute http or https.
    pub return_url: Option<String>,
    /// Shown to the shop in the gateway's dashboard.
    pub description: Option<String>,
    /// The shop's own pairs. Ours (`mizan_…`) win over pairs of the same name.
    pub metadata: BTreeMap<String, String>,
    /// A saved instrument to charge, instead of a payment method or a page.
    pub instrument: Option<ChargeSaved>,
    /// Whether to keep the instrument for later payments, and for whom.
    pub keep: Option<KeepInstrument>,
}

/// Try a payment that was created without confirming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmPayment {
    /// Our payment; checked against the echo.
    pub payment: PaymentIntentId,
    /// Our operation: the reference of the call where the gateway knows no keys.
    pub operation: OperationId,
    /// The gateway's payment.
    pub provider_ref: ProviderRef,
    /// What was asked at creation; checked against the echo.
    pub amount: Money,
    /// What was asked at creation; checked against the echo.
    pub capture: CaptureMethod,
    /// The gateway's token of the instrument, when it was not given at creation.
    pub payment_method: Option<String>,
    /// Where the customer comes back to after a hosted page.
    pub return_url: Option<String>,
}

/// Take held money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturePayment {
    /// Our payment; checked against the echo.
    pub payment: PaymentIntentId,
    /// Our operation: the reference of the call where the gateway knows no keys.
    pub operation: OperationId,
    /// The gateway's payment.
    pub provider_ref: ProviderRef,
    /// The gateway's charge, where it is told apart from the payment: some gateways act on that.
    pub charge_ref: Option<ProviderRef>,
    /// What was authorised; checked against the echo.
    pub authorised: Money,
    /// What earlier captures of this hold took.
    pub captured_before: Money,
    /// What to take now.
    pub amount: Money,
    /// Whether the rest is released.
    pub finality: Finality,
}

/// Give up a hold or an unfinished payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoidPayment {
    /// Our payment; checked against the echo.
    pub payment: PaymentIntentId,
    /// Our operation: the reference of the call where the gateway knows no keys.
    pub operation: OperationId,
    /// The gateway's payment.
    pub provider_ref: ProviderRef,
    /// The gateway's charge, where it is told apart from the payment: some gateways act on that.
    pub charge_ref: Option<ProviderRef>,
    /// The payment's amount; checked against the echo.
    pub amount: Money,
    /// Why.
    pub reason: VoidReason,
}

/// Give money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPayment {
    /// Our payment; travels in the metadata.
    pub payment: PaymentIntentId,
    /// Our refund; travels in the metadata and is checked against the echo.
    pub refund: RefundId,
    /// Our operation, for tracing.
    pub operation: OperationId,
    /// The gateway's payment.
    pub provider_ref: ProviderRef,
    /// The gateway's charge, where it is told apart from the payment: some gateways act on that.
    pub charge_ref: Option<ProviderRef>,
    /// What goes back; greater than zero.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
    /// The gateway's ids of the payment's other refunds, where they are known: of several alike,
    /// the one that is looked for is none of these. Never sent.
    pub known_refunds: Vec<ProviderRef>,
}

/// Ask what became of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncPayment {
    /// Our payment; checked against the echo.
    pub payment: PaymentIntentId,
    /// The gateway's payment.
    pub provider_ref: ProviderRef,
    /// The gateway's charge, where it is told apart from the payment.
    pub charge_ref: Option<ProviderRef>,
    /// The payment's amount; checked against the echo.
    pub amount: Money,
}

/// Ask what became of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRefund {
    /// Our refund; checked against the echo.
    pub refund: RefundId,
    /// The gateway's refund.
    pub provider_ref: ProviderRef,
    /// The gateway's payment it belongs to.
    pub payment_ref: ProviderRef,
    /// The gateway's charge, where it is told apart from the payment.
    pub charge_ref: Option<ProviderRef>,
    /// What was asked to go back; checked against the echo.
    pub amount: Money,
}
