//! The door: access tokens, who may come in, and what a request is.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::Error;
use super::time::iso;
use super::{UPPER, once, payment};
use crate::bank::record::{Document, Metadata};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::{Answer, Call};
use crate::bank::work::Work;
use crate::config::PayPalKeys;
use crate::fault::FaultPoint;
use crate::secret::same_secret;

/// How long an access token is good, in seconds.
const TOKEN_S: i64 = 32_400;
const TOKEN_CHARS: usize = 92;
const TOKEN_KIND: &str = "access_token";
const SCOPE: &str = "https://uri.paypal.com/services/payments/payment/authcapture \
                     https://uri.paypal.com/services/payments/refund \
                     https://uri.paypal.com/payments/payouts \
                     https://uri.paypal.com/services/disputes/read-seller \
                     https://uri.paypal.com/services/reporting/search/read \
                     https://uri.paypal.com/services/vault/payment-tokens/readwrite \
                     https://uri.paypal.com/services/applications/webhooks openid";

/// Under which a token is kept: nobody who reads the state can use it.
fn kept_as(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// `POST /v1/oauth2/token`.
pub fn token(work: &mut Work<'_>, request: &Request, keys: &PayPalKeys) -> Result<Answer, Error> {
    let known = request.basic().is_some_and(|(user, password)| {
        same_secret(&user, &keys.client_id) & same_secret(&password, &keys.client_secret)
    });
    if !known {
        return Err(Error::token(401, "invalid_client", "Client Authentication failed"));
    }
    let form = request.form();
    let grant = form.iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value);
    match grant.map(String::as_str) {
        Some("client_credentials") => {}
        None => return Err(Error::token(400, "invalid_request", "Grant Type is NULL")),
        Some(_) => {
            let text = "Grant Type is not supported";
            return Err(Error::token(400, "unsupported_grant_type", text));
        }
    }
    let token = format!("A21AA{}", work.new_text(UPPER, TOKEN_CHARS));
    let ends = work.now + TimeDelta::seconds(TOKEN_S);
    work.put(Document {
        id: kept_as(&token),
        kind: TOKEN_KIND.to_owned(),
        created: work.now,
        body: json!({ "ends": ends.timestamp() }),
    });
    let body = json!({
        "scope": SCOPE,
        "nonce": format!("{}{}", iso(work.now), kept_as(&token)),
        "access_token": token,
        "token_type": "Bearer",
        "app_id": "APP-80W284485P519543T",
        "expires_in": TOKEN_S,
    });
    Ok(Answer::json(200, &body))
}

/// Whether the request brings a token that was given out and is not too old.
fn has_token(work: &Work<'_>, request: &Request) -> bool {
    let Some(token) = request.bearer() else { return false };
    let kept = work.state.documents.get(&kept_as(token));
    let ends = kept.filter(|it| it.kind == TOKEN_KIND).and_then(|it| it.body["ends"].as_i64());
    ends.is_some_and(|ends| work.now.timestamp() < ends)
}

/// What needs no token: the token itself, certificates, and what only the simulator has.
fn is_open(request: &Request) -> bool {
    matches!(
        (request.verb(), request.segments().as_slice()),
        ("POST", ["v1", "oauth2", "token"])
            | ("GET", ["v1", "notifications", "certs", _] | ["_sim", "root.pem" | "settlement"])
    )
}

/// Whether the body is of a kind that the call takes.
fn is_readable(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    let takes_files = request.uri.path().ends_with("/provide-evidence");
    let is_json = kind.starts_with("application/json");
    let nothing = request.body.is_empty() && kind.is_empty();
    nothing || is_json || (takes_files && kind.starts_with("multipart/"))
}

/// Lets a request in.
pub fn enter(work: &Work<'_>, request: &Request) -> Result<Call, Error> {
    let point = point(request);
    if is_open(request) {
        return Ok(Call { point, ..Call::default() });
    }
    if !has_token(work, request) {
        return Err(Error::unauthorised());
    }
    if matches!(request.verb(), "POST" | "PATCH") && !is_readable(request) {
        return Err(Error::media_type());
    }
    let key = once::key(request)?;
    Ok(Call { point, metadata: matched(work.state, request), key })
}

/// Where a fault can strike a request.
fn point(request: &Request) -> Option<FaultPoint> {
    use FaultPoint as P;
    Some(match (request.verb(), request.segments().as_slice()) {
        (_, ["_sim", ..] | [_, "notifications", "certs", ..]) => return None,
        ("POST", ["v1", "oauth2", "token"]) | (_, ["v3", "vault", ..]) => P::Token,
        ("POST", ["v2", "checkout", "orders"]) => P::Create,
        ("POST", ["v2", _, _, _, "capture"]) => P::Capture,
        ("POST", ["v2", _, _, _, "authorize" | "reauthorize"]) => P::Confirm,
        ("POST", ["v2", _, _, _, "void"] | ["v1", "payments", "payouts-item", _, "cancel"]) => {
            P::Cancel
        }
        ("POST", ["v2", "payments", "captures", _, "refund"]) => P::Refund,
        ("POST", ["v1", "payments", "payouts"]) => P::Payout,
        ("GET", _) | ("POST", ["v1", "notifications", "verify-webhook-signature"]) => P::Retrieve,
        _ => return None,
    })
}

/// What a fault rule can match on: what the request names, and what it brings along.
fn matched(state: &State, request: &Request) -> Metadata {
    let mut matched = Metadata::new();
    for id in request.segments() {
        let of_refund = state.refunds.get(id).and_then(|it| state.payments.get(&it.payment));
        if let Some(order) = state.orders.get(id) {
            matched.extend(order.metadata.clone());
        } else if let Some(payment) = of_refund.or_else(|| state.payment(id)) {
            matched.extend(payment::matched(state, payment));
        }
        if let Some(payout) = state.payouts.get(id) {
            matched.extend(payout.metadata.clone());
        }
    }
    let Some(body) = request.json() else { return matched };
    let batch = &body["sender_batch_header"];
    for part in [&body, &body["purchase_units"][0], batch, &body["items"][0]] {
        for name in ["custom_id", "invoice_id", "reference_id", "sender_batch_id", "sender_item_id"]
        {
            let text = part.get(name).and_then(Value::as_str);
            matched.extend(text.map(|text| (name.to_owned(), text.to_owned())));
        }
    }
    matched
}
