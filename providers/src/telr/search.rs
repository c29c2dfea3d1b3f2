//! What the Service API knows: a transaction by its number, and the one we look for among those
//! linked to another.

use mizan_money::Money;

use crate::model::ProviderRef;
use crate::model::{PaymentStatus, RefundStatus};
use crate::operation::{Operation, SyncPayment, SyncRefund};
use crate::outcome::{Answer, Outcome, Subject, UnknownReason};
use crate::reference;
use crate::telr::amount::from_wire;
use crate::telr::answer::{self, Reading, unexpected};
use crate::telr::wire::{self, Remote};
use crate::telr::xml::Element;
use crate::telr::{echo, facts, status};

/// A charge of a saved card, by its transaction.
pub(super) fn payment(
    reading: Reading<'_>,
    asked: &SyncPayment,
    text: &str,
) -> Result<Outcome, UnknownReason> {
    let it = the_one(reading, text)?;
    let kind = it.kind.as_deref().unwrap_or_default();
    let state = match kind {
        "sale" | "auth" => status::transaction(kind, &it.status),
        _ => PaymentStatus::Unknown,
    };
    if state == PaymentStatus::Unknown {
        return Err(unexpected(reading.op, state, &format!("{kind} {}", it.status)));
    }
    let made = facts::transaction(&it.reference);
    let made = made.ok_or_else(|| reading.unreadable("its reference is no id"))?;
    let amount = amount(reading, &it)?;
    let mut facts = facts::payment(made.clone(), state, amount);
    let holds_money = matches!(state, PaymentStatus::Authorised | PaymentStatus::Captured);
    facts.charge_ref = holds_money.then(|| made.clone());
    facts.reference = it.cart.as_deref().and_then(reference::payment);
    facts.last_error =
        (state == PaymentStatus::Failed).then(|| facts::decline(&it.code, &it.message, true));
    let compared = echo::same_ref(&asked.provider_ref, &made)
        .and_then(|()| echo::test(reading.test, it.test.as_deref()))
        .and_then(|()| echo::same_cart(reading.op, it.cart.as_deref()))
        .and_then(|()| echo::same_money("amount", asked.amount, amount));
    let subject = Subject::Payment(Box::new(facts));
    Ok(echo::judge(compared, Answer { subject, request_id: None }, false))
}

/// A refund, by its transaction.
pub(super) fn refund(
    reading: Reading<'_>,
    asked: &SyncRefund,
    text: &str,
) -> Result<Outcome, UnknownReason> {
    let it = the_one(reading, text)?;
    let kind = it.kind.as_deref().unwrap_or_default();
    let state = match kind {
        "refund" => status::refund(kind, &it.status),
        _ => RefundStatus::Unknown,
    };
    if state == RefundStatus::Unknown {
        let word = facts::word(&format!("{kind} {}", it.status));
        return Err(UnknownReason::UnknownStatus { word });
    }
    let made = facts::transaction(&it.reference);
    let made = made.ok_or_else(|| reading.unreadable("its reference is no id"))?;
    let amount = amount(reading, &it)?;
    let compared = echo::same_ref(&asked.provider_ref, &made)
        .and_then(|()| echo::test(reading.test, it.test.as_deref()))
        .and_then(|()| echo::same_cart(reading.op, it.cart.as_deref()))
        .and_then(|()| echo::same_money("amount", asked.amount, amount));
    let mut facts = facts::refund(made, state, amount);
    facts.payment_ref = Some(asked.payment_ref.clone());
    facts.charge_ref.clone_from(&asked.charge_ref);
    facts.reference = it.cart.as_deref().and_then(reference::refund);
    facts.reason = (state == RefundStatus::Failed).then(|| facts::word(&it.code));
    let subject = Subject::Refund(Box::new(facts));
    Ok(echo::judge(compared, Answer { subject, request_id: None }, false))
}

/// The one transaction that was asked about.
fn the_one(reading: Reading<'_>, text: &str) -> Result<Remote, UnknownReason> {
    let list = wire::transactions(text).map_err(|problem| reading.unreadable(problem))?;
    match list.as_slice() {
        [] => Err(UnknownReason::NotFound { code: "no_such_transaction".to_owned() }),
        [only] => wire::transaction(only).map_err(|problem| reading.unreadable(problem)),
        _ => Err(reading.unreadable("several transactions have the number")),
    }
}

fn amount(reading: Reading<'_>, it: &Remote) -> Result<Money, UnknownReason> {
    let (amount, currency) =
        it.amount.as_ref().ok_or_else(|| reading.unreadable("it has no amount"))?;
    from_wire(amount, currency).map_err(|error| reading.unreadable(error))
}

/// What is looked for.
struct Sought<'a> {
    /// Our reference of that very operation.
    ours: String,
    /// The types it may have.
    kinds: &'static [&'static str],
    amount: Money,
    /// Transactions that are known to be others.
    known: &'a [ProviderRef],
}

impl<'a> Sought<'a> {
    fn of(op: &'a Operation) -> Option<Self> {
        Some(match op {
            Operation::Create(it) => Self {
                ours: reference::of_payment(it.payment, it.operation),
                kinds: &["sale", "auth"],
                amount: it.amount,
                known: &[],
            },
            Operation::Capture(it) => Self {
                ours: reference::of_payment(it.payment, it.operation),
                kinds: &["capture"],
                amount: it.amount,
                known: &[],
            },
            Operation::Void(it) => Self {
                ours: reference::of_payment(it.payment, it.operation),
                kinds: &["release", "void"],
                amount: it.amount,
                known: &[],
            },
            Operation::Refund(it) => Self {
                ours: reference::of_refund(it.refund, it.operation),
                kinds: &["refund"],
                amount: it.amount,
                known: &it.known_refunds,
            },
            _ => return None,
        })
    }

    /// Whether a transaction says it is the very one.
    fn is_named(&self, element: &Element, it: &Remote) -> bool {
        let ours = Some(self.ours.as_str());
        it.cart.as_deref() == ours || wire::description(element) == ours
    }

    /// Whether a transaction could be the one, by type and amount, and names no other refund of
    /// ours. What names the payment only may be any of its transactions.
    fn may_be(&self, element: &Element, it: &Remote) -> bool {
        let described = wire::description(element);
        let other = it.cart.as_deref().and_then(reference::refund).is_some()
            || described.and_then(reference::refund).is_some();
        let same = it.amount.as_ref().is_some_and(|(amount, currency)| {
            from_wire(amount, currency).is_ok_and(|amount| amount == self.amount)
        });
        let kind = it.kind.as_deref().unwrap_or_default();
        let is_known = self.known.iter().any(|known| known.as_str() == it.reference);
        self.kinds.contains(&kind) && same && !other && !is_known
    }
}

/// Finds what became of an operation among the transactions linked to its parent.
///
/// The one that names our reference is it. Failing that, the only one of that type and amount that
/// is not known to be another; of several alike nobody can tell which is ours.
pub(super) fn find(
    reading: Reading<'_>,
    op: &Operation,
    text: &str,
) -> Result<Outcome, UnknownReason> {
    let sought =
        Sought::of(op).ok_or_else(|| reading.unreadable("nothing is looked for by this"))?;
    let list = wire::transactions(text).map_err(|problem| reading.unreadable(problem))?;
    let mut named = Vec::new();
    let mut alike = Vec::new();
    for element in &list {
        let it = wire::transaction(element).map_err(|problem| reading.unreadable(problem))?;
        if sought.is_named(element, &it) {
            named.push(it);
        } else if sought.may_be(element, &it) {
            alike.push(it);
        }
    }
    match (named.as_slice(), alike.as_slice()) {
        ([only], _) => answer::settle(reading, op, only),
        ([], [only]) => answer::settle(reading, op, only),
        ([], []) => Err(UnknownReason::NotFound { code: "no_such_transaction".to_owned() }),
        _ => Err(reading.unreadable("which transaction is ours cannot be told")),
    }
}
