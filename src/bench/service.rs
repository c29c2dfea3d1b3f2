//! The service as users run it: `mizan serve` in a process of its own, with its default settings.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use mizan::auth::{CreateKey, Mode, Role};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::load::{Connection, request};
use super::memory;
use super::place::Books;
use crate::cli::end::Failure;
use crate::cli::service::{TENANT, make_key};

/// A debug build on a busy machine needs a while.
const START_PATIENCE: Duration = Duration::from_secs(60);
const END_PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How much of the log is shown when the service does not start.
const LOG_SHOWN: usize = 2_000;

/// What the service needs to speak to its gateway.
#[derive(Clone)]
pub struct Gateway {
    /// Where it is.
    pub url: String,
    /// The key for it.
    pub secret_key: String,
    /// What its webhooks are signed with.
    pub webhook_secret: String,
}

/// How careful commits are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Commits {
    /// On disk before they are answered. Everything that is measured is.
    Durable,
    /// On disk soon: for what is only prepared.
    Hasty,
}

/// A service that answers.
pub struct Service {
    child: Child,
    pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// The key for calls to it.
    pub key: SecretString,
}

impl Service {
    /// Starts it on these books and waits until it is ready.
    pub async fn start(
        books: &Books,
        gateway: &Gateway,
        commits: Commits,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let (db, clock) = (&books.app.db, &books.app.clock);
        let asked = CreateKey::new("benchmark", Mode::Test, Role::Admin);
        let made = make_key(db, clock, TENANT, &asked).await?;
        let address = free_address().await?;
        let log = folder.join("service.log");
        let url = match commits {
            Commits::Durable => books.url.clone(),
            Commits::Hasty => format!("{}?options[synchronous_commit]=off", books.url),
        };
        let mut command = command()?;
        command
            .arg("serve")
            .env("DATABASE_URL", url)
            .env("MIZAN_HTTP_LISTEN", address.to_string())
            .env("MIZAN_HTTP_KEY_REQUESTS_PER_MINUTE", "0")
            .env("MIZAN_STRIPE_BASE_URL", &gateway.url)
            .env("MIZAN_STRIPE_SECRET_KEY", &gateway.secret_key)
            .env("MIZAN_STRIPE_WEBHOOK_SECRETS", &gateway.webhook_secret)
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        let child = command.spawn().map_err(|error| format!("`setpriv` cannot be run: {error}"))?;
        let pid = child.id().ok_or("the service ended right away")?;
        let mut service = Self { child, pid, address, key: made.key.secret().clone() };
        match timeout(START_PATIENCE, service.until_ready()).await {
            Ok(Ok(())) => Ok(service),
            Ok(Err(failure)) => Err(format!("{failure}; it said:\n{}", tail(&log)).into()),
            Err(_) => Err(format!("the service is not ready; it said:\n{}", tail(&log)).into()),
        }
    }

    async fn until_ready(&mut self) -> Result<(), Failure> {
        let ask = request("GET", "/readyz", self.address, &[], "");
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the service ended ({status})").into());
            }
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection.send(&ask).await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The most memory that it held, in megabytes.
    pub fn peak_mb(&self) -> Option<f64> {
        memory::peak_mb(self.pid)
    }

    /// A caller of its interface on a connection of its own.
    pub async fn client(&self) -> Result<Client, Failure> {
        let authorization = format!("Bearer {}", self.key.expose_secret());
        Ok(Client {
            connection: Connection::open(self.address).await?,
            address: self.address,
            authorization: SecretString::from(authorization),
        })
    }

    /// Lets it come to its end.
    pub async fn stop(mut self) -> Result<(), Failure> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM)?;
        }
        timeout(END_PATIENCE, self.child.wait())
            .await
            .map_err(|_| "the service does not end")??;
        Ok(())
    }
}

/// This program again, which ends when this process does, in an environment without our settings.
fn command() -> Result<Command, Failure> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(own_program()?);
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_none_or(|name| name.starts_with("MIZAN_"));
        if ours || name == "DATABASE_URL" || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.kill_on_drop(true).stdin(Stdio::null());
    Ok(command)
}

fn own_program() -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?)
}

/// A loopback address that is free now.
async fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?)
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let start = text.len().saturating_sub(LOG_SHOWN);
    let start = (start..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    text[start..].to_owned()
}

/// Calls the interface.
pub struct Client {
    connection: Connection,
    address: SocketAddr,
    authorization: SecretString,
}

/// What a call came to.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// What the service says of its own time.
    pub own_time: Option<Duration>,
    /// The object, or the problem.
    pub body: Value,
}

impl Client {
    /// A POST under this key, as it goes over the wire.
    pub fn post_request(&self, path: &str, key: &str, body: &Value) -> Vec<u8> {
        let headers = [
            ("authorization", self.authorization.expose_secret()),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        request("POST", path, self.address, &headers, &body.to_string())
    }

    /// Sends a request that was made before, and answers the status alone.
    pub async fn send(&mut self, request: &[u8]) -> Result<u16, Failure> {
        Ok(self.connection.send(request).await?.status)
    }

    /// Posts.
    pub async fn post(&mut self, path: &str, key: &str, body: &Value) -> Result<Reply, Failure> {
        let request = self.post_request(path, key, body);
        self.call(&request).await
    }

    /// Reads.
    pub async fn get(&mut self, path: &str) -> Result<Reply, Failure> {
        let headers = [("authorization", self.authorization.expose_secret())];
        let request = request("GET", path, self.address, &headers, "");
        self.call(&request).await
    }

    async fn call(&mut self, request: &[u8]) -> Result<Reply, Failure> {
        let answer = self.connection.send(request).await?;
        let body = serde_json::from_slice(answer.body)?;
        Ok(Reply { status: answer.status, own_time: answer.own_time, body })
    }
}

impl Reply {
    /// The reply, if it has this code.
    pub fn expect(self, status: u16, what: &str) -> Result<Self, Failure> {
        match self.status == status {
            true => Ok(self),
            false => Err(format!("{what} was answered {}: {:#}", self.status, self.body).into()),
        }
    }

    /// A text of the object.
    pub fn text(&self, pointer: &str) -> Result<&str, Failure> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| format!("an answer without {pointer}: {:#}", self.body).into())
    }
}
