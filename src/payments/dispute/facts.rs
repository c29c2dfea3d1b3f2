//! What a gateway says of a dispute, taken in. Pure; the order of words does not matter.

use mizan_money::id::AttemptId;
use mizan_money::{Money, Timestamp};
use mizan_providers::{DisputeAnswer, FundsMovement, PaymentStatus};

use super::books::Hand;
use super::{Booked, Dispute, DisputeState, Row, Till, dispute_id};
use crate::disputes::event_payload;
use crate::payments::error::PaymentError;
use crate::payments::facts::{Effect, STATUS_NOT_KNOWN};
use crate::payments::intent::Payment;
use crate::payments::plan::{EntryAt, Plan};

/// The row of a withdrawal that the gateway told without one.
const WITHDRAWN: &str = "told:withdrawn";
/// The same for money that came back.
const REINSTATED: &str = "told:reinstated";

/// Who tells of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller<'a> {
    /// The gateway by itself, at this time of its clock.
    Event(Timestamp),
    /// The gateway, asked: the dispute says itself when it last changed, or nothing does.
    Answer,
    /// A person with this API key. The gateway does not tell, so what is entered last is so.
    Person(&'a str),
}

impl Teller<'_> {
    /// Of when it is, where that is known.
    fn time(self, fact: &DisputeAnswer, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Event(at) => Some(at),
            Self::Answer => fact.changed_at,
            Self::Person(_) => Some(now),
        }
    }
}

/// What is to be announced of a dispute, with the entry that it announces.
pub(super) type News = Vec<(&'static str, Option<EntryAt>)>;

impl Payment {
    /// Applies what is told of a dispute. What an answer tells and nobody can book goes to a
    /// person with its reason; a webhook that does so is parked.
    ///
    /// # Errors
    /// An unknown attempt; amounts that do not fit; an entry that this transaction has still to
    /// write.
    pub fn apply_dispute_fact(
        &mut self,
        attempt: AttemptId,
        fact: &DisputeAnswer,
        teller: Teller<'_>,
        till: &Till,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        let paid = self.attempt(attempt).ok_or(PaymentError::UnknownAttempt { attempt })?;
        if paid.status != PaymentStatus::Captured {
            // Its capture is told by another word, which is on its way.
            let what = &fact.provider_ref;
            return Ok(Effect::Unclear(format!("{what} is about money not known to be taken")));
        }
        let connection = paid.connection.clone();
        let state = match self.readable(fact) {
            Ok(state) => state,
            Err(reason) if teller == Teller::Answer => {
                self.ask_a_person(format!("{}: {reason}", fact.provider_ref), plan);
                return Ok(Effect::Applied);
            }
            Err(reason) => return Ok(Effect::Unclear(reason)),
        };
        let at = teller.time(fact, plan.now());
        let same =
            |it: &Dispute| it.provider_ref == fact.provider_ref && it.connection == connection;
        let known = self.disputes.iter().position(same);
        let n = match known {
            Some(n) => n,
            None => self.admit(attempt, fact, state, at, plan.now())?,
        };
        let before = self.disputes[n].clone();
        let newest = self.disputes[n].learn(fact, state, (teller, at), plan.now());
        if let (Some(why), true) = (&fact.unclear, newest) {
            self.ask_a_person(why.clone(), plan);
        }
        if let (Teller::Person(key), None) = (teller, known) {
            self.disputes[n].entered_by = Some(key.to_owned());
        }
        let mut news = News::new();
        if known.is_none() {
            news.push(("dispute.created", None));
        }
        let changed = self.disputes[n].state != before.state || known.is_none();
        let end = match self.disputes[n].state {
            DisputeState::Won if changed => Some("dispute.won"),
            DisputeState::Lost if changed => Some("dispute.lost"),
            _ => None,
        };
        let mut hand = Hand { till: till.clone(), at: at.unwrap_or(plan.now()), news, end, plan };
        self.rebook_dispute(n, &mut hand)?;
        let Hand { mut news, end, .. } = hand;
        news.extend(end.map(|kind| (kind, None)));
        let stands = known.is_some() && self.disputes[n] == before;
        if stands {
            let stale = || format!("{} came after {}", state.as_str(), before.state.as_str());
            return Ok(if newest { Effect::Known } else { Effect::Stale(stale()) });
        }
        self.disputes[n].updated_at = plan.now();
        if news.is_empty() {
            news.push(("dispute.updated", None));
        }
        let payload = event_payload(self, &self.disputes[n]);
        for (kind, entry) in news {
            plan.announce(kind, self.disputes[n].id.to_string(), entry, payload.clone());
        }
        Ok(Effect::Applied)
    }

    /// The state that a fact tells, or why it cannot be booked.
    fn readable(&self, fact: &DisputeAnswer) -> Result<DisputeState, String> {
        if fact.amount.currency() != self.intent.currency {
            let (theirs, ours) = (fact.amount, self.intent.currency.code());
            return Err(format!("{theirs} is disputed of a payment in {ours}"));
        }
        let state = DisputeState::of(fact.status, fact.is_over());
        state.ok_or_else(|| STATUS_NOT_KNOWN.to_owned())
    }

    fn admit(
        &mut self,
        attempt: AttemptId,
        fact: &DisputeAnswer,
        state: DisputeState,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<usize, PaymentError> {
        let paid = self.attempt(attempt).ok_or(PaymentError::UnknownAttempt { attempt })?;
        let zero = Money::zero(self.intent.currency);
        let dispute = Dispute {
            id: dispute_id(&paid.connection, &fact.provider_ref, now),
            attempt,
            connection: paid.connection.clone(),
            provider: paid.provider,
            provider_ref: fact.provider_ref.clone(),
            state,
            status_at: at.unwrap_or(now),
            status_rows: 0,
            amount: fact.amount,
            reason: None,
            evidence_due_by: None,
            evidence: None,
            evidence_sent_at: None,
            accepted_at: None,
            entered_by: None,
            decided_by: None,
            rows: Vec::new(),
            booked: Booked::Nothing,
            withdrawn: zero,
            fee: zero,
            taken: zero,
            rounding: zero,
            spread: Vec::new(),
            parts: Vec::new(),
            held: Vec::new(),
            charged: Default::default(),
            step: 0,
            lost_step: 0,
            created_at: now,
            updated_at: now,
        };
        self.disputes.push(dispute);
        Ok(self.disputes.len() - 1)
    }
}

impl Dispute {
    /// Takes in what is said; answers whether it is at least as new as what was known.
    ///
    /// Rows are collected: each tells of money whatever came before it. Of the states, the newest
    /// counts: by the gateway's clock, which has seconds only, then by the number of rows it knew
    /// of, then by how far a dispute has come in it.
    fn learn(
        &mut self,
        fact: &DisputeAnswer,
        state: DisputeState,
        (teller, at): (Teller<'_>, Option<Timestamp>),
        now: Timestamp,
    ) -> bool {
        self.collect(fact);
        let rows = i16::try_from(fact.rows.len()).unwrap_or(i16::MAX);
        let at = at.unwrap_or(self.status_at);
        let known = (self.status_at, self.status_rows, self.state.rank());
        let by_hand = matches!(teller, Teller::Person(_));
        let newest = by_hand || (at, rows, state.rank()) >= known;
        if newest {
            self.state = state;
            self.status_at = at;
            self.status_rows = rows;
            self.amount = fact.amount;
            self.reason = fact.reason.clone().or(self.reason.take());
            self.evidence_due_by = fact.evidence_due_by.or(self.evidence_due_by);
        } else {
            self.reason = self.reason.take().or(fact.reason.clone());
            self.evidence_due_by = self.evidence_due_by.or(fact.evidence_due_by);
        }
        if let (Teller::Person(key), false) = (teller, self.state.is_open()) {
            self.decided_by = Some(key.to_owned());
        }
        if self.evidence.is_some() && !self.state.is_open() && !by_hand {
            self.evidence_sent_at.get_or_insert(now);
        }
        newest
    }

    fn collect(&mut self, fact: &DisputeAnswer) {
        let told = |id: &str, gross: Money| {
            let fee = Money::zero(gross.currency());
            Row { id: id.to_owned(), gross, fee }
        };
        let less = Money::new(-fact.amount.minor(), fact.amount.currency());
        let mut rows: Vec<Row> = fact
            .rows
            .iter()
            .map(|row| {
                let fee = row.fee.minor().saturating_add(row.tax.minor());
                let fee = Money::new(fee, row.fee.currency());
                Row { id: row.balance_transaction.to_string(), gross: row.gross, fee }
            })
            .collect();
        match fact.funds {
            FundsMovement::Withdrawn if rows.is_empty() => rows.push(told(WITHDRAWN, less)),
            FundsMovement::Reinstated if rows.is_empty() => {
                rows.push(told(REINSTATED, fact.amount));
            }
            _ => {}
        }
        for row in rows {
            if !self.rows.iter().any(|known| known.id == row.id) {
                self.rows.push(row);
            }
        }
        self.rows.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// The rows that count: what was told without a row is left aside once there are rows.
    fn counting(&self) -> impl Iterator<Item = &Row> {
        let told = |row: &Row| row.id == WITHDRAWN || row.id == REINSTATED;
        let any = self.rows.iter().any(|row| !told(row));
        self.rows.iter().filter(move |row| !(any && told(row)))
    }

    /// What the gateway has of the money, by all that is known. A row in another currency is one
    /// of our balance there: it stands for the disputed amount.
    pub(super) fn withdrawn_by_now(&self) -> Money {
        let minor = |row: &Row| match row.gross.currency() == self.amount.currency() {
            true => -row.gross.minor(),
            false => -row.gross.minor().signum() * self.amount.minor(),
        };
        let sum = self.counting().map(minor).fold(0, i64::saturating_add);
        // What came back before we heard that it was gone is weighed when we do.
        Money::new(sum.max(0), self.amount.currency())
    }

    /// What the gateway charged by now, less what it gave back.
    pub(super) fn charged_by_now(&self) -> Money {
        let first = self.counting().map(|row| row.fee.currency()).next();
        let currency = match self.fee.is_zero() {
            true => first.unwrap_or(self.amount.currency()),
            false => self.fee.currency(),
        };
        let same = self.counting().filter(|row| row.fee.currency() == currency);
        Money::new(same.map(|row| row.fee.minor()).fold(0, i64::saturating_add), currency)
    }
}
