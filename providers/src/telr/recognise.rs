//! Which operation a recorded exchange belongs to: from the request, else from the answer.
//!
//! What a recording does not say is made up so that it contradicts nothing; what it says is taken
//! at its word, so that only the amount that was wanted can differ.

use std::collections::BTreeMap;

use mizan_money::id::OperationId;
use mizan_money::{Currency, Money};
use serde_json::Value;

use crate::instrument::{ChargeSaved, Presence};
use crate::model::{CaptureMethod, Confirmation, Finality, ProviderRef, RefundReason, VoidReason};
use crate::operation::{
    CapturePayment, CreatePayment, Operation, RefundPayment, SyncPayment, VoidPayment,
};
use crate::provider::Recorded;
use crate::telr::amount::from_wire;
use crate::telr::wire::{self, Envelope, RestOrder, Text};
use crate::telr::xml::{self, Element};
use crate::telr::{facts, named};

/// What stands for a reference that a recording does not have.
const NONE: &str = "recorded";
/// What stands for a transaction that a recording does not have.
const NO_TRANSACTION: &str = "1";

/// What a recording says of the request, in whichever format.
#[derive(Debug, Default)]
struct Said {
    /// `create`, `check`, or the type of a transaction.
    what: String,
    /// Whether it charges a saved card.
    saved: bool,
    hold: bool,
    cart: Option<String>,
    /// The order or the parent transaction.
    reference: Option<String>,
    amount: Option<Money>,
}

/// The operation.
pub(super) fn operation(exchange: &Recorded) -> Option<Operation> {
    let mut said = request(exchange).or_else(|| answered(exchange))?;
    complete(&mut said, exchange);
    make(&said, exchange.wanted)
}

fn request(exchange: &Recorded) -> Option<Said> {
    let request = exchange.request.as_ref()?;
    let path = request.path.split('?').next().unwrap_or_default();
    let body = request.body.trim();
    if path.ends_with("/api/v1/orders") || path.ends_with("/gateway/order.json") {
        return if body.starts_with('{') { order_json(body) } else { order_form(body) };
    }
    if !path.contains("/gateway/remote.") {
        return None;
    }
    if body.starts_with('<') { remote_xml(body) } else { remote_form(body) }
}

fn order_form(body: &str) -> Option<Said> {
    let pairs = wire::form(body)?;
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, it)| it.clone());
    let text = |name: &str| get(name).unwrap_or_default();
    Some(Said {
        what: text("ivp_method"),
        saved: false,
        hold: text("ivp_trantype") == "auth",
        cart: get("ivp_cart"),
        reference: get("order_ref"),
        amount: from_wire(&text("ivp_amount"), &text("ivp_currency")).ok(),
    })
}

/// The JSON of `order.json`, and that of the newer interface.
fn order_json(body: &str) -> Option<Said> {
    let body: Value = serde_json::from_str(body).ok()?;
    let text = |path: &str| match body.pointer(path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let either = |one: &str, other: &str| text(one).or_else(|| text(other));
    let kind = either("/order/trantype", "/transactionType").unwrap_or_default();
    let amount = either("/order/amount", "/amount/value").unwrap_or_default();
    let currency = either("/order/currency", "/amount/currency").unwrap_or_default();
    Some(Said {
        what: text("/method").unwrap_or_else(|| "create".to_owned()),
        saved: false,
        hold: kind.eq_ignore_ascii_case("auth"),
        cart: either("/order/cartid", "/cartId"),
        reference: text("/order/ref"),
        amount: from_wire(&amount, &currency).ok(),
    })
}

fn remote_form(body: &str) -> Option<Said> {
    let pairs = wire::form(body)?;
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, it)| it.clone());
    let text = |name: &str| get(name).unwrap_or_default();
    let kind = text("ivp_trantype");
    Some(Said {
        saved: matches!(kind.as_str(), "sale" | "auth"),
        hold: kind == "auth",
        what: kind,
        cart: get("ivp_cart"),
        reference: get("tran_ref"),
        amount: from_wire(&text("ivp_amount"), &text("ivp_currency")).ok(),
    })
}

fn remote_xml(body: &str) -> Option<Said> {
    let root = xml::read(body).ok()?;
    let tran = root.child("tran").cloned().unwrap_or_else(Element::default);
    let text = |name: &str| tran.get(name).unwrap_or_default();
    let kind = text("type").to_owned();
    Some(Said {
        saved: matches!(kind.as_str(), "sale" | "auth"),
        hold: kind == "auth",
        what: kind,
        cart: tran.get("cartid").map(ToOwned::to_owned),
        reference: tran.get("ref").map(ToOwned::to_owned),
        amount: from_wire(text("amount"), text("currency")).ok(),
    })
}

/// Without a request the answer's shape tells, and then what the recording was called.
fn answered(exchange: &Recorded) -> Option<Said> {
    let text = std::str::from_utf8(&exchange.answer.body).ok()?.trim();
    if let Ok(it) = serde_json::from_str::<Envelope>(text)
        && let Some(method) = it.method
    {
        return Some(Said { what: method, ..Said::default() });
    }
    let word = ["capture", "refund", "void", "release", "query", "check"];
    let word = word.into_iter().find(|word| exchange.kind.contains(word));
    let what = match word {
        Some("query" | "check") => "check",
        Some(word) => word,
        None if wire::remote(text).is_ok() => "sale",
        None => "create",
    };
    Some(Said { what: what.to_owned(), saved: what == "sale", ..Said::default() })
}

/// What the request left open, from the answer.
fn complete(said: &mut Said, exchange: &Recorded) {
    let Ok(text) = std::str::from_utf8(&exchange.answer.body) else { return };
    let own = |text: Option<&Text>| Text::said(text).map(ToOwned::to_owned);
    if let Ok(RestOrder { cart, amount, .. }) = serde_json::from_str(text) {
        said.cart = said.cart.take().or(own(cart.as_ref()));
        let told = amount.and_then(|it| from_wire(&it.value.0, &it.currency.0).ok());
        said.amount = said.amount.or(told);
    } else if let Ok(Envelope { order: Some(order), .. }) = serde_json::from_str(text) {
        said.cart = said.cart.take().or(own(order.cartid.as_ref()));
        said.reference = said.reference.take().or(own(order.reference.as_ref()));
        let (amount, currency) = (own(order.amount.as_ref()), own(order.currency.as_ref()));
        let told = amount.zip(currency).and_then(|(it, code)| from_wire(&it, &code).ok());
        said.amount = said.amount.or(told);
    } else if let Ok(remote) = wire::remote(text) {
        said.cart = said.cart.take().or(remote.cart);
    }
}

fn make(said: &Said, wanted: Option<Money>) -> Option<Operation> {
    let amount = wanted.or(said.amount).unwrap_or(Money::new(100, Currency::AED));
    let cart = said.cart.as_deref().unwrap_or(NONE);
    let payment = named::payment(cart)?;
    let operation: OperationId = named::foreign("op", cart)?;
    let told = said.reference.as_deref();
    let parent = told.and_then(facts::transaction).or(ProviderRef::parse(NO_TRANSACTION).ok())?;
    let provider_ref = parent.clone();
    let charge_ref = Some(parent);
    Some(match said.what.as_str() {
        "check" => {
            let order = ProviderRef::parse(told.unwrap_or(NONE)).ok()?;
            Operation::Sync(SyncPayment { payment, provider_ref: order, charge_ref: None, amount })
        }
        "capture" => Operation::Capture(CapturePayment {
            payment,
            operation,
            provider_ref,
            charge_ref,
            authorised: amount,
            captured_before: Money::zero(amount.currency()),
            amount: said.amount.unwrap_or(amount),
            finality: Finality::Final,
        }),
        "void" | "release" => Operation::Void(VoidPayment {
            payment,
            operation,
            provider_ref,
            charge_ref,
            amount,
            reason: VoidReason::RequestedByCustomer,
        }),
        "refund" => Operation::Refund(RefundPayment {
            payment,
            refund: named::refund(cart)?,
            operation,
            provider_ref,
            charge_ref,
            amount,
            reason: RefundReason::Other,
            known_refunds: Vec::new(),
        }),
        "create" | "sale" | "auth" => {
            let saved = ChargeSaved {
                instrument: facts::saved(provider_ref),
                presence: Presence::OffSession,
            };
            Operation::Create(CreatePayment {
                payment,
                operation,
                amount,
                capture: if said.hold { CaptureMethod::Manual } else { CaptureMethod::Automatic },
                payment_method: None,
                confirmation: Confirmation::Now,
                return_url: None,
                description: None,
                metadata: BTreeMap::new(),
                instrument: said.saved.then_some(saved),
                keep: None,
            })
        }
        _ => return None,
    })
}
