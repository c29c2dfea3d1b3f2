//! The statements that find what an id or a reference names.

use mizan_money::TenantId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::trace::graph::Knot;

/// What an id names that belongs to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trace) enum Owner {
    Intent,
    Attempt,
    Operation,
    Refund,
    Dispute,
    Lot,
    Accrual,
}

/// The payment that something belongs to; none where it is unknown or of no payment.
pub(in crate::trace) async fn payment_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    owner: Owner,
    id: Uuid,
) -> Result<Option<Uuid>> {
    let statement = match owner {
        Owner::Intent => "select id from payments.intent where tenant_id = $1 and id = $2",
        Owner::Attempt => "select intent_id from payments.attempt where tenant_id = $1 and id = $2",
        Owner::Operation => {
            "select intent_id from payments.operation where tenant_id = $1 and id = $2"
        }
        Owner::Refund => "select intent_id from payments.refund where tenant_id = $1 and id = $2",
        Owner::Dispute => "select intent_id from payments.dispute where tenant_id = $1 and id = $2",
        Owner::Lot => "select payment_id from wallets.lot where tenant_id = $1 and id = $2",
        Owner::Accrual => {
            "select payment_id from affiliates.accrual where tenant_id = $1 and id = $2"
        }
    };
    let found: Option<Option<Uuid>> =
        sqlx::query_scalar(statement).bind(tenant.0).bind(id).fetch_optional(conn).await?;
    Ok(found.flatten())
}

/// The payout for which a gateway was asked something.
pub(in crate::trace) async fn payout_of_call(
    conn: &mut PgConnection,
    tenant: TenantId,
    call: Uuid,
) -> Result<Option<Uuid>> {
    sqlx::query_scalar("select payout_id from payouts.call where tenant_id = $1 and id = $2")
        .bind(tenant.0)
        .bind(call)
        .fetch_optional(conn)
        .await
}

/// Whether something with a chain of its own is there.
pub(in crate::trace) async fn knows(
    conn: &mut PgConnection,
    tenant: TenantId,
    knot: &Knot,
) -> Result<bool> {
    let (statement, id) = match knot {
        Knot::Payout(id) => {
            ("select id from payouts.payout where tenant_id = $1 and id = $2", id.uuid())
        }
        Knot::Run(id) => ("select id from payouts.run where tenant_id = $1 and id = $2", id.uuid()),
        Knot::File(id) => {
            ("select id from payouts.file where tenant_id = $1 and id = $2", id.uuid())
        }
        Knot::Journal(id) => {
            ("select id from finance.journal where tenant_id = $1 and id = $2", id.uuid())
        }
        Knot::Settlement(id) => {
            ("select id from finance.settlement where tenant_id = $1 and id = $2", id.uuid())
        }
        Knot::Remittance(id) => {
            ("select id from finance.remittance where tenant_id = $1 and id = $2", id.uuid())
        }
        Knot::Revaluation(id) => {
            ("select id from finance.fx_revaluation where tenant_id = $1 and id = $2", id.uuid())
        }
        Knot::WriteOff(id) => {
            ("select id from vendors.write_off where tenant_id = $1 and id = $2", id.uuid())
        }
        // Each of these is read where it is found.
        _ => return Ok(false),
    };
    let found: Option<Uuid> =
        sqlx::query_scalar(statement).bind(tenant.0).bind(id).fetch_optional(conn).await?;
    Ok(found.is_some())
}

/// Whether anything is known of a vendor, an affiliate or a customer.
pub(in crate::trace) async fn knows_party(
    conn: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    name: &str,
) -> Result<bool> {
    sqlx::query_scalar(
        "select case $2
             when 'vendor' then
                 exists (select from payments.line where tenant_id = $1 and vendor = $3)
                 or exists (select from payouts.payee
                     where tenant_id = $1 and kind = 'vendor' and payee = $3)
             when 'affiliate' then
                 exists (select from affiliates.affiliate where tenant_id = $1 and id = $3)
             else
                 exists (select from payments.intent where tenant_id = $1 and customer = $3)
                 or exists (select from wallets.lot where tenant_id = $1 and customer = $3)
             end",
    )
    .bind(tenant.0)
    .bind(kind)
    .bind(name)
    .fetch_one(conn)
    .await
}

/// The transaction with a journal number, and what it belongs to.
pub(in crate::trace) async fn transaction_at(
    conn: &mut PgConnection,
    tenant: TenantId,
    position: i64,
) -> Result<Option<(Uuid, String)>> {
    sqlx::query_as(
        "select id, source from ledger.transaction where tenant_id = $1 and position = $2",
    )
    .bind(tenant.0)
    .bind(position)
    .fetch_optional(conn)
    .await
}

/// What a gateway or a bank calls by a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trace) enum Referred {
    Attempt,
    Refund,
    Dispute,
    Payout,
    Settlement,
    Remittance,
    Delivery,
}

/// `c` are the connections that were ever used, each found by one probe of the attempts' index.
const REFERRED: &str = "
with recursive c as (
    (select a.connection as name from payments.attempt a
     where a.tenant_id = $1 order by a.connection limit 1)
    union all
    select (select a.connection from payments.attempt a
        where a.tenant_id = $1 and a.connection > c.name order by a.connection limit 1)
    from c where c.name is not null
),
found as (
    select 1 as n, a.intent_id as home, a.id
    from c join payments.attempt a
        on a.tenant_id = $1 and a.connection = c.name and a.provider_ref = $2
    union
    select 1, a.intent_id, a.id
    from c join payments.attempt a
        on a.tenant_id = $1 and a.connection = c.name and a.charge_ref = $2
    union all
    select 2, r.intent_id, r.id from payments.refund r
    where r.tenant_id = $1 and r.provider_ref = $2
    union all
    select 3, d.intent_id, d.id
    from c join payments.dispute d
        on d.tenant_id = $1 and d.connection = c.name and d.provider_ref = $2
    union all
    select 4, k.payout_id, k.payout_id from payouts.call k
    where k.tenant_id = $1 and k.provider_ref = $2
    union all
    select 5, s.id, s.id from finance.settlement s where s.tenant_id = $1 and s.reference = $2
    union all
    select 6, m.id, m.id from finance.remittance m where m.tenant_id = $1 and m.reference = $2
    union all
    select 7, w.id, w.id
    from c join webhooks.delivery w
        on w.tenant_id = $1 and w.connection = c.name and w.dedupe_id = $2
    union all
    (select 7, w.id, w.id from webhooks.delivery w
     where w.tenant_id = $1 and w.object_ref = $2 order by w.id limit 10)
)
select n, home, id from found order by n, id limit 20";

/// What is called so: what it is, the thing whose chain it belongs to, and itself. Money first,
/// then what was only told.
pub(in crate::trace) async fn referred(
    conn: &mut PgConnection,
    tenant: TenantId,
    reference: &str,
) -> Result<Vec<(Referred, Uuid, Uuid)>> {
    let rows: Vec<(i32, Uuid, Uuid)> =
        sqlx::query_as(REFERRED).bind(tenant.0).bind(reference).fetch_all(conn).await?;
    let what = |n| match n {
        1 => Referred::Attempt,
        2 => Referred::Refund,
        3 => Referred::Dispute,
        4 => Referred::Payout,
        5 => Referred::Settlement,
        6 => Referred::Remittance,
        _ => Referred::Delivery,
    };
    Ok(rows.into_iter().map(|(n, home, id)| (what(n), home, id)).collect())
}
