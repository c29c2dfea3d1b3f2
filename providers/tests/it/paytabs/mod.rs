//! PayTabs: what is said to it, what its answers and messages mean, whom it is believed from.

mod answers;
mod events;
mod find;
mod fixtures;
mod refusals;
mod requests;
mod settlement;
mod shop;
mod signatures;
