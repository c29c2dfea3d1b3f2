//! Disputes of gateways that do not tell of them: entered, and ended, by people.
//!
//! What is entered is a fact like one that a gateway tells and is weighed and booked alike. It has
//! rows of its own, by number, and the API key that entered it is the actor of what is posted.

use mizan_money::id::{DisputeId, PaymentIntentId};
use mizan_money::{Money, TenantId, Timestamp};
use mizan_providers::{
    DisputeAnswer, DisputeStatus, FundsMovement, PaymentStatus, ProviderFee, ProviderRef, Support,
    webhook_reader,
};
use sqlx::PgConnection;

use super::{Dispute, DisputeState};
use crate::payments::apply::{Fact, Said, apply};
use crate::payments::error::PaymentError;
use crate::payments::intent::{Attempt, Payment};
use crate::payments::store;
use crate::payments::word::{self, Word};

/// The constraint that a second dispute of the same name breaks.
const ONE_OF_A_NAME: &str = "one_dispute_per_gateway_dispute";

/// A dispute as somebody enters it. Amounts are minor units of the payment's currency.
#[derive(Debug, Clone)]
pub struct NewDispute {
    /// The payment.
    pub payment: PaymentIntentId,
    /// What is disputed; else all that was taken and did not go back.
    pub amount: Option<i64>,
    /// The bank's reason.
    pub reason: Option<String>,
    /// What the gateway calls it.
    pub reference: ProviderRef,
    /// The fee, with the tax on it.
    pub fee: i64,
    /// Whether the gateway has the money already.
    pub is_withdrawn: bool,
    /// Until when evidence is taken.
    pub evidence_due_by: Option<Timestamp>,
}

/// What became of a dispute, as somebody enters it. Fees are with the tax on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No end yet: the money that was to go later is gone.
    Withdrawn {
        /// What the gateway charged with it.
        fee: i64,
    },
    /// For us: what was taken came back.
    Won {
        /// What came back of the fee.
        fee: i64,
    },
    /// Against us.
    Lost {
        /// What the gateway charged with it.
        fee: i64,
    },
    /// It came to nothing: what was taken came back.
    Closed {
        /// What came back of the fee.
        fee: i64,
    },
}

/// Enters a dispute of a gateway that does not tell of them.
///
/// # Errors
/// An unknown payment, one that took no money, a gateway that tells itself, more than is left, a
/// reference that is known; the database.
pub async fn enter_dispute(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    key: &str,
    asked: &NewDispute,
) -> Result<(Payment, DisputeId), PaymentError> {
    let missing = || PaymentError::NotFound { id: asked.payment.to_string() };
    let payment = store::lock(conn, tenant, &[asked.payment]).await?.pop().ok_or_else(missing)?;
    let (attempt, amount) = payment.disputable(asked.amount)?;
    let (of, connection) = (attempt.id, attempt.connection.clone());
    let reference = &asked.reference;
    let known = || PaymentError::DisputeKnown { reference: reference.to_string() };
    if store::is_dispute_known(conn, tenant, &connection, reference).await? {
        return Err(known());
    }
    let taken =
        if asked.is_withdrawn { amount.checked_neg()? } else { Money::zero(amount.currency()) };
    let fact = DisputeAnswer {
        provider_ref: reference.clone(),
        status: DisputeStatus::NeedsResponse,
        status_word: "entered".to_owned(),
        amount,
        payment_ref: None,
        charge_ref: None,
        reason: asked.reason.clone(),
        evidence_due_by: asked.evidence_due_by,
        funds: FundsMovement::None,
        rows: row(1, taken, asked.fee)?.into_iter().collect(),
        reference: Some(asked.payment),
        changed_at: None,
        unclear: None,
    };
    let fact = Fact::DisputeByHand(of, Box::new(fact), key.to_owned());
    let entered = say(conn, tenant, now, key, Said { intent: asked.payment, fact, at: now }).await;
    let payment = entered.map_err(|error| match &error {
        // Somebody entered it at the same moment, for another payment.
        PaymentError::Db(it) if it.constraint() == Some(ONE_OF_A_NAME) => known(),
        _ => error,
    })?;
    let own = |it: &&Dispute| it.provider_ref == *reference && it.connection == connection;
    let id = payment.disputes.iter().find(own).map(|it| it.id).ok_or_else(missing)?;
    Ok((payment, id))
}

/// Enters what became of a dispute that was entered.
///
/// # Errors
/// An unknown dispute, one that a gateway tells of, one that is decided, a fee that comes back and
/// was never charged; the database.
pub async fn end_dispute(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    key: &str,
    (id, ending): (DisputeId, Ending),
) -> Result<Payment, PaymentError> {
    let missing = || PaymentError::NotFound { id: id.to_string() };
    let intent = store::dispute_owner(conn, tenant, id).await?.ok_or_else(missing)?;
    let payment = store::lock(conn, tenant, &[intent]).await?.pop().ok_or_else(missing)?;
    let dispute = payment.dispute(id).ok_or_else(missing)?;
    if dispute.entered_by.is_none() {
        let message = "the end of a dispute by hand: it tells of its disputes itself".to_owned();
        return Err(PaymentError::Unsupported { provider: dispute.provider.to_string(), message });
    }
    let fact = dispute.ended(ending)?;
    let fact = Fact::DisputeByHand(dispute.attempt, Box::new(fact), key.to_owned());
    say(conn, tenant, now, key, Said { intent, fact, at: now }).await
}

/// Applies what was entered, keeps that it was, and reads the payment back.
async fn say(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    key: &str,
    said: Said,
) -> Result<Payment, PaymentError> {
    let (intent, entered) = (said.intent, Word::told(said.intent, &said.fact));
    apply(conn, tenant, now, key.to_owned(), &[said]).await?;
    word::keep(conn, tenant, now, [entered]).await?;
    let missing = || PaymentError::NotFound { id: intent.to_string() };
    store::load(conn, tenant, &[intent]).await?.pop().ok_or_else(missing)
}

/// A row of what the gateway moved, in the order of what is entered; none where nothing moved.
fn row(n: usize, gross: Money, fee: i64) -> Result<Option<ProviderFee>, PaymentError> {
    let fee = Money::new(fee, gross.currency());
    if gross.is_zero() && fee.is_zero() {
        return Ok(None);
    }
    let (tax, net) = (Money::zero(gross.currency()), gross.checked_sub(fee)?);
    let balance_transaction = ProviderRef::parse(format!("entered:{n}"))?;
    Ok(Some(ProviderFee { gross, fee, tax, net, balance_transaction }))
}

impl Payment {
    /// The attempt whose money can be disputed by hand, and how much of it is.
    fn disputable(&self, asked: Option<i64>) -> Result<(&Attempt, Money), PaymentError> {
        let taken = |it: &&Attempt| it.status == PaymentStatus::Captured;
        let attempt = self.current_attempt().filter(taken).ok_or(PaymentError::WrongState {
            payment: self.intent.id,
            state: self.intent.state,
            action: "disputing",
            needs: "money that a gateway took",
        })?;
        let provider = attempt.provider;
        if webhook_reader(provider).capabilities().read_disputes != Support::No {
            let message = "a dispute by hand: it tells of its disputes itself".to_owned();
            return Err(PaymentError::Unsupported { provider: provider.to_string(), message });
        }
        let left = self.left_at_the_gateway().minor().max(0);
        let left = match left {
            0 => 0,
            // What rounding to the gateway's step added is disputed with the rest.
            left => left + self.rounded_by(attempt.id).max(0),
        };
        let (asked, currency) = (asked.unwrap_or(left), self.intent.currency);
        if asked > left || left == 0 {
            return Err(PaymentError::TooMuch {
                payment: self.intent.id,
                action: "dispute",
                asked: Money::new(asked, currency),
                left: Money::new(left, currency),
            });
        }
        Ok((attempt, Money::new(asked, currency)))
    }
}

impl Dispute {
    /// The fact that an ending is.
    fn ended(&self, ending: Ending) -> Result<DisputeAnswer, PaymentError> {
        let refuse = |state, action, needs| {
            Err(PaymentError::WrongDisputeState { dispute: self.id, state, action, needs })
        };
        if matches!(
            self.state,
            DisputeState::Won | DisputeState::Lost | DisputeState::WarningClosed
        ) {
            return refuse(self.state.as_str(), "an outcome", "one that is not decided");
        }
        let gone = self.withdrawn;
        let (status, word, gross, fee) = match ending {
            Ending::Withdrawn { .. } if gone.is_positive() => {
                return refuse("withdrawn", "withdrawing its money", "funds that come later");
            }
            Ending::Withdrawn { fee } => {
                (DisputeStatus::NeedsResponse, "entered", self.amount.checked_neg()?, fee)
            }
            Ending::Lost { fee } => {
                (DisputeStatus::Lost, "lost", gone.checked_sub(self.amount)?, fee)
            }
            Ending::Won { fee } => (DisputeStatus::Won, "won", gone, -fee),
            Ending::Closed { fee } => (DisputeStatus::Warning, "closed", gone, -fee),
        };
        if -fee > self.fee.minor() {
            let message = format!("{} was charged, and no more comes back", self.fee);
            return Err(PaymentError::Invalid { param: "fee_returned".to_owned(), message });
        }
        Ok(DisputeAnswer {
            provider_ref: self.provider_ref.clone(),
            status,
            status_word: word.to_owned(),
            amount: self.amount,
            payment_ref: None,
            charge_ref: None,
            reason: None,
            evidence_due_by: None,
            funds: FundsMovement::None,
            rows: row(self.rows.len() + 1, gross, fee)?.into_iter().collect(),
            reference: None,
            changed_at: None,
            unclear: None,
        })
    }
}
