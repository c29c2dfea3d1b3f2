//! The one transaction that was looked for by our reference.
//!
//! Our reference is one per operation, but what was done in the panel may carry the reference of
//! what it follows. So the type counts too, and among several of the right type the one that did
//! not fail. Two that did not fail are one too many: a person must look.

use crate::operation::Operation;
use crate::outcome::UnknownReason;
use crate::paytabs::request::tran_type;
use crate::paytabs::wire::Transaction;

/// Finds the transaction of an operation in a list.
pub(super) fn sought(
    op: &Operation,
    list: Vec<Transaction>,
    status: u16,
) -> Result<Transaction, UnknownReason> {
    let ours: Vec<Transaction> = list.into_iter().filter(|it| is_of(op, it)).collect();
    // A payment request that was paid is told by the sale that follows it.
    let paid =
        |it: &Transaction| ours.iter().any(|other| other.previous() == Some(it.tran_ref.as_str()));
    let mut alive = ours.iter().filter(|it| !failed(it) && !paid(it));
    match (alive.next(), alive.next(), ours.last()) {
        (Some(only), None, _) => Ok(only.clone()),
        (None, _, Some(last)) => Ok(last.clone()),
        (Some(_), Some(_), _) => Err(UnknownReason::Unreadable {
            status,
            problem: "several transactions have our reference".to_owned(),
        }),
        (None, _, None) => Err(UnknownReason::NotFound { code: "no_such_cart".to_owned() }),
    }
}

fn is_of(op: &Operation, it: &Transaction) -> bool {
    let kind = it.kind();
    match op {
        Operation::Create(_) => matches!(kind.as_str(), "sale" | "auth" | "payment request"),
        _ => tran_type(op) == Some(kind.as_str()),
    }
}

/// Whether it certainly came to nothing.
fn failed(it: &Transaction) -> bool {
    let letter = it.payment_result.as_ref().map(|result| result.response_status.as_str());
    let undecided = it.payment_result.as_ref().is_some_and(|result| result.code() == "400");
    matches!(letter, Some("D" | "E" | "C" | "X")) && !undecided
}
