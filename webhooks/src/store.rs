//! Every statement about deliveries.

use chrono::Duration;
use mizan_money::{DeliveryId, TenantId, Timestamp};
use mizan_providers::{Headers, ProviderName};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};

use crate::delivery::{Cursor, Delivery, Filter, Kept, Listed, NewDelivery, Page, Summary};
use crate::disposition::{DeliveryState, Disposition, Standing};
use crate::error::WebhookError;
use crate::{NAMED_MAX, READ_MAX};

type Result<T> = std::result::Result<T, WebhookError>;

/// Stores a delivery unless it is known. A repetition that runs at the same time waits here for
/// the first one's commit; a known delivery is locked, so that a repetition of a parked one may
/// be applied again.
///
/// # Errors
/// The database.
pub async fn keep(
    conn: &mut PgConnection,
    tenant: TenantId,
    new: &NewDelivery<'_>,
    now: Timestamp,
) -> Result<Kept> {
    let headers: Vec<Value> =
        new.headers.iter().map(|(name, value)| Value::from(vec![&**name, &**value])).collect();
    let inserted = sqlx::query(
        "insert into webhooks.delivery (tenant_id, id, connection, provider, dedupe_id,
             event_type, object_ref, body, headers, signed_at, received_at, occurred_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (tenant_id, connection, dedupe_id) do nothing",
    )
    .bind(tenant.0)
    .bind(new.id.uuid())
    .bind(new.connection)
    .bind(new.provider.as_str())
    .bind(&new.dedupe_id)
    .bind(new.event_type.as_deref())
    .bind(new.object_ref.as_deref())
    .bind(new.body)
    .bind(Value::from(headers))
    .bind(new.signed_at)
    .bind(now)
    .bind(new.occurred_at)
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Kept::New(new.id));
    }
    known(conn, tenant, new).await
}

/// The first of its name. A statement of its own: only a new one sees what a transaction that
/// was waited for has committed.
async fn known(conn: &mut PgConnection, tenant: TenantId, new: &NewDelivery<'_>) -> Result<Kept> {
    let row = sqlx::query(
        "select id, state, attempts, sha256(body) = $4 as same_bytes
         from webhooks.delivery
         where tenant_id = $1 and connection = $2 and dedupe_id = $3
         for no key update",
    )
    .bind(tenant.0)
    .bind(new.connection)
    .bind(&new.dedupe_id)
    .bind(Sha256::digest(new.body).to_vec())
    .fetch_one(conn)
    .await?;
    let id = DeliveryId::from_uuid(row.try_get("id")?);
    if !row.try_get::<bool, _>("same_bytes")? {
        // Gateways count pending deliveries inside the body, so this is no alarm.
        tracing::debug!(%id, "repeated with other bytes; the first ones are kept");
    }
    Ok(Kept::Known { id, state: state_of(id, &row)?, attempts: count_of(id, &row, "attempts")? })
}

/// Says what became of an open delivery; counts as one attempt.
///
/// # Errors
/// [`WebhookError::NotOpen`] when it is finished already or unknown, or the database.
pub async fn dispose(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: DeliveryId,
    disposition: &Disposition,
    now: Timestamp,
) -> Result<()> {
    let (next_attempt_at, finished_at) = match disposition {
        Disposition::Parked { retry_at, .. } => (Some(*retry_at), None),
        _ => (None, Some(now)),
    };
    let updated = sqlx::query(
        "update webhooks.delivery
         set state = $3, reason = $4, next_attempt_at = $5, finished_at = $6,
             attempts = attempts + 1
         where tenant_id = $1 and id = $2 and finished_at is null",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(disposition.state().as_str())
    .bind(disposition.stored_reason())
    .bind(next_attempt_at)
    .bind(finished_at)
    .execute(conn)
    .await?;
    if updated.rows_affected() == 0 {
        return Err(WebhookError::NotOpen { id });
    }
    Ok(())
}

/// Locks parked deliveries whose time has come, the longest due first. Those that another job
/// holds are passed over.
///
/// # Errors
/// The database, or a row that this version cannot read.
pub async fn due_parked(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    limit: u16,
) -> Result<Vec<Delivery>> {
    let rows = sqlx::query(
        "select id, connection, provider, dedupe_id, event_type, object_ref,
             octet_length(body) as body_bytes, signed_at, received_at, occurred_at, state, reason,
             attempts, next_attempt_at, finished_at, headers, body
         from webhooks.delivery
         where tenant_id = $1 and next_attempt_at <= $2
         order by next_attempt_at, id
         limit $3
         for no key update skip locked",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(i64::from(limit.min(READ_MAX)))
    .fetch_all(conn)
    .await?;
    rows.iter().map(delivery_of).collect()
}

/// One delivery with its bytes; none where the id is unknown.
///
/// # Errors
/// The database, or a row that this version cannot read.
pub async fn delivery(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: DeliveryId,
) -> Result<Option<Delivery>> {
    let row = sqlx::query(
        "select id, connection, provider, dedupe_id, event_type, object_ref,
             octet_length(body) as body_bytes, signed_at, received_at, occurred_at, state, reason,
             attempts, next_attempt_at, finished_at, headers, body
         from webhooks.delivery
         where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(delivery_of).transpose()
}

/// Deliveries without their bytes, newest first.
///
/// # Errors
/// The database, or a row that this version cannot read.
pub async fn deliveries(
    conn: &mut PgConnection,
    tenant: TenantId,
    filter: &Filter,
    page: Page,
) -> Result<Listed<Summary>> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select id, connection, provider, dedupe_id, event_type, object_ref,
             octet_length(body) as body_bytes, signed_at, received_at, occurred_at, state, reason,
             attempts, next_attempt_at, finished_at
         from webhooks.delivery
         where tenant_id = ",
    );
    query.push_bind(tenant.0);
    if let Some(state) = filter.state {
        query.push(" and state = ").push_bind(state.as_str());
        if state.has_reason() {
            // True of them all, and what lets the partial index be used.
            query.push(" and reason is not null");
        }
    }
    if let Some(object_ref) = &filter.object_ref {
        query.push(" and object_ref = ").push_bind(object_ref);
    }
    match page.cursor {
        Cursor::Start => {}
        Cursor::After(id) => drop(query.push(" and id < ").push_bind(id.uuid())),
        Cursor::Before(id) => drop(query.push(" and id > ").push_bind(id.uuid())),
    }
    let backwards = matches!(page.cursor, Cursor::Before(_));
    query.push(if backwards { " order by id limit " } else { " order by id desc limit " });
    let limit = page.limit.clamp(1, READ_MAX);
    query.push_bind(i64::from(limit) + 1);
    let rows = query.build().fetch_all(conn).await?;
    let has_more = rows.len() > usize::from(limit);
    let found = rows.iter().take(usize::from(limit)).map(summary_of);
    let mut data = found.collect::<Result<Vec<_>>>()?;
    if backwards {
        data.reverse();
    }
    Ok(Listed { data, has_more })
}

/// Proves that no delivery was forgotten: each is applied, or ignored or stale with a reason, or
/// parked with a reason and received less than `park_limit` before `now`. Answers how many were
/// checked, and names the first [`NAMED_MAX`] that break this.
///
/// # Errors
/// The database; a broken law is an answer and not an error.
pub async fn law_deliveries(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    park_limit: Duration,
) -> Result<(i64, Vec<String>)> {
    let checked = sqlx::query_scalar("select count(*) from webhooks.delivery where tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(&mut *conn)
        .await?;
    let oldest = now.checked_sub_signed(park_limit).unwrap_or(Timestamp::UNIX_EPOCH);
    let broken = sqlx::query_scalar(
        "select 'delivery whd_' || replace(id::text, '-', '') || case
                 when state = 'received' then ' was received and nothing became of it'
                 when state = 'parked' and length(reason) > 0 then
                     ' is parked since ' || to_char(received_at at time zone 'UTC',
                         'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ': ' || left(reason, 200)
                 else ' is ' || state || ' without a reason' end
         from webhooks.delivery
         where tenant_id = $1 and not case state
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
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

fn id_of(row: &PgRow) -> Result<DeliveryId> {
    Ok(DeliveryId::from_uuid(row.try_get("id")?))
}

fn count_of(id: DeliveryId, row: &PgRow, what: &'static str) -> Result<u32> {
    let count: i32 = row.try_get(what)?;
    u32::try_from(count).map_err(|_| WebhookError::Corrupt { id, what })
}

fn state_of(id: DeliveryId, row: &PgRow) -> Result<DeliveryState> {
    let state: &str = row.try_get("state")?;
    state.parse().map_err(|_| WebhookError::Corrupt { id, what: "state" })
}

fn standing_of(id: DeliveryId, row: &PgRow) -> Result<Standing> {
    let missing = |what| WebhookError::Corrupt { id, what };
    let reason = || row.try_get::<Option<String>, _>("reason")?.ok_or(missing("reason"));
    let time = |what| row.try_get::<Option<Timestamp>, _>(what)?.ok_or(missing(what));
    Ok(match state_of(id, row)? {
        DeliveryState::Received => Standing::Received,
        DeliveryState::Applied => Standing::Applied { finished_at: time("finished_at")? },
        DeliveryState::Ignored => {
            Standing::Ignored { reason: reason()?, finished_at: time("finished_at")? }
        }
        DeliveryState::Stale => {
            Standing::Stale { reason: reason()?, finished_at: time("finished_at")? }
        }
        DeliveryState::Parked => {
            Standing::Parked { reason: reason()?, retry_at: time("next_attempt_at")? }
        }
    })
}

fn summary_of(row: &PgRow) -> Result<Summary> {
    let id = id_of(row)?;
    let provider: &str = row.try_get("provider")?;
    let provider = provider.parse::<ProviderName>();
    Ok(Summary {
        id,
        connection: row.try_get("connection")?,
        provider: provider.map_err(|_| WebhookError::Corrupt { id, what: "provider" })?,
        dedupe_id: row.try_get("dedupe_id")?,
        event_type: row.try_get("event_type")?,
        object_ref: row.try_get("object_ref")?,
        body_bytes: count_of(id, row, "body_bytes")?,
        signed_at: row.try_get("signed_at")?,
        received_at: row.try_get("received_at")?,
        occurred_at: row.try_get("occurred_at")?,
        attempts: count_of(id, row, "attempts")?,
        standing: standing_of(id, row)?,
    })
}

fn delivery_of(row: &PgRow) -> Result<Delivery> {
    let summary = summary_of(row)?;
    let pairs: Vec<(String, String)> = serde_json::from_value(row.try_get("headers")?)
        .map_err(|_| WebhookError::Corrupt { id: summary.id, what: "headers" })?;
    Ok(Delivery {
        summary,
        headers: pairs.into_iter().collect::<Headers>(),
        body: row.try_get("body")?,
    })
}
