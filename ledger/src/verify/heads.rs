//! Accounts: what their entries sum up to, the balances beside it, floors, money in transit.

use std::collections::HashMap;

use chrono::Duration;
use mizan_money::{TenantId, Timestamp};
use sqlx::{PgConnection, Row, query, query_scalar};

use super::Law;
use super::span::Stretch;
use crate::chart::{CHART, Floor, Role};
use crate::error::LedgerError;

type Result<T> = std::result::Result<T, LedgerError>;

/// Balances that are read together.
const PAGE: i64 = 10_000;

/// Where money only passes through, and after how many days it should have gone on.
const IN_TRANSIT: [(Role, i64); 4] = [
    (Role::SettlementInTransit, 14),
    (Role::PayoutsInTransit, 14),
    (Role::RefundsPayable, 30),
    (Role::FxClearing, 30),
];

/// What the entries of an account come to so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// The newest entry's number.
    pub(super) version: i64,
    pub(super) debits: i128,
    pub(super) credits: i128,
    /// The balance that the newest entry says.
    pub(super) balance: i128,
}

/// All accounts by their numbers.
pub(super) type Heads = HashMap<i64, Head>;

impl Head {
    /// Goes on by what an account did in a span; names where that does not follow.
    pub(super) fn follow(&mut self, stretch: &Stretch) -> Option<String> {
        let Stretch { account, first_seq, first_balance, first_change, .. } = *stretch;
        let entry = format_args!("entry {first_seq} of account {account}");
        let (version, balance) = (self.version, self.balance);
        let fault = if version.checked_add(1) != Some(first_seq) {
            Some(format!("{entry} follows entry {version}"))
        } else if i128::from(first_balance) != balance + i128::from(first_change) {
            Some(format!(
                "{entry} says a balance of {first_balance} after {balance} and {first_change}"
            ))
        } else {
            None
        };
        self.version = stretch.last_seq;
        self.debits += stretch.debits;
        self.credits += stretch.credits;
        self.balance = stretch.last_balance.into();
        fault
    }
}

/// The balances are what the entries came to.
pub(super) async fn agree(
    conn: &mut PgConnection,
    tenant: TenantId,
    heads: &Heads,
    law: &mut Law,
) -> Result<()> {
    let (mut after, mut seen) = (i64::MIN, 0);
    loop {
        let rows = query(BALANCES).bind(tenant.0).bind(after).bind(PAGE).fetch_all(&mut *conn);
        let rows = rows.await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get("account_id")?;
        for row in &rows {
            let id: i64 = row.try_get("account_id")?;
            let head = heads.get(&id).copied().unwrap_or_default();
            seen += usize::from(heads.contains_key(&id));
            law.checked += i64::from(head.version > 0);
            let whose: &str = row.try_get("whose")?;
            let fault: Option<&str> = row.try_get("fault")?;
            if let Some(fault) = fault {
                law.breaks([format!("{whose} {fault}")]);
                continue;
            }
            let says: (i64, i64, i64) =
                (row.try_get("debits")?, row.try_get("credits")?, row.try_get("version")?);
            let (debits, credits, version) = (says.0.into(), says.1.into(), says.2);
            if (debits, credits, version) != (head.debits, head.credits, head.version) {
                law.breaks([format!(
                    "{whose} has debits {debits}, credits {credits}, version {version}; its \
                     entries say {}, {}, {}",
                    head.debits, head.credits, head.version
                )]);
            }
        }
    }
    let lost = heads.len().saturating_sub(seen);
    if lost > 0 {
        law.breaks([format!("{lost} accounts have entries and are not there")]);
    }
    Ok(())
}

const BALANCES: &str = "
    select coalesce(a.id, b.account_id) as account_id,
        coalesce('account ' || a.path || ' ' || a.currency, 'balance ' || b.account_id) as whose,
        case
            when a.id is null then 'is of no account'
            when b.account_id is null then 'has no balance'
            when b.currency <> a.currency then 'has a balance in ' || b.currency
        end as fault,
        b.debits, b.credits, b.version
    from (
        select id, path, currency from ledger.account
        where tenant_id = $1 and id > $2 order by id limit $3
    ) a
    full join (
        select account_id, currency, debits, credits, version from ledger.balance
        where tenant_id = $1 and account_id > $2 order by account_id limit $3
    ) b on b.account_id = a.id
    order by 1
    limit $3";

/// No balance is below its floor, and the floors are those of the chart.
pub(super) async fn floors(conn: &mut PgConnection, tenant: TenantId) -> Result<Vec<String>> {
    let roles = CHART.iter().map(|line| line.name);
    let sides = CHART.iter().map(|line| match line.floor {
        Floor::Zero => Some(line.class.normal_side().letter()),
        Floor::None => None,
    });
    let broken = query_scalar(
        "select 'account ' || a.path || ' ' || b.currency || case
                 when chart.role is null then ' is not of the chart'
                 when b.floor_side is distinct from chart.side::char(1)
                     then ' has not the floor of the chart'
                 else ' is below its floor' end
         from ledger.balance b
         join ledger.account a on a.tenant_id = b.tenant_id and a.id = b.account_id
         left join unnest($2::text[], $3::text[]) as chart (role, side)
             on chart.role = split_part(a.path, ':', 1)
         where b.tenant_id = $1
             and (chart.role is null
                 or b.floor_side is distinct from chart.side::char(1)
                 or (chart.side = 'c' and b.credits < b.debits)
                 or (chart.side = 'd' and b.debits < b.credits))
         limit 20",
    )
    .bind(tenant.0)
    .bind(roles.collect::<Vec<_>>())
    .bind(sides.collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(broken)
}

/// Money in transit that has stayed too long. What leaves is taken to be what came first: a
/// balance that is more than all that came within the limit holds something older.
pub(super) async fn in_transit(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<(i64, Vec<String>)> {
    let limits = IN_TRANSIT.map(|(_, days)| days);
    let since = limits.map(|days| now.checked_sub_signed(Duration::days(days)).unwrap_or(now));
    let rows = query(
        "select transit.role is not null as counts, case when open.balance > recent.came
             then 'account ' || a.path || ' ' || a.currency || ' holds '
                 || (open.balance - recent.came) || ' minor units for more than '
                 || transit.days || ' days' end as fault
         from ledger.account a
         join unnest($2::text[], $3::bigint[], $4::timestamptz[]) as transit (role, days, since)
             on transit.role = split_part(a.path, ':', 1)
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         cross join lateral (
             select abs(b.debits - b.credits) as balance,
                 case when b.debits > b.credits then 'd' else 'c' end as side
         ) open
         left join lateral (
             select coalesce(sum(e.amount), 0) as came
             from ledger.entry e
             where open.balance > 0 and e.tenant_id = b.tenant_id
                 and e.account_id = b.account_id and e.side = open.side
                 and e.recorded_at >= transit.since
         ) recent on true
         where a.tenant_id = $1
         order by a.id",
    )
    .bind(tenant.0)
    .bind(IN_TRANSIT.map(|(role, _)| role.line().name))
    .bind(limits)
    .bind(since)
    .fetch_all(conn)
    .await?;
    let faults: std::result::Result<Vec<Option<String>>, _> =
        rows.iter().map(|row| row.try_get("fault")).collect();
    Ok((rows.len() as i64, faults?.into_iter().flatten().take(super::NAMED_MAX).collect()))
}
