//! Payouts to the shop's bank, their rows and their report.

use serde_json::{Value, json};

use super::{Telr, element};
use crate::support::read;

fn cents(value: &Value) -> i64 {
    value.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[tokio::test]
async fn a_payout_adds_up_to_its_rows() {
    let telr = Telr::new().await;
    let sale = telr.paid("A-1", "100.00", "sale").await;
    let auth = telr.paid("A-2", "50.00", "auth").await;
    let (_, _, capture) = telr.follow("capture", &auth, "30.00").await;
    telr.follow("refund", &sale, "40.00").await;
    let pending = telr.basic("/api/v1/accounts/9012/pendings").await.body;
    telr.control("/_sim/settle", &json!({})).await;
    let payouts = telr.basic("/api/v1/accounts/9012/payouts").await.body;
    let payout = payouts[0].clone();
    assert_eq!(payout["amount"], pending[0]["amount"]);
    let id = payout["payout_id"].as_str().unwrap();
    let rows = format!("/api/v1/accounts/9012/payouts/{id}/transactions");
    let listed = telr.basic(&rows).await.body;
    let column = |name: &str| -> Vec<String> {
        let rows = listed.as_array().unwrap().iter();
        rows.map(|row| row[name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(column("type"), ["sale", "capture", "refund"]);
    assert_eq!(column("gross"), ["100.00", "30.00", "-40.00"]);
    assert_eq!(column("cart_id"), ["A-1", "A-2", "A-1"]);
    assert_eq!(column("reference")[..2], [sale, capture]);
    let net: i64 = listed.as_array().unwrap().iter().map(|row| cents(&row["net"])).sum();
    assert_eq!(net, cents(&payout["amount"]));
    let second = telr.basic(&format!("{rows}?offset=1&limit=1")).await.body;
    assert_eq!(second, json!([listed[1]]));

    let day = payout["date"].as_str().unwrap();
    let on = format!("/api/v1/accounts/9012/payouts?from_date={day}&to_date={day}");
    assert_eq!(telr.basic(&on).await.body, payouts);
    let before = "/api/v1/accounts/9012/payouts?to_date=2020-01-01";
    assert_eq!(telr.basic(before).await.body, json!([]));
    let reports = telr.service("/report").await;
    assert_eq!((element(&reports, "reportcount"), element(&reports, "id")), ("1", id));
    let report = telr.service(&format!("/report/{id}/file1")).await;
    let lines: Vec<_> = report.lines().collect();
    assert_eq!(lines[0], "reference,type,gross,fee,net,currency,date,cart_id");
    assert_eq!(lines.len(), 4);
    assert!(lines[3].contains(",refund,-40.00,0.00,-40.00,AED,"), "{report}");
    telr.assert_balanced();
}

#[tokio::test]
async fn what_does_not_exist_or_cannot_be_read_is_refused() {
    let telr = Telr::new().await;
    let accounts = telr.basic("/api/v1/accounts").await.body;
    assert_eq!(accounts, json!([{ "account_id": "9012", "store_id": "1234" }]));
    for (path, status) in [
        ("/api/v1/accounts/1/payouts", 404),
        ("/api/v1/accounts/9012/payouts/1/transactions", 404),
        ("/api/v1/accounts/9012/payouts?from_date=yesterday", 400),
        ("/api/v1/accounts/9012/pendings/transactions?limit=5001", 400),
    ] {
        let answer = telr.basic(path).await;
        assert_eq!((answer.status, &answer.body["code"]), (status, &json!(status)), "{path}");
    }
    let request = telr.client.get(telr.url("/api/v1/accounts"));
    let answer = read(request.basic_auth("5678", Some("wrong"))).await.unwrap();
    let published = json!({
        "code": 401, "status": "Unauthorized", "reason": "Invalid credentials", "errors": [],
    });
    assert_eq!((answer.status, answer.body), (401, published));
}
