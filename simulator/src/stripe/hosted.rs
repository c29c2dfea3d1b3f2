//! The page on which the buyer approves or declines a 3-D Secure challenge.
//!
//! Plain HTML without scripts. The form may only go to this page and on to the shop's return
//! address, which is why that address is in the content security policy.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::StripeGateway;
use super::amount::minor_per_major;
use super::charge::{self, Authentication};
use super::state::{Intent, IntentStatus};
use super::work::Work;

const STYLE: &str = include_str!("hosted.css");
const STYLE_PATH: &str = "/hosted/stripe/style.css";

pub fn router(gateway: Arc<StripeGateway>) -> Router {
    Router::new()
        .route("/hosted/stripe/3ds/{token}", get(show).post(decide))
        .route(STYLE_PATH, get(style))
        .with_state(gateway)
}

async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (headers, STYLE).into_response()
}

/// What the buyer pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Approve,
    Decline,
}

fn find(work: &Work<'_>, token: &str) -> Option<Intent> {
    let id = work.state.challenges.get(token)?;
    work.state.intents.get(id).cloned()
}

/// Whether this very challenge still waits for the buyer.
fn waits(intent: &Intent, token: &str) -> bool {
    let challenge = intent.challenge.as_ref();
    intent.status == IntentStatus::RequiresAction
        && challenge.is_some_and(|challenge| challenge.token == token)
}

async fn show(Shared(gateway): Shared<Arc<StripeGateway>>, Path(token): Path<String>) -> Response {
    let Ok(found) = gateway.transact(|work| find(work, &token)) else { return broken() };
    let Some(intent) = found else { return missing() };
    if waits(&intent, &token) {
        return page(StatusCode::OK, &question(&intent), intent.return_url.as_deref());
    }
    page(StatusCode::OK, &settled(&intent), None)
}

async fn decide(
    Shared(gateway): Shared<Arc<StripeGateway>>,
    Path(token): Path<String>,
    body: String,
) -> Response {
    let decision = match body.as_str() {
        "outcome=approve" => Decision::Approve,
        "outcome=decline" => Decision::Decline,
        _ => return page(StatusCode::BAD_REQUEST, "<h1>Choose one of the buttons.</h1>", None),
    };
    let outcome = gateway.transact(|work| {
        let intent = find(work, &token)?;
        if !waits(&intent, &token) {
            return Some(intent);
        }
        Some(match decision {
            Decision::Approve => charge::authorise(work, intent, Authentication::Passed),
            Decision::Decline => charge::fail_authentication(work, intent),
        })
    });
    match outcome {
        Err(_) => broken(),
        Ok(None) => missing(),
        Ok(Some(intent)) => send_back(&intent),
    }
}

/// On to the shop, which must ask the gateway what really happened.
fn send_back(intent: &Intent) -> Response {
    let target = intent.return_url.as_deref().and_then(|url| reqwest::Url::parse(url).ok());
    let Some(mut target) = target else {
        return page(StatusCode::OK, &settled(intent), None);
    };
    let paid = matches!(intent.status, IntentStatus::Succeeded | IntentStatus::RequiresCapture);
    target
        .query_pairs_mut()
        .append_pair("payment_intent", &intent.id)
        .append_pair("payment_intent_client_secret", &intent.client_secret)
        .append_pair("redirect_status", if paid { "succeeded" } else { "failed" });
    let mut response = page(StatusCode::SEE_OTHER, "<h1>Going back to the shop</h1>", None);
    if let Ok(location) = target.as_str().parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn question(intent: &Intent) -> String {
    let amount = readable(intent.amount, &intent.currency);
    let shown = intent.echoes.get("description").and_then(|text| text.as_str());
    let text = shown.map(|text| format!("<p>{}</p>", escape(text))).unwrap_or_default();
    format!(
        "<h1>Confirm your payment</h1>\n<p class=\"amount\">{amount}</p>\n{text}\n\
         <p class=\"hint\">This is the simulator's bank. No money moves.</p>\n\
         <form method=\"post\">\n\
         <button class=\"yes\" name=\"outcome\" value=\"approve\">Approve</button>\n\
         <button class=\"no\" name=\"outcome\" value=\"decline\">Decline</button>\n</form>"
    )
}

fn settled(intent: &Intent) -> String {
    let amount = readable(intent.amount, &intent.currency);
    let status = intent.status.word().replace('_', " ");
    format!("<h1>Nothing to confirm</h1>\n<p class=\"amount\">{amount}</p>\n<p>{status}</p>")
}

/// An amount as a buyer reads it.
fn readable(minor: i64, currency: &str) -> String {
    let per_major = minor_per_major(currency);
    let code = currency.to_ascii_uppercase();
    let (major, rest) = (minor / per_major, minor % per_major);
    match per_major {
        1 => format!("{major} {code}"),
        1000 => format!("{major}.{rest:03} {code}"),
        _ => format!("{major}.{rest:02} {code}"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn missing() -> Response {
    page(StatusCode::NOT_FOUND, "<h1>There is no such payment.</h1>", None)
}

fn broken() -> Response {
    page(StatusCode::INTERNAL_SERVER_ERROR, "<h1>The simulator cannot answer.</h1>", None)
}

fn page(status: StatusCode, body: &str, return_url: Option<&str>) -> Response {
    let back = return_url.and_then(|url| reqwest::Url::parse(url).ok());
    let back = back.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {back}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Confirm your payment</title>\n\
         <link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n</head>\n\
         <body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (status, headers, html).into_response()
}
