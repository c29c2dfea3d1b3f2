//! Orders: what becomes of the goods, and of the money that waited for it.
//!
//! Delivered: commission and the platform's shipping are earned, cashback and the affiliate's
//! commission are granted, and the release of the vendor's part is counted from now, where its
//! terms say so. Returned or lost: the vendor's part waits; a refund is another matter and is
//! asked for by itself.
//!
//! Safe to repeat: a line is earned once. A line that was lost or returned may be delivered
//! after all.

pub mod deliver;
mod http;

pub use http::routes;
