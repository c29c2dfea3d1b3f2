//! What the adapter for PayPal promises.

mod answers;
mod events;
mod fixtures;
mod instruments;
mod payouts;
mod refusals;
mod requests;
mod settlement;
mod shop;
mod signatures;
mod tokens;
