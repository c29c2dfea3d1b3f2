//! `mizan audit`: who commanded what.

use std::io::Write;

use mizan::audit::{AuditId, Entry, Search, search};
use mizan::db::{Db, DbError, work};
use mizan_money::{RequestId, TenantId, Timestamp};
use serde_json::{Value, json};

use crate::cli::database::Place;
use crate::cli::end::{CommandResult, End};
use crate::cli::output::{self, Format};
use crate::cli::service;

/// How many rows are read at a time.
const PAGE: i64 = 1_000;

/// What of the log is wanted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only what this key commanded, `key_…`, or `command line`
    #[arg(long)]
    actor: Option<String>,
    /// Only what was done to this, such as `po_…`, or a vendor's own id
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Only this route or command, such as `POST /v1/refunds`
    #[arg(long)]
    action: Option<String>,
    /// Only at this time or later, such as 2026-03-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// How many at most; all with 0
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Whose log
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Prints the log, newest first; with `--json` a row a line, with what was before and after.
pub fn run(args: &Args) -> CommandResult {
    args.place.read(async |db| print(args, db).await)
}

async fn print(args: &Args, db: Db) -> CommandResult {
    let tenant = TenantId(args.tenant);
    let mut left = if args.limit == 0 { i64::MAX } else { args.limit.into() };
    let (mut last, mut rows) = (None, Vec::new());
    while left > 0 {
        let page = page(args, &db, tenant, last, left.min(PAGE)).await?;
        let Some(end) = page.last().map(|entry| entry.id) else { break };
        left -= i64::try_from(page.len())?;
        last = Some(end);
        if args.format.json {
            let mut out = std::io::stdout().lock();
            for entry in page {
                writeln!(out, "{}", line(entry))?;
            }
        } else {
            rows.extend(page.into_iter().map(cells));
        }
    }
    if !args.format.json {
        let headline = ["when", "actor", "role", "action", "about", "answer"];
        output::print(&format!("{}\n", output::table(&headline, &[], rows)))?;
    }
    Ok(End::Done)
}

async fn page(
    args: &Args,
    db: &Db,
    tenant: TenantId,
    after: Option<AuditId>,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let wanted = &Search {
        limit,
        after,
        before: None,
        actor: args.actor.as_deref(),
        object: args.object.as_deref(),
        action: args.action.as_deref(),
        from: args.from,
        until: args.until,
    };
    let read = db.read("audit_log", tenant, |tx| {
        work(async move { Ok::<_, DbError>(search(tx, tenant, wanted).await?) })
    });
    read.await
}

fn cells(entry: Entry) -> Vec<String> {
    vec![
        entry.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        entry.actor,
        entry.role.unwrap_or_default(),
        entry.action,
        entry.object.unwrap_or_default(),
        entry.status.map(|it| it.to_string()).unwrap_or_default(),
    ]
}

fn line(entry: Entry) -> Value {
    json!({
        "id": entry.id.to_string(), "created": entry.at, "actor": entry.actor,
        "role": entry.role, "action": entry.action, "about": entry.object,
        "status": entry.status,
        "request_id": entry.request_id.map(|id| RequestId::from_uuid(id).to_string()),
        "before": entry.before, "after": entry.after,
    })
}
