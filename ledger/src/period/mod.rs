//! Closed days: what may no longer happen in them, and how they are closed.
//!
//! Closing is one row and one moment on the book, taken under the book's lock. A posting that is
//! under way holds that lock from its write to its commit, so it is either before the closing,
//! and counts, or after it, and knows of it. The database looks again when a transaction is
//! inserted; what lost a race there is run again.
//!
//! There is no reopening. A command that is dated into closed days is refused; a fact has
//! happened whatever was closed, so it is booked at the first open moment and keeps the date it
//! was told with under [`ASKED`].

mod store;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::{Map, Value};

use crate::transaction::{Authority, NewTransaction, Refusal};

pub use store::{close, periods};

type Timestamp = DateTime<Utc>;

/// Where a fact that was moved out of closed days keeps the date it was told with.
pub const ASKED: &str = "effective_asked";

/// Days that were closed, up to and with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The last closed day, in the tenant's time zone.
    pub closed_through: NaiveDate,
    /// The first moment that is open.
    pub ends_at: Timestamp,
    /// The last journal number when it was closed.
    pub position: i64,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Who closed it.
    pub closed_by: String,
}

/// What became of a wish to close days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// They are closed now.
    Closed(Period),
    /// They were closed before, by this period.
    ClosedBefore(Period),
    /// The last of them is not over before this moment.
    NotOver {
        /// When it is over.
        ends_at: Timestamp,
    },
}

/// The moment before which the days of a book are closed; none where none is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClosedBefore(pub Option<Timestamp>);

impl ClosedBefore {
    /// When a transaction counts, given what is closed.
    ///
    /// # Errors
    /// [`Refusal::PeriodClosed`] for a command that is dated into closed days.
    pub fn admit(self, asked: &NewTransaction) -> Result<Timestamp, Refusal> {
        let at = asked.effective_at;
        match self.0 {
            Some(open_from) if at < open_from => match asked.authority {
                Authority::Command => {
                    Err(Refusal::PeriodClosed { effective_at: at, closed_before: open_from })
                }
                Authority::Fact => Ok(open_from),
            },
            _ => Ok(at),
        }
    }
}

/// The metadata kept with a transaction that counts at `effective_at`: the caller's own, and
/// the date that was asked for where it was moved.
pub fn kept_metadata(asked: &NewTransaction, effective_at: Timestamp) -> Map<String, Value> {
    let mut kept = asked.metadata.clone();
    if effective_at != asked.effective_at {
        let date = asked.effective_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        kept.insert(ASKED.to_owned(), date.into());
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use mizan_money::{Currency, Money};

    use super::*;
    use crate::{AccountRef, Posting, PostingKey, TransactionKind, credit, debit};

    fn asked(authority: Authority, at: &str) -> NewTransaction {
        let leg = |path: &str| (AccountRef::parse(path).unwrap(), Money::new(1, Currency::AED));
        let (bank, other) = (leg("bank:main"), leg("suspense:bank"));
        let legs = vec![debit(bank.0, bank.1), credit(other.0, other.1)];
        NewTransaction {
            key: PostingKey::new("k").unwrap(),
            kind: TransactionKind::new("test.moved").unwrap(),
            effective_at: at.parse().unwrap(),
            posting: Posting::balanced(legs).unwrap(),
            authority,
            source: String::new(),
            actor: "tests".to_owned(),
            metadata: Map::from_iter([("note".to_owned(), "mine".into())]),
            reverses: None,
        }
    }

    #[test]
    fn a_command_in_closed_days_is_refused_and_a_fact_lands_behind_them() {
        let open_from: Timestamp = "2026-03-31T20:00:00Z".parse().unwrap();
        let closed = ClosedBefore(Some(open_from));
        let before = "2026-03-31T19:59:59.999999Z";
        let refusal = closed.admit(&asked(Authority::Command, before)).unwrap_err();
        assert!(refusal.to_string().contains("2026-03-31T20:00:00Z"), "{refusal}");

        let fact = asked(Authority::Fact, before);
        let moved = closed.admit(&fact).unwrap();
        assert_eq!(moved, open_from);
        let kept = kept_metadata(&fact, moved);
        assert_eq!(kept[ASKED], "2026-03-31T19:59:59.999999Z");
        assert_eq!(kept["note"], "mine");
    }

    #[test]
    fn what_is_dated_into_open_days_stays_as_it_is() {
        let at = "2026-03-31T20:00:00Z";
        for closed in [ClosedBefore(None), ClosedBefore(Some(at.parse().unwrap()))] {
            for authority in [Authority::Command, Authority::Fact] {
                let asked = asked(authority, at);
                let effective_at = closed.admit(&asked).unwrap();
                assert_eq!(effective_at, asked.effective_at);
                assert_eq!(kept_metadata(&asked, effective_at), asked.metadata);
            }
        }
    }
}
