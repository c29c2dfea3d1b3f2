//! The database: connections, named transactions that are retried, and the schema's versions.
//!
//! - A use case receives a connection and cannot commit: whoever called
//!   [`Db::transaction`] commits, once, after the last word of the use case.
//! - Every transaction belongs to one tenant, set before anything else is said; row-level
//!   security shows the service's role nothing without it.
//! - A transaction that lost a race is run again from the start, so what runs inside has no
//!   effect but on the database: no call, no message, no clock.
//! - A commit whose answer was lost is never repeated: it is reported as unknown, and the
//!   caller's idempotency key finds out.

mod dated;
mod error;
mod migrate;
mod open;
mod pool;
pub mod private_cluster;
mod store;

pub use dated::DatedRules;
pub use error::{DbError, Retry, Retryable};
pub use migrate::{FirstTenant, MigrationError, SchemaState, ensure_tenant, migrate};
pub use open::savepoint;
pub use pool::{Db, DbOptions, Tx, Work, work};
