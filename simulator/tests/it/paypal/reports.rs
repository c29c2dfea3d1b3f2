//! Reporting and the settlement file: every movement, late, by pages.

use serde_json::{Value, json};

use super::{Pal, usd};
use crate::support::read;

const DAY: &str = "start_date=2026-05-28T00:00:00-0000&end_date=2026-05-30T00:00:00Z";

async fn transactions(pal: &Pal, more: &str) -> Value {
    pal.get(&format!("/v1/reporting/transactions?{DAY}{more}")).await.body
}

async fn a_life(pal: &Pal) -> (String, String) {
    let (order, capture) = pal.paid("100.00", "pay-1").await;
    let body = json!({ "amount": usd("10.00"), "invoice_id": "R-1" });
    pal.post(&format!("/v2/payments/captures/{capture}/refund"), &body).await;
    let header = json!({ "sender_batch_id": "batch-1" });
    let item = json!({ "receiver": "v@example.com", "sender_item_id": "i-1",
        "amount": { "value": "9.87", "currency": "USD" } });
    let body = json!({ "sender_batch_header": header, "items": [item] });
    pal.keyed("/v1/payments/payouts", &body, "batch-1").await;
    pal.post("/_sim/settle", &json!({})).await;
    (order, capture)
}

#[tokio::test]
async fn every_movement_is_a_transaction_three_hours_later() {
    let pal = Pal::new().await;
    let (order, capture) = a_life(&pal).await;
    assert_eq!(transactions(&pal, "").await["total_items"], 0, "not yet");
    pal.clock.advance(3 * 3600);
    let found = transactions(&pal, "").await;
    assert_eq!(found["last_refreshed_datetime"], "2026-05-28T20:26:40+0000");
    let rows: Vec<_> = found["transaction_details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["transaction_info"].clone())
        .collect();
    let codes: Vec<_> = rows.iter().map(|row| row["transaction_event_code"].clone()).collect();
    assert_eq!(codes, ["T0006", "T1107", "T0001", "T0400"]);
    let sale = &rows[0];
    assert_eq!(
        (&sale["transaction_id"], &sale["transaction_amount"]),
        (&json!(capture), &usd("100.00"))
    );
    assert_eq!(sale["fee_amount"], usd("-4.09"));
    assert_eq!(
        (&sale["paypal_reference_id"], &sale["paypal_reference_id_type"]),
        (&json!(order), &json!("ODR"))
    );
    assert_eq!(
        (&sale["custom_field"], &sale["invoice_id"]),
        (&json!("pay-1"), &json!("INV-pay-1"))
    );
    assert_eq!(sale["transaction_initiation_date"], "2026-05-28T20:26:40+0000");
    assert_eq!(
        (&rows[1]["transaction_amount"], &rows[1]["paypal_reference_id"]),
        (&usd("-10.00"), &json!(capture))
    );
    assert_eq!(rows[2]["fee_amount"], usd("-0.25"));

    let second = transactions(&pal, "&page_size=3&page=2").await;
    assert_eq!(
        (&second["total_pages"], second["transaction_details"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
    let one = transactions(&pal, &format!("&transaction_id={capture}")).await;
    assert_eq!(one["total_items"], 1);
    pal.assert_balanced();
}

#[tokio::test]
async fn a_window_is_at_most_31_days() {
    let pal = Pal::new().await;
    let ask = async |start: &str, end: &str| {
        let query = format!("start_date={start}&end_date={end}");
        pal.get(&format!("/v1/reporting/transactions?{query}")).await.status
    };
    assert_eq!(ask("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z").await, 200);
    assert_eq!(ask("2026-05-01T00:00:00Z", "2026-06-01T00:00:01Z").await, 400);
    assert_eq!(ask("2026-05-02T00:00:00Z", "2026-05-01T00:00:00Z").await, 400);
    assert_eq!(ask("2021-05-01T00:00:00Z", "2021-05-02T00:00:00Z").await, 400);
    assert_eq!(ask("yesterday", "2026-05-01T00:00:00Z").await, 400);
    assert_eq!(pal.get("/v1/reporting/transactions").await.status, 400);
    let path = format!("/v1/reporting/transactions?{DAY}&page_size=501");
    assert_eq!(pal.get(&path).await.status, 400);
}

#[tokio::test]
async fn what_came_back_is_told_by_its_code() {
    let pal = Pal::new().await;
    let (_, capture) = pal.paid("40.00", "pay-1").await;
    pal.choose(&capture, &json!({ "outcome": "reversed" })).await;
    let (_, capture) = pal.paid("50.00", "pay-2").await;
    let opened = pal.post("/_sim/disputes", &json!({ "payment": capture })).await;
    pal.post(&format!("/_sim/disputes/{}/lose", opened.id()), &json!({})).await;
    pal.clock.advance(3 * 3600);
    let found = transactions(&pal, "").await;
    let rows = found["transaction_details"].as_array().unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let info = &row["transaction_info"];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&info["transaction_event_code"]), text(&info["transaction_amount"]["value"]))
        })
        .collect();
    let expected =
        [("T0006", "40.00"), ("T1106", "-40.00"), ("T0006", "50.00"), ("T1201", "-50.00")];
    assert_eq!(told, expected.map(|(code, value)| (code.to_owned(), value.to_owned())));
    let ids: std::collections::BTreeSet<_> =
        rows.iter().map(|row| row["transaction_info"]["transaction_id"].to_string()).collect();
    assert_eq!(ids.len(), 4);
    pal.assert_balanced();
}

#[tokio::test]
async fn the_settlement_file_has_the_same_movements_without_signs() {
    let pal = Pal::new().await;
    let (order, capture) = a_life(&pal).await;
    let url = format!("{}/_sim/settlement?date=2026-05-28", pal.sim.url());
    let file = read(pal.client.get(url)).await.unwrap();
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = file.body.as_str().unwrap();
    let kinds: Vec<_> = text.lines().map(|line| &line[1..3]).collect();
    assert_eq!(
        kinds,
        ["RH", "FH", "SH", "CH", "SB", "SB", "SB", "SB", "SF", "SC", "RF", "CF", "RC", "FF"]
    );
    let sale: Vec<_> =
        text.lines().nth(4).unwrap().split(',').map(|it| it.trim_matches('"')).collect();
    assert_eq!(sale[1..6], [&*capture, "INV-pay-1", &*order, "ODR", "T0006"]);
    assert_eq!(sale[6..8], ["2026/05/28 20:26:40 +0000"; 2]);
    assert_eq!(sale[8..14], ["CR", "10000", "USD", "DR", "409", "USD"]);
    let refund = text.lines().nth(5).unwrap();
    assert!(refund.contains("\"T1107\"") && refund.contains("\"DR\",\"1000\",\"USD\",,,"));
    let url = format!("{}/_sim/settlement?date=2026-05-27", pal.sim.url());
    let empty = read(pal.client.get(url)).await.unwrap();
    assert!(!empty.body.as_str().unwrap().contains("SB"));
}
