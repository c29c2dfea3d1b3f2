//! `mizan ledger import`: a book carried over, drafted from a file.

use std::path::PathBuf;

use mizan::audit::{self, Doer};
use mizan::db::work;
use mizan::finance::FinanceError;
use mizan::finance::journals::{IMPORT_MAX, JournalKind, Maker, NewJournal, draft};
use mizan_ledger::{AccountRef, Leg, Side};
use mizan_money::{Currency, TenantId, Timestamp, parse_amount};
use serde_json::json;

use super::super::database::Place;
use super::super::end::CommandResult;
use super::super::output::Format;
use super::super::service;
use super::show;
use super::time::moment;

/// What is put down as the maker: no API key, so that any key may approve it.
const ACTOR: &str = "command line";
/// The columns, in this order.
const HEADLINE: &str = "account,side,amount,currency";
/// Longer than any ten thousand lines.
const BYTES_MAX: u64 = 4 << 20;

/// Which book.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// A CSV file with the columns account,side,amount,currency; amounts in major units
    file: PathBuf,
    /// What it is: what there was before the first day, or a book of another system
    #[arg(long = "as", value_name = "KIND", value_parser = ["opening", "import"])]
    kind: String,
    /// When it counts, e.g. 2026-01-01T00:00:00+04:00; else now
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    effective_at: Option<Timestamp>,
    /// Why, for whoever approves it
    #[arg(long)]
    reason: Option<String>,
    /// The tenant whose books they are
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Drafts a journal of a file; a key approves it.
pub fn import(args: &ImportArgs) -> CommandResult {
    if std::fs::metadata(&args.file).is_ok_and(|it| it.len() > BYTES_MAX) {
        return Err(format!("{} is longer than {BYTES_MAX} bytes", args.file.display()).into());
    }
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| format!("{}: {error}", args.file.display()))?;
    let legs = legs(&text)?;
    args.place.read(async |db| {
        let tenant = TenantId(args.tenant);
        let now = service::now_for(&db, tenant).await?;
        let name = &args.file.file_name().unwrap_or_default().to_string_lossy();
        let new = &NewJournal {
            kind: JournalKind::from_word(&args.kind).unwrap_or(JournalKind::Import),
            reason: args.reason.clone().unwrap_or_else(|| format!("from the file {name}")),
            effective_at: args.effective_at.unwrap_or(now),
            corrects: None,
            legs: legs.clone(),
        };
        let maker = &Maker { name: ACTOR.to_owned(), now };
        let drafted = db.transaction("import_journal", tenant, |tx| {
            work(async move {
                let drafted = draft(tx, tenant, maker, new).await?;
                let id = drafted.journal.id.to_string();
                let doer = Doer::at_the_machine("ledger import", Some(id));
                audit::note(tx, tenant, &doer, &json!({ "file": name }), now).await?;
                Ok::<_, FinanceError>(drafted)
            })
        });
        let journal = drafted.await?.journal;
        let json = json!({
            "journal": journal.id, "kind": journal.kind.as_str(), "status": "draft",
            "entries": journal.entry_count, "effective_at": journal.effective_at,
        });
        let text = format!(
            "{} is drafted with {} entries. Nothing is booked before a key approves it:\n\
             POST /v1/journals/{}/approve",
            journal.id, journal.entry_count, journal.id
        );
        show(args.format, json, text)
    })
}

/// The entries of a file, or the line that is none.
fn legs(text: &str) -> Result<Vec<Leg>, String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let headline = lines.next().unwrap_or_default().trim_end();
    if headline != HEADLINE {
        return Err(format!("the first line must be `{HEADLINE}`"));
    }
    let mut legs = Vec::new();
    for (n, line) in lines.enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if legs.len() == IMPORT_MAX {
            return Err(format!("there are more than {IMPORT_MAX} entries: make two files"));
        }
        legs.push(leg(line).map_err(|what| format!("line {}: {what}", n + 2))?);
    }
    Ok(legs)
}

fn leg(line: &str) -> Result<Leg, String> {
    let fields: Vec<&str> = line.split(',').map(|it| it.trim().trim_matches('"')).collect();
    let [account, side, amount, currency] = fields.as_slice() else {
        return Err(format!("it has {} fields; {HEADLINE} are 4", fields.len()));
    };
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let account = AccountRef::parse(account).map_err(|error| said(&error))?;
    let side = match *side {
        "debit" => Side::Debit,
        "credit" => Side::Credit,
        _ => return Err("a side is `debit` or `credit`".to_owned()),
    };
    let currency = Currency::parse(currency).map_err(|error| said(&error))?;
    let amount = parse_amount(amount, currency).map_err(|error| said(&error))?;
    if !amount.is_positive() {
        return Err("an amount is above zero: use the other side".to_owned());
    }
    Ok(Leg { account, side, amount })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_line_by_line_and_a_wrong_one_is_named() {
        let read = |rest: &str| legs(&format!("{HEADLINE}\n{rest}"));
        let two = read("bank:main,debit,1000.50,AED\r\n\nsuspense:bank,credit,1000.5,AED\n");
        let told: Vec<String> = two
            .iter()
            .flatten()
            .map(|leg| format!("{} {} {}", leg.side.name(), leg.account, leg.amount))
            .collect();
        assert_eq!(told, ["debit bank:main 1000.50 AED", "credit suspense:bank 1000.50 AED"]);
        for (rest, says) in [
            ("bank:main,debit,1.00", "line 2: it has 3 fields"),
            ("bank:main,Debit,1.00,AED", "line 2: a side is"),
            ("\nbank,debit,1.00,AED", "line 3: "),
            ("bank:main,debit,1.001,AED", "line 2: AED has 2 decimals"),
            ("bank:main,debit,0.00,AED", "line 2: an amount is above zero"),
            ("bank:main,debit,-1.00,AED", "line 2: an amount is above zero"),
            ("bank:main,debit,1.00,XXX", "line 2: "),
        ] {
            let refused = read(rest).err().unwrap_or_default();
            assert!(refused.contains(says), "{rest}: {refused}");
        }
        assert!(legs("account;side;amount;currency\n").is_err());
    }
}
