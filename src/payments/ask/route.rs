//! Over which connection a payment is tried, and where it goes on.

use mizan_money::id::{AttemptId, PaymentIntentId};
use mizan_money::{Money, TenantId, Timestamp};
use sqlx::PgConnection;

use super::{Call, lock_idle, send_and_keep};
use crate::payments::error::PaymentError;
use crate::payments::gateway::{Gateway, Gateways};
use crate::payments::intent::{IntentState, Payment};
use crate::payments::operation::{Operation, OperationKind};
use crate::payments::store;
use crate::routing::{Considered, Decision, Instrument, Rule, Want, rules_in_force};

/// Goes on to the next connection after one that refused and certainly did nothing, or whose bank
/// declined softly. None where there is no other.
///
/// # Errors
/// The database.
pub async fn confirm_elsewhere(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    id: PaymentIntentId,
    instrument: Option<&str>,
) -> Result<Option<Call>, PaymentError> {
    let mut payment = match lock_idle(conn, tenant, id).await {
        Err(PaymentError::OperationUnderWay { .. }) => return Ok(None),
        other => other?,
    };
    let open = [IntentState::RequiresPaymentMethod, IntentState::RequiresConfirmation];
    if !open.contains(&payment.intent.state) {
        return Ok(None);
    }
    payment.intent.payment_method = instrument.map(ToOwned::to_owned);
    let tried: Vec<String> = payment.attempts.iter().map(|it| it.connection.clone()).collect();
    let tried: Vec<&str> = tried.iter().map(String::as_str).collect();
    let over = Over { only: None, tried: &tried };
    match try_at_a_gateway(conn, tenant, now, gateways, payment, over).await {
        Err(
            PaymentError::NoConnection
            | PaymentError::NoRoute { .. }
            | PaymentError::NoPaymentMethod { .. },
        ) => Ok(None),
        other => other.map(Some),
    }
}

/// Which connections come into question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over<'a> {
    /// No other than this one.
    pub only: Option<&'a str>,
    /// None of these.
    pub tried: &'a [&'a str],
}

/// Chooses a connection and begins an attempt over it.
pub(super) async fn try_at_a_gateway(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    mut payment: Payment,
    over: Over<'_>,
) -> Result<Call, PaymentError> {
    let rules = rules_in_force(conn, tenant, now).await?;
    let (gateway, decision) = choose(tenant, now, gateways, &payment, (&rules, over))?;
    let route = serde_json::to_value(&decision)
        .map_err(|error| PaymentError::Corrupt { what: error.to_string() })?;
    let (attempt, provider) = (AttemptId::generate(now), gateway.provider.name());
    let over = (gateway.connection.clone(), provider);
    payment.begin_attempt(attempt, over, charge(gateway, &payment), Some(route), now);
    store::save(conn, tenant, std::slice::from_ref(&payment), now).await?;
    let operation = Operation::about_to_send(&payment, attempt, OperationKind::Create, now);
    send_and_keep(conn, tenant, &payment, operation, gateway).await
}

/// The connection that is preferred among those that can say this payment at all. Pure.
fn choose<'g>(
    tenant: TenantId,
    now: Timestamp,
    gateways: &'g Gateways,
    payment: &Payment,
    (rules, over): (&[Rule], Over<'_>),
) -> Result<(&'g Gateway, Decision), PaymentError> {
    let intent = &payment.intent;
    let want = Want {
        amount: intent.by_gateway(),
        country: intent.country.as_deref(),
        method: intent.method.as_deref(),
        capture: intent.capture_method,
        instrument: match &intent.payment_method {
            Some(_) => Instrument::Token,
            None => Instrument::OnThePage,
        },
    };
    // What the shop names itself beats the rules.
    let rules = if over.only.is_some() { &[] } else { rules };
    let (mut out, mut first) = (over.tried.to_vec(), None);
    loop {
        let decision = gateways.decide((tenant, over.only), &want, rules, &out, now);
        let Some(gateway) = decision.chosen().and_then(|name| gateways.get(name)) else {
            return Err(first.unwrap_or_else(|| no_route(intent.id, &decision)));
        };
        match can_say(gateway, payment, now) {
            Ok(()) => return Ok((gateway, decision)),
            Err(error) => {
                first.get_or_insert(error);
                out.push(&gateway.connection);
            }
        }
    }
}

/// What this gateway is asked for.
fn charge(gateway: &Gateway, payment: &Payment) -> Money {
    payment.intent.charge(gateway.provider.step(payment.intent.currency))
}

/// Whether a gateway's words can hold this payment.
fn can_say(gateway: &Gateway, payment: &Payment, now: Timestamp) -> Result<(), PaymentError> {
    let (mut trial, attempt) = (payment.clone(), AttemptId::generate(now));
    let over = (gateway.connection.clone(), gateway.provider.name());
    trial.begin_attempt(attempt, over, charge(gateway, payment), None, now);
    let operation = Operation::about_to_send(&trial, attempt, OperationKind::Create, now);
    gateway.build(&operation.ask(&trial)?, &operation.key).map(drop)
}

/// Why no connection can take a payment: the shop's instrument, where that alone is missing.
fn no_route(payment: PaymentIntentId, decision: &Decision) -> PaymentError {
    if decision.considered.is_empty() {
        return PaymentError::NoConnection;
    }
    if decision.considered.iter().any(|it| it.reason == "needs_payment_method") {
        return PaymentError::NoPaymentMethod { payment };
    }
    let reason = |it: &Considered| format!("{}: {}", it.connection, it.reason.replace('_', " "));
    let reasons: Vec<String> = decision.considered.iter().map(reason).collect();
    PaymentError::NoRoute { payment, reasons: reasons.join("; ") }
}
