//! Affiliates: who brought a customer, what that has earned, and when it can be paid.
//!
//! ```text
//!                     delivered                release_days later
//! (split at capture) ───────────▶ pending ─────────────────────▶ available ──▶ payouts
//!                                    └──── reversed by refunds ─────┘
//!   aside: what was paid and is reversed then is the affiliate's debt, netted at the next release
//! ```
//!
//! | action | file | posts |
//! |---|---|---|
//! | register affiliates, codes, clicks | `register.rs` | – |
//! | attribute a payment: named, by code, or by the last click in the window | `attribute.rs` | – |
//! | accrue for a delivery | `accrue.rs` | `affiliate.accrued` |
//! | take back in a refund; undo that | `claw.rs` | `affiliate.reversed`, `affiliate.restored` |
//! | release what is due, netting debts | `due.rs` | `affiliate.released`, `affiliate.recovered` |
//!
//! A commission is paid by the platform out of its own, and accrues at delivery; or by the
//! vendor, and then the split at capture books it: here stands only from when it can be paid.
//! What an affiliate can be paid is in the ledger alone; accruals say which order made it.

mod accrual;
mod accrue;
mod affiliate;
mod attribute;
mod claw;
mod due;
mod error;
mod http;
mod register;
pub mod store;

pub use accrual::{Accrual, AccrualId, Bucket, LineBack, Reversed};
pub use accrue::{DeliveredLines, SplitLine, accrue, lock, record_split};
pub use affiliate::{Affiliate, Attribution, ClickId, FundedBy, NewClick};
pub use attribute::attribute;
pub use claw::{claw_back, undo_claw_back};
pub use due::{run, run_due};
pub use error::AffiliateError;
pub use http::routes;
