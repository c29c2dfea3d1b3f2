//! Balances and dated statements as the interface shows them. Amounts are minor units.

use chrono::NaiveDate;
use mizan_ledger::read::{self, Horizon, Known};
use mizan_money::{AccountId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::StatementLineView;

/// A balance, now or in the past.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerBalance)]
pub(super) struct BalanceView {
    /// Always `ledger_balance`.
    object: &'static str,
    /// `acct_…`
    account_id: AccountId,
    /// Role and dimensions.
    account: String,
    /// ISO 4217.
    currency: &'static str,
    /// The balance on the account's normal side.
    balance: i64,
    /// The sum of all debits that count.
    debits: i64,
    /// The sum of all credits that count.
    credits: i64,
    /// The number of the newest entry that is counted in; null where `effective` leaves some
    /// before it out.
    entries: Option<i64>,
    /// Which part of the journal counts; null: all of it.
    scope: Option<ScopeView>,
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

/// Which part of the journal counts. The same scope gives the same figures again, once its day
/// of recording is over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerScope)]
pub(super) struct ScopeView {
    /// What is dated on this day or before it.
    #[schema(value_type = Option<String>, format = Date)]
    effective: Option<NaiveDate>,
    /// What was recorded by the end of this day.
    #[schema(value_type = Option<String>, format = Date)]
    known: Option<NaiveDate>,
    /// What was recorded at this moment or before it.
    #[schema(value_type = Option<String>, format = DateTime)]
    known_at: Option<Timestamp>,
    /// Where the days are counted.
    #[schema(example = "Asia/Dubai")]
    time_zone: String,
    /// The last journal number that counts.
    position: i64,
}

/// An account from one day of the world to another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerDatedStatement)]
pub(super) struct DatedStatementView {
    /// Always `ledger_dated_statement`.
    object: &'static str,
    /// `acct_…`
    account_id: AccountId,
    /// Role and dimensions.
    account: String,
    /// ISO 4217.
    currency: &'static str,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    through: NaiveDate,
    /// Which part of the journal counts.
    scope: ScopeView,
    /// The balance before the first day, on the normal side.
    opening_balance: i64,
    /// The balance after the last day, on the normal side.
    closing_balance: i64,
    /// By the day of the world, oldest first; `balance_after` is the statement's own.
    lines: Vec<StatementLineView>,
    /// Whether there are later lines: continue behind the last one's transaction.
    has_more: bool,
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

impl From<&Horizon> for ScopeView {
    fn from(horizon: &Horizon) -> Self {
        let (known, known_at) = match horizon.as_of.known {
            Known::Now => (None, None),
            Known::Day(day) => (Some(day), None),
            Known::At(moment) => (None, Some(moment)),
        };
        Self {
            effective: horizon.as_of.effective,
            known,
            known_at,
            time_zone: horizon.time_zone.clone(),
            position: horizon.position,
        }
    }
}

impl BalanceView {
    /// The balance as it is, read at `as_of`.
    pub(super) fn now(found: &read::Account, as_of: Timestamp) -> Self {
        Self {
            object: "ledger_balance",
            account_id: found.id,
            account: found.account.path().to_owned(),
            currency: found.currency.code(),
            balance: found.balance().minor(),
            debits: found.debits,
            credits: found.credits,
            entries: Some(found.entries),
            scope: None,
            as_of,
        }
    }

    /// The balance within a horizon, read at `as_of`.
    pub(super) fn past(found: &read::PastBalance, horizon: &Horizon, as_of: Timestamp) -> Self {
        Self {
            balance: found.balance().minor(),
            debits: found.debits,
            credits: found.credits,
            entries: found.entries,
            scope: Some(horizon.into()),
            ..Self::now(&found.account, as_of)
        }
    }
}

impl DatedStatementView {
    /// The statement of these days within a horizon, read at `as_of`.
    pub(super) fn new(
        found: read::DatedStatement,
        (from, through): (NaiveDate, NaiveDate),
        horizon: &Horizon,
        as_of: Timestamp,
    ) -> Self {
        Self {
            object: "ledger_dated_statement",
            account_id: found.account.id,
            account: found.account.account.path().to_owned(),
            currency: found.account.currency.code(),
            from,
            through,
            scope: horizon.into(),
            opening_balance: found.opening.minor(),
            closing_balance: found.closing.minor(),
            lines: found.lines.into_iter().map(StatementLineView::from).collect(),
            has_more: found.has_more,
            as_of,
        }
    }
}
