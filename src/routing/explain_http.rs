//! The route that says why a payment would go where.

use axum::Json;
use axum::extract::State;
use mizan_money::{Currency, Money};
use mizan_providers::CaptureMethod;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::decide::{Considered, Decision, Instrument, Want};
use super::store;
use crate::app::App;
use crate::auth::Caller;
use crate::db::work;
use crate::http::{ApiQuery, Code, Problem};

/// The route of the explanation.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// The payment that is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExplainQuery {
    /// In minor units.
    #[param(minimum = 1)]
    amount: i64,
    /// ISO 4217.
    #[param(example = "AED")]
    currency: String,
    /// Where the customer is, ISO 3166 alpha-2.
    country: Option<String>,
    /// The kind of instrument, such as `card`.
    payment_method_type: Option<String>,
    /// `automatic` or `manual`.
    #[param(default = "automatic")]
    capture_method: Option<String>,
    /// Whether the shop has the gateway's token of an instrument; else the customer chooses on the
    /// gateway's page.
    #[param(default = false)]
    has_payment_method: Option<bool>,
}

/// Why a payment would go over a connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingExplanation)]
struct ExplanationView {
    /// Always `routing_explanation`.
    object: &'static str,
    /// The connection that would be used; null where none can.
    connection: Option<String>,
    /// The rule that decides; null where none fits.
    #[schema(value_type = Option<Object>)]
    rule: Option<serde_json::Value>,
    /// Every connection: the chosen one first, those that are out last, each with its reason.
    #[schema(value_type = Vec<Object>)]
    considered: Vec<Considered>,
}

impl From<Decision> for ExplanationView {
    fn from(decision: Decision) -> Self {
        Self {
            object: "routing_explanation",
            connection: decision.chosen().map(ToOwned::to_owned),
            rule: decision.rule.map(|(id, name)| serde_json::json!({ "id": id, "name": name })),
            considered: decision.considered,
        }
    }
}

/// Explain a route
///
/// Over which connection such a payment would go now, and why. Nothing is created.
#[utoipa::path(
    get,
    path = "/v1/routing/explain",
    operation_id = "explain_route",
    tag = "routing",
    params(ExplainQuery),
    responses((status = 200, description = "The decision", body = ExplanationView)),
)]
async fn explain(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<ExplainQuery>,
) -> Result<Json<ExplanationView>, Problem> {
    let currency = Currency::parse(&query.currency).map_err(|error| {
        Problem::new(Code::UnknownCurrency, error.to_string()).param("currency")
    })?;
    if query.amount < 1 {
        let problem = Problem::new(Code::InvalidAmount, "An amount is at least 1 minor unit.");
        return Err(problem.param("amount"));
    }
    let capture = query.capture_method.as_deref().unwrap_or("automatic");
    let capture: CaptureMethod = capture.parse().map_err(|_| {
        let detail = "`capture_method` is `automatic` or `manual`.";
        Problem::new(Code::InvalidParameter, detail).param("capture_method")
    })?;
    let want = Want {
        amount: Money::new(query.amount, currency),
        country: query.country.as_deref(),
        method: query.payment_method_type.as_deref(),
        capture,
        instrument: match query.has_payment_method {
            Some(true) => Instrument::Token,
            _ => Instrument::OnThePage,
        },
    };
    let (tenant, now) = (caller.tenant(), caller.now(&app));
    let rules = app.db.read("explain_route", tenant, |tx| {
        work(async move { store::rules_in_force(tx, tenant, now).await })
    });
    let decision = app.gateways.decide((tenant, None), &want, &rules.await?, &[], now);
    Ok(Json(decision.into()))
}
