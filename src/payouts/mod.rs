//! Payouts: what is available to a vendor or an affiliate leaves over a rail.
//!
//! ```text
//! draft ─▶ gated ─▶ approved ─▶ reserved ─▶ submitted ─▶ in_transit ─▶ paid ─▶ returned
//!            ▲ │                   │            │             │
//!            └─┴── look again      ├── failed ◀─┴─────────────┘
//!                                  └── cancelled (also from every state before it)
//! ```
//!
//! | action | file |
//! |---|---|
//! | make payouts, look at their gates, reserve the money | `create.rs`, `desk.rs`, `gates.rs` |
//! | approve, submit, cancel, try again | `act.rs` |
//! | book what the rail says | `outcome.rs`, `reason.rs` |
//! | ask a gateway, book its answer | `call.rs`, `answer.rs` |
//! | the payouts of a day | `run.rs` |
//! | the files that a bank is given | `file/` |
//! | bank details, checks, blocks, terms | `bank_account.rs`, `kyc.rs`, `terms.rs` |
//!
//! Invariants, as absences: no money leaves without every gate open under the locks that reserve
//! it; no payout is itemised to another amount than its own; no account number is shown, and none
//! is logged; nothing that was paid is changed, what came back is another entry; a new attempt is
//! a new payout.

pub mod act;
mod answer;
pub mod bank_account;
pub mod call;
pub mod convert;
pub mod create;
pub mod desk;
mod error;
pub mod file;
pub mod gates;
mod http;
pub mod kyc;
pub mod outcome;
pub mod payout;
pub mod reason;
pub mod run;
pub mod store;
pub mod terms;

pub use call::sweep;
pub use error::PayoutError;
pub use http::routes;
pub use run::run_today;
