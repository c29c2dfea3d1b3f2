//! Ends that come late: a key that the gateway has forgotten, a gateway that was down, a database
//! that is away when the answer comes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{broken_laws, theirs};
use crate::support::Books;
use crate::support_app::{Setup, TestApp, order};

/// The gateway fails whenever it is asked this, and does nothing.
fn fails_for_days(app: &TestApp, point: &str) {
    app.faults(&format!("[[rules]]\non = \"{point}\"\nkind = \"http_500\"\ntimes = 500\n"));
}

/// Time goes on; the jobs run every hour.
async fn pass(app: &TestApp, hours: u64) {
    for _ in 0..hours {
        app.advance(3_600);
        app.tick().await;
    }
}

#[tokio::test]
async fn a_capture_that_was_never_made_ends_when_the_gateway_has_forgotten_its_key() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    fails_for_days(&app, "capture");
    let (key, path) = (app.fresh(), format!("/v1/payment_intents/{id}/capture"));
    assert_eq!(app.post_as(&key, &path, json!({})).await.says(), (202, "requires_capture"));
    pass(&app, 23).await;
    assert_eq!(app.post_as(&key, &path, json!({})).await.says(), (202, "requires_capture"));
    assert_eq!(app.post(&path, json!({})).await.problem(), (409, "operation_under_way"));
    pass(&app, 2).await;
    let line = format!("POST /v1/payment_intents/{}/capture", theirs(&app, &id, 0).await);
    let calls = app.wire.count_of(&line);
    assert_eq!(app.act(&id, "sync", json!({})).await.says(), (200, "requires_capture"));
    let ended = app.post_as(&key, &path, json!({})).await;
    assert_eq!(ended.problem(), (422, "provider_refused"), "{ended:#?}");
    assert!(ended.text("detail").contains("not done"), "{ended:#?}");
    assert_eq!(app.payment(&id).await.body["last_error"]["code"], "not_done");
    assert_eq!(app.wire.count_of(&line), calls, "asked again without a key");
    app.faults("");
    assert_eq!(app.post(&path, json!({})).await.says(), (200, "succeeded"));
    assert_eq!(app.payment(&id).await.body["last_error"], Value::Null);
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn a_cancellation_that_was_never_made_ends_likewise_by_the_sweeper_alone() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    fails_for_days(&app, "cancel");
    let (key, path) = (app.fresh(), format!("/v1/payment_intents/{id}/cancel"));
    let body = json!({ "cancellation_reason": "sold out" });
    assert_eq!(app.post_as(&key, &path, body.clone()).await.says(), (202, "requires_capture"));
    app.sim.deliver_due().await;
    pass(&app, 48).await;
    assert_eq!(app.open().await, Vec::<String>::new());
    assert_eq!(app.post_as(&key, &path, body.clone()).await.problem(), (422, "provider_refused"));
    let held = app.payment(&id).await;
    assert_eq!(
        (held.text("status"), &held.body["cancellation_reason"]),
        ("requires_capture", &Value::Null)
    );
    app.prove().await;
    app.faults("");
    let cancelled = app.post(&path, body).await;
    assert_eq!(cancelled.says(), (200, "cancelled"));
    assert_eq!(cancelled.text("cancellation_reason"), "sold out");
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 0);
}

#[tokio::test]
async fn a_payment_that_was_taken_while_its_cancellation_was_open_shows_no_cancellation() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    fails_for_days(&app, "cancel");
    let body = json!({ "cancellation_reason": "sold out" });
    assert_eq!(app.act(&id, "cancel", body).await.says(), (202, "requires_capture"));
    let capture = format!("/v1/payment_intents/{}/capture", theirs(&app, &id, 0).await);
    app.at_gateway(&capture, &[]).await;
    app.end().await;
    let taken = app.payment(&id).await;
    assert_eq!((taken.text("status"), taken.int("amount_captured")), ("succeeded", 52_500));
    assert_eq!(taken.body["cancellation_reason"], Value::Null);
}

#[tokio::test]
async fn a_cancellation_of_a_hold_that_the_gateway_has_let_go_is_one() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    let at_gateway = format!("/v1/payment_intents/{}/cancel", theirs(&app, &id, 0).await);
    // Nobody has told us yet.
    app.at_gateway(&at_gateway, &[]).await;
    let (key, path) = (app.fresh(), format!("/v1/payment_intents/{id}/cancel"));
    assert_eq!(app.post_as(&key, &path, json!({})).await.says(), (202, "requires_capture"));
    pass(&app, 3).await;
    assert_eq!(app.post_as(&key, &path, json!({})).await.says(), (200, "cancelled"));
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 0);
}

#[tokio::test]
async fn a_payment_nobody_can_ask_about_stays_open_and_a_law_names_it() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    fails_for_days(&app, "create");
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "processing"));
    pass(&app, 71).await;
    app.prove_laws().await;
    let calls = app.wire.count_of("POST /v1/payment_intents");
    pass(&app, 2).await;
    assert_eq!(app.act(&id, "sync", json!({})).await.says(), (200, "processing"));
    assert_eq!(app.wire.count_of("POST /v1/payment_intents"), calls);
    let broken = broken_laws(&app).await;
    let [one] = &broken[..] else { panic!("{broken:#?}") };
    assert!(one.starts_with("operations have an outcome within three days: "), "{one}");
    assert!(one.contains("(create) is unknown since"), "{one}");
    assert_eq!(app.journal().await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_found_nobody_keeps_its_card_and_is_made_once_under_its_key() {
    let app = Arc::new(TestApp::new().await);
    for named_at_creation in [false, true] {
        let mut body = order(&[("V1", 52_500)]);
        let mut card = json!({ "payment_method": "pm_card_visa" });
        if named_at_creation {
            body["payment_method"] = card["payment_method"].take();
            card = json!({});
        }
        let id = app.create(body).await;
        let (key, path) = (app.fresh(), format!("/v1/payment_intents/{id}/confirm"));
        app.wire.cut().await;
        for _ in 0..2 {
            let down = app.post_as(&key, &path, card.clone()).await;
            assert_eq!(down.problem(), (503, "provider_unavailable"), "{down:#?}");
            let payment = app.payment(&id).await;
            assert_eq!(payment.text("status"), "requires_confirmation", "{payment:#?}");
            assert_eq!(payment.text("payment_method"), "pm_card_visa");
        }
        app.wire.mend().await;
        let before = app.totals("aed").await[0];
        let racing = (0..8).map(|_| {
            let (app, key, path, card) =
                (Arc::clone(&app), key.clone(), path.clone(), card.clone());
            tokio::spawn(async move { app.post_as(&key, &path, card).await })
        });
        for one in racing.collect::<Vec<_>>() {
            let answer = one.await.unwrap();
            match answer.status {
                200 => assert_eq!(answer.says(), (200, "succeeded"), "{answer:#?}"),
                _ => assert_eq!(answer.problem(), (409, "idempotency_key_in_flight")),
            }
        }
        assert_eq!(app.post_as(&key, &path, card).await.says(), (200, "succeeded"));
        assert_eq!(app.totals("aed").await[0], before + 52_500);
    }
    app.end().await;
}

/// The service's own way to the database, which can be taken away and given back.
struct Way {
    folder: tempfile::TempDir,
    socket: PathBuf,
}

impl Way {
    /// The way, and the database's address by it.
    fn to(url: &str) -> (Way, String) {
        let folder = tempfile::Builder::new().prefix("mz").tempdir().unwrap();
        let parsed = reqwest::Url::parse(url).unwrap();
        let host = parsed.host_str().unwrap();
        let plain = host.replace('+', "%2B");
        let decoded = form_urlencoded::parse(plain.as_bytes()).next().unwrap().0.into_owned();
        let way = Way { socket: PathBuf::from(decoded), folder };
        way.give_back();
        let by = way.link().to_str().unwrap().replace('/', "%2F");
        (way, url.replacen(host, &by, 1))
    }

    fn link(&self) -> PathBuf {
        self.folder.path().join("pg")
    }

    fn give_back(&self) {
        std::os::unix::fs::symlink::<&Path, PathBuf>(&self.socket, self.link()).unwrap();
    }

    async fn take_away(&self, app: &TestApp) {
        std::fs::remove_file(self.link()).unwrap();
        app.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_down_is_never_told_as_nothing_happened() {
    let books = Books::new().await;
    let (way, url) = Way::to(&books.db.url());
    let setup = Setup { retries: 0, answer_within: Duration::from_secs(30) };
    let app = TestApp::on(books, &url, setup).await;
    app.sim.set_webhook_url(None);
    let id = app.create(order(&[("V1", 52_500)])).await;
    let confirm = format!("/v1/payment_intents/{id}/confirm");
    let card = json!({ "payment_method": "pm_card_visa" });
    let refund = json!({ "payment_intent": id, "amount": 500 });
    let questions = [
        ("create", confirm.as_str(), card, "processing", 0, 52_500),
        ("refund", "/v1/refunds", refund, "sent", 1, 500),
    ];
    for (point, path, body, meanwhile, total, moved) in questions {
        app.faults(&format!("[[rules]]\non = \"{point}\"\nkind = \"timeout\"\ndelay_s = 300\n"));
        let key = app.fresh();
        let ask = || app.post_as(&key, path, body.clone());
        let (told, ()) = tokio::join!(ask(), async {
            // The gateway has done it and is about to say so.
            while app.totals("aed").await[total] == 0 {
                tokio::task::yield_now().await;
            }
            way.take_away(&app).await;
            app.wire.cut().await;
        });
        assert_eq!(told.problem(), (503, "outcome_unknown"), "{told:#?}");
        assert!(told.headers.contains_key("retry-after"), "{told:#?}");
        assert!(!told.body.to_string().to_lowercase().contains("nothing"), "{told:#?}");
        way.give_back();
        app.wire.mend().await;
        let soon = ask().await;
        assert_eq!(soon.problem(), (409, "idempotency_key_in_flight"), "{soon:#?}");
        app.advance(61);
        let later = ask().await;
        assert_eq!(later.says(), (202, meanwhile), "{later:#?}");
        app.tick().await;
        let settled = ask().await;
        assert_eq!(settled.says(), (200, "succeeded"), "{settled:#?}");
        assert_eq!(app.totals("aed").await[total], moved);
    }
    app.end().await;
}
