//! Customers, as little of them as saved payment methods need.

use serde_json::Value;

use super::state::{Customer, Metadata};
use super::wire::error::StripeError;
use super::wire::params::Params;
use super::wire::view;
use super::work::Work;

const TEXTS: &[&str] = &["description", "email", "name", "phone"];

/// `POST /v1/customers`.
pub fn create(work: &mut Work<'_>, params: Params) -> Result<Value, StripeError> {
    let blank = Customer {
        id: String::new(),
        created: work.now,
        texts: Default::default(),
        metadata: Metadata::new(),
    };
    let mut customer = change(blank, params)?;
    customer.id = work.new_id("cus");
    work.put(customer.clone());
    work.emit("customer.created", view::customer(&customer), None);
    Ok(view::customer(&customer))
}

/// `POST /v1/customers/{id}`.
pub fn update(work: &mut Work<'_>, id: &str, params: Params) -> Result<Value, StripeError> {
    let found = work.state.customers.get(id).cloned();
    let old = found.ok_or_else(|| StripeError::missing(404, "customer", id, "id"))?;
    let before = view::customer(&old);
    let customer = change(old, params)?;
    let after = view::customer(&customer);
    work.put(customer);
    let previous = view::previous_attributes(&before, &after);
    work.emit("customer.updated", after.clone(), Some(previous));
    Ok(after)
}

fn change(mut customer: Customer, mut params: Params) -> Result<Customer, StripeError> {
    for name in TEXTS {
        let text = params.text(name)?;
        customer.texts.extend(text.map(|text| ((*name).to_owned(), text.into())));
    }
    customer.metadata = params.merge_metadata(&customer.metadata)?;
    params.finish()?;
    Ok(customer)
}

/// Saves a payment method with a customer.
pub fn attach(work: &mut Work<'_>, method: &str, customer: &str) {
    let Some(mut method) = work.state.methods.get(method).cloned() else { return };
    if method.customer.is_some() {
        return;
    }
    method.customer = Some(customer.to_owned());
    work.put(method.clone());
    work.emit("payment_method.attached", view::payment_method(&method), None);
}
