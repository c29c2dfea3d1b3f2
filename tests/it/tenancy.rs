//! Tenants see and touch their own rows only, whatever a statement says or forgets.

use sqlx::AssertSqlSafe;

use crate::support::raw::{Raw, answer};
use crate::support::{Actor, Books, fact, lines};
use crate::time::{at, close, fold_all};

const SALE: &str = "dr gateway_clearing:stripe 9.00 AED; cr vendor_payable:V1:pending 9.00 AED";

/// Both tenants have books; the value is the first one's.
async fn neighbours() -> Books {
    let books = Books::new().await;
    books.book(&[fact("k", SALE)]).await;
    let neighbour = books.of(books.db.other_tenant());
    neighbour.book(&[fact("k", SALE), fact("k2", SALE)]).await;
    books
}

async fn names(books: &Books, query: &'static str) -> Vec<String> {
    let mut owner = books.db.owner().await;
    // Every name comes with its schema then.
    sqlx::raw_sql("set search_path = pg_catalog").execute(&mut owner).await.unwrap();
    sqlx::query_scalar(query).fetch_all(&mut owner).await.unwrap()
}

#[tokio::test]
async fn every_table_with_a_tenant_is_isolated() {
    let books = neighbours().await;
    let open = names(
        &books,
        "select c.oid::regclass::text
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition
            and n.nspname not in ('pg_catalog', 'information_schema')
            and exists (select from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'tenant_id')
            and not (c.relrowsecurity and exists (select from pg_policy p
                where p.polrelid = c.oid and p.polname = 'tenant_isolation'
                    and p.polpermissive and p.polroles = '{0}'
                    and pg_get_expr(p.polqual, p.polrelid)
                        = '(tenant_id = mizan.current_tenant())'
                    and pg_get_expr(p.polwithcheck, p.polrelid)
                        = '(tenant_id = mizan.current_tenant())'))",
    )
    .await;
    assert!(open.is_empty(), "call mizan.isolate_tenants for {open:?}");
    let without = names(
        &books,
        "select c.oid::regclass::text
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p')
            and n.nspname not in ('pg_catalog', 'information_schema', 'public')
            and not exists (select from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'tenant_id')
            and has_any_column_privilege('mizan_service', c.oid, 'select, insert, update')",
    )
    .await;
    assert!(without.is_empty(), "the service reaches tables without a tenant: {without:?}");
    let second = names(
        &books,
        "select p.polrelid::regclass || '.' || p.polname
        from pg_policy p where p.polname <> 'tenant_isolation'",
    )
    .await;
    assert!(second.is_empty(), "a second policy would widen the first: {second:?}");
}

#[tokio::test]
async fn no_tenant_no_rows() {
    let books = neighbours().await;
    for books in [&books, &books.of(books.db.other_tenant())] {
        let later = at("2026-03-04T09:00:00Z");
        fold_all(books, later).await;
        close(books, later, "2026-03-02").await;
    }
    let tables = names(
        &books,
        "select c.oid::regclass::text
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('ledger', 'mizan') and c.relkind in ('r', 'p')
            and not c.relispartition",
    )
    .await;
    assert!(tables.len() >= 8, "{tables:?}");
    for (tenant, expected) in [("", 0), ("3", 0), ("1", 1)] {
        let mut conn = books.db.connect(Actor::Service, books.tenant).await;
        let set = format!("set mizan.tenant = '{tenant}'");
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut conn).await.unwrap();
        for table in &tables {
            let count = AssertSqlSafe(format!("select count(*) from {table}"));
            let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut conn).await.unwrap();
            let any = i64::from(rows > 0 || table == "ledger.rejection");
            assert!(any == expected || rows == 0 && expected == 0, "{table}: {rows} as `{tenant}`");
            let foreign = format!("select count(*) from {table} where tenant_id <> 1");
            let foreign = AssertSqlSafe(foreign);
            let rows: i64 = sqlx::query_scalar(foreign).fetch_one(&mut conn).await.unwrap();
            assert_eq!(rows, 0, "{table} shows the neighbour's rows");
        }
    }
}

#[tokio::test]
async fn another_tenants_rows_cannot_be_written() {
    let books = neighbours().await;
    let other = books.db.other_tenant();
    let legs = [("gateway_clearing:stripe", 'd', 100), ("vendor_payable:V1:pending", 'c', 100)];
    let whole = Raw::honest(&books.db, other, &legs).await;
    let attacks = [
        ("their book", "update ledger.book set event_position = 9 where tenant_id = 2".to_owned()),
        ("their heads", "update ledger.balance set debits = 0 where tenant_id = 2".to_owned()),
        (
            "their key",
            "insert into ledger.outcome values (2, 'x', sha256(''), gen_random_uuid())".to_owned(),
        ),
        ("their refusal", "insert into ledger.rejection values (2, 'k', '{}', now())".to_owned()),
        (
            "their account",
            "insert into ledger.account (tenant_id, public_id, path, currency, created_at)
            values (2, gen_random_uuid(), 'bank:x', 'AED', now())"
                .to_owned(),
        ),
        (
            "their balance",
            "insert into ledger.balance (tenant_id, account_id, currency) values (2, 99, 'AED')"
                .to_owned(),
        ),
        ("their entries", whole.entries_sql().unwrap()),
    ];
    let mut conn = books.db.connect(Actor::Service, books.tenant).await;
    let honest = answer(&mut conn, &whole.sql()).await;
    assert!(honest.starts_with("42501 new row violates row-level security policy"), "{honest}");
    let mut told = String::new();
    for (name, statement) in attacks {
        let mut conn = books.db.connect(Actor::Service, books.tenant).await;
        told.push_str(&format!("{name}: {}\n", answer(&mut conn, &statement).await));
    }
    assert_eq!(
        told,
        lines(
            "
        their book: touches nothing
        their heads: touches nothing
        their key: 42501 new row violates row-level security policy for table \"outcome\"
        their refusal: 42501 new row violates row-level security policy for table \"rejection\"
        their account: 42501 new row violates row-level security policy for table \"account\"
        their balance: 42501 new row violates row-level security policy for table \"balance\"
        their entries: 42501 new row violates row-level security policy for table \"entry\""
        )
    );
}

#[tokio::test]
async fn entries_of_one_tenant_cannot_hang_on_another_ones_transaction() {
    let books = neighbours().await;
    let legs = [("gateway_clearing:stripe", 'd', 100), ("vendor_payable:V1:pending", 'c', 100)];
    let mut raw = Raw::honest(&books.db, books.tenant, &legs).await;
    raw.entries[1].tenant = 2;
    let mut owner = books.db.connect(Actor::Owner, books.tenant).await;
    assert_eq!(answer(&mut owner, &raw.sql()).await, "23000 entries_are_of_one_tenant");
    raw.entries[0].tenant = 2;
    assert_eq!(answer(&mut owner, &raw.sql()).await, "23000 entries_are_not_late");
}

#[tokio::test]
async fn equal_keys_paths_and_positions_of_two_tenants_do_not_meet() {
    let books = neighbours().await;
    for (tenant, transactions) in [(books.db.tenant(), 1), (books.db.other_tenant(), 2)] {
        let books = books.of(tenant);
        assert_eq!(books.count("ledger.transaction").await, transactions);
        assert_eq!(books.journal().await.last().unwrap().position, transactions);
        books.prove().await;
    }
}

#[tokio::test]
async fn another_tenants_transaction_is_not_there_to_be_reversed() {
    let books = neighbours().await;
    let theirs = books.of(books.db.other_tenant()).journal().await[0].id;
    let mut stray = fact("stray", SALE);
    stray.reverses = Some(theirs);
    let told = crate::support::answers(&books.post(&[stray]).await);
    assert_eq!(told, format!("refused: {theirs} is not a transaction of this ledger\n"));
}
