//! The books as the interface shows them. Amounts are minor units of `currency`.

use std::collections::BTreeMap;

use mizan_ledger::chart::{Floor, Line};
use mizan_ledger::read;
use mizan_money::{AccountId, Currency, Timestamp, TransactionId};
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOf, Object, Schema};
use utoipa::openapi::{RefOr, Type};

use super::past_view::ScopeView;

/// An account with its balance now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerAccount)]
pub(super) struct AccountView {
    /// `acct_…`
    id: AccountId,
    /// Always `ledger_account`.
    object: &'static str,
    /// Role and dimensions; with the currency it names the account.
    #[schema(example = "vendor_payable:V1:pending")]
    account: String,
    /// Its line in the chart.
    role: &'static str,
    /// The number finance sorts by.
    code: u16,
    /// `asset`, `liability`, `equity`, `revenue`, `contra_revenue` or `expense`.
    class: &'static str,
    /// The side on which it grows: `debit` or `credit`.
    normal_side: &'static str,
    /// What the role's dimensions are here.
    #[schema(value_type = BTreeMap<String, String>)]
    dimensions: BTreeMap<&'static str, String>,
    /// ISO 4217.
    currency: &'static str,
    /// Its balance on the normal side.
    balance: i64,
    /// The sum of all debits.
    debits: i64,
    /// The sum of all credits.
    credits: i64,
    /// How many entries it has.
    entries: i64,
    /// 0 where the balance may not fall below zero; null where it may.
    minimum_balance: Option<i64>,
    /// When it was first used.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

/// A transaction as it stands in the journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerTransaction)]
pub(super) struct TransactionView {
    /// `txn_…`
    id: TransactionId,
    /// Always `ledger_transaction`.
    object: &'static str,
    /// Its journal number, from 1 without a gap.
    position: i64,
    /// What happened.
    kind: String,
    /// When it was true.
    #[schema(value_type = String, format = DateTime)]
    effective_at: Timestamp,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The thing it belongs to.
    source: Option<String>,
    /// Who did it: an API key, or a part of the service.
    actor: String,
    /// The transaction it takes back.
    reverses: Option<TransactionId>,
    /// What else was kept with it.
    #[schema(value_type = Object)]
    metadata: Value,
    /// Its entries, debits first. A fact may have more of them than were asked for: what a
    /// party had not got was taken from its other accounts.
    entries: Vec<EntryView>,
}

/// One entry of a transaction.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub(super) struct EntryView {
    /// `acct_…`
    account_id: AccountId,
    /// Role and dimensions.
    account: String,
    /// `debit` or `credit`.
    side: &'static str,
    /// How much.
    amount: i64,
    /// ISO 4217.
    currency: &'static str,
    /// Its number in the account, from 1 without a gap.
    seq: i64,
    /// The account's balance after it, on the normal side.
    balance_after: i64,
}

/// One line of an account's statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerStatementLine)]
pub(super) struct StatementLineView {
    /// Always `ledger_statement_line`.
    object: &'static str,
    /// `txn_…`
    transaction: TransactionId,
    /// The transaction's journal number.
    position: i64,
    /// What happened.
    kind: String,
    /// The thing it belongs to.
    source: Option<String>,
    /// When it was true.
    #[schema(value_type = String, format = DateTime)]
    effective_at: Timestamp,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The entry's number in the account.
    seq: i64,
    /// `debit` or `credit`.
    side: &'static str,
    /// How much.
    amount: i64,
    /// ISO 4217.
    currency: &'static str,
    /// The balance after it, on the account's normal side.
    balance_after: i64,
}

/// Every balance that is not zero; in each currency the debits equal the credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialBalance)]
pub(super) struct TrialBalanceView {
    /// Always `trial_balance`.
    object: &'static str,
    /// When it was read.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// Which part of the journal counts; null: all of it.
    scope: Option<ScopeView>,
    /// By currency, then in the order of the chart.
    lines: Vec<TrialLineView>,
    /// One per currency.
    totals: Vec<TrialTotalView>,
}

/// One line of a trial balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialBalanceLine)]
struct TrialLineView {
    /// The account; the role alone where accounts are summed up.
    account: String,
    /// Its line in the chart.
    role: &'static str,
    /// The number finance sorts by.
    code: u16,
    /// `asset`, `liability`, `equity`, `revenue`, `contra_revenue` or `expense`.
    class: &'static str,
    /// ISO 4217.
    currency: &'static str,
    /// Where debits exceed credits: by how much.
    #[schema(schema_with = sum_schema)]
    debit: Sum,
    /// Where credits exceed debits: by how much.
    #[schema(schema_with = sum_schema)]
    credit: Sum,
}

/// The sums of one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialBalanceTotal)]
struct TrialTotalView {
    /// ISO 4217.
    currency: &'static str,
    /// The sum of the debit column.
    #[schema(schema_with = sum_schema)]
    debit: Sum,
    /// The sum of the credit column: the same figure.
    #[schema(schema_with = sum_schema)]
    credit: Sum,
}

/// A sum over many accounts: an integer as long as 64 bits hold it, beyond that its digits as
/// a text, because readers of JSON would round it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum(i128);

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(small) => to.serialize_i64(small),
            Err(_) => to.collect_str(&self.0),
        }
    }
}

fn sum_schema() -> RefOr<Schema> {
    let digits = Object::builder().schema_type(Type::String).pattern(Some("^-?[0-9]{19,39}$"));
    AnyOf::builder()
        .item(Object::builder().schema_type(Type::Integer))
        .item(digits)
        .description(Some("Minor units: an integer, or its digits beyond 64 bits"))
        .into()
}

fn minimum(line: &Line) -> Option<i64> {
    match line.floor {
        Floor::Zero => Some(0),
        Floor::None => None,
    }
}

fn text_or_none(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl From<read::Account> for AccountView {
    fn from(found: read::Account) -> Self {
        let (line, account) = (found.line(), &found.account);
        let dimensions = account.dimensions().map(|(name, value)| (name, value.to_owned()));
        Self {
            id: found.id,
            object: "ledger_account",
            account: account.path().to_owned(),
            role: line.name,
            code: line.code,
            class: line.class.name(),
            normal_side: line.class.normal_side().name(),
            dimensions: dimensions.collect(),
            currency: found.currency.code(),
            balance: found.balance().minor(),
            debits: found.debits,
            credits: found.credits,
            entries: found.entries,
            minimum_balance: minimum(line),
            created: found.created_at,
        }
    }
}

impl From<read::Transaction> for TransactionView {
    fn from(found: read::Transaction) -> Self {
        Self {
            id: found.id,
            object: "ledger_transaction",
            position: found.position,
            kind: found.kind,
            effective_at: found.effective_at,
            recorded_at: found.recorded_at,
            source: text_or_none(found.source),
            actor: found.actor,
            reverses: found.reverses,
            metadata: found.metadata.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            entries: found.entries.iter().map(EntryView::from).collect(),
        }
    }
}

impl From<&read::Entry> for EntryView {
    fn from(entry: &read::Entry) -> Self {
        Self {
            account_id: entry.account_id,
            account: entry.account.path().to_owned(),
            side: entry.side.name(),
            amount: entry.amount.minor(),
            currency: entry.amount.currency().code(),
            seq: entry.seq,
            balance_after: entry.balance_after.minor(),
        }
    }
}

impl From<read::StatementLine> for StatementLineView {
    fn from(line: read::StatementLine) -> Self {
        Self {
            object: "ledger_statement_line",
            transaction: line.transaction,
            position: line.position,
            kind: line.kind,
            source: text_or_none(line.source),
            effective_at: line.effective_at,
            recorded_at: line.recorded_at,
            seq: line.seq,
            side: line.side.name(),
            amount: line.amount.minor(),
            currency: line.amount.currency().code(),
            balance_after: line.balance_after.minor(),
        }
    }
}

impl TrialBalanceView {
    /// The lines as they were read at `as_of`, with the totals of each currency.
    pub(super) fn new(
        found: Vec<read::TrialLine>,
        scope: Option<ScopeView>,
        as_of: Timestamp,
    ) -> Self {
        let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
        for line in &found {
            let (debit, credit) = sums.entry(line.currency).or_default();
            *debit += line.debit;
            *credit += line.credit;
        }
        let total = |(currency, (debit, credit)): (Currency, (i128, i128))| TrialTotalView {
            currency: currency.code(),
            debit: Sum(debit),
            credit: Sum(credit),
        };
        Self {
            object: "trial_balance",
            as_of,
            scope,
            lines: found.into_iter().map(TrialLineView::from).collect(),
            totals: sums.into_iter().map(total).collect(),
        }
    }
}

impl From<read::TrialLine> for TrialLineView {
    fn from(found: read::TrialLine) -> Self {
        Self {
            account: found.path,
            role: found.line.name,
            code: found.line.code,
            class: found.line.class.name(),
            currency: found.currency.code(),
            debit: Sum(found.debit),
            credit: Sum(found.credit),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_an_integer_as_long_as_64_bits_hold_it() {
        let text = |sum: i128| serde_json::to_string(&Sum(sum)).unwrap();
        assert_eq!(text(52_500), "52500");
        assert_eq!(text(i64::MAX.into()), "9223372036854775807");
        assert_eq!(text(i128::from(i64::MAX) + 1), "\"9223372036854775808\"");
    }
}
