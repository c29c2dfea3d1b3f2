//! Open deliveries, applied in as few rounds as their order allows.
//!
//! A round takes as many as it can from the front of the queue and treats them in the same few
//! statements. Each sees what those before it came to, for they are weighed one after the other
//! in memory; only a delivery that needs what the round has still to *write* (an id that is
//! learned, an entry that is promised) waits for the next round. So many at once come to what
//! they would have come to one by one.

use std::collections::HashMap;

use mizan_money::id::DeliveryId;
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{ProviderEvent, Trust};
use mizan_webhooks::Disposition;
use sqlx::PgConnection;

use super::meaning::{Hinted, Learned, Meaning, Subjects};
use super::receive::InboxError;
use crate::payments::apply::{Heard, Hearing, Said};
use crate::payments::facts::Effect;
use crate::payments::store;
use crate::payments::word::{self, Word};
use crate::payouts::store::hint_calls;

/// A delivery that is to be applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open<'a> {
    /// Its id, or that of the first where it is a repetition.
    pub id: DeliveryId,
    /// The connection it came in by.
    pub connection: &'a str,
    /// What it is worth.
    pub trust: Trust,
    /// What it says, or why that cannot be read.
    pub events: Result<&'a [ProviderEvent], &'a str>,
    /// How often somebody tried to apply it before.
    pub attempts: u32,
}

/// Applies deliveries in their order; answers what became of each. None where it repeats one
/// before it and came to nothing by itself.
///
/// # Errors
/// The database.
pub(super) async fn hear_all(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    queue: &[Open<'_>],
) -> Result<Vec<Option<Disposition>>, InboxError> {
    let mut rounds = Rounds {
        queue,
        now,
        ends: Vec::new(),
        tried: HashMap::new(),
        heard: Vec::new(),
        hinted: Hinted::default(),
    };
    while rounds.ends.len() < queue.len() {
        rounds.next(conn, tenant).await?;
    }
    store::hint_attempts(conn, tenant, &rounds.hinted.attempts, now).await?;
    hint_calls(conn, tenant, &rounds.hinted.payouts, now).await?;
    store::hint_disputes(conn, tenant, &rounds.hinted.disputes, now).await?;
    Ok(rounds.ends)
}

/// A queue, and what became of its front.
struct Rounds<'q> {
    queue: &'q [Open<'q>],
    now: Timestamp,
    ends: Vec<Option<Disposition>>,
    /// Where a delivery was tried last.
    tried: HashMap<DeliveryId, usize>,
    /// Those of this round whose words were weighed, in their order.
    heard: Vec<DeliveryId>,
    /// Whom hints were about.
    hinted: Hinted,
}

/// What a repetition inside the queue is.
enum Repetition {
    /// Nothing: it is the first.
    None,
    /// Nothing new since the first.
    Idle,
    /// Worth another try, since others were treated after it: one that changes no state may
    /// still bring an id.
    Again,
}

impl Rounds<'_> {
    async fn next(&mut self, conn: &mut PgConnection, tenant: TenantId) -> Result<(), InboxError> {
        let begin = self.ends.len();
        let (front, now) = (&self.queue[begin..], self.now);
        let subjects = Subjects::look_up(conn, tenant, front).await?;
        let mut learned = Learned::default();
        let mut meanings = Vec::with_capacity(front.len());
        for (n, one) in front.iter().enumerate() {
            match subjects.meaning(n, one, now, &mut learned) {
                Meaning::Later => break,
                meaning => meanings.push(meaning),
            }
        }
        let words: Vec<&Said> = meanings.iter().flat_map(Meaning::words).collect();
        let mut hearing = match words.is_empty() {
            true => None,
            false => Some(Hearing::open(conn, tenant, now, &words).await?),
        };
        for (one, meaning) in front.iter().zip(meanings) {
            let tries = match self.repetition(one.id) {
                Repetition::None => one.attempts,
                Repetition::Idle => {
                    self.ends.push(None);
                    continue;
                }
                Repetition::Again if self.ends.len() > begin => break,
                Repetition::Again => one.attempts + 1,
            };
            let Some(end) = self.decide(one.id, meaning, tries, hearing.as_mut()) else { break };
            self.tried.insert(one.id, self.ends.len());
            self.ends.push(Some(end));
        }
        let Some(hearing) = hearing else { return Ok(()) };
        hearing.close(conn).await?;
        // After the journal is written: the order of these words is that of their entries.
        let words = self.heard.drain(..).map(|delivery| Word::Delivered { delivery });
        Ok(word::keep(conn, tenant, now, words).await?)
    }

    fn repetition(&self, id: DeliveryId) -> Repetition {
        let Some(&last) = self.tried.get(&id) else { return Repetition::None };
        let parked = matches!(self.ends[last], Some(Disposition::Parked { .. }));
        match parked && self.ends[last + 1..].iter().any(Option::is_some) {
            true => Repetition::Again,
            false => Repetition::Idle,
        }
    }

    /// What becomes of a delivery; none where it waits for the next round.
    fn decide(
        &mut self,
        id: DeliveryId,
        meaning: Meaning,
        attempts: u32,
        hearing: Option<&mut Hearing>,
    ) -> Option<Disposition> {
        let now = self.now;
        match (meaning, hearing) {
            (Meaning::Parked(reason), _) => Some(Disposition::parked(reason, attempts, now)),
            (Meaning::Hint(hinted), _) => {
                self.hinted.add(hinted);
                let reason = "a hint: the gateway is asked what is so".to_owned();
                Some(Disposition::Ignored { reason })
            }
            (Meaning::Ignored(reason), _) => {
                Some(Disposition::Ignored { reason: reason.to_owned() })
            }
            (Meaning::Words(said), Some(hearing)) => match hearing.hear("webhook", &said) {
                Heard::Effects(effects) => {
                    self.heard.push(id);
                    Some(disposition(effects, attempts, now))
                }
                Heard::Refused(error) => {
                    let reason = error.to_string();
                    tracing::error!(%id, reason, "a webhook could not be applied and is parked");
                    Some(Disposition::parked(reason, attempts, now))
                }
                Heard::Later => None,
            },
            (Meaning::Words(_) | Meaning::Later, _) => None,
        }
    }
}

/// What becomes of a delivery whose words had these effects.
fn disposition(effects: Vec<Effect>, attempts: u32, now: Timestamp) -> Disposition {
    let (mut stale, mut applied) = (None, false);
    for effect in effects {
        match effect {
            Effect::Unclear(reason) => return Disposition::parked(reason, attempts, now),
            Effect::Applied => applied = true,
            Effect::Stale(reason) => stale = Some(reason),
            Effect::Known => {}
        }
    }
    match stale {
        _ if applied => Disposition::Applied,
        Some(reason) => Disposition::Stale { reason },
        None => Disposition::Ignored { reason: "it was known already".to_owned() },
    }
}
