//! Disputes: listed, read, accepted, and answered with evidence.
//!
//! An unauthorised payment is a claim from the start; everything else begins as an inquiry.
//! Money moves when it is lost; until then it is withheld on the balance.

use mizan_money::Timestamp;
use serde_json::{Value, json};

use super::amount::money;
use super::error::Error;
use super::time::{days, iso_millis, read};
use super::view::{MERCHANT, View, compact};
use crate::bank::cash::{Dispute, DisputeState};
use crate::bank::dispute as core;
use crate::bank::request::Request;
use crate::bank::wire::Answer;
use crate::bank::work::Work;

const ANSWER_DAYS: i64 = 20;
const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 50;
const DEFAULT_REASON: &str = "fraudulent";

/// The reason in PayPal's words.
fn reason(dispute: &Dispute) -> &str {
    if dispute.reason == DEFAULT_REASON { "UNAUTHORISED" } else { &dispute.reason }
}

fn is_claim(dispute: &Dispute) -> bool {
    dispute.state != DisputeState::Open || reason(dispute) == "UNAUTHORISED"
}

fn updated(dispute: &Dispute) -> Timestamp {
    dispute.wire["updated"].as_str().and_then(read).unwrap_or(dispute.created)
}

/// Notes that something happened to it.
pub fn touch(work: &mut Work<'_>, id: &str) {
    if let Some(mut dispute) = work.state.disputes.get(id).cloned() {
        dispute.wire = json!({ "updated": iso_millis(work.now) });
        work.put(dispute);
    }
}

/// A dispute as it is listed.
fn listed(view: &View<'_>, dispute: &Dispute) -> Value {
    let currency = view.state.payments.get(&dispute.payment).map(|payment| payment.currency);
    let status = match dispute.state {
        DisputeState::Open if is_claim(dispute) => "WAITING_FOR_SELLER_RESPONSE",
        DisputeState::Open => "OPEN",
        DisputeState::UnderReview => "UNDER_REVIEW",
        DisputeState::Won | DisputeState::Lost | DisputeState::Closed => "RESOLVED",
    };
    let state = match status {
        "WAITING_FOR_SELLER_RESPONSE" => "REQUIRED_ACTION",
        "OPEN" => "OPEN_INQUIRIES",
        "UNDER_REVIEW" => "UNDER_PAYPAL_REVIEW",
        _ => "RESOLVED",
    };
    let path = format!("/v1/customer/disputes/{}", dispute.id);
    json!({
        "dispute_id": dispute.id,
        "create_time": iso_millis(dispute.created),
        "update_time": iso_millis(updated(dispute)),
        "status": status,
        "reason": reason(dispute),
        "dispute_state": state,
        "dispute_life_cycle_stage": if is_claim(dispute) { "CHARGEBACK" } else { "INQUIRY" },
        "dispute_channel": "INTERNAL",
        "dispute_amount": currency.map(|currency| money(dispute.amount, currency)),
        "links": [view.link("self", "GET", &path)],
    })
}

/// A dispute with all that is known.
pub fn show(view: &View<'_>, dispute: &Dispute) -> Value {
    let mut body = listed(view, dispute);
    let payment = view.state.payments.get(&dispute.payment);
    let capture = view.state.captures_of(&dispute.payment).next();
    let seller = capture.map_or(dispute.payment.as_str(), |capture| &capture.id);
    body["disputed_transactions"] = json!([compact(json!({
        "seller_transaction_id": seller,
        "create_time": capture.map(|capture| iso_millis(capture.created)),
        "gross_amount": payment.map(|payment| money(payment.captured, payment.currency)),
        "seller": { "merchant_id": MERCHANT, "name": "Test Store" },
        "custom": payment.map(|payment| payment.reference.clone()),
        "items": [],
        "seller_protection_eligible": true,
    }))]);
    if is_claim(dispute) {
        let due = dispute.created + days(ANSWER_DAYS);
        body["seller_response_due_date"] = iso_millis(due).into();
    }
    let outcome = match dispute.state {
        DisputeState::Won => json!({ "outcome_code": "RESOLVED_SELLER_FAVOUR" }),
        DisputeState::Closed => json!({ "outcome_code": "CANCELED_BY_BUYER" }),
        DisputeState::Lost => json!({
            "outcome_code": "RESOLVED_BUYER_FAVOUR", "amount_refunded": body["dispute_amount"],
        }),
        _ => Value::Null,
    };
    if dispute.state == DisputeState::Lost {
        body["money_movements"] = json!([{
            "affected_party": "SELLER",
            "amount": body["dispute_amount"],
            "initiated_time": body["update_time"],
            "type": "DEBIT",
            "reason": "DISPUTE_SETTLEMENT",
        }]);
    }
    body["dispute_outcome"] = outcome;
    let mut links = body["links"].as_array().cloned().unwrap_or_default();
    if !dispute.state.is_closed() {
        for rel in ["accept-claim", "provide-evidence"] {
            let path = format!("/v1/customer/disputes/{}/{rel}", dispute.id);
            links.push(view.link(&rel.replace('-', "_"), "POST", &path));
        }
    }
    body["links"] = Value::Array(links);
    compact(body)
}

/// `GET /v1/customer/disputes`: newest first, by pages.
pub fn list(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let time = |name: &str| match request.query_value(name) {
        None => Ok(None),
        Some(text) => read(&text).map(Some).ok_or_else(|| Error::unknown_value(name)),
    };
    let (start, after) = (time("start_time")?, time("update_time_after")?);
    let before = time("update_time_before")?;
    let of = request.query_value("disputed_transaction_id");
    let state = request.query_value("dispute_state");
    let number = |name: &str, default: usize| match request.query_value(name) {
        None => Ok(default),
        Some(text) => text.parse::<usize>().map_err(|_| Error::unknown_value(name)),
    };
    let size = number("page_size", PAGE_DEFAULT)?;
    if !(1..=PAGE_MAX).contains(&size) {
        return Err(Error::unknown_value("page_size"));
    }
    let skip = number("next_page_token", 0)?;
    let view = View::of(work);
    let fits = |dispute: &&Dispute| {
        start.is_none_or(|start| dispute.created >= start)
            && after.is_none_or(|after| updated(dispute) >= after)
            && before.is_none_or(|before| updated(dispute) <= before)
            && of.as_ref().is_none_or(|of| {
                view.state.captures_of(&dispute.payment).any(|capture| capture.id == *of)
            })
    };
    let disputes = work.state.disputes.newest_first().filter(fits);
    let listed = disputes.map(|dispute| listed(&view, dispute));
    let listed: Vec<_> = listed
        .filter(|it| state.as_ref().is_none_or(|state| it["dispute_state"] == **state))
        .collect();
    let page: Vec<_> = listed.iter().skip(skip).take(size).cloned().collect();
    let path = "/v1/customer/disputes";
    let mut links = vec![view.link("self", "GET", path), view.link("first", "GET", path)];
    if skip + page.len() < listed.len() {
        let next = format!("{path}?page_size={size}&next_page_token={}", skip + size);
        links.push(view.link("next", "GET", &next));
    }
    Ok(Answer::json(200, &json!({ "items": page, "links": links })))
}

/// `GET /v1/customer/disputes/{id}`.
pub fn get(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let dispute = work.state.disputes.get(id).ok_or_else(Error::missing)?;
    Ok(Answer::json(200, &show(&View::of(work), dispute)))
}

fn done(work: &Work<'_>, id: &str) -> Answer {
    let path = format!("/v1/customer/disputes/{id}");
    Answer::json(200, &json!({ "links": [View::of(work).link("self", "GET", &path)] }))
}

fn not_allowed() -> Error {
    let text = "The requested action is not allowed in the current state of the dispute.";
    Error::issue("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", text)
}

/// `POST /v1/customer/disputes/{id}/accept-claim`: the shop gives in.
pub fn accept(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    work.state.disputes.get(id).ok_or_else(Error::missing)?;
    core::lose(work, id).map_err(|_| not_allowed())?;
    Ok(done(work, id))
}

/// `POST /v1/customer/disputes/{id}/provide-evidence`: JSON, or files with it.
pub fn provide(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Answer, Error> {
    work.state.disputes.get(id).ok_or_else(Error::missing)?;
    if !String::from_utf8_lossy(&request.body).contains("\"evidence") {
        return Err(Error::missing_field("/evidences"));
    }
    core::review(work, id).map_err(|_| not_allowed())?;
    Ok(done(work, id))
}
