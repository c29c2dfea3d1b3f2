//! Brings the schema to the version that this program was built for, as the schema's owner.

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

use super::{Db, DbError, store};

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// The tenant that an empty database starts with.
const FIRST_TENANT: TenantId = TenantId(1);

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A newer program has been here. This one would misread its tables.
    #[error(
        "the database is at schema {applied}, this program knows up to {known}: \
         start the newer program, or restore a backup from before it"
    )]
    Newer {
        /// The version in the database.
        applied: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A migration that was applied has been changed since.
    #[error("migration {version} differs from what was applied: never edit an applied migration")]
    Changed {
        /// The migration's number.
        version: i64,
    },
    /// A migration failed; it was rolled back.
    #[error("the schema could not be brought up to date")]
    Failed(#[source] MigrateError),
    /// The first tenant has no time zone.
    #[error(
        "tenant.time_zone names no time zone that PostgreSQL knows: write it as in the table \
         pg_timezone_names, such as Asia/Dubai or UTC"
    )]
    TimeZone,
    /// The database could not be reached or refused a statement.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// How the database's schema relates to the one that this program was built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SchemaState {
    /// The same.
    Current,
    /// Migrations are missing: run `mizan` as the owner, or wait for who does.
    Behind,
    /// A newer program has been here.
    Ahead,
}

/// What the first tenant of an empty database is.
#[derive(Clone, Copy, Debug)]
pub struct FirstTenant<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Where its days are counted: a name that PostgreSQL knows.
    pub time_zone: &'a str,
}

/// Applies the missing migrations and, in an empty database, makes the first tenant.
///
/// `url` names the owner of the schema. Several programs may do this at once: one works, the
/// others wait for it.
///
/// # Errors
/// [`MigrationError`]; nothing of a failed migration remains.
pub async fn migrate(
    url: &str,
    first: FirstTenant<'_>,
    now: Timestamp,
) -> Result<(), MigrationError> {
    let mut owner = Db::connect_as_owner(url).await?;
    let before = store::schema_version(&mut owner).await.unwrap_or_default();
    if compare(before) == SchemaState::Ahead {
        return Err(MigrationError::Newer { applied: before.unwrap_or_default(), known: newest() });
    }
    MIGRATOR.run(&mut owner).await.map_err(|error| match error {
        MigrateError::VersionMissing(applied) => MigrationError::Newer { applied, known: newest() },
        MigrateError::VersionMismatch(version) => MigrationError::Changed { version },
        other => MigrationError::Failed(other),
    })?;
    if !store::has_tenant(&mut owner).await.map_err(DbError::from)? {
        match ensure_tenant(&mut owner, FIRST_TENANT, first, now).await {
            Err(error) if error.constraint() == Some("tenant_time_zone_is_known") => {
                return Err(MigrationError::TimeZone);
            }
            made => made?,
        };
    }
    Ok(())
}

/// Makes a tenant unless it is there, as the owner of the schema; a trigger opens its book.
/// Returns whether it was made.
///
/// # Errors
/// [`DbError::Constraint`] for a name of no or more than 100 characters, or an unknown zone.
pub async fn ensure_tenant(
    owner: &mut PgConnection,
    tenant: TenantId,
    first: FirstTenant<'_>,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(store::insert_tenant(owner, tenant, first, now).await?)
}

pub(super) fn compare(applied: Option<i64>) -> SchemaState {
    match applied.unwrap_or_default().cmp(&newest()) {
        std::cmp::Ordering::Less => SchemaState::Behind,
        std::cmp::Ordering::Equal => SchemaState::Current,
        std::cmp::Ordering::Greater => SchemaState::Ahead,
    }
}

fn newest() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_told_to_be_behind_current_or_ahead() {
        assert_eq!(compare(None), SchemaState::Behind);
        assert_eq!(compare(Some(newest())), SchemaState::Current);
        assert_eq!(compare(Some(newest() + 1)), SchemaState::Ahead);
    }
}
