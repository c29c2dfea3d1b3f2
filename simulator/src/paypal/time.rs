//! Times as PayPal writes them: `Z` almost everywhere, milliseconds in events, `+0000` in reports.

use chrono::{DateTime, TimeDelta, Utc};
use mizan_money::Timestamp;

/// `2018-04-01T21:20:49Z`.
pub fn iso(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2018-04-01T21:20:49.000Z`, in events and disputes.
pub fn iso_millis(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `2018-04-01T21:20:49+0000`, in reports.
pub fn report(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// `2018/04/01 21:20:49 +0000`, in the settlement file.
pub fn file(at: Timestamp) -> String {
    at.format("%Y/%m/%d %H:%M:%S +0000").to_string()
}

/// Reads a time with `Z` or an offset, with or without a colon in it.
pub fn read(text: &str) -> Option<Timestamp> {
    let read = DateTime::parse_from_rfc3339(text);
    let read = read.or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z"));
    read.ok().map(|at| at.with_timezone(&Utc))
}

/// So many days.
pub fn days(count: i64) -> TimeDelta {
    TimeDelta::try_days(count).unwrap_or_default()
}

/// So many hours.
pub fn hours(count: i64) -> TimeDelta {
    TimeDelta::try_hours(count).unwrap_or_default()
}
