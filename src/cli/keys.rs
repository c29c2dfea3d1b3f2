//! `mizan keys`: the keys that callers present, made, listed and revoked.

use chrono::TimeDelta;
use mizan::auth::{CreateKey, ListedKey, Mode, NewKey, Role, Scope, list_keys};
use mizan::clock::Clock;
use mizan::db::Db;
use mizan_money::{ApiKeyId, TenantId, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::database::Place;
use super::end::{CommandResult, End, Failure};
use super::output::{self, Format};
use super::service;

/// As many keys as a list shows.
const LISTED_MAX: i64 = 500;

/// The commands about keys.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key and show it, this once
    Create(CreateArgs),
    /// List the keys without their secrets, newest first
    List(ListArgs),
    /// Make a key that takes the place of another
    Roll(RollArgs),
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
    /// What its holder is: customer, vendor, affiliate, support, finance, admin or super_admin
    #[arg(long, default_value = "admin")]
    role: Role,
    /// Narrow it to this, such as payments:read; may be given again
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// Which customer, vendor or affiliate its holder is
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// From when on it is no key any more, such as 2027-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
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

/// A key to be rolled.
#[derive(Debug, clap::Args)]
pub struct RollArgs {
    /// Its public name, `key_…`, as it was shown with the key
    id: ApiKeyId,
    /// For how many seconds the old key stays good beside the new one, at most 7 days
    #[arg(long, value_name = "SECONDS", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=604_800))]
    overlap: u32,
    /// The tenant it belongs to
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
        Command::Roll(args) => args.place.read(async |db| roll(&args, db).await),
        Command::Revoke(args) => args.place.read(async |db| revoke(&args, db).await),
    }
}

async fn create(args: &CreateArgs, db: Db) -> CommandResult {
    let (tenant, mode) = (TenantId(args.tenant), if args.live { Mode::Live } else { Mode::Test });
    if !db.tenant_ids().await?.contains(&tenant) {
        return Err(format!("there is no tenant {tenant}").into());
    }
    if args.role.is_outside() != args.subject.is_some() {
        return Err("customers, vendors and affiliates are named by --subject; others not".into());
    }
    let command = CreateKey {
        scopes: args.scopes.clone(),
        subject: args.subject.clone(),
        expires_at: args.expires_at,
        ..CreateKey::new(&args.name, mode, args.role)
    };
    let made = service::make_key(&db, &Clock::system(), tenant, &command).await?;
    show(&made, tenant, args.format)
}

/// A new key, this once.
fn show(made: &NewKey, tenant: TenantId, format: Format) -> CommandResult {
    let (id, key) = (made.id, made.key.secret().expose_secret());
    if format.json {
        output::print_json(&json!({ "id": id, "key": key, "tenant": tenant.0 }))?;
    } else {
        output::print(&format!(
            "{key}\nIt is shown this once. To revoke it: mizan keys revoke {id}\n"
        ))?;
    }
    Ok(End::Done)
}

async fn roll(args: &RollArgs, db: Db) -> CommandResult {
    let (tenant, overlap) = (TenantId(args.tenant), TimeDelta::seconds(args.overlap.into()));
    let made = service::roll(&db, &Clock::system(), tenant, args.id, overlap).await?;
    let made = made.ok_or_else(|| {
        Failure::from(format!("tenant {tenant} has no key {} that is still good", args.id))
    })?;
    show(&made, tenant, args.format)
}

async fn list(args: &ListArgs, db: Db) -> CommandResult {
    let keys = list_keys(&db, TenantId(args.tenant), None, LISTED_MAX).await?;
    if args.format.json {
        let json = keys.iter().map(|key| {
            json!({
                "id": key.id, "name": key.name, "mode": key.mode.as_str(), "role": key.role,
                "scopes": scopes(key), "subject": key.subject, "created_at": key.created_at,
                "created_by": key.created_by, "expires_at": key.expires_at,
                "last_used_at": key.last_used_at, "revoked_at": key.revoked_at,
            })
        });
        output::print_json(&json.collect::<Value>())?;
    } else {
        let date = |at: Timestamp| at.format("%Y-%m-%d %H:%M:%S").to_string();
        let dates = |at: Option<Timestamp>| at.map(date).unwrap_or_default();
        let rows = keys.into_iter().map(|key| {
            let role = key
                .subject
                .as_ref()
                .map_or_else(|| key.role.to_string(), |subject| format!("{} {subject}", key.role));
            let (id, mode, made) = (key.id.to_string(), key.mode.as_str(), date(key.created_at));
            let (used, ended) = (dates(key.last_used_at), dates(key.revoked_at.or(key.expires_at)));
            let scopes = scopes(&key).join(" ");
            vec![id, key.name, mode.to_owned(), role, scopes, made, used, ended]
        });
        let headline = ["key", "name", "mode", "role", "scopes", "made", "last used", "ends"];
        output::print(&format!("{}\n", output::table(&headline, &[], rows.collect())))?;
    }
    Ok(End::Done)
}

fn scopes(key: &ListedKey) -> Vec<String> {
    key.scopes.iter().map(Scope::to_string).collect()
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
