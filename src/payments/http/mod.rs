//! The routes of payment intents and refunds.

mod order;
mod refund;
mod request;
pub(crate) mod through_gateway;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::id::PaymentIntentId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::order::CreateBody;
use self::request::{CancelBody, CaptureBody, ConfirmBody, check_instrument, check_return_url};
pub(crate) use self::request::{check_amount, check_text};
use self::through_gateway::{Done, through_gateway};
use super::ask::{self, Confirm};
use super::create::create_intent;
use super::error::PaymentError;
use super::intent::{IntentState, Payment};
use super::store::{self, Listing};
use super::sweep;
use super::view::IntentView;
use crate::app::App;
use crate::auth::{Caller, Role};
use crate::db::work;
use crate::http::{
    ApiJson, ApiPath, ApiQuery, Code, Cursor, GatewayTime, IdempotentJson, List, PageRequest,
    Problem, ProblemBody, idempotent,
};

/// Every route of payments and refunds.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(retrieve))
        .routes(routes!(confirm))
        .routes(routes!(capture))
        .routes(routes!(cancel))
        .routes(routes!(sync))
        .merge(refund::routes())
}

/// What a list of payment intents is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<PaymentIntentId>,
    /// Go back before this id: newer ones.
    #[param(inline)]
    ending_before: Option<PaymentIntentId>,
    /// Only those in this state.
    status: Option<String>,
    /// Only those of this customer.
    customer: Option<String>,
}

/// Create a payment intent
///
/// Nothing is asked of a gateway yet: confirm it to do so.
#[utoipa::path(
    post,
    path = "/v1/payment_intents",
    tag = "payments",
    operation_id = "create_payment_intent",
    params(("Idempotency-Key" = String, Header, description = "New for each payment")),
    request_body = CreateBody,
    responses((status = 201, description = "Created", body = IntentView)),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<CreateBody>,
) -> Result<Response, Problem> {
    let asked = &body.check()?;
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    idempotent(&app, &caller, &idempotency, "create_intent", |tx| {
        work(async move {
            let payment = create_intent(tx, tenant, now, asked).await?;
            Ok((StatusCode::CREATED, IntentView::from(&payment)))
        })
    })
    .await
}

/// List payment intents
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/payment_intents",
    tag = "payments",
    operation_id = "list_payment_intents",
    params(ListQuery),
    responses((status = 200, description = "A page", body = List<IntentView>)),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<List<IntentView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, query.ending_before)?;
    let state = query.status.as_deref();
    if let Some(word) = state.filter(|word| IntentState::parse(word).is_none()) {
        let detail = format!("`{}` is not a state.", word.chars().take(40).collect::<String>());
        return Err(Problem::new(Code::InvalidParameter, detail).param("status"));
    }
    let (after, before) = bounds(page.cursor(), PaymentIntentId::uuid);
    // A customer sees the own ones, whatever is asked for.
    let customer = match (caller.only(Role::Customer), query.customer.as_deref()) {
        (Some(own), Some(asked)) if own != asked => return Err(Problem::not_found()),
        (own, asked) => own.or(asked),
    };
    let listing = Listing { limit: page.rows(), after, before, state, intent: None, customer };
    let tenant = caller.tenant();
    let found: Vec<Payment> = app
        .db
        .read("list_intents", tenant, |tx| {
            work(async move {
                let ids = store::intents(tx, tenant, listing).await?;
                let mut loaded = store::load(tx, tenant, &ids).await?;
                loaded.sort_by_key(|payment| ids.iter().position(|id| *id == payment.intent.id));
                Ok::<_, PaymentError>(loaded)
            })
        })
        .await?;
    let views = found.iter().map(IntentView::from).collect();
    Ok(Json(page.list(views, "/v1/payment_intents")))
}

/// Where a page begins: older than the first id, newer than the second.
pub(crate) fn bounds<Id: Copy>(
    cursor: &Cursor<Id>,
    uuid: fn(Id) -> Uuid,
) -> (Option<Uuid>, Option<Uuid>) {
    match cursor {
        Cursor::Start => (None, None),
        Cursor::After(id) => (Some(uuid(*id)), None),
        Cursor::Before(id) => (None, Some(uuid(*id))),
    }
}

/// Loads one payment of the caller's, or answers as for any unknown id.
pub(super) async fn find(
    app: &App,
    caller: &Caller,
    id: PaymentIntentId,
) -> Result<Payment, Problem> {
    let tenant = caller.tenant();
    let found = app
        .db
        .read("payment", tenant, |tx| {
            work(async move { Ok::<_, PaymentError>(store::load(tx, tenant, &[id]).await?.pop()) })
        })
        .await?;
    let whose = |it: &Payment| it.intent.customer.clone().unwrap_or_default();
    let seen = found.filter(|it| caller.may_see(Role::Customer, &whose(it)));
    seen.ok_or_else(Problem::not_found)
}

/// Retrieve a payment intent
#[utoipa::path(
    get,
    path = "/v1/payment_intents/{id}",
    tag = "payments",
    operation_id = "retrieve_payment_intent",
    params(("id" = PaymentIntentId, Path)),
    responses((status = 200, description = "The intent", body = IntentView)),
)]
async fn retrieve(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PaymentIntentId>,
) -> Result<Json<IntentView>, Problem> {
    Ok(Json(IntentView::from(&find(&app, &caller, id).await?)))
}

/// Confirm a payment intent
///
/// Tries it with an instrument. 202 while the gateway's answer is not known: the intent stays
/// `processing`, and is settled by the webhook or by asking again with the same key.
#[utoipa::path(
    post,
    path = "/v1/payment_intents/{id}/confirm",
    tag = "payments",
    operation_id = "confirm_payment_intent",
    params(
        ("id" = PaymentIntentId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each attempt"),
    ),
    request_body = ConfirmBody,
    responses(
        (status = 200, description = "Tried; read the status", body = IntentView),
        (status = 202, description = "Not known yet", body = IntentView),
        (status = 402, description = "Declined", body = ProblemBody,
            content_type = "application/problem+json"),
    ),
)]
async fn confirm(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PaymentIntentId>,
    waited: GatewayTime,
    IdempotentJson { idempotency, body }: IdempotentJson<ConfirmBody>,
) -> Result<Response, Problem> {
    check_instrument(body.payment_method.as_deref())?;
    check_return_url(body.return_url.as_deref())?;
    check_text("connection", body.connection.as_deref(), 100)?;
    let asked = &Confirm {
        payment_method: body.payment_method,
        return_url: body.return_url,
        connection: body.connection,
    };
    let (tenant, now, gateways) = (caller.tenant(), caller.now(&app), &app.gateways);
    through_gateway(&app, &caller, &idempotency, &waited, Done::Intent, |tx| {
        work(async move { ask::confirm(tx, tenant, now, gateways, id, asked).await })
    })
    .await
}

/// Capture a payment intent
///
/// Takes held money: all of it, or a part, after which the rest is released.
#[utoipa::path(
    post,
    path = "/v1/payment_intents/{id}/capture",
    tag = "payments",
    operation_id = "capture_payment_intent",
    params(
        ("id" = PaymentIntentId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each capture"),
    ),
    request_body = CaptureBody,
    responses(
        (status = 200, description = "Captured", body = IntentView),
        (status = 202, description = "Not known yet", body = IntentView),
    ),
)]
async fn capture(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PaymentIntentId>,
    waited: GatewayTime,
    IdempotentJson { idempotency, body }: IdempotentJson<CaptureBody>,
) -> Result<Response, Problem> {
    if let Some(amount) = body.amount {
        check_amount("amount", amount)?;
    }
    let (tenant, now, gateways) = (caller.tenant(), caller.now(&app), &app.gateways);
    through_gateway(&app, &caller, &idempotency, &waited, Done::Intent, |tx| {
        work(async move { ask::capture(tx, tenant, now, gateways, id, body.amount).await })
    })
    .await
}

/// Cancel a payment intent
///
/// Gives it up before money is taken; a hold is released.
#[utoipa::path(
    post,
    path = "/v1/payment_intents/{id}/cancel",
    tag = "payments",
    operation_id = "cancel_payment_intent",
    params(
        ("id" = PaymentIntentId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each cancellation"),
    ),
    request_body = CancelBody,
    responses(
        (status = 200, description = "Cancelled", body = IntentView),
        (status = 202, description = "Not known yet", body = IntentView),
    ),
)]
async fn cancel(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PaymentIntentId>,
    waited: GatewayTime,
    IdempotentJson { idempotency, body }: IdempotentJson<CancelBody>,
) -> Result<Response, Problem> {
    check_text("cancellation_reason", body.cancellation_reason.as_deref(), 200)?;
    let reason = &body.cancellation_reason;
    let (tenant, now, gateways) = (caller.tenant(), caller.now(&app), &app.gateways);
    through_gateway(&app, &caller, &idempotency, &waited, Done::Intent, |tx| {
        work(async move { ask::cancel(tx, tenant, now, gateways, id, reason.clone()).await })
    })
    .await
}

/// Sync a payment intent
///
/// Asks the gateway what it knows, and settles what was waiting for it. Use it when the customer
/// comes back from a hosted page: the return itself proves nothing.
#[utoipa::path(
    post,
    path = "/v1/payment_intents/{id}/sync",
    tag = "payments",
    operation_id = "sync_payment_intent",
    params(("id" = PaymentIntentId, Path)),
    responses((status = 200, description = "As the gateway knows it", body = IntentView)),
)]
async fn sync(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<PaymentIntentId>,
    ApiJson(Nothing {}): ApiJson<Nothing>,
) -> Result<Json<IntentView>, Problem> {
    let payment = find(&app, &caller, id).await?;
    sweep::sync_payment(&app, caller.tenant(), &payment).await?;
    Ok(Json(IntentView::from(&find(&app, &caller, id).await?)))
}

/// A body without fields.
#[derive(Debug, Deserialize)]
struct Nothing {}
