//! `mizan bench`: how fast the books are, on a private server that is as careful as a user's.
//!
//! | part | what it measures or does |
//! |---|---|
//! | `yardstick.rs` | pgbench on the same server: what all others are compared with |
//! | `post.rs`, `decay.rs` | transfers within this process, alone and through the lane |
//! | `http.rs` | transfers through HTTP; the service's own time in a mix of calls |
//! | `webhooks.rs` | payments, from a webhook's signature to the split in the books |
//! | `transfers.rs` | what is transferred, and between whom |
//! | `place.rs`, `store.rs`, `service.rs` | databases, their sizes, the service as a process |
//! | `closed_loop.rs`, `load.rs`, `samples.rs`, `memory.rs` | callers, and what is noted of them |
//! | `row.rs`, `report.rs` | names, bars, medians over the rounds, the table |
//!
//! Rounds are interleaved, so that what the machine does meanwhile strikes every row alike; a
//! ratio is taken within a round, and the median of the rounds is shown. Every round has new
//! databases, and each one's books are proved before it is removed: a measurement of books that
//! are wrong is none. Time is measured and never asserted.

// Rates and percentiles are statistics about time, not money.
#![allow(clippy::float_arithmetic)]

mod closed_loop;
mod decay;
mod http;
mod load;
mod memory;
mod place;
mod post;
mod report;
mod row;
mod run;
mod samples;
mod service;
mod store;
mod transfers;
mod webhooks;
mod yardstick;

pub use row::Row;
pub use run::{Outcome, Plan, run};
