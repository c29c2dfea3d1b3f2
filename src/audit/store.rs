//! Every statement on the audit log, but the one that writes answers with it.

use mizan_money::{RequestId, TenantId, Timestamp};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{AuditId, Doer, new_id};

/// Keeps a text until the end of the transaction, where the row is written that takes it up.
pub(super) async fn keep_before(conn: &mut PgConnection, text: &str) -> Result<(), sqlx::Error> {
    sqlx::query("select set_config('mizan.audit_before', $1, true)")
        .bind(text)
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn note(
    conn: &mut PgConnection,
    tenant: TenantId,
    doer: &Doer,
    after: &Value,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into audit.entry
             (tenant_id, id, at, actor, role, action, object, status, request_id, before, after)
         values ($1, $2, $3, $4, $5, $6, $7, 200, $8,
             nullif(current_setting('mizan.audit_before', true), '')::jsonb, $9)",
    )
    .bind(tenant.0)
    .bind(new_id(now))
    .bind(now)
    .bind(&doer.actor)
    .bind(doer.role.map(crate::auth::Role::as_str))
    .bind(&doer.action)
    .bind(&doer.object)
    .bind(doer.request.map(RequestId::uuid))
    .bind(after)
    .execute(conn)
    .await
    .map(drop)
}

/// A row of the log.
#[derive(Debug, Clone, FromRow)]
pub struct Entry {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: AuditId,
    /// When it was obeyed.
    pub at: Timestamp,
    /// Who commanded it.
    pub actor: String,
    /// What they are to the marketplace.
    pub role: Option<String>,
    /// The route, or the command.
    pub action: String,
    /// What it was about.
    pub object: Option<String>,
    /// How it was answered.
    pub status: Option<i16>,
    /// The request.
    pub request_id: Option<Uuid>,
    /// What it was before.
    pub before: Option<Value>,
    /// What was answered, or what it is then.
    pub after: Option<Value>,
}

impl From<Uuid> for AuditId {
    fn from(id: Uuid) -> Self {
        Self::from_uuid(id)
    }
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Search<'a> {
    /// How many.
    pub limit: i64,
    /// Older than this one.
    pub after: Option<AuditId>,
    /// Newer than this one.
    pub before: Option<AuditId>,
    /// By this actor.
    pub actor: Option<&'a str>,
    /// About this.
    pub object: Option<&'a str>,
    /// By this route or command.
    pub action: Option<&'a str>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// Rows, newest first; going backwards they come oldest first.
///
/// # Errors
/// The database.
pub async fn search(
    conn: &mut PgConnection,
    tenant: TenantId,
    search: &Search<'_>,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(
        "select e.id, e.at, e.actor, e.role, e.action, e.object, e.status, e.request_id, e.before,
             coalesce(e.after, convert_from(k.body, 'UTF8')::jsonb) as after
         from audit.entry e
         left join http.idempotency k
             on k.tenant_id = e.tenant_id and k.key = e.idempotency_key and e.status is not null
         where e.tenant_id = $1
             and ($2::uuid is null or e.id < $2)
             and ($3::uuid is null or e.id > $3)
             and ($4::text is null or e.actor = $4)
             and ($5::text is null or e.object = $5)
             and ($6::text is null or e.action = $6)
             and ($7::timestamptz is null or e.at >= $7)
             and ($8::timestamptz is null or e.at < $8)
         order by case when $3::uuid is not null then e.id end, e.id desc
         limit $9",
    )
    .bind(tenant.0)
    .bind(search.after.map(AuditId::uuid))
    .bind(search.before.map(AuditId::uuid))
    .bind(search.actor)
    .bind(search.object)
    .bind(search.action)
    .bind(search.from)
    .bind(search.until)
    .bind(search.limit)
    .fetch_all(conn)
    .await
}
