//! The chain of a thing: from the bytes a gateway sent to the payout that paid for it, and back.
//!
//! ```text
//! order ─ payment ─┬─ attempt ─ operation ─ exchange        what the gateway was asked
//!                  ├─ delivery of a webhook                  what it told, by its bytes' digest
//!                  ├─ refund, dispute
//!                  └─ transaction ─┬─ event                  what was booked and announced
//!                                  ├─ debt ─ transaction     what a later order paid of it
//!                                  └─ item of a payout ─ file, run, retry, bank
//! ```
//!
//! | question | file |
//! |---|---|
//! | what does this id name? | `name.rs` |
//! | what belongs to a payment, a payout, a booking, a party? | `payment.rs`, `payout.rs`, … |
//! | which debt was paid by what? | `debt.rs` |
//! | how is it told? | `text.rs` |
//!
//! Everything is read in one snapshot of one tenant, and nothing is written. What is told is
//! bounded: the nearest things first, and how many were left out. Bodies are never told, only
//! their digests.

mod booked;
mod debt;
mod error;
mod graph;
mod http;
mod journal;
mod name;
mod node;
mod party;
mod payment;
mod payout;
mod store;
mod text;

use mizan_money::TenantId;
use sqlx::PgConnection;

use crate::db::{Db, work};

pub use error::TraceError;
pub use http::routes;
pub use node::{Booked, Kind, Link, Node, Trace};
pub use text::text;

use graph::{Graph, Knot};

/// Gathers the chain of whatever an id names.
///
/// # Errors
/// An id that names nothing of the tenant's; the database.
pub async fn trace(db: &Db, tenant: TenantId, id: &str) -> Result<Trace, TraceError> {
    let id = id.trim();
    db.read("trace", tenant, |tx| work(async move { gather(tx, tenant, id).await })).await
}

async fn gather(conn: &mut PgConnection, tenant: TenantId, id: &str) -> Result<Trace, TraceError> {
    let Some(named) = name::find(conn, tenant, id).await? else {
        return Err(TraceError::Unknown { id: name::shown(id) });
    };
    let mut graph = Graph::new(tenant, &named.knots);
    named.knots.into_iter().for_each(|knot| graph.visit(knot));
    while let Some(knot) = graph.next() {
        match knot {
            Knot::Payment(id) => payment::tell(conn, &mut graph, id).await?,
            Knot::Payout(id) => payout::tell(conn, &mut graph, id).await?,
            Knot::Run(id) => payout::tell_run(conn, &mut graph, id).await?,
            Knot::File(id) => payout::tell_file(conn, &mut graph, id).await?,
            Knot::Party(party) => party::tell(conn, &mut graph, &party).await?,
            Knot::Journal(_)
            | Knot::Settlement(_)
            | Knot::Remittance(_)
            | Knot::Revaluation(_)
            | Knot::WriteOff(_) => {
                booked::tell(conn, &mut graph, &knot).await?;
            }
            Knot::Transaction(id) => journal::tell_alone(conn, &mut graph, id).await?,
            Knot::Delivery(id) => payment::tell_delivery(conn, &mut graph, id).await?,
            Knot::Event(id) => journal::tell_event(conn, &mut graph, id).await?,
        }
    }
    Ok(graph.finish(id, named.root))
}
