//! Settlement lines: pages of the balance, and the report as a file; both tell the same.

use std::fs;
use std::path::PathBuf;

use chrono::DateTime;
use mizan_money::Money;
use mizan_providers::{
    ListSettlement, Operation, Provider, SettlementLine, SettlementPage, Subject,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answered, never_a_success, refused, said, with};
use crate::shop::{parse, reference, stripe};

fn bytes(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/stripe");
    fs::read(folder.join(name)).unwrap()
}

fn value(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

fn list(settlement: Option<&str>, page: Option<&str>) -> Operation {
    Operation::ListSettlement(ListSettlement {
        from: DateTime::from_timestamp(1_780_000_000, 0).unwrap(),
        to: DateTime::from_timestamp(1_780_086_400, 0).unwrap(),
        settlement: settlement.map(reference),
        page: page.map(str::to_owned),
    })
}

fn read(op: &Operation, body: impl Into<Vec<u8>>) -> SettlementPage {
    let outcome = parse(op, 200, body);
    let Some(answer) = outcome.answer() else { panic!("{outcome:?}") };
    let Subject::Settlement(page) = &answer.subject else { panic!("{answer:?}") };
    page.as_ref().clone()
}

fn told(line: &SettlementLine) -> String {
    let parts = [line.gross, line.fee, line.tax, line.net].map(Money::minor);
    let source = line.source_ref.as_ref().map_or("-", |id| id.as_str());
    format!("{} {} {source} {parts:?}", line.line_ref, line.kind)
}

const OF_THE_PAYOUT: [&str; 6] = [
    "txn_s06 payout po_s06 [-3728, 0, 0, -3728]",
    "txn_s01 charge ch_s01 [25000, 755, 0, 24245]",
    "txn_s02 charge ch_s02 [9900, 317, 0, 9583]",
    "txn_s03 refund re_s03 [-9900, 0, 0, -9900]",
    "txn_s04 transfer tr_s04 [-20000, 0, 0, -20000]",
    "txn_s05 fee - [-200, 0, 0, -200]",
];

#[test]
fn lines_are_asked_for_by_time_or_by_payout() {
    assert_eq!(
        said(&list(None, None)),
        "GET /v1/balance_transactions\ncreated[gte]=1780000000\ncreated[lt]=1780086400\n\
         expand[0]=data.source\nlimit=100"
    );
    assert_eq!(
        said(&list(Some("po_s06"), Some("txn_s02"))),
        "GET /v1/balance_transactions\nexpand[0]=data.source\nlimit=100\npayout=po_s06\n\
         starting_after=txn_s02"
    );
    let Operation::ListSettlement(it) = list(None, None) else { panic!() };
    let empty = ListSettlement { to: it.from, ..it };
    assert_eq!(refused(&Operation::ListSettlement(empty)), "invalid_field");
}

#[test]
fn the_lines_of_a_payout_add_up_to_it() {
    let page = read(&list(Some("po_s06"), None), bytes("balance_transactions.list_by_payout.json"));
    assert_eq!(page.lines.iter().map(told).collect::<Vec<_>>(), OF_THE_PAYOUT);
    assert_eq!(page.next, None);
    assert_eq!(page.lines.iter().map(|line| line.net.minor()).sum::<i64>(), 0);
    assert!(page.lines.iter().all(|line| line.settlement_ref == Some(reference("po_s06"))));
    let charge = &page.lines[1];
    assert_eq!(charge.occurred_at.map(|at| at.timestamp()), Some(1_780_000_000));
    assert_eq!(charge.available_at.map(|at| at.timestamp()), Some(1_780_172_800));
    // By time alone, only the payout's own row says which payout it is of.
    let page = read(&list(None, None), bytes("balance_transactions.list_by_payout.json"));
    let of: Vec<bool> = page.lines.iter().map(|line| line.settlement_ref.is_some()).collect();
    assert_eq!(of, [true, false, false, false, false, false]);
}

#[test]
fn pages_follow_each_other_by_the_last_id() {
    let first = read(&list(None, None), bytes("list.page1.json"));
    assert_eq!((first.lines.len(), first.next.as_deref()), (2, Some("txn_s02")));
    assert!(said(&list(None, first.next.as_deref())).contains("starting_after=txn_s02"));
    let second = read(&list(None, Some("txn_s02")), bytes("list.page2.json"));
    assert_eq!((second.lines.len(), second.next), (1, None));
    let endless = json!({"object": "list", "has_more": true, "data": []});
    assert_eq!(answered(&list(None, None), &endless), "unknown unreadable");
    never_a_success(&list(None, None), &value("list.page1.json"));
}

#[test]
fn the_report_tells_the_same_lines_as_the_api() {
    let lines = stripe().settlement_file(&bytes("payout_reconciliation.itemized.csv")).unwrap();
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), OF_THE_PAYOUT[1..]);
    let charge = &lines[0];
    assert_eq!(charge.settlement_ref, Some(reference("po_s06")));
    assert_eq!(charge.occurred_at.map(|at| at.timestamp()), Some(1_780_000_000));
    assert_eq!(charge.available_at.map(|at| at.timestamp()), Some(1_780_172_800));
    assert_eq!(charge.reference, None);
    assert_eq!(lines.iter().map(|line| line.net.minor()).sum::<i64>(), 3_728);
}

fn one(row: Value) -> Value {
    json!({"object": "list", "url": "/v1/balance_transactions", "has_more": false, "data": [row]})
}

#[test]
fn an_expanded_source_tells_the_payment_and_what_the_customer_paid() {
    let mut row = value("balance_transaction.charge_with_fee.json");
    let ours = format!("pi_{}", "0".repeat(31) + "1");
    row["source"] = json!({"id": "ch_1", "object": "charge", "payment_intent": "pi_x",
        "amount": 7_345, "currency": "aed", "metadata": {"mizan_payment_intent": ours}});
    row["fee_details"] =
        json!([{"type": "stripe_fee", "amount": 80}, {"type": "tax", "amount": 8}]);
    let page = read(&list(None, None), one(row).to_string());
    let line = &page.lines[0];
    assert_eq!(line.source_ref, Some(reference("ch_1")));
    assert_eq!(line.payment_ref, Some(reference("pi_x")));
    assert_eq!(line.reference, ours.parse().ok());
    assert_eq!((line.fee.minor(), line.tax.minor()), (80, 8));
    assert_eq!(line.original.map(|money| money.to_string()).as_deref(), Some("73.45 AED"));
}

#[test]
fn every_category_has_its_kind_and_a_new_one_is_kept_as_unknown() {
    let row = value("balance_transaction.fixture.json");
    for (category, kind) in stripe().vocabulary().settlement {
        let row = with(row.clone(), "reporting_category", json!(category));
        let page = read(&list(None, None), one(row).to_string());
        assert_eq!((page.lines[0].kind, page.lines[0].word.as_str()), (*kind, *category));
    }
    let odd = with(row.clone(), "reporting_category", json!("climate"));
    let page = read(&list(None, None), one(odd).to_string());
    assert_eq!(page.lines[0].kind.as_str(), "unknown");
    for (field, value) in [("net", json!(99)), ("fee", json!(1)), ("currency", json!("zzz"))] {
        let body = one(with(row.clone(), field, value));
        assert_eq!(answered(&list(None, None), &body), "unknown unreadable", "{field}");
    }
}

proptest! {
    #[test]
    fn a_line_always_adds_up(amount: i64, fee in -1_000_i64..1_000, tax in -10_i64..10) {
        let mut row = value("balance_transaction.fixture.json");
        row["amount"] = json!(amount);
        row["fee"] = json!(fee);
        row["net"] = json!(amount.saturating_sub(fee));
        row["fee_details"] = json!([{"type": "tax", "amount": tax},
            {"type": "stripe_fee", "amount": fee - tax}]);
        let outcome = parse(&list(None, None), 200, one(row).to_string());
        if let Some(answer) = outcome.answer() {
            let Subject::Settlement(page) = &answer.subject else { panic!() };
            let line = &page.lines[0];
            let [gross, fee, tax, net] = [line.gross, line.fee, line.tax, line.net]
                .map(|money| i128::from(money.minor()));
            prop_assert_eq!(gross - fee - tax, net);
        }
    }
}
