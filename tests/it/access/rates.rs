//! How many requests somebody may send.

use std::net::SocketAddr;

use mizan::app::App;
use mizan::http::RateLimits;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::get;
use crate::support_app::{Reply, TestApp};

/// The same service with limits a minute: by key, by address.
async fn limited(by_key: u32, by_address: u32) -> TestApp {
    let mut app = TestApp::new().await;
    let rates = RateLimits::new(by_key, by_address, 0, &app.app.clock);
    app.app = App { rates, ..app.app.clone() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    app.url = format!("http://{}", listener.local_addr().unwrap());
    let router = mizan::http::router(app.app.clone());
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    app.serve_with(tokio::spawn(async move { axum::serve(listener, router).await }));
    app
}

fn seconds(answer: &Reply) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

fn header<'a>(answer: &'a Reply, name: &str) -> &'a str {
    answer.headers[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_burst_of_200_clients_as_many_are_answered_as_the_limit_says() {
    let app = limited(120, 0).await;
    let first = app.get("/v1/settings").await;
    assert_eq!(header(&first, "ratelimit-policy"), "\"key\";q=120;w=60");
    assert_eq!(header(&first, "ratelimit"), "\"key\";r=119;t=1");
    let mut clients = JoinSet::new();
    for _ in 0..200 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{}/v1/settings", app.url)).bearer_auth(&app.key);
        clients.spawn(async move { Reply::of(request).await });
    }
    let answers = clients.join_all().await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    assert_eq!((good.len(), refused.len()), (119, 81));
    for answer in refused {
        assert_eq!((answer.status, answer.text("code")), (429, "too_many_requests"));
        assert_eq!(seconds(answer), 1, "half a second, rounded up");
        assert_eq!(header(answer, "ratelimit"), "\"key\";r=0;t=60");
    }
    // Another key, even of the same marketplace, is not concerned.
    let stranger = app.strangers_key().await;
    assert_eq!(get(&app, &stranger, "/v1/settings").await.status, 200);
    app.advance(1);
    let after: Vec<u16> =
        [app.get("/v1/settings").await, app.get("/v1/settings").await].map(|it| it.status).to_vec();
    assert_eq!(after, [200, 200]);
    assert_eq!(app.get("/v1/settings").await.status, 429);
    app.advance(60);
    assert_eq!(header(&app.get("/v1/settings").await, "ratelimit"), "\"key\";r=119;t=1");
}

#[tokio::test]
async fn who_comes_without_a_good_key_is_counted_by_address() {
    let app = limited(1, 4).await;
    let open = async || {
        let request = app.client.get(format!("{}/problems", app.url));
        Reply::of(request).await.status
    };
    let wrong = async || {
        let key = format!("mz_test_{}", "A".repeat(43));
        get(&app, &key, "/v1/settings").await.status
    };
    assert_eq!((open().await, wrong().await, open().await, wrong().await), (200, 401, 200, 401));
    assert_eq!((open().await, wrong().await), (429, 429));
    // A good key is good all the same, and a gateway is heard.
    assert_eq!(app.get("/v1/settings").await.status, 200);
    let webhook = app.client.post(format!("{}/webhooks/stripe/nowhere", app.url)).body("{}");
    for _ in 0..9 {
        assert_ne!(Reply::of(webhook.try_clone().unwrap()).await.status, 429);
    }
    app.advance(15);
    assert_eq!((open().await, open().await), (200, 429));
}
