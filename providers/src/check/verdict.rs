//! What is printed of a recording: the words all gateways share.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::capability::Recovery;
use crate::inspect::{InspectedEvent, Inspection};
use crate::model::{NextAction, PaymentStatus, ProviderName, ProviderRef, RefundStatus};
use crate::operation::{Operation, OperationKind};
use crate::outcome::{Answer, DeclineKind, Outcome, PaymentAnswer, Subject, UnknownReason};
use crate::provider::Provider;

/// What became of one recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The file.
    pub file: String,
    /// The gateway.
    pub provider: &'static str,
    /// Whether the delivery is believed; null where there is none, or nothing to verify it with.
    pub verified: Option<bool>,
    /// Why it is not, or why nothing is said.
    pub reason: Option<String>,
    /// By what a redelivery is recognised.
    pub dedupe_id: Option<String>,
    /// What the delivery says.
    pub events: Vec<InspectedEvent>,
    /// What the answer means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeView>,
}

impl Verdict {
    /// Of a delivery.
    pub(super) fn of_message(
        file: String,
        name: ProviderName,
        (verified, told): (Option<bool>, Inspection),
    ) -> Self {
        let (reason, dedupe_id, events) = (told.reason, told.dedupe_id, told.events);
        let provider = name.as_str();
        Self { file, provider, verified, reason, dedupe_id, events, outcome: None }
    }

    /// Of an answer.
    pub(super) fn of_answer(
        file: String,
        name: ProviderName,
        outcome: Option<OutcomeView>,
    ) -> Self {
        let reason = match &outcome {
            Some(_) => None,
            None => Some("no operation has such an answer".to_owned()),
        };
        Self { reason, outcome, ..Self::of_request(file, name) }
    }

    /// Of a request that nothing answered.
    pub(super) fn of_request(file: String, name: ProviderName) -> Self {
        Self {
            file,
            provider: name.as_str(),
            verified: None,
            reason: Some("a request without an answer".to_owned()),
            dedupe_id: None,
            events: Vec::new(),
            outcome: None,
        }
    }
}

/// What an answer means: `result`, then what is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct OutcomeView(Map<String, Value>);

impl OutcomeView {
    /// The words for the outcome of an operation.
    pub fn new(reader: &dyn Provider, op: &Operation, outcome: &Outcome) -> Self {
        let mut view = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                view.insert(name.to_owned(), value);
            }
        };
        put("operation", json!(op.kind().as_str()));
        put("result", json!(outcome.as_str()));
        match outcome {
            Outcome::Done(answer) | Outcome::Pending(answer) => {
                tell(answer, &mut put);
                if let Some((own, of)) = own_reference(reader.name(), op, answer) {
                    put("provider_ref", json!(own));
                    put("parent_ref", json!(of));
                }
            }
            Outcome::Declined(decline) => {
                // A page that was agreed to and then refused is open for another choice.
                let open = op.kind() == OperationKind::Confirm && decline.kind == DeclineKind::Soft;
                put(status_name(op), json!(if open { "requires_action" } else { "failed" }));
                put("provider_ref", json!(decline.provider_ref));
                let code = decline.decline_code.as_ref().unwrap_or(&decline.code);
                put("decline_code", json!(code));
                put("code", json!(decline.code));
                put("reason", json!(decline.message));
            }
            Outcome::Rejected(rejection) => {
                // Of a payment nothing is said: it is as it was before.
                if status_name(op) != "status" {
                    put(status_name(op), json!("failed"));
                }
                put("code", json!(rejection.code));
                put("reason", json!(rejection.message));
                put("class", json!(rejection.reason.as_str()));
            }
            Outcome::Unknown(unknown) => {
                put(status_name(op), json!("unknown"));
                put("code", json!(code_of(&unknown.why)));
                put("class", json!(unknown.why.code()));
                put("reason", json!(unknown.why.to_string()));
            }
            Outcome::Mismatch(mismatch) => {
                put(status_name(op), json!("unknown"));
                put("provider_ref", json!(mismatch.answer.provider_ref()));
                put("class", json!("mismatch"));
                put("reason", json!(mismatch.to_string()));
            }
        }
        put("retryable", json!(is_retryable(reader, op, outcome)));
        Self(view)
    }

    /// One of its words.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// Whether the same request may be sent again as it is. After an outcome that is not known it may
/// where it only asks, or where the gateway recognises it by its key; else it is looked for first.
fn is_retryable(reader: &dyn Provider, op: &Operation, outcome: &Outcome) -> bool {
    let recovery = reader.capabilities().recovery.of(op.kind());
    let harmless = op.is_query() || matches!(recovery, Recovery::SameKey { .. });
    match outcome {
        Outcome::Rejected(rejection) => rejection.reason.is_retryable(),
        Outcome::Unknown(unknown) => {
            let passing = matches!(
                unknown.why,
                UnknownReason::Busy { .. }
                    | UnknownReason::ServerError { .. }
                    | UnknownReason::NoAnswer(_)
            );
            harmless && passing
        }
        _ => false,
    }
}

/// What a capture or void made, and of what, where the gateway makes a thing of its own of it.
fn own_reference<'a>(
    name: ProviderName,
    op: &Operation,
    answer: &'a Answer,
) -> Option<(&'a ProviderRef, &'a ProviderRef)> {
    let makes_one = !matches!(name, ProviderName::Stripe | ProviderName::Razorpay);
    let follows = matches!(op.kind(), OperationKind::Capture | OperationKind::Void);
    let payment = answer.payment().filter(|_| makes_one && follows)?;
    Some((payment.charge_ref.as_ref()?, &payment.provider_ref))
}

fn code_of(why: &UnknownReason) -> Option<&str> {
    match why {
        UnknownReason::Busy { code }
        | UnknownReason::NotFound { code }
        | UnknownReason::ErrorInside { code, .. } => Some(code),
        _ => None,
    }
}

/// The name under which the state of what was asked for is told.
const fn status_name(op: &Operation) -> &'static str {
    match op.kind() {
        OperationKind::Refund | OperationKind::SyncRefund => "refund_status",
        OperationKind::Payout | OperationKind::SyncPayout | OperationKind::CancelPayout => {
            "payout_status"
        }
        OperationKind::Transfer | OperationKind::SyncTransfer | OperationKind::ReverseTransfer => {
            "transfer_status"
        }
        OperationKind::SyncDispute
        | OperationKind::AcceptDispute
        | OperationKind::ContestDispute => "dispute_status",
        _ => "status",
    }
}

fn tell(answer: &Answer, put: &mut impl FnMut(&str, Value)) {
    if let Some(reference) = answer.provider_ref() {
        put("provider_ref", json!(reference));
    }
    let mut money = |amount: mizan_money::Money| {
        put("amount", json!(amount.minor()));
        put("currency", json!(amount.currency().code()));
    };
    match &answer.subject {
        Subject::Payment(it) => {
            money(if it.status == PaymentStatus::Captured { it.captured } else { it.amount });
            payment(it, put);
        }
        Subject::Refund(it) => {
            money(it.amount);
            let status = match it.status {
                RefundStatus::Cancelled => RefundStatus::Failed,
                other => other,
            };
            put("refund_status", json!(status.as_str()));
            put("reason", json!(it.reason));
        }
        Subject::Payout(it) => {
            money(it.amount);
            put("payout_status", json!(it.status.as_str()));
            put("fee", json!(it.fee.as_ref().map(|fee| fee.fee.minor())));
            put("tax", json!(it.fee.as_ref().map(|fee| fee.tax.minor())));
            put("reason", json!(it.reason));
        }
        Subject::Transfer(it) => {
            money(it.amount);
            put("transfer_status", json!(it.status.as_str()));
        }
        Subject::Dispute(it) => {
            money(it.amount);
            put("dispute_status", json!(it.status.as_str()));
            put("reason", json!(it.reason));
        }
        Subject::Disputes(page) => {
            let one = |it: &crate::dispute::DisputeAnswer| {
                json!({
                    "provider_ref": it.provider_ref,
                    "dispute_status": it.status.as_str(),
                    "amount": it.amount.minor(),
                    "currency": it.amount.currency().code(),
                })
            };
            put("disputes", page.disputes.iter().map(one).collect());
        }
        Subject::Settlement(page) => {
            let line = |it: &crate::settlement::SettlementLine| {
                json!({
                    "line_ref": it.line_ref,
                    "kind": it.kind.as_str(),
                    "gross": it.gross.minor(),
                    "fee": it.fee.minor(),
                    "tax": it.tax.minor(),
                    "net": it.net.minor(),
                    "currency": it.net.currency().code(),
                })
            };
            put("lines", page.lines.iter().map(line).collect());
        }
        Subject::Customer(_) => {}
        Subject::Instrument(it) => put("instrument_status", json!(it.status.as_str())),
    }
}

fn payment(it: &PaymentAnswer, put: &mut impl FnMut(&str, Value)) {
    put("status", json!(it.status.as_str()));
    put("charge_ref", json!(it.charge_ref));
    if it.captured.is_positive() {
        put("captured", json!(it.captured.minor()));
    }
    put("refunded", json!(it.refunded.map(mizan_money::Money::minor)));
    put("fee", json!(it.fee.as_ref().map(|fee| fee.fee.minor())));
    put("tax", json!(it.fee.as_ref().map(|fee| fee.tax.minor())));
    match &it.next_action {
        Some(NextAction::Redirect { url }) => put("redirect_url", json!(url)),
        Some(NextAction::Confirm) => put("next", json!("confirm")),
        _ => {}
    }
    if let Some(decline) = &it.last_error {
        let code = decline.decline_code.as_ref().unwrap_or(&decline.code);
        put("decline_code", json!(code));
    }
    put("reason", json!(it.cancellation_reason));
}
