//! Stripe: form-encoded requests, JSON answers, keys for every write, signed events.
//!
//! Requests are async-stripe's typed builders turned into plain data; answers are read with its
//! types first and with tolerant ones of our own where a body is trimmed. Its HTTP client and its
//! webhook check are not used: the one has no time limit, the other knows one secret only.
//!
//! | file | holds |
//! |---|---|
//! | `adapter` | the trait |
//! | `request` | operations → requests |
//! | `answer` | answers → outcomes, with the echo checks |
//! | `refusal` | the table of errors |
//! | `facts` | their objects → our facts |
//! | `status` | the tables of states |
//! | `event` | webhooks → events |
//! | `signature` | `Stripe-Signature` |
//! | `amount` | their units ↔ ISO 4217 minor units |
//! | `wire`, `typed` | their JSON, tolerant and as async-stripe has it |
//! | `transport` | async-stripe's requests as ours |

mod adapter;
pub mod amount;
mod answer;
mod dispute;
mod event;
mod facts;
mod instrument;
mod payout;
mod recognise;
mod refusal;
mod report;
mod request;
mod settlement;
mod signature;
pub mod status;
mod transfer;
mod transport;
mod typed;
mod wire;

pub use adapter::Stripe;
