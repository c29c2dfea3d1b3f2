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

pub mod capability;
pub mod client;
pub mod error;
pub mod event;
pub mod http;
pub mod inspect;
pub mod model;
pub mod operation;
pub mod outcome;
pub mod provider;
pub mod razorpay;
pub mod redact;
pub mod registry;
pub mod signature;
pub mod stripe;

pub use capability::{Capabilities, FindByReference, Support};
pub use client::{Archive, Attempt, ClientConfig, Exchange, GatewayClient};
pub use error::{BuildError, ClientError, SendError, TranslateError, VerifyError};
pub use event::{
    DisputeEvent, EventKind, EventSubject, FundsMovement, Mode, OtherEvent, PaymentEvent,
    PayoutEvent, ProviderEvent, RefundEvent, RefundNotice, SettlementNotice, TransferEvent,
    VerifiedDelivery,
};
pub use http::{Auth, Body, Headers, HttpAnswer, HttpRequest, Method, Prior, Replay};
pub use inspect::{Inspection, inspect};
pub use model::{
    CaptureMethod, Confirmation, DisputeStatus, Finality, IdempotencyKey, NextAction,
    PaymentStatus, PayoutStatus, ProviderFee, ProviderName, ProviderRef, RefundReason,
    RefundStatus, TransferStatus, VoidReason,
};
pub use operation::{
    CapturePayment, ConfirmPayment, CreatePayment, FindPayment, Operation, RefundPayment,
    SyncPayment, SyncRefund, VoidPayment,
};
pub use outcome::{
    Answer, Decline, DeclineKind, Mismatch, Outcome, PaymentAnswer, RefundAnswer, Rejection,
    RejectionReason, Subject, Unknown, UnknownReason,
};
pub use provider::Provider;
pub use registry::{Credentials, RegistryError, provider, webhook_reader};
