//! Rules with dates: a table whose rows are added and ended, never changed.

use mizan_money::{TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// A table with `tenant_id`, `id`, `valid_from` and `valid_until`. Its name is ours, never a
/// caller's.
#[derive(Debug, Clone, Copy)]
pub struct DatedRules(pub &'static str);

impl DatedRules {
    fn select(self, rest: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(format!("select * from {} where tenant_id = $1 and {rest}", self.0))
    }

    /// A page, newest first, from behind one.
    ///
    /// # Errors
    /// The database.
    pub async fn page(
        self,
        conn: &mut PgConnection,
        tenant: TenantId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let page = self.select("($2::uuid is null or id < $2) order by id desc limit $3");
        sqlx::query(page).bind(tenant.0).bind(after).bind(limit).fetch_all(conn).await
    }

    /// Those that are not over at a time, also those to come, oldest first.
    ///
    /// # Errors
    /// The database.
    pub async fn not_over(
        self,
        conn: &mut PgConnection,
        tenant: TenantId,
        at: Timestamp,
        limit: i64,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let open = "(valid_until is null or valid_until > $2) order by id limit $3";
        sqlx::query(self.select(open)).bind(tenant.0).bind(at).bind(limit).fetch_all(conn).await
    }

    /// How many are not over at a time.
    ///
    /// # Errors
    /// The database.
    pub async fn count_not_over(
        self,
        conn: &mut PgConnection,
        tenant: TenantId,
        at: Timestamp,
    ) -> Result<i64, sqlx::Error> {
        let count = AssertSqlSafe(format!(
            "select count(*) from {}
             where tenant_id = $1 and (valid_until is null or valid_until > $2)",
            self.0
        ));
        sqlx::query_scalar(count).bind(tenant.0).bind(at).fetch_one(conn).await
    }

    /// Ends one that is not over, and answers it; one that has not begun is over before it begins.
    /// None: there is no such rule.
    ///
    /// # Errors
    /// The database.
    pub async fn end(
        self,
        conn: &mut PgConnection,
        tenant: TenantId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<PgRow>, sqlx::Error> {
        let end = AssertSqlSafe(format!(
            "update {}
             set valid_until = greatest($3, valid_from + interval '1 microsecond')
             where tenant_id = $1 and id = $2 and (valid_until is null or valid_until > $3)",
            self.0
        ));
        sqlx::query(end).bind(tenant.0).bind(id).bind(now).execute(&mut *conn).await?;
        sqlx::query(self.select("id = $2")).bind(tenant.0).bind(id).fetch_optional(conn).await
    }
}
