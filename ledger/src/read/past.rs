//! Questions about the past: what was true on a day, as it was known at a time.
//!
//! Two times are independent. *Effective* is the day of the world that a transaction is dated
//! into; *known* is when it was recorded. Leaving one out means: whatever it is. Both together
//! have one answer, for ever, once the known day is over.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use mizan_money::Money;

use super::{Account, StatementLine, on_normal_side};

type Timestamp = DateTime<Utc>;

/// Which part of the journal counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// Only what is dated on this day of the tenant or before it.
    pub effective: Option<NaiveDate>,
    /// Only what was recorded by then.
    pub known: Known,
}

/// By when something was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Known {
    /// By now.
    #[default]
    Now,
    /// By the end of this day of the tenant.
    Day(NaiveDate),
    /// At this moment or before it.
    At(Timestamp),
}

/// An [`AsOf`] in the tenant's time zone, on the journal as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Horizon {
    /// What was asked.
    pub as_of: AsOf,
    /// The tenant's time zone.
    pub time_zone: String,
    /// The day it is there now.
    pub today: NaiveDate,
    /// The last journal number that counts.
    pub position: i64,
    /// The first moment of recording that does not count.
    pub(crate) known_before: Option<Timestamp>,
}

/// An account's balance in the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastBalance {
    /// The account as it is now.
    pub account: Account,
    /// Sum of the debits that count, in minor units.
    pub debits: i64,
    /// Sum of the credits that count, in minor units.
    pub credits: i64,
    /// The number of the newest entry; none where a day leaves some before it out.
    pub entries: Option<i64>,
}

impl PastBalance {
    /// The balance on the account's normal side.
    pub fn balance(&self) -> Money {
        let net = on_normal_side(self.account.line(), self.debits - self.credits);
        Money::new(net, self.account.currency)
    }
}

/// An account from one day of the world to another, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedStatement {
    /// The account as it is now.
    pub account: Account,
    /// The balance before the first day, on the normal side.
    pub opening: Money,
    /// The balance after the last day, on the normal side.
    pub closing: Money,
    /// One page of the lines; `balance_after` is that of the statement and not of the journal.
    pub lines: Vec<StatementLine>,
    /// Whether there are later ones.
    pub has_more: bool,
}

/// Reads a day such as `2026-03-31`, from the year 2000 on.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let is_shape = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_shape)?;
    (day.year() >= 2000).then_some(day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_in_one_form_only() {
        assert_eq!(parse_day("2026-03-31").unwrap().to_string(), "2026-03-31");
        assert_eq!(parse_day("2024-02-29").unwrap().to_string(), "2024-02-29");
        for text in ["2026-3-31", "2026-02-29", "1999-12-31", "2026-03-31Z", "+2026-3-31", ""] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
