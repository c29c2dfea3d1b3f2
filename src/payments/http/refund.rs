//! The routes of refunds.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_providers::RefundReason;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::bounds;
use super::request::{check_amount, check_metadata};
use super::through_gateway::{Done, through_gateway};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{
    ApiPath, ApiQuery, Code, GatewayTime, IdempotentJson, List, PageRequest, Problem,
};
use crate::payments::create::LINES_MAX;
use crate::payments::error::PaymentError;
use crate::payments::intent::Metadata;
use crate::payments::refund::{NewRefund, request_refund};
use crate::payments::split::Wanted;
use crate::payments::store::{self, Listing};
use crate::payments::view::RefundView;

/// Every route of refunds.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(retrieve))
}

/// A refund to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewRefund)]
struct CreateBody {
    /// Of which payment.
    #[schema(example = "pi_0195a5f1c0a77c4e9b1f2a3b4c5d6e7f")]
    payment_intent: PaymentIntentId,
    /// How much in minor units; else all that is left.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// Only these lines; else over all in proportion to what each has left.
    #[schema(min_items = 1, max_items = 100)]
    lines: Option<Vec<RefundLineBody>>,
    /// Where it goes: back over the tenders it came from, or all into the customer's wallet.
    #[serde(default)]
    to: Destination,
    /// Why.
    #[serde(default)]
    reason: ReasonWord,
    /// Your own pairs.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    metadata: Metadata,
}

/// A line to be refunded.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewRefundLine)]
struct RefundLineBody {
    /// Its number.
    #[schema(minimum = 1)]
    line: i16,
    /// How much of it, in minor units; else all that is left.
    #[schema(minimum = 1)]
    amount: Option<i64>,
}

/// Where a refund goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundDestination)]
enum Destination {
    /// Over the tenders it came from.
    #[default]
    Source,
    /// Into the customer's wallet.
    Wallet,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundReason)]
enum ReasonWord {
    /// The customer asked.
    #[default]
    RequestedByCustomer,
    /// The same order was paid twice.
    Duplicate,
    /// It looks like fraud.
    Fraudulent,
    /// Anything else.
    Other,
}

impl From<ReasonWord> for RefundReason {
    fn from(word: ReasonWord) -> Self {
        match word {
            ReasonWord::RequestedByCustomer => Self::RequestedByCustomer,
            ReasonWord::Duplicate => Self::Duplicate,
            ReasonWord::Fraudulent => Self::Fraudulent,
            ReasonWord::Other => Self::Other,
        }
    }
}

/// What a list of refunds is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<RefundId>,
    /// Go back before this id: newer ones.
    #[param(inline)]
    ending_before: Option<RefundId>,
    /// Only those of this payment.
    #[param(inline)]
    payment_intent: Option<PaymentIntentId>,
}

/// Refund a payment
///
/// All that is left, or a part; the parties give back in proportion. The refund is promised in
/// the books before the gateway is asked, so refunds of one payment can never exceed it.
#[utoipa::path(
    post,
    path = "/v1/refunds",
    tag = "refunds",
    operation_id = "create_refund",
    params(("Idempotency-Key" = String, Header, description = "New for each refund")),
    request_body = CreateBody,
    responses(
        (status = 200, description = "Asked; read the status", body = RefundView),
        (status = 202, description = "Not known yet", body = RefundView),
    ),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    waited: GatewayTime,
    IdempotentJson { idempotency, body }: IdempotentJson<CreateBody>,
) -> Result<Response, Problem> {
    if let Some(amount) = body.amount {
        check_amount("amount", amount)?;
    }
    check_metadata(&body.metadata)?;
    let wanted = body.lines.map(check_lines).transpose()?;
    let asked = &NewRefund {
        payment: body.payment_intent,
        amount: body.amount,
        lines: wanted,
        to_wallet: body.to == Destination::Wallet,
        reason: body.reason.into(),
        metadata: body.metadata,
    };
    let (tenant, now, gateways) = (caller.tenant(), caller.now(&app), &app.gateways);
    through_gateway(&app, &caller, &idempotency, &waited, Done::Refund, |tx| {
        work(async move { request_refund(tx, tenant, now, gateways, asked).await })
    })
    .await
}

/// Checks the lines of a refund at the door.
fn check_lines(lines: Vec<RefundLineBody>) -> Result<Vec<Wanted>, Problem> {
    if !(1..=LINES_MAX).contains(&lines.len()) {
        let detail = format!("`lines` has 1 to {LINES_MAX} lines; leave it out to refund all.");
        return Err(Problem::new(Code::InvalidField, detail).param("lines"));
    }
    for (n, line) in lines.iter().enumerate() {
        if let Some(amount) = line.amount {
            check_amount(&format!("lines[{n}].amount"), amount)?;
        }
    }
    Ok(lines.into_iter().map(|it| (it.line, it.amount)).collect())
}

/// Retrieve a refund
#[utoipa::path(
    get,
    path = "/v1/refunds/{id}",
    tag = "refunds",
    operation_id = "retrieve_refund",
    params(("id" = RefundId, Path)),
    responses((status = 200, description = "The refund", body = RefundView)),
)]
async fn retrieve(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<RefundId>,
) -> Result<Json<RefundView>, Problem> {
    let tenant = caller.tenant();
    let found = app
        .db
        .read("refund", tenant, |tx| {
            work(async move {
                let Some(intent) = store::refund_owner(tx, tenant, id).await? else {
                    return Ok(None);
                };
                Ok::<_, PaymentError>(store::load(tx, tenant, &[intent]).await?.pop())
            })
        })
        .await?;
    let view = found.as_ref().and_then(|p| p.refund(id).map(|r| RefundView::of(p, r)));
    view.map(Json).ok_or_else(Problem::not_found)
}

/// List refunds
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/refunds",
    tag = "refunds",
    operation_id = "list_refunds",
    params(ListQuery),
    responses((status = 200, description = "A page", body = List<RefundView>)),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<List<RefundView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, query.ending_before)?;
    let (after, before) = bounds(page.cursor(), RefundId::uuid);
    let intent = query.payment_intent.map(|id| id.uuid());
    let listing =
        Listing { limit: page.rows(), after, before, state: None, intent, customer: None };
    let tenant = caller.tenant();
    let views = app
        .db
        .read("list_refunds", tenant, |tx| {
            work(async move {
                let ids = store::refunds(tx, tenant, listing).await?;
                let mut intents: Vec<_> = ids.iter().map(|(intent, _)| *intent).collect();
                intents.sort_unstable();
                intents.dedup();
                let payments = store::load(tx, tenant, &intents).await?;
                let view = |(intent, id): &(PaymentIntentId, RefundId)| {
                    let payment = payments.iter().find(|p| p.intent.id == *intent)?;
                    Some(RefundView::of(payment, payment.refund(*id)?))
                };
                Ok::<_, PaymentError>(ids.iter().filter_map(view).collect::<Vec<_>>())
            })
        })
        .await?;
    Ok(Json(page.list(views, "/v1/refunds")))
}
