//! Follow-ups and charges of saved cards, in the XML of the remote interface.

use mizan_money::Money;

use crate::error::BuildError;
use crate::http::escape_xml;
use crate::http::{Auth, Body, HttpRequest, KEY_PLACE, Method, Replay};
use crate::instrument::ChargeSaved;
use crate::model::{CaptureMethod, Confirmation, Finality, ProviderRef};
use crate::operation::{CapturePayment, CreatePayment, RefundPayment, VoidPayment};
use crate::reference;
use crate::telr::amount::to_wire;
use crate::telr::request::{bare, description, is_transaction, parent, unsupported};
use crate::telr::settings::Settings;

struct Transaction<'a> {
    kind: &'static str,
    class: &'static str,
    cart: String,
    description: String,
    amount: Money,
    parent: &'a ProviderRef,
}

/// Charges a saved card under the agreement made with its first transaction.
pub(super) fn charge(
    access: &Settings,
    it: &CreatePayment,
    saved: &ChargeSaved,
) -> Result<HttpRequest, BuildError> {
    if it.confirmation == Confirmation::Later {
        return unsupported("a confirmation later: a saved card is charged at once");
    }
    if it.payment_method.is_some() {
        let problem = "a saved card is charged: leave it out";
        return Err(BuildError::Field { field: "payment_method", problem });
    }
    if !is_transaction(&saved.instrument.token) {
        let problem = "a saved card is the number of an earlier transaction";
        return Err(BuildError::Field { field: "instrument", problem });
    }
    let cart = reference::of_payment(it.payment, it.operation);
    let kind = match it.capture {
        CaptureMethod::Automatic => "sale",
        CaptureMethod::Manual => "auth",
    };
    let description = description(it.description.as_deref(), &cart);
    let parent = &saved.instrument.token;
    send(access, &Transaction { kind, class: "cont", cart, description, amount: it.amount, parent })
}

/// Takes a hold, all or a part, once. What a second capture would have to name, the first
/// transaction, is not what a refund has to name, the capture; we keep one of them.
pub(super) fn capture(access: &Settings, it: &CapturePayment) -> Result<HttpRequest, BuildError> {
    if it.finality == Finality::More || !it.captured_before.is_zero() {
        return unsupported("several captures of one hold");
    }
    let cart = reference::of_payment(it.payment, it.operation);
    let parent = parent(&it.provider_ref, it.charge_ref.as_ref())?;
    follow_up(access, "capture", cart, it.amount, parent)
}

/// Gives a hold back. `void` is for a sale of the same day, which is never asked of us.
pub(super) fn release(access: &Settings, it: &VoidPayment) -> Result<HttpRequest, BuildError> {
    let cart = reference::of_payment(it.payment, it.operation);
    let parent = parent(&it.provider_ref, it.charge_ref.as_ref())?;
    follow_up(access, "release", cart, it.amount, parent)
}

/// Gives money back, of the sale or of the capture.
pub(super) fn refund(access: &Settings, it: &RefundPayment) -> Result<HttpRequest, BuildError> {
    let cart = reference::of_refund(it.refund, it.operation);
    let parent = parent(&it.provider_ref, it.charge_ref.as_ref())?;
    follow_up(access, "refund", cart, it.amount, parent)
}

/// A follow-up says our reference twice: Telr may keep the first cart id of a payment instead of
/// a later one, and the description too is told when it is looked for.
fn follow_up(
    access: &Settings,
    kind: &'static str,
    cart: String,
    amount: Money,
    parent: &ProviderRef,
) -> Result<HttpRequest, BuildError> {
    let description = cart.clone();
    send(access, &Transaction { kind, class: "ecom", cart, description, amount, parent })
}

fn send(access: &Settings, it: &Transaction<'_>) -> Result<HttpRequest, BuildError> {
    let without = "what the remote interface does: the connection has no key for it";
    let key = access.remote_key.clone().map_or_else(|| unsupported(without), Ok)?;
    let amount = to_wire(it.amount, access.two_decimals)?;
    let test = if access.test { "1" } else { "0" };
    let text = [
        r#"<?xml version="1.0" encoding="UTF-8"?><remote>"#,
        &element("store", &access.store_id),
        "<key>",
        KEY_PLACE,
        "</key><tran>",
        &element("type", it.kind),
        &element("class", it.class),
        &element("cartid", &it.cart),
        &element("description", &it.description),
        &element("test", test),
        &element("currency", it.amount.currency().code()),
        &element("amount", &amount),
        &element("ref", it.parent.as_str()),
        "</tran></remote>",
    ]
    .concat();
    Ok(HttpRequest {
        auth: Auth::InBody(key),
        body: Body::Xml(text),
        replay: Replay::Once,
        ..bare(Method::Post, "/gateway/remote.xml".to_owned())
    })
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape_xml(text))
}
