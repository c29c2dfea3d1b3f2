//! The routes of revaluations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use mizan_ledger::read::parse_day;
use mizan_money::{Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{FxRateId, FxRevaluationId, NewRevaluation, Revaluation, http, revalue, store};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::finance::error::FinanceError;
use crate::finance::input::{self, NewestFirst};
use crate::http::{ApiQuery, IdempotentJson, List, PageRequest, Problem, idempotent};

/// Every route of revaluations.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(revalue_fx, list_fx_revaluations))
}

/// A position to be valued.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewFxRevaluation)]
struct RevaluationBody {
    /// The currency of the position, ISO 4217.
    #[schema(example = "USD")]
    currency: String,
    /// The currency of the books.
    #[schema(example = "AED")]
    into: String,
    /// At the end of which day, in the marketplace's time zone. It must be over.
    #[schema(format = Date)]
    on: String,
    /// What one unit of `currency` costs; else the newest rate kept for that day.
    #[schema(example = "3.6800")]
    rate: Option<String>,
}

impl RevaluationBody {
    fn check(&self) -> Result<NewRevaluation, FinanceError> {
        let currency = input::currency("currency", &self.currency)?;
        let into = input::currency("into", &self.into)?;
        if currency == into {
            let message = "a position is valued in another currency than its own";
            return Err(FinanceError::invalid("into", message));
        }
        let on = parse_day(&self.on).ok_or_else(|| {
            FinanceError::invalid("on", "it must be a day such as 2026-03-31, from 2000 on")
        })?;
        let rate = self.rate.as_deref().map(http::rate).transpose()?;
        Ok(NewRevaluation { currency, into, on, rate })
    }
}

/// A position that was valued. Amounts are minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FxRevaluation)]
struct RevaluationView {
    /// `fxv_…`
    id: FxRevaluationId,
    /// Always `fx_revaluation`.
    object: &'static str,
    /// The currency of the position.
    currency: &'static str,
    /// The currency of the books.
    into: &'static str,
    /// At the end of which day.
    #[schema(value_type = String, format = Date)]
    on: NaiveDate,
    /// What one unit of `currency` costs.
    rate: String,
    /// The rate that was kept, where none was named.
    fx_rate: Option<FxRateId>,
    /// What is open, in `currency`: above zero it is had, below zero it is owed.
    position: i64,
    /// What it cost, in `into`.
    book: i64,
    /// What it is worth, in `into`.
    value: i64,
    /// The gain, or below zero the loss.
    difference: i64,
    /// What was posted at the end of the day; nothing without a difference.
    transaction: Option<TransactionId>,
    /// What takes it back at the first moment of the next day.
    reversal: Option<TransactionId>,
    /// When it was done.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// With which key.
    created_by: String,
}

impl From<Revaluation> for RevaluationView {
    fn from(told: Revaluation) -> Self {
        let (transaction, reversal) = told.posted.unzip();
        Self {
            id: told.id,
            object: "fx_revaluation",
            currency: told.position.currency().code(),
            into: told.book.currency().code(),
            on: told.on,
            rate: told.at.rate.to_string(),
            fx_rate: told.at.stored,
            position: told.position.minor(),
            book: told.book.minor(),
            value: told.value.minor(),
            difference: told.difference.minor(),
            transaction,
            reversal,
            created: told.created_at,
            created_by: told.created_by,
        }
    }
}

/// Revalue an open position
///
/// Values what is open in a currency at the closing rate of a day. The difference to what it cost
/// is gain or loss at the end of that day and is taken back at the first moment of the next. Once
/// for each pair and day.
#[utoipa::path(
    post,
    path = "/v1/fx_revaluations",
    operation_id = "revalue_fx",
    tag = "finance",
    params(("Idempotency-Key" = String, Header, description = "New for each revaluation")),
    request_body = RevaluationBody,
    responses((status = 201, description = "Valued", body = RevaluationView)),
)]
async fn revalue_fx(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<RevaluationBody>,
) -> Result<Response, Problem> {
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    let new = &body.check()?;
    idempotent(&app, &caller, &idempotency, "revalue_fx", |tx| {
        work(async move {
            let valued = revalue::revalue(tx, tenant, now, new, by).await?;
            Ok((StatusCode::CREATED, RevaluationView::from(valued)))
        })
    })
    .await
}

/// List revaluations
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/fx_revaluations",
    operation_id = "list_fx_revaluations",
    tag = "finance",
    params(NewestFirst<FxRevaluationId>),
    responses((status = 200, description = "A page", body = List<RevaluationView>)),
)]
async fn list_fx_revaluations(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<NewestFirst<FxRevaluationId>>,
) -> Result<Json<List<RevaluationView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let (tenant, rows, after) = (caller.tenant(), page.rows(), query.starting_after);
    let found = app.db.read("fx_revaluations", tenant, |tx| {
        work(async move { store::revaluations(tx, tenant, after, rows).await })
    });
    let found = found.await?.into_iter().map(RevaluationView::from).collect();
    Ok(Json(page.list(found, "/v1/fx_revaluations")))
}
