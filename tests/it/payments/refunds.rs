//! Money going back: whole, in parts, late, bounced, made elsewhere, and never more than there is.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::lines;
use crate::support_app::{Reply, TestApp};

/// Refund pending and refunded, in minor units.
async fn going_back(app: &TestApp, id: &str) -> [i64; 2] {
    let payment = app.payment(id).await;
    ["amount_refund_pending", "amount_refunded"].map(|name| payment.int(name))
}

async fn refund_of(app: &TestApp, refund: &Reply) -> Reply {
    app.get(&format!("/v1/refunds/{}", refund.id())).await
}

#[tokio::test]
async fn a_full_refund_gives_every_party_its_part_back_but_the_fee() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 52_500)]).await;
    let back = app.refund(&id, None).await;
    assert_eq!((back.says(), back.int("amount")), ((200, "succeeded"), 52_500));
    assert_eq!(going_back(&app, &id).await, [0, 52_500]);
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    let journal = app.journal().await;
    let steps = lines(
        "refund.requested
         dr deferred_commission 50.00 AED
         dr vat_output_payable:AE 2.50 AED
         dr vendor_payable:V1:pending 472.50 AED
         cr refunds_payable 525.00 AED
         refund.succeeded
         dr refunds_payable 525.00 AED
         cr gateway_clearing:stripe 525.00 AED",
    );
    assert!(journal.ends_with(&steps), "{journal}");
    app.end().await;
    let balances = lines(
        "gateway_clearing:stripe -17.04 AED
         gateway_fees:stripe 16.23 AED
         vat_input_recoverable:AE 0.81 AED",
    );
    let zero = |line: &&str| !line.ends_with(" 0.00 AED");
    let left = app.books.balances().await;
    let mut left: Vec<&str> = left.lines().filter(zero).collect();
    left.sort_unstable();
    assert_eq!(left, balances.lines().collect::<Vec<_>>());
    assert_eq!(app.totals("aed").await, [52_500, 52_500, 1_704, -1_704]);
}

#[tokio::test]
async fn partial_refunds_take_each_party_back_in_proportion_down_to_zero() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 33_333), ("V2", 11_111), ("V1", 7)]).await;
    let mut left = 44_451;
    for amount in [1, 9_999, 2, 20_000, 14_448] {
        let back = app.refund(&id, Some(amount)).await;
        assert_eq!(back.says(), (200, "succeeded"), "{back:#?}");
        left -= amount;
        assert_eq!(going_back(&app, &id).await, [0, 44_451 - left]);
        app.prove_laws().await;
    }
    let last = app.refund(&id, None).await;
    assert_eq!((last.int("amount"), going_back(&app, &id).await), (1, [0, 44_451]));
    let payment = app.payment(&id).await;
    for line in payment.body["lines"].as_array().unwrap() {
        assert_eq!(line["refunded"], line["captured"], "{line:#}");
    }
    app.end().await;
    let balances = app.books.balances().await;
    for party in ["vendor_payable:V1", "vendor_payable:V2", "deferred_commission", "vat_output"] {
        let mut of_party = balances.lines().filter(|line| line.starts_with(party));
        assert!(of_party.all(|line| line.ends_with(" 0.00 AED")), "{balances}");
    }
}

#[tokio::test]
async fn more_than_what_is_left_is_refused_and_leaves_no_trace() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 52_500)]).await;
    assert_eq!(app.refund(&id, Some(52_000)).await.says(), (200, "succeeded"));
    let (rows, calls) = (app.rows().await, app.wire.count());
    let refused = app.refund(&id, Some(501)).await;
    assert_eq!(refused.problem(), (409, "amount_exceeds_rest"));
    assert!(refused.text("detail").contains("5.00 AED"), "{refused:#?}");
    let mut after = app.rows().await;
    // The refusal itself is remembered under its key, and nothing else.
    *after.get_mut("http.idempotency").unwrap() -= 1;
    assert_eq!((after, app.wire.count()), (rows, calls));
    assert_eq!(app.refund(&id, None).await.int("amount"), 500);
    assert_eq!(app.refund(&id, None).await.problem(), (409, "amount_exceeds_rest"));
    app.end().await;
}

#[tokio::test]
async fn what_was_not_taken_cannot_go_back() {
    let app = TestApp::new().await;
    let held = app.held(&[("V1", 52_500)]).await;
    let refused = app.refund(&held, None).await;
    assert_eq!(refused.problem(), (409, "wrong_state"));
    assert!(refused.text("detail").contains("cancel"), "{refused:#?}");
    app.act(&held, "cancel", json!({})).await;
    assert_eq!(app.refund(&held, None).await.problem(), (409, "wrong_state"));
    assert_eq!(app.wire.count_of("POST /v1/refunds"), 0);
    app.end().await;
}

#[tokio::test]
async fn a_refund_that_fails_after_its_success_is_owed_to_the_buyer_again() {
    let app = TestApp::new().await;
    let id = app.paid_with("pm_card_refundFail", &[("V1", 52_500)]).await;
    let back = app.refund(&id, Some(12_500)).await;
    assert_eq!(back.says(), (200, "succeeded"));
    app.advance(61);
    app.settle().await;
    let bounced = refund_of(&app, &back).await;
    assert_eq!(bounced.says(), (200, "bounced"));
    assert_eq!(bounced.text("failure_reason"), "expired_or_canceled_card");
    assert_eq!(going_back(&app, &id).await, [12_500, 0]);
    assert!(app.books.balances().await.contains("refunds_payable 125.00 AED"));
    // What is owed cannot be promised a second time.
    assert_eq!(app.refund(&id, Some(40_001)).await.problem(), (409, "amount_exceeds_rest"));
    app.prove().await;
    assert_eq!(app.totals("aed").await[1], 0);
}

#[tokio::test]
async fn a_slow_refund_is_pending_until_the_gateway_tells() {
    let app = TestApp::new().await;
    let id = app.paid_with("pm_card_pendingRefund", &[("V1", 52_500)]).await;
    let back = app.refund(&id, Some(500)).await;
    assert_eq!(back.says(), (200, "pending"));
    assert_eq!(going_back(&app, &id).await, [500, 0]);
    app.sim.deliver_due().await;
    assert_eq!(refund_of(&app, &back).await.text("status"), "pending");
    app.advance(61);
    app.sim.deliver_due().await;
    assert_eq!(refund_of(&app, &back).await.text("status"), "succeeded");
    assert_eq!(going_back(&app, &id).await, [0, 500]);
    app.end().await;
}

#[tokio::test]
async fn a_slow_refund_is_found_by_the_sweeper_where_no_webhook_tells() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.paid_with("pm_card_pendingRefund", &[("V1", 52_500)]).await;
    let back = app.refund(&id, None).await;
    assert_eq!(back.says(), (200, "pending"));
    app.end().await;
    assert_eq!(refund_of(&app, &back).await.text("status"), "succeeded");
    assert_eq!(app.wire.count_of("POST /v1/refunds"), 1);
}

#[tokio::test]
async fn a_refund_made_in_the_gateways_dashboard_is_booked_once() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 40_000), ("V2", 12_500)]).await;
    let payment = app.payment(&id).await;
    let theirs = payment.body["attempts"][0]["provider_ref"].as_str().unwrap().to_owned();
    let form = [("payment_intent", theirs.as_str()), ("amount", "10000")];
    let made = app.at_gateway("/v1/refunds", &form).await;
    app.sim.deliver_due().await;
    let listed = app.get(&format!("/v1/refunds?payment_intent={id}")).await;
    let [ours] = &listed.body["data"].as_array().unwrap()[..] else { panic!("{listed:#?}") };
    assert_eq!((&ours["origin"], &ours["status"]), (&json!("gateway"), &json!("succeeded")));
    assert_eq!(ours["provider_ref"], made.body["id"]);
    assert_eq!(going_back(&app, &id).await, [0, 10_000]);
    let again = app.event("refund.created").await;
    assert_eq!(app.deliver_signed(&again).await.says(), (200, "duplicate"));
    assert_eq!(app.refund(&id, None).await.int("amount"), 42_500);
    app.end().await;
}

#[tokio::test]
async fn a_refund_that_the_gateway_refuses_is_taken_back_in_the_books() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 52_500)]).await;
    let payment = app.payment(&id).await;
    let theirs = payment.body["attempts"][0]["provider_ref"].as_str().unwrap();
    // Somebody gave the money back in the dashboard, and its webhook is still on the way.
    app.at_gateway("/v1/refunds", &[("payment_intent", theirs)]).await;
    let refused = app.refund(&id, Some(500)).await;
    assert_eq!(refused.says(), (200, "failed"));
    assert_eq!(refused.text("failure_reason"), "charge_already_refunded");
    assert_eq!(going_back(&app, &id).await, [0, 0]);
    app.end().await;
    assert_eq!(going_back(&app, &id).await, [0, 52_500]);
    assert_eq!(app.totals("aed").await[1], 52_500);
}

#[tokio::test]
async fn a_refund_in_the_dashboard_of_more_than_is_free_is_booked_and_left_to_a_person() {
    let app = TestApp::new().await;
    let id = app.paid_with("pm_card_refundFail", &[("V1", 52_500)]).await;
    app.refund(&id, None).await;
    app.advance(61);
    app.settle().await;
    // It bounced: the buyer is owed, and somebody pays it back without telling us.
    assert_eq!(going_back(&app, &id).await, [52_500, 0]);
    let payment = app.payment(&id).await;
    let theirs = payment.body["attempts"][0]["provider_ref"].as_str().unwrap();
    app.at_gateway("/v1/refunds", &[("payment_intent", theirs), ("amount", "500")]).await;
    app.sim.deliver_due().await;
    assert_eq!(app.payment(&id).await.text("status"), "review");
    app.prove().await;
    app.advance(61);
    app.end().await;
    assert_eq!(app.payment(&id).await.text("status"), "review");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_parallel_refunds_of_everything_exactly_one_succeeds() {
    let app = Arc::new(TestApp::new().await);
    for amount in [None, Some(52_500)] {
        let id = app.paid(&[("V1", 52_500)]).await;
        let before = app.wire.count_of("POST /v1/refunds");
        let statuses = race(&app, &id, 20, amount).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(app.wire.count_of("POST /v1/refunds"), before + 1);
        assert_eq!(going_back(&app, &id).await, [0, 52_500]);
    }
    app.end().await;
    assert_eq!(app.totals("aed").await[1], 105_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_refunds_in_part_never_exceed_the_whole() {
    let app = Arc::new(TestApp::new().await);
    let id = app.paid(&[("V1", 40_000), ("V2", 12_500)]).await;
    let statuses = race(&app, &id, 20, Some(7_500)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 7, "{statuses:?}");
    assert_eq!(going_back(&app, &id).await, [0, 52_500]);
    app.end().await;
}

/// Refunds at the same time; answers the statuses, of which all others are refusals by the rule.
async fn race(app: &Arc<TestApp>, id: &str, count: usize, amount: Option<i64>) -> Vec<u16> {
    let racing = (0..count).map(|_| {
        let (app, id) = (Arc::clone(app), id.to_owned());
        tokio::spawn(async move { app.refund(&id, amount).await })
    });
    let mut statuses = Vec::new();
    for one in racing.collect::<Vec<_>>() {
        let answer = one.await.unwrap();
        match answer.status {
            200 => assert_eq!(answer.text("status"), "succeeded", "{answer:#?}"),
            _ => assert_eq!(answer.problem(), (409, "amount_exceeds_rest"), "{answer:#?}"),
        }
        statuses.push(answer.status);
    }
    statuses
}

#[tokio::test]
async fn refunds_are_listed_newest_first_and_by_payment() {
    let app = TestApp::new().await;
    let (one, two) = (app.paid(&[("V1", 52_500)]).await, app.paid(&[("V2", 10_500)]).await);
    let made = [
        app.refund(&one, Some(100)).await.id().to_owned(),
        app.refund(&two, Some(200)).await.id().to_owned(),
        app.refund(&one, Some(300)).await.id().to_owned(),
    ];
    let ids = async |query: &str| {
        let page = app.get(&format!("/v1/refunds{query}")).await;
        let data = page.body["data"].as_array().unwrap_or_else(|| panic!("{page:#?}"));
        data.iter().map(|one: &Value| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let newest = |picked: &[usize]| picked.iter().map(|n| made[*n].clone()).collect::<Vec<_>>();
    assert_eq!(ids("").await, newest(&[2, 1, 0]));
    assert_eq!(ids(&format!("?payment_intent={one}")).await, newest(&[2, 0]));
    let rest = format!("?limit=1&starting_after={}", made[2]);
    assert_eq!(ids(&rest).await, newest(&[1]));
    app.end().await;
}
