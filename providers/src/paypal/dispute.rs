//! Disputes: read, listed and answered.
//!
//! A lost dispute is paid by us or by PayPal, so that no outcome moves money: its movements do,
//! those of the seller. PayPal gives them no id, and its own samples have one of ten times the
//! dispute: what does not fit is told as unclear and not as rows.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use mizan_money::Money;
use serde_json::{Value, json};

use crate::dispute::{ContestDispute, DisputePage, ListDisputes};
use crate::error::BuildError;
use crate::event::{DisputeEvent, FundsMovement};
use crate::http::Body;
use crate::model::{DisputeStatus, ProviderFee, ProviderRef};
use crate::paypal::facts::{FactError, id, payment_id, positive};
use crate::paypal::{status, wire};

/// Most disputes of one page.
const PAGE_SIZE: &str = "50";
/// What is said with an acceptance, which wants a note.
pub(super) const ACCEPTED: &str = "accepted";

/// A dispute's facts. The transaction it names is our capture.
pub(super) fn dispute(it: &wire::Dispute) -> Result<DisputeEvent, FactError> {
    let of = it.disputed_transactions.first();
    let capture = of.and_then(|it| it.seller_transaction_id.as_deref());
    let capture = capture.map(|text| id("seller_transaction_id", text)).transpose()?;
    let outcome = it.dispute_outcome.as_ref().and_then(|it| it.outcome_code.as_deref());
    let stage = it.dispute_life_cycle_stage.as_deref();
    let due = it.seller_response_due_date.as_deref();
    let status = status::dispute(&it.status, stage, outcome);
    let amount = positive(&it.dispute_amount)?;
    let (rows, unclear) = match moved(it, status, amount) {
        Ok(rows) => (rows, None),
        Err(unclear) => (Vec::new(), Some(unclear)),
    };
    Ok(DisputeEvent {
        provider_ref: id("dispute_id", &it.dispute_id)?,
        status,
        status_word: wire::word(
            &outcome
                .map_or_else(|| it.status.clone(), |outcome| format!("{}: {outcome}", it.status)),
        ),
        amount,
        payment_ref: capture.clone(),
        charge_ref: capture,
        reason: it.reason.as_deref().map(wire::word),
        evidence_due_by: due.and_then(wire::time),
        funds: FundsMovement::None,
        rows,
        reference: of.and_then(|it| payment_id(it.custom.as_deref(), it.invoice_number.as_deref())),
        changed_at: it.update_time.as_deref().and_then(wire::time),
        unclear,
    })
}

/// What the dispute moved of our balance so far, or why that cannot be said.
///
/// What the buyer or PayPal gave or got is none of ours. All of ours is in the dispute's currency,
/// and of the disputed amount no more than that is gone at any time.
fn moved(
    it: &wire::Dispute,
    status: DisputeStatus,
    disputed: Money,
) -> Result<Vec<ProviderFee>, String> {
    let id = &it.dispute_id;
    let Some(movements) = &it.money_movements else {
        return match status {
            DisputeStatus::Lost => {
                Err(format!("{id} is lost, and PayPal does not say whose money"))
            }
            _ => Ok(Vec::new()),
        };
    };
    let (mut rows, mut gone): (Vec<ProviderFee>, i64) = (Vec::new(), 0);
    for movement in movements {
        match movement.affected_party.as_deref() {
            Some("SELLER") => {}
            Some(_) => continue,
            None => return Err(format!("{id} moved money, and PayPal does not say whose")),
        }
        let row = row(movement, disputed).map_err(|why| format!("{id}: {why}"))?;
        gone = gone.saturating_sub(row.gross.minor());
        // Twice the same is two movements; which of them is told first makes no difference.
        let alike = rows.iter().filter(|it| is_like(it, &row)).count();
        let name = format!("{}:{}", row.balance_transaction, alike + 1);
        let balance_transaction = ProviderRef::parse(name).map_err(|why| format!("{id}: {why}"))?;
        rows.push(ProviderFee { balance_transaction, ..row });
    }
    match (0..=disputed.minor()).contains(&gone) {
        true => Ok(rows),
        false => {
            let gone = Money::new(gone, disputed.currency());
            Err(format!("{id} is about {disputed}, and PayPal says that {gone} moved"))
        }
    }
}

/// Whether rows are of movements that PayPal tells in the same words.
fn is_like(known: &ProviderFee, new: &ProviderFee) -> bool {
    let of = known.balance_transaction.as_str().rsplit_once(':');
    of.is_some_and(|(name, _)| name == new.balance_transaction.as_str())
}

/// A movement of ours as a row of the balance, named by all that PayPal says of it.
fn row(it: &wire::Movement, disputed: Money) -> Result<ProviderFee, String> {
    let amount = it.amount.as_ref().ok_or("something that is no money moved")?;
    let amount = positive(amount).map_err(|error| error.to_string())?;
    if amount.currency() != disputed.currency() {
        return Err(format!("{amount} moved, and it is about {disputed}"));
    }
    let side = it.side.as_deref().unwrap_or_default();
    let less = Money::new(-amount.minor(), amount.currency());
    let net = match side {
        "DEBIT" => less,
        "CREDIT" => amount,
        _ => return Err(format!("{amount} moved, and PayPal does not say where")),
    };
    let zero = Money::zero(amount.currency());
    let reason = it.reason.as_deref().unwrap_or_default();
    let (gross, fee) = match reason {
        "DISPUTE_SETTLEMENT" => (net, zero),
        "DISPUTE_SETTLEMENT_FEE" | "DISPUTE_FEE" | "CHARGEBACK_FEE" => {
            (zero, Money::new(-net.minor(), net.currency()))
        }
        _ => return Err(format!("{amount} moved for a reason that is not known: {reason}")),
    };
    let at =
        it.initiated_time.as_deref().and_then(wire::time).map_or(0, |at| at.timestamp_millis());
    let name = format!("{reason}:{side}:{at}:{}", amount.minor());
    let balance_transaction = ProviderRef::parse(name).map_err(|error| error.to_string())?;
    Ok(ProviderFee { gross, fee, tax: zero, net, balance_transaction })
}

/// A page of disputes. Of the link to the next page only its token is used.
pub(super) fn page(it: &wire::Disputes) -> Result<DisputePage, FactError> {
    let disputes = it.items.iter().map(dispute).collect::<Result<_, _>>()?;
    let token = |href: &str| -> Option<String> {
        let query = href.split_once('?')?.1;
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
        pairs.into_iter().find(|(name, _)| name == "next_page_token").map(|(_, token)| token)
    };
    let next = wire::link(&it.links, "next")
        .map(|href| token(href).ok_or(FactError::Missing { field: "next_page_token" }));
    Ok(DisputePage { disputes, next: next.transpose()? })
}

/// The query of a page.
pub(super) fn query(it: &ListDisputes) -> Result<String, BuildError> {
    let since = it.since.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut pairs = vec![("page_size", PAGE_SIZE), ("start_time", &since)];
    if let Some(token) = &it.page {
        pairs.push(("next_page_token", token));
    }
    serde_urlencoded::to_string(pairs)
        .map_err(|_| BuildError::Field { field: "page", problem: "it cannot be encoded" })
}

/// The evidence as PayPal wants it: a form in parts, of which we send the first, the words.
///
/// # Errors
/// When a field is none of those, or there is nothing to say.
pub(super) fn evidence(it: &ContestDispute) -> Result<Body, BuildError> {
    let refuse = |problem| BuildError::Field { field: "evidence", problem };
    let known = ["evidence_type", "notes", "carrier_name", "tracking_number", "refund_id"];
    if it.evidence.keys().any(|key| !known.contains(&key.as_str())) {
        let problem = "it takes evidence_type, notes, carrier_name, tracking_number, refund_id; \
                       files are added in PayPal's Resolution Centre";
        return Err(refuse(problem));
    }
    let get = |key: &str| it.evidence.get(key).filter(|text| !text.is_empty());
    let mut proof = BTreeMap::from([(
        "evidence_type",
        json!(get("evidence_type").map_or("OTHER", String::as_str)),
    )]);
    let mut info = serde_json::Map::new();
    match (get("carrier_name"), get("tracking_number")) {
        (Some(carrier), Some(number)) => {
            let tracking = json!([{"carrier_name": carrier, "tracking_number": number}]);
            info.insert("tracking_info".to_owned(), tracking);
        }
        (None, None) => {}
        _ => return Err(refuse("a carrier and a tracking number belong together")),
    }
    if let Some(refund) = get("refund_id") {
        info.insert("refund_ids".to_owned(), json!([{"refund_id": refund}]));
    }
    if let Some(notes) = get("notes") {
        if notes.chars().count() > 2000 {
            return Err(refuse("notes have at most 2000 characters"));
        }
        proof.insert("notes", json!(notes));
    }
    if !info.is_empty() {
        proof.insert("evidence_info", Value::Object(info));
    }
    if proof.len() < 2 {
        return Err(refuse("say something: notes, a tracking number or a refund"));
    }
    parts(&json!({"evidences": [proof]}))
        .ok_or_else(|| refuse("it holds the boundary of its parts"))
}

fn parts(input: &Value) -> Option<Body> {
    let (text, boundary) = (input.to_string(), Body::BOUNDARY);
    (!text.contains(boundary)).then(|| {
        Body::Multipart(format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"input\"\r\n\
             Content-Type: application/json\r\n\r\n{text}\r\n--{boundary}--\r\n"
        ))
    })
}

/// Whether an answer to an action is about this dispute: it holds nothing but links.
pub(super) fn is_about(links: &[wire::Link], dispute: &ProviderRef) -> bool {
    let ends = |href: &str| {
        href.split(['?', '#']).next().and_then(|path| path.rsplit('/').next())
            == Some(dispute.as_str())
    };
    links.iter().any(|link| ends(&link.href))
}
