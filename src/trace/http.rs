//! The route of a trace.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Trace, trace};
use crate::app::App;
use crate::auth::Caller;
use crate::http::{ApiPath, Problem};

/// The route of a trace.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(retrieve_trace))
}

/// Trace a thing
///
/// From any id to everything that belongs to its chain, in both directions: the order, what the
/// gateway was asked and told, what was booked, refunds, the payouts that itemise it, the debts
/// that a later order paid.
#[utoipa::path(
    get,
    path = "/v1/trace/{id}",
    operation_id = "retrieve_trace",
    tag = "trace",
    params((
        "id" = String,
        Path,
        description = "Any id of ours, a gateway's own reference, your order, or `vendor:ID`, \
                       `affiliate:ID`, `customer:ID`",
    )),
    responses((status = 200, description = "The chain", body = Trace)),
)]
async fn retrieve_trace(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<Trace>, Problem> {
    Ok(Json(trace(&app.db, caller.tenant(), &id).await?))
}
