//! Saved cards: what a customer can be charged with again.

use serde_json::{Value, json};

use super::ask::Ask;
use super::code::Failure;
use crate::bank::state::State;

/// `savedcardslist.json`: the transactions whose cards the customer asked to keep.
///
/// # Errors
/// No customer was named.
pub fn list(state: &State, ask: &Ask) -> Result<Value, Failure> {
    let customer = ask.text(&["api_custref"]).ok_or_else(|| Failure::of(1))?;
    let test = ask.flag(&["api_testmode"]).unwrap_or_default();
    let is_theirs = |token: &&crate::bank::record::Token| {
        let order = state.order(&token.payment);
        let mode = order.is_some_and(|order| (order.wire["test"] == true) == test);
        token.active && mode && token.customer.as_deref() == Some(customer)
    };
    let tokens = state.tokens.oldest_first().filter(is_theirs);
    let cards: Vec<_> = tokens
        .map(|token| {
            let name =
                format!("{} Credit ending {}", token.instrument.brand, token.instrument.last4);
            json!({ "Transaction_ID": token.payment, "Name": name })
        })
        .collect();
    Ok(json!({ "SavedCardListResponse": { "Code": 200, "data": cards } }))
}

/// A refusal.
pub fn refusal(failure: &Failure) -> Value {
    json!({ "SavedCardListResponse": { "Code": 400, "Status": failure.text() } })
}
