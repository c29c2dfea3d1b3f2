//! What a text names: an id of ours, somebody with a prefix, a gateway's reference, an order.

use std::str::FromStr;

use mizan_ledger::postings::Payee;
use mizan_ledger::read;
use mizan_money::TenantId;
use mizan_money::id::{
    AttemptId, DeliveryId, DisputeId, EventId, OperationId, PaymentIntentId, PayoutFileId,
    PayoutId, PayoutRunId, RefundId, TransactionId,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::error::TraceError;
use super::graph::{Knot, Party};
use super::store::{self, Owner, Referred};
use crate::affiliates::AccrualId;
use crate::finance::fx::FxRevaluationId;
use crate::finance::journals::JournalId;
use crate::finance::settlements::{RemittanceId, SettlementId};
use crate::payments::store::intents_of_order;
use crate::vendors::WriteOffId;
use crate::wallets::LotId;

type Result<T> = std::result::Result<T, TraceError>;

/// The longest text that can name anything.
const TEXT_MAX: usize = 255;
/// How much of an unknown id an error repeats.
const SHOWN_MAX: usize = 60;

/// What a text names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The thing itself, by the id of its node.
    pub(super) root: String,
    /// Where its chain begins.
    pub(super) knots: Vec<Knot>,
}

impl Named {
    fn one(root: impl ToString, knot: Knot) -> Named {
        Named { root: root.to_string(), knots: vec![knot] }
    }
}

/// An unknown id as an error repeats it.
pub(super) fn shown(id: &str) -> String {
    match id.chars().nth(SHOWN_MAX) {
        None if id.is_empty() => "an empty id".to_owned(),
        None => id.to_owned(),
        Some(_) => format!("{}…", id.chars().take(SHOWN_MAX).collect::<String>()),
    }
}

/// Finds what a text names; none where nothing of the tenant's is called so.
///
/// # Errors
/// The database.
pub(super) async fn find(
    conn: &mut PgConnection,
    tenant: TenantId,
    text: &str,
) -> Result<Option<Named>> {
    if text.is_empty() || text.len() > TEXT_MAX || text.contains('\0') {
        return Ok(None);
    }
    if let Some(named) = of_ours(conn, tenant, text).await? {
        return Ok(Some(named));
    }
    if let Some((kind, name)) = text.split_once(':') {
        let found = match kind {
            "order" => order(conn, tenant, name).await?,
            _ => party(conn, tenant, kind, name).await?,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    if let Some(found) = order(conn, tenant, text).await? {
        return Ok(Some(found));
    }
    referred(conn, tenant, text).await
}

async fn order(conn: &mut PgConnection, tenant: TenantId, order: &str) -> Result<Option<Named>> {
    let found = intents_of_order(conn, tenant, order).await?;
    let knots: Vec<Knot> = found.into_iter().map(Knot::Payment).collect();
    Ok((!knots.is_empty()).then(|| Named { root: format!("order:{order}"), knots }))
}

async fn party(
    conn: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    name: &str,
) -> Result<Option<Named>> {
    let party = match (kind, Payee::of(kind, name)) {
        (_, Some(payee)) => Party::Payee(payee),
        ("customer", None) => Party::Customer(name.to_owned()),
        _ => return Ok(None),
    };
    let known = store::knows_party(conn, tenant, kind, name).await?;
    Ok(known.then(|| Named::one(format!("{kind}:{name}"), Knot::Party(party))))
}

/// Reads an id of ours of one kind.
fn read_id<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// An id of something that belongs to a payment.
fn owner_of(text: &str) -> Option<(Uuid, Owner)> {
    let owners = [
        (read_id::<PaymentIntentId>(text).map(|id| id.uuid()), Owner::Intent),
        (read_id::<AttemptId>(text).map(|id| id.uuid()), Owner::Attempt),
        (read_id::<OperationId>(text).map(|id| id.uuid()), Owner::Operation),
        (read_id::<RefundId>(text).map(|id| id.uuid()), Owner::Refund),
        (read_id::<DisputeId>(text).map(|id| id.uuid()), Owner::Dispute),
        (read_id::<LotId>(text).map(|id| id.uuid()), Owner::Lot),
        (read_id::<AccrualId>(text).map(|id| id.uuid()), Owner::Accrual),
    ];
    owners.into_iter().find_map(|(id, owner)| Some((id?, owner)))
}

/// An id of something with a chain of its own.
fn knot_of(text: &str) -> Option<Knot> {
    None.or_else(|| read_id::<PayoutId>(text).map(Knot::Payout))
        .or_else(|| read_id::<PayoutRunId>(text).map(Knot::Run))
        .or_else(|| read_id::<PayoutFileId>(text).map(Knot::File))
        .or_else(|| read_id::<JournalId>(text).map(Knot::Journal))
        .or_else(|| read_id::<SettlementId>(text).map(Knot::Settlement))
        .or_else(|| read_id::<RemittanceId>(text).map(Knot::Remittance))
        .or_else(|| read_id::<FxRevaluationId>(text).map(Knot::Revaluation))
        .or_else(|| read_id::<WriteOffId>(text).map(Knot::WriteOff))
}

async fn of_ours(conn: &mut PgConnection, tenant: TenantId, text: &str) -> Result<Option<Named>> {
    if let Some((id, owner)) = owner_of(text) {
        let root = match owner {
            // What a payment earned is told with the payment.
            Owner::Lot | Owner::Accrual => None,
            _ => Some(text.to_owned()),
        };
        if let Some(payment) = store::payment_of(conn, tenant, owner, id).await? {
            let payment = PaymentIntentId::from_uuid(payment);
            let root = root.unwrap_or_else(|| payment.to_string());
            return Ok(Some(Named::one(root, Knot::Payment(payment))));
        }
        if owner == Owner::Operation {
            let payout = store::payout_of_call(conn, tenant, id).await?;
            let named = |id| Named::one(text, Knot::Payout(PayoutId::from_uuid(id)));
            return Ok(payout.map(named));
        }
        return Ok(None);
    }
    if let Some(id) = read_id::<TransactionId>(text) {
        return transaction(conn, tenant, id).await;
    }
    if let Some(id) = read_id::<DeliveryId>(text) {
        return delivery(conn, tenant, id).await;
    }
    if let Some(id) = read_id::<EventId>(text) {
        return event(conn, tenant, id).await;
    }
    let Some(knot) = knot_of(text) else { return Ok(None) };
    let known = store::knows(conn, tenant, &knot).await?;
    Ok(known.then(|| Named::one(text, knot)))
}

/// A transaction begins the chain of what it belongs to.
async fn transaction(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: TransactionId,
) -> Result<Option<Named>> {
    let found = read::transactions_by_id(conn, tenant, &[id]).await?.pop();
    let Some(found) = found else { return Ok(None) };
    let knot = home(conn, tenant, &found.source).await?;
    Ok(Some(Named::one(id, knot.unwrap_or(Knot::Transaction(id)))))
}

/// So does an event, and a delivery that of the payment that it speaks of.
async fn event(conn: &mut PgConnection, tenant: TenantId, id: EventId) -> Result<Option<Named>> {
    let Some(event) = store::event(conn, tenant, id).await? else { return Ok(None) };
    let booked = match event.journal_position {
        Some(position) => store::transaction_at(conn, tenant, position).await?,
        None => None,
    };
    let knot = match booked {
        Some((transaction, source)) => {
            let knot = home(conn, tenant, &source).await?;
            Some(knot.unwrap_or(Knot::Transaction(TransactionId::from_uuid(transaction))))
        }
        None => home(conn, tenant, &event.object_id).await?,
    };
    let knots = knot.into_iter().chain([Knot::Event(id)]).collect();
    Ok(Some(Named { root: id.to_string(), knots }))
}

async fn delivery(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: DeliveryId,
) -> Result<Option<Named>> {
    let found = store::deliveries(conn, tenant, &[id], &[]).await?;
    let Some(found) = found.first() else { return Ok(None) };
    let mut knots = Vec::new();
    if let Some(reference) = &found.object_ref {
        knots = store::referred(conn, tenant, reference).await?.iter().filter_map(of_row).collect();
        // A gateway may call another thing so, over another connection.
        knots.truncate(1);
    }
    knots.push(Knot::Delivery(id));
    Ok(Some(Named { root: id.to_string(), knots }))
}

/// The knot of what a reference was found to be, where it leads anywhere but to a delivery.
fn of_row((what, home, _): &(Referred, Uuid, Uuid)) -> Option<Knot> {
    Some(match what {
        Referred::Attempt | Referred::Refund | Referred::Dispute => {
            Knot::Payment(PaymentIntentId::from_uuid(*home))
        }
        Referred::Payout => Knot::Payout(PayoutId::from_uuid(*home)),
        Referred::Settlement => Knot::Settlement(SettlementId::from_uuid(*home)),
        Referred::Remittance => Knot::Remittance(RemittanceId::from_uuid(*home)),
        Referred::Delivery => return None,
    })
}

/// A gateway's or a bank's own name of something.
async fn referred(conn: &mut PgConnection, tenant: TenantId, text: &str) -> Result<Option<Named>> {
    let rows = store::referred(conn, tenant, text).await?;
    let Some((what, _, id)) = rows.first().copied() else { return Ok(None) };
    let root = match what {
        Referred::Attempt => AttemptId::from_uuid(id).to_string(),
        Referred::Refund => RefundId::from_uuid(id).to_string(),
        Referred::Dispute => DisputeId::from_uuid(id).to_string(),
        Referred::Payout => PayoutId::from_uuid(id).to_string(),
        Referred::Settlement => SettlementId::from_uuid(id).to_string(),
        Referred::Remittance => RemittanceId::from_uuid(id).to_string(),
        Referred::Delivery => return delivery(conn, tenant, DeliveryId::from_uuid(id)).await,
    };
    Ok(Some(Named { root, knots: rows.iter().filter_map(of_row).collect() }))
}

/// What the source of a transaction belongs to; none where that is nothing of ours.
///
/// # Errors
/// The database.
pub(super) async fn home(
    conn: &mut PgConnection,
    tenant: TenantId,
    source: &str,
) -> Result<Option<Knot>> {
    let Some((id, owner)) = owner_of(source) else { return Ok(knot_of(source)) };
    let payment = store::payment_of(conn, tenant, owner, id).await?;
    Ok(payment.map(|id| Knot::Payment(PaymentIntentId::from_uuid(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_id_is_repeated_up_to_its_limit() {
        assert_eq!(shown("po_1"), "po_1");
        assert_eq!(shown(""), "an empty id");
        assert_eq!(shown(&"é".repeat(80)), format!("{}…", "é".repeat(60)));
    }
}
