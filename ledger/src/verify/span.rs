//! The statements of one span: each finds its entries by the times of the span's transactions.

use mizan_money::{TenantId, Timestamp};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row, query, query_scalar};

use super::SPAN;
use crate::error::LedgerError;

type Result<T> = std::result::Result<T, LedgerError>;

/// Some consecutive transactions, never across a multiple of [`SPAN`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) tenant: TenantId,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) transactions: i64,
    earliest: Timestamp,
    latest: Timestamp,
}

/// What one account did in a span.
pub(super) struct Stretch {
    pub(super) account: i64,
    pub(super) entries: i64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
    /// The balance that the first entry says, and what that entry changed.
    pub(super) first_balance: i64,
    pub(super) first_change: i64,
    pub(super) last_balance: i64,
    pub(super) debits: i128,
    pub(super) credits: i128,
    pub(super) faults: Vec<String>,
}

/// The journal numbers of a span.
pub(super) struct Numbers {
    pub(super) last: i64,
    pub(super) first_time: Timestamp,
    pub(super) last_time: Timestamp,
    pub(super) faults: Vec<String>,
}

/// Begins the proof on the connection: its statements read much, and may take their time. The
/// planner guesses one row where there are millions; a nested loop would be for the one.
pub(super) async fn begin(conn: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(
        "set local statement_timeout = '15min'; set local work_mem = '48MB'; set local jit = off; \
         set local enable_nestloop = off",
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl Span {
    /// The next transactions from a journal number on; none at the end of the journal.
    pub(super) async fn next(
        conn: &mut PgConnection,
        tenant: TenantId,
        from: i64,
        end: i64,
    ) -> Result<Option<Span>> {
        let first: Option<i64> = query_scalar(
            "select min(position) from ledger.transaction
             where tenant_id = $1 and position between $2 and $3",
        )
        .bind(tenant.0)
        .bind(from)
        .bind(end)
        .fetch_one(&mut *conn)
        .await?;
        let Some(first) = first else { return Ok(None) };
        let border = ((first - 1) / SPAN + 1).saturating_mul(SPAN);
        Span::between(conn, tenant, first, border.min(end)).await
    }

    /// The transactions from one journal number to another, if there are any.
    pub(super) async fn between(
        conn: &mut PgConnection,
        tenant: TenantId,
        first: i64,
        last: i64,
    ) -> Result<Option<Span>> {
        let row = query(
            "select count(*) as transactions, min(recorded_at) as earliest,
                 max(recorded_at) as latest
             from ledger.transaction
             where tenant_id = $1 and position between $2 and $3",
        )
        .bind(tenant.0)
        .bind(first)
        .bind(last)
        .fetch_one(conn)
        .await?;
        let transactions: i64 = row.try_get("transactions")?;
        if transactions == 0 {
            return Ok(None);
        }
        let (earliest, latest) = (row.try_get("earliest")?, row.try_get("latest")?);
        Ok(Some(Span { tenant, first, last, transactions, earliest, latest }))
    }

    /// Binds $1 to $5, which every statement below takes.
    fn query(&self, sql: &'static str) -> Query<'static, Postgres, PgArguments> {
        query(sql)
            .bind(self.tenant.0)
            .bind(self.first)
            .bind(self.last)
            .bind(self.earliest)
            .bind(self.latest)
    }

    async fn names(&self, conn: &mut PgConnection, sql: &'static str) -> Result<Vec<String>> {
        let rows = self.query(sql).fetch_all(conn).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Transactions whose debits and credits differ in a currency.
    pub(super) async fn unbalanced(&self, conn: &mut PgConnection) -> Result<Vec<String>> {
        self.names(conn, UNBALANCED).await
    }

    /// Transactions that have not the entries they say, and entries of no transaction.
    pub(super) async fn incomplete(&self, conn: &mut PgConnection) -> Result<Vec<String>> {
        self.names(conn, INCOMPLETE).await
    }

    /// Entries in another currency than their account.
    pub(super) async fn in_other_currency(&self, conn: &mut PgConnection) -> Result<Vec<String>> {
        self.names(conn, OTHER_CURRENCY).await
    }

    /// What each account did, and which of its entries do not continue the one before.
    pub(super) async fn stretches(&self, conn: &mut PgConnection) -> Result<Vec<Stretch>> {
        let rows = self.query(STRETCHES).fetch_all(conn).await?;
        rows.iter().map(Stretch::read).collect()
    }

    /// The journal numbers, and which of them do not follow the one before.
    pub(super) async fn numbers(&self, conn: &mut PgConnection) -> Result<Numbers> {
        let row = self.query(NUMBERS).fetch_one(conn).await?;
        Ok(Numbers {
            last: row.try_get("last")?,
            first_time: row.try_get("first_time")?,
            last_time: row.try_get("last_time")?,
            faults: row.try_get("faults")?,
        })
    }

    /// The digest of each transaction with its entries, by journal number.
    pub(super) async fn leaves(&self, conn: &mut PgConnection) -> Result<Vec<(i64, [u8; 32])>> {
        let row = self.query(LEAVES).fetch_one(conn).await?;
        let positions: Vec<i64> = row.try_get("positions")?;
        let digests: Vec<u8> = row.try_get("digests")?;
        let (leaves, rest) = digests.as_chunks::<32>();
        if leaves.len() != positions.len() || !rest.is_empty() {
            let what = format!("{} digests of {} transactions", leaves.len(), positions.len());
            return Err(LedgerError::Corrupt { what });
        }
        Ok(positions.into_iter().zip(leaves.iter().copied()).collect())
    }
}

impl Stretch {
    fn read(row: &PgRow) -> Result<Stretch> {
        Ok(Stretch {
            account: row.try_get("account_id")?,
            entries: row.try_get("entries")?,
            first_seq: row.try_get("first_seq")?,
            last_seq: row.try_get("last_seq")?,
            first_balance: row.try_get("first_balance")?,
            first_change: row.try_get("first_change")?,
            last_balance: row.try_get("last_balance")?,
            debits: whole_number(row, "debits")?,
            credits: whole_number(row, "credits")?,
            faults: row.try_get("faults")?,
        })
    }
}

/// A sum, which may be wider than any column.
pub(super) fn whole_number(row: &PgRow, column: &'static str) -> Result<i128> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|_| LedgerError::Corrupt { what: format!("{column} of {text}") })
}

/// The entries of the span.
macro_rules! entries {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " e.tenant_id = $1 and e.recorded_at between $4 and $5
                 and e.position between $2 and $3 ",
            $after
        )
    };
}

const UNBALANCED: &str = entries!(
    "select 'transaction ' || e.position || ' is off by '
         || sum(case e.side when 'd' then e.amount else -e.amount end) || ' minor units of '
         || e.currency
     from ledger.entry e where",
    "group by e.position, e.currency
     having sum(case e.side when 'd' then e.amount else -e.amount end) <> 0
     order by e.position
     limit 20"
);

/// Entries and transactions are put together by grouping: the planner knows too little of a span
/// to join them well. Which entry it is, is looked up for those alone that are wrong.
const INCOMPLETE: &str = entries!(
    "with wrong as materialized (
         select g.position, count(g.entered_at) as many, max(g.entry_count) as says,
             max(g.written_at) as written_at
         from (
             select e.position, e.recorded_at as entered_at, null::integer as entry_count,
                 null::timestamptz as written_at
             from ledger.entry e where",
    "union all
             select t.position, null, t.entry_count, t.recorded_at
             from ledger.transaction t where t.tenant_id = $1 and t.position between $2 and $3
         ) g
         group by g.position
         having max(g.entry_count) is distinct from count(g.entered_at)
             or min(g.entered_at) <> max(g.written_at) or max(g.entered_at) <> max(g.written_at)
         order by g.position
         limit 20
     )
     select case
             when w.says is null then 'entry ' || astray.seq || ' of account '
                 || astray.account_id || ' is of no transaction (' || w.position || ')'
             when astray.seq is not null then 'entry ' || astray.seq || ' of account '
                 || astray.account_id || ' has another time than transaction ' || w.position
             when w.many = 0 then 'transaction ' || w.position || ' has no entries'
             else 'transaction ' || w.position || ' has ' || w.many || ' entries and says '
                 || w.says end
     from wrong w
     left join lateral (
         select e.seq, e.account_id
         from ledger.entry e
         where e.tenant_id = $1 and e.position = w.position
             and e.recorded_at between $4 and $5
             and e.recorded_at is distinct from w.written_at
         order by e.account_id, e.seq
         limit 20
     ) astray on true
     order by w.position"
);

const OTHER_CURRENCY: &str = entries!(
    "select 'entry ' || e.seq || ' of account ' || e.account_id || ' is in ' || e.currency
         || coalesce(' and its account in ' || a.currency, ' and has no account')
     from (
         select e.account_id, e.currency, min(e.seq) as seq
         from ledger.entry e where",
    "group by e.account_id, e.currency
     ) e
     left join ledger.account a on a.tenant_id = $1 and a.id = e.account_id
     where e.currency is distinct from a.currency
     order by e.account_id, e.seq
     limit 20"
);

const STRETCHES: &str = entries!(
    "select account_id::bigint as account_id, count(*) as entries,
         min(seq) as first_seq, max(seq) as last_seq,
         max(balance_after) filter (where is_first) as first_balance,
         max(change) filter (where is_first) as first_change,
         max(balance_after) filter (where is_last) as last_balance,
         coalesce(sum(change) filter (where change > 0), 0)::text as debits,
         coalesce(-sum(change) filter (where change < 0), 0)::text as credits,
         (coalesce(array_agg('entry ' || seq || ' of account ' || account_id || case
                 when seq <> previous_seq + 1 then ' follows entry ' || previous_seq
                 when balance_after <> previous_balance + change::numeric
                     then ' says a balance of ' || balance_after || ' after '
                         || previous_balance || ' and ' || change
                 else ' is of transaction ' || position || ' and follows one of '
                     || previous_position end order by seq)
             filter (where seq <> previous_seq + 1
                 or balance_after <> previous_balance + change::numeric
                 or position < previous_position or recorded_at < previous_time), '{}')
         )[1:20] as faults
     from (
         select e.account_id, e.seq, e.balance_after, e.position, e.recorded_at,
             case e.side when 'd' then e.amount else -e.amount end as change,
             lag(e.seq) over w as previous_seq,
             lag(e.balance_after) over w as previous_balance,
             lag(e.position) over w as previous_position,
             lag(e.recorded_at) over w as previous_time,
             lag(e.seq) over w is null as is_first,
             lead(e.seq) over w is null as is_last
         from ledger.entry e where",
    "window w as (partition by e.account_id order by e.seq, e.recorded_at)
     ) chain
     group by account_id"
);

const NUMBERS: &str = "
    select max(position) as last, min(recorded_at) as first_time, max(recorded_at) as last_time,
        (coalesce(array_agg('transaction ' || position || case
                when position <> previous + 1 then ' follows ' || previous
                else ' is recorded before the one it follows' end order by position)
            filter (where position <> previous + 1 or recorded_at < previous_time), '{}')
        )[1:20] as faults
    from (
        select position, recorded_at, lag(position) over w as previous,
            lag(recorded_at) over w as previous_time
        from ledger.transaction
        where tenant_id = $1 and position between $2 and $3
        window w as (order by position)
    ) numbers";

/// Every field at a fixed place or after its length, so that no two transactions read the same.
/// An account is told with its first entry, and by its number after that. What is a law of its
/// own already (an entry's time, its currency) is left out. Another form would make every kept
/// proof worthless: a new one starts with another letter.
const LEAVES: &str = entries!(
    "with e as (
         select e.position, string_agg(
             int8send(e.account_id) || int8send(e.seq)
                 || case e.side when 'd' then 'd'::bytea else 'c'::bytea end
                 || int8send(e.amount) || int8send(e.balance_after)
                 || case e.seq when 1 then coalesce(uuid_send(a.public_id)
                     || textsend(a.currency::text) || int4send(octet_length(a.path))
                     || textsend(a.path), '-') else '' end,
             '' order by e.account_id, e.seq) as entries
         from ledger.entry e
         left join ledger.account a
             on e.seq = 1 and a.tenant_id = e.tenant_id and a.id = e.account_id
         where",
    "group by e.position
     ),
     leaf as (
         select t.position, sha256('A'::bytea || int4send($1) || int8send(t.position)
             || uuid_send(t.id) || timestamptz_send(t.effective_at)
             || timestamptz_send(t.recorded_at) || int8send(coalesce(t.reverses, 0))
             || int4send(t.entry_count)
             || int4send(octet_length(t.kind)) || textsend(t.kind)
             || int4send(octet_length(t.source)) || textsend(t.source)
             || int4send(octet_length(t.actor)) || textsend(t.actor)
             || coalesce(int4send(octet_length(t.metadata::text)) || textsend(t.metadata::text),
                 int4send(-1))
             || coalesce(e.entries, '')) as digest
         from ledger.transaction t
         left join e on e.position = t.position
         where t.tenant_id = $1 and t.position between $2 and $3
     )
     select coalesce(array_agg(position order by position), '{}') as positions,
         coalesce(string_agg(digest, '' order by position), '') as digests
     from leaf"
);
