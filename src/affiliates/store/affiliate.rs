//! Affiliates, codes and clicks in the database: added, never changed.

use mizan_money::{TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::super::affiliate::{Affiliate, ClickId, FundedBy, NewClick};
use super::{Result, corrupt, rate};

/// Adds an affiliate, unless there is one by that name.
pub(in super::super) async fn insert_affiliate(
    conn: &mut PgConnection,
    tenant: TenantId,
    affiliate: &Affiliate,
) -> Result<bool> {
    let added = sqlx::query(
        "insert into affiliates.affiliate
             (tenant_id, id, name, percent, funded_by, window_days, release_days, created_at,
              created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (tenant_id, id) do nothing",
    )
    .bind(tenant.0)
    .bind(&affiliate.id)
    .bind(&affiliate.name)
    .bind(affiliate.rate.as_percent_string())
    .bind(affiliate.funded_by.as_str())
    .bind(affiliate.window_days)
    .bind(affiliate.release_days)
    .bind(affiliate.created_at)
    .bind(&affiliate.created_by)
    .execute(conn)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// The affiliate of a name.
pub(in super::super) async fn affiliate(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: &str,
) -> Result<Option<Affiliate>> {
    let row = sqlx::query("select * from affiliates.affiliate where tenant_id = $1 and id = $2")
        .bind(tenant.0)
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(affiliate_from).transpose()
}

/// The affiliate of a code.
pub(in super::super) async fn affiliate_of_code(
    conn: &mut PgConnection,
    tenant: TenantId,
    code: &str,
) -> Result<Option<Affiliate>> {
    let row = sqlx::query(
        "select a.*
         from affiliates.code c
         join affiliates.affiliate a on a.tenant_id = c.tenant_id and a.id = c.affiliate
         where c.tenant_id = $1 and c.code = $2",
    )
    .bind(tenant.0)
    .bind(code)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(affiliate_from).transpose()
}

/// Gives a code to an affiliate, unless it is somebody's. Answers whose it is now.
pub(in super::super) async fn claim_code(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    affiliate: &str,
    code: &str,
    by: &str,
) -> Result<String> {
    sqlx::query(
        "insert into affiliates.code (tenant_id, code, affiliate, created_at, created_by)
         values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, code) do nothing",
    )
    .bind(tenant.0)
    .bind(code)
    .bind(affiliate)
    .bind(now)
    .bind(by)
    .execute(&mut *conn)
    .await?;
    let owner = sqlx::query_scalar(
        "select affiliate from affiliates.code where tenant_id = $1 and code = $2",
    );
    Ok(owner.bind(tenant.0).bind(code).fetch_one(conn).await?)
}

/// The codes of an affiliate, in the order of the alphabet.
pub(in super::super) async fn codes(
    conn: &mut PgConnection,
    tenant: TenantId,
    affiliate: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let codes = sqlx::query_scalar(
        "select code from affiliates.code
         where tenant_id = $1 and affiliate = $2
         order by code
         limit $3",
    );
    Ok(codes.bind(tenant.0).bind(affiliate).bind(limit).fetch_all(conn).await?)
}

/// Keeps a click.
pub(in super::super) async fn insert_click(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    id: ClickId,
    affiliate: &str,
    click: &NewClick,
) -> Result<()> {
    sqlx::query(
        "insert into affiliates.click
             (tenant_id, id, code, affiliate, visitor, customer, clicked_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(&click.code)
    .bind(affiliate)
    .bind(&click.visitor)
    .bind(&click.customer)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The affiliate whose link somebody, as visitor or as customer, clicked last, of those whose
/// window the click is still in.
pub(in super::super) async fn last_clicked(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    who: &str,
) -> Result<Option<Affiliate>> {
    let row = sqlx::query(
        "select a.*
         from affiliates.click c
         join affiliates.affiliate a on a.tenant_id = c.tenant_id and a.id = c.affiliate
         where c.tenant_id = $1 and (c.visitor = $2 or c.customer = $2)
             and c.clicked_at <= $3 and c.clicked_at + make_interval(days => a.window_days) > $3
         order by c.clicked_at desc, c.id desc
         limit 1",
    )
    .bind(tenant.0)
    .bind(who)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(affiliate_from).transpose()
}

fn affiliate_from(row: &PgRow) -> Result<Affiliate> {
    let funded_by: String = row.try_get("funded_by")?;
    Ok(Affiliate {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        rate: rate(row.try_get("percent")?)?,
        funded_by: FundedBy::parse(&funded_by).ok_or_else(|| corrupt(&funded_by))?,
        window_days: row.try_get("window_days")?,
        release_days: row.try_get("release_days")?,
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}
