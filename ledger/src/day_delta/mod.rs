//! Daily sums: what each day of recording added to each day of the world, for every account.
//!
//! A row says by how much a day of recording (`known`) changed an account on a day of the world
//! (`effective`). What was dated back adds a row and rewrites none, so a question with both days
//! is a sum, and its answer stays the same for ever.
//!
//! A day of recording is summed up in two transactions:
//!
//! 1. [`end_day`] moves the book's `recorded_from` to the end of the day, under the book's lock.
//!    Whoever held the lock before has committed; whoever takes it later is recorded at that
//!    moment or after it, because the write takes the greatest of the clock, the journal's time
//!    and `recorded_from`, and the database refuses any other. The day cannot grow any more.
//! 2. [`fold_day`] sums the day up, holding nothing that a posting waits for.
//!
//! What is not summed up yet is read from the entries, so readers need not wait for this.

mod store;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

pub use store::{end_day, fold_day, law_day_deltas};

/// How long after its end a day is left open, for those who read the clock before midnight and
/// post after it. Being late costs them nothing but the date of recording.
pub const GRACE: TimeDelta = TimeDelta::minutes(5);

/// A day of recording that nothing can be added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedDay {
    /// The day, in the tenant's time zone.
    pub day: NaiveDate,
    /// The first moment after it.
    pub ends_at: DateTime<Utc>,
}

/// A day that was summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedDay {
    /// The day, in the tenant's time zone.
    pub day: NaiveDate,
    /// The first journal number of the day.
    pub first_position: i64,
    /// The last journal number of the day.
    pub last_position: i64,
    /// How many sums were written.
    pub sums: u64,
}
