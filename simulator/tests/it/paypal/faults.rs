//! Faults in PayPal's words, and what is there after a crash.

use serde_json::{Value, json};

use super::{Pal, issue, usd};
use crate::support::folder;

#[tokio::test]
async fn trouble_comes_in_paypals_envelope() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    pal.approve(&order).await;
    let cases = [
        ("http_500", "", 500, "INTERNAL_SERVER_ERROR"),
        ("http_429", "delay_s = 7", 429, "RATE_LIMIT_REACHED"),
        ("error_in_200", "", 200, "INTERNAL_SERVER_ERROR"),
    ];
    for (kind, more, status, name) in cases {
        pal.faults(&format!("[[rules]]\non = \"capture\"\nkind = \"{kind}\"\n{more}"));
        let answer = pal.capture(&order).await;
        assert_eq!((answer.status, &answer.body["name"]), (status, &json!(name)));
    }
    pal.faults("[[rules]]\non = \"retrieve\"\nkind = \"down\"\ndelay_s = 60");
    let down = pal.get("/v1/customer/disputes").await;
    assert_eq!((down.status, &down.body["name"]), (503, &json!("SERVICE_UNAVAILABLE")));
    pal.clock.advance(60);
    let path = format!("/v2/checkout/orders/{order}");
    assert_eq!(pal.status_of(&path).await, "APPROVED", "nothing was done");
}

#[tokio::test]
async fn what_was_done_without_an_answer_is_found_by_the_request_id() {
    for kind in ["lost_answer", "http_500_after", "empty_body"] {
        let pal = Pal::new().await;
        let order = pal.order("CAPTURE", "20.00", "pay-1").await;
        pal.approve(&order).await;
        pal.faults(&format!(
            "[[rules]]\non = \"capture\"\nkind = \"{kind}\"\nmatch = {{ custom_id = \"pay-1\" }}"
        ));
        let path = format!("/v2/checkout/orders/{order}/capture");
        let first = pal.try_keyed(&path, &json!({}), "take").await;
        match (kind, first) {
            ("lost_answer", first) => assert!(first.is_err()),
            ("http_500_after", first) => assert_eq!(first.unwrap().status, 500),
            (_, first) => assert_eq!(first.unwrap().body, json!("")),
        }
        let again = pal.keyed(&path, &json!({}), "take").await;
        assert_eq!((again.status, &again.body["status"]), (200, &json!("COMPLETED")), "{kind}");
        assert_eq!(pal.state().await["references"]["pay-1"]["captured"], 2_000);
        pal.assert_balanced();
    }
}

#[tokio::test]
async fn a_falsified_answer_is_wrong_and_what_is_kept_is_right() {
    let pal = Pal::new().await;
    let (_, capture) = pal.paid("20.00", "pay-1").await;
    let path = format!("/v2/payments/captures/{capture}");
    let right = pal.get(&path).await.body;
    let cases = [
        ("wrong_amount", "/amount/value", json!("21.00")),
        ("wrong_currency", "/amount/currency_code", json!("EUR")),
        ("unknown_status", "/status", json!("simmering")),
    ];
    for (kind, place, wrong) in cases {
        pal.faults(&format!("[[rules]]\non = \"retrieve\"\nkind = \"{kind}\""));
        let answer = pal.get(&path).await.body;
        assert_eq!(answer.pointer(place), Some(&wrong));
        assert_eq!(pal.get(&path).await.body, right);
    }
}

#[tokio::test]
async fn money_that_looked_paid_is_taken_back_later() {
    for on in ["confirm", "capture"] {
        let pal = Pal::new().await;
        pal.faults(&format!("[[rules]]\non = \"{on}\"\nkind = \"late_failure\"\ndelay_s = 30"));
        let (_, capture) = pal.paid("20.00", "pay-1").await;
        let path = format!("/v2/payments/captures/{capture}");
        assert_eq!(pal.status_of(&path).await, "COMPLETED");
        pal.clock.advance(30);
        assert_eq!(pal.status_of(&path).await, "REFUNDED", "{on}");
        let refused = pal.post(&format!("{path}/refund"), &json!({})).await;
        assert_eq!(issue(&refused), "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK");
        pal.assert_balanced();
    }
}

#[tokio::test]
async fn a_withdrawal_with_other_fees_is_a_difference_in_the_report() {
    let pal = Pal::new().await;
    pal.paid("100.00", "pay-1").await;
    pal.faults("[[rules]]\non = \"settlement\"\nkind = \"fee_drift\"");
    pal.post("/_sim/settle", &json!({})).await;
    pal.clock.advance(3 * 3600);
    let range = "start_date=2026-05-28T00:00:00Z&end_date=2026-05-29T00:00:00Z";
    let found = pal.get(&format!("/v1/reporting/transactions?{range}")).await.body;
    let sale: &Value = &found["transaction_details"][0]["transaction_info"];
    assert_eq!(sale["fee_amount"], usd("-4.48"), "4.09 was said at the capture");
    pal.assert_balanced();
}

#[tokio::test]
async fn everything_that_was_answered_survives_a_drop_without_stop() {
    let dir = folder("paypal-survive");
    let open = || Pal::with(|config| config.data_dir = Some(dir.clone()));
    let pal = open().await;
    let (order, capture) = pal.paid("50.00", "pay-1").await;
    let path = format!("/v2/payments/captures/{capture}/refund");
    let refund = pal.keyed(&path, &json!({ "amount": usd("10.00") }), "back").await;
    let read = pal.get(&format!("/v2/checkout/orders/{order}")).await.body;
    let open_order = pal.order("CAPTURE", "20.00", "pay-2").await;
    pal.choose(&open_order, &json!({ "outcome": "pending" })).await;
    pal.capture(&open_order).await;
    drop(pal);

    let pal = open().await;
    let again = pal.get(&format!("/v2/checkout/orders/{order}")).await.body;
    let links = |mut body: Value| {
        let text = body.to_string();
        body = serde_json::from_str(&text.replace(&pal.sim.url(), "")).unwrap();
        body["purchase_units"][0]["payments"]["refunds"][0]["amount"].clone()
    };
    assert_eq!(links(again), links(read));
    let replayed = pal.keyed(&path, &json!({ "amount": usd("10.00") }), "back").await;
    assert_eq!((replayed.status, replayed.id()), (200, refund.id()));
    pal.choose(&open_order, &json!({ "outcome": "paid" })).await;
    assert_eq!(pal.state().await["references"]["pay-2"]["captured"], 2_000);
    pal.assert_balanced();
}
