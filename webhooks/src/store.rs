//! Every statement about deliveries.

use mizan_money::{DeliveryId, TenantId, Timestamp};
use mizan_providers::{Headers, ProviderName};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};

use crate::READ_MAX;
use crate::delivery::{Cursor, Delivery, Filter, Listed, Page, Summary};
use crate::disposition::{DeliveryState, Standing};
use crate::error::WebhookError;

mod keep;

pub use keep::{dispose, dispose_many, keep, keep_many};

type Result<T> = std::result::Result<T, WebhookError>;

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
