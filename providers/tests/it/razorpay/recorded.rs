//! Every recorded entity: what it is recognised as, and what it then says.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use mizan_providers::{Headers, HttpAnswer, Outcome, Provider, Recorded, RecordedRequest, Subject};

use super::fixtures::bytes;
use super::shop::{brief, money, razorpay};

/// File, and what it says: operation, outcome, amount, what a checker sees as its reference.
pub const RECORDED: &[(&str, &str)] = &[
    ("customer.create.response.json", "create_customer done customer cust_1Aa00000000004"),
    ("dispute.entity.json", "sync_dispute done needs_response 100.00 INR disp_AHfqOvkldwsbqt"),
    ("error.400.payout_idempotency_missing.json", "create rejected invalid_request"),
    ("error.400.settlement_recon_month.json", "create rejected invalid_request"),
    ("error.401.api_key.json", "create rejected credentials"),
    ("error.404.url.json", "create rejected not_found"),
    ("error.409.refund_idempotency_mismatch.json", "create rejected idempotency_key_reused"),
    ("error.429.too_many_requests.json", "create rejected rate_limited"),
    ("error.500.server.json", "create unknown server_error"),
    ("error.502.gateway.json", "create unknown server_error"),
    ("order.aed.json", "sync done requires_action 250.00 AED order_SHAED000000001"),
    ("order.bhd_three_decimal.json", "sync done requires_action 12.340 BHD order_SHBHD000000001"),
    ("order.create.error.json", "create rejected invalid_request"),
    ("order.create.response.json", "sync done requires_action 50.00 INR order_RB58MiP5SPFYyM"),
    ("order.entity.json", "sync done requires_action 500.00 INR order_DaZlswtdcn9UNV"),
    ("order.usd.json", "sync done requires_action 20.00 USD order_00000000000001"),
    ("payment.capture.error.json", "create rejected invalid_request"),
    ("payment.capture.response.json", "sync done captured 10.00 INR pay_G3P9vcIhRs3NV4"),
    ("payment.captured.card.json", "sync done captured 99.00 INR pay_L0nSsccovt6zyp"),
    ("payment.failed.card.json", "sync done failed 100.00 INR pay_Kb8P4crStfXJea"),
    (
        "payout.entity.queued.low_balance.json",
        "sync_payout done pending 10000.00 INR pout_00000000000001",
    ),
    (
        "payout.queued.idempotent.response.json",
        "sync_payout done pending 10000.00 INR pout_00000000000001",
    ),
    ("refund.entity.json", "sync_refund done succeeded 100.00 INR rfnd_FgRAHdNOM4ZVbO"),
    (
        "refund.instant_idempotent.response.json",
        "sync_refund done succeeded 5001.00 INR rfnd_FP8R8EGjGbPkVb",
    ),
    ("refund.normal.response.json", "sync_refund done succeeded 5001.00 INR rfnd_FP8QHiV938haTz"),
    (
        "refund.with_reverse_all.response.json",
        "sync_refund done succeeded 1.00 INR rfnd_JJFNlNXPHY640A",
    ),
    ("sdk.fake_refund.json", "sync_refund done succeeded 3001.00 INR rfnd_FP8DDKxqJif6ca"),
    ("sdk.fake_transfer.json", "sync_transfer done created 1.00 INR trf_8jIlBetfktf1dG"),
    ("settlement_recon.combined.json", "list_settlement done 4 lines"),
    ("token.collection.card.json", "sync_instrument done active token_HouA2OQR5Z2jTL"),
    (
        "transfer.collection.failed.json",
        "transfer declined BAD_REQUEST_TRANSFER_INSUFFICIENT_BALANCE trf_ECB6hP5cyN30pU",
    ),
    (
        "transfer.direct.idempotent.response.json",
        "sync_transfer done created 1.00 INR trf_JqpKevElHShZkw",
    ),
    (
        "transfer.from_payment.collection.json",
        "transfer pending created 1.00 INR trf_JJD535tJtk6Yy0",
    ),
    (
        "transfer.reversal.response.json",
        "reverse_transfer done reversed 1.00 INR trf_EAznuJ9cDLnF7Y",
    ),
];

/// Entities that answer nothing the adapter asks: who is paid is registered by the shop, and
/// settlements are read by their lines.
pub const NOT_ASKED_FOR: &[&str] = &[
    "contact.entity.json",
    "fund_account.bank.json",
    "linked_account.create.response.json",
    "sdk.fake_settlement.json",
    "sdk.settlement.with_fees.json",
    "settlement.collection.json",
    "settlement.entity.json",
];

fn recorded(name: &str) -> Recorded {
    // The status of a refusal is in the name of its file, or is 400.
    let status = match name.strip_prefix("error.").and_then(|rest| rest.get(..3)) {
        Some(status) => status.parse().unwrap(),
        None if name.ends_with(".error.json") => 400,
        None => 200,
    };
    let answer = HttpAnswer::new(status, Headers::new(), bytes(name));
    Recorded { kind: String::new(), request: None, answer, wanted: None }
}

fn said(exchange: &Recorded) -> String {
    let Some(op) = razorpay().recognise(exchange) else { return "not an answer".to_owned() };
    let outcome = razorpay().parse(&op, &exchange.answer);
    let amount = outcome.answer().and_then(|answer| match &answer.subject {
        Subject::Payment(it) => Some(it.amount),
        Subject::Refund(it) => Some(it.amount),
        Subject::Payout(it) => Some(it.amount),
        Subject::Transfer(it) => Some(it.amount),
        Subject::Dispute(it) => Some(it.amount),
        _ => None,
    });
    let reference = match &outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => answer.provider_ref().cloned(),
        Outcome::Declined(decline) => decline.provider_ref.clone(),
        _ => None,
    };
    let parts = [
        Some(op.kind().to_string()),
        Some(brief(&outcome)),
        amount.map(|money| money.to_string()),
        reference.map(|id| id.to_string()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_entity_is_recognised_and_says_what_it_should() {
    let aside = NOT_ASKED_FOR.iter().map(|name| (*name, "not an answer"));
    let expected: BTreeMap<String, String> = RECORDED
        .iter()
        .copied()
        .chain(aside)
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let others = ["README.md", "currency_exponents.json", "checkout_signature.vectors.json"];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/razorpay");
    let told: BTreeMap<String, String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("webhook.") && !others.contains(&name.as_str()))
        .map(|name| (name.clone(), said(&recorded(&name))))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn what_the_recording_wanted_wins_over_the_answers_own_word() {
    let mut exchange = recorded("order.entity.json");
    let parsed = |exchange: &Recorded| {
        brief(&razorpay().parse(&razorpay().recognise(exchange).unwrap(), &exchange.answer))
    };
    assert_eq!(parsed(&exchange), "done requires_action");
    exchange.request = Some(RecordedRequest {
        path: "/v1/orders".to_owned(),
        headers: Headers::new(),
        body: r#"{"amount":49999,"currency":"INR"}"#.to_owned(),
    });
    assert_eq!(parsed(&exchange), "mismatch amount");
    exchange.wanted = Some(money(50_000, "INR"));
    assert_eq!(parsed(&exchange), "done requires_action");
    exchange.wanted = Some(money(50_000, "AED"));
    assert_eq!(parsed(&exchange), "mismatch currency");
}

proptest::proptest! {
    #[test]
    fn whatever_was_asked_no_bytes_make_a_success_and_no_spoiled_field_a_panic(
        bytes: Vec<u8>,
        status in 100_u16..600,
        which in 0_usize..1_000,
        field in 0_usize..1_000,
        value in proptest::sample::select(vec![
            "null", "-1", "0", "9223372036854775807", "1.5", "\"\"", "\"x\"", "[]", "{}", "true",
        ]),
    ) {
        let (name, _) = RECORDED[which % RECORDED.len()];
        let exchange = recorded(name);
        let op = razorpay().recognise(&exchange).unwrap();
        let any = HttpAnswer::new(status, Headers::new(), bytes);
        proptest::prop_assert!(razorpay().parse(&op, &any).answer().is_none());

        let mut body: serde_json::Value = serde_json::from_slice(&exchange.answer.body).unwrap();
        let fields: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        body[&fields[field % fields.len()]] = serde_json::from_str(value).unwrap();
        let spoiled = HttpAnswer::new(status, Headers::new(), body.to_string());
        let outcome = razorpay().parse(&op, &spoiled);
        proptest::prop_assert!((200..300).contains(&status) || outcome.answer().is_none());
    }

    #[test]
    fn any_bytes_are_recognised_or_not_without_a_panic(body: Vec<u8>, text in "\\PC{0,60}") {
        for body in [body, format!("{{\"entity\":\"{text}\",\"items\":[{{}}]}}").into_bytes()] {
            let answer = HttpAnswer::new(200, Headers::new(), body);
            let exchange = Recorded { kind: text.clone(), request: None, answer, wanted: None };
            let _ = razorpay().recognise(&exchange);
        }
    }
}
