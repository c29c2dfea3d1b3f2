//! `mizan ledger` about time: balances and statements of the past, closed days.

use chrono::{DateTime, NaiveDate};
use mizan::audit::{self, Doer};
use mizan::books::{BooksError, Change, close, horizon};
use mizan::db::{Db, work};
use mizan_ledger::period::{Period, periods};
use mizan_ledger::read::{
    self, AsOf, DatedStatement, Detail, Horizon, Known, PastBalance, TrialLine, parse_day,
};
use mizan_ledger::{AccountRef, Side};
use mizan_money::{Currency, TenantId, Timestamp};
use serde_json::{Value, json};

use super::super::database::Place;
use super::super::end::CommandResult;
use super::super::output::{self, Format};
use super::super::service;
use super::{accounts, entry_json, show};

/// What is put down as the one who closed days here.
const ACTOR: &str = "command line";

/// As of when.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct When {
    /// Only what is dated on this day or before it, in the tenant's time zone
    #[arg(long, value_name = "DAY", value_parser = day)]
    effective: Option<NaiveDate>,
    #[command(flatten)]
    known: KnownBy,
}

/// By when it was recorded.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct KnownBy {
    /// Only what was recorded by the end of this day
    #[arg(long, value_name = "DAY", value_parser = day, conflicts_with = "known_at")]
    known: Option<NaiveDate>,
    /// Only what was recorded at this moment or before it, e.g. 2026-03-31T20:00:00Z
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    known_at: Option<Timestamp>,
}

/// Which days of an account.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Days {
    /// From this day of the world on, with opening and closing balance, oldest first
    #[arg(long, value_name = "DAY", value_parser = day, requires = "through")]
    from: Option<NaiveDate>,
    /// Through this day
    #[arg(long, value_name = "DAY", value_parser = day, requires = "from")]
    through: Option<NaiveDate>,
    #[command(flatten)]
    known: KnownBy,
}

/// Which days to close.
#[derive(Debug, clap::Args)]
pub struct CloseArgs {
    /// The last day to be closed, e.g. 2026-03-31, in the tenant's time zone
    #[arg(value_name = "DAY", value_parser = day)]
    through: NaiveDate,
    /// The tenant whose days they are
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Whose closed days.
#[derive(Debug, clap::Args)]
pub struct PeriodsArgs {
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// The tenant whose days they are
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

fn day(text: &str) -> Result<NaiveDate, &'static str> {
    parse_day(text).ok_or("it must be a day such as 2026-03-31, from 2000 on")
}

/// Reads a moment of the command line, in whole microseconds.
pub fn moment(text: &str) -> Result<Timestamp, &'static str> {
    let at = DateTime::parse_from_rfc3339(text).ok();
    let at = at.and_then(|at| DateTime::from_timestamp_micros(at.timestamp_micros()));
    at.ok_or("it must be a moment such as 2026-03-31T20:00:00Z")
}

impl KnownBy {
    fn known(self) -> Known {
        match (self.known, self.known_at) {
            (Some(day), _) => Known::Day(day),
            (None, Some(moment)) => Known::At(moment),
            (None, None) => Known::Now,
        }
    }
}

impl When {
    /// The question, or nothing where it is about now.
    pub fn as_of(self) -> Option<AsOf> {
        let as_of = AsOf { effective: self.effective, known: self.known.known() };
        (as_of != AsOf::default()).then_some(as_of)
    }
}

/// The first and the last day asked for, and by when they were known.
pub type AskedDays = ((NaiveDate, NaiveDate), AsOf);

impl Days {
    /// The days and by when they were known, or nothing where no days are named.
    pub fn asked(self) -> Result<Option<AskedDays>, String> {
        let as_of = AsOf { effective: None, known: self.known.known() };
        match (self.from, self.through) {
            (Some(from), Some(through)) if from <= through => Ok(Some(((from, through), as_of))),
            (Some(_), Some(_)) => Err("--from lies behind --through".to_owned()),
            _ if as_of == AsOf::default() => Ok(None),
            _ => Err("--known and --known-at need --from and --through".to_owned()),
        }
    }
}

/// Prints what an account had in the past, in each of its currencies.
pub async fn balance(
    tenant: TenantId,
    format: Format,
    wanted: &AccountRef,
    as_of: AsOf,
    db: Db,
) -> CommandResult {
    let mut ids = accounts(&db, tenant).await?;
    ids.retain(|account| account.account == *wanted);
    if ids.is_empty() {
        return Err(format!("{} has no entry", wanted.path()).into());
    }
    let (ids, now) = (&ids, service::now_for(&db, tenant).await?);
    let (horizon, found) = db
        .read("balance_as_of", tenant, |tx| {
            work(async move {
                let horizon = horizon(tx, tenant, as_of, now).await?;
                let mut found = Vec::new();
                for account in ids {
                    found.extend(read::balance_as_of(tx, tenant, account.id, &horizon).await?);
                }
                Ok::<_, BooksError>((horizon, found))
            })
        })
        .await?;
    let json = json!({
        "scope": scope(&horizon), "data": found.iter().map(balance_json).collect::<Value>(),
    });
    let rows = found.iter().map(|past| {
        vec![
            wanted.path().to_owned(),
            output::grouped(past.balance()),
            past.account.currency.to_string(),
        ]
    });
    let table = output::table(&["account", "balance", "currency"], &[1], rows.collect());
    show(format, json, format!("{table}\n\n{}", words(&horizon)))
}

fn balance_json(past: &PastBalance) -> Value {
    json!({
        "account": past.account.account.path(), "currency": past.account.currency,
        "balance": past.balance().minor(), "debits": past.debits, "credits": past.credits,
        "entries": past.entries,
    })
}

fn scope(horizon: &Horizon) -> Value {
    let (known, known_at) = match horizon.as_of.known {
        Known::Now => (None, None),
        Known::Day(day) => (Some(day), None),
        Known::At(moment) => (None, Some(moment)),
    };
    json!({
        "effective": horizon.as_of.effective, "known": known, "known_at": known_at,
        "time_zone": horizon.time_zone, "position": horizon.position,
    })
}

/// The scope in words, below a table.
fn words(horizon: &Horizon) -> String {
    let effective = horizon.as_of.effective.map(|day| format!("dated through {day}, "));
    let known = match horizon.as_of.known {
        Known::Now => "as known now".to_owned(),
        Known::Day(day) => format!("as known at the end of {day}"),
        Known::At(moment) => format!("as known at {}", moment.format("%Y-%m-%d %H:%M:%S UTC")),
    };
    format!(
        "{}{known}, through transaction {}; days of {}",
        effective.unwrap_or_default(),
        horizon.position,
        horizon.time_zone
    )
}

/// Prints an account from one day to another.
pub async fn statement(
    tenant: TenantId,
    format: Format,
    (wanted, currency): (&AccountRef, Currency),
    (days, as_of): ((NaiveDate, NaiveDate), AsOf),
    limit: u16,
    db: Db,
) -> CommandResult {
    let now = service::now_for(&db, tenant).await?;
    let found = db
        .read("dated_statement", tenant, |tx| {
            work(async move {
                let account = read::account_at(tx, tenant, wanted, currency).await?;
                let Some(account) = account else { return Ok(None) };
                let horizon = horizon(tx, tenant, as_of, now).await?;
                let part = (None, limit);
                let found =
                    read::dated_statement(tx, tenant, account.id, days, &horizon, part).await?;
                Ok::<_, BooksError>(found.map(|found| (horizon, found)))
            })
        })
        .await?;
    let Some((horizon, found)) = found else {
        return Err(format!("{} has no entry in {currency}", wanted.path()).into());
    };
    let json = json!({
        "account": wanted.path(), "currency": currency, "from": days.0, "through": days.1,
        "scope": scope(&horizon), "opening_balance": found.opening.minor(),
        "closing_balance": found.closing.minor(), "has_more": found.has_more,
        "data": found.lines.iter().map(entry_json).collect::<Value>(),
    });
    show(format, json, statement_text(&found, &horizon))
}

fn statement_text(found: &DatedStatement, horizon: &Horizon) -> String {
    let mark = |what: &str, balance| {
        let mut row = vec![String::new(); 7];
        row[2] = what.to_owned();
        row[6] = output::grouped(balance);
        row
    };
    let mut rows = vec![mark("opening balance", found.opening)];
    rows.extend(found.lines.iter().map(|line| {
        let on = |side: Side| {
            if line.side == side { output::grouped(line.amount) } else { String::new() }
        };
        vec![
            line.effective_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            line.position.to_string(),
            line.kind.clone(),
            line.source.clone(),
            on(Side::Debit),
            on(Side::Credit),
            output::grouped(line.balance_after),
        ]
    }));
    if found.has_more {
        let mut row = vec![String::new(); 7];
        row[2] = "… more: raise --limit".to_owned();
        rows.push(row);
    }
    rows.push(mark("closing balance", found.closing));
    let headline = ["effective (UTC)", "journal", "kind", "source", "debit", "credit", "balance"];
    format!("{}\n\n{}", output::table(&headline, &[1, 4, 5, 6], rows), words(horizon))
}

/// Reads the trial balance of the past.
pub async fn trial(
    tenant: TenantId,
    as_of: AsOf,
    db: &Db,
) -> Result<(Vec<TrialLine>, String), BooksError> {
    let now = service::now_for(db, tenant).await?;
    db.read("trial_balance_as_of", tenant, |tx| {
        work(async move {
            let horizon = horizon(tx, tenant, as_of, now).await?;
            let lines = read::trial_balance_as_of(tx, tenant, Detail::Account, &horizon).await?;
            Ok((lines, words(&horizon)))
        })
    })
    .await
}

/// Closes days.
pub fn close_days(args: &CloseArgs) -> CommandResult {
    args.place.read(async |db| {
        let (tenant, through) = (TenantId(args.tenant), args.through);
        let now = service::now_for(&db, tenant).await?;
        let closed = db.transaction("close_period", tenant, |tx| {
            work(async move {
                let closed = close(tx, tenant, now, through, ACTOR).await?;
                let doer = Doer::at_the_machine("ledger close", Some(through.to_string()));
                let after = json!({ "closed_through": closed.1.closed_through });
                audit::note(tx, tenant, &doer, &after, now).await?;
                Ok::<_, BooksError>(closed)
            })
        });
        let (change, period) = closed.await?;
        let text = match change {
            Change::Made => format!("closed through {}", period.closed_through),
            Change::None => format!(
                "closed through {} since {}",
                period.closed_through,
                period.closed_at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
        };
        show(args.format, period_json(&period), text)
    })
}

/// Prints which days are closed.
pub fn list_periods(args: &PeriodsArgs) -> CommandResult {
    args.place.read(async |db| {
        let (tenant, limit) = (TenantId(args.tenant), args.limit);
        let found = db.read("ledger_periods", tenant, |tx| {
            work(async move { Ok::<_, BooksError>(periods(tx, tenant, None, limit).await?) })
        });
        let found = found.await?;
        let rows = found.iter().map(|period| {
            vec![
                period.closed_through.to_string(),
                period.position.to_string(),
                period.closed_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                period.closed_by.clone(),
            ]
        });
        let headline = ["closed through", "journal", "closed at (UTC)", "by"];
        let table = output::table(&headline, &[1], rows.collect());
        show(args.format, found.iter().map(period_json).collect(), table)
    })
}

fn period_json(period: &Period) -> Value {
    json!({
        "closed_through": period.closed_through, "open_from": period.ends_at,
        "position": period.position, "closed_at": period.closed_at,
        "closed_by": period.closed_by,
    })
}
