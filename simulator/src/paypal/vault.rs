//! Saved instruments: setup tokens that a buyer approves, and the payment tokens made of them.
//!
//! A setup token is kept as an order of zero, so that the hosted page can ask the buyer.

use mizan_money::Currency;
use serde_json::{Value, json};

use super::error::Error;
use super::extra::OrderExtra;
use super::once;
use super::order::instrument;
use super::time::days;
use super::view::{View, compact, source_name, token_source};
use super::{UPPER, new_id, object};
use crate::bank::order::{self as core, NewOrder};
use crate::bank::record::{CaptureMode, Metadata, Order, OrderState, Returns, Token};
use crate::bank::request::Request;
use crate::bank::token;
use crate::bank::wire::{Answer, Happened};
use crate::bank::work::Work;

const SETUP_DAYS: i64 = 3;

fn setup(work: &Work<'_>, id: &str) -> Result<Order, Error> {
    let order = work.state.orders.get(id).filter(|order| OrderExtra::of(order).setup);
    order.cloned().ok_or_else(Error::missing)
}

/// `POST /v3/vault/setup-tokens`.
pub fn create_setup(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let body = object(request)?;
    let made = once::once(work, request, once::order_window(), |work| {
        let source = body["payment_source"].as_object().and_then(|source| source.iter().next());
        let (kind, fields) = source.ok_or_else(|| Error::missing_field("/payment_source"))?;
        if !matches!(kind.as_str(), "paypal" | "card") {
            return Err(Error::unknown_value("/payment_source"));
        }
        let context = &fields["experience_context"];
        let address = |name: &str| context[name].as_str().map(str::to_owned);
        let customer = body["customer"]["id"].as_str().map(str::to_owned);
        let extra = OrderExtra {
            setup: true,
            source: Some(kind.clone()),
            method: Some(kind.clone()),
            ..OrderExtra::default()
        };
        let new = NewOrder {
            id: new_id(work),
            reference: String::new(),
            amount: 0,
            currency: Currency::USD,
            capture: CaptureMode::Manual,
            metadata: Metadata::new(),
            returns: Returns {
                paid: address("return_url"),
                declined: address("cancel_url"),
                cancelled: address("cancel_url"),
            },
            notify_url: None,
            expires_at: Some(work.now + days(SETUP_DAYS)),
            hold: None,
            customer: Some(customer.unwrap_or_else(|| work.new_text(UPPER, 10))),
            wire: extra.wire(),
        };
        Ok(core::open(work, new).id)
    })?;
    let shown = show_setup(work, &made.id)?;
    Ok(Answer::json(made.status(), &shown))
}

/// `GET /v3/vault/setup-tokens/{id}`.
pub fn get_setup(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    Ok(Answer::json(200, &show_setup(work, id)?))
}

fn show_setup(work: &Work<'_>, id: &str) -> Result<Value, Error> {
    let order = setup(work, id)?;
    let view = View::of(work);
    let extra = OrderExtra::of(&order);
    let (status, rel) = match order.state {
        OrderState::Open => ("PAYER_ACTION_REQUIRED", "approve"),
        OrderState::Approved => ("APPROVED", "confirm"),
        OrderState::Paid => ("VAULTED", "self"),
        // A setup token that is too old is gone.
        OrderState::Cancelled | OrderState::Expired => return Err(Error::missing()),
    };
    let mut links = vec![view.link("self", "GET", &format!("/v3/vault/setup-tokens/{id}"))];
    match rel {
        "approve" => {
            links.push(json!({ "href": view.page(id), "rel": rel, "method": "GET" }));
        }
        "confirm" => links.push(view.link(rel, "POST", "/v3/vault/payment-tokens")),
        _ => {}
    }
    let mut body = json!({
        "id": id,
        "customer": { "id": order.customer },
        "status": status,
        "links": links,
    });
    body["payment_source"] = json!({});
    let kind = extra.method.as_deref().unwrap_or("paypal");
    body["payment_source"][source_name(kind)] = json!({});
    Ok(body)
}

/// `POST /v3/vault/payment-tokens`: from an approved setup token.
pub fn create(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let body = object(request)?;
    let made = once::once(work, request, once::order_window(), |work| {
        let given = &body["payment_source"]["token"];
        let missing = || Error::missing_field("/payment_source/token/id");
        let id = given["id"].as_str().ok_or_else(missing)?;
        if given["type"] != "SETUP_TOKEN" {
            return Err(Error::unknown_value("/payment_source/token/type"));
        }
        let order = setup(work, id)?;
        if order.state != OrderState::Approved {
            let text = "The setup token was not approved by the payer, or was used.";
            return Err(Error::issue("SETUP_TOKEN_NOT_APPROVED", text));
        }
        Ok(keep(work, order))
    })?;
    let token = found(work, &made.id)?;
    Ok(Answer::json(made.status(), &show(work, &token)))
}

/// No money is in it, so the record is written here; the setup token is used up.
fn keep(work: &mut Work<'_>, mut order: Order) -> String {
    let extra = OrderExtra::of(&order);
    let kind = extra.method.as_deref().unwrap_or("paypal");
    let refuses = extra.token_refusal.as_ref().map(|issue| json!({ "refuses": issue }));
    let token = Token {
        id: token_id(work),
        customer: order.customer.clone(),
        created: work.now,
        payment: String::new(),
        instrument: instrument(kind),
        active: true,
        wire: refuses.unwrap_or_default(),
    };
    let id = token.id.clone();
    (order.state, order.expires_at) = (OrderState::Paid, None);
    work.put(order);
    work.put(token);
    work.announce(Happened::TokenSaved, &id);
    id
}

/// A new id of a payment token.
pub fn token_id(work: &mut Work<'_>) -> String {
    work.new_text(UPPER, 17).to_lowercase()
}

fn found(work: &Work<'_>, id: &str) -> Result<Token, Error> {
    let token = work.state.tokens.get(id).filter(|token| token.active);
    token.cloned().ok_or_else(Error::missing)
}

/// A payment token.
pub fn show(work: &Work<'_>, token: &Token) -> Value {
    let path = format!("/v3/vault/payment-tokens/{}", token.id);
    let view = View::of(work);
    compact(json!({
        "id": token.id,
        "customer": token.customer.as_ref().map(|id| json!({ "id": id })),
        "payment_source": token_source(token),
        "links": [view.link("self", "GET", &path), view.link("delete", "DELETE", &path)],
    }))
}

/// `GET /v3/vault/payment-tokens/{id}`.
pub fn get(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let token = found(work, id)?;
    Ok(Answer::json(200, &show(work, &token)))
}

/// `GET /v3/vault/payment-tokens?customer_id=`.
pub fn list(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let customer = request.query_value("customer_id");
    let customer = customer.ok_or_else(|| Error::missing_field("customer_id"))?;
    let own = work.state.tokens.oldest_first();
    let own = own.filter(|it| it.active && it.customer.as_ref() == Some(&customer));
    let tokens: Vec<_> = own.map(|token| show(work, token)).collect();
    let body = json!({ "customer": { "id": customer }, "payment_tokens": tokens });
    Ok(Answer::json(200, &body))
}

/// `DELETE /v3/vault/payment-tokens/{id}`.
pub fn remove(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    token::remove(work, id).map_err(|_| Error::missing())?;
    let answer = Answer::json(204, &Value::Null);
    Ok(Answer { headers: Vec::new(), body: String::new(), ..answer })
}
