//! What a gateway said, as rows that can be read again: no more than a payment learns from it.

use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Currency, Money};
use mizan_providers::{
    Answer, Decline, Mismatch, NextAction, Outcome, PaymentAnswer, ProviderFee, ProviderRef,
    RefundAnswer, Rejection, Subject,
};
use serde::{Deserialize, Serialize};

use super::super::error::PaymentError;
use super::dispute::DisputeRow;

/// What an operation was answered. An outcome that nobody knows is no word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum OutcomeRow {
    /// Done.
    Done {
        /// What the gateway says of it.
        said: SubjectRow,
    },
    /// Accepted; the result comes later.
    Pending {
        /// What the gateway says of it.
        said: SubjectRow,
    },
    /// Refused for good.
    Declined {
        /// Why.
        decline: DeclineRow,
    },
    /// Nothing happened.
    Rejected {
        /// The class of it.
        reason: String,
        /// The code.
        code: String,
        /// For people.
        message: String,
    },
    /// Readable, and not what was asked.
    Mismatch {
        /// What differs.
        field: String,
        /// What was asked.
        expected: String,
        /// What came back.
        got: String,
        /// What the gateway says of it.
        said: SubjectRow,
    },
}

/// Of a payment, of a refund or of something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectRow {
    /// Of a payment.
    Payment(Box<PaymentRow>),
    /// Of a refund.
    Refund(Box<RefundRow>),
    /// Of a dispute.
    Dispute(Box<DisputeRow>),
    /// Of something else, which no operation on payments asks about.
    Other,
}

/// Minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Amount(i64, Currency);

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Amount(money.minor(), money.currency())
    }
}

impl From<Amount> for Money {
    fn from(Amount(minor, currency): Amount) -> Self {
        Money::new(minor, currency)
    }
}

/// The facts of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRow {
    id: String,
    status: String,
    amount: Amount,
    capturable: Amount,
    captured: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunded: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_action: Option<NextActionRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_error: Option<DeclineRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee: Option<FeeRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<PaymentIntentId>,
}

/// The facts of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRow {
    id: String,
    status: String,
    amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee: Option<FeeRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<RefundId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_reference: Option<PaymentIntentId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NextActionRow {
    Redirect(String),
    Confirm,
    Unsupported(String),
}

/// A refusal by the bank or by the gateway's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclineRow {
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    advice_code: Option<String>,
    kind: String,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FeeRow {
    gross: Amount,
    fee: Amount,
    tax: Amount,
    net: Amount,
    id: String,
}

pub(super) fn text(reference: &ProviderRef) -> String {
    reference.as_str().to_owned()
}

pub(super) fn reference(text: Option<&String>) -> Result<Option<ProviderRef>, PaymentError> {
    text.map(|text| ProviderRef::parse(text.as_str())).transpose().map_err(Into::into)
}

impl OutcomeRow {
    /// The row of an outcome; none where nobody knows it.
    pub fn of(outcome: &Outcome) -> Option<OutcomeRow> {
        Some(match outcome {
            Outcome::Done(answer) => OutcomeRow::Done { said: (&answer.subject).into() },
            Outcome::Pending(answer) => OutcomeRow::Pending { said: (&answer.subject).into() },
            Outcome::Declined(decline) => OutcomeRow::Declined { decline: decline.into() },
            Outcome::Rejected(rejection) => OutcomeRow::Rejected {
                reason: rejection.reason.as_str().to_owned(),
                code: rejection.code.clone(),
                message: rejection.message.clone(),
            },
            Outcome::Mismatch(mismatch) => OutcomeRow::Mismatch {
                field: mismatch.field.to_owned(),
                expected: mismatch.expected.clone(),
                got: mismatch.got.clone(),
                said: (&mismatch.answer.subject).into(),
            },
            Outcome::Unknown(_) => return None,
        })
    }

    /// The outcome of a row.
    ///
    /// # Errors
    /// A word that this version does not know.
    pub fn outcome(&self) -> Result<Outcome, PaymentError> {
        let answer = |said: &SubjectRow| {
            Ok::<_, PaymentError>(Answer { subject: said.subject()?, request_id: None })
        };
        Ok(match self {
            Self::Done { said } => Outcome::Done(answer(said)?),
            Self::Pending { said } => Outcome::Pending(answer(said)?),
            Self::Declined { decline } => Outcome::Declined(decline.decline()?),
            Self::Rejected { reason, code, message } => Outcome::Rejected(Rejection {
                reason: reason.parse()?,
                code: code.clone(),
                message: message.clone(),
                retry_after: None,
            }),
            Self::Mismatch { field, expected, got, said } => {
                Outcome::Mismatch(Box::new(Mismatch {
                    field: field_of(field),
                    expected: expected.clone(),
                    got: got.clone(),
                    answer: answer(said)?,
                }))
            }
        })
    }
}

/// The names that an adapter gives to what differs; which one it is decides only whether the
/// answer's reference is believed.
fn field_of(field: &str) -> &'static str {
    const KNOWN: [&str; 7] =
        ["amount", "currency", "captured", "capturable", "reference", "provider_ref", "status"];
    KNOWN.into_iter().find(|known| *known == field).unwrap_or("answer")
}

impl From<&Subject> for SubjectRow {
    fn from(subject: &Subject) -> Self {
        match subject {
            Subject::Payment(fact) => Self::Payment(Box::new(fact.as_ref().into())),
            Subject::Refund(fact) => Self::Refund(Box::new(fact.as_ref().into())),
            Subject::Dispute(fact) => Self::Dispute(Box::new(fact.as_ref().into())),
            _ => Self::Other,
        }
    }
}

impl SubjectRow {
    /// What was said.
    ///
    /// # Errors
    /// A word that this version does not know.
    pub fn subject(&self) -> Result<Subject, PaymentError> {
        Ok(match self {
            Self::Payment(row) => Subject::Payment(Box::new(row.fact()?)),
            Self::Refund(row) => Subject::Refund(Box::new(row.fact()?)),
            Self::Dispute(row) => Subject::Dispute(Box::new(row.fact()?)),
            Self::Other => {
                let what = "a word about neither a payment nor a refund".to_owned();
                return Err(PaymentError::Corrupt { what });
            }
        })
    }
}

impl From<&PaymentAnswer> for PaymentRow {
    fn from(fact: &PaymentAnswer) -> Self {
        PaymentRow {
            id: text(&fact.provider_ref),
            status: fact.status.as_str().to_owned(),
            amount: fact.amount.into(),
            capturable: fact.capturable.into(),
            captured: fact.captured.into(),
            refunded: fact.refunded.map(Into::into),
            charge: fact.charge_ref.as_ref().map(text),
            next_action: fact.next_action.as_ref().map(|next| match next {
                NextAction::Redirect { url } => NextActionRow::Redirect(url.clone()),
                NextAction::Confirm => NextActionRow::Confirm,
                NextAction::Unsupported { kind } => NextActionRow::Unsupported(kind.clone()),
            }),
            last_error: fact.last_error.as_ref().map(Into::into),
            cancellation_reason: fact.cancellation_reason.clone(),
            fee: fact.fee.as_ref().map(Into::into),
            reference: fact.reference,
        }
    }
}

impl PaymentRow {
    fn fact(&self) -> Result<PaymentAnswer, PaymentError> {
        Ok(PaymentAnswer {
            provider_ref: ProviderRef::parse(self.id.as_str())?,
            status: self.status.parse()?,
            amount: self.amount.into(),
            capturable: self.capturable.into(),
            captured: self.captured.into(),
            refunded: self.refunded.map(Into::into),
            charge_ref: reference(self.charge.as_ref())?,
            next_action: self.next_action.as_ref().map(|next| match next {
                NextActionRow::Redirect(url) => NextAction::Redirect { url: url.clone() },
                NextActionRow::Confirm => NextAction::Confirm,
                NextActionRow::Unsupported(kind) => NextAction::Unsupported { kind: kind.clone() },
            }),
            last_error: self.last_error.as_ref().map(DeclineRow::decline).transpose()?,
            cancellation_reason: self.cancellation_reason.clone(),
            fee: self.fee.as_ref().map(FeeRow::fee).transpose()?,
            // No part of the books.
            instrument: None,
            reference: self.reference,
        })
    }
}

impl From<&RefundAnswer> for RefundRow {
    fn from(fact: &RefundAnswer) -> Self {
        RefundRow {
            id: text(&fact.provider_ref),
            status: fact.status.as_str().to_owned(),
            amount: fact.amount.into(),
            payment: fact.payment_ref.as_ref().map(text),
            charge: fact.charge_ref.as_ref().map(text),
            reason: fact.reason.clone(),
            fee: fact.fee.as_ref().map(Into::into),
            reference: fact.reference,
            payment_reference: fact.payment_reference,
        }
    }
}

impl RefundRow {
    fn fact(&self) -> Result<RefundAnswer, PaymentError> {
        Ok(RefundAnswer {
            provider_ref: ProviderRef::parse(self.id.as_str())?,
            status: self.status.parse()?,
            amount: self.amount.into(),
            payment_ref: reference(self.payment.as_ref())?,
            charge_ref: reference(self.charge.as_ref())?,
            reason: self.reason.clone(),
            fee: self.fee.as_ref().map(FeeRow::fee).transpose()?,
            reference: self.reference,
            payment_reference: self.payment_reference,
        })
    }
}

impl From<&Decline> for DeclineRow {
    fn from(decline: &Decline) -> Self {
        DeclineRow {
            code: decline.code.clone(),
            decline_code: decline.decline_code.clone(),
            advice_code: decline.advice_code.clone(),
            kind: decline.kind.as_str().to_owned(),
            message: decline.message.clone(),
            payment: decline.provider_ref.as_ref().map(text),
            charge: decline.charge_ref.as_ref().map(text),
        }
    }
}

impl DeclineRow {
    fn decline(&self) -> Result<Decline, PaymentError> {
        Ok(Decline {
            code: self.code.clone(),
            decline_code: self.decline_code.clone(),
            advice_code: self.advice_code.clone(),
            kind: self.kind.parse()?,
            message: self.message.clone(),
            provider_ref: reference(self.payment.as_ref())?,
            charge_ref: reference(self.charge.as_ref())?,
        })
    }
}

impl From<&ProviderFee> for FeeRow {
    fn from(fee: &ProviderFee) -> Self {
        FeeRow {
            gross: fee.gross.into(),
            fee: fee.fee.into(),
            tax: fee.tax.into(),
            net: fee.net.into(),
            id: text(&fee.balance_transaction),
        }
    }
}

impl FeeRow {
    pub(super) fn fee(&self) -> Result<ProviderFee, PaymentError> {
        Ok(ProviderFee {
            gross: self.gross.into(),
            fee: self.fee.into(),
            tax: self.tax.into(),
            net: self.net.into(),
            balance_transaction: ProviderRef::parse(self.id.as_str())?,
        })
    }
}
