//! One delivery, verified and translated, in the shape the command line prints.

use mizan_money::{Money, Timestamp};
use serde::Serialize;

use crate::error::VerifyError;
use crate::event::{EventSubject, ProviderEvent};
use crate::http::Headers;
use crate::model::{ProviderFee, RefundStatus};
use crate::outcome::PaymentAnswer;
use crate::provider::{Provider, WebhookKeys};

/// What a delivery is worth. A body that is not believed is not translated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Whether the signature, the time and the bounds are right.
    pub verified: bool,
    /// Why it is not believed, or why it could not be translated.
    pub reason: Option<String>,
    /// By what a redelivery is recognised.
    pub dedupe_id: Option<String>,
    /// What it says.
    pub events: Vec<InspectedEvent>,
}

/// One event, in the words shared by all gateways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedEvent {
    /// What it is about.
    pub kind: &'static str,
    /// Its state, where the kind has one.
    pub status: Option<&'static str>,
    /// The gateway's id of the thing.
    pub provider_ref: Option<String>,
    /// In minor units of `currency`, by the ISO 4217 exponent.
    pub amount: Option<i64>,
    /// Upper-case ISO 4217 code.
    pub currency: Option<&'static str>,
    /// The gateway's fee without tax in minor units of `currency`, where it is in that currency.
    pub fee: Option<i64>,
    /// The tax on the fee in minor units of `currency`, where it is in that currency.
    pub tax: Option<i64>,
    /// The gateway's word for why.
    pub reason: Option<String>,
}

impl Inspection {
    /// Of a delivery that is not believed.
    pub(crate) fn refused(error: &VerifyError) -> Self {
        let reason = Some(format!("{}: {error}", error.code()));
        Self { verified: false, reason, dedupe_id: None, events: Vec::new() }
    }
}

/// Verifies and translates one delivery without any effect.
pub fn inspect(
    provider: &dyn Provider,
    headers: &Headers,
    body: &[u8],
    keys: WebhookKeys<'_>,
    now: Timestamp,
) -> Inspection {
    let delivery = match provider.verify_webhook(body, headers, keys, now) {
        Ok(delivery) => delivery,
        Err(error) => return Inspection::refused(&error),
    };
    let (reason, events) = match provider.events(body) {
        Ok(events) => (None, events.iter().map(InspectedEvent::from).collect()),
        Err(error) => (Some(error.to_string()), Vec::new()),
    };
    Inspection { verified: true, reason, dedupe_id: Some(delivery.dedupe_id), events }
}

impl From<&ProviderEvent> for InspectedEvent {
    fn from(event: &ProviderEvent) -> Self {
        let amount = event.amount();
        let (fee, tax) = amount.map_or((None, None), |amount| fees(event, amount));
        Self {
            kind: event.kind().as_str(),
            status: status(event),
            provider_ref: event.provider_ref().map(ToString::to_string),
            amount: amount.map(Money::minor),
            currency: amount.map(|money| money.currency().code()),
            fee,
            tax,
            reason: reason(event),
        }
    }
}

/// The state; a cancelled refund is told as failed, since the money did not go back.
fn status(event: &ProviderEvent) -> Option<&'static str> {
    match &event.subject {
        EventSubject::Refund(it) if it.status == RefundStatus::Cancelled => {
            Some(RefundStatus::Failed.as_str())
        }
        _ => event.status(),
    }
}

fn fees(event: &ProviderEvent, amount: Money) -> (Option<i64>, Option<i64>) {
    let rows: Vec<&ProviderFee> = match &event.subject {
        EventSubject::Payment(it) => it.fee.iter().collect(),
        EventSubject::Refund(it) => it.fee.iter().collect(),
        EventSubject::Dispute(it) => it.rows.iter().collect(),
        EventSubject::Payout(it) => it.fee.iter().collect(),
        EventSubject::Transfer(it) => it.fee.iter().collect(),
        _ => Vec::new(),
    };
    if rows.is_empty() {
        return (None, None);
    }
    let total = |part: fn(&ProviderFee) -> Money| {
        Money::sum(amount.currency(), rows.iter().map(|row| part(row))).ok().map(Money::minor)
    };
    (total(|row| row.fee), total(|row| row.tax))
}

fn reason(event: &ProviderEvent) -> Option<String> {
    match &event.subject {
        EventSubject::Payment(it) => payment_reason(it),
        EventSubject::Refund(it) => it.reason.clone().or_else(|| {
            (it.status == RefundStatus::Cancelled).then(|| it.status.as_str().to_owned())
        }),
        EventSubject::Dispute(it) => it.reason.clone(),
        EventSubject::Payout(it) => it.reason.clone(),
        EventSubject::RefundNotice(_)
        | EventSubject::Transfer(_)
        | EventSubject::Settlement(_)
        | EventSubject::Other(_) => None,
    }
}

fn payment_reason(payment: &PaymentAnswer) -> Option<String> {
    let declined = payment.last_error.as_ref();
    declined
        .map(|decline| decline.decline_code.clone().unwrap_or_else(|| decline.code.clone()))
        .or_else(|| payment.cancellation_reason.clone())
}
