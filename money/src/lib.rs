//! Money, currencies, rates, allocation and typed ids: exact, checked, without IO.
//!
//! What this crate promises:
//!
//! - An amount never travels without its currency, and two currencies never meet in one sum.
//! - No operation wraps, panics or drops a digit: it returns the exact result or an error that
//!   names the figures. Rounding happens only where a [`Rounding`] is passed in.
//! - [`allocate`] never creates or loses a unit: the parts add up to the total.
//! - There is no binary floating point, no clock, no file, no network. Time is passed in.

mod allocate;
mod currency;
mod fx;
pub mod id;
mod money;
mod parse;
mod rate;
mod rounding;

pub use allocate::{AllocateError, allocate};
pub use currency::{Currency, UnknownCurrency};
pub use fx::{FxRate, FxRateError};
pub use id::{
    AccountId, ApiKeyId, AttemptId, ConnectionId, CustomerId, DeliveryId, DisputeId, EventId,
    IdError, IdFault, OperationId, PaymentIntentId, PayoutId, RefundId, RequestId, TenantId,
    TransactionId, VendorId,
};
pub use money::{Money, MoneyError};
pub use parse::{ParseAmountError, parse_amount};
pub use rate::{Rate, RateError};
pub use rounding::Rounding;

/// A moment in universal time. Callers pass it in; nothing here reads a clock.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// What [`typed_id!`] expands to. Not for use by hand: it may change at any time.
#[doc(hidden)]
pub mod __private {
    pub use crate::id::support::{deserialize, generate, parse, schema, write};
    pub use serde;
    pub use utoipa;
    pub use uuid::Uuid;
}
