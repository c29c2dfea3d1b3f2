//! The reference of all gateways as a page: generated from the adapters' own tables, so that it
//! cannot say anything else than what they do.

use std::fmt::Write;

use mizan_money::Currency;
use mizan_providers::{Capabilities, Provider, ProviderName, Recovery, webhook_reader};

const HEAD: &str = "\
# Gateways

What each gateway can do, and what becomes of its words. Written by `mizan providers docs` from the
tables that the adapters read by; a test compares it.

A word that stands in no table is `unknown`: nothing is booked, and the gateway is asked again.
Amounts are minor units of ISO 4217 inside; what a gateway counts otherwise is converted both ways,
and what would lose precision is refused before anything is sent.

";

/// The whole page.
pub fn page() -> String {
    let readers: Vec<_> = ProviderName::ALL.iter().map(|name| webhook_reader(*name)).collect();
    let mut page = String::from(HEAD);
    let names: Vec<&str> = readers.iter().map(|it| it.name().as_str()).collect();
    table_head(&mut page, "capability", &names);
    for (what, of) in ROWS {
        let cells: Vec<String> = readers.iter().map(|it| of(it.capabilities())).collect();
        row(&mut page, what, &cells);
    }
    page.push_str("\n## Answers that were lost\n\n");
    page.push_str(
        "How an operation is brought to an end when nobody knows what came of it. `same key`: the \
         same\nrequest is recognised for so many hours. `find`: it is looked for by our own \
         reference, and once\nthe given time has passed \"nothing there\" means that nothing \
         happened. `sync`: the payment's state\ntells.\n\n",
    );
    table_head(&mut page, "operation", &names);
    for (what, of) in RECOVERIES {
        let cells: Vec<String> = readers.iter().map(|it| recovery(of(it.capabilities()))).collect();
        row(&mut page, what, &cells);
    }
    for reader in &readers {
        gateway(&mut page, reader.as_ref());
    }
    page
}

type Of<T> = fn(&Capabilities) -> T;

const ROWS: &[(&str, Of<String>)] = &[
    ("instrument is collected by", |it| it.checkout.to_string().replace('_', " ")),
    ("manual capture", |it| it.manual_capture.to_string()),
    ("partial capture", |it| it.partial_capture.to_string()),
    ("several captures", |it| it.multiple_captures.to_string()),
    ("void", |it| it.void.to_string()),
    ("refund", |it| it.refund.to_string()),
    ("partial refund", |it| it.partial_refund.to_string()),
    ("confirm later", |it| it.confirm_later.to_string()),
    ("save an instrument alone", |it| it.save_instrument.to_string()),
    ("keep it with a payment", |it| it.keep_instrument.to_string()),
    ("charge a saved one", |it| it.charge_saved.to_string()),
    ("forget it", |it| it.remove_instrument.to_string()),
    ("payouts", |it| it.payouts.to_string()),
    ("call a payout off", |it| it.cancel_payout.to_string()),
    ("transfers", |it| it.transfers.to_string()),
    ("read disputes", |it| it.read_disputes.to_string()),
    ("answer disputes", |it| it.answer_disputes.to_string()),
    ("settlement lines", |it| it.settlement.to_string().replace('_', " ")),
    ("fee known at once", |it| it.fee_at_once.to_string()),
    ("signed time in webhooks", |it| it.webhook_timestamp.to_string()),
    ("event id in webhooks", |it| it.webhook_event_id.to_string()),
    ("a webhook is a", |it| it.webhook_trust.to_string()),
];

const RECOVERIES: &[(&str, Of<Recovery>)] = &[
    ("create", |it| it.recovery.create),
    ("confirm", |it| it.recovery.confirm),
    ("capture", |it| it.recovery.capture),
    ("void", |it| it.recovery.void),
    ("refund", |it| it.recovery.refund),
    ("payout", |it| it.recovery.payout),
    ("transfer", |it| it.recovery.transfer),
];

fn recovery(of: Recovery) -> String {
    match of {
        Recovery::SameKey { hours } => format!("same key, {hours} h"),
        Recovery::Find { after_seconds: 0 } => "find".to_owned(),
        Recovery::Find { after_seconds } => format!("find, after {after_seconds} s"),
        Recovery::Sync => "sync".to_owned(),
        Recovery::Never => "–".to_owned(),
    }
}

fn gateway(page: &mut String, of: &dyn Provider) {
    let words = of.vocabulary();
    put(page, format_args!("\n## {}\n\nAddress: `{}`\n", of.name(), of.base_url()));
    currencies(page, of);
    map(page, "Payments", words.payment.iter().map(|(word, to)| (*word, to.as_str())));
    map(page, "Refunds", words.refund.iter().map(|(word, to)| (*word, to.as_str())));
    map(page, "Disputes", words.dispute.iter().map(|(word, to)| (*word, to.as_str())));
    map(page, "Payouts", words.payout.iter().map(|(word, to)| (*word, to.as_str())));
    map(page, "Settlement lines", words.settlement.iter().map(|(word, to)| (*word, to.as_str())));
    map(page, "Events", words.events.iter().map(|(word, to)| (*word, to.as_str())));
}

/// The currencies whose decimals there differ from ISO 4217, and how many are taken.
fn currencies(page: &mut String, of: &dyn Provider) {
    let all: Vec<Currency> = Currency::all().collect();
    let taken: Vec<Currency> =
        all.iter().copied().filter(|it| of.exponent(*it).is_some()).collect();
    put(page, format_args!("\nCurrencies: {} of {} in ISO 4217", taken.len(), all.len()));
    if taken.len() <= 40 {
        let codes: Vec<&str> = taken.iter().map(|it| it.code()).collect();
        put(page, format_args!(": {}", codes.join(", ")));
    }
    let differ = taken.iter().filter_map(|it| {
        let theirs = of.exponent(*it)?;
        (theirs != it.exponent()).then(|| format!("{} {theirs}", it.code()))
    });
    let differ: Vec<String> = differ.collect();
    match differ.is_empty() {
        true => page.push_str(".\n"),
        false => {
            let list = differ.join(", ");
            put(page, format_args!(". Decimals other than in ISO 4217: {list}.\n"));
        }
    }
}

fn map<'a>(page: &mut String, title: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    let rows: Vec<(&str, &str)> = rows.collect();
    if rows.is_empty() {
        return;
    }
    put(page, format_args!("\n{title}:\n\n| theirs | ours |\n|---|---|\n"));
    for (theirs, ours) in rows {
        put(page, format_args!("| `{theirs}` | {ours} |\n"));
    }
}

fn table_head(page: &mut String, first: &str, names: &[&str]) {
    put(page, format_args!("| {first} | {} |\n", names.join(" | ")));
    put(page, format_args!("|---|{}\n", "---|".repeat(names.len())));
}

fn row(page: &mut String, first: &str, cells: &[String]) {
    put(page, format_args!("| {first} | {} |\n", cells.join(" | ")));
}

/// Writing into a text does not fail.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _written = page.write_fmt(text);
}
