//! Walks every sample of PayPal and holds it to the outcome that stands beside it.
//!
//! What an expectation says in words of its own is told here: the class of an error, the fee of a
//! row (negative there, positive with us), `open` for an inquiry that only is a warning. Three
//! samples belong to no operation of ours: a token, a balance, and the check of a signature that
//! is asked of PayPal, which is done here without asking.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use mizan_money::{Currency, Money};
use mizan_providers::paypal::Paypal;
use mizan_providers::{
    EventSubject, Headers, HttpAnswer, NextAction, Operation, Outcome, PaymentAnswer, Provider,
    ProviderFee, ProviderRef, Recorded, RecordedRequest, RefundAnswer, Subject, WebhookKeys,
};
use secrecy::SecretString;
use serde_json::Value;

use super::shop::{at, paypal, status_of};

fn samples() -> BTreeMap<String, Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/paypal");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    json.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
    })
    .collect()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn headers(of: &Value) -> Headers {
    let pairs = of["headers"].as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap())).collect()
}

fn recorded(sample: &Value) -> Recorded {
    let body = |of: &Value| match (&of["raw_body"], &of["body"]) {
        (Value::String(raw), _) => raw.clone(),
        (_, Value::Null) => String::new(),
        (_, json) => json.to_string(),
    };
    let (asked, told) = (&sample["request"], &sample["response"]);
    let request = asked.is_object().then(|| RecordedRequest {
        path: asked["path"].as_str().unwrap().to_owned(),
        headers: headers(asked),
        body: body(asked),
    });
    let status = u16::try_from(told["status"].as_u64().unwrap()).unwrap();
    Recorded {
        kind: sample["_meta"]["kind"].as_str().unwrap().to_owned(),
        request,
        answer: HttpAnswer::new(status, headers(told), body(told)),
        wanted: None,
    }
}

/// What a thing tells, in the words of the expectations.
#[derive(Debug, Default)]
struct Said {
    status: &'static str,
    amount: Option<Money>,
    fee: Option<ProviderFee>,
    refunded: Option<Money>,
    refs: Vec<ProviderRef>,
    url: Option<String>,
}

fn of_payment(it: &PaymentAnswer) -> Said {
    let url = match &it.next_action {
        Some(NextAction::Redirect { url }) => Some(url.clone()),
        _ => None,
    };
    let taken = if it.captured.is_zero() { it.amount } else { it.captured };
    Said {
        status: it.status.as_str(),
        amount: Some(taken),
        fee: it.fee.clone(),
        refunded: it.refunded,
        refs: it.charge_ref.iter().chain([&it.provider_ref]).cloned().collect(),
        url,
    }
}

fn of_refund(it: &RefundAnswer) -> Said {
    Said {
        status: it.status.as_str(),
        amount: Some(it.amount),
        fee: it.fee.clone(),
        refs: it.charge_ref.iter().chain([&it.provider_ref]).cloned().collect(),
        ..Said::default()
    }
}

fn of_subject(it: &Subject) -> Said {
    match it {
        Subject::Payment(it) => of_payment(it),
        Subject::Refund(it) => of_refund(it),
        Subject::Payout(it) => Said {
            amount: Some(it.amount),
            fee: it.fee.clone(),
            refs: vec![it.provider_ref.clone()],
            ..Said { status: it.status.as_str(), ..Said::default() }
        },
        other => Said { status: status_of(other), ..Said::default() },
    }
}

fn of_event(it: &EventSubject) -> Said {
    match it {
        EventSubject::Payment(it) => of_payment(it),
        EventSubject::Refund(it) => of_refund(it),
        EventSubject::Payout(it) => of_subject(&Subject::Payout(it.clone())),
        EventSubject::Dispute(it) => Said {
            status: it.status.as_str(),
            amount: Some(it.amount),
            refs: it.charge_ref.iter().chain([&it.provider_ref]).cloned().collect(),
            ..Said::default()
        },
        other => panic!("{other:?}"),
    }
}

/// Compares everything an expectation says that a thing can tell.
fn hold(name: &str, expect: &Value, said: &Said) {
    let word = ["status", "refund_status", "payout_status", "dispute_status"]
        .iter()
        .find_map(|field| text(&expect[field]));
    // An inquiry that is only open: a warning in our words.
    let word = if word == Some("open") { Some("warning") } else { word };
    assert_eq!(Some(said.status), word, "{name}");
    let currency = text(&expect["currency"]).map(|code| Currency::parse(code).unwrap());
    let money =
        |field: &str| expect[field].as_i64().map(|minor| Money::new(minor, currency.unwrap()));
    for field in ["minor", "captured_minor"] {
        assert!(money(field).is_none() || money(field) == said.amount, "{name} {field} {said:?}");
    }
    if money("refunded_minor").is_some() {
        assert_eq!(said.refunded, money("refunded_minor"), "{name}");
    }
    let fee = |part: fn(&ProviderFee) -> Money| said.fee.as_ref().map(part);
    if let Some(expected) = money("fee_minor") {
        assert_eq!(fee(|row| row.fee), Some(expected), "{name}");
    }
    // Of an order the fee is the capture's; a refund's own fee is given back, so negative.
    if let Some(back) = money("fee_returned_minor").filter(|_| money("refunded_minor").is_none()) {
        assert_eq!(fee(|row| row.fee), Some(back.checked_neg().unwrap()), "{name}");
    }
    if let Some(net) = money("net_minor") {
        assert_eq!(fee(|row| row.net), Some(net), "{name}");
    }
    let refs = ["provider_ref", "order_ref", "capture_ref", "authorisation_ref", "dispute_ref"];
    let others = ["payout_item_ref"];
    for field in refs.iter().chain(&others) {
        if let Some(expected) = text(&expect[field]) {
            assert!(said.refs.iter().any(|it| it.as_str() == expected), "{name} {field} {said:?}");
        }
    }
    if let (Some(expected), true) = (text(&expect["refund_ref"]), money("refunded_minor").is_none())
    {
        assert!(said.refs.iter().any(|it| it.as_str() == expected), "{name} {said:?}");
    }
    if let Some(expected) = text(&expect["redirect_url"]) {
        assert_eq!(said.url.as_deref(), Some(expected), "{name}");
    }
}

/// Samples that belong to no operation of ours.
const NO_OPERATION: [&str; 3] = ["oauth-token", "reporting.balances", "verify-webhook-signature"];

/// Samples of refusals: the class of ours that theirs is.
const REFUSALS: [(&str, &str, bool); 6] = [
    // The customer can choose again: that is what a soft decline says. Where to, the order tells
    // when it is asked; a refusal is never read as a state.
    ("error.instrument-declined", "declined INSTRUMENT_DECLINED", false),
    ("error.rate-limited", "rejected rate_limited", true),
    ("error.refund-amount-exceeded", "rejected invalid_request", false),
    ("error.request-in-progress", "unknown busy", true),
    ("error.unprocessable", "unknown error_inside", false),
    ("oauth-token.error", "rejected credentials", false),
];

#[test]
fn every_answer_says_what_stands_beside_it() {
    let mut walked = 0;
    for (name, sample) in samples() {
        if sample["response"].is_null() || REFUSALS.iter().any(|(refused, ..)| *refused == name) {
            continue;
        }
        let exchange = recorded(&sample);
        let Some(op) = paypal().recognise(&exchange) else {
            assert!(NO_OPERATION.contains(&name.as_str()), "{name}");
            continue;
        };
        let outcome = paypal().parse(&op, &exchange.answer);
        let answer = outcome.answer().unwrap_or_else(|| panic!("{name}: {outcome:?}"));
        let expect = &sample["expect"];
        match &answer.subject {
            Subject::Disputes(page) => {
                for (it, expect) in page.disputes.iter().zip(expect["disputes"].as_array().unwrap())
                {
                    assert_eq!(Some(it.provider_ref.as_str()), text(&expect["ref"]));
                    assert_eq!(Some(it.status.as_str()), text(&expect["dispute_status"]));
                    assert_eq!(Some(it.amount.minor()), expect["minor"].as_i64());
                }
            }
            Subject::Settlement(page) => {
                let complete = text(&expect["data_complete_until"]).map(at);
                assert_eq!((page.complete_until, &page.next), (complete, &None));
                for (it, expect) in page.lines.iter().zip(expect["rows"].as_array().unwrap()) {
                    assert_eq!(
                        it.source_ref.as_ref().map(ProviderRef::as_str),
                        text(&expect["transaction_ref"])
                    );
                    assert_eq!(Some(it.gross.minor()), expect["gross_minor"].as_i64());
                    assert_eq!(Some(-it.fee.minor()), expect["fee_minor"].as_i64());
                    assert_eq!(Some(it.net.minor()), expect["net_minor"].as_i64());
                    assert_eq!(it.occurred_at, text(&expect["occurred_at"]).map(at));
                    assert_eq!(Some(it.word.as_str()), text(&expect["event_code"]));
                }
            }
            subject => hold(&name, expect, &of_subject(subject)),
        }
        if let Subject::Payout(it) = &answer.subject {
            let batch = text(&expect["batch_ref"]).map(|batch| format!("batch:{batch}"));
            assert!(batch.is_none_or(|batch| batch == it.provider_ref.as_str()), "{name}");
            assert!(it.reason.as_deref() == text(&expect["reason"]), "{name}");
        }
        walked += 1;
    }
    assert_eq!(walked, 15);
}

#[test]
fn an_approved_order_waits_for_our_confirm() {
    let all = samples();
    for name in ["get-order.approved", "webhook.order-approved"] {
        let sample = &all[name];
        let next = match &sample["message"]["raw_body"] {
            Value::String(body) => {
                let event = paypal().events(body.as_bytes()).unwrap().remove(0);
                let EventSubject::Payment(it) = event.subject else { panic!("{name}") };
                it.next_action
            }
            _ => {
                let exchange = recorded(sample);
                let op = paypal().recognise(&exchange).unwrap();
                let outcome = paypal().parse(&op, &exchange.answer);
                outcome.answer().unwrap().payment().unwrap().next_action.clone()
            }
        };
        assert_eq!(next, Some(NextAction::Confirm), "{name}");
    }
}

#[test]
fn every_refusal_has_its_class() {
    let all = samples();
    for (name, expected, retryable) in REFUSALS {
        let sample = &all[name];
        let exchange = recorded(sample);
        let op = paypal().recognise(&exchange).unwrap();
        let outcome = paypal().parse(&op, &exchange.answer);
        assert_eq!(super::shop::brief(&outcome), expected, "{name}");
        let code = match &outcome {
            Outcome::Declined(it) => it.code.clone(),
            Outcome::Rejected(it) => it.code.clone(),
            Outcome::Unknown(it) => it.why.to_string(),
            other => panic!("{other:?}"),
        };
        let wanted = text(&sample["expect"]["error"]["provider_code"]).unwrap_or_default();
        assert!(code.contains(wanted), "{name}: {code}");
        let said = match &outcome {
            Outcome::Rejected(it) => it.reason.is_retryable(),
            Outcome::Unknown(it) => it.why.code() == "busy",
            _ => false,
        };
        assert_eq!(
            (Some(said), said),
            (sample["expect"]["error"]["retryable"].as_bool(), retryable)
        );
        // The same body with a status of success is no success.
        let inside = HttpAnswer { status: 200, ..exchange.answer };
        assert!(matches!(paypal().parse(&op, &inside), Outcome::Unknown(_)), "{name}");
    }
}

#[test]
fn the_amount_that_was_wanted_wins_over_the_one_that_came() {
    let all = samples();
    for name in
        ["capture-order.completed", "get-order.approved", "get-refund", "payouts-item.success"]
    {
        let mut exchange = recorded(&all[name]);
        exchange.wanted = Some(super::shop::money(9_999, "USD"));
        let op = paypal().recognise(&exchange).unwrap();
        let outcome = paypal().parse(&op, &exchange.answer);
        assert!(matches!(outcome, Outcome::Mismatch(_)), "{name}: {outcome:?}");
    }
}

#[test]
fn a_recording_belongs_to_the_operation_that_made_it() {
    let all = samples();
    let kind = |name: &str| paypal().recognise(&recorded(&all[name])).unwrap().kind().as_str();
    for (name, expected) in [
        ("authorization.capture", "capture"),
        ("authorization.void", "void"),
        ("authorize-order.completed", "confirm"),
        ("capture-order.completed", "confirm"),
        ("capture.refund", "refund"),
        ("create-order.created", "create"),
        ("disputes.list", "list_disputes"),
        ("get-order.approved", "sync"),
        ("get-refund", "sync_refund"),
        ("payouts-item.returned", "sync_payout"),
        ("payouts.create", "payout"),
        ("reporting.transactions", "list_settlement"),
        ("error.refund-amount-exceeded", "refund"),
        ("error.instrument-declined", "confirm"),
    ] {
        assert_eq!(kind(name), expected, "{name}");
    }
    let Operation::Capture(it) =
        paypal().recognise(&recorded(&all["authorization.capture"])).unwrap()
    else {
        panic!()
    };
    assert_eq!(it.charge_ref.as_ref().map(ProviderRef::as_str), Some("0VF52814937998046"));
}

#[test]
fn every_message_says_what_stands_beside_it() {
    let mut walked = 0;
    for (name, sample) in samples() {
        if !name.starts_with("webhook.") && name != "offline.own-key" {
            continue;
        }
        let body = sample["message"]["raw_body"].as_str().unwrap();
        let event = paypal().events(body.as_bytes()).unwrap().remove(0);
        let (expect, said) = (&sample["expect"], of_event(&event.subject));
        hold(&name, expect, &said);
        if let Some(time) = text(&expect["occurred_at"]) {
            assert_eq!(event.occurred_at, Some(at(time)), "{name}");
        }
        walked += 1;
    }
    assert_eq!(walked, 10);
}

/// Verifies a sample with what its `config` says, at the given time.
fn believed(sample: &Value, now: &str) -> Result<String, String> {
    let (config, message) = (&sample["config"], &sample["message"]);
    let pem = |field: &str| config[field].as_str().map(ToOwned::to_owned);
    let certificates: Vec<String> =
        ["leaf_pem", "intermediate_pem"].into_iter().filter_map(pem).collect();
    let adapter = Paypal::webhook_reader().trusting(&[pem("trust_root_pem").unwrap()]).unwrap();
    let secrets = [SecretString::from(config["webhook_id"].as_str().unwrap())];
    let keys = WebhookKeys { secrets: &secrets, certificates: &certificates };
    let body = message["raw_body"].as_str().unwrap().as_bytes();
    let headers = headers(message);
    let fetched = adapter.certificate_url(&headers).map_err(|error| error.to_string())?;
    assert!(fetched.unwrap().starts_with("https://api.sandbox.paypal.com/v1/notifications/"));
    let verified = adapter.verify_webhook(body, &headers, keys, at(now));
    verified.map(|delivery| delivery.dedupe_id).map_err(|error| error.to_string())
}

#[test]
fn the_signed_messages_are_believed_or_refused_as_they_deserve() {
    let all = samples();
    let verdict = |name: &str| {
        let sample = &all[name];
        believed(sample, sample["config"]["verify_at"].as_str().unwrap())
    };
    let own = verdict("offline.own-key").unwrap();
    assert_eq!(own, "paypal:WH-3UT90572MR669760L-7LL94124G5389840D");
    let changed = verdict("offline.own-key-body-reformatted").unwrap_err();
    assert_eq!(changed, "no signature fits a configured secret");
    let foreign = verdict("offline.own-key-foreign-cert-host").unwrap_err();
    assert!(foreign.contains("no address of PayPal's certificates"), "{foreign}");
    // A genuine delivery of 2017, by a certificate that ran out two years later.
    let real = verdict("offline.real-2017-sandbox").unwrap();
    assert_eq!(real, "paypal:WH-2MW4820926242972J-6SG447389E205703U");
    let late = believed(&all["offline.real-2017-sandbox"], "2026-01-01T00:00:00Z").unwrap_err();
    assert!(late.contains("expired"), "{late}");
    let body = all["offline.real-2017-sandbox"]["message"]["raw_body"].as_str().unwrap();
    let event = paypal().events(body.as_bytes()).unwrap().remove(0);
    assert!(matches!(event.subject, EventSubject::Other(_)));
}

#[test]
fn a_delivery_is_named_as_the_samples_name_it() {
    let all = samples();
    let sample = &all["webhook.capture-completed"];
    let id =
        serde_json::from_str::<Value>(sample["message"]["raw_body"].as_str().unwrap()).unwrap();
    let named = format!("paypal:{}", id["id"].as_str().unwrap());
    assert_eq!(Some(named.as_str()), text(&sample["expect"]["dedupe_key"]));
}

#[test]
fn no_sample_is_without_an_expected_outcome() {
    let walked = |name: &str, sample: &Value| {
        name.starts_with("webhook.")
            || name.starts_with("offline.")
            || !sample["response"].is_null()
    };
    let all = samples();
    assert_eq!(all.len(), 37);
    for (name, sample) in all {
        assert!(walked(&name, &sample) && sample["expect"].is_object(), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn any_recording_is_recognised_or_passed_over_without_a_panic(
        kind in "[a-z_]{0,12}",
        path in "(/v[123]/(checkout/orders|payments/payouts|vault))?[/\\PC]{0,40}",
        body in "\\PC{0,120}",
        which in 0_usize..37,
    ) {
        let request = RecordedRequest { path, headers: Headers::new(), body: body.clone() };
        let answer = HttpAnswer::new(200, Headers::new(), body);
        let made_up = Recorded { kind, request: Some(request), answer, wanted: None };
        let sample = samples().into_values().nth(which).unwrap();
        let other = sample["response"].is_object().then(|| Recorded {
            request: made_up.request.clone(),
            ..recorded(&sample)
        });
        for exchange in [Some(made_up), other].into_iter().flatten() {
            if let Some(op) = paypal().recognise(&exchange) {
                let _ = paypal().parse(&op, &exchange.answer);
            }
        }
    }
}
