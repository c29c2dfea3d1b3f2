//! The Mizan service.

pub mod app;
pub mod auth;
pub mod books;
pub mod clock;
pub mod commissions;
pub mod config;
pub mod db;
pub mod disputes;
mod error;
pub mod http;
pub mod inbox;
pub mod jobs;
pub mod lane;
pub mod metrics;
pub mod outbox;
pub mod payments;
pub mod replay;
pub mod routing;
pub mod telemetry;
pub mod vendors;
pub mod verify;
