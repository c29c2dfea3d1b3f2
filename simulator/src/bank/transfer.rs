//! Transfers to vendors' accounts, and taking them back.

use mizan_money::Currency;
use serde_json::Value;

use super::book::{Entry, RowKind};
use super::cash::{Reversal, Transfer, TransferState};
use super::record::Metadata;
use super::wire::Happened;
use super::work::{Refusal, Work};

/// What a transfer is made from.
#[derive(Clone, Debug)]
pub struct NewTransfer {
    /// The gateway's id.
    pub id: String,
    /// The payment it comes from; `None`: the balance.
    pub payment: Option<String>,
    /// The vendor's account.
    pub recipient: String,
    /// What the vendor gets, above zero.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// Fee and the tax on it, on top of the amount.
    pub fee: (i64, i64),
    /// What the caller attached.
    pub metadata: Metadata,
    /// The gateway's own fields.
    pub wire: Value,
}

/// What is left to transfer of a payment: captured minus fees, minus what was transferred.
pub fn transferable(work: &Work<'_>, payment: &str) -> i64 {
    let captures = work.state.captures_of(payment);
    let net: i64 = captures.map(|it| it.base_amount - it.fee - it.tax).sum();
    let transfers = work.state.transfers_of(payment);
    let gone = transfers.filter(|transfer| transfer.state != TransferState::Failed);
    net - gone.map(|transfer| transfer.amount - transfer.reversed).sum::<i64>()
}

/// Moves money to a vendor's account at once.
///
/// # Errors
/// The payment, or the balance, does not have that much.
pub fn create(work: &mut Work<'_>, new: NewTransfer) -> Result<Transfer, Refusal> {
    let (fee, tax) = new.fee;
    match &new.payment {
        Some(payment) => {
            let left = transferable(work, payment);
            if !(1..=left).contains(&new.amount) {
                return Err(Refusal::Amount { left });
            }
        }
        None => {
            let balance = work.balance(new.currency);
            if balance < new.amount + fee + tax {
                return Err(Refusal::Balance { balance });
            }
        }
    }
    let entry = Entry::new(RowKind::Transfer, new.currency, -new.amount, &new.id);
    let entry = Entry { payment: new.payment.as_deref(), ..entry.fee(fee, tax) };
    let row = work.post(entry);
    let transfer = Transfer {
        id: new.id,
        created: work.now,
        payment: new.payment,
        recipient: new.recipient,
        amount: new.amount,
        currency: new.currency,
        fee,
        tax,
        reversed: 0,
        state: TransferState::Paid,
        metadata: new.metadata,
        reason: None,
        row: Some(row),
        wire: new.wire,
    };
    work.put(transfer.clone());
    work.announce(Happened::TransferPaid, &transfer.id);
    Ok(transfer)
}

/// Takes money back from a vendor's account (`None`: all that is left).
///
/// # Errors
/// That much is not left.
pub fn reverse(
    work: &mut Work<'_>,
    transfer: &str,
    id: String,
    amount: Option<i64>,
) -> Result<Reversal, Refusal> {
    let mut transfer = work.state.transfers.get(transfer).cloned().ok_or(Refusal::Missing)?;
    let left = transfer.amount - transfer.reversed;
    let amount = amount.unwrap_or(left);
    if transfer.state == TransferState::Failed || !(1..=left).contains(&amount) {
        return Err(Refusal::Amount { left });
    }
    let entry = Entry::new(RowKind::TransferReversed, transfer.currency, amount, &id);
    let row = work.post(Entry { payment: transfer.payment.as_deref(), ..entry });
    transfer.reversed += amount;
    if amount == left {
        transfer.state = TransferState::Reversed;
    }
    let of = transfer.id.clone();
    let reversal = Reversal { id, transfer: of, created: work.now, amount, row, wire: Value::Null };
    work.put(transfer);
    work.put(reversal.clone());
    work.announce(Happened::TransferReversed, &reversal.id);
    Ok(reversal)
}
