//! What vendors have, where, and how it moved: read from the books alone.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mizan_ledger::read::{self, AsOf, StatementLine};
use mizan_ledger::{AccountRef, Role, Side};
use mizan_money::{Currency, Money, TenantId, Timestamp, TransactionId};
use sqlx::PgConnection;

use crate::payments::PaymentError;

/// The most entries that one statement holds.
pub(super) const ENTRIES_MAX: u16 = 5_000;

/// What a vendor has in one currency, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Earned and not yet released.
    pub pending: i64,
    /// Can be paid out.
    pub available: i64,
    /// Kept back for a term.
    pub reserve: i64,
    /// Held while a dispute is open.
    pub held: i64,
    /// Owed by the vendor.
    pub debt: i64,
}

impl Standing {
    /// What we owe the vendor in all, less what it owes us.
    pub fn net(&self) -> i64 {
        self.pending + self.available + self.reserve + self.held - self.debt
    }
}

/// The accounts of a vendor: four buckets, and the debt.
///
/// # Errors
/// An id that no account can have.
pub(super) fn accounts_of(vendor: &str) -> Result<[AccountRef; 5], PaymentError> {
    let bucket = |bucket| AccountRef::new(Role::VendorPayable, &[vendor, bucket]);
    Ok([
        bucket("pending")?,
        bucket("available")?,
        bucket("reserve")?,
        bucket("held")?,
        AccountRef::new(Role::VendorReceivable, &[vendor])?,
    ])
}

/// What a vendor has, by currency.
///
/// # Errors
/// The database.
pub(super) async fn standings(
    conn: &mut PgConnection,
    tenant: TenantId,
    vendor: &str,
) -> Result<BTreeMap<Currency, Standing>, PaymentError> {
    let accounts = accounts_of(vendor)?;
    let mut all: BTreeMap<Currency, Standing> = BTreeMap::new();
    for account in read::accounts_at(conn, tenant, &accounts).await? {
        let balance = account.balance();
        let standing = all.entry(balance.currency()).or_default();
        let minor = balance.minor();
        match accounts.iter().position(|it| *it == account.account) {
            Some(0) => standing.pending = minor,
            Some(1) => standing.available = minor,
            Some(2) => standing.reserve = minor,
            Some(3) => standing.held = minor,
            _ => standing.debt = minor,
        }
    }
    Ok(all)
}

/// How old a debt is, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ageing {
    /// For at most 30 days.
    pub to_30: i64,
    /// For 31 to 60 days.
    pub to_60: i64,
    /// For 61 to 90 days.
    pub to_90: i64,
    /// For longer.
    pub beyond: i64,
}

/// The most entries that are looked at to say how old a debt is.
const DEBTS_MAX: i64 = 1_000;

/// How old a vendor's debts are, by currency: what was recovered paid the oldest first.
///
/// # Errors
/// The database.
pub(super) async fn ageing(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    vendor: &str,
) -> Result<BTreeMap<Currency, Ageing>, PaymentError> {
    let account = AccountRef::new(Role::VendorReceivable, &[vendor])?;
    let mut all = BTreeMap::new();
    for account in read::accounts_at(conn, tenant, &[account]).await? {
        let debt = account.balance();
        if !debt.is_positive() {
            continue;
        }
        let seqs = ((account.entries - DEBTS_MAX).max(0), account.entries);
        let lines = read::lines_between(conn, tenant, account.id, seqs).await?;
        let grown = lines.iter().rev().filter(|line| line.side == Side::Debit);
        let grown = grown.map(|line| ((now - line.effective_at).num_days(), line.amount.minor()));
        all.insert(debt.currency(), aged(debt.minor(), grown));
    }
    Ok(all)
}

/// Spreads a debt over what it grew by, newest first: days ago and minor units. What is older
/// than all of them is old. Pure.
fn aged(debt: i64, grown: impl Iterator<Item = (i64, i64)>) -> Ageing {
    let (mut left, mut of) = (debt, Ageing::default());
    for (days, amount) in grown {
        let part = amount.min(left);
        match days {
            ..=30 => of.to_30 += part,
            31..=60 => of.to_60 += part,
            61..=90 => of.to_90 += part,
            _ => of.beyond += part,
        }
        left -= part;
    }
    of.beyond += left;
    of
}

/// One transaction of a statement, as far as it moved what we owe the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    /// The transaction.
    pub transaction: TransactionId,
    /// Its journal number.
    pub position: i64,
    /// What happened.
    pub kind: String,
    /// The thing it belongs to.
    pub source: String,
    /// When it was true.
    pub at: Timestamp,
    /// Credits less debits of all the vendor's accounts, in minor units; zero where money only
    /// changed its bucket.
    pub amount: i64,
}

/// A vendor's account over some days.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// Before the first day, in minor units.
    pub opening: i64,
    /// After the last day.
    pub closing: i64,
    /// What moved it, in the order of the journal.
    pub moved: Vec<Moved>,
}

/// What moved a vendor's balance in one currency from one day to another, both included.
///
/// # Errors
/// More entries than a statement holds; the database.
pub(super) async fn statement(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    (vendor, currency): (&str, Currency),
    days: (NaiveDate, NaiveDate),
) -> Result<Statement, PaymentError> {
    let horizon = read::horizon(conn, tenant, AsOf::default(), now).await?;
    let (mut opening, mut closing) = (0, 0);
    let mut moved: BTreeMap<(i64, TransactionId), Moved> = BTreeMap::new();
    for account in read::accounts_at(conn, tenant, &accounts_of(vendor)?).await? {
        if account.balance().currency() != currency {
            continue;
        }
        let sign = if account.account.role() == Role::VendorReceivable { -1 } else { 1 };
        let page = (None, ENTRIES_MAX);
        let found = read::dated_statement(conn, tenant, account.id, days, &horizon, page).await?;
        let Some(found) = found else { continue };
        if found.has_more {
            let message = format!("more than {ENTRIES_MAX} entries: ask for fewer days");
            return Err(PaymentError::Invalid { param: "to".into(), message });
        }
        opening += sign * found.opening.minor();
        closing += sign * found.closing.minor();
        for line in found.lines {
            let minor = credited(&line);
            let key = (line.position, line.transaction);
            moved.entry(key).or_insert_with(|| first(line)).amount += minor;
        }
    }
    Ok(Statement { opening, closing, moved: moved.into_values().collect() })
}

/// What an entry adds to what we owe: a debt that grows is a debit too.
fn credited(line: &StatementLine) -> i64 {
    match line.side {
        Side::Credit => line.amount.minor(),
        Side::Debit => -line.amount.minor(),
    }
}

fn first(line: StatementLine) -> Moved {
    Moved {
        transaction: line.transaction,
        position: line.position,
        kind: line.kind,
        source: line.source,
        at: line.effective_at,
        amount: 0,
    }
}

/// An amount of the statement's currency.
pub(super) fn shown(minor: i64, currency: Currency) -> String {
    Money::new(minor, currency).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_as_old_as_what_was_not_recovered_of_it() {
        let grown = [(1, 100), (40, 200), (70, 300), (100, 400)];
        let found = aged(650, grown.into_iter());
        assert_eq!(found, Ageing { to_30: 100, to_60: 200, to_90: 300, beyond: 50 });
        assert_eq!(aged(1_500, grown.into_iter()).beyond, 900);
        assert_eq!(aged(0, grown.into_iter()), Ageing::default());
    }
}
