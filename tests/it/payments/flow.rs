//! Payments from the order to the books: captured at once or later, in whole or in part,
//! behind 3-D Secure, declined, cancelled.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::lines;
use crate::support_app::{Reply, TestApp, order};

/// The money fields of a payment: capturable, captured, voided, refund pending, refunded.
fn money(payment: &Reply) -> [i64; 5] {
    ["capturable", "captured", "voided", "refund_pending", "refunded"]
        .map(|name| payment.int(&format!("amount_{name}")))
}

fn manual(parts: &[(&str, i64)]) -> Value {
    let mut body = order(parts);
    body["capture_method"] = "manual".into();
    body
}

#[tokio::test]
async fn a_payment_is_split_to_the_last_fils_and_its_fee_is_booked() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    assert_eq!((app.wire.count(), app.journal().await), (0, String::new()));
    let paid = app.confirm(&id, "pm_card_visa").await;
    assert_eq!((paid.says(), money(&paid)), ((200, "succeeded"), [0, 52_500, 0, 0, 0]));
    let line = &paid.body["lines"][0];
    assert_eq!((&line["tax"], &line["vendor_share"]), (&json!(2_500), &json!(47_250)));
    assert_eq!((&line["commission"], &line["commission_vat"]), (&json!(5_000), &json!(250)));
    let attempt = &paid.body["attempts"][0];
    assert_eq!((&attempt["fee"], &attempt["fee_tax"]), (&json!(1_623), &json!(81)));
    let expected = lines(
        "payment.captured
         dr gateway_clearing:stripe 525.00 AED
         cr vendor_payable:V1:pending 472.50 AED
         cr deferred_commission 50.00 AED
         cr vat_output_payable:AE 2.50 AED
         provider.fee
         dr gateway_fees:stripe 16.23 AED
         dr vat_input_recoverable:AE 0.81 AED
         cr gateway_clearing:stripe 17.04 AED",
    );
    assert_eq!(sorted(&app.journal().await), sorted(&expected));
    assert_eq!(app.payment(&id).await.body, paid.body);
    app.end().await;
    assert_eq!(sorted(&app.journal().await), sorted(&expected));
    assert_eq!(app.totals("aed").await, [52_500, 0, 1_704, 50_796]);
}

/// The lines in an order of their own: within one transaction theirs means nothing.
fn sorted(page: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = page.lines().collect();
    lines.sort_unstable();
    lines
}

async fn behind_3d_secure(app: &TestApp) -> Reply {
    let mut body = order(&[("V1", 52_500), ("V2", 10_500)]);
    body["return_url"] = "https://shop.example/back".into();
    let id = app.create(body).await;
    let asked = app.confirm(&id, "pm_card_threeDSecure2Required").await;
    assert_eq!(asked.says(), (200, "requires_action"), "{asked:#?}");
    assert_eq!(asked.body["next_action"]["type"], "redirect");
    assert_eq!(app.journal().await, "");
    asked
}

#[tokio::test]
async fn an_order_of_two_vendors_is_paid_behind_3d_secure() {
    let app = TestApp::new().await;
    let asked = behind_3d_secure(&app).await;
    app.press(&asked, "approve").await;
    // The buyer's return proves nothing: the webhook does, or a question to the gateway.
    assert_eq!(app.payment(asked.id()).await.text("status"), "requires_action");
    app.sim.deliver_due().await;
    let paid = app.payment(asked.id()).await;
    assert_eq!((paid.text("status"), money(&paid)), ("succeeded", [0, 63_000, 0, 0, 0]));
    assert_eq!(paid.body["next_action"], Value::Null);
    // A webhook tells no fee: the sweeper asks for it when its time has come.
    assert_eq!(paid.body["attempts"][0]["fee"], Value::Null);
    app.tick().await;
    assert_eq!(app.payment(asked.id()).await.body["attempts"][0]["fee"], Value::Null);
    app.advance(31);
    app.tick().await;
    assert_eq!(app.payment(asked.id()).await.body["attempts"][0]["fee"], json!(1_927));
    app.end().await;
    let balances = app.books.balances().await;
    for line in [
        "vendor_payable:V1:pending 472.50 AED",
        "vendor_payable:V2:pending 94.50 AED",
        "deferred_commission 60.00 AED",
        "vat_output_payable:AE 3.00 AED",
        "gateway_fees:stripe 19.27 AED",
        "vat_input_recoverable:AE 0.96 AED",
        "gateway_clearing:stripe 609.77 AED",
    ] {
        assert!(balances.contains(line), "no {line} in\n{balances}");
    }
}

#[tokio::test]
async fn a_question_to_the_gateway_settles_what_no_webhook_told() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let asked = behind_3d_secure(&app).await;
    let waiting = app.act(asked.id(), "sync", json!({})).await;
    assert_eq!(waiting.says(), (200, "requires_action"));
    app.press(&asked, "approve").await;
    let paid = app.act(asked.id(), "sync", json!({})).await;
    assert_eq!((paid.says(), money(&paid)), ((200, "succeeded"), [0, 63_000, 0, 0, 0]));
    app.end().await;
}

#[tokio::test]
async fn a_buyer_who_declines_on_the_hosted_page_can_pay_with_another_card() {
    let app = TestApp::new().await;
    let asked = behind_3d_secure(&app).await;
    app.press(&asked, "decline").await;
    app.sim.deliver_due().await;
    let open = app.payment(asked.id()).await;
    assert_eq!(open.text("status"), "requires_payment_method");
    let code = "payment_intent_authentication_failure";
    assert_eq!(open.body["last_error"]["code"], code, "{open:#?}");
    let paid = app.confirm(asked.id(), "pm_card_visa").await;
    assert_eq!((paid.says(), &paid.body["last_error"]), ((200, "succeeded"), &Value::Null));
    assert_eq!(paid.body["attempts"].as_array().unwrap().len(), 2);
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 63_000);
}

#[tokio::test]
async fn a_declined_card_says_why_and_leaves_the_payment_open() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    let card = "pm_card_visa_chargeDeclinedInsufficientFunds";
    let declined = app.confirm(&id, card).await;
    assert_eq!(declined.problem(), (402, "payment_declined"));
    assert_eq!(declined.text("decline_code"), "insufficient_funds");
    let open = app.payment(&id).await;
    assert_eq!(open.text("status"), "requires_payment_method");
    assert_eq!(open.body["last_error"]["decline_code"], "insufficient_funds");
    assert_eq!((app.journal().await.as_str(), app.totals("aed").await), ("", [0; 4]));
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (200, "succeeded"));
    app.end().await;
}

#[tokio::test]
async fn a_held_payment_is_captured_whole_and_only_once() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    let held = app.payment(&id).await;
    assert_eq!((money(&held), app.journal().await.as_str()), ([52_500, 0, 0, 0, 0], ""));
    let taken = app.act(&id, "capture", json!({})).await;
    assert_eq!((taken.says(), money(&taken)), ((200, "succeeded"), [0, 52_500, 0, 0, 0]));
    let calls = app.wire.count();
    let again = app.act(&id, "capture", json!({ "amount": 1 })).await;
    assert_eq!(again.problem(), (409, "wrong_state"));
    assert_eq!(app.act(&id, "cancel", json!({})).await.problem(), (409, "wrong_state"));
    let confirmed = app.confirm(&id, "pm_card_visa").await;
    assert_eq!(confirmed.problem(), (409, "wrong_state"));
    assert_eq!(app.wire.count(), calls);
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn a_capture_in_part_releases_the_rest_and_is_split_in_proportion() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 40_000), ("V2", 20_000)]).await;
    let beyond = app.act(&id, "capture", json!({ "amount": 60_001 })).await;
    assert_eq!(beyond.problem(), (409, "amount_exceeds_rest"));
    let taken = app.act(&id, "capture", json!({ "amount": 30_000 })).await;
    assert_eq!((taken.says(), money(&taken)), ((200, "succeeded"), [0, 30_000, 30_000, 0, 0]));
    let captured = |n: usize| taken.body["lines"][n]["captured"].as_i64();
    assert_eq!((captured(0), captured(1)), (Some(20_000), Some(10_000)));
    assert_eq!(app.wire.count_of("POST /v1/payment_intents"), 1);
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 30_000);
}

#[tokio::test]
async fn a_hold_that_is_cancelled_is_released_and_cannot_be_captured() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    let reason = json!({ "cancellation_reason": "out of stock" });
    let cancelled = app.act(&id, "cancel", reason).await;
    assert_eq!((cancelled.says(), money(&cancelled)), ((200, "cancelled"), [0, 0, 52_500, 0, 0]));
    assert_eq!(cancelled.text("cancellation_reason"), "out of stock");
    let calls = app.wire.count();
    for verb in ["capture", "cancel", "confirm"] {
        assert_eq!(app.act(&id, verb, json!({})).await.problem(), (409, "wrong_state"), "{verb}");
    }
    assert_eq!((app.wire.count(), app.journal().await.as_str()), (calls, ""));
    app.end().await;
    assert_eq!(app.totals("aed").await, [0; 4]);
}

#[tokio::test]
async fn what_no_gateway_knows_is_cancelled_without_asking_one() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    assert_eq!(app.act(&id, "cancel", json!({})).await.says(), (200, "cancelled"));
    let declined = app.create(order(&[("V1", 52_500)])).await;
    app.confirm(&declined, "pm_card_chargeDeclined").await;
    let calls = app.wire.count();
    assert_eq!(app.act(&declined, "cancel", json!({})).await.says(), (200, "cancelled"));
    assert_eq!((calls, app.wire.count()), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn a_payment_that_waits_for_its_buyer_can_be_cancelled() {
    let app = TestApp::new().await;
    let asked = behind_3d_secure(&app).await;
    let cancelled = app.act(asked.id(), "cancel", json!({})).await;
    assert_eq!((cancelled.says(), money(&cancelled)), ((200, "cancelled"), [0; 5]));
    assert_eq!(cancelled.body["next_action"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn a_hold_that_runs_out_at_the_gateway_is_given_up_here() {
    let app = TestApp::new().await;
    let id = app.held(&[("V1", 52_500)]).await;
    app.sim.deliver_due().await;
    app.advance(8 * 86_400);
    app.sim.deliver_due().await;
    let ended = app.payment(&id).await;
    assert_eq!((ended.text("status"), money(&ended)), ("cancelled", [0, 0, 52_500, 0, 0]));
    app.end().await;
}

#[tokio::test]
async fn a_bank_debit_is_processing_until_the_bank_has_decided() {
    let app = TestApp::new().await;
    for (account, ends) in [
        ("pm_usBankAccount_success", "succeeded"),
        ("pm_usBankAccount_insufficientFunds", "requires_payment_method"),
    ] {
        let mut body = order(&[("V1", 52_500)]);
        body["currency"] = "USD".into();
        let id = app.create(body).await;
        assert_eq!(app.confirm(&id, account).await.says(), (200, "processing"));
        let early = app.act(&id, "capture", json!({})).await;
        assert_eq!(early.problem(), (409, "operation_under_way"));
        app.settle().await;
        assert_eq!(app.payment(&id).await.text("status"), ends);
    }
    app.end().await;
    assert_eq!(app.totals("usd").await[0], 52_500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_parallel_confirms_and_captures_exactly_one_reaches_the_gateway() {
    let app = Arc::new(TestApp::new().await);
    let id = app.create(manual(&[("V1", 52_500)])).await;
    for (verb, body, line) in [
        ("confirm", json!({ "payment_method": "pm_card_visa" }), "POST /v1/payment_intents"),
        ("capture", json!({}), "capture"),
    ] {
        let racing = (0..20).map(|_| {
            let (app, id, body) = (Arc::clone(&app), id.clone(), body.clone());
            tokio::spawn(async move { app.act(&id, verb, body).await })
        });
        let mut won = 0;
        for one in racing.collect::<Vec<_>>() {
            let answer = one.await.unwrap();
            match answer.status {
                200 => won += 1,
                _ => assert_eq!(answer.problem().0, 409, "{answer:#?}"),
            }
        }
        let sent = app.wire.sent();
        let calls = sent.iter().filter(|sent| sent.line.ends_with(line)).count();
        assert_eq!((won, calls), (1, 1), "{verb}");
    }
    app.end().await;
    assert_eq!(app.totals("aed").await[0], 52_500);
}

#[tokio::test]
async fn a_list_shows_the_newest_first_and_page_by_page() {
    let app = TestApp::new().await;
    let mut made = Vec::new();
    for amount in [10_500, 21_000, 31_500] {
        made.push(app.create(order(&[("V1", amount)])).await);
    }
    app.confirm(&made[1], "pm_card_visa").await;
    let ids = async |query: &str| {
        let page = app.get(&format!("/v1/payment_intents{query}")).await;
        let data = page.body["data"].as_array().unwrap_or_else(|| panic!("{page:#?}")).clone();
        let ids = data.iter().map(|one| one["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), page.body["has_more"].as_bool().unwrap())
    };
    let reversed: Vec<_> = made.iter().rev().cloned().collect();
    assert_eq!(ids("").await, (reversed.clone(), false));
    assert_eq!(ids("?limit=2").await, (reversed[..2].to_vec(), true));
    let rest = format!("?limit=2&starting_after={}", reversed[1]);
    assert_eq!(ids(&rest).await, (reversed[2..].to_vec(), false));
    let back = format!("?limit=2&ending_before={}", reversed[2]);
    assert_eq!(ids(&back).await, (reversed[..2].to_vec(), false));
    assert_eq!(ids("?status=succeeded").await, (vec![made[1].clone()], false));
    let strange = app.get("/v1/payment_intents?status=paid").await;
    assert_eq!(strange.problem(), (400, "invalid_parameter"));
    assert_eq!(app.get("/v1/payment_intents?colour=1").await.problem(), (400, "unknown_parameter"));
    app.end().await;
}
