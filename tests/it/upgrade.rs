//! A database with books in it is brought up to date, and they go on where they were.

use std::path::Path;
use std::str::FromStr;

use mizan::books::{BooksError, record};
use mizan::clock::Clock;
use mizan::db::{Db, DbOptions, work};
use mizan::verify::prove;
use mizan_ledger::Outcome;
use mizan_ledger::verify::Mode;
use mizan_money::TenantId;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::support::{TestDb, after, fact};

const TENANT: TenantId = TenantId(1);

/// The migrations up to one.
async fn up_to(version: i64) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut migrator = Migrator::new(folder).await.unwrap();
    migrator.migrations.to_mut().retain(|migration| migration.version <= version);
    migrator
}

/// Every entry as it counts, in the order of the journal.
async fn journal(owner: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select t.position || ' ' || a.path || ' ' || e.seq || ' ' || e.side || ' ' || e.amount
             || ' ' || e.balance_after || ' ' || e.recorded_at || ' ' || t.effective_at
         from ledger.entry e
         join ledger.account a on a.id = e.account_id
         join ledger.transaction t on t.tenant_id = e.tenant_id and t.position = e.position
         order by t.position, e.side, e.seq",
    )
    .fetch_all(owner)
    .await
    .unwrap()
}

#[tokio::test]
async fn books_of_an_older_schema_are_brought_over_entry_by_entry_and_go_on() {
    // Another database beside the test's own, which brings the server.
    let db = TestDb::new().await;
    let (url, name) = (db.url(), "upgraded");
    let mut admin = db.owner().await;
    let remove = || AssertSqlSafe(format!("drop database if exists {name} with (force)"));
    sqlx::raw_sql(remove()).execute(&mut admin).await.unwrap();
    let create = AssertSqlSafe(format!("create database {name} template template0"));
    sqlx::raw_sql(create).execute(&mut admin).await.unwrap();
    let own: String =
        sqlx::query_scalar("select current_database()").fetch_one(&mut admin).await.unwrap();
    let url = url.replace(&own, name);

    // The server's user and a schema have the same name, which "$user" would put first.
    let options = PgConnectOptions::from_str(&url).unwrap();
    let mut owner = options.options([("search_path", "public")]).connect().await.unwrap();
    up_to(7).await.run(&mut owner).await.unwrap();
    let books = include_str!("../fixtures/books_at_0007.sql");
    sqlx::raw_sql(books).execute(&mut owner).await.unwrap();
    let before = journal(&mut owner).await;
    assert_eq!(before.len(), 80);

    up_to(i64::MAX).await.run(&mut owner).await.unwrap();
    assert_eq!(journal(&mut owner).await, before);

    let service = Db::connect(&url, &DbOptions::default()).await.unwrap();
    let clock = Clock::manual(after(60));
    let asked = &[fact("new", "dr bank:main 5.00 AED; cr suspense:bank 5.00 AED")];
    let posted = service
        .transaction("post", TENANT, |tx| {
            work(async move { record(tx, TENANT, after(0), asked).await })
        })
        .await;
    let posted = posted.map_err(|error: BooksError| error.to_string()).unwrap();
    let [Outcome::Posted(posted)] = &posted[..] else { panic!("{posted:?}") };
    assert_eq!(posted.position, 41);
    let proofs = prove(&service, &clock, Mode::Full).await.unwrap();
    let laws = proofs.iter().flat_map(|proof| &proof.laws);
    let broken: Vec<_> = laws.filter(|law| !law.holds()).collect();
    assert!(broken.is_empty(), "{broken:#?}");

    service.close().await;
    owner.close().await.unwrap();
    sqlx::raw_sql(remove()).execute(&mut admin).await.unwrap();
}
