//! The routes of transactions: post, reverse, read.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use mizan_ledger::read;
use mizan_money::TransactionId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::BooksError;
use super::group::PostRequest;
use super::http::{list, page_of, unknown_cursor};
use super::input::{PostBody, ReverseBody, check_kind, check_source};
use super::view::TransactionView;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, Code, IdempotentJson, List, PageRequest, Problem};

/// Every route of transactions.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(post_transaction, transactions))
        .routes(routes!(transaction))
        .routes(routes!(reverse_transaction))
}

/// What a list of transactions is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TransactionsQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this transaction: older ones.
    #[param(inline)]
    starting_after: Option<TransactionId>,
    /// Go back before this transaction: newer ones.
    #[param(inline)]
    ending_before: Option<TransactionId>,
    /// Only those of this kind, e.g. `payment.captured`.
    kind: Option<String>,
    /// Only those that belong to this thing, e.g. a payment's or a refund's id.
    source: Option<String>,
}

/// Has a request done, alone or with others of its tenant.
async fn submit(app: &App, caller: &Caller, request: PostRequest) -> Result<Response, Problem> {
    let (answer, replay) = app.post_requests.submit(caller.tenant(), request).await??;
    Ok(answer.respond(replay))
}

/// Post a transaction
///
/// A plain transaction of your own: two or more entries on accounts of the chart, debits equal to
/// credits in each currency. Accounts come into being with their first entry. A command that
/// would bring an account below its minimum is refused, for ever under its key; a fact is booked,
/// and what a party has not got becomes its debt.
#[utoipa::path(
    post,
    path = "/v1/ledger/transactions",
    operation_id = "post_ledger_transaction",
    tag = "ledger",
    params(("Idempotency-Key" = String, Header, description = "New for each transaction")),
    request_body = PostBody,
    responses((status = 201, description = "Posted", body = TransactionView)),
)]
async fn post_transaction(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<PostBody>,
) -> Result<Response, Problem> {
    let now = caller.now(&app);
    let draft = body.check(now)?;
    let actor = caller.key().to_string();
    submit(&app, &caller, PostRequest::transaction(idempotency, &draft, actor, now)?).await
}

/// Reverse a transaction
///
/// Posts its entries on the opposite sides. A transaction is reversed once; one that was written
/// with a payment or a refund is taken back through that.
#[utoipa::path(
    post,
    path = "/v1/ledger/transactions/{id}/reverse",
    operation_id = "reverse_ledger_transaction",
    tag = "ledger",
    params(
        ("id" = TransactionId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each reversal"),
    ),
    request_body = ReverseBody,
    responses((status = 201, description = "Reversed", body = TransactionView)),
)]
async fn reverse_transaction(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<TransactionId>,
    IdempotentJson { idempotency, body }: IdempotentJson<ReverseBody>,
) -> Result<Response, Problem> {
    let now = caller.now(&app);
    let asked = body.check(now)?;
    let actor = caller.key().to_string();
    submit(&app, &caller, PostRequest::reversal(idempotency, id, asked, actor, now)?).await
}

/// Retrieve a transaction
#[utoipa::path(
    get,
    path = "/v1/ledger/transactions/{id}",
    operation_id = "retrieve_ledger_transaction",
    tag = "ledger",
    params(("id" = TransactionId, Path)),
    responses((status = 200, description = "The transaction", body = TransactionView)),
)]
async fn transaction(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<TransactionId>,
) -> Result<Json<TransactionView>, Problem> {
    let tenant = caller.tenant();
    let found = app.db.read("ledger_transaction", tenant, |tx| {
        work(async move { Ok::<_, BooksError>(read::transaction(tx, tenant, id).await?) })
    });
    Ok(Json(found.await?.ok_or_else(Problem::not_found)?.into()))
}

/// List transactions
///
/// Newest first, that is by journal number.
#[utoipa::path(
    get,
    path = "/v1/ledger/transactions",
    operation_id = "list_ledger_transactions",
    tag = "ledger",
    params(TransactionsQuery),
    responses((status = 200, description = "A page", body = List<TransactionView>)),
)]
async fn transactions(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<TransactionsQuery>,
) -> Result<Json<List<TransactionView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, query.ending_before)?;
    let (kind, source) = (query.kind.as_deref(), query.source.as_deref());
    if let Some(kind) = kind {
        check_kind(kind, Code::InvalidParameter)?;
    }
    if let Some(source) = source {
        check_source(source, Code::InvalidParameter)?;
    }
    let (tenant, part) = (caller.tenant(), page_of(&page, TransactionId::uuid));
    let found = app
        .db
        .read("ledger_transactions", tenant, |tx| {
            work(async move {
                let found = read::transactions(tx, tenant, kind, source, part).await?;
                Ok::<_, BooksError>(found)
            })
        })
        .await?
        .ok_or_else(|| unknown_cursor(&page))?;
    Ok(Json(list(found, "/v1/ledger/transactions".to_owned())))
}
