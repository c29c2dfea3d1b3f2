//! Money for transfers, for tests and people: `/_sim/topup`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use mizan_money::Currency;
use serde::Deserialize;
use serde_json::json;

use crate::stripe::StripeGateway;

pub fn router(gateway: Arc<StripeGateway>) -> Router {
    Router::new().route("/_sim/topup", post(top_up)).with_state(gateway)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopUp {
    amount: i64,
    currency: Currency,
}

/// `POST /_sim/topup`: `{"amount": .., "currency": ..}`; below zero takes money out.
async fn top_up(Shared(gateway): Shared<Arc<StripeGateway>>, body: Bytes) -> Response {
    let TopUp { amount, currency } = match serde_json::from_slice(&body) {
        Ok(top_up) => top_up,
        Err(refusal) => return refuse(StatusCode::BAD_REQUEST, &refusal.to_string()),
    };
    let code = currency.code().to_ascii_lowercase();
    match gateway.transact(|work| super::top_up(work, amount, &code)) {
        Ok(balance) => Json(balance).into_response(),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the journal cannot be written"),
    }
}
