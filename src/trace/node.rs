//! What a chain is made of: things, and why one leads to another.

use mizan_money::{Money, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// What a thing is. The order is the one in which things of the same moment are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TraceKind)]
pub enum Kind {
    /// A vendor, an affiliate or a customer.
    Party,
    /// An order of the shop's.
    Order,
    /// A payment intent.
    Payment,
    /// A line of its order.
    Line,
    /// A try at a gateway.
    Attempt,
    /// Something asked of a gateway.
    Operation,
    /// One question and its answer over the wire.
    Exchange,
    /// A webhook of a gateway, as it was received.
    Delivery,
    /// Money going back.
    Refund,
    /// Money that a bank takes back.
    Dispute,
    /// The payouts of a day.
    PayoutRun,
    /// What a bank was given.
    PayoutFile,
    /// Money going out.
    Payout,
    /// What became of a payout.
    PayoutStep,
    /// A journal of two people's.
    Journal,
    /// What a gateway paid out to us.
    Settlement,
    /// A liability that was paid.
    Remittance,
    /// A position at its value of a day.
    Revaluation,
    /// A debt that was given up.
    WriteOff,
    /// A transaction of the journal.
    Transaction,
    /// What was announced.
    Event,
}

impl Kind {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Line => "line",
            Self::Attempt => "attempt",
            Self::Operation => "operation",
            Self::Exchange => "exchange",
            Self::Delivery => "webhook",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::PayoutRun => "payout run",
            Self::PayoutFile => "bank file",
            Self::Payout => "payout",
            Self::PayoutStep => "step",
            Self::Journal => "journal",
            Self::Settlement => "settlement",
            Self::Remittance => "remittance",
            Self::Revaluation => "revaluation",
            Self::WriteOff => "write-off",
            Self::Transaction => "transaction",
            Self::Event => "event",
        }
    }

    /// How soon it is left out where there is too much: the greater, the sooner.
    pub(super) const fn weight(self) -> u8 {
        match self {
            Self::Exchange => 3,
            Self::Event | Self::PayoutStep => 2,
            Self::Operation | Self::Line => 1,
            _ => 0,
        }
    }
}

/// One entry of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TraceEntry)]
pub struct Booked {
    /// The account.
    pub account: String,
    /// `debit` or `credit`.
    pub side: &'static str,
    /// In minor units of `currency`.
    pub amount: i64,
    /// ISO 4217.
    pub currency: &'static str,
    /// The same for people.
    #[serde(skip)]
    pub shown: String,
}

/// One thing of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TraceNode)]
pub struct Node {
    /// Its id; parts without an id of their own have that of their owner and a number.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// When it happened; of a transaction when it was recorded.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// What there is to say, in words and amounts.
    pub says: String,
    /// The thing that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// In minor units of `currency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<&'static str>,
    /// What a gateway or a bank calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// SHA-256 of the bytes: of a webhook as received, of an exchange as asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The journal number of a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The entries of a transaction.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Booked>,
    /// How many steps away from what was asked for.
    #[serde(skip)]
    pub(super) hops: u32,
}

impl Node {
    pub(super) fn new(kind: Kind, id: impl ToString, at: Option<Timestamp>) -> Node {
        Node {
            id: id.to_string(),
            kind,
            at,
            says: String::new(),
            of: None,
            state: None,
            amount: None,
            currency: None,
            reference: None,
            sha256: None,
            position: None,
            entries: Vec::new(),
            hops: 0,
        }
    }

    pub(super) fn says(mut self, says: impl Into<String>) -> Node {
        self.says = says.into();
        self
    }

    pub(super) fn of(mut self, owner: impl ToString) -> Node {
        self.of = Some(owner.to_string());
        self
    }

    pub(super) fn state(mut self, state: impl Into<String>) -> Node {
        self.state = Some(state.into());
        self
    }

    pub(super) fn amount(mut self, amount: Money) -> Node {
        self.amount = Some(amount.minor());
        self.currency = Some(amount.currency().code());
        self
    }

    pub(super) fn reference(mut self, reference: Option<String>) -> Node {
        self.reference = reference;
        self
    }
}

/// Why one thing leads to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = TraceLink)]
pub struct Link {
    /// The earlier one.
    pub from: String,
    /// The later one.
    pub to: String,
    /// What the one has to do with the other.
    pub why: String,
}

/// The chain of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trace {
    /// Always `trace`.
    pub object: &'static str,
    /// What was asked for.
    pub asked: String,
    /// The thing that it names, among the nodes.
    pub root: String,
    /// Everything of the chain: each thing behind the one that it is a part of, by time.
    pub nodes: Vec<Node>,
    /// How they hang together.
    pub links: Vec<Link>,
    /// How many things were left out, because they are too many or too far away.
    pub left_out: u64,
}
