//! The line between service and gateway.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// The line between service and gateway: it keeps what is said and can be cut.
pub struct Wire {
    address: SocketAddr,
    gateway: SocketAddr,
    said: Said,
    line: Mutex<AbortHandle>,
}

type Said = Arc<Mutex<Vec<Vec<u8>>>>;

/// One request as it went over the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// `POST /v1/refunds`.
    pub line: String,
    /// The gateway's idempotency key.
    pub key: Option<String>,
}

impl Wire {
    pub async fn to(gateway: SocketAddr) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, said) = (listener.local_addr().unwrap(), Said::default());
        let line = Mutex::new(relay_all(listener, gateway, Arc::clone(&said)));
        Wire { address, gateway, said, line }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on nobody answers: connections are refused.
    pub async fn cut(&self) {
        self.line.lock().unwrap().abort();
        // The listener is gone when the task is.
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    /// The line is there again.
    pub async fn mend(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        *self.line.lock().unwrap() = relay_all(listener, self.gateway, Arc::clone(&self.said));
    }

    /// What was asked so far, connection by connection.
    pub fn sent(&self) -> Vec<Sent> {
        self.said.lock().unwrap().iter().flat_map(|bytes| requests(bytes)).collect()
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.sent().len()
    }

    /// How many of them were this one, such as `POST /v1/refunds`.
    pub fn count_of(&self, line: &str) -> usize {
        self.sent().iter().filter(|sent| sent.line == line).count()
    }
}

fn relay_all(listener: TcpListener, gateway: SocketAddr, said: Said) -> AbortHandle {
    let task = tokio::spawn(async move {
        let mut calls = JoinSet::new();
        while let Ok((ours, _)) = listener.accept().await {
            calls.spawn(relay(ours, gateway, Arc::clone(&said)));
        }
    });
    task.abort_handle()
}

/// Carries bytes both ways until one side ends; then the other ends too.
async fn relay(ours: TcpStream, gateway: SocketAddr, said: Said) {
    let Ok(theirs) = TcpStream::connect(gateway).await else { return };
    let place = {
        let mut said = said.lock().unwrap();
        said.push(Vec::new());
        said.len() - 1
    };
    let (mut our_read, mut our_write) = ours.into_split();
    let (mut their_read, mut their_write) = theirs.into_split();
    let up = async {
        let mut buffer = [0; 8_192];
        while let Ok(count @ 1..) = our_read.read(&mut buffer).await {
            said.lock().unwrap()[place].extend_from_slice(&buffer[..count]);
            if their_write.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = up => {}
        _ = tokio::io::copy(&mut their_read, &mut our_write) => {}
    }
}

/// Reads HTTP/1.1 requests out of the bytes of one connection.
fn requests(mut bytes: &[u8]) -> Vec<Sent> {
    let mut sent = Vec::new();
    while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let header = |name: &str| {
            let named = head.lines().filter_map(|line| line.split_once(": "));
            let mut found = named.filter(|(n, _)| n.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.to_owned())
        };
        let line = head.lines().next().unwrap_or_default();
        let line = line.trim_end_matches(" HTTP/1.1").split('?').next().unwrap_or_default();
        sent.push(Sent { line: line.to_owned(), key: header("idempotency-key") });
        let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        bytes = bytes.get(end + 4 + length..).unwrap_or_default();
    }
    sent
}
