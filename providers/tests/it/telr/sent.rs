//! What leaves the house: the key is in what is sent, and in nothing that is kept of it.

use axum::Router;
use axum::extract::Request;
use mizan_providers::{
    Auth, Body, ClientConfig, GatewayClient, Headers, HttpRequest, KEY_PLACE, Method, Operation,
    Prior, Provider, Replay,
};
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::shop::{brief, key, refund, sale, telr};

/// A server that tells its caller everything it was sent.
async fn echo(request: Request) -> String {
    let body = axum::body::to_bytes(request.into_body(), 64 * 1024).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("never_shown") || body.contains("never&apos;shown"), "{body}");
    body
}

async fn send(op: &Operation) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    let client = GatewayClient::new(ClientConfig::new(url)).unwrap();
    let request = telr().build(op, &key()).unwrap();
    let (outcome, archive) = client.execute(&telr(), op, &request).await;
    assert_eq!(brief(&outcome), "unknown unreadable");
    serde_json::to_string(&archive).unwrap()
}

#[tokio::test]
async fn a_key_is_sent_and_not_kept_even_when_the_gateway_repeats_it() {
    for op in [sale(), refund()] {
        let kept = send(&op).await;
        assert!(kept.contains("secret]") || kept.contains("%5Bsecret%5D"), "{kept}");
        for part in ["Page-Key", "Remote-Key", "never_shown", "never&apos;shown"] {
            assert!(!kept.contains(part), "{kept}");
        }
    }
}

#[test]
fn a_key_is_said_as_its_body_says_texts_and_only_in_its_own_place() {
    let sent = |body: Body| {
        let request = HttpRequest {
            method: Method::Post,
            path: "/".to_owned(),
            query: None,
            headers: Headers::new(),
            auth: Auth::InBody(SecretString::from("a\"<&=")),
            body,
            replay: Replay::Once,
            prior: Prior::None,
            retry_header: None,
        };
        request.body_to_send()
    };
    let place = KEY_PLACE;
    assert_eq!(sent(Body::Form(format!("k={place}&x={place}"))), "k=a%22%3C%26%3D&x={key}");
    assert_eq!(sent(Body::Json(format!("{{\"k\":\"{place}\"}}"))), r#"{"k":"a\"<&="}"#);
    assert_eq!(sent(Body::Xml(format!("<k>{place}</k>"))), "<k>a&quot;&lt;&amp;=</k>");
    assert_eq!(sent(Body::Empty), "");
}
