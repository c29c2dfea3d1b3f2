//! An order with what was authorised, captured and refunded on it, as one payment of ours.
//!
//! The order's own word tells of the customer's consent and of nothing else: an order is
//! `COMPLETED` with a capture that was declined. As soon as there is an authorisation or a capture,
//! those decide.

use mizan_money::Money;

use crate::instrument::SavedInstrument;
use crate::model::{NextAction, PaymentStatus, ProviderRef};
use crate::outcome::PaymentAnswer;
use crate::paypal::facts::{
    FactError, Kind, Told, amount, amount_or, id, payment, payment_id, sum,
};
use crate::paypal::{status, wire};

/// Reads an order; `asked` stands for the amount where the answer leaves it out.
pub(super) fn order(
    it: &wire::Order,
    asked: Option<Money>,
) -> Result<Told<PaymentAnswer>, FactError> {
    let none = wire::Unit::default();
    let unit = match it.purchase_units.as_slice() {
        [] => &none,
        [only] => only,
        _ => return Err(FactError::Contradiction { field: "purchase_units" }),
    };
    let order_ref = id("id", &it.id)?;
    let own = it.status.as_deref().unwrap_or_default();
    let mut parts = parts(&unit.payments, &order_ref)?;
    parts.sort_by_key(|part| rank(part.facts.status));
    let amount = asked_for(unit, &parts, asked)?;
    let mut told = match parts.last() {
        Some(furthest) => furthest.clone(),
        None if own == "COMPLETED" => return Err(FactError::Missing { field: "payments" }),
        None => untried(it, order_ref, own, amount),
    };
    let sums = Sums::of(&parts, &unit.payments, amount)?;
    let facts = &mut told.facts;
    facts.amount = amount;
    facts.captured = sums.captured;
    facts.refunded = sums.refunded.filter(|_| facts.status == PaymentStatus::Captured);
    facts.fee = facts.fee.take().filter(|_| sums.captures == 1);
    facts.instrument = instrument(it);
    let references = (unit.custom_id.as_deref(), unit.invoice_id.as_deref());
    facts.reference = payment_id(references.0, references.1).or(facts.reference);
    told.ours = references.0.or(references.1).map(ToOwned::to_owned).or(told.ours);
    told.parent = None;
    told.intent.clone_from(&it.intent);
    if status::payment("order", own) == PaymentStatus::Unknown && own != "COMPLETED" {
        told.facts.status = PaymentStatus::Unknown;
        told.word = format!("order: {own}");
    }
    Ok(told)
}

/// Every authorisation and capture by itself. An authorisation that was captured is told by its
/// captures; one of which more can be captured is a hold of the rest.
fn parts(
    payments: &wire::Payments,
    order: &ProviderRef,
) -> Result<Vec<Told<PaymentAnswer>>, FactError> {
    let mut parts = Vec::new();
    for it in &payments.captures {
        parts.push(payment(Kind::Capture, it, order.clone(), None)?);
    }
    for it in &payments.authorizations {
        match it.status.as_str() {
            "CAPTURED" | "PARTIALLY_CAPTURED" if payments.captures.is_empty() => {
                return Err(FactError::Missing { field: "captures" });
            }
            "CAPTURED" => {}
            "PARTIALLY_CAPTURED" => {
                let closed = payments.captures.iter().any(|it| it.final_capture == Some(true));
                if !closed {
                    parts.push(rest(it, order, &parts)?);
                }
            }
            _ => parts.push(payment(Kind::Authorization, it, order.clone(), None)?),
        }
    }
    Ok(parts)
}

/// The hold of what is left of an authorisation.
fn rest(
    it: &wire::Transaction,
    order: &ProviderRef,
    captures: &[Told<PaymentAnswer>],
) -> Result<Told<PaymentAnswer>, FactError> {
    let open = wire::Transaction { status: "CREATED".to_owned(), ..it.clone() };
    let mut told = payment(Kind::Authorization, &open, order.clone(), None)?;
    let taken = captures.iter().filter(|part| part.facts.charge_ref.is_some());
    let taken: Vec<Money> = taken.map(|part| part.facts.amount).collect();
    let differs = |_| FactError::Contradiction { field: "currency" };
    let held = told.facts.amount;
    told.facts.capturable = held.checked_sub(sum(held.currency(), &taken)?).map_err(differs)?;
    if told.facts.capturable.minor() < 0 {
        return Err(FactError::Contradiction { field: "captures" });
    }
    Ok(told)
}

/// How far a transaction went: what is not known over all, an open hold over money that was taken
/// before, that over a failure.
const fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Unknown => 6,
        PaymentStatus::Authorised => 5,
        PaymentStatus::Captured => 4,
        PaymentStatus::Processing => 3,
        PaymentStatus::Failed => 2,
        _ => 1,
    }
}

/// What the customer was asked to pay: the order's own amount, else what was held, else what was
/// taken, else what we asked for.
fn asked_for(
    unit: &wire::Unit,
    parts: &[Told<PaymentAnswer>],
    asked: Option<Money>,
) -> Result<Money, FactError> {
    if unit.amount.is_none() && !parts.is_empty() {
        let held = unit.payments.authorizations.last().and_then(|it| it.amount.as_ref());
        if let Some(held) = held {
            return Ok(amount(held)?);
        }
        let all: Vec<Money> = parts.iter().map(|part| part.facts.amount).collect();
        let currency = all.first().map(|first| first.currency());
        let currency = currency.ok_or(FactError::Missing { field: "amount" })?;
        return sum(currency, &all);
    }
    amount_or(unit.amount.as_ref(), asked)
}

/// An order that nothing was tried on yet.
fn untried(it: &wire::Order, order: ProviderRef, own: &str, amount: Money) -> Told<PaymentAnswer> {
    let none = Money::zero(amount.currency());
    let mut status = status::payment("order", own);
    let next_action = match status {
        PaymentStatus::RequiresAction if own == "APPROVED" => Some(NextAction::Confirm),
        PaymentStatus::RequiresAction | PaymentStatus::Created => redirect(&it.links),
        _ => None,
    };
    if status == PaymentStatus::Created && next_action.is_some() {
        status = PaymentStatus::RequiresAction;
    }
    let facts = PaymentAnswer {
        provider_ref: order,
        status,
        amount,
        capturable: none,
        captured: none,
        refunded: None,
        charge_ref: None,
        next_action,
        last_error: None,
        cancellation_reason: (status == PaymentStatus::Cancelled).then(|| own.to_ascii_lowercase()),
        fee: None,
        instrument: None,
        reference: None,
    };
    Told { facts, word: format!("order: {own}"), ours: None, parent: None, intent: None }
}

/// Where the customer agrees: `payer-action`, or `approve` in the older form.
pub(super) fn redirect(links: &[wire::Link]) -> Option<NextAction> {
    let url = wire::link(links, "payer-action").or_else(|| wire::link(links, "approve"))?;
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = url.len() <= 2048 && url.bytes().all(|b| b.is_ascii_graphic());
    (web && plain).then(|| NextAction::Redirect { url: url.to_owned() })
}

/// The instrument that was kept with the payment, once it is in the vault.
fn instrument(it: &wire::Order) -> Option<SavedInstrument> {
    let wallet = it.payment_source.as_ref()?.paypal.as_ref()?;
    let token = wallet.attributes.as_ref()?.vault.as_ref()?;
    let there = matches!(token.status.as_deref(), None | Some("VAULTED" | "CREATED"));
    there.then(|| saved(token)).flatten()
}

/// What can be charged again.
pub(super) fn saved(token: &wire::Token) -> Option<SavedInstrument> {
    let customer = token.customer.as_ref().and_then(|it| it.id.as_deref());
    Some(SavedInstrument {
        token: ProviderRef::parse(token.id.as_deref()?).ok()?,
        customer: customer.and_then(|text| ProviderRef::parse(text).ok()),
        first_charge: None,
    })
}

/// What the captures and refunds of an order come to together.
struct Sums {
    captures: usize,
    captured: Money,
    refunded: Option<Money>,
}

impl Sums {
    fn of(
        parts: &[Told<PaymentAnswer>],
        payments: &wire::Payments,
        of: Money,
    ) -> Result<Self, FactError> {
        let taken = parts.iter().filter(|part| part.facts.status == PaymentStatus::Captured);
        let taken: Vec<Money> = taken.map(|part| part.facts.captured).collect();
        let captured = sum(of.currency(), &taken)?;
        let mut back = Vec::new();
        for it in payments.refunds.iter().filter(|it| it.status == "COMPLETED") {
            back.push(amount_or(it.amount.as_ref(), None)?);
        }
        let any = |word: &str| payments.captures.iter().any(|it| it.status == word);
        let refunded = match payments.refunds.is_empty() {
            // A capture that says so, and no refund that says how much.
            true if any("PARTIALLY_REFUNDED") || any("REFUNDED") => None,
            _ => Some(sum(of.currency(), &back)?),
        };
        Ok(Self { captures: taken.len(), captured, refunded })
    }
}
