//! Settings: what a tenant decides once for all its payments.
//!
//! They hold from the moment they are changed; what was captured keeps what held then.

mod http;
mod store;

pub use http::routes;
