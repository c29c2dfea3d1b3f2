//! The routes of rates of exchange.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::{Currency, FxRate, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store::{self, RatesAsked};
use super::{FxRateId, NewRate, StoredRate};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::finance::error::FinanceError;
use crate::finance::input;
use crate::http::{ApiQuery, Code, IdempotentJson, List, PageRequest, Problem, idempotent};

/// Every route of rates.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add_fx_rate, list_fx_rates))
}

/// A rate of exchange to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewFxRate)]
struct RateBody {
    /// One unit of this, ISO 4217,
    #[schema(example = "USD")]
    base: String,
    /// costs so much of this.
    #[schema(example = "AED")]
    quote: String,
    /// How much: exact digits, up to 9 before and 12 after the point.
    #[schema(example = "3.6725")]
    rate: String,
    /// Who says so: 1 to 100 characters.
    #[schema(example = "central bank")]
    source: String,
    /// For when; else now.
    #[serde(default, deserialize_with = "input::moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Reads a rate.
pub(super) fn rate(text: &str) -> Result<FxRate, FinanceError> {
    FxRate::parse(text).map_err(|error| FinanceError::invalid("rate", error.to_string()))
}

impl RateBody {
    fn check(&self, now: Timestamp) -> Result<NewRate, FinanceError> {
        let (base, quote) =
            (input::currency("base", &self.base)?, input::currency("quote", &self.quote)?);
        if base == quote {
            return Err(FinanceError::invalid("quote", "a rate is between two currencies"));
        }
        let source = input::text("source", &self.source, 100)?;
        let at = input::when("at", self.at, now)?;
        Ok(NewRate { base, quote, rate: rate(&self.rate)?, source, at })
    }
}

/// A rate of exchange.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FxRate)]
struct RateView {
    /// `fxr_…`
    id: FxRateId,
    /// Always `fx_rate`.
    object: &'static str,
    /// One unit of this
    base: &'static str,
    /// costs so much of this.
    quote: &'static str,
    /// How much, in exact digits.
    rate: String,
    /// Who says so.
    source: String,
    /// For when.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// With which key.
    created_by: String,
}

impl From<StoredRate> for RateView {
    fn from(rate: StoredRate) -> Self {
        Self {
            id: rate.id,
            object: "fx_rate",
            base: rate.says.base.code(),
            quote: rate.says.quote.code(),
            rate: rate.says.rate.to_string(),
            source: rate.says.source,
            at: rate.says.at,
            created: rate.created_at,
            created_by: rate.created_by,
        }
    }
}

/// Add a rate of exchange
///
/// A rate is never changed: a newer one counts instead.
#[utoipa::path(
    post,
    path = "/v1/fx_rates",
    operation_id = "add_fx_rate",
    tag = "finance",
    params(("Idempotency-Key" = String, Header, description = "New for each rate")),
    request_body = RateBody,
    responses((status = 201, description = "Added", body = RateView)),
)]
async fn add_fx_rate(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<RateBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let rate = &StoredRate {
        id: FxRateId::generate(now),
        says: body.check(now)?,
        created_at: now,
        created_by: caller.key().to_string(),
    };
    idempotent(&app, &caller, &idempotency, "add_fx_rate", |tx| {
        work(async move {
            store::insert_rate(tx, tenant, rate).await?;
            Ok((StatusCode::CREATED, RateView::from(rate.clone())))
        })
    })
    .await
}

/// Which rates.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RatesQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<FxRateId>,
    /// Only of this currency.
    base: Option<String>,
    /// Only in this currency.
    quote: Option<String>,
    /// Only for this moment or before it.
    #[param(format = DateTime)]
    at: Option<String>,
}

/// List rates of exchange
///
/// The newest first by the time they are for: with `base`, `quote` and `at` the first one is the
/// rate that counts at that moment.
#[utoipa::path(
    get,
    path = "/v1/fx_rates",
    operation_id = "list_fx_rates",
    tag = "finance",
    params(RatesQuery),
    responses((status = 200, description = "A page", body = List<RateView>)),
)]
async fn list_fx_rates(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<RatesQuery>,
) -> Result<Json<List<RateView>>, Problem> {
    let refuse = |param: &'static str, detail: &str| {
        Problem::new(Code::InvalidParameter, detail.to_owned()).param(param)
    };
    let currency = |param: &'static str, code: &Option<String>| {
        let read = |code: &String| Currency::parse(code);
        code.as_ref().map(read).transpose().map_err(|error| refuse(param, &error.to_string()))
    };
    let at = query.at.as_deref().map(|text| {
        let detail = "`at` must be a moment such as 2026-03-31T20:00:00Z; a `+` is written %2B.";
        input::parse_moment(text).ok_or_else(|| refuse("at", detail))
    });
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let asked = &RatesAsked {
        base: currency("base", &query.base)?,
        quote: currency("quote", &query.quote)?,
        at: at.transpose()?,
        after: query.starting_after,
        rows: page.rows(),
    };
    let tenant = caller.tenant();
    let found = app
        .db
        .read("fx_rates", tenant, |tx| work(async move { store::rates(tx, tenant, asked).await }));
    let found = found.await?.into_iter().map(RateView::from).collect();
    Ok(Json(page.list(found, "/v1/fx_rates")))
}
