//! Idempotency keys of many requests that share one transaction.
//!
//! The keys are claimed in one statement and the answers kept in another, whatever their number.
//! A key that comes twice in one group is decided once: the second request hears the first one's
//! answer as a repetition, or that the key was used for another request.

use std::collections::{BTreeMap, HashMap};

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::store::{self, KnownKey};
use super::{Claim, Idempotent, Replay, StoredAnswer};
use crate::db::DbError;
use crate::http::{Keep, Problem};

/// What one request of a group hears.
pub type Heard = Result<(StoredAnswer, Replay), Problem>;

/// What each request of a group may do.
#[derive(Debug)]
pub struct GroupClaim<'a> {
    requests: Vec<&'a Idempotent>,
    turns: Vec<Turn>,
}

/// What one request of a group may do.
#[derive(Debug)]
enum Turn {
    /// What its key says.
    Own(Claim),
    /// It repeats the request at this place of the group, which is fresh.
    Follows(usize),
}

/// Claims the keys of all requests for this transaction. First thing in it.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn claim_group<'a>(
    conn: &mut PgConnection,
    tenant: TenantId,
    requests: Vec<&'a Idempotent>,
) -> Result<GroupClaim<'a>, DbError> {
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(requests.len());
    let mut keys = Vec::with_capacity(requests.len());
    for request in &requests {
        places.entry(request.key().as_str()).or_insert_with(|| {
            keys.push(request.key());
            keys.len() - 1
        });
    }
    let taken = store::take_keys(conn, tenant, &keys).await?;
    let taken: HashMap<usize, Option<KnownKey>> =
        taken.into_iter().map(|key| (key.place, key.known)).collect();
    let mut first: HashMap<usize, usize> = HashMap::with_capacity(keys.len());
    let turn = |(n, request): (usize, &&Idempotent)| {
        let place = places[request.key().as_str()];
        if let Some(known) = taken.get(&place) {
            return Turn::Own(Claim::of(request, known.as_ref()));
        }
        match *first.entry(place).or_insert(n) {
            earlier if earlier == n => Turn::Own(Claim::Fresh),
            earlier if requests[earlier].fingerprint() == request.fingerprint() => {
                Turn::Follows(earlier)
            }
            _ => Turn::Own(Claim::Mismatch),
        }
    };
    let turns = requests.iter().enumerate().map(turn).collect();
    Ok(GroupClaim { requests, turns })
}

impl GroupClaim<'_> {
    /// The places of the requests that nobody has decided: go ahead with these.
    #[must_use]
    pub fn fresh(&self) -> Vec<usize> {
        let fresh = |(n, turn): (usize, &Turn)| match turn {
            Turn::Own(Claim::Fresh) => Some(n),
            _ => None,
        };
        self.turns.iter().enumerate().filter_map(fresh).collect()
    }

    /// Keeps what was decided of the fresh requests, in their order, and tells every request of
    /// the group what it hears.
    ///
    /// # Errors
    /// [`DbError::Conflict`] when a key was written past its lock; then nothing may stand.
    pub async fn keep(
        self,
        conn: &mut PgConnection,
        tenant: TenantId,
        decided: Vec<Result<StoredAnswer, Problem>>,
        now: Timestamp,
    ) -> Result<Vec<Heard>, DbError> {
        let fresh = self.fresh().into_iter().zip(decided);
        let mut own: BTreeMap<usize, Result<StoredAnswer, Problem>> =
            fresh.map(|(n, decided)| (n, keepable(self.requests[n], decided))).collect();
        let stored: Vec<(&Idempotent, &StoredAnswer)> = own
            .iter()
            .filter_map(|(&n, answer)| Some((self.requests[n], answer.as_ref().ok()?)))
            .collect();
        if !stored.is_empty() {
            let written = store::write_answers(conn, tenant, &stored, now).await?;
            if written != stored.len() as u64 {
                let source = sqlx::Error::Protocol("a key was written past its lock".to_owned());
                return Err(DbError::Conflict { source });
            }
        }
        let undecided = || Err(Problem::internal(&Undecided));
        let hear = |(n, turn): (usize, Turn)| match turn {
            Turn::Own(Claim::Fresh) => {
                own.remove(&n).unwrap_or_else(undecided).map(|answer| (answer, Replay::First))
            }
            Turn::Follows(first) => {
                let answer = own.get(&first).cloned().unwrap_or_else(undecided);
                answer.map(|answer| (answer, Replay::Again))
            }
            Turn::Own(Claim::Replay(answer)) => Ok((answer, Replay::Again)),
            Turn::Own(claim) => match claim.problem() {
                Some(problem) => Err(problem),
                None => undecided().map(|answer| (answer, Replay::First)),
            },
        };
        // From the end, because those who follow hear of the answer before it is given away.
        let mut heard: Vec<Heard> = self.turns.into_iter().enumerate().rev().map(hear).collect();
        heard.reverse();
        Ok(heard)
    }
}

/// A refusal by a rule becomes the answer of its key.
fn keepable(
    request: &Idempotent,
    decided: Result<StoredAnswer, Problem>,
) -> Result<StoredAnswer, Problem> {
    match decided {
        Err(refusal) if refusal.keep() == Keep::Answer => {
            StoredAnswer::refusal(&refusal, request.request_id())
        }
        other => other,
    }
}

/// A group's work left a fresh request without an answer.
#[derive(Debug, thiserror::Error)]
#[error("a request of a group was not decided")]
struct Undecided;
