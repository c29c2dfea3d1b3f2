//! Holds, the lots they use, and what refunds gave back, in the database.

use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Money, TenantId, Timestamp};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::hold::{Hold, HoldState};
use super::super::lot::LotId;
use super::{Result, corrupt, currency};

/// How much of a lot a payment uses, in minor units.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Use {
    /// The lot.
    pub lot: LotId,
    /// How much of it.
    pub amount: i64,
    /// What refunds gave back of that.
    pub returned: i64,
}

/// What a refund gave back to one lot, in minor units.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct GivenBack {
    /// The lot it was spent from.
    pub from_lot: LotId,
    /// The lot it went to.
    pub to_lot: LotId,
    /// How much.
    pub amount: i64,
}

/// Writes down that a payment holds. Answers which time it is; none where it holds already or
/// has spent.
pub(in super::super) async fn claim_hold(
    conn: &mut PgConnection,
    tenant: TenantId,
    hold: &Hold,
    now: Timestamp,
) -> Result<Option<i16>> {
    let round = sqlx::query_scalar(
        "insert into wallets.hold as h
             (tenant_id, payment_id, round, customer, currency, cash, promo, state, held_at)
         values ($1, $2, 1, $3, $4, $5, $6, 'held', $7)
         on conflict (tenant_id, payment_id) do update
         set round = h.round + 1::smallint, customer = excluded.customer,
             currency = excluded.currency, cash = excluded.cash, promo = excluded.promo,
             state = 'held', held_at = excluded.held_at
         where h.state = 'released'
         returning round",
    )
    .bind(tenant.0)
    .bind(hold.payment.uuid())
    .bind(&hold.customer)
    .bind(hold.cash.currency().code())
    .bind(hold.cash.minor())
    .bind(hold.promo.minor())
    .bind(now)
    .fetch_optional(conn)
    .await?;
    Ok(round)
}

/// Writes down which lots a hold uses.
pub(in super::super) async fn insert_uses(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
    round: i16,
    uses: &[(LotId, i64)],
) -> Result<()> {
    sqlx::query(
        "insert into wallets.lot_use (tenant_id, payment_id, round, lot_id, amount, state)
         select $1, $2, $3, u.id, u.amount, 'held'
         from unnest($4::uuid[], $5::bigint[]) as u (id, amount)",
    )
    .bind(tenant.0)
    .bind(payment.uuid())
    .bind(round)
    .bind(uses.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
    .bind(uses.iter().map(|(_, amount)| *amount).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// What a payment holds or held, locked.
pub(in super::super) async fn lock_hold(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
) -> Result<Option<Hold>> {
    let row = sqlx::query(
        "select round, customer, currency, cash, promo, state from wallets.hold
         where tenant_id = $1 and payment_id = $2
         for no key update",
    )
    .bind(tenant.0)
    .bind(payment.uuid())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let currency = currency(row.try_get("currency")?)?;
    let state: String = row.try_get("state")?;
    Ok(Some(Hold {
        payment,
        round: row.try_get("round")?,
        customer: row.try_get("customer")?,
        cash: Money::new(row.try_get("cash")?, currency),
        promo: Money::new(row.try_get("promo")?, currency),
        state: HoldState::parse(&state).ok_or_else(|| corrupt(&state))?,
    }))
}

/// Which lots a hold uses, in the order of their ids.
pub(in super::super) async fn uses(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
    round: i16,
) -> Result<Vec<Use>> {
    let rows = sqlx::query(
        "select lot_id, amount, returned from wallets.lot_use
         where tenant_id = $1 and payment_id = $2 and round = $3
         order by lot_id",
    )
    .bind(tenant.0)
    .bind(payment.uuid())
    .bind(round)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Use {
                lot: LotId::from_uuid(row.try_get("lot_id")?),
                amount: row.try_get("amount")?,
                returned: row.try_get("returned")?,
            })
        })
        .collect()
}

/// Ends a hold and its uses. The hold was locked before.
pub(in super::super) async fn end_hold(
    conn: &mut PgConnection,
    tenant: TenantId,
    hold: &Hold,
    state: HoldState,
) -> Result<()> {
    sqlx::query(
        "with ended as (
             update wallets.lot_use set state = $4
             where tenant_id = $1 and payment_id = $2 and round = $3
         )
         update wallets.hold set state = $4 where tenant_id = $1 and payment_id = $2",
    )
    .bind(tenant.0)
    .bind(hold.payment.uuid())
    .bind(hold.round)
    .bind(state.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a refund has given back before.
pub(in super::super) async fn was_given_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<bool> {
    let was = sqlx::query_scalar(
        "select exists (select from wallets.give_back where tenant_id = $1 and refund_id = $2)",
    );
    Ok(was.bind(tenant.0).bind(refund.uuid()).fetch_one(conn).await?)
}

/// Writes down what a refund gave back, and with the uses that it came back.
pub(in super::super) async fn keep_given_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    refund: RefundId,
    (payment, round): (PaymentIntentId, i16),
    given: &[GivenBack],
) -> Result<()> {
    let from: Vec<Uuid> = given.iter().map(|it| it.from_lot.uuid()).collect();
    let amounts: Vec<i64> = given.iter().map(|it| it.amount).collect();
    sqlx::query(
        "insert into wallets.give_back
             (tenant_id, refund_id, from_lot, to_lot, payment_id, amount, given_at)
         select $1, $2, g.from_lot, g.to_lot, $3, g.amount, $4
         from unnest($5::uuid[], $6::uuid[], $7::bigint[]) as g (from_lot, to_lot, amount)",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .bind(payment.uuid())
    .bind(now)
    .bind(&from)
    .bind(given.iter().map(|it| it.to_lot.uuid()).collect::<Vec<_>>())
    .bind(&amounts)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "update wallets.lot_use u
         set returned = u.returned + g.amount,
             state = case when u.returned + g.amount = u.amount then 'returned' else u.state end
         from unnest($4::uuid[], $5::bigint[]) as g (lot_id, amount)
         where u.tenant_id = $1 and u.payment_id = $2 and u.round = $3 and u.lot_id = g.lot_id",
    )
    .bind(tenant.0)
    .bind(payment.uuid())
    .bind(round)
    .bind(&from)
    .bind(&amounts)
    .execute(conn)
    .await?;
    Ok(())
}
