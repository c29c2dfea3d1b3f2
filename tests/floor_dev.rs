//! Temporary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, unused_imports)]
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/floor.rs"]
mod floor;
