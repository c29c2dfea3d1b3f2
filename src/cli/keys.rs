//! `mizan keys`: the keys that callers present, made, listed and revoked.

use mizan::auth::{Mode, list_keys};
use mizan::clock::Clock;
use mizan::db::Db;
use mizan_money::{ApiKeyId, TenantId, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::database::Place;
use super::end::{CommandResult, End};
use super::output::{self, Format};
use super::service;

/// The commands about keys.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key and show it, this once
    Create(CreateArgs),
    /// List the keys without their secrets, newest first
    List(ListArgs),
    /// Revoke a key; from then on nobody can call with it
    Revoke(RevokeArgs),
}

/// A key to be made.
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// For people: where it is used
    #[arg(long)]
    name: String,
    /// The tenant whose money it moves
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    /// Make a key for real money
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Whose keys.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The tenant whose money they move
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// A key to be revoked.
#[derive(Debug, clap::Args)]
pub struct RevokeArgs {
    /// Its public name, `key_…`, as it was shown with the key
    id: ApiKeyId,
    /// The tenant it belongs to
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    place: Place,
}

/// Runs a command about keys.
pub fn run(command: Command) -> CommandResult {
    match command {
        Command::Create(args) => args.place.read(async |db| create(&args, db).await),
        Command::List(args) => args.place.read(async |db| list(&args, db).await),
        Command::Revoke(args) => args.place.read(async |db| revoke(&args, db).await),
    }
}

async fn create(args: &CreateArgs, db: Db) -> CommandResult {
    let (tenant, mode) = (TenantId(args.tenant), if args.live { Mode::Live } else { Mode::Test });
    if !db.tenant_ids().await?.contains(&tenant) {
        return Err(format!("there is no tenant {tenant}").into());
    }
    let made = service::make_key(&db, &Clock::system(), tenant, &args.name, mode).await?;
    let (id, key) = (made.id, made.key.secret().expose_secret());
    if args.format.json {
        output::print_json(&json!({ "id": id, "key": key, "tenant": tenant.0 }))?;
    } else {
        output::print(&format!(
            "{key}\nIt is shown this once. To revoke it: mizan keys revoke {id}\n"
        ))?;
    }
    Ok(End::Done)
}

async fn list(args: &ListArgs, db: Db) -> CommandResult {
    let keys = list_keys(&db, TenantId(args.tenant)).await?;
    if args.format.json {
        let json = keys.iter().map(|key| {
            json!({
                "id": key.id, "name": key.name, "mode": key.mode,
                "created_at": key.created_at, "revoked_at": key.revoked_at,
            })
        });
        output::print_json(&json.collect::<Value>())?;
    } else {
        let date = |at: Timestamp| at.format("%Y-%m-%d %H:%M:%S").to_string();
        let rows = keys.into_iter().map(|key| {
            let revoked = key.revoked_at.map(date).unwrap_or_default();
            vec![key.id.to_string(), key.name, key.mode, date(key.created_at), revoked]
        });
        let headline = ["key", "name", "mode", "made", "revoked"];
        output::print(&format!("{}\n", output::table(&headline, &[], rows.collect())))?;
    }
    Ok(End::Done)
}

async fn revoke(args: &RevokeArgs, db: Db) -> CommandResult {
    let (tenant, id) = (TenantId(args.tenant), args.id);
    let revoked = service::revoke(&db, &Clock::system(), tenant, id).await?;
    if !revoked {
        return Err(format!("tenant {tenant} has no key {id} that is still good").into());
    }
    output::print(&format!("{id} is revoked.\n"))?;
    Ok(End::Done)
}
