//! Reading the books: accounts, balances now, statements, transactions, the trial balance.

mod past;
mod store;

use chrono::{DateTime, Utc};
use mizan_money::{AccountId, Currency, Money, TransactionId};
use uuid::Uuid;

pub use past::{AsOf, DatedStatement, Horizon, Known, PastBalance, parse_day};
pub use store::{
    account, account_at, accounts, accounts_above_zero, accounts_at, balance_as_of,
    dated_statement, day_ends, fx_position, horizon, lines_between, statement, transaction,
    transaction_by_key, transactions, transactions_by_id, trial_balance, trial_balance_as_of,
};

use crate::account::AccountRef;
use crate::chart::Line;
use crate::entry::{Leg, Posting, Side};
use crate::error::LedgerError;
use crate::transaction::{Authority, NewTransaction, PostingKey, TransactionKind};

/// Which part of a list, newest first where time orders it.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// How many at most.
    pub limit: u16,
    /// Where from.
    pub cursor: Cursor,
}

/// A place in a list.
#[derive(Debug, Clone, Copy)]
pub enum Cursor {
    /// From its beginning.
    Start,
    /// What follows this object.
    After(Uuid),
    /// What comes before this object.
    Before(Uuid),
}

/// One page.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// The objects.
    pub data: Vec<T>,
    /// Whether there are more in the direction of the cursor.
    pub has_more: bool,
}

/// An account with its balance now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its public id.
    pub id: AccountId,
    /// Role and dimensions.
    pub account: AccountRef,
    /// Its currency.
    pub currency: Currency,
    /// Sum of all debits, in minor units.
    pub debits: i64,
    /// Sum of all credits, in minor units.
    pub credits: i64,
    /// The number of entries, and the newest one's sequence number.
    pub entries: i64,
    /// When it was first used.
    pub created_at: DateTime<Utc>,
}

impl Account {
    /// Its line in the chart.
    pub fn line(&self) -> &'static Line {
        self.account.role().line()
    }

    /// The balance on the account's normal side: what a person expects to read.
    pub fn balance(&self) -> Money {
        Money::new(on_normal_side(self.line(), self.debits - self.credits), self.currency)
    }
}

/// Turns debits minus credits into the balance on the normal side.
pub(crate) fn on_normal_side(line: &Line, net: i64) -> i64 {
    match line.class.normal_side() {
        Side::Debit => net,
        Side::Credit => -net,
    }
}

/// One entry as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The account's public id.
    pub account_id: AccountId,
    /// The account.
    pub account: AccountRef,
    /// Its sequence number in the account.
    pub seq: i64,
    /// Its side.
    pub side: Side,
    /// Its amount.
    pub amount: Money,
    /// The account's balance after it, on the normal side.
    pub balance_after: Money,
}

/// A transaction as it stands in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Its id.
    pub id: TransactionId,
    /// Its journal number.
    pub position: i64,
    /// What happened.
    pub kind: String,
    /// When it was true.
    pub effective_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The thing it belongs to.
    pub source: String,
    /// Who did it.
    pub actor: String,
    /// The transaction it takes back.
    pub reverses: Option<TransactionId>,
    /// What else was kept with it.
    pub metadata: Option<serde_json::Value>,
    /// Its entries, debits first.
    pub entries: Vec<Entry>,
}

impl Transaction {
    /// The transaction that takes this one back, leg by leg.
    ///
    /// # Errors
    /// Entries that do not balance, which the database would not have let in.
    pub fn reversal(
        &self,
        key: PostingKey,
        kind: TransactionKind,
        authority: Authority,
        effective_at: DateTime<Utc>,
        actor: String,
    ) -> Result<NewTransaction, LedgerError> {
        let leg = |e: &Entry| Leg { account: e.account.clone(), side: e.side, amount: e.amount };
        let posting = Posting::balanced(self.entries.iter().map(leg).collect())
            .map_err(|e| LedgerError::Corrupt { what: format!("{}: {e}", self.id) })?;
        Ok(NewTransaction {
            key,
            kind,
            effective_at,
            posting: posting.reversed(),
            authority,
            source: self.source.clone(),
            actor,
            metadata: serde_json::Map::new(),
            reverses: Some(self.id),
        })
    }
}

/// One line of an account's statement, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// The transaction.
    pub transaction: TransactionId,
    /// Its journal number.
    pub position: i64,
    /// What happened.
    pub kind: String,
    /// The thing it belongs to.
    pub source: String,
    /// When it was true.
    pub effective_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The sequence number in the account.
    pub seq: i64,
    /// The side.
    pub side: Side,
    /// The amount.
    pub amount: Money,
    /// The balance after it, on the normal side.
    pub balance_after: Money,
}

/// One line of the trial balance. Sums go beyond 64 bits without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialLine {
    /// The account, or the role alone where accounts are summed up.
    pub path: String,
    /// The chart's line.
    pub line: &'static Line,
    /// The currency.
    pub currency: Currency,
    /// Debits minus credits where the debits are more, in minor units.
    pub debit: i128,
    /// Credits minus debits where the credits are more, in minor units.
    pub credit: i128,
}

/// What is open in one currency and what it cost in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FxPosition {
    /// What all accounts but the clearing one have in the currency, debits less credits: above
    /// zero it is had, below zero it is owed.
    pub open: Money,
    /// What that cost in the other currency, on the same sign.
    pub book: Money,
}

/// How fine a trial balance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// One line per role and currency.
    Role,
    /// One line per account.
    Account,
}
