//! The simulator from outside: HTTP in, JSON and webhooks out, time set by hand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod bank;
mod crash;
mod disputes;
mod faults;
mod fields;
mod hosted;
mod idempotency;
mod money;
mod paypal;
mod paytabs;
mod razorpay;
mod support;
mod telr;
mod transfers;
mod webhooks;
