//! Disputes at a gateway that takes the money only when one is lost.

use mizan_providers::ProviderName;
use serde_json::{Value, json};

use super::{holds, net, ours};
use crate::gateways::Bazaar;

/// The gateway's ids of its disputes, oldest first.
async fn there(bazaar: &Bazaar, name: ProviderName) -> Vec<String> {
    let state = bazaar.state(name).await;
    let all = state["disputes"].as_array().unwrap();
    all.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_taken_at_the_end_is_booked_at_the_end() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let name = ProviderName::Razorpay;
    let mut payments = Vec::new();
    for _ in 0..2 {
        let paid = bazaar.pay(name, 25_000, false).await;
        assert_eq!(paid.says(), (200, "succeeded"), "{name}: {:#}", paid.body);
        let theirs = paid.body["attempts"][0]["provider_ref"].clone();
        let opened = bazaar.control(name, "disputes", json!({ "payment": theirs })).await;
        assert_eq!(opened, 200, "{name}");
        payments.push(paid.id().to_owned());
    }
    bazaar.deliver().await;
    let hold = format!("dispute_hold:{name}");
    holds(app, &[(&hold, 0)]).await;
    let status = ours(app, &payments[0]).await["status"].clone();
    assert_eq!(status, "needs_response", "{name}");
    let clearing = net(app, &format!("gateway_clearing:{name}")).await;
    let disputes = there(&bazaar, name).await;
    for (id, end) in disputes.iter().zip(["lose", "win"]) {
        let path = format!("disputes/{id}/{end}");
        assert_eq!(bazaar.control(name, &path, json!({})).await, 200, "{name}");
    }
    bazaar.settle().await;
    let [lost, won] = [&payments[0], &payments[1]].map(|id| id.as_str());
    let told: [Value; 2] =
        [ours(app, lost).await["status"].clone(), ours(app, won).await["status"].clone()];
    assert_eq!(told, [json!("lost"), json!("won")], "{name}");
    let after = net(app, &format!("gateway_clearing:{name}")).await;
    assert_eq!((clearing - after, net(app, &hold).await), (25_000, 0), "{name}");
    let (lost, won) = (app.payment(lost).await, app.payment(won).await);
    let amounts = [lost.int("amount_lost"), won.int("amount_lost"), won.int("amount_disputed")];
    assert_eq!(amounts, [25_000, 0, 0], "{name}");
    app.prove_laws().await;
}
