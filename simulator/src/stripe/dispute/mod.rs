//! Disputes: opened by a buyer's bank, answered by the shop, decided; and the money they move.
//!
//! ```text
//! warning_needs_response -> warning_under_review -> warning_closed
//!          |   escalated         |
//!          v                     v
//!     needs_response -> under_review -> won | lost
//!          ^                             |
//!          +------- a second round ------+
//! ```
//!
//! An inquiry moves nothing. Of money that moves an event of its own tells, beside the event that
//! tells of the state.

pub mod control;
pub mod record;
mod view;

use chrono::TimeDelta;
use serde_json::Value;

use super::balance;
use super::state::Charge;
use super::wire::error::StripeError;
use super::wire::params::Params;
use super::wire::view::previous_attributes;
use super::work::Work;
use record::{Dispute, DisputeStatus};

pub use view::show;

/// How long the shop has to answer.
const ANSWER_DAYS: i64 = 9;
/// How much may be written in one field.
const TEXT_MAX: usize = 20_000;

/// When the money of a new dispute is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// With the opening.
    Now,
    /// By a later step.
    Later,
    /// Not before the inquiry is escalated.
    Inquiry,
}

/// What a buyer's bank asks for. Amounts are minor units of the charge's currency.
#[derive(Clone, Debug)]
pub struct Opening {
    /// A PaymentIntent or a charge.
    pub payment: String,
    /// `None`: all that was captured.
    pub amount: Option<i64>,
    pub reason: String,
    /// What Stripe keeps for it.
    pub fee: i64,
    pub taken: Taken,
}

/// What becomes of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The money is taken.
    Withdraw,
    /// The inquiry becomes a dispute, and the money is taken.
    Escalate,
    /// The shop has answered.
    Review,
    Win,
    Lose,
    /// The inquiry ends without a dispute.
    Close,
    /// The bank is not content with a dispute that the shop won.
    SecondRound,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such record.
    Missing,
    /// Nothing was captured, or the amount is no amount.
    Amount,
    /// The state does not allow it.
    State(DisputeStatus),
}

/// A buyer's bank opens a dispute.
///
/// # Errors
/// Nothing was captured.
pub fn open(work: &mut Work<'_>, opening: Opening) -> Result<Dispute, Refused> {
    let charge = charge_of(work, &opening.payment).ok_or(Refused::Missing)?;
    let amount = opening.amount.unwrap_or(charge.amount_captured);
    if charge.amount_captured == 0 || amount < 1 {
        return Err(Refused::Amount);
    }
    let mut dispute = Dispute {
        id: work.new_id("dp"),
        created: work.now,
        amount,
        currency: charge.currency.clone(),
        charge: charge.id,
        intent: charge.intent,
        reason: opening.reason,
        status: match opening.taken {
            Taken::Inquiry => DisputeStatus::WarningNeedsResponse,
            Taken::Now | Taken::Later => DisputeStatus::NeedsResponse,
        },
        due_by: work.now + TimeDelta::days(ANSWER_DAYS),
        evidence: Default::default(),
        submissions: 0,
        withdrawn: false,
        rows: Vec::new(),
        metadata: Default::default(),
    };
    if opening.taken == Taken::Now {
        take(work, &mut dispute, opening.fee);
    }
    work.put(dispute.clone());
    let shown = show(work.state, &dispute, work.now);
    work.emit("charge.dispute.created", shown.clone(), None);
    if dispute.withdrawn {
        work.emit("charge.dispute.funds_withdrawn", shown, None);
    }
    Ok(dispute)
}

/// The captured charge of a PaymentIntent, or the charge of this id.
fn charge_of(work: &Work<'_>, payment: &str) -> Option<Charge> {
    let intent = work.state.intents.get(payment);
    let id = intent.and_then(|intent| intent.latest_charge.as_deref()).unwrap_or(payment);
    work.state.charges.get(id).filter(|charge| charge.captured).cloned()
}

fn take(work: &mut Work<'_>, dispute: &mut Dispute, fee: i64) {
    let text = format!("Chargeback withdrawal for {}", dispute.charge);
    let row = balance::write_dispute(work, dispute, (-dispute.amount, fee), ("dispute", text));
    dispute.rows.push(row);
    dispute.withdrawn = true;
}

fn give_back(work: &mut Work<'_>, dispute: &mut Dispute, fee: i64) {
    let text = format!("Chargeback reversal for {}", dispute.charge);
    let named = ("dispute_reversal", text);
    let row = balance::write_dispute(work, dispute, (dispute.amount, -fee), named);
    dispute.rows.push(row);
    dispute.withdrawn = false;
}

/// Goes on with a dispute. The fee is what Stripe keeps for taking the money, or gives back with
/// it.
///
/// # Errors
/// The state does not allow it.
pub fn turn(work: &mut Work<'_>, id: &str, turn: Turn, fee: i64) -> Result<Dispute, Refused> {
    let found = work.state.disputes.get(id).cloned();
    let mut dispute = found.ok_or(Refused::Missing)?;
    let before = show(work.state, &dispute, work.now);
    let (was, was_withdrawn) = (dispute.status, dispute.withdrawn);
    let refused = Err(Refused::State(was));
    let is_open = !was.is_closed() && !was.is_inquiry();
    dispute.status = match turn {
        Turn::Withdraw if is_open && !was_withdrawn => was,
        Turn::Escalate if was.is_inquiry() && !was.is_closed() => DisputeStatus::NeedsResponse,
        Turn::SecondRound if was == DisputeStatus::Won => DisputeStatus::NeedsResponse,
        Turn::Review if was == DisputeStatus::NeedsResponse => DisputeStatus::UnderReview,
        Turn::Review if was == DisputeStatus::WarningNeedsResponse => {
            DisputeStatus::WarningUnderReview
        }
        Turn::Win if is_open => DisputeStatus::Won,
        Turn::Lose if is_open => DisputeStatus::Lost,
        Turn::Close if was.is_inquiry() && !was.is_closed() => DisputeStatus::WarningClosed,
        _ => return refused,
    };
    match turn {
        Turn::Withdraw | Turn::Escalate | Turn::SecondRound => take(work, &mut dispute, fee),
        Turn::Lose if !was_withdrawn => take(work, &mut dispute, fee),
        Turn::Win if was_withdrawn => give_back(work, &mut dispute, fee),
        _ => {}
    }
    if turn == Turn::SecondRound {
        dispute.due_by = work.now + TimeDelta::days(ANSWER_DAYS);
    }
    work.put(dispute.clone());
    tell(work, &before, &dispute, was_withdrawn);
    Ok(dispute)
}

/// The events of a change: of the state while it is open, of the money, of the end.
fn tell(work: &mut Work<'_>, before: &Value, dispute: &Dispute, was_withdrawn: bool) {
    let after = show(work.state, dispute, work.now);
    let previous = previous_attributes(before, &after);
    let changed = before["status"] != after["status"];
    if changed && !dispute.status.is_closed() {
        work.emit("charge.dispute.updated", after.clone(), Some(previous.clone()));
    }
    match (was_withdrawn, dispute.withdrawn) {
        (false, true) => work.emit("charge.dispute.funds_withdrawn", after.clone(), None),
        (true, false) => work.emit("charge.dispute.funds_reinstated", after.clone(), None),
        _ => {}
    }
    if changed && dispute.status.is_closed() {
        work.emit("charge.dispute.closed", after, Some(previous));
    }
}

fn find(work: &Work<'_>, id: &str) -> Result<Dispute, StripeError> {
    let found = work.state.disputes.get(id).cloned();
    found.ok_or_else(|| StripeError::missing(404, "dispute", id, "id"))
}

fn not_now(refused: &Refused) -> StripeError {
    let state = match refused {
        Refused::State(status) => status.word(),
        Refused::Missing | Refused::Amount => "unknown",
    };
    StripeError::invalid(&format!("This dispute is {state}: nothing can be changed.")).by_state()
}

/// `POST /v1/disputes/{id}`: evidence is kept, and handed in unless the caller says otherwise.
pub fn update(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let mut dispute = find(work, id)?;
    let evidence = params.anything("evidence");
    let submits = params.flag("submit")? != Some(false);
    dispute.metadata = params.merge_metadata(&dispute.metadata)?;
    params.finish()?;
    let named = evidence.as_ref().and_then(Value::as_object).into_iter().flatten();
    for (name, text) in named {
        let fits = text.as_str().is_some_and(|text| text.chars().count() <= TEXT_MAX);
        if !view::is_evidence(name) || !fits {
            let param = format!("evidence[{name}]");
            let message = format!("Received unknown parameter: {param}");
            return Err(StripeError::param(&param, "parameter_unknown", &message));
        }
        dispute.evidence.insert(name.clone(), text.clone());
    }
    if evidence.is_some() && dispute.status.is_closed() {
        return Err(not_now(&Refused::State(dispute.status)));
    }
    let hands_in = evidence.is_some() && submits;
    dispute.submissions += u32::from(hands_in);
    work.put(dispute.clone());
    if hands_in {
        // A second hand-in of the same round changes no state.
        dispute = turn(work, id, Turn::Review, 0).unwrap_or(dispute);
    }
    Ok(show(work.state, &dispute, work.now))
}

/// `POST /v1/disputes/{id}/close`: the shop gives in.
pub fn close(work: &mut Work<'_>, id: &str, params: Params) -> Result<Value, StripeError> {
    let dispute = find(work, id)?;
    params.finish()?;
    let end = if dispute.status.is_inquiry() { Turn::Close } else { Turn::Lose };
    let dispute = turn(work, id, end, 0).map_err(|refused| not_now(&refused))?;
    Ok(show(work.state, &dispute, work.now))
}
