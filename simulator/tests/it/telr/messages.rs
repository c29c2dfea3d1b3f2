//! Advice, callbacks and the account's messages, with the checks recomputed from what was sent.

#[path = "../../../src/telr/sha1.rs"]
mod sha1;

use serde_json::json;

use super::{ADVICE_SECRET, AUTH_KEY, Pairs, Telr, value};
use crate::support::Sink;

const ADVICE: &str = "tran_store tran_type tran_class tran_test tran_ref tran_prevref \
                      tran_firstref tran_order tran_currency tran_amount tran_cartid tran_desc \
                      tran_status tran_authcode tran_authmessage";
const CALLBACK: &str = "tran_store tran_cartid tran_order tran_ref tran_type tran_authstatus \
                        tran_authcode tran_authmessage tran_currency tran_amount";
const CARD: &str = "card_code card_payment bin_number card_issuer card_country card_last4";
const BILL: &str = "bill_title bill_fname bill_sname bill_addr1 bill_addr2 bill_addr3 bill_city \
                    bill_region bill_country bill_zip bill_email bill_phone1";
const ACCOUNT: &str = "type action account_id store_id payout_id amount currency date \
                       payout_interval payout_fee";

fn check(secret: &str, names: &str, pairs: &Pairs) -> String {
    let absent = |name: &str| pairs.iter().all(|(key, _)| key != name);
    let names = names.split(' ').filter(|name| *name != "tran_order" || !absent(name));
    let values: Vec<_> = names.map(|name| value(pairs, name)).collect();
    sha1::sha1_hex(format!("{secret}:{}", values.join(":")).as_bytes())
}

/// What was sent since the last look, callbacks apart.
async fn heard(telr: &Telr, sink: &Sink) -> (Vec<Pairs>, Vec<Pairs>) {
    telr.sim.deliver_due().await;
    let all: Vec<Pairs> =
        sink.all().iter().map(|it| serde_urlencoded::from_str(&it.body).unwrap()).collect();
    sink.forget();
    all.into_iter().partition(|pairs| value(pairs, "tran_authstatus").is_empty())
}

fn said(pairs: &[Pairs], names: [&str; 3]) -> Vec<String> {
    pairs.iter().map(|pairs| names.map(|name| value(pairs, name)).join(" ")).collect()
}

const AS_ADVICE: [&str; 3] = ["tran_type", "tran_status", "tran_amount"];
const AS_CALLBACK: [&str; 3] = ["tran_type", "tran_authstatus", "tran_amount"];

async fn bed(older: &[&str]) -> (Telr, Sink) {
    let sink = Sink::start().await;
    let older: Vec<_> = older.iter().map(|secret| (*secret).to_owned()).collect();
    let telr = Telr::with(|config| {
        config.webhook_url = Some(sink.url.clone());
        config.older_webhook_secrets = older;
    })
    .await;
    (telr, sink)
}

async fn order(telr: &Telr, sink: &Sink, cart: &str, kind: &str) -> String {
    let url = format!("{}?cart_id={cart}", sink.url);
    let mut fields = Telr::create_fields(cart, "54.50", "AED", kind);
    fields.push(("ivp_update_url", &url));
    telr.order_with(&fields).await
}

#[tokio::test]
async fn every_step_is_told_to_the_store_and_to_the_order() {
    let (telr, sink) = bed(&[]).await;
    let of = order(&telr, &sink, "A-1", "auth").await;
    telr.choose(&of, json!({ "outcome": "declined", "reason": "41" })).await;
    let auth = telr.choose(&of, json!({ "outcome": "paid" })).await;
    let (_, _, capture) = telr.follow("capture", &auth, "20.00").await;
    telr.follow("release", &auth, "34.50").await;
    let (_, _, refund) = telr.follow("refund", &capture, "5.00").await;
    let (advice, callbacks) = heard(&telr, &sink).await;
    assert_eq!(
        said(&advice, AS_ADVICE),
        ["auth D 54.50", "auth A 54.50", "capture A 20.00", "release A 34.50", "refund A 5.00"]
    );
    assert_eq!(
        said(&callbacks, AS_CALLBACK),
        ["4 D 54.50", "4 A 54.50", "7 A 20.00", "3 A 5.00"],
        "a release has no number"
    );
    for pairs in &advice {
        assert_eq!(value(pairs, "tran_check"), check(ADVICE_SECRET, ADVICE, pairs));
        assert_eq!(value(pairs, "card_check"), check(ADVICE_SECRET, CARD, pairs));
        assert_eq!(value(pairs, "bill_check"), check(ADVICE_SECRET, BILL, pairs));
        assert_eq!(value(pairs, "tran_cartid"), "A-1");
    }
    for pairs in &callbacks {
        assert_eq!(value(pairs, "tran_check"), check(AUTH_KEY, CALLBACK, pairs));
        assert_eq!(value(pairs, "tran_order"), of);
    }
    let last = advice.last().unwrap();
    let chain = ["tran_ref", "tran_prevref", "tran_firstref"].map(|name| value(last, name));
    assert_eq!(chain, [refund.as_str(), capture.as_str(), auth.as_str()]);
    assert_eq!(value(&advice[0], "tran_authcode"), "41");
    assert_eq!(value(&advice[1], "tran_prevref"), "");
}

#[tokio::test]
async fn sales_holds_cancellations_voids_and_payouts_are_told_once() {
    let (telr, sink) = bed(&[]).await;
    let paid = order(&telr, &sink, "A-1", "sale").await;
    let sale = telr.choose(&paid, json!({ "outcome": "paid" })).await;
    let held = order(&telr, &sink, "A-2", "sale").await;
    telr.choose(&held, json!({ "outcome": "held" })).await;
    telr.choose(&held, json!({ "outcome": "paid" })).await;
    let left = order(&telr, &sink, "A-3", "sale").await;
    telr.choose(&left, json!({ "outcome": "cancelled" })).await;
    telr.follow("void", &sale, "54.50").await;
    let (advice, callbacks) = heard(&telr, &sink).await;
    let sales = ["sale A 54.50", "sale H 54.50", "sale A 54.50", "void A 54.50"];
    assert_eq!(said(&advice, AS_ADVICE), sales);
    let numbers = ["1 A 54.50", "1 H 54.50", "1 A 54.50", "6 C 54.50", "2 A 54.50"];
    assert_eq!(said(&callbacks, AS_CALLBACK), numbers);
    telr.control("/_sim/settle", &json!({})).await;
    let (account, _) = heard(&telr, &sink).await;
    assert_eq!(account.len(), 1);
    assert_eq!(value(&account[0], "account_check"), check(ADVICE_SECRET, ACCOUNT, &account[0]));
    assert_eq!((value(&account[0], "type"), value(&account[0], "action")), ("account", "payout"));
    telr.assert_balanced();
}

#[tokio::test]
async fn advice_names_the_order_of_json_callers_and_callbacks_stay_on_the_machine() {
    let (telr, sink) = bed(&[]).await;
    let body = super::sample("create-order.request-json")["request"]["body"].clone();
    let made = telr.control("/gateway/order.json", &body).await.body;
    let of = made["order"]["ref"].as_str().unwrap();
    telr.choose(of, json!({ "outcome": "paid" })).await;
    let mut fields = Telr::create_fields("A-1", "54.50", "AED", "sale");
    fields.push(("ivp_update_url", "https://shop.example/webhooks/telr/ivp"));
    let away = telr.order_with(&fields).await;
    telr.choose(&away, json!({ "outcome": "paid" })).await;
    let (advice, callbacks) = heard(&telr, &sink).await;
    assert_eq!((advice.len(), callbacks.len()), (2, 0));
    assert_eq!(value(&advice[0], "tran_order"), of);
    assert!(advice[1].iter().all(|(name, _)| name != "tran_order"));
    for pairs in &advice {
        assert_eq!(value(pairs, "tran_check"), check(ADVICE_SECRET, ADVICE, pairs));
    }
}

#[tokio::test]
async fn deliveries_are_falsified_doubled_and_signed_with_other_secrets() {
    let (telr, sink) = bed(&["older"]).await;
    telr.faults(
        "[[rules]]\non = \"webhook\"\nkind = \"key_rotation\"\nevent = \"advice.sale\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"key_rotation\"\nevent = \"callback.sale\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"wrong_amount\"\nevent = \"advice.refund\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"unknown_status\"\nevent = \"callback.refund\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"duplicate\"\nmatch = { cartid = \"A-2\" }\n\
         event = \"advice.sale\"",
    );
    let of = order(&telr, &sink, "A-1", "sale").await;
    let sale = telr.choose(&of, json!({ "outcome": "paid" })).await;
    telr.follow("refund", &sale, "5.00").await;
    let (advice, callbacks) = heard(&telr, &sink).await;
    assert_eq!(value(&advice[0], "tran_check"), check("older", ADVICE, &advice[0]));
    let next = format!("{AUTH_KEY}_next");
    assert_eq!(value(&callbacks[0], "tran_check"), check(&next, CALLBACK, &callbacks[0]));
    assert_eq!(value(&advice[1], "tran_amount"), "6.00");
    assert_eq!(value(&advice[1], "tran_check"), check(ADVICE_SECRET, ADVICE, &advice[1]));
    assert_eq!(value(&callbacks[1], "tran_authstatus"), "simmering");
    telr.paid("A-2", "9.00", "sale").await;
    let (twice, _) = heard(&telr, &sink).await;
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0], twice[1]);
}

#[tokio::test]
async fn a_message_that_is_not_taken_is_tried_five_times() {
    let (telr, sink) = bed(&[]).await;
    sink.answer(500);
    telr.paid("A-1", "9.00", "sale").await;
    for _ in 0..10 {
        telr.sim.deliver_due().await;
        telr.clock.advance(3600);
    }
    assert_eq!(sink.all().len(), 5);
}
