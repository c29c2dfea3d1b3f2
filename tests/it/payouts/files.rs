//! Bank files: valid by their schema, the same when asked for again, and never twice the same
//! payout.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::shop::{Shop, iban};
use crate::counterparts::python;
use crate::support_app::Reply;

/// What the schema of ISO 20022 says of a message.
fn judge(message: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/validate_pain.py");
    let mut process = Command::new(python())
        .arg(script)
        .arg("pain.001.001.09")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "validate_pain.py failed; it says why above");
    String::from_utf8(output.stdout).unwrap()
}

async fn file(shop: &Shop, run: &Reply, query: &str) -> Reply {
    shop.app.get(&format!("/v1/payout_runs/{}/file{query}", run.id())).await
}

fn text(file: &Reply) -> &str {
    assert_eq!(file.status, 200, "{file:#?}");
    file.body.as_str().unwrap()
}

/// Four vendors whose accounts are named in every way.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    let india = json!({
        "holder": "Rang & <Söhne> \"Ltd\"", "town": "Pune", "account_number": "1234567890",
        "ifsc": "HDFC0001234", "country": "IN", "currency": "INR",
    });
    let usa = json!({
        "holder": "Scent Inc", "account_number": "12345678", "aba": "021000021",
        "bic": "CHASUS33XXX", "country": "US", "currency": "USD",
    });
    let germany = json!({
        "holder": "Duft GmbH", "iban": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX",
        "town": "Bremen", "country": "DE", "currency": "EUR",
    });
    shop.ready(&["vendors/AE", "vendors/IN", "vendors/US", "vendors/DE"]).await;
    for (vendor, currency, account) in
        [("AE", "AED", iban()), ("IN", "INR", india), ("US", "USD", usa), ("DE", "EUR", germany)]
    {
        shop.account(&format!("vendors/{vendor}"), account).await;
        shop.terms(&format!("vendors/{vendor}"), json!({ "schedule": "daily" })).await;
        shop.available(&format!("vendor_payable:{vendor}"), &format!("472.50 {currency}")).await;
    }
    shop.available("vendor_payable:AE", "10.802 KWD").await;
    shop.available("vendor_payable:AE", "500 JPY").await;
    shop.app.advance(super::shop::DAY);
    shop
}

#[tokio::test]
async fn a_file_holds_what_is_reserved_and_is_valid_by_its_schema() {
    let shop = shop().await;
    let run = shop.run().await;
    let first = file(&shop, &run, "?format=pain.001").await;
    assert_eq!(first.headers["content-type"], "application/xml");
    let message = text(&first);
    assert_eq!(judge(message).trim(), "valid", "{message}");
    assert_eq!(message.matches("<CdtTrfTxInf>").count(), 6);
    assert!(message.contains("<InstdAmt Ccy=\"KWD\">10.802</InstdAmt>"));
    assert!(message.contains("<InstdAmt Ccy=\"JPY\">500</InstdAmt>"));
    assert!(message.contains("<Nm>Souq &lt;Platform&gt; LLC</Nm>"), "{message}");
    let shown = shop.app.get(&format!("/v1/payout_runs/{}", run.id())).await;
    let payouts = shown.body["payouts"].as_array().unwrap();
    assert!(payouts.iter().all(|it| it["status"] == "submitted"), "{shown:#?}");
    assert_eq!(shown.body["files"].as_array().unwrap().len(), 1);
    for payout in payouts {
        let hex = payout["id"].as_str().unwrap().trim_start_matches("po_");
        assert!(message.contains(&format!("<EndToEndId>PO-{hex}</EndToEndId>")));
    }
    assert_eq!(text(&file(&shop, &run, "").await), message, "again it is the same");
    let table = file(&shop, &run, "?format=csv").await;
    let table = text(&table);
    assert_eq!(table.lines().count(), 7);
    assert!(
        table.contains("\"Rang & <Söhne> \"\"Ltd\"\"\",,1234567890,ifsc,HDFC0001234"),
        "{table}"
    );
    let path = format!("/v1/payouts/{}/outcome", payouts[0]["id"].as_str().unwrap());
    assert_eq!(shop.app.post(&path, json!({ "outcome": "paid" })).await.says(), (200, "paid"));
    assert_eq!(text(&file(&shop, &run, "").await), message, "also when some are paid");
}

#[tokio::test]
async fn what_was_reserved_later_is_another_file_and_what_is_held_back_in_none() {
    let shop = shop().await;
    shop.kyc("vendors/IN", "pending").await;
    let run = shop.run().await;
    shop.app.post("/v1/vendors/DE/blocks", json!({ "reason": "asked by the bank" })).await;
    let first = text(&file(&shop, &run, "").await).to_owned();
    assert_eq!(first.matches("<CdtTrfTxInf>").count(), 4);
    assert!(!first.contains("DE89") && !first.contains("HDFC"));
    shop.kyc("vendors/IN", "verified").await;
    shop.app.post("/v1/vendors/DE/blocks/lift", json!({})).await;
    shop.run().await;
    let second = text(&file(&shop, &run, "").await).to_owned();
    assert_eq!(second.matches("<CdtTrfTxInf>").count(), 2);
    assert_eq!(judge(&second).trim(), "valid", "{second}");
    let shown = shop.app.get(&format!("/v1/payout_runs/{}", run.id())).await;
    let files = shown.body["files"].as_array().unwrap();
    let oldest = files[1]["id"].as_str().unwrap();
    assert_eq!(text(&file(&shop, &run, &format!("?file={oldest}")).await), first);
    for query in ["?file=pf_0", "?format=xls", "?colour=red"] {
        assert_eq!(file(&shop, &run, query).await.status, 400, "{query}");
    }
    let unknown = "?file=pf_00000000000000000000000000000000";
    assert!([400, 404].contains(&file(&shop, &run, unknown).await.status));
}

#[tokio::test]
async fn a_run_without_anything_for_a_bank_has_no_file() {
    let shop = Shop::open().await;
    let run = shop.run().await;
    let none = file(&shop, &run, "").await;
    assert_eq!(none.problem().0, 422);
    assert!(none.text("detail").contains("is reserved for a bank account"), "{none:#?}");
}
