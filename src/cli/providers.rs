//! `mizan providers`: what each gateway can do, and what is made of recorded exchanges.

use std::fs;
use std::path::{Path, PathBuf};

use mizan::clock::Clock;
use mizan_money::Timestamp;
use mizan_providers::check::{Recording, Verdict, check};
use mizan_providers::{ProviderName, webhook_reader};
use serde_json::json;

mod docs;

use super::end::{CommandResult, End, Failure};
use super::output::{self, Format};
use super::webhooks::moment;

/// Most files that one call looks at.
const FILES_MAX: usize = 10_000;
/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How a file with the headers of the body beside it is called.
const HEADERS: &str = ".headers.json";

/// The commands about gateways.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the gateways and what they can do
    List(Format),
    /// Print the reference of all gateways, docs/PROVIDERS.md
    Docs,
    /// Say what is made of recorded deliveries and answers, one JSON line per file
    ///
    /// A file is a body with its NAME.headers.json beside it; or an envelope with `message`, or
    /// `response` and perhaps `request`, and the `config` of the receiver; or an object of a
    /// gateway alone, in a folder named as the gateway. A folder is read with all below it.
    Check(CheckArgs),
}

/// Recordings to check.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Verify as of this time (RFC 3339, or seconds since 1970) where a file does not say its own
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<Timestamp>,
}

/// Runs a command about gateways.
pub fn run(command: &Command) -> CommandResult {
    match command {
        Command::List(format) => list(*format),
        Command::Docs => {
            output::print(&docs::page())?;
            Ok(End::Done)
        }
        Command::Check(args) => check_all(args),
    }
}

fn list(format: Format) -> CommandResult {
    let readers: Vec<_> = ProviderName::ALL.iter().map(|name| webhook_reader(*name)).collect();
    if format.json {
        let all = readers.iter().map(|it| (it.name().as_str(), json!(it.capabilities())));
        output::print_json(&serde_json::Map::from_iter(all.map(|(k, v)| (k.to_owned(), v))))?;
        return Ok(End::Done);
    }
    let rows = readers.iter().map(|it| {
        let can = it.capabilities();
        let words = [can.manual_capture, can.void, can.partial_refund, can.payouts];
        let mut row = vec![it.name().to_string(), can.checkout.to_string()];
        row.extend(words.iter().map(ToString::to_string));
        row.push(it.base_url().to_owned());
        row
    });
    let headline =
        ["gateway", "checkout", "manual capture", "void", "partial refund", "payouts", "address"];
    output::print(&format!("{}\n", output::table(&headline, &[], rows.collect())))?;
    Ok(End::Done)
}

fn check_all(args: &CheckArgs) -> CommandResult {
    let mut files = Vec::new();
    for path in &args.paths {
        gather(path, &mut files)?;
    }
    files.sort();
    files.dedup();
    let now = args.now.unwrap_or_else(|| Clock::system().now());
    let mut failed = false;
    for file in &files {
        match one(file, now) {
            Ok(verdict) => output::print(&format!("{}\n", serde_json::to_string(&verdict)?))?,
            Err(failure) => {
                failed = true;
                let told =
                    json!({ "file": file.display().to_string(), "error": failure.to_string() });
                output::print(&format!("{told}\n"))?;
            }
        }
    }
    Ok(if failed { End::Failed } else { End::Done })
}

/// Every recording below a path; of a body and its headers, the body.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let told = |error| format!("cannot read {}: {error}", path.display());
    if !fs::metadata(path).map_err(told)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(told)? {
        let entry = entry.map_err(told)?;
        let (inner, kind) = (entry.path(), entry.file_type().map_err(told)?);
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() {
            gather(&inner, files)?;
        } else if name.ends_with(".json") && !name.ends_with(HEADERS) {
            files.push(inner);
        }
        if files.len() > FILES_MAX {
            return Err(format!("more than {FILES_MAX} files: name fewer").into());
        }
    }
    Ok(())
}

fn one(file: &Path, now: Timestamp) -> Result<Verdict, Failure> {
    let bytes = read(file)?;
    let stem = file.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    let beside = file.with_file_name(format!("{stem}{HEADERS}"));
    let headers = if beside.exists() { Some(read(&beside)?) } else { None };
    let recording = Recording { path: file, bytes: &bytes, headers: headers.as_deref() };
    Ok(check(&recording, now)?)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let told = |error| format!("cannot read {}: {error}", file.display());
    if fs::metadata(file).map_err(told)?.len() > BYTES_MAX {
        return Err(format!("{} has more than {BYTES_MAX} bytes", file.display()).into());
    }
    Ok(fs::read(file).map_err(told)?)
}
