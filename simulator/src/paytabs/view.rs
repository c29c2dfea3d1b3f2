//! Transactions and tokens as JSON. Amounts are text in major units.

use chrono::SecondsFormat;
use mizan_money::{Currency, Money, Timestamp};
use serde_json::{Map, Value, json};

use super::transaction::Transaction;
use super::verdict::Verdict;
use crate::bank::record::{Instrument, PaymentState, Token};

/// The merchant above the profile.
pub const MERCHANT: u64 = 123_456;
const SERVICE: u64 = 2;

/// An amount as text.
pub fn amount(minor: i64, currency: Currency) -> String {
    Money::new(minor, currency).major_string()
}

/// A time in UTC, to the second.
pub fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What every form of a transaction has.
fn base(tran: &Transaction) -> Map<String, Value> {
    let cart = &tran.cart;
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| view.insert(name.to_owned(), value);
    put("tran_ref", tran.tran_ref.as_str().into());
    if let Some(previous) = &tran.previous {
        put("previous_tran_ref", previous.as_str().into());
    }
    put("tran_type", tran.tran_type.into());
    put("cart_id", cart.id.as_str().into());
    put("cart_description", cart.description.as_str().into());
    put("cart_currency", cart.currency.code().into());
    put("cart_amount", amount(cart.amount, cart.currency).into());
    view
}

/// The answer that sends the buyer to a page.
pub fn redirect(tran: &Transaction, profile: u64, url: &str, trace: &str) -> Value {
    let mut view = base(tran);
    view.insert("redirect_url".to_owned(), url.into());
    ids(&mut view, profile, trace);
    Value::Object(view)
}

fn ids(view: &mut Map<String, Value>, profile: u64, trace: &str) {
    view.insert("serviceId".to_owned(), SERVICE.into());
    view.insert("profileId".to_owned(), profile.into());
    view.insert("merchantId".to_owned(), MERCHANT.into());
    view.insert("trace".to_owned(), trace.into());
}

/// The answer of what is done at once.
pub fn answer(tran: &Transaction, profile: u64, trace: &str) -> Value {
    let mut view = complete(tran);
    ids(&mut view, profile, trace);
    Value::Object(view)
}

/// The answer to a query.
pub fn queried(tran: &Transaction, profile: u64) -> Value {
    let mut view = complete(tran);
    view.insert("profile_id".to_owned(), profile.into());
    view.insert("paymentChannel".to_owned(), channel(tran).into());
    Value::Object(view)
}

/// The body of a callback or IPN.
pub fn notice(tran: &Transaction, profile: u64, trace: &str) -> Value {
    let mut view = complete(tran);
    view.insert("merchant_id".to_owned(), MERCHANT.into());
    view.insert("profile_id".to_owned(), profile.into());
    view.insert("ipn_trace".to_owned(), trace.into());
    view.insert("paymentChannel".to_owned(), channel(tran).into());
    Value::Object(view)
}

fn channel(tran: &Transaction) -> &'static str {
    if tran.terms.page.is_some() { "Payment Page" } else { "API" }
}

fn complete(tran: &Transaction) -> Map<String, Value> {
    let mut view = base(tran);
    let mut put = |name: &str, value: Value| view.insert(name.to_owned(), value);
    let cart = &tran.cart;
    // Registering a card moves no money.
    let total = if tran.terms.is_register() { 0 } else { cart.amount };
    put("tran_class", tran.tran_class.into());
    put("tran_currency", cart.currency.code().into());
    put("tran_total", amount(total, cart.currency).into());
    put("customer_details", tran.terms.customer.clone());
    put("payment_result", result(tran));
    if !tran.order.metadata.is_empty() {
        put("user_defined", json!(tran.order.metadata));
    }
    let Some(payment) = &tran.payment else { return view };
    put("payment_info", instrument(&payment.instrument, &tran.order.id));
    if let Some(token) = &payment.token {
        put("token", token.as_str().into());
    }
    let is_card = payment.instrument.kind == "card";
    if is_card && tran.terms.page.is_some() {
        let failed = payment.reason.as_deref() == Some("authentication_failed")
            && payment.state == PaymentState::Failed;
        put("threeDSDetails", three_d_secure(failed));
    }
    view
}

fn result(tran: &Transaction) -> Value {
    let Verdict { status, code, message } = &tran.verdict;
    // A payment request has not been to an acquirer.
    let asked = tran.payment.as_ref().filter(|_| tran.tran_type != "Payment Request");
    json!({
        "response_status": status,
        "response_code": code,
        "response_message": message,
        "acquirer_ref": asked.map_or("", |payment| payment.id.as_str()),
        "cvv_result": " ",
        "avs_result": " ",
        "transaction_time": time(tran.time),
    })
}

fn instrument(instrument: &Instrument, tran_ref: &str) -> Value {
    match instrument.kind.as_str() {
        "card" => json!({
            "payment_method": instrument.brand,
            "card_type": "Credit",
            "card_scheme": instrument.brand,
            "payment_description": format!("4111 11## #### {}", instrument.last4),
            "expiryMonth": 12,
            "expiryYear": 2034,
        }),
        kind if super::create::is_deferred(kind) => {
            let digits = tran_ref.get(tran_ref.len().saturating_sub(6)..).unwrap_or_default();
            let number = format!("8800{digits}");
            json!({ "payment_method": titled(kind), "payment_description": number })
        }
        kind => json!({ "payment_method": titled(kind) }),
    }
}

/// With a capital first letter.
fn titled(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn three_d_secure(failed: bool) -> Value {
    json!({
        "responseLevel": 2,
        "responseStatus": 4,
        "enrolled": "Y",
        "paResStatus": if failed { "N" } else { "Y" },
        "eci": if failed { "07" } else { "05" },
        "cavv": "",
        "ucaf": "",
        "threeDSVersion": "Test/Simulation",
    })
}

/// A saved card. No source shows this answer; the names are those of a transaction.
pub fn token(token: &Token, tran: &Transaction) -> Value {
    json!({
        "token": token.id,
        "tran_ref": tran.tran_ref,
        "customer_details": tran.terms.customer,
        "payment_info": instrument(&token.instrument, &tran.tran_ref),
    })
}
