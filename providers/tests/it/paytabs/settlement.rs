//! Statements: read by the names of their columns, exactly or not at all.

use mizan_providers::paytabs::Paytabs;
use mizan_providers::{Provider, SettlementKind, SettlementLine, TranslateError};
use proptest::prelude::*;

use super::shop::{CREATED, money, our_payment, reference};

const HEADING: &str = "tran_ref,previous_tran_ref,tran_type,cart_id,gross,currency,fee,vat,net,\
                       settlement_currency,settlement_amount,settlement_date,payout_id\n";

fn read(lines: &str) -> Result<Vec<SettlementLine>, TranslateError> {
    Paytabs::webhook_reader().settlement_file(format!("{HEADING}{lines}").as_bytes())
}

fn problem(lines: &str) -> String {
    read(lines).unwrap_err().to_string()
}

#[test]
fn each_line_is_what_moved_the_balance() {
    let lines = format!(
        "TST1,,Sale,{CREATED},200.00,AED,5.00,0.25,194.75,AED,194.75,2025-02-03,PO-7\r\n\
         TST2,TST1,Refund,,-40.00,AED,0,0,-40,,,2025-02-03,PO-7\n\
         \n\
         ,,Payout,,-154.75,AED,,,-154.75,,,2025-02-03,PO-7\n\
         TST3,,Oddity,,1.000,KWD,0,0,1,,,,\n"
    );
    let lines = read(&lines).unwrap();
    let said: Vec<_> = lines.iter().map(|it| (it.kind, it.net.to_string())).collect();
    assert_eq!(
        said,
        [
            (SettlementKind::Charge, "194.75 AED".to_owned()),
            (SettlementKind::Refund, "-40.00 AED".to_owned()),
            (SettlementKind::Payout, "-154.75 AED".to_owned()),
            (SettlementKind::Unknown, "1.000 KWD".to_owned()),
        ]
    );
    let sale = &lines[0];
    assert_eq!((sale.line_ref.as_str(), sale.word.as_str()), ("TST1:sale", "sale"));
    assert_eq!((sale.fee, sale.tax), (money(500, "AED"), money(25, "AED")));
    assert_eq!(sale.reference, our_payment().parse().ok());
    assert_eq!(sale.settlement_ref, Some(reference("PO-7")));
    assert_eq!(sale.available_at.unwrap().to_rfc3339(), "2025-02-03T00:00:00+00:00");
    assert_eq!(lines[1].payment_ref, Some(reference("TST1")));
    assert_eq!(lines[1].source_ref, Some(reference("TST2")));
}

#[test]
fn a_line_without_a_reference_is_named_by_what_it_says_the_same_each_time() {
    let fee = ",,Fee,,0,AED,10.00,0.50,-10.50,,,2025-02-03,PO-7\n";
    let twice = read(&format!("{fee}{fee}")).unwrap();
    let alone = read(fee).unwrap();
    assert_eq!(alone[0].line_ref, twice[0].line_ref);
    assert_eq!(twice[1].line_ref, format!("{}#2", alone[0].line_ref));
    assert_eq!(alone[0].kind, SettlementKind::Fee);
}

#[test]
fn a_line_settled_in_another_currency_is_for_a_person() {
    let line = &read("TST1,,Sale,,100.00,USD,2.00,0.10,97.90,AED,359.29,,\n").unwrap()[0];
    assert_eq!(line.kind, SettlementKind::Unknown);
    assert_eq!((line.gross, line.net), (money(35_929, "AED"), money(35_929, "AED")));
    assert_eq!(line.original, Some(money(9_790, "USD")));
}

#[test]
fn the_heading_may_be_written_for_people() {
    let text = "\u{feff}\"Transaction Reference\",Type,\"Gross Amount\",Fee,\"VAT on fee\",Net,\
                Currency\n\"TST1\",sale,\"10.00\",1,0,9,aed\n";
    let lines = Paytabs::webhook_reader().settlement_file(text.as_bytes()).unwrap();
    assert_eq!(lines[0].net, money(900, "AED"));
}

#[test]
fn a_file_that_is_wrong_anywhere_is_refused_whole() {
    let good = "TST1,,Sale,,10.00,AED,1,0,9,,,,\n";
    for (line, expected) in [
        ("TST1,,Sale,,10.00,AED,1,0,9.01,,,,", "is not 10.00 AED without"),
        ("TST1,,Sale,,\"1,000.00\",AED,0,0,1000,,,,", "no decimal number"),
        ("TST1,,Sale,,10.001,AED,0,0,10.001,,,,", "not a whole number"),
        ("TST1,,Sale,,10,ZZZ,0,0,10,,,,", "\"ZZZ\" is not known"),
        ("TST1,,Sale,,10,,0,0,10,,,,", "it has no currency"),
        ("TST1,,Refund,,10,AED,0,0,10,,,,", "its gross is negative"),
        ("T/1,,Sale,,10,AED,0,0,10,,,,", "no reference"),
        ("TST1,,Sale,,10,AED,0,0,10,AED,11,,", "was settled"),
        ("TST1,,Sale,,10,AED,0,0,10,,,03/02/2025,", "no date"),
        ("\"TST1,,Sale", "a quote is not closed"),
    ] {
        let said = problem(&format!("{good}{line}\n"));
        assert!(said.contains(expected), "{said}");
    }
    let reader = Paytabs::webhook_reader();
    for text in [&b""[..], b"\xff", b"a,b\n1,2\n", b"<html></html>", b"{}"] {
        assert!(reader.settlement_file(text).is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, lines in "[-0-9A-Za-z,.\"\n]{0,200}") {
        let _ = Paytabs::webhook_reader().settlement_file(&bytes);
        let _ = read(&lines);
    }
}
