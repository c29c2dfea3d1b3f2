//! The route of the audit log.

use axum::Json;
use axum::extract::State;
use mizan_money::{RequestId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AuditId;
use super::store::{Entry, Search, search};
use crate::app::App;
use crate::auth::Caller;
use crate::db::{DbError, work};
use crate::http::{ApiQuery, Cursor, List, PageRequest, Problem};

/// Every route of the audit log.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What of the log is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<AuditId>,
    /// Go back before this id: newer ones.
    #[param(inline)]
    ending_before: Option<AuditId>,
    /// Only what this key commanded, `key_…`.
    actor: Option<String>,
    /// Only what was done to this, such as `po_…`, or a vendor's own id.
    object: Option<String>,
    /// Only this, such as `POST /v1/payouts/{id}/approve`.
    action: Option<String>,
    /// Only at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(rename = "created[gte]")]
    from: Option<Timestamp>,
    /// Only before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(rename = "created[lt]")]
    until: Option<Timestamp>,
}

/// Something that was commanded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryView {
    /// `aud_…`
    id: String,
    /// Always `audit_entry`.
    object: &'static str,
    /// When it was obeyed, or refused by a rule.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// Who commanded it: `key_…`, or `command line`.
    actor: String,
    /// What they are to the marketplace.
    role: Option<String>,
    /// The route, or the command.
    action: String,
    /// What it was about.
    about: Option<String>,
    /// How it was answered; null where a gateway was asked first.
    status: Option<i16>,
    /// The request that commanded it.
    request_id: Option<String>,
    /// What it was before; null where something is new.
    before: Option<serde_json::Value>,
    /// What was answered.
    after: Option<serde_json::Value>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id.to_string(),
            object: "audit_entry",
            created: entry.at,
            actor: entry.actor,
            role: entry.role,
            action: entry.action,
            about: entry.object,
            status: entry.status,
            request_id: entry.request_id.map(|id| RequestId::from_uuid(id).to_string()),
            before: entry.before,
            after: entry.after,
        }
    }
}

/// List the audit log
///
/// Everything that was commanded, by whom, newest first: also what a rule refused. No row is ever
/// changed or removed.
#[utoipa::path(
    get,
    path = "/v1/audit_log",
    operation_id = "list_audit_log",
    tag = "audit",
    params(AuditQuery),
    responses((status = 200, description = "A page", body = List<EntryView>)),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<AuditQuery>,
) -> Result<Json<List<EntryView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, query.ending_before)?;
    let (after, before) = match *page.cursor() {
        Cursor::Start => (None, None),
        Cursor::After(id) => (Some(id), None),
        Cursor::Before(id) => (None, Some(id)),
    };
    let wanted = &Search {
        limit: page.rows(),
        after,
        before,
        actor: query.actor.as_deref(),
        object: query.object.as_deref(),
        action: query.action.as_deref(),
        from: query.from,
        until: query.until,
    };
    let tenant = caller.tenant();
    let found = app.db.read("audit_log", tenant, |tx| {
        work(async move { Ok::<_, DbError>(search(tx, tenant, wanted).await?) })
    });
    let views = found.await?.into_iter().map(EntryView::from).collect();
    Ok(Json(page.list(views, "/v1/audit_log")))
}
