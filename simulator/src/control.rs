//! The control plane under `/_sim/`: fault plans, the state, the webhook queue.
//!
//! It is for tests, the demo and people; no gateway has it, so adapters must not use it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::{FaultEngine, FaultPlan};
use crate::journal::Broken;
use crate::running::Running;

const BODY_MAX: usize = 256 * 1024;
const SECRETS_MAX: usize = 5;

/// Everything that can be controlled.
#[derive(Clone)]
pub struct Plane {
    /// The gateway.
    pub gateway: Running,
    /// The plan at work.
    pub faults: Arc<Mutex<FaultEngine>>,
}

/// The routes.
pub fn router(plane: Plane) -> Router {
    Router::new()
        .route("/_sim/faults", post(replace_faults))
        .route("/_sim/fees", post(tell_fee))
        .route("/_sim/state", get(show_state))
        .route("/_sim/webhooks", get(list_webhooks))
        .route("/_sim/webhooks/endpoint", post(set_endpoint))
        .route("/_sim/webhooks/flush", post(flush))
        .route("/_sim/webhooks/{event_id}/resend", post(resend))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(plane)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

fn answer(outcome: Result<Value, Broken>) -> Response {
    match outcome {
        Ok(body) => Json(body).into_response(),
        Err(Broken) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the journal cannot be written"),
    }
}

/// `POST /_sim/faults`: a plan in JSON, or in TOML when the content type names it.
async fn replace_faults(State(plane): State<Plane>, headers: HeaderMap, body: String) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_toml = kind.is_some_and(|kind| kind.contains("toml"));
    let plan = if is_toml { FaultPlan::from_toml(&body) } else { FaultPlan::from_json(&body) };
    match plan {
        Err(refusal) => refuse(StatusCode::BAD_REQUEST, &refusal.to_string()),
        Ok(plan) => {
            let mut faults = plane.faults.lock().unwrap_or_else(PoisonError::into_inner);
            *faults = FaultEngine::new(&plan);
            Json(json!({ "plan": plan })).into_response()
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeeText {
    fee: u32,
    #[serde(default)]
    tax: u32,
}

/// `POST /_sim/fees`: `{"fee": .., "tax"?: ..}`, what it keeps for the next capture.
async fn tell_fee(State(plane): State<Plane>, body: Bytes) -> Response {
    let told: FeeText = match serde_json::from_slice(&body) {
        Ok(told) => told,
        Err(refusal) => return refuse(StatusCode::BAD_REQUEST, &refusal.to_string()),
    };
    plane.gateway.tell_fee(told.fee.into(), told.tax.into());
    StatusCode::NO_CONTENT.into_response()
}

/// `GET /_sim/state`.
async fn show_state(State(plane): State<Plane>) -> Response {
    answer(plane.gateway.snapshot().map(|state| json!({ plane.gateway.name(): state })))
}

/// `GET /_sim/webhooks`.
async fn list_webhooks(State(plane): State<Plane>) -> Response {
    answer(plane.gateway.deliveries().map(|rows| json!({ plane.gateway.name(): rows })))
}

/// `POST /_sim/webhooks/flush`.
async fn flush(State(plane): State<Plane>) -> Response {
    let attempts = plane.gateway.deliver_due().await;
    Json(json!({ "attempts": attempts })).into_response()
}

/// `POST /_sim/webhooks/{event_id}/resend`.
async fn resend(State(plane): State<Plane>, Path(event_id): Path<String>) -> Response {
    match plane.gateway.resend(&event_id) {
        Err(broken) => answer(Err(broken)),
        Ok(None) => refuse(StatusCode::NOT_FOUND, "there is no such event"),
        Ok(Some(())) => {
            let attempts = plane.gateway.deliver_due().await;
            Json(json!({ "attempts": attempts })).into_response()
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointText {
    url: Option<String>,
    secrets: Option<Vec<String>>,
}

/// `POST /_sim/webhooks/endpoint`: `{"url": .., "secrets": [..]}`, newest secret first.
async fn set_endpoint(State(plane): State<Plane>, body: Bytes) -> Response {
    let endpoint: EndpointText = match serde_json::from_slice(&body) {
        Ok(endpoint) => endpoint,
        Err(refusal) => return refuse(StatusCode::BAD_REQUEST, &refusal.to_string()),
    };
    let count = endpoint.secrets.as_ref().map_or(1, Vec::len);
    if !(1..=SECRETS_MAX).contains(&count) {
        return refuse(StatusCode::BAD_REQUEST, "an endpoint has 1 to 5 active secrets");
    }
    plane.gateway.set_endpoint(endpoint.url, endpoint.secrets);
    StatusCode::NO_CONTENT.into_response()
}
