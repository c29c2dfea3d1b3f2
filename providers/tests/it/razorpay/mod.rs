//! What the adapter for Razorpay promises.

mod answers;
mod events;
mod fixtures;
mod orders;
mod refusals;
mod requests;
mod shop;
mod signatures;
