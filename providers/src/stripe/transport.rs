//! async-stripe's typed requests as our plain ones, with Stripe's headers.

use stripe_client_core::{StripeMethod, StripeRequest};

use crate::http::{Auth, Body, Headers, HttpRequest, Method, Prior, Replay};
use crate::model::IdempotencyKey;
use crate::stripe::adapter::Access;

/// The shape of the answers this adapter reads; webhooks follow the endpoint's own setting.
pub(super) const API_VERSION: &str = "2026-06-24.dahlia";

/// Turns a typed request into data. Every write carries our key; reads need none.
pub(super) fn request(
    access: &Access,
    typed: &impl StripeRequest,
    key: &IdempotencyKey,
) -> HttpRequest {
    let built = typed.build();
    let method = match built.method {
        StripeMethod::Get => Method::Get,
        StripeMethod::Post => Method::Post,
        StripeMethod::Delete => Method::Delete,
    };
    let mut headers = Headers::new().with("Stripe-Version", API_VERSION);
    if let Some(account) = &access.account {
        headers.push("Stripe-Account", account);
    }
    let replay = match method {
        Method::Get => Replay::Query,
        _ => {
            headers.push("Idempotency-Key", key.as_str());
            Replay::Keyed
        }
    };
    HttpRequest {
        method,
        path: format!("/v1{}", built.path),
        query: built.query.filter(|query| !query.is_empty()),
        headers,
        auth: Auth::Bearer(access.secret_key.clone()),
        body: built.body.map_or(Body::Empty, |form| Body::Form(in_order(&form))),
        replay,
        prior: Prior::None,
        retry_header: Some("Stripe-Should-Retry"),
    }
}

/// The same pairs in alphabetical order: maps come out in any order, and the same operation must
/// always have the same fingerprint.
fn in_order(form: &str) -> String {
    let mut pairs: Vec<&str> = form.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}
