//! Route: transfers from a payment or from the balance, and back.

use mizan_money::Money;
use mizan_providers::{
    CreateTransfer, Operation, Provider, Recovery, Replay, ReverseTransfer, Subject, SyncTransfer,
    TransferAnswer,
};
use serde_json::{Value, json};

use super::shop::{
    adapter, answered, built, key, listed, money, never_a_success, operation, parse, reference,
    refused, said, with,
};

const TRF: &str = "trf_JJD535tJtk6Yy0";

fn our_transfer() -> String {
    format!("tr_{}", "0".repeat(31) + "6")
}

fn inr(minor: i64) -> Money {
    money(minor, "INR")
}

fn new(source: Option<&str>) -> Operation {
    Operation::Transfer(CreateTransfer {
        transfer: our_transfer().parse().unwrap(),
        operation: operation(),
        amount: inr(10_000),
        destination: "acc_1".to_owned(),
        source: source.map(reference),
    })
}

fn sync() -> Operation {
    let (transfer, provider_ref) = (our_transfer().parse().unwrap(), reference(TRF));
    Operation::SyncTransfer(SyncTransfer { transfer, provider_ref, amount: inr(10_000) })
}

fn back(amount: i64, before: i64) -> Operation {
    Operation::ReverseTransfer(ReverseTransfer {
        transfer: our_transfer().parse().unwrap(),
        operation: operation(),
        provider_ref: reference(TRF),
        transferred: inr(10_000),
        amount: inr(amount),
        reversed_before: inr(before),
    })
}

fn find(op: Operation) -> Operation {
    Operation::Find(Box::new(op))
}

fn transfer(status: &str) -> Value {
    json!({
        "id": TRF, "entity": "transfer", "status": status, "source": "pay_1",
        "recipient": "acc_1", "amount": 10_000, "currency": "INR", "amount_reversed": 0,
        "fees": 30, "tax": 5, "notes": {"mizan_transfer": our_transfer()},
        "error": {"code": null, "description": null, "reason": null},
    })
}

fn returned(status: &str, amount: i64) -> Value {
    with(transfer(status), "amount_reversed", json!(amount))
}

fn reversal(amount: i64) -> Value {
    json!({"id": "rvrsl_1", "entity": "reversal", "transfer_id": TRF, "amount": amount, "fee": 0,
        "tax": 0, "currency": "INR", "notes": []})
}

#[test]
fn a_transfer_is_of_a_payment_or_of_the_balance_and_only_that_has_a_key() {
    let (ours, operation) = (our_transfer(), operation());
    let notes =
        format!(r#""notes":{{"mizan_operation":"{operation}","mizan_transfer":"{ours}"}}}}"#);
    let body = format!(r#"{{"account":"acc_1","amount":10000,"currency":"INR",{notes}"#);
    let of_payment = new(Some("pay_1"));
    assert_eq!(
        said(&of_payment),
        format!(r#"POST /v1/payments/pay_1/transfers {{"transfers":[{body}]}}"#)
    );
    assert_eq!(built(&of_payment).replay, Replay::Once);
    assert_eq!(said(&new(None)), format!("POST /v1/transfers {body}"));
    let keyed = built(&new(None));
    assert_eq!(keyed.headers.get("X-Transfer-Idempotency"), Some(key().as_str()));
    assert_eq!(keyed.replay, Replay::Keyed);
    assert_eq!(said(&sync()), format!("GET /v1/transfers/{TRF}"));
    assert_eq!(
        said(&back(5_000, 0)),
        format!(r#"POST /v1/transfers/{TRF}/reversals {{"amount":5000,{notes}"#)
    );
    assert_eq!(said(&find(of_payment)), "GET /v1/payments/pay_1/transfers?count=100");
    assert_eq!(said(&find(new(None))), "GET /v1/transfers?count=100");
    assert_eq!(said(&find(back(1, 0))), format!("GET /v1/transfers/{TRF}"));
    let told = adapter().capabilities().recovery.transfer;
    assert_eq!(told, Recovery::Find { after_seconds: 3600 });
}

#[test]
fn what_cannot_be_moved_is_refused() {
    assert_eq!(refused(&new(Some("order_1"))), "invalid_field");
    assert_eq!(refused(&back(5_001, 5_000)), "invalid_field");
    let Operation::Transfer(good) = new(None) else { panic!() };
    let elsewhere = CreateTransfer { destination: "acct_1".to_owned(), ..good.clone() };
    assert_eq!(refused(&Operation::Transfer(elsewhere)), "invalid_field");
    let dirhams = CreateTransfer { amount: money(10_000, "AED"), ..good };
    assert_eq!(refused(&Operation::Transfer(dirhams)), "amount_not_representable");
}

#[test]
fn every_state_of_a_transfer_means_what_it_must() {
    let (direct, of_payment) = (new(None), new(Some("pay_1")));
    let error = json!({"code": "BAD_REQUEST_TRANSFER_INSUFFICIENT_BALANCE"});
    let broken = with(transfer("processed"), "error", error);
    let failed = "declined BAD_REQUEST_TRANSFER_INSUFFICIENT_BALANCE";
    let to_other = with(transfer("processed"), "recipient", json!("acc_2"));
    let second = with(transfer("processed"), "id", json!("trf_2"));
    for (op, body, expected) in [
        (&direct, transfer("processed"), "done created"),
        (&direct, transfer("pending"), "pending created"),
        (&direct, transfer("created"), "pending created"),
        (&direct, transfer("failed"), "declined transfer_failed"),
        (&direct, broken.clone(), failed),
        (&direct, transfer("new_word"), "unknown unknown_status"),
        (&direct, returned("processed", 1), "unknown unexpected_status"),
        (&direct, to_other.clone(), "mismatch destination"),
        (&of_payment, listed(&[transfer("processed")]), "done created"),
        (&of_payment, listed(&[to_other, transfer("pending")]), "pending created"),
        (&of_payment, listed(&[transfer("processed"), second]), "unknown unreadable"),
        (&of_payment, listed(&[]), "unknown unreadable"),
        (&of_payment, transfer("processed"), "unknown unreadable"),
        (&sync(), transfer("processed"), "done created"),
        (&sync(), transfer("pending"), "pending created"),
        (&sync(), returned("partially_reversed", 1), "done partially_reversed"),
        (&sync(), returned("reversed", 10_000), "done reversed"),
        (&sync(), transfer("reversed"), "unknown unreadable"),
        (&sync(), broken, "done failed"),
        (&sync(), with(transfer("processed"), "amount", json!(1)), "mismatch amount"),
        (&sync(), with(transfer("processed"), "id", json!("trf_2")), "mismatch provider_ref"),
        (&back(5_000, 0), reversal(5_000), "done partially_reversed"),
        (&back(5_000, 5_000), reversal(5_000), "done reversed"),
        (&back(5_000, 0), reversal(1), "mismatch amount"),
        (
            &back(5_000, 0),
            with(reversal(5_000), "transfer_id", json!("trf_2")),
            "mismatch provider_ref",
        ),
    ] {
        assert_eq!(answered(op, &body), expected, "{body}");
    }
    for op in [direct, of_payment, sync(), back(1, 0), find(new(None)), find(back(1, 0))] {
        never_a_success(&op, &transfer("processed"));
    }
}

fn facts(body: &Value) -> TransferAnswer {
    let outcome = parse(&sync(), 200, body.to_string());
    let Subject::Transfer(facts) = &outcome.answer().unwrap().subject else { panic!() };
    facts.as_ref().clone()
}

#[test]
fn a_transfer_costs_its_fee_on_top() {
    let fee = facts(&transfer("processed")).fee.unwrap();
    let said = [fee.gross, fee.fee, fee.tax, fee.net].map(Money::minor);
    assert_eq!(said, [-10_000, 25, 5, -10_030]);
    assert_eq!(facts(&transfer("failed")).fee, None);
    assert_eq!(facts(&transfer("processed")).reference, our_transfer().parse().ok());
}

#[test]
fn a_lost_transfer_is_found_by_our_note_and_a_reversal_by_what_came_back() {
    let other = with(transfer("processed"), "notes", json!([]));
    let full = vec![other.clone(); 100];
    for (op, body, expected) in [
        (new(None), listed(&[]), "unknown not_found"),
        (new(None), listed(std::slice::from_ref(&other)), "unknown not_found"),
        (new(None), listed(&full), "unknown unreadable"),
        (new(Some("pay_1")), listed(&[other, transfer("pending")]), "pending created"),
        (back(5_000, 0), transfer("processed"), "unknown not_found"),
        (back(5_000, 0), returned("partially_reversed", 5_000), "done partially_reversed"),
        (back(5_000, 0), returned("partially_reversed", 1), "mismatch reversed"),
        (back(5_000, 5_000), returned("reversed", 10_000), "done reversed"),
    ] {
        assert_eq!(answered(&find(op), &body), expected, "{body}");
    }
}
