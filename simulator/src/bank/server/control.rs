//! What people and programs do to the account without a gateway: pay, dispute, return, settle.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use mizan_money::Currency;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Bank;
use crate::bank::book::{Entry, RowKind};
use crate::bank::cash::PayoutState;
use crate::bank::order::Choice;
use crate::bank::settlement::{self, Due};
use crate::bank::work::{Refusal, Work};
use crate::bank::{dispute, payout, refund};

pub fn router(bank: Arc<Bank>) -> Router {
    Router::new()
        .route("/_sim/payments/{name}/pay", post(pay))
        .route("/_sim/disputes", post(open_dispute))
        .route("/_sim/disputes/{id}/{action}", post(decide_dispute))
        .route("/_sim/payouts/{id}/{action}", post(turn_payout))
        .route("/_sim/refunds/{id}/bounce", post(bounce))
        .route("/_sim/settle", post(settle))
        .route("/_sim/topup", post(top_up))
        .with_state(bank)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// Runs it and shows the record as it is then.
fn run<T: Serialize>(
    bank: &Bank,
    act: impl FnOnce(&mut Work<'_>) -> Result<T, Refusal>,
) -> Response {
    match bank.transact(act) {
        Ok(Ok(record)) => Json(serde_json::to_value(record).unwrap_or_default()).into_response(),
        Ok(Err(Refusal::Missing)) => refuse(StatusCode::NOT_FOUND, "there is no such record"),
        Ok(Err(refusal)) => refuse(StatusCode::CONFLICT, &refusal.to_string()),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the journal cannot be written"),
    }
}

/// An empty body is an empty object.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    let bytes: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(bytes)
        .map_err(|refusal| Box::new(refuse(StatusCode::BAD_REQUEST, &refusal.to_string())))
}

/// `POST /_sim/payments/{name}/pay`: `{"outcome": "paid"}`. The name is the id of an order,
/// payment or capture, or the shop's reference.
async fn pay(Shared(bank): Shared<Arc<Bank>>, Path(name): Path<String>, body: Bytes) -> Response {
    let choice: Choice = match read(&body) {
        Ok(choice) => choice,
        Err(refusal) => return *refusal,
    };
    run(&bank, |work| {
        let order = work.state.order(&name).cloned().ok_or(Refusal::Missing)?;
        let wire = work.wire;
        wire.choose(work, &order, &choice)?;
        let order = work.state.orders.get(&order.id).cloned();
        let payment = order.as_ref().and_then(|order| work.state.payment(&order.id)).cloned();
        Ok(json!({ "order": order, "payment": payment }))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    payment: String,
    amount: Option<i64>,
    reason: Option<String>,
}

/// `POST /_sim/disputes`: `{"payment": .., "amount"?: .., "reason"?: ..}`.
async fn open_dispute(Shared(bank): Shared<Arc<Bank>>, body: Bytes) -> Response {
    let new: NewDispute = match read(&body) {
        Ok(new) => new,
        Err(refusal) => return *refusal,
    };
    let reason = new.reason.as_deref().unwrap_or("fraudulent");
    run(&bank, |work| dispute::open(work, &new.payment, new.amount, reason))
}

/// `POST /_sim/disputes/{id}/review`, `win`, `lose` or `close`.
async fn decide_dispute(
    Shared(bank): Shared<Arc<Bank>>,
    Path((id, action)): Path<(String, String)>,
) -> Response {
    run(&bank, |work| match action.as_str() {
        "review" => dispute::review(work, &id),
        "win" => dispute::win(work, &id),
        "lose" => dispute::lose(work, &id),
        "close" => dispute::give_up(work, &id),
        _ => Err(Refusal::Missing),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: Option<String>,
}

/// `POST /_sim/payouts/{id}/pay`, `return` or `fail`: `{"reason"?: ..}`. The id may be the
/// shop's reference.
async fn turn_payout(
    Shared(bank): Shared<Arc<Bank>>,
    Path((name, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let because: Because = match read(&body) {
        Ok(because) => because,
        Err(refusal) => return *refusal,
    };
    let reason = because.reason.as_deref().unwrap_or("beneficiary_bank_rejected");
    run(&bank, |work| {
        let named = |payout: &&crate::bank::cash::Payout| {
            payout.id == name || (!name.is_empty() && payout.reference == name)
        };
        let found = work.state.payouts.newest_first().find(named);
        let id = found.map(|payout| payout.id.clone()).ok_or(Refusal::Missing)?;
        match action.as_str() {
            "pay" => payout::turn(work, &id, PayoutState::Paid, None),
            "return" => payout::turn(work, &id, PayoutState::Returned, Some(reason)),
            "fail" => payout::turn(work, &id, PayoutState::Failed, Some(reason)),
            _ => Err(Refusal::Missing),
        }
    })
}

/// `POST /_sim/refunds/{id}/bounce`: `{"reason"?: ..}`.
async fn bounce(Shared(bank): Shared<Arc<Bank>>, Path(id): Path<String>, body: Bytes) -> Response {
    let because: Because = match read(&body) {
        Ok(because) => because,
        Err(refusal) => return *refusal,
    };
    let reason = because.reason.as_deref().unwrap_or("returned_by_bank");
    run(&bank, |work| refund::bounce(work, &id, reason))
}

/// `POST /_sim/settle`: everything that is in the processing balance, due or not.
async fn settle(Shared(bank): Shared<Arc<Bank>>) -> Response {
    run(&bank, |work| Ok(settlement::settle(work, Due::Everything)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopUp {
    amount: i64,
    currency: Currency,
}

/// `POST /_sim/topup`: `{"amount": .., "currency": ..}` for payouts; below zero takes money out.
async fn top_up(Shared(bank): Shared<Arc<Bank>>, body: Bytes) -> Response {
    let TopUp { amount, currency } = match read(&body) {
        Ok(top_up) => top_up,
        Err(refusal) => return *refusal,
    };
    run(&bank, |work| {
        work.payout_balance(currency);
        let book = work.wire.payout_book();
        work.post(Entry::new(RowKind::TopUp, currency, amount, "topup").book(book));
        payout::send_queued(work, currency);
        let balance: Value = work.payout_balance(currency).into();
        Ok(json!({ "balance": balance, "currency": currency }))
    })
}
