//! Faults in Telr's envelopes, what comes late, and what survives a crash.

use serde_json::json;

use super::{STORE, Telr, element};
use crate::support::folder;

fn rule(on: &str, rest: &str) -> String {
    format!("[[rules]]\non = \"{on}\"\n{rest}")
}

#[tokio::test]
async fn a_lost_answer_leaves_a_cart_that_is_taken() {
    let telr = Telr::new().await;
    for (place, kind) in ["lost_answer", "empty_body", "http_500_after"].into_iter().enumerate() {
        telr.faults(&rule("create", &format!("kind = \"{kind}\"")));
        let cart = format!("A-{place}");
        let fields = Telr::create_fields(&cart, "54.50", "AED", "sale");
        let first = telr.try_form("/gateway/order.json", &fields).await;
        assert!(first.is_err() || first.unwrap().body["order"].is_null(), "{kind}");
        let again = telr.form("/gateway/order.json", &fields).await;
        assert_eq!(again.body["error"]["message"], "E56:Duplicate transaction", "{kind}");
        let found = telr.service(&format!("/transaction/{cart}/cart")).await;
        assert_eq!(element(&found, "trancount"), "0", "an unpaid page is in no list");
    }
}

#[tokio::test]
async fn trouble_speaks_the_language_of_the_surface() {
    let telr = Telr::new().await;
    let sale = telr.paid("A-1", "54.50", "sale").await;
    telr.faults(
        &(rule("create", "kind = \"error_in_200\"\n")
            + &rule("refund", "kind = \"error_in_200\"\n")
            + &rule("retrieve", "kind = \"http_500\"\n")
            + &rule("retrieve", "kind = \"html\"")),
    );
    let fields = Telr::create_fields("A-2", "54.50", "AED", "sale");
    let answer = telr.form("/gateway/order.json", &fields).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["error"]["message"], "E98:Internal system error");
    let refund = telr.follow("refund", &sale, "1.00").await;
    assert_eq!((refund.0.as_str(), refund.1.as_str()), ("E", "98"));
    let service = telr.basic(&format!("/tools/api/xml/transaction/{sale}/linked")).await;
    assert_eq!(service.status, 500);
    assert_eq!(element(service.body.as_str().unwrap(), "code"), "98");
    let html = telr.basic(&format!("/tools/api/xml/transaction/{sale}/linked")).await;
    assert!(html.body.as_str().unwrap().starts_with("<!doctype html>"));
    assert_eq!(telr.linked(&sale).await, ["sale A 54.50"], "nothing was done");
    telr.faults(&rule("retrieve", "kind = \"down\"\ndelay_s = 60"));
    assert_eq!(telr.basic("/api/v1/accounts").await.status, 503);
    let down = telr.form("/gateway/order.json", &fields).await;
    assert_eq!((down.status, down.body), (503, json!("")));
}

#[tokio::test]
async fn answers_are_falsified_in_json_forms_and_xml() {
    let telr = Telr::new().await;
    let order = telr.order("A-1", "54.50", "sale").await;
    let sale = telr.choose(&order, json!({ "outcome": "paid" })).await;
    telr.faults(
        &(rule("retrieve", "kind = \"wrong_amount\"\n")
            + &rule("retrieve", "kind = \"wrong_currency\"\n")
            + &rule("retrieve", "kind = \"unknown_status\"\n")
            + &rule("retrieve", "kind = \"wrong_amount\"\n")
            + &rule("refund", "kind = \"unknown_status\"")),
    );
    assert_eq!(telr.check(&order).await["order"]["amount"], "55.50");
    assert_eq!(telr.check(&order).await["order"]["currency"], "USD");
    let unknown = telr.check(&order).await["order"].clone();
    assert_eq!(unknown["status"], json!({ "code": 77, "text": "simmering" }));
    assert_eq!(unknown["transaction"]["status"], "simmering");
    assert_eq!(telr.linked(&sale).await, ["sale A 55.50"]);
    assert_eq!(telr.follow("refund", &sale, "1.00").await.0, "simmering");
    assert_eq!(telr.linked(&sale).await, ["sale A 54.50", "refund A 1.00"]);
}

#[tokio::test]
async fn refunds_wait_fail_and_come_back() {
    let telr = Telr::new().await;
    let sale = telr.paid("A-1", "54.50", "sale").await;
    telr.faults(
        &(rule("refund", "kind = \"bounced_refund\"\ndelay_s = 60\n")
            + &rule("refund", "kind = \"late_failure\"\ndelay_s = 120")),
    );
    let (letter, _, waiting) = telr.follow("refund", &sale, "10.00").await;
    assert_eq!(letter, "H");
    let (letter, _, late) = telr.follow("refund", &sale, "20.00").await;
    assert_eq!(letter, "A");
    telr.clock.advance(60);
    let shown = telr.service(&format!("/transaction/{waiting}")).await;
    assert_eq!((element(&shown, "status"), element(&shown, "code")), ("D", "70"));
    telr.clock.advance(60);
    let linked = ["sale A 54.50", "refund D 10.00", "refund A 20.00", "refund reversal A 20.00"];
    assert_eq!(telr.linked(&late).await, linked);
    assert_eq!(telr.follow("refund", &sale, "54.50").await.0, "A", "the money was back");
    telr.assert_balanced();
}

#[tokio::test]
async fn a_payment_that_looked_paid_is_taken_back() {
    let telr = Telr::new().await;
    telr.faults(
        &(rule("confirm", "kind = \"late_failure\"\ndelay_s = 60\n")
            + &rule("capture", "kind = \"late_failure\"\ndelay_s = 60\n")
            + &rule("token", "kind = \"late_failure\"\ndelay_s = 60")),
    );
    let order = telr.order("A-1", "54.50", "sale").await;
    let sale = telr.choose(&order, json!({ "outcome": "paid" })).await;
    assert_eq!(telr.charge_again(&sale, "A-2").await.0, "A");
    let auth = telr.paid("A-3", "54.50", "auth").await;
    telr.follow("capture", &auth, "20.00").await;
    telr.clock.advance(60);
    assert_eq!(telr.status(&order).await.0, -2);
    assert_eq!(telr.linked(&sale).await, ["sale A 54.50", "void A 54.50"]);
    let taken = ["auth A 54.50", "capture A 20.00", "capture reversal A 20.00"];
    assert_eq!(telr.linked(&auth).await, taken);
    assert_eq!(telr.state().await["references"]["A-2"]["reversed"], true);
    telr.assert_balanced();
}

#[tokio::test]
async fn rules_match_on_the_cart_that_is_followed() {
    let telr = Telr::new().await;
    let (one, two) =
        (telr.paid("A-1", "9.00", "sale").await, telr.paid("A-2", "9.00", "sale").await);
    telr.faults(&rule("refund", "kind = \"error_in_200\"\nmatch = { cartid = \"A-2\" }"));
    assert_eq!(telr.follow("refund", &one, "1.00").await.0, "A");
    assert_eq!(telr.follow("refund", &two, "1.00").await.1, "98");
    assert_eq!(telr.follow("refund", &two, "1.00").await.0, "A");
}

#[tokio::test]
async fn everything_is_there_after_a_crash() {
    let dir = folder("telr-crash");
    let open = || Telr::with(|config| config.data_dir = Some(dir.clone()));
    let telr = open().await;
    let auth = telr.paid("A-1", "54.50", "auth").await;
    telr.faults(&rule("capture", "kind = \"lost_answer\""));
    let fields = [
        ("ivp_store", STORE),
        ("ivp_authkey", super::REMOTE_KEY),
        ("ivp_trantype", "capture"),
        ("ivp_currency", "AED"),
        ("ivp_amount", "20.00"),
        ("tran_ref", auth.as_str()),
    ];
    assert!(telr.try_form("/gateway/remote.html", &fields).await.is_err());
    telr.follow("release", &auth, "34.50").await;
    let before = telr.state().await;
    let linked = telr.linked(&auth).await;
    assert_eq!(linked, ["auth A 54.50", "capture A 20.00", "release A 34.50"]);
    drop(telr);

    let telr = open().await;
    assert_eq!(telr.state().await, before);
    assert_eq!(telr.linked(&auth).await, linked);
    let fields = Telr::create_fields("A-1", "54.50", "AED", "sale");
    let again = telr.form("/gateway/order.json", &fields).await;
    assert_eq!(again.body["error"]["message"], "E56:Duplicate transaction");
    assert!(telr.paid("A-2", "1.00", "sale").await > auth, "references go on");
    telr.assert_balanced();
}
