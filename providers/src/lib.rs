//! Five gateways behind one trait: pure adapters, one client, one vocabulary of states.
//!
//! An adapter turns an [`Operation`] into an [`HttpRequest`], an [`HttpAnswer`] into an
//! [`Outcome`], and a verified webhook body into [`ProviderEvent`]s. It does no IO, reads no
//! clock and keeps nothing. [`GatewayClient`] owns the sockets, the time limits, the retries
//! inside one call and the [`Archive`] of what was said, with secrets removed.
//!
//! | outcome | what it means | what may follow |
//! |---|---|---|
//! | [`Outcome::Done`] | the gateway did it, and the echo agrees with what was asked | book it |
//! | [`Outcome::Pending`] | accepted, the result comes later | wait for the event, or sync |
//! | [`Outcome::Declined`] | refused for good | soft: another gateway may be tried |
//! | [`Outcome::Rejected`] | certainly nothing happened | fix, or another gateway |
//! | [`Outcome::Unknown`] | it may have happened | same key or a query, never another gateway |
//! | [`Outcome::Mismatch`] | it happened, but not as asked | a person looks |
//!
//! What this crate never does: open a database, decide what a payment becomes, call a status
//! it does not know a success.

pub mod amount;
pub mod capability;
pub mod check;
pub mod client;
pub mod dispute;
pub mod error;
pub mod event;
pub mod http;
pub mod inspect;
pub mod instrument;
pub mod model;
pub mod operation;
pub mod outcome;
pub mod payout;
pub mod paypal;
pub mod paytabs;
pub mod provider;
pub mod razorpay;
pub mod reference;
pub mod registry;
pub mod settlement;
pub mod signature;
pub mod stripe;
pub mod telr;
pub mod transfer;

pub use amount::WireAmountError;
pub use capability::{
    Capabilities, Checkout, Recoveries, Recovery, SettlementSource, Support, Trust,
};
pub use client::redact;
pub use client::{Archive, Attempt, ClientConfig, Exchange, GatewayClient};
pub use dispute::{
    AcceptDispute, ContestDispute, DisputeAnswer, DisputePage, ListDisputes, SyncDispute,
};
pub use error::{BuildError, ClientError, SendError, TranslateError, VerifyError};
pub use event::{
    DisputeEvent, EventKind, EventSubject, FundsMovement, Mode, OtherEvent, PaymentEvent,
    PayoutEvent, ProviderEvent, RefundEvent, RefundNotice, SettlementNotice, TransferEvent,
    VerifiedDelivery,
};
pub use http::{Auth, Body, Headers, HttpAnswer, HttpRequest, KEY_PLACE, Method, Prior, Replay};
pub use inspect::{Inspection, inspect};
pub use instrument::{
    ChargeSaved, CreateCustomer, CustomerAnswer, InstrumentAnswer, InstrumentStatus,
    KeepInstrument, Presence, RemoveInstrument, SaveInstrument, SavedInstrument, SyncInstrument,
};
pub use model::{
    CaptureMethod, Confirmation, DisputeStatus, Finality, IdempotencyKey, NextAction,
    PaymentStatus, PayoutStatus, ProviderFee, ProviderName, ProviderRef, RefundReason,
    RefundStatus, TransferStatus, VoidReason,
};
pub use operation::{
    CapturePayment, ConfirmPayment, CreatePayment, Operation, OperationKind, RefundPayment,
    SyncPayment, SyncRefund, VoidPayment,
};
pub use outcome::{
    Answer, Decline, DeclineKind, Mismatch, Outcome, PaymentAnswer, RefundAnswer, Rejection,
    RejectionReason, Subject, Unknown, UnknownReason,
};
pub use payout::{CancelPayout, CreatePayout, PayoutAnswer, PayoutDestination, SyncPayout};
pub use provider::{Provider, Recorded, RecordedRequest, Vocabulary, WebhookKeys};
pub use registry::{Credentials, RegistryError, provider, webhook_reader};
pub use settlement::{ListSettlement, SettlementKind, SettlementLine, SettlementPage};
pub use transfer::{CreateTransfer, ReverseTransfer, SyncTransfer, TransferAnswer};
