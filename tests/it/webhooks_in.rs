//! What gateways tell: once, in any order, only if they said it, and never lost.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::Books;
use crate::support_app::{
    CONNECTION, OLDER_SECRET, Reply, Setup, TestApp, WEBHOOK_SECRET, digest, order, sign,
};

/// A payment that the gateway took and whose answer was lost; nothing was told yet.
async fn untold(app: &TestApp) -> String {
    app.sim.set_webhook_url(None);
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n");
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "processing"));
    id
}

/// The same event under another id: what a gateway sends when it tells something twice.
fn renamed(event: &str, id: &str) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap();
    event["id"] = id.into();
    format!("{event:#}")
}

/// Changes fields of the event's object, and the event's name.
fn doctored(event: &str, id: &str, fields: &[(&str, Value)]) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap();
    event["id"] = id.into();
    for (field, value) in fields {
        event["data"]["object"][field] = value.clone();
    }
    format!("{event:#}")
}

/// How many deliveries are kept in each state.
async fn kept(app: &TestApp) -> Vec<String> {
    let states = "select coalesce(array_agg(state || ': ' || coalesce(reason, '') order by id),
                      '{}') from webhooks.delivery";
    app.sql(states).await
}

async fn captures(app: &TestApp) -> i64 {
    app.sql("select count(*) from ledger.transaction where kind = 'payment.captured'").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_parallel_deliveries_of_one_webhook_have_one_effect() {
    let app = Arc::new(TestApp::new().await);
    let id = untold(&app).await;
    let event = app.event("payment_intent.succeeded").await;
    let racing = (0..100).map(|_| {
        let (app, event) = (Arc::clone(&app), event.clone());
        tokio::spawn(async move { app.deliver_signed(&event).await })
    });
    let mut applied = 0;
    for one in racing.collect::<Vec<_>>() {
        let receipt = one.await.unwrap();
        match receipt.status {
            // It may be too much at once; then the gateway is asked to come again.
            503 => assert!(receipt.headers.contains_key("retry-after"), "{receipt:#?}"),
            _ if receipt.text("status") == "applied" => applied += 1,
            _ => assert_eq!(receipt.says(), (200, "duplicate"), "{receipt:#?}"),
        }
    }
    assert_eq!((applied, kept(&app).await.len(), captures(&app).await), (1, 1, 1));
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_events_that_say_the_same_at_once_have_one_effect() {
    let app = Arc::new(TestApp::new().await);
    untold(&app).await;
    let event = app.event("payment_intent.succeeded").await;
    let racing = (0..20).map(|n| {
        let (app, event) = (Arc::clone(&app), renamed(&event, &format!("evt_again_{n}")));
        tokio::spawn(async move { app.deliver_signed(&event).await })
    });
    let mut applied = 0;
    for one in racing.collect::<Vec<_>>() {
        let receipt = one.await.unwrap();
        match receipt.text("status") {
            "applied" => applied += 1,
            _ => assert_eq!(receipt.says(), (200, "ignored"), "{receipt:#?}"),
        }
    }
    assert_eq!((applied, kept(&app).await.len(), captures(&app).await), (1, 20, 1));
    app.end().await;
}

#[tokio::test]
async fn an_event_that_comes_late_or_again_changes_nothing() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.held(&[("V1", 52_500)]).await;
    app.act(&id, "capture", json!({ "amount": 30_000 })).await;
    app.refund(&id, Some(500)).await;
    let (before, journal) = (app.payment(&id).await.body, app.journal().await);
    for (kind, becomes) in [
        ("payment_intent.amount_capturable_updated", "stale"),
        ("payment_intent.created", "stale"),
        ("payment_intent.succeeded", "ignored"),
        ("refund.created", "ignored"),
        ("charge.refunded", "ignored"),
        ("charge.captured", "ignored"),
    ] {
        let event = app.event(kind).await;
        assert_eq!(app.deliver_signed(&event).await.says(), (200, becomes), "{kind}");
        assert_eq!(app.deliver_signed(&event).await.says(), (200, "duplicate"), "{kind}");
    }
    assert_eq!((app.payment(&id).await.body["amount_captured"].clone()), before["amount_captured"]);
    assert_eq!(
        (app.payment(&id).await.text("status"), app.journal().await),
        ("succeeded", journal)
    );
    app.end().await;
}

#[tokio::test]
async fn the_last_event_first_and_the_first_last_lead_to_the_same_end() {
    let app = TestApp::new().await;
    let id = untold(&app).await;
    let told = app.event("payment_intent.succeeded").await;
    assert_eq!(app.deliver_signed(&told).await.says(), (200, "applied"));
    let created = app.event("payment_intent.created").await;
    assert_eq!(app.deliver_signed(&created).await.says(), (200, "stale"));
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    app.end().await;
}

#[tokio::test]
async fn what_is_told_of_an_unknown_payment_is_kept_and_applied_when_it_is_known() {
    let app = TestApp::new().await;
    let id = untold(&app).await;
    let theirs = app.ask_gateway("/v1/payment_intents").await;
    let theirs = theirs.body["data"][0]["id"].as_str().unwrap().to_owned();
    let form = [("payment_intent", theirs.as_str()), ("amount", "500")];
    app.at_gateway("/v1/refunds", &form).await;
    // The refund is told before the payment: nobody here has heard of that payment.
    let refunded = app.event("refund.created").await;
    assert_eq!(app.deliver_signed(&refunded).await.says(), (200, "parked"));
    assert!(kept(&app).await[0].contains("is no refund of ours"), "{:?}", kept(&app).await);
    let paid = app.event("payment_intent.succeeded").await;
    assert_eq!(app.deliver_signed(&paid).await.says(), (200, "applied"));
    app.advance(31);
    app.tick().await;
    assert_eq!(app.payment(&id).await.int("amount_refunded"), 500);
    assert_eq!(kept(&app).await, ["applied: ", "applied: "]);
    app.end().await;
}

#[tokio::test]
async fn a_payment_that_was_made_elsewhere_is_none_of_our_business() {
    let app = TestApp::new().await;
    let form = [
        ("amount", "52500"),
        ("currency", "aed"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    app.at_gateway("/v1/payment_intents", &form).await;
    app.sim.deliver_due().await;
    let kept = kept(&app).await;
    assert!(kept.iter().all(|one| one.starts_with("ignored: ")), "{kept:?}");
    assert_eq!(app.journal().await, "");
    app.prove_laws().await;
}

#[tokio::test]
async fn a_payment_that_claims_to_be_ours_is_parked_and_after_three_days_somebody_must_look() {
    let app = TestApp::new().await;
    let form = [
        ("metadata[mizan_payment_intent]", "pi_0195a5f1c0a77c4e9b1f2a3b4c5d6e7f"),
        ("amount", "52500"),
        ("currency", "aed"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    app.at_gateway("/v1/payment_intents", &form).await;
    app.sim.deliver_due().await;
    let parked = kept(&app).await;
    assert!(parked.iter().any(|one| one.ends_with("is no payment of ours")), "{parked:?}");
    assert_eq!(app.journal().await, "");
    for _ in 0..2 {
        app.advance(86_400);
        app.tick().await;
    }
    app.prove_laws().await;
    app.advance(2 * 86_400);
    let proved = mizan::verify::verify(&app.app.db, &app.app.clock).await.unwrap();
    let broken: Vec<_> = proved.iter().flat_map(|(_, laws)| laws).filter(|l| !l.holds()).collect();
    assert_eq!(broken.len(), 1, "{broken:#?}");
}

#[tokio::test]
async fn what_the_gateway_did_not_say_is_refused_and_leaves_nothing() {
    let app = TestApp::new().await;
    let id = untold(&app).await;
    let event = app.event("payment_intent.succeeded").await;
    let now = app.app.clock.now().timestamp();
    let good = sign(WEBHOOK_SECRET, now, event.as_bytes());
    let compact = serde_json::from_str::<Value>(&event).unwrap().to_string();
    let v0 = good.replace("v1=", "v0=");
    let flipped = format!("{}0", &good[..good.len() - 1]);
    let flipped = if flipped == good { format!("{}1", &good[..good.len() - 1]) } else { flipped };
    let rows = app.rows().await;
    for (what, body, signature) in [
        ("forged", event.as_str(), flipped.clone()),
        ("another secret", &event, sign("whsec_somebody_elses", now, event.as_bytes())),
        ("the API key as secret", &event, sign(&app.key, now, event.as_bytes())),
        ("old", &event, sign(WEBHOOK_SECRET, now - 301, event.as_bytes())),
        ("from the future", &event, sign(WEBHOOK_SECRET, now + 301, event.as_bytes())),
        (
            "an hour added to the time",
            &event,
            good.replace(&now.to_string(), &(now + 1).to_string()),
        ),
        ("truncated", &event[..event.len() - 1], good.clone()),
        ("written again", &compact, good.clone()),
        ("another event", &event.replace("52500", "62500"), good.clone()),
        ("an older scheme only", &event, v0),
        ("no signature in it", &event, format!("t={now}")),
        ("no time in it", &event, good.split(',').nth(1).unwrap().to_owned()),
        ("empty", &event, String::new()),
        ("nonsense", &event, "nonsense".to_owned()),
    ] {
        let refused = app.deliver(body, &signature).await;
        assert_eq!(refused.problem(), (401, "signature_invalid"), "{what}: {refused:#?}");
        assert_eq!(app.rows().await, rows, "{what}");
    }
    let unsigned = app.client.post(format!("{}/webhooks/stripe/{CONNECTION}", app.url));
    let unsigned = app.send(unsigned.body(event.clone())).await;
    assert_eq!(unsigned.problem(), (401, "signature_invalid"));
    for path in ["stripe/other", "paypal/main", "razorpay/main"] {
        let request = app.client.post(format!("{}/webhooks/{path}", app.url));
        let refused = app.send(request.header("Stripe-Signature", &good).body(event.clone())).await;
        assert_eq!(refused.problem(), (404, "route_not_found"), "{path}");
    }
    assert_eq!(app.rows().await, rows);
    assert_eq!(app.payment(&id).await.text("status"), "processing");
    assert_eq!(app.deliver(event, &good).await.says(), (200, "applied"));
    app.end().await;
}

#[tokio::test]
async fn while_a_secret_is_rotated_either_signature_is_enough() {
    let app = TestApp::new().await;
    untold(&app).await;
    let event = app.event("payment_intent.succeeded").await;
    let now = app.app.clock.now().timestamp();
    let (newer, older) = (digest(WEBHOOK_SECRET, now, event.as_bytes()), |body: &str| {
        digest(OLDER_SECRET, now, body.as_bytes())
    });
    let old = renamed(&event, "evt_old");
    let signature = format!("t={now},v1={}", older(&old));
    assert_eq!(app.deliver(old, &signature).await.says(), (200, "applied"));
    // The gateway signs with both: one that we do not have comes first or last.
    let strange = digest("whsec_after_the_next", now, event.as_bytes());
    let signature = format!("t={now},v1={strange},v1={newer},v0={strange}");
    assert_eq!(app.deliver(event.clone(), &signature).await.says(), (200, "ignored"));
    let edge = renamed(&event, "evt_edge");
    let signature = sign(WEBHOOK_SECRET, now - 300, edge.as_bytes());
    assert_eq!(app.deliver(edge, &signature).await.says(), (200, "ignored"));
    app.end().await;
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused_unread_and_one_at_the_bound_is_kept() {
    let app = TestApp::new().await;
    let now = app.app.clock.now().timestamp();
    let mut body = vec![b'x'; (1 << 20) + 1];
    let refused = app.deliver(body.clone(), &sign(WEBHOOK_SECRET, now, &body)).await;
    assert_eq!((refused.problem(), kept(&app).await.len()), ((413, "body_too_large"), 0));
    body.pop();
    let signature = sign(WEBHOOK_SECRET, now, &body);
    assert_eq!(app.deliver(body, &signature).await.says(), (200, "parked"));
    assert_eq!(kept(&app).await.len(), 1);
}

#[tokio::test]
async fn believed_bytes_that_cannot_be_read_are_kept_with_the_reason() {
    let app = TestApp::new().await;
    for body in ["not JSON", "", "{}", "[]", r#"{"id":7}"#, r#"{"id":"evt_1","object":"event"}"#] {
        let receipt = app.deliver_signed(body).await;
        let becomes = if body.contains("evt_1") { "ignored" } else { "parked" };
        assert_eq!(receipt.says(), (200, becomes), "{body}: {receipt:#?}");
    }
    let kept = kept(&app).await;
    assert!(kept.iter().all(|one| one.len() > "parked: ".len()), "{kept:?}");
    assert_eq!(app.deliver_signed("not JSON").await.says(), (200, "parked"));
    app.advance(31);
    app.tick().await;
    app.prove_laws().await;
}

#[tokio::test]
async fn a_webhook_that_cannot_be_applied_is_parked_and_not_lost() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.paid(&[("V1", 52_500)]).await;
    let payment = app.payment(&id).await;
    let theirs = payment.body["attempts"][0]["provider_ref"].as_str().unwrap();
    let form = [("payment_intent", theirs), ("amount", "500")];
    app.at_gateway("/v1/refunds", &form).await;
    let event = app.event("refund.created").await;
    app.execute(
        "create function public.impossible() returns trigger language plpgsql as $$
             begin
                 raise exception 'impossible' using errcode = 'check_violation',
                     constraint = 'of_this_test';
             end $$;
         create trigger impossible before insert on ledger.transaction
             for each row execute function public.impossible()",
    )
    .await;
    let journal = app.journal().await;
    assert_eq!(app.deliver_signed(&event).await.says(), (200, "parked"));
    assert!(kept(&app).await[0].contains("of_this_test"), "{:?}", kept(&app).await);
    assert_eq!((app.payment(&id).await.body, app.journal().await), (payment.body, journal));
    for seconds in [31, 121] {
        app.advance(seconds);
        app.tick().await;
        assert!(kept(&app).await[0].contains("of_this_test"), "{:?}", kept(&app).await);
    }
    app.execute("drop trigger impossible on ledger.transaction").await;
    app.advance(601);
    app.tick().await;
    assert_eq!(app.payment(&id).await.int("amount_refunded"), 500);
    assert_eq!(kept(&app).await, ["applied: "]);
    app.end().await;
}

#[tokio::test]
async fn while_the_database_is_away_the_gateway_is_asked_to_come_again() {
    let books = Books::new().await;
    // The service's own way to the database, which can be taken away and given back.
    let folder = tempfile::Builder::new().prefix("mz").tempdir().unwrap();
    let way = folder.path().join("pg");
    let (url, socket) = by_another_way(&books.db.url(), &way);
    std::os::unix::fs::symlink(&socket, &way).unwrap();
    let setup = Setup { retries: 0, answer_within: std::time::Duration::from_secs(30) };
    let app = TestApp::on(books, &url, setup).await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n");
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "processing"));

    std::fs::remove_file(&way).unwrap();
    app.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .await;
    let event = app.event("payment_intent.succeeded").await;
    let refused = app.deliver_signed(&event).await;
    assert_eq!(refused.problem(), (503, "unavailable"));
    assert_eq!(refused.headers["retry-after"], "2");
    let calls = app.wire.count();
    let (key, path) = (app.fresh(), format!("/v1/payment_intents/{id}/cancel"));
    let away = app.post_as(&key, &path, json!({})).await;
    assert_eq!(away.problem(), (503, "unavailable"));
    assert!(app.sim.deliver_due().await > 0);
    assert_eq!((app.wire.count(), kept(&app).await.len()), (calls, 0));

    std::os::unix::fs::symlink(&socket, &way).unwrap();
    app.advance(31);
    assert!(app.sim.deliver_due().await > 0);
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    assert_eq!(app.post_as(&key, &path, json!({})).await.problem(), (409, "wrong_state"));
    app.end().await;
}

/// The same database, its socket's folder reached through `way`; and the folder itself.
fn by_another_way(url: &str, way: &Path) -> (String, String) {
    let parsed = reqwest::Url::parse(url).unwrap();
    let host = parsed.host_str().unwrap();
    let socket = percent_decoded(host);
    let way = way.to_str().unwrap().replace('/', "%2F");
    (url.replacen(host, &way, 1), socket)
}

fn percent_decoded(text: &str) -> String {
    let plus_free = text.replace('+', "%2B");
    form_urlencoded::parse(plus_free.as_bytes()).next().unwrap().0.into_owned()
}

#[tokio::test]
async fn a_capture_told_after_the_cancellation_is_kept_apart_for_a_person() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.held(&[("V1", 52_500)]).await;
    app.act(&id, "cancel", json!({})).await;
    let cancelled = app.event("payment_intent.canceled").await;
    let fields = [("status", json!("succeeded")), ("amount_received", json!(52_500))];
    let captured = doctored(&cancelled, "evt_late_capture", &fields);
    assert_eq!(app.deliver_signed(&captured).await.says(), (200, "applied"));
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_captured")), ("review", 0));
    assert_eq!(payment.int("amount_unapplied"), 52_500);
    assert!(payment.text("review_reason").contains("cancelled"), "{payment:#?}");
    assert!(app.books.balances().await.contains("unapplied_receipts:stripe 525.00 AED"));
    app.prove_laws().await;
}

#[tokio::test]
async fn a_second_capture_for_one_order_is_kept_apart_for_a_person() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.confirm(&id, "pm_card_chargeDeclined").await;
    let failed = app.event("payment_intent.payment_failed").await;
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (200, "succeeded"));
    let fields = [("status", json!("succeeded")), ("amount_received", json!(52_500))];
    let captured = doctored(&failed, "evt_second_capture", &fields);
    assert_eq!(app.deliver_signed(&captured).await.says(), (200, "applied"));
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_captured")), ("review", 52_500));
    assert_eq!(payment.int("amount_unapplied"), 52_500);
    app.prove_laws().await;
}

#[tokio::test]
async fn a_cancellation_that_comes_too_late_finds_the_money_taken() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    let held = app.payment(&id).await;
    let theirs = held.body["attempts"][0]["provider_ref"].as_str().unwrap();
    // Somebody takes the money in the gateway's dashboard, and its webhook is on the way.
    app.at_gateway(&format!("/v1/payment_intents/{theirs}/capture"), &[]).await;
    let late = app.act(&id, "cancel", json!({})).await;
    assert!(late.status >= 400 && late.status < 500, "{late:#?}");
    late.problem();
    app.end().await;
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
}

#[tokio::test]
async fn every_sample_of_a_webhook_is_kept_and_none_moves_money_of_ours() {
    let app = TestApp::new().await;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers/fixtures/stripe");
    let mut taken = 0;
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("webhook.") || !name.ends_with(".headers.json") {
            continue;
        }
        let said: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let body = path.with_file_name(said["body_file"].as_str().unwrap());
        let body = std::fs::read(body).unwrap();
        let now = app.app.clock.now().timestamp();
        let receipt: Reply = app.deliver(body.clone(), &sign(WEBHOOK_SECRET, now, &body)).await;
        assert_eq!(receipt.status, 200, "{name}: {receipt:#?}");
        assert_ne!(receipt.text("status"), "applied", "{name}");
        taken += 1;
    }
    assert!(taken >= 20, "only {taken} samples");
    assert_eq!(app.journal().await, "");
    app.prove_laws().await;
}
