//! What comes late or crosswise: refunds that bounce and are repaid, orders paid twice, refunds
//! that nobody asked for here; and, below, ends and words that come late or are odd.

mod ends;
mod words;

use std::sync::Arc;

use mizan::db::work;
use mizan::http::GatewayTime;
use mizan::payments::ask::Step;
use mizan::payments::gateway::Repetition;
use mizan::payments::refund::{NewRefund, request_refund};
use mizan::payments::sweep::call_and_settle;
use mizan_providers::{Operation as Ask, RefundPayment, RefundReason};
use serde_json::{Value, json};

use crate::support::lines;
use crate::support_app::{Reply, TestApp, order};

/// Refund pending and refunded, in minor units.
async fn going_back(app: &TestApp, id: &str) -> [i64; 2] {
    let payment = app.payment(id).await;
    ["amount_refund_pending", "amount_refunded"].map(|name| payment.int(name))
}

/// An account's balance; none where nothing was ever booked on it.
async fn balance(app: &TestApp, account: &str) -> Option<String> {
    let all = app.books.balances().await;
    let mut found = all.lines().filter_map(|line| line.strip_prefix(&format!("{account} ")));
    found.next().map(ToOwned::to_owned)
}

/// How many transactions of a kind there are.
async fn booked(app: &TestApp, kind: &str) -> i64 {
    app.sql(&format!("select count(*) from ledger.transaction where kind = '{kind}'")).await
}

/// How many events of a kind there are.
async fn announced(app: &TestApp, kind: &str) -> i64 {
    app.sql(&format!("select count(*) from outbox.event where kind = '{kind}'")).await
}

/// Each delivery with what became of it and why, oldest first.
async fn kept(app: &TestApp) -> Vec<String> {
    let states = "select coalesce(array_agg(state || ': ' || coalesce(reason, '') order by id),
                      '{}') from webhooks.delivery";
    app.sql(states).await
}

/// The gateway's id of an attempt, the oldest being 0.
async fn theirs(app: &TestApp, id: &str, attempt: usize) -> String {
    let payment = app.payment(id).await;
    let reference = &payment.body["attempts"][attempt]["provider_ref"];
    reference.as_str().unwrap_or_else(|| panic!("no reference: {payment:#?}")).to_owned()
}

/// A refund made in the gateway's dashboard, and told.
async fn in_the_dashboard(app: &TestApp, payment: &str, amount: i64) -> Reply {
    let amount = amount.to_string();
    let form = [("payment_intent", payment), ("amount", amount.as_str())];
    let made = app.at_gateway("/v1/refunds", &form).await;
    assert_eq!(made.status, 200, "{made:#?}");
    app.sim.deliver_due().await;
    made
}

/// The refunds of a payment, newest first.
async fn refunds(app: &TestApp, id: &str) -> Vec<Value> {
    let listed = app.get(&format!("/v1/refunds?payment_intent={id}")).await;
    listed.body["data"].as_array().unwrap().clone()
}

/// What breaks a law, each with the law's name.
async fn broken_laws(app: &TestApp) -> Vec<String> {
    let proved = mizan::verify::verify(&app.app.db, &app.app.clock).await.unwrap();
    let laws = proved.iter().flat_map(|(_, laws)| laws);
    laws.flat_map(|law| law.broken.iter().map(|row| format!("{}: {row}", law.name))).collect()
}

/// A payment of 525.00 of which so much was refunded and came back.
async fn bounced(app: &TestApp, amount: i64) -> String {
    let id = app.paid_with("pm_card_refundFail", &[("V1", 40_000), ("V2", 12_500)]).await;
    assert_eq!(app.refund(&id, Some(amount)).await.says(), (200, "succeeded"));
    app.advance(61);
    app.settle().await;
    assert_eq!(going_back(app, &id).await, [amount, 0]);
    id
}

#[tokio::test]
async fn a_bounced_refund_is_repaid_without_taking_from_the_vendors_again() {
    let app = TestApp::new().await;
    let id = bounced(&app, 52_500).await;
    assert_eq!(balance(&app, "refunds_payable").await.unwrap(), "525.00 AED");
    let repaid = app.refund(&id, Some(52_500)).await;
    assert_eq!(repaid.says(), (200, "succeeded"), "{repaid:#?}");
    assert_eq!(going_back(&app, &id).await, [0, 52_500]);
    let journal = app.journal().await;
    let last = lines(
        "refund.succeeded
         dr refunds_payable 525.00 AED
         cr gateway_clearing:stripe 525.00 AED",
    );
    assert!(journal.ends_with(&last), "{journal}");
    assert_eq!(booked(&app, "refund.requested").await, 1);
    for account in ["refunds_payable", "vendor_payable:V1:pending", "vendor_payable:V2:pending"] {
        assert_eq!(balance(&app, account).await.unwrap(), "0.00 AED", "{account}");
    }
    // The bounce is repaid once, and nothing else is left of the order.
    assert_eq!(app.refund(&id, Some(52_500)).await.problem(), (409, "amount_exceeds_rest"));
    assert_eq!(app.refund(&id, None).await.problem(), (409, "amount_exceeds_rest"));
    app.prove().await;
    assert_eq!(app.totals("aed").await[..2], [52_500, 52_500]);
    // The same card sends that back, too: the buyer is owed, once, and may be repaid again.
    app.advance(61);
    app.end().await;
    assert_eq!(going_back(&app, &id).await, [52_500, 0]);
    assert_eq!(app.refund(&id, Some(52_500)).await.says(), (200, "succeeded"));
    assert_eq!(booked(&app, "refund.requested").await, 1);
    app.sim.deliver_due().await;
    app.prove().await;
}

#[tokio::test]
async fn a_bounced_refund_that_is_repaid_in_the_dashboard_takes_from_no_vendor_either() {
    let app = TestApp::new().await;
    let id = bounced(&app, 52_500).await;
    let made = in_the_dashboard(&app, &theirs(&app, &id, 0).await, 52_500).await;
    let all = refunds(&app, &id).await;
    assert_eq!((all.len(), &all[0]["provider_ref"]), (2, &made.body["id"]));
    assert_eq!((&all[0]["origin"], &all[0]["status"]), (&json!("gateway"), &json!("succeeded")));
    assert_eq!(all[0]["parts"], all[1]["parts"]);
    assert_eq!((&all[1]["status"], going_back(&app, &id).await), (&json!("bounced"), [0, 52_500]));
    assert_eq!(balance(&app, "refunds_payable").await.unwrap(), "0.00 AED");
    assert_eq!(booked(&app, "refund.requested").await, 1);
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    app.prove().await;
}

#[tokio::test]
async fn a_second_refund_of_the_same_amount_as_a_repaid_bounce_is_an_ordinary_one() {
    let app = TestApp::new().await;
    let id = bounced(&app, 12_500).await;
    let before = balance(&app, "vendor_payable:V1:pending").await;
    assert_eq!(app.refund(&id, Some(12_500)).await.says(), (200, "succeeded"));
    assert_eq!(balance(&app, "vendor_payable:V1:pending").await, before);
    assert_eq!(app.refund(&id, Some(12_500)).await.says(), (200, "succeeded"));
    assert_ne!(balance(&app, "vendor_payable:V1:pending").await, before);
    assert_eq!(going_back(&app, &id).await, [0, 25_000]);
    assert_eq!(booked(&app, "refund.requested").await, 2);
    assert_eq!(app.refund(&id, Some(27_501)).await.problem(), (409, "amount_exceeds_rest"));
    app.sim.deliver_due().await;
    app.prove().await;
}

#[tokio::test]
async fn a_repayment_that_never_left_is_told_as_failed_and_can_be_asked_again() {
    let app = TestApp::new().await;
    let id = bounced(&app, 52_500).await;
    app.wire.cut().await;
    assert_eq!(app.refund(&id, Some(52_500)).await.says(), (200, "failed"));
    assert_eq!(going_back(&app, &id).await, [52_500, 0]);
    assert_eq!(balance(&app, "refunds_payable").await.unwrap(), "525.00 AED");
    assert_eq!(
        (booked(&app, "refund.failed").await, announced(&app, "refund.failed").await),
        (0, 1)
    );
    app.prove().await;
    app.wire.mend().await;
    assert_eq!(app.refund(&id, Some(52_500)).await.says(), (200, "succeeded"));
    assert_eq!(going_back(&app, &id).await, [0, 52_500]);
    app.sim.deliver_due().await;
    app.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_parallel_repayments_of_one_bounce_exactly_one_is_made() {
    let app = Arc::new(TestApp::new().await);
    let id = bounced(&app, 52_500).await;
    let racing = (0..20).map(|_| {
        let (app, id) = (Arc::clone(&app), id.clone());
        tokio::spawn(async move { app.refund(&id, Some(52_500)).await })
    });
    let mut made = 0;
    for one in racing.collect::<Vec<_>>() {
        let answer = one.await.unwrap();
        match answer.status {
            200 => made += 1,
            _ => assert_eq!(answer.problem(), (409, "amount_exceeds_rest"), "{answer:#?}"),
        }
    }
    assert_eq!((made, going_back(&app, &id).await), (1, [0, 52_500]));
    assert_eq!(app.wire.count_of("POST /v1/refunds"), 2);
    app.sim.deliver_due().await;
    app.prove().await;
}

/// An order that was paid twice: the first attempt was declined, the second paid it, and then
/// the buyer paid the first one as well, with this card, at the gateway.
async fn paid_twice(app: &TestApp, card: &str) -> String {
    let id = app.create(order(&[("V1", 40_000), ("V2", 12_500)])).await;
    let declined = app.confirm(&id, "pm_card_chargeDeclined").await;
    assert_eq!(declined.problem(), (402, "payment_declined"));
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (200, "succeeded"));
    let path = format!("/v1/payment_intents/{}/confirm", theirs(app, &id, 0).await);
    let again = app.at_gateway(&path, &[("payment_method", card)]).await;
    assert_eq!(again.says(), (200, "succeeded"), "{again:#?}");
    app.settle().await;
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_unapplied")), ("review", 52_500));
    app.prove().await;
    id
}

#[tokio::test]
async fn a_refund_in_the_dashboard_of_the_second_payment_takes_from_nobody_of_the_order() {
    let app = TestApp::new().await;
    let id = paid_twice(&app, "pm_card_visa").await;
    let parties = app.payment(&id).await.body["lines"].clone();
    in_the_dashboard(&app, &theirs(&app, &id, 0).await, 52_500).await;
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_unapplied")), ("review", 0));
    assert_eq!((&payment.body["lines"], going_back(&app, &id).await), (&parties, [0, 0]));
    let last = lines(
        "receipt.returned
         dr unapplied_receipts:stripe 525.00 AED
         cr gateway_clearing:stripe 525.00 AED",
    );
    let journal = app.journal().await;
    assert!(journal.ends_with(&last), "{journal}");
    let all = refunds(&app, &id).await;
    assert_eq!((all.len(), &all[0]["parts"]), (1, &json!([])));
    app.end().await;
    // The order is still paid, once, and can be refunded: through the payment that paid it.
    let back = app.refund(&id, None).await;
    assert_eq!((back.says(), back.int("amount")), ((200, "succeeded"), 52_500), "{back:#?}");
    let made = app.ask_gateway("/v1/refunds?limit=1").await;
    assert_eq!(made.body["data"][0]["payment_intent"], json!(theirs(&app, &id, 1).await));
    assert_eq!(going_back(&app, &id).await, [0, 52_500]);
    app.end().await;
    assert_eq!(app.totals("aed").await[..2], [105_000, 105_000]);
}

#[tokio::test]
async fn a_refund_of_the_order_asked_here_leaves_the_second_payment_where_it_is() {
    let app = TestApp::new().await;
    let id = paid_twice(&app, "pm_card_visa").await;
    assert_eq!(app.refund(&id, Some(2_500)).await.says(), (200, "succeeded"));
    let made = app.ask_gateway("/v1/refunds?limit=1").await;
    assert_eq!(made.body["data"][0]["payment_intent"], json!(theirs(&app, &id, 1).await));
    assert_eq!(app.refund(&id, Some(50_001)).await.problem(), (409, "amount_exceeds_rest"));
    // In the dashboard, of the payment that paid the order: the parties give it back.
    in_the_dashboard(&app, &theirs(&app, &id, 1).await, 10_000).await;
    assert_eq!(going_back(&app, &id).await, [0, 12_500]);
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_unapplied")), ("review", 52_500));
    assert_eq!(booked(&app, "receipt.returned").await, 0);
    app.end().await;
}

#[tokio::test]
async fn a_refund_of_the_second_payment_that_bounces_is_unapplied_again() {
    let app = TestApp::new().await;
    let id = paid_twice(&app, "pm_card_refundFail").await;
    in_the_dashboard(&app, &theirs(&app, &id, 0).await, 20_000).await;
    assert_eq!(app.payment(&id).await.int("amount_unapplied"), 32_500);
    app.prove().await;
    app.advance(61);
    app.end().await;
    assert_eq!(app.payment(&id).await.int("amount_unapplied"), 52_500);
    assert_eq!(refunds(&app, &id).await[0]["status"], "bounced");
    assert_eq!(
        (balance(&app, "refunds_payable").await, going_back(&app, &id).await),
        (None, [0, 0])
    );
    let unapplied = balance(&app, "unapplied_receipts:stripe").await;
    assert_eq!(unapplied.unwrap(), "525.00 AED");
}

#[tokio::test]
async fn more_than_is_left_in_the_dashboard_is_booked_as_returned_and_told_to_a_person() {
    let app = TestApp::new().await;
    let id = bounced(&app, 52_500).await;
    in_the_dashboard(&app, &theirs(&app, &id, 0).await, 500).await;
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.int("amount_unapplied")), ("review", -500));
    assert!(payment.text("review_reason").contains("5.00 AED"), "{payment:#?}");
    assert_eq!(announced(&app, "payment.review").await, 1);
    let last = lines(
        "receipt.returned
         dr unapplied_receipts:stripe 5.00 AED
         cr gateway_clearing:stripe 5.00 AED",
    );
    let journal = app.journal().await;
    assert!(journal.ends_with(&last), "{journal}");
    assert_eq!(going_back(&app, &id).await, [52_500, 0]);
    app.prove().await;
    app.advance(61);
    app.end().await;
    assert_eq!(app.payment(&id).await.int("amount_unapplied"), 0);
}

#[tokio::test]
async fn a_refund_in_the_dashboard_waits_while_one_of_ours_asks_for_the_same_money() {
    for amount in [52_500, 500] {
        let app = TestApp::new().await;
        let id = app.paid(&[("V1", 40_000), ("V2", 12_500)]).await;
        app.sim.deliver_due().await;
        let asked = &NewRefund {
            payment: id.parse().unwrap(),
            amount: None,
            lines: None,
            to_wallet: false,
            reason: RefundReason::RequestedByCustomer,
            metadata: Default::default(),
        };
        let (service, tenant, now) = (&app.app, app.books.tenant, app.app.clock.now());
        let begun = service.db.transaction("begin_call", tenant, |tx| {
            work(async move { request_refund(tx, tenant, now, &service.gateways, asked).await })
        });
        let Step::Call(call) = begun.await.unwrap() else { panic!("no gateway is asked") };
        let Ask::Refund(RefundPayment { refund: ours, .. }) = &call.ask else { panic!() };
        // Ours is on its way when somebody is quicker in the dashboard.
        let journal = app.journal().await;
        in_the_dashboard(&app, &theirs(&app, &id, 0).await, amount).await;
        let waits = kept(&app).await;
        let waits = waits.iter().find(|one| one.starts_with("parked: ")).unwrap();
        assert!(waits.contains("while a refund is being asked for"), "{waits}");
        assert_eq!((app.journal().await, refunds(&app, &id).await.len()), (journal, 1));
        assert_eq!(app.payment(&id).await.text("status"), "succeeded");
        // It is refused there; then the other one is what went back.
        let waited = GatewayTime::default();
        call_and_settle(service, tenant, &call, Repetition::First, &waited).await.unwrap();
        assert_eq!(app.get(&format!("/v1/refunds/{ours}")).await.says(), (200, "failed"));
        app.end().await;
        assert_eq!(going_back(&app, &id).await, [0, amount]);
        assert_eq!(app.payment(&id).await.text("status"), "succeeded");
        assert!(!kept(&app).await.iter().any(|one| one.starts_with("parked")));
        assert_eq!(app.totals("aed").await[1], amount);
    }
}

#[tokio::test]
async fn which_of_two_refunds_of_the_same_money_was_made_is_not_guessed() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 52_500)]).await;
    app.settle().await;
    app.faults("[[rules]]\non = \"refund\"\nkind = \"http_500\"\n");
    assert_eq!(app.refund(&id, None).await.says(), (202, "sent"));
    in_the_dashboard(&app, &theirs(&app, &id, 0).await, 52_500).await;
    for _ in 0..11 {
        app.advance(6 * 3_600);
        app.tick().await;
    }
    // A refusal after an attempt that may have worked proves nothing: the promise stands.
    assert_eq!(
        (going_back(&app, &id).await, booked(&app, "refund.requested").await),
        ([52_500, 0], 1)
    );
    app.prove_laws().await;
    app.advance(8 * 3_600);
    let broken = broken_laws(&app).await;
    assert_eq!(broken.len(), 2, "{broken:#?}");
    assert!(broken[0].contains("(refund) is unknown since"), "{broken:#?}");
}
