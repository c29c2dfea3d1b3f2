//! Whatever is done, in whatever order: PayTabs' own books add up, also after a restart.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Pt;
use crate::support::folder;

/// One thing that somebody does, with a number to choose what and how much.
type Deed = (u8, u16);

async fn act(pt: &Pt, place: usize, (kind, number): Deed) {
    let state = pt.state().await;
    let pick = |name: &str| -> String {
        let rows = state[name].as_array().cloned().unwrap_or_default();
        let row = rows.get(usize::from(number) % rows.len().max(1)).cloned().unwrap_or_default();
        row["id"].as_str().unwrap_or("none").to_owned()
    };
    let amount = json!(format!("{}.{:02}", number % 50 + 1, number % 100));
    let cart = format!("c-{place}");
    match kind {
        0..=2 => {
            let tran_type = ["sale", "auth", "register"][usize::from(number % 3)];
            let methods = [json!(["all"]), json!(["fawry"]), json!(["knet"])];
            let more = json!({ "payment_methods": methods[usize::from(kind)], "tokenise": 2 });
            let page = pt.page(tran_type, &cart, amount, more).await;
            pt.choose(&page, json!({ "outcome": "paid" })).await;
        }
        3..=5 => {
            let what = ["capture", "void", "release"][usize::from(kind - 3)];
            pt.follow(what, &pick("orders"), &cart, amount).await;
        }
        6 => {
            pt.follow("refund", &pick("captures"), &cart, amount).await;
        }
        7 => {
            pt.post(&format!("/_sim/refunds/{}/bounce", pick("refunds")), &json!({})).await;
        }
        8 => {
            let outcome = ["paid", "declined", "held", "reversed"][usize::from(number % 4)];
            pt.choose(&pick("orders"), json!({ "outcome": outcome })).await;
        }
        9 => {
            let token = pick("tokens");
            let payment = state["tokens"].as_array().unwrap().iter().find(|it| it["id"] == token);
            let of = payment.map_or(Value::Null, |token| token["payment"].clone());
            let payments = state["payments"].as_array().unwrap();
            let order = payments.iter().find(|it| it["id"] == of).map(|it| it["order"].clone());
            let more = json!({ "tran_class": "recurring", "token": token, "tran_ref": order });
            pt.ask("sale", &cart, amount, more).await;
        }
        10 => {
            pt.post("/_sim/disputes", &json!({ "payment": pick("orders") })).await;
        }
        11 => {
            pt.post("/_sim/settle", &json!({})).await;
        }
        _ => pt.clock.advance(i64::from(number) * 10),
    }
}

async fn live(deeds: Vec<Deed>) {
    let dir = folder("paytabs-random");
    let pt = Pt::with(|config| config.data_dir = Some(dir.clone())).await;
    for (place, deed) in deeds.into_iter().enumerate() {
        act(&pt, place, deed).await;
        pt.assert_balanced();
    }
    let (before, now) = (pt.state().await, pt.clock.clock());
    drop(pt);
    let open = |config: &mut mizan_simulator::SimulatorConfig| {
        config.data_dir = Some(dir.clone());
        config.clock = now;
    };
    let pt = Pt::with(open).await;
    assert_eq!(pt.state().await, before);
    pt.assert_balanced();
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_books_hold_after_every_deed(
        deeds in prop::collection::vec((0..13_u8, any::<u16>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(deeds));
    }
}
