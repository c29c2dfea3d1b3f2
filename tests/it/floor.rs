//! The service's floor on a real database: transactions, idempotency keys, API keys, health.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::response::Response;
use mizan::app::{App, serve};
use mizan::auth::{ApiKey, Caller, CreateKey, Mode, Role, create_key, revoke_key};
use mizan::clock::Clock;
use mizan::config::Config;
use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use mizan::db::{
    Db, DbError, DbOptions, FirstTenant, MigrationError, SchemaState, Tx, migrate, work,
};
use mizan::http::{
    Code, Fingerprint, IdempotencyKey, Idempotent, Problem, StoredAnswer, attach_operation, claim,
    finish, idempotent,
};
use mizan_money::TenantId;
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection};

use crate::support::{T0, TestDb, after};

const SOUK: FirstTenant<'_> = FirstTenant { name: "Souk", time_zone: "Asia/Dubai" };

async fn app_on(url: &str) -> App {
    let db = Db::connect(url, &DbOptions::default()).await.unwrap();
    let config = Config::from_parts(None, []).unwrap();
    App::new(db, Clock::manual(T0), Arc::new(config))
}

/// Something that leaves a row: a key by that name.
async fn leave(tx: &mut Tx, tenant: TenantId, name: &str) -> Result<ApiKey, Problem> {
    let command = CreateKey::new(name, Mode::Test, Role::Admin);
    let made = create_key(tx, tenant, &command, T0).await;
    Ok(made.map_err(|error| Problem::internal(&error))?.key)
}

async fn left(db: &TestDb, name: &str) -> i64 {
    sqlx::query_scalar("select count(*) from auth.api_key where name = $1")
        .bind(name)
        .fetch_one(&mut db.owner().await)
        .await
        .unwrap()
}

async fn say(tx: &mut Tx, statement: &str) -> Result<(), DbError> {
    Ok(sqlx::raw_sql(AssertSqlSafe(statement)).execute(tx).await.map(drop)?)
}

async fn key_of(app: &App, tenant: TenantId) -> ApiKey {
    app.db.transaction("key", tenant, |tx| work(leave(tx, tenant, "test"))).await.unwrap()
}

async fn caller(app: &App, tenant: TenantId) -> Caller {
    Caller::of_key(&app.keys, &key_of(app, tenant).await, T0).await.unwrap()
}

fn request(key: &str, body: &str) -> Idempotent {
    let key = IdempotencyKey::parse(key.as_bytes()).unwrap();
    Idempotent::new(key, Fingerprint::of("POST", "/v1/things", body.as_bytes()), None)
}

async fn read(answer: Result<Response, Problem>) -> (u16, bool, String) {
    match answer {
        Ok(answer) => {
            let replayed = answer.headers().contains_key("idempotent-replayed");
            let status = answer.status().as_u16();
            let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            (status, replayed, String::from_utf8(bytes.to_vec()).unwrap())
        }
        Err(problem) => (problem.status().as_u16(), false, problem.code().as_str().to_owned()),
    }
}

#[tokio::test]
async fn a_transaction_commits_what_is_ok_and_nothing_else() {
    let db = TestDb::new().await;
    let (app, tenant) = (app_on(&db.url()).await, db.tenant());
    let good = app.db.transaction("good", tenant, |tx| work(leave(tx, tenant, "good"))).await;
    let bad = app.db.transaction("bad", tenant, |tx| {
        work(async move {
            leave(tx, tenant, "bad").await?;
            Err::<(), _>(Problem::new(Code::WrongState, "no"))
        })
    });
    assert_eq!((good.is_ok(), bad.await.unwrap_err().code()), (true, Code::WrongState));
    assert_eq!((left(&db, "good").await, left(&db, "bad").await), (1, 0));
    let stranger = db.other_tenant();
    let foreign = app.db.transaction("foreign", tenant, |tx| work(leave(tx, stranger, "x")));
    assert_eq!(foreign.await.unwrap_err().code(), Code::Internal);
    let written = app.db.read("read", tenant, |tx| work(leave(tx, tenant, "x"))).await;
    assert!(written.is_err());
    assert_eq!(left(&db, "x").await, 0);
}

#[tokio::test]
async fn a_use_case_that_drops_an_error_is_not_told_that_it_was_kept() {
    let db = TestDb::new().await;
    let (app, tenant) = (app_on(&db.url()).await, db.tenant());
    let done = app.db.transaction("dropped", tenant, |tx| {
        work(async move {
            leave(tx, tenant, "dropped").await?;
            let _dropped = say(tx, "select 1 / 0").await;
            Ok::<_, Problem>(())
        })
    });
    assert_eq!(done.await.unwrap_err().code(), Code::Internal);
    assert_eq!(left(&db, "dropped").await, 0);
}

#[tokio::test]
async fn a_lost_race_is_run_again_a_few_times() {
    let db = TestDb::new().await;
    let (app, tenant) = (app_on(&db.url()).await, db.tenant());
    let lose = "do $$ begin raise exception 'lost' using errcode = '40001'; end $$";
    for (losses, runs, won) in [(2, 3, true), (100, 5, false)] {
        let run = &AtomicU32::new(0);
        let result = app.db.transaction("race", tenant, |tx| {
            work(async move {
                if run.fetch_add(1, SeqCst) < losses { say(tx, lose).await } else { Ok(()) }
            })
        });
        let result: Result<(), DbError> = result.await;
        assert_eq!((result.is_ok(), run.load(SeqCst)), (won, runs));
        assert!(won || matches!(result, Err(DbError::Conflict { .. })));
    }
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_unknown_and_not_run_again() {
    let db = TestDb::new().await;
    let (app, tenant) = (app_on(&db.url()).await, db.tenant());
    let dies_at_commit = "
        create table public.fuse (id integer);
        grant insert on public.fuse to mizan_service;
        create function public.blow() returns trigger language plpgsql security definer as $$
            begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
        create constraint trigger blow after insert on public.fuse
            deferrable initially deferred for each row execute function public.blow()";
    say(&mut db.owner().await, dies_at_commit).await.unwrap();
    let run = &AtomicU32::new(0);
    let result = app.db.transaction("fuse", tenant, |tx| {
        work(async move {
            run.fetch_add(1, SeqCst);
            say(tx, "insert into public.fuse values (1)").await
        })
    });
    assert!(matches!(result.await, Err(DbError::CommitUnknown { transaction: "fuse", .. })));
    assert_eq!(run.load(SeqCst), 1);
}

#[tokio::test]
async fn connections_that_died_are_replaced_before_anybody_is_told() {
    let db = TestDb::new().await;
    let (app, tenant) = (app_on(&db.url()).await, db.tenant());
    for round in 0..3 {
        app.db.transaction("before", tenant, |tx| work(say(tx, "select 1"))).await.unwrap();
        let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()";
        say(&mut db.owner().await, kill).await.unwrap();
        let name = format!("after {round}");
        let name = &name;
        let done = app.db.transaction("after", tenant, |tx| work(leave(tx, tenant, name)));
        assert!(done.await.is_ok());
        assert_eq!(left(&db, name).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_requests_with_one_key_have_one_effect() {
    let db = TestDb::new().await;
    let app = app_on(&db.url()).await;
    let caller = caller(&app, db.tenant()).await;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (app, caller) = (app.clone(), caller.clone());
            tokio::spawn(async move {
                let tenant = caller.tenant();
                let request = request("k", "{}");
                let answer = idempotent(&app, &caller, &request, "thing", |tx| {
                    work(async move {
                        leave(tx, tenant, "effect").await?;
                        Ok((StatusCode::CREATED, json!({"amount": 5})))
                    })
                });
                read(answer.await).await
            })
        })
        .collect();
    let (mut first, mut replayed) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            (201, false, body) if body == r#"{"amount":5}"# => first += 1,
            (201, true, body) if body == r#"{"amount":5}"# => replayed += 1,
            (409, false, code) if code == "idempotency_key_in_flight" => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((first, left(&db, "effect").await), (1, 1));
    assert!(replayed < 100);
}

#[tokio::test]
async fn a_key_answers_the_same_bytes_for_its_request_and_refuses_another() {
    let db = TestDb::new().await;
    let app = app_on(&db.url()).await;
    let ours = caller(&app, db.tenant()).await;
    let theirs = caller(&app, db.other_tenant()).await;
    let send = async |who: &Caller, key: &str, body: &str, number: i64| {
        let request = request(key, body);
        let answer = idempotent(&app, who, &request, "thing", |_| {
            work(async move { Ok((StatusCode::OK, json!({"number": number}))) })
        });
        read(answer.await).await
    };
    assert_eq!(send(&ours, "k", "{}", 1).await, (200, false, r#"{"number":1}"#.to_owned()));
    assert_eq!(send(&ours, "k", "{}", 2).await, (200, true, r#"{"number":1}"#.to_owned()));
    assert_eq!(send(&ours, "k", "{ }", 3).await.2, "idempotency_key_reused");
    assert_eq!(send(&theirs, "k", "{}", 4).await, (200, false, r#"{"number":4}"#.to_owned()));
}

#[tokio::test]
async fn a_refusal_by_a_rule_leaves_nothing_but_itself_and_is_repeated() {
    let db = TestDb::new().await;
    let app = app_on(&db.url()).await;
    let caller = caller(&app, db.tenant()).await;
    let tenant = caller.tenant();
    let send = async |key: &str, outcome: Option<Code>| {
        let request = request(key, "{}");
        let answer = idempotent(&app, &caller, &request, "thing", |tx| {
            work(async move {
                leave(tx, tenant, "effect").await?;
                match outcome {
                    Some(code) => Err(Problem::new(code, "52.50 AED are left.")),
                    None => Ok((StatusCode::OK, json!({}))),
                }
            })
        });
        read(answer.await).await
    };
    let (status, replayed, body) = send("rule", Some(Code::AmountExceedsRest)).await;
    assert_eq!((status, replayed, left(&db, "effect").await), (409, false, 0));
    assert!(body.contains("amount_exceeds_rest"), "{body}");
    assert_eq!(send("rule", None).await, (409, true, body));
    // What was malformed or failed was not decided: the key is still free.
    assert_eq!(send("free", Some(Code::InvalidAmount)).await.0, 400);
    assert_eq!(send("free", Some(Code::Unavailable)).await.0, 503);
    assert_eq!((send("free", None).await.0, left(&db, "effect").await), (200, 1));
}

#[tokio::test]
async fn a_key_whose_operation_still_runs_names_it_until_it_is_answered() {
    let db = TestDb::new().await;
    let (app, tenant) = (app_on(&db.url()).await, db.tenant());
    let request = &request("slow", "{}");
    let operation = uuid::Uuid::from_u128(7);
    let claimed = app.db.transaction("first", tenant, |tx| {
        work(async move {
            let claimed = claim(tx, tenant, request).await?;
            attach_operation(tx, tenant, request, operation, T0).await?;
            Ok::<_, DbError>(claimed)
        })
    });
    assert_eq!(format!("{:?}", claimed.await.unwrap()), "Fresh");
    let again = || app.db.transaction("again", tenant, |tx| work(claim(tx, tenant, request)));
    let told = format!("{:?}", again().await.unwrap());
    assert!(told.starts_with("Running") && told.contains(&operation.to_string()), "{told}");
    for body in [json!({"first": 1}), json!({"late": 2})] {
        let answer = &StoredAnswer::success(StatusCode::OK, &body).unwrap();
        let kept = app.db.transaction("finish", tenant, |tx| {
            work(finish(tx, tenant, request, answer, after(1)))
        });
        kept.await.unwrap();
    }
    assert!(format!("{:?}", again().await.unwrap()).starts_with("Replay"));
    let kept: Vec<u8> = sqlx::query_scalar("select body from http.idempotency")
        .fetch_one(&mut db.owner().await)
        .await
        .unwrap();
    assert_eq!(kept, br#"{"first":1}"#);
}

#[tokio::test]
async fn a_key_leads_to_its_tenant_until_it_is_revoked_and_only_a_digest_is_kept() {
    let db = TestDb::new().await;
    let app = app_on(&db.url()).await;
    let (ours, theirs) = (key_of(&app, db.tenant()).await, key_of(&app, db.other_tenant()).await);
    let found = Caller::of_key(&app.keys, &ours, T0).await.unwrap();
    assert_eq!((found.tenant(), found.mode()), (db.tenant(), Mode::Test));
    assert_eq!(Caller::of_key(&app.keys, &theirs, T0).await.unwrap().tenant(), db.other_tenant());
    let stranger = ApiKey::generate(Mode::Test).unwrap();
    assert_eq!(
        Caller::of_key(&app.keys, &stranger, T0).await.unwrap_err().code(),
        Code::ApiKeyInvalid
    );
    // Somebody else's key cannot be revoked, and one's own only once.
    let id = found.key();
    let revoke =
        |who| app.db.transaction("revoke", who, move |tx| work(revoke_key(tx, who, id, T0)));
    assert!(!revoke(db.other_tenant()).await.unwrap());
    assert!(revoke(db.tenant()).await.unwrap() && !revoke(db.tenant()).await.unwrap());
    assert_eq!(Caller::of_key(&app.keys, &ours, T0).await.unwrap_err().code(), Code::ApiKeyInvalid);
    let rows: String = sqlx::query_scalar("select json_agg(k)::text from auth.api_key k")
        .fetch_one(&mut db.owner().await)
        .await
        .unwrap();
    assert!(!rows.contains(theirs.secret().expose_secret()));
    assert_eq!(app.db.tenant_ids().await.unwrap(), [db.tenant(), db.other_tenant()]);
    let seen = app.db.tenantless("none", |tx| {
        work(async move {
            let rows = sqlx::query("select 1 from auth.api_key").fetch_all(tx).await;
            Ok::<_, DbError>(rows?.len())
        })
    });
    assert_eq!(seen.await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_outlives_its_database_and_an_older_program_keeps_off_a_newer_schema() {
    let folder = tempfile::Builder::new().prefix("mz").tempdir().unwrap();
    let start = || {
        let options = ClusterOptions::throwaway(folder.path().join("data"));
        tokio::task::block_in_place(|| PrivateCluster::start_or_attach(options)).unwrap()
    };
    let cluster = start();
    let url = cluster.url();
    let behind = Db::connect_as_owner(&url).await.unwrap();
    behind.close().await.unwrap();
    for _ in 0..2 {
        migrate(&url, SOUK, T0).await.unwrap();
    }
    let app = app_on(&url).await;
    assert_eq!(app.db.schema_state().await.unwrap(), SchemaState::Current);
    assert_eq!(app.db.tenant_ids().await.unwrap(), [TenantId(1)]);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let ending = async { stopped.await.unwrap() };
    let service = tokio::spawn(serve(app.clone(), listener, ending));
    let ready = async || {
        let answer = reqwest::get(format!("http://{address}/readyz")).await.unwrap();
        (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
    };
    assert_eq!(ready().await, (200, false));
    tokio::task::block_in_place(|| cluster.stop()).unwrap();
    assert_eq!(ready().await, (503, true));
    let lost = app.db.transaction("away", TenantId(1), |tx| work(say(tx, "select 1"))).await;
    assert!(matches!(lost, Err(DbError::Unavailable { .. })));
    let _cluster = start();
    assert_eq!(ready().await, (200, false));

    say(
        &mut Db::connect_as_owner(&url).await.unwrap(),
        "insert into public._sqlx_migrations
         (version, description, success, checksum, execution_time)
         values (9999, 'of tomorrow', true, '', 0)",
    )
    .await
    .unwrap();
    assert_eq!(ready().await, (503, true));
    let refused = migrate(&url, SOUK, T0).await.unwrap_err();
    assert!(matches!(refused, MigrationError::Newer { applied: 9999, .. }), "{refused}");
    stop.send(()).unwrap();
    service.await.unwrap().unwrap();
    assert!(Path::new(folder.path()).exists());
}
