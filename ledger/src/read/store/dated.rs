//! The statements behind an account's statement from one day of the world to another.
//!
//! Entries have no index by their day of the world. The daily sums tell on which days of
//! recording something was dated into the days asked for; only the entries recorded then are
//! read, by their sequence numbers.

use chrono::NaiveDate;
use mizan_money::{AccountId, Money, TenantId, TransactionId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::past::{DatedStatement, Horizon};
use super::super::{StatementLine, on_normal_side};
use super::account::account;
use super::past::{number_of, sums};
use super::statement::{line, seqs};
use super::{Result, corrupt};

/// `$3` is the last journal number that counts, `$4` and `$5` the first and the last day, `$6`
/// the transaction to continue behind, `$7` how many transactions.
const LINES: &str = "
with owner as (
    select time_zone, ledger.day_start($4::date, time_zone) as first,
        ledger.day_start($5::date + 1, time_zone) as beyond
    from mizan.tenant where tenant_id = $1
),
folded as (
    select f.known_day, f.ends_at
    from ledger.folded_day f
    where f.tenant_id = $1 and f.last_position <= $3
    order by f.known_day desc
    limit 1
),
spans as (
    select ledger.last_seq_before($1, $2, ledger.day_start(f.known_day, owner.time_zone)) as after,
        ledger.last_seq_before($1, $2, f.ends_at) as last
    from ledger.folded_day f, owner
    where f.tenant_id = $1 and f.known_day <= (select known_day from folded) and exists (
        select from ledger.day_delta d
        where d.tenant_id = $1 and d.account_id = $2 and d.known_day = f.known_day
            and d.effective_day between $4 and $5
    )
    union all
    select coalesce(ledger.last_seq_before($1, $2, (select ends_at from folded)), 0),
        9223372036854775807
),
lines as (
    select t.id, t.position, t.kind, t.source, t.effective_at, t.recorded_at, e.seq, e.side,
        e.amount, sum(case e.side when 'd' then e.amount else -e.amount end)
            over (order by t.effective_at, t.position, e.seq) as net
    from spans
    join ledger.entry e on e.tenant_id = $1 and e.account_id = $2 and e.position <= $3
        and e.seq > spans.after and e.seq <= spans.last
    join ledger.transaction t on t.tenant_id = e.tenant_id and t.position = e.position
    cross join owner
    where t.effective_at >= owner.first and t.effective_at < owner.beyond
),
numbered as (
    select lines.*, dense_rank() over (order by effective_at, position) as number
    from lines
    where $6::uuid is null or (effective_at, position) > (
        select c.effective_at, c.position from ledger.transaction c
        where c.tenant_id = $1 and c.id = $6)
)
select id, position, kind, source, effective_at, recorded_at, seq, side, amount,
    net::bigint as balance_after
from numbered
where number <= $7
order by effective_at, position, seq";

/// An account from one day of the world to another, as far as the horizon goes: at most `limit`
/// transactions behind the one named. None where the account or that transaction is unknown.
///
/// # Errors
/// The database; a balance beyond what can be counted.
pub async fn dated_statement(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: AccountId,
    (from, through): (NaiveDate, NaiveDate),
    horizon: &Horizon,
    (after, limit): (Option<Uuid>, u16),
) -> Result<Option<DatedStatement>> {
    let Some(account) = account(conn, tenant, id).await? else { return Ok(None) };
    if let Some(after) = after
        && seqs(conn, tenant, id, after).await?.is_none()
    {
        return Ok(None);
    }
    let number = number_of(conn, tenant, id).await?;
    let (debits, credits) = sums(conn, tenant, number, horizon, from.pred_opt()).await?;
    let opening = debits - credits;
    let (debits, credits) = sums(conn, tenant, number, horizon, Some(through)).await?;
    let closing = debits - credits;
    let rows = sqlx::query(LINES)
        .bind(tenant.0)
        .bind(number)
        .bind(horizon.position)
        .bind(from)
        .bind(through)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(conn)
        .await?;
    let before = on_normal_side(account.line(), opening);
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut line = line(row, &account)?;
        let after = before.checked_add(line.balance_after.minor());
        let after = after.ok_or_else(|| corrupt("a balance beyond 64 bits"))?;
        line.balance_after = Money::new(after, account.currency);
        lines.push(line);
    }
    let has_more = cut(&mut lines, limit);
    let money = |net| Money::new(on_normal_side(account.line(), net), account.currency);
    let (opening, closing) = (money(opening), money(closing));
    Ok(Some(DatedStatement { account, opening, closing, lines, has_more }))
}

/// Cuts the lines of the transaction beyond the limit, and tells whether there was one.
fn cut(lines: &mut Vec<StatementLine>, limit: u16) -> bool {
    let mut seen: Vec<TransactionId> = Vec::with_capacity(usize::from(limit));
    for n in 0..lines.len() {
        let id = lines[n].transaction;
        if seen.last() == Some(&id) {
            continue;
        }
        if seen.len() == usize::from(limit) {
            lines.truncate(n);
            return true;
        }
        seen.push(id);
    }
    false
}
