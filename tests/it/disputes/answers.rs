//! Evidence and giving in: asked of the gateway once, found out about where the answer was lost.

use serde_json::json;

use super::{bank, dispute, holds, ours, paid};
use crate::support_app::TestApp;

async fn path_of(app: &TestApp, payment: &str, verb: &str) -> String {
    format!("/v1/disputes/{}/{verb}", ours(app, payment).await["id"].as_str().unwrap())
}

#[tokio::test]
async fn evidence_goes_to_the_gateway_once_and_the_bank_decides() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    let dp = dispute(&app, &id, json!({})).await;
    app.sim.deliver_due().await;
    let path = path_of(&app, &id, "evidence").await;
    for bad in [json!({}), json!({ "Bad Name": "x" }), json!({ "receipt": "" })] {
        let refused = app.post(&path, json!({ "evidence": bad })).await;
        assert_eq!(refused.status, 400, "{refused:#?}");
    }
    let evidence = json!({ "uncategorized_text": "signed for by the buyer" });
    let key = app.fresh();
    let handed_in = app.post_as(&key, &path, json!({ "evidence": evidence })).await;
    assert_eq!(handed_in.says(), (200, "under_review"), "{handed_in:#?}");
    assert_eq!(handed_in.body["evidence"], evidence);
    assert!(handed_in.body["evidence_sent_at"].is_string());
    let again = app.post_as(&key, &path, json!({ "evidence": evidence })).await;
    assert_eq!(again.body, handed_in.body);
    let second = app.post(&path, json!({ "evidence": evidence })).await;
    assert_eq!(second.problem(), (409, "wrong_state"));
    app.sim.deliver_due().await;
    bank(&app, &dp, "win", json!({})).await;
    app.end().await;
    assert_eq!(ours(&app, &id).await["status"], "won");
    holds(&app, &[("dispute_hold:stripe", 0), ("vendor_payable:V1:pending", -18_900)]).await;
}

#[tokio::test]
async fn giving_in_loses_the_dispute_also_where_the_answer_is_lost() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    dispute(&app, &id, json!({})).await;
    app.settle().await;
    app.sim.set_webhook_url(None);
    let path = path_of(&app, &id, "accept").await;
    app.faults(
        "seed = 1
        [[rules]]
        on = \"refund\"
        kind = \"lost_answer\"
        times = 1",
    );
    let (key, asked) = (app.fresh(), json!({}));
    let unknown = app.post_as(&key, &path, asked.clone()).await;
    assert_eq!(unknown.says(), (202, "accepted"), "{unknown:#?}");
    let second = app.post(&path, json!({})).await;
    assert_eq!(second.problem(), (409, "operation_under_way"));
    app.settle().await;
    assert_eq!(app.post_as(&key, &path, asked).await.says(), (200, "lost"));
    let told = ours(&app, &id).await;
    assert!(told["accepted_at"].is_string(), "{told:#}");
    app.prove().await;
    holds(&app, &[("dispute_hold:stripe", 0), ("vendor_payable:V1:pending", 0)]).await;
    assert_eq!(app.post(&path, json!({})).await.problem(), (409, "wrong_state"));
}

#[tokio::test]
async fn nobody_sees_or_answers_the_dispute_of_another() {
    let app = TestApp::new().await;
    let id = paid(&app, "V1", 21_000).await;
    dispute(&app, &id, json!({})).await;
    app.sim.deliver_due().await;
    let path = path_of(&app, &id, "accept").await;
    let stranger = app.strangers_key().await;
    let url = format!("{}{path}", app.url);
    let request = app.client.post(url).bearer_auth(&stranger).header("Idempotency-Key", "x-1");
    assert_eq!(app.send(request.json(&json!({}))).await.status, 404);
    let url = format!("{}/v1/disputes", app.url);
    let listed = app.send(app.client.get(url).bearer_auth(&stranger)).await;
    assert_eq!(listed.body["data"], json!([]));
}
