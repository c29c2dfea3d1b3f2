//! The worked scenarios S07 and S08, to the cent, by what the gateway tells.

use serde_json::json;

use super::{announced, bank, delivered, dispute, holds, net, ours, paid, released, terms};
use crate::replay::prove_replay;
use crate::support_app::TestApp;

#[tokio::test]
async fn a_lost_dispute_takes_back_what_each_party_got_and_the_platform_bears_its_fee() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    delivered(&app, &id, 2_000).await;
    released(&app, &id, "V1", 18_900).await;
    let (clearing, fees) = (net(&app, "gateway_clearing:stripe").await, 5_500);

    let dp = dispute(&app, &id, json!({ "fee": fees, "reason": "fraudulent" })).await;
    app.sim.deliver_due().await;
    holds(
        &app,
        &[
            ("dispute_hold:stripe", 21_000),
            ("dispute_fees:stripe", 5_500),
            ("gateway_clearing:stripe", clearing - 26_500),
            ("vendor_payable:V1:available", 0),
            ("vendor_payable:V1:held", -18_900),
        ],
    )
    .await;
    let told = ours(&app, &id).await;
    assert_eq!((&told["status"], &told["amount"]), (&json!("needs_response"), &json!(21_000)));
    assert_eq!(told["held"][0]["from"], "available");
    app.prove_laws().await;
    let refused = app.refund(&id, Some(100)).await;
    assert_eq!(refused.problem(), (409, "amount_exceeds_rest"), "disputed money is not refunded");

    bank(&app, &dp, "lose", json!({})).await;
    app.end().await;
    holds(
        &app,
        &[
            ("gateway_clearing:stripe", clearing - 26_500),
            ("dispute_fees:stripe", 5_500),
            ("dispute_hold:stripe", 0),
            ("vendor_payable:V1:available", 0),
            ("vendor_payable:V1:pending", 0),
            ("vendor_payable:V1:reserve", 0),
            ("vendor_payable:V1:held", 0),
            ("vendor_receivable:V1", 0),
            ("vat_output_payable:AE", 0),
            ("deferred_commission", 0),
            ("commission_revenue", 0),
        ],
    )
    .await;
    assert_eq!(ours(&app, &id).await["status"], "lost");
    assert_eq!(
        announced(&app).await,
        ["dispute.created", "dispute.funds_withdrawn", "dispute.updated", "dispute.lost"],
    );
}

#[tokio::test]
async fn a_won_dispute_gives_the_money_back_and_a_protected_vendor_loses_nothing() {
    let app = TestApp::new().await;
    let protects = json!({ "dispute_liability": "platform", "dispute_fee": "platform" });
    terms(&app, "V2", protects).await;
    let first = paid(&app, "V1", 21_000).await;
    let second = paid(&app, "V2", 10_500).await;
    delivered(&app, &first, 2_000).await;
    delivered(&app, &second, 1_000).await;
    let clearing = net(&app, "gateway_clearing:stripe").await;

    let won = dispute(&app, &first, json!({ "fee": 5_500 })).await;
    let lost = dispute(&app, &second, json!({ "fee": 5_500 })).await;
    app.sim.deliver_due().await;
    holds(
        &app,
        &[
            ("dispute_hold:stripe", 31_500),
            ("vendor_payable:V1:pending", 0),
            ("vendor_payable:V1:held", -18_900),
            ("vendor_payable:V2:pending", -9_450),
            ("vendor_payable:V2:held", 0),
        ],
    )
    .await;
    // The return window is over meanwhile: nothing is pending any more.
    super::mark(&app, &first, "released_at").await;
    bank(&app, &won, "win", json!({})).await;
    bank(&app, &lost, "lose", json!({})).await;
    released(&app, &second, "V2", 9_450).await;
    app.end().await;
    holds(
        &app,
        &[
            ("gateway_clearing:stripe", clearing - 10_500 - 11_000),
            ("vendor_payable:V1:available", -18_900),
            ("vendor_payable:V2:available", -9_450),
            ("vat_output_payable:AE", -150),
            ("commission_revenue", -3_000),
            ("dispute_losses", 10_500),
            ("dispute_fees:stripe", 11_000),
            ("dispute_hold:stripe", 0),
            ("vendor_payable:V1:pending", 0),
            ("vendor_payable:V1:held", 0),
            ("vendor_payable:V2:pending", 0),
            ("deferred_commission", 0),
        ],
    )
    .await;
    assert_eq!(ours(&app, &first).await["status"], "won");
    let (kept, gone) = (app.payment(&first).await, app.payment(&second).await);
    assert_eq!((kept.int("amount_lost"), gone.int("amount_lost")), (0, 10_500));
}

#[tokio::test]
async fn the_books_of_disputes_can_be_written_again_from_what_was_kept() {
    let app = TestApp::new().await;
    let first = paid(&app, "V1", 21_000).await;
    let second = paid(&app, "V2", 10_500).await;
    let one = dispute(&app, &first, json!({ "fee": 5_500 })).await;
    let two = dispute(&app, &second, json!({ "fee": 5_500, "amount": 5_000 })).await;
    app.settle().await;
    bank(&app, &one, "win", json!({})).await;
    let path = format!("/v1/disputes/{}/accept", ours(&app, &second).await["id"].as_str().unwrap());
    assert_eq!(app.post(&path, json!({})).await.says(), (200, "lost"));
    app.settle().await;
    bank(&app, &one, "second_round", json!({})).await;
    app.settle().await;
    bank(&app, &one, "lose", json!({})).await;
    app.end().await;
    assert_eq!(ours(&app, &first).await["provider_ref"], one);
    assert_eq!(ours(&app, &second).await["provider_ref"], two);
    prove_replay(&app).await;
}
