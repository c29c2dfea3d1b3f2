//! A write to the journal as bare SQL, past the application: honest until a test changes it.

use mizan_money::{TenantId, Timestamp};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::{Actor, TestDb, after};

/// One statement that moves the book and the heads and inserts a transaction with entries, as
/// the posting path does.
#[derive(Clone, Debug)]
pub struct Raw {
    pub tenant: i32,
    /// Where the book moves to.
    pub position: i64,
    pub recorded_at: Timestamp,
    /// The entry that the book names: account and number.
    pub named: (i64, i64),
    pub transactions: Vec<RawTransaction>,
    pub heads: Vec<RawHead>,
    pub entries: Vec<RawEntry>,
    /// The parent, or the partition that the entries are aimed at.
    pub table: &'static str,
}

#[derive(Clone, Debug)]
pub struct RawTransaction {
    pub position: i64,
    pub recorded_at: Timestamp,
    pub entry_count: i64,
    pub reverses: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct RawHead {
    pub account: i64,
    pub debits: i64,
    pub credits: i64,
    pub version: i64,
}

#[derive(Clone, Debug)]
pub struct RawEntry {
    pub tenant: i32,
    pub account: i64,
    pub seq: i64,
    pub position: i64,
    pub side: char,
    pub amount: i64,
    pub currency: &'static str,
    pub balance_after: i64,
    pub recorded_at: Timestamp,
}

impl Raw {
    /// What the service itself would write for these legs (path, side, minor units of AED) a
    /// minute after the tests begin; each account at most once.
    pub async fn honest(db: &TestDb, tenant: TenantId, legs: &[(&str, char, i64)]) -> Raw {
        let mut owner = db.connect(Actor::Owner, tenant).await;
        let position: i64 =
            sqlx::query_scalar("select position + 1 from ledger.book where tenant_id = $1")
                .bind(tenant.0)
                .fetch_one(&mut owner)
                .await
                .unwrap();
        let recorded_at = after(60);
        let (mut heads, mut entries) = (Vec::new(), Vec::new());
        for (path, side, amount) in legs {
            let mut head = head_of(&mut owner, tenant, path).await;
            match side {
                'd' => head.debits += amount,
                _ => head.credits += amount,
            }
            head.version += 1;
            entries.push(RawEntry {
                tenant: tenant.0,
                account: head.account,
                seq: head.version,
                position,
                side: *side,
                amount: *amount,
                currency: "AED",
                balance_after: head.debits - head.credits,
                recorded_at,
            });
            heads.push(head);
        }
        let transaction = RawTransaction {
            position,
            recorded_at,
            entry_count: entries.len() as i64,
            reverses: None,
        };
        let (tenant, transactions, table) = (tenant.0, vec![transaction], "ledger.entry");
        let named = (entries[0].account, entries[0].seq);
        Raw { tenant, position, recorded_at, named, transactions, heads, entries, table }
    }

    /// The statement.
    pub fn sql(&self) -> String {
        let mut parts = vec![format!(
            "book as (update ledger.book set position = {}, recorded_at = '{}',
                before_position = position, last_account = {}, last_seq = {}
                where tenant_id = {} returning 1)",
            self.position, self.recorded_at, self.named.0, self.named.1, self.tenant
        )];
        parts.extend(self.heads.iter().enumerate().map(|(n, h)| {
            format!(
                "head_{n} as (update ledger.balance
                    set debits = {}, credits = {}, version = {}, before_debits = debits,
                        before_credits = credits, before_version = version, position = {}
                    where tenant_id = {} and account_id = {} returning 1)",
                h.debits, h.credits, h.version, self.position, self.tenant, h.account
            )
        }));
        parts.extend(self.transactions.iter().enumerate().map(|(n, t)| self.insert(n, t)));
        parts.extend(self.entries_sql().map(|insert| format!("entries as ({insert} returning 1)")));
        format!("with {} select 1", parts.join(", "))
    }

    fn insert(&self, n: usize, t: &RawTransaction) -> String {
        let reverses = t.reverses.map_or("null".to_owned(), |position| position.to_string());
        format!(
            "transaction_{n} as (insert into ledger.transaction (tenant_id, position, id,
                effective_at, recorded_at, reverses, entry_count, kind, source, actor)
                values ({}, {}, gen_random_uuid(), '{at}', '{at}', {reverses}, {},
                    'test.forged', 'tests', 'tests')
                returning 1)",
            self.tenant,
            t.position,
            t.entry_count,
            at = t.recorded_at,
        )
    }

    /// The entries alone, if there are any.
    pub fn entries_sql(&self) -> Option<String> {
        let rows = self.entries.iter().map(|e| {
            format!(
                "({}, {}, {}, {}, '{}', {}, '{}', {}, '{at}')",
                e.tenant,
                e.account,
                e.seq,
                e.position,
                e.side,
                e.amount,
                e.currency,
                e.balance_after,
                at = e.recorded_at,
            )
        });
        let rows: Vec<String> = rows.collect();
        (!rows.is_empty()).then(|| {
            format!(
                "insert into {} (tenant_id, account_id, seq, position, side, amount, currency,
                    balance_after, recorded_at) values {}",
                self.table,
                rows.join(", ")
            )
        })
    }
}

async fn head_of(owner: &mut PgConnection, tenant: TenantId, path: &str) -> RawHead {
    let row = sqlx::query(
        "select b.account_id, b.debits, b.credits, b.version
         from ledger.balance b
         join ledger.account a on a.tenant_id = b.tenant_id and a.id = b.account_id
         where a.tenant_id = $1 and a.path = $2",
    )
    .bind(tenant.0)
    .bind(path)
    .fetch_one(owner)
    .await
    .unwrap();
    RawHead {
        account: row.get("account_id"),
        debits: row.get("debits"),
        credits: row.get("credits"),
        version: row.get("version"),
    }
}

/// Runs statements as the actor in one transaction that is rolled back, and answers what the
/// database said: `stands`, `touches nothing`, or the SQLSTATE and the rule (the message where
/// no rule is named).
pub async fn attempt(db: &TestDb, actor: Actor, tenant: TenantId, statements: &str) -> String {
    let mut conn = db.connect(actor, tenant).await;
    answer(&mut conn, statements).await
}

/// As [`attempt`], on a connection that is already there.
pub async fn answer(conn: &mut PgConnection, statements: &str) -> String {
    sqlx::raw_sql("begin").execute(&mut *conn).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *conn).await;
    sqlx::raw_sql("rollback").execute(&mut *conn).await.unwrap();
    match done {
        Ok(done) if done.rows_affected() == 0 => "touches nothing".to_owned(),
        Ok(_) => "stands".to_owned(),
        Err(sqlx::Error::Database(refusal)) => {
            let rule = refusal.constraint().unwrap_or(refusal.message());
            format!("{} {rule}", refusal.code().unwrap_or_default())
        }
        Err(other) => panic!("{statements}: {other}"),
    }
}
