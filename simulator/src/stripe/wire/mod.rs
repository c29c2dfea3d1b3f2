//! Stripe's wire format: bracketed form parameters in, JSON objects and error envelopes out.

pub mod dispute;
pub mod error;
pub mod expand;
pub mod list;
pub mod params;
pub mod party;
pub mod view;
