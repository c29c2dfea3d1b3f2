//! What was decided about payments, as it is kept: enough to decide the same a second time.
//!
//! | word | kept by | what it points at |
//! |---|---|---|
//! | `asked` | confirm, capture, cancel, refund | the operation's row |
//! | `cancelled` | a cancel that asks nobody | nothing |
//! | `delivered` | the inbox, when a delivery was applied | the delivery's bytes |
//! | `answered` | the end of a call | nothing: it holds what the gateway said |
//! | `told` | the sweeper, when it queried | nothing: it holds what the gateway said |
//! | `entered` | whoever enters a dispute or its end | nothing: it holds what was entered |
//! | `given_up` | the sweeper, for what was not done | the operation's row |
//!
//! Words are appended in the transaction of their effect and never changed. Their order is the
//! order of the commits, for all that touched the same payment or moved money.

mod dispute;
mod rows;

use mizan_money::id::{AttemptId, DeliveryId, OperationId, PaymentIntentId, RefundId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{DisputeAnswer, Outcome};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::apply::Fact;
use super::error::PaymentError;
use super::store;

pub use rows::{OutcomeRow, SubjectRow};

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum Word {
    /// An operation was written down, about to be sent.
    Asked {
        /// The operation.
        operation: OperationId,
        /// The gateway's token of the instrument, where an attempt begins: the payment forgets
        /// it when the attempt fails.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
    },
    /// A payment was given up of which no gateway knew.
    Cancelled {
        /// The payment.
        payment: PaymentIntentId,
        /// The shop's reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A delivery was applied.
    Delivered {
        /// The delivery.
        delivery: DeliveryId,
    },
    /// A gateway answered an operation.
    Answered {
        /// The operation.
        operation: OperationId,
        /// What it answered.
        outcome: OutcomeRow,
    },
    /// A gateway told, asked what it knows.
    Told {
        /// The payment.
        payment: PaymentIntentId,
        /// Of whom it told.
        about: About,
        /// What it told.
        said: SubjectRow,
    },
    /// A person entered what the gateway does not tell.
    Entered {
        /// The payment.
        payment: PaymentIntentId,
        /// The attempt whose money is disputed.
        attempt: AttemptId,
        /// What was entered.
        said: SubjectRow,
        /// The API key.
        by: String,
    },
    /// An operation was ended that the gateway shows not to have happened.
    GivenUp {
        /// The operation.
        operation: OperationId,
    },
}

/// Whom a query was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// An attempt.
    Attempt(AttemptId),
    /// A refund of ours.
    Refund(RefundId),
    /// A refund that was made at the gateway, of this attempt.
    ForeignRefund(AttemptId),
    /// A dispute of this attempt's money.
    Dispute(AttemptId),
}

/// A word with its place.
#[derive(Debug, Clone)]
pub struct KeptWord {
    /// Where the journal stood, the word's own entries included.
    pub position: i64,
    /// The time it was applied with.
    pub recorded_at: Timestamp,
    /// The word.
    pub word: Word,
}

impl Word {
    /// A question about money that is there or promised already.
    pub const fn asked(operation: OperationId) -> Word {
        Word::Asked { operation, instrument: None }
    }

    /// The end of a call; none where nobody knows what came of it.
    pub fn answered(operation: OperationId, outcome: &Outcome) -> Option<Word> {
        let outcome = OutcomeRow::of(outcome)?;
        Some(Word::Answered { operation, outcome })
    }

    /// What a query was told, or a person entered.
    pub fn told(payment: PaymentIntentId, fact: &Fact) -> Word {
        let of_dispute = |fact: &DisputeAnswer| SubjectRow::Dispute(Box::new(fact.into()));
        let (about, said) = match fact {
            Fact::Payment(attempt, fact) => {
                (About::Attempt(*attempt), SubjectRow::Payment(Box::new(fact.as_ref().into())))
            }
            Fact::Refund(refund, fact) => {
                (About::Refund(*refund), SubjectRow::Refund(Box::new(fact.as_ref().into())))
            }
            Fact::ForeignRefund(attempt, fact) => {
                (About::ForeignRefund(*attempt), SubjectRow::Refund(Box::new(fact.as_ref().into())))
            }
            Fact::Dispute(attempt, fact) | Fact::DisputeAnswer(attempt, fact) => {
                (About::Dispute(*attempt), of_dispute(fact))
            }
            Fact::DisputeByHand(attempt, fact, by) => {
                let (attempt, said, by) = (*attempt, of_dispute(fact), by.clone());
                return Word::Entered { payment, attempt, said, by };
            }
        };
        Word::Told { payment, about, said }
    }
}

/// Keeps words in their order. To be called when their entries are written, before the commit:
/// only then is the order of the words that of the journal.
///
/// # Errors
/// The database.
pub async fn keep(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    words: impl IntoIterator<Item = Word>,
) -> Result<(), PaymentError> {
    let words: Vec<Word> = words.into_iter().collect();
    if words.is_empty() {
        return Ok(());
    }
    store::keep_words(conn, tenant, now, &words).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use mizan_money::{Currency, Money};
    use mizan_providers::{
        Answer, Decline, DeclineKind, Mismatch, NextAction, PaymentAnswer, PaymentStatus,
        ProviderFee, ProviderRef, RefundAnswer, RefundStatus, Rejection, RejectionReason, Subject,
        Unknown, UnknownReason,
    };

    use super::*;

    fn reference(text: &str) -> ProviderRef {
        ProviderRef::parse(text).unwrap()
    }

    fn aed(minor: i64) -> Money {
        Money::new(minor, Currency::AED)
    }

    fn fee() -> ProviderFee {
        let (gross, fee, tax, net) = (aed(10_500), aed(405), aed(20), aed(10_075));
        ProviderFee { gross, fee, tax, net, balance_transaction: reference("txn_1") }
    }

    fn decline() -> Decline {
        Decline {
            code: "card_declined".into(),
            decline_code: Some("insufficient_funds".into()),
            advice_code: None,
            kind: DeclineKind::Soft,
            message: "Not enough.".into(),
            provider_ref: Some(reference("pi_1")),
            charge_ref: None,
        }
    }

    fn payment() -> Answer {
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        let subject = Subject::Payment(Box::new(PaymentAnswer {
            provider_ref: reference("pi_1"),
            status: PaymentStatus::Captured,
            amount: aed(10_500),
            capturable: aed(0),
            captured: Money::new(10_500, Currency::parse("KWD").unwrap()),
            refunded: Some(aed(1)),
            charge_ref: Some(reference("ch_1")),
            next_action: Some(NextAction::Redirect { url: "https://bank.example/".into() }),
            last_error: Some(decline()),
            cancellation_reason: Some("abandoned".into()),
            fee: Some(fee()),
            instrument: None,
            reference: Some(PaymentIntentId::generate(now)),
        }));
        Answer { subject, request_id: None }
    }

    fn refund() -> Answer {
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        let subject = Subject::Refund(Box::new(RefundAnswer {
            provider_ref: reference("re_1"),
            status: RefundStatus::Failed,
            amount: aed(700),
            payment_ref: Some(reference("pi_1")),
            charge_ref: None,
            reason: Some("expired_or_canceled_card".into()),
            fee: Some(fee()),
            reference: Some(RefundId::generate(now)),
            payment_reference: None,
        }));
        Answer { subject, request_id: None }
    }

    #[test]
    fn what_was_answered_is_read_back_as_it_was_answered() {
        let rejection = Rejection {
            reason: RejectionReason::NotSent,
            code: "not_sent".into(),
            message: "Nobody listens.".into(),
            retry_after: None,
        };
        let mismatch = Mismatch {
            field: "amount",
            expected: "105.00 AED".into(),
            got: "1.00 AED".into(),
            answer: payment(),
        };
        let operation = OperationId::generate("2026-03-02T09:00:00Z".parse().unwrap());
        for outcome in [
            Outcome::Done(payment()),
            Outcome::Pending(refund()),
            Outcome::Declined(decline()),
            Outcome::Rejected(rejection),
            Outcome::Mismatch(Box::new(mismatch)),
        ] {
            let word = Word::answered(operation, &outcome).unwrap();
            let kept = serde_json::to_value(&word).unwrap();
            let Word::Answered { outcome: row, .. } = serde_json::from_value(kept).unwrap() else {
                panic!("another word came back");
            };
            assert_eq!(row.outcome().unwrap(), outcome);
        }
        let unknown = Outcome::Unknown(Unknown::from(UnknownReason::ServerError { status: 500 }));
        assert_eq!(Word::answered(operation, &unknown), None);
    }

    #[test]
    fn a_delivery_s_word_is_short() {
        let delivery = DeliveryId::generate("2026-03-02T09:00:00Z".parse().unwrap());
        let word = serde_json::to_string(&Word::Delivered { delivery }).unwrap();
        assert!(word.starts_with(r#"{"word":"delivered","delivery":"whd_"#), "{word}");
        assert!(word.len() < 80, "{word}");
    }
}
