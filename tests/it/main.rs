//! The integration tests: the real PostgreSQL, a database of its own for each test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod affiliates;
mod attack;
mod books_api;
mod counterparts;
mod demo;
mod disputes;
mod finance;
mod floor;
mod gateways;
mod guards;
mod laws;
mod marketplace;
mod model;
mod openapi;
mod partitions;
mod payments;
mod payouts;
mod posting;
mod program;
mod proof;
mod races;
mod reading;
mod replay;
mod river;
mod scenarios;
mod stories;
mod support;
mod support_app;
mod tenancy;
mod time;
mod together;
mod trace;
mod upgrade;
mod wallets;
mod webhooks;
mod webhooks_in;
