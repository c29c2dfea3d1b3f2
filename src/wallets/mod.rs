//! Wallets: what customers have with the platform, where each promo credit came from, and when
//! it ends.
//!
//! A customer has two purses per currency. *Cash* is the customer's money: it is an account in
//! the ledger and nothing else. *Promo* consists of lots, each with its own end; the ledger says
//! how much there is, the lots say which.
//!
//! ```text
//!            delivered             vests_at
//! cashback ────────────▶ pending ───────────▶ vested ──expires_at──▶ expired
//! goodwill, refund ─────────────────────────▶   │  ▲
//!                                          hold │  │ release
//!                                               ▼  │
//!                                              held ──spend──▶ spent ──give_back──▶ (vested)
//!   aside: claw_back takes what is left, pending or vested, and withholds of what was spent
//! ```
//!
//! | action | file | posts |
//! |---|---|---|
//! | hold for a checkout, release, spend | `hold.rs` | `wallet.held`, `wallet.released`, – |
//! | give a refund's promo part back | `give_back.rs` | – (the refund does) |
//! | grant cashback for a delivery | `grant.rs`, decided in `rule.rs` | `cashback.accrued` |
//! | take cashback back, and undo that | `claw.rs` | `cashback.clawed_back`, `cashback.restored` |
//! | grant goodwill; adopt what came with the books | `goodwill.rs` | `promo.granted`, – |
//! | refuse top-ups while they are off | `top_up.rs` | – |
//! | vest and expire what is due | `due.rs` | `cashback.vested`, `cashback.expired` |
//!
//! Lock order: hold → lots by id → the ledger's own. Invariants, as absences: no lot is spent
//! twice, none after its end, none beyond its amount; nothing here calls a gateway, commits, or
//! reads a clock.

mod claw;
mod due;
mod error;
mod give_back;
mod goodwill;
mod grant;
mod hold;
mod http;
mod lot;
mod rule;
mod rules_http;
mod shop_name;
pub mod store;
mod top_up;

pub use claw::{ClawBack, RefundOfOrder, claw_back, undo_claw_back};
pub use due::{Ran, run, run_due};
pub use error::WalletError;
pub use give_back::{GRACE, give_back};
pub use goodwill::{NewGrant, adopt, grant_goodwill};
pub use grant::{Delivered, DeliveredLine, grant_cashback};
pub use hold::{Hold, HoldState, NewHold, hold, hold_of, lock, release, spend};
pub use http::routes;
pub use lot::{ExpiredCredit, Lot, LotId, LotState, Origin, pick};
pub use rule::{Basis, CashbackRule, CashbackRuleId, NewCashbackRule};
pub use shop_name::ShopName;
pub use top_up::check_top_up;
