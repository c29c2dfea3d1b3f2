//! Asking a gateway: the first of the two transactions, in which the question is written down.
//!
//! Nothing here calls anybody. What is to be called comes back as a [`Call`]; the caller commits,
//! calls, and settles in a second transaction (`settle.rs`).

use mizan_money::id::{AttemptId, OperationId, PaymentIntentId};
use mizan_money::{Money, TenantId, Timestamp};
use mizan_providers::{
    Checkout, HttpRequest, NextAction, Operation as Ask, PaymentStatus, ProviderName, Recovery,
};
use sqlx::PgConnection;

mod route;

pub use route::confirm_elsewhere;
use route::{Over, try_at_a_gateway};

use super::apply::write;
use super::error::PaymentError;
use super::gateway::{Gateway, Gateways};
use super::intent::{Attempt, IntentState, Payment};
use super::operation::{Operation, OperationKind};
use super::plan::Plan;
use super::word::{self, Word};
use super::{store, view};

/// A question that is written down and may now be asked.
#[derive(Clone)]
pub struct Call {
    /// The operation.
    pub operation: OperationId,
    /// The question.
    pub ask: Ask,
    /// The same, as it goes over the wire.
    pub request: HttpRequest,
    /// Whom to ask.
    pub gateway: Gateway,
}

/// What a command comes to before any call.
// The call is by far the more frequent of the two and lives for a moment only.
#[allow(clippy::large_enum_variant)]
pub enum Step {
    /// A gateway has to be asked.
    Call(Call),
    /// It is done: nobody had to be asked.
    Done(Payment),
}

/// How to confirm.
#[derive(Debug, Clone, Default)]
pub struct Confirm {
    /// The gateway's token of the instrument; else the one named at creation.
    pub payment_method: Option<String>,
    /// Where the customer comes back to; else the one named at creation.
    pub return_url: Option<String>,
    /// The connection to try it over; else routing chooses.
    pub connection: Option<String>,
}

/// Locks one payment that must be there and have no operation under way.
pub(super) async fn lock_idle(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: PaymentIntentId,
) -> Result<Payment, PaymentError> {
    let payment = store::lock(conn, tenant, &[id]).await?.pop();
    let payment = payment.ok_or_else(|| PaymentError::NotFound { id: id.to_string() })?;
    match store::open_operation(conn, tenant, id).await? {
        Some(kind) => Err(PaymentError::OperationUnderWay { payment: id, kind }),
        None => Ok(payment),
    }
}

fn wrong_state(payment: &Payment, action: &'static str, needs: &'static str) -> PaymentError {
    let (id, state) = (payment.intent.id, payment.intent.state);
    PaymentError::WrongState { payment: id, state, action, needs }
}

/// Writes the operation down as sent, keeps that it was asked, and hands out the call. For what
/// moves no money yet.
async fn send_and_keep(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    operation: Operation,
    gateway: &Gateway,
) -> Result<Call, PaymentError> {
    let now = operation.created_at;
    let instrument = match operation.kind {
        OperationKind::Create => payment.intent.payment_method.clone(),
        _ => None,
    };
    let call = send(conn, tenant, payment, operation, gateway).await?;
    let word = Word::Asked { operation: call.operation, instrument };
    word::keep(conn, tenant, now, [word]).await?;
    Ok(call)
}

/// Writes the operation down as sent and hands out the call.
pub(super) async fn send(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    mut operation: Operation,
    gateway: &Gateway,
) -> Result<Call, PaymentError> {
    let ask = operation.ask(payment)?;
    let request = gateway.build(&ask, &operation.key)?;
    if let Recovery::Find { .. } = gateway.recovery(operation.kind) {
        // What could never be found again is not sent.
        gateway.build(&Ask::Find(Box::new(ask.clone())), &operation.key)?;
    }
    operation.request_hash = Some(request.fingerprint());
    store::insert_operation(conn, tenant, &operation).await?;
    Ok(Call { operation: operation.id, ask, request, gateway: gateway.clone() })
}

/// The connection over which an attempt was made.
pub(super) fn gateway_of<'a>(
    gateways: &'a Gateways,
    attempt: &Attempt,
) -> Result<&'a Gateway, PaymentError> {
    gateways.get(&attempt.connection).ok_or(PaymentError::NoConnection)
}

impl Payment {
    /// Whether the customer agreed and the gateway waits for our word.
    pub fn waits_for_our_word(&self) -> bool {
        self.intent.state == IntentState::RequiresAction
            && self.intent.next_action == Some(serde_json::json!(NextAction::Confirm))
    }

    /// Our word is on its way.
    pub fn take_at_our_word(&mut self) {
        self.intent.state = IntentState::Processing;
        self.intent.next_action = None;
    }

    /// Our word did not reach the gateway: it is given again at that time.
    pub fn wait_for_our_word(&mut self, attempt: AttemptId, at: Timestamp) {
        if self.intent.state == IntentState::Processing {
            self.intent.state = IntentState::RequiresAction;
            self.intent.next_action = Some(serde_json::json!(NextAction::Confirm));
        }
        for attempt in self.attempts.iter_mut().filter(|it| it.id == attempt) {
            attempt.sync_at = Some(at);
        }
    }

    /// Begins an attempt: the gateway is about to be asked for a charge.
    pub fn begin_attempt(
        &mut self,
        id: AttemptId,
        (connection, provider): (String, ProviderName),
        charge: Money,
        route: Option<serde_json::Value>,
        now: Timestamp,
    ) {
        self.intent.state = IntentState::Processing;
        self.intent.last_error = None;
        self.attempts.push(Attempt {
            id,
            connection,
            provider,
            charge,
            provider_ref: None,
            charge_ref: None,
            status: PaymentStatus::Created,
            status_at: now,
            captured: Money::zero(self.intent.currency),
            fee: None,
            sync_at: None,
            syncs: 0,
            route,
            created_at: now,
        });
    }

    /// Gives up what no gateway knows of; the caller saves and posts.
    pub fn give_up(&mut self, reason: Option<String>, plan: &mut Plan) {
        self.intent.state = IntentState::Cancelled;
        self.intent.cancellation_reason = reason;
        self.intent.let_the_wallet_go();
        let payload = view::event_payload(self);
        plan.announce("payment.cancelled", self.intent.id.to_string(), None, payload);
    }
}

/// Tries the payment with an instrument: a new attempt at a gateway.
///
/// # Errors
/// A wrong state, an operation under way, no instrument, a gateway that cannot; the database.
pub async fn confirm(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    id: PaymentIntentId,
    asked: &Confirm,
) -> Result<Step, PaymentError> {
    let mut payment = lock_idle(conn, tenant, id).await?;
    let open = [IntentState::RequiresPaymentMethod, IntentState::RequiresConfirmation];
    if !open.contains(&payment.intent.state) {
        let needs = "requires_payment_method or requires_confirmation";
        return Err(wrong_state(&payment, "confirming", needs));
    }
    let intent = &mut payment.intent;
    intent.payment_method = asked.payment_method.clone().or(intent.payment_method.take());
    intent.return_url = asked.return_url.clone().or(intent.return_url.take());
    if intent.by_gateway().is_zero() {
        return pay_by_wallet(conn, tenant, now, payment).await;
    }
    let over = Over { only: asked.connection.as_deref(), tried: &[] };
    try_at_a_gateway(conn, tenant, now, gateways, payment, over).await.map(Step::Call)
}

/// Takes what the wallet alone pays: no gateway is asked, and nothing is held first.
async fn pay_by_wallet(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    mut payment: Payment,
) -> Result<Step, PaymentError> {
    let policy = store::policy(conn, tenant, std::slice::from_ref(&payment)).await?;
    let mut plan = Plan::new(now, "api");
    payment.capture_by_wallet(&policy, &mut plan)?;
    write(conn, tenant, &payment, plan).await?;
    Ok(Step::Done(payment))
}

/// Writes down that what the customer agreed to is to be taken or held now. None where the
/// gateway does not wait for that, or somebody is at it.
///
/// # Errors
/// The database.
pub async fn confirm_agreed(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    id: PaymentIntentId,
) -> Result<Option<Call>, PaymentError> {
    let mut payment = match lock_idle(conn, tenant, id).await {
        Err(PaymentError::OperationUnderWay { .. }) => return Ok(None),
        other => other?,
    };
    if !payment.waits_for_our_word() {
        return Ok(None);
    }
    let attempt = current(&payment)?.clone();
    let gateway = gateway_of(gateways, &attempt)?;
    payment.take_at_our_word();
    store::save(conn, tenant, std::slice::from_ref(&payment), now).await?;
    let kind = OperationKind::Confirm;
    let operation = Operation::about_to_send(&payment, attempt.id, kind, now);
    send_and_keep(conn, tenant, &payment, operation, gateway).await.map(Some)
}

/// Takes held money: all of it, or a part, after which the rest is released.
///
/// # Errors
/// A wrong state, more than is held, an operation under way; the database.
pub async fn capture(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    id: PaymentIntentId,
    amount: Option<i64>,
) -> Result<Step, PaymentError> {
    let payment = lock_idle(conn, tenant, id).await?;
    if payment.intent.state != IntentState::RequiresCapture {
        return Err(wrong_state(&payment, "capturing", "requires_capture"));
    }
    let held = payment.intent.authorised;
    let amount = Money::new(amount.unwrap_or(held.minor()), payment.intent.currency);
    if !amount.is_positive() {
        let message = "capture at least one minor unit, or cancel to release the hold".to_owned();
        return Err(PaymentError::Invalid { param: "amount".into(), message });
    }
    if amount.minor() > held.minor() {
        let (payment, action) = (id, "capture");
        return Err(PaymentError::TooMuch { payment, action, asked: amount, left: held });
    }
    let attempt = current(&payment)?;
    let by_gateway = by_gateway(&payment, attempt, amount)?;
    let gateway = gateway_of(gateways, attempt)?;
    let kind = OperationKind::Capture;
    let mut operation = Operation::about_to_send(&payment, attempt.id, kind, now);
    operation.amount = Some(by_gateway);
    send_and_keep(conn, tenant, &payment, operation, gateway).await.map(Step::Call)
}

/// What a gateway is to take of a capture: all but the wallet's part.
fn by_gateway(payment: &Payment, attempt: &Attempt, amount: Money) -> Result<Money, PaymentError> {
    if amount == payment.intent.authorised {
        return Ok(attempt.charge);
    }
    let wallet = payment.intent.wallet.paying()?;
    let rest = amount.checked_sub(wallet)?;
    match rest.is_positive() {
        true => Ok(rest),
        false => {
            let message = format!("the wallet pays {wallet} of it: capture more than that");
            Err(PaymentError::Invalid { param: "amount".into(), message })
        }
    }
}

fn current(payment: &Payment) -> Result<&Attempt, PaymentError> {
    let what = || format!("{} has no attempt", payment.intent.id);
    payment.current_attempt().ok_or_else(|| PaymentError::Corrupt { what: what() })
}

fn is_an_open_page(gateways: &Gateways, payment: &Payment) -> Result<bool, PaymentError> {
    let attempt = current(payment)?;
    let can = gateway_of(gateways, attempt)?.provider.capabilities();
    Ok(can.checkout == Checkout::HostedPage && attempt.status == PaymentStatus::RequiresAction)
}

/// Gives up what holds no money, without asking anybody.
async fn give_up_here(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    mut payment: Payment,
    reason: Option<String>,
) -> Result<Step, PaymentError> {
    let (mut plan, id) = (Plan::new(now, "api"), payment.intent.id);
    payment.give_up(reason.clone(), &mut plan);
    write(conn, tenant, &payment, plan).await?;
    word::keep(conn, tenant, now, [Word::Cancelled { payment: id, reason }]).await?;
    Ok(Step::Done(payment))
}

/// Gives the payment up. Where nothing is held and nothing can be, no gateway is asked.
///
/// # Errors
/// A wrong state, an operation under way; the database.
pub async fn cancel(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    id: PaymentIntentId,
    reason: Option<String>,
) -> Result<Step, PaymentError> {
    let mut payment = lock_idle(conn, tenant, id).await?;
    let needs = "a payment whose money was not taken: refund it instead";
    match payment.intent.state {
        IntentState::RequiresPaymentMethod | IntentState::RequiresConfirmation => {
            give_up_here(conn, tenant, now, payment, reason).await
        }
        // Nobody has paid on the page, and no gateway can close one. It is asked about as before:
        // what is paid there all the same goes to unapplied receipts.
        IntentState::RequiresAction if is_an_open_page(gateways, &payment)? => {
            give_up_here(conn, tenant, now, payment, reason).await
        }
        // Also the way out of a review whose money was not taken.
        IntentState::RequiresAction | IntentState::RequiresCapture | IntentState::Review
            if payment.intent.captured.is_zero() =>
        {
            let attempt = current(&payment)?;
            // Taken beyond the order, or never tried at the gateway: there is nothing to void.
            if attempt.status == PaymentStatus::Captured || attempt.provider_ref.is_none() {
                let needs = "money that is held; what was taken is refunded at the gateway";
                return Err(wrong_state(&payment, "cancelling", needs));
            }
            let attempt = attempt.clone();
            payment.intent.cancellation_reason = reason;
            store::save(conn, tenant, std::slice::from_ref(&payment), now).await?;
            let gateway = gateway_of(gateways, &attempt)?;
            let kind = OperationKind::Void;
            let operation = Operation::about_to_send(&payment, attempt.id, kind, now);
            send_and_keep(conn, tenant, &payment, operation, gateway).await.map(Step::Call)
        }
        _ => Err(wrong_state(&payment, "cancelling", needs)),
    }
}
