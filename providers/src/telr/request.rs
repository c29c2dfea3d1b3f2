//! Our operations in Telr's words: the hosted page by form, the rest in [`super::remote`].

use mizan_money::Money;

use crate::error::BuildError;
use crate::http::{Auth, Body, Headers, HttpRequest, KEY_PLACE, Method, Prior, Replay};
use crate::instrument::SaveInstrument;
use crate::model::{CaptureMethod, Confirmation, ProviderRef};
use crate::operation::{CreatePayment, Operation};
use crate::reference;
use crate::telr::amount::to_wire;
use crate::telr::settings::{ServiceAccess, Settings, is_address, is_number};
use crate::telr::{remote, settlement};

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 63;

/// Builds the request for an operation.
pub(super) fn build(access: &Settings, op: &Operation) -> Result<HttpRequest, BuildError> {
    match op {
        Operation::Create(it) => match &it.instrument {
            Some(saved) => remote::charge(access, it, saved),
            None => page(access, it),
        },
        Operation::Capture(it) => remote::capture(access, it),
        Operation::Void(it) => remote::release(access, it),
        Operation::Refund(it) => remote::refund(access, it),
        Operation::Sync(it) if is_transaction(&it.provider_ref) => {
            look(access, &it.provider_ref.to_string(), "a query about a charge of a saved card")
        }
        Operation::Sync(it) => check(access, &it.provider_ref),
        Operation::SyncRefund(it) => {
            look(access, &it.provider_ref.to_string(), "a query about a refund")
        }
        Operation::Find(sought) => find(access, sought),
        Operation::SaveInstrument(it) => save(access, it),
        Operation::SyncInstrument(it) => check(access, &it.provider_ref),
        Operation::ListSettlement(it) => settlement::request(access, it),
        Operation::Confirm(_) => unsupported("a confirmation: the customer pays on Telr's page"),
        Operation::RemoveInstrument(_) => {
            unsupported("forgetting a card: it is known by the transaction that first used it")
        }
        other => unsupported(other.kind().as_str()),
    }
}

pub(super) fn unsupported<T>(what: &'static str) -> Result<T, BuildError> {
    Err(BuildError::Unsupported { provider: "telr", what })
}

/// Whether a reference is a transaction's and not an order's.
pub(super) fn is_transaction(reference: &ProviderRef) -> bool {
    is_number(reference.as_str())
}

/// The transaction to act on.
pub(super) fn parent<'a>(
    payment: &'a ProviderRef,
    charge: Option<&'a ProviderRef>,
) -> Result<&'a ProviderRef, BuildError> {
    charge.or(Some(payment)).filter(|it| is_transaction(it)).ok_or(BuildError::Field {
        field: "charge_ref",
        problem: "no transaction of this order has been told yet: ask what became of it first; a \
                  page nobody paid on ends by itself",
    })
}

/// A hosted page. The same cart id is refused the second time, which is how a repetition shows.
fn page(access: &Settings, it: &CreatePayment) -> Result<HttpRequest, BuildError> {
    if it.confirmation == Confirmation::Later {
        return unsupported("a confirmation later: the page is open to the customer at once");
    }
    if it.payment_method.is_some() {
        let problem = "the customer chooses it on Telr's page: leave it out";
        return Err(BuildError::Field { field: "payment_method", problem });
    }
    let cart = reference::of_payment(it.payment, it.operation);
    let kind = match it.capture {
        CaptureMethod::Automatic => "sale",
        CaptureMethod::Manual => "auth",
    };
    let order = NewOrder {
        description: description(it.description.as_deref(), &cart),
        cart,
        amount: to_wire(it.amount, access.two_decimals)?,
        currency: it.amount.currency().code(),
        kind,
        return_url: it.return_url.as_deref(),
        customer: it.keep.as_ref().map(|keep| keep.customer.to_string()),
    };
    create(access, &order)
}

/// A page that checks a card and takes no money; the transaction is what is charged later.
fn save(access: &Settings, it: &SaveInstrument) -> Result<HttpRequest, BuildError> {
    if it.payment_method.is_some() {
        let problem = "the customer enters the card on Telr's page: leave it out";
        return Err(BuildError::Field { field: "payment_method", problem });
    }
    // Nothing of it is taken or held; an amount of nothing is no amount for Telr.
    let one = Money::new(it.currency.minor_per_major(), it.currency);
    let order = NewOrder {
        cart: it.operation.to_string(),
        description: it.operation.to_string(),
        amount: to_wire(one, access.two_decimals)?,
        currency: it.currency.code(),
        kind: "verify",
        return_url: it.return_url.as_deref(),
        customer: Some(it.keep.customer.to_string()),
    };
    create(access, &order)
}

struct NewOrder<'a> {
    cart: String,
    description: String,
    amount: String,
    currency: &'static str,
    kind: &'static str,
    return_url: Option<&'a str>,
    customer: Option<String>,
}

fn create(access: &Settings, it: &NewOrder<'_>) -> Result<HttpRequest, BuildError> {
    let back = it.return_url.filter(|url| is_address(url)).ok_or(BuildError::Field {
        field: "return_url",
        problem: "the customer comes back from Telr's page to an absolute http or https address",
    })?;
    let mut pairs = vec![
        ("ivp_cart", it.cart.as_str()),
        ("ivp_test", if access.test { "1" } else { "0" }),
        ("ivp_framed", "0"),
        ("ivp_amount", &it.amount),
        ("ivp_currency", it.currency),
        ("ivp_trantype", it.kind),
        ("ivp_desc", &it.description),
        ("return_auth", back),
        ("return_can", back),
        ("return_decl", back),
    ];
    if let Some(url) = &access.notify_url {
        pairs.push(("ivp_update_url", url));
    }
    if let Some(customer) = &it.customer {
        pairs.push(("bill_custref", customer));
    }
    let request = order(access, "create", &pairs)?;
    Ok(HttpRequest { replay: Replay::Keyed, ..request })
}

fn check(access: &Settings, reference: &ProviderRef) -> Result<HttpRequest, BuildError> {
    order(access, "check", &[("order_ref", reference.as_str())])
}

/// A form for `order.json`, the key's place before anything of a customer's.
fn order(
    access: &Settings,
    method: &str,
    pairs: &[(&str, &str)],
) -> Result<HttpRequest, BuildError> {
    let rest = serde_urlencoded::to_string(pairs)
        .map_err(|_| BuildError::Field { field: "order", problem: "it cannot be encoded" })?;
    let store = &access.store_id;
    let text = format!("ivp_method={method}&ivp_store={store}&ivp_authkey={KEY_PLACE}&{rest}");
    let auth = Auth::InBody(access.auth_key.clone());
    let path = "/gateway/order.json".to_owned();
    Ok(HttpRequest { auth, body: Body::Form(text), ..bare(Method::Post, path) })
}

/// What became of an operation whose answer was lost. There is nothing to find of an order: one
/// that nobody paid on is in no list.
fn find(access: &Settings, sought: &Operation) -> Result<HttpRequest, BuildError> {
    let linked = |payment, charge| {
        let parent = parent(payment, charge)?;
        look(access, &format!("{parent}/linked"), "a search without access to the Service API")
    };
    match sought {
        Operation::Create(it) if it.instrument.is_some() => {
            let cart = reference::of_payment(it.payment, it.operation);
            look(access, &format!("{cart}/cart"), "a search without access to the Service API")
        }
        Operation::Capture(it) => linked(&it.provider_ref, it.charge_ref.as_ref()),
        Operation::Void(it) => linked(&it.provider_ref, it.charge_ref.as_ref()),
        Operation::Refund(it) => linked(&it.provider_ref, it.charge_ref.as_ref()),
        Operation::Create(_) => unsupported("a search for a page: send the same again instead"),
        other => unsupported(other.kind().as_str()),
    }
}

fn look(access: &Settings, what: &str, without: &'static str) -> Result<HttpRequest, BuildError> {
    let service = access.service.as_ref().map_or_else(|| unsupported(without), Ok)?;
    Ok(get(service, format!("/tools/api/xml/transaction/{what}"), None))
}

/// A question to the Service or the Accounts API.
pub(super) fn get(access: &ServiceAccess, path: String, query: Option<String>) -> HttpRequest {
    let auth = Auth::Basic { user: access.merchant_id.clone(), password: access.api_key.clone() };
    HttpRequest { query, auth, ..bare(Method::Get, path) }
}

pub(super) fn bare(method: Method, path: String) -> HttpRequest {
    HttpRequest {
        method,
        path,
        query: None,
        headers: Headers::new(),
        auth: Auth::None,
        body: Body::Empty,
        replay: Replay::Query,
        prior: Prior::None,
        retry_header: None,
    }
}

/// The shop's description, cut to what Telr takes. One with other letters than the card networks
/// take (docs.telr.com, remote interface: Latin ones) gives way to our reference: no payment is
/// refused for a decoration.
pub(super) fn description(text: Option<&str>, otherwise: &str) -> String {
    let latin = |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{17f}');
    let text = text.map(str::trim).filter(|it| !it.is_empty() && it.chars().all(latin));
    text.unwrap_or(otherwise).chars().take(MAX_DESCRIPTION).collect()
}
