//! The integration tests: the real PostgreSQL, a database of its own for each test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod floor;
mod attack;
mod guards;
mod support;
mod webhooks;
