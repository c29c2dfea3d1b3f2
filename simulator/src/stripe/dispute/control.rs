//! What a buyer's bank does, for tests and people: `/_sim/disputes`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::record::Dispute;
use super::{Opening, Refused, Taken, Turn, open, show, turn};
use crate::stripe::StripeGateway;
use crate::stripe::work::Work;

pub fn router(gateway: Arc<StripeGateway>) -> Router {
    Router::new()
        .route("/_sim/disputes", post(open_dispute))
        .route("/_sim/disputes/{id}/{action}", post(decide))
        .with_state(gateway)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// Runs it and shows the dispute as it is then.
fn run(
    gateway: &StripeGateway,
    act: impl FnOnce(&mut Work<'_>) -> Result<Dispute, Refused>,
) -> Response {
    let done = gateway.transact(|work| {
        let dispute = act(work)?;
        Ok(show(work.state, &dispute, work.now))
    });
    match done {
        Ok(Ok(shown)) => Json(shown).into_response(),
        Ok(Err(Refused::Missing)) => refuse(StatusCode::NOT_FOUND, "there is no such record"),
        Ok(Err(Refused::Amount)) => refuse(StatusCode::CONFLICT, "nothing was captured"),
        Ok(Err(Refused::State(status))) => {
            refuse(StatusCode::CONFLICT, &format!("it is {}", status.word()))
        }
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the journal cannot be written"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    payment: String,
    amount: Option<i64>,
    reason: Option<String>,
    #[serde(default)]
    fee: u32,
    #[serde(default)]
    inquiry: bool,
    #[serde(default)]
    funds_later: bool,
}

/// `POST /_sim/disputes`.
async fn open_dispute(Shared(gateway): Shared<Arc<StripeGateway>>, body: Bytes) -> Response {
    let new: NewDispute = match serde_json::from_slice(&body) {
        Ok(new) => new,
        Err(refusal) => return refuse(StatusCode::BAD_REQUEST, &refusal.to_string()),
    };
    let opening = Opening {
        payment: new.payment,
        amount: new.amount,
        reason: new.reason.unwrap_or_else(|| "fraudulent".to_owned()),
        fee: new.fee.into(),
        taken: match (new.inquiry, new.funds_later) {
            (true, _) => Taken::Inquiry,
            (false, true) => Taken::Later,
            (false, false) => Taken::Now,
        },
    };
    run(&gateway, |work| open(work, opening))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeeText {
    #[serde(default)]
    fee: u32,
}

/// `POST /_sim/disputes/{id}/withdraw`, `escalate`, `review`, `win`, `lose`, `close` or
/// `second_round`: `{"fee"?: ..}`.
async fn decide(
    Shared(gateway): Shared<Arc<StripeGateway>>,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let FeeText { fee } = match body.is_empty() {
        true => FeeText::default(),
        false => match serde_json::from_slice(&body) {
            Ok(told) => told,
            Err(refusal) => return refuse(StatusCode::BAD_REQUEST, &refusal.to_string()),
        },
    };
    let next = match action.as_str() {
        "withdraw" => Turn::Withdraw,
        "escalate" => Turn::Escalate,
        "review" => Turn::Review,
        "win" => Turn::Win,
        "lose" => Turn::Lose,
        "close" => Turn::Close,
        "second_round" => Turn::SecondRound,
        _ => return refuse(StatusCode::NOT_FOUND, "there is nothing at this address"),
    };
    run(&gateway, |work| turn(work, &id, next, fee.into()))
}
