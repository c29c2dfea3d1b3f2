//! The statement of what was settled, as CSV. PayTabs has no API for it; the columns are ours.

use super::transaction::{Transaction, find};
use super::view::{amount, time};
use crate::bank::book::{Row, RowKind};
use crate::bank::cash::Settlement;
use crate::bank::state::State;
use crate::bank::wire::Answer;

const COLUMNS: &str = "tran_ref,previous_tran_ref,tran_type,cart_id,gross,currency,fee,vat,net,\
                       settlement_currency,settlement_amount,settlement_date,payout_id,\
                       bank_reference\n";

/// `GET /_sim/statements` has all of them, `GET /_sim/statements/{id}` one; `None`: there is none.
pub fn statement(state: &State, id: Option<&str>) -> Option<Answer> {
    let settlements: Vec<_> = match id {
        Some(id) => vec![state.settlements.get(id)?],
        None => state.settlements.oldest_first().collect(),
    };
    let mut text = COLUMNS.to_owned();
    for settlement in settlements {
        let rows = settlement.rows.iter().filter_map(|id| state.rows.get(id));
        text.extend(rows.map(|row| line(state, settlement, row)));
    }
    Some(Answer::new(200, "text/csv; charset=utf-8", text))
}

fn line(state: &State, settlement: &Settlement, row: &Row) -> String {
    let (tran_ref, tran) = subject(state, row);
    let own = tran.as_ref().filter(|tran| tran.tran_ref == tran_ref);
    let previous = match (own, &tran) {
        (Some(own), _) => own.previous.clone(),
        (None, about) => about.as_ref().map(|about| about.tran_ref.clone()),
    };
    let tran_type = match row.kind {
        RowKind::RefundReturned => "Refund Reversal",
        RowKind::PaymentReversed => "Void",
        RowKind::Dispute => "Chargeback",
        RowKind::DisputeReturned => "Chargeback Reversal",
        _ => tran.as_ref().map_or("Adjustment", |tran| tran.tran_type),
    };
    let money = |minor: i64| amount(minor, row.currency);
    let cells = [
        tran_ref,
        previous.unwrap_or_default(),
        tran_type.to_owned(),
        tran.map(|tran| tran.cart.id).unwrap_or_default(),
        money(row.gross),
        row.currency.code().to_owned(),
        money(row.fee),
        money(row.tax),
        money(row.net()),
        settlement.currency.code().to_owned(),
        money(row.net()),
        time(settlement.created),
        settlement.id.clone(),
        settlement.bank_reference.clone(),
    ];
    format!("{}\n", cells.map(|cell| quoted(&cell)).join(","))
}

/// The reference of a row, and the transaction that it is or is about.
fn subject(state: &State, row: &Row) -> (String, Option<Transaction>) {
    let payment = row.payment.as_deref().and_then(|id| state.payments.get(id));
    let taken = payment.and_then(|payment| state.captures_of(&payment.id).next());
    let about = || taken.and_then(|capture| find(state, &capture.id));
    match row.kind {
        RowKind::PaymentReversed => {
            let about = about();
            let of = about.as_ref().map(|tran| tran.tran_ref.clone());
            (of.unwrap_or_default(), about)
        }
        RowKind::Dispute | RowKind::DisputeReturned => (row.source.clone(), about()),
        _ => (row.source.clone(), find(state, &row.source)),
    }
}

/// A cell; in quotes where it has to be.
fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}
