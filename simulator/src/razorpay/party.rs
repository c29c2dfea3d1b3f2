//! Customers, their saved instruments, and charges without the buyer.

use serde_json::{Value, json};

use super::error::Error;
use super::params::{Fields, all, notes};
use super::view;
use crate::bank::record::Document;
use crate::bank::request::Request;
use crate::bank::token;
use crate::bank::work::{Refusal, Work};

/// `POST /v1/customers`: with `fail_existing` 0 the one that is there.
pub fn create(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let (email, contact) = (fields.text("email"), fields.text("contact"));
    let same = |document: &&Document| {
        document.kind == "customer"
            && document.body["email"].as_str() == email
            && document.body["contact"].as_str() == contact
    };
    if let Some(known) = work.state.documents.oldest_first().find(same) {
        let returns_known =
            fields.value("fail_existing").is_some() && !fields.is_on("fail_existing");
        return match returns_known {
            true => Ok(known.body.clone()),
            false => Err(Error::state("Customer already exists for the merchant")),
        };
    }
    let metadata = fields.notes()?;
    let id = work.new_id("cust_", 14);
    let body = json!({
        "id": id, "entity": "customer", "name": fields.text("name"), "email": email,
        "contact": contact, "gstin": fields.text("gstin"), "notes": notes(&metadata),
        "created_at": work.now.timestamp(),
    });
    let kind = "customer".to_owned();
    work.put(Document { id, kind, created: work.now, body: body.clone() });
    Ok(body)
}

fn known(work: &Work<'_>, id: &str) -> Result<Value, Error> {
    let found = work.state.documents.get(id).filter(|document| document.kind == "customer");
    found.map(|customer| customer.body.clone()).ok_or_else(Error::missing)
}

/// `GET /v1/customers/{id}`.
pub fn get(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    known(work, id)
}

/// `GET /v1/customers/{id}/tokens`.
pub fn tokens(work: &mut Work<'_>, customer: &str) -> Result<Value, Error> {
    known(work, customer)?;
    let tokens = work.state.tokens.oldest_first();
    let own = tokens.filter(|it| it.active && it.customer.as_deref() == Some(customer));
    Ok(all(own.map(view::token)))
}

fn own_token(work: &Work<'_>, customer: &str, id: &str) -> Result<Value, Error> {
    let token = work.state.tokens.get(id);
    let own = token.filter(|it| it.active && it.customer.as_deref() == Some(customer));
    own.map(view::token).ok_or_else(Error::missing)
}

/// `GET /v1/customers/{id}/tokens/{id}`.
pub fn token(work: &mut Work<'_>, customer: &str, id: &str) -> Result<Value, Error> {
    own_token(work, customer, id)
}

/// `DELETE /v1/customers/{id}/tokens/{id}`.
pub fn remove_token(work: &mut Work<'_>, customer: &str, id: &str) -> Result<Value, Error> {
    own_token(work, customer, id)?;
    token::remove(work, id).map_err(|_| Error::missing())?;
    Ok(json!({ "deleted": true }))
}

/// `POST /v1/payments/create/recurring`: charges a saved instrument for an order.
pub fn charge(
    work: &mut Work<'_>,
    request: &Request,
    signature: impl Fn(&str, &str) -> String,
) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let (order, customer) = (fields.required("order_id")?, fields.required("customer_id")?);
    let token = fields.required("token")?;
    let amount = fields.required_amount("amount")?;
    let currency = fields.currency()?;
    own_token(work, customer, token)?;
    let found = work.state.orders.get(order).ok_or_else(Error::missing)?;
    if (found.amount, found.currency) != (amount, currency) {
        let text = "Your payment amount is different from your order amount.";
        return Err(Error::field("amount", text));
    }
    match token::charge_order(work, token, order) {
        Ok(payment) => Ok(json!({
            "razorpay_payment_id": payment.id,
            "razorpay_order_id": order,
            "razorpay_signature": signature(order, &payment.id),
        })),
        Err(Refusal::Missing) => Err(Error::missing()),
        Err(_) => Err(Error::state("The order has been paid already")),
    }
}
