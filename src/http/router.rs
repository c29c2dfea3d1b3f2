//! All routes on one page.

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router, middleware};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Code, Problem, envelope, health, in_flight, metrics, openapi, problem_pages};
use crate::app::App;
use crate::{
    affiliates, audit, auth, books, commissions, disputes, finance, inbox, orders, payments,
    payouts, routing, settings, trace, vendors, wallets,
};

/// The routes of the interface under `/v1`, all behind an API key: each handler takes a
/// [`Caller`](crate::auth::Caller).
fn api_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(payments::http::routes())
        .merge(orders::routes())
        .merge(settings::routes())
        .merge(disputes::routes())
        .merge(commissions::routes())
        .merge(vendors::routes())
        .merge(routing::routes())
        .merge(payouts::routes())
        .merge(books::http::routes())
        .merge(wallets::routes())
        .merge(affiliates::routes())
        .merge(finance::routes())
        .merge(trace::routes())
        .merge(auth::routes())
        .merge(audit::routes())
}

/// Every route that is described in `/openapi.json`.
pub(super) fn described_routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(api_routes())
        .merge(inbox::http::routes())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(problem_pages::list))
        .routes(routes!(problem_pages::page))
}

/// The whole interface, ready to be served.
pub fn router(app: App) -> Router {
    let (routes, _) = described_routes().split_for_parts();
    let description = openapi::openapi();
    envelop(routes.route("/openapi.json", get(async move || Json(description.clone()))), app)
}

/// Puts around the routes what every answer goes through.
fn envelop(routes: Router<App>, app: App) -> Router {
    routes
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.config.http.body_bytes_max))
        .layer(middleware::from_fn_with_state(app.clone(), in_flight::run))
        .layer(middleware::from_fn_with_state(app.clone(), envelope::wrap))
        .with_state(app)
}

async fn no_route() -> impl IntoResponse {
    Problem::new(Code::RouteNotFound, "This path leads nowhere; /openapi.json lists all.")
}

async fn wrong_method() -> impl IntoResponse {
    Problem::new(Code::MethodNotAllowed, "This path exists, but not with this method.")
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
