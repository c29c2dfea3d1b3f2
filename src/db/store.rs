//! Every statement about connections, transactions, tenants and the schema's own version.

use mizan_money::{TenantId, Timestamp};
use sqlx::{AssertSqlSafe, PgConnection};

use super::{DbOptions, FirstTenant};

/// What every pooled connection says first: the limited role, and bounds on every wait.
///
/// Then how to plan what writes. It touches rows by their keys, many at once, and a connection
/// keeps its plans: made once, not for each array anew (that costs more than the write), and
/// never as a join that reads a whole table, which looks cheap while the table is empty.
pub(super) fn session_settings(options: &DbOptions) -> String {
    format!(
        "set role mizan_service; \
         set time zone 'UTC'; \
         set plan_cache_mode = force_generic_plan; \
         set enable_hashjoin = off; \
         set enable_mergejoin = off; \
         set statement_timeout = {}; \
         set lock_timeout = {}; \
         set idle_in_transaction_session_timeout = {}",
        options.statement.as_millis(),
        options.lock.as_millis(),
        options.idle_in_transaction.as_millis(),
    )
}

pub(super) async fn apply_session_settings(
    conn: &mut PgConnection,
    settings: &str,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(conn).await.map(drop)
}

/// Begins and names the tenant in one round trip. The number is the only thing put in.
pub(super) fn begin_write(tenant: TenantId) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("begin; set local mizan.tenant = '{tenant}'"))
}

/// One snapshot for all statements, and no write. Lists have filters that may be left out, and
/// reports join whole tables: they are planned for what is asked.
pub(super) fn begin_read(tenant: TenantId) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "begin isolation level repeatable read, read only; \
         set local plan_cache_mode = auto; \
         set local enable_hashjoin = on; \
         set local enable_mergejoin = on; \
         set local mizan.tenant = '{tenant}'"
    ))
}

/// Runs what begins a transaction, in one round trip.
pub(super) async fn begin(
    conn: &mut PgConnection,
    statements: AssertSqlSafe<String>,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(statements).execute(conn).await.map(drop)
}

pub(super) async fn rollback(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("rollback").execute(conn).await.map(drop)
}

/// Marks a place in the transaction to come back to.
pub(super) async fn set_savepoint(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("savepoint part").execute(conn).await.map(drop)
}

pub(super) async fn keep_part(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("release savepoint part").execute(conn).await.map(drop)
}

pub(super) async fn undo_part(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let undo = "rollback to savepoint part; release savepoint part";
    sqlx::raw_sql(undo).execute(conn).await.map(drop)
}

/// Commits. The statement before it fails when an earlier one failed and its error was dropped:
/// `commit` alone would then roll back and report success.
pub(super) async fn commit(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("select 1; commit").execute(conn).await.map(drop)
}

/// The newest migration that was applied, if any was.
pub(super) async fn schema_version(conn: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select max(version) from public._sqlx_migrations where success")
        .fetch_one(conn)
        .await
}

/// All tenants, for the jobs that go through them one by one.
pub(super) async fn tenant_ids(conn: &mut PgConnection) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query_scalar("select tenant_id from mizan.tenant_ids() as tenant_id")
        .fetch_all(conn)
        .await
}

/// Makes a tenant unless it is there. Only the owner of the schema may.
pub(super) async fn insert_tenant(
    conn: &mut PgConnection,
    tenant: TenantId,
    first: FirstTenant<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into mizan.tenant (tenant_id, name, time_zone, created_at)
         values ($1, $2, $3, $4)
         on conflict (tenant_id) do nothing",
    )
    .bind(tenant.0)
    .bind(first.name)
    .bind(first.time_zone)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn has_tenant(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from mizan.tenant)").fetch_one(conn).await
}
