//! A service made ready: schema, limited role, gateways, partitions; the same for all commands.

use std::sync::Arc;

use chrono::TimeDelta;
use mizan::app::App;
use mizan::audit::{self, Doer};
use mizan::auth::{CreateKey, CreateKeyError, NewKey, create_key, lock_key, revoke_key, roll_key};
use mizan::clock::Clock;
use mizan::config::Config;
use mizan::db::{Db, DbError, Tx, migrate, work};
use mizan::finance::test_clock;
use mizan::jobs;
use mizan_money::{ApiKeyId, TenantId, Timestamp};
use serde_json::json;

use super::end::Failure;
use super::gateways::gateways;

/// The tenant that an empty database starts with, and whose connections the settings hold.
pub const TENANT: TenantId = TenantId(1);

/// Brings the schema up to date as its owner, then opens the database as the limited role.
pub async fn prepare(url: &str, config: Config, clock: Clock) -> Result<App, Failure> {
    migrate(url, config.tenant.first(), clock.now()).await?;
    let db = Db::connect(url, &config.db_options()).await?;
    let gateways = gateways(&config)?;
    let app = App::new(db, clock, Arc::new(config)).with_gateways(gateways);
    jobs::ensure_partitions(&app).await?;
    Ok(app)
}

/// Notes what was commanded here.
async fn note(
    tx: &mut Tx,
    tenant: TenantId,
    action: &str,
    key: ApiKeyId,
    now: Timestamp,
) -> Result<(), DbError> {
    let doer = Doer::at_the_machine(action, Some(key.to_string()));
    audit::note(tx, tenant, &doer, &json!({ "key": key }), now).await
}

/// Makes an API key of a tenant.
pub async fn make_key(
    db: &Db,
    clock: &Clock,
    tenant: TenantId,
    command: &CreateKey,
) -> Result<NewKey, CreateKeyError> {
    let now = clock.now();
    db.transaction("create_key", tenant, |tx| {
        work(async move {
            let made = create_key(tx, tenant, command, now).await?;
            note(tx, tenant, "keys create", made.id, now).await?;
            Ok(made)
        })
    })
    .await
}

/// Makes a key that takes the place of another; none where that is no good any more.
pub async fn roll(
    db: &Db,
    clock: &Clock,
    tenant: TenantId,
    id: ApiKeyId,
    overlap: TimeDelta,
) -> Result<Option<NewKey>, CreateKeyError> {
    let now = clock.now();
    db.transaction("roll_key", tenant, |tx| {
        work(async move {
            let old = lock_key(tx, tenant, id).await?;
            match old.filter(|key| key.is_good(now)) {
                None => Ok(None),
                Some(old) => {
                    let how = (overlap, "command line");
                    let made = roll_key(tx, tenant, &old, how, now).await?;
                    note(tx, tenant, "keys roll", old.id, now).await?;
                    Ok(Some(made))
                }
            }
        })
    })
    .await
}

/// Revokes an API key of a tenant; answers whether it was still good.
pub async fn revoke(
    db: &Db,
    clock: &Clock,
    tenant: TenantId,
    id: ApiKeyId,
) -> Result<bool, DbError> {
    let now = clock.now();
    db.transaction("revoke_key", tenant, |tx| {
        work(async move {
            let revoked = revoke_key(tx, tenant, id, now).await?;
            if revoked {
                note(tx, tenant, "keys revoke", id, now).await?;
            }
            Ok(revoked)
        })
    })
    .await
}

/// The time now for a tenant, whose test clock may be ahead of this machine.
pub async fn now_for(db: &Db, tenant: TenantId) -> Result<Timestamp, DbError> {
    Ok(clock(db).await?.now_for(tenant))
}

/// This machine's clock, told how far tenants are ahead.
pub async fn clock(db: &Db) -> Result<Clock, DbError> {
    let clock = Clock::system();
    test_clock::hear(db, &clock).await?;
    Ok(clock)
}
