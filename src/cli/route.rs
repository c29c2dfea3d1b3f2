//! `mizan route`: over which connection a payment would go, and why.

use mizan::db::{Db, work};
use mizan::payments::{PaymentError, store};
use mizan::routing::{Decision, Instrument, RoutingError, Want, rules_in_force};
use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, TenantId, Timestamp};
use mizan_providers::CaptureMethod;
use serde_json::json;

use super::database::{Absent, Place, runtime};
use super::end::{CommandResult, End, Failure};
use super::gateways::gateways;
use super::output::{self, Format};
use super::service;
use super::webhooks::moment;

/// The commands about routes.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say over which connection a payment would go, and why
    ///
    /// By the rules in the database and the gateways in the settings. Whether a gateway works is
    /// known to the running service only: GET /v1/routing/explain tells it as well. With --payment
    /// it is said why a payment went where it went.
    Explain(ExplainArgs),
}

/// A payment to be routed, or one that was.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// A payment that was tried: say why it went where it went
    #[arg(long, value_name = "ID", conflicts_with_all = ["amount", "currency"])]
    payment: Option<PaymentIntentId>,
    /// How much, in minor units: 10500 is 105.00 AED
    #[arg(long, value_name = "MINOR", required_unless_present = "payment")]
    amount: Option<i64>,
    /// The currency, ISO 4217
    #[arg(long, value_name = "CODE", required_unless_present = "payment")]
    currency: Option<String>,
    /// Where the customer is, ISO 3166 alpha-2
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// The kind of instrument, such as `card`
    #[arg(long, value_name = "WORD")]
    method: Option<String>,
    /// Take the money later, by a capture
    #[arg(long)]
    manual: bool,
    /// The shop has the gateway's token of an instrument
    #[arg(long)]
    token: bool,
    /// By the rules as of this time (RFC 3339, or seconds since 1970) instead of now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    /// The tenant whose payment it is
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Runs a command about routes.
pub fn run(command: Command) -> CommandResult {
    let Command::Explain(args) = command;
    let opened = args.place.open(Absent::Refuse)?;
    let result = runtime()?.block_on(async {
        let db = opened.connect().await?;
        let result = match args.payment {
            Some(id) => tried(&db, &args, id).await,
            None => explain(&db, &args, &opened.config).await,
        };
        db.close().await;
        result
    });
    let closed = opened.close();
    let end = result?;
    closed?;
    Ok(end)
}

async fn explain(db: &Db, args: &ExplainArgs, config: &mizan::config::Config) -> CommandResult {
    let tenant = TenantId(args.tenant);
    let now = match args.at {
        Some(at) => at,
        None => service::now_for(db, tenant).await?,
    };
    let currency = Currency::parse(args.currency.as_deref().unwrap_or_default())?;
    let amount = Money::new(args.amount.unwrap_or_default(), currency);
    if !amount.is_positive() {
        return Err("an amount is at least 1 minor unit".into());
    }
    let want = Want {
        amount,
        country: args.country.as_deref(),
        method: args.method.as_deref(),
        capture: if args.manual { CaptureMethod::Manual } else { CaptureMethod::Automatic },
        instrument: if args.token { Instrument::Token } else { Instrument::OnThePage },
    };
    let rules = db.read("explain_route", tenant, |tx| {
        work(async move { rules_in_force(tx, tenant, now).await })
    });
    let rules = rules.await.map_err(|error: RoutingError| Failure::from(error.to_string()))?;
    let mut decision = gateways(config)?.decide((tenant, None), &want, &rules, &[], now);
    // This process has called none of them.
    decision.considered.iter_mut().for_each(|it| it.circuit = None);
    show(&decision, args.format)?;
    Ok(if decision.chosen().is_some() { End::Done } else { End::Failed })
}

fn show(decision: &Decision, format: Format) -> Result<(), Failure> {
    if format.json {
        let told = json!({ "connection": decision.chosen(), "decision": decision });
        return Ok(output::print_json(&told)?);
    }
    let rule = match &decision.rule {
        Some((id, name)) => format!("by the rule {name} ({id})"),
        None => "by no rule: the first by name that can".to_owned(),
    };
    let head = match decision.chosen() {
        Some(name) => format!("{name}, {rule}\n\n"),
        None => "No connection can take it.\n\n".to_owned(),
    };
    let rows = decision.considered.iter().map(|it| {
        let verdict = json!(it.verdict);
        vec![
            it.connection.clone(),
            it.provider.to_owned(),
            verdict.as_str().unwrap_or_default().to_owned(),
            it.reason.replace('_', " "),
        ]
    });
    let table = output::table(&["connection", "gateway", "verdict", "why"], &[], rows.collect());
    Ok(output::print(&format!("{head}{table}\n"))?)
}

/// Why a payment went where it went: what was kept with each attempt.
async fn tried(db: &Db, args: &ExplainArgs, id: PaymentIntentId) -> CommandResult {
    let tenant = TenantId(args.tenant);
    let found = db.read("route_of_payment", tenant, |tx| {
        work(async move { Ok::<_, PaymentError>(store::load(tx, tenant, &[id]).await?.pop()) })
    });
    let payment = found.await.map_err(|error: PaymentError| Failure::from(error.to_string()))?;
    let payment = payment.ok_or_else(|| Failure::from(format!("{id} is not known")))?;
    let attempts = payment.attempts.iter().map(|it| {
        json!({
            "attempt": it.id.to_string(),
            "connection": it.connection,
            "status": it.status.as_str(),
            "route": it.route,
        })
    });
    output::print_json(&attempts.collect::<Vec<_>>())?;
    Ok(End::Done)
}
