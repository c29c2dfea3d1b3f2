//! Transfers to connected accounts and back, all or a part.

use mizan_money::Money;
use mizan_providers::{
    CreateTransfer, Operation, ReverseTransfer, Subject, SyncTransfer, TransferStatus,
};
use serde_json::{Value, json};

use super::{answered, never_a_success, operation, refused, said, with};
use crate::shop::{money, parse, reference};

const TR: &str = "tr_1Pgc7BB7WZ01zgkWVJfE40RX";

fn our_transfer() -> String {
    format!("tr_{}", "0".repeat(31) + "6")
}

fn aed(minor: i64) -> Money {
    money(minor, "AED")
}

fn new() -> CreateTransfer {
    CreateTransfer {
        transfer: our_transfer().parse().unwrap(),
        operation: operation(),
        amount: aed(20_000),
        destination: "acct_1".to_owned(),
        source: Some(reference("ch_1")),
    }
}

fn sync() -> Operation {
    let transfer = our_transfer().parse().unwrap();
    let provider_ref = reference(TR);
    Operation::SyncTransfer(SyncTransfer { transfer, provider_ref, amount: aed(20_000) })
}

fn back(amount: i64, before: i64) -> Operation {
    Operation::ReverseTransfer(ReverseTransfer {
        transfer: our_transfer().parse().unwrap(),
        operation: operation(),
        provider_ref: reference(TR),
        transferred: aed(20_000),
        amount: aed(amount),
        reversed_before: aed(before),
    })
}

fn transfer(reversed: i64) -> Value {
    json!({
        "id": TR, "object": "transfer", "amount": 20_000, "currency": "aed",
        "amount_reversed": reversed, "destination": "acct_1",
        "metadata": {"mizan_transfer": our_transfer()},
    })
}

fn reversal(amount: i64, transfer: Value) -> Value {
    json!({"id": "trr_1", "object": "transfer_reversal", "amount": amount, "currency": "aed",
        "transfer": transfer})
}

#[test]
fn a_transfer_and_its_reversal_name_what_they_are_of() {
    let (ours, operation) = (our_transfer(), operation());
    let notes = format!("metadata[mizan_operation]={operation}\nmetadata[mizan_transfer]={ours}");
    assert_eq!(
        said(&Operation::Transfer(new())),
        format!(
            "POST /v1/transfers\namount=20000\ncurrency=aed\ndestination=acct_1\n{notes}\n\
             source_transaction=ch_1"
        )
    );
    assert_eq!(said(&sync()), format!("GET /v1/transfers/{TR}"));
    assert_eq!(
        said(&back(5_000, 0)),
        format!("POST /v1/transfers/{TR}/reversals\namount=5000\nexpand[0]=transfer\n{notes}")
    );
    assert_eq!(refused(&back(15_001, 5_000)), "invalid_field");
    let elsewhere = CreateTransfer { destination: "acc_1".to_owned(), ..new() };
    assert_eq!(refused(&Operation::Transfer(elsewhere)), "invalid_field");
}

#[test]
fn what_came_back_tells_the_state() {
    let create = Operation::Transfer(new());
    let other = json!({"mizan_transfer": "tr_1"});
    for (op, body, expected) in [
        (&create, transfer(0), "done created"),
        (&create, transfer(1), "unknown unexpected_status"),
        (&create, with(transfer(0), "amount", json!(1)), "mismatch amount"),
        (&create, with(transfer(0), "currency", json!("usd")), "mismatch currency"),
        (&create, with(transfer(0), "destination", json!("acct_2")), "mismatch destination"),
        (&create, with(transfer(0), "metadata", other), "mismatch reference"),
        (&sync(), transfer(0), "done created"),
        (&sync(), transfer(1), "done partially_reversed"),
        (&sync(), transfer(20_000), "done reversed"),
        (&sync(), transfer(-1), "unknown unreadable"),
        (&sync(), with(transfer(0), "id", json!("tr_2")), "mismatch provider_ref"),
        (&back(5_000, 0), reversal(5_000, transfer(5_000)), "done partially_reversed"),
        (&back(5_000, 15_000), reversal(5_000, transfer(20_000)), "done reversed"),
        (&back(5_000, 0), reversal(5_000, transfer(6_000)), "mismatch reversed"),
        (&back(5_000, 0), reversal(4_000, transfer(5_000)), "mismatch amount"),
        (&back(5_000, 0), reversal(5_000, json!("tr_2")), "mismatch provider_ref"),
    ] {
        assert_eq!(answered(op, &body), expected, "{body}");
    }
    never_a_success(&create, &transfer(0));
    never_a_success(&back(5_000, 0), &reversal(5_000, transfer(5_000)));
}

#[test]
fn a_reversal_without_its_transfer_is_told_as_it_was_asked() {
    let outcome = parse(&back(5_000, 15_000), 200, reversal(5_000, json!(TR)).to_string());
    let Subject::Transfer(facts) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!((facts.status, facts.reversed), (TransferStatus::Reversed, aed(20_000)));
    assert_eq!((facts.amount, &facts.provider_ref), (aed(20_000), &reference(TR)));
}
