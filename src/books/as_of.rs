//! What a caller asks about the past, checked at the door.

use chrono::NaiveDate;
use mizan_ledger::read::{self, AsOf, Horizon, Known, parse_day};
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::error::BooksError;
use super::input::parse_moment;
use crate::http::{Code, Problem};

/// The texts of a question about the past, as they came.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) effective: Option<String>,
    pub(super) known: Option<String>,
    pub(super) known_at: Option<String>,
}

impl Asked {
    /// The question, or nothing where it is about now.
    ///
    /// # Errors
    /// 400 for a text that is no day or no moment, for a moment to come, for two at once.
    pub(super) fn check(&self, now: Timestamp) -> Result<Option<AsOf>, Problem> {
        let effective = self.effective.as_deref().map(|text| day("effective", text)).transpose()?;
        let known = match (&self.known, &self.known_at) {
            (None, None) => Known::Now,
            (Some(text), None) => Known::Day(day("known", text)?),
            (None, Some(text)) => Known::At(past_moment(text, now)?),
            (Some(_), Some(_)) => {
                let detail = "Use `known` for the end of a day or `known_at` for a moment, not \
                              both.";
                return Err(Problem::new(Code::InvalidParameter, detail).param("known_at"));
            }
        };
        let as_of = AsOf { effective, known };
        Ok((as_of != AsOf::default()).then_some(as_of))
    }
}

/// Reads a day of the query.
///
/// # Errors
/// 400 for any other text.
pub(super) fn day(param: &'static str, text: &str) -> Result<NaiveDate, Problem> {
    parse_day(text).ok_or_else(|| {
        let detail = format!("`{param}` must be a day such as 2026-03-31, from 2000 on.");
        Problem::new(Code::InvalidParameter, detail).param(param)
    })
}

fn past_moment(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let refuse =
        |detail: &str| Problem::new(Code::InvalidParameter, detail.to_owned()).param("known_at");
    let moment = parse_moment(text).ok_or_else(|| {
        refuse(
            "`known_at` must be a moment such as 2026-03-31T20:00:00Z; a `+` in a query is \
             written %2B.",
        )
    })?;
    match moment <= now && parse_day("2000-01-01").is_some_and(|min| moment.date_naive() >= min) {
        true => Ok(moment),
        false => Err(refuse("`known_at` lies between 2000-01-01 and now.")),
    }
}

/// Places a question in the tenant's time zone.
///
/// # Errors
/// A day of recording that has not begun; the database.
pub async fn horizon(
    conn: &mut PgConnection,
    tenant: TenantId,
    as_of: AsOf,
    now: Timestamp,
) -> Result<Horizon, BooksError> {
    let horizon = read::horizon(conn, tenant, as_of, now).await?;
    match as_of.known {
        Known::Day(day) if day > horizon.today => {
            Err(BooksError::NotKnownYet { day, today: horizon.today, time_zone: horizon.time_zone })
        }
        _ => Ok(horizon),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn check(effective: &str, known: &str, known_at: &str) -> Result<Option<AsOf>, Problem> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (effective, known, known_at) = (text(effective), text(known), text(known_at));
        Asked { effective, known, known_at }.check("2026-04-05T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn every_combination_is_answered_or_refused_and_none_is_ignored() {
        assert_eq!(check("", "", "").unwrap(), None);
        let day = parse_day("2026-03-31");
        for (effective, known, known_at) in [
            ("2026-03-31", "", ""),
            ("", "2026-03-31", ""),
            ("", "", "2026-03-31T00:00:00+04:00"),
            ("2026-03-31", "2026-04-05", ""),
            ("2026-03-31", "", "2026-04-05T12:00:00Z"),
        ] {
            let as_of = check(effective, known, known_at).unwrap().unwrap();
            assert_eq!(as_of.effective, day.filter(|_| !effective.is_empty()));
            assert_eq!(as_of.known == Known::Now, known.is_empty() && known_at.is_empty());
        }
    }

    #[test]
    fn what_is_no_day_no_moment_or_not_yet_is_refused_with_its_place() {
        for (effective, known, known_at, param) in [
            ("31.03.2026", "", "", "effective"),
            ("2026-02-30", "", "", "effective"),
            ("", "2026-3-1", "", "known"),
            ("", "", "2026-03-31", "known_at"),
            ("", "", "2026-04-05T12:00:01Z", "known_at"),
            ("", "", "1999-04-05T12:00:01Z", "known_at"),
            ("", "2026-03-31", "2026-03-31T00:00:00Z", "known_at"),
        ] {
            let problem = check(effective, known, known_at).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidParameter);
            assert!(format!("{problem:?}").contains(param), "{problem:?}");
        }
    }
}
