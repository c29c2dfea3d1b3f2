//! Our operations in PayTabs' words.

use mizan_money::Money;
use mizan_money::id::{OperationId, PaymentIntentId};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::BuildError;
use crate::http::{Auth, Body, Headers, HttpRequest, Method, Prior, Replay};
use crate::instrument::{Presence, RemoveInstrument, SaveInstrument, SavedInstrument};
use crate::model::{CaptureMethod, Confirmation, Finality, ProviderRef};
use crate::operation::{CapturePayment, CreatePayment, Operation, RefundPayment, VoidPayment};
use crate::paytabs::adapter::Access;
use crate::paytabs::amount::to_wire_amount;
use crate::reference;

/// Where everything that makes a transaction goes.
pub(super) const REQUEST: &str = "/payment/request";
/// Where transactions are asked about.
pub(super) const QUERY: &str = "/payment/query";
/// Where a saved instrument is forgotten.
pub(super) const DELETE_TOKEN: &str = "/payment/token/delete";

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 128;
/// Most characters of an address.
const MAX_ADDRESS: usize = 255;
/// A token of 32 hexadecimal digits is asked for (docs.paytabs.com, `tokenise`).
const TOKEN_FORMAT: u8 = 2;
/// What a register names: an amount is required, and none is taken.
const NOMINAL_MAJOR: i64 = 1;

#[derive(Serialize)]
struct Transaction<'a> {
    profile_id: u64,
    tran_type: &'static str,
    tran_class: &'static str,
    cart_id: String,
    cart_description: String,
    cart_currency: &'static str,
    cart_amount: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tran_ref: Option<&'a ProviderRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a ProviderRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokenise: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<&'a str>,
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hide_shipping: Option<bool>,
}

#[derive(Serialize)]
struct Query<'a> {
    profile_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tran_ref: Option<&'a ProviderRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cart_id: Option<String>,
}

#[derive(Serialize)]
struct DeleteToken<'a> {
    profile_id: u64,
    token: &'a ProviderRef,
}

/// Builds the request for an operation.
pub(super) fn build(access: &Access, op: &Operation) -> Result<HttpRequest, BuildError> {
    match op {
        Operation::Create(it) => post(access, REQUEST, &create(access, it)?),
        Operation::Capture(it) => post(access, REQUEST, &capture(access, it)?),
        Operation::Void(it) => post(access, REQUEST, &void(access, it)?),
        Operation::Refund(it) => post(access, REQUEST, &refund(access, it)?),
        Operation::SaveInstrument(it) => post(access, REQUEST, &register(access, it)?),
        Operation::Sync(it) => {
            query(access, Some(it.charge_ref.as_ref().unwrap_or(&it.provider_ref)), None)
        }
        Operation::SyncRefund(it) => query(access, Some(&it.provider_ref), None),
        Operation::SyncInstrument(it) => query(access, Some(&it.provider_ref), None),
        Operation::Find(sought) => match cart_id(sought) {
            Some(cart) => query(access, None, Some(cart)),
            None => unsupported(sought.kind().as_str()),
        },
        Operation::RemoveInstrument(RemoveInstrument { instrument }) => {
            let token = &instrument.token;
            post(access, DELETE_TOKEN, &DeleteToken { profile_id: access.profile_id, token })
        }
        Operation::Confirm(_) => {
            unsupported("a confirmation: the customer pays on the page that a create answers")
        }
        other => unsupported(other.kind().as_str()),
    }
}

/// Our reference of an operation, by which it is found again; none where it makes no transaction.
pub(super) fn cart_id(op: &Operation) -> Option<String> {
    match op {
        Operation::Create(it) => Some(reference::of_payment(it.payment, it.operation)),
        Operation::Capture(it) => Some(reference::of_payment(it.payment, it.operation)),
        Operation::Void(it) => Some(reference::of_payment(it.payment, it.operation)),
        Operation::Refund(it) => Some(reference::of_refund(it.refund, it.operation)),
        Operation::SaveInstrument(it) => Some(it.operation.to_string()),
        _ => None,
    }
}

/// The type of the transaction that an operation makes.
pub(super) fn tran_type(op: &Operation) -> Option<&'static str> {
    match op {
        Operation::Create(it) => Some(match it.capture {
            CaptureMethod::Automatic => "sale",
            CaptureMethod::Manual => "auth",
        }),
        Operation::Capture(_) => Some("capture"),
        Operation::Void(it) => Some(if it.charge_ref.is_some() { "release" } else { "void" }),
        Operation::Refund(_) => Some("refund"),
        Operation::SaveInstrument(_) => Some("register"),
        _ => None,
    }
}

/// Whether a text can be an address that PayTabs is told.
pub(super) fn is_address(text: &str) -> bool {
    let web = text.starts_with("https://") || text.starts_with("http://");
    web && text.len() <= MAX_ADDRESS && text.bytes().all(|b| b.is_ascii_graphic())
}

fn unsupported<T>(what: &'static str) -> Result<T, BuildError> {
    Err(BuildError::Unsupported { provider: "paytabs", what })
}

fn refuse<T>(field: &'static str, problem: &'static str) -> Result<T, BuildError> {
    Err(BuildError::Field { field, problem })
}

/// A payment: on a page, or at once with a saved instrument. The shop's pairs stay with us:
/// PayTabs has no place for them.
fn create<'a>(access: &'a Access, it: &'a CreatePayment) -> Result<Transaction<'a>, BuildError> {
    if it.confirmation == Confirmation::Later {
        return unsupported("a confirmation later: a page is open to the customer at once");
    }
    if it.payment_method.is_some() {
        return refuse("payment_method", "the customer chooses it on PayTabs' page: leave it out");
    }
    if it.instrument.is_some() && it.keep.is_some() {
        return refuse("keep", "the instrument is saved already");
    }
    let cart = Cart::of(it.payment, it.operation, it.amount);
    let kind = match it.capture {
        CaptureMethod::Automatic => "sale",
        CaptureMethod::Manual => "auth",
    };
    let body = cart.transaction(access, kind, description(it.description.as_deref())?)?;
    let body = Transaction { callback: access.notify_url.as_deref(), ..body };
    let return_url = address("return_url", it.return_url.as_deref())?;
    let Some(charge) = &it.instrument else {
        let tokenise = it.keep.is_some().then_some(TOKEN_FORMAT);
        return Ok(Transaction { tokenise, return_url, hide_shipping: Some(true), ..body });
    };
    let SavedInstrument { token, first_charge, .. } = &charge.instrument;
    let body = Transaction { token: Some(token), tran_ref: first_charge.as_ref(), ..body };
    match charge.presence {
        Presence::OnSession => Ok(Transaction { return_url, hide_shipping: Some(true), ..body }),
        Presence::OffSession if first_charge.is_none() => {
            refuse("first_charge", "PayTabs wants the transaction that first proved the card")
        }
        Presence::OffSession => Ok(Transaction { tran_class: "recurring", ..body }),
    }
}

/// A capture of an auth, all or a part, once.
fn capture<'a>(access: &Access, it: &'a CapturePayment) -> Result<Transaction<'a>, BuildError> {
    if it.finality == Finality::More || !it.captured_before.is_zero() {
        return unsupported("several captures: a hold is captured once, all or a part");
    }
    let cart = Cart::of(it.payment, it.operation, it.amount);
    cart.following(access, "capture", &it.provider_ref)
}

/// A void of a whole hold, or, once something was captured, a release of what that left of it: the
/// amount is the rest then.
fn void<'a>(access: &Access, it: &'a VoidPayment) -> Result<Transaction<'a>, BuildError> {
    let kind = if it.charge_ref.is_some() { "release" } else { "void" };
    let cart = Cart::of(it.payment, it.operation, it.amount);
    cart.following(access, kind, &it.provider_ref)
}

/// A refund of what took the money.
fn refund<'a>(access: &Access, it: &'a RefundPayment) -> Result<Transaction<'a>, BuildError> {
    let cart_id = reference::of_refund(it.refund, it.operation);
    let cart = Cart { cart_id, of: it.payment.to_string(), amount: it.amount };
    cart.following(access, "refund", it.charge_ref.as_ref().unwrap_or(&it.provider_ref))
}

/// Saving alone: the customer enters the card on a page, and it is verified.
fn register<'a>(access: &'a Access, it: &'a SaveInstrument) -> Result<Transaction<'a>, BuildError> {
    if it.payment_method.is_some() {
        return refuse("payment_method", "the customer enters it on PayTabs' page: leave it out");
    }
    let minor = 10_i64.checked_pow(it.currency.exponent()).unwrap_or(1) * NOMINAL_MAJOR;
    let cart = Cart {
        cart_id: it.operation.to_string(),
        of: it.keep.customer.to_string(),
        amount: Money::new(minor, it.currency),
    };
    let body = cart.transaction(access, "register", None)?;
    Ok(Transaction {
        tokenise: Some(TOKEN_FORMAT),
        callback: access.notify_url.as_deref(),
        return_url: address("return_url", it.return_url.as_deref())?,
        hide_shipping: Some(true),
        ..body
    })
}

/// What every transaction is about.
struct Cart {
    cart_id: String,
    /// What it is named by for people, where they gave no description.
    of: String,
    amount: Money,
}

impl Cart {
    fn of(payment: PaymentIntentId, operation: OperationId, amount: Money) -> Self {
        let cart_id = reference::of_payment(payment, operation);
        Self { cart_id, of: payment.to_string(), amount }
    }

    fn transaction<'a>(
        self,
        access: &Access,
        tran_type: &'static str,
        description: Option<&str>,
    ) -> Result<Transaction<'a>, BuildError> {
        let wire = to_wire_amount(self.amount)?;
        let plain = || format!("{tran_type} of {}", self.of);
        Ok(Transaction {
            profile_id: access.profile_id,
            tran_type,
            tran_class: "ecom",
            cart_description: description.map_or_else(plain, ToOwned::to_owned),
            cart_id: self.cart_id,
            cart_currency: wire.currency,
            cart_amount: wire.number,
            tran_ref: None,
            token: None,
            tokenise: None,
            callback: None,
            return_url: None,
            hide_shipping: None,
        })
    }

    fn following<'a>(
        self,
        access: &Access,
        tran_type: &'static str,
        parent: &'a ProviderRef,
    ) -> Result<Transaction<'a>, BuildError> {
        let body = self.transaction(access, tran_type, None)?;
        Ok(Transaction { tran_ref: Some(parent), ..body })
    }
}

fn description(text: Option<&str>) -> Result<Option<&str>, BuildError> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) if text.chars().count() > MAX_DESCRIPTION => {
            refuse("description", "PayTabs keeps 128 characters")
        }
        text => Ok(text),
    }
}

fn address<'a>(field: &'static str, text: Option<&'a str>) -> Result<Option<&'a str>, BuildError> {
    match text {
        Some(text) if !is_address(text) => {
            refuse(field, "an absolute http or https address of at most 255 characters")
        }
        text => Ok(text),
    }
}

fn query(
    access: &Access,
    tran_ref: Option<&ProviderRef>,
    cart_id: Option<String>,
) -> Result<HttpRequest, BuildError> {
    let body = Query { profile_id: access.profile_id, tran_ref, cart_id };
    Ok(HttpRequest { replay: Replay::Query, ..post(access, QUERY, &body)? })
}

/// A write; there are no keys, so it is never repeated without asking first.
fn post(
    access: &Access,
    path: &'static str,
    body: &impl Serialize,
) -> Result<HttpRequest, BuildError> {
    let problem = "it cannot be said in JSON";
    let body =
        serde_json::to_string(body).map_err(|_| BuildError::Field { field: "body", problem })?;
    Ok(HttpRequest {
        method: Method::Post,
        path: path.to_owned(),
        query: None,
        headers: Headers::new(),
        auth: Auth::Header { name: "authorization", value: access.server_key.clone() },
        body: Body::Json(body),
        replay: Replay::Once,
        prior: Prior::None,
        retry_header: None,
    })
}
