//! The words about payments: appended, and read back in their order.

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::super::word::Word;
use super::{Result, corrupt};

/// Appends words in their order. The book says where the journal stands.
///
/// # Errors
/// The database.
pub async fn keep_words(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    words: &[Word],
) -> Result<()> {
    let words: std::result::Result<Vec<_>, _> = words.iter().map(serde_json::to_value).collect();
    sqlx::query(
        "insert into payments.word (tenant_id, position, recorded_at, word)
         select $1, (select position from ledger.book where tenant_id = $1), $2, said.word
         from unnest($3::jsonb[]) with ordinality as said (word, n)
         order by said.n",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(words.map_err(corrupt)?)
    .execute(conn)
    .await?;
    Ok(())
}
