//! Posts plain transactions: what a caller books that no other part of the service does.

use std::collections::BTreeMap;

use mizan_ledger::{
    Authority, Leg, NewTransaction, Outcome, Posting, PostingError, PostingKey, Side,
    TransactionKind, post,
};
use mizan_money::{Currency, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::error::BooksError;
use super::input::Metadata;
use crate::outbox::{self, NewEvent};

/// The event that announces every transaction posted here.
const ANNOUNCED_AS: &str = "ledger.transaction_posted";

/// A plain transaction before it is known whether it balances.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What happened.
    pub kind: TransactionKind,
    /// When it was true in the world.
    pub effective_at: Timestamp,
    /// The legs; each amount above zero.
    pub legs: Vec<Leg>,
    /// Whether a floor may refuse it.
    pub authority: Authority,
    /// The thing it belongs to, or nothing. At most 100 bytes.
    pub source: String,
    /// The caller's own pairs.
    pub metadata: Metadata,
}

impl Draft {
    /// The transaction to post under `key`, done by `actor`.
    ///
    /// # Errors
    /// Legs that do not balance in each currency.
    pub fn transaction(
        &self,
        key: PostingKey,
        actor: String,
    ) -> Result<NewTransaction, BooksError> {
        Ok(NewTransaction {
            key,
            kind: self.kind.clone(),
            effective_at: self.effective_at,
            posting: balanced(&self.legs)?,
            authority: self.authority,
            source: self.source.clone(),
            actor,
            metadata: json_pairs(&self.metadata),
            reverses: None,
        })
    }
}

/// Metadata as the ledger keeps it.
pub(super) fn json_pairs(metadata: &Metadata) -> serde_json::Map<String, serde_json::Value> {
    metadata.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect()
}

/// Makes the posting, and tells amounts that are wrong from currencies that were mixed up.
fn balanced(legs: &[Leg]) -> Result<Posting, BooksError> {
    let refusal = match Posting::balanced(legs.to_vec()) {
        Ok(posting) => return Ok(posting),
        Err(refusal) => refusal,
    };
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for leg in legs {
        let amount = i128::from(leg.amount.minor());
        *sums.entry(leg.amount.currency()).or_default() += match leg.side {
            Side::Debit => amount,
            Side::Credit => -amount,
        };
    }
    let off: Vec<Currency> =
        sums.iter().filter(|(_, sum)| **sum != 0).map(|(currency, _)| *currency).collect();
    match refusal {
        PostingError::Unbalanced { .. } if off.len() > 1 && sums.values().sum::<i128>() == 0 => {
            Err(BooksError::Mixed { currencies: off })
        }
        other => Err(other.into()),
    }
}

/// Posts transactions in the order given and announces those that stand, in the caller's
/// database transaction. Answers each of them; one that is refused leaves nothing behind but
/// its answer.
///
/// # Errors
/// The database; the caller rolls back.
pub async fn record(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    transactions: &[NewTransaction],
) -> Result<Vec<Outcome>, BooksError> {
    let outcomes = post(conn, tenant, now, transactions).await?;

    let announce = |(asked, outcome): (&NewTransaction, &Outcome)| match outcome {
        // What was posted before was announced then.
        Outcome::Posted(posted) if !posted.replayed => Some(NewEvent::new(
            ANNOUNCED_AS,
            posted.id.to_string(),
            Some(posted.position),
            json!({
                "transaction": posted.id.to_string(),
                "position": posted.position,
                "kind": asked.kind.as_str(),
                "source": asked.source,
                "effective_at": posted.effective_at,
                "recorded_at": posted.recorded_at,
                "reverses": asked.reverses.map(|id| id.to_string()),
            }),
            now,
        )),
        _ => None,
    };
    let events: Vec<NewEvent> = transactions.iter().zip(&outcomes).filter_map(announce).collect();
    outbox::append(conn, tenant, now, &events).await?;
    Ok(outcomes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use mizan_ledger::{AccountRef, credit, debit};
    use mizan_money::Money;

    use super::*;

    fn leg(side: fn(AccountRef, Money) -> Leg, path: &str, minor: i64, currency: Currency) -> Leg {
        side(AccountRef::parse(path).unwrap(), Money::new(minor, currency))
    }

    #[test]
    fn currencies_mixed_up_are_told_from_amounts_that_are_wrong() {
        let bank = leg(debit, "bank:main", 100, Currency::AED);
        let cases = [
            (100, Currency::AED, "fine"),
            (100, Currency::USD, "AED and USD do not net"),
            (101, Currency::AED, "differ by -1 minor units of AED"),
            (101, Currency::USD, "differ by 100 minor units of AED"),
        ];
        for (minor, currency, says) in cases {
            let legs = [bank.clone(), leg(credit, "suspense:bank", minor, currency)];
            let said = balanced(&legs).map_or_else(|error| error.to_string(), |_| "fine".into());
            assert!(said.contains(says), "{said}");
        }
    }
}
