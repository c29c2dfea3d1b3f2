//! The statements around a measurement: databases, their sizes, the server's settings.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The settings that decide about speed and about what a power cut costs.
const SETTINGS_SHOWN: [&str; 16] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
    "effective_cache_size",
    "work_mem",
    "maintenance_work_mem",
    "wal_buffers",
    "wal_compression",
    "min_wal_size",
    "max_wal_size",
    "checkpoint_timeout",
    "autovacuum",
    "jit",
];

/// The tables of the journal and those that tell the world of it.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Everything in the schema `ledger`, with its partitions, indexes and long values.
    pub ledger: i64,
    /// The outbox.
    pub outbox: i64,
}

/// Makes a database. Its name is ours, never a caller's.
pub async fn create_database(owner: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    // A name cannot be bound.
    sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(owner).await?;
    Ok(())
}

/// Removes a database and whoever is still connected to it.
pub async fn drop_database(owner: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    let statement = format!("drop database if exists {name} with (force)");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(owner).await?;
    Ok(())
}

/// Puts what was filled on disk, with its statistics, as `pgbench -i` does with its own tables
/// and as a server has done it after its first minutes.
pub async fn settle(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    // A vacuum runs in no transaction, which several statements at once would be.
    for statement in ["vacuum analyze", "checkpoint"] {
        sqlx::raw_sql(statement).execute(&mut *owner).await?;
    }
    Ok(())
}

/// A connection as the owner.
pub async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(url).await
}

/// The server's settings as `(name, value)`.
pub async fn settings(owner: &mut PgConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as(
        "select name, current_setting(name)
         from unnest($1::text[]) with ordinality as shown (name, n)
         where current_setting(name, true) is not null
         order by n",
    )
    .bind(SETTINGS_SHOWN.as_slice())
    .fetch_all(owner)
    .await
}

/// The folder of the server's programs.
pub async fn program_folder(owner: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("select setting from pg_config where name = 'BINDIR'").fetch_one(owner).await
}

/// What the tables take on disk, in bytes.
pub async fn sizes(owner: &mut PgConnection) -> Result<Sizes, sqlx::Error> {
    let (ledger, outbox) = sqlx::query_as(
        "select sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'ledger')::bigint,
                sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'outbox')::bigint
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'm') and n.nspname in ('ledger', 'outbox')",
    )
    .fetch_one(owner)
    .await?;
    Ok(Sizes { ledger, outbox })
}

/// The journal's newest number.
pub async fn position(owner: &mut PgConnection, tenant: i32) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select position from ledger.book where tenant_id = $1")
        .bind(tenant)
        .fetch_one(owner)
        .await
}

/// How many payments are paid, and of how many of them the capture stands in the journal.
pub async fn paid(owner: &mut PgConnection, tenant: i32) -> Result<(i64, i64), sqlx::Error> {
    sqlx::query_as(
        "select
             (select count(*) from payments.intent where tenant_id = $1 and state = 'succeeded'),
             (select count(*) from ledger.transaction
              where tenant_id = $1 and kind = 'payment.captured')",
    )
    .bind(tenant)
    .fetch_one(owner)
    .await
}
