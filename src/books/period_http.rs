//! The routes of closed days.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use mizan_ledger::period::{Period, periods};
use mizan_ledger::read::parse_day;
use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::as_of::day;
use super::error::BooksError;
use super::periods::{Change, close};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiQuery, Code, IdempotentJson, List, PageRequest, Problem, idempotent};

/// Every route of closed days.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(close_period, list_periods))
}

/// Which days to close.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CloseLedgerPeriod)]
struct CloseBody {
    /// The last day to be closed, in the marketplace's time zone. It must be over.
    #[schema(format = Date, example = "2026-03-31")]
    closed_through: String,
}

/// Where a list of closed days goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PeriodsQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind the one that closed through this day: older ones.
    #[param(format = Date)]
    starting_after: Option<String>,
}

/// Days that were closed, up to and with one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerPeriod)]
struct PeriodView {
    /// Always `ledger_period`.
    object: &'static str,
    /// The last closed day, in the marketplace's time zone.
    #[schema(value_type = String, format = Date)]
    closed_through: NaiveDate,
    /// The first moment that is open.
    #[schema(value_type = String, format = DateTime)]
    open_from: Timestamp,
    /// The last journal number when it was closed.
    position: i64,
    /// When it was closed.
    #[schema(value_type = String, format = DateTime)]
    closed_at: Timestamp,
    /// Who closed it: an API key, or the command line.
    closed_by: String,
}

impl From<Period> for PeriodView {
    fn from(period: Period) -> Self {
        Self {
            object: "ledger_period",
            closed_through: period.closed_through,
            open_from: period.ends_at,
            position: period.position,
            closed_at: period.closed_at,
            closed_by: period.closed_by,
        }
    }
}

/// Close a period
///
/// All days up to and with one. A transaction that is dated into them is refused from then on;
/// one that has happened all the same is booked at the first open moment and keeps its date in
/// `metadata.effective_asked`. There is no reopening: a correction is a transaction in an open
/// day. Closing what is closed answers 200 with the period that did it.
#[utoipa::path(
    post,
    path = "/v1/ledger/periods",
    operation_id = "close_ledger_period",
    tag = "ledger",
    params(("Idempotency-Key" = String, Header, description = "New for each closing")),
    request_body = CloseBody,
    responses(
        (status = 201, description = "Closed", body = PeriodView),
        (status = 200, description = "Closed before", body = PeriodView),
    ),
)]
async fn close_period(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<CloseBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let through = parse_day(&body.closed_through).ok_or_else(|| {
        let detail = "`closed_through` must be a day such as 2026-03-31, from 2000 on.";
        Problem::new(Code::InvalidField, detail).param("closed_through")
    })?;
    let by = &caller.key().to_string();
    idempotent(&app, &caller, &idempotency, "close_period", |tx| {
        work(async move {
            let (change, period) = close(tx, tenant, now, through, by).await?;
            let status = match change {
                Change::Made => StatusCode::CREATED,
                Change::None => StatusCode::OK,
            };
            Ok((status, PeriodView::from(period)))
        })
    })
    .await
}

/// List closed periods
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/ledger/periods",
    operation_id = "list_ledger_periods",
    tag = "ledger",
    params(PeriodsQuery),
    responses((status = 200, description = "A page", body = List<PeriodView>)),
)]
async fn list_periods(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PeriodsQuery>,
) -> Result<Json<List<PeriodView>>, Problem> {
    let after = query.starting_after.as_deref();
    let after = after.map(|text| day("starting_after", text)).transpose()?;
    let page = PageRequest::new(query.limit, after, None)?;
    let (tenant, rows) = (caller.tenant(), u32::try_from(page.rows()).unwrap_or(u32::MAX));
    let found = app.db.read("ledger_periods", tenant, |tx| {
        work(async move { Ok::<_, BooksError>(periods(tx, tenant, after, rows).await?) })
    });
    let found = found.await?.into_iter().map(PeriodView::from).collect();
    Ok(Json(page.list(found, "/v1/ledger/periods")))
}
