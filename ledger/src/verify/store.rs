//! The queries that prove the ledger's own laws, each over the whole journal of a tenant.

use mizan_money::TenantId;
use sqlx::{PgConnection, query_scalar};

use super::Law;
use crate::chart::{CHART, Floor};
use crate::error::LedgerError;

/// Proves the laws that concern the ledger alone.
///
/// # Errors
/// The database; a broken law is an answer and not an error.
pub async fn ledger_laws(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<Law>, LedgerError> {
    let mut laws = Vec::new();
    for (name, unit, count, broken) in LAWS {
        let checked = query_scalar(*count).bind(tenant.0).fetch_one(&mut *conn).await?;
        let broken = query_scalar(*broken).bind(tenant.0).fetch_all(&mut *conn).await?;
        laws.push(Law { name, checked, unit, broken });
    }
    laws.push(floors(conn, tenant).await?);
    Ok(laws)
}

const TRANSACTIONS: &str = "select count(*) from ledger.transaction where tenant_id = $1";
const ENTRIES: &str = "select count(*) from ledger.entry where tenant_id = $1";
const ACCOUNTS: &str = "select count(*) from ledger.balance where tenant_id = $1 and version > 0";

/// Name, unit, what counts, and the query that names what breaks the law.
const LAWS: &[(&str, &str, &str, &str)] = &[
    (
        "transactions balance per currency",
        "transactions",
        TRANSACTIONS,
        "select 'transaction ' || e.position || ' is off by '
             || sum(case e.side when 'd' then e.amount else -e.amount end) || ' minor units of '
             || e.currency
         from ledger.entry e
         where e.tenant_id = $1
         group by e.position, e.currency
         having sum(case e.side when 'd' then e.amount else -e.amount end) <> 0
         limit 20",
    ),
    (
        "transactions have all their entries and entries a transaction",
        "transactions",
        TRANSACTIONS,
        "select case
             when t.position is null then 'entry ' || e.seq || ' of account ' || e.account_id
                 || ' is of no transaction (' || e.position || ')'
             when e.position is null then 'transaction ' || t.position || ' has no entries'
             else 'entry ' || e.seq || ' of account ' || e.account_id
                 || ' has other times than transaction ' || t.position end
         from ledger.transaction t
         full join ledger.entry e on e.tenant_id = t.tenant_id and e.position = t.position
         where coalesce(t.tenant_id, e.tenant_id) = $1
             and (t.position is null or e.position is null
                 or (t.recorded_at, t.effective_at) <> (e.recorded_at, e.effective_at))
         union all
         select 'transaction ' || t.position || ' has ' || count(*) || ' entries and says '
             || t.entry_count
         from ledger.transaction t
         join ledger.entry e on e.tenant_id = t.tenant_id and e.position = t.position
         where t.tenant_id = $1
         group by t.position, t.entry_count
         having count(*) <> t.entry_count
         limit 20",
    ),
    (
        "sequences have no gap, balances continue and time never goes back",
        "entries",
        ENTRIES,
        "select 'entry ' || seq || ' of account ' || account_id || case
                 when seq <> previous_seq + 1 then ' follows entry ' || previous_seq
                 when balance_after <> previous_balance + change then ' says a balance of '
                     || balance_after || ' after ' || previous_balance || ' and ' || change
                 else ' is of transaction ' || position || ' and follows one of '
                     || previous_position end
         from (
             select account_id, seq, balance_after, position, recorded_at,
                 case side when 'd' then amount else -amount end as change,
                 coalesce(lag(seq) over w, 0) as previous_seq,
                 coalesce(lag(balance_after) over w, 0) as previous_balance,
                 coalesce(lag(position) over w, 0) as previous_position,
                 coalesce(lag(recorded_at) over w, '-infinity') as previous_time
             from ledger.entry
             where tenant_id = $1
             window w as (partition by account_id order by seq, recorded_at)
         ) chain
         where seq <> previous_seq + 1 or balance_after <> previous_balance + change
             or position < previous_position or recorded_at < previous_time
         limit 20",
    ),
    (
        "entries are in the currency of their account",
        "entries",
        ENTRIES,
        "select 'entry ' || e.seq || ' of account ' || e.account_id || ' is in ' || e.currency
             || coalesce(' and its account in ' || a.currency, ' and has no account')
         from ledger.entry e
         left join ledger.account a on a.tenant_id = e.tenant_id and a.id = e.account_id
         where e.tenant_id = $1 and e.currency is distinct from a.currency
         limit 20",
    ),
    (
        "heads agree with their entries",
        "accounts",
        ACCOUNTS,
        "select 'account ' || a.path || ' ' || a.currency || case
                 when b.account_id is null then ' has no balance'
                 when b.currency <> a.currency then ' has a balance in ' || b.currency
                 else ' has debits ' || b.debits || ', credits ' || b.credits || ', version '
                     || b.version || '; its entries say ' || coalesce(e.debits, 0) || ', '
                     || coalesce(e.credits, 0) || ', ' || coalesce(e.newest, 0) end
         from ledger.account a
         left join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         left join (
             select account_id, max(seq) as newest,
                 sum(amount) filter (where side = 'd') as debits,
                 sum(amount) filter (where side = 'c') as credits
             from ledger.entry where tenant_id = $1 group by account_id
         ) e on e.account_id = a.id
         where a.tenant_id = $1
             and (b.debits, b.credits, b.version, b.currency) is distinct from
                 (coalesce(e.debits, 0), coalesce(e.credits, 0), coalesce(e.newest, 0), a.currency)
         limit 20",
    ),
    (
        "journal numbers have no gap and time never goes back",
        "transactions",
        TRANSACTIONS,
        "select fault from (
             select case
                 when position <> lag(position, 1, 0::bigint) over w + 1
                     then 'transaction ' || position || ' follows '
                         || lag(position, 1, 0::bigint) over w
                 when recorded_at < lag(recorded_at, 1, recorded_at) over w
                     then 'transaction ' || position || ' is recorded before the one it follows'
                 end as fault
             from ledger.transaction where tenant_id = $1
             window w as (order by position)
         ) numbers where fault is not null
         union all
         select 'the book stands at ' || b.position || ' and the journal ends at '
             || coalesce(max(t.position), 0)
         from ledger.book b
         left join ledger.transaction t on t.tenant_id = b.tenant_id
         where b.tenant_id = $1
         group by b.position
         having b.position <> coalesce(max(t.position), 0)
         limit 20",
    ),
    (
        "every key has one outcome and every transaction a key",
        "keys",
        "select count(*) from ledger.outcome where tenant_id = $1",
        "select 'key ' || o.key || ' was claimed and has '
             || case when t.id is null then 'no outcome' else 'two outcomes' end
         from ledger.outcome o
         left join ledger.transaction t on t.tenant_id = o.tenant_id and t.id = o.transaction_id
         left join ledger.rejection r on r.tenant_id = o.tenant_id and r.key = o.key
         where o.tenant_id = $1 and (t.id is null) = (r.key is null)
         union all
         select 'transaction ' || t.position || ' has no key'
         from ledger.transaction t
         left join ledger.outcome o on o.tenant_id = t.tenant_id and o.transaction_id = t.id
         where t.tenant_id = $1 and o.key is null
         limit 20",
    ),
];

/// No balance is below its floor, and the floors are those of the chart.
async fn floors(conn: &mut PgConnection, tenant: TenantId) -> Result<Law, LedgerError> {
    let with_floor = CHART.iter().filter(|line| line.floor == Floor::Zero);
    let (roles, sides): (Vec<&str>, Vec<&str>) =
        with_floor.map(|line| (line.name, line.class.normal_side().letter())).unzip();
    let checked = query_scalar(ACCOUNTS).bind(tenant.0).fetch_one(&mut *conn).await?;
    let broken = query_scalar(
        "select 'account ' || a.path || ' ' || b.currency || case
                 when b.floor_side is distinct from chart.side::char(1)
                     then ' has not the floor of the chart'
                 else ' is below its floor' end
         from ledger.balance b
         join ledger.account a on a.tenant_id = b.tenant_id and a.id = b.account_id
         left join unnest($2::text[], $3::text[]) as chart (role, side)
             on chart.role = split_part(a.path, ':', 1)
         where b.tenant_id = $1
             and (b.floor_side is distinct from chart.side::char(1)
                 or (chart.side = 'c' and b.credits < b.debits)
                 or (chart.side = 'd' and b.debits < b.credits))
         limit 20",
    )
    .bind(tenant.0)
    .bind(roles)
    .bind(sides)
    .fetch_all(conn)
    .await?;
    Ok(Law { name: "no account is below its floor", checked, unit: "accounts", broken })
}
