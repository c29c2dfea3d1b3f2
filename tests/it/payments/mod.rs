//! Payments through the real interface, against the simulated gateway and the real database.

mod flow;
mod input;
mod late;
mod property;
mod refunds;
mod unknown;
