//! Disputes that people enter, at gateways that tell of them by mail only.

use mizan_providers::ProviderName;
use serde_json::{Value, json};

use super::{announced, holds, net, ours, terms};
use crate::gateways::Bazaar;
use crate::replay::write_again;
use crate::support_app::{Reply, TestApp};

const FEE: i64 = 9_100;

/// A paid order of 210.00 AED, of which V1 has 189.00; its webhooks have come.
async fn paid(bazaar: &Bazaar, name: ProviderName) -> String {
    let paid = bazaar.pay(name, 21_000, false).await;
    assert_eq!(paid.says(), (200, "succeeded"), "{name}: {:#}", paid.body);
    bazaar.settle().await;
    paid.id().to_owned()
}

/// Enters a dispute; `with` says what is not as usual.
async fn enter(app: &TestApp, payment: &str, reference: &str, with: Value) -> Reply {
    let mut body = json!({ "payment_intent": payment, "provider_dispute": reference });
    for (field, value) in with.as_object().unwrap() {
        body[field] = value.clone();
    }
    app.post("/v1/disputes", body).await
}

async fn outcome(app: &TestApp, dispute: &str, body: Value) -> Reply {
    app.post(&format!("/v1/disputes/{dispute}/outcome"), body).await
}

#[tokio::test]
async fn what_people_enter_is_booked_as_what_gateways_tell() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    for name in [ProviderName::Telr, ProviderName::Paytabs] {
        let (first, second) = (paid(&bazaar, name).await, paid(&bazaar, name).await);
        let held = net(app, "vendor_payable:V1:pending").await;
        let clearing = net(app, &format!("gateway_clearing:{name}")).await;
        let due = "2026-04-01T00:00:00Z";
        let with = json!({ "fee": FEE, "fee_tax": 455, "reason": "fraud", "evidence_due_by": due });
        let lost = enter(app, &first, "CB-1", with).await;
        assert_eq!(lost.says(), (201, "needs_response"), "{lost:#?}");
        let told = ours(app, &first).await;
        assert_eq!(told, lost.body);
        assert_eq!(told["provider"], name.as_str());
        assert!(told["entered_by"].is_string() && told["decided_by"].is_null(), "{told:#}");
        assert_eq!((&told["amount"], &told["fee"]), (&json!(21_000), &json!(FEE + 455)));
        assert_eq!(told["evidence_due_by"], due);
        let won = enter(app, &second, "CB-2", json!({ "amount": 5_000, "fee": FEE })).await;
        assert_eq!(won.says(), (201, "needs_response"), "{won:#?}");
        let (hold, fees) = (format!("dispute_hold:{name}"), format!("dispute_fees:{name}"));
        let gone = format!("gateway_clearing:{name}");
        holds(app, &[(&hold, 26_000), (&fees, 2 * FEE + 455)]).await;
        holds(app, &[(&gone, clearing - 26_000 - 2 * FEE - 455)]).await;
        app.prove_laws().await;

        let ended = outcome(app, lost.id(), json!({ "outcome": "lost" })).await;
        assert_eq!(ended.says(), (200, "lost"), "{ended:#?}");
        assert_eq!(ended.body["decided_by"], ended.body["entered_by"]);
        let ended = outcome(app, won.id(), json!({ "outcome": "won", "fee_returned": FEE })).await;
        assert_eq!(ended.says(), (200, "won"), "{ended:#?}");
        holds(app, &[(&hold, 0), (&fees, FEE + 455), (&gone, clearing - 21_000 - FEE - 455)]).await;
        holds(app, &[("vendor_payable:V1:pending", held + 18_900)]).await;
        app.prove_laws().await;
    }
    let actor = "select count(distinct actor) from ledger.transaction
                 where source like 'dp\\_%' and actor like 'key\\_%'";
    assert_eq!(app.sql::<i64>(actor).await, 1, "{}", app.journal().await);
    let kinds = announced(app).await;
    for kind in ["dispute.created", "dispute.won", "dispute.lost"] {
        assert!(kinds.iter().any(|it| it == kind), "{kinds:?}");
    }
}

#[tokio::test]
async fn money_that_goes_later_goes_with_its_word_or_with_the_loss() {
    let bazaar = Bazaar::open().await;
    let (app, name) = (&bazaar.app, ProviderName::Telr);
    let mut ids = Vec::new();
    for n in 0..4 {
        let payment = paid(&bazaar, name).await;
        let later = json!({ "funds": "later" });
        let entered = enter(app, &payment, &format!("CB-{n}"), later).await;
        assert_eq!(entered.says(), (201, "needs_response"), "{entered:#?}");
        assert_eq!(entered.body["booked"], "nothing");
        ids.push(entered.id().to_owned());
    }
    let hold = "dispute_hold:telr";
    holds(app, &[(hold, 0)]).await;
    let taken = json!({ "outcome": "withdrawn", "fee": FEE });
    let gone = outcome(app, &ids[0], taken.clone()).await;
    assert_eq!(gone.says(), (200, "needs_response"), "{gone:#?}");
    holds(app, &[(hold, 21_000), ("dispute_fees:telr", FEE)]).await;
    assert_eq!(outcome(app, &ids[0], taken).await.problem(), (409, "wrong_state"));
    let closed = json!({ "outcome": "closed", "fee_returned": FEE });
    assert_eq!(outcome(app, &ids[0], closed).await.says(), (200, "warning_closed"));
    holds(app, &[(hold, 0), ("dispute_fees:telr", 0)]).await;
    let lost = outcome(app, &ids[1], json!({ "outcome": "lost", "fee": FEE })).await;
    assert_eq!((lost.says(), &lost.body["booked"]), ((200, "lost"), &json!("lost")), "{lost:#?}");
    let won = outcome(app, &ids[2], json!({ "outcome": "won" })).await;
    assert_eq!((won.says(), &won.body["booked"]), ((200, "won"), &json!("nothing")), "{won:#?}");
    let closed = outcome(app, &ids[3], json!({ "outcome": "closed" })).await;
    assert_eq!(closed.says(), (200, "warning_closed"), "{closed:#?}");
    holds(app, &[(hold, 0), ("dispute_fees:telr", FEE)]).await;
    app.prove_laws().await;
    let again = write_again(app).await;
    assert_eq!((again.transactions, again.transactions_again), (10, 10), "{again:#?}");
    assert_eq!((again.differing.count, again.accounts_alike), (0, 7), "{again:#?}");
}

#[tokio::test]
async fn it_is_answered_here_and_nobody_is_asked() {
    let bazaar = Bazaar::open().await;
    let (app, name) = (&bazaar.app, ProviderName::Paytabs);
    terms(app, "V1", json!({ "dispute_liability": "platform", "dispute_fee": "vendor" })).await;
    let id = paid(&bazaar, name).await;
    let entered = enter(app, &id, "CB-1", json!({ "fee": FEE })).await;
    assert_eq!(entered.body["fee_by_vendor"], json!({ "V1": FEE }));
    let path = |verb: &str| format!("/v1/disputes/{}/{verb}", entered.id());
    let evidence = json!({ "letter": "it was signed for" });
    let kept = app.post(&path("evidence"), json!({ "evidence": evidence })).await;
    assert_eq!(kept.says(), (200, "needs_response"), "{kept:#?}");
    assert_eq!((&kept.body["evidence"], &kept.body["evidence_sent_at"]), (&evidence, &Value::Null));
    let (key, nothing) = (app.fresh(), json!({}));
    let lost = app.post_as(&key, &path("accept"), nothing.clone()).await;
    assert_eq!(lost.says(), (200, "lost"), "{lost:#?}");
    assert!(lost.body["accepted_at"].is_string() && lost.body["decided_by"].is_string());
    assert_eq!(app.post_as(&key, &path("accept"), nothing.clone()).await.body, lost.body);
    assert_eq!(app.post(&path("accept"), nothing).await.problem(), (409, "wrong_state"));
    assert_eq!(
        app.sql::<i64>("select count(*) from payments.operation where dispute_id is not null")
            .await,
        0
    );
    holds(app, &[("dispute_losses", 21_000), ("dispute_hold:paytabs", 0)]).await;
    // The vendor still has its part of the sale, and pays the fee with its tax out of it.
    holds(app, &[("vendor_payable:V1:pending", FEE + 455 - 18_900)]).await;
    app.prove_laws().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let (first, second) =
        (paid(&bazaar, ProviderName::Telr).await, paid(&bazaar, ProviderName::Telr).await);
    let told = bazaar.pay(ProviderName::Paypal, 21_000, false).await;
    let unpaid = bazaar.order(ProviderName::Telr, 21_000, false).await;
    assert!(app.refund(&second, Some(6_000)).await.status < 300);
    bazaar.settle().await;
    let journal = app.journal().await;
    let nobody = "pi_01a8d6f0c1e34f7b9d2a5c6e7f801234";
    for (payment, reference, with, problem) in [
        (nobody, "CB-1", json!({}), (404, "not_found")),
        (told.id(), "CB-1", json!({}), (422, "unsupported_by_provider")),
        (&unpaid, "CB-1", json!({}), (409, "wrong_state")),
        (&first, "CB-1", json!({ "amount": 21_001 }), (409, "amount_exceeds_rest")),
        (&second, "CB-1", json!({ "amount": 15_001 }), (409, "amount_exceeds_rest")),
        (&first, "CB-1", json!({ "amount": 0 }), (400, "invalid_amount")),
        (&first, "CB-1", json!({ "fee": -1 }), (400, "invalid_amount")),
        (&first, "CB-1", json!({ "fee_tax": 1 }), (400, "missing_field")),
        (&first, "CB-1", json!({ "funds": "never" }), (400, "invalid_field")),
        (&first, "CB-1", json!({ "reason": "" }), (400, "invalid_field")),
        (&first, "CB-1", json!({ "when": "now" }), (400, "unknown_field")),
        (&first, "CB 1", json!({}), (400, "invalid_field")),
        (&first, "", json!({}), (400, "invalid_field")),
    ] {
        let refused = enter(app, payment, reference, with.clone()).await;
        assert_eq!(refused.problem(), problem, "{payment} {with}: {refused:#?}");
    }
    assert_eq!(app.journal().await, journal);
    let request = app.request(reqwest::Method::POST, "/v1/disputes");
    let body = json!({ "payment_intent": first, "provider_dispute": "CB-1" });
    let unkeyed = app.send(request.json(&body)).await;
    assert_eq!(unkeyed.problem(), (400, "idempotency_key_missing"));

    // What was refunded is not disputed.
    let (key, body) =
        (app.fresh(), json!({ "payment_intent": second, "provider_dispute": "CB-1" }));
    let entered = app.post_as(&key, "/v1/disputes", body.clone()).await;
    assert_eq!((entered.status, entered.int("amount")), (201, 15_000), "{entered:#?}");
    assert_eq!(app.post_as(&key, "/v1/disputes", body).await.body, entered.body);
    for payment in [&first, &second] {
        let twice = enter(app, payment, "CB-1", json!({ "amount": 1 })).await;
        let problem = if *payment == second { "amount_exceeds_rest" } else { "reference_reused" };
        assert_eq!(twice.problem(), (409, problem), "{twice:#?}");
    }
    for (body, problem) in [
        (json!({ "outcome": "won", "fee": 1 }), (400, "invalid_field")),
        (json!({ "outcome": "lost", "fee_returned": 1 }), (400, "invalid_field")),
        (json!({ "outcome": "won", "fee_returned": 1 }), (400, "invalid_field")),
        (json!({ "outcome": "drawn" }), (400, "invalid_field")),
        (json!({ "outcome": "withdrawn" }), (409, "wrong_state")),
    ] {
        let refused = outcome(app, entered.id(), body.clone()).await;
        assert_eq!(refused.problem(), problem, "{body}: {refused:#?}");
    }
    assert_eq!(
        outcome(app, entered.id(), json!({ "outcome": "lost" })).await.says(),
        (200, "lost")
    );
    for word in ["lost", "won", "closed", "withdrawn"] {
        let twice = outcome(app, entered.id(), json!({ "outcome": word })).await;
        assert_eq!(twice.problem(), (409, "wrong_state"), "{twice:#?}");
    }
    app.prove_laws().await;
}

#[tokio::test]
async fn what_a_gateway_tells_is_not_decided_by_hand_and_strangers_see_nothing() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let paid_there = bazaar.pay(ProviderName::Razorpay, 21_000, false).await;
    let theirs = paid_there.body["attempts"][0]["provider_ref"].clone();
    let opened = json!({ "payment": theirs });
    assert_eq!(bazaar.control(ProviderName::Razorpay, "disputes", opened).await, 200);
    bazaar.settle().await;
    let told = ours(app, paid_there.id()).await;
    assert_eq!(told["entered_by"], Value::Null);
    let refused = outcome(app, told["id"].as_str().unwrap(), json!({ "outcome": "won" })).await;
    assert_eq!(refused.problem(), (422, "unsupported_by_provider"), "{refused:#?}");
    let nobody = "dp_01a8d6f0c1e34f7b9d2a5c6e7f801234";
    let unknown = outcome(app, nobody, json!({ "outcome": "won" })).await;
    assert_eq!(unknown.problem(), (404, "not_found"));

    let id = paid(&bazaar, ProviderName::Telr).await;
    let entered = enter(app, &id, "CB-1", json!({})).await;
    let stranger = app.strangers_key().await;
    let by_stranger = async |path: String, body: Value| {
        let request = app.client.post(format!("{}{path}", app.url)).bearer_auth(&stranger);
        app.send(request.header("Idempotency-Key", app.fresh()).json(&body)).await.problem()
            == (404, "not_found")
    };
    let body = json!({ "payment_intent": id, "provider_dispute": "CB-2" });
    assert!(by_stranger("/v1/disputes".to_owned(), body).await);
    let path = format!("/v1/disputes/{}/outcome", entered.id());
    assert!(by_stranger(path, json!({ "outcome": "won" })).await);
    assert_eq!(ours(app, &id).await["status"], "needs_response");
}

#[tokio::test]
async fn callers_who_enter_the_same_at_once_enter_it_once() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let (first, second) =
        (paid(&bazaar, ProviderName::Telr).await, paid(&bazaar, ProviderName::Telr).await);
    let one = |payment| enter(app, payment, "CB-1", json!({ "amount": 1_000, "fee": FEE }));
    let (a, b, c, d) = tokio::join!(one(&first), one(&second), one(&first), one(&second));
    let replies = [a, b, c, d];
    let entered = replies.iter().filter(|it| it.status == 201).count();
    let refused = replies.iter().filter(|it| it.status != 201);
    for reply in refused {
        assert_eq!(reply.problem(), (409, "reference_reused"), "{reply:#?}");
    }
    assert_eq!(entered, 1);
    holds(app, &[("dispute_hold:telr", 1_000), ("dispute_fees:telr", FEE)]).await;
    app.prove_laws().await;
}
