//! Access tokens: fetched once, kept, renewed once when refused, and never in the archive.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mizan_providers::{ClientConfig, GatewayClient, Operation, Outcome, Provider, Rejection};
use serde_json::json;
use tokio::net::TcpListener;

use super::shop::{CLIENT, SECRET, asked, captured, key, paypal, sync, take};

/// What the server saw: path and authorisation, call by call.
type Seen = Arc<Mutex<Vec<(String, String)>>>;
/// Answers by the path and by how often it was called before.
type Script = fn(&str, usize) -> (u16, String);

#[derive(Clone)]
struct Served {
    script: Script,
    seen: Seen,
}

async fn serve(script: Script) -> (GatewayClient, Seen) {
    let seen = Seen::default();
    let state = Served { script, seen: Arc::clone(&seen) };
    let app = Router::new().fallback(answer).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = ClientConfig {
        total_timeout: Duration::from_secs(5),
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(20),
        ..ClientConfig::new(url)
    };
    (GatewayClient::new(config).unwrap(), seen)
}

async fn answer(State(served): State<Served>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let auth = request.headers().get("authorization").unwrap().to_str().unwrap().to_owned();
    let mut seen = served.seen.lock().unwrap();
    let before = seen.iter().filter(|(other, _)| *other == path).count();
    seen.push((path.clone(), auth));
    let (status, body) = (served.script)(&path, before);
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

const TOKEN: &str = "/v1/oauth2/token";

fn granted(before: usize) -> (u16, String) {
    let token = format!("A21AA{before}");
    (200, json!({"access_token": token, "token_type": "Bearer", "expires_in": 32389}).to_string())
}

fn order() -> (u16, String) {
    (200, captured("COMPLETED").to_string())
}

fn refused() -> (u16, String) {
    (401, json!({"name": "AUTHENTICATION_FAILURE", "message": "No.", "debug_id": "1"}).to_string())
}

async fn ask(client: &GatewayClient, op: &Operation) -> Outcome {
    let request = paypal().build(op, &key()).unwrap();
    let (outcome, archive) = client.execute(&paypal(), op, &request).await;
    let kept = serde_json::to_string(&archive).unwrap();
    for secret in [SECRET, "A21AA", "Bearer", "Basic"] {
        assert!(!kept.contains(secret), "{kept}");
    }
    outcome
}

fn calls(seen: &Seen, path: &str) -> usize {
    seen.lock().unwrap().iter().filter(|(other, _)| other == path).count()
}

fn rejected(outcome: Outcome) -> Rejection {
    let Outcome::Rejected(it) = outcome else { panic!("{outcome:?}") };
    it
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept() {
    let (client, seen) = serve(|path, before| match path {
        TOKEN => granted(before),
        _ => order(),
    })
    .await;
    for op in [sync(), take(), sync()] {
        assert!(matches!(ask(&client, &op).await, Outcome::Done(_)));
    }
    // A clone of the client keeps the same tokens.
    assert!(matches!(ask(&client.clone(), &sync()).await, Outcome::Done(_)));
    assert_eq!(calls(&seen, TOKEN), 1);
    let seen = seen.lock().unwrap();
    let basic = base64(&format!("{CLIENT}:{SECRET}"));
    assert_eq!(seen[0], (TOKEN.to_owned(), format!("Basic {basic}")));
    assert!(seen[1..].iter().all(|(_, auth)| auth == "Bearer A21AA0"));
}

fn base64(text: &str) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let (client, seen) = serve(|path, before| match (path, before) {
        (TOKEN, _) => granted(before),
        (_, 1) => refused(),
        _ => order(),
    })
    .await;
    assert!(matches!(ask(&client, &sync()).await, Outcome::Done(_)));
    // The kept token is refused now; the call is sent again with a new one.
    assert!(matches!(ask(&client, &sync()).await, Outcome::Done(_)));
    assert_eq!(calls(&seen, TOKEN), 2);
    let last = seen.lock().unwrap().last().cloned().unwrap();
    assert_eq!(last.1, "Bearer A21AA1");
}

#[tokio::test]
async fn a_call_that_is_refused_with_a_new_token_too_is_rejected() {
    let (client, seen) = serve(|path, before| match path {
        TOKEN => granted(before),
        _ => refused(),
    })
    .await;
    assert_eq!(rejected(ask(&client, &take()).await).reason.as_str(), "credentials");
    assert_eq!(calls(&seen, TOKEN), 1);
    assert_eq!(rejected(ask(&client, &take()).await).reason.as_str(), "credentials");
    assert_eq!(calls(&seen, TOKEN), 2);
}

#[tokio::test]
async fn a_refused_grant_is_a_matter_of_credentials_and_nothing_was_sent() {
    for script in [
        (|_, _| (401, json!({"error": "invalid_client", "error_description": "No."}).to_string()))
            as Script,
        |_, _| (400, json!({"error": "unsupported_grant_type"}).to_string()),
        |_, _| (403, json!({"name": "NOT_AUTHORIZED", "debug_id": "1"}).to_string()),
    ] {
        let (client, seen) = serve(script).await;
        let it = rejected(ask(&client, &take()).await);
        assert!(it.reason.is_alarming(), "{it:?}");
        let seen = seen.lock().unwrap();
        assert!(seen.iter().all(|(path, _)| path == TOKEN), "{seen:?}");
    }
}

#[tokio::test]
async fn without_a_token_nothing_was_sent() {
    for script in [
        (|_, _| (503, String::new())) as Script,
        |_, _| (429, json!({"name": "RATE_LIMIT_REACHED", "debug_id": "1"}).to_string()),
        |_, _| (302, String::new()),
        |_, _| (200, "<html>".to_owned()),
        |_, _| (200, json!({"token_type": "Bearer"}).to_string()),
    ] {
        let (client, seen) = serve(script).await;
        let it = rejected(ask(&client, &take()).await);
        assert_eq!(it.reason.as_str(), "not_sent", "{it:?}");
        assert!(it.reason.is_retryable());
        let seen = seen.lock().unwrap();
        assert!(seen.iter().all(|(path, _)| path == TOKEN), "{seen:?}");
    }
}

#[tokio::test]
async fn a_lost_token_after_a_lost_answer_leaves_the_call_unknown() {
    let (client, _) = serve(|path, before| match (path, before) {
        (TOKEN, 0) => granted(0),
        (TOKEN, _) => (503, String::new()),
        (_, 0) => (500, String::new()),
        _ => refused(),
    })
    .await;
    let Outcome::Unknown(it) = ask(&client, &take()).await else { panic!() };
    assert_eq!(it.why.code(), "no_answer");
}

#[tokio::test]
async fn a_conflict_is_repeated_with_the_same_key_and_then_believed() {
    let (client, seen) = serve(|path, before| match (path, before) {
        (TOKEN, _) => granted(before),
        (_, 0) => (409, json!({"name": "RESOURCE_CONFLICT", "debug_id": "1"}).to_string()),
        _ => order(),
    })
    .await;
    let Outcome::Done(answer) = ask(&client, &take()).await else { panic!() };
    assert_eq!(answer.payment().unwrap().captured, asked());
    assert_eq!(calls(&seen, TOKEN), 1);
}
