//! What deliveries are about: many looked up at once, each event then understood without I/O.

use std::collections::{BTreeMap, BTreeSet};

use mizan_money::id::{AttemptId, DeliveryId, PaymentIntentId, PayoutId, RefundId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{
    DisputeEvent, EventSubject, PaymentAnswer, ProviderEvent, ProviderRef, RefundAnswer,
    RefundStatus, Trust,
};
use sqlx::PgConnection;

use super::receive::InboxError;
use super::round::Open;
use crate::payments::apply::{Fact, Said};
use crate::payments::store::{self, DisputeHint, Found, FoundBy, Wanted};
use crate::payouts::store::payouts_by_reference;

/// What a delivery is to the books.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Words to be weighed together.
    Words(Vec<Said>),
    /// A reason to ask the gateway about these.
    Hint(Hinted),
    /// Nothing, and why.
    Ignored(&'static str),
    /// Nothing that can be said yet, and why.
    Parked(String),
    /// To be looked up again, once what came before it is written.
    Later,
}

/// What hints are about.
#[derive(Debug, Default)]
pub(super) struct Hinted {
    /// Payments, by their attempts.
    pub attempts: Vec<AttemptId>,
    /// Payouts.
    pub payouts: Vec<PayoutId>,
    /// Disputes.
    pub disputes: Vec<DisputeHint>,
}

impl Hinted {
    /// Adds what other hints are about.
    pub fn add(&mut self, other: Hinted) {
        self.attempts.extend(other.attempts);
        self.payouts.extend(other.payouts);
        self.disputes.extend(other.disputes);
    }
}

impl Meaning {
    /// The words in it.
    pub fn words(&self) -> &[Said] {
        match self {
            Self::Words(said) => said,
            _ => &[],
        }
    }
}

/// What one event is to the books.
enum OneMeaning {
    Said(Said),
    /// News of a payout, which is never booked from them.
    Payout(PayoutId),
    Ignored(&'static str),
    Parked(String),
    Later,
}

/// What of ours an event may be about.
#[derive(Debug, Clone, Copy, Default)]
struct Subject {
    attempt: Option<Found<AttemptId>>,
    refund: Option<Found<RefundId>>,
    payout: Option<PayoutId>,
}

/// What deliveries are about, as it is stored.
pub(super) struct Subjects {
    /// By delivery and event.
    subjects: BTreeMap<(usize, usize), Subject>,
    /// The connections over which an attempt waits for its gateway's id.
    awaiting: BTreeSet<String>,
}

/// Gateway's ids that words of this round bring, and that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Learned {
    attempts: BTreeMap<AttemptId, ProviderRef>,
    refunds: BTreeMap<RefundId, ProviderRef>,
}

impl Subjects {
    /// Looks up what these deliveries are about: in the same few statements whatever their
    /// number.
    ///
    /// # Errors
    /// The database.
    pub async fn look_up(
        conn: &mut PgConnection,
        tenant: TenantId,
        deliveries: &[Open<'_>],
    ) -> Result<Subjects, InboxError> {
        let (mut attempts, mut refunds, mut payouts) = (Vec::new(), Vec::new(), Vec::new());
        for (n, one) in deliveries.iter().enumerate() {
            for (m, event) in one.events.unwrap_or_default().iter().enumerate() {
                if let Some(wanted) = wanted_attempt(one, event) {
                    attempts.push(((n, m), wanted));
                }
                if let EventSubject::Refund(fact) = &event.subject {
                    let theirs = Some(fact.provider_ref.as_str());
                    let ours = fact.reference;
                    let (connection, trust) = (one.connection, one.trust);
                    refunds.push(((n, m), Wanted { connection, theirs, ours, trust }));
                }
                if let Some(wanted) = wanted_payout(one, event) {
                    payouts.push(((n, m), wanted));
                }
            }
        }
        let mut subjects: BTreeMap<(usize, usize), Subject> = BTreeMap::new();
        let wanted: Vec<_> = refunds.iter().map(|(_, wanted)| *wanted).collect();
        let found = store::refunds_by_reference(conn, tenant, &wanted).await?;
        for ((place, _), refund) in refunds.iter().zip(found) {
            subjects.entry(*place).or_default().refund = refund;
        }
        // The payment of a refund that is known needs no look-up.
        attempts.retain(|(place, _)| subjects.get(place).is_none_or(|s| s.refund.is_none()));
        let wanted: Vec<_> = attempts.iter().map(|(_, wanted)| *wanted).collect();
        let found = store::attempts_by_reference(conn, tenant, &wanted).await?;
        let mut lost = BTreeSet::new();
        for ((place, wanted), attempt) in attempts.iter().zip(found) {
            if attempt.is_none() {
                lost.insert(wanted.connection);
            }
            subjects.entry(*place).or_default().attempt = attempt;
        }
        let wanted: Vec<_> = payouts.iter().map(|(_, wanted)| *wanted).collect();
        let found = payouts_by_reference(conn, tenant, &wanted).await?;
        for ((place, _), payout) in payouts.iter().zip(found) {
            subjects.entry(*place).or_default().payout = payout;
        }
        let mut awaiting = BTreeSet::new();
        for connection in lost {
            if store::awaits_reference(conn, tenant, connection).await? {
                awaiting.insert(connection.to_owned());
            }
        }
        Ok(Subjects { subjects, awaiting })
    }

    /// What delivery `n` means, after words that brought what was `learned`. Adds what its own
    /// words bring.
    pub fn meaning(
        &self,
        n: usize,
        one: &Open<'_>,
        now: Timestamp,
        learned: &mut Learned,
    ) -> Meaning {
        let events = match one.events {
            Ok(events) => events,
            Err(reason) => return Meaning::Parked(reason.to_owned()),
        };
        let (mut said, mut payouts) = (Vec::new(), Vec::new());
        let mut ignored = "the delivery holds no event";
        for (m, event) in events.iter().enumerate() {
            let subject = self.subjects.get(&(n, m)).copied().unwrap_or_default();
            match self.one_meaning(one.connection, event, subject, now, learned) {
                OneMeaning::Said(word) => said.push(word),
                OneMeaning::Payout(id) => payouts.push(id),
                OneMeaning::Ignored(reason) => ignored = reason,
                OneMeaning::Parked(reason) => return Meaning::Parked(reason),
                OneMeaning::Later => return Meaning::Later,
            }
        }
        // No gateway tells of payments and of payouts in one delivery.
        if said.is_empty() {
            return match payouts.is_empty() {
                true => Meaning::Ignored(ignored),
                false => Meaning::Hint(Hinted { payouts, ..Hinted::default() }),
            };
        }
        if one.trust == Trust::Hint {
            // No query tells of a refund that was made at the gateway, or that came back.
            let untold = |word: &Said| match &word.fact {
                Fact::ForeignRefund(..) => true,
                Fact::Refund(_, fact) => fact.status == RefundStatus::Failed,
                Fact::Payment(..)
                | Fact::Dispute(..)
                | Fact::DisputeAnswer(..)
                | Fact::DisputeByHand(..) => false,
            };
            if said.iter().any(untold) {
                let reason = "told by a hint only, and by no query: compare the settlement";
                return Meaning::Parked(reason.to_owned());
            }
            return Meaning::Hint(hinted(one.id, &said));
        }
        for (m, event) in events.iter().enumerate() {
            learned.add(event, self.subjects.get(&(n, m)).copied().unwrap_or_default());
        }
        Meaning::Words(said)
    }

    fn one_meaning(
        &self,
        connection: &str,
        event: &ProviderEvent,
        subject: Subject,
        now: Timestamp,
        learned: &Learned,
    ) -> OneMeaning {
        let at = event.occurred_at.unwrap_or(now);
        if learned.changes(event, subject) {
            return OneMeaning::Later;
        }
        match &event.subject {
            EventSubject::Payment(fact) => payment_meaning(fact, subject, at),
            EventSubject::Refund(fact) => self.refund_meaning(connection, fact, subject, at),
            EventSubject::Dispute(fact) => self.dispute_meaning(connection, fact, subject, at),
            EventSubject::RefundNotice(_) => {
                OneMeaning::Ignored("a notice: refunds are booked from their own events")
            }
            EventSubject::Payout(_) | EventSubject::Transfer(_) => match subject.payout {
                Some(id) => OneMeaning::Payout(id),
                None => OneMeaning::Ignored("a payout that was not made through here"),
            },
            EventSubject::Settlement(_) | EventSubject::Other(_) => {
                OneMeaning::Ignored("an event of no use here")
            }
        }
    }

    fn refund_meaning(
        &self,
        connection: &str,
        fact: &RefundAnswer,
        subject: Subject,
        at: Timestamp,
    ) -> OneMeaning {
        let word = |intent, fact| OneMeaning::Said(Said { intent, fact, at });
        match (subject.refund, subject.attempt) {
            (Some(known), _) => word(known.intent, Fact::Refund(known.id, Box::new(fact.clone()))),
            (None, Some(owner)) => {
                word(owner.intent, Fact::ForeignRefund(owner.id, Box::new(fact.clone())))
            }
            // Its payment may be one of ours whose gateway id is not known yet.
            (None, None) if self.awaiting.contains(connection) => {
                OneMeaning::Parked(format!("{} is no refund of ours", fact.provider_ref))
            }
            (None, None) => {
                OneMeaning::Ignored("a refund of a payment that was not made through here")
            }
        }
    }

    fn dispute_meaning(
        &self,
        connection: &str,
        fact: &DisputeEvent,
        subject: Subject,
        at: Timestamp,
    ) -> OneMeaning {
        if let Some(Found { intent, id, .. }) = subject.attempt {
            let fact = Fact::Dispute(id, Box::new(fact.clone()));
            return OneMeaning::Said(Said { intent, fact, at });
        }
        // Its payment may be one of ours whose gateway id is not known yet.
        let is_named = fact.payment_ref.is_some() || fact.charge_ref.is_some();
        match !is_named || self.awaiting.contains(connection) {
            true => OneMeaning::Parked(format!("{} is of no payment of ours", fact.provider_ref)),
            false => OneMeaning::Ignored("a dispute of a payment that was not made through here"),
        }
    }
}

/// What is to be asked because of these words.
fn hinted(delivery: DeliveryId, said: &[Said]) -> Hinted {
    let dispute = |word: &Said| match &word.fact {
        Fact::Dispute(attempt, fact) => Some(DisputeHint {
            delivery,
            provider_ref: fact.provider_ref.clone(),
            intent: word.intent,
            attempt: *attempt,
        }),
        _ => None,
    };
    Hinted {
        attempts: said.iter().filter_map(Said::attempt).collect(),
        disputes: said.iter().filter_map(dispute).collect(),
        payouts: Vec::new(),
    }
}

fn payment_meaning(fact: &PaymentAnswer, subject: Subject, at: Timestamp) -> OneMeaning {
    match subject.attempt {
        Some(Found { intent, id, .. }) => {
            let fact = Fact::Payment(id, Box::new(fact.clone()));
            OneMeaning::Said(Said { intent, fact, at })
        }
        // One of ours carries our reference from its first moment.
        None if fact.reference.is_none() => {
            OneMeaning::Ignored("a payment that was not made through here")
        }
        None => OneMeaning::Parked(format!("{} is no payment of ours", fact.provider_ref)),
    }
}

/// By what the payment of an event is found.
fn wanted_attempt<'a>(
    one: &Open<'a>,
    event: &'a ProviderEvent,
) -> Option<Wanted<'a, PaymentIntentId>> {
    let (theirs, ours) = payment_names(event)?;
    let (connection, trust) = (one.connection, one.trust);
    Some(Wanted { connection, theirs: theirs.map(ProviderRef::as_str), ours, trust })
}

/// By what the payout of an event is found. A transfer to a payee's account carries its payout's
/// id as its own.
fn wanted_payout<'a>(one: &Open<'a>, event: &'a ProviderEvent) -> Option<Wanted<'a, PayoutId>> {
    let (theirs, ours) = match &event.subject {
        EventSubject::Payout(fact) => (&fact.provider_ref, fact.reference),
        EventSubject::Transfer(fact) => {
            (&fact.provider_ref, fact.reference.map(|id| PayoutId::from_uuid(id.uuid())))
        }
        _ => return None,
    };
    let (connection, trust) = (one.connection, one.trust);
    Some(Wanted { connection, theirs: Some(theirs.as_str()), ours, trust })
}

/// What an event calls its payment: the gateway's id, and our reference.
fn payment_names(event: &ProviderEvent) -> Option<(Option<&ProviderRef>, Option<PaymentIntentId>)> {
    match &event.subject {
        EventSubject::Payment(fact) => Some((Some(&fact.provider_ref), fact.reference)),
        EventSubject::Refund(fact) => Some((fact.payment_ref.as_ref(), fact.payment_reference)),
        EventSubject::Dispute(fact) => {
            Some((fact.payment_ref.as_ref().or(fact.charge_ref.as_ref()), fact.reference))
        }
        _ => None,
    }
}

impl Learned {
    /// Whether an event would find something else if what was learned were written.
    fn changes(&self, event: &ProviderEvent, subject: Subject) -> bool {
        if let (EventSubject::Refund(fact), Some(known)) = (&event.subject, subject.refund) {
            let other = |theirs: &ProviderRef| *theirs != fact.provider_ref;
            return known.by == FoundBy::Ours && self.refunds.get(&known.id).is_some_and(other);
        }
        let Some((theirs, _)) = payment_names(event) else { return false };
        match subject.attempt {
            Some(known) => {
                let learned = self.attempts.get(&known.id);
                known.by == FoundBy::Ours && learned.is_some_and(|learned| Some(learned) != theirs)
            }
            None => !self.attempts.is_empty(),
        }
    }

    fn add(&mut self, event: &ProviderEvent, subject: Subject) {
        match (&event.subject, subject) {
            (EventSubject::Payment(fact), Subject { attempt: Some(known), .. })
                if known.by == FoundBy::Ours =>
            {
                self.attempts.entry(known.id).or_insert_with(|| fact.provider_ref.clone());
            }
            (EventSubject::Refund(fact), Subject { refund: Some(known), .. })
                if known.by == FoundBy::Ours =>
            {
                self.refunds.entry(known.id).or_insert_with(|| fact.provider_ref.clone());
            }
            _ => {}
        }
    }
}
