//! Settlement lines: by the Accounts API, leniently, and by the report people download.

use mizan_providers::telr::{Columns, Telr};
use mizan_providers::{
    Operation, Provider, SettlementLine, SettlementPage, Subject, TranslateError,
};
use proptest::prelude::*;
use serde_json::json;

use super::shop::{CART, answered, list, our_payment, parse, reference, settings, telr};

fn page(op: &Operation, body: &str) -> SettlementPage {
    let outcome = parse(op, 200, body);
    match &outcome.answer().unwrap_or_else(|| panic!("{outcome:?}")).subject {
        Subject::Settlement(page) => page.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

fn brief(it: &SettlementLine) -> String {
    let amounts = [it.gross, it.fee, it.tax, it.net].map(|money| money.minor().to_string());
    format!("{} {} {}", it.line_ref, it.kind, amounts.join(" "))
}

#[test]
fn payouts_are_listed_and_then_gone_through_one_by_one() {
    let body = json!({"payouts": [
        {"payoutId": 77, "amount": "90.00", "currency": "AED", "date": "2026-09-08"},
        {"payoutId": 78, "amount": 10.5, "currency": "AED", "payoutFee": "1.00"},
    ]});
    let first = page(&list(None, None), &body.to_string());
    let lines: Vec<String> = first.lines.iter().map(brief).collect();
    assert_eq!(lines, ["77/payout payout -9000 0 0 -9000", "78/payout payout -1050 100 0 -1150"]);
    assert_eq!(first.lines[0].occurred_at.unwrap().to_rfc3339(), "2026-09-07T20:00:00+00:00");
    assert_eq!(first.next.as_deref(), Some("77+78@0"));

    let body = json!([
        {"ref": "040026532212", "type": "sale", "cartId": CART, "currency": "AED",
         "amount": "100.00", "mdr": "2.00", "fees": "0.50", "tax": "0.13", "net": "97.37"},
        {"ref": "040026532213", "type": "refund", "currency": "AED", "amount": 10.0, "net": -10.0},
    ]);
    let second = page(&list(None, first.next.as_deref()), &body.to_string());
    let lines: Vec<String> = second.lines.iter().map(brief).collect();
    assert_eq!(
        lines,
        [
            "040026532212/sale charge 10000 250 13 9737",
            "040026532213/refund refund -1000 0 0 -1000"
        ]
    );
    assert_eq!(second.lines[0].reference, our_payment().parse().ok());
    assert_eq!(second.lines[0].settlement_ref, Some(reference("77")));
    assert_eq!(second.next.as_deref(), Some("78@0"));
    assert_eq!(page(&list(None, Some("78@0")), "[]").next, None);
    assert_eq!(page(&list(Some("78"), None), "{\"data\":[]}").next, None);
    assert_eq!(page(&list(None, None), "[]").next, None);
}

#[test]
fn a_full_page_is_followed_by_the_next_of_the_same_payout() {
    let one = json!({"ref": "1", "type": "sale", "currency": "AED", "amount": "1.00"});
    let body = json!(vec![one; 5_000]).to_string();
    let full = page(&list(None, Some("77+78@0")), &body);
    assert_eq!((full.lines.len(), full.next.as_deref()), (5_000, Some("77+78@5000")));
}

#[test]
fn an_answer_with_a_line_that_cannot_be_read_is_not_read_at_all() {
    for item in [
        json!({"type": "sale", "currency": "AED"}),
        json!({"ref": "1", "type": "sale", "amount": "1.00"}),
        json!({"ref": "1", "type": "sale", "currency": "AED", "amount": "1.005"}),
        json!({"ref": "1", "type": "sale", "currency": "AED", "amount": 9, "net": 8, "fee": 2}),
        json!("x"),
    ] {
        let body = json!([item]).to_string();
        assert_eq!(answered(&list(Some("1"), None), &body), "unknown unreadable", "{body}");
    }
    for body in ["", "{}", "<html>", "{\"payouts\":{}}", "[{\"amount\":\"1.00\"}]", "[1]"] {
        assert_eq!(answered(&list(None, None), body), "unknown unreadable", "{body}");
    }
}

const REPORT: &str = "\u{feff}Payout ID 4841777,,,\r\n,,\r\nTransactions\r\n\
    Ref,Date,Time,Type,CartID,Description,Name,Currency,Amount,Currency,Amount,MDR,Fees,Tax,Net\r\n\
    030102641182,2026-06-25,12:00,Sale,CART,\"Rug, \"\"red\"\"\",A,\
    USD,100.00,AED,\"1,367.25\",30.00,1.00,1.55,\"1,334.70\"\r\n\
    030102641190,25/06/2026,12:00,Refund,601908_6a,x,B,\
    AED,50.00,AED,(50.00),0,1.00,0.05,(51.05)\r\n\
    030102641191,,,Refund,x,x,B,AED,50.00,AED,50.00,,,,-50.00\r\n\
    ,,,Rolling reserve,,,,,,AED,-10.00,,,,-10.00\r\n\
    Total,,,,,,,,,,,,,,\"1,223.65\"\r\n\r\n";

fn read(text: &str) -> Result<Vec<SettlementLine>, TranslateError> {
    telr().settlement_file(text.as_bytes())
}

#[test]
fn a_report_is_read_with_the_signs_that_make_its_net() {
    let lines = read(&REPORT.replace("CART,\"", &format!("{CART},\""))).unwrap();
    let said: Vec<String> = lines.iter().map(brief).collect();
    assert_eq!(
        said,
        [
            "030102641182/Sale charge 136725 3100 155 133470",
            "030102641190/Refund refund -5000 100 5 -5105",
            "030102641191/Refund refund -5000 0 0 -5000",
            "4841777/7 unknown -1000 0 0 -1000",
        ]
    );
    let first = &lines[0];
    assert_eq!(first.settlement_ref, Some(reference("4841777")));
    assert_eq!(first.original.unwrap().to_string(), "100.00 USD");
    assert_eq!(first.reference, our_payment().parse().ok());
    assert_eq!(first.occurred_at.unwrap().to_rfc3339(), "2026-06-24T20:00:00+00:00");
    // A day that could be read in two ways is not read.
    assert_eq!((lines[1].occurred_at, lines[1].original), (None, None));
}

#[test]
fn a_connection_may_name_other_columns() {
    let mut told = settings();
    told.report = Columns {
        reference: "tran".to_owned(),
        fees: vec!["commission".to_owned()],
        ..Columns::default()
    };
    let adapter = Telr::new(told).unwrap();
    let text = "TRAN,Type,Currency,Amount,Commission,Net\n1,sale,KWD,1.234,0.034,1.200\n";
    let lines = adapter.settlement_file(text.as_bytes()).unwrap();
    assert_eq!(lines.iter().map(brief).collect::<Vec<_>>(), ["1/sale charge 1234 34 0 1200"]);
    assert!(telr().settlement_file(text.as_bytes()).is_err());
    assert_eq!(Telr::webhook_reader().settlement_file(REPORT.as_bytes()).unwrap().len(), 4);
}

#[test]
fn a_report_that_does_not_add_up_is_refused_with_its_line() {
    let error = read(&REPORT.replace("(51.05)", "(51.06)")).unwrap_err().to_string();
    assert!(error.contains("line 6: net is not gross less fee and tax"), "{error}");
    for text in ["", "a,b\n1,2\n", "\"", "Ref,Type,Currency,Amount,Net\n1,sale,AED,1,1\n"] {
        assert!(read(text).is_err(), "{text}");
    }
    assert!(telr().settlement_file(b"\xd0\xcf\x11\xe0").is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_report_or_refused(bytes: Vec<u8>, cells in "[-(),.0-9A-Z\n\"]{0,80}") {
        let _ = telr().settlement_file(&bytes);
        let head = "Ref,Type,Currency,Amount,MDR,Fees,Tax,Net\n";
        for line in read(&format!("{head}{cells}")).unwrap_or_default() {
            let rest = line.gross.minor() - line.fee.minor() - line.tax.minor();
            prop_assert_eq!(rest, line.net.minor());
        }
    }
}
