//! A fresh database for one test.

use std::str::FromStr;

use mizan_money::TenantId;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, Postgres, Transaction};

use super::T0;
use super::server::{TENANTS, server};

/// More than any test runs at once, fewer than the server allows.
const CONNECTIONS_MAX: u32 = 40;

/// Who speaks to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The limited role that the service works as: what it may not do, grants refuse.
    Service,
    /// The owner of the schema, past whom only triggers and constraints stand.
    Owner,
}

/// A database of its own, made from the migrated template and dropped with this value.
pub struct TestDb {
    name: String,
    service: PgPool,
}

impl TestDb {
    /// Two tenants with empty books, partitions for the months around [`super::T0`].
    pub async fn new() -> TestDb {
        let name = server().create().await;
        let service = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .after_connect(|conn, _| {
                Box::pin(async move {
                    let settings = "set role mizan_service; set time zone 'UTC'";
                    sqlx::raw_sql(settings).execute(conn).await.map(drop)
                })
            })
            .connect_lazy(&server().url_for(&name))
            .unwrap();
        TestDb { name, service }
    }

    /// The owner's address of this database.
    pub fn url(&self) -> String {
        server().url_for(&self.name)
    }

    /// Connections that work as `mizan_service`.
    pub fn service_pool(&self) -> &PgPool {
        &self.service
    }

    /// A connection with the owner's rights, which no row-level security binds.
    ///
    /// The server's user and a schema have the same name, which `"$user"` would put first.
    pub async fn owner(&self) -> PgConnection {
        let options = PgConnectOptions::from_str(&self.url()).unwrap();
        options.options([("search_path", "public")]).connect().await.unwrap()
    }

    /// The tenant that tests work for.
    pub fn tenant(&self) -> TenantId {
        TenantId(TENANTS[0].0)
    }

    /// The neighbour, whose rows nobody else may see.
    pub fn other_tenant(&self) -> TenantId {
        TenantId(TENANTS[1].0)
    }

    /// A further tenant with empty books, for tests that need many.
    pub async fn add_tenant(&self, number: i32) -> TenantId {
        sqlx::query("insert into mizan.tenant (tenant_id, name, created_at) values ($1, $2, $3)")
            .bind(number)
            .bind(format!("Tenant {number}"))
            .bind(T0)
            .execute(&mut self.owner().await)
            .await
            .unwrap();
        TenantId(number)
    }

    /// A connection of the actor, working for the tenant outside of any transaction.
    pub async fn connect(&self, actor: Actor, tenant: TenantId) -> PgConnection {
        let mut conn = self.owner().await;
        let role = match actor {
            Actor::Service => "set role mizan_service; ",
            Actor::Owner => "",
        };
        let session = format!("{role}set time zone 'UTC'; set mizan.tenant = '{tenant}'");
        sqlx::raw_sql(AssertSqlSafe(session)).execute(&mut conn).await.unwrap();
        conn
    }

    /// Runs statements with the owner's rights and every trigger off: what somebody could do
    /// who has taken over the database.
    pub async fn tamper(&self, statements: &str) {
        let mut owner = self.owner().await;
        let script =
            format!("begin; set local session_replication_role = replica; {statements}; commit");
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut owner).await.unwrap();
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        server().forget(std::mem::take(&mut self.name));
    }
}

/// Begins a transaction of one tenant, as the service does.
pub async fn scope(pool: &PgPool, tenant: TenantId) -> Transaction<'static, Postgres> {
    let begin = format!("begin; set local mizan.tenant = '{tenant}'");
    pool.begin_with(AssertSqlSafe(begin)).await.unwrap()
}
