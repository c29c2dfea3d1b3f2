//! What a gateway's answer about a payout comes to.

use mizan_money::{Money, TenantId, Timestamp};
use mizan_providers::{
    Operation as Ask, Outcome, PayoutStatus, ProviderFee, Rejection, Subject, TransferStatus,
};
use sqlx::PgConnection;

use super::act::locked;
use super::call::{Call, Stage};
use super::desk::{ACTOR, Desk, event};
use super::error::PayoutError;
use super::outcome::{Fate, Word, tell};
use super::payout::{Payout, State};
use super::store;
use crate::app::App;
use crate::db::work;
use crate::payments::operation::next_check;
use crate::payments::plan::Plan;

/// For how long a payout that has arrived is asked about: it may come back.
const WATCHED_DAYS: i64 = 14;

/// A question that was asked.
pub(super) struct Asked {
    /// The question.
    pub question: Ask,
    /// Whether it was asked before.
    pub repeats: bool,
    /// What came of it; nothing where it may not be asked again.
    pub outcome: Option<Outcome>,
}

impl Asked {
    fn is_answered(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Done(_) | Outcome::Pending(_)))
    }
}

/// What an answer says of the payout.
enum Told {
    /// Nothing that changes it.
    Nothing,
    /// It is on its way.
    OnItsWay,
    /// It arrived.
    Arrived,
    /// It did not, or came back; with the gateway's reason.
    Lost(String),
}

/// Books an outcome, and says when to ask again.
///
/// # Errors
/// The database; the question stays due.
pub(super) async fn book(
    app: &App,
    tenant: TenantId,
    call: &Call,
    asked: &Asked,
) -> Result<(), PayoutError> {
    let (now, rules) = (app.clock.now_for(tenant), &app.config.payouts);
    let desk = &Desk { tenant, now, actor: call.connection.clone(), rules };
    let booked = app.db.transaction("book_payout", tenant, |tx| {
        work(async move {
            let payout = locked(tx, desk, call.payout).await?;
            let mut call = call.clone();
            call.checks = call.checks.saturating_add(1);
            call.next_check_at = Some(next_check(call.checks - 1, now));
            let (told, fee) = understand(&mut call, asked);
            let payout = apply(tx, desk, payout, told, fee).await?;
            // What was over and is asked about once more, because of a hint, waits for an answer.
            let waits = call.stage == Stage::Over && !asked.is_answered();
            if !is_watched(&payout, now) && !waits {
                (call.stage, call.next_check_at) = (Stage::Over, None);
            }
            // The last lock that is taken, as it is where hints are written.
            store::end_call(tx, tenant, &call, now).await
        })
    });
    booked.await
}

/// Whether there is something to ask about: it is on its way, or arrived not long ago.
fn is_watched(payout: &Payout, now: Timestamp) -> bool {
    let watched = chrono::Duration::days(WATCHED_DAYS);
    match payout.state {
        State::Paid => payout.paid_at.is_some_and(|at| now - at < watched),
        state => state.is_on_its_way(),
    }
}

/// What an outcome tells; the call learns from it.
fn understand(call: &mut Call, asked: &Asked) -> (Told, Option<Money>) {
    let Some(outcome) = &asked.outcome else {
        (call.next_check_at, call.said) = (None, Some("key_forgotten".to_owned()));
        return (Told::Nothing, None);
    };
    call.said = Some(outcome.as_str().to_owned());
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            if let Some(name) = answer.provider_ref() {
                (call.provider_ref, call.stage) = (Some(name.clone()), Stage::Known);
            }
            match &answer.subject {
                Subject::Payout(it) => {
                    call.said = Some(it.status_word.chars().take(60).collect());
                    (of_payout(it.status, it.reason.as_deref()), taken(it.fee.as_ref()))
                }
                Subject::Transfer(it) => {
                    call.said = Some(it.status.as_str().to_owned());
                    (of_transfer(it.status), taken(it.fee.as_ref()))
                }
                _ => (Told::Nothing, None),
            }
        }
        // A refusal of a question about what is known says nothing of the payout.
        Outcome::Declined(decline) if is_first_word(&asked.question) => {
            let code = decline.decline_code.as_ref().unwrap_or(&decline.code);
            (Told::Lost(code.clone()), None)
        }
        Outcome::Rejected(rejection) if is_first_word(&asked.question) => {
            call.said = Some(rejection.code.chars().take(60).collect());
            (rejected(call, asked, rejection), None)
        }
        Outcome::Declined(_) | Outcome::Rejected(_) | Outcome::Unknown(_) => (Told::Nothing, None),
        Outcome::Mismatch(mismatch) => {
            tracing::error!(id = %call.payout, %mismatch, "a person has to look at it");
            (Told::Nothing, None)
        }
    }
}

fn is_first_word(question: &Ask) -> bool {
    matches!(question, Ask::Payout(_) | Ask::Transfer(_))
}

/// Certainly nothing happened now; nor before, where it was not asked before.
fn rejected(call: &mut Call, asked: &Asked, rejection: &Rejection) -> Told {
    match (asked.repeats, rejection.reason.is_retryable()) {
        (false, true) => {
            (call.stage, call.sent_at) = (Stage::Written, None);
            Told::Nothing
        }
        (false, false) => Told::Lost(rejection.code.clone()),
        (true, _) => Told::Nothing,
    }
}

fn of_payout(status: PayoutStatus, reason: Option<&str>) -> Told {
    match status {
        PayoutStatus::Pending | PayoutStatus::Unknown => Told::Nothing,
        PayoutStatus::InTransit => Told::OnItsWay,
        PayoutStatus::Paid => Told::Arrived,
        PayoutStatus::Failed | PayoutStatus::Cancelled | PayoutStatus::Returned => {
            Told::Lost(reason.unwrap_or(status.as_str()).to_owned())
        }
    }
}

fn of_transfer(status: TransferStatus) -> Told {
    match status {
        TransferStatus::Created => Told::Arrived,
        // A part that came back is booked by people.
        TransferStatus::PartiallyReversed => Told::Nothing,
        TransferStatus::Reversed | TransferStatus::Failed => Told::Lost(status.as_str().to_owned()),
    }
}

/// What the gateway keeps, with its tax; below zero what it gives back.
fn taken(fee: Option<&ProviderFee>) -> Option<Money> {
    fee.and_then(|it| it.fee.checked_add(it.tax).ok())
}

async fn apply(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    mut payout: Payout,
    told: Told,
    fee: Option<Money>,
) -> Result<Payout, PayoutError> {
    let word = |fate, code| Word { fate, code, bank: None, cost: None, fee, occurred_at: desk.now };
    let word = match (told, payout.state) {
        (Told::OnItsWay, State::Submitted) => {
            payout.state = State::InTransit;
            let id = payout.id.to_string();
            let mut plan = Plan::new(desk.now, ACTOR);
            plan.announce("payout.in_transit", id, None, event(&payout));
            store::save(conn, desk.tenant, &payout, desk.now).await?;
            desk.steps(conn, &payout, &[("in_transit", None)]).await?;
            plan.announce_all(conn, desk.tenant, &[]).await?;
            return Ok(payout);
        }
        (Told::Arrived, state) if state.is_on_its_way() => {
            Word { fee: fee.filter(|it| it.is_positive()), ..word(Fate::Paid, None) }
        }
        (Told::Lost(code), state) if state.is_on_its_way() => {
            Word { fee: None, ..word(Fate::Failed, Some(code)) }
        }
        (Told::Lost(code), State::Paid) => {
            Word { fee: fee.filter(|it| it.is_negative()), ..word(Fate::Returned, Some(code)) }
        }
        _ => return Ok(payout),
    };
    tell(conn, desk, payout.id, &word).await
}
