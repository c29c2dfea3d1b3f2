//! Calls and answers, one promise per test.

use serde_json::{Value, json};

use crate::support::{Bed, Form, KEY, START};

#[tokio::test]
async fn an_automatic_payment_takes_the_money_and_shows_fee_and_tax() {
    let bed = Bed::new().await;
    let paid = bed.pay("52500", "pm_card_visa", "automatic").await;
    assert_eq!(paid.status, 200, "{}", paid.body);
    assert_eq!(paid.body["status"], "succeeded");
    assert_eq!(paid.body["amount_received"], 52_500);
    assert!(paid.header("Request-Id").unwrap().starts_with("req_"));

    let path = format!(
        "/v1/payment_intents/{}?expand[]=latest_charge.balance_transaction&expand[]=customer",
        paid.id()
    );
    let read = bed.get(&path).await;
    let row = &read.body["latest_charge"]["balance_transaction"];
    assert_eq!(row["amount"], 52_500);
    assert_eq!(row["fee"], 1_704);
    assert_eq!(row["net"], 50_796);
    assert_eq!(row["fee_details"][0]["type"], "stripe_fee");
    assert_eq!(row["fee_details"][0]["amount"], 1_623);
    assert_eq!(row["fee_details"][1]["type"], "tax");
    assert_eq!(row["fee_details"][1]["amount"], 81);
    assert_eq!(row["status"], "pending");
    assert_eq!(row["available_on"], START + 2 * 86_400);

    let balance = bed.get("/v1/balance").await;
    assert_eq!(balance.body["pending"][0]["amount"], 50_796);
    bed.clock.advance(2 * 86_400);
    let balance = bed.get("/v1/balance").await;
    assert_eq!(balance.body["available"][0]["amount"], 50_796);
}

#[tokio::test]
async fn a_partial_capture_releases_the_rest_and_writes_two_lines() {
    let bed = Bed::new().await;
    let held = bed.pay("25000", "pm_card_visa", "manual").await;
    assert_eq!(held.body["status"], "requires_capture");
    assert_eq!(held.body["amount_capturable"], 25_000);
    let capture = format!("/v1/payment_intents/{}/capture", held.id());
    let much = bed.post(&capture, &[("amount_to_capture", "25001")]).await;
    assert_eq!((much.status, much.code()), (400, "amount_too_large"));

    let taken = bed.post(&capture, &[("amount_to_capture", "18000")]).await;
    assert_eq!(taken.body["status"], "succeeded");
    assert_eq!(taken.body["amount_received"], 18_000);
    assert_eq!(taken.body["amount_capturable"], 0);
    let rows = bed.get("/v1/balance_transactions").await;
    let rows = rows.body["data"].as_array().unwrap().clone();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row["type"].clone(), row["reporting_category"].clone(), row["amount"].clone()))
        .collect();
    assert_eq!(
        shown,
        [
            (json!("refund"), json!("partial_capture_reversal"), json!(-7_000)),
            (json!("charge"), json!("charge"), json!(25_000)),
        ]
    );
    let again = bed.post(&capture, &[]).await;
    assert_eq!((again.status, again.code()), (400, "payment_intent_unexpected_state"));
    let cancel = format!("/v1/payment_intents/{}/cancel", held.id());
    let cancel = bed.post(&cancel, &[]).await;
    assert_eq!((cancel.status, cancel.code()), (400, "payment_intent_unexpected_state"));
}

#[tokio::test]
async fn a_decline_is_402_and_the_intent_can_be_paid_with_another_card() {
    let cases = [
        ("pm_card_visa_chargeDeclined", "card_declined", Some("generic_decline")),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            Some("insufficient_funds"),
        ),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", Some("lost_card")),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", Some("stolen_card")),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ];
    let bed = Bed::new().await;
    for (token, code, decline_code) in cases {
        let refused = bed.pay("5000", token, "automatic").await;
        let error = &refused.body["error"];
        assert_eq!((refused.status, refused.code()), (402, code), "{token}");
        assert_eq!(error["type"], "card_error");
        assert_eq!(error["decline_code"].as_str(), decline_code, "{token}");
        let intent = &error["payment_intent"];
        assert_eq!(intent["status"], "requires_payment_method");
        assert_eq!(intent["last_payment_error"]["code"], code);
        assert_eq!(intent["latest_charge"], error["charge"]);

        let confirm = format!("/v1/payment_intents/{}/confirm", intent["id"].as_str().unwrap());
        let paid = bed.post(&confirm, &[("payment_method", "pm_card_visa")]).await;
        assert_eq!(paid.body["status"], "succeeded");
        assert_eq!(paid.body["last_payment_error"], Value::Null);
    }
}

#[tokio::test]
async fn refunds_add_up_to_the_captured_amount_and_no_further() {
    let bed = Bed::new().await;
    let paid = bed.pay("10000", "pm_card_visa", "automatic").await;
    let part = [("payment_intent", paid.id()), ("amount", "4000"), ("metadata[why]", "late")];
    let part = bed.post("/v1/refunds", &part).await;
    assert_eq!(part.body["status"], "succeeded");
    assert_eq!(part.body["metadata"]["why"], "late");
    let more = [("payment_intent", paid.id()), ("amount", "6001")];
    let more = bed.post("/v1/refunds", &more).await;
    assert_eq!((more.status, &more.body["error"]["param"]), (400, &json!("amount")));
    let rest = bed.post("/v1/refunds", &[("payment_intent", paid.id())]).await;
    assert_eq!(rest.body["amount"], 6_000);
    let over = bed.post("/v1/refunds", &[("payment_intent", paid.id())]).await;
    assert_eq!((over.status, over.code()), (400, "charge_already_refunded"));

    let charge = rest.body["charge"].as_str().unwrap();
    let charge = bed.get(&format!("/v1/charges/{charge}?expand[]=refunds")).await;
    assert_eq!(charge.body["refunded"], true);
    assert_eq!(charge.body["amount_refunded"], 10_000);
    assert_eq!(charge.body["refunds"]["data"].as_array().unwrap().len(), 2);
    let listed = bed.get(&format!("/v1/refunds?payment_intent={}&limit=1", paid.id())).await;
    assert_eq!(listed.body["data"][0]["id"], rest.body["id"]);
    assert_eq!(listed.body["has_more"], true);
}

#[tokio::test]
async fn an_authorisation_is_not_refunded_but_cancelled_and_ends_by_itself() {
    let bed = Bed::new().await;
    let held = bed.pay("10000", "pm_card_visa", "manual").await;
    let refused = bed.post("/v1/refunds", &[("payment_intent", held.id())]).await;
    assert_eq!(refused.status, 400);
    let cancel = format!("/v1/payment_intents/{}/cancel", held.id());
    let done = bed.post(&cancel, &[("cancellation_reason", "requested_by_customer")]).await;
    assert_eq!(done.body["status"], "canceled");
    assert_eq!(done.body["canceled_at"], START);

    let forgotten = bed.pay("10000", "pm_card_visa", "manual").await;
    bed.clock.advance(7 * 86_400);
    let read = bed.get(&format!("/v1/payment_intents/{}", forgotten.id())).await;
    assert_eq!(read.body["status"], "canceled");
    assert_eq!(read.body["cancellation_reason"], "expired");
}

#[tokio::test]
async fn slow_refunds_succeed_later_and_bouncing_ones_come_back() {
    let bed = Bed::new().await;
    let slow = bed.pay("10000", "pm_card_pendingRefund", "automatic").await;
    let slow = bed.post("/v1/refunds", &[("payment_intent", slow.id())]).await;
    assert_eq!(slow.body["status"], "pending");
    let bounce = bed.pay("10000", "pm_card_refundFail", "automatic").await;
    let intent = bounce.id().to_owned();
    let bounce = bed.post("/v1/refunds", &[("payment_intent", &intent)]).await;
    assert_eq!(bounce.body["status"], "succeeded");

    bed.clock.advance(60);
    let slow = bed.get(&format!("/v1/refunds/{}", slow.id())).await;
    assert_eq!(slow.body["status"], "succeeded");
    let path = format!("/v1/refunds/{}?expand[]=failure_balance_transaction", bounce.id());
    let bounce = bed.get(&path).await;
    assert_eq!(bounce.body["status"], "failed");
    assert_eq!(bounce.body["failure_balance_transaction"]["amount"], 10_000);
    let again = bed.post("/v1/refunds", &[("payment_intent", &intent)]).await;
    assert_eq!(again.status, 200, "the money is back, so it can be refunded again");
}

#[tokio::test]
async fn a_bank_debit_is_processing_until_it_is_decided() {
    let bed = Bed::new().await;
    let mut ids = Vec::new();
    for token in ["pm_usBankAccount_success", "pm_usBankAccount_insufficientFunds"] {
        let form = [
            ("amount", "5000"),
            ("currency", "usd"),
            ("payment_method_types[]", "us_bank_account"),
            ("payment_method", token),
            ("confirm", "true"),
        ];
        let started = bed.post("/v1/payment_intents", &form).await;
        assert_eq!(started.body["status"], "processing");
        ids.push(started.id().to_owned());
    }
    bed.clock.advance(60);
    let paid = bed.get(&format!("/v1/payment_intents/{}", ids[0])).await;
    assert_eq!(paid.body["status"], "succeeded");
    let failed = bed.get(&format!("/v1/payment_intents/{}", ids[1])).await;
    assert_eq!(failed.body["status"], "requires_payment_method");
    assert_eq!(failed.body["last_payment_error"]["decline_code"], "insufficient_funds");
}

#[tokio::test]
async fn what_stripe_would_refuse_is_refused_with_its_code() {
    let bed = Bed::new().await;
    let cases: &[(Form<'_>, &str, &str)] = &[
        (&[("currency", "aed")], "parameter_missing", "amount"),
        (&[("amount", "1.5"), ("currency", "aed")], "parameter_invalid_integer", "amount"),
        (&[("amount", "100"), ("currency", "aed")], "amount_too_small", "amount"),
        (&[("amount", "100000000"), ("currency", "aed")], "amount_too_large", "amount"),
        (&[("amount", "1000"), ("currency", "xyz")], "parameter_invalid", "currency"),
        (&[("amount", "1000"), ("currency", "aed"), ("a", "b")], "parameter_unknown", "a"),
        (
            &[("amount", "1000"), ("currency", "aed"), ("payment_method", "pm_nobody")],
            "resource_missing",
            "payment_method",
        ),
        (
            &[("amount", "1000"), ("currency", "aed"), ("expand[]", "amount")],
            "parameter_invalid",
            "expand",
        ),
    ];
    for (form, code, param) in cases {
        let refused = bed.post("/v1/payment_intents", form).await;
        assert_eq!((refused.status, refused.code()), (400, *code), "{form:?}");
        assert_eq!(refused.body["error"]["param"], *param, "{form:?}");
    }
    assert_eq!(bed.state().await["payment_intents"], json!([]));
    let nowhere = bed.get("/v1/nothing").await;
    assert_eq!(nowhere.status, 404);
    let missing = bed.get("/v1/payment_intents/pi_nobody").await;
    assert_eq!((missing.status, missing.code()), (404, "resource_missing"));
}

#[tokio::test]
async fn only_the_accounts_key_opens_the_door_and_it_is_never_repeated() {
    let bed = Bed::new().await;
    let url = format!("{}/v1/balance", bed.sim.url());
    for request in [bed.client.get(&url), bed.client.get(&url).bearer_auth("sk_test_other")] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 401);
        let text = refused.text().await.unwrap();
        assert!(text.contains("invalid_request_error") && !text.contains("sk_test"), "{text}");
    }
    let basic = bed.client.get(&url).basic_auth(KEY, Some(""));
    assert_eq!(basic.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn lists_go_page_by_page_and_filter_by_time() {
    let bed = Bed::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(bed.pay("5000", "pm_card_visa", "automatic").await.id().to_owned());
        bed.clock.advance(10);
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = bed.get(&format!("/v1/payment_intents?limit=2{cursor}")).await.body;
        let ids = page["data"].as_array().unwrap().iter();
        seen.extend(ids.map(|row| row["id"].as_str().unwrap().to_owned()));
        cursor = format!("&starting_after={}", seen.last().unwrap());
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, made);
    let path = format!(
        "/v1/balance_transactions?created[gte]={}&created[lt]={}&type=charge",
        START + 10,
        START + 30
    );
    assert_eq!(bed.get(&path).await.body["data"].as_array().unwrap().len(), 2);
    let path = "/v1/events?type=payment_intent.succeeded&limit=100";
    assert_eq!(bed.get(path).await.body["data"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_saved_card_is_charged_later_without_the_buyer() {
    let bed = Bed::new().await;
    let customer = bed.post("/v1/customers", &[("email", "buyer@shop.example")]).await;
    let form = [
        ("amount", "5000"),
        ("currency", "aed"),
        ("payment_method_types[]", "card"),
        ("payment_method", "pm_card_visa"),
        ("customer", customer.id()),
        ("setup_future_usage", "off_session"),
        ("confirm", "true"),
    ];
    let first = bed.post("/v1/payment_intents", &form).await;
    let method = first.body["payment_method"].as_str().unwrap().to_owned();
    let saved = bed.get(&format!("/v1/payment_methods/{method}")).await;
    assert_eq!(saved.body["customer"], customer.body["id"]);

    let absent = [("off_session", "true"), ("payment_method", method.as_str())];
    let absent: Vec<_> = form.iter().take(3).chain(&absent).chain(&form[6..]).copied().collect();
    let stranger = bed.post("/v1/payment_intents", &absent).await;
    assert_eq!(stranger.code(), "payment_method_unexpected_state");
    let absent: Vec<_> = absent.into_iter().chain([("customer", customer.id())]).collect();
    let later = bed.post("/v1/payment_intents", &absent).await;
    assert_eq!(later.body["status"], "succeeded", "{}", later.body);

    let mut needs_buyer = absent.clone();
    needs_buyer[4] = ("payment_method", "pm_card_authenticationRequired");
    let refused = bed.post("/v1/payment_intents", &needs_buyer).await;
    assert_eq!((refused.status, refused.code()), (402, "authentication_required"));
}
