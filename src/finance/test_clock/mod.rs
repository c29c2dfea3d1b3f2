//! Test clocks: a tenant that plays lets its time run ahead, to see releases, expiries and
//! schedules without waiting for them.
//!
//! A tenant has one clock, and it only goes forwards. Everything that a request of the tenant
//! does goes by [`Caller::now`](crate::auth::Caller::now), and everything that a job or a
//! gateway's word does for it by [`App::now_for`]. How far a tenant is ahead comes with every
//! look-up of a key, and every turn of the jobs asks for all of them, so that each process of the
//! service knows it.
//!
//! What does not move: signatures of gateways are checked by everybody's time, and what gateways
//! say of the world carries their own dates.

mod advance;
mod http;
mod store;

pub use advance::{Advance, TestClock, advance, read};
pub use http::routes;

use chrono::TimeDelta;

use crate::app::App;
use crate::clock::Clock;
use crate::db::{Db, DbError, work};

/// Tells `clock` how far each tenant is ahead.
///
/// # Errors
/// The database.
pub async fn hear(db: &Db, clock: &Clock) -> Result<(), DbError> {
    let clocks = db.tenantless("test_clocks", |tx| work(store::all(tx))).await?;
    for (tenant, ahead_micros) in clocks {
        clock.learn(tenant, TimeDelta::microseconds(ahead_micros));
    }
    Ok(())
}

/// The same for a service.
///
/// # Errors
/// The database.
pub async fn hear_all(app: &App) -> Result<(), DbError> {
    hear(&app.db, &app.clock).await
}
