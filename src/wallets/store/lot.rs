//! Lots in the database: found, locked by their ids, written.

use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::lot::{ExpiredCredit, Lot, LotId, LotState, Origin};
use super::super::rule::CashbackRuleId;
use super::{Result, corrupt, currency};

/// What the job does with lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Pass {
    /// The return window is over.
    Vest,
    /// Their end has come.
    Expire,
}

/// Lots that a checkout may hold, locked in the order of their ids.
pub(in super::super) async fn lock_usable(
    conn: &mut PgConnection,
    tenant: TenantId,
    customer: &str,
    currency: Currency,
    now: Timestamp,
) -> Result<Vec<Lot>> {
    let rows = sqlx::query(
        "select * from wallets.lot
         where tenant_id = $1 and customer = $2 and currency = $3::char(3) and state = 'vested'
             and (expires_at is null or expires_at > $4)
             and held + spent + expired + clawed < amount
         order by id
         for no key update",
    )
    .bind(tenant.0)
    .bind(customer)
    .bind(currency.code())
    .bind(now)
    .fetch_all(conn)
    .await?;
    rows.iter().map(lot_from).collect()
}

/// Lots that a payment earned, locked in the order of their ids.
pub(in super::super) async fn lock_earned(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
) -> Result<Vec<Lot>> {
    let rows = sqlx::query(
        "select * from wallets.lot
         where tenant_id = $1 and payment_id = $2 and origin = 'cashback'
         order by id
         for no key update",
    )
    .bind(tenant.0)
    .bind(payment.uuid())
    .fetch_all(conn)
    .await?;
    rows.iter().map(lot_from).collect()
}

/// These lots, locked in the order of their ids.
pub(in super::super) async fn lock_lots(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[LotId],
) -> Result<Vec<Lot>> {
    let rows = sqlx::query(
        "select * from wallets.lot
         where tenant_id = $1 and id = any($2)
         order by id
         for no key update",
    )
    .bind(tenant.0)
    .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.iter().map(lot_from).collect()
}

/// Locks what payments hold or held, by their ids, then the lots that they used or earned, by
/// theirs.
pub(in super::super) async fn lock_all_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[PaymentIntentId],
) -> Result<()> {
    let payments: Vec<Uuid> = payments.iter().map(|id| id.uuid()).collect();
    sqlx::query(
        "select 1 from wallets.hold
         where tenant_id = $1 and payment_id = any($2)
         order by payment_id
         for no key update",
    )
    .bind(tenant.0)
    .bind(&payments)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "select 1 from wallets.lot
         where tenant_id = $1 and id in (
             select lot_id from wallets.lot_use
             where tenant_id = $1 and payment_id = any($2) and state in ('held', 'spent')
             union all
             select id from wallets.lot
             where tenant_id = $1 and payment_id = any($2) and origin = 'cashback')
         order by id
         for no key update",
    )
    .bind(tenant.0)
    .bind(&payments)
    .execute(conn)
    .await?;
    Ok(())
}

/// The lot, locked, if it is still due.
pub(in super::super) async fn lock_due(
    conn: &mut PgConnection,
    tenant: TenantId,
    pass: Pass,
    id: LotId,
    now: Timestamp,
) -> Result<Option<Lot>> {
    let lot = lock_lots(conn, tenant, &[id]).await?.pop();
    Ok(lot.filter(|lot| match pass {
        Pass::Vest => lot.state == LotState::Pending && lot.vests_at <= now,
        Pass::Expire => lot.state == LotState::Vested && lot.is_over(now) && lot.left() > 0,
    }))
}

/// A lot that is due, and since when.
pub(in super::super) type Due = (Timestamp, LotId);

/// Lots that are due, behind one, those first that have been due longest.
pub(in super::super) async fn due_lots(
    conn: &mut PgConnection,
    tenant: TenantId,
    pass: Pass,
    now: Timestamp,
    after: Option<Due>,
    limit: i64,
) -> Result<Vec<Due>> {
    let statement = match pass {
        Pass::Vest => {
            "select vests_at, id from wallets.lot
             where tenant_id = $1 and state = 'pending' and vests_at <= $2
                 and ($3::timestamptz is null or (vests_at, id) > ($3, $4))
             order by vests_at, id
             limit $5"
        }
        Pass::Expire => {
            "select expires_at, id from wallets.lot
             where tenant_id = $1 and state = 'vested' and expires_at <= $2
                 and held + spent + expired + clawed < amount
                 and ($3::timestamptz is null or (expires_at, id) > ($3, $4))
             order by expires_at, id
             limit $5"
        }
    };
    let due: Vec<(Timestamp, Uuid)> = sqlx::query_as(statement)
        .bind(tenant.0)
        .bind(now)
        .bind(after.map(|(since, _)| since))
        .bind(after.map(|(_, id)| id.uuid()))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(due.into_iter().map(|(since, id)| (since, LotId::from_uuid(id))).collect())
}

/// The lots of a customer that are not used up, those that end first first, without a lock.
pub(in super::super) async fn lots_of_customer(
    conn: &mut PgConnection,
    tenant: TenantId,
    customer: &str,
    limit: i64,
) -> Result<Vec<Lot>> {
    let rows = sqlx::query(
        "select * from wallets.lot
         where tenant_id = $1 and customer = $2 and spent + expired + clawed < amount
         order by expires_at nulls last, id
         limit $3",
    )
    .bind(tenant.0)
    .bind(customer)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(lot_from).collect()
}

/// What the tenant's settings do with a credit that ends: income where they do not say.
pub(in super::super) async fn expired_credit(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<ExpiredCredit> {
    // Read by name out of the whole row: the setting came later than the table.
    let word: Option<Option<String>> = sqlx::query_scalar(
        "select to_jsonb(t) ->> 'expired_credit' from mizan.tenant t where t.tenant_id = $1",
    )
    .bind(tenant.0)
    .fetch_optional(conn)
    .await?;
    Ok(ExpiredCredit::parse(word.flatten().as_deref()))
}

/// Whether the tenant's settings let customers pay into their cash purse: they do not where they
/// do not say.
pub(in super::super) async fn top_up_is_on(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<bool> {
    let word: Option<Option<String>> = sqlx::query_scalar(
        "select to_jsonb(t) ->> 'wallet_top_up' from mizan.tenant t where t.tenant_id = $1",
    )
    .bind(tenant.0)
    .fetch_optional(conn)
    .await?;
    Ok(word.flatten().as_deref() == Some("true"))
}

/// Adds lots.
pub(in super::super) async fn insert_lots(
    conn: &mut PgConnection,
    tenant: TenantId,
    lots: &[Lot],
) -> Result<()> {
    for lot in lots {
        sqlx::query(
            "insert into wallets.lot
                 (tenant_id, id, customer, currency, origin, payment_id, rule_id, reason, amount,
                  state, earned_at, vests_at, expires_at, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(tenant.0)
        .bind(lot.id.uuid())
        .bind(&lot.customer)
        .bind(lot.currency.code())
        .bind(lot.origin.as_str())
        .bind(lot.payment.map(|id| id.uuid()))
        .bind(lot.rule.map(|id| id.uuid()))
        .bind(&lot.reason)
        .bind(lot.amount)
        .bind(lot.state.as_str())
        .bind(lot.earned_at)
        .bind(lot.vests_at)
        .bind(lot.expires_at)
        .bind(&lot.created_by)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Writes what can change of lots that were locked before.
pub(in super::super) async fn save_lots(
    conn: &mut PgConnection,
    tenant: TenantId,
    lots: &[Lot],
) -> Result<()> {
    if lots.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Lot) -> i64| lots.iter().map(of).collect::<Vec<i64>>();
    sqlx::query(
        "update wallets.lot l
         set held = s.held, spent = s.spent, expired = s.expired, clawed = s.clawed,
             withheld = s.withheld, state = s.state, back_at = s.back_at
         from unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                 $7::bigint[], $8::text[], $9::timestamptz[])
             as s (id, held, spent, expired, clawed, withheld, state, back_at)
         where l.tenant_id = $1 and l.id = s.id",
    )
    .bind(tenant.0)
    .bind(lots.iter().map(|lot| lot.id.uuid()).collect::<Vec<_>>())
    .bind(column(|lot| lot.held))
    .bind(column(|lot| lot.spent))
    .bind(column(|lot| lot.expired))
    .bind(column(|lot| lot.clawed))
    .bind(column(|lot| lot.withheld))
    .bind(lots.iter().map(|lot| lot.state.as_str()).collect::<Vec<_>>())
    .bind(lots.iter().map(|lot| lot.back_at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

fn lot_from(row: &PgRow) -> Result<Lot> {
    let origin: String = row.try_get("origin")?;
    let state: String = row.try_get("state")?;
    Ok(Lot {
        id: LotId::from_uuid(row.try_get("id")?),
        customer: row.try_get("customer")?,
        currency: currency(row.try_get("currency")?)?,
        origin: Origin::parse(&origin).ok_or_else(|| corrupt(&origin))?,
        payment: row.try_get::<Option<Uuid>, _>("payment_id")?.map(PaymentIntentId::from_uuid),
        rule: row.try_get::<Option<Uuid>, _>("rule_id")?.map(CashbackRuleId::from_uuid),
        reason: row.try_get("reason")?,
        amount: row.try_get("amount")?,
        held: row.try_get("held")?,
        spent: row.try_get("spent")?,
        expired: row.try_get("expired")?,
        clawed: row.try_get("clawed")?,
        withheld: row.try_get("withheld")?,
        state: LotState::parse(&state).ok_or_else(|| corrupt(&state))?,
        earned_at: row.try_get("earned_at")?,
        vests_at: row.try_get("vests_at")?,
        expires_at: row.try_get("expires_at")?,
        back_at: row.try_get("back_at")?,
        created_by: row.try_get("created_by")?,
    })
}
