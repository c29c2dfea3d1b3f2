//! What a caller sends to finance, checked at the door.

use mizan_ledger::{AccountRef, Leg, Side};
use mizan_money::{Currency, Money, Timestamp};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::error::FinanceError;

type Result<T> = std::result::Result<T, FinanceError>;

/// The largest amount, in minor units: the largest whole number that every reader of JSON holds.
pub const AMOUNT_MAX: i64 = 9_007_199_254_740_991;
/// 2000-01-01: before it there is nothing to book.
const BEGINNING: i64 = 946_684_800;
/// How far ahead of the clock a moment may be: time zones, and clocks that differ.
const AHEAD: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// One entry.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = JournalEntry)]
pub struct EntryBody {
    /// Role and dimensions of the chart.
    #[schema(example = "vendor_payable:V1:available")]
    pub account: String,
    /// On which side.
    pub side: SideWord,
    /// How much, in minor units of `currency`.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount: i64,
    /// ISO 4217, upper case.
    #[schema(example = "AED")]
    pub currency: String,
}

/// Debit or credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JournalSide)]
pub enum SideWord {
    /// Left: assets and expenses grow.
    Debit,
    /// Right: liabilities, equity and revenue grow.
    Credit,
}

impl EntryBody {
    /// The leg that it says.
    pub fn check(&self, n: usize) -> Result<Leg> {
        let param = |field: &str| format!("entries[{n}].{field}");
        let account = AccountRef::parse(&self.account)
            .map_err(|error| FinanceError::invalid(param("account"), error.to_string()))?;
        let side = match self.side {
            SideWord::Debit => Side::Debit,
            SideWord::Credit => Side::Credit,
        };
        let currency = currency(&param("currency"), &self.currency)?;
        Ok(Leg { account, side, amount: amount(&param("amount"), self.amount, currency)? })
    }
}

impl From<&Leg> for EntryBody {
    fn from(leg: &Leg) -> Self {
        Self {
            account: leg.account.path().to_owned(),
            side: match leg.side {
                Side::Debit => SideWord::Debit,
                Side::Credit => SideWord::Credit,
            },
            amount: leg.amount.minor(),
            currency: leg.amount.currency().code().to_owned(),
        }
    }
}

/// Reads a currency.
pub fn currency(param: &str, code: &str) -> Result<Currency> {
    Currency::parse(code).map_err(|error| FinanceError::UnknownCurrency {
        param: param.to_owned(),
        message: error.to_string(),
    })
}

/// An amount above zero.
pub fn amount(param: &str, minor: i64, currency: Currency) -> Result<Money> {
    if (1..=AMOUNT_MAX).contains(&minor) {
        return Ok(Money::new(minor, currency));
    }
    let message = format!("the amount is {minor}; it goes from 1 to {AMOUNT_MAX} minor units");
    Err(FinanceError::invalid(param, message))
}

/// A name that becomes part of an account: of a gateway, of a bank account.
pub fn name(param: &str, text: &str) -> Result<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (1..=80).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err(FinanceError::invalid(param, "a name is 1 to 80 letters, digits, `_`, `.` or `-`"))
}

/// A text for people, of so many characters at most.
pub fn text(param: &str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    if (1..=max).contains(&text.chars().count()) && !text.contains(char::is_control) {
        return Ok(text.to_owned());
    }
    let message = format!("`{param}` is 1 to {max} characters without control characters");
    Err(FinanceError::invalid(param, message))
}

/// When something was true in the world: now where nothing is said.
pub fn when(param: &str, asked: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    let Some(at) = asked else { return Ok(now) };
    if at.timestamp() >= BEGINNING && at <= now + AHEAD {
        return Ok(at);
    }
    let message = format!("`{param}` lies between 2000-01-01 and one day from now");
    Err(FinanceError::invalid(param, message))
}

/// Reads a moment of RFC 3339 in whole microseconds: the database keeps no more.
pub fn moment<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let at = parse_moment(&text);
    at.map(Some).ok_or_else(|| D::Error::custom("it must be a moment such as 2026-03-02T09:00:00Z"))
}

/// The moment that a text says.
pub fn parse_moment(text: &str) -> Option<Timestamp> {
    let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    chrono::DateTime::from_timestamp_micros(at.timestamp_micros())
}

/// Where a list without filters goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NewestFirst<Id: PartialSchema> {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    pub starting_after: Option<Id>,
}
