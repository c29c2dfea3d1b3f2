//! The laws that tie payments to the books, as `mizan verify` proves them.

use mizan_ledger::verify::{Elapsed, Law};
use mizan_money::{TenantId, Timestamp};
use sqlx::{PgConnection, query_scalar};
use uuid::Uuid;

use super::error::PaymentError;

type Told = Result<(i64, Vec<String>), PaymentError>;

/// How long an operation may be without an outcome before that breaks a law.
const OPEN_LIMIT: chrono::Duration = chrono::Duration::days(3);

/// Entries are looked for from so much earlier than payments: the clocks of two servers differ.
const CLOCKS_DIFFER: chrono::Duration = chrono::Duration::days(1);

/// The payments that are looked at: those made since a time, or all.
#[derive(Clone, Copy)]
struct Since {
    first: Uuid,
    created_at: Timestamp,
    recorded_at: Timestamp,
}

/// What payments and refunds say equals what their entries say: for all payments, or for those
/// made `since` a time.
///
/// # Errors
/// The database; a broken law is an answer and not an error.
pub async fn payment_laws(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: Option<Timestamp>,
    now: Timestamp,
    elapsed: Elapsed<'_>,
) -> Result<Vec<Law>, PaymentError> {
    let since = Since {
        first: since.map_or(Uuid::nil(), first_id_at),
        created_at: since.unwrap_or(Timestamp::UNIX_EPOCH),
        recorded_at: since
            .and_then(|time| time.checked_sub_signed(CLOCKS_DIFFER))
            .unwrap_or(Timestamp::UNIX_EPOCH),
    };
    let mut laws = Vec::new();
    let mut watch = elapsed();
    let mut law = |name, unit, told| {
        let lap = elapsed();
        laws.push(Law::tried(name, unit, told, lap - watch));
        watch = lap;
    };
    let told = payments_agree(conn, tenant, since).await?;
    law("payments say what their entries say", "payments", told);
    let told = refunds_agree(conn, tenant, since).await?;
    law("refunds say what their entries say", "refunds", told);
    let told = disputes_agree(conn, tenant, since).await?;
    law("disputes say what their entries say", "disputes", told);
    let told = intents_are_disputed(conn, tenant, since).await?;
    law("payments are disputed and lost by what their disputes say", "payments", told);
    let told = operations_end(conn, tenant, since, now - OPEN_LIMIT).await?;
    law("operations have an outcome within three days", "operations", told);
    Ok(laws)
}

/// The least id that is made at a time: ids begin with theirs.
fn first_id_at(time: Timestamp) -> Uuid {
    let millis = time.timestamp_millis().max(0).unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// What intents say was taken is what their entries say.
async fn payments_agree(conn: &mut PgConnection, tenant: TenantId, since: Since) -> Told {
    let checked = query_scalar(
        "select count(*) from payments.intent
         where tenant_id = $1 and id >= $2 and created_at >= $3",
    )
    .bind(tenant.0)
    .bind(since.first)
    .bind(since.created_at)
    .fetch_one(&mut *conn)
    .await?;
    let broken = query_scalar(
        "with clearing as (
             select e.position, e.recorded_at, a.currency,
                 sum(case e.side when 'd' then e.amount else -e.amount end) as net
             from ledger.account a
             join ledger.entry e on e.tenant_id = a.tenant_id and e.account_id = a.id
             where a.tenant_id = $1 and e.recorded_at >= $3
                 and (a.path like 'gateway\\_clearing:%' or a.path = 'rounding_difference'
                     or a.path like 'customer\\_wallet:%:held')
             group by e.position, e.recorded_at, a.currency
         ),
         journal as (
             select t.source, c.currency,
                 sum(c.net) filter (where t.kind = 'payment.captured') as captured,
                 sum(c.net) filter (where t.kind in ('receipt.unapplied', 'receipt.returned'))
                     as unapplied,
                 -sum(c.net) filter (where t.kind = 'provider.fee') as fees
             from clearing c
             join ledger.transaction t on t.tenant_id = $1 and t.position = c.position
             group by t.source, c.currency
         ),
         booked_fee as (select source, sum(fees) as fees from journal group by source),
         fee as (
             select intent_id, sum(fee + fee_tax) as fees
             from payments.attempt where tenant_id = $1 group by intent_id
         )
         select 'pi_' || replace(i.id::text, '-', '') || ' says captured ' || i.captured
             || ', unapplied ' || i.unapplied || ', fees ' || coalesce(f.fees, 0)
             || '; its entries say ' || coalesce(j.captured, 0) || ', '
             || coalesce(j.unapplied, 0) || ', ' || coalesce(b.fees, 0)
         from payments.intent i
         left join journal j
             on j.source = 'pi_' || replace(i.id::text, '-', '') and j.currency = i.currency
         left join booked_fee b on b.source = 'pi_' || replace(i.id::text, '-', '')
         left join fee f on f.intent_id = i.id
         where i.tenant_id = $1 and i.id >= $2 and i.created_at >= $4
             and (i.captured, i.unapplied, coalesce(f.fees, 0)) is distinct from
                 (coalesce(j.captured, 0), coalesce(j.unapplied, 0), coalesce(b.fees, 0))
         limit 20",
    )
    .bind(tenant.0)
    .bind(since.first)
    .bind(since.recorded_at)
    .bind(since.created_at)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

/// What intents say goes back, and has gone back, is what the entries of their refunds say.
async fn refunds_agree(conn: &mut PgConnection, tenant: TenantId, since: Since) -> Told {
    let checked = query_scalar(
        "select count(*) from payments.refund where tenant_id = $1 and intent_id >= $2",
    )
    .bind(tenant.0)
    .bind(since.first)
    .fetch_one(&mut *conn)
    .await?;
    let broken = query_scalar(
        "with journal as (
             select t.source,
                 sum(case e.side when 'c' then e.amount else -e.amount end)
                     filter (where a.path = 'refunds_payable') as promised,
                 sum(case e.side when 'd' then e.amount else -e.amount end)
                     filter (where a.path = 'refunds_payable'
                         and t.kind in ('refund.succeeded', 'refund.bounced')) as gone
             from ledger.transaction t
             join ledger.entry e on e.tenant_id = t.tenant_id and e.position = t.position
                 and e.recorded_at = t.recorded_at
             join ledger.account a on a.tenant_id = e.tenant_id and a.id = e.account_id
             where t.tenant_id = $1 and t.source like 're\\_%' and t.recorded_at >= $3
                 and e.recorded_at >= $3
             group by t.source
         ),
         refund as (
             select r.intent_id, sum(coalesce(j.promised, 0)) as promised,
                 sum(coalesce(j.gone, 0)) as gone
             from payments.refund r
             left join journal j on j.source = 're_' || replace(r.id::text, '-', '')
             where r.tenant_id = $1 and r.intent_id >= $2
             group by r.intent_id
         )
         select 'pi_' || replace(i.id::text, '-', '') || ' says ' || i.refund_pending
             || ' pending and ' || i.refunded || ' refunded; its entries say '
             || coalesce(r.promised, 0) || ' and ' || coalesce(r.gone, 0)
         from payments.intent i
         left join refund r on r.intent_id = i.id
         where i.tenant_id = $1 and i.id >= $2 and i.created_at >= $4
             and (i.refund_pending, i.refunded) is distinct from
                 (coalesce(r.promised, 0), coalesce(r.gone, 0))
         limit 20",
    )
    .bind(tenant.0)
    .bind(since.first)
    .bind(since.recorded_at)
    .bind(since.created_at)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

/// What disputes say the gateway has, what it charged, and what is held of vendors' money is what
/// their entries say.
async fn disputes_agree(conn: &mut PgConnection, tenant: TenantId, since: Since) -> Told {
    let checked = query_scalar(
        "select count(*) from payments.dispute where tenant_id = $1 and intent_id >= $2",
    )
    .bind(tenant.0)
    .bind(since.first)
    .fetch_one(&mut *conn)
    .await?;
    let broken = query_scalar(
        "with leg as (
             select t.source, a.path, a.currency,
                 case e.side when 'd' then e.amount else -e.amount end as net
             from ledger.transaction t
             join ledger.entry e on e.tenant_id = t.tenant_id and e.position = t.position
                 and e.recorded_at = t.recorded_at
             join ledger.account a on a.tenant_id = e.tenant_id and a.id = e.account_id
             where t.tenant_id = $1 and t.source like 'dp\\_%' and t.recorded_at >= $3
                 and e.recorded_at >= $3
         ),
         journal as (
             select source,
                 sum(net) filter (where path like 'dispute\\_hold:%') as hold,
                 sum(net) filter (where path like 'dispute\\_fees:%') as fee,
                 -sum(net) filter (where path like 'gateway\\_clearing:%') as clearing,
                 -sum(net) filter (where path like 'vendor\\_payable:%:held') as held,
                 -sum(net) filter (where path = 'dispute_fee_recovery') as charged
             from leg group by source
         ),
         dispute as (
             select 'dp_' || replace(d.id::text, '-', '') as name,
                 case d.booked when 'held' then d.withdrawn else 0 end as hold, d.fee,
                 d.withdrawn + d.fee as clearing,
                 case d.booked when 'held' then (
                     select coalesce(sum((h ->> 'amount')::bigint), 0)
                     from jsonb_array_elements(d.held) h) else 0 end as held,
                 (select coalesce(sum(value::bigint), 0) from jsonb_each_text(d.charged))
                     as charged
             from payments.dispute d
             where d.tenant_id = $1 and d.intent_id >= $2 and d.created_at >= $4
         )
         select d.name || ' says ' || d.hold || ' with the bank, ' || d.fee || ' of fees, '
             || d.clearing || ' gone, ' || d.held || ' held, ' || d.charged
             || ' charged on; its entries say ' || coalesce(j.hold, 0) || ', '
             || coalesce(j.fee, 0) || ', ' || coalesce(j.clearing, 0) || ', '
             || coalesce(j.held, 0) || ', ' || coalesce(j.charged, 0)
         from dispute d left join journal j on j.source = d.name
         where (d.hold, d.fee, d.clearing, d.held, d.charged) is distinct from
             (coalesce(j.hold, 0), coalesce(j.fee, 0), coalesce(j.clearing, 0),
                 coalesce(j.held, 0), coalesce(j.charged, 0))
         limit 20",
    )
    .bind(tenant.0)
    .bind(since.first)
    .bind(since.recorded_at)
    .bind(since.created_at)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

/// What intents say is disputed and lost is the sum of what their disputes say.
async fn intents_are_disputed(conn: &mut PgConnection, tenant: TenantId, since: Since) -> Told {
    let checked = query_scalar(
        "select count(*) from payments.intent
         where tenant_id = $1 and id >= $2 and disputed + lost > 0",
    )
    .bind(tenant.0)
    .bind(since.first)
    .fetch_one(&mut *conn)
    .await?;
    let broken = query_scalar(
        "with dispute as (
             select intent_id, sum(taken) filter (where booked = 'held') as held,
                 sum(taken) filter (where booked = 'lost') as lost
             from payments.dispute where tenant_id = $1 and intent_id >= $2
             group by intent_id
         )
         select 'pi_' || replace(i.id::text, '-', '') || ' says ' || i.disputed
             || ' disputed and ' || i.lost || ' lost; its disputes say '
             || coalesce(d.held, 0) || ' and ' || coalesce(d.lost, 0)
         from payments.intent i
         left join dispute d on d.intent_id = i.id
         where i.tenant_id = $1 and i.id >= $2
             and (i.disputed, i.lost) is distinct from
                 (coalesce(d.held, 0), coalesce(d.lost, 0))
         limit 20",
    )
    .bind(tenant.0)
    .bind(since.first)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

/// No operation has waited for its outcome since before `oldest`, and no hint of a dispute for its
/// answer.
async fn operations_end(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: Since,
    oldest: Timestamp,
) -> Told {
    let checked = query_scalar(
        "select count(*) from payments.operation
         where tenant_id = $1 and (next_check_at is not null or intent_id >= $2)",
    )
    .bind(tenant.0)
    .bind(since.first)
    .fetch_one(&mut *conn)
    .await?;
    let broken = query_scalar(
        "select 'operation op_' || replace(id::text, '-', '') || ' (' || kind || ') is '
             || state || ' since ' || created_at
         from payments.operation
         where tenant_id = $1 and state in ('sent', 'unknown') and created_at < $2
             and next_check_at is not null
         union all
         select 'dispute ' || provider_ref || ' of pi_' || replace(intent_id::text, '-', '')
             || ' was asked about ' || asks || ' times since ' || hinted_at
         from payments.dispute_question
         where tenant_id = $1 and hinted_at < $2
         limit 20",
    )
    .bind(tenant.0)
    .bind(oldest)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}
