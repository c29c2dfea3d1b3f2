//! Transfers and reversals as JSON.

use serde_json::{Value, json};

use super::record::{Reversal, Transfer};
use crate::stripe::state::State;

/// How many reversals a transfer shows.
const SHOWN: usize = 10;

/// A Transfer with its newest reversals.
pub fn show(state: &State, transfer: &Transfer) -> Value {
    let all = state.reversals.newest_first().filter(|it| it.transfer == transfer.id);
    let mut all: Vec<Value> = all.take(SHOWN + 1).map(show_reversal).collect();
    let has_more = all.len() > SHOWN;
    all.truncate(SHOWN);
    json!({
        "id": transfer.id,
        "object": "transfer",
        "amount": transfer.amount,
        "amount_reversed": transfer.amount_reversed,
        "balance_transaction": transfer.balance_row,
        "created": transfer.created.timestamp(),
        "currency": transfer.currency,
        "description": transfer.description,
        "destination": transfer.destination,
        "destination_payment": transfer.destination_payment,
        "livemode": false,
        "metadata": transfer.metadata,
        "reversals": {
            "object": "list", "data": all, "has_more": has_more,
            "url": format!("/v1/transfers/{}/reversals", transfer.id)
        },
        "reversed": transfer.amount_reversed >= transfer.amount,
        "source_transaction": transfer.source,
        "source_type": "card",
        "transfer_group": transfer.group,
    })
}

/// A TransferReversal. Its description is told by no field.
pub fn show_reversal(reversal: &Reversal) -> Value {
    json!({
        "id": reversal.id,
        "object": "transfer_reversal",
        "amount": reversal.amount,
        "balance_transaction": reversal.balance_row,
        "created": reversal.created.timestamp(),
        "currency": reversal.currency,
        "destination_payment_refund": null,
        "metadata": reversal.metadata,
        "source_refund": null,
        "transfer": reversal.transfer,
    })
}
