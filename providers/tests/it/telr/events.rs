//! Messages: every type and letter, translated in full and worth a hint.

use mizan_providers::telr::Telr;
use mizan_providers::{EventSubject, Mode, Provider, ProviderEvent, Trust};

use super::shop::{CART, ORDER, money, our_payment, reference, telr};

fn translate(body: &str) -> ProviderEvent {
    Telr::webhook_reader().events(body.as_bytes()).unwrap().remove(0)
}

fn advice(kind: &str, letter: &str) -> String {
    format!(
        "tran_store=1&tran_type={kind}&tran_class=ecom&tran_test=0&tran_ref=12&tran_prevref=11\
         &tran_firstref=10&tran_currency=KWD&tran_amount=1.234&tran_cartid={CART}&tran_desc=x\
         &tran_status={letter}&tran_authcode=041&tran_authmessage=No&tran_check=0"
    )
}

fn callback(number: &str, letter: &str) -> String {
    format!(
        "tran_store=1&tran_cartid={CART}&tran_order={ORDER}&tran_ref=12&tran_type={number}\
         &tran_authstatus={letter}&tran_authcode=1&tran_authmessage=No&tran_currency=AED\
         &tran_amount=54.50&tran_check=0"
    )
}

fn brief(event: &ProviderEvent) -> String {
    let status = event.status().unwrap_or("-");
    format!("{} {} {status}", event.event_type, event.kind())
}

#[test]
fn every_type_and_letter_has_its_meaning() {
    for (kind, letter, expected) in [
        ("sale", "A", "sale payment captured"),
        ("Sale", "A", "sale payment captured"),
        ("sale", "H", "sale payment processing"),
        ("sale", "P", "sale payment processing"),
        ("sale", "D", "sale payment failed"),
        ("sale", "E", "sale payment failed"),
        ("sale", "C", "sale payment cancelled"),
        ("sale", "X", "sale payment cancelled"),
        ("sale", "Z", "sale payment unknown"),
        ("auth", "A", "auth payment authorised"),
        ("auth", "D", "auth payment failed"),
        ("capture", "A", "capture payment captured"),
        ("capture", "D", "capture other -"),
        ("capture+reversal", "A", "capture reversal payment reversed"),
        ("void", "A", "void payment cancelled"),
        ("release", "A", "release payment cancelled"),
        ("release", "E", "release other -"),
        ("refund", "A", "refund refund succeeded"),
        ("refund", "H", "refund refund pending"),
        ("refund", "D", "refund refund failed"),
        ("refund", "Z", "refund refund unknown"),
        ("refund+reversal", "A", "refund reversal refund failed"),
        ("refund+reversal", "D", "refund reversal other -"),
        ("verify", "A", "verify other -"),
        ("rest", "PAID", "rest other -"),
        ("", "A", " other -"),
    ] {
        assert_eq!(brief(&translate(&advice(kind, letter))), expected, "{kind} {letter}");
    }
    for (number, letter, expected) in [
        ("1", "A", "sale payment captured"),
        ("2", "A", "void payment cancelled"),
        ("3", "A", "refund refund succeeded"),
        ("4", "A", "auth payment authorised"),
        ("6", "C", "cancel payment cancelled"),
        ("7", "A", "capture payment captured"),
        ("8", "A", "capture reversal payment reversed"),
        ("5", "A", "5 other -"),
    ] {
        assert_eq!(brief(&translate(&callback(number, letter))), expected, "{number} {letter}");
    }
}

#[test]
fn an_advice_is_told_with_all_it_says() {
    let event = translate(&advice("capture", "A"));
    assert_eq!((event.id.as_str(), event.mode), ("telr:12:capture:A", Mode::Live));
    let EventSubject::Payment(it) = &event.subject else { panic!() };
    assert_eq!((it.captured, it.amount), (money(1_234, "KWD"), money(1_234, "KWD")));
    assert_eq!((&it.provider_ref, &it.charge_ref), (&reference("10"), &Some(reference("12"))));
    assert_eq!(it.reference, our_payment().parse().ok());
    let EventSubject::Payment(it) = translate(&advice("sale", "D")).subject else { panic!() };
    let error = it.last_error.unwrap();
    assert_eq!((error.decline_code.as_deref(), it.charge_ref), (Some("41"), None));
    let EventSubject::Refund(it) = translate(&advice("refund", "A")).subject else { panic!() };
    assert_eq!((it.provider_ref, it.charge_ref), (reference("12"), Some(reference("11"))));
    assert_eq!((it.payment_ref, it.amount), (Some(reference("10")), money(1_234, "KWD")));
    let EventSubject::Refund(it) = translate(&advice("refund+reversal", "A")).subject else {
        panic!()
    };
    assert_eq!((it.provider_ref, it.charge_ref), (reference("11"), None));
    assert_eq!(telr().capabilities().webhook_trust, Trust::Hint);
}

#[test]
fn a_callback_names_the_order_and_an_advice_of_the_same_has_the_same_name() {
    let event = translate(&callback("1", "A"));
    let EventSubject::Payment(it) = &event.subject else { panic!() };
    assert_eq!((&it.provider_ref, &it.charge_ref), (&reference(ORDER), &Some(reference("12"))));
    assert_eq!(event.mode, Mode::Unstated);
    assert_eq!(event.id, translate(&advice("sale", "A")).id);
    // A page that was left has no transaction: the order stands for it, and the name is its own.
    let left = translate(&callback("6", "C").replace("tran_ref=12", "tran_ref="));
    assert_eq!(left.provider_ref(), Some(&reference(ORDER)));
    assert!(left.id.starts_with("sha256:"));
}

#[test]
fn a_payout_is_a_settlement_and_an_agreement_is_of_no_use() {
    let payout = "type=account&action=Payout&account_id=9&store_id=1&payout_id=77&amount=1,000.00\
                  &currency=AED&date=2026-09-09&account_check=0";
    assert!(Telr::webhook_reader().events(payout.as_bytes()).is_err());
    let event = translate(&payout.replace(",", ""));
    assert_eq!(brief(&event), "account payout settlement -");
    assert_eq!(event.provider_ref(), Some(&reference("77")));
    assert_eq!(event.amount(), Some(money(100_000, "AED")));
    let event = translate("type=account&action=update&account_id=9&account_check=0");
    assert_eq!(brief(&event), "account update other -");
    let event = translate("type=agreement&agreement_id=a-1&action=CANCEL&agreement_check=0");
    assert_eq!(brief(&event), "agreement cancel other -");
    assert_eq!(event.provider_ref(), Some(&reference("a-1")));
}

#[test]
fn what_lacks_what_we_need_is_refused_with_a_reason() {
    let whole = advice("sale", "A");
    for (body, problem) in [
        (whole.replace("KWD", "ZZZ"), "is not known"),
        (whole.replace("1.234", "1.2345"), "not a whole number"),
        (whole.replace("1.234", ""), "no decimal number"),
        (
            whole.replace("tran_ref=12", "tran_ref=0").replace("tran_firstref=10", "x=0"),
            "names no transaction",
        ),
        (whole.replace("tran_status", "x"), "none of Telr's messages"),
        ("x".to_owned(), "no form"),
    ] {
        let error = Telr::webhook_reader().events(body.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
