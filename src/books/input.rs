//! What a caller sends about the books, checked at the door.

use std::collections::BTreeMap;

use mizan_ledger::entry::LEGS_MAX;
use mizan_ledger::period::ASKED;
use mizan_ledger::{AccountRef, Authority, Leg, Side, TransactionKind};
use mizan_money::{Currency, Money, Timestamp};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::record::Draft;
use super::reverse::{Reversal, is_owned};
use crate::http::{Code, Problem};

/// The caller's own pairs.
pub(super) type Metadata = BTreeMap<String, String>;

/// The largest amount of one entry, in minor units: the largest whole number that every reader
/// of JSON holds exactly.
pub(super) const AMOUNT_MAX: i64 = 9_007_199_254_740_991;
/// The longest kind and the longest source, in bytes.
const KIND_MAX: usize = 60;
const SOURCE_MAX: usize = 100;
/// 2000-01-01: before it there is nothing to book.
const EFFECTIVE_MIN: i64 = 946_684_800;
/// How far ahead of the clock a day may be: time zones, and clocks that differ.
const EFFECTIVE_AHEAD: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// A transaction to post.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewLedgerTransaction)]
pub(super) struct PostBody {
    /// What happened, in your words: `order.delivered`. 1 to 60 letters, digits, `.`, `_`, `-`,
    /// `:`.
    #[schema(
        example = "order.delivered",
        min_length = 1,
        max_length = 60,
        pattern = "^[A-Za-z0-9._:-]+$"
    )]
    kind: String,
    /// When it was true, with its offset from UTC; else now. From the year 2000 to a day ahead.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    effective_at: Option<Timestamp>,
    /// Debits and credits, equal in each currency.
    #[schema(min_items = 2, max_items = 1_000)]
    entries: Vec<EntryBody>,
    /// Whether a floor may refuse it.
    #[serde(default)]
    authority: AuthorityWord,
    /// Your id of the thing it belongs to, at most 100 bytes. Not the id of a payment or a
    /// refund: their entries are written with them.
    #[schema(example = "order-1001", max_length = 100)]
    source: Option<String>,
    /// Your own pairs: at most 50, keys to 40 and values to 500 characters.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    metadata: Metadata,
}

/// One entry.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewLedgerEntry)]
struct EntryBody {
    /// Role and dimensions of the chart.
    #[schema(example = "vendor_payable:V1:pending")]
    account: String,
    /// On which side.
    side: SideWord,
    /// How much, in minor units of `currency`.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    amount: i64,
    /// ISO 4217, upper case.
    #[schema(example = "AED")]
    currency: String,
}

/// How to reverse a transaction.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ReverseLedgerTransaction)]
pub(super) struct ReverseBody {
    /// When the reversal is true, with its offset from UTC; else now.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<String>, format = DateTime)]
    effective_at: Option<Timestamp>,
    /// Whether a floor may refuse it.
    #[serde(default)]
    authority: AuthorityWord,
    /// Your own pairs: at most 50, keys to 40 and values to 500 characters.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    metadata: Metadata,
}

/// Debit or credit.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LedgerSide)]
enum SideWord {
    /// Left: assets and expenses grow.
    Debit,
    /// Right: liabilities, equity and revenue grow.
    Credit,
}

/// Whether the ledger may say no.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LedgerAuthority)]
enum AuthorityWord {
    /// It is asked for: an account that may not fall below zero refuses it.
    #[default]
    Command,
    /// It has happened: it is booked, and what a party has not got becomes its debt.
    Fact,
}

impl From<AuthorityWord> for Authority {
    fn from(word: AuthorityWord) -> Self {
        match word {
            AuthorityWord::Command => Self::Command,
            AuthorityWord::Fact => Self::Fact,
        }
    }
}

/// Reads a moment of RFC 3339 in whole microseconds: the database keeps no more, and what was
/// asked for must equal what is read back.
fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    match parse_moment(&text) {
        Some(at) => Ok(Some(at)),
        None => Err(D::Error::custom("it must be a moment such as 2026-03-02T09:00:00Z")),
    }
}

/// Reads a moment of RFC 3339 in whole microseconds.
pub(super) fn parse_moment(text: &str) -> Option<Timestamp> {
    let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    chrono::DateTime::from_timestamp_micros(at.timestamp_micros())
}

impl PostBody {
    /// Checks everything but the sums, which the posting checks.
    ///
    /// # Errors
    /// 400 with the place in `param`.
    pub(super) fn check(self, now: Timestamp) -> Result<Draft, Problem> {
        let kind = check_kind(&self.kind, Code::InvalidField)?;
        let effective_at = check_effective(self.effective_at, now)?;
        if !(2..=LEGS_MAX).contains(&self.entries.len()) {
            let many = self.entries.len();
            let detail = format!("`entries` has {many}; a transaction has 2 to {LEGS_MAX}.");
            return Err(Problem::new(Code::InvalidField, detail).param("entries"));
        }
        let legs = self.entries.into_iter().enumerate().map(|(n, entry)| entry.check(n));
        let legs = legs.collect::<Result<Vec<Leg>, Problem>>()?;
        let source = self.source.unwrap_or_default();
        check_source(&source, Code::InvalidField)?;
        if is_owned(&source) {
            let detail = "`source` is the id of an object that writes its entries itself. Keep \
                          the id in `metadata` instead.";
            return Err(Problem::new(Code::InvalidField, detail).param("source"));
        }
        check_metadata(&self.metadata)?;
        let (authority, metadata) = (self.authority.into(), self.metadata);
        Ok(Draft { kind, effective_at, legs, authority, source, metadata })
    }
}

impl EntryBody {
    fn check(self, n: usize) -> Result<Leg, Problem> {
        let refuse = |code, field: &str, detail: String| {
            Err(Problem::new(code, detail).param(format!("entries[{n}].{field}")))
        };
        let account = match AccountRef::parse(&self.account) {
            Ok(account) => account,
            Err(error) => return refuse(Code::InvalidField, "account", error.to_string()),
        };
        let currency = match Currency::parse(&self.currency) {
            Ok(currency) => currency,
            Err(error) => return refuse(Code::UnknownCurrency, "currency", error.to_string()),
        };
        if !(1..=AMOUNT_MAX).contains(&self.amount) {
            let detail = format!(
                "The amount is {}; it goes from 1 to {AMOUNT_MAX} minor units. Use the other \
                 side for what goes the other way.",
                self.amount
            );
            return refuse(Code::InvalidAmount, "amount", detail);
        }
        let side = match self.side {
            SideWord::Debit => Side::Debit,
            SideWord::Credit => Side::Credit,
        };
        Ok(Leg { account, side, amount: Money::new(self.amount, currency) })
    }
}

impl ReverseBody {
    /// Checks the fields.
    ///
    /// # Errors
    /// 400 with the place in `param`.
    pub(super) fn check(self, now: Timestamp) -> Result<Reversal, Problem> {
        let effective_at = check_effective(self.effective_at, now)?;
        check_metadata(&self.metadata)?;
        Ok(Reversal { effective_at, authority: self.authority.into(), metadata: self.metadata })
    }
}

/// Reads a kind, from a body or from a filter.
pub(super) fn check_kind(text: &str, code: Code) -> Result<TransactionKind, Problem> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    let detail = || format!("`kind` has 1 to {KIND_MAX} letters, digits, `.`, `_`, `-` or `:`.");
    if !text.bytes().all(allowed) {
        return Err(Problem::new(code, detail()).param("kind"));
    }
    TransactionKind::new(text).map_err(|_| Problem::new(code, detail()).param("kind"))
}

/// Refuses a source that no transaction can have.
pub(super) fn check_source(text: &str, code: Code) -> Result<(), Problem> {
    if text.len() <= SOURCE_MAX && !text.contains(char::is_control) {
        return Ok(());
    }
    let detail = format!("`source` has at most {SOURCE_MAX} bytes and no control characters.");
    Err(Problem::new(code, detail).param("source"))
}

fn check_effective(asked: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Problem> {
    let Some(at) = asked else { return Ok(now) };
    if at.timestamp() >= EFFECTIVE_MIN && at <= now + EFFECTIVE_AHEAD {
        return Ok(at);
    }
    let detail = "`effective_at` lies between 2000-01-01 and one day from now.";
    Err(Problem::new(Code::InvalidField, detail).param("effective_at"))
}

fn check_metadata(metadata: &Metadata) -> Result<(), Problem> {
    let refuse =
        |param: String, detail: &str| Err(Problem::new(Code::InvalidField, detail).param(param));
    if metadata.len() > 50 {
        return refuse("metadata".to_owned(), "`metadata` has at most 50 pairs.");
    }
    for (key, value) in metadata {
        let param = format!("metadata.{}", key.chars().take(40).collect::<String>());
        if key.is_empty() || key.chars().count() > 40 || value.chars().count() > 500 {
            return refuse(param, "A key has 1 to 40 characters and a value at most 500.");
        }
        if key == ASKED {
            return refuse(param, "That key is the ledger's own: it keeps a date that was closed.");
        }
        if key.contains(['[', ']', '\0']) || value.contains('\0') {
            return refuse(param, "A key holds no square brackets, and neither of them NUL.");
        }
    }
    Ok(())
}
