//! What the buyer does: approves, leaves, or is challenged; and what is decided afterwards.
//!
//! PayPal asks the buyer first and takes the money when the shop says so. What the buyer's bank
//! will say is therefore chosen with the approval and comes true at the shop's call:
//!
//! | choice | what follows |
//! |---|---|
//! | `paid` | APPROVED; the call takes the money |
//! | `declined` | APPROVED; the call is refused with INSTRUMENT_DECLINED, or with `reason` |
//! | `declined`, reason `capture_declined` | APPROVED; the call is done, its capture is DECLINED |
//! | `pending`, `held` | APPROVED; what the call makes is PENDING until `paid` or `declined` |
//! | `challenged`, then `paid` | APPROVED, with a passed 3-D Secure result |
//! | `not_authenticated` | not approved, with a failed one |
//! | `cancelled` | nothing changes |
//! | `reversed` | what was taken is taken back |

use std::time::Duration;

use super::extra::{self, Fate, OrderExtra, PaymentExtra};
use super::order::instrument;
use super::view::PAYER;
use crate::bank::order::{self as core, Choice, Outcome};
use crate::bank::payment;
use crate::bank::record::{Order, OrderState, Payment, PaymentState};
use crate::bank::token;
use crate::bank::wire::{Back, Ending, Page};
use crate::bank::work::{Refusal, Work};
use crate::fault::{Fault, FaultKind, FaultPoint};

/// Does what was chosen.
pub fn choose(work: &mut Work<'_>, order: &Order, choice: &Choice) -> Result<(), Refusal> {
    match (order.state, choice.outcome) {
        (_, Outcome::Reversed) => core::choose(work, order, choice),
        (OrderState::Open, Outcome::Cancelled) => Ok(()),
        (OrderState::Open, Outcome::Challenged) => challenge(work, order),
        (OrderState::Open, Outcome::NotAuthenticated) => fail_challenge(work, order),
        (OrderState::Open, outcome) => approve(work, order, choice, fate(outcome, choice)?),
        (OrderState::Approved, Outcome::Paid) => settle(work, order, true),
        (OrderState::Approved, Outcome::Declined) => settle(work, order, false),
        _ => Err(Refusal::state(order.state)),
    }
}

fn fate(outcome: Outcome, choice: &Choice) -> Result<Fate, Refusal> {
    let reason = |default: &str| choice.reason.clone().unwrap_or_else(|| default.to_owned());
    match outcome {
        Outcome::Paid => Ok(Fate::Done),
        Outcome::Declined if choice.reason.as_deref() == Some("capture_declined") => {
            Ok(Fate::Declined)
        }
        Outcome::Declined => Ok(Fate::Refused(reason("INSTRUMENT_DECLINED"))),
        Outcome::Held => Ok(Fate::Pending(reason("PENDING_REVIEW"))),
        Outcome::Pending => Ok(Fate::Pending(reason("ECHECK"))),
        _ => Err(Refusal::state(outcome)),
    }
}

fn approve(work: &mut Work<'_>, order: &Order, choice: &Choice, fate: Fate) -> Result<(), Refusal> {
    let mut order = order.clone();
    let mut extra = OrderExtra::of(&order);
    let late =
        work.draw(FaultPoint::Confirm, &order.metadata, |kind| kind == FaultKind::LateFailure);
    work.fault = work.fault.or(late);
    extra.late_s = work.late(FaultKind::LateFailure).map(|at| (at - work.now).num_seconds());
    extra.approved = true;
    extra.method = Some(choice.method.clone().unwrap_or_else(|| "paypal".to_owned()));
    extra.saves |= choice.save;
    extra.token_refusal = choice.reason.clone().filter(|_| fate == Fate::Done);
    extra.fate = fate;
    if core::waiting(work, &order.id).is_some() {
        extra.challenge = Some(true);
        extra.method = Some("card".to_owned());
    }
    order.wire = extra.wire();
    let id = order.id.clone();
    work.put(order);
    core::approve(work, &id).map(drop)
}

fn challenge(work: &mut Work<'_>, order: &Order) -> Result<(), Refusal> {
    let mut attempt = match core::waiting(work, &order.id) {
        Some(attempt) => attempt,
        None => payment::attempt(work, order, instrument("card")),
    };
    attempt.wire = PaymentExtra { hidden: true, ..PaymentExtra::default() }.wire();
    payment::wait(work, attempt, PaymentState::RequiresAction);
    Ok(())
}

fn fail_challenge(work: &mut Work<'_>, order: &Order) -> Result<(), Refusal> {
    if core::waiting(work, &order.id).is_none() {
        challenge(work, order)?;
    }
    if let Some(attempt) = core::waiting(work, &order.id) {
        payment::fail(work, attempt, "authentication_failed");
    }
    let mut order = order.clone();
    let mut extra = OrderExtra::of(&order);
    extra.challenge = Some(false);
    order.wire = extra.wire();
    work.put(order);
    Ok(())
}

/// What waited is let through, or not.
fn settle(work: &mut Work<'_>, order: &Order, passes: bool) -> Result<(), Refusal> {
    let waits = |payment: &&Payment| payment.state.is_open();
    let waiting = extra::shown(work.state, &order.id).rev().find(waits).cloned();
    let waiting = waiting.ok_or(Refusal::state(order.state))?;
    match passes {
        true => finish(work, &OrderExtra::of(order), waiting),
        false => payment::fail(work, waiting, "denied"),
    }
    Ok(())
}

/// The money is there: the instrument is saved where that was asked for.
pub fn finish(work: &mut Work<'_>, extra: &OrderExtra, mut attempt: Payment) {
    if let Some(seconds) = extra.late_s {
        let delay = u64::try_from(seconds).ok().map(Duration::from_secs);
        let late = Fault { kind: FaultKind::LateFailure, delay, skew_s: 0 };
        work.fault = work.fault.or(Some(late));
    }
    if extra.saves {
        attempt.customer = attempt.customer.or_else(|| Some(work.new_text(super::UPPER, 10)));
        attempt = token::save(work, attempt);
        let saved = attempt.token.as_deref().and_then(|id| work.state.tokens.get(id)).cloned();
        if let (Some(mut token), Some(issue)) = (saved, &extra.token_refusal) {
            token.wire = serde_json::json!({ "refuses": issue });
            work.put(token);
        }
    }
    payment::authorise(work, attempt);
}

/// The instrument was declined: the buyer may take another one.
pub fn ask_again(work: &mut Work<'_>, order: &Order) {
    let mut order = order.clone();
    let mut extra = OrderExtra::of(&order);
    (extra.approved, extra.method, extra.fate) = (false, None, Fate::Done);
    extra.source = extra.source.or_else(|| Some("paypal".to_owned()));
    order.wire = extra.wire();
    order.state = OrderState::Open;
    work.put(order);
}

/// The way back: `token` names the order, `PayerID` only comes with an approval.
pub fn back(page: &Page<'_>) -> Back {
    let returns = &page.order.returns;
    let url = match page.ending {
        Ending::Paid => &returns.paid,
        Ending::Declined => &returns.declined,
        Ending::Cancelled => &returns.cancelled,
    };
    let Some(url) = url else { return Back::Stay };
    let mut pairs = vec![("token", page.order.id.as_str())];
    if OrderExtra::of(page.order).setup {
        pairs = vec![("approval_token_id", page.order.id.as_str())];
    } else if page.ending == Ending::Paid {
        pairs.push(("PayerID", PAYER));
    }
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let joint = if url.contains('?') { '&' } else { '?' };
    Back::Redirect { url: format!("{url}{joint}{query}") }
}
