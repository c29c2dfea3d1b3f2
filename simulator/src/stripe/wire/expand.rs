//! `expand[]`: ids in an answer are replaced by the objects they name.

use mizan_money::Timestamp;
use serde_json::{Value, json};

use super::error::StripeError;
use super::view;
use crate::stripe::state::State;
use crate::stripe::{dispute, transfer};

const DEPTH_MAX: usize = 4;
const PATHS_MAX: usize = 20;

/// The kinds of object that an answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Intent,
    Charge,
    Refund,
    BalanceRow,
    Customer,
    PaymentMethod,
    Transfer,
    Reversal,
    /// The source of a balance transaction: a charge, a refund, a dispute, a transfer or what came
    /// back of one.
    Source,
    /// Nothing in it can be expanded.
    Plain,
    /// The refunds of a charge, which are only there when asked for.
    Refunds,
}

/// What `field` of an object of this kind names.
fn target(kind: Kind, field: &str) -> Option<Kind> {
    match (kind, field) {
        (Kind::Intent, "latest_charge") | (Kind::Refund, "charge") => Some(Kind::Charge),
        (Kind::Intent | Kind::Charge, "customer") => Some(Kind::Customer),
        (Kind::Intent, "payment_method") => Some(Kind::PaymentMethod),
        (
            Kind::Charge | Kind::Refund | Kind::Transfer | Kind::Reversal | Kind::Source,
            "balance_transaction",
        )
        | (Kind::Refund | Kind::Source, "failure_balance_transaction") => Some(Kind::BalanceRow),
        (Kind::Charge | Kind::Refund | Kind::Source, "payment_intent") => Some(Kind::Intent),
        (Kind::Charge, "refunds") => Some(Kind::Refunds),
        (Kind::Source, "charge") | (Kind::Transfer, "source_transaction") => Some(Kind::Charge),
        (Kind::Reversal | Kind::Source, "transfer") => Some(Kind::Transfer),
        (Kind::BalanceRow, "source") => Some(Kind::Source),
        (Kind::PaymentMethod, "customer") => Some(Kind::Customer),
        _ => None,
    }
}

/// Checks the paths against the kind of the answer, before anything is executed.
///
/// # Errors
/// A path that leads nowhere, or is too long.
pub fn check(paths: &[String], root: Kind, is_list: bool) -> Result<(), StripeError> {
    if paths.len() > PATHS_MAX {
        return Err(StripeError::invalid("At most 20 properties can be expanded."));
    }
    for path in paths {
        let inner = if is_list { path.strip_prefix("data.") } else { Some(path.as_str()) };
        let fields: Vec<&str> = inner.unwrap_or_default().split('.').collect();
        let mut kind = Some(root);
        for field in &fields {
            kind = kind.and_then(|kind| target(kind, field));
        }
        if kind.is_none() || fields.len() > DEPTH_MAX {
            let message = format!("This property cannot be expanded: {path}");
            return Err(StripeError::param("expand", "parameter_invalid", &message));
        }
    }
    Ok(())
}

/// Replaces ids by objects along every path.
pub fn apply(state: &State, now: Timestamp, answer: &mut Value, paths: &[String]) {
    for path in paths {
        let fields: Vec<&str> = path.split('.').collect();
        walk(state, now, answer, &fields);
    }
}

fn walk(state: &State, now: Timestamp, node: &mut Value, fields: &[&str]) {
    if let Value::Array(items) = node {
        for item in items {
            walk(state, now, item, fields);
        }
        return;
    }
    let Some((field, rest)) = fields.split_first() else { return };
    let charge = node.get("id").and_then(Value::as_str).map(str::to_owned);
    let Some(child) = node.get_mut(*field) else { return };
    if let Some(found) = child.as_str().and_then(|id| look_up(state, now, id)) {
        *child = found;
    } else if *field == "refunds" && child.is_null() {
        *child = refunds_of(state, charge.as_deref().unwrap_or_default());
    }
    if !rest.is_empty() && !child.is_null() {
        walk(state, now, child, rest);
    }
}

/// The object with this id, whatever its kind.
fn look_up(state: &State, now: Timestamp, id: &str) -> Option<Value> {
    let (prefix, _) = id.split_once('_')?;
    match prefix {
        "pi" => state.intents.get(id).map(view::intent),
        "ch" | "py" => state.charges.get(id).map(|charge| view::charge(state, charge)),
        "dp" => state.disputes.get(id).map(|row| dispute::show(state, row, now)),
        "re" | "pyr" => state.refunds.get(id).map(view::refund),
        "tr" => state.transfers.get(id).map(|row| transfer::show(state, row)),
        "trr" => state.reversals.get(id).map(transfer::show_reversal),
        "txn" => state.rows.get(id).map(|row| view::balance_row(row, now)),
        "cus" => state.customers.get(id).map(view::customer),
        "pm" => state.methods.get(id).map(view::payment_method),
        _ => None,
    }
}

fn refunds_of(state: &State, charge: &str) -> Value {
    let refunds = state.refunds.newest_first().filter(|refund| refund.charge == charge);
    let data: Vec<Value> = refunds.take(10).map(view::refund).collect();
    json!({
        "object": "list", "data": data, "has_more": false,
        "url": format!("/v1/charges/{charge}/refunds")
    })
}
