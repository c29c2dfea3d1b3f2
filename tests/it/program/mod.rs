//! The program as somebody runs it.

mod bench;
mod gateways;
