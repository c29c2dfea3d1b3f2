//! What finance has booked by hand: journals, settlements, remittances,
//! revaluations, debts given up.

use mizan_money::{Currency, Money, TransactionId};
use sqlx::PgConnection;

use super::error::TraceError;
use super::graph::{Graph, Knot};
use super::node::{Kind, Node};
use super::{journal, store};
use crate::finance::settlements::SettlementId;
use crate::vendors::WriteOffId;

/// Tells one of them with what was booked, and what it puts right.
///
/// # Errors
/// The database.
pub(super) async fn tell(
    conn: &mut PgConnection,
    graph: &mut Graph,
    knot: &Knot,
) -> Result<(), TraceError> {
    let tenant = graph.tenant;
    let (kind, id) = match knot {
        Knot::Journal(id) => (Kind::Journal, id.to_string()),
        Knot::Settlement(id) => (Kind::Settlement, id.to_string()),
        Knot::Remittance(id) => (Kind::Remittance, id.to_string()),
        Knot::Revaluation(id) => (Kind::Revaluation, id.to_string()),
        Knot::WriteOff(id) => (Kind::WriteOff, id.to_string()),
        _ => return Ok(()),
    };
    let Some(row) = store::booked(conn, tenant, knot).await? else { return Ok(()) };
    let currency = row.currency.as_deref().and_then(|code| Currency::parse(code).ok());
    let amount = row.amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency));
    let mut says = match amount {
        Some(amount) => format!("{amount}, {}", row.says),
        None => row.says,
    };
    if let Some(reference) = &row.reference {
        says.push_str(&format!("; there {reference}"));
    }
    let mut node = Node::new(kind, &id, Some(row.at)).says(says).reference(row.reference);
    node.state = row.state;
    graph.add(match amount {
        Some(amount) => node.amount(amount),
        None => node,
    });
    let mut ids: Vec<_> = row.transactions.iter().map(|id| TransactionId::from_uuid(*id)).collect();
    if let Knot::WriteOff(own) = knot {
        let posted = store::posted(conn, tenant, &[(WriteOffId::PREFIX, own.uuid())]).await?;
        ids.extend(posted.into_iter().map(|(_, id)| id));
    }
    journal::tell(conn, graph, Some(&id), ids).await?;
    if let Some(corrects) = row.corrects.map(TransactionId::from_uuid) {
        graph.link(corrects, &id, "is put right by this");
        journal::lead_to(conn, graph, &[corrects]).await?;
    }
    if let Knot::Settlement(own) = knot {
        for other in store::settled_as(conn, tenant, own.uuid()).await? {
            let other = SettlementId::from_uuid(other);
            let (first, second) = if other < *own { (other, *own) } else { (*own, other) };
            graph.link(first, second, "is the same money as this");
            graph.visit(Knot::Settlement(other));
        }
    }
    Ok(())
}
