//! The client against servers that behave badly: bounded, honest about what may have happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mizan_providers::{
    CaptureMethod, ClientConfig, GatewayClient, HttpAnswer, HttpRequest, Operation, Outcome, Prior,
    Provider, Replay, SendError,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::shop::{KEY_TEXT, PI, create, key, money, our_payment, stripe, sync};

type Script = fn(usize) -> Response;

#[derive(Clone)]
struct Served {
    script: Script,
    calls: Arc<AtomicUsize>,
}

/// A server that answers its n-th call by the script; returns its address and call counter.
async fn serve(script: Script) -> (String, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let state = Served { script, calls: Arc::clone(&calls) };
    let app = Router::new().fallback(answer).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, calls)
}

async fn answer(State(served): State<Served>, request: Request) -> Response {
    let bearer = request.headers().get("authorization").unwrap().to_str().unwrap();
    assert_eq!(bearer, format!("Bearer {KEY_TEXT}"));
    let response = (served.script)(served.calls.fetch_add(1, Ordering::SeqCst) + 1);
    if response.headers().contains_key("x-never") {
        std::future::pending::<()>().await;
    }
    response
}

/// A server that reads a request, writes these bytes, and hangs up.
async fn hang_up(bytes: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0_u8; 4096];
            let _ = socket.read(&mut buffer).await;
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = socket.write_all(bytes).await;
        }
    });
    (url, calls)
}

fn client(url: &str) -> GatewayClient {
    let config = ClientConfig {
        connect_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_secs(5),
        max_body_bytes: 4096,
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(20),
        ..ClientConfig::new(url)
    };
    GatewayClient::new(config).unwrap()
}

fn sale() -> Operation {
    Operation::Create(create(money(25_000, "AED"), CaptureMethod::Automatic))
}

fn request() -> HttpRequest {
    stripe().build(&sale(), &key()).unwrap()
}

async fn outcome(url: &str) -> (Outcome, usize) {
    let (outcome, archive) = client(url).execute(&stripe(), &sale(), &request()).await;
    (outcome, archive.attempts.len())
}

fn paid() -> Response {
    let body = json!({
        "id": PI, "object": "payment_intent", "status": "succeeded", "amount": 25000,
        "amount_received": 25000, "currency": "aed", "client_secret": "pi_1_secret_abc",
        "metadata": {"mizan_payment_intent": our_payment(), "card": "4242424242424242"},
    });
    ([("content-type", "application/json"), ("request-id", "req_1")], body.to_string())
        .into_response()
}

fn failed(status: u16, headers: &[(&'static str, &'static str)]) -> Response {
    let body = json!({"error": {"type": "invalid_request_error", "code": "rate_limit"}});
    let mut response = (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

fn unknown_code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unknown(it) => it.why.code(),
        other => other.as_str(),
    }
}

#[tokio::test]
async fn a_good_answer_is_done_and_its_archive_holds_no_secret() {
    let (url, _) = serve(|_| paid()).await;
    let (outcome, archive) = client(&url).execute(&stripe(), &sale(), &request()).await;
    let Outcome::Done(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.request_id.as_deref(), Some("req_1"));
    let kept = serde_json::to_string(&archive).unwrap();
    for secret in [KEY_TEXT, "secret_abc", "4242424242424242", "Bearer"] {
        assert!(!kept.contains(secret), "{kept}");
    }
    assert!(kept.contains("op_0001") && kept.contains("amount=25000") && kept.contains("req_1"));
}

#[tokio::test]
async fn a_refused_connection_is_certainly_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (outcome, attempts) = outcome(&url).await;
    let Outcome::Rejected(it) = &outcome else { panic!("{outcome:?}") };
    assert_eq!((it.code.as_str(), attempts), ("not_sent", 3));
    assert!(outcome.allows_another_gateway());
}

#[tokio::test]
async fn a_connection_dropped_after_the_request_is_unknown_after_three_attempts() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"] {
        let (url, calls) = hang_up(bytes).await;
        let (outcome, attempts) = outcome(&url).await;
        assert_eq!(unknown_code(&outcome), "no_answer");
        assert_eq!((attempts, calls.load(Ordering::SeqCst)), (3, 3));
    }
}

#[tokio::test]
async fn what_carries_no_key_is_never_sent_twice() {
    let (url, calls) = hang_up(b"").await;
    let once = HttpRequest { replay: Replay::Once, ..request() };
    let exchange = client(&url).send(&once).await;
    assert!(matches!(exchange.result, Err(SendError::Broken { .. })));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn silence_ends_with_the_total_limit_and_is_unknown() {
    let (url, calls) = serve(|_| failed(200, &[("x-never", "1")])).await;
    let config =
        ClientConfig { total_timeout: Duration::from_millis(100), ..ClientConfig::new(&url) };
    let quick = GatewayClient::new(config).unwrap();
    let (outcome, archive) = quick.execute(&stripe(), &sale(), &request()).await;
    assert_eq!(unknown_code(&outcome), "no_answer");
    assert_eq!(archive.attempts[0].problem.as_deref(), Some("no answer within 100 ms"));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_error_is_repeated_with_the_same_key_and_then_believed() {
    let (url, calls) = serve(|n| if n < 3 { failed(500, &[]) } else { paid() }).await;
    let (outcome, _) = outcome(&url).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn server_errors_to_the_end_are_unknown() {
    let (url, calls) = serve(|_| failed(503, &[])).await;
    let (outcome, _) = outcome(&url).await;
    assert_eq!(unknown_code(&outcome), "server_error");
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_limit_after_a_lost_answer_stays_unknown_but_alone_it_is_a_rejection() {
    let (url, _) = serve(|n| failed(if n == 1 { 500 } else { 429 }, &[])).await;
    assert_eq!(unknown_code(&outcome(&url).await.0), "after_earlier_attempt");
    let (url, _) = serve(|_| failed(429, &[])).await;
    assert_eq!(unknown_code(&outcome(&url).await.0), "rejected");
}

#[tokio::test]
async fn an_operation_known_to_be_unknown_stays_so_after_a_refusal() {
    let (url, _) = serve(|_| failed(401, &[])).await;
    let again = request().after_unknown();
    let (outcome, _) = client(&url).execute(&stripe(), &sale(), &again).await;
    assert_eq!(unknown_code(&outcome), "after_earlier_attempt");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (outcome, _) = client(&url).execute(&stripe(), &sale(), &again).await;
    assert_eq!(unknown_code(&outcome), "no_answer");
}

#[tokio::test]
async fn the_gateways_own_word_on_retries_wins_over_the_table() {
    for (script, expected) in [
        ((|_| failed(500, &[("stripe-should-retry", "false")])) as Script, 1),
        (|_| failed(400, &[("stripe-should-retry", "true")]), 3),
        (|_| failed(400, &[]), 1),
        (|_| failed(429, &[("retry-after", "0")]), 3),
        (|_| failed(429, &[("retry-after", "3600")]), 1),
    ] {
        let (url, calls) = serve(script).await;
        let _ = outcome(&url).await;
        assert_eq!(calls.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (url, calls) =
        serve(|_| failed(307, &[("location", "http://127.0.0.1:1/elsewhere")])).await;
    assert_eq!(unknown_code(&outcome(&url).await.0), "redirect");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end_and_is_unknown() {
    let (url, _) = serve(|_| "x".repeat(1_000_000).into_response()).await;
    let exchange = client(&url).send(&request()).await;
    assert_eq!(exchange.result, Err(SendError::TooLarge { limit: 4096 }));
    assert_eq!(unknown_code(&outcome(&url).await.0), "no_answer");
}

#[tokio::test]
async fn a_page_of_html_is_unknown_whatever_its_status() {
    for script in [
        (|_| "<html>200</html>".into_response()) as Script,
        |_| (StatusCode::FORBIDDEN, "<html>403</html>").into_response(),
        |_| (StatusCode::PAYMENT_REQUIRED, "<html>402</html>").into_response(),
    ] {
        let (url, _) = serve(script).await;
        assert_eq!(unknown_code(&outcome(&url).await.0), "unreadable");
    }
}

#[tokio::test]
async fn a_query_is_repeated_too_and_needs_no_key() {
    let (url, calls) = serve(|n| if n < 2 { failed(502, &[]) } else { paid() }).await;
    let op = sync(money(25_000, "AED"));
    let request = stripe().build(&op, &key()).unwrap();
    let (outcome, archive) = client(&url).execute(&stripe(), &op, &request).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert!(archive.query.unwrap().contains("latest_charge.balance_transaction"));
}

#[test]
fn a_base_address_is_a_plain_web_address() {
    for bad in ["", "ftp://x", "https://u:p@x", "https://x/?a=b", "https://x/#a", "api.stripe.com"]
    {
        assert!(GatewayClient::new(ClientConfig::new(bad)).is_err(), "{bad}");
    }
    assert!(GatewayClient::new(ClientConfig::new(stripe().base_url())).is_ok());
}

#[test]
fn an_answer_made_by_hand_has_no_earlier_attempt() {
    assert_eq!(HttpAnswer::new(200, mizan_providers::Headers::new(), "").prior, Prior::None);
}
