//! PayPal's orders and saved instruments, as the bank's records look in its words.

use mizan_money::Timestamp;
use serde_json::{Map, Value, json};

use super::extra::{self, Fate, OrderExtra};
use super::time::iso;
use crate::bank::record::{CaptureMode, Order, OrderState, Token};
use crate::bank::state::State;
use crate::bank::work::Work;

/// The shop's account.
pub const MERCHANT: &str = "SIM4PAYPAL7MC";
/// The buyer's account.
pub const PAYER: &str = "QYR5Z8XDVJNXQ";
const PAYER_EMAIL: &str = "customer@example.com";

/// A state, and the base address that its links have.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub state: &'a State,
    pub base: &'a str,
}

/// One address of an object.
pub fn link(base: &str, rel: &str, method: &str, path: &str) -> Value {
    json!({ "href": format!("{base}{path}"), "rel": rel, "method": method })
}

/// Leaves out what is null.
pub fn compact(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}

/// How much of an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// `Prefer: return=minimal`, also when nothing is said.
    Minimal,
    /// `Prefer: return=representation`.
    Full,
}

/// The word for an order's state. It says nothing about the money.
fn order_status(state: &State, order: &Order, extra: &OrderExtra) -> &'static str {
    if extra::shown(state, &order.id).next().is_some() {
        return "COMPLETED";
    }
    match order.state {
        OrderState::Open if extra.source.is_some() => "PAYER_ACTION_REQUIRED",
        OrderState::Open => "CREATED",
        OrderState::Approved => "APPROVED",
        OrderState::Paid => "COMPLETED",
        OrderState::Cancelled | OrderState::Expired => "VOIDED",
    }
}

fn payer() -> Value {
    json!({
        "name": { "given_name": "John", "surname": "Doe" },
        "email_address": PAYER_EMAIL,
        "payer_id": PAYER,
    })
}

impl<'a> View<'a> {
    pub fn of(work: &'a Work<'_>) -> Self {
        Self { state: work.state, base: &work.settings.public_url }
    }

    /// One address of an object.
    pub fn link(&self, rel: &str, method: &str, path: &str) -> Value {
        link(self.base, rel, method, path)
    }

    /// Where a browser pays.
    pub fn page(&self, id: &str) -> String {
        format!("{}/hosted/paypal/{id}", self.base)
    }

    /// An order.
    pub fn order(&self, order: &Order, extent: Extent) -> Value {
        let extra = OrderExtra::of(order);
        let status = order_status(self.state, order, &extra);
        let links = self.order_links(order, status);
        let mut body = json!({ "id": order.id, "status": status, "links": links });
        let is_done = status == "COMPLETED";
        if extent == Extent::Minimal && !is_done {
            return body;
        }
        if extra.approved {
            body["payer"] = payer();
        }
        let source = self.payment_source(order, &extra);
        if !source.is_null() {
            body["payment_source"] = source;
        }
        let mut unit = json!({ "reference_id": extra.reference_id });
        if extent == Extent::Full {
            unit = compact(json!({
                "reference_id": extra.reference_id,
                "amount": extra.amount,
                "payee": { "merchant_id": MERCHANT },
                "description": extra.description,
                "custom_id": extra.custom_id,
                "invoice_id": extra.invoice_id,
            }));
            let name = if order.capture == CaptureMode::Manual { "AUTHORIZE" } else { "CAPTURE" };
            body["intent"] = name.into();
            body["create_time"] = iso(order.created).into();
            body["update_time"] = iso(self.updated(order)).into();
        }
        let payments = self.payments(order);
        if payments.as_object().is_some_and(|payments| !payments.is_empty()) {
            unit["payments"] = payments;
        }
        body["purchase_units"] = json!([unit]);
        body
    }

    fn updated(&self, order: &Order) -> Timestamp {
        let payments = extra::shown(self.state, &order.id);
        let times = payments.flat_map(|payment| {
            let captures = self.state.captures_of(&payment.id).map(|capture| capture.created);
            let refunds = self.state.refunds_of(&payment.id).map(|refund| refund.created);
            captures.chain(refunds).chain([payment.created])
        });
        times.max().unwrap_or(order.created)
    }

    fn order_links(&self, order: &Order, status: &str) -> Value {
        let path = format!("/v2/checkout/orders/{}", order.id);
        let mut links = vec![self.link("self", "GET", &path)];
        let page = |rel: &str| json!({ "href": self.page(&order.id), "rel": rel, "method": "GET" });
        let take = if order.capture == CaptureMode::Manual { "authorize" } else { "capture" };
        match status {
            "CREATED" => {
                links.push(page("approve"));
                links.push(self.link("update", "PATCH", &path));
                links.push(self.link(take, "POST", &format!("{path}/{take}")));
            }
            "PAYER_ACTION_REQUIRED" => links.push(page("payer-action")),
            "APPROVED" => {
                links.push(self.link("update", "PATCH", &path));
                links.push(self.link(take, "POST", &format!("{path}/{take}")));
            }
            _ => {}
        }
        Value::Array(links)
    }

    /// What is paid with, and what was saved of it.
    fn payment_source(&self, order: &Order, extra: &OrderExtra) -> Value {
        let paid = extra.method.as_deref().or(extra.source.as_deref());
        let Some(kind) = paid else { return Value::Null };
        let mut fields = instrument(kind, "Visa", "1111");
        if extra.approved && kind != "card" {
            fields["name"] = json!({ "given_name": "John", "surname": "Doe" });
            fields["account_id"] = PAYER.into();
        }
        let payments = extra::shown(self.state, &order.id);
        let saved = payments.filter_map(|payment| payment.token.as_deref()).next_back();
        let saved = saved.filter(|_| extra.vault_id.is_none());
        if let Some(token) = saved.and_then(|id| self.state.tokens.get(id)) {
            let vault = compact(json!({
                "id": token.id, "status": "VAULTED",
                "customer": token.customer.as_ref().map(|id| json!({ "id": id })),
            }));
            fields["attributes"] = json!({ "vault": vault });
        }
        let mut source = Map::new();
        source.insert(source_name(kind).to_owned(), fields);
        if let Some(passed) = extra.challenge {
            let card = source.entry("card").or_insert_with(|| json!({}));
            card["authentication_result"] = authentication(passed);
        }
        Value::Object(source)
    }

    /// The money objects of an order, by kind.
    fn payments(&self, order: &Order) -> Value {
        let (mut captures, mut authorizations, mut refunds) = (Vec::new(), Vec::new(), Vec::new());
        for payment in extra::shown(self.state, &order.id) {
            if payment.capture == CaptureMode::Manual {
                authorizations.push(self.authorization(payment));
            }
            let taken: Vec<_> = self.state.captures_of(&payment.id).collect();
            captures.extend(taken.iter().map(|capture| self.capture(payment, capture)));
            if taken.is_empty() && payment.capture == CaptureMode::Automatic {
                captures.push(self.untaken(payment));
            }
            refunds.extend(self.state.refunds_of(&payment.id).map(|refund| self.refund(refund)));
        }
        let list = |items: Vec<Value>| match items.is_empty() {
            true => Value::Null,
            false => Value::Array(items),
        };
        compact(json!({
            "authorizations": list(authorizations),
            "captures": list(captures),
            "refunds": list(refunds),
        }))
    }
}

/// Only the id, the status and the addresses.
pub fn minimal(object: &Value) -> Value {
    json!({ "id": object["id"], "status": object["status"], "links": object["links"] })
}

/// What a 3-D Secure challenge came to.
fn authentication(passed: bool) -> Value {
    let (shift, status) = if passed { ("POSSIBLE", "Y") } else { ("NO", "N") };
    json!({
        "liability_shift": shift,
        "three_d_secure": { "enrollment_status": "Y", "authentication_status": status },
    })
}

/// The name under which an instrument stands in a `payment_source`.
pub fn source_name(kind: &str) -> &str {
    if kind == "card" { "card" } else { "paypal" }
}

/// What an instrument shows of itself.
fn instrument(kind: &str, brand: &str, last4: &str) -> Value {
    match kind {
        "card" => json!({ "brand": brand.to_uppercase(), "last_digits": last4 }),
        _ => json!({ "email_address": PAYER_EMAIL }),
    }
}

/// A saved instrument, as the vault shows it.
pub fn token_source(token: &Token) -> Value {
    let own = &token.instrument;
    let mut source = Map::new();
    let fields = instrument(&own.kind, &own.brand, &own.last4);
    source.insert(source_name(&own.kind).to_owned(), fields);
    Value::Object(source)
}

/// Whether this fate is a refusal that lets the buyer choose again.
pub fn lets_choose_again(fate: &Fate) -> bool {
    matches!(fate, Fate::Refused(issue) if issue == "INSTRUMENT_DECLINED")
}
