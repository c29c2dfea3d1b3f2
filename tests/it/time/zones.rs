//! Days are the tenant's: Dubai at eight in the evening of UTC, month ends, changing clocks.

use mizan_ledger::read::{AsOf, Known};
use sqlx::Row;

use super::{as_of, at, dated, fold_all, move_to, net, prove_sums};
use crate::support::{Books, fact};

const SALE: &str = "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED";

#[tokio::test]
async fn eight_in_the_evening_of_utc_is_the_next_day_in_dubai() {
    let books = Books::new().await;
    let march = dated(fact("march", SALE), "2026-03-31T19:59:59.999999Z");
    let april = dated(fact("april", SALE), "2026-03-31T20:00:00Z");
    let now = at("2026-03-31T20:00:00Z");
    books.post_at(at("2026-03-31T19:59:59.999999Z"), &[march]).await.unwrap();
    books.post_at(now, &[april]).await.unwrap();
    for fold in [false, true] {
        if fold {
            assert_eq!(fold_all(&books, at("2026-04-03T00:00:00Z")).await.len(), 2);
            assert_eq!(prove_sums(&books).await, 4);
        }
        for (effective, known, minor) in [
            ("2026-03-30", "", 0),
            ("2026-03-31", "", 100),
            ("2026-04-01", "", 200),
            ("", "2026-03-31", 100),
            ("", "2026-04-01", 200),
            ("2026-04-01", "2026-03-31", 100),
        ] {
            let found = net(&books, "bank:main", as_of(effective, known), now).await;
            assert_eq!(found, minor, "{effective} {known}");
        }
        for (moment, minor) in [
            ("2026-03-31T19:59:59.999998Z", 0),
            ("2026-03-31T19:59:59.999999Z", 100),
            ("2026-03-31T20:00:00Z", 200),
        ] {
            let by_then = AsOf { effective: None, known: Known::At(at(moment)) };
            assert_eq!(net(&books, "bank:main", by_then, now).await, minor, "{moment}");
        }
    }
}

/// Zone, day, its first moment, and the last moment before the next day.
const DAYS: [(&str, &str, &str, &str); 13] = [
    ("UTC", "2026-02-28", "2026-02-28T00:00:00Z", "2026-02-28T23:59:59.999999Z"),
    ("Asia/Dubai", "2024-02-29", "2024-02-28T20:00:00Z", "2024-02-29T19:59:59.999999Z"),
    ("Europe/Berlin", "2026-03-28", "2026-03-27T23:00:00Z", "2026-03-28T22:59:59.999999Z"),
    // 23 and 25 hours.
    ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"),
    ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999999Z"),
    ("Europe/Berlin", "2026-12-31", "2026-12-30T23:00:00Z", "2026-12-31T22:59:59.999999Z"),
    ("Asia/Kolkata", "2026-03-31", "2026-03-30T18:30:00Z", "2026-03-31T18:29:59.999999Z"),
    // Midnight does not exist: the day begins at one o'clock.
    ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z", "2023-04-28T20:59:59.999999Z"),
    // Midnight comes twice: the day begins the first time.
    ("America/Havana", "2023-11-05", "2023-11-05T04:00:00Z", "2023-11-06T04:59:59.999999Z"),
    ("America/Havana", "2023-11-04", "2023-11-04T04:00:00Z", "2023-11-05T03:59:59.999999Z"),
    // Clocks went back over midnight a minute after it: a day that has begun goes on.
    ("America/St_Johns", "2006-10-29", "2006-10-29T02:30:00Z", "2006-10-30T03:29:59.999999Z"),
    // The day that was left out is empty; the one after it begins there.
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T09:59:59.999999Z"),
    ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T09:59:59.999999Z"),
];

#[tokio::test]
async fn a_day_is_from_its_first_moment_to_that_of_the_next_whatever_clocks_do() {
    let books = Books::new().await;
    let mut owner = books.db.owner().await;
    for (zone, day, first, last) in DAYS {
        let row = sqlx::query(
            "select ledger.day_start($2::text::date, $1) = $3::text::timestamptz as begins,
                 ledger.day_start($2::text::date + 1, $1)
                     = $4::text::timestamptz + interval '1 microsecond' as ends,
                 ledger.day_of($3::text::timestamptz, $1)::text as first,
                 ledger.day_of($4::text::timestamptz, $1)::text as last,
                 ledger.day_of($3::text::timestamptz - interval '1 microsecond', $1)
                     < $2::text::date as before",
        )
        .bind(zone)
        .bind(day)
        .bind(first)
        .bind(last)
        .fetch_one(&mut owner)
        .await
        .unwrap();
        let told = (row.get::<bool, _>("begins"), row.get::<bool, _>("ends"));
        assert_eq!(told, (true, true), "{zone} {day}");
        assert!(row.get::<bool, _>("before"), "{zone} {day}");
        let days: [String; 2] = [row.get("first"), row.get("last")];
        assert_eq!(days, [day, day], "{zone} {day}");
    }
}

#[tokio::test]
async fn months_of_a_zone_with_summer_time_end_at_its_own_midnight() {
    let books = Books::new().await;
    move_to(&books, "Europe/Berlin").await.unwrap();
    let now = at("2026-04-02T12:00:00Z");
    let moments = [
        "2026-02-28T22:59:59.999999Z",
        "2026-02-28T23:00:00Z",
        "2026-03-29T00:59:59Z",
        "2026-03-31T21:59:59.999999Z",
        "2026-03-31T22:00:00Z",
    ];
    for (n, moment) in moments.into_iter().enumerate() {
        books.post_at(now, &[dated(fact(&format!("k{n}"), SALE), moment)]).await.unwrap();
    }
    for fold in [false, true] {
        if fold {
            assert_eq!(fold_all(&books, at("2026-04-02T22:06:00Z")).await.len(), 1);
        }
        for (effective, minor) in [
            ("2026-02-27", 0),
            ("2026-02-28", 100),
            ("2026-03-28", 200),
            ("2026-03-29", 300),
            ("2026-03-31", 400),
            ("2026-04-01", 500),
        ] {
            let found = net(&books, "bank:main", as_of(effective, ""), now).await;
            assert_eq!(found, minor, "{effective}");
        }
    }
    prove_sums(&books).await;
}

#[tokio::test]
async fn a_zone_has_a_name_that_is_known_and_stays_once_a_day_was_counted() {
    let books = Books::new().await;
    for unknown in ["Dubai", "Asia/Abu_Dhabi", "UTC+4", "+04", ""] {
        let refused = move_to(&books, unknown).await.unwrap_err();
        let refused = refused.into_database_error().unwrap();
        assert_eq!(refused.constraint(), Some("tenant_time_zone_is_known"), "{unknown}");
    }
    move_to(&books, "Europe/Berlin").await.unwrap();
    books.book(&[fact("k", SALE)]).await;
    move_to(&books, "Asia/Dubai").await.unwrap();
    assert_eq!(fold_all(&books, at("2026-03-03T00:00:00Z")).await.len(), 1);
    let refused = move_to(&books, "UTC").await.unwrap_err().into_database_error().unwrap();
    assert_eq!(refused.constraint(), Some("tenant_time_zone_stays"));
    move_to(&books, "Asia/Dubai").await.unwrap();
}

#[tokio::test]
async fn a_day_is_summed_up_some_minutes_after_it_is_over_and_takes_nothing_in_then() {
    let books = Books::new().await;
    books.post_at(at("2026-03-02T19:59:00Z"), &[fact("k1", SALE)]).await.unwrap();
    assert!(fold_all(&books, at("2026-03-02T20:04:59Z")).await.is_empty());
    assert_eq!(fold_all(&books, at("2026-03-02T20:05:00Z")).await.len(), 1);
    assert!(fold_all(&books, at("2026-03-02T20:05:00Z")).await.is_empty());

    // Somebody read the clock before midnight and posts now.
    let late = books.post_at(at("2026-03-02T19:59:30Z"), &[fact("k2", SALE)]).await.unwrap();
    assert_eq!(late[0].posted().unwrap().recorded_at, at("2026-03-02T20:00:00Z"));
    let now = at("2026-03-02T20:06:00Z");
    assert_eq!(net(&books, "bank:main", as_of("", "2026-03-02"), now).await, 100);
    assert_eq!(net(&books, "bank:main", as_of("", "2026-03-03"), now).await, 200);
    books.prove().await;
}
