//! What the adapter for Telr promises.

mod answers;
mod events;
mod fixtures;
mod follow_ups;
mod refusals;
mod requests;
mod searches;
mod sent;
mod settlements;
mod shop;
mod signatures;
