//! Requests and answers as plain data, so that adapters need no sockets and tests no gateway.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// An HTTP method gateways use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or acts.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request body, already in the gateway's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// `application/x-www-form-urlencoded`.
    Form(String),
    /// `application/json`.
    Json(String),
    /// `application/xml`.
    Xml(String),
    /// `multipart/form-data` (RFC 7578), its parts divided by [`Body::BOUNDARY`].
    Multipart(String),
}

impl Body {
    /// What divides the parts of [`Body::Multipart`].
    pub const BOUNDARY: &'static str = "mizan-5d41c3f08b6e4a1f";

    /// The text that is sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Form(text) | Self::Json(text) | Self::Xml(text) | Self::Multipart(text) => text,
        }
    }

    /// A text as it stands inside this kind of body.
    fn say(&self, text: &str) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Multipart(_) => text.to_owned(),
            Self::Form(_) => {
                let pair = serde_urlencoded::to_string([("", text)]).unwrap_or_default();
                pair.trim_start_matches('=').to_owned()
            }
            Self::Json(_) => {
                let quoted = serde_json::Value::from(text).to_string();
                let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                inner.unwrap_or_default().to_owned()
            }
            Self::Xml(_) => escape_xml(text),
        }
    }

    /// The content type that is sent, where there is a body.
    pub const fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::Empty => None,
            Self::Form(_) => Some("application/x-www-form-urlencoded"),
            Self::Json(_) => Some("application/json"),
            Self::Xml(_) => Some("application/xml"),
            Self::Multipart(_) => Some("multipart/form-data; boundary=mizan-5d41c3f08b6e4a1f"),
        }
    }
}

/// What stands in a body where the key of [`Auth::InBody`] comes; before anything of a customer's.
pub const KEY_PLACE: &str = "{key}";

/// A text as it may stand between tags or inside quotes. Characters that XML cannot hold are left
/// out.
pub(crate) fn escape_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if is_xml_char(c) => out.push(c),
            _ => {}
        }
    }
    out
}

/// Whether a character may stand in a document (XML 1.0, section 2.2).
pub(crate) const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..)
}

/// How a request proves who sends it. Never shown by `Debug`.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Not at all, or inside the body.
    None,
    /// `Authorization: Bearer …`.
    Bearer(SecretString),
    /// `Authorization: Basic …`.
    Basic {
        /// The key id.
        user: String,
        /// The key.
        password: SecretString,
    },
    /// `Authorization: Bearer …` with a token that the client fetches, keeps and renews: OAuth 2.0
    /// client credentials (RFC 6749, 4.4).
    ClientCredentials {
        /// Where tokens are had.
        path: &'static str,
        /// The client id.
        user: String,
        /// The client secret.
        password: SecretString,
    },
    /// A key inside the body: it is put where [`KEY_PLACE`] first stands, and only when the
    /// request is sent. So nothing that is kept, shown or compared ever holds it.
    InBody(SecretString),
    /// A header of the gateway's own.
    Header {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: SecretString,
    },
}

/// Whether sending a request a second time can do the thing a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It only reads.
    Query,
    /// It carries a key by which the gateway recognises a repetition.
    Keyed,
    /// It would be done again: never repeated without asking the gateway first.
    Once,
}

/// What is known of earlier attempts at the same operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prior {
    /// No earlier attempt can have reached the gateway.
    #[default]
    None,
    /// An earlier attempt may have been executed: a refusal now proves nothing about it.
    MayHaveExecuted,
}

/// Header names and values; names compare without case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one more value.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The same headers with one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every value of a name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A request to a gateway, relative to its base address.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The path, beginning with `/`; holds nothing that needs escaping.
    pub path: String,
    /// The query string without its `?`, already encoded.
    pub query: Option<String>,
    /// Headers beside authorisation and content type; nothing secret.
    pub headers: Headers,
    /// The proof of who sends it.
    pub auth: Auth,
    /// The body.
    pub body: Body,
    /// Whether it may be repeated.
    pub replay: Replay,
    /// What is known of earlier attempts at the same operation.
    pub prior: Prior,
    /// A header of the answer that says `true` or `false` to a retry, where the gateway has one.
    pub retry_header: Option<&'static str>,
}

impl HttpRequest {
    /// The same request, for an operation whose earlier outcome is unknown.
    ///
    /// A refusal that only says "not now" or "not with this key" then stays unknown: it proves
    /// nothing about the earlier attempt.
    #[must_use]
    pub fn after_unknown(mut self) -> Self {
        self.prior = Prior::MayHaveExecuted;
        self
    }

    /// The body as it is sent, with the key of [`Auth::InBody`] in its place: never to be kept.
    pub fn body_to_send(&self) -> String {
        let text = self.body.as_str();
        match &self.auth {
            Auth::InBody(key) => text.replacen(KEY_PLACE, &self.body.say(key.expose_secret()), 1),
            _ => text.to_owned(),
        }
    }

    /// SHA-256, in hex, of what is asked: method, path, query and body, each with its length.
    ///
    /// Credentials and headers are left out, so that a rotated key does not change it.
    pub fn fingerprint(&self) -> String {
        let query = self.query.as_deref().unwrap_or("");
        let mut hash = Sha256::new();
        for part in [self.method.as_str(), &self.path, query, self.body.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex::encode(hash.finalize())
    }
}

impl fmt::Display for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.path)
    }
}

/// What a gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The headers; values that are not text are left out.
    pub headers: Headers,
    /// The body, at most the client's bound.
    pub body: Vec<u8>,
    /// What is known of attempts before this one.
    pub prior: Prior,
}

impl HttpAnswer {
    /// An answer to a first attempt.
    pub fn new(status: u16, headers: Headers, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers, body: body.into(), prior: Prior::None }
    }

    /// Whole seconds of a numeric `Retry-After`, at most an hour. Dates are not read: that would
    /// need a clock, and the caller's own ladder is as good.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        let text = self.headers.get("retry-after")?.trim();
        let seconds: u32 = text.parse().ok()?;
        Some(seconds.min(3600))
    }
}
