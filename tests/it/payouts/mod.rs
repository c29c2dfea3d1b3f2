//! Payouts through the HTTP interface: gates, books, runs, files, gateways, their webhooks.

mod books;
mod files;
mod gates;
mod gateways;
mod hints;
mod input;
mod races;
mod runs;
pub mod shop;
mod stripe;
mod walk;
