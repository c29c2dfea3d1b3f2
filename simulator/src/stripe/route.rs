//! Which call an address means, what it answers with, and which faults may strike it.

use axum::http::Method;
use serde_json::Value;

use super::state::{Metadata, State};
use super::wire::error::StripeError;
use super::wire::expand::Kind;
use super::wire::params::Params;
use super::work::Work;
use super::{charge, customer, dispute, intent, read, refund, transfer};
use crate::fault::FaultPoint;

/// One call of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    CreateIntent,
    UpdateIntent(String),
    ConfirmIntent(String),
    CaptureIntent(String),
    CancelIntent(String),
    ReadIntent(String),
    ListIntents,
    CreateRefund,
    UpdateRefund(String),
    ReadRefund(String),
    ListRefunds,
    UpdateDispute(String),
    CloseDispute(String),
    ReadDispute(String),
    ListDisputes,
    CreateTransfer,
    UpdateTransfer(String),
    ReverseTransfer(String),
    ReadTransfer(String),
    ListTransfers,
    ReadCharge(String),
    ListCharges,
    ReadRow(String),
    ListRows,
    ReadEvent(String),
    ListEvents,
    ReadBalance,
    CreateCustomer,
    UpdateCustomer(String),
    ReadCustomer(String),
    ListCustomers,
    ReadPaymentMethod(String),
}

impl Call {
    /// Reads method and path. `None`: there is no such address.
    pub fn parse(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
        if *method == Method::POST {
            return Self::parse_post(&parts);
        }
        if *method != Method::GET {
            return None;
        }
        let call = match parts.as_slice() {
            ["payment_intents"] => Self::ListIntents,
            ["payment_intents", id] => Self::ReadIntent((*id).to_owned()),
            ["refunds"] => Self::ListRefunds,
            ["refunds", id] => Self::ReadRefund((*id).to_owned()),
            ["disputes"] => Self::ListDisputes,
            ["disputes", id] => Self::ReadDispute((*id).to_owned()),
            ["transfers"] => Self::ListTransfers,
            ["transfers", id] => Self::ReadTransfer((*id).to_owned()),
            ["charges"] => Self::ListCharges,
            ["charges", id] => Self::ReadCharge((*id).to_owned()),
            ["balance_transactions"] => Self::ListRows,
            ["balance_transactions", id] => Self::ReadRow((*id).to_owned()),
            ["events"] => Self::ListEvents,
            ["events", id] => Self::ReadEvent((*id).to_owned()),
            ["balance"] => Self::ReadBalance,
            ["customers"] => Self::ListCustomers,
            ["customers", id] => Self::ReadCustomer((*id).to_owned()),
            ["payment_methods", id] => Self::ReadPaymentMethod((*id).to_owned()),
            _ => return None,
        };
        Some(call)
    }

    fn parse_post(parts: &[&str]) -> Option<Self> {
        let call = match parts {
            ["payment_intents"] => Self::CreateIntent,
            ["payment_intents", id] => Self::UpdateIntent((*id).to_owned()),
            ["payment_intents", id, "confirm"] => Self::ConfirmIntent((*id).to_owned()),
            ["payment_intents", id, "capture"] => Self::CaptureIntent((*id).to_owned()),
            ["payment_intents", id, "cancel"] => Self::CancelIntent((*id).to_owned()),
            ["refunds"] => Self::CreateRefund,
            ["refunds", id] => Self::UpdateRefund((*id).to_owned()),
            ["disputes", id] => Self::UpdateDispute((*id).to_owned()),
            ["disputes", id, "close"] => Self::CloseDispute((*id).to_owned()),
            ["transfers"] => Self::CreateTransfer,
            ["transfers", id] => Self::UpdateTransfer((*id).to_owned()),
            ["transfers", id, "reversals"] => Self::ReverseTransfer((*id).to_owned()),
            ["customers"] => Self::CreateCustomer,
            ["customers", id] => Self::UpdateCustomer((*id).to_owned()),
            _ => return None,
        };
        Some(call)
    }

    /// The kind of object in the answer, for `expand[]`.
    pub fn answers_with(&self) -> Kind {
        match self {
            Self::CreateIntent
            | Self::UpdateIntent(_)
            | Self::ConfirmIntent(_)
            | Self::CaptureIntent(_)
            | Self::CancelIntent(_)
            | Self::ReadIntent(_)
            | Self::ListIntents => Kind::Intent,
            Self::CreateRefund
            | Self::UpdateRefund(_)
            | Self::ReadRefund(_)
            | Self::ListRefunds => Kind::Refund,
            Self::CreateTransfer
            | Self::UpdateTransfer(_)
            | Self::ReadTransfer(_)
            | Self::ListTransfers => Kind::Transfer,
            Self::ReverseTransfer(_) => Kind::Reversal,
            Self::ReadCharge(_) | Self::ListCharges => Kind::Charge,
            Self::ReadRow(_) | Self::ListRows => Kind::BalanceRow,
            Self::ReadPaymentMethod(_) => Kind::PaymentMethod,
            Self::CreateCustomer
            | Self::UpdateCustomer(_)
            | Self::ReadCustomer(_)
            | Self::ListCustomers => Kind::Customer,
            Self::UpdateDispute(_)
            | Self::CloseDispute(_)
            | Self::ReadDispute(_)
            | Self::ListDisputes
            | Self::ReadEvent(_)
            | Self::ListEvents
            | Self::ReadBalance => Kind::Plain,
        }
    }

    /// Whether the answer is a list.
    pub fn is_list(&self) -> bool {
        matches!(
            self,
            Self::ListIntents
                | Self::ListRefunds
                | Self::ListDisputes
                | Self::ListTransfers
                | Self::ListCharges
                | Self::ListRows
                | Self::ListEvents
                | Self::ListCustomers
        )
    }

    /// Where the fault plan may strike it.
    pub fn fault_point(&self) -> Option<FaultPoint> {
        match self {
            Self::CreateIntent => Some(FaultPoint::Create),
            Self::ConfirmIntent(_) => Some(FaultPoint::Confirm),
            Self::CaptureIntent(_) => Some(FaultPoint::Capture),
            Self::CancelIntent(_) => Some(FaultPoint::Cancel),
            // An answer to a dispute sends money for good, as a refund does.
            Self::CreateRefund | Self::UpdateDispute(_) | Self::CloseDispute(_) => {
                Some(FaultPoint::Refund)
            }
            Self::CreateTransfer | Self::ReverseTransfer(_) => Some(FaultPoint::Transfer),
            Self::ReadIntent(_)
            | Self::ReadRefund(_)
            | Self::ReadCharge(_)
            | Self::ReadTransfer(_)
            | Self::ReadDispute(_) => Some(FaultPoint::Retrieve),
            _ => None,
        }
    }

    /// The metadata that a fault rule may ask for: the request's own and its payment's.
    pub fn metadata(&self, state: &State, params: &Params) -> Metadata {
        let mut params = params.clone();
        let of_intent = |id: &str| state.intents.get(id).map(|intent| intent.metadata.clone());
        let of_charge = |id: &str| state.charges.get(id).and_then(|row| of_intent(&row.intent));
        let found = match self {
            Self::ConfirmIntent(id)
            | Self::CaptureIntent(id)
            | Self::CancelIntent(id)
            | Self::ReadIntent(id) => of_intent(id),
            Self::ReadCharge(id) => of_charge(id),
            Self::ReadDispute(id) => {
                state.disputes.get(id).and_then(|dispute| of_intent(&dispute.intent))
            }
            Self::ReadRefund(id) => state.refunds.get(id).map(|refund| {
                let mut metadata = of_intent(&refund.intent).unwrap_or_default();
                metadata.extend(refund.metadata.clone());
                metadata
            }),
            Self::ReverseTransfer(id) | Self::ReadTransfer(id) => {
                state.transfers.get(id).map(|transfer| transfer.metadata.clone())
            }
            Self::CreateRefund => {
                let intent = params.text("payment_intent").ok().flatten();
                let charge = params.text("charge").ok().flatten();
                intent.and_then(|id| of_intent(&id)).or(charge.and_then(|id| of_charge(&id)))
            }
            _ => None,
        };
        let found = found.unwrap_or_default();
        params.merge_metadata(&found).unwrap_or(found)
    }

    /// Executes the call.
    ///
    /// # Errors
    /// Stripe's refusal.
    pub fn execute(&self, work: &mut Work<'_>, params: Params) -> Result<Value, StripeError> {
        let now = work.now;
        match self {
            Self::CreateIntent => intent::create(work, params),
            Self::UpdateIntent(id) => intent::update(work, id, params),
            Self::ConfirmIntent(id) => intent::confirm(work, id, params),
            Self::CaptureIntent(id) => charge::capture(work, id, params),
            Self::CancelIntent(id) => intent::cancel(work, id, params),
            Self::CreateRefund => refund::create(work, params),
            Self::UpdateRefund(id) => refund::update(work, id, params),
            Self::UpdateDispute(id) => dispute::update(work, id, params),
            Self::CloseDispute(id) => dispute::close(work, id, params),
            Self::CreateTransfer => transfer::create(work, params),
            Self::UpdateTransfer(id) => transfer::update(work, id, params),
            Self::ReverseTransfer(id) => transfer::reverse(work, id, params),
            Self::ReadTransfer(id) => read::transfer(work.state, id, params),
            Self::ListTransfers => read::transfers(work.state, params),
            Self::ReadDispute(id) => read::dispute(work.state, now, id, params),
            Self::ListDisputes => read::disputes(work.state, now, params),
            Self::CreateCustomer => customer::create(work, params),
            Self::UpdateCustomer(id) => customer::update(work, id, params),
            Self::ReadIntent(id) => read::intent(work.state, id, params),
            Self::ListIntents => read::intents(work.state, params),
            Self::ReadRefund(id) => read::refund(work.state, id, params),
            Self::ListRefunds => read::refunds(work.state, params),
            Self::ReadCharge(id) => read::charge(work.state, id, params),
            Self::ListCharges => read::charges(work.state, params),
            Self::ReadRow(id) => read::row(work.state, now, id, params),
            Self::ListRows => read::rows(work.state, now, params),
            Self::ReadEvent(id) => read::event(work.state, id, params),
            Self::ListEvents => read::events(work.state, params),
            Self::ReadBalance => read::balance(work.state, now, params),
            Self::ReadCustomer(id) => read::customer(work.state, id, params),
            Self::ListCustomers => read::customers(work.state, params),
            Self::ReadPaymentMethod(id) => read::payment_method(work.state, id, params),
        }
    }
}
