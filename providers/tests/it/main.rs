//! What the adapters and the client promise, through the crate's public face only.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod client;
mod fixtures;
mod paypal;
mod paytabs;
mod razorpay;
mod requests;
mod shop;
mod signatures;
mod stripe;
mod telr;
