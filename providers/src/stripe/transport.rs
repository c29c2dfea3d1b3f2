//! async-stripe's typed requests, and forms of our own where it is not used, as plain ones with
//! Stripe's headers.

use stripe_client_core::{StripeMethod, StripeRequest};

use crate::error::BuildError;
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
    let query = built.query.filter(|query| !query.is_empty());
    let body = built.body.map_or(Body::Empty, |form| Body::Form(in_order(&form)));
    let path = format!("/v1{}", built.path);
    let account = access.account.as_deref();
    HttpRequest { query, body, ..bare(access, account, method, path, key) }
}

/// A call in pairs, for what async-stripe is not built with.
pub(super) struct Call {
    method: Method,
    path: String,
    account: Option<String>,
    pairs: Vec<(String, String)>,
}

impl Call {
    /// Reads; the pairs go into the query.
    pub(super) const fn get(path: String) -> Self {
        Self { method: Method::Get, path, account: None, pairs: Vec::new() }
    }

    /// Writes; the pairs go into the form.
    pub(super) const fn post(path: String) -> Self {
        Self { method: Method::Post, path, account: None, pairs: Vec::new() }
    }

    /// One more pair.
    pub(super) fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.pairs.push((name.into(), value.to_string()));
        self
    }

    /// A pair of metadata.
    pub(super) fn note(self, key: &str, value: impl ToString) -> Self {
        self.with(format!("metadata[{key}]"), value)
    }

    /// On a connected account, whatever the connection's own is.
    pub(super) fn on(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// The request, its pairs in alphabetical order.
    pub(super) fn request(
        mut self,
        access: &Access,
        key: &IdempotencyKey,
    ) -> Result<HttpRequest, BuildError> {
        self.pairs.sort_unstable();
        let problem = "it cannot be encoded";
        let encoded = serde_urlencoded::to_string(&self.pairs)
            .map_err(|_| BuildError::Field { field: "body", problem })?;
        let account = self.account.as_deref().or(access.account.as_deref());
        let bare = bare(access, account, self.method, self.path, key);
        Ok(match self.method {
            _ if encoded.is_empty() => bare,
            Method::Get => HttpRequest { query: Some(encoded), ..bare },
            _ => HttpRequest { body: Body::Form(encoded), ..bare },
        })
    }
}

fn bare(
    access: &Access,
    account: Option<&str>,
    method: Method,
    path: String,
    key: &IdempotencyKey,
) -> HttpRequest {
    let mut headers = Headers::new().with("Stripe-Version", API_VERSION);
    if let Some(account) = account {
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
        path,
        query: None,
        headers,
        auth: Auth::Bearer(access.secret_key.clone()),
        body: Body::Empty,
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
