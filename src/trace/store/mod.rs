//! Every statement of a trace: all of them read.
//!
//! What can be many is probed by an index, or ends at a limit. Transactions have no index by what
//! they belong to: their posting keys begin with its id, and keys have one. Events have none by
//! their journal number: both go up together, so that it is searched for by halves.

mod find;
mod journal;
mod parts;

pub(super) use find::{
    Owner, Referred, knows, knows_party, payment_of, payout_of_call, referred, transaction_at,
};
pub(super) use journal::{EventRow, event, events, items_of, posted};
pub(super) use parts::{
    DeliveryRow, booked, deliveries, disputes, exchanges, file_row, left_behind_by, operations,
    payments_of_party, settled_as, sides,
};

type Result<T> = std::result::Result<T, sqlx::Error>;
