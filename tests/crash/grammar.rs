//! How far two sides have come in a conversation: PostgreSQL's messages, and requests of HTTP.

/// What one side asks, in the pieces in which it is passed on.
pub struct Piece {
    pub bytes: Vec<u8>,
    /// Set where the other side answers this piece.
    pub asks: Option<Asks>,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asks {
    /// To commit.
    Commit,
    /// Anything else.
    Other,
}

/// One conversation.
pub enum Grammar {
    Postgres(Postgres),
    Http(Http),
}

impl Grammar {
    /// Bytes that were asked; whole pieces come out.
    pub fn asked(&mut self, bytes: &[u8]) -> Vec<Piece> {
        match self {
            Self::Postgres(postgres) => postgres.asked(bytes),
            Self::Http(http) => http.asked(bytes),
        }
    }

    /// Bytes that were answered.
    pub fn answered(&mut self, bytes: &[u8]) {
        match self {
            Self::Postgres(postgres) => postgres.answered(bytes),
            Self::Http(http) => http.waiting = 0,
        }
    }

    /// How many pieces were passed on and have no answer yet.
    pub fn waiting(&self) -> u32 {
        match self {
            Self::Postgres(postgres) => postgres.waiting,
            Self::Http(http) => http.waiting,
        }
    }

    /// The server's process, where it names itself.
    pub fn backend(&self) -> i32 {
        match self {
            Self::Postgres(postgres) => postgres.backend,
            Self::Http(_) => 0,
        }
    }
}

/// A conversation with PostgreSQL, protocol 3.
#[derive(Default)]
pub struct Postgres {
    from_client: Vec<u8>,
    from_server: Vec<u8>,
    started: bool,
    /// Single bytes that the server answers to a question for encryption.
    bare: usize,
    commits: bool,
    waiting: u32,
    backend: i32,
}

const SSL_REQUEST: i32 = 80_877_103;
const GSS_REQUEST: i32 = 80_877_104;

fn number(bytes: &[u8]) -> Option<i32> {
    Some(i32::from_be_bytes(bytes.get(..4)?.try_into().ok()?))
}

/// Takes one whole message off the front: a type where `typed`, a length, a body.
fn message(bytes: &mut Vec<u8>, typed: bool) -> Option<Vec<u8>> {
    let head = usize::from(typed);
    let length = usize::try_from(number(bytes.get(head..)?)?).ok()? + head;
    (bytes.len() >= length).then(|| bytes.drain(..length).collect())
}

/// Whether one of the statements of a text is a commit.
fn commits(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_lowercase();
    text.split([';', '\0']).any(|statement| statement.trim() == "commit")
}

impl Postgres {
    fn asked(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.from_client.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(bytes) = message(&mut self.from_client, self.started) {
            let asks = match (self.started, bytes[0]) {
                (false, _) => {
                    let code = number(&bytes[4..]);
                    match code == Some(SSL_REQUEST) || code == Some(GSS_REQUEST) {
                        true => self.bare += 1,
                        false => self.started = true,
                    }
                    None
                }
                (true, b'Q') => Some(commits(&bytes[5..])),
                (true, b'P') => {
                    // The statement's name, then its text.
                    self.commits |= bytes[5..].split(|byte| *byte == 0).nth(1).is_some_and(commits);
                    None
                }
                (true, b'S') => Some(std::mem::take(&mut self.commits)),
                (true, _) => None,
            };
            let asks = asks.map(|commits| if commits { Asks::Commit } else { Asks::Other });
            self.waiting += u32::from(asks.is_some());
            pieces.push(Piece { bytes, asks });
        }
        pieces
    }

    fn answered(&mut self, bytes: &[u8]) {
        self.from_server.extend_from_slice(bytes);
        let bare = self.bare.min(self.from_server.len());
        self.from_server.drain(..bare);
        self.bare -= bare;
        while let Some(bytes) = message(&mut self.from_server, true) {
            match bytes[0] {
                b'Z' => self.waiting = self.waiting.saturating_sub(1),
                b'K' => self.backend = number(&bytes[5..]).unwrap_or(0),
                _ => {}
            }
        }
    }
}

/// A conversation of HTTP/1.1 whose bodies have a length.
#[derive(Default)]
pub struct Http {
    from_client: Vec<u8>,
    waiting: u32,
}

impl Http {
    fn asked(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.from_client.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(length) = request_length(&self.from_client) {
            let bytes = self.from_client.drain(..length).collect();
            self.waiting += 1;
            pieces.push(Piece { bytes, asks: Some(Asks::Other) });
        }
        pieces
    }
}

/// The length of the first request, once it is there as a whole.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = head + body.and_then(|body| body.trim().parse().ok()).unwrap_or(0);
    (bytes.len() >= length).then_some(length)
}
