//! The decision in memory: which transactions stand, and what each does to the heads.
//!
//! Pure. Transactions are taken in the order of arrival; one that is refused leaves the heads
//! as they were, so it has no effect on those after it.

use std::collections::HashMap;

use mizan_money::{AccountId, Currency, Money};

use crate::account::AccountRef;
use crate::chart;
use crate::entry::{Leg, Side};
use crate::read::{Entry, on_normal_side};
use crate::transaction::{Authority, NewTransaction, Refusal};

/// An account in one currency: what a head belongs to.
pub(crate) type AccountKey = (AccountRef, Currency);

/// The newest state of one account: sums of both sides and the newest sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub account_id: i64,
    pub public_id: AccountId,
    pub debits: i64,
    pub credits: i64,
    pub version: i64,
}

impl Head {
    /// Debits minus credits. Both are at least zero, so this cannot overflow.
    fn net(&self) -> i64 {
        self.debits - self.credits
    }

    /// What can be taken before the floor, in minor units.
    fn left(&self, floor: Side) -> i64 {
        match floor {
            Side::Debit => self.net(),
            Side::Credit => -self.net(),
        }
    }
}

/// One entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewEntry {
    pub account: AccountRef,
    pub account_id: i64,
    pub public_id: AccountId,
    pub seq: i64,
    pub side: Side,
    pub amount: Money,
    /// Debits minus credits.
    pub balance_after: i64,
}

impl NewEntry {
    /// The entry as a reader of the journal will find it.
    pub(crate) fn written(&self) -> Entry {
        let net = on_normal_side(self.account.role().line(), self.balance_after);
        Entry {
            account_id: self.public_id,
            account: self.account.clone(),
            seq: self.seq,
            side: self.side,
            amount: self.amount,
            balance_after: Money::new(net, self.amount.currency()),
        }
    }
}

/// The heads of a batch, by account. A head is changed only through a transaction.
pub(crate) struct Heads {
    by_key: HashMap<AccountKey, Head>,
}

/// Every account a transaction may touch: its own, and where a fact may spill to.
pub(crate) fn accounts_of(transaction: &NewTransaction) -> Vec<AccountKey> {
    let mut accounts = Vec::with_capacity(transaction.posting.legs().len());
    for leg in transaction.posting.legs() {
        let currency = leg.amount.currency();
        if transaction.authority == Authority::Fact && takes(leg) {
            accounts.extend(chart::spill(&leg.account).into_iter().map(|a| (a, currency)));
        }
        accounts.push((leg.account.clone(), currency));
    }
    accounts
}

/// Whether the leg moves its account towards its floor.
fn takes(leg: &Leg) -> bool {
    leg.account.floor_side() == Some(leg.side.other())
}

impl Heads {
    pub(crate) fn new(by_key: HashMap<AccountKey, Head>) -> Heads {
        Heads { by_key }
    }

    /// The heads as they are now.
    pub(crate) fn into_heads(self) -> impl Iterator<Item = Head> {
        self.by_key.into_values()
    }

    /// Applies a transaction, or refuses it and changes nothing.
    pub(crate) fn apply(&mut self, asked: &NewTransaction) -> Result<Vec<NewEntry>, Refusal> {
        let mut before: HashMap<AccountKey, Head> = HashMap::new();
        let applied = self.apply_legs(asked, &mut before);
        let checked = applied.and_then(|entries| match asked.authority {
            Authority::Command => self.check_floors(&before).map(|()| entries),
            Authority::Fact => Ok(entries),
        });
        if checked.is_err() {
            self.by_key.extend(before);
        }
        checked
    }

    fn apply_legs(
        &mut self,
        asked: &NewTransaction,
        before: &mut HashMap<AccountKey, Head>,
    ) -> Result<Vec<NewEntry>, Refusal> {
        let mut entries = Vec::with_capacity(asked.posting.legs().len());
        for leg in asked.posting.legs() {
            for part in self.parts_of(leg, asked.authority) {
                let key = (part.account.clone(), part.amount.currency());
                let out_of_range = || Refusal::OutOfRange { account: part.account.to_string() };
                // Every account of the batch was locked before the fold began.
                let head = self.by_key.get_mut(&key).ok_or_else(out_of_range)?;
                before.entry(key).or_insert_with(|| head.clone());
                let amount = part.amount.minor();
                let sum = match part.side {
                    Side::Debit => &mut head.debits,
                    Side::Credit => &mut head.credits,
                };
                *sum = sum.checked_add(amount).ok_or_else(out_of_range)?;
                head.version += 1;
                entries.push(NewEntry {
                    account: part.account,
                    account_id: head.account_id,
                    public_id: head.public_id,
                    seq: head.version,
                    side: part.side,
                    amount: part.amount,
                    balance_after: head.net(),
                });
            }
        }
        Ok(entries)
    }

    /// A command's leg is itself. A fact's leg takes from its account what is there, then from
    /// the party's other buckets, and the rest from the account that carries the debt.
    fn parts_of(&self, leg: &Leg, authority: Authority) -> Vec<Leg> {
        if authority == Authority::Command || !takes(leg) {
            return vec![leg.clone()];
        }
        let currency = leg.amount.currency();
        let mut rest = leg.amount.minor();
        let mut parts = Vec::new();
        let mut take = |account: AccountRef, most: i64| {
            let amount = rest.min(most);
            if amount > 0 {
                rest -= amount;
                let amount = Money::new(amount, currency);
                parts.push(Leg { account, side: leg.side, amount });
            }
        };
        for account in std::iter::once(leg.account.clone()).chain(chart::spill(&leg.account)) {
            let limited = account.floor_side() == Some(leg.side.other());
            let most = match (limited, account.floor_side()) {
                (true, Some(floor)) => {
                    let key = (account.clone(), currency);
                    self.by_key.get(&key).map_or(0, |head| head.left(floor))
                }
                _ => i64::MAX,
            };
            take(account, most);
        }
        parts
    }

    fn check_floors(&self, before: &HashMap<AccountKey, Head>) -> Result<(), Refusal> {
        let mut touched: Vec<_> = before.iter().collect();
        touched.sort_by(|a, b| a.0.cmp(b.0));
        for (key, old) in touched {
            let (account, currency) = key;
            let (Some(floor), Some(new)) = (account.floor_side(), self.by_key.get(key)) else {
                continue;
            };
            if new.left(floor) < 0 {
                return Err(Refusal::BelowFloor {
                    account: account.to_string(),
                    currency: currency.code().to_owned(),
                    left_minor: old.left(floor),
                    asked_minor: old.left(floor) - new.left(floor),
                });
            }
        }
        Ok(())
    }
}
