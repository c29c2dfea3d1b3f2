//! Money going back, as it is stored.

use mizan_money::id::{AttemptId, RefundId};
use mizan_money::{Money, Timestamp};
use mizan_providers::{ProviderRef, RefundAnswer};

use super::{Metadata, RefundState};
use crate::payments::split::GivenBack;

/// Money going back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The attempt it goes back through; none where only the wallet had paid.
    pub attempt: Option<AttemptId>,
    /// How much the order gives back.
    pub amount: Money,
    /// What the gateway sends: its part, rounded to what it can.
    pub charge: Money,
    /// What goes to the cash purse.
    pub to_cash: Money,
    /// What goes to the promo purse.
    pub to_promo: Money,
    /// What of the cash that the wallet had paid goes back by it.
    pub cash_part: Money,
    /// What is kept back, because cashback of the order was spent.
    pub withheld: Money,
    /// Why, in the gateway's words.
    pub reason: String,
    /// Where it stands.
    pub state: RefundState,
    /// Since when, by the gateway's clock where it is the gateway's word.
    pub status_at: Timestamp,
    /// `api` or `gateway`.
    pub origin: &'static str,
    /// The gateway's id.
    pub provider_ref: Option<ProviderRef>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// What each line gives back, by line number.
    pub parts: Vec<GivenBack>,
    /// The bounced refund whose money this one sends again; its promise serves for both.
    pub repays: Option<RefundId>,
    /// The shop's pairs.
    pub metadata: Metadata,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Refund {
    /// One that was made at the gateway and not here; of whose parts it is, is still to be worked
    /// out.
    pub fn made_at_the_gateway(attempt: AttemptId, fact: &RefundAnswer, now: Timestamp) -> Refund {
        let nothing = Money::zero(fact.amount.currency());
        Refund {
            id: RefundId::generate(now),
            attempt: Some(attempt),
            amount: fact.amount,
            charge: fact.amount,
            to_cash: nothing,
            to_promo: nothing,
            cash_part: nothing,
            withheld: nothing,
            reason: "other".to_owned(),
            state: RefundState::Requested,
            status_at: now,
            origin: "gateway",
            provider_ref: Some(fact.provider_ref.clone()),
            failure_reason: None,
            parts: Vec::new(),
            repays: None,
            metadata: Default::default(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether its outcome is still to come.
    pub fn is_open(&self) -> bool {
        matches!(self.state, RefundState::Requested | RefundState::Sent | RefundState::Pending)
    }

    /// What the customer is owed by it.
    pub fn owed(&self) -> Money {
        Money::new(self.amount.minor() - self.withheld.minor(), self.amount.currency())
    }

    /// What of it a gateway's payment gives back, before rounding.
    pub fn gateway_part(&self) -> Money {
        let wallet = self.cash_part.minor() + self.to_promo.minor();
        Money::new(self.owed().minor() - wallet, self.amount.currency())
    }

    /// Whether a gateway is needed for it.
    pub fn needs_gateway(&self) -> bool {
        self.charge.is_positive()
    }

    /// Whether it was made at the gateway of more than the order holds, so that no party of the
    /// order has a part in it.
    pub fn is_beyond(&self) -> bool {
        self.parts.is_empty()
    }
}
