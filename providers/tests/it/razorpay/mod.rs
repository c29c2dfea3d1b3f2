//! What the adapter for Razorpay promises.

mod answers;
mod disputes;
mod events;
mod fixtures;
mod instruments;
mod orders;
mod payouts;
mod recorded;
mod refusals;
mod requests;
mod settlement;
mod shop;
mod signatures;
mod transfers;
