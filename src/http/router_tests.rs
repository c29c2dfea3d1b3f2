//! What every answer goes through, tested without a database.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::*;
use crate::auth::Caller;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, DbOptions};
use crate::http::{ApiJson, IdempotentJson};

/// A service whose database is away: nobody listens on that port.
fn app(settings: &str) -> App {
    let path = std::path::Path::new("test.toml");
    let config = Config::from_parts(Some((path, settings)), []).unwrap();
    let options =
        DbOptions { acquire: std::time::Duration::from_millis(50), ..DbOptions::default() };
    let db = Db::open("postgres://nobody@127.0.0.1:9/nothing", &options).unwrap();
    App::new(db, Clock::manual("2026-03-01T10:00:00Z".parse().unwrap()), Arc::new(config))
}

async fn send(router: Router, request: Request) -> (Response, Value) {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    (Response::from_parts(parts, Body::empty()), value)
}

fn get_of(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

#[derive(Deserialize)]
struct Nothing {}

async fn echo(ApiJson(Nothing {}): ApiJson<Nothing>) {}

async fn guarded(_: Caller) {}

async fn moves_money(_: IdempotentJson<Nothing>) {}

fn with_routes(app: App) -> Router {
    let routes = Router::new()
        .route("/echo", post(echo))
        .route("/guarded", post(guarded))
        .route("/moves_money", post(moves_money))
        .route("/panics", get(async || -> () { panic!("a secret") }))
        .route("/never", get(async || std::future::pending::<()>().await));
    envelop(routes, app)
}

#[tokio::test]
async fn every_answer_has_an_id_a_time_and_strict_headers() {
    for path in ["/healthz", "/nowhere", "/problems", "/openapi.json"] {
        let (answer, _) = send(router(app("")), get_of(path)).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap();
        assert!(header("request-id").starts_with("req_"), "{path}");
        assert!(header("server-timing").starts_with("app;dur="), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert!(header("content-security-policy").contains("default-src 'none'"));
    }
}

#[tokio::test]
async fn a_problem_carries_the_id_of_its_answer_and_a_page_that_exists() {
    let (answer, body) = send(router(app("")), get_of("/nowhere")).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(body["code"], "route_not_found");
    assert_eq!(body["request_id"], answer.headers()["request-id"].to_str().unwrap());
    for code in Code::ALL {
        let path = format!("/problems/{}", code.as_str());
        let (page, _) = send(router(app("")), get_of(&path)).await;
        assert_eq!(page.status(), 200, "{path}");
    }
    let (page, body) = send(router(app("")), get_of("/problems/none")).await;
    assert_eq!((page.status().as_u16(), &body["code"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let request = Request::post("/healthz").body(Body::empty()).unwrap();
    let (answer, body) = send(router(app("")), request).await;
    assert_eq!((answer.status().as_u16(), &body["code"]), (405, &json!("method_not_allowed")));
    assert!(answer.headers()["allow"].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn a_body_too_long_or_of_another_type_is_refused() {
    let app = app("[http]\nbody_bytes_max = 10\n");
    let request = |body: &'static str, kind: &str| {
        Request::post("/echo").header("content-type", kind).body(Body::from(body)).unwrap()
    };
    for (body, kind, status, code) in [
        ("{}", "application/json", 200, Value::Null),
        ("{      \"a\":1}", "application/json", 413, json!("body_too_large")),
        ("{}", "text/plain", 415, json!("unsupported_media_type")),
        ("{", "application/json", 400, json!("malformed_json")),
        ("{\"a\":1}", "application/json", 400, json!("unknown_field")),
    ] {
        let (answer, problem) = send(with_routes(app.clone()), request(body, kind)).await;
        assert_eq!((answer.status().as_u16(), &problem["code"]), (status, &code), "{body}");
    }
}

#[tokio::test]
async fn what_moves_money_needs_exactly_one_key() {
    let send_with = async |keys: &[&str]| {
        let mut request = Request::post("/moves_money");
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        let request = request.body(Body::empty()).unwrap();
        let (answer, body) = send(with_routes(app("")), request).await;
        (answer.status().as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(send_with(&[]).await, (400, "idempotency_key_missing".to_owned()));
    assert_eq!(send_with(&["a", "b"]).await, (400, "idempotency_key_invalid".to_owned()));
    assert_eq!(send_with(&["a b"]).await, (400, "idempotency_key_invalid".to_owned()));
    assert_eq!(send_with(&["order-1"]).await.0, 200);
}

#[tokio::test]
async fn a_panic_is_500_and_tells_nothing() {
    let (answer, body) = send(with_routes(app("")), get_of("/panics")).await;
    assert_eq!((answer.status().as_u16(), &body["code"]), (500, &json!("internal_error")));
    assert!(!body.to_string().contains("a secret"));
    assert!(body["request_id"].is_string());
}

#[tokio::test]
async fn what_takes_too_long_is_503_with_a_time_to_come_back() {
    let app = app("[http]\nrequest_seconds_max = 1\n[gateways]\nrequest_seconds_max = 0\n");
    let (answer, body) = send(with_routes(app), get_of("/never")).await;
    assert_eq!((answer.status().as_u16(), &body["code"]), (503, &json!("timed_out")));
    assert_eq!(answer.headers()["retry-after"], "2");
}

#[tokio::test]
async fn more_requests_than_allowed_are_told_to_come_back() {
    let app = app("[http]\nrequests_in_flight_max = 1\n");
    let busy = tokio::spawn(with_routes(app.clone()).oneshot(get_of("/never")));
    tokio::task::yield_now().await;
    let (answer, body) = send(with_routes(app), get_of("/healthz")).await;
    assert_eq!((answer.status().as_u16(), &body["code"]), (503, &json!("overloaded")));
    busy.abort();
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_the_work() {
    let (started, on_start) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let (finished, on_finish) = oneshot::channel();
    let parts = Arc::new(std::sync::Mutex::new(Some((started, released, finished))));
    let work = async move || {
        let (started, released, finished) = parts.lock().unwrap().take().unwrap();
        started.send(()).unwrap();
        released.await.unwrap();
        finished.send(()).unwrap();
    };
    let routes = Router::new().route("/work", get(work));
    let client = tokio::spawn(envelop(routes, app("")).oneshot(get_of("/work")));
    on_start.await.unwrap();
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();
    on_finish.await.unwrap();
}

#[tokio::test]
async fn without_a_database_it_lives_but_is_not_ready_and_says_when_to_ask_again() {
    let (alive, _) = send(router(app("")), get_of("/healthz")).await;
    assert_eq!(alive.status(), 200);
    let (ready, body) = send(router(app("")), get_of("/readyz")).await;
    assert_eq!((ready.status().as_u16(), &body["code"]), (503, &json!("unavailable")));
    assert_eq!(ready.headers()["retry-after"], "5");
    let key = format!("Bearer mz_test_{}", "a".repeat(43));
    let request = Request::post("/guarded").header("authorization", key);
    let (answer, body) = send(with_routes(app("")), request.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status().as_u16(), &body["retryable"]), (503, &json!(true)));
    assert_eq!(answer.headers()["retry-after"], "2");
}

#[tokio::test]
async fn a_caller_without_a_key_is_401_and_told_how() {
    let request = Request::post("/guarded").body(Body::empty()).unwrap();
    let (answer, body) = send(with_routes(app("")), request).await;
    assert_eq!((answer.status().as_u16(), &body["code"]), (401, &json!("api_key_missing")));
    assert!(answer.headers().contains_key("www-authenticate"));
}
