//! Payees: their terms, bank details, checks and blocks.

use mizan_ledger::postings::Payee;
use mizan_money::id::{BlockId, KycId};
use mizan_money::{Currency, TenantId, Timestamp};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{Result, amounts, currency};
use crate::payouts::bank_account::{BankAccount, Details, Number, Scheme};
use crate::payouts::error::corrupt;
use crate::payouts::kyc::{Kyc, KycStatus};
use crate::payouts::terms::{Schedule, Terms};

/// Makes a payee known.
///
/// # Errors
/// The database.
pub async fn add_payee(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "insert into payouts.payee (tenant_id, kind, payee, created_at) values ($1, $2, $3, $4)
         on conflict do nothing",
    )
    .bind(tenant.0)
    .bind(payee.kind())
    .bind(payee.id())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks a payee until the end of the transaction. Several are locked in their order.
///
/// # Errors
/// The database.
pub async fn lock_payee(conn: &mut PgConnection, tenant: TenantId, payee: &Payee) -> Result<bool> {
    let found = sqlx::query(
        "select from payouts.payee where tenant_id = $1 and kind = $2 and payee = $3
         for no key update",
    );
    let found = found.bind(tenant.0).bind(payee.kind()).bind(payee.id());
    Ok(found.fetch_optional(conn).await?.is_some())
}

pub(super) fn terms_of(row: &PgRow) -> Result<Terms> {
    let word: String = row.try_get("schedule")?;
    let part = |column: &str| -> Result<Option<u8>> {
        let part: Option<i16> = row.try_get(column)?;
        part.map(|it| u8::try_from(it).map_err(corrupt)).transpose()
    };
    let schedule = Schedule::of(&word, part("weekday")?, part("month_day")?);
    let pay: Option<String> = row.try_get("pay_currency")?;
    Ok(Terms {
        schedule: schedule.ok_or_else(|| corrupt(format!("schedule `{word}`")))?,
        minimum: amounts(&row.try_get("minimum")?),
        pay_currency: pay.map(|it| Currency::parse(&it)).transpose().map_err(corrupt)?,
        rail: row.try_get("rail")?,
    })
}

/// A payee's terms; none where it is not known.
///
/// # Errors
/// The database.
pub async fn terms(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
) -> Result<Option<Terms>> {
    let row = sqlx::query(
        "select schedule, weekday, month_day, minimum, pay_currency, rail from payouts.payee
         where tenant_id = $1 and kind = $2 and payee = $3",
    );
    let row = row.bind(tenant.0).bind(payee.kind()).bind(payee.id()).fetch_optional(conn).await?;
    row.as_ref().map(terms_of).transpose()
}

/// Sets a payee's terms.
///
/// # Errors
/// The database.
pub async fn set_terms(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    terms: &Terms,
    (now, by): (Timestamp, &str),
) -> Result<()> {
    sqlx::query(
        "update payouts.payee set schedule = $4, weekday = $5, month_day = $6, minimum = $7,
             pay_currency = $8, rail = $9, terms_at = $10, terms_by = $11
         where tenant_id = $1 and kind = $2 and payee = $3",
    )
    .bind(tenant.0)
    .bind(payee.kind())
    .bind(payee.id())
    .bind(terms.schedule.word())
    .bind(terms.schedule.weekday().map(i16::from))
    .bind(terms.schedule.month_day().map(i16::from))
    .bind(json!(terms.minimum))
    .bind(terms.pay_currency.map(Currency::code))
    .bind(&terms.rail)
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// A version of a payee's bank details, or the newest.
///
/// # Errors
/// The database.
pub async fn bank_account(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    version: Option<i32>,
) -> Result<Option<BankAccount>> {
    let row = sqlx::query(
        "select * from payouts.bank_account
         where tenant_id = $1 and kind = $2 and payee = $3 and ($4::integer is null or version = $4)
         order by version desc
         limit 1",
    );
    let row = row.bind(tenant.0).bind(payee.kind()).bind(payee.id()).bind(version);
    let Some(row) = row.fetch_optional(conn).await? else { return Ok(None) };
    let gateway: Option<String> = row.try_get("gateway")?;
    let number = match (row.try_get::<Option<String>, _>("iban")?, gateway) {
        (Some(iban), _) => Number::Iban(iban),
        (None, Some(gateway)) => Number::Gateway {
            gateway: gateway.parse().map_err(corrupt)?,
            account: row.try_get("gateway_account")?,
        },
        (None, None) => {
            let word: String = row.try_get("routing_scheme")?;
            let scheme = Scheme::parse(&word).ok_or_else(|| corrupt(format!("scheme `{word}`")))?;
            let (account, routing) = (row.try_get("account_number")?, row.try_get("routing")?);
            Number::Local { account, scheme, routing }
        }
    };
    let details = Details {
        holder: row.try_get("holder")?,
        town: row.try_get("town")?,
        number,
        bic: row.try_get("bic")?,
        country: row.try_get("country")?,
        currency: currency(&row, "currency")?,
    };
    Ok(Some(BankAccount {
        version: row.try_get("version")?,
        details,
        created_at: row.try_get("created_at")?,
        verified_at: row.try_get("verified_at")?,
        blocked: row.try_get("blocked_reason")?,
    }))
}

/// Adds a version of a payee's bank details, of a payee that is locked.
///
/// # Errors
/// The database.
pub async fn new_bank_account(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    details: &Details,
    (now, by): (Timestamp, &str),
) -> Result<()> {
    let (iban, local, theirs) = match &details.number {
        Number::Iban(iban) => (Some(iban), None, None),
        Number::Local { account, scheme, routing } => {
            (None, Some((account, *scheme, routing)), None)
        }
        Number::Gateway { gateway, account } => (None, None, Some((gateway.as_str(), account))),
    };
    sqlx::query(
        "insert into payouts.bank_account
             (tenant_id, kind, payee, version, holder, town, country, currency, iban,
              account_number, routing_scheme, routing, bic, gateway, gateway_account, created_at,
              created_by)
         select $1, $2, $3, 1 + coalesce(max(version), 0), $4, $5, $6, $7, $8, $9, $10, $11, $12,
             $13, $14, $15, $16
         from payouts.bank_account where tenant_id = $1 and kind = $2 and payee = $3",
    )
    .bind(tenant.0)
    .bind(payee.kind())
    .bind(payee.id())
    .bind(&details.holder)
    .bind(&details.town)
    .bind(&details.country)
    .bind(details.currency.code())
    .bind(iban)
    .bind(local.map(|it| it.0))
    .bind(local.map(|it| it.1.as_str()))
    .bind(local.map(|it| it.2))
    .bind(&details.bic)
    .bind(theirs.map(|it| it.0))
    .bind(theirs.map(|it| it.1))
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks a version as verified, once.
///
/// # Errors
/// The database.
pub async fn verify_bank_account(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    version: i32,
    (now, by): (Timestamp, &str),
) -> Result<()> {
    sqlx::query(
        "update payouts.bank_account set verified_at = $5, verified_by = $6
         where tenant_id = $1 and kind = $2 and payee = $3 and version = $4
             and verified_at is null",
    )
    .bind(tenant.0)
    .bind(payee.kind())
    .bind(payee.id())
    .bind(version)
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Blocks a version: nothing is paid there any more.
///
/// # Errors
/// The database.
pub async fn block_details(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    version: i32,
    (now, reason): (Timestamp, &str),
) -> Result<()> {
    sqlx::query(
        "update payouts.bank_account set blocked_at = $5, blocked_reason = $6
         where tenant_id = $1 and kind = $2 and payee = $3 and version = $4
             and blocked_at is null",
    )
    .bind(tenant.0)
    .bind(payee.kind())
    .bind(payee.id())
    .bind(version)
    .bind(now)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest news of who a payee is, by the time it was true.
///
/// # Errors
/// The database.
pub async fn kyc(conn: &mut PgConnection, tenant: TenantId, payee: &Payee) -> Result<Option<Kyc>> {
    let row = sqlx::query(
        "select * from payouts.kyc where tenant_id = $1 and kind = $2 and payee = $3
         order by occurred_at desc, id desc
         limit 1",
    );
    let row = row.bind(tenant.0).bind(payee.kind()).bind(payee.id());
    let Some(row) = row.fetch_optional(conn).await? else { return Ok(None) };
    let word: String = row.try_get("status")?;
    Ok(Some(Kyc {
        id: KycId::from_uuid(row.try_get("id")?),
        status: KycStatus::parse(&word).ok_or_else(|| corrupt(format!("status `{word}`")))?,
        occurred_at: row.try_get("occurred_at")?,
        documents: serde_json::from_value(row.try_get("documents")?).map_err(corrupt)?,
        recorded_at: row.try_get("recorded_at")?,
    }))
}

/// Adds a piece of news.
///
/// # Errors
/// The database.
pub async fn add_kyc(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    kyc: &Kyc,
    by: &str,
) -> Result<()> {
    sqlx::query(
        "insert into payouts.kyc
             (tenant_id, id, kind, payee, status, occurred_at, documents, recorded_at, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(kyc.id.uuid())
    .bind(payee.kind())
    .bind(payee.id())
    .bind(kyc.status.as_str())
    .bind(kyc.occurred_at)
    .bind(json!(kyc.documents))
    .bind(kyc.recorded_at)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// The reasons of the blocks that are open, oldest first.
///
/// # Errors
/// The database.
pub async fn blocks(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
) -> Result<Vec<String>> {
    let reasons = sqlx::query_scalar(
        "select reason from payouts.block
         where tenant_id = $1 and kind = $2 and payee = $3 and lifted_at is null
         order by id",
    );
    let reasons = reasons.bind(tenant.0).bind(payee.kind()).bind(payee.id());
    Ok(reasons.fetch_all(conn).await?)
}

/// Opens a block.
///
/// # Errors
/// The database.
pub async fn add_block(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    (id, reason): (BlockId, &str),
    (now, by): (Timestamp, &str),
) -> Result<()> {
    sqlx::query(
        "insert into payouts.block (tenant_id, id, kind, payee, reason, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(payee.kind())
    .bind(payee.id())
    .bind(reason)
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lifts every open block.
///
/// # Errors
/// The database.
pub async fn lift_blocks(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    (now, by): (Timestamp, &str),
) -> Result<()> {
    sqlx::query(
        "update payouts.block set lifted_at = $4, lifted_by = $5
         where tenant_id = $1 and kind = $2 and payee = $3 and lifted_at is null",
    )
    .bind(tenant.0)
    .bind(payee.kind())
    .bind(payee.id())
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}
