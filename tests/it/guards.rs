//! What was written stays: nobody updates, deletes or truncates the journal, on the parent or
//! on a partition, and the catalogue shows that every table and partition is guarded.

use sqlx::AssertSqlSafe;

use crate::support::raw::{answer, attempt};
use crate::support::{Actor, Books, T0, after, command, fact, lines};

const JOURNAL: [&str; 5] =
    ["ledger.transaction", "ledger.entry", "ledger.outcome", "ledger.rejection", "ledger.account"];

/// Books in which every journal table has rows.
async fn full() -> Books {
    let books = Books::new().await;
    let sale =
        fact("k1", "dr gateway_clearing:stripe 9.00 AED; cr vendor_payable:V1:pending 9.00 AED");
    let refused = command("k2", "dr vendor_payable:V1:available 1.00 AED; cr bank:main 1.00 AED");
    books.post(&[sale, refused]).await;
    for table in JOURNAL {
        assert!(books.count(table).await > 0, "{table} is empty");
    }
    books
}

#[tokio::test]
async fn the_service_may_not_change_the_journal() {
    let books = full().await;
    let tables = JOURNAL.iter().chain(&["ledger.entry_2026_03"]);
    for table in tables {
        for statement in [
            format!("update {table} set tenant_id = tenant_id"),
            format!("delete from {table}"),
            format!("truncate {table}"),
            format!("truncate {table} cascade"),
        ] {
            let told = attempt(&books.db, Actor::Service, books.tenant, &statement).await;
            let name = table.trim_start_matches("ledger.");
            assert_eq!(told, format!("42501 permission denied for table {name}"), "{statement}");
        }
    }
    for statement in [
        "delete from ledger.balance",
        "truncate ledger.balance",
        "delete from ledger.book",
        "truncate ledger.book",
        "delete from mizan.tenant",
        "drop table ledger.entry_2026_03",
        "alter table ledger.entry disable trigger all",
        "alter table ledger.entry detach partition ledger.entry_2026_03",
        "create table ledger.mine ()",
        "set session_replication_role = replica",
        "insert into ledger.book (tenant_id) values (3)",
        "insert into mizan.tenant (tenant_id, name, created_at) values (3, 'x', now())",
    ] {
        let told = attempt(&books.db, Actor::Service, books.tenant, statement).await;
        assert!(told.starts_with("42501 "), "{statement}: {told}");
    }
}

#[tokio::test]
async fn not_even_the_owner_changes_the_journal_without_taking_its_guards_down() {
    let books = full().await;
    for table in JOURNAL.iter().chain(&["ledger.entry_2026_03"]) {
        for statement in [
            format!("update {table} set tenant_id = tenant_id"),
            format!("update {table} set tenant_id = tenant_id where false"),
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
        ] {
            let told = attempt(&books.db, Actor::Owner, books.tenant, &statement).await;
            assert_eq!(told, "42501 journal_is_append_only", "{statement}");
        }
    }
    for statement in [
        "delete from ledger.balance",
        "truncate ledger.balance",
        "delete from ledger.book",
        "truncate ledger.book",
        "truncate mizan.tenant cascade",
    ] {
        let told = attempt(&books.db, Actor::Owner, books.tenant, statement).await;
        assert_eq!(told, "42501 journal_is_append_only", "{statement}");
    }
}

#[tokio::test]
async fn an_upsert_or_a_merge_is_a_change_too() {
    let books = full().await;
    let upsert = "insert into ledger.outcome (tenant_id, key, request_hash, transaction_id)
        select tenant_id, key, request_hash, gen_random_uuid() from ledger.outcome
        on conflict (tenant_id, key) do update set transaction_id = excluded.transaction_id";
    let merge = "merge into ledger.rejection r using ledger.outcome o
        on r.tenant_id = o.tenant_id and r.key = o.key
        when matched then delete";
    for statement in [upsert, merge] {
        let service = attempt(&books.db, Actor::Service, books.tenant, statement).await;
        assert!(service.starts_with("42501 permission denied"), "{service}");
        let owner = attempt(&books.db, Actor::Owner, books.tenant, statement).await;
        assert_eq!(owner, "42501 journal_is_append_only");
    }
}

/// Runs a query of the catalogue as the owner and answers its rows, one per line.
async fn catalogue(books: &Books, query: &'static str) -> String {
    let mut owner = books.db.owner().await;
    let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut owner).await.unwrap();
    lines(&rows.join("\n"))
}

#[tokio::test]
async fn every_partition_has_its_guards_and_nobody_has_a_grant_on_it() {
    let books = full().await;
    let mut tx = crate::support::scope(books.db.service_pool(), books.tenant).await;
    let made = mizan_ledger::ensure_partitions(&mut tx, T0, after(400 * 86_400)).await.unwrap();
    let again = mizan_ledger::ensure_partitions(&mut tx, T0, after(400 * 86_400)).await.unwrap();
    assert_eq!((made, again), (7, 0), "October to April, of fourteen months");
    tx.commit().await.unwrap();
    let unguarded = "select c.relname::text || ' lacks ' || wanted.name
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        cross join (values ('check_entries'), ('append_only')) as wanted (name)
        where i.inhparent = 'ledger.entry'::regclass and not exists (
            select from pg_trigger t
            where t.tgrelid = c.oid and t.tgname = wanted.name and t.tgenabled = 'O')
        union all
        select c.relname || ' has a grant or no row security'
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'ledger.entry'::regclass
            and (not c.relrowsecurity or has_table_privilege('mizan_service', c.oid,
                'select, insert, update, delete, truncate, references, trigger'))";
    assert_eq!(catalogue(&books, unguarded).await, "");
}

#[tokio::test]
async fn the_service_holds_no_right_on_the_journal_but_to_read_and_append() {
    let books = full().await;
    let rights = "select c.relname::text || ' ' || string_agg(p.name, ' ' order by p.name)
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        cross join (values ('select'), ('insert'), ('update'), ('delete'), ('truncate'),
            ('references'), ('trigger')) as p (name)
        where n.nspname = 'ledger' and c.relkind in ('r', 'p') and not c.relispartition
            and has_table_privilege('mizan_service', c.oid, p.name)
        group by c.relname order by c.relname";
    assert_eq!(
        catalogue(&books, rights).await,
        lines(
            "
        account select
        balance select
        book select
        day_delta insert select
        entry insert select
        folded_day insert select
        outcome insert select
        period insert select
        rejection insert select
        transaction select"
        )
    );
    let columns = "select c.relname::text || ' ' || p.name || ' '
            || string_agg(a.attname, ' ' order by a.attname)
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        cross join (values ('insert'), ('update')) as p (name)
        where n.nspname = 'ledger' and c.relkind in ('r', 'p') and not c.relispartition
            and not has_table_privilege('mizan_service', c.oid, p.name)
            and has_column_privilege('mizan_service', c.oid, a.attnum, p.name)
        group by c.relname, p.name order by c.relname, p.name";
    assert_eq!(
        catalogue(&books, columns).await,
        lines(
            "
        account insert created_at currency path public_id tenant_id
        balance insert account_id currency floor_side tenant_id
        balance update before_credits before_debits before_version credits debits position version
        book update before_position closed_before event_position last_account last_seq position \
            recorded_at recorded_from
        transaction insert actor effective_at entry_count id kind \
            metadata position recorded_at reverses source tenant_id"
        )
    );
}

#[tokio::test]
async fn functions_that_the_service_reaches_do_not_trust_its_search_path() {
    let books = full().await;
    let trusting = "select p.oid::regprocedure::text
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where n.nspname not in ('pg_catalog', 'information_schema', 'public')
            and (p.prosecdef or p.prorettype = 'trigger'::regtype)
            and not coalesce(array_to_string(p.proconfig, ','), '')
                like '%search_path=pg_catalog, pg_temp%'";
    assert_eq!(catalogue(&books, trusting).await, "");
}

#[tokio::test]
async fn a_time_without_a_partition_is_an_error_and_not_a_loss() {
    let books = full().await;
    let late = after(10 * 366 * 86_400);
    let sale = fact("k9", "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED");
    let error = books.post_at(late, std::slice::from_ref(&sale)).await.unwrap_err();
    let mizan_ledger::LedgerError::Database(sqlx::Error::Database(error)) = error else {
        panic!("{error}");
    };
    assert_eq!(error.code().as_deref(), Some("23514"), "{error}");
    books.book(&[sale]).await;
    books.prove().await;
}

#[tokio::test]
async fn partitions_are_made_within_bounds_only() {
    let books = full().await;
    let mut conn = books.db.connect(Actor::Service, books.tenant).await;
    for times in [
        "'2026-01-01', '2126-01-01'",
        "null, now()",
        "'-infinity', 'infinity'",
        "'infinity', 'infinity'",
    ] {
        let statement = AssertSqlSafe(format!("select ledger.ensure_partitions({times})"));
        let told = answer(&mut conn, &statement.0).await;
        assert!(!told.starts_with("stands") && !told.starts_with("touches"), "{times}: {told}");
    }
}
