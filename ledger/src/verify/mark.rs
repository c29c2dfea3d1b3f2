//! The stored marks, blocks and heads of earlier proofs.

use mizan_money::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, query};

use super::heads::{Head, Heads};
use super::pinned::Block;
use super::span::whole_number;
use super::{Mark, Marks, Mode, Progress};
use crate::error::LedgerError;

type Result<T> = std::result::Result<T, LedgerError>;

/// Heads that are written together.
const BATCH: usize = 5_000;
/// Blocks that are written together.
const BLOCKS: usize = 200;

/// The newest marks of a tenant.
///
/// # Errors
/// The database, or a mark that this version cannot read.
pub async fn marks(conn: &mut PgConnection, tenant: TenantId) -> Result<Marks> {
    let rows = query(
        "select number, mode, position, event_position, recorded_at, proved_at from (
             (select * from proof.mark where tenant_id = $1 order by number desc limit 1)
             union all
             (select * from proof.mark where tenant_id = $1 and mode = 'full'
                 order by number desc limit 1)
         ) newest
         order by number desc",
    )
    .bind(tenant.0)
    .fetch_all(conn)
    .await?;
    let marks = rows.iter().map(mark_of).collect::<Result<Vec<_>>>()?;
    let newest_full = marks.iter().find(|mark| mark.mode == Mode::Full).copied();
    Ok(Marks { newest: marks.first().copied(), newest_full })
}

fn mark_of(row: &PgRow) -> Result<Mark> {
    let mode = match row.try_get("mode")? {
        "full" => Mode::Full,
        "incremental" => Mode::Incremental,
        other => return Err(LedgerError::Corrupt { what: format!("a mark of mode {other}") }),
    };
    Ok(Mark {
        number: row.try_get("number")?,
        mode,
        position: row.try_get("position")?,
        event_position: row.try_get("event_position")?,
        recorded_at: row.try_get("recorded_at")?,
        proved_at: row.try_get("proved_at")?,
    })
}

/// How many marks there are, which is the newest one's number unless some are gone.
pub(super) async fn count(conn: &mut PgConnection, tenant: TenantId) -> Result<i64> {
    let row = query("select count(*) as marks from proof.mark where tenant_id = $1");
    Ok(row.bind(tenant.0).fetch_one(conn).await?.try_get("marks")?)
}

/// The blocks that begin between two journal numbers, in their order.
pub(super) async fn blocks(
    conn: &mut PgConnection,
    tenant: TenantId,
    first: i64,
    last: i64,
) -> Result<Vec<Block>> {
    let rows = query(
        "select b.first_position, b.last_position, b.digest, b.leaves, m.proved_at
         from proof.block b
         join proof.mark m on m.tenant_id = b.tenant_id and m.number = b.mark
         where b.tenant_id = $1 and b.first_position between $2 and $3
         order by b.first_position",
    )
    .bind(tenant.0)
    .bind(first)
    .bind(last)
    .fetch_all(conn)
    .await?;
    rows.iter().map(block_of).collect()
}

/// The block that ends last.
pub(super) async fn last_block(conn: &mut PgConnection, tenant: TenantId) -> Result<Option<Block>> {
    let row = query(
        "select b.first_position, b.last_position, b.digest, b.leaves, m.proved_at
         from proof.block b
         join proof.mark m on m.tenant_id = b.tenant_id and m.number = b.mark
         where b.tenant_id = $1
         order by b.first_position desc
         limit 1",
    )
    .bind(tenant.0)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(block_of).transpose()
}

fn block_of(row: &PgRow) -> Result<Block> {
    let (digest, leaves): (Vec<u8>, Vec<u8>) = (row.try_get("digest")?, row.try_get("leaves")?);
    let (first, last) = (row.try_get("first_position")?, row.try_get("last_position")?);
    let corrupt = || LedgerError::Corrupt { what: format!("the proof of {first} to {last}") };
    let (leaves, rest) = leaves.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(corrupt());
    }
    Ok(Block {
        first,
        last,
        digest: digest.try_into().map_err(|_| corrupt())?,
        leaves: leaves.to_vec(),
        proved_at: row.try_get("proved_at")?,
    })
}

/// What accounts came to at the newest mark.
pub(super) async fn heads(conn: &mut PgConnection, tenant: TenantId) -> Result<Heads> {
    let rows = query(
        "select account_id, version, debits::text as debits, credits::text as credits
         from proof.head where tenant_id = $1",
    )
    .bind(tenant.0)
    .fetch_all(conn)
    .await?;
    let mut heads = Heads::with_capacity(rows.len());
    for row in &rows {
        let (debits, credits) = (whole_number(row, "debits")?, whole_number(row, "credits")?);
        let version = row.try_get("version")?;
        let head = Head { version, debits, credits, balance: debits - credits };
        heads.insert(row.try_get("account_id")?, head);
    }
    Ok(heads)
}

/// Stores a mark; to be called when every law held. Answers whether it was stored: when another
/// proof has made its mark meanwhile, that one stands and this one is not needed.
///
/// # Errors
/// The database.
pub async fn keep(conn: &mut PgConnection, tenant: TenantId, progress: &Progress) -> Result<bool> {
    let Progress { mark, blocks, heads } = progress;
    let done = query(
        "insert into proof.mark
             (tenant_id, number, mode, position, event_position, recorded_at, proved_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, number) do nothing",
    )
    .bind(tenant.0)
    .bind(mark.number)
    .bind(mark.mode.name())
    .bind(mark.position)
    .bind(mark.event_position)
    .bind(mark.recorded_at)
    .bind(mark.proved_at)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for batch in blocks.chunks(BLOCKS) {
        keep_blocks(conn, tenant, mark.number, batch).await?;
    }
    for batch in heads.chunks(BATCH) {
        keep_heads(conn, tenant, batch).await?;
    }
    Ok(true)
}

async fn keep_blocks(
    conn: &mut PgConnection,
    tenant: TenantId,
    mark: i64,
    blocks: &[Block],
) -> Result<()> {
    query(
        "insert into proof.block
             (tenant_id, mark, first_position, last_position, digest, leaves)
         select $1, $2, b.*
         from unnest($3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[]) as b",
    )
    .bind(tenant.0)
    .bind(mark)
    .bind(blocks.iter().map(|block| block.first).collect::<Vec<_>>())
    .bind(blocks.iter().map(|block| block.last).collect::<Vec<_>>())
    .bind(blocks.iter().map(|block| block.digest.to_vec()).collect::<Vec<_>>())
    .bind(blocks.iter().map(|block| block.leaves.concat()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn keep_heads(
    conn: &mut PgConnection,
    tenant: TenantId,
    heads: &[(i64, Head)],
) -> Result<()> {
    query(
        "insert into proof.head (tenant_id, account_id, version, debits, credits)
         select $1, h.account_id, h.version, h.debits::numeric, h.credits::numeric
         from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[])
             as h (account_id, version, debits, credits)
         on conflict (tenant_id, account_id) do update
         set version = excluded.version, debits = excluded.debits, credits = excluded.credits",
    )
    .bind(tenant.0)
    .bind(heads.iter().map(|(account, _)| *account).collect::<Vec<_>>())
    .bind(heads.iter().map(|(_, head)| head.version).collect::<Vec<_>>())
    .bind(heads.iter().map(|(_, head)| head.debits.to_string()).collect::<Vec<_>>())
    .bind(heads.iter().map(|(_, head)| head.credits.to_string()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
