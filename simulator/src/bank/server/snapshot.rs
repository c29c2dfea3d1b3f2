//! The account as `/_sim/state` shows it: the bank's words, not a gateway's.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::bank::book;
use crate::bank::state::State;
use crate::table::{Keyed, Table};

fn rows<T: Keyed + Serialize>(table: &Table<T>) -> Value {
    let rows = table.oldest_first().map(|row| serde_json::to_value(row).unwrap_or_default());
    Value::Array(rows.collect())
}

/// All records, the totals per currency, and the money per reference of the shop.
pub fn everything(state: &State) -> Value {
    json!({
        "orders": rows(&state.orders),
        "payments": rows(&state.payments),
        "captures": rows(&state.captures),
        "refunds": rows(&state.refunds),
        "tokens": rows(&state.tokens),
        "payouts": rows(&state.payouts),
        "transfers": rows(&state.transfers),
        "reversals": rows(&state.reversals),
        "disputes": rows(&state.disputes),
        "settlements": rows(&state.settlements),
        "rows": rows(&state.rows),
        "documents": rows(&state.documents),
        "events": state.events.len(),
        "totals": book::totals(state),
        "references": references(state),
    })
}

/// The money of one reference of the shop in one currency.
#[derive(Debug, Default, Serialize)]
struct Money {
    currency: &'static str,
    /// Authorised, captured or not.
    authorised: i64,
    captured: i64,
    /// Failed refunds do not count.
    refunded: i64,
    /// Whether a payment was taken back after it looked paid.
    reversed: bool,
}

fn references(state: &State) -> BTreeMap<&str, Money> {
    let mut all: BTreeMap<&str, Money> = BTreeMap::new();
    for payment in state.payments.oldest_first() {
        let money = all.entry(&payment.reference).or_default();
        money.currency = payment.currency.code();
        money.authorised += payment.on_hold() + payment.captured;
        money.captured += payment.captured;
        money.refunded += payment.refunded;
        money.reversed |= payment.state == crate::bank::record::PaymentState::Reversed;
    }
    all
}

/// All deliveries with what came of them, oldest first.
pub fn deliveries(state: &State) -> Value {
    let rows = state.deliveries.oldest_first().map(|delivery| {
        json!({
            "id": delivery.id,
            "event_id": delivery.event_id,
            "type": delivery.event_type,
            "url": delivery.url,
            "queued_at": delivery.queued_at,
            "state": delivery.state,
            "attempts": delivery.attempts,
        })
    });
    Value::Array(rows.collect())
}
