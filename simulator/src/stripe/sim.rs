//! What people do without a call of the API: banks dispute, and decide.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::StripeGateway;
use super::dispute::{self, NewDispute, Refusal, With};
use super::work::Work;

pub fn router(gateway: Arc<StripeGateway>) -> Router {
    Router::new()
        .route("/_sim/disputes", post(open))
        .route("/_sim/disputes/{id}/{action}", post(step))
        .with_state(gateway)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

fn run(
    gateway: &StripeGateway,
    act: impl FnOnce(&mut Work<'_>) -> Result<Value, Refusal>,
) -> Response {
    match gateway.transact(act) {
        Ok(Ok(record)) => Json(record).into_response(),
        Ok(Err(Refusal::Missing)) => refuse(StatusCode::NOT_FOUND, "there is no such record"),
        Ok(Err(Refusal::State(why))) => refuse(StatusCode::CONFLICT, &why),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the journal cannot be written"),
    }
}

/// An empty body is an empty object.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    let bytes: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(bytes)
        .map_err(|refusal| Box::new(refuse(StatusCode::BAD_REQUEST, &refusal.to_string())))
}

/// `POST /_sim/disputes`: `{"payment", "amount"?, "reason"?, "fee"?, "inquiry"?, "funds_later"?}`.
async fn open(Shared(gateway): Shared<Arc<StripeGateway>>, body: Bytes) -> Response {
    match read::<NewDispute>(&body) {
        Ok(new) => run(&gateway, |work| dispute::open(work, &new)),
        Err(refusal) => *refusal,
    }
}

/// `POST /_sim/disputes/{id}/{action}`: `win`, `lose`, `escalate`, `withdraw`, `close` or
/// `second_round`, with `{"fee"?}`.
async fn step(
    Shared(gateway): Shared<Arc<StripeGateway>>,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    match read::<With>(&body) {
        Ok(with) => run(&gateway, |work| dispute::step(work, &id, &action, &with)),
        Err(refusal) => *refusal,
    }
}
