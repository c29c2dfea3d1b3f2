//! Settlements: what is due is added up, currency by currency, and sent to the shop's bank.

use std::collections::BTreeMap;

use mizan_money::Currency;
use serde_json::Value;

use super::book::{Book, Entry, Row, RowKind};
use super::cash::Settlement;
use super::record::Metadata;
use super::wire::Happened;
use super::work::Work;
use crate::fault::{FaultKind, FaultPoint};

const DIGITS: &[u8] = b"0123456789";
/// How much more fee a drifting settlement takes: a tenth of the fee, at least one minor unit.
const DRIFT_PART: i64 = 10;

/// Which rows are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Those whose time has come.
    ByNow,
    /// All of them.
    Everything,
}

/// Settles, and returns the settlements that were made. What adds up to nothing, or to less,
/// waits for the next time.
pub fn settle(work: &mut Work<'_>, due: Due) -> Vec<Settlement> {
    let mut by_currency: BTreeMap<Currency, Vec<Row>> = BTreeMap::new();
    let open = |row: &&Row| {
        row.book == Book::Processing
            && row.settlement.is_none()
            && !matches!(row.kind, RowKind::Settlement | RowKind::TopUp)
            && (due == Due::Everything || row.available_on <= work.now)
    };
    for row in work.state.rows.oldest_first().filter(open) {
        by_currency.entry(row.currency).or_default().push(row.clone());
    }
    let mut made = Vec::new();
    for (currency, rows) in by_currency {
        if rows.iter().map(Row::net).sum::<i64>() > 0 {
            made.extend(settle_currency(work, currency, rows));
        }
    }
    made
}

fn settle_currency(
    work: &mut Work<'_>,
    currency: Currency,
    mut rows: Vec<Row>,
) -> Option<Settlement> {
    let fault = work.draw(FaultPoint::Settlement, &Metadata::new(), |_| true);
    let kind = fault.map(|fault| fault.kind);
    let mut partial = false;
    if kind == Some(FaultKind::PartialSettlement) && rows.len() > 1 {
        let due = rows.len();
        let rest = rows.split_off(first_half(&rows));
        partial = rows.len() < due;
        let later = work.settings.settle_after.unwrap_or_default();
        for mut row in rest {
            row.available_on = work.now + later;
            work.put(row);
        }
    }
    if kind == Some(FaultKind::FeeDrift)
        && let Some(row) = rows.iter_mut().find(|row| row.kind == RowKind::Charge)
    {
        row.fee += (row.fee / DRIFT_PART).max(1);
    }
    let sum = |part: fn(&Row) -> i64| rows.iter().map(part).sum::<i64>();
    let (gross, fee, tax) = (sum(|row| row.gross), sum(|row| row.fee), sum(|row| row.tax));
    let net = gross - fee - tax;
    if net <= 0 {
        return None;
    }
    let settlement = Settlement {
        id: work.wire.settlement_id(work),
        created: work.now,
        currency,
        rows: rows.iter().map(|row| row.id.clone()).collect(),
        gross,
        fee,
        tax,
        net,
        bank_reference: format!("UTR{}", work.new_text(DIGITS, 13)),
        partial,
        wire: Value::Null,
    };
    for mut row in rows {
        row.settlement = Some(settlement.id.clone());
        work.put(row);
    }
    work.post(Entry::new(RowKind::Settlement, currency, -net, &settlement.id));
    work.put(settlement.clone());
    work.announce(Happened::Settled, &settlement.id);
    Some(settlement)
}

/// How many rows are the older half, as long as it adds up to something.
fn first_half(rows: &[Row]) -> usize {
    let mut sum = 0;
    let half = (rows.len() / 2).max(1);
    for (index, row) in rows.iter().enumerate() {
        sum += row.net();
        if index + 1 >= half && sum > 0 {
            return index + 1;
        }
    }
    rows.len()
}
