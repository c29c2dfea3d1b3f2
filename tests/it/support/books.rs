//! The books of one tenant, used in one line each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mizan_ledger::read::{self, Cursor, Detail, Page};
use mizan_ledger::verify::{Law, Mode, Proved, keep, prove_ledger};
use mizan_ledger::{LedgerError, NewTransaction, Outcome};
use mizan_money::{TenantId, Timestamp, TransactionId};
use sqlx::AssertSqlSafe;

use super::{T0, TestDb, page, scope};

/// More than any test has.
const ALL: Page = Page { limit: 10_000, cursor: Cursor::Start };

/// A database and the tenant whose books are kept in it.
pub struct Books {
    pub db: Arc<TestDb>,
    pub tenant: TenantId,
}

impl Books {
    /// Empty books in a fresh database.
    pub async fn new() -> Books {
        let db = Arc::new(TestDb::new().await);
        let tenant = db.tenant();
        Books { db, tenant }
    }

    /// The books of another tenant in the same database.
    pub fn of(&self, tenant: TenantId) -> Books {
        Books { db: Arc::clone(&self.db), tenant }
    }

    /// Posts one batch in a transaction of its own, as the service's role, at [`T0`].
    pub async fn post(&self, batch: &[NewTransaction]) -> Vec<Outcome> {
        self.post_at(T0, batch).await.unwrap()
    }

    /// Posts and commits at the time given; rolls back when the database says no.
    pub async fn post_at(
        &self,
        now: Timestamp,
        batch: &[NewTransaction],
    ) -> Result<Vec<Outcome>, LedgerError> {
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        let outcomes = mizan_ledger::post(&mut tx, self.tenant, now, batch).await?;
        tx.commit().await?;
        Ok(outcomes)
    }

    /// Posts one batch of what must stand, and answers the outcomes.
    pub async fn book(&self, batch: &[NewTransaction]) -> Vec<Outcome> {
        let outcomes = self.post(batch).await;
        let all_stand = outcomes.iter().all(|outcome| outcome.posted().is_some());
        assert!(all_stand, "{}", page::answers(&outcomes));
        outcomes
    }

    /// Every account with entries and its balance, one per line.
    pub async fn balances(&self) -> String {
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        let listed = read::accounts(&mut tx, self.tenant, None, ALL).await.unwrap().unwrap();
        assert!(!listed.has_more);
        page::balances(&listed.data)
    }

    /// The transactions from the oldest to the newest.
    pub async fn journal(&self) -> Vec<read::Transaction> {
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        let listed = read::transactions(&mut tx, self.tenant, None, None, ALL).await;
        let mut transactions = listed.unwrap().unwrap().data;
        transactions.reverse();
        transactions
    }

    /// One transaction with its entries.
    pub async fn transaction(&self, id: TransactionId) -> read::Transaction {
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        read::transaction(&mut tx, self.tenant, id).await.unwrap().unwrap()
    }

    /// How many rows a table has for this tenant.
    pub async fn count(&self, table: &str) -> i64 {
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        let query = AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(query).fetch_one(&mut *tx).await.unwrap()
    }

    /// What the laws say, as the service's role.
    pub async fn laws(&self) -> Vec<Law> {
        self.proof(Mode::Full).await.laws
    }

    /// Proves the ledger at [`T0`], all of it or what is new, and stores nothing.
    pub async fn proof(&self, mode: Mode) -> Proved {
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        prove_ledger(&mut tx, self.tenant, mode, T0, &|| Duration::ZERO).await.unwrap()
    }

    /// Proves everything and marks up to where.
    pub async fn mark(&self) {
        let proved = self.proof(Mode::Full).await;
        assert!(proved.laws.iter().all(Law::holds), "{:#?}", proved.laws);
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        assert!(keep(&mut tx, self.tenant, &proved.progress).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// Asserts that every law holds, that something was checked, and that each currency of the
    /// trial balance sums to zero.
    pub async fn prove(&self) {
        for law in self.laws().await {
            assert!(law.holds(), "{}: {:#?}", law.name, law.broken);
        }
        let mut tx = scope(self.db.service_pool(), self.tenant).await;
        for detail in [Detail::Role, Detail::Account] {
            let mut sums = BTreeMap::new();
            for line in read::trial_balance(&mut tx, self.tenant, detail).await.unwrap() {
                *sums.entry(line.currency).or_insert(0) += line.debit - line.credit;
            }
            assert!(sums.values().all(|sum| *sum == 0), "the trial balance is off: {sums:?}");
        }
    }

    /// Every broken law with the rows it names, one per line.
    pub async fn broken(&self) -> String {
        let broken = |law: &Law| {
            let line = |row: &String| format!("{}: {row}\n", law.name);
            law.broken.iter().map(line).collect::<String>()
        };
        self.laws().await.iter().map(broken).collect()
    }
}
