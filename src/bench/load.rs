//! A small HTTP client: one kept connection, one request at a time, as little work as can be.
//!
//! It shares two cores with what it measures, so it does no more than a caller must: it writes
//! the request in one piece and reads the answer by its length.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::end::Failure;

/// Longer than the service lets any request be at work.
const PATIENCE: Duration = Duration::from_secs(70);
/// The longest answer that is read.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
const HEADERS_MAX: usize = 64;

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    /// What arrived; the last answer is its beginning.
    read: Vec<u8>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// What the service says of its own time, in the header `Server-Timing`.
    pub own_time: Option<Duration>,
    /// The body.
    pub body: &'a [u8],
}

/// Where an answer's parts are.
struct Shape {
    status: u16,
    own_time: Option<Duration>,
    body_start: usize,
    body_end: usize,
}

/// A request as it goes over the wire.
pub fn request(
    method: &str,
    path: &str,
    host: SocketAddr,
    headers: &[(&str, &str)],
    body: &str,
) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

impl Connection {
    /// Connects.
    pub async fn open(to: SocketAddr) -> Result<Self, Failure> {
        let stream = timeout(PATIENCE, TcpStream::connect(to)).await??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(8 * 1024) })
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    /// No answer in time, an end in the middle, or an answer without its length.
    pub async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        let Self { stream, read } = self;
        let shape = timeout(PATIENCE, exchange(stream, read, request)).await??;
        let Shape { status, own_time, body_start, body_end } = shape;
        Ok(Answer { status, own_time, body: &self.read[body_start..body_end] })
    }
}

async fn exchange(
    stream: &mut TcpStream,
    read: &mut Vec<u8>,
    request: &[u8],
) -> Result<Shape, Failure> {
    read.clear();
    stream.write_all(request).await?;
    loop {
        if let Some(shape) = shape_of(read)?
            && read.len() >= shape.body_end
        {
            return Ok(shape);
        }
        if read.len() > ANSWER_MAX {
            return Err(format!("an answer is longer than {ANSWER_MAX} bytes").into());
        }
        if stream.read_buf(read).await? == 0 {
            return Err("the connection ended in the middle of an answer".into());
        }
    }
}

/// Reads the headers, once they are there.
fn shape_of(read: &[u8]) -> Result<Option<Shape>, Failure> {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&read[..end])?;
    let mut lines = head.split("\r\n").take(HEADERS_MAX);
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or("an answer has no status")?;
    let (mut length, mut own_time) = (None, None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<usize>().ok();
        } else if name.eq_ignore_ascii_case("server-timing") {
            own_time = app_time(value);
        }
    }
    let body_start = end + 4;
    let length = length.ok_or_else(|| format!("an answer has no length: {head}"))?;
    Ok(Some(Shape { status, own_time, body_start, body_end: body_start.saturating_add(length) }))
}

/// `app;dur=1.234, gateway;dur=20.000`: the first, which leaves the second out.
fn app_time(value: &str) -> Option<Duration> {
    let app = value.split(',').find_map(|part| part.trim().strip_prefix("app;dur="))?;
    let (whole, thousandths) = app.split_once('.')?;
    let whole: u64 = whole.parse().ok()?;
    (thousandths.len() == 3).then_some(())?;
    Some(Duration::from_micros(whole * 1_000 + thousandths.parse::<u64>().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_in_pieces_is_put_together_and_the_connection_is_kept() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = vec![0; 4_096];
            for piece in 0..2 {
                let many = stream.read(&mut seen).await.unwrap();
                assert!(seen[..many].starts_with(b"POST /v1/x HTTP/1.1\r\nhost: 127.0.0.1:"));
                assert!(seen[..many].ends_with(b"content-length: 2\r\n\r\n{}"));
                let head = format!("HTTP/1.1 20{piece} OK\r\nContent-Length: 5\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                let rest = b"server-timing: app;dur=1.234, gateway;dur=20.000\r\n\r\nhel";
                stream.write_all(rest).await.unwrap();
                stream.flush().await.unwrap();
                tokio::task::yield_now().await;
                stream.write_all(b"lo").await.unwrap();
            }
        });
        let mut connection = Connection::open(address).await.unwrap();
        for piece in 0..2 {
            let asked = request("POST", "/v1/x", address, &[("a", "b")], "{}");
            let answer = connection.send(&asked).await.unwrap();
            assert_eq!((answer.status, answer.body), (200 + piece, &b"hello"[..]));
            assert_eq!(answer.own_time, Some(Duration::from_micros(1_234)));
        }
        answering.await.unwrap();
        let asked = request("GET", "/v1/x", address, &[], "");
        assert!(connection.send(&asked).await.is_err());
    }

    #[test]
    fn only_our_own_time_is_read() {
        assert_eq!(app_time("gateway;dur=3.000, app;dur=0.007"), Some(Duration::from_micros(7)));
        assert_eq!(app_time("gateway;dur=3.000"), None);
        assert_eq!(app_time("app;dur=soon"), None);
    }
}
