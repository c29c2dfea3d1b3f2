//! Payouts over a gateway: the question is written first, then asked, and its outcome booked.
//!
//! A question that has no answer is repeated under its own key as long as the gateway knows that;
//! one that was answered is asked about until the payout has arrived, and for two weeks after,
//! because it may come back. A gateway's webhook about it is a hint: it is asked about at once, and
//! what the gateway answers is what counts. Nothing is ever asked twice under a new key.

use mizan_money::id::{OperationId, PayoutId, TransferId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{
    CreatePayout, CreateTransfer, HttpRequest, Operation as Ask, PayoutDestination, ProviderName,
    ProviderRef, Recovery, SyncPayout, SyncTransfer,
};
use sqlx::PgConnection;
use tokio::task::JoinSet;

use super::answer::{self, Asked};
use super::bank_account::Number;
use super::desk::Desk;
use super::error::{PayoutError, corrupt};
use super::payout::Payout;
use super::store;
use crate::app::App;
use crate::db::work;
use crate::payments::gateway::{Gateway, Gateways, Repetition};
use crate::payments::operation::CALL_TIME_MAX;

/// How many are asked about at once.
const AT_ONCE: i64 = 8;

/// How far a question has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was never asked.
    Written,
    /// It may have been executed.
    Sent,
    /// The gateway has a name for it.
    Known,
    /// Nothing more is asked.
    Over,
}

impl Stage {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Sent => "sent",
            Self::Known => "known",
            Self::Over => "over",
        }
    }

    /// The stage of its word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Written, Self::Sent, Self::Known, Self::Over];
        all.into_iter().find(|it| it.as_str() == word)
    }
}

/// What is asked of a gateway for a payout.
#[derive(Debug, Clone)]
pub struct Call {
    /// The payout.
    pub payout: PayoutId,
    /// Our operation, of which the key is made.
    pub id: OperationId,
    /// Over which connection.
    pub connection: String,
    /// How far it has come.
    pub stage: Stage,
    /// The gateway's own name of it.
    pub provider_ref: Option<ProviderRef>,
    /// What the gateway said last, in a word.
    pub said: Option<String>,
    /// How often it was asked.
    pub checks: i16,
    /// When it was asked first.
    pub sent_at: Option<Timestamp>,
    /// When it is asked next.
    pub next_check_at: Option<Timestamp>,
}

impl Call {
    /// Our key at the gateway: no longer than the shortest that one takes, 36 characters.
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// Writes the question down where there is a gateway to be asked; answers otherwise who has to
/// hand the payout over, in words.
///
/// # Errors
/// The database.
pub(super) async fn write(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    gateways: &Gateways,
    payout: &Payout,
) -> Result<Option<String>, PayoutError> {
    let Some(wanted) = payout.gateway() else { return Ok(None) };
    let account =
        store::bank_account(conn, desk.tenant, &payout.payee, payout.bank_version).await?;
    let number = match account.map(|it| it.details.number) {
        Some(number @ Number::Gateway { gateway, .. }) if gateway == wanted => number,
        _ => return Ok(Some(format!("by hand: no account of the payee's at {wanted} is known"))),
    };
    let mut call = Call {
        payout: payout.id,
        id: OperationId::generate(desk.now),
        connection: String::new(),
        stage: Stage::Written,
        provider_ref: None,
        said: None,
        checks: 0,
        sent_at: None,
        next_check_at: Some(desk.now),
    };
    let question = question(&call, payout, &number)?;
    let mut why = format!("there is no connection to {wanted}");
    let of_ours = |it: &&Gateway| it.tenant == desk.tenant && it.provider.name() == wanted;
    for gateway in gateways.iter().filter(of_ours) {
        // Of several connections to a gateway not every one has an account to pay from.
        match build(gateway, &question, &call) {
            Ok(_) => {
                call.connection = gateway.connection.clone();
                store::insert_call(conn, desk.tenant, &call, desk.now).await?;
                return Ok(None);
            }
            Err(rejection) => why = rejection.message,
        }
    }
    Ok(Some(format!("by hand: {why}")))
}

/// Asks about every payout that is due, for every tenant. One failure does not stop the rest.
/// Answers how many were asked about.
///
/// # Errors
/// The database could not be read.
pub async fn sweep(app: &App) -> Result<usize, PayoutError> {
    let mut swept = 0;
    for tenant in app.db.tenant_ids().await? {
        loop {
            let due = take_due(app, tenant).await?;
            if due.is_empty() {
                break;
            }
            swept += due.len();
            let mut asking = JoinSet::new();
            for (call, was) in due {
                let app = app.clone();
                asking.spawn(async move {
                    let id = call.payout;
                    if let Err(error) = ask(&app, tenant, call, was).await {
                        tracing::warn!(%id, %error, "the payout will be asked about again");
                    }
                });
            }
            asking.join_all().await;
        }
    }
    Ok(swept)
}

/// Reads what is due and postpones it for as long as a call may take, so that nobody else takes
/// it. What was never asked counts as asked from here on.
async fn take_due(app: &App, tenant: TenantId) -> Result<Vec<(Call, Stage)>, PayoutError> {
    let now = app.clock.now_for(tenant);
    let taken = app.db.transaction("take_due_payouts", tenant, |tx| {
        work(async move {
            let mut due = Vec::new();
            for mut call in store::lock_due_calls(tx, tenant, now, AT_ONCE).await? {
                let was = call.stage;
                if was == Stage::Written {
                    (call.stage, call.sent_at) = (Stage::Sent, Some(now));
                }
                call.next_check_at = Some(now + CALL_TIME_MAX);
                store::begin_call(tx, tenant, &call).await?;
                due.push((call, was));
            }
            Ok::<_, PayoutError>(due)
        })
    });
    taken.await
}

/// The destination in the gateway's words.
fn destination(payout: &Payout, number: &Number) -> Result<PayoutDestination, PayoutError> {
    let Number::Gateway { gateway, account } = number else {
        return Err(corrupt(format!("{} is asked of a gateway and goes to a bank", payout.id)));
    };
    Ok(match gateway {
        ProviderName::Razorpay => {
            PayoutDestination::FundAccount(ProviderRef::parse(account).map_err(corrupt)?)
        }
        ProviderName::Paypal if account.contains('@') => PayoutDestination::Email(account.clone()),
        ProviderName::Paypal => PayoutDestination::PayeeAccount(account.clone()),
        _ => PayoutDestination::ConnectedAccount { account: account.clone(), bank: None },
    })
}

/// The question: at Stripe a transfer to the payee's account there, which is paid out by its own
/// calendar; at others a payout. Where it has a name already, what became of it.
fn question(call: &Call, payout: &Payout, number: &Number) -> Result<Ask, PayoutError> {
    let (id, operation, amount) = (payout.id, call.id, payout.pays);
    let destination = destination(payout, number)?;
    let transfer = TransferId::from_uuid(id.uuid());
    Ok(match (destination, call.provider_ref.clone()) {
        (PayoutDestination::ConnectedAccount { .. }, Some(provider_ref)) => {
            Ask::SyncTransfer(SyncTransfer { transfer, provider_ref, amount })
        }
        (PayoutDestination::ConnectedAccount { account, .. }, None) => {
            let (destination, source) = (account, None);
            Ask::Transfer(CreateTransfer { transfer, operation, amount, destination, source })
        }
        (destination, Some(provider_ref)) => {
            Ask::SyncPayout(SyncPayout { payout: id, provider_ref, amount, destination })
        }
        (destination, None) => {
            let description = None;
            Ask::Payout(CreatePayout { payout: id, operation, amount, destination, description })
        }
    })
}

/// Whether the gateway would still take a repetition for one. An hour is left for clocks that
/// differ.
fn recognises(gateway: &Gateway, ask: &Ask, sent: Option<Timestamp>, now: Timestamp) -> bool {
    match gateway.provider.capabilities().recovery.of(ask.kind()) {
        Recovery::SameKey { hours } => {
            let hours = chrono::Duration::hours(i64::from(hours) - 1);
            sent.is_none_or(|sent| now - sent < hours)
        }
        Recovery::Sync => true,
        _ => false,
    }
}

/// Asks, outside of any transaction, and books what it comes to.
async fn ask(app: &App, tenant: TenantId, call: Call, was: Stage) -> Result<(), PayoutError> {
    let id = call.payout;
    let facts = app.db.read("payout_to_ask", tenant, |tx| {
        work(async move {
            let payout = store::payout(tx, tenant, id).await?;
            let payout = payout.ok_or_else(|| corrupt(format!("{id} is not there")))?;
            let (payee, version) = (&payout.payee, payout.bank_version);
            let account = store::bank_account(tx, tenant, payee, version).await?;
            let account = account.ok_or_else(|| corrupt(format!("{id} has no account")))?;
            Ok::<_, PayoutError>((payout, account))
        })
    });
    let (payout, account) = facts.await?;
    let question = question(&call, &payout, &account.details.number)?;
    let Some(gateway) = app.gateways.get(&call.connection) else {
        tracing::error!(%id, "its connection is not in the settings any more");
        return Ok(());
    };
    let repeats = was == Stage::Sent;
    if repeats && !recognises(gateway, &question, call.sent_at, app.clock.now_for(tenant)) {
        // A repetition would be a second payout there. Only a person can tell now.
        tracing::error!(%id, "has no outcome, and the gateway no longer knows its key");
        return answer::book(app, tenant, &call, &Asked { question, repeats, outcome: None }).await;
    }
    let outcome = match build(gateway, &question, &call) {
        Ok(request) => {
            let again = if repeats { Repetition::AfterUnknown } else { Repetition::First };
            let (outcome, _) = gateway.call(&question, request, again).await;
            let now = app.clock.now_for(tenant);
            gateway.breaker.learn(&outcome, now);
            let circuit = gateway.breaker.circuit(now);
            app.metrics.called(&gateway.connection, outcome.as_str(), circuit.figure());
            outcome
        }
        Err(rejection) => mizan_providers::Outcome::Rejected(rejection),
    };
    answer::book(app, tenant, &call, &Asked { question, repeats, outcome: Some(outcome) }).await
}

fn build(
    gateway: &Gateway,
    question: &Ask,
    call: &Call,
) -> Result<HttpRequest, mizan_providers::Rejection> {
    let key = mizan_providers::IdempotencyKey::parse(call.key()).map_err(|error| {
        mizan_providers::Rejection {
            reason: mizan_providers::RejectionReason::InvalidRequest,
            code: "key".to_owned(),
            message: error.to_string(),
            retry_after: None,
        }
    })?;
    let built = gateway.provider.build(question, &key);
    built.map_err(|error| mizan_providers::Rejection::from(&error))
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
