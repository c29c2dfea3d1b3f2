//! Whatever is done, in whatever order: the books add up, also after a restart.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Pal, usd};
use crate::support::folder;

/// One thing that somebody does, with a number to choose what and how much.
type Deed = (u8, u16);

async fn act(pal: &Pal, place: usize, (kind, number): Deed) {
    let state = pal.state().await;
    let pick = |name: &str| -> String {
        let rows = state[name].as_array().cloned().unwrap_or_default();
        let row = rows.get(usize::from(number) % rows.len().max(1)).cloned().unwrap_or_default();
        row["id"].as_str().unwrap_or("none").to_owned()
    };
    let post = async |path: String, body: Value| pal.post(&path, &body).await.status;
    let value = format!("{}.{:02}", number / 100 + 1, number % 100);
    match kind {
        0..=3 => {
            let manual = number % 2 == 0;
            let intent = if manual { "AUTHORIZE" } else { "CAPTURE" };
            let order = pal.order(intent, &value, &format!("r-{place}")).await;
            let outcome = ["paid", "paid", "declined", "pending"][usize::from(kind)];
            pal.choose(&order, &json!({ "outcome": outcome })).await;
            let call = if manual { "authorize" } else { "capture" };
            post(format!("/v2/checkout/orders/{order}/{call}"), json!({})).await;
        }
        4 => {
            let body = json!({ "amount": usd("0.70"), "final_capture": number % 3 == 0 });
            post(format!("/v2/payments/authorizations/{}/capture", pick("payments")), body).await;
        }
        5 => {
            let call = if number % 2 == 0 { "void" } else { "reauthorize" };
            let path = format!("/v2/payments/authorizations/{}/{call}", pick("payments"));
            post(path, json!({})).await;
        }
        6 => {
            let body = if number % 2 == 0 { json!({}) } else { json!({ "amount": usd("0.30") }) };
            post(format!("/v2/payments/captures/{}/refund", pick("captures")), body).await;
        }
        7 => {
            post(format!("/_sim/refunds/{}/bounce", pick("refunds")), json!({})).await;
        }
        8 => {
            post("/_sim/disputes".to_owned(), json!({ "payment": pick("payments") })).await;
        }
        9 => {
            let end = if number % 2 == 0 { "win" } else { "lose" };
            post(format!("/_sim/disputes/{}/{end}", pick("disputes")), json!({})).await;
        }
        10 => {
            let receiver = if number % 2 == 0 { "unclaimed@x.example" } else { "v@x.example" };
            let amount = json!({ "currency": "USD", "value": value });
            let header = json!({ "sender_batch_id": format!("b-{place}") });
            let items = json!([{ "receiver": receiver, "amount": amount }]);
            let body = json!({ "sender_batch_header": header, "items": items });
            post("/v1/payments/payouts".to_owned(), body).await;
        }
        11 => {
            let call = ["return", "fail", "pay"][usize::from(number) % 3];
            post(format!("/_sim/payouts/{}/{call}", pick("payouts")), json!({})).await;
        }
        12 => {
            let choice = ["paid", "declined", "reversed"][usize::from(number) % 3];
            pal.choose(&pick("orders"), &json!({ "outcome": choice })).await;
        }
        13 => {
            post("/_sim/settle".to_owned(), json!({})).await;
        }
        _ => {
            pal.clock.advance(i64::from(number) * 20);
            pal.renew().await;
        }
    }
}

async fn live(deeds: Vec<Deed>) {
    let dir = folder("paypal-random");
    let change = |config: &mut mizan_simulator::SimulatorConfig| {
        config.data_dir = Some(dir.clone());
        config.payout_float = 100_000;
    };
    let pal = Pal::with(change).await;
    for (place, deed) in deeds.into_iter().enumerate() {
        act(&pal, place, deed).await;
        pal.assert_balanced();
    }
    let money = |state: Value| (state["totals"].clone(), state["payments"].clone());
    let (before, now) = (money(pal.state().await), pal.clock.clock());
    drop(pal);
    let pal = Pal::with(|config| {
        change(config);
        config.clock = now;
    })
    .await;
    assert_eq!(money(pal.state().await), before);
    pal.assert_balanced();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_books_hold_after_every_deed(
        deeds in prop::collection::vec((0..15_u8, any::<u16>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(deeds));
    }
}
