//! Our operations in Razorpay's words.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::BuildError;
use crate::http::{Auth, Body, Headers, HttpRequest, Method, Prior, Replay};
use crate::instrument::KeepInstrument;
use crate::model::{
    CaptureMethod, Confirmation, Finality, IdempotencyKey, ProviderRef, RefundReason,
};
use crate::operation::{CapturePayment, CreatePayment, Operation, RefundPayment};
use crate::razorpay::adapter::Access;
use crate::razorpay::amount::{to_order_amount, to_wire_amount};
use crate::razorpay::{dispute, instrument, payout, settlement, transfer};

/// The note with our payment.
pub(super) const PAYMENT_KEY: &str = "mizan_payment_intent";
/// The note with our operation.
pub(super) const OPERATION_KEY: &str = "mizan_operation";
/// The note with our refund.
pub(super) const REFUND_KEY: &str = "mizan_refund";
/// The note with the payment's description: an order has no field for it.
const DESCRIPTION_KEY: &str = "description";
/// The note with the reason of a refund.
const REASON_KEY: &str = "reason";

/// Most notes Razorpay keeps, ours included (razorpay.com/docs/api/orders/create).
const MAX_NOTES: usize = 15;
/// Most characters of a note.
const MAX_NOTE_CHARS: usize = 256;
/// How long a payment may take to be captured, in minutes: three days, the shortest that any page
/// of the documents names.
const CAPTURE_MINUTES: u32 = 3 * 24 * 60;
/// The header of a refund's key (razorpay.com/docs/api/refunds: idempotent requests).
const REFUND_KEY_HEADER: &str = "X-Refund-Idempotency";
/// What a key that does not fit is called.
const KEY: &str = "idempotency_key";
/// Most things of one page (razorpay.com/docs/api/understand).
pub(super) const PAGE: usize = 100;

#[derive(Serialize)]
struct NewOrder {
    amount: i64,
    currency: &'static str,
    receipt: String,
    notes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    payment: CaptureSettings,
}

#[derive(Serialize)]
struct CaptureSettings {
    capture: &'static str,
    capture_options: CaptureOptions,
}

#[derive(Serialize)]
struct CaptureOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    automatic_expiry_period: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manual_expiry_period: Option<u32>,
    refund_speed: &'static str,
}

#[derive(Serialize)]
struct NewCapture {
    amount: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct NewRefund {
    amount: i64,
    speed: &'static str,
    receipt: String,
    notes: BTreeMap<String, String>,
}

/// Builds the request for an operation.
pub(super) fn build(
    access: &Access,
    op: &Operation,
    key: &IdempotencyKey,
) -> Result<HttpRequest, BuildError> {
    let unsupported = |what| Err(BuildError::Unsupported { provider: "razorpay", what });
    match op {
        Operation::Create(it) => {
            let body = json(&create(it)?)?;
            Ok(write(access, Method::Post, "/v1/orders".to_owned(), body, None))
        }
        Operation::Capture(it) => {
            let payment = payment_of(&it.provider_ref, it.charge_ref.as_ref())?;
            let body = json(&capture(it)?)?;
            let path = format!("/v1/payments/{payment}/capture");
            Ok(write(access, Method::Post, path, body, None))
        }
        Operation::Refund(it) => {
            let payment = payment_of(&it.provider_ref, it.charge_ref.as_ref())?;
            let body = json(&refund(it)?)?;
            let path = format!("/v1/payments/{payment}/refund");
            let key = Some((REFUND_KEY_HEADER, refund_key(key)?));
            Ok(write(access, Method::Post, path, body, key))
        }
        Operation::Sync(it) if is_payment(&it.provider_ref) => {
            Ok(get(access, format!("/v1/payments/{}", it.provider_ref), None))
        }
        Operation::Sync(it) => orders(access, &it.payment.to_string()),
        Operation::Find(sought) => find(access, sought),
        Operation::SyncRefund(it) => {
            Ok(get(access, format!("/v1/refunds/{}", it.provider_ref), None))
        }
        Operation::Confirm(_) => {
            unsupported("a confirmation: the customer pays the order in its checkout")
        }
        Operation::Void(_) => {
            unsupported("a void: a hold lapses after three days, or is captured and then refunded")
        }
        Operation::CreateCustomer(_)
        | Operation::SaveInstrument(_)
        | Operation::SyncInstrument(_)
        | Operation::RemoveInstrument(_) => instrument::build(access, op),
        Operation::Payout(_) | Operation::SyncPayout(_) | Operation::CancelPayout(_) => {
            payout::build(access, op, key)
        }
        Operation::Transfer(_) | Operation::SyncTransfer(_) | Operation::ReverseTransfer(_) => {
            transfer::build(access, op, key)
        }
        Operation::SyncDispute(_)
        | Operation::ListDisputes(_)
        | Operation::AcceptDispute(_)
        | Operation::ContestDispute(_) => dispute::build(access, op),
        Operation::ListSettlement(it) => settlement::build(access, it),
    }
}

/// Looks for what became of an operation by our own reference of it.
fn find(access: &Access, sought: &Operation) -> Result<HttpRequest, BuildError> {
    match sought {
        Operation::Create(it) => orders(access, &it.payment.to_string()),
        Operation::Refund(it) => {
            let payment = payment_of(&it.provider_ref, it.charge_ref.as_ref())?;
            let query = encoded(&[("count", &PAGE.to_string())])?;
            Ok(get(access, format!("/v1/payments/{payment}/refunds"), Some(query)))
        }
        Operation::Payout(it) => payout::find(access, it),
        Operation::Transfer(_) | Operation::ReverseTransfer(_) => transfer::find(access, sought),
        other => Err(BuildError::Unsupported { provider: "razorpay", what: other.kind().as_str() }),
    }
}

/// Whether a reference is a payment's own and not an order's.
pub(super) fn is_payment(reference: &ProviderRef) -> bool {
    reference.as_str().starts_with("pay_")
}

/// The payment that holds or took the money.
fn payment_of<'a>(
    order: &'a ProviderRef,
    payment: Option<&'a ProviderRef>,
) -> Result<&'a ProviderRef, BuildError> {
    payment.or(Some(order)).filter(|it| is_payment(it)).ok_or(BuildError::Field {
        field: "charge_ref",
        problem: "no payment of this order has been told yet: ask what became of it first",
    })
}

fn create(it: &CreatePayment) -> Result<NewOrder, BuildError> {
    if it.confirmation == Confirmation::Later {
        let what = "a confirmation later: an order is open to the customer at once";
        return Err(BuildError::Unsupported { provider: "razorpay", what });
    }
    if it.payment_method.is_some() {
        let problem = "the customer chooses it in Razorpay's checkout: leave it out";
        return Err(BuildError::Field { field: "payment_method", problem });
    }
    if it.instrument.is_some() {
        let what = "a charge of a saved instrument: the customer chooses it in the checkout";
        return Err(BuildError::Unsupported { provider: "razorpay", what });
    }
    let wire = to_order_amount(it.amount)?;
    let (capture, automatic, manual) = match it.capture {
        CaptureMethod::Automatic => ("automatic", Some(CAPTURE_MINUTES), None),
        CaptureMethod::Manual => ("manual", None, Some(CAPTURE_MINUTES)),
    };
    let capture_options = CaptureOptions {
        automatic_expiry_period: automatic,
        manual_expiry_period: manual,
        refund_speed: "normal",
    };
    Ok(NewOrder {
        amount: wire.amount,
        currency: wire.currency,
        receipt: it.payment.to_string(),
        notes: notes(it)?,
        customer_id: it.keep.as_ref().map(customer_of).transpose()?,
        payment: CaptureSettings { capture, capture_options },
    })
}

/// The customer a token is made for in the checkout.
fn customer_of(keep: &KeepInstrument) -> Result<String, BuildError> {
    let problem = "Razorpay keeps tokens under a customer of its own: create that first";
    let customer = keep.customer_ref.as_ref().map(ToString::to_string);
    customer.ok_or(BuildError::Field { field: "customer_ref", problem })
}

fn capture(it: &CapturePayment) -> Result<NewCapture, BuildError> {
    let whole = it.amount == it.authorised && it.captured_before.minor() == 0;
    if !whole || it.finality == Finality::More {
        let what = "a capture of a part: the whole of a hold is taken, once";
        return Err(BuildError::Unsupported { provider: "razorpay", what });
    }
    let wire = to_wire_amount(it.amount)?;
    Ok(NewCapture { amount: wire.amount, currency: wire.currency })
}

fn refund(it: &RefundPayment) -> Result<NewRefund, BuildError> {
    let mut notes = BTreeMap::from([
        (PAYMENT_KEY.to_owned(), it.payment.to_string()),
        (REFUND_KEY.to_owned(), it.refund.to_string()),
        (OPERATION_KEY.to_owned(), it.operation.to_string()),
    ]);
    if it.reason != RefundReason::Other {
        notes.insert(REASON_KEY.to_owned(), it.reason.to_string());
    }
    Ok(NewRefund {
        amount: to_wire_amount(it.amount)?.amount,
        speed: "normal",
        receipt: it.refund.to_string(),
        notes,
    })
}

/// The shop's pairs with ours, within Razorpay's bounds.
fn notes(it: &CreatePayment) -> Result<BTreeMap<String, String>, BuildError> {
    let mut notes = it.metadata.clone();
    if let Some(text) = &it.description {
        notes.entry(DESCRIPTION_KEY.to_owned()).or_insert_with(|| text.clone());
    }
    notes.insert(PAYMENT_KEY.to_owned(), it.payment.to_string());
    notes.insert(OPERATION_KEY.to_owned(), it.operation.to_string());
    let refuse = |problem| Err(BuildError::Field { field: "metadata", problem });
    if notes.len() > MAX_NOTES {
        return refuse("Razorpay keeps 15 pairs; two are ours, and one is the description");
    }
    let long = |text: &String| text.chars().count() > MAX_NOTE_CHARS;
    if notes.iter().any(|(key, value)| key.is_empty() || long(key) || long(value)) {
        return refuse("a key has 1 to 256 characters; a value, or the description, at most 256");
    }
    Ok(notes)
}

/// A refund's key: at least ten letters, digits, `_` or `-`.
fn refund_key(key: &IdempotencyKey) -> Result<&str, BuildError> {
    let problem = "Razorpay wants ten letters, digits, _ or - at least";
    plain_key(key).filter(|text| text.len() >= 10).ok_or(BuildError::Field { field: KEY, problem })
}

/// A payout's or a transfer's key: 4 to 36 letters, digits, `_` or `-`.
pub(super) fn short_key(key: &IdempotencyKey) -> Result<&str, BuildError> {
    let problem = "Razorpay wants 4 to 36 letters, digits, _ or -";
    let fits = |text: &&str| (4..=36).contains(&text.len());
    plain_key(key).filter(fits).ok_or(BuildError::Field { field: KEY, problem })
}

fn plain_key(key: &IdempotencyKey) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    Some(key.as_str()).filter(|text| text.bytes().all(plain))
}

/// The orders with our receipt and their payments. More than one is no rule, see `answer`.
fn orders(access: &Access, receipt: &str) -> Result<HttpRequest, BuildError> {
    let count = PAGE.to_string();
    let query = encoded(&[("receipt", receipt), ("expand[]", "payments"), ("count", &count)])?;
    Ok(get(access, "/v1/orders".to_owned(), Some(query)))
}

/// Pairs as a query.
pub(super) fn encoded(pairs: &[(&str, &str)]) -> Result<String, BuildError> {
    let problem = "it cannot be encoded";
    serde_urlencoded::to_string(pairs).map_err(|_| BuildError::Field { field: "query", problem })
}

/// A body in JSON.
pub(super) fn json(body: &impl Serialize) -> Result<Body, BuildError> {
    let problem = "it cannot be said in JSON";
    serde_json::to_string(body)
        .map(Body::Json)
        .map_err(|_| BuildError::Field { field: "body", problem })
}

/// A write. Only with a key, in the header for it, may it be repeated without asking first.
pub(super) fn write(
    access: &Access,
    method: Method,
    path: String,
    body: Body,
    key: Option<(&'static str, &str)>,
) -> HttpRequest {
    let headers = key.map(|(name, key)| Headers::new().with(name, key)).unwrap_or_default();
    let replay = if key.is_some() { Replay::Keyed } else { Replay::Once };
    HttpRequest { headers, body, replay, ..request(access, method, path) }
}

/// A query.
pub(super) fn get(access: &Access, path: String, query: Option<String>) -> HttpRequest {
    HttpRequest { query, ..request(access, Method::Get, path) }
}

fn request(access: &Access, method: Method, path: String) -> HttpRequest {
    HttpRequest {
        method,
        path,
        query: None,
        headers: Headers::new(),
        auth: Auth::Basic { user: access.key_id.clone(), password: access.key_secret.clone() },
        body: Body::Empty,
        replay: Replay::Query,
        prior: Prior::None,
        retry_header: None,
    }
}
