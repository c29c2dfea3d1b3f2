//! Webhooks: which event tells of what, and its envelope.

use serde_json::{Value, json};

use super::extra::{OrderExtra, PaymentExtra};
use super::time::iso_millis;
use super::view::{Extent, View, link};
use super::{UPPER, dispute, payment, payout, vault};
use crate::bank::book::RowKind;
use crate::bank::record::{CaptureMode, Metadata, Payment};
use crate::bank::wire::{Happened, Message};
use crate::bank::work::Work;

const ID_CHARS: usize = 17;

/// The messages about something that happened.
pub fn messages(work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message> {
    use Happened as H;
    let message = match happened {
        H::OrderApproved => order(work, "CHECKOUT.ORDER.APPROVED", id),
        H::OrderPaid => order(work, "CHECKOUT.ORDER.COMPLETED", id),
        H::OrderExpired => reversed_approval(work, id),
        H::PaymentPending
        | H::PaymentHeld
        | H::PaymentAuthorised
        | H::PaymentFailed
        | H::PaymentReleased
        | H::PaymentExpired
        | H::PaymentReversed => of_payment(work, happened, id),
        H::Captured => captured(work, id),
        H::RefundSucceeded => refunded(work, id),
        H::TokenSaved | H::TokenRemoved => of_token(work, happened, id),
        H::PayoutSent | H::PayoutPaid | H::PayoutReturned | H::PayoutFailed => {
            of_payout(work, happened, id)
        }
        H::DisputeOpened => of_dispute(work, "CUSTOMER.DISPUTE.CREATED", id),
        H::DisputeUnderReview => of_dispute(work, "CUSTOMER.DISPUTE.UPDATED", id),
        H::DisputeWon | H::DisputeLost | H::DisputeClosed => {
            of_dispute(work, "CUSTOMER.DISPUTE.RESOLVED", id)
        }
        _ => None,
    };
    message.into_iter().collect()
}

/// What an event is about.
struct Subject {
    kind: &'static str,
    version: &'static str,
    summary: String,
    resource: Value,
    metadata: Metadata,
}

impl Subject {
    fn new(kind: &'static str, summary: &str, resource: Value) -> Self {
        let summary = summary.to_owned();
        Self { kind, version: "2.0", summary, resource, metadata: Metadata::new() }
    }

    fn of(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }
}

fn message(work: &mut Work<'_>, event: &str, subject: Subject) -> Message {
    let (one, two) = (work.new_text(UPPER, ID_CHARS), work.new_text(UPPER, ID_CHARS));
    let id = format!("WH-{one}-{two}");
    let path = format!("/v1/notifications/webhooks-events/{id}");
    let base = work.settings.public_url.as_str();
    let body = json!({
        "id": id,
        "event_version": "1.0",
        "create_time": iso_millis(work.now),
        "resource_type": subject.kind,
        "resource_version": subject.version,
        "event_type": event,
        "summary": subject.summary,
        "resource": subject.resource,
        "links": [
            link(base, "self", "GET", &path),
            link(base, "resend", "POST", &format!("{path}/resend")),
        ],
    });
    let (kind, body) = (event.to_owned(), body.to_string());
    Message { id, kind, body, url: None, metadata: subject.metadata }
}

fn order(work: &mut Work<'_>, event: &str, id: &str) -> Option<Message> {
    let order = work.state.orders.get(id).cloned()?;
    if OrderExtra::of(&order).setup {
        return None;
    }
    let resource = View::of(work).order(&order, Extent::Full);
    let text = match event {
        "CHECKOUT.ORDER.APPROVED" => "An order has been approved by buyer",
        _ => "Checkout Order Completed",
    };
    let subject = Subject::new("checkout-order", text, resource).of(order.metadata.clone());
    Some(message(work, event, subject))
}

/// The buyer had approved, and nobody took the money.
fn reversed_approval(work: &mut Work<'_>, id: &str) -> Option<Message> {
    let order = work.state.orders.get(id).cloned()?;
    let extra = OrderExtra::of(&order);
    if extra.setup || !extra.approved {
        return None;
    }
    let resource = json!({ "order_id": id, "purchase_units": [{
        "reference_id": extra.reference_id, "custom_id": extra.custom_id,
        "invoice_id": extra.invoice_id,
    }] });
    let text = "A payment approval was reversed.";
    let subject = Subject::new("checkout-order", text, resource).of(order.metadata.clone());
    Some(message(work, "CHECKOUT.PAYMENT-APPROVAL.REVERSED", subject))
}

fn of_payment(work: &mut Work<'_>, happened: Happened, id: &str) -> Option<Message> {
    let payment = work.state.payments.get(id).cloned()?;
    let extra = PaymentExtra::of(&payment);
    if extra.hidden || extra.replaced_by.is_some() {
        return None;
    }
    match (payment.capture, happened) {
        (_, Happened::PaymentReversed) if payment.captured > 0 => taken_back(work, &payment),
        (CaptureMode::Automatic, _) => direct(work, &payment, &extra, happened),
        (CaptureMode::Manual, Happened::PaymentPending | Happened::PaymentHeld) => None,
        (CaptureMode::Manual, Happened::PaymentAuthorised) => {
            authorization(work, "PAYMENT.AUTHORIZATION.CREATED", &payment)
        }
        // A refusal at once is in the answer of the call.
        (CaptureMode::Manual, Happened::PaymentFailed) if extra.pending.is_none() => None,
        (CaptureMode::Manual, _) => authorization(work, "PAYMENT.AUTHORIZATION.VOIDED", &payment),
    }
}

fn authorization(work: &mut Work<'_>, event: &str, payment: &Payment) -> Option<Message> {
    let resource = View::of(work).authorization(payment);
    let text = match event {
        "PAYMENT.AUTHORIZATION.CREATED" => "A payment authorization was created",
        _ => "A payment authorization was voided",
    };
    let metadata = payment::matched(work.state, payment);
    Some(message(work, event, Subject::new("authorization", text, resource).of(metadata)))
}

/// A capture that waits, or never came to be. Both words for the latter are used by PayPal.
fn direct(
    work: &mut Work<'_>,
    payment: &Payment,
    extra: &PaymentExtra,
    happened: Happened,
) -> Option<Message> {
    let (event, text) = match happened {
        Happened::PaymentPending | Happened::PaymentHeld => {
            ("PAYMENT.CAPTURE.PENDING", "Payment pending")
        }
        Happened::PaymentFailed if extra.pending.is_some() => {
            ("PAYMENT.CAPTURE.DENIED", "Payment denied")
        }
        Happened::PaymentFailed => ("PAYMENT.CAPTURE.DECLINED", "A payment capture was declined"),
        _ => return None,
    };
    let resource = View::of(work).untaken(payment);
    let metadata = payment::matched(work.state, payment);
    Some(message(work, event, Subject::new("capture", text, resource).of(metadata)))
}

/// An amount in a sentence.
fn sentence(resource: &Value) -> String {
    let part = |name: &str| resource["amount"][name].as_str().unwrap_or_default().to_owned();
    format!("$ {} {}", part("value"), part("currency_code"))
}

fn captured(work: &mut Work<'_>, id: &str) -> Option<Message> {
    let capture = work.state.captures.get(id).cloned()?;
    let payment = work.state.payments.get(&capture.payment).cloned()?;
    let resource = View::of(work).capture(&payment, &capture);
    let text = format!("Payment completed for {}", sentence(&resource));
    let metadata = payment::matched(work.state, &payment);
    let subject = Subject::new("capture", &text, resource).of(metadata);
    Some(message(work, "PAYMENT.CAPTURE.COMPLETED", subject))
}

fn refunded(work: &mut Work<'_>, id: &str) -> Option<Message> {
    let refund = work.state.refunds.get(id).cloned()?;
    let payment = work.state.payments.get(&refund.payment).cloned()?;
    let resource = View::of(work).refund(&refund);
    let text = format!("A {} capture payment was refunded", sentence(&resource));
    let metadata = payment::matched(work.state, &payment);
    let subject = Subject::new("refund", &text, resource).of(metadata);
    Some(message(work, "PAYMENT.CAPTURE.REFUNDED", subject))
}

/// PayPal took the money back: what is told looks like a refund, with an id of its own.
fn taken_back(work: &mut Work<'_>, payment: &Payment) -> Option<Message> {
    let capture = work.state.captures_of(&payment.id).next_back().cloned()?;
    let of_it = |kind: RowKind, of: &str| kind == RowKind::PaymentReversed && of == payment.id;
    let row = work.state.rows.newest_first().find(|row| of_it(row.kind, &row.source)).cloned();
    let id = row.as_ref().map_or_else(String::new, super::report::row_id);
    let view = View::of(work);
    let taken = row.map_or(0, |row| -row.gross);
    let resource = json!({
        "id": id,
        "status": "COMPLETED",
        "amount": super::amount::money(taken, payment.currency),
        "create_time": super::time::iso(work.now),
        "update_time": super::time::iso(work.now),
        "links": view.refund_links(&id, &capture.id),
    });
    let text = format!("A {} capture payment was reversed", sentence(&resource));
    let metadata = payment::matched(work.state, payment);
    let subject = Subject::new("refund", &text, resource).of(metadata);
    Some(message(work, "PAYMENT.CAPTURE.REVERSED", subject))
}

fn of_token(work: &mut Work<'_>, happened: Happened, id: &str) -> Option<Message> {
    let token = work.state.tokens.get(id).cloned()?;
    let resource = vault::show(work, &token);
    let (event, text) = match happened {
        Happened::TokenSaved => {
            ("VAULT.PAYMENT-TOKEN.CREATED", "A payment token has been created.")
        }
        _ => ("VAULT.PAYMENT-TOKEN.DELETED", "A payment token has been deleted."),
    };
    let subject = Subject::new("payment_token", text, resource).version("3.0");
    Some(message(work, event, subject))
}

fn of_payout(work: &mut Work<'_>, happened: Happened, id: &str) -> Option<Message> {
    let found = work.state.payouts.get(id).cloned()?;
    let waiting = payout::waiting(&found);
    let reason = found.reason.as_deref();
    let event = match (happened, waiting, reason) {
        (Happened::PayoutSent, Some(payout::Waiting::Unclaimed), _) => "UNCLAIMED",
        (Happened::PayoutSent, Some(payout::Waiting::OnHold), _) => "HELD",
        (Happened::PayoutSent, None, _) => return None,
        (Happened::PayoutPaid, ..) => "SUCCEEDED",
        (Happened::PayoutReturned, _, Some("REFUNDED")) => "REFUNDED",
        (Happened::PayoutReturned, ..) if found.wire["cancelled"] == true => "CANCELED",
        (Happened::PayoutReturned, ..) => "RETURNED",
        (Happened::PayoutFailed, _, Some("BLOCKED")) => "BLOCKED",
        (Happened::PayoutFailed, _, Some("DENIED")) => "DENIED",
        _ => "FAILED",
    };
    let resource = payout::item(&View::of(work), id)?;
    let text = format!("A payout item is {}", event.to_lowercase());
    let subject = Subject::new("payouts_item", &text, resource).version("1.0");
    let event = format!("PAYMENT.PAYOUTS-ITEM.{event}");
    Some(message(work, &event, subject.of(found.metadata.clone())))
}

/// Tells of a batch of payouts.
pub fn batch(work: &mut Work<'_>, id: &str, event: &str) {
    let Some(header) = payout::header(work.state, id) else { return };
    let path = format!("/v1/payments/payouts/{id}");
    let links = json!([View::of(work).link("self", "GET", &path)]);
    let resource = json!({ "batch_header": header, "links": links });
    let subject = Subject::new("payouts", "Payouts batch changed.", resource).version("1.0");
    let message = message(work, event, subject);
    work.emit(message);
}

fn of_dispute(work: &mut Work<'_>, event: &str, id: &str) -> Option<Message> {
    if event != "CUSTOMER.DISPUTE.CREATED" {
        dispute::touch(work, id);
    }
    let found = work.state.disputes.get(id).cloned()?;
    let payment = work.state.payments.get(&found.payment).cloned()?;
    let resource = dispute::show(&View::of(work), &found);
    let text = match event {
        "CUSTOMER.DISPUTE.CREATED" => format!("A new dispute opened with Case # {id}"),
        "CUSTOMER.DISPUTE.UPDATED" => format!("A dispute was updated with case # {id}"),
        _ => format!("A dispute was resolved with case # {id}"),
    };
    let metadata = payment::matched(work.state, &payment);
    let subject = Subject::new("dispute", &text, resource).version("1.0").of(metadata);
    Some(message(work, event, subject))
}

/// What was claimed does not go back by itself; a batch may be done with one of its items.
pub fn follow(work: &mut Work<'_>, happened: Happened, id: &str) {
    use Happened as H;
    if !matches!(happened, H::PayoutPaid | H::PayoutReturned | H::PayoutFailed) {
        return;
    }
    let Some(mut found) = work.state.payouts.get(id).cloned() else { return };
    let batch = found.wire["batch"].as_str().map(str::to_owned);
    if happened == H::PayoutPaid && payout::waiting(&found).is_some() {
        found.plan.clear();
        work.put(found);
    }
    if let Some(batch) = batch {
        payout::finish(work, &batch);
    }
}
