//! The commands about gateways, as the program that people run.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::gateways::Bazaar;

fn mizan(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mizan")).args(args).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn fixtures(gateway: &str) -> String {
    format!("{}/providers/fixtures/{gateway}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_reference_of_gateways_is_the_one_that_the_code_gives() {
    let page = format!("{}/docs/PROVIDERS.md", env!("CARGO_MANIFEST_DIR"));
    let given = text(&mizan(&["providers", "docs"]));
    assert!(given == fs::read_to_string(page).unwrap(), "run mizan providers docs again");
}

/// What is expected of an envelope, beside what was found.
fn compare(file: &str, found: &Value) -> Option<String> {
    let sample: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let expected = sample.get("expect")?;
    let is_message = sample.get("message").is_some();
    let said = match is_message {
        true => &found["events"][0],
        false if sample.get("response").is_some() => &found["outcome"],
        false => return None,
    };
    let mut wrong = Vec::new();
    let mut same = |what: &str, expected: Option<&Value>, found: &Value| {
        if expected.is_some_and(|expected| expected != found) {
            wrong.push(format!("{what}: {found} instead of {}", expected.unwrap()));
        }
    };
    for what in ["status", "refund_status", "payout_status"] {
        same(what, expected.get(what), if is_message { &said["status"] } else { &said[what] });
    }
    same("amount", expected.get("minor"), &said["amount"]);
    if expected.get("minor").is_some() {
        same("currency", expected.get("currency"), &said["currency"]);
    }
    same("provider_ref", expected.get("provider_ref"), &said["provider_ref"]);
    same("dedupe_id", expected.get("dedupe_key"), &found["dedupe_id"]);
    if !found["verified"].is_null() {
        same("verified", expected.get("signature_valid"), &found["verified"]);
        same("verified", expected.get("accepted"), &found["verified"]);
    }
    if !is_message {
        same("retryable", expected.pointer("/error/retryable"), &said["retryable"]);
    }
    (!wrong.is_empty()).then(|| format!("{file}: {}", wrong.join(", ")))
}

#[test]
fn every_recording_of_every_gateway_comes_out_as_it_says() {
    for (gateway, at_least) in
        [("telr", 30), ("paytabs", 24), ("paypal", 37), ("stripe", 60), ("razorpay", 60)]
    {
        let output = mizan(&["providers", "check", &fixtures(gateway)]);
        assert!(output.status.success(), "{}", text(&output));
        let found = lines(&output);
        assert!(found.len() >= at_least, "{gateway}: {} files", found.len());
        let mut wrong = Vec::new();
        for one in &found {
            assert_eq!(one["provider"], gateway);
            let file = one["file"].as_str().unwrap();
            wrong.extend(compare(file, one));
            let headers = format!("{}.headers.json", file.strip_suffix(".json").unwrap());
            if let Ok(headers) = fs::read(headers) {
                let headers: Value = serde_json::from_slice(&headers).unwrap();
                let valid = headers["expect_signature"] == "valid";
                assert_eq!(one["verified"], valid, "{one}");
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    }
}

#[test]
fn what_is_no_recording_is_named_and_the_others_are_checked_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let stripe = folder.path().join("stripe");
    fs::create_dir(&stripe).unwrap();
    fs::write(stripe.join("broken.json"), "{").unwrap();
    fs::write(folder.path().join("nameless.json"), "{}").unwrap();
    let good = format!("{}/refund.fixture.json", fixtures("stripe"));
    let output = mizan(&["providers", "check", folder.path().to_str().unwrap(), good.as_str()]);
    assert_eq!(output.status.code(), Some(1));
    let found = lines(&output);
    assert_eq!(found.len(), 3);
    assert_eq!(found.iter().filter(|one| one.get("error").is_some()).count(), 2);
    let nowhere = mizan(&["providers", "check", "/nowhere/at/all"]);
    assert_eq!(nowhere.status.code(), Some(1));
}

#[test]
fn every_gateway_sends_deliveries_that_can_be_triggered() {
    for (gateway, secret, kinds) in [
        ("stripe", "whsec_x", ["payment.captured", "refund.succeeded"]),
        ("razorpay", "secret_x", ["payment.captured", "refund.succeeded"]),
        ("telr", "secret_x", ["payment.captured", "refund.succeeded"]),
        ("paytabs", "secret_x", ["payment.captured", "refund.succeeded"]),
        ("paypal", "5GP028458E2496506", ["payment.captured", "refund.succeeded"]),
    ] {
        let output = mizan(&["webhooks", "trigger", gateway, "list", "--secret", secret]);
        let names = text(&output);
        for kind in kinds {
            assert!(names.lines().any(|name| name == kind), "{gateway} sends {names}");
        }
    }
    let unknown = mizan(&["webhooks", "trigger", "stripe", "no.such", "--secret", "whsec_x"]);
    assert_eq!(unknown.status.code(), Some(1));
    let told = String::from_utf8(unknown.stderr).unwrap();
    assert!(told.contains("`mizan webhooks trigger stripe list`"), "{told}");
}

#[tokio::test]
async fn a_triggered_delivery_is_taken_in_once_and_a_forged_one_is_refused() {
    let bazaar = Bazaar::open().await;
    let to = format!("{}/webhooks/razorpay/razorpay", bazaar.app.url);
    let run = |args: &'static [&'static str]| {
        let to = to.clone();
        async move {
            let mut all = vec!["webhooks", "trigger", "razorpay", "payment.captured"];
            all.extend(["--secret", "razorpay_webhook_simulator", "--to", &to]);
            all.extend(args);
            let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_mizan"))
                .args(all)
                .output()
                .await
                .unwrap();
            (output.status.code(), lines(&output))
        }
    };
    let (code, said) = run(&["--times", "2"]).await;
    assert_eq!(code, Some(0), "{said:?}");
    let answers: Vec<&Value> = said.iter().map(|one| &one["answer"]["status"]).collect();
    assert_eq!(answers, ["ignored", "duplicate"], "{said:?}");
    let (code, said) = run(&["--bad-signature"]).await;
    assert_eq!((code, said[0]["status"].as_u64()), (Some(0), Some(401)), "{said:?}");
    let (code, said) = run(&["--out-of-order"]).await;
    assert!(code == Some(0) && said.len() > 1, "{said:?}");
}
