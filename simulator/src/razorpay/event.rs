//! Webhooks: one envelope around the entities as they are when it happens.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, view};
use crate::bank::record::Metadata;
use crate::bank::wire::{Happened, Message};
use crate::bank::work::Work;

/// The messages about something that happened.
pub fn messages(work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message> {
    use Happened as H;
    let event = match happened {
        H::PaymentAuthorised => payment(work, "payment.authorized", id),
        H::PaymentFailed => payment(work, "payment.failed", id),
        H::Captured => {
            let of = work.state.captures.get(id).map(|capture| capture.payment.clone());
            of.and_then(|of| payment(work, "payment.captured", &of))
        }
        H::OrderPaid => order_paid(work, id),
        H::RefundCreated => refund(work, "refund.created", id),
        H::RefundSucceeded => refund(work, "refund.processed", id),
        H::RefundFailed => refund(work, "refund.failed", id),
        H::DisputeOpened => dispute(work, "payment.dispute.created", id),
        H::DisputeUnderReview => dispute(work, "payment.dispute.under_review", id),
        H::DisputeWon => dispute(work, "payment.dispute.won", id),
        H::DisputeLost => dispute(work, "payment.dispute.lost", id),
        H::DisputeClosed => dispute(work, "payment.dispute.closed", id),
        H::TransferPaid => transfer(work, "transfer.processed", id),
        H::TransferFailed => transfer(work, "transfer.failed", id),
        H::TokenSaved => token(work, id),
        H::Settled => settlement(work, id),
        H::PayoutQueued => return payout(work, "payout.queued", id),
        H::PayoutSent => return payout(work, "payout.initiated", id),
        H::PayoutPaid => return payout(work, "payout.processed", id),
        H::PayoutReturned => return payout(work, "payout.reversed", id),
        H::PayoutFailed => return payout(work, "payout.failed", id),
        H::PayoutCancelled => return payout(work, "payout.updated", id),
        _ => None,
    };
    event.into_iter().collect()
}

type Entities<'a> = &'a [(&'a str, Value)];

fn message(work: &mut Work<'_>, kind: &str, entities: Entities<'_>, notes: Metadata) -> Message {
    let mut payload = Map::new();
    for (name, entity) in entities {
        payload.insert((*name).to_owned(), json!({ "entity": entity }));
    }
    let contains: Vec<_> = entities.iter().map(|(name, _)| *name).collect();
    let body = json!({
        "entity": "event",
        "account_id": ACCOUNT,
        "event": kind,
        "contains": contains,
        "payload": payload,
        "created_at": work.now.timestamp(),
    });
    Message {
        id: work.new_id("", 14),
        kind: kind.to_owned(),
        body: body.to_string(),
        url: None,
        metadata: notes,
    }
}

fn payment(work: &mut Work<'_>, kind: &str, id: &str) -> Option<Message> {
    let payment = work.state.payments.get(id).cloned()?;
    let notes = super::matched(work.state, &payment.order);
    let entity = view::payment(work.state, &payment);
    Some(message(work, kind, &[("payment", entity)], notes))
}

fn order_paid(work: &mut Work<'_>, id: &str) -> Option<Message> {
    let order = work.state.orders.get(id).cloned()?;
    let payment = work.state.payment(id).cloned()?;
    let notes = super::matched(work.state, id);
    let payment = view::payment(work.state, &payment);
    let order = view::order(work.state, &order);
    Some(message(work, "order.paid", &[("payment", payment), ("order", order)], notes))
}

fn refund(work: &mut Work<'_>, kind: &str, id: &str) -> Option<Message> {
    let refund = work.state.refunds.get(id).cloned()?;
    let payment = work.state.payments.get(&refund.payment).cloned()?;
    let mut notes = super::matched(work.state, &payment.order);
    notes.extend(refund.metadata.clone());
    let refund = view::refund(work.state, &refund);
    let payment = view::payment(work.state, &payment);
    Some(message(work, kind, &[("refund", refund), ("payment", payment)], notes))
}

fn dispute(work: &mut Work<'_>, kind: &str, id: &str) -> Option<Message> {
    let dispute = work.state.disputes.get(id).cloned()?;
    let payment = work.state.payments.get(&dispute.payment).cloned()?;
    let notes = super::matched(work.state, &payment.order);
    let dispute = view::dispute(work.state, &dispute);
    let payment = view::payment(work.state, &payment);
    Some(message(work, kind, &[("payment", payment), ("dispute", dispute)], notes))
}

fn transfer(work: &mut Work<'_>, kind: &str, id: &str) -> Option<Message> {
    let transfer = work.state.transfers.get(id).cloned()?;
    let notes = transfer.metadata.clone();
    Some(message(work, kind, &[("transfer", view::transfer(&transfer))], notes))
}

fn token(work: &mut Work<'_>, id: &str) -> Option<Message> {
    let token = work.state.tokens.get(id).cloned()?;
    Some(message(work, "token.confirmed", &[("token", view::token(&token))], Metadata::new()))
}

fn settlement(work: &mut Work<'_>, id: &str) -> Option<Message> {
    let settlement = work.state.settlements.get(id).cloned()?;
    let entity = view::settlement(&settlement);
    Some(message(work, "settlement.processed", &[("settlement", entity)], Metadata::new()))
}

/// The payout's own event, and the line of the bank book when money moved.
fn payout(work: &mut Work<'_>, kind: &str, id: &str) -> Vec<Message> {
    let Some(payout) = work.state.payouts.get(id).cloned() else { return Vec::new() };
    let entity = view::payout(&payout);
    let notes = payout.metadata.clone();
    let mut messages = vec![message(work, kind, &[("payout", entity)], notes.clone())];
    let moved = matches!(kind, "payout.initiated" | "payout.reversed" | "payout.failed");
    let row = payout.rows.last().filter(|_| moved).and_then(|row| work.state.rows.get(row));
    if let Some(row) = row.cloned() {
        let entity = super::x::transaction(work.state, &row);
        messages.push(message(work, "transaction.created", &[("transaction", entity)], notes));
    }
    messages
}
