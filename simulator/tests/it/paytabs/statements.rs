//! The statement of what was settled.

use serde_json::json;

use super::Pt;

type Row = Vec<String>;

async fn rows(pt: &Pt, path: &str) -> Vec<Row> {
    let answer = pt.get(path).await;
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = answer.body.as_str().unwrap().to_owned();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn minor(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

#[tokio::test]
async fn a_statement_names_both_references_and_adds_up_to_the_settlement() {
    let pt = Pt::new().await;
    let auth = pt.paid("auth", "c-1", json!(200)).await;
    let capture = pt.follow("capture", &auth, "c-1-c", json!(150)).await;
    let capture = capture.body["tran_ref"].as_str().unwrap().to_owned();
    let refund = pt.follow("refund", &capture, "c-1-r", json!(40)).await;
    let refund = refund.body["tran_ref"].as_str().unwrap().to_owned();
    let sale = pt.paid("sale", "c-2", json!(100)).await;
    let dispute = pt.post("/_sim/disputes", &json!({ "payment": sale, "amount": 1_000 })).await;
    let dispute = dispute.id().to_owned();
    pt.post("/_sim/settle", &json!({})).await;
    let all = rows(&pt, "/_sim/statements").await;
    assert_eq!(
        all[0].join(","),
        "tran_ref,previous_tran_ref,tran_type,cart_id,gross,currency,fee,vat,net,\
         settlement_currency,settlement_amount,settlement_date,payout_id,bank_reference"
    );
    let heads: Vec<_> = all[1..].iter().map(|row| row[..6].join(" ")).collect();
    assert_eq!(
        heads,
        [
            format!("{capture} {auth} Capture c-1-c 150.00 AED"),
            format!("{refund} {capture} Refund c-1-r -40.00 AED"),
            format!("{sale}  Sale c-2 100.00 AED"),
            format!("{dispute} {sale} Chargeback c-2 -10.00 AED"),
        ]
    );
    assert_eq!(all[1][6..9], ["5.35", "0.26", "144.39"]);
    let settlement = pt.state().await["settlements"][0].clone();
    let net: i64 = all[1..].iter().map(|row| minor(&row[8])).sum();
    assert_eq!(json!(net), settlement["net"]);
    assert_eq!(all[1][11], "2026-05-28T20:26:40Z");
    assert_eq!(json!(all[1][12]), settlement["id"]);
    assert_eq!(json!(all[1][13]), settlement["bank_reference"]);
    let one = rows(&pt, &format!("/_sim/statements/{}", all[1][12])).await;
    assert_eq!(one, all);
    pt.assert_balanced();
}

#[tokio::test]
async fn what_came_back_is_in_the_next_statement() {
    let pt = Pt::with(|config| config.settle_after_s = None).await;
    let sale = pt.paid("sale", "c,1", json!(100)).await;
    let refund = pt.follow("refund", &sale, "r-1", json!(10)).await;
    let refund = refund.body["tran_ref"].as_str().unwrap().to_owned();
    let dispute = pt.post("/_sim/disputes", &json!({ "payment": sale, "amount": 1_000 })).await;
    pt.post("/_sim/settle", &json!({})).await;
    pt.post(&format!("/_sim/refunds/{refund}/bounce"), &json!({})).await;
    pt.post(&format!("/_sim/disputes/{}/win", dispute.id()), &json!({})).await;
    pt.faults("[[rules]]\non = \"settlement\"\nkind = \"fee_drift\"");
    let other = pt.paid("sale", "c-2", json!(100)).await;
    pt.post("/_sim/settle", &json!({})).await;
    let statement = pt.state().await["settlements"][1]["id"].as_str().unwrap().to_owned();
    let rows = rows(&pt, &format!("/_sim/statements/{statement}")).await;
    let heads: Vec<_> = rows[1..].iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(
        heads,
        [
            format!("{refund} {sale} Refund Reversal"),
            format!("{} {sale} Chargeback Reversal", dispute.id()),
            format!("{other}  Sale"),
        ]
    );
    assert_eq!(rows[2][3..5], ["\"c", "1\""], "a comma stands in quotes");
    assert_eq!(rows[3][6], "4.29", "a tenth more than was said");
    pt.choose(&other, json!({ "outcome": "reversed" })).await;
    pt.paid("sale", "c-3", json!(500)).await;
    pt.post("/_sim/settle", &json!({})).await;
    let text = pt.get("/_sim/statements").await.body.as_str().unwrap().to_owned();
    assert!(
        text.contains(&format!("\n{other},,Void,c-2,-100.00,AED,0.00,0.00,-100.00,")),
        "{text}"
    );
    pt.assert_balanced();
}
