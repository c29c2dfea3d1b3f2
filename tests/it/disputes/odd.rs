//! What disputes do beside the plain way: inquiries, second rounds, amounts beyond the payment,
//! parts, refunds before, money that is gone already, words out of order.

use serde_json::{Value, json};

use super::{announced, bank, delivered, dispute, holds, net, ours, paid, released, terms};
use crate::support_app::{TestApp, order};

const FEE: i64 = 5_500;

#[tokio::test]
async fn an_inquiry_moves_no_money_until_it_becomes_more() {
    let app = TestApp::new().await;
    let (first, second) = (paid(&app, "V1", 21_000).await, paid(&app, "V2", 10_500).await);
    app.settle().await;
    let journal = app.journal().await;
    let closes = dispute(&app, &first, json!({ "inquiry": true })).await;
    let escalates = dispute(&app, &second, json!({ "inquiry": true })).await;
    app.sim.deliver_due().await;
    assert_eq!(ours(&app, &first).await["status"], "warning");
    bank(&app, &closes, "close", json!({})).await;
    app.sim.deliver_due().await;
    assert_eq!(ours(&app, &first).await["status"], "warning_closed");
    assert_eq!(app.journal().await, journal);
    bank(&app, &escalates, "escalate", json!({ "fee": FEE })).await;
    app.end().await;
    assert_eq!(ours(&app, &second).await["status"], "needs_response");
    let held = ("vendor_payable:V2:held", -9_450);
    holds(&app, &[("dispute_hold:stripe", 10_500), ("dispute_fees:stripe", FEE), held]).await;
    let listed = app.get("/v1/disputes?status=needs_response").await;
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(app.get("/v1/disputes?status=open").await.problem(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn the_fee_is_charged_on_with_its_tax_where_the_vendor_bears_it() {
    let app = TestApp::new().await;
    terms(&app, "V1", json!({ "dispute_fee": "vendor" })).await;
    let earlier = paid(&app, "V1", 21_000).await;
    let id = paid(&app, "V1", 21_000).await;
    released(&app, &earlier, "V1", 18_900).await;
    let dp = dispute(&app, &id, json!({ "fee": FEE })).await;
    app.sim.deliver_due().await;
    let charged = [
        ("vendor_payable:V1:available", -(18_900 - 5_775)),
        ("dispute_fee_recovery", -FEE),
        ("dispute_fees:stripe", FEE),
        ("vat_output_payable:AE", -(100 + 100 + 275)),
    ];
    holds(&app, &charged).await;
    assert_eq!(ours(&app, &id).await["fee_by_vendor"], json!({ "V1": FEE }));
    // The gateway gives the fee back with the money: so do we.
    bank(&app, &dp, "win", json!({ "fee": FEE })).await;
    app.end().await;
    let back = [
        ("vendor_payable:V1:available", -18_900),
        ("vendor_payable:V1:pending", -18_900),
        ("dispute_fee_recovery", 0),
        ("dispute_fees:stripe", 0),
        ("vat_output_payable:AE", -200),
    ];
    holds(&app, &back).await;
}

#[tokio::test]
async fn a_second_round_takes_the_money_once_more_and_each_fee_counts() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    let clearing = net(&app, "gateway_clearing:stripe").await;
    let dp = dispute(&app, &id, json!({ "fee": FEE })).await;
    for (action, held, hold) in
        [("", 18_900, 21_000), ("win", 0, 0), ("second_round", 18_900, 21_000), ("lose", 0, 0)]
    {
        if !action.is_empty() {
            app.advance(60);
            let fee = if action == "second_round" { 1_500 } else { 0 };
            bank(&app, &dp, action, json!({ "fee": fee })).await;
        }
        app.sim.deliver_due().await;
        app.prove_laws().await;
        let held = ("vendor_payable:V1:held", -held);
        holds(&app, &[held, ("dispute_hold:stripe", hold)]).await;
    }
    app.end().await;
    let fees = FEE + 1_500;
    holds(
        &app,
        &[
            ("gateway_clearing:stripe", clearing - 21_000 - fees),
            ("dispute_fees:stripe", fees),
            ("vendor_payable:V1:pending", 0),
            ("vat_output_payable:AE", 0),
            ("deferred_commission", 0),
        ],
    )
    .await;
    assert_eq!(app.payment(&id).await.int("amount_lost"), 21_000);
    let told = announced(&app).await;
    let count = |kind: &str| told.iter().filter(|it| *it == kind).count();
    assert_eq!((count("dispute.funds_withdrawn"), count("dispute.funds_reinstated")), (2, 1));
    assert_eq!((count("dispute.won"), count("dispute.lost")), (1, 1));
}

#[tokio::test]
async fn what_is_disputed_beyond_the_payment_is_the_platforms_loss() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    let dp = dispute(&app, &id, json!({ "fee": 0, "amount": 22_500 })).await;
    app.sim.deliver_due().await;
    let told = ours(&app, &id).await;
    assert_eq!(
        (&told["amount_withdrawn"], &told["amount_of_order"]),
        (&json!(22_500), &json!(21_000))
    );
    assert_eq!(app.payment(&id).await.text("status"), "review");
    bank(&app, &dp, "lose", json!({})).await;
    app.end().await;
    let nothing = ["vendor_payable:V1:pending", "vendor_payable:V1:held", "dispute_hold:stripe"];
    holds(&app, &nothing.map(|path| (path, 0))).await;
    holds(&app, &[("dispute_losses", 1_500), ("vat_output_payable:AE", 0)]).await;
}

#[tokio::test]
async fn a_partial_dispute_after_a_partial_refund_takes_its_part_and_leaves_the_rest() {
    let app = TestApp::new().await;
    let mut wanted = order(&[("V1", 10_001), ("V2", 9_999)]);
    wanted["customer"] = "C1".into();
    let id = app.create(wanted).await;
    app.confirm(&id, "pm_card_visa").await;
    app.settle().await;
    assert_eq!(app.refund(&id, Some(3_333)).await.says(), (200, "succeeded"));
    let dp = dispute(&app, &id, json!({ "fee": FEE, "amount": 7_001 })).await;
    app.sim.deliver_due().await;
    app.prove_laws().await;
    // The rest can be refunded while the bank decides: into the wallet, since the gateway refuses.
    // Then nothing is left but what is held.
    let rest = 20_000 - 3_333 - 7_001;
    assert_eq!(app.refund(&id, Some(rest + 1)).await.problem(), (409, "amount_exceeds_rest"));
    let back = json!({ "payment_intent": id, "to": "wallet" });
    assert_eq!(app.post("/v1/refunds", back).await.says(), (200, "succeeded"));
    for path in ["vendor_payable:V1:pending", "vendor_payable:V2:pending"] {
        holds(&app, &[(path, 0)]).await;
    }
    holds(&app, &[("vendor_receivable:V1", 0), ("vendor_receivable:V2", 0)]).await;
    bank(&app, &dp, "lose", json!({})).await;
    app.end().await;
    for path in [
        "vendor_payable:V1:held",
        "vendor_payable:V2:held",
        "deferred_commission",
        "vat_output_payable:AE",
        "dispute_losses",
        "refunds_payable",
        "dispute_hold:stripe",
    ] {
        holds(&app, &[(path, 0)]).await;
    }
    let payment = app.payment(&id).await;
    assert_eq!((payment.int("amount_lost"), payment.int("amount_refunded")), (7_001, 12_999));
}

#[tokio::test]
async fn a_lost_dispute_of_money_that_was_paid_out_is_the_vendors_debt() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    delivered(&app, &id, 2_000).await;
    released(&app, &id, "V1", 18_900).await;
    let out = ("vendor_payable:V1:available", "payouts_in_transit:bank");
    super::by_hand(&app, "payout.initiated", out.0, out.1, 18_000).await;
    let dp = dispute(&app, &id, json!({ "fee": FEE })).await;
    app.sim.deliver_due().await;
    // As far as it is there.
    holds(&app, &[("vendor_payable:V1:held", -900), (out.0, 0)]).await;
    bank(&app, &dp, "lose", json!({})).await;
    app.end().await;
    holds(&app, &[("vendor_receivable:V1", 18_000), ("vendor_payable:V1:held", 0)]).await;
    holds(&app, &[("commission_revenue", 0), ("dispute_hold:stripe", 0)]).await;
}

/// Every event of disputes at the gateway, oldest first.
pub(super) async fn events(app: &TestApp) -> Vec<Value> {
    let listed = app.ask_gateway("/v1/events?limit=100").await;
    let all = listed.body["data"].as_array().unwrap();
    let of_disputes = |event: &&Value| {
        event["type"].as_str().is_some_and(|kind| kind.starts_with("charge.dispute."))
    };
    all.iter().rev().filter(of_disputes).cloned().collect()
}

#[tokio::test]
async fn a_loss_that_was_told_too_soon_is_taken_back_debt_and_all() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    released(&app, &id, "V1", 18_900).await;
    let out = ("vendor_payable:V1:available", "payouts_in_transit:bank");
    super::by_hand(&app, "payout.initiated", out.0, out.1, 18_900).await;
    app.settle().await;
    app.sim.set_webhook_url(None);
    dispute(&app, &id, json!({ "fee": FEE })).await;
    // The bank says lost, and a second later that it was won: what it then says of the rows counts.
    let mut lost = events(&app).await[0].clone();
    lost["id"] = "evt_lost_too_soon".into();
    lost["data"]["object"]["status"] = "lost".into();
    assert_eq!(app.deliver_signed(&format!("{lost:#}")).await.says(), (200, "applied"));
    holds(&app, &[("vendor_receivable:V1", 18_900), ("dispute_hold:stripe", 0)]).await;
    app.prove_laws().await;
    let mut on = lost.clone();
    on["id"] = "evt_goes_on".into();
    on["created"] = (lost["created"].as_i64().unwrap() + 1).into();
    on["data"]["object"]["status"] = "under_review".into();
    assert_eq!(app.deliver_signed(&format!("{on:#}")).await.says(), (200, "applied"));
    holds(&app, &[("vendor_receivable:V1", 0), ("dispute_hold:stripe", 21_000)]).await;
    app.prove_laws().await;
    assert_eq!(ours(&app, &id).await["status"], "under_review");
    // An old word says nothing new.
    lost["id"] = "evt_lost_once_more".into();
    let old = app.deliver_signed(&format!("{lost:#}")).await;
    assert_eq!(old.says(), (200, "stale"), "{old:#?}");
}

#[tokio::test]
async fn a_dispute_that_is_told_before_its_payment_waits_for_it() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.held(&[("V1", 21_000)]).await;
    let theirs = app.payment(&id).await.body["attempts"][0]["provider_ref"].clone();
    let path = format!("/v1/payment_intents/{}/capture", theirs.as_str().unwrap());
    assert_eq!(app.at_gateway(&path, &[]).await.status, 200);
    dispute(&app, &id, json!({ "fee": FEE })).await;
    let told = events(&app).await;
    for event in &told {
        assert_eq!(app.deliver_signed(&format!("{event:#}")).await.says(), (200, "parked"));
    }
    let paid = app.event("payment_intent.succeeded").await;
    assert_eq!(app.deliver_signed(&paid).await.says(), (200, "applied"));
    app.advance(61);
    mizan::inbox::retry_parked(&app.app).await.unwrap();
    holds(&app, &[("dispute_hold:stripe", 21_000), ("vendor_payable:V1:held", -18_900)]).await;
    app.end().await;
}

#[tokio::test]
async fn a_release_leaves_what_is_held_and_touches_no_other_orders_money() {
    let app = TestApp::new().await;
    let (first, second) = (paid(&app, "V1", 21_000).await, paid(&app, "V1", 10_500).await);
    let dp = dispute(&app, &first, json!({ "fee": FEE, "amount": 10_500 })).await;
    app.sim.deliver_due().await;
    super::mark(&app, &first, "release_at").await;
    app.tick().await;
    // Half of the first order is held; the second is not due.
    let (pending, available) = ("vendor_payable:V1:pending", "vendor_payable:V1:available");
    let held = ("vendor_payable:V1:held", -9_450);
    holds(&app, &[(pending, -9_450), (available, -9_450), held]).await;
    bank(&app, &dp, "win", json!({})).await;
    app.end().await;
    holds(&app, &[(pending, -9_450), (available, -18_900), (held.0, 0)]).await;
    assert_eq!(app.payment(&second).await.int("amount_disputed"), 0);
}
