//! The Mizan service.

pub mod affiliates;
pub mod app;
pub mod auth;
pub mod books;
pub mod clock;
pub mod commissions;
pub mod config;
pub mod db;
mod error;
pub mod finance;
pub mod http;
pub mod identifiers;
pub mod inbox;
pub mod jobs;
pub mod lane;
pub mod metrics;
pub mod orders;
pub mod outbox;
pub mod payments;
pub mod payouts;
pub mod replay;
pub mod routing;
pub mod settings;
pub mod telemetry;
pub mod vendors;
pub mod verify;
pub mod wallets;
