//! The routes of payouts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_ledger::postings::Payee;
use mizan_money::id::PayoutId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::PayoutBody;
use super::news::OutcomeBody;
use super::view::PayoutView;
use super::{Nothing, desk, rail, rate, text};
use crate::app::App;
use crate::auth::{Caller, Role};
use crate::db::work;
use crate::http::{
    ApiPath, ApiQuery, Cursor, IdempotentJson, List, PageRequest, Problem, idempotent,
};
use crate::payouts::act::{approve, cancel, retry, submit};
use crate::payouts::create::create_payouts;
use crate::payouts::error::{PayoutError, corrupt, invalid};
use crate::payouts::outcome::tell;
use crate::payouts::payout::State as PayoutState;
use crate::payouts::store::{self, Listing};

/// Every route of payouts.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_payout, list_payouts))
        .routes(routes!(retrieve_payout))
        .routes(routes!(approve_payout))
        .routes(routes!(cancel_payout))
        .routes(routes!(submit_payout))
        .routes(routes!(tell_payout))
        .routes(routes!(retry_payout))
}

/// Create a payout
///
/// Its money is reserved at once where every gate is open; else it waits with its reasons, and
/// `/submit` looks again.
#[utoipa::path(
    post,
    path = "/v1/payouts",
    operation_id = "create_payout",
    tag = "payouts",
    params(("Idempotency-Key" = String, Header, description = "New for each payout")),
    request_body = PayoutBody,
    responses((status = 201, description = "Created; read the status", body = PayoutView)),
)]
async fn create_payout(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<PayoutBody>,
) -> Result<Response, Problem> {
    let (desk, command) = (&desk(&app, &caller), &body.check()?);
    idempotent(&app, &caller, &idempotency, "create_payout", |tx| {
        work(async move {
            let made = create_payouts(tx, desk, std::slice::from_ref(command)).await?.pop();
            let payout = made.ok_or_else(|| corrupt("a payout was lost on the way"))??;
            Ok((StatusCode::CREATED, PayoutView::whole(tx, desk, payout).await?))
        })
    })
    .await
}

/// Retrieve a payout
#[utoipa::path(
    get,
    path = "/v1/payouts/{id}",
    operation_id = "retrieve_payout",
    tag = "payouts",
    params(("id" = PayoutId, Path)),
    responses((status = 200, description = "As it stands", body = PayoutView)),
)]
async fn retrieve_payout(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutId>,
) -> Result<Json<PayoutView>, Problem> {
    let (desk, own) = (&desk(&app, &caller), &own(&caller));
    let found = app.db.read("payout", desk.tenant, |tx| {
        work(async move {
            let payout = store::payout(tx, desk.tenant, id).await?;
            let seen = payout.filter(|it| own.as_ref().is_none_or(|own| *own == it.payee));
            let payout = seen.ok_or_else(|| PayoutError::NotFound { id: id.to_string() })?;
            PayoutView::whole(tx, desk, payout).await
        })
    });
    Ok(Json(found.await?))
}

/// The vendor or affiliate whose payouts alone the caller sees; none where all.
fn own(caller: &Caller) -> Option<Payee> {
    let vendor = || caller.only(Role::Vendor).map(|id| Payee::Vendor(id.to_owned()));
    let affiliate = || caller.only(Role::Affiliate).map(|id| Payee::Affiliate(id.to_owned()));
    vendor().or_else(affiliate)
}

/// What a list of payouts is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PayoutsQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<PayoutId>,
    /// Go back before this id: newer ones.
    #[param(inline)]
    ending_before: Option<PayoutId>,
    /// Only those of this vendor.
    vendor: Option<String>,
    /// Only those of this affiliate.
    affiliate: Option<String>,
    /// Only those that stand here, such as `gated` or `paid`.
    status: Option<String>,
}

/// List payouts
///
/// Newest first, each with its gates.
#[utoipa::path(
    get,
    path = "/v1/payouts",
    operation_id = "list_payouts",
    tag = "payouts",
    params(PayoutsQuery),
    responses((status = 200, description = "A page", body = List<PayoutView>)),
)]
async fn list_payouts(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PayoutsQuery>,
) -> Result<Json<List<PayoutView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, query.ending_before)?;
    let payee = super::payee::one_of(query.vendor.as_deref(), query.affiliate.as_deref())?;
    // Who is outside sees the own ones, whatever is asked for.
    let payee = match own(&caller) {
        None => payee,
        Some(own) if payee.as_ref().is_none_or(|it| *it == own) => Some(own),
        Some(_) => return Err(Problem::not_found()),
    };
    let state = query.status.as_deref().map(|word| {
        let message = "A status is a word such as `gated`, `reserved`, `paid` or `returned`.";
        PayoutState::parse(word).ok_or_else(|| invalid("status", message))
    });
    let (after, before) = match *page.cursor() {
        Cursor::Start => (None, None),
        Cursor::After(id) => (Some(id), None),
        Cursor::Before(id) => (None, Some(id)),
    };
    let state = state.transpose()?;
    let listing = &Listing { limit: page.rows(), after, before, payee, state };
    let desk = &desk(&app, &caller);
    let found = app.db.read("payouts", desk.tenant, |tx| {
        work(async move {
            let mut shown = Vec::new();
            for payout in store::payouts(tx, desk.tenant, listing).await? {
                shown.push(PayoutView::short(tx, desk, payout).await?);
            }
            Ok::<_, PayoutError>(shown)
        })
    });
    Ok(Json(page.list(found.await?, "/v1/payouts")))
}

/// Approve a payout
///
/// With another key than the one that created it. Where every other gate is open, its money is
/// reserved.
#[utoipa::path(
    post,
    path = "/v1/payouts/{id}/approve",
    operation_id = "approve_payout",
    tag = "payouts",
    params(
        ("id" = PayoutId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each approval"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Approved; read the status", body = PayoutView)),
)]
async fn approve_payout(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let desk = &desk(&app, &caller);
    idempotent(&app, &caller, &idempotency, "approve_payout", |tx| {
        work(async move {
            let payout = approve(tx, desk, id).await?;
            Ok((StatusCode::OK, PayoutView::whole(tx, desk, payout).await?))
        })
    })
    .await
}

/// Why a payout is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CancelPayout)]
struct CancelBody {
    /// For people, 1 to 500 characters.
    reason: Option<String>,
}

/// Cancel a payout
///
/// One that was not handed over. What was reserved for it is available again.
#[utoipa::path(
    post,
    path = "/v1/payouts/{id}/cancel",
    operation_id = "cancel_payout",
    tag = "payouts",
    params(
        ("id" = PayoutId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each cancellation"),
    ),
    request_body = CancelBody,
    responses((status = 200, description = "Cancelled", body = PayoutView)),
)]
async fn cancel_payout(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutId>,
    IdempotentJson { idempotency, body }: IdempotentJson<CancelBody>,
) -> Result<Response, Problem> {
    let why = &body.reason.as_deref().map(|it| text("reason", it, 500)).transpose()?;
    let desk = &desk(&app, &caller);
    idempotent(&app, &caller, &idempotency, "cancel_payout", |tx| {
        work(async move {
            let payout = cancel(tx, desk, id, why.clone()).await?;
            Ok((StatusCode::OK, PayoutView::whole(tx, desk, payout).await?))
        })
    })
    .await
}

/// Submit a payout
///
/// At a gate it is looked at again. With its money reserved it is handed over: to its gateway
/// where the payee has an account there, else by you.
#[utoipa::path(
    post,
    path = "/v1/payouts/{id}/submit",
    operation_id = "submit_payout",
    tag = "payouts",
    params(
        ("id" = PayoutId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each submission"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Read the status", body = PayoutView)),
)]
async fn submit_payout(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (desk, gateways) = (&desk(&app, &caller), &app.gateways);
    idempotent(&app, &caller, &idempotency, "submit_payout", |tx| {
        work(async move {
            let payout = submit(tx, desk, gateways, id).await?;
            Ok((StatusCode::OK, PayoutView::whole(tx, desk, payout).await?))
        })
    })
    .await
}

/// Tell what became of a payout
///
/// For rails that do not tell by themselves: what the bank says, or a person knows.
#[utoipa::path(
    post,
    path = "/v1/payouts/{id}/outcome",
    operation_id = "tell_payout",
    tag = "payouts",
    params(
        ("id" = PayoutId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each piece of news"),
    ),
    request_body = OutcomeBody,
    responses((status = 200, description = "Booked", body = PayoutView)),
)]
async fn tell_payout(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutId>,
    IdempotentJson { idempotency, body }: IdempotentJson<OutcomeBody>,
) -> Result<Response, Problem> {
    let desk = &desk(&app, &caller);
    let word = &body.check(desk.now)?;
    idempotent(&app, &caller, &idempotency, "tell_payout", |tx| {
        work(async move {
            let payout = tell(tx, desk, id, word).await?;
            Ok((StatusCode::OK, PayoutView::whole(tx, desk, payout).await?))
        })
    })
    .await
}

/// How to try again.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RetryPayout)]
struct RetryBody {
    /// Over which rail; else the same.
    rail: Option<String>,
    /// At which rate, units of `currency` for one `pay_currency`; else the same.
    rate: Option<String>,
    /// Who says so.
    rate_source: Option<String>,
}

/// Try a payout again
///
/// One that failed, came back or was cancelled: a new payout that is linked to it, through all
/// gates again, to the payee's newest bank details. A payout is tried again once; then its newest
/// attempt is.
#[utoipa::path(
    post,
    path = "/v1/payouts/{id}/retry",
    operation_id = "retry_payout",
    tag = "payouts",
    params(
        ("id" = PayoutId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each attempt"),
    ),
    request_body = RetryBody,
    responses((status = 201, description = "The new payout", body = PayoutView)),
)]
async fn retry_payout(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PayoutId>,
    IdempotentJson { idempotency, body }: IdempotentJson<RetryBody>,
) -> Result<Response, Problem> {
    let over = &body.rail.as_deref().map(rail).transpose()?;
    let rate = &rate(body.rate.as_deref(), body.rate_source.as_deref())?;
    let desk = &desk(&app, &caller);
    idempotent(&app, &caller, &idempotency, "retry_payout", |tx| {
        work(async move {
            let payout = retry(tx, desk, id, over.clone(), rate.clone()).await?;
            Ok((StatusCode::CREATED, PayoutView::whole(tx, desk, payout).await?))
        })
    })
    .await
}
