//! The route of an account's statement from one day of the world to another.

use axum::Json;
use axum::extract::State;
use mizan_ledger::read;
use mizan_money::{AccountId, TransactionId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::as_of::{Asked, day, horizon};
use super::error::BooksError;
use super::http::{page_of, unknown_cursor};
use super::past_view::DatedStatementView;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, ApiQuery, Code, PageRequest, Problem};

/// The route.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(dated_statement))
}

/// Which days, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DatedQuery {
    /// The first day, in the marketplace's time zone.
    #[param(format = Date, example = "2026-03-01")]
    from: String,
    /// The last day.
    #[param(format = Date, example = "2026-03-31")]
    through: String,
    /// Only what was recorded by the end of this day.
    #[param(format = Date)]
    known: Option<String>,
    /// Only what was recorded at this moment or before it; not together with `known`.
    #[param(format = DateTime)]
    known_at: Option<String>,
    /// How many transactions at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this transaction: later ones.
    #[param(inline)]
    starting_after: Option<TransactionId>,
}

/// Read an account's statement of days
///
/// Opening balance, lines and closing balance from one day of the world to another, oldest
/// first, whenever they were recorded; or as it was known at a time. A transaction that is
/// dated back stands on its day.
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts/{id}/dated_statement",
    operation_id = "read_ledger_dated_statement",
    tag = "ledger",
    params(("id" = AccountId, Path), DatedQuery),
    responses((status = 200, description = "A page", body = DatedStatementView)),
)]
async fn dated_statement(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<AccountId>,
    ApiQuery(query): ApiQuery<DatedQuery>,
) -> Result<Json<DatedStatementView>, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let days = (day("from", &query.from)?, day("through", &query.through)?);
    if days.0 > days.1 {
        let detail = format!("`from` is {} and `through` is {}, before it.", days.0, days.1);
        return Err(Problem::new(Code::InvalidParameter, detail).param("from"));
    }
    let DatedQuery { known, known_at, limit, starting_after, .. } = query;
    let as_of = Asked { effective: None, known, known_at }.check(now)?.unwrap_or_default();
    let page = PageRequest::new(limit, starting_after, None)?;
    let limit = page_of(&page, TransactionId::uuid).limit;
    let after = starting_after.map(TransactionId::uuid);
    let found = app.db.read("ledger_dated_statement", tenant, |tx| {
        work(async move {
            if read::account(tx, tenant, id).await?.is_none() {
                return Ok(None);
            }
            let horizon = horizon(tx, tenant, as_of, now).await?;
            let part = (after, limit);
            let found = read::dated_statement(tx, tenant, id, days, &horizon, part).await?;
            let view = found.map(|found| DatedStatementView::new(found, days, &horizon, now));
            Ok::<_, BooksError>(Some(view))
        })
    });
    let found = found.await?.ok_or_else(Problem::not_found)?;
    Ok(Json(found.ok_or_else(|| unknown_cursor(&page))?))
}
