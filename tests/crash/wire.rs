//! A line that can be cut at a chosen word, and tells somebody to die at that word.
//!
//! Both lines of the service lead through one of these: to its database over a Unix socket, to
//! its gateway over TCP. A [`Trap`] says at which question something happens, and whether the
//! other side still hears that question.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::grammar::{Asks, Grammar, Http, Postgres};

/// Nobody takes longer for an answer that is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// On which side of a question something happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The other side never hears it.
    Before,
    /// The other side has answered it, and nobody hears that answer.
    After,
}

/// What happens, told the server's process. The line is cut in any case.
pub type Strike = Arc<dyn Fn(i32) + Send + Sync>;

/// When something happens, and what.
pub struct Trap {
    /// The only questions that count, where not all do.
    pub only: Option<Asks>,
    /// The number of the question, from 1.
    pub nth: u32,
    pub side: Side,
    pub strike: Strike,
}

/// One line, with all its connections.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    trap: Mutex<Option<Trap>>,
    questions: AtomicU32,
    commits: AtomicU32,
}

impl Wire {
    /// A Unix socket at `at` that leads to the PostgreSQL at `to`.
    pub fn to_postgres(at: &Path, to: PathBuf) -> Wire {
        let wire = Wire { inner: Arc::default() };
        let (listener, inner) = (UnixListener::bind(at).unwrap(), Arc::clone(&wire.inner));
        tokio::spawn(async move {
            while let Ok((ours, _)) = listener.accept().await {
                let (inner, to) = (Arc::clone(&inner), to.clone());
                tokio::spawn(async move {
                    if let Ok(theirs) = UnixStream::connect(to).await {
                        relay(ours, theirs, &inner, Grammar::Postgres(Postgres::default())).await;
                    }
                });
            }
        });
        wire
    }

    /// A loopback address that leads to the gateway at `to`.
    pub async fn to_gateway(to: SocketAddr) -> (Wire, SocketAddr) {
        let wire = Wire { inner: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, inner) = (listener.local_addr().unwrap(), Arc::clone(&wire.inner));
        tokio::spawn(async move {
            while let Ok((ours, _)) = listener.accept().await {
                let inner = Arc::clone(&inner);
                tokio::spawn(async move {
                    if let Ok(theirs) = TcpStream::connect(to).await {
                        relay(ours, theirs, &inner, Grammar::Http(Http::default())).await;
                    }
                });
            }
        });
        (wire, address)
    }

    /// Sets a trap in place of the one that may lie there, and counts questions from now.
    pub fn lay(&self, trap: Trap) {
        *self.inner.trap.lock().unwrap() = Some(trap);
    }

    /// Takes the trap away; answers whether it was still there.
    pub fn lift(&self) -> bool {
        self.inner.trap.lock().unwrap().take().is_some()
    }

    /// Whether the trap has not sprung yet.
    pub fn is_laid(&self) -> bool {
        self.inner.trap.lock().unwrap().is_some()
    }

    /// How many questions were asked since the beginning, and how many of them were commits.
    pub fn questions(&self) -> (u32, u32) {
        let count = |count: &AtomicU32| count.load(Ordering::SeqCst);
        (count(&self.inner.questions), count(&self.inner.commits))
    }
}

impl Inner {
    /// Counts a question; answers the trap that it is caught in.
    fn count(&self, asks: Asks) -> Option<Trap> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        self.commits.fetch_add(u32::from(asks == Asks::Commit), Ordering::SeqCst);
        let mut laid = self.trap.lock().unwrap();
        let trap = laid.as_mut().filter(|trap| trap.only.is_none_or(|only| only == asks))?;
        trap.nth = trap.nth.saturating_sub(1);
        if trap.nth == 0 { laid.take() } else { None }
    }
}

/// Carries bytes both ways until one side ends or a trap springs; then both lines end.
async fn relay<C, S>(client: C, server: S, inner: &Inner, mut grammar: Grammar)
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (mut client_reads, mut client_writes) = split(client);
    let (mut server_reads, mut server_writes) = split(server);
    let (mut asked, mut answered) = (vec![0; 16_384], vec![0; 16_384]);
    loop {
        tokio::select! {
            read = client_reads.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                for piece in grammar.asked(&asked[..count]) {
                    let trap = piece.asks.and_then(|asks| inner.count(asks));
                    let heard = trap.as_ref().is_none_or(|trap| trap.side == Side::After);
                    if heard && server_writes.write_all(&piece.bytes).await.is_err() {
                        return;
                    }
                    if let Some(trap) = trap {
                        if trap.side == Side::After {
                            hear_out(&mut server_reads, &mut grammar).await;
                        }
                        return (trap.strike)(grammar.backend());
                    }
                }
            }
            read = server_reads.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                grammar.answered(&answered[..count]);
                if client_writes.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits until everything that was asked is answered, and keeps the answers to itself.
async fn hear_out(server: &mut (impl AsyncRead + Unpin), grammar: &mut Grammar) {
    let mut answered = vec![0; 16_384];
    let all = async {
        while grammar.waiting() > 0 {
            let Ok(count @ 1..) = server.read(&mut answered).await else { return };
            grammar.answered(&answered[..count]);
        }
    };
    // One that never answers has its line cut all the same.
    let _late = tokio::time::timeout(ANSWER_WITHIN, all).await;
}
