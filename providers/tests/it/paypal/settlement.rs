//! Settlement lines: by the API and by the file, the same line by the same name.

use mizan_providers::{Provider, SettlementKind, SettlementLine, SettlementPage, Subject};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shop::{
    answered, at, money, our_payment, parse, paypal, reference, settlement, usd, with,
};

fn row(code: &str, value: &str, fee: &str) -> Value {
    json!({
        "transaction_id": "5TY05013RG002845M", "transaction_event_code": code,
        "transaction_initiation_date": "2026-01-11T04:03:52+0000",
        "transaction_updated_date": "2026-01-12T04:03:52+0000",
        "transaction_amount": usd(value), "fee_amount": usd(fee), "transaction_status": "S",
        "paypal_reference_id": "5O190127TN364715T", "paypal_reference_id_type": "ODR",
        "custom_field": our_payment(),
    })
}

fn report(rows: &[Value], page: u32, pages: u32) -> Value {
    let details: Vec<Value> = rows.iter().map(|row| json!({"transaction_info": row})).collect();
    json!({
        "transaction_details": details, "page": page, "total_pages": pages,
        "last_refreshed_datetime": "2026-02-02T06:59:59+0000",
    })
}

fn page(body: &Value) -> SettlementPage {
    let outcome = parse(&settlement(), 200, body.to_string());
    let Subject::Settlement(page) = &outcome.answer().unwrap().subject else { panic!() };
    (**page).clone()
}

fn file(text: &str) -> Vec<SettlementLine> {
    paypal().settlement_file(text.as_bytes()).unwrap()
}

#[test]
fn a_row_is_a_line_and_its_fee_is_turned_round() {
    let it = page(&report(&[row("T0006", "465.00", "-13.79")], 1, 1));
    assert_eq!((it.next, it.complete_until), (None, Some(at("2026-02-02T06:59:59Z"))));
    let [line] = it.lines.as_slice() else { panic!() };
    assert_eq!(line.kind, SettlementKind::Charge);
    let said = [line.gross, line.fee, line.tax, line.net].map(|money| money.minor());
    assert_eq!(said, [46_500, 1_379, 0, 45_121]);
    assert_eq!(line.line_ref, "5TY05013RG002845M:T0006:S:2026-01-11T04:03:52Z");
    assert_eq!(line.source_ref, Some(reference("5TY05013RG002845M")));
    assert_eq!(line.payment_ref, Some(reference("5O190127TN364715T")));
    assert_eq!(line.reference, our_payment().parse().ok());
    assert_eq!(line.occurred_at, Some(at("2026-01-11T04:03:52Z")));
    assert_eq!(line.available_at, Some(at("2026-01-12T04:03:52Z")));
}

#[test]
fn every_code_has_its_kind_and_an_unknown_one_is_kept_as_a_break() {
    for (code, value, fee, kind, net) in [
        ("T0006", "10.00", "-0.50", SettlementKind::Charge, 950),
        ("T1107", "-10.00", "0.50", SettlementKind::Refund, -950),
        ("T1106", "-10.00", "0.00", SettlementKind::Dispute, -1_000),
        ("T1201", "-10.00", "0.00", SettlementKind::Dispute, -1_000),
        ("T1202", "10.00", "0.00", SettlementKind::DisputeReversal, 1_000),
        ("T0106", "-20.00", "0.00", SettlementKind::Fee, -2_000),
        ("T0001", "-9.87", "-0.35", SettlementKind::Payout, -1_022),
        ("T1115", "9.87", "0.00", SettlementKind::PayoutReversal, 987),
        ("T0200", "-5.00", "0.00", SettlementKind::Conversion, -500),
        ("T0400", "-100.00", "0.00", SettlementKind::Payout, -10_000),
        ("T9999", "1.00", "0.00", SettlementKind::Unknown, 100),
    ] {
        let it = page(&report(&[row(code, value, fee)], 1, 1));
        let line = &it.lines[0];
        assert_eq!((line.kind, line.net.minor(), line.word.as_str()), (kind, net, code));
    }
    for status in ["P", "D"] {
        let it = page(&report(
            &[with(row("T0006", "1", "0"), "transaction_status", json!(status))],
            1,
            1,
        ));
        assert_eq!(it.lines[0].kind, SettlementKind::Unknown);
        assert_eq!(it.lines[0].word, format!("T0006 {status}"));
    }
}

#[test]
fn pages_follow_each_other_and_a_row_that_cannot_be_read_stops_all() {
    let good = row("T0006", "1.00", "0");
    assert_eq!(page(&report(std::slice::from_ref(&good), 1, 3)).next.as_deref(), Some("2"));
    assert_eq!(page(&report(std::slice::from_ref(&good), 3, 3)).next, None);
    let euro = json!({"currency_code": "EUR", "value": "-0.50"});
    for bad in [
        with(good.clone(), "fee_amount", euro),
        with(good.clone(), "transaction_amount", json!({"currency_code": "USD", "value": "1,00"})),
        with(good.clone(), "transaction_id", json!(null)),
    ] {
        let body = report(&[good.clone(), bad], 1, 1);
        assert_eq!(answered(&settlement(), &body), "unknown unreadable");
    }
}

const HEAD: &str = "\u{feff}\"RH\",2026/01/13 00:00:00 -0800,\"A\",\"ACCOUNT\",\"009\"\r\n\
\"FH\",\"01\"\r\n\"SH\",2026/01/12 00:00:00 -0800,2026/01/12 23:59:59 -0800,\"ACCOUNT\",\"\"\r\n\
\"CH\",\"Transaction ID\",\"Invoice ID\",\"PayPal Reference ID\",\"PayPal Reference ID Type\",\
\"Transaction Event Code\",\"Transaction Initiation Date\",\"Transaction Completion Date\",\
\"Transaction  Debit or Credit\",\"Gross Transaction Amount\",\"Gross Transaction Currency\",\
\"Fee Debit or Credit\",\"Fee Amount\",\"Fee Currency\",\"Custom Field\",\"Consumer ID\"\r\n";
const TAIL: &str = "\"SF\",\"USD\",0\r\n\"SC\",1\r\n\"RF\",\"USD\",0\r\n\"RC\",1\r\n\"FF\",1\r\n";

fn body(id: &str, code: &str, way: &str, gross: &str, fee: &str) -> String {
    format!(
        "\"SB\",\"{id}\",\"Rug, \"\"red\"\"\r\nbig\",\"5O190127TN364715T\",\"ODR\",\"{code}\",\
         2026/01/10 20:03:52 -0800,2026/01/11 20:03:52 -0800,\"{way}\",{gross},\"USD\",{fee},\
         \"USD\",\"{}\",\"C\"\r\n",
        our_payment()
    )
}

#[test]
fn a_file_tells_the_same_line_as_the_api() {
    let text =
        format!("{HEAD}{}{TAIL}", body("5TY05013RG002845M", "T0006", "CR", "46500", "\"DR\",1379"));
    let by_api = page(&report(&[row("T0006", "465.00", "-13.79")], 1, 1)).lines;
    assert_eq!(file(&text), by_api);
    let back = body("R1", "T1107", "DR", "1000", "\"CR\",50");
    let paid = body("W1", "T0400", "DR", "10000", "\"\",0");
    let lines = file(&format!("{HEAD}{back}{paid}{TAIL}"));
    let said: Vec<_> = lines.iter().map(|it| (it.kind, it.fee.minor(), it.net.minor())).collect();
    assert_eq!(said, [(SettlementKind::Refund, -50, -950), (SettlementKind::Payout, 0, -10_000)]);
    assert_eq!(lines[0].gross, money(-1_000, "USD"));
}

#[test]
fn a_file_that_is_none_is_cut_off_or_unclear_is_refused() {
    let row = body("A", "T0006", "CR", "100", "\"\",0");
    let whole = format!("{HEAD}{row}{TAIL}");
    assert!(paypal().settlement_file(whole.as_bytes()).is_ok());
    let cut = format!("{HEAD}{row}");
    let yen = whole.replace("100,\"USD\"", "100,\"JPY\"");
    let no_way = whole.replace("\"CR\",100", "\"\",100");
    let signed = whole.replace("\"CR\",100", "\"CR\",-100");
    let other_fee = format!("{HEAD}{}{TAIL}", body("A", "T0006", "CR", "100", "\"DR\",1"))
        .replace("1,\"USD\",\"pi_", "1,\"EUR\",\"pi_");
    let unknown = whole.replace("\"SF\"", "\"ZZ\"");
    let headless = format!("{row}{TAIL}");
    let open = format!("{HEAD}\"SB\",\"A");
    for text in ["", "hello", &cut, &yen, &no_way, &signed, &other_fee, &unknown, &headless, &open]
    {
        let error = paypal().settlement_file(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("settlement report, row"), "{error}");
    }
    assert!(paypal().settlement_file(&[0xff, 0xfe]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_file_or_refused_without_a_panic(bytes: Vec<u8>, text in "\\PC{0,200}") {
        let _ = paypal().settlement_file(&bytes);
        let _ = paypal().settlement_file(format!("{HEAD}\"SB\",{text}\r\n{TAIL}").as_bytes());
    }

    #[test]
    fn what_a_line_says_always_adds_up(
        gross in -1_000_000_i64..1_000_000,
        fee in -10_000_i64..10_000,
    ) {
        let value = |minor: i64| {
            let sign = if minor < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
        };
        let body = report(&[row("T0006", &value(gross), &value(-fee))], 1, 1);
        let line = page(&body).lines.remove(0);
        prop_assert_eq!((line.gross.minor(), line.fee.minor()), (gross, fee));
        prop_assert_eq!(line.net.minor(), gross - fee);
    }
}
