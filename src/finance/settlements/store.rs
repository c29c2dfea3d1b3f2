//! The statements of settlements and remittances: recorded, never changed.

use mizan_ledger::AccountRef;
use mizan_money::{Currency, Money, TenantId, TransactionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{
    NewRemittance, NewSettlement, Remittance, RemittanceId, Settlement, SettlementId, Stage,
};
use crate::finance::error::FinanceError;

type Result<T> = std::result::Result<T, FinanceError>;

/// Keeps a settlement; answers whether its reference was free.
///
/// # Errors
/// The database.
pub(super) async fn insert_settlement(
    conn: &mut PgConnection,
    tenant: TenantId,
    settlement: &Settlement,
) -> Result<bool> {
    let says = &settlement.says;
    let arrived = says.stage.arrived(says.amount);
    let done = sqlx::query(
        "insert into finance.settlement
             (tenant_id, id, provider, stage, currency, amount, bank, received, reference,
              occurred_at, created_at, created_by, transaction_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict do nothing",
    )
    .bind(tenant.0)
    .bind(settlement.id.uuid())
    .bind(&says.provider)
    .bind(says.stage.as_str())
    .bind(says.amount.currency().code())
    .bind(says.amount.minor())
    .bind(arrived.map(|(bank, _)| bank))
    .bind(arrived.map(|(_, received)| received.minor()))
    .bind(&says.reference)
    .bind(says.occurred_at)
    .bind(settlement.created_at)
    .bind(&settlement.created_by)
    .bind(settlement.transaction.uuid())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Settlements, newest first, from behind one; optionally of one gateway.
///
/// # Errors
/// The database.
pub(super) async fn settlements(
    conn: &mut PgConnection,
    tenant: TenantId,
    provider: Option<&str>,
    after: Option<SettlementId>,
    limit: i64,
) -> Result<Vec<Settlement>> {
    let rows = sqlx::query(
        "select * from finance.settlement
         where tenant_id = $1 and ($2::text is null or provider = $2)
             and ($3::uuid is null or id < $3)
         order by id desc
         limit $4",
    )
    .bind(tenant.0)
    .bind(provider)
    .bind(after.map(SettlementId::uuid))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(settlement_from).collect()
}

/// Keeps a remittance; answers whether its reference was free.
///
/// # Errors
/// The database.
pub(super) async fn insert_remittance(
    conn: &mut PgConnection,
    tenant: TenantId,
    remittance: &Remittance,
) -> Result<bool> {
    let says = &remittance.says;
    let done = sqlx::query(
        "insert into finance.remittance
             (tenant_id, id, account, bank, currency, amount, reference, occurred_at,
              created_at, created_by, transaction_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict do nothing",
    )
    .bind(tenant.0)
    .bind(remittance.id.uuid())
    .bind(says.account.path())
    .bind(&says.bank)
    .bind(says.amount.currency().code())
    .bind(says.amount.minor())
    .bind(&says.reference)
    .bind(says.occurred_at)
    .bind(remittance.created_at)
    .bind(&remittance.created_by)
    .bind(remittance.transaction.uuid())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Remittances, newest first, from behind one.
///
/// # Errors
/// The database.
pub(super) async fn remittances(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Option<RemittanceId>,
    limit: i64,
) -> Result<Vec<Remittance>> {
    let rows = sqlx::query(
        "select * from finance.remittance
         where tenant_id = $1 and ($2::uuid is null or id < $2)
         order by id desc
         limit $3",
    )
    .bind(tenant.0)
    .bind(after.map(RemittanceId::uuid))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(remittance_from).collect()
}

fn money(row: &PgRow) -> Result<Money> {
    let currency: String = row.try_get("currency")?;
    let currency = Currency::parse(&currency).map_err(FinanceError::corrupt)?;
    Ok(Money::new(row.try_get("amount")?, currency))
}

fn settlement_from(row: &PgRow) -> Result<Settlement> {
    let (amount, stage): (_, String) = (money(row)?, row.try_get("stage")?);
    let missing = || FinanceError::corrupt(format!("a settlement that is {stage} has no bank"));
    let (bank, received): (Option<String>, Option<i64>) =
        (row.try_get("bank")?, row.try_get("received")?);
    let stage = match stage.as_str() {
        "reported" => Stage::Reported,
        "direct" => Stage::Direct { bank: bank.ok_or_else(missing)? },
        _ => Stage::Received {
            bank: bank.ok_or_else(missing)?,
            received: Money::new(received.ok_or_else(missing)?, amount.currency()),
        },
    };
    Ok(Settlement {
        id: SettlementId::from_uuid(row.try_get("id")?),
        says: NewSettlement {
            provider: row.try_get("provider")?,
            amount,
            stage,
            reference: row.try_get("reference")?,
            occurred_at: row.try_get("occurred_at")?,
        },
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        transaction: TransactionId::from_uuid(row.try_get("transaction_id")?),
    })
}

fn remittance_from(row: &PgRow) -> Result<Remittance> {
    let account: String = row.try_get("account")?;
    Ok(Remittance {
        id: RemittanceId::from_uuid(row.try_get("id")?),
        says: NewRemittance {
            account: AccountRef::parse(&account).map_err(FinanceError::corrupt)?,
            bank: row.try_get("bank")?,
            amount: money(row)?,
            reference: row.try_get("reference")?,
            occurred_at: row.try_get("occurred_at")?,
        },
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        transaction: TransactionId::from_uuid(row.try_get("transaction_id")?),
    })
}
