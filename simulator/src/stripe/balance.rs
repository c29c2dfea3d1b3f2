//! The account's balance: fees, balance transactions, totals.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde_json::{Value, json};

use super::amount::minor_per_major;
use super::dispute::record::Dispute;
use super::state::{BalanceRow, Charge, Refund, State};
use super::work::Work;
use crate::config::FeeSchedule;

const AVAILABLE_AFTER_DAYS: i64 = 2;

/// The processing fee and the tax on it for a captured amount, in minor units.
///
/// The fee is rounded half up, the tax is cut: 525.00 at 2.9 % + 1.00 and 5 % is 16.23 and 0.81.
pub fn fee(schedule: FeeSchedule, amount: i64, currency: &str) -> (i64, i64) {
    schedule.fee(amount, minor_per_major(currency))
}

/// Whether money of a charge is available at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    AtOnce,
    Later,
}

fn available_on(work: &Work<'_>, availability: Availability) -> Timestamp {
    match availability {
        Availability::AtOnce => work.now,
        Availability::Later => work.now + TimeDelta::days(AVAILABLE_AFTER_DAYS),
    }
}

/// Writes the lines of a capture: the authorised amount, and what was not captured taken back.
///
/// Returns the id of the first one. The fee is for the captured amount only.
pub fn write_capture(work: &mut Work<'_>, charge: &Charge, availability: Availability) -> String {
    let (fees, taken) = (work.fees(), charge.amount_captured);
    let told = fees.take();
    let (processing_fee, tax) =
        told.unwrap_or_else(|| fee(fees.schedule(), taken, &charge.currency));
    let kind = if charge.id.starts_with("py_") { "payment" } else { "charge" };
    let row = BalanceRow {
        id: work.new_id("txn"),
        created: work.now,
        available_on: available_on(work, availability),
        amount: charge.amount,
        processing_fee,
        tax,
        currency: charge.currency.clone(),
        kind: kind.to_owned(),
        category: "charge".to_owned(),
        source: charge.id.clone(),
        description: charge.description.clone(),
    };
    work.put(row.clone());
    if charge.amount_captured < charge.amount {
        let released = BalanceRow {
            id: work.new_id("txn"),
            amount: charge.amount_captured - charge.amount,
            processing_fee: 0,
            tax: 0,
            kind: "refund".to_owned(),
            category: "partial_capture_reversal".to_owned(),
            ..row.clone()
        };
        work.put(released);
    }
    row.id
}

/// Writes the line of a refund and returns its id. The fee of the charge is not returned.
pub fn write_refund(work: &mut Work<'_>, refund: &Refund) -> String {
    write_refund_row(work, refund, -refund.amount, "refund", "refund")
}

/// Writes the line that brings a bounced refund back and returns its id.
pub fn write_refund_failure(work: &mut Work<'_>, refund: &Refund) -> String {
    write_refund_row(work, refund, refund.amount, "refund_failure", "refund_failure")
}

fn write_refund_row(
    work: &mut Work<'_>,
    refund: &Refund,
    amount: i64,
    kind: &str,
    category: &str,
) -> String {
    let row = BalanceRow {
        id: work.new_id("txn"),
        created: work.now,
        available_on: work.now,
        amount,
        processing_fee: 0,
        tax: 0,
        currency: refund.currency.clone(),
        kind: kind.to_owned(),
        category: category.to_owned(),
        source: refund.id.clone(),
        description: Some(format!("REFUND FOR {}", refund.charge).into()),
    };
    let id = row.id.clone();
    work.put(row);
    id
}

/// Writes the line of a dispute, by amount and fee, and returns its id. A fee below zero comes
/// back.
pub fn write_dispute(
    work: &mut Work<'_>,
    dispute: &Dispute,
    (amount, fee): (i64, i64),
    (category, text): (&str, String),
) -> String {
    let row = BalanceRow {
        id: work.new_id("txn"),
        created: work.now,
        available_on: work.now,
        amount,
        processing_fee: fee,
        tax: 0,
        currency: dispute.currency.clone(),
        kind: "adjustment".to_owned(),
        category: category.to_owned(),
        source: dispute.id.clone(),
        description: Some(text.into()),
    };
    let id = row.id.clone();
    work.put(row);
    id
}

/// Money that moves for another reason than a charge, and from when on it counts.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'a> {
    /// Its source.
    pub of: &'a str,
    pub currency: &'a str,
    /// Below zero it leaves.
    pub amount: i64,
    pub at: Timestamp,
}

/// Writes the line of such money, by type and category, and returns its id.
pub fn write_move(
    work: &mut Work<'_>,
    moved: Moved<'_>,
    (kind, category): (&str, &str),
    text: String,
) -> String {
    let row = BalanceRow {
        id: work.new_id("txn"),
        created: work.now,
        available_on: moved.at,
        amount: moved.amount,
        processing_fee: 0,
        tax: 0,
        currency: moved.currency.to_owned(),
        kind: kind.to_owned(),
        category: category.to_owned(),
        source: moved.of.to_owned(),
        description: Some(text.into()),
    };
    let id = row.id.clone();
    work.put(row);
    id
}

/// What can be sent on by now.
pub fn available(state: &State, currency: &str, now: Timestamp) -> i64 {
    let rows = state.rows.oldest_first();
    let rows = rows.filter(|row| row.currency == currency && row.available_on <= now);
    rows.map(BalanceRow::net).sum()
}

fn funds(currency: &str, amount: i64) -> Value {
    json!({ "amount": amount, "currency": currency, "source_types": { "card": amount } })
}

/// The balance object.
pub fn view(state: &State, now: Timestamp) -> Value {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for row in state.rows.oldest_first() {
        let (available, pending) = sums.entry(&row.currency).or_default();
        let side = if row.available_on <= now { available } else { pending };
        *side += row.net();
    }
    if sums.is_empty() {
        sums.insert("usd", (0, 0));
    }
    let available: Vec<_> = sums.iter().map(|(code, (sum, _))| funds(code, *sum)).collect();
    let pending: Vec<_> = sums.iter().map(|(code, (_, sum))| funds(code, *sum)).collect();
    let reserved: Vec<_> =
        sums.keys().map(|code| json!({ "amount": 0, "currency": code })).collect();
    json!({
        "object": "balance", "available": available, "connect_reserved": reserved,
        "livemode": false, "pending": pending
    })
}

/// Sums per currency: what charges, refunds, disputes, transfers and money put in say on one side,
/// what the balance says on the other.
pub fn totals(state: &State) -> Value {
    #[derive(Default)]
    struct Sums {
        charged: i64,
        refunded: i64,
        disputed: i64,
        transferred: i64,
        put_in: i64,
        fees: i64,
        balance: i64,
    }
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for charge in state.charges.oldest_first() {
        let sums = sums.entry(&charge.currency).or_default();
        sums.charged += charge.amount_captured;
        sums.refunded += charge.amount_refunded;
    }
    for dispute in state.disputes.oldest_first().filter(|dispute| dispute.withdrawn) {
        sums.entry(&dispute.currency).or_default().disputed += dispute.amount;
    }
    for transfer in state.transfers.oldest_first() {
        let left = transfer.amount - transfer.amount_reversed;
        sums.entry(&transfer.currency).or_default().transferred += left;
    }
    for row in state.rows.oldest_first() {
        let sums = sums.entry(&row.currency).or_default();
        if row.kind == "topup" {
            sums.put_in += row.amount;
        }
        sums.fees += row.fee();
        sums.balance += row.net();
    }
    let of = |sums: Sums| {
        json!({
            "charged": sums.charged, "refunded": sums.refunded, "disputed": sums.disputed,
            "transferred": sums.transferred, "put_in": sums.put_in, "fees": sums.fees,
            "balance": sums.balance
        })
    };
    Value::Object(sums.into_iter().map(|(code, sums)| (code.to_owned(), of(sums))).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_rounded_half_up_and_the_tax_on_it_is_cut() {
        let schedule = FeeSchedule::default();
        assert_eq!(fee(schedule, 52_500, "aed"), (1_623, 81));
        assert_eq!(fee(schedule, 1_000, "jpy"), (30, 1));
        assert_eq!(fee(schedule, 10_000, "kwd"), (1_290, 64));
    }
}
