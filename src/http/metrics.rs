//! The figures of the service, for Prometheus.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::app::App;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Figures for Prometheus
///
/// When the books were last proved and what came of it, and how much shares a commit. In the
/// OpenMetrics text format; of a tenant it tells the number only.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    security(()),
    responses((
        status = 200,
        description = "One line per figure",
        body = String,
        content_type = "application/openmetrics-text",
    )),
)]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPEN_METRICS)], app.metrics.text())
}
