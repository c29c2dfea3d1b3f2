//! Payments: intents, the attempts made for them, refunds, and what gateways say of them.
//!
//! ```text
//! requires_payment_method ──confirm──▶ processing ──▶ requires_action ──▶ (processing)
//!        ▲                                  │               │
//!        └──────── attempt failed ◀─────────┴───────────────┤
//!                                                           ▼
//!   requires_capture ◀── authorised (manual) ───────────────┤
//!        │ capture                                          │ captured (automatic)
//!        └──────────────────────▶ succeeded ◀───────────────┘
//!   aside: cancelled, out of any state in which no money was taken;
//!          review whenever a gateway's fact contradicts what we asked
//! ```
//!
//! | action | file | calls the gateway |
//! |---|---|---|
//! | create an intent with its order lines | `create.rs` | no |
//! | confirm, capture, cancel | `ask.rs` | between two transactions |
//! | refund | `refund.rs` | between two transactions |
//! | answer a dispute | `dispute/answer.rs` | between two transactions |
//! | settle what a call came to | `settle.rs` | no |
//! | apply what a gateway says (answer, webhook, sync) | `apply.rs`; decided in `facts.rs` | no |
//! | what it says of disputes | decided in `dispute/` | no |
//! | ask again about what is not known | `sweep.rs` | yes |
//!
//! Invariants, as absences: no gateway is called while a transaction is open; no amount of an
//! intent changes without an entry in the same transaction, except what is only a promise
//! (authorised, voided); no second gateway is tried while an operation is unknown; the order
//! of webhooks never matters.

pub mod apply;
pub mod ask;
pub mod create;
pub mod dispute;
mod due;
pub mod error;
pub mod facts;
pub mod gateway;
pub mod http;
pub mod intent;
pub mod line;
pub mod operation;
pub mod plan;
mod recover;
pub mod refund;
pub mod settle;
pub(crate) mod sides;
pub mod split;
pub mod store;
pub mod sweep;
pub mod verify;
pub mod view;
pub mod word;

pub use error::PaymentError;
pub use intent::wallet_part::{self, Attribution};
pub use intent::{Attempt, Intent, IntentState, Payment, Refund, RefundState};
pub use line::Line;
