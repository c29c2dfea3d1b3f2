//! `mizan doctor`: tries what a start needs, and says what is missing.

use std::net::{SocketAddr, TcpListener};

use mizan::config::Config;
use mizan::db::Db;
use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::database::{Place, runtime};
use super::end::{CommandResult, End, Failure};
use super::gateways;
use super::output::{self, Format};
use crate::stage::scratch::Scratch;

/// What is to be examined.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: Format,
}

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Grade {
    Ok,
    Note,
    Missing,
}

#[derive(Serialize)]
struct Finding {
    what: &'static str,
    grade: Grade,
    says: String,
}

/// Examines the machine and the settings.
pub fn run(args: &Args) -> CommandResult {
    let mut findings = Vec::new();
    match Config::load(args.place.config.as_deref()) {
        Err(error) => findings.push(missing("settings", Failure::from(error))),
        Ok(config) => {
            findings.push(fine("settings", "can be read".to_owned()));
            findings.push(match &config.database.url {
                Some(url) => named_database(url.expose_secret(), &config),
                None => private_database(),
            });
            findings.push(port(config.http.listen));
            findings.extend(gateway_findings(&config));
        }
    }
    if args.format.json {
        output::print_json(&findings)?;
    } else {
        output::print(&findings.iter().map(line).collect::<String>())?;
    }
    let missing = findings.iter().any(|finding| finding.grade == Grade::Missing);
    Ok(if missing { End::Failed } else { End::Done })
}

fn line(finding: &Finding) -> String {
    let word = match finding.grade {
        Grade::Ok => "ok",
        Grade::Note => "note",
        Grade::Missing => "MISSING",
    };
    format!(
        "{word:<8} {:<12} {}\n",
        finding.what,
        finding.says.replace('\n', "\n                      ")
    )
}

fn fine(what: &'static str, says: String) -> Finding {
    Finding { what, grade: Grade::Ok, says }
}

fn missing(what: &'static str, failure: Failure) -> Finding {
    Finding { what, grade: Grade::Missing, says: failure.to_string() }
}

/// Starts a private PostgreSQL in a folder of its own: the one test that leaves no doubt.
fn private_database() -> Finding {
    let tried = Scratch::make().map_err(Failure::from).and_then(|scratch| {
        let options = ClusterOptions::throwaway(scratch.path());
        let cluster = PrivateCluster::start_or_attach(options)?;
        Ok(cluster.stop()?)
    });
    match tried {
        Ok(()) => fine("PostgreSQL", "a private server starts and stops here".to_owned()),
        Err(failure) => missing("PostgreSQL", failure),
    }
}

fn named_database(url: &str, config: &Config) -> Finding {
    let tried = runtime().and_then(|runtime| {
        runtime.block_on(async {
            let _connection = Db::connect_as_owner(url).await?;
            let db = Db::connect(url, &config.db_options()).await?;
            Ok(db.schema_state().await?)
        })
    });
    match tried {
        Ok(state) => fine("database", format!("answers; the schema is {state:?}").to_lowercase()),
        Err(failure) => missing("database", failure),
    }
}

fn port(address: SocketAddr) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => fine("port", format!("{address} is free")),
        Err(error) => {
            let says = format!("{address}: {error}; MIZAN_HTTP_LISTEN names another");
            Finding { what: "port", grade: Grade::Note, says }
        }
    }
}

fn gateway_findings(config: &Config) -> Vec<Finding> {
    let note = |says: String| Finding { what: "gateways", grade: Grade::Note, says };
    gateways::missing(config)
        .into_iter()
        .map(|missing| note(format!("not set: {missing}")))
        .collect()
}
