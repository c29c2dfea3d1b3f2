//! Whatever is done, in whatever order: the gateway's own books add up, also after a restart.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::razorpay::Rzp;
use crate::support::folder;

/// One thing that somebody does, with a number to choose what and how much.
type Deed = (u8, u16);

async fn act(rzp: &Rzp, place: usize, (kind, number): Deed) {
    let state = rzp.state().await;
    let pick = |name: &str| -> String {
        let rows = state[name].as_array().cloned().unwrap_or_default();
        let row = rows.get(usize::from(number) % rows.len().max(1)).cloned().unwrap_or_default();
        row["id"].as_str().unwrap_or("none").to_owned()
    };
    let post = async |path: String, body: Value| rzp.post(&path, &body).await.status;
    let amount = i64::from(number) + 100;
    match kind {
        0..=2 => {
            let mode = if number % 2 == 0 { "automatic" } else { "manual" };
            let order = rzp.order(amount, &format!("r-{place}"), mode).await;
            rzp.choose(&order, &json!({ "outcome": "paid" })).await;
        }
        3 => {
            let payment = pick("payments");
            let of = state["payments"].as_array().cloned().unwrap_or_default();
            let of = of.iter().find(|it| it["id"] == payment.as_str()).cloned().unwrap_or_default();
            let body = json!({ "amount": of["amount"], "currency": "INR" });
            post(format!("/v1/payments/{payment}/capture"), body).await;
        }
        4 => {
            let body = json!({ "amount": amount / 2 });
            post(format!("/v1/payments/{}/refund", pick("payments")), body).await;
        }
        5 => {
            post(format!("/_sim/refunds/{}/bounce", pick("refunds")), json!({})).await;
        }
        6 => {
            let one = json!({ "account": "acc_1", "amount": amount / 2, "currency": "INR" });
            let body = json!({ "transfers": [one] });
            post(format!("/v1/payments/{}/transfers", pick("payments")), body).await;
        }
        7 => {
            post(format!("/v1/transfers/{}/reversals", pick("transfers")), json!({})).await;
        }
        8 => {
            post("/_sim/disputes".to_owned(), json!({ "payment": pick("payments") })).await;
        }
        9 => {
            let end = if number % 2 == 0 { "win" } else { "lose" };
            post(format!("/_sim/disputes/{}/{end}", pick("disputes")), json!({})).await;
        }
        10 => {
            let body = rzp.payout_body(&rzp.fund_account().await, amount);
            rzp.payout(&body, &format!("payout-{place}")).await;
        }
        11 => {
            post(format!("/_sim/payouts/{}/return", pick("payouts")), json!({})).await;
        }
        12 => {
            post("/_sim/settle".to_owned(), json!({})).await;
        }
        _ => rzp.clock.advance(i64::from(number) * 10),
    }
}

async fn live(deeds: Vec<Deed>) {
    let dir = folder("bank-random");
    let open = || {
        Rzp::with(|config| {
            config.data_dir = Some(dir.clone());
            config.payout_float = 100_000;
        })
    };
    let rzp = open().await;
    for (place, deed) in deeds.into_iter().enumerate() {
        act(&rzp, place, deed).await;
        rzp.assert_balanced();
    }
    let (before, clock) = (rzp.state().await, rzp.clock.clone());
    drop(rzp);
    let now = clock.clock();
    let rzp = Rzp::with(|config| {
        config.data_dir = Some(dir.clone());
        config.clock = now;
    })
    .await;
    assert_eq!(rzp.state().await, before);
    rzp.assert_balanced();
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_books_hold_after_every_deed(
        deeds in prop::collection::vec((0..14_u8, any::<u16>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(deeds));
    }
}
