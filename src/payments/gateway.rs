//! The configured connections to gateways, and one call over one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use mizan_money::{TenantId, Timestamp};
use mizan_providers::{
    Archive, GatewayClient, HttpRequest, IdempotencyKey, Operation, OperationKind as Asked,
    Outcome, Provider, Recovery, Rejection,
};
use secrecy::SecretString;

pub mod certificates;

use self::certificates::Certificates;
use super::error::PaymentError;
use super::operation::OperationKind;
use crate::routing::{Breaker, Candidate, Decision, Rule, Want, decide};

/// A connection: one account at one gateway, for one tenant.
#[derive(Clone)]
pub struct Gateway {
    /// Its name in the configuration and in webhook addresses.
    pub connection: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// The gateway's language.
    pub provider: Arc<dyn Provider>,
    /// The transport.
    pub client: Arc<GatewayClient>,
    /// The secrets that webhooks may be signed with; several while one is rotated.
    pub webhook_secrets: Vec<SecretString>,
    /// What was seen of it.
    pub breaker: Breaker,
    /// The certificates that its deliveries are signed with.
    pub certificates: Certificates,
}

/// All connections, by name.
#[derive(Clone, Debug, Default)]
pub struct Gateways {
    by_name: Arc<BTreeMap<String, Gateway>>,
}

impl Gateways {
    /// The connections; the last of two with the same name counts.
    pub fn new(gateways: impl IntoIterator<Item = Gateway>) -> Gateways {
        let named = gateways.into_iter().map(|g| (g.connection.clone(), g));
        Gateways { by_name: Arc::new(named.collect()) }
    }

    /// The connection of this name.
    pub fn get(&self, connection: &str) -> Option<&Gateway> {
        self.by_name.get(connection)
    }

    /// Over which connection of a tenant a payment goes, and why; over no other than the one
    /// that is named, where one is.
    pub fn decide(
        &self,
        (tenant, only): (TenantId, Option<&str>),
        want: &Want<'_>,
        rules: &[Rule],
        tried: &[&str],
        now: Timestamp,
    ) -> Decision {
        let named = |gateway: &&Gateway| only.is_none_or(|name| gateway.connection == name);
        let own = self.by_name.values().filter(|gateway| gateway.tenant == tenant).filter(named);
        let candidates: Vec<Candidate<'_>> = own
            .map(|gateway| Candidate {
                connection: &gateway.connection,
                provider: gateway.provider.as_ref(),
                circuit: Some(gateway.breaker.circuit(now)),
                was_tried: tried.contains(&gateway.connection.as_str()),
            })
            .collect();
        decide(want, rules, &candidates, now)
    }

    /// Every connection.
    pub fn iter(&self) -> impl Iterator<Item = &Gateway> {
        self.by_name.values()
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, tenant {})", self.connection, self.provider.name(), self.tenant)
    }
}

/// Whether an earlier call of the same operation may have been executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// It is the first.
    First,
    /// It repeats one whose outcome is not known.
    AfterUnknown,
}

impl Gateway {
    /// How an operation of this kind is brought to an end when its answer was lost.
    pub fn recovery(&self, kind: OperationKind) -> Recovery {
        self.provider.capabilities().recovery.of(match kind {
            OperationKind::Create => Asked::Create,
            OperationKind::Confirm => Asked::Confirm,
            OperationKind::Capture => Asked::Capture,
            OperationKind::Void => Asked::Void,
            OperationKind::Refund => Asked::Refund,
            OperationKind::AcceptDispute => Asked::AcceptDispute,
            OperationKind::ContestDispute => Asked::ContestDispute,
        })
    }

    /// Whether the gateway still recognises a repetition of what was sent at `sent`: it keeps
    /// keys for a time, after which the same request would be done again. An hour is left for
    /// clocks that differ.
    pub fn recognises(&self, kind: OperationKind, sent: Timestamp, now: Timestamp) -> bool {
        match self.recovery(kind) {
            Recovery::SameKey { hours } => {
                now - sent < chrono::Duration::hours(i64::from(hours) - 1)
            }
            _ => false,
        }
    }

    /// Says an operation in the gateway's words. Nothing is sent.
    ///
    /// # Errors
    /// The gateway cannot do it, or its units cannot hold the amount.
    pub fn build(&self, ask: &Operation, key: &str) -> Result<HttpRequest, PaymentError> {
        let key = IdempotencyKey::parse(key)?;
        self.provider.build(ask, &key).map_err(|error| PaymentError::Unsupported {
            provider: self.provider.name().to_string(),
            message: Rejection::from(&error).message,
        })
    }

    /// Asks and reads the answer. Bounded in time by the client.
    pub async fn call(
        &self,
        ask: &Operation,
        request: HttpRequest,
        repetition: Repetition,
    ) -> (Outcome, Archive) {
        let request = match repetition {
            Repetition::First => request,
            Repetition::AfterUnknown => request.after_unknown(),
        };
        self.client.execute(self.provider.as_ref(), ask, &request).await
    }
}
