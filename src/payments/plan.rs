//! What a decision comes to: the transactions to post and the events that announce them.

use std::borrow::Cow;

use mizan_ledger::postings::INDEX;
use mizan_ledger::{
    Authority, NewTransaction, Outcome, Posted, Posting, PostingKey, Role, TransactionKind,
};
use mizan_money::{TenantId, Timestamp};
use serde_json::Value;
use sqlx::PgConnection;

use super::error::PaymentError;
use crate::commissions::Rulebook;
use crate::outbox::{self, NewEvent};

/// Over which tenders a refund goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundTenders {
    /// Over what each has left, in proportion.
    ProRata,
    /// What the gateway took first.
    GatewayFirst,
    /// What the wallet paid first.
    WalletFirst,
}

impl RefundTenders {
    /// The word as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProRata => "pro_rata",
            Self::GatewayFirst => "gateway_first",
            Self::WalletFirst => "wallet_first",
        }
    }

    /// The policy of this word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::ProRata, Self::GatewayFirst, Self::WalletFirst];
        all.into_iter().find(|it| it.as_str() == word)
    }
}

/// What a tenant has decided for its payments, with the rules for the vendors of some.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where the platform itself is.
    pub jurisdiction: String,
    /// Over which tenders a refund goes.
    pub refund_tenders: RefundTenders,
    /// Commission, taxes and terms.
    pub book: Rulebook,
}

/// A transaction of a plan, by its place.
#[derive(Debug, Clone, Copy)]
pub struct EntryAt(usize);

/// A place in a plan, to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    transactions: usize,
    events: usize,
}

/// The transactions to post and the events to announce, in order.
#[derive(Debug)]
pub struct Plan {
    now: Timestamp,
    actor: Cow<'static, str>,
    transactions: Vec<NewTransaction>,
    events: Vec<(&'static str, String, Option<EntryAt>, Value)>,
}

impl Plan {
    /// An empty plan.
    pub fn new(now: Timestamp, actor: &'static str) -> Plan {
        Plan { now, actor: actor.into(), transactions: Vec::new(), events: Vec::new() }
    }

    /// The time of the decision.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Adds a transaction. `kind` is one of the ledger's index, which also says whether a floor
    /// may refuse it; `key` is derived from the operation's id and step.
    ///
    /// # Errors
    /// A key that is too long.
    pub fn post(
        &mut self,
        kind: &'static str,
        key: String,
        source: String,
        effective_at: Timestamp,
        posting: Posting,
    ) -> Result<EntryAt, PaymentError> {
        let authority = INDEX
            .iter()
            .find(|entry| entry.kind == kind)
            .map_or(Authority::Fact, |entry| entry.authority);
        let transaction = NewTransaction {
            key: PostingKey::new(key)?,
            kind: TransactionKind::new(kind)?,
            effective_at,
            posting,
            authority,
            source,
            actor: self.actor.to_string(),
            metadata: serde_json::Map::new(),
            reverses: None,
        };
        Ok(self.add(transaction))
    }

    /// Adds a transaction that is made already, such as a reversal.
    pub fn add(&mut self, transaction: NewTransaction) -> EntryAt {
        self.transactions.push(transaction);
        EntryAt(self.transactions.len() - 1)
    }

    /// From here on somebody else acts.
    pub fn act_as(&mut self, actor: Cow<'static, str>) {
        self.actor = actor;
    }

    /// Whether it moves money of a vendor.
    pub(super) fn moves_vendor(&self, vendor: &str) -> bool {
        let legs = self.transactions.iter().flat_map(|it| it.posting.legs());
        let of_vendors = |role| matches!(role, Role::VendorPayable | Role::VendorReceivable);
        legs.map(|leg| &leg.account)
            .any(|it| of_vendors(it.role()) && it.dimension(0) == Some(vendor))
    }

    /// How far it has come.
    pub(super) fn mark(&self) -> Mark {
        Mark { transactions: self.transactions.len(), events: self.events.len() }
    }

    /// Forgets what was added since.
    pub(super) fn go_back(&mut self, mark: Mark) {
        self.transactions.truncate(mark.transactions);
        self.events.truncate(mark.events);
    }

    /// Who acts.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Adds an event; with the entry that it announces, where money moves.
    pub fn announce(
        &mut self,
        kind: &'static str,
        object_id: String,
        entry: Option<EntryAt>,
        payload: Value,
    ) {
        self.events.push((kind, object_id, entry, payload));
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty() && self.events.is_empty()
    }

    /// Posts the transactions.
    ///
    /// # Errors
    /// The database; or a transaction that the ledger refused, which for a payment's facts means
    /// that the plan was wrong: the caller rolls back.
    pub async fn post_all(
        &self,
        conn: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<Vec<Posted>, PaymentError> {
        let outcomes = mizan_ledger::post(conn, tenant, self.now, &self.transactions).await?;
        let posted = |(outcome, asked): (Outcome, &NewTransaction)| match outcome {
            Outcome::Posted(posted) => Ok(posted),
            Outcome::Refused(refusal) => Err(PaymentError::LedgerRefused { refusal }),
            Outcome::KeyReused => {
                Err(PaymentError::PostingKeyReused { key: asked.key.as_str().to_owned() })
            }
        };
        outcomes.into_iter().zip(&self.transactions).map(posted).collect()
    }

    /// Announces the events. The last statement before the commit.
    ///
    /// # Errors
    /// The database.
    pub async fn announce_all(
        self,
        conn: &mut PgConnection,
        tenant: TenantId,
        posted: &[Posted],
    ) -> Result<(), PaymentError> {
        let now = self.now;
        let event = |(kind, object_id, entry, payload): (_, _, Option<EntryAt>, _)| {
            let position = entry.and_then(|at| posted.get(at.0)).map(|posted| posted.position);
            NewEvent::new(kind, object_id, position, payload, now)
        };
        let events: Vec<NewEvent> = self.events.into_iter().map(event).collect();
        Ok(outbox::append(conn, tenant, now, &events).await?)
    }
}
