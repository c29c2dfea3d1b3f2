//! What every test stands on: a database, the books in it, and pages of text to compare.
//!
//! | part | gives |
//! |---|---|
//! | [`server`] | one private PostgreSQL for the run, one migrated template, copies of it |
//! | [`TestDb`] | a fresh database: pool as the service's role, connection as the owner, tenants |
//! | [`Books`] | posting and reading in one line, the clock set by hand |
//! | [`Tap`] | how many statements went to the database |
//! | [`page`] | postings, outcomes and balances as text, and back |
//!
//! Time is [`T0`] unless a test says otherwise; nothing here reads a clock or sleeps.

mod books;
mod db;
pub mod page;
pub mod raw;
mod server;
mod tap;

pub use books::Books;
pub use db::{Actor, TestDb, scope};
pub use page::{aed, answers, command, fact, page as lines, posting};
pub use tap::Tap;

use mizan_money::Timestamp;

/// 2026-03-02T09:00:00Z: when every test begins.
pub const T0: Timestamp = match chrono::DateTime::from_timestamp(1_772_442_000, 0) {
    Some(time) => time,
    None => panic!("a time within range"),
};

/// A moment after [`T0`].
pub fn after(seconds: i64) -> Timestamp {
    T0 + chrono::TimeDelta::seconds(seconds)
}
