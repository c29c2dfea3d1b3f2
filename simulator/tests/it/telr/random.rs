//! Whatever is done in whatever order, the books hold and a crash keeps everything.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Telr;
use crate::support::folder;

/// What is done, and a number that chooses to what and how much.
type Deed = (u8, u16);

fn pick(list: &Value, number: u16) -> Value {
    let all = list.as_array().cloned().unwrap_or_default();
    let place = usize::from(number).checked_rem(all.len()).unwrap_or_default();
    all.get(place).cloned().unwrap_or_default()
}

async fn act(telr: &Telr, place: usize, (deed, number): Deed) {
    let amount = format!("{}.{:02}", number % 60 + 1, number % 100);
    let state = telr.state().await;
    let id = |list: &str| pick(&state[list], number)["id"].as_str().unwrap_or("-").to_owned();
    let outcomes = ["paid", "declined", "cancelled", "held", "pending", "challenged", "reversed"];
    match deed {
        0 => drop(telr.order(&format!("A-{place}"), &amount, "sale").await),
        1 => drop(telr.order(&format!("A-{place}"), &amount, "auth").await),
        2..=4 => {
            let outcome = outcomes[usize::from(number) % outcomes.len()];
            let path = format!("/_sim/payments/{}/pay", id("orders"));
            telr.control(&path, &json!({ "outcome": outcome })).await;
        }
        5 => drop(telr.follow("capture", &id("payments"), &amount).await),
        6 => drop(telr.follow("release", &id("payments"), &amount).await),
        7 => {
            let payment = pick(&state["payments"], number);
            let all = payment["amount"].as_i64().unwrap_or(100);
            let all = format!("{}.{:02}", all / 100, all % 100);
            telr.follow("void", payment["id"].as_str().unwrap_or("-"), &all).await;
        }
        8 | 9 => drop(telr.follow("refund", &id("captures"), &amount).await),
        10 => drop(telr.charge_again(&id("payments"), &format!("B-{place}")).await),
        11 => {
            let path = format!("/_sim/refunds/{}/bounce", id("refunds"));
            telr.control(&path, &json!({})).await;
        }
        12 => drop(telr.control("/_sim/settle", &json!({})).await),
        _ => telr.clock.advance(i64::from(number) * 20),
    }
}

async fn live(deeds: Vec<Deed>) {
    let dir = folder("telr-random");
    let telr = Telr::with(|config| config.data_dir = Some(dir.clone())).await;
    for (place, deed) in deeds.into_iter().enumerate() {
        act(&telr, place, deed).await;
        telr.assert_balanced();
    }
    let (before, clock) = (telr.state().await, telr.clock.clone());
    drop(telr);
    let telr = Telr::with(|config| {
        config.data_dir = Some(dir.clone());
        config.clock = clock.clock();
    })
    .await;
    assert_eq!(telr.state().await, before);
    for payment in before["payments"].as_array().unwrap() {
        telr.linked(payment["id"].as_str().unwrap()).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn the_books_hold_after_every_deed(
        deeds in prop::collection::vec((0..14_u8, any::<u16>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(deeds));
    }
}
