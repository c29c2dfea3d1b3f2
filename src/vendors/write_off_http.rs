//! The routes of debts that are given up.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::terms_http::{check_vendor, invalid};
use super::write_off::{self, WriteOff, WriteOffId, WriteOffState};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, Code, IdempotentJson, Problem, idempotent};
use crate::payments::create::AMOUNT_MAX;

/// Every route of write-offs.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(approve)).routes(routes!(reject))
}

/// A debt to be given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWriteOff)]
struct WriteOffBody {
    /// ISO 4217.
    currency: String,
    /// How much, in minor units.
    #[schema(minimum = 1)]
    amount: i64,
    /// Why, at most 500 characters.
    reason: String,
}

/// A body without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WriteOffDecision)]
struct Nothing {}

/// A debt that is, or is to be, given up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WriteOff)]
struct WriteOffView {
    /// `wof_…`
    id: String,
    /// Always `write_off`.
    object: &'static str,
    /// Your id of the vendor.
    vendor: String,
    /// ISO 4217.
    currency: &'static str,
    /// How much, in minor units.
    amount: i64,
    /// Why.
    reason: String,
    /// `requested`, `approved`, `rejected`.
    status: &'static str,
    /// The API key that asked.
    requested_by: String,
    /// The API key that decided.
    decided_by: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
}

impl From<WriteOff> for WriteOffView {
    fn from(it: WriteOff) -> Self {
        Self {
            id: it.id.to_string(),
            object: "write_off",
            vendor: it.vendor,
            currency: it.amount.currency().code(),
            amount: it.amount.minor(),
            reason: it.reason,
            status: it.state.as_str(),
            requested_by: it.requested_by,
            decided_by: it.decided_by,
            created: it.created_at,
            decided_at: it.decided_at,
        }
    }
}

/// Ask for a vendor's debt to be given up
///
/// Nothing is booked until another API key approves it.
#[utoipa::path(
    post,
    path = "/v1/vendors/{vendor}/write_offs",
    tag = "vendors",
    operation_id = "create_write_off",
    params(
        ("vendor" = String, Path, description = "Your id of the vendor"),
        ("Idempotency-Key" = String, Header, description = "New for each request"),
    ),
    request_body = WriteOffBody,
    responses((status = 201, description = "Asked for", body = WriteOffView)),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    ApiPath(vendor): ApiPath<String>,
    IdempotentJson { idempotency, body }: IdempotentJson<WriteOffBody>,
) -> Result<Response, Problem> {
    check_vendor(&vendor)?;
    let currency = Currency::parse(&body.currency)
        .map_err(|it| Problem::new(Code::UnknownCurrency, it.to_string()).param("currency"))?;
    if !(1..=AMOUNT_MAX).contains(&body.amount) {
        let detail = format!("`amount` goes from 1 to {AMOUNT_MAX} minor units.");
        return Err(Problem::new(Code::InvalidAmount, detail).param("amount"));
    }
    if !(1..=500).contains(&body.reason.chars().count()) || body.reason.contains('\0') {
        return Err(invalid("reason", "A reason has 1 to 500 characters.").into());
    }
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    let (asked, reason) = (&(vendor, Money::new(body.amount, currency)), &body.reason);
    idempotent(&app, &caller, &idempotency, "create_write_off", |tx| {
        work(async move {
            let why = (reason.as_str(), by.as_str());
            let asked = (asked.0.as_str(), asked.1);
            let made = write_off::request(tx, tenant, now, asked, why).await?;
            Ok((StatusCode::CREATED, WriteOffView::from(made)))
        })
    })
    .await
}

/// Approve that a debt is given up
///
/// By another API key than the one that asked: the debt becomes an expense.
#[utoipa::path(
    post,
    path = "/v1/write_offs/{id}/approve",
    tag = "vendors",
    operation_id = "approve_write_off",
    params(
        ("id" = WriteOffId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each decision"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Booked", body = WriteOffView)),
)]
async fn approve(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<WriteOffId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    idempotent(&app, &caller, &idempotency, "approve_write_off", |tx| {
        work(async move {
            let to = (WriteOffState::Approved, by.as_str());
            let found = write_off::decide(tx, tenant, now, id, to).await?;
            Ok((StatusCode::OK, WriteOffView::from(found)))
        })
    })
    .await
}

/// Reject that a debt is given up
#[utoipa::path(
    post,
    path = "/v1/write_offs/{id}/reject",
    tag = "vendors",
    operation_id = "reject_write_off",
    params(
        ("id" = WriteOffId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each decision"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Rejected", body = WriteOffView)),
)]
async fn reject(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<WriteOffId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (tenant, now, by) = (caller.tenant(), caller.now(&app), &caller.key().to_string());
    idempotent(&app, &caller, &idempotency, "reject_write_off", |tx| {
        work(async move {
            let to = (WriteOffState::Rejected, by.as_str());
            let found = write_off::decide(tx, tenant, now, id, to).await?;
            Ok((StatusCode::OK, WriteOffView::from(found)))
        })
    })
    .await
}
