//! Orders, and what a buyer can do with them.

use chrono::TimeDelta;
use mizan_money::{Currency, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::payment;
use super::record::{
    CaptureMode, Instrument, Metadata, Order, OrderState, Payment, PaymentState, Returns,
};
use super::token;
use super::wire::Happened;
use super::work::{Refusal, Work};
use crate::fault::{FaultKind, FaultPoint};

/// What an order is made from.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The gateway's id.
    pub id: String,
    /// The shop's own reference.
    pub reference: String,
    /// What is to be paid, above zero.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// When the money is taken.
    pub capture: CaptureMode,
    /// What the caller attached.
    pub metadata: Metadata,
    /// Where the browser goes.
    pub returns: Returns,
    /// Where the events of this order go.
    pub notify_url: Option<String>,
    /// When it expires unpaid.
    pub expires_at: Option<Timestamp>,
    /// How long an authorisation holds.
    pub hold: Option<TimeDelta>,
    /// Whose it is.
    pub customer: Option<String>,
    /// The gateway's own fields.
    pub wire: Value,
}

/// Makes an order.
pub fn open(work: &mut Work<'_>, new: NewOrder) -> Order {
    let order = Order {
        id: new.id,
        created: work.now,
        reference: new.reference,
        amount: new.amount,
        currency: new.currency,
        capture: new.capture,
        state: OrderState::Open,
        metadata: new.metadata,
        returns: new.returns,
        notify_url: new.notify_url,
        expires_at: new.expires_at,
        hold_s: new.hold.map(|hold| hold.num_seconds()),
        customer: new.customer,
        wire: new.wire,
    };
    work.put(order.clone());
    work.announce(Happened::OrderOpened, &order.id);
    order
}

/// What a buyer, or the buyer's bank, does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Pays; a payment that was challenged or held is let through.
    Paid,
    /// Pays and is declined.
    Declined,
    /// Gives the order up.
    Cancelled,
    /// Pays, and somebody at the gateway looks at it first.
    Held,
    /// Pays, and the bank takes its time.
    Pending,
    /// Pays and must pass a challenge.
    Challenged,
    /// Fails the challenge.
    NotAuthenticated,
    /// Nothing is done by the buyer: the bank approves the attempt that had failed last.
    PaidLate,
    /// Nothing is done by the buyer: what was paid is taken back.
    Reversed,
}

/// The outcome with its particulars.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What happens.
    pub outcome: Outcome,
    /// Why it is declined, in the gateway's words.
    #[serde(default)]
    pub reason: Option<String>,
    /// What is paid with, in the gateway's words; a card if nothing is said.
    #[serde(default)]
    pub method: Option<String>,
    /// Whether the instrument is saved.
    #[serde(default)]
    pub save: bool,
}

impl Choice {
    /// An outcome without particulars.
    pub fn of(outcome: Outcome) -> Self {
        Self { outcome, reason: None, method: None, save: false }
    }

    fn instrument(&self) -> Instrument {
        let kind = self.method.clone().unwrap_or_else(|| "card".to_owned());
        let is_card = kind == "card";
        let text = |text: &str| if is_card { text.to_owned() } else { String::new() };
        Instrument { brand: text("Visa"), last4: text("1111"), kind }
    }
}

/// The attempt that waits for the buyer or the bank.
pub fn waiting(work: &Work<'_>, order: &str) -> Option<Payment> {
    work.state.payments_of(order).rev().find(|payment| payment.state.is_open()).cloned()
}

/// Does what the buyer chose.
///
/// # Errors
/// The order is not open, or there is no payment that could be reversed or approved late.
pub fn choose(work: &mut Work<'_>, order: &Order, choice: &Choice) -> Result<(), Refusal> {
    if choice.outcome == Outcome::Reversed {
        let paid = work.state.payments_of(&order.id).rev().find(|payment| payment.captured > 0);
        let paid = paid.cloned().ok_or(Refusal::Missing)?;
        return payment::reverse(work, &paid.id).map(drop);
    }
    if order.state != OrderState::Open {
        return Err(Refusal::state(order.state));
    }
    if choice.outcome == Outcome::PaidLate {
        let failed = |payment: &&Payment| payment.state == PaymentState::Failed;
        let failed = work.state.payments_of(&order.id).rev().find(failed).cloned();
        payment::authorise(work, failed.ok_or(Refusal::Missing)?);
        return Ok(());
    }
    if choice.outcome == Outcome::Cancelled {
        return cancel(work, &order.id).map(drop);
    }
    let drawn =
        work.draw(FaultPoint::Confirm, &order.metadata, |kind| kind == FaultKind::LateFailure);
    work.fault = work.fault.or(drawn);
    let mut attempt = match waiting(work, &order.id) {
        Some(waiting) => waiting,
        None => payment::attempt(work, order, choice.instrument()),
    };
    match choice.outcome {
        Outcome::Paid => {
            if choice.save {
                attempt = token::save(work, attempt);
            }
            payment::authorise(work, attempt);
        }
        Outcome::Declined => {
            let reason = choice.reason.as_deref().unwrap_or("card_declined");
            payment::fail(work, attempt, reason);
        }
        Outcome::NotAuthenticated => payment::fail(work, attempt, "authentication_failed"),
        Outcome::Held => payment::wait(work, attempt, PaymentState::Held),
        Outcome::Pending => payment::wait(work, attempt, PaymentState::Processing),
        Outcome::Challenged => payment::wait(work, attempt, PaymentState::RequiresAction),
        Outcome::Cancelled | Outcome::PaidLate | Outcome::Reversed => {}
    }
    Ok(())
}

/// The buyer agrees and the shop has to take the money, at gateways where that is a step.
///
/// # Errors
/// The order is not open.
pub fn approve(work: &mut Work<'_>, id: &str) -> Result<Order, Refusal> {
    close(work, id, OrderState::Approved, Happened::OrderApproved)
}

/// The order is given up; attempts that were open fail.
///
/// # Errors
/// The order is not open.
pub fn cancel(work: &mut Work<'_>, id: &str) -> Result<Order, Refusal> {
    close(work, id, OrderState::Cancelled, Happened::OrderCancelled)
}

/// Nobody paid in time; attempts that were open fail.
///
/// # Errors
/// The order is not open.
pub fn expire(work: &mut Work<'_>, id: &str) -> Result<Order, Refusal> {
    close(work, id, OrderState::Expired, Happened::OrderExpired)
}

fn close(
    work: &mut Work<'_>,
    id: &str,
    state: OrderState,
    happened: Happened,
) -> Result<Order, Refusal> {
    let mut order = work.state.orders.get(id).cloned().ok_or(Refusal::Missing)?;
    if !matches!(order.state, OrderState::Open | OrderState::Approved) {
        return Err(Refusal::state(order.state));
    }
    if state != OrderState::Approved
        && let Some(attempt) = waiting(work, id)
    {
        payment::fail(work, attempt, "payment_cancelled");
    }
    order.state = state;
    work.put(order.clone());
    work.announce(happened, id);
    Ok(order)
}
