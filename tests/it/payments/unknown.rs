//! Days on which the gateway does not answer, or not the truth: never a success that is none,
//! never a second charge, and in the end the books say what happened.

use std::time::Duration;

use mizan::db::work;
use mizan::payments::ask::{self, Confirm, Step};
use mizan::payments::gateway::Repetition;
use serde_json::{Value, json};

use crate::support_app::{Reply, Setup, TestApp, order};

/// One thing asked of a gateway whose answer will be lost.
struct Asked {
    /// The fault plan's word.
    point: &'static str,
    payment: String,
    path: String,
    body: Value,
    /// What it is on the wire.
    line: String,
    /// What the object's status is while nobody knows, and in the end.
    meanwhile: &'static str,
    ends: &'static str,
}

/// The four things, each about a payment of its own, none of them asked yet.
async fn all(app: &TestApp) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (point, verb, meanwhile, ends) in [
        ("create", "confirm", "processing", "succeeded"),
        ("capture", "capture", "requires_capture", "succeeded"),
        ("cancel", "cancel", "requires_capture", "cancelled"),
        ("refund", "refund", "sent", "succeeded"),
    ] {
        let lines = [("V1", 40_000), ("V2", 12_500)];
        let payment = match point {
            "create" => app.create(order(&lines)).await,
            "refund" => app.paid(&lines).await,
            _ => app.held(&lines).await,
        };
        let (path, body) = match point {
            "create" => (verb, json!({ "payment_method": "pm_card_visa" })),
            "capture" => (verb, json!({ "amount": 30_000 })),
            "refund" => ("", json!({ "payment_intent": payment, "amount": 500 })),
            _ => (verb, json!({})),
        };
        let path = match path {
            "" => "/v1/refunds".to_owned(),
            verb => format!("/v1/payment_intents/{payment}/{verb}"),
        };
        let held = app.payment(&payment).await;
        let theirs = held.body["attempts"][0]["provider_ref"].as_str().unwrap_or_default();
        let line = match point {
            "create" => "POST /v1/payment_intents".to_owned(),
            "refund" => "POST /v1/refunds".to_owned(),
            _ => format!("POST /v1/payment_intents/{theirs}/{point}"),
        };
        asked.push(Asked { point, payment, path, body, line, meanwhile, ends });
    }
    asked
}

/// Asks, with this fault, and finds that nobody knows; the key answers so again, and nothing
/// else may be asked meanwhile. Answers the key.
async fn ask_in_vain(app: &TestApp, asked: &Asked, fault: &str) -> String {
    app.faults(&format!("[[rules]]\non = \"{}\"\n{fault}\n", asked.point));
    let key = app.fresh();
    let first = app.post_as(&key, &asked.path, asked.body.clone()).await;
    assert_eq!(first.says(), (202, asked.meanwhile), "{}: {first:#?}", asked.point);
    let calls = app.wire.count();
    let again = app.post_as(&key, &asked.path, asked.body.clone()).await;
    assert_eq!(again.says(), (202, asked.meanwhile), "{}: {again:#?}", asked.point);
    assert_eq!(again.body, first.body);
    if asked.point != "refund" {
        let other = app.post(&asked.path, asked.body.clone()).await;
        assert_eq!(other.problem(), (409, "operation_under_way"), "{}", asked.point);
        assert_eq!(other.headers["retry-after"], "1");
    }
    assert_eq!(app.wire.count(), calls, "{}", asked.point);
    key
}

/// The same key now answers the end.
async fn hear_the_end(app: &TestApp, asked: &Asked, key: &str) -> Reply {
    let calls = app.wire.count();
    let answer = app.post_as(key, &asked.path, asked.body.clone()).await;
    assert_eq!(answer.says(), (200, asked.ends), "{}: {answer:#?}", asked.point);
    assert_eq!(answer.headers["idempotent-replayed"], "true");
    let again = app.post_as(key, &asked.path, asked.body.clone()).await;
    assert_eq!((again.status, &again.body), (200, &answer.body));
    assert_eq!(app.wire.count(), calls);
    answer
}

/// The gateway's keys under which this was asked.
fn keys(app: &TestApp, line: &str) -> Vec<String> {
    let sent = app.wire.sent().into_iter().filter(|sent| sent.line == line);
    sent.map(|sent| sent.key.unwrap()).collect()
}

#[tokio::test]
async fn a_lost_answer_is_found_again_by_the_webhook_and_nothing_is_asked_twice() {
    let app = TestApp::new().await;
    for asked in all(&app).await {
        let before = keys(&app, &asked.line).len();
        let key = ask_in_vain(&app, &asked, "kind = \"lost_answer\"").await;
        app.sim.deliver_due().await;
        hear_the_end(&app, &asked, &key).await;
        assert_eq!(keys(&app, &asked.line).len(), before + 1, "{}", asked.point);
    }
    app.end().await;
    assert_eq!(app.totals("aed").await[..2], [52_500 + 30_000 + 52_500, 500]);
}

#[tokio::test]
async fn a_lost_answer_is_fetched_by_the_sweeper_under_the_same_key() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    for asked in all(&app).await {
        let before = keys(&app, &asked.line).len();
        let key = ask_in_vain(&app, &asked, "kind = \"lost_answer\"").await;
        app.advance(29);
        app.tick().await;
        assert_eq!(keys(&app, &asked.line).len(), before + 1, "asked too early");
        app.advance(2);
        app.tick().await;
        let keys = keys(&app, &asked.line);
        assert_eq!((keys.len(), &keys[before]), (before + 2, &keys[before + 1]));
        hear_the_end(&app, &asked, &key).await;
    }
    app.end().await;
    assert_eq!(app.totals("aed").await[..2], [52_500 + 30_000 + 52_500, 500]);
}

#[tokio::test]
async fn a_lost_answer_is_fetched_when_somebody_asks_for_it() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    for asked in all(&app).await {
        let key = ask_in_vain(&app, &asked, "kind = \"lost_answer\"").await;
        let synced = app.act(&asked.payment, "sync", json!({})).await;
        assert_eq!(synced.status, 200, "{synced:#?}");
        hear_the_end(&app, &asked, &key).await;
    }
    app.end().await;
}

#[tokio::test]
async fn a_failing_gateway_is_asked_again_under_the_same_key_whatever_it_did() {
    for kind in ["http_500", "http_500_after", "error_in_200"] {
        let app = TestApp::new().await;
        for asked in all(&app).await {
            let key = ask_in_vain(&app, &asked, &format!("kind = \"{kind}\"")).await;
            app.settle().await;
            hear_the_end(&app, &asked, &key).await;
            let mut keys = keys(&app, &asked.line);
            let count = keys.len();
            keys.dedup();
            assert!(kind != "http_500" || count > keys.len(), "{kind}: {}", asked.point);
        }
        app.end().await;
        assert_eq!(app.totals("aed").await[..2], [52_500 + 30_000 + 52_500, 500], "{kind}");
    }
}

#[tokio::test]
async fn retries_within_a_call_go_out_under_one_key_and_take_once() {
    let app = TestApp::with(Setup { retries: 2, answer_within: Duration::from_secs(30) }).await;
    app.faults(
        "[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n\
         [[rules]]\non = \"create\"\nkind = \"http_500\"\n",
    );
    app.paid(&[("V1", 52_500)]).await;
    let keys = keys(&app, "POST /v1/payment_intents");
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]));
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn a_silent_gateway_is_not_waited_for_beyond_the_limit() {
    let app = TestApp::with(Setup { retries: 2, answer_within: Duration::from_secs(2) }).await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults("[[rules]]\non = \"create\"\nkind = \"timeout\"\ndelay_s = 120\n");
    let silent = app.confirm(&id, "pm_card_visa").await;
    assert_eq!(silent.says(), (202, "processing"));
    assert_eq!(app.wire.count_of("POST /v1/payment_intents"), 1);
    app.end().await;
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn a_decline_that_was_lost_is_told_by_its_webhook_with_its_reason() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n");
    let (key, path) = (app.fresh(), format!("/v1/payment_intents/{id}/confirm"));
    let body = json!({ "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds" });
    assert_eq!(app.post_as(&key, &path, body.clone()).await.says(), (202, "processing"));
    app.sim.deliver_due().await;
    let declined = app.post_as(&key, &path, body).await;
    assert_eq!(declined.problem(), (402, "payment_declined"));
    assert_eq!(declined.text("decline_code"), "insufficient_funds", "{declined:#?}");
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (200, "succeeded"));
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn a_gateway_that_is_down_did_nothing_and_the_payment_can_be_tried_again() {
    let app = TestApp::new().await;
    for asked in all(&app).await {
        app.wire.cut().await;
        let key = app.fresh();
        let down = app.post_as(&key, &asked.path, asked.body.clone()).await;
        if asked.point == "refund" {
            assert_eq!(down.says(), (200, "failed"), "{down:#?}");
        } else {
            assert_eq!(down.problem(), (503, "provider_unavailable"), "{down:#?}");
            assert_eq!(down.headers["retry-after"], "1");
        }
        app.prove_laws().await;
        let still = app.post_as(&key, &asked.path, asked.body.clone()).await;
        assert_eq!((still.status, still.text("code")), (down.status, down.text("code")));
        app.wire.mend().await;
        // What was never asked may be asked under the same key; a refund has failed for good.
        let again = if asked.point == "refund" { app.fresh() } else { key };
        let tried = app.post_as(&again, &asked.path, asked.body.clone()).await;
        assert_eq!(tried.says(), (200, asked.ends), "{}: {tried:#?}", asked.point);
    }
    app.end().await;
    assert_eq!(app.totals("aed").await[..2], [52_500 + 30_000 + 52_500, 500]);
}

#[tokio::test]
async fn a_question_that_a_crash_left_behind_is_taken_up_by_the_sweeper() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.create(order(&[("V1", 52_500)])).await;
    let asked = &Confirm { payment_method: Some("pm_card_visa".into()), ..Confirm::default() };
    let (service, tenant) = (&app.app, app.books.tenant);
    let payment = id.parse().unwrap();
    let (now, gateways) = (service.clock.now(), &service.gateways);
    let step = service.db.transaction("begin_call", tenant, |tx| {
        work(async move { ask::confirm(tx, tenant, now, gateways, payment, asked).await })
    });
    let Step::Call(call) = step.await.unwrap() else { panic!("nobody would be asked") };
    // The gateway is asked, and the process that asked is gone before it can write down more.
    let _lost = call.gateway.call(&call.ask, call.request.clone(), Repetition::First).await;
    assert_eq!(app.payment(&id).await.text("status"), "processing");
    app.advance(59);
    app.tick().await;
    assert_eq!(app.payment(&id).await.text("status"), "processing");
    app.advance(2);
    app.tick().await;
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    let keys = keys(&app, "POST /v1/payment_intents");
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn a_question_is_not_repeated_once_the_gateway_has_forgotten_its_key() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"\ntimes = 6\n");
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "processing"));
    for _ in 0..30 {
        app.advance(6 * 3_600);
        app.tick().await;
    }
    // The gateway keeps a key for a day. After that the same words would be a second charge.
    assert_eq!(app.totals("aed").await[0], 52_500);
    assert_eq!(app.act(&id, "sync", json!({})).await.says(), (200, "processing"));
    let proved = mizan::verify::verify(&app.app.db, &app.app.clock).await.unwrap();
    let broken: Vec<_> = proved.iter().flat_map(|(_, laws)| laws).filter(|l| !l.holds()).collect();
    assert_eq!(broken.len(), 1, "{broken:#?}");
    assert!(broken[0].broken[0].contains("unknown since"), "{broken:#?}");
    // Its own event still settles it.
    let told = app.event("payment_intent.succeeded").await;
    assert_eq!(app.deliver_signed(&told).await.says(), (200, "applied"));
    app.end().await;
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
}

#[tokio::test]
async fn a_capture_that_failed_for_hours_is_still_made_when_the_gateway_is_back() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    app.faults("[[rules]]\non = \"capture\"\nkind = \"http_500\"\ntimes = 5\n");
    let asked = app.act(&id, "capture", json!({})).await;
    assert_eq!(asked.says(), (202, "requires_capture"));
    app.end().await;
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn an_answer_about_another_amount_is_never_a_success() {
    for point in ["create", "capture", "refund"] {
        let app = TestApp::new().await;
        let asked = all(&app).await.into_iter().find(|asked| asked.point == point).unwrap();
        let before = app.journal().await;
        app.faults(&format!("[[rules]]\non = \"{point}\"\nkind = \"wrong_amount\"\n"));
        let answer = app.post(&asked.path, asked.body.clone()).await;
        assert_eq!(answer.status, 202, "{answer:#?}");
        let payment = app.payment(&asked.payment).await;
        assert_eq!(payment.text("status"), "review", "{point}");
        assert!(payment.text("review_reason").contains("the gateway's"), "{payment:#?}");
        // Not believed and not booked; what the gateway says when it is asked again is a fact.
        assert!(point == "refund" || app.journal().await == before);
        app.prove_laws().await;
        app.end().await;
        assert_eq!(app.payment(&asked.payment).await.text("status"), "review", "{point}");
        let announced = told(&app, &asked.payment).await;
        let hoped = announced.contains(&"payment.completed".to_owned());
        assert_eq!(hoped, point == "refund", "{announced:?}");
    }
}

#[tokio::test]
async fn money_that_the_gateway_says_twice_it_took_beyond_the_order_is_kept_apart() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults(
        "[[rules]]\non = \"create\"\nkind = \"wrong_amount\"\n\
         [[rules]]\non = \"retrieve\"\nkind = \"wrong_amount\"\n",
    );
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "review"));
    app.settle().await;
    app.prove_laws().await;
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_captured")), ("review", 52_500));
    assert_eq!(payment.int("amount_unapplied"), 100);
    assert!(app.books.balances().await.contains("unapplied_receipts:stripe 1.00 AED"));
    let announced = told(&app, &id).await;
    assert!(!announced.contains(&"payment.completed".to_owned()), "{announced:?}");
}

#[tokio::test]
async fn a_webhook_about_another_amount_sends_the_payment_to_a_person() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults(
        "[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"wrong_amount\"\n\
         event = \"payment_intent.succeeded\"\n",
    );
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "processing"));
    app.sim.deliver_due().await;
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_captured")), ("review", 52_500));
    assert_eq!(payment.int("amount_unapplied"), 100);
    let announced = told(&app, &id).await;
    assert!(!announced.contains(&"payment.completed".to_owned()), "{announced:?}");
    app.settle().await;
    app.prove_laws().await;
    let more: i64 = app.clearing().await["AED"] - app.totals("aed").await[3];
    assert_eq!(more, 100);
}

/// The kinds of the events about a payment, oldest first.
async fn told(app: &TestApp, id: &str) -> Vec<String> {
    let list = format!(
        "select array_agg(kind order by event_position) from outbox.event \
                        where object_id = '{id}'"
    );
    app.sql::<Vec<String>>(&list).await
}
