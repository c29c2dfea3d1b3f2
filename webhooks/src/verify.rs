//! The law about deliveries, as `mizan verify` proves it.

use chrono::Duration;
use mizan_money::{TenantId, Timestamp};
use sqlx::{PgConnection, query_scalar};
use uuid::Uuid;

use crate::NAMED_MAX;
use crate::error::WebhookError;

/// Proves that no delivery was forgotten: each is applied, or ignored or stale with a reason, or
/// parked with a reason and received less than `park_limit` before `now`. It looks at those that
/// came `since` a time and at all that are parked; without a time at every one. Answers how many
/// were checked, and names the first [`NAMED_MAX`] that break this.
///
/// # Errors
/// The database; a broken law is an answer and not an error.
pub async fn law_deliveries(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: Option<Timestamp>,
    now: Timestamp,
    park_limit: Duration,
) -> Result<(i64, Vec<String>), WebhookError> {
    let first = since.map_or(Uuid::nil(), first_id_at);
    let checked = query_scalar(
        "select count(*) from webhooks.delivery
         where tenant_id = $1 and (id >= $2 or next_attempt_at is not null)",
    )
    .bind(tenant.0)
    .bind(first)
    .fetch_one(&mut *conn)
    .await?;
    let oldest = now.checked_sub_signed(park_limit).unwrap_or(Timestamp::UNIX_EPOCH);
    let broken = query_scalar(
        "select 'delivery whd_' || replace(id::text, '-', '') || case
                 when state = 'received' then ' was received and nothing became of it'
                 when state = 'parked' and length(reason) > 0 then
                     ' is parked since ' || to_char(received_at at time zone 'UTC',
                         'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ': ' || left(reason, 200)
                 else ' is ' || state || ' without a reason' end
         from webhooks.delivery
         where tenant_id = $1 and (id >= $4 or next_attempt_at is not null)
             and not case state
                 when 'applied' then finished_at is not null
                 when 'ignored' then finished_at is not null and length(reason) > 0
                 when 'stale' then finished_at is not null and length(reason) > 0
                 when 'parked' then received_at > $2 and length(reason) > 0
                 else false end
         order by id
         limit $3",
    )
    .bind(tenant.0)
    .bind(oldest)
    .bind(NAMED_MAX)
    .bind(first)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

/// The least id that is made at a time: ids begin with theirs.
fn first_id_at(time: Timestamp) -> Uuid {
    let millis = time.timestamp_millis().max(0).unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
