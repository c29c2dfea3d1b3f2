//! Callbacks and IPNs: the transaction as it is when it happens, to each address separately.

use chrono::DateTime;
use serde_json::Value;

use super::transaction::{Transaction, find};
use super::{matched, view};
use crate::bank::record::{CaptureMode, RefundState};
use crate::bank::state::State;
use crate::bank::wire::{Happened, Message, Seal, Sealed};
use crate::bank::work::Work;
use crate::secret::hmac_sha256;
use crate::webhook::Delivery;

/// The messages about something that happened.
pub fn messages(work: &mut Work<'_>, happened: Happened, id: &str, profile: u64) -> Vec<Message> {
    let refs = told(work.state, happened, id);
    refs.iter().flat_map(|tran_ref| about(work, tran_ref, profile)).collect()
}

/// Which transactions there is news of.
fn told(state: &State, happened: Happened, id: &str) -> Vec<String> {
    use Happened as H;
    let payment = state.payments.get(id);
    let order = || payment.map(|payment| payment.order.clone());
    let one = match happened {
        H::OrderCancelled | H::OrderExpired | H::Captured => Some(id.to_owned()),
        H::RefundSucceeded | H::RefundFailed => Some(id.to_owned()),
        H::RefundCreated => {
            let refund = state.refunds.get(id);
            let pending = refund.is_some_and(|refund| refund.state == RefundState::Pending);
            pending.then(|| id.to_owned())
        }
        // A sale is told when its money is taken.
        H::PaymentAuthorised => {
            order().filter(|_| payment.is_some_and(|it| it.capture == CaptureMode::Manual))
        }
        // What becomes of the page is told instead.
        H::PaymentFailed => {
            let given_up = Some("payment_cancelled");
            order().filter(|_| payment.is_some_and(|it| it.reason.as_deref() != given_up))
        }
        H::PaymentPending | H::PaymentHeld => order(),
        H::PaymentReleased => {
            payment.and_then(|it| it.wire["follow_up"].as_str()).map(str::to_owned)
        }
        H::PaymentReversed => {
            let captures = state.captures_of(id).map(|capture| capture.id.clone());
            let captures: Vec<_> = captures.collect();
            return if captures.is_empty() { order().into_iter().collect() } else { captures };
        }
        _ => None,
    };
    one.into_iter().collect()
}

/// The messages about a transaction: to the profile's endpoint, and to where its request says.
pub fn about(work: &mut Work<'_>, tran_ref: &str, profile: u64) -> Vec<Message> {
    let Some(tran) = find(work.state, tran_ref) else { return Vec::new() };
    let callback = tran.callback.clone().map(Some);
    let urls = std::iter::once(None).chain(callback);
    urls.map(|url| message(work, &tran, url, profile)).collect()
}

fn message(work: &mut Work<'_>, tran: &Transaction, url: Option<String>, profile: u64) -> Message {
    work.state.counter += 1;
    let id = format!("IPNS0001.{:08X}.{:08X}", work.now.timestamp(), work.state.counter);
    let kind = tran.tran_type.to_ascii_lowercase().replace(' ', "_");
    Message {
        kind: format!("{kind}.{}", tran.verdict.status),
        body: view::notice(tran, profile, &id).to_string(),
        url,
        metadata: matched(work.state, &tran.tran_ref),
        id,
    }
}

/// Signs a delivery with the server key. What failed at PayTabs itself comes without a signature,
/// as one integrator saw it.
pub fn seal(delivery: &Delivery, seal: &Seal<'_>, client_key: &str) -> Sealed {
    let mut body = delivery.body.clone();
    let mut json: Value = serde_json::from_str(&body).unwrap_or_default();
    if !seal.skew.is_zero()
        && let Some(claimed) = json.pointer_mut("/payment_result/transaction_time")
        && let Ok(time) = DateTime::parse_from_rfc3339(claimed.as_str().unwrap_or_default())
    {
        *claimed = view::time(time.to_utc() + seal.skew).into();
        body = json.to_string();
    }
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("user-agent", "IPN/1.0".to_owned()),
        ("client-key", client_key.to_owned()),
    ];
    if json["payment_result"]["response_status"] != "E" {
        let signature = hmac_sha256(seal.secret().as_bytes(), body.as_bytes());
        headers.push(("signature", hex::encode(signature)));
    }
    Sealed { body, headers }
}
