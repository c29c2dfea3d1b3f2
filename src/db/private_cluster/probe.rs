//! Asks a server over its socket whether it answers `SELECT 1`, within a bounded time.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::store;

/// How long one answer may take before the server counts as silent.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// No message that belongs to this short talk is longer.
const MESSAGE_MAX_BYTES: usize = 64 * 1024;

/// A talk has a dozen messages; more means the other side is no PostgreSQL.
const MESSAGES_MAX: usize = 200;

/// What the other side of a socket said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// `SELECT 1` came back.
    Ready,
    /// It spoke, and refused with this SQLSTATE (`57P03`: starting up or shutting down).
    Refused(String),
    /// Nobody listens.
    Absent,
    /// Somebody listens and says nothing for [`PATIENCE`], or nothing that makes sense.
    Mute,
}

/// Connects as `user` to `database` over `socket` and asks `SELECT 1`.
pub(super) fn ask(socket: &Path, user: &str, database: &str) -> Answer {
    match talk(socket, user, database) {
        Ok(answer) => answer,
        Err(error) if is_absence(error.kind()) => Answer::Absent,
        Err(_) => Answer::Mute,
    }
}

/// A server that is going down closes the door or hangs up.
fn is_absence(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        kind,
        Kind::NotFound
            | Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::BrokenPipe
            | Kind::UnexpectedEof
    )
}

fn talk(socket: &Path, user: &str, database: &str) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;

    stream.write_all(&startup(user, database))?;
    if let Some(refusal) = until_ready(&mut stream)?.refusal {
        return Ok(Answer::Refused(refusal));
    }

    let question = format!("{}\0", store::READY);
    stream.write_all(&message(b'Q', question.as_bytes()))?;
    let reply = until_ready(&mut stream)?;
    stream.write_all(&message(b'X', b""))?;
    match reply {
        Reply { refusal: Some(refusal), .. } => Ok(Answer::Refused(refusal)),
        Reply { rows: 1, .. } => Ok(Answer::Ready),
        Reply { .. } => Ok(Answer::Mute),
    }
}

#[derive(Default)]
struct Reply {
    rows: usize,
    refusal: Option<String>,
}

/// Reads up to `ReadyForQuery` or an error.
fn until_ready(stream: &mut impl Read) -> io::Result<Reply> {
    let mut reply = Reply::default();
    for _ in 0..MESSAGES_MAX {
        let mut head = [0_u8; 5];
        stream.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if !(4..=MESSAGE_MAX_BYTES).contains(&length) {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let mut body = vec![0_u8; length - 4];
        stream.read_exact(&mut body)?;
        match kind {
            b'Z' => return Ok(reply),
            b'D' => reply.rows += 1,
            b'E' => {
                reply.refusal = Some(sqlstate(&body));
                return Ok(reply);
            }
            _ => {}
        }
    }
    Err(io::Error::from(io::ErrorKind::InvalidData))
}

/// The `C` field of an error message: fields are a letter and a zero-ended text.
fn sqlstate(body: &[u8]) -> String {
    let mut fields = body.split(|byte| *byte == 0);
    let code = fields.find_map(|field| field.strip_prefix(b"C"));
    String::from_utf8_lossy(code.unwrap_or(b"XX000")).into_owned()
}

fn startup(user: &str, database: &str) -> Vec<u8> {
    const PROTOCOL_3_0: u32 = 196_608;
    let mut body = PROTOCOL_3_0.to_be_bytes().to_vec();
    for text in ["user", user, "database", database, "application_name", "mizan_probe"] {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    framed(&body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(framed(body));
    message
}

/// A length counts itself.
fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(body);
    framed
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_by_its_sqlstate() {
        let mut bytes = message(b'E', b"SFATAL\0VFATAL\0C57P03\0Mthe system is starting up\0\0");
        bytes.extend(message(b'Z', b"I"));
        let reply = until_ready(&mut bytes.as_slice()).unwrap();
        assert_eq!(reply.refusal.as_deref(), Some("57P03"));
    }

    #[test]
    fn a_length_that_lies_is_an_error_and_not_an_allocation() {
        for head in [[b'R', 0xff, 0xff, 0xff, 0xff], [b'R', 0, 0, 0, 3]] {
            assert!(until_ready(&mut head.as_slice()).is_err());
        }
    }

    #[test]
    fn a_path_that_nobody_listens_on_is_an_absence() {
        assert_eq!(ask(Path::new("/nowhere/.s.PGSQL.5432"), "a", "b"), Answer::Absent);
    }
}
