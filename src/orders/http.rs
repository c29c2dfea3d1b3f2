//! The route of deliveries.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::deliver::{Said, deliver};
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiPath, Code, IdempotentJson, Problem, idempotent};
use crate::payments::Payment;
use crate::payments::create::LINES_MAX;
use crate::payments::line::Delivery;

/// Every route of orders.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create))
}

/// What became of the goods.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDelivery)]
struct DeliveryBody {
    /// What became of them.
    status: StatusWord,
    /// Of which lines, by number; else of all.
    #[schema(min_items = 1, max_items = 100)]
    lines: Option<Vec<i16>>,
}

/// Where goods are.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryStatus)]
enum StatusWord {
    /// With the customer.
    Delivered,
    /// On the way back, or back.
    Returned,
    /// Nobody knows.
    Lost,
}

/// An order, as far as its goods are concerned.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderDeliveries)]
struct OrderView {
    /// Its name.
    order: String,
    /// Always `order`.
    object: &'static str,
    /// Its lines whose money was taken.
    lines: Vec<LineView>,
}

/// A line of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveredLine)]
struct LineView {
    /// The payment it belongs to.
    payment_intent: String,
    /// Its number there.
    line: i16,
    /// Your id of the vendor.
    vendor: Option<String>,
    /// `delivered`, `returned`, `lost`; null before.
    delivery: Option<&'static str>,
    /// When it was delivered.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// When the vendor's part becomes available.
    #[schema(value_type = Option<String>, format = DateTime)]
    release_at: Option<Timestamp>,
}

/// Say what became of an order's goods
///
/// Delivered: the platform's commission and shipping are earned, and the release of the vendors'
/// parts is counted from now. Returned or lost: the vendors' parts wait. It moves no money of the
/// customer's: refund what is to go back. Safe to repeat.
#[utoipa::path(
    post,
    path = "/v1/orders/{order}/deliveries",
    tag = "orders",
    operation_id = "create_delivery",
    params(
        ("order" = String, Path, description = "Your id of the order, or that of one payment"),
        ("Idempotency-Key" = String, Header, description = "New for each message"),
    ),
    request_body = DeliveryBody,
    responses((status = 200, description = "Written down", body = OrderView)),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    ApiPath(order): ApiPath<String>,
    IdempotentJson { idempotency, body }: IdempotentJson<DeliveryBody>,
) -> Result<Response, Problem> {
    if body.lines.as_ref().is_some_and(|lines| lines.is_empty() || lines.len() > LINES_MAX) {
        let detail = format!("`lines` has 1 to {LINES_MAX} numbers; leave it out to mean all.");
        return Err(Problem::new(Code::InvalidField, detail).param("lines"));
    }
    let delivery = match body.status {
        StatusWord::Delivered => Delivery::Delivered,
        StatusWord::Returned => Delivery::Returned,
        StatusWord::Lost => Delivery::Lost,
    };
    let said = &Said { order, lines: body.lines, delivery };
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    idempotent(&app, &caller, &idempotency, "deliver_order", |tx| {
        work(async move {
            let payments = deliver(tx, tenant, now, said).await?;
            Ok((StatusCode::OK, OrderView::of(&said.order, &payments)))
        })
    })
    .await
}

impl OrderView {
    fn of(order: &str, payments: &[Payment]) -> Self {
        let of_payment = |payment: &Payment| {
            let id = payment.intent.id.to_string();
            let line = move |line: &crate::payments::Line| LineView {
                payment_intent: id.clone(),
                line: line.n,
                vendor: line.vendor.clone(),
                delivery: line.delivery.map(|it| it.as_str()),
                delivered_at: line.delivered_at,
                release_at: line.release_at,
            };
            payment.lines.iter().map(line).collect::<Vec<_>>()
        };
        let lines = payments.iter().flat_map(of_payment).collect();
        Self { order: order.to_owned(), object: "order", lines }
    }
}
