//! `mizan ledger`: the chart, balances, a statement, the trial balance, closed days.

mod import;
pub mod time;

use mizan::db::{Db, work};
use mizan::payments::PaymentError;
use mizan_ledger::chart::{CHART, Floor, Line};
use mizan_ledger::read::{self, Account, Cursor, Detail, Page, StatementLine, TrialLine};
use mizan_ledger::{AccountRef, Side};
use mizan_money::{Currency, TenantId};
use serde_json::{Value, json};

use super::database::Place;
use super::end::{CommandResult, End};
use super::output::{self, Format};
use super::service;
use import::ImportArgs;
use time::{CloseArgs, Days, PeriodsArgs, When};

/// Accounts that are read at once.
const PAGE: u16 = 500;

/// The commands about the books.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print the chart of accounts
    Chart(Format),
    /// Print what docs/LEDGER.md holds: chart, postings, guarantees
    Docs,
    /// Print the balance of one account, or of all
    Balance(BalanceArgs),
    /// Print an account's entries, newest first
    Statement(StatementArgs),
    /// Print the trial balance
    TrialBalance(TrialArgs),
    /// Close all days up to and with one
    Close(CloseArgs),
    /// Print which days are closed
    Periods(PeriodsArgs),
    /// Draft a journal from a file: what there was before the first day, or another book
    Import(ImportArgs),
}

/// Whose books, and how they are told.
#[derive(Debug, clap::Args)]
pub struct Books {
    /// The tenant whose books they are
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Which balances.
#[derive(Debug, clap::Args)]
pub struct BalanceArgs {
    /// The account, e.g. `vendor_payable:ven_1:pending`; without it all
    account: Option<String>,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    books: Books,
}

/// Which trial balance.
#[derive(Debug, clap::Args)]
pub struct TrialArgs {
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    books: Books,
}

/// Which statement.
#[derive(Debug, clap::Args)]
pub struct StatementArgs {
    /// The account, e.g. `gateway_clearing:stripe`
    account: String,
    /// The currency
    #[arg(long, default_value = "AED")]
    currency: String,
    /// How many entries at most; with --from how many transactions
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    days: Days,
    #[command(flatten)]
    books: Books,
}

/// Runs a command about the books.
pub fn run(command: Command) -> CommandResult {
    match command {
        Command::Chart(format) => chart(format),
        Command::Docs => {
            output::print(&mizan::books::reference())?;
            Ok(End::Done)
        }
        Command::Balance(args) => args.books.place.read(async |db| balance(&args, db).await),
        Command::Statement(args) => args.books.place.read(async |db| statement(&args, db).await),
        Command::TrialBalance(args) => args.books.place.read(async |db| trial(&args, db).await),
        Command::Close(args) => time::close_days(&args),
        Command::Periods(args) => time::list_periods(&args),
        Command::Import(args) => import::import(&args),
    }
}

/// Prints one or the other.
pub fn show(format: Format, json: Value, text: String) -> CommandResult {
    match format.json {
        true => output::print_json(&json)?,
        false => output::print(&format!("{text}\n"))?,
    }
    Ok(End::Done)
}

fn chart(format: Format) -> CommandResult {
    let floor = |line: &Line| match line.floor {
        Floor::Zero => "zero",
        Floor::None => "none",
    };
    let json = CHART.iter().map(|line| {
        json!({
            "code": line.code, "name": line.name, "class": line.class.name(),
            "path": line.form(), "floor": floor(line), "meaning": line.meaning,
        })
    });
    let rows = CHART.iter().map(|line| {
        let cells = [line.form(), line.class.name().to_owned(), floor(line).to_owned()];
        let mut row = vec![line.code.to_string()];
        row.extend(cells);
        row.push(line.meaning.to_owned());
        row
    });
    let headline = ["code", "account", "class", "floor", "what it is for"];
    show(format, json.collect(), output::table(&headline, &[], rows.collect()))
}

/// Every account with entries, in the order of their paths.
pub async fn accounts(db: &Db, tenant: TenantId) -> Result<Vec<Account>, PaymentError> {
    let (mut accounts, mut cursor) = (Vec::<Account>::new(), Cursor::Start);
    loop {
        let page = Page { limit: PAGE, cursor };
        let listed = db
            .read("accounts", tenant, |tx| {
                work(async move {
                    let listed = read::accounts(tx, tenant, None, page).await?;
                    Ok::<_, PaymentError>(listed)
                })
            })
            .await?;
        let Some(listed) = listed else { return Ok(accounts) };
        accounts.extend(listed.data);
        match accounts.last() {
            Some(last) if listed.has_more => cursor = Cursor::After(last.id.uuid()),
            _ => return Ok(accounts),
        }
    }
}

async fn balance(args: &BalanceArgs, db: Db) -> CommandResult {
    let wanted = args.account.as_deref().map(AccountRef::parse).transpose()?;
    if let Some(as_of) = args.when.as_of() {
        let wanted = wanted.ok_or("name an account; for all there is `trial-balance`")?;
        let tenant = TenantId(args.books.tenant);
        return time::balance(tenant, args.books.format, &wanted, as_of, db).await;
    }
    let mut found = accounts(&db, TenantId(args.books.tenant)).await?;
    found.retain(|account| wanted.as_ref().is_none_or(|wanted| account.account == *wanted));
    if let (Some(wanted), true) = (&wanted, found.is_empty()) {
        return Err(format!("{} has no entry", wanted.path()).into());
    }
    let json = found.iter().map(|account| {
        let side = account.line().class.normal_side().name();
        json!({
            "account": account.account.path(), "currency": account.currency,
            "balance": account.balance().minor(), "normal_side": side,
            "debits": account.debits, "credits": account.credits, "entries": account.entries,
        })
    });
    let rows = found.iter().map(|account| {
        vec![
            account.account.path().to_owned(),
            output::grouped(account.balance()),
            account.currency.to_string(),
            account.entries.to_string(),
        ]
    });
    let headline = ["account", "balance", "currency", "entries"];
    show(args.books.format, json.collect(), output::table(&headline, &[1, 3], rows.collect()))
}

async fn statement(args: &StatementArgs, db: Db) -> CommandResult {
    let wanted = &AccountRef::parse(&args.account)?;
    let currency = Currency::parse(&args.currency)?;
    let (tenant, page) =
        (TenantId(args.books.tenant), Page { limit: args.limit, cursor: Cursor::Start });
    if let Some(asked) = args.days.asked()? {
        let (format, account) = (args.books.format, (wanted, currency));
        return time::statement(tenant, format, account, asked, args.limit, db).await;
    }
    let listed = db
        .read("statement", tenant, |tx| {
            work(async move {
                let account = read::account_at(tx, tenant, wanted, currency).await?;
                let Some(account) = account else { return Ok(None) };
                let listed = read::statement(tx, tenant, account.id, page).await?;
                Ok::<_, PaymentError>(listed)
            })
        })
        .await?;
    let Some(listed) = listed else {
        return Err(format!("{} has no entry in {currency}", wanted.path()).into());
    };
    let json = json!({
        "account": wanted.path(), "currency": currency, "has_more": listed.has_more,
        "data": listed.data.iter().map(entry_json).collect::<Value>(),
    });
    let rows = listed.data.iter().map(entry_row).collect();
    let headline = ["recorded", "journal", "kind", "source", "debit", "credit", "balance"];
    show(args.books.format, json, output::table(&headline, &[1, 4, 5, 6], rows))
}

/// One line of a statement.
pub fn entry_json(line: &StatementLine) -> Value {
    json!({
        "transaction": line.transaction, "position": line.position, "kind": line.kind,
        "source": line.source, "effective_at": line.effective_at,
        "recorded_at": line.recorded_at, "seq": line.seq, "side": line.side.name(),
        "amount": line.amount.minor(), "balance_after": line.balance_after.minor(),
    })
}

fn entry_row(line: &StatementLine) -> Vec<String> {
    let on = |side| if line.side == side { output::grouped(line.amount) } else { String::new() };
    vec![
        line.recorded_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        line.position.to_string(),
        line.kind.clone(),
        line.source.clone(),
        on(Side::Debit),
        on(Side::Credit),
        output::grouped(line.balance_after),
    ]
}

async fn trial(args: &TrialArgs, db: Db) -> CommandResult {
    let (books, tenant) = (&args.books, TenantId(args.books.tenant));
    let (lines, below) = match args.when.as_of() {
        Some(as_of) => {
            let (lines, words) = time::trial(tenant, as_of, &db).await?;
            (lines, format!("\n\n{words}"))
        }
        None => (trial_now(tenant, &db).await?, String::new()),
    };
    let json = lines.iter().map(|line| {
        json!({
            "account": line.path, "code": line.line.code, "currency": line.currency,
            "debit": line.debit.to_string(), "credit": line.credit.to_string(),
        })
    });
    let rows = lines.iter().map(trial_row).collect();
    let headline = ["code", "account", "debit", "credit", "currency"];
    let table = output::table(&headline, &[2, 3], rows);
    show(books.format, json.collect(), format!("{table}{below}"))
}

async fn trial_now(tenant: TenantId, db: &Db) -> Result<Vec<TrialLine>, PaymentError> {
    db.read("trial_balance", tenant, |tx| {
        work(async move { Ok(read::trial_balance(tx, tenant, Detail::Account).await?) })
    })
    .await
}

fn trial_row(line: &TrialLine) -> Vec<String> {
    let (debit, credit) = (wide(line.debit, line.currency), wide(line.credit, line.currency));
    let (code, path) = (line.line.code.to_string(), line.path.clone());
    vec![code, path, debit, credit, line.currency.to_string()]
}

/// A sum that may be wider than an amount; nothing where it is nothing.
pub fn wide(minor: i128, currency: Currency) -> String {
    match i64::try_from(minor) {
        Ok(0) => String::new(),
        Ok(minor) => output::grouped(mizan_money::Money::new(minor, currency)),
        Err(_) => format!("{minor} minor units"),
    }
}
