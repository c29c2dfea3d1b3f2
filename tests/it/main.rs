//! The integration tests: the real PostgreSQL, a database of its own for each test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attack;
mod books_api;
mod demo;
mod floor;
mod guards;
mod laws;
mod model;
mod openapi;
mod payments;
mod posting;
mod races;
mod reading;
mod scenario;
mod sdk;
mod support;
mod support_app;
mod tenancy;
mod webhooks;
mod webhooks_in;
