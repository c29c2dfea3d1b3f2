//! The demo that stays up: prints the address, a key, and lines to paste; ends on Ctrl-C.

use std::fs;

use mizan::clock::Clock;
use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use mizan::jobs;
use mizan_money::Currency;
use mizan_providers::ProviderName;
use mizan_simulator::{FeeSchedule, Simulator};
use secrecy::ExposeSecret;
use serde_json::json;

use super::Args;
use super::rules::{self, kind};
use crate::cli::database::{cluster_dir, runtime};
use crate::cli::end::{CommandResult, End};
use crate::cli::output;
use crate::cli::service::{self, TENANT};
use crate::cli::signals::Ending;
use crate::cli::simulated::title;
use crate::stage::shop::Shop;
use crate::stage::{Address, MARKETPLACE, OTHERS, Plan, Stage};

/// The port of the service, where it is free.
const API_PORT: u16 = 8080;
/// Stripe's test card that asks for 3-D Secure, as an order names it.
const CARD: &str = r#""payment_method":"pm_card_threeDSecure2Required""#;
/// The port of Stripe's simulator, where it is free; the others take those that follow.
const SIMULATOR_PORT: u16 = 8081;

/// Starts the marketplace and keeps it up until the process is told to end.
pub fn run(args: &Args) -> CommandResult {
    fs::create_dir_all(&args.data)
        .map_err(|error| format!("cannot make {}: {error}", args.data.display()))?;
    let options = ClusterOptions::new(cluster_dir(&args.data));
    let cluster = PrivateCluster::start_or_attach(options)?;
    let runtime = runtime()?;
    let result = runtime.block_on(play(args, &cluster.url()));
    drop(runtime);
    let stopped = cluster.stop();
    let end = result?;
    stopped?;
    Ok(end)
}

async fn play(args: &Args, database_url: &str) -> CommandResult {
    let mut ending = Ending::listen()?;
    let plan = Plan {
        clock: Clock::system(),
        api: args.listen.map_or(Address::Rather(API_PORT), Address::Exactly),
        simulator: args.simulator.map_or(Address::Rather(SIMULATOR_PORT), Address::Exactly),
        simulator_data: Some(args.data.join("simulator")),
        folder: args.data.clone(),
        fees: FeeSchedule::default(),
    };
    let stage = Stage::set(database_url, plan).await?;
    rules::make(&Shop::open(&stage.url, stage.key.key.secret())?, &stage.app.clock).await?;
    for (_, simulator) in stage.gateways() {
        simulator.spawn_delivery_loop();
    }
    let jobs = jobs::spawn(&stage.app);
    let told = if args.json {
        output::print(&format!("{}\n", ready(&stage, database_url)))
    } else {
        output::print(&welcome(&stage, args))
    };
    if told.is_ok() {
        ending.wait().await;
    }
    drop(jobs);
    // The key was shown for this run; the next one shows its own.
    let revoked = service::revoke(&stage.app.db, &stage.app.clock, TENANT, stage.key.id).await;
    let struck = stage.strike().await;
    told?;
    revoked?;
    struck?;
    Ok(End::Done)
}

fn ready(stage: &Stage, database_url: &str) -> serde_json::Value {
    let gateways = stage.gateways().map(|(of, it)| (of.to_string(), json!(it.url())));
    let gateways: serde_json::Map<_, _> = gateways.collect();
    json!({
        "url": stage.url,
        "api_key": stage.key.key.secret().expose_secret(),
        "webhook_secret": stage.webhook_secret,
        "database_url": database_url,
        "gateways": gateways,
    })
}

/// The order of the example, in the order in which one thinks of it.
fn order(url: &str) -> String {
    let line = |vendor: &str, amount: i64| {
        let rates = r#""tax_percent":"5","commission_percent":"10""#;
        format!(r#"{{"vendor":"{vendor}","amount":{amount},{rates}}}"#)
    };
    let (dates, oud) = (line("ven_dates", 52_500), line("ven_oud", 21_000));
    let back = format!(r#""return_url":"{url}/healthz""#);
    format!(r#"{{"amount":73500,"currency":"AED",{CARD},{back},"lines":[{dates},{oud}]}}"#)
}

/// The gateways: where each is, and what in an order leads to it.
fn gateways(stage: &Stage) -> String {
    let way = |of: ProviderName| match OTHERS.iter().find(|(other, _)| *other == of) {
        Some((_, currency)) => {
            format!(r#""payment_method_type":"{}","currency":"{currency}""#, kind(of))
        }
        None => CARD.to_owned(),
    };
    let row = |(of, simulator): (ProviderName, &Simulator)| {
        format!("  {:<9}  {}   {}\n", title(of), simulator.url(), way(of))
    };
    stage.gateways().map(row).collect()
}

/// What to try, in lines that work when they are pasted into a shell with curl.
fn welcome(stage: &Stage, args: &Args) -> String {
    let url = &stage.url;
    let key = stage.key.key.secret().expose_secret();
    let call = format!("curl -s -u {key}: -H 'Content-Type: application/json'");
    let create = |order: &str, page: &str| {
        format!(
            "PI=$({call} -H \"Idempotency-Key: order-$(date +%s)\" -d '{order}' \
             {url}/v1/payment_intents | grep -o 'pi_[0-9a-f]*' | head -1); \
             PAGE=$({call} -H \"Idempotency-Key: confirm-$PI\" -d '{{}}' \
             {url}/v1/payment_intents/$PI/confirm | grep -o 'http[^\"]*/{page}/[^\"]*'); \
             echo \"$PI waits for its buyer at $PAGE\""
        )
    };
    let by_paypal = format!(r#""payment_method_type":"{}""#, kind(ProviderName::Paypal));
    let order = order(url);
    let elsewhere = order.replace(CARD, &by_paypal).replace("AED", Currency::USD.code());
    format!(
        "\n{title}\n\n  \
         service    {url}\n  \
         API key    {key}   (play money; good until this demo ends)\n  \
         interface  {url}/openapi.json\n\n\
         {five}\n{gateways}\n  \
         Each shows its records at /_sim/state. Those beside Stripe take the buyer's choice on\n  \
         the page (the next_action's url; at Razorpay, in the place of its script, it is\n  \
         /hosted/razorpay/{{provider_ref}}), or at /_sim/payments/{{provider_ref}}/pay as\n  \
         {{\"outcome\":\"paid\"}}.\n\n\
         {one}\n{first}\n\n\
         {two}\ncurl -s -o /dev/null -d outcome=approve \"$PAGE\"\n\n\
         {three}\ncurl -s -u {key}: {url}/v1/ledger/trial_balance\n\n\
         {four}\n{second}\n\
         curl -s -o /dev/null -d outcome=paid \"$PAGE\"\n\n\
         {also}\n\
         mizan ledger trial-balance --data {data}\n\
         mizan verify --data {data}\n\n\
         Ctrl-C ends it; what happened is kept in {data}.\n",
        title = output::bold(&format!("{MARKETPLACE} is open.")),
        five = output::bold("Five gateways, simulated, and what in an order leads to each"),
        gateways = gateways(stage),
        one = output::bold("1. An order from two vendors, paid with 3-D Secure"),
        first = create(&order, "3ds"),
        two = output::bold("2. The buyer approves: open the page in a browser, or"),
        three = output::bold("3. A second later the gateway's webhook is in the books"),
        four = output::bold(
            "4. The same order at PayPal; its buyer pays, and it is booked within seconds"
        ),
        second = create(&elsewhere, "hosted/paypal"),
        also = output::bold("The same books in the terminal, and their laws"),
        data = args.data.display(),
    )
}
