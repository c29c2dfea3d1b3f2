//! The routes of disputes.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use mizan_money::id::{DisputeId, PaymentIntentId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::by_hand;
use super::view::DisputeView;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{
    ApiPath, ApiQuery, Code, GatewayTime, IdempotentJson, List, PageRequest, Problem,
};
use crate::payments::dispute::DisputeState;
use crate::payments::dispute::answer::{Evidence, answer_dispute};
use crate::payments::error::PaymentError;
use crate::payments::http::through_gateway::{Done, through_gateway};
use crate::payments::http::{bounds, check_text};
use crate::payments::store::{self, Listing};

/// How many fields the evidence has at most.
const FIELDS_MAX: usize = 40;
/// How long one of them is at most, in characters.
const FIELD_CHARS_MAX: usize = 20_000;

/// Every route of disputes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, by_hand::enter))
        .routes(routes!(retrieve))
        .routes(routes!(hand_in))
        .routes(routes!(accept))
        .routes(routes!(by_hand::decide))
}

/// The evidence to be handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewEvidence)]
struct EvidenceBody {
    /// Texts by the gateway's names of them, such as `uncategorized_text` at Stripe.
    evidence: BTreeMap<String, String>,
}

/// Nothing more is to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AcceptDispute)]
struct AcceptBody {}

/// What a list of disputes is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<DisputeId>,
    /// Go back before this id: newer ones.
    #[param(inline)]
    ending_before: Option<DisputeId>,
    /// Only those in this state.
    status: Option<String>,
    /// Only those of this payment.
    #[param(inline)]
    payment_intent: Option<PaymentIntentId>,
}

/// List disputes
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/disputes",
    tag = "disputes",
    operation_id = "list_disputes",
    params(ListQuery),
    responses((status = 200, description = "A page", body = List<DisputeView>)),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<List<DisputeView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, query.ending_before)?;
    let state = query.status.as_deref();
    let known = |word: &str| word == "accepted" || DisputeState::parse(word).is_some();
    if let Some(word) = state.filter(|word| !known(word)) {
        let detail = format!("`{}` is not a state.", word.chars().take(40).collect::<String>());
        return Err(Problem::new(Code::InvalidParameter, detail).param("status"));
    }
    let (after, before) = bounds(page.cursor(), DisputeId::uuid);
    let intent = query.payment_intent.map(|id| id.uuid());
    let listing = Listing { limit: page.rows(), after, before, state, intent, customer: None };
    let tenant = caller.tenant();
    let views = app
        .db
        .read("list_disputes", tenant, |tx| {
            work(async move {
                let ids = store::disputes(tx, tenant, listing).await?;
                let intents: Vec<_> = ids.iter().map(|(intent, _)| *intent).collect();
                let payments = store::load(tx, tenant, &intents).await?;
                let view = |(intent, id): &(PaymentIntentId, DisputeId)| {
                    let payment = payments.iter().find(|p| p.intent.id == *intent)?;
                    Some(DisputeView::of(payment, payment.dispute(*id)?))
                };
                Ok::<_, PaymentError>(ids.iter().filter_map(view).collect::<Vec<_>>())
            })
        })
        .await?;
    Ok(Json(page.list(views, "/v1/disputes")))
}

/// Retrieve a dispute
#[utoipa::path(
    get,
    path = "/v1/disputes/{id}",
    tag = "disputes",
    operation_id = "retrieve_dispute",
    params(("id" = DisputeId, Path)),
    responses((status = 200, description = "The dispute", body = DisputeView)),
)]
async fn retrieve(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<DisputeId>,
) -> Result<Json<DisputeView>, Problem> {
    let tenant = caller.tenant();
    let found = app
        .db
        .read("dispute", tenant, |tx| {
            work(async move {
                let Some(intent) = store::dispute_owner(tx, tenant, id).await? else {
                    return Ok(None);
                };
                Ok::<_, PaymentError>(store::load(tx, tenant, &[intent]).await?.pop())
            })
        })
        .await?;
    let view = found.as_ref().and_then(|p| p.dispute(id).map(|d| DisputeView::of(p, d)));
    view.map(Json).ok_or_else(Problem::not_found)
}

/// Hand in evidence
///
/// Sent to the gateway at once, and once: what it has it keeps. It decides what becomes of the
/// dispute, and tells by its webhooks. Of a dispute entered by hand it is kept here and no more.
#[utoipa::path(
    post,
    path = "/v1/disputes/{id}/evidence",
    tag = "disputes",
    operation_id = "submit_dispute_evidence",
    params(
        ("id" = DisputeId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each answer"),
    ),
    request_body = EvidenceBody,
    responses(
        (status = 200, description = "Handed in", body = DisputeView),
        (status = 202, description = "Not known yet", body = DisputeView),
    ),
)]
async fn hand_in(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<DisputeId>,
    waited: GatewayTime,
    IdempotentJson { idempotency, body }: IdempotentJson<EvidenceBody>,
) -> Result<Response, Problem> {
    check_evidence(&body.evidence)?;
    let answer = &Some(body.evidence);
    let (tenant, now, gateways) = (caller.tenant(), caller.now(&app), &app.gateways);
    let (answer, key) = ((id, answer), &caller.key().to_string());
    through_gateway(&app, &caller, &idempotency, &waited, Done::Dispute(id), |tx| {
        work(async move { answer_dispute(tx, tenant, now, gateways, key, answer).await })
    })
    .await
}

/// Checks evidence at the door.
fn check_evidence(evidence: &BTreeMap<String, String>) -> Result<(), Problem> {
    if !(1..=FIELDS_MAX).contains(&evidence.len()) {
        let detail = format!("`evidence` has 1 to {FIELDS_MAX} fields.");
        return Err(Problem::new(Code::InvalidField, detail).param("evidence"));
    }
    for (name, text) in evidence {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > 60 || !name.bytes().all(plain) {
            let detail = "A field of the evidence has 1 to 60 of a-z, 0-9 and `_` in its name.";
            return Err(Problem::new(Code::InvalidField, detail).param("evidence"));
        }
        check_text(&format!("evidence.{name}"), Some(text), FIELD_CHARS_MAX)?;
    }
    Ok(())
}

/// Give in to a dispute
///
/// It cannot be taken back: the gateway decides against us at once. One entered by hand is lost.
#[utoipa::path(
    post,
    path = "/v1/disputes/{id}/accept",
    tag = "disputes",
    operation_id = "accept_dispute",
    params(
        ("id" = DisputeId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each answer"),
    ),
    request_body = AcceptBody,
    responses(
        (status = 200, description = "Given in to", body = DisputeView),
        (status = 202, description = "Not known yet", body = DisputeView),
    ),
)]
async fn accept(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<DisputeId>,
    waited: GatewayTime,
    IdempotentJson { idempotency, body }: IdempotentJson<AcceptBody>,
) -> Result<Response, Problem> {
    let AcceptBody {} = body;
    let answer: &Evidence = &None;
    let (tenant, now, gateways) = (caller.tenant(), caller.now(&app), &app.gateways);
    let (answer, key) = ((id, answer), &caller.key().to_string());
    through_gateway(&app, &caller, &idempotency, &waited, Done::Dispute(id), |tx| {
        work(async move { answer_dispute(tx, tenant, now, gateways, key, answer).await })
    })
    .await
}
