//! The routes of manual journals.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::{Timestamp, TransactionId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::draft::check_sums;
use super::view::JournalView;
use super::{
    ENTRIES_MAX, JournalId, JournalKind, Maker, NewJournal, WholeJournal, decide, draft, store,
};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::finance::error::FinanceError;
use crate::finance::input::{self, EntryBody};
use crate::http::{
    ApiPath, ApiQuery, Code, IdempotentJson, List, PageRequest, Problem, idempotent,
};

/// Every route of journals.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_journal, list_journals))
        .routes(routes!(journal))
        .routes(routes!(approve_journal))
        .routes(routes!(reject_journal))
}

/// A journal to be drafted.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewJournal)]
struct JournalBody {
    /// `correction`, `opening`, `import`, `remittance` or `other`.
    kind: String,
    /// Why, for whoever looks at it: 1 to 500 characters.
    reason: String,
    /// When it is true in the world; else now. From the year 2000 to a day ahead.
    #[serde(default, deserialize_with = "input::moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    effective_at: Option<Timestamp>,
    /// Debits and credits, equal in each currency.
    #[schema(min_items = 2, max_items = 200)]
    entries: Vec<EntryBody>,
    /// The transaction that it puts right.
    corrects: Option<TransactionId>,
}

impl JournalBody {
    fn check(&self, now: Timestamp) -> Result<NewJournal, FinanceError> {
        let kind = JournalKind::from_word(&self.kind).ok_or_else(|| {
            let words = JournalKind::ALL.map(JournalKind::as_str).join(", ");
            FinanceError::invalid("kind", format!("a journal is one of {words}"))
        })?;
        let reason = input::text("reason", &self.reason, 500)?;
        let effective_at = input::when("effective_at", self.effective_at, now)?;
        let legs = self.entries.iter().take(ENTRIES_MAX + 1).enumerate();
        let legs = legs.map(|(n, entry)| entry.check(n)).collect::<Result<Vec<_>, _>>()?;
        check_sums(&legs, ENTRIES_MAX)?;
        Ok(NewJournal { kind, reason, effective_at, corrects: self.corrects, legs })
    }
}

/// Draft a journal
///
/// Nothing is posted before another key approves it. The accounts may be any of the chart, also
/// those that payments write their entries on.
#[utoipa::path(
    post,
    path = "/v1/journals",
    operation_id = "create_journal",
    tag = "finance",
    params(("Idempotency-Key" = String, Header, description = "New for each journal")),
    request_body = JournalBody,
    responses((status = 201, description = "Drafted", body = JournalView)),
)]
async fn create_journal(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<JournalBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let new = &body.check(now)?;
    let maker = &Maker { name: caller.key().to_string(), now };
    idempotent(&app, &caller, &idempotency, "create_journal", |tx| {
        work(async move {
            let made = draft::draft(tx, tenant, maker, new).await?;
            Ok((StatusCode::CREATED, JournalView::from(made)))
        })
    })
    .await
}

/// Which journals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct JournalsQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<JournalId>,
    /// Only `draft`, `posted` or `rejected` ones.
    status: Option<String>,
}

/// List journals
///
/// Newest first, without their entries.
#[utoipa::path(
    get,
    path = "/v1/journals",
    operation_id = "list_journals",
    tag = "finance",
    params(JournalsQuery),
    responses((status = 200, description = "A page", body = List<JournalView>)),
)]
async fn list_journals(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<JournalsQuery>,
) -> Result<Json<List<JournalView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let status = query.status.as_deref();
    if status.is_some_and(|word| !["draft", "posted", "rejected"].contains(&word)) {
        let detail = "`status` is draft, posted or rejected.";
        return Err(Problem::new(Code::InvalidParameter, detail).param("status"));
    }
    let (tenant, rows, after) = (caller.tenant(), page.rows(), query.starting_after);
    let found = app.db.read("journals", tenant, |tx| {
        work(async move { store::list(tx, tenant, status, after, rows).await })
    });
    let found = found.await?.into_iter().map(JournalView::from).collect();
    Ok(Json(page.list(found, "/v1/journals")))
}

/// Retrieve a journal
#[utoipa::path(
    get,
    path = "/v1/journals/{id}",
    operation_id = "retrieve_journal",
    tag = "finance",
    params(("id" = JournalId, Path)),
    responses((status = 200, description = "The journal", body = JournalView)),
)]
async fn journal(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<JournalId>,
) -> Result<Json<JournalView>, Problem> {
    let tenant = caller.tenant();
    let found = app.db.read("journal", tenant, |tx| {
        work(async move {
            let Some(journal) = store::find(tx, tenant, id).await? else { return Ok(None) };
            let legs = store::entries(tx, tenant, id).await?;
            Ok::<_, FinanceError>(Some(WholeJournal { journal, legs }))
        })
    });
    Ok(Json(found.await?.ok_or_else(Problem::not_found)?.into()))
}

/// A body without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ApproveJournal)]
struct Nothing {}

/// Approve a journal
///
/// Posts it, once, with another key than it was made with.
#[utoipa::path(
    post,
    path = "/v1/journals/{id}/approve",
    operation_id = "approve_journal",
    tag = "finance",
    params(
        ("id" = JournalId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each approval"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Posted", body = JournalView)),
)]
async fn approve_journal(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<JournalId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    idempotent(&app, &caller, &idempotency, "approve_journal", |tx| {
        work(async move {
            let posted = decide::approve(tx, tenant, now, id, by).await?;
            Ok((StatusCode::OK, JournalView::from(posted)))
        })
    })
    .await
}

/// Why a journal is rejected.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RejectJournal)]
struct RejectBody {
    /// For whoever made it: 1 to 500 characters.
    reason: String,
}

/// Reject a journal
///
/// With another key than it was made with. It stays as it is, and another one can be drafted.
#[utoipa::path(
    post,
    path = "/v1/journals/{id}/reject",
    operation_id = "reject_journal",
    tag = "finance",
    params(
        ("id" = JournalId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each rejection"),
    ),
    request_body = RejectBody,
    responses((status = 200, description = "Rejected", body = JournalView)),
)]
async fn reject_journal(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<JournalId>,
    IdempotentJson { idempotency, body }: IdempotentJson<RejectBody>,
) -> Result<Response, Problem> {
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    let reason = &input::text("reason", &body.reason, 500)?;
    idempotent(&app, &caller, &idempotency, "reject_journal", |tx| {
        work(async move {
            let rejected = decide::reject(tx, tenant, now, id, by, reason).await?;
            Ok((StatusCode::OK, JournalView::from(rejected)))
        })
    })
    .await
}
