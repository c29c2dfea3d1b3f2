//! Settlement lines by the combined report: day by day, with fees, tax and the bank's reference.

use chrono::{DateTime, TimeDelta};
use mizan_money::{Money, Timestamp};
use mizan_providers::{
    ListSettlement, Operation, Provider, SettlementPage, SettlementSource, Subject,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::{bytes, value};
use super::shop::{
    adapter, answered, listed, never_a_success, our_payment, parse, reference, refused, said, with,
};

/// When all the sample's lines were settled: 11 September 2019, 10:12:40 in India.
const SETTLED: i64 = 1_568_176_960;

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn list(from: i64, to: i64, page: Option<&str>) -> Operation {
    let page = page.map(str::to_owned);
    Operation::ListSettlement(ListSettlement { from: at(from), to: at(to), settlement: None, page })
}

fn the_hour() -> Operation {
    list(SETTLED, SETTLED + 3_600, None)
}

fn read(op: &Operation, body: impl Into<Vec<u8>>) -> SettlementPage {
    let outcome = parse(op, 200, body);
    let Some(answer) = outcome.answer() else { panic!("{outcome:?}") };
    let Subject::Settlement(page) = &answer.subject else { panic!("{answer:?}") };
    page.as_ref().clone()
}

fn row(at: usize) -> Value {
    value("settlement_recon.combined.json")["items"][at].clone()
}

#[test]
fn a_span_is_asked_for_day_by_day_in_indias_time() {
    let expected = "GET /v1/settlements/recon/combined?year=2019&month=09&day=11&count=1000&skip=0";
    assert_eq!(said(&the_hour()), expected);
    // 18:30 UTC is midnight in India.
    let midnight = 1_568_140_200;
    assert!(said(&list(midnight - 1, midnight, None)).contains("day=10&"));
    assert!(said(&list(midnight, midnight + 1, None)).contains("day=11&"));
    let paged = said(&list(midnight, midnight + 1, Some("2019-09-12:2000")));
    assert!(paged.ends_with("day=12&count=1000&skip=2000"), "{paged}");
    for page in ["", "2019-09-12", "2019-13-01:0", "2019-09-12:x"] {
        assert_eq!(refused(&list(midnight, midnight + 1, Some(page))), "invalid_field", "{page}");
    }
    assert_eq!(refused(&list(midnight, midnight, None)), "invalid_field");
    assert_eq!(adapter().capabilities().settlement, SettlementSource::Api);
}

#[test]
fn every_line_of_the_sample_adds_up() {
    let page = read(&the_hour(), bytes("settlement_recon.combined.json"));
    let told: Vec<String> = page
        .lines
        .iter()
        .map(|line| {
            let parts = [line.gross, line.fee, line.tax, line.net].map(Money::minor);
            format!("{} {} {parts:?}", line.line_ref, line.kind)
        })
        .collect();
    let expected = [
        "pay_DEXrnipqTmWVGE charge [100000, 2900, 0, 97100]",
        "rfnd_DGRcGzZSLyEdg1 refund [-242500, 0, 0, -242500]",
        "trf_DEUoCEtdsJgvl7 transfer [-100000, 250, 46, -100296]",
        "adj_EhcHONhX4ChgNC adjustment [1012, 0, 0, 1012]",
    ];
    assert_eq!(told, expected);
    assert_eq!(page.next, None);
    let charge = &page.lines[0];
    assert_eq!(charge.source_ref, Some(reference("pay_DEXrnipqTmWVGE")));
    assert_eq!(charge.payment_ref, Some(reference("order_DEXrnRiR3SNDHA")));
    assert_eq!(charge.settlement_ref, Some(reference("setl_DGlQ1Rj8os78Ec")));
    assert_eq!(charge.bank_reference.as_deref(), Some("1568176960vxp0rj"));
    assert_eq!(charge.occurred_at, Some(at(1_567_692_556)));
    assert_eq!(charge.available_at, Some(at(SETTLED)));
    assert_eq!(page.lines[2].payment_ref, Some(reference("pay_DEApNNTR6xmqJy")));
    assert_eq!(page.lines[3].bank_reference, None);
}

#[test]
fn what_a_line_is_about_follows_from_its_type_its_side_and_its_dispute() {
    let side = |mut row: Value, debit: i64, credit: i64| {
        row["debit"] = json!(debit);
        row["credit"] = json!(credit);
        row["amount"] = json!(debit + credit);
        row["fee"] = json!(0);
        row["tax"] = json!(0);
        row
    };
    let disputed = |debit, credit| with(side(row(3), debit, credit), "dispute_id", json!("disp_1"));
    for (row, kind, source) in [
        (side(row(1), 0, 500), "refund_failure", "rfnd_DGRcGzZSLyEdg1"),
        (side(row(2), 0, 500), "transfer_reversal", "trf_DEUoCEtdsJgvl7"),
        (disputed(500, 0), "dispute", "disp_1"),
        (disputed(0, 500), "dispute_reversal", "disp_1"),
        (side(row(3), 500, 0), "adjustment", "adj_EhcHONhX4ChgNC"),
        (with(row(0), "type", json!("new_word")), "unknown", "pay_DEXrnipqTmWVGE"),
        // What does not add up is kept, for people to look at.
        (with(row(0), "credit", json!(97_101)), "unknown", "pay_DEXrnipqTmWVGE"),
    ] {
        let page = read(&the_hour(), listed(std::slice::from_ref(&row)).to_string());
        assert_eq!(page.lines[0].kind.as_str(), kind, "{row}");
        assert_eq!(page.lines[0].source_ref, Some(reference(source)), "{row}");
    }
    let ours = with(row(0), "order_receipt", json!(our_payment()));
    let page = read(&the_hour(), listed(&[ours]).to_string());
    assert_eq!(page.lines[0].reference, our_payment().parse().ok());
    let mut dollars = with(row(0), "currency", json!("USD"));
    dollars["amount"] = json!(1_400);
    let page = read(&the_hour(), listed(&[dollars]).to_string());
    assert_eq!(page.lines[0].original.map(|it| it.to_string()).as_deref(), Some("14.00 USD"));
    assert_eq!((page.lines[0].kind.as_str(), page.lines[0].gross.minor()), ("charge", 100_000));
}

#[test]
fn only_what_was_asked_for_is_told() {
    let body = bytes("settlement_recon.combined.json");
    assert_eq!(read(&list(SETTLED + 1, SETTLED + 10, None), body.clone()).lines.len(), 0);
    let Operation::ListSettlement(it) = the_hour() else { panic!() };
    let of = |id: &str| {
        let settlement = Some(reference(id));
        Operation::ListSettlement(ListSettlement { settlement, ..it.clone() })
    };
    assert_eq!(read(&of("setl_DGlQ1Rj8os78Ec"), body.clone()).lines.len(), 4);
    assert_eq!(read(&of("setl_other"), body).lines.len(), 0);
}

#[test]
fn pages_go_on_through_full_ones_and_through_the_days() {
    let full = listed(&vec![row(0); 1_000]).to_string();
    let empty = listed(&[]).to_string();
    let days = list(SETTLED, SETTLED + 2 * 86_400, None);
    let next = |op: &Operation, body: &str| read(op, body).next;
    assert_eq!(next(&days, &full).as_deref(), Some("2019-09-11:1000"));
    assert_eq!(next(&days, &empty).as_deref(), Some("2019-09-12:0"));
    let last = list(SETTLED, SETTLED + 2 * 86_400, Some("2019-09-13:0"));
    assert_eq!(next(&last, &empty), None);
    assert_eq!(next(&last, &full).as_deref(), Some("2019-09-13:1000"));
    never_a_success(&days, &value("settlement_recon.combined.json"));
    let spoiled = listed(&[with(row(0), "entity_id", json!("pay_/.."))]);
    assert_eq!(answered(&the_hour(), &spoiled), "unknown unreadable");
}

proptest! {
    #[test]
    fn a_line_always_adds_up_and_no_number_makes_it_panic(
        numbers in prop::array::uniform5(prop_oneof![any::<i64>(), -9_i64..9]),
        span in 1_i64..100_000_000,
    ) {
        let mut row = row(0);
        for (field, number) in ["debit", "credit", "fee", "tax", "amount"].iter().zip(numbers) {
            row[*field] = json!(number);
        }
        let op = list(SETTLED, SETTLED + span, None);
        let outcome = parse(&op, 200, listed(&[row]).to_string());
        if let Some(answer) = outcome.answer() {
            let Subject::Settlement(page) = &answer.subject else { panic!() };
            let line = &page.lines[0];
            let [gross, fee, tax, net] = [line.gross, line.fee, line.tax, line.net]
                .map(|money| i128::from(money.minor()));
            prop_assert_eq!(gross - fee - tax, net);
        }
    }
}

#[test]
fn a_walk_over_any_span_ends() {
    let (from, to) = (at(SETTLED), at(SETTLED) + TimeDelta::days(40));
    let mut page = None;
    let mut pages = 0;
    loop {
        let op = ListSettlement { from, to, settlement: None, page };
        page = read(&Operation::ListSettlement(op), listed(&[]).to_string()).next;
        pages += 1;
        if page.is_none() {
            break;
        }
    }
    assert_eq!(pages, 41);
}
