//! Vendors: on which terms they sell, what they earned, what they owe.
//!
//! ```text
//! captured ──▶ pending ──delivered + N days──▶ available ──▶ paid out
//!                 │                              │   ▲
//!                 │ a part                       ▼   │ netted first
//!                 ▼                             debt (an account of its own)
//!              reserve ──its term──▶ available
//! aside: held, while a dispute is open
//! ```
//!
//! | action | file |
//! |---|---|
//! | say on which terms a vendor sells, from a time on | `terms.rs`, `terms_http.rs` |
//! | make available what is due, net of debts | `release.rs`, a job |
//! | tell what it has, line by line | `balance_http.rs`, `earnings.rs` |
//! | give up a debt, by two people | `write_off.rs` |
//!
//! Where its money is, is what the ledger's accounts say; nothing here keeps a balance.

mod balance;
mod balance_http;
mod earnings;
mod release;
mod store;
mod terms;
mod terms_http;
mod write_off;
mod write_off_http;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

pub use release::release_due;
pub use store::terms_of;
pub use terms::{ReleaseAfter, Reserve, SupplyRole, Terms, WhoBears, WhoseCommission};

/// Every route of vendors.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(terms_http::routes())
        .merge(balance_http::routes())
        .merge(earnings::routes())
        .merge(write_off_http::routes())
}
pub use write_off::WriteOffId;
