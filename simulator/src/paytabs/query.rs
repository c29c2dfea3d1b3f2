//! Questions: transactions by either reference, and saved cards.

use serde_json::{Value, json};

use super::error::Error;
use super::fields::Fields;
use super::transaction::{find, for_cart};
use super::{trace, view};
use crate::bank::token;
use crate::bank::work::Work;

/// `POST /payment/query`: an object by `tran_ref`, a list by `cart_id`. Pages that nobody has
/// paid are pending. No source says how an unknown reference is answered.
pub fn query(work: &Work<'_>, fields: &Fields, profile: u64) -> Result<Value, Error> {
    match (fields.text("tran_ref"), fields.text("cart_id")) {
        (Some(tran_ref), None) => {
            let tran = find(work.state, &tran_ref).ok_or_else(|| Error::field("tran_ref"))?;
            Ok(view::queried(&tran, profile))
        }
        (None, Some(cart)) => {
            let found = for_cart(work.state, &cart);
            Ok(found.iter().map(|tran| view::queried(tran, profile)).collect())
        }
        _ => Err(Error::field("tran_ref and cart_id: give one of them")),
    }
}

/// `POST /payment/token`.
pub fn token(work: &Work<'_>, fields: &Fields) -> Result<Value, Error> {
    let refused = || Error::field("token");
    let id = fields.text("token").ok_or_else(refused)?;
    let token = work.state.tokens.get(&id).filter(|token| token.active).ok_or_else(refused)?;
    let order = work.state.payments.get(&token.payment).map(|payment| &payment.order);
    let tran = order.and_then(|order| find(work.state, order)).ok_or_else(refused)?;
    Ok(view::token(token, &tran))
}

/// `POST /payment/token/delete`: the error's shape, with code 0.
pub fn delete_token(work: &mut Work<'_>, fields: &Fields) -> Result<Value, Error> {
    let refused = || Error::field("token");
    let id = fields.text("token").ok_or_else(refused)?;
    token::remove(work, &id).map_err(|_| refused())?;
    Ok(json!({ "code": 0, "message": "Token deleted", "trace": trace(work) }))
}
