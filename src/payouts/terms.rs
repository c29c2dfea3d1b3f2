//! On which terms a payee is paid: when, from how much on, in which currency, over which rail.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Weekday};
use mizan_money::Currency;

/// On which days a payee is paid by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Only when somebody asks for it.
    Manual,
    /// Every day.
    Daily,
    /// Every week on one day.
    Weekly(Weekday),
    /// Every month on one day, 1 to 31; on the last one of a month that is shorter.
    Monthly(u32),
}

/// A payee's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// When.
    pub schedule: Schedule,
    /// From how much on, in minor units by currency.
    pub minimum: BTreeMap<String, i64>,
    /// In which currency; else the balance's own.
    pub pay_currency: Option<Currency>,
    /// Over which rail.
    pub rail: String,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            schedule: Schedule::Manual,
            minimum: BTreeMap::new(),
            pay_currency: None,
            rail: "bank".to_owned(),
        }
    }
}

impl Schedule {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Daily => "daily",
            Self::Weekly(_) => "weekly",
            Self::Monthly(_) => "monthly",
        }
    }

    /// The day of the week, Monday being 1.
    pub fn weekday(self) -> Option<u8> {
        match self {
            Self::Weekly(day) => u8::try_from(day.number_from_monday()).ok(),
            _ => None,
        }
    }

    /// The day of the month.
    pub fn month_day(self) -> Option<u8> {
        match self {
            Self::Monthly(day) => u8::try_from(day).ok(),
            _ => None,
        }
    }

    /// The schedule of its parts; none where they do not go together.
    pub fn of(word: &str, weekday: Option<u8>, day: Option<u8>) -> Option<Self> {
        Some(match (word, weekday, day) {
            ("manual", None, None) => Self::Manual,
            ("daily", None, None) => Self::Daily,
            ("weekly", Some(day @ 1..=7), None) => Self::Weekly(Weekday::try_from(day - 1).ok()?),
            ("monthly", None, Some(day @ 1..=31)) => Self::Monthly(day.into()),
            _ => return None,
        })
    }

    /// Whether it pays on a day.
    pub fn is_due(self, on: NaiveDate) -> bool {
        match self {
            Self::Manual => false,
            Self::Daily => true,
            Self::Weekly(day) => on.weekday() == day,
            Self::Monthly(day) => {
                let last = on.succ_opt().is_none_or(|next| next.month() != on.month());
                on.day() == day || (last && on.day() < day)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_month_that_is_shorter_pays_on_its_last_day() {
        let due = |schedule: Schedule, day: &str| schedule.is_due(day.parse().unwrap());
        let monthly = Schedule::Monthly(31);
        assert!(due(monthly, "2026-01-31") && due(monthly, "2026-02-28"));
        assert!(!due(monthly, "2026-02-27") && !due(monthly, "2026-01-30"));
        assert!(due(Schedule::Monthly(28), "2026-01-28"));
        assert!(!due(Schedule::Monthly(28), "2026-01-31"));
        let monday = Schedule::of("weekly", Some(1), None).unwrap();
        assert!(due(monday, "2026-03-02") && !due(monday, "2026-03-03"));
        assert!(due(Schedule::Daily, "2026-03-03") && !due(Schedule::Manual, "2026-03-03"));
        assert_eq!(Schedule::of("weekly", None, None), None);
        assert_eq!(Schedule::of("daily", Some(1), None), None);
    }
}
